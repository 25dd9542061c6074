//! Readings as a line that is broken where minutes are missing.

use embedded_graphics::{
    prelude::*,
    primitives::{Line, PrimitiveStyle, Rectangle},
};

/// Draws a line of one pixel through points; each states whether the line continues to the next.
///
/// A point that is joined to neither neighbour is a square of `dot` pixels, so that it is visible.
pub(crate) fn draw<D: DrawTarget>(
    points: impl IntoIterator<Item = (Point, bool)>,
    dot: u32,
    ink: D::Color,
    target: &mut D,
) -> Result<(), D::Error> {
    let mut before: Option<Point> = None;
    for (here, goes_on) in points {
        match before {
            Some(from) => Line::new(from, here)
                .into_styled(PrimitiveStyle::with_stroke(ink, 1))
                .draw(target)?,
            None if !goes_on => {
                target.fill_solid(&Rectangle::with_center(here, Size::new_equal(dot)), ink)?;
            }
            None => {}
        }
        before = goes_on.then_some(here);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use embedded_graphics::{mock_display::MockDisplay, pixelcolor::BinaryColor};

    use super::*;

    #[test]
    fn the_line_ends_at_a_gap_and_a_lone_reading_is_a_dot() {
        let points = [
            (Point::new(0, 4), true),
            (Point::new(3, 1), true),
            (Point::new(6, 1), false),
            (Point::new(9, 3), false),
            (Point::new(12, 4), true),
            (Point::new(15, 4), false),
        ];
        let mut display = MockDisplay::new();
        // Neighbouring strokes share their common point.
        display.set_allow_overdraw(true);
        draw(points, 3, BinaryColor::On, &mut display).unwrap();
        display.assert_pattern(&[
            "                ",
            "   ####         ",
            "  #     ###     ",
            " #      ###     ",
            "#       ### ####",
        ]);
    }
}
