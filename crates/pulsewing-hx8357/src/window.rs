//! The rectangle that pixels are written into.

use embedded_graphics_core::{geometry::Size, primitives::Rectangle};

use crate::{
    Refusal,
    command::{self, Command},
};

/// A rectangle in the controller's format.
///
/// All of it is sent for every rectangle, even if a bound is the same as before: then a bit that
/// flips on the bus spoils one rectangle, not all that follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    columns: [u8; 4],
    rows: [u8; 4],
    pixels: u32,
}

impl Window {
    /// Returns the window of a rectangle; `None` if the rectangle has no pixel.
    pub(crate) fn new(area: &Rectangle, panel: Size) -> Result<Option<Self>, Refusal> {
        let Size { width, height } = area.size;
        if width == 0 || height == 0 {
            return Ok(None);
        }
        Ok(Some(Self {
            columns: bounds(area.top_left.x, width, panel.width)?,
            rows: bounds(area.top_left.y, height, panel.height)?,
            pixels: width * height,
        }))
    }

    pub(crate) const fn pixels(&self) -> u32 {
        self.pixels
    }

    pub(crate) const fn commands(&self) -> [Command<'_>; 3] {
        [
            command::columns(&self.columns),
            command::rows(&self.rows),
            command::WRITE_MEMORY,
        ]
    }
}

/// Returns the first and the last, both big-endian and inclusive.
fn bounds(start: i32, length: u32, limit: u32) -> Result<[u8; 4], Refusal> {
    let first = u32::try_from(start).map_err(|_| Refusal::Outside)?;
    let last = first.saturating_add(length - 1);
    if last >= limit {
        return Err(Refusal::Outside);
    }
    let [.., a, b] = first.to_be_bytes();
    let [.., c, d] = last.to_be_bytes();
    Ok([a, b, c, d])
}

#[cfg(test)]
mod tests {
    use embedded_graphics_core::geometry::Point;

    use super::*;

    const PANEL: Size = Size::new(480, 320);

    fn window(x: i32, y: i32, width: u32, height: u32) -> Result<Option<Window>, Refusal> {
        let area = Rectangle::new(Point::new(x, y), Size::new(width, height));
        Window::new(&area, PANEL)
    }

    #[test]
    fn the_bounds_are_inclusive_and_big_endian() {
        let window = window(2, 300, 478, 20).unwrap().unwrap();
        let [columns, rows, write] = window.commands();
        assert_eq!(
            (columns.opcode, columns.parameters),
            (0x2a, &[0, 2, 1, 223][..])
        );
        assert_eq!((rows.opcode, rows.parameters), (0x2b, &[1, 44, 1, 63][..]));
        assert_eq!((write.opcode, write.parameters), (0x2c, &[][..]));
        assert_eq!(window.pixels(), 9_560);
    }

    #[test]
    fn a_rectangle_without_pixels_has_no_window_wherever_it_is() {
        assert_eq!(window(-5, 900, 0, 20), Ok(None));
        assert_eq!(window(5, 5, 20, 0), Ok(None));
    }

    #[test]
    fn a_rectangle_that_reaches_beyond_the_panel_is_refused() {
        for (x, y, width, height) in [
            (-1, 0, 1, 1),
            (0, -1, 2, 2),
            (480, 0, 1, 1),
            (479, 0, 2, 1),
            (0, 319, 1, 2),
            (1, 1, u32::MAX, 1),
            (i32::MAX, 0, u32::MAX, 1),
            (i32::MIN, i32::MIN, u32::MAX, u32::MAX),
        ] {
            let area = (x, y, width, height);
            assert_eq!(
                window(x, y, width, height),
                Err(Refusal::Outside),
                "{area:?}"
            );
        }
        assert!(window(479, 319, 1, 1).unwrap().is_some());
        assert!(window(0, 0, 480, 320).unwrap().is_some());
    }
}
