//! How large the parts of a picture are, compared with those of the design.

use embedded_graphics::prelude::*;

/// The size for which the proportions were designed, in pixels.
const DESIGNED_FOR: Size = Size::new(480, 320);

/// A larger picture is laid out as one of this width and height, in pixels: no product overflows.
const LARGEST: u32 = 1 << 12;

/// The proportions of a picture.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Proportions {
    pub(crate) width: i32,
    pub(crate) height: i32,
    /// The scale of the parts, in hundredths of the design's.
    pub(crate) percent: i32,
}

impl Proportions {
    /// Returns those of a picture of this size.
    pub(crate) fn new(size: Size) -> Self {
        let width = size.width.min(LARGEST).cast_signed();
        let height = size.height.min(LARGEST).cast_signed();
        let percent = (100 * width / DESIGNED_FOR.width.cast_signed())
            .min(100 * height / DESIGNED_FOR.height.cast_signed());
        Self {
            width,
            height,
            percent,
        }
    }

    /// Returns what a length in the design is here, but no less than `least`; both in pixels.
    pub(crate) fn scaled(&self, pixels: i32, least: i32) -> i32 {
        ((pixels * self.percent + 50) / 100).max(least)
    }
}
