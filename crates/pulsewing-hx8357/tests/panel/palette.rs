//! Pictures of sixteen colours.

use embedded_graphics::{
    pixelcolor::Rgb565, pixelcolor::raw::RawU16, prelude::*, primitives::Rectangle,
};
use proptest::prelude::*;
use pulsewing_hx8357::{
    Error, Hx8357, PaletteRows, Refusal, Rotation,
    sim::{Settings, Simulator},
};
use pulsewing_screen::{Frame, Ink};
use pulsewing_testkit::pictures::blank;

use crate::canvas::{Canvas, colours};

fn palette() -> [u16; 16] {
    let mut colours = colours(1_234);
    std::array::from_fn(|_| colours.next().unwrap().into_storage())
}

/// Packs numbers two a byte, with each row padded.
fn packed(width: usize, numbers: &[u8]) -> Vec<u8> {
    numbers
        .chunks(width)
        .flat_map(|row| row.chunks(2))
        .map(|pair| pair[0] << 4 | pair.get(1).unwrap_or(&0xf))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_part_of_a_picture_arrives_at_any_place(
        width in 1_u32..40, height in 1_u32..12, seed in any::<u64>(),
        left in 0_u32..40, top in 0_u32..12, right in 0_u32..40, bottom in 0_u32..12,
        at_x in 0_i32..440, at_y in 0_i32..300, buffer in 2_usize..100,
    ) {
        let size = Size::new(width, height);
        let numbers: Vec<u8> = (0..width * height)
            .map(|index| (seed.rotate_left(index) >> 3 & 0xf) as u8)
            .collect();
        let (bytes, palette) = (packed(width as usize, &numbers), palette());
        let picture = PaletteRows::new(size, &bytes, &palette).unwrap();
        let (left, top) = (left.min(width), top.min(height));
        let part = Rectangle::new(
            Point::new(left as i32, top as i32),
            Size::new(right.min(width - left), bottom.min(height - top)),
        );
        let expected = part.points().map(|at| {
            let number = numbers[at.y as usize * width as usize + at.x as usize];
            Rgb565::from(RawU16::new(palette[usize::from(number)]))
        });

        let panel = Simulator::new(Settings::default());
        let mut driver = Hx8357::new(panel.spi(), panel.dc(), vec![0; buffer], Rotation::Landscape);
        driver.init(&mut panel.delay()).unwrap();
        let mut canvas = Canvas::of(&panel.memory(Rotation::Landscape));
        let at = Point::new(at_x, at_y);
        driver.push_palette(at, &picture, &part).unwrap();
        canvas.push(&Rectangle::new(at, part.size), expected);
        canvas.assert_is(&panel.visible(Rotation::Landscape).unwrap());
        prop_assert_eq!(panel.complaints(), []);
    }
}

#[test]
fn a_part_that_begins_on_the_right_half_of_a_byte_is_not_shifted() {
    let bytes = [0x12, 0x34, 0x5f, 0x67, 0x89, 0xaf];
    let palette = std::array::from_fn(|index| index as u16);
    let picture = PaletteRows::new(Size::new(5, 2), &bytes, &palette).unwrap();
    let panel = Simulator::new(Settings::default());
    let mut driver = Hx8357::new(panel.spi(), panel.dc(), [0; 6], Rotation::Landscape);
    driver.init(&mut panel.delay()).unwrap();
    let part = Rectangle::new(Point::new(1, 0), Size::new(4, 2));
    driver
        .push_palette(Point::new(33, 7), &picture, &part)
        .unwrap();
    let seen = panel.visible(Rotation::Landscape).unwrap();
    let numbers: Vec<u16> = Rectangle::new(Point::new(33, 7), Size::new(4, 2))
        .points()
        .map(|at| seen.pixel(at).unwrap().into_storage())
        .collect();
    assert_eq!(numbers, [2, 3, 4, 5, 7, 8, 9, 0xa]);
}

#[test]
fn a_part_beyond_the_picture_or_the_panel_is_refused_before_anything_is_sent() {
    let (bytes, palette) = ([0; 15], palette());
    let picture = PaletteRows::new(Size::new(6, 5), &bytes, &palette).unwrap();
    let panel = Simulator::new(Settings::default());
    let mut driver = Hx8357::new(panel.spi(), panel.dc(), [0; 64], Rotation::Landscape);
    driver.init(&mut panel.delay()).unwrap();
    let _ = panel.take_traffic();
    let part = |x, y, width, height| Rectangle::new(Point::new(x, y), Size::new(width, height));
    for (at, part) in [
        (Point::zero(), part(-1, 0, 2, 2)),
        (Point::zero(), part(0, -1, 2, 2)),
        (Point::zero(), part(1, 0, 6, 1)),
        (Point::zero(), part(0, 1, 1, 5)),
        (Point::zero(), part(i32::MAX, i32::MAX, u32::MAX, u32::MAX)),
        (Point::new(475, 0), part(0, 0, 6, 5)),
        (Point::new(0, -1), part(0, 0, 6, 5)),
    ] {
        let outside = Err(Error::Refused(Refusal::Outside));
        assert_eq!(
            driver.push_palette(at, &picture, &part),
            outside,
            "{at} {part:?}"
        );
    }
    assert_eq!(panel.take_traffic().bytes, 0);
}

#[test]
fn bytes_that_do_not_fit_the_size_make_no_picture() {
    let palette = palette();
    let fits = |width, height, bytes: &[u8]| {
        PaletteRows::new(Size::new(width, height), bytes, &palette).is_some()
    };
    assert!(fits(5, 2, &[0; 6]));
    assert!(!fits(5, 2, &[0; 5]));
    assert!(!fits(5, 2, &[0; 7]));
    assert!(fits(0, 9, &[]));
    assert!(!fits(u32::MAX, u32::MAX, &[]));
}

/// The picture of `pulsewing-screen` in every rotation, whole and then by a changed rectangle.
#[test]
fn a_frame_of_the_screen_arrives_as_it_is() {
    let palette: [u16; 16] =
        std::array::from_fn(|index| Rgb565::from(Ink::from_index(index as u8)).into_storage());
    for rotation in Rotation::ALL {
        let size = rotation.size();
        let mut frame = blank(size);
        for (index, ink) in (0..).zip(Ink::ALL) {
            let stripe = Rectangle::new(Point::new(index * 23, index * 17), Size::new(150, 90));
            frame.fill_solid(&stripe, ink).unwrap();
        }
        let panel = Simulator::new(Settings::default());
        let mut driver = Hx8357::new(panel.spi(), panel.dc(), [0; 4096], rotation);
        driver.init(&mut panel.delay()).unwrap();
        let push = |area: Rectangle, frame: &Frame<Vec<u8>>, driver: &mut Hx8357<_, _, _>| {
            let picture = PaletteRows::new(size, frame.bytes(), &palette).unwrap();
            driver.push_palette(area.top_left, &picture, &area).unwrap();
        };
        push(frame.bounding_box(), &frame, &mut driver);

        let changed = Rectangle::new(Point::new(101, 33), Size::new(57, 81));
        frame.fill_solid(&changed, Ink::Pink).unwrap();
        push(changed, &frame, &mut driver);

        let seen = panel.visible(rotation).unwrap();
        let drawn: Vec<Rgb565> = frame.pixels().map(Rgb565::from).collect();
        assert!(seen.pixels() == drawn, "{rotation:?}");
        assert_eq!(panel.complaints(), []);
    }
}
