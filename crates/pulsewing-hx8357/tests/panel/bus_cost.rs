//! The cost of pictures on the bus, with the driver and with mipidsi. The documentation of the
//! crate quotes these figures.

use embedded_graphics::{pixelcolor::Rgb565, prelude::*, primitives::Rectangle};
use mipidsi::{
    Builder,
    interface::SpiInterface,
    options::{Orientation, Rotation as Turn},
};
use pulsewing_hx8357::{
    Hx8357, Hx8357Rgb565, Rotation,
    sim::{Settings, Simulator, Traffic},
};

use crate::canvas::colours;

fn boxes() -> Vec<Rectangle> {
    // Anywhere: the place does not matter to the cost.
    colours(42)
        .take(20)
        .map(|colour| {
            let at = Point::new(i32::from(colour.r()) * 14, i32::from(colour.g()) * 4);
            Rectangle::new(at, Size::new(16, 16))
        })
        .collect()
}

fn scenes() -> [(&'static str, Vec<Rectangle>); 4] {
    let one = |width, height| vec![Rectangle::new(Point::new(0, 8), Size::new(width, height))];
    [
        (
            "full frame",
            vec![Rectangle::new(Point::zero(), Size::new(480, 320))],
        ),
        ("band of 480x40", one(480, 40)),
        ("box of 100x20", one(100, 20)),
        ("20 boxes of 16x16", boxes()),
    ]
}

fn with_driver(areas: &[Rectangle]) -> (Traffic, Simulator) {
    let panel = Simulator::new(Settings::default());
    let mut driver = Hx8357::new(panel.spi(), panel.dc(), [0; 4096], Rotation::Landscape);
    driver.init(&mut panel.delay()).unwrap();
    let _ = panel.take_traffic();
    for area in areas {
        driver.push(area, colours(1)).unwrap();
    }
    (panel.take_traffic(), panel)
}

fn with_mipidsi(areas: &[Rectangle]) -> (Traffic, Simulator) {
    let panel = Simulator::new(Settings::default());
    let mut buffer = [0; 4096];
    let interface = SpiInterface::new(panel.spi(), panel.dc(), &mut buffer);
    let mut display = Builder::new(Hx8357Rgb565, interface)
        .orientation(Orientation::new().rotate(Turn::Deg270))
        .init(&mut panel.delay())
        .unwrap();
    let _ = panel.take_traffic();
    for area in areas {
        display.fill_contiguous(area, colours(1)).unwrap();
    }
    (panel.take_traffic(), panel)
}

#[test]
fn the_bus_carries_what_the_crates_page_says() {
    let mut lines = Vec::new();
    for (name, areas) in scenes() {
        let (driver, panel) = with_driver(&areas);
        let (mipidsi, other) = with_mipidsi(&areas);
        let seen = panel.visible(Rotation::Landscape).unwrap();
        let other = other.visible(Rotation::Landscape).unwrap();
        assert!(seen == other, "{name}");
        lines.push(format!(
            "| {name} | {} | {} | {:.1} ms | {} | {} | {:.1} ms |",
            driver.bytes,
            driver.transactions,
            driver.time.as_secs_f64() * 1e3,
            mipidsi.bytes,
            mipidsi.transactions,
            mipidsi.time.as_secs_f64() * 1e3,
        ));
    }
    let page = include_str!("../../src/lib.rs");
    let lines: String = lines.iter().map(|line| format!("//! {line}\n")).collect();
    assert!(
        page.contains(&lines),
        "the page of the crate should say\n{lines}"
    );
}

#[test]
fn the_bus_is_busy_for_its_bits_and_its_transactions() {
    let panel = Simulator::new(Settings {
        clock_hz: 8_000_000,
        transaction_ns: 500,
        ..Settings::default()
    });
    let mut driver = Hx8357::new(panel.spi(), panel.dc(), [0; 100], Rotation::Landscape);
    driver.init(&mut panel.delay()).unwrap();
    let before = panel.elapsed();
    let _ = panel.take_traffic();
    let area = Rectangle::new(Point::zero(), Size::new(10, 10));
    driver.fill(&area, Rgb565::RED).unwrap();
    let Traffic {
        bytes,
        transactions,
        time,
    } = panel.take_traffic();
    // CASET and PASET of 1 + 4 bytes, RAMWR, two batches.
    assert_eq!((bytes, transactions), (211, 7));
    assert_eq!(time.as_nanos(), 211 * 1_000 + 7 * 500);
    assert_eq!(panel.elapsed() - before, time);
    assert_eq!(panel.take_traffic(), Traffic::default());
}
