//! The picture as text: the answer to `shot`.
//!
//! ```text
//! > frame 480 320                  width and height in pixels
//! > palette RRGGBB RRGGBB ...      the sixteen colours, ink 0 first
//! > row BASE64                     one line for each row, from the top
//! > ok
//! ```
//!
//! BASE64 uses the standard alphabet with padding. Its first byte is the encoding of the row:
//!
//! | first byte | what follows |
//! |---|---|
//! | 0 | the row's packed pixels: two a byte, the left one in the upper half; an odd width's last byte has a lower half without meaning |
//! | 1 | runs, until the row is full |
//! | 2 | nothing: the row is the same as the one above |
//!
//! A run is one or two bytes. The lower half of the first byte is the ink. Its upper half is the
//! number of pixels, 1 to 15, or 0: then the number is the second byte plus 16, 16 to 271.

use pulsewing_screen::Frame;

/// The widest picture that can be encoded.
const MAX_WIDTH: usize = 1_024;

/// The maximum length of a row in bytes: it is packed unless runs are shorter.
pub(crate) const MAX_ROW: usize = 1 + MAX_WIDTH / 2;

const PACKED: u8 = 0;
const RUNS: u8 = 1;
const SAME: u8 = 2;

/// Encodes a row, before base64; `None` if the picture has no such row, or one that is too wide.
pub(crate) fn row<B: AsRef<[u8]>>(
    frame: &Frame<B>,
    width: usize,
    row: usize,
) -> Option<heapless::Vec<u8, MAX_ROW>> {
    let stride = width.div_ceil(2);
    let packed = |row: usize| {
        let start = row.checked_mul(stride)?;
        frame.bytes().get(start..start.checked_add(stride)?)
    };
    let pixels = packed(row)?;
    let mut bytes = heapless::Vec::new();
    if row > 0 && packed(row - 1) == Some(pixels) {
        bytes.push(SAME).ok()?;
        return Some(bytes);
    }
    bytes.push(RUNS).ok()?;
    let inks = pixels
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 0x0f])
        .take(width);
    let limit = pixels.len();
    if push_runs(inks, limit, &mut bytes).is_none() {
        bytes.clear();
        bytes.push(PACKED).ok()?;
        bytes.extend_from_slice(pixels).ok()?;
    }
    Some(bytes)
}

/// Writes runs, unless they take more than `limit` bytes.
fn push_runs(
    mut inks: impl Iterator<Item = u8>,
    limit: usize,
    bytes: &mut heapless::Vec<u8, MAX_ROW>,
) -> Option<()> {
    let mut push = |ink: u8, length: u16| {
        match u8::try_from(length) {
            Ok(short @ 1..16) => bytes.push(short << 4 | ink).ok()?,
            _ => {
                bytes.push(ink).ok()?;
                bytes
                    .push(u8::try_from(length.checked_sub(16)?).ok()?)
                    .ok()?;
            }
        }
        (bytes.len() <= limit).then_some(())
    };
    let mut ink = inks.next()?;
    let mut length = 1;
    for next in inks {
        if next == ink && length < 271 {
            length += 1;
            continue;
        }
        push(ink, length)?;
        ink = next;
        length = 1;
    }
    push(ink, length)
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::{vec, vec::Vec};

    use embedded_graphics::{Pixel, prelude::*};
    use proptest::prelude::*;
    use pulsewing_screen::Ink;
    use pulsewing_testkit::pictures::blank;

    use super::*;

    /// Decodes rows as the other side of the line does, from the description above alone.
    fn read(row: &[u8], above: &[u8], width: usize) -> Vec<u8> {
        let (how, rest) = row.split_first().unwrap();
        match how {
            0 => rest
                .iter()
                .flat_map(|byte| [byte >> 4, byte & 0x0f])
                .take(width)
                .collect(),
            1 => {
                let mut pixels = Vec::new();
                let mut rest = rest.iter();
                while pixels.len() < width {
                    let first = rest.next().unwrap();
                    let count = match first >> 4 {
                        0 => usize::from(*rest.next().unwrap()) + 16,
                        count => usize::from(count),
                    };
                    pixels.extend(vec![first & 0x0f; count]);
                }
                assert_eq!((rest.next(), pixels.len()), (None, width));
                pixels
            }
            2 => above.to_vec(),
            other => panic!("{other}"),
        }
    }

    proptest! {
        #[test]
        fn what_is_sent_is_what_is_seen(
            width in 1_u32..700,
            runs in proptest::collection::vec((0_u8..16, 1_usize..400), 1..40),
            noise in proptest::collection::vec(0_u8..16, 0..300),
        ) {
            let size = Size::new(width, 4);
            let mut frame = blank(size);
            let inks: Vec<u8> = runs
                .iter()
                .flat_map(|(ink, length)| vec![*ink; *length])
                .chain(noise)
                .collect();
            let points = size.to_rectangle().points();
            let pixels = points.zip(inks).map(|(at, ink)| Pixel(at, Ink::from_index(ink)));
            frame.draw_iter(pixels).unwrap();
            let mut above = Vec::new();
            for y in 0..4 {
                let width = usize::try_from(width).unwrap();
                let sent = row(&frame, width, y).unwrap();
                prop_assert!(sent.len() <= 1 + width.div_ceil(2));
                let pixels = read(&sent, &above, width);
                for (x, ink) in pixels.iter().enumerate() {
                    let at = Point::new(i32::try_from(x).unwrap(), i32::try_from(y).unwrap());
                    prop_assert_eq!(frame.pixel(at), Some(Ink::from_index(*ink)));
                }
                above = pixels;
            }
        }
    }

    trait ToRectangle {
        fn to_rectangle(self) -> embedded_graphics::primitives::Rectangle;
    }

    impl ToRectangle for Size {
        fn to_rectangle(self) -> embedded_graphics::primitives::Rectangle {
            embedded_graphics::primitives::Rectangle::new(Point::zero(), self)
        }
    }

    #[test]
    fn a_blank_row_takes_a_few_bytes_and_the_next_one_a_single_one() {
        let size = Size::new(480, 2);
        let frame = Frame::new(size, vec![0; 480]).unwrap();
        assert_eq!(row(&frame, 480, 0).unwrap(), [1, 0, 255, 0, 193]);
        assert_eq!(row(&frame, 480, 1).unwrap(), [2]);
        assert_eq!(row(&frame, 480, 2), None);
    }
}
