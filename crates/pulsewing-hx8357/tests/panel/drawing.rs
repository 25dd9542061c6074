//! Pixels that pass through driver and controller equal pixels that are drawn directly.

use embedded_graphics::{pixelcolor::Rgb565, prelude::*, primitives::Rectangle};
use embedded_hal::{digital::OutputPin, spi::SpiDevice};
use proptest::prelude::*;
use pulsewing_hx8357::{
    BATCH_BYTES, Error, Hx8357, Refusal, Rotation,
    sim::{Complaint, Settings, SimDc, SimSpi, Simulator},
};

use crate::{
    canvas::{Canvas, colours},
    tape::{Event, Tape},
};

fn awake(buffer: usize, rotation: Rotation) -> (Simulator, Hx8357<SimSpi, SimDc, Vec<u8>>) {
    let panel = Simulator::new(Settings::default());
    let mut driver = Hx8357::new(panel.spi(), panel.dc(), vec![0; buffer], rotation);
    driver.init(&mut panel.delay()).unwrap();
    (panel, driver)
}

fn rotation() -> impl Strategy<Value = Rotation> {
    proptest::sample::select(Rotation::ALL.to_vec())
}

/// Returns a rectangle inside the panel, sometimes empty; its place and size are given in
/// thousandths.
fn inside(panel: Size, x: u32, y: u32, width: u32, height: u32) -> Rectangle {
    let left = x * panel.width / 1_000;
    let top = y * panel.height / 1_000;
    let size = Size::new(
        width * (panel.width - left) / 1_000,
        height * (panel.height - top) / 1_000,
    );
    Rectangle::new(Point::new(left as i32, top as i32), size)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn any_sequence_of_rectangles_arrives_as_it_was_drawn(
        rotation in rotation(),
        buffer in 2_usize..5_000,
        areas in prop::collection::vec(
            (0_u32..1_000, 0_u32..1_000, 0_u32..=1_000, 0_u32..=1_000, any::<u32>()), 1..12,
        ),
    ) {
        let (panel, mut driver) = awake(buffer, rotation);
        let mut canvas = Canvas::of(&panel.memory(rotation));
        for (x, y, width, height, seed) in areas {
            let area = inside(rotation.size(), x, y, width, height);
            driver.push(&area, colours(seed)).unwrap();
            canvas.push(&area, colours(seed));
        }
        canvas.assert_is(&panel.visible(rotation).unwrap());
        prop_assert_eq!(panel.complaints(), []);
    }

    #[test]
    fn a_rectangle_is_drawn_whole_or_refused_without_a_byte(
        rotation in rotation(),
        x in -600_i32..600, y in -600_i32..600,
        width in 0_u32..700, height in 0_u32..700,
    ) {
        let (panel, mut driver) = awake(4_096, rotation);
        let before = panel.memory(rotation);
        let _ = panel.take_traffic();
        let area = Rectangle::new(Point::new(x, y), Size::new(width, height));
        let all = Rectangle::new(Point::zero(), rotation.size());
        let fits = area.is_zero_sized() || area.intersection(&all) == area;
        let pushed = driver.push(&area, colours(1));
        if fits {
            prop_assert_eq!(pushed, Ok(()));
            let mut canvas = Canvas::of(&before);
            canvas.push(&area, colours(1));
            canvas.assert_is(&panel.memory(rotation));
        } else {
            prop_assert_eq!(pushed, Err(Error::Refused(Refusal::Outside)));
            prop_assert_eq!(panel.memory(rotation), before);
            prop_assert_eq!(panel.take_traffic().bytes, 0);
        }
        prop_assert_eq!(panel.complaints(), []);
    }
}

#[test]
fn a_full_frame_arrives_in_every_rotation() {
    for rotation in Rotation::ALL {
        let (panel, mut driver) = awake(BATCH_BYTES, rotation);
        let all = Rectangle::new(Point::zero(), driver.size());
        driver.push(&all, colours(7)).unwrap();
        let mut canvas = Canvas::of(&panel.memory(rotation));
        canvas.push(&all, colours(7));
        canvas.assert_is(&panel.visible(rotation).unwrap());
        assert_eq!(panel.complaints(), []);
    }
}

/// Returns the sizes of the batches in which a rectangle is sent.
fn batches(buffer: usize, width: u32, height: u32) -> Vec<usize> {
    let tape = Tape::default();
    let mut driver = Hx8357::new(tape.spi(), tape.dc(), vec![0; buffer], Rotation::Landscape);
    driver.init(&mut tape.delay()).unwrap();
    tape.take();
    let area = Rectangle::new(Point::zero(), Size::new(width, height));
    let expected: Vec<u8> = colours(3)
        .take((width * height) as usize)
        .flat_map(|colour| colour.into_storage().to_be_bytes())
        .collect();
    driver.push(&area, colours(3)).unwrap();
    let events = tape.take();
    let window = events
        .iter()
        .position(|event| *event == Event::Command(0x2c));
    let batches: Vec<&Vec<u8>> = events[window.unwrap() + 1..]
        .iter()
        .map(|event| match event {
            Event::Data(bytes) => bytes,
            event => panic!("{event:?} among the pixels"),
        })
        .collect();
    assert_eq!(
        batches
            .iter()
            .copied()
            .flatten()
            .copied()
            .collect::<Vec<_>>(),
        expected
    );
    batches.iter().map(|bytes| bytes.len()).collect()
}

#[test]
fn batches_are_full_but_for_the_last_and_none_is_empty() {
    assert_eq!(batches(64, 1, 1), [2]);
    assert_eq!(batches(64, 31, 1), [62]);
    assert_eq!(batches(64, 32, 1), [64]);
    assert_eq!(batches(64, 33, 1), [64, 2]);
    assert_eq!(batches(64, 64, 1), [64, 64]);
    // A buffer of odd length holds only whole pixels.
    assert_eq!(batches(65, 33, 1), [64, 2]);
    assert_eq!(batches(3, 3, 1), [2, 2, 2]);
    assert_eq!(batches(2, 2, 1), [2, 2]);
}

#[test]
fn no_batch_is_longer_than_spidev_takes() {
    assert_eq!(batches(4_096, 89, 23), [4_094]);
    assert_eq!(batches(4_096, 64, 32), [4_096]);
    assert_eq!(batches(4_096, 205, 10), [4_096, 4]);
    assert_eq!(batches(100_000, 410, 10), [4_096, 4_096, 8]);
}

#[test]
fn a_buffer_without_room_for_a_pixel_is_refused_before_anything_is_sent() {
    for length in [0, 1] {
        let (panel, mut driver) = awake(length, Rotation::Landscape);
        let _ = panel.take_traffic();
        let area = Rectangle::new(Point::zero(), Size::new(2, 2));
        let refused = Err(Error::Refused(Refusal::NoBuffer));
        assert_eq!(driver.fill(&area, Rgb565::RED), refused);
        assert_eq!(panel.take_traffic().bytes, 0);
    }
}

#[test]
fn pixels_that_end_early_are_reported_and_the_rest_is_as_before() {
    for (buffer, there_are) in [(64, 5), (64, 32), (64, 0), (4, 3)] {
        let (panel, mut driver) = awake(buffer, Rotation::Landscape);
        let area = Rectangle::new(Point::new(100, 100), Size::new(10, 4));
        let mut canvas = Canvas::of(&panel.memory(Rotation::Landscape));
        canvas.push(&area, colours(9).take(there_are));
        let short = Err(Error::Refused(Refusal::TooFewPixels));
        assert_eq!(driver.push(&area, colours(9).take(there_are)), short);
        canvas.assert_is(&panel.visible(Rotation::Landscape).unwrap());
        // The next rectangle is not affected.
        driver.push(&area, colours(11)).unwrap();
        canvas.push(&area, colours(11));
        canvas.assert_is(&panel.visible(Rotation::Landscape).unwrap());
        assert_eq!(panel.complaints(), []);
    }
}

#[test]
fn no_more_pixels_are_taken_than_the_rectangle_holds() {
    let (_, mut driver) = awake(6, Rotation::Landscape);
    let mut left = colours(5).take(100);
    let area = Rectangle::new(Point::zero(), Size::new(7, 3));
    driver.push(&area, left.by_ref()).unwrap();
    assert_eq!(left.count(), 79);
}

#[test]
fn a_picture_that_was_cut_off_by_a_restart_is_whole_after_the_next_initialisation() {
    let (panel, driver) = awake(64, Rotation::Landscape);
    // The board restarts in the middle of a pixel, in the middle of a window.
    let (mut spi, mut dc, ..) = driver.release();
    for (opcode, data) in [
        (0x2a, &[0, 9, 0, 99][..]),
        (0x2b, &[0, 9, 0, 99]),
        (0x2c, &[0x12, 0x34, 0x56]),
    ] {
        dc.set_low().unwrap();
        spi.write(&[opcode]).unwrap();
        dc.set_high().unwrap();
        spi.write(data).unwrap();
    }

    let old = panel.memory(Rotation::Landscape);
    let mut driver = Hx8357::new(spi, dc, [0; 4096], Rotation::Landscape);
    driver.init(&mut panel.delay()).unwrap();
    assert_eq!(
        panel.visible(Rotation::Landscape),
        Some(old),
        "memory survives a reset"
    );
    let all = Rectangle::new(Point::zero(), driver.size());
    driver.push(&all, colours(2)).unwrap();
    let mut canvas = Canvas::of(&panel.memory(Rotation::Landscape));
    canvas.push(&all, colours(2));
    canvas.assert_is(&panel.visible(Rotation::Landscape).unwrap());
    assert_eq!(panel.complaints(), [Complaint::HalfPixel]);
}
