//! The picture memory, and the mappings from the window to it and from it to the glass.

use std::{vec, vec::Vec};

use embedded_graphics_core::pixelcolor::Rgb565;

use super::Picture;
use crate::Rotation;

const COLUMNS: usize = 320;
const ROWS: usize = 480;

/// The parameter of MADCTL.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct AddressMode(pub(super) u8);

impl AddressMode {
    const fn mirrors_rows(self) -> bool {
        self.0 & 0x80 != 0
    }

    const fn mirrors_columns(self) -> bool {
        self.0 & 0x40 != 0
    }

    const fn exchanges(self) -> bool {
        self.0 & 0x20 != 0
    }

    pub(super) const fn is_bgr(self) -> bool {
        self.0 & 0x08 != 0
    }

    /// Returns the number of columns and rows that the window may span.
    pub(super) const fn extent(self) -> (u16, u16) {
        if self.exchanges() {
            (480, 320)
        } else {
            (320, 480)
        }
    }

    /// Returns the place of a pixel of the window: the rows and columns of the memory are exchanged
    /// first, then mirrored.
    fn place(self, column: u16, row: u16) -> Option<usize> {
        let (column, row) = (usize::from(column), usize::from(row));
        let (column, row) = if self.exchanges() {
            (row, column)
        } else {
            (column, row)
        };
        if column >= COLUMNS || row >= ROWS {
            return None;
        }
        let column = mirrored(column, COLUMNS, self.mirrors_columns());
        let row = mirrored(row, ROWS, self.mirrors_rows());
        Some(row * COLUMNS + column)
    }
}

const fn mirrored(at: usize, length: usize, is_mirrored: bool) -> usize {
    if is_mirrored { length - 1 - at } else { at }
}

#[derive(Clone, Debug)]
pub(super) struct Memory(Vec<Rgb565>);

impl Memory {
    /// Creates the memory as it is after power-up: noise, the same each time.
    pub(super) fn new() -> Self {
        let mut seed = 0x2545_f491_u32;
        let mut noise = || {
            // xorshift32
            seed ^= seed << 13;
            seed ^= seed >> 17;
            seed ^= seed << 5;
            let [red, green, blue, _] = seed.to_be_bytes();
            Rgb565::new(red & 31, green & 63, blue & 31)
        };
        let mut pixels = vec![Rgb565::default(); COLUMNS * ROWS];
        pixels.fill_with(&mut noise);
        Self(pixels)
    }

    /// Stores a pixel of the window; a pixel beyond the memory is lost.
    pub(super) fn store(&mut self, mode: AddressMode, column: u16, row: u16, colour: Rgb565) {
        let place = mode.place(column, row);
        if let Some(pixel) = place.and_then(|place| self.0.get_mut(place)) {
            *pixel = colour;
        }
    }

    /// Returns the picture that a person sees who holds the panel in this rotation, each colour as
    /// the glass shows it.
    ///
    /// The glass is mounted so that memory row 479 is at the top of a panel held upright and column
    /// 319 at its left. The other views are that one, rotated as a whole: the value of MADCTL when
    /// the pixels came does not matter here.
    pub(super) fn seen(&self, rotation: Rotation, shown: impl Fn(Rgb565) -> Rgb565) -> Picture {
        const RIGHT: usize = COLUMNS - 1;
        const BOTTOM: usize = ROWS - 1;
        Picture::new(rotation.size(), |x, y| {
            let (x, y) = match rotation {
                Rotation::Portrait => (x, y),
                Rotation::Landscape => (RIGHT - y, x),
                Rotation::PortraitFlipped => (RIGHT - x, BOTTOM - y),
                Rotation::LandscapeFlipped => (y, BOTTOM - x),
            };
            let place = (BOTTOM - y) * COLUMNS + (RIGHT - x);
            shown(self.0.get(place).copied().unwrap_or_default())
        })
    }
}
