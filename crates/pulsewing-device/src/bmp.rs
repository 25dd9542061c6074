//! A picture as a Windows bitmap of four bits per pixel, produced in chunks for the card.

use embedded_graphics::geometry::{OriginDimensions, Size};
use pulsewing_screen::{Colours, Frame};

/// File header, information header, sixteen colours.
const HEAD: usize = 14 + 40 + 64;

/// The bytes of a bitmap, in order. Rows go from the bottom to the top, each padded to four bytes.
pub(crate) struct Bmp<'f, B> {
    frame: &'f Frame<B>,
    head: [u8; HEAD],
    at: usize,
}

impl<'f, B: AsRef<[u8]>> Bmp<'f, B> {
    /// Returns the bitmap of a picture; `None` if the picture is too large for such a file.
    pub(crate) fn new(frame: &'f Frame<B>, colours: &Colours) -> Option<Self> {
        let size = frame.size();
        let pixels = u32::try_from(padded(size)).ok()?.checked_mul(size.height)?;
        let mut head = [0; HEAD];
        let mut at = 0;
        let mut put = |bytes: &[u8]| {
            if let Some(slot) = head.get_mut(at..at + bytes.len()) {
                slot.copy_from_slice(bytes);
            }
            at += bytes.len();
        };
        let start = u32::try_from(HEAD).ok()?;
        put(b"BM");
        put(&start.checked_add(pixels)?.to_le_bytes());
        put(&[0; 4]);
        put(&start.to_le_bytes());
        put(&40_u32.to_le_bytes());
        put(&size.width.to_le_bytes());
        put(&size.height.to_le_bytes());
        put(&1_u16.to_le_bytes());
        put(&4_u16.to_le_bytes());
        // Not compressed.
        put(&0_u32.to_le_bytes());
        put(&pixels.to_le_bytes());
        // About 165 pixels per inch, like the 3.5" panel.
        put(&6_496_u32.to_le_bytes());
        put(&6_496_u32.to_le_bytes());
        put(&16_u32.to_le_bytes());
        put(&16_u32.to_le_bytes());
        for [red, green, blue] in colours.rgb888() {
            put(&[*blue, *green, *red, 0]);
        }
        Some(Self { frame, head, at: 0 })
    }

    /// Writes the next bytes to a buffer and returns how many; 0 at the end.
    pub(crate) fn fill(&mut self, buffer: &mut [u8]) -> usize {
        let mut filled = 0;
        for (slot, byte) in buffer.iter_mut().zip(core::iter::from_fn(|| self.next())) {
            *slot = byte;
            filled += 1;
        }
        filled
    }

    fn next(&mut self) -> Option<u8> {
        let size = self.frame.size();
        let at = self.at;
        let byte = match at.checked_sub(HEAD) {
            None => *self.head.get(at)?,
            Some(place) => {
                let padded = padded(size);
                let from_below = place.checked_div(padded)?;
                let row = usize::try_from(size.height)
                    .ok()?
                    .checked_sub(from_below.checked_add(1)?)?;
                let stride = stride(size);
                let column = place % padded;
                let pixels = self.frame.bytes().get(row.checked_mul(stride)?..)?;
                match column < stride {
                    true => *pixels.get(column)?,
                    false => 0,
                }
            }
        };
        self.at = at.checked_add(1)?;
        Some(byte)
    }
}

fn stride(size: Size) -> usize {
    usize::try_from(size.width.div_ceil(2)).unwrap_or(usize::MAX)
}

fn padded(size: Size) -> usize {
    stride(size).next_multiple_of(4)
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::{vec, vec::Vec};

    use embedded_graphics::{Pixel, prelude::*};
    use pulsewing_screen::{Ink, Palette};

    use super::*;

    fn le(bytes: &[u8]) -> usize {
        bytes
            .iter()
            .rev()
            .fold(0, |number, byte| number << 8 | usize::from(*byte))
    }

    #[test]
    fn its_rows_are_padded_and_stand_on_their_head() {
        let size = Size::new(7, 3);
        let mut frame = Frame::new(size, vec![0; 12]).unwrap();
        let red = Pixel(Point::new(2, 0), Ink::Red);
        frame.draw_iter([red]).unwrap();
        let mut bmp = Bmp::new(&frame, &Colours::from(Palette::Day)).unwrap();
        let mut bytes = Vec::new();
        loop {
            let mut piece = [0; 29];
            let count = bmp.fill(&mut piece);
            if count == 0 {
                break;
            }
            bytes.extend_from_slice(&piece[..count]);
        }
        // Decoded as the format's description requires, from the file's own numbers.
        assert_eq!(&bytes[..2], b"BM");
        assert_eq!(le(&bytes[2..6]), bytes.len());
        let start = le(&bytes[10..14]);
        assert_eq!((le(&bytes[18..22]), le(&bytes[22..26])), (7, 3));
        assert_eq!(le(&bytes[28..30]), 4);
        let ink = usize::from(bytes[start + 2 * 4 + 1] >> 4);
        let colour = &bytes[14 + le(&bytes[14..18]) + ink * 4..];
        let [r, g, b] = Colours::from(Palette::Day).rgb(Ink::Red);
        assert_eq!(&colour[..3], &[b, g, r]);
    }
}
