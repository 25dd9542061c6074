//! A few rows of a picture, for boards without room for all of it.

use core::convert::Infallible;

use embedded_graphics::{Pixel, prelude::*, primitives::Rectangle};

use crate::{Frame, Ink};

/// A few rows of a picture, over a buffer from the caller.
///
/// As a draw target it is as large as the whole picture; pixels in other rows are dropped. Draw the
/// whole picture once for every band: the pixels are the same as in one [`Frame`].
///
/// ```
/// use embedded_graphics::prelude::*;
/// use pulsewing_screen::{Band, Frame, Ink};
///
/// let whole = Size::new(480, 320);
/// let mut buffer = vec![0; Frame::<Vec<u8>>::bytes_for(Size::new(480, 32))];
/// for first_row in (0..320).step_by(32) {
///     let mut band = Band::new(whole, first_row, &mut buffer[..]).unwrap();
///     band.clear(Ink::Ground)?; // or draw(&model, &mut band)
///     let _ = band.rows().bytes(); // to the panel, at first_row
/// }
/// # Ok::<(), core::convert::Infallible>(())
/// ```
#[derive(Clone, Debug)]
pub struct Band<B> {
    whole: Size,
    first_row: u32,
    rows: Frame<B>,
}

impl<B: AsRef<[u8]>> Band<B> {
    /// Creates a band of as many whole rows as the buffer holds, but none after the last; `None` if
    /// it does not hold even one, or the picture ends before `first_row`.
    #[must_use]
    pub fn new(whole: Size, first_row: u32, buffer: B) -> Option<Self> {
        let stride = Frame::<B>::bytes_for(Size::new(whole.width, 1));
        let held = buffer.as_ref().len().checked_div(stride)?;
        let left = whole.height.checked_sub(first_row)?;
        let height = u32::try_from(held).unwrap_or(u32::MAX).min(left);
        let rows = Frame::over(Size::new(whole.width, height), buffer)?;
        (height > 0).then_some(Self {
            whole,
            first_row,
            rows,
        })
    }

    /// Returns the rows as a picture of their own.
    #[must_use]
    pub const fn rows(&self) -> &Frame<B> {
        &self.rows
    }
}

impl<B> Band<B> {
    /// Returns the first row of the band, as a row of the whole picture.
    #[must_use]
    pub const fn first_row(&self) -> u32 {
        self.first_row
    }

    fn up(&self) -> Point {
        Point::new(0, -i32::try_from(self.first_row).unwrap_or(i32::MAX))
    }
}

impl<B> OriginDimensions for Band<B> {
    fn size(&self) -> Size {
        self.whole
    }
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> DrawTarget for Band<B> {
    type Color = Ink;
    type Error = Infallible;

    fn draw_iter<I>(&mut self, pixels: I) -> Result<(), Self::Error>
    where
        I: IntoIterator<Item = Pixel<Self::Color>>,
    {
        let up = self.up();
        // A point so far outside that its row overflows is dropped.
        let pixels = pixels.into_iter().filter_map(|Pixel(at, ink)| {
            Some(Pixel(Point::new(at.x, at.y.checked_add(up.y)?), ink))
        });
        self.rows.draw_iter(pixels)
    }

    fn fill_solid(&mut self, area: &Rectangle, ink: Self::Color) -> Result<(), Self::Error> {
        let area = area.intersection(&self.bounding_box());
        self.rows.fill_solid(&area.translate(self.up()), ink)
    }

    fn clear(&mut self, ink: Self::Color) -> Result<(), Self::Error> {
        self.rows.clear(ink)
    }
}
