//! Something to show.

use embedded_graphics::{
    geometry::{OriginDimensions, Point, Size},
    prelude::*,
    primitives::Rectangle,
};
use pulsewing_panels::picture::Picture;
use pulsewing_screen::{Colours, Ink, Palette};
use pulsewing_testkit::pictures::blank;

/// A picture without a pattern, in the inks of a palette; the same for the same seed.
pub(crate) fn noise(size: Size, seed: u32, palette: Palette) -> Picture {
    let mut frame = blank(size);
    let mut state = seed | 1;
    for at in frame.bounding_box().points() {
        state = state.wrapping_mul(747_796_405).wrapping_add(2_891_336_453);
        let ink = Ink::from_index((state >> 24) as u8);
        frame.draw_iter([Pixel(at, ink)]).unwrap();
    }
    let colours = Colours::from(palette);
    Picture { frame, colours }
}

/// The same picture with other rectangles, here and there.
pub(crate) fn with_boxes(picture: &Picture, boxes: &[(Rectangle, Ink)]) -> Picture {
    let mut picture = picture.clone();
    for (area, ink) in boxes {
        picture.frame.fill_solid(area, *ink).unwrap();
    }
    picture
}

pub(crate) fn area(x: i32, y: i32, width: u32, height: u32) -> Rectangle {
    Rectangle::new(Point::new(x, y), Size::new(width, height))
}

/// The colour at a point.
pub(crate) fn rgb(picture: &Picture, x: u32, y: u32) -> [u8; 3] {
    let Size { width, height } = picture.frame.size();
    assert!(x < width && y < height);
    let at = Point::new(x.cast_signed(), y.cast_signed());
    picture.colours.rgb(picture.frame.pixel(at).unwrap())
}
