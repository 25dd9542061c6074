//! The picture on panels other than ours: those that mipidsi has a model of.

use std::convert::Infallible;

use embedded_graphics::{
    pixelcolor::{Rgb565, raw::RawU16},
    prelude::*,
};
use mipidsi::{
    Builder,
    interface::{Interface, InterfaceKind, SpiInterface},
    models::{ILI9341Rgb565, Model as Panel, ST7789, ST7796},
    options::{Orientation, Rotation as Turn},
};
use pulsewing_hx8357::{
    Hx8357Rgb565, Rotation,
    sim::{Settings, Simulator},
};
use pulsewing_screen::{
    Colours, Palette,
    changes::{self, Cost},
    draw,
};
use pulsewing_testkit::pictures::{blank, drawn};

use crate::models::Moment;

/// The common part of the controllers of this family: a window, and a memory behind it.
struct Glass {
    width: usize,
    pixels: Vec<Option<Rgb565>>,
    /// First and last column and row of the window.
    window: [usize; 4],
    /// The number of pixels of the window that are written.
    written: usize,
}

impl Glass {
    fn new(size: Size) -> Self {
        let width = size.width as usize;
        Self {
            width,
            pixels: vec![None; width * size.height as usize],
            window: [0; 4],
            written: 0,
        }
    }

    fn write(&mut self, pixel: &[u8]) {
        let [left, right, top, bottom] = self.window;
        let columns = right + 1 - left;
        let (x, y) = (left + self.written % columns, top + self.written / columns);
        assert!(x < self.width && y <= bottom, "beyond the window");
        let pixel = u16::from_be_bytes(pixel.try_into().unwrap());
        self.pixels[y * self.width + x] = Some(RawU16::new(pixel).into());
        self.written += 1;
    }
}

impl Interface for &mut Glass {
    type Word = u8;
    type Error = Infallible;

    const KIND: InterfaceKind = InterfaceKind::Serial4Line;

    fn send_command(&mut self, command: u8, args: &[u8]) -> Result<(), Infallible> {
        let bounds = |args: &[u8]| {
            let both: [u8; 4] = args.try_into().unwrap();
            let [a, b, c, d] = both.map(usize::from);
            (a << 8 | b, c << 8 | d)
        };
        match command {
            0x2a => (self.window[0], self.window[1]) = bounds(args),
            0x2b => (self.window[2], self.window[3]) = bounds(args),
            0x2c => self.written = 0,
            _ => {}
        }
        Ok(())
    }

    fn send_pixels<const N: usize>(
        &mut self,
        pixels: impl IntoIterator<Item = [u8; N]>,
    ) -> Result<(), Infallible> {
        pixels.into_iter().for_each(|pixel| self.write(&pixel));
        Ok(())
    }

    fn send_repeated_pixel<const N: usize>(
        &mut self,
        pixel: [u8; N],
        count: u32,
    ) -> Result<(), Infallible> {
        (0..count).for_each(|_| self.write(&pixel));
        Ok(())
    }
}

/// Draws in memory and sends what changed, as a program for such a panel does.
fn updates_are_seen<M: Panel<ColorFormat = Rgb565>>(model: M, name: &str) {
    let (width, height) = M::FRAMEBUFFER_SIZE;
    let size = Size::new(height.into(), width.into());
    let mut glass = Glass::new(size);
    let mut display = Builder::new(model, &mut glass)
        .orientation(Orientation::new().rotate(Turn::Deg90))
        .init(&mut Simulator::new(Settings::default()).delay())
        .unwrap();
    assert_eq!(display.size(), size, "{name}");
    let colours = Colours::from(Palette::Day).rgb565();
    let mut shown = blank(size);
    for poll in 0..4 {
        let frame = Moment::poll(840 + 15 * poll).with_model(|model| drawn(model, size));
        let areas: Vec<_> = match poll {
            0 => vec![frame.bounding_box()],
            _ => changes::between(&shown, &frame, Cost::SPI)
                .iter()
                .copied()
                .collect(),
        };
        assert!(!areas.is_empty());
        for area in areas {
            let pixels = frame
                .pixels_in(&area)
                .map(|ink| colours[usize::from(ink.index())]);
            display.fill_contiguous(&area, pixels).unwrap();
        }
        shown = frame;
    }
    drop(display);
    let expected = shown
        .pixels()
        .map(|ink| Some(colours[usize::from(ink.index())]));
    assert!(expected.eq(glass.pixels.iter().copied()), "{name}");
}

#[test]
fn the_desk_theme_is_seen_on_panels_that_mipidsi_knows() {
    updates_are_seen(ST7789, "ST7789, 320x240");
    updates_are_seen(ILI9341Rgb565, "ILI9341, 320x240");
    updates_are_seen(ST7796, "ST7796, 480x320");
}

/// The most expensive way, straight onto the panel, gives the same picture.
#[test]
fn the_desk_theme_can_be_drawn_straight_onto_a_mipidsi_display() {
    let panel = Simulator::new(Settings::default());
    let mut buffer = [0; 4_096];
    let interface = SpiInterface::new(panel.spi(), panel.dc(), &mut buffer);
    let mut display = Builder::new(Hx8357Rgb565, interface)
        .orientation(Orientation::new().rotate(Turn::Deg270))
        .init(&mut panel.delay())
        .unwrap();
    let size = display.size();
    let frame = Moment::poll(847).with_model(|model| {
        draw(model, &mut display.color_converted()).unwrap();
        drawn(model, size)
    });
    let seen = panel.visible(Rotation::Landscape).unwrap();
    let expected: Vec<Rgb565> = frame.pixels().map(Rgb565::from).collect();
    assert!(seen.pixels() == expected);
    assert_eq!(panel.complaints(), []);
}
