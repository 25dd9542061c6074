//! A picture that is drawn without a driver: the expected contents of the panel.

use embedded_graphics::{pixelcolor::Rgb565, prelude::*, primitives::Rectangle};
use pulsewing_hx8357::sim::Picture;

#[derive(Clone, Debug)]
pub(crate) struct Canvas {
    size: Size,
    pixels: Vec<Rgb565>,
}

impl Canvas {
    /// Copies a visible picture.
    pub(crate) fn of(picture: &Picture) -> Self {
        Self {
            size: picture.size(),
            pixels: picture.pixels().to_vec(),
        }
    }

    pub(crate) fn push(&mut self, area: &Rectangle, colours: impl IntoIterator<Item = Rgb565>) {
        for (at, colour) in area.points().zip(colours) {
            let (x, y) = (at.x as usize, at.y as usize);
            self.pixels[y * self.size.width as usize + x] = colour;
        }
    }

    /// Panics with the first few points at which a picture differs.
    #[track_caller]
    pub(crate) fn assert_is(&self, picture: &Picture) {
        assert_eq!(self.size, picture.size());
        let points = Rectangle::new(Point::zero(), self.size).points();
        let wrong: Vec<_> = points
            .zip(self.pixels.iter().zip(picture.pixels()))
            .filter(|(_, (expected, seen))| expected != seen)
            .take(5)
            .collect();
        assert!(wrong.is_empty(), "where (expected, seen): {wrong:?}");
    }
}

/// Returns colours without a pattern, the same for the same seed.
pub(crate) fn colours(seed: u32) -> impl Iterator<Item = Rgb565> {
    let mut state = seed | 1;
    std::iter::repeat_with(move || {
        state = state.wrapping_mul(747_796_405).wrapping_add(2_891_336_453);
        let [red, green, blue, _] = state.to_be_bytes();
        Rgb565::new(red & 31, green & 63, blue & 31)
    })
}
