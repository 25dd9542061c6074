//! The updates make a panel show the new frame, and cost no more than they may.
#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

use embedded_graphics::{Pixel, prelude::*, primitives::Rectangle};
use proptest::prelude::*;
use pulsewing_screen::{
    Band, Frame, Ink, Tiles,
    changes::{self, Changes, Cost},
};
use pulsewing_testkit::{
    pictures::{PANEL, blank},
    traffic,
};

/// Applies the rectangles as a panel does.
fn apply(changes: &Changes, new: &Frame<Vec<u8>>, shown: &mut Frame<Vec<u8>>) {
    for area in changes {
        let inks: Vec<Ink> = new.pixels_in(area).collect();
        let whole = area.intersection(&new.bounding_box());
        assert_eq!(whole, *area, "a rectangle outside of the picture");
        let pixels = area.points().zip(inks).map(|(at, ink)| Pixel(at, ink));
        shown.draw_iter(pixels).unwrap();
    }
}

/// Rectangles of ink anywhere, even partly outside.
fn any_drawing() -> impl Strategy<Value = Vec<(Rectangle, Ink)>> {
    let area = (-20_i32..560, -20_i32..340, 0_u32..90, 0_u32..60)
        .prop_map(|(x, y, w, h)| Rectangle::new(Point::new(x, y), Size::new(w, h)));
    let dot = (0_i32..560, 0_i32..340)
        .prop_map(|(x, y)| Rectangle::new(Point::new(x, y), Size::new(1, 1)));
    let ink = prop::sample::select(Ink::ALL.to_vec());
    let small = prop::collection::vec((prop_oneof![area, dot.clone()], ink.clone()), 0..20);
    prop_oneof![small, prop::collection::vec((dot, ink), 0..700)]
}

fn any_size() -> impl Strategy<Value = Size> {
    prop_oneof![
        1 => Just(PANEL),
        1 => Just(Size::new(800, 480)),
        6 => (0_u32..300, 0_u32..200).prop_map(|(width, height)| Size::new(width, height)),
        1 => (0_u32..1_200, 0_u32..60).prop_map(|(width, height)| Size::new(width, height)),
    ]
}

fn paint(frame: &mut Frame<Vec<u8>>, drawing: &[(Rectangle, Ink)]) {
    for (area, ink) in drawing {
        frame.fill_solid(area, *ink).unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_rectangles_turn_the_old_frame_into_the_new_one(
        size in any_size(), old in any_drawing(), new in any_drawing(),
        pixel in 1_u32..5, rectangle in 0_u32..2_000,
    ) {
        let (mut shown, mut frame) = (blank(size), blank(size));
        paint(&mut shown, &old);
        paint(&mut frame, &old);
        paint(&mut frame, &new);
        let cost = Cost { pixel, rectangle };
        let changes = changes::between(&shown, &frame, cost);
        prop_assert!(changes.len() <= changes::MOST);
        let costs: u64 = changes.iter().map(|area| cost.of(area.size)).sum();
        prop_assert!(costs <= cost.of(size), "more than the whole picture");
        prop_assert_eq!(changes.is_empty(), shown.bytes() == frame.bytes());
        apply(&changes, &frame, &mut shown);
        prop_assert!(shown.pixels().eq(frame.pixels()));
    }

    #[test]
    fn tile_hashes_miss_no_change(
        size in any_size(), drawings in prop::collection::vec(any_drawing(), 1..4),
    ) {
        let (mut shown, mut frame) = (blank(size), blank(size));
        // The contents of a panel after power-up are arbitrary.
        shown.clear(Ink::Red).unwrap();
        let mut tiles = Tiles::new();
        for drawing in drawings {
            paint(&mut frame, &drawing);
            let changes = tiles.update(&frame, Cost::SPI);
            prop_assert!(changes.len() <= changes::MOST);
            apply(&changes, &frame, &mut shown);
            prop_assert!(shown.pixels().eq(frame.pixels()));
        }
        prop_assert!(tiles.update(&frame, Cost::SPI).is_empty());
        tiles.forget();
        prop_assert!(tiles.update(&frame, Cost::SPI).pixels() >= u64::from(size.width * size.height));
    }

    #[test]
    fn tile_hashes_of_bands_miss_no_change(
        size in any_size(), drawings in prop::collection::vec(any_drawing(), 1..4),
        rows in prop_oneof![Just(32_u32), 1_u32..70],
    ) {
        let (mut shown, mut frame) = (blank(size), blank(size));
        shown.clear(Ink::Red).unwrap();
        let mut tiles = Tiles::new();
        for drawing in drawings {
            paint(&mut frame, &drawing);
            let bytes_of_band = Frame::<Vec<u8>>::bytes_for(Size::new(size.width, rows)).max(1);
            let bands = frame.bytes().chunks(bytes_of_band);
            for (first_row, bytes) in (0..).step_by(rows as usize).zip(bands) {
                let band = Band::new(size, first_row, bytes).unwrap();
                apply(&tiles.update_band(&band, Cost::SPI), &frame, &mut shown);
            }
            prop_assert!(shown.pixels().eq(frame.pixels()));
        }
    }
}

#[test]
fn tile_hashes_take_ten_kilobytes_at_most() {
    assert!(size_of::<Tiles>() <= 10_000);
}

#[test]
fn a_band_of_whole_tiles_costs_only_what_changed() {
    let size = PANEL;
    let rows = Tiles::rows_of_tile(size) * 4;
    let mut buffer = vec![0; Frame::<Vec<u8>>::bytes_for(Size::new(480, rows))];
    let mut tiles = Tiles::new();
    let mut band = Band::new(size, rows, &mut buffer[..]).unwrap();
    assert_eq!(
        tiles.update_band(&band, Cost::SPI).pixels(),
        u64::from(480 * rows)
    );
    band.fill_solid(
        &Rectangle::new(Point::new(33, 25), Size::new(2, 3)),
        Ink::Text,
    )
    .unwrap();
    let changes = tiles.update_band(&band, Cost::SPI);
    let tile = Rectangle::new(Point::new(32, 24), Size::new(16, 4));
    assert!(changes.iter().eq([&tile]), "{changes:?}");
}

#[test]
fn the_worst_frames_have_a_hundred_rectangles_at_most() {
    let (old, mut new) = (blank(PANEL), blank(PANEL));
    for at in new.bounding_box().points() {
        if (at.x * 7 + at.y * 13) % 41 == 0 {
            new.draw_iter([Pixel(at, Ink::Text)]).unwrap();
        }
    }
    let free = Cost {
        pixel: 2,
        rectangle: 0,
    };
    assert!(changes::between(&old, &new, free).len() <= changes::MOST);
}

fn share(bytes: u64) -> f64 {
    bytes as f64 / traffic::ORIGINAL_BYTES as f64
}

#[test]
fn minutes_cost_a_hundredth_of_the_originals_bytes() {
    // An afternoon and an evening with a run: every minute of them, so that the hours have their share.
    let figures = traffic::figures(&traffic::polls(1)[50..82], 1);
    println!("{}", figures.table());
    assert!(share(figures.minutes.percentile(50).bytes) <= 0.01);
    assert!(share(figures.minutes.percentile(90).bytes) <= 0.01);
    assert!(share(figures.tiled_minutes.percentile(90).bytes) <= 0.01);
}

#[test]
fn whole_days_cost_a_fraction_of_the_originals_bytes() {
    let figures = traffic::figures(&traffic::polls(2), 7);
    println!("{}", figures.table());
    assert!(share(figures.polls.percentile(50).bytes) <= 0.20);
    assert!(share(figures.polls.percentile(90).bytes) <= 0.30);
    assert!(share(figures.minutes.percentile(50).bytes) <= 0.01);
    for updates in [&figures.polls, &figures.minutes, &figures.tiled_polls] {
        assert!(updates.percentile(100).bytes <= traffic::ORIGINAL_BYTES);
    }
    assert!(figures.polls.most_rectangles() <= 100);
    assert!(figures.tiled_polls.most_rectangles() <= 100);
    // A tile is sent whole, so this form costs more.
    assert!(share(figures.tiled_polls.percentile(50).bytes) <= 0.21);
    assert!(share(figures.tiled_polls.percentile(90).bytes) <= 0.27);
}
