//! Small type: the bitmap fonts that are linked, and text aligned at an edge or in the middle.

use core::ops::Range;

use embedded_graphics::prelude::*;
use u8g2_fonts::{
    Error, Font, FontRenderer, fonts,
    types::{FontColor, VerticalPosition},
};

/// Helvetica at 11 px, capitals 8 px high.
pub(crate) static FACE_8: Face = Face::new::<fonts::u8g2_font_helvR08_tr>();
/// Helvetica at 14 px, capitals 11 px high.
pub(crate) static FACE_10: Face = Face::new::<fonts::u8g2_font_helvR10_tr>();
/// Helvetica at 17 px, capitals 12 px high.
pub(crate) static FACE_12: Face = Face::new::<fonts::u8g2_font_helvR12_tr>();
/// Helvetica at 20 px, capitals 14 px high.
pub(crate) static FACE_14: Face = Face::new::<fonts::u8g2_font_helvR14_tr>();
/// Helvetica at 25 px, capitals 19 px high.
pub(crate) static FACE_18: Face = Face::new::<fonts::u8g2_font_helvR18_tr>();
/// Helvetica at 34 px, capitals 25 px high.
pub(crate) static FACE_24: Face = Face::new::<fonts::u8g2_font_helvR24_tr>();

/// A bitmap font of printable ASCII, if nothing else is said.
#[derive(Debug)]
pub(crate) struct Face(FontRenderer);

/// The part of the text that is placed at the given column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Align {
    /// The start of the pen.
    Left,
    /// The middle of the inked columns.
    Centre,
    /// The last inked column; the given column follows it.
    Right,
}

impl Align {
    /// Returns the start of the pen, for text that inks `columns` when it starts at column 0.
    pub(crate) const fn pen(self, x: i32, columns: &Range<i32>) -> i32 {
        match self {
            Self::Left => x,
            Self::Centre => x - i32::midpoint(columns.start, columns.end),
            Self::Right => x - columns.end,
        }
    }
}

impl Face {
    const fn new<F: Font>() -> Self {
        Self(FontRenderer::new::<F>().with_ignore_unknown_chars(true))
    }

    /// Returns the height of capitals and digits above the baseline, in pixels.
    pub(crate) const fn ascent(&self) -> i32 {
        self.0.get_ascent() as i32
    }

    /// Returns the depth of letters such as "g" below the baseline, in pixels.
    pub(crate) const fn descent(&self) -> i32 {
        -(self.0.get_descent() as i32)
    }

    /// Returns the inked columns of a text whose pen starts at column 0.
    pub(crate) fn columns(&self, text: &str) -> Range<i32> {
        self.0
            .get_rendered_dimensions(text, Point::zero(), VerticalPosition::Baseline)
            .ok()
            .and_then(|dimensions| dimensions.bounding_box)
            .map_or(0..0, |inked| inked.columns())
    }

    /// Returns the number of columns of a text from the start of its pen.
    pub(crate) fn width(&self, text: &str) -> i32 {
        self.columns(text).end
    }

    /// Writes a text with its baseline at `at.y`.
    pub(crate) fn write<D: DrawTarget>(
        &self,
        text: &str,
        at: Point,
        align: Align,
        ink: D::Color,
        target: &mut D,
    ) -> Result<(), D::Error> {
        let pen = align.pen(at.x, &self.columns(text));
        let written = self.0.render(
            text,
            Point::new(pen, at.y),
            VerticalPosition::Baseline,
            FontColor::Transparent(ink),
            target,
        );
        match written {
            Err(Error::DisplayError(error)) => Err(error),
            // Characters that the font lacks are left out, and no background is requested.
            Ok(_) | Err(Error::BackgroundColorNotSupported | Error::GlyphNotFound(_)) => Ok(()),
        }
    }

    /// Breaks a text into lines of at most `width` columns, between words where possible.
    pub(crate) fn wrap<'t>(
        &'static self,
        text: &'t str,
        width: i32,
    ) -> impl Iterator<Item = &'t str> {
        wrap(text, move |line| self.width(line) <= width)
    }
}

/// Breaks a text between words into lines that fit; a word that does not fit is broken where
/// necessary.
pub(crate) fn wrap(text: &str, fits: impl Fn(&str) -> bool) -> impl Iterator<Item = &str> {
    let mut rest = text.trim_start();
    core::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let words = rest.match_indices(' ').map(|(end, _)| end);
        let ends = words.chain([rest.len()]);
        let fitting = ends.take_while(|end| rest.get(..*end).is_some_and(&fits));
        let (line, after) = match fitting.last() {
            Some(end) => rest.split_at_checked(end)?,
            None => {
                let characters = rest.char_indices().map(|(place, c)| place + c.len_utf8());
                // At least one character, otherwise this would never end.
                let fitting = characters
                    .enumerate()
                    .take_while(|(place, end)| *place == 0 || rest.get(..*end).is_some_and(&fits));
                rest.split_at_checked(fitting.last()?.1)?
            }
        };
        rest = after.trim_start();
        Some(line)
    })
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use embedded_graphics::{mock_display::MockDisplay, pixelcolor::BinaryColor};

    use super::*;

    fn written(align: Align, at: Point) -> MockDisplay<BinaryColor> {
        let mut display = MockDisplay::new();
        FACE_8
            .write("7:1", at, align, BinaryColor::On, &mut display)
            .unwrap();
        display
    }

    #[test]
    fn text_stands_where_it_is_put() {
        let left = written(Align::Left, Point::new(0, 8));
        let columns = FACE_8.columns("7:1");
        assert_eq!(left.affected_area().columns(), columns);
        let right = written(Align::Right, Point::new(30, 8));
        assert_eq!(right.affected_area().columns().end, 30);
        let centre = written(Align::Centre, Point::new(30, 8)).affected_area();
        assert!(centre.center().x.abs_diff(30) <= 1);
        assert_eq!(centre.rows().end, 8);
    }

    #[test]
    fn long_text_is_broken_between_words() {
        let text = "Not enough values for today to display yet.";
        let lines: Vec<_> = FACE_8.wrap(text, 120).collect();
        assert_eq!(lines, ["Not enough values for", "today to display yet."]);
        assert!(lines.iter().all(|line| FACE_8.width(line) <= 120));
        let lines: Vec<_> = FACE_8.wrap("a netzwerkname b", 40).collect();
        assert_eq!(lines, ["a", "netzwer", "kname b"]);
        assert_eq!(FACE_8.wrap("two", 0).count(), 3);
        assert_eq!(FACE_8.wrap("", 100).count(), 0);
    }
}
