//! The visible picture.

use core::fmt;
use std::vec::Vec;

use embedded_graphics_core::{
    geometry::{Point, Size},
    pixelcolor::{Rgb565, raw::ToBytes},
};

/// A picture as seen by a person who holds the panel in a certain rotation.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    size: Size,
    pixels: Vec<Rgb565>,
}

impl Picture {
    pub(super) fn new(size: Size, colour_at: impl Fn(usize, usize) -> Rgb565) -> Self {
        let colour_at = &colour_at;
        let pixels = (0..size.height as usize)
            .flat_map(|y| (0..size.width as usize).map(move |x| colour_at(x, y)))
            .collect();
        Self { size, pixels }
    }

    /// Returns the size in pixels.
    #[must_use]
    pub const fn size(&self) -> Size {
        self.size
    }

    /// Returns the colours, in rows from the top, from the left in each.
    #[must_use]
    pub fn pixels(&self) -> &[Rgb565] {
        &self.pixels
    }

    /// Returns the colour at a point; `None` outside the picture.
    #[must_use]
    pub fn pixel(&self, at: Point) -> Option<Rgb565> {
        let (x, y) = (u32::try_from(at.x).ok()?, u32::try_from(at.y).ok()?);
        if x >= self.size.width || y >= self.size.height {
            return None;
        }
        self.pixels.get((y * self.size.width + x) as usize).copied()
    }
}

/// Prints the size and a checksum: 153,600 numbers would help nobody.
impl fmt::Debug for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // FNV-1a.
        let checksum = self
            .pixels
            .iter()
            .flat_map(|colour| colour.to_be_bytes())
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
            });
        let Size { width, height } = self.size;
        write!(f, "Picture({width}x{height}, {checksum:016x})")
    }
}
