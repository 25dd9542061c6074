//! The simulated controller takes any bytes on its wires; after them, the driver brings it back.

use embedded_graphics::{pixelcolor::Rgb565, prelude::*, primitives::Rectangle};
use embedded_hal::{digital::OutputPin, spi::SpiDevice};
use pulsewing_hx8357::{
    BATCH_BYTES, Hx8357, Rotation,
    sim::{Settings, Simulator},
};

/// Sends pieces of the input as commands or as data: a byte with the kind and the length leads each.
pub fn run(input: &[u8]) {
    let panel = Simulator::new(Settings::default());
    let (mut spi, mut dc) = (panel.spi(), panel.dc());
    let mut rest = input;
    while let [head, behind @ ..] = rest {
        let (piece, left) = behind.split_at(behind.len().min(usize::from(head >> 1)));
        dc.set_state((head & 1 != 0).into())
            .expect("the pin is simulated");
        spi.write(piece).expect("the bus is simulated");
        rest = left;
    }
    // There is much to complain of.
    let _ = panel.take_complaints();

    let mut driver = Hx8357::new(spi, dc, [0; BATCH_BYTES], Rotation::Landscape);
    let area = Rectangle::new(Point::new(3, 5), Size::new(2, 2));
    driver.init(&mut panel.delay()).expect("nothing breaks");
    driver.fill(&area, Rgb565::RED).expect("nothing breaks");
    let seen = panel.visible(Rotation::Landscape).expect("it is on");
    assert!(area.points().all(|at| seen.pixel(at) == Some(Rgb565::RED)));
}
