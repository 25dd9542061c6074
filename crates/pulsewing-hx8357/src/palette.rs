//! Pictures of sixteen colours.

use embedded_graphics_core::{
    geometry::{Point, Size},
    primitives::Rectangle,
};

use crate::{Refusal, batch::Source};

/// A picture of four bits a pixel, and the colours of its indices.
///
/// Rows follow each other from the top; a row is its pixels from the left, two a byte, the left
/// one in the upper half, padded to a whole byte.
///
/// ```
/// use embedded_graphics_core::geometry::Size;
/// use pulsewing_hx8357::PaletteRows;
///
/// let mut palette = [0x0000; 16]; // RGB565, red in the upper five bits
/// palette[1] = 0xf800;
/// // Three pixels wide, so that half a byte is left over: red, black, red.
/// let rows = PaletteRows::new(Size::new(3, 1), &[0x10, 0x10], &palette);
/// assert!(rows.is_some());
/// ```
#[derive(Clone, Copy, Debug)]
pub struct PaletteRows<'a> {
    size: Size,
    bytes: &'a [u8],
    palette: &'a [u16; 16],
}

impl<'a> PaletteRows<'a> {
    /// Creates a picture over packed rows; `None` unless there are exactly as many bytes as the
    /// size takes. The palette is RGB565, red in the upper five bits.
    #[must_use]
    pub fn new(size: Size, bytes: &'a [u8], palette: &'a [u16; 16]) -> Option<Self> {
        let expected = size.width.div_ceil(2).checked_mul(size.height)?;
        (u32::try_from(bytes.len()) == Ok(expected)).then_some(Self {
            size,
            bytes,
            palette,
        })
    }

    /// Returns the picture's size in pixels.
    #[must_use]
    pub const fn size(&self) -> Size {
        self.size
    }

    /// Returns the pixels of a part, in rows from its top left.
    pub(crate) fn part(&self, part: &Rectangle) -> Result<Indices<'a>, Refusal> {
        let Point { x, y } = part.top_left;
        let (left, top) = (u32::try_from(x).ok(), u32::try_from(y).ok());
        let (Some(left), Some(top)) = (left, top) else {
            return Err(Refusal::Outside);
        };
        if left.saturating_add(part.size.width) > self.size.width
            || top.saturating_add(part.size.height) > self.size.height
        {
            return Err(Refusal::Outside);
        }
        let stride = self.size.width.div_ceil(2) as usize;
        let skipped = top as usize * stride;
        Ok(Indices {
            rows: self.bytes.get(skipped..).unwrap_or_default(),
            stride,
            left: left as usize,
            right: left as usize + part.size.width as usize,
            x: left as usize,
            colours: self.palette.map(u16::to_be_bytes),
        })
    }
}

/// A walk over a part of a picture.
#[derive(Debug)]
pub(crate) struct Indices<'a> {
    /// The rows from the current one on. The window determines where the part ends.
    rows: &'a [u8],
    stride: usize,
    left: usize,
    right: usize,
    x: usize,
    colours: [[u8; 2]; 16],
}

impl Source for Indices<'_> {
    fn fill(&mut self, batch: &mut [u8]) -> usize {
        let mut places = batch.chunks_exact_mut(2);
        let mut filled = 0;
        while places.len() > 0 && !self.rows.is_empty() {
            // The place comes last in the pair, so that none is taken at the end of a row.
            for (x, place) in (self.x..self.right).zip(places.by_ref()) {
                let both = self.rows.get(x / 2).copied().unwrap_or_default();
                let index = if x % 2 == 0 { both >> 4 } else { both & 0x0f };
                let colour = self.colours.get(usize::from(index));
                place.copy_from_slice(colour.unwrap_or(&[0; 2]));
                self.x = x + 1;
                filled += 2;
            }
            if self.x == self.right {
                self.x = self.left;
                self.rows = self.rows.get(self.stride..).unwrap_or_default();
            }
        }
        filled
    }
}
