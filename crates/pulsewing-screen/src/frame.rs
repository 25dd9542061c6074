//! A picture in memory, four bits a pixel.

use core::convert::Infallible;

use embedded_graphics::{Pixel, prelude::*, primitives::Rectangle};

use crate::Ink;

/// A picture of four bits a pixel over a buffer from the caller: 76,800 bytes at 480x320.
///
/// Rows follow each other from the top; a row is its pixels from the left, two a byte, the left
/// one in the upper half, padded to a whole byte. That is how a PNG of colour type 3 and bit depth
/// 4 stores them, so such a file needs only [`bytes`](Self::bytes) and
/// [`Colours::rgb888`](crate::Colours::rgb888).
///
/// ```
/// use embedded_graphics::prelude::*;
/// use pulsewing_screen::{Frame, Ink};
///
/// let size = Size::new(480, 320);
/// let mut frame = Frame::new(size, vec![0; Frame::<Vec<u8>>::bytes_for(size)]).unwrap();
/// frame.clear(Ink::Green)?;
/// assert_eq!(frame.pixel(Point::new(7, 7)), Some(Ink::Green));
/// # Ok::<(), core::convert::Infallible>(())
/// ```
#[derive(Clone, Debug)]
pub struct Frame<B> {
    size: Size,
    buffer: B,
}

impl<B> Frame<B> {
    /// Returns the number of bytes of a picture.
    #[must_use]
    pub const fn bytes_for(size: Size) -> usize {
        Self::stride_of(size).saturating_mul(size.height as usize)
    }

    const fn stride_of(size: Size) -> usize {
        size.width.div_ceil(2) as usize
    }

    /// Returns the number of bytes of a row.
    pub(crate) const fn stride(&self) -> usize {
        Self::stride_of(self.size)
    }
}

impl<B: AsRef<[u8]>> Frame<B> {
    /// Creates a picture from the contents of the buffer; `None` unless it is
    /// [`bytes_for(size)`](Self::bytes_for) long.
    #[must_use]
    pub fn new(size: Size, buffer: B) -> Option<Self> {
        (buffer.as_ref().len() == Self::bytes_for(size)).then_some(Self { size, buffer })
    }

    /// Creates a picture at the beginning of a buffer, which may be longer.
    pub(crate) fn over(size: Size, buffer: B) -> Option<Self> {
        (buffer.as_ref().len() >= Self::bytes_for(size)).then_some(Self { size, buffer })
    }

    /// Returns the packed pixels.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        let buffer = self.buffer.as_ref();
        buffer.get(..Self::bytes_for(self.size)).unwrap_or(buffer)
    }

    /// Returns the colour at a point; `None` outside the picture.
    #[must_use]
    pub fn pixel(&self, at: Point) -> Option<Ink> {
        let (byte, is_left) = place(self.size, at)?;
        let byte = *self.bytes().get(byte)?;
        Some(Ink::from_index(if is_left {
            byte >> 4
        } else {
            byte & 0x0f
        }))
    }

    /// Returns the colours, in rows from the top, from the left in each.
    pub fn pixels(&self) -> impl Iterator<Item = Ink> + '_ {
        let width = self.size.width as usize;
        self.bytes()
            .chunks_exact(self.stride().max(1))
            .flat_map(move |row| {
                row.iter()
                    .flat_map(|byte| [byte >> 4, byte & 0x0f])
                    .map(Ink::from_index)
                    .take(width)
            })
    }

    /// Returns the colours of the pixels of an area, as far as it lies in the picture, in the order
    /// in which a panel takes them: in rows from the top, from the left in each.
    pub fn pixels_in(&self, area: &Rectangle) -> impl Iterator<Item = Ink> + '_ {
        let area = area.intersection(&self.bounding_box());
        area.points().filter_map(|at| self.pixel(at))
    }
}

impl<B: AsMut<[u8]>> Frame<B> {
    fn set(&mut self, at: Point, ink: Ink) {
        if let Some((byte, is_left)) = place(self.size, at)
            && let Some(byte) = self.buffer.as_mut().get_mut(byte)
        {
            *byte = if is_left {
                *byte & 0x0f | ink.index() << 4
            } else {
                *byte & 0xf0 | ink.index()
            };
        }
    }
}

/// Returns the byte of a point, and whether it is that byte's left pixel; `None` outside the
/// picture.
fn place(size: Size, at: Point) -> Option<(usize, bool)> {
    let x = usize::try_from(at.x).ok()?;
    let y = usize::try_from(at.y).ok()?;
    let is_inside = x < size.width as usize && y < size.height as usize;
    is_inside.then_some((y * size.width.div_ceil(2) as usize + x / 2, x % 2 == 0))
}

impl<B> OriginDimensions for Frame<B> {
    fn size(&self) -> Size {
        self.size
    }
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> DrawTarget for Frame<B> {
    type Color = Ink;
    type Error = Infallible;

    fn draw_iter<I>(&mut self, pixels: I) -> Result<(), Self::Error>
    where
        I: IntoIterator<Item = Pixel<Self::Color>>,
    {
        for Pixel(at, ink) in pixels {
            self.set(at, ink);
        }
        Ok(())
    }

    fn fill_solid(&mut self, area: &Rectangle, ink: Self::Color) -> Result<(), Self::Error> {
        // Thousands of runs of a few pixels make a picture: this is cheaper than an intersection.
        let within = |from: i32, length: u32, most: u32| {
            let place = |number: i64| usize::try_from(number.clamp(0, most.into())).unwrap_or(0);
            let from = i64::from(from);
            place(from)..place(from + i64::from(length))
        };
        let (corner, whole) = (area.top_left, self.size);
        let columns = within(corner.x, area.size.width, whole.width);
        let rows_of_area = within(corner.y, area.size.height, whole.height);
        let (start, end) = (columns.start, columns.end);
        if start >= end {
            return Ok(());
        }
        let stride = self.stride();
        let ink = ink.index();
        let bytes = self.buffer.as_mut();
        for y in rows_of_area {
            let Some(row) = bytes.get_mut(y * stride..(y + 1) * stride) else {
                break;
            };
            // Half bytes at either end, whole bytes between them.
            if start % 2 == 1
                && let Some(byte) = row.get_mut(start / 2)
            {
                *byte = *byte & 0xf0 | ink;
            }
            if end % 2 == 1
                && let Some(byte) = row.get_mut(end / 2)
            {
                *byte = *byte & 0x0f | ink << 4;
            }
            if let Some(whole) = row.get_mut(start.div_ceil(2)..end / 2) {
                whole.fill(ink << 4 | ink);
            }
        }
        Ok(())
    }

    // `fill_contiguous` would gain nothing over the default, which pairs the colours with the
    // points and sets each.

    fn clear(&mut self, ink: Self::Color) -> Result<(), Self::Error> {
        self.buffer.as_mut().fill(ink.index() << 4 | ink.index());
        Ok(())
    }
}

/// Returns the picture in characters, a line a row: a blank is the background, and `.`, `-`, `+`
/// and `#` are the steps from there to the colour of text. Another colour is the first letter of
/// its name; a step towards one is `~`.
#[cfg(test)]
pub(crate) fn sketch<B: AsRef<[u8]>>(frame: &Frame<B>) -> std::string::String {
    let row = |y: i32| {
        let inks =
            (0..frame.size().width).map(move |x| frame.pixel(Point::new(x.cast_signed(), y)));
        inks.map(|ink| match ink.unwrap() {
            Ink::Ground => ' ',
            Ink::Faint => '.',
            Ink::Mid => '-',
            Ink::Quiet => '+',
            Ink::Text => '#',
            Ink::DimCool | Ink::DimWarm => '~',
            ink => std::format!("{ink:?}").chars().next().unwrap(),
        })
    };
    (0..frame.size().height.cast_signed())
        .map(|y| row(y).collect::<std::string::String>())
        .map(|line| std::format!("{}\n", line.trim_end()))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::{vec, vec::Vec};

    use proptest::prelude::*;

    use super::*;

    fn frame(width: u32, height: u32) -> Frame<Vec<u8>> {
        let size = Size::new(width, height);
        Frame::new(size, vec![0; Frame::<Vec<u8>>::bytes_for(size)]).unwrap()
    }

    #[test]
    fn a_picture_of_480x320_takes_76800_bytes() {
        assert_eq!(Frame::<&[u8]>::bytes_for(Size::new(480, 320)), 76_800);
        assert!(Frame::new(Size::new(480, 320), vec![0; 76_799]).is_none());
    }

    #[test]
    fn the_left_pixel_is_in_the_upper_half() {
        let mut frame = frame(3, 2);
        frame
            .draw_iter([
                Pixel(Point::new(0, 0), Ink::Text),
                Pixel(Point::new(2, 1), Ink::Green),
            ])
            .unwrap();
        assert_eq!(frame.bytes(), [0x10, 0x00, 0x00, 0x70]);
        assert_eq!(frame.pixels().count(), 6);
    }

    proptest! {
        #[test]
        fn a_filled_rectangle_is_its_pixels_and_no_others(
            width in 0_u32..20, height in 0_u32..20,
            x in -5_i32..25, y in -5_i32..25, w in 0_u32..25, h in 0_u32..25,
        ) {
            let area = Rectangle::new(Point::new(x, y), Size::new(w, h));
            let mut frame = frame(width, height);
            frame.fill_solid(&area, Ink::Pink).unwrap();
            for at in frame.bounding_box().points() {
                let expected = if area.contains(at) { Ink::Pink } else { Ink::Ground };
                prop_assert_eq!(frame.pixel(at), Some(expected));
            }
        }

        #[test]
        fn no_pixel_outside_the_picture_is_stored(
            width in 0_u32..20, height in 0_u32..20, x in any::<i32>(), y in any::<i32>(),
        ) {
            let mut frame = frame(width, height);
            let at = Point::new(x, y);
            frame.draw_iter([Pixel(at, Ink::Pink)]).unwrap();
            let changed = frame.pixels().filter(|ink| *ink == Ink::Pink).count();
            prop_assert_eq!(changed, usize::from(frame.bounding_box().contains(at)));
        }
    }
}
