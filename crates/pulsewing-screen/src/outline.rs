//! Large type: a font of polygons, drawn at any height with smooth edges.

use core::ops::Range;

use embedded_graphics::{prelude::*, primitives::Rectangle};

use crate::{
    Ink,
    coverage::{self, Dot, Edges, PIXEL, Ramp},
    text::Align,
};

mod barlow;
mod names;

/// One character: polygons around the inked area.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Glyph {
    character: char,
    /// The distance that the pen moves.
    advance: i32,
    /// The leftmost and rightmost inked coordinates.
    inked: (i32, i32),
    contours: &'static [&'static [(i16, i16)]],
}

/// The heights below 40 pixels at which both capitals and small letters end close to a pixel's
/// edge, so that they are crisp.
const CRISP: [i32; 9] = [11, 14, 18, 22, 25, 29, 32, 36, 40];

/// The height from which digits have smoother curves, in pixels.
const LARGE: i32 = 50;

/// The distance that the pen moves for the widest digit, in the font's units.
const WIDEST_DIGIT: i32 = 2_028;

/// How far below the baseline any character reaches, in the font's units.
const LOWEST: i32 = 828;

/// How far above capitals any ASCII letter reaches, in the font's units.
const HIGHEST: i32 = 68;

/// How far above capitals the accents of names reach, in the font's units.
const HIGHEST_OF_NAMES: i32 = 1_164;

/// Barlow Semi Condensed Medium at a height. All digits have the same width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Outline {
    cap_height: i32,
    /// The letters beyond ASCII. Boards use none, so that these are not linked there.
    more: &'static [Glyph],
}

impl Outline {
    /// Creates type whose capitals and digits are exactly `cap_height` pixels high, at least 1.
    pub(crate) fn exactly(cap_height: i32) -> Self {
        Self {
            cap_height: cap_height.clamp(1, 512),
            more: &[],
        }
    }

    /// Adds the letters of all languages that are written in Latin ones, for names of people.
    pub(crate) fn with_names(self) -> Self {
        Self {
            more: &names::LETTERS,
            ..self
        }
    }

    /// Returns whether there is a letter for this character.
    pub(crate) fn has(self, character: char) -> bool {
        self.glyph(character).is_some()
    }

    /// Creates crisp type of about this height, never higher than `cap_height`.
    pub(crate) fn crisp(cap_height: i32) -> Self {
        let crisp = CRISP.into_iter().rev().find(|crisp| *crisp <= cap_height);
        let is_large = CRISP.last().is_some_and(|largest| cap_height > *largest);
        Self::exactly(crisp.filter(|_| !is_large).unwrap_or(cap_height))
    }

    /// Returns the height of capitals and digits above the baseline, in pixels.
    pub(crate) const fn ascent(self) -> i32 {
        self.cap_height
    }

    /// Returns the depth of letters such as "g" below the baseline, in pixels.
    pub(crate) const fn descent(self) -> i32 {
        (self.cap_height * LOWEST + barlow::CAP_HEIGHT - 1) / barlow::CAP_HEIGHT
    }

    /// Returns how far round, dotted and accented letters rise above capitals, in pixels. The dollar
    /// sign rises higher.
    pub(crate) const fn overshoot(self) -> i32 {
        let highest = if self.more.is_empty() {
            HIGHEST
        } else {
            HIGHEST_OF_NAMES
        };
        (self.cap_height * highest + barlow::CAP_HEIGHT - 1) / barlow::CAP_HEIGHT
    }

    /// Returns the number of columns of any digit.
    pub(crate) fn digit_width(self) -> i32 {
        self.pixels(WIDEST_DIGIT)
    }

    /// Returns the number of empty columns at the left of any digit's cell.
    pub(crate) fn digit_bearing(self) -> i32 {
        let cell = self.digit_width();
        let digits = ('0'..='9').filter_map(|digit| self.glyph(digit));
        let bearings = digits.map(|glyph| {
            let inked = self.scaled(glyph.inked.0).div_euclid(PIXEL);
            (cell - self.pixels(glyph.advance)) / 2 + inked
        });
        bearings.min().unwrap_or(0)
    }

    /// Returns the columns of a text whose pen starts at column 0: the inked ones, and the whole
    /// cells of digits, so that a number does not move when it changes.
    pub(crate) fn columns(self, text: &str) -> Range<i32> {
        let cell = self.digit_width();
        let taken = self.placed(text).filter_map(|(glyph, pen)| {
            if glyph.character.is_ascii_digit() {
                let start = pen - (cell - self.pixels(glyph.advance)) / 2;
                return Some(start..start + cell);
            }
            let pixel = |x: i32| pen + self.scaled(x).div_euclid(PIXEL);
            let (left, right) = glyph.inked;
            (left < right).then(|| pixel(left)..pixel(right) + 1)
        });
        taken
            .reduce(|all, one| all.start.min(one.start)..all.end.max(one.end))
            .unwrap_or(0..0)
    }

    /// Writes a text with its baseline at `at.y`, over [`Ink::Ground`].
    pub(crate) fn write<D: DrawTarget<Color = Ink>>(
        self,
        text: &str,
        at: Point,
        align: Align,
        ink: Ink,
        target: &mut D,
    ) -> Result<(), D::Error> {
        let start = align.pen(at.x, &self.columns(text));
        for (glyph, pen) in self.placed(text) {
            self.write_glyph(glyph, Point::new(start + pen, at.y), ink, target)?;
        }
        Ok(())
    }

    fn write_glyph<D: DrawTarget<Color = Ink>>(
        self,
        glyph: &Glyph,
        at: Point,
        ink: Ink,
        target: &mut D,
    ) -> Result<(), D::Error> {
        let dot = |(x, y): &(i16, i16)| Dot {
            x: at.x * PIXEL + self.scaled(i32::from(*x)),
            y: at.y * PIXEL - self.scaled(i32::from(*y)),
        };
        // Each corner is scaled once: that is a division.
        let mut edges = Edges::new();
        for contour in glyph.contours {
            let Some(mut from) = contour.last().map(dot) else {
                continue;
            };
            for corner in *contour {
                let to = dot(corner);
                // No glyph has more edges than there is room for; a test counts them.
                let _ = edges.push((from, to));
                from = to;
            }
        }
        let Some(area) = bounds(edges.iter().map(|(from, _)| *from)) else {
            return Ok(());
        };
        coverage::fill(&edges, area, |_| Ramp::to(ink), target)
    }

    /// Returns the characters that the font has, with the column of each one's pen. A digit is in
    /// the middle of its cell.
    fn placed(self, text: &str) -> impl Iterator<Item = (&'static Glyph, i32)> {
        let cell = self.digit_width();
        let mut pen = 0;
        let glyphs = text
            .chars()
            .filter_map(move |character| self.glyph(character));
        glyphs.map(move |glyph| {
            let width = self.pixels(glyph.advance);
            let (room, shift) = if glyph.character.is_ascii_digit() {
                (cell, (cell - width) / 2)
            } else {
                (width, 0)
            };
            let at = pen + shift;
            pen += room;
            (glyph, at)
        })
    }

    fn glyph(self, character: char) -> Option<&'static Glyph> {
        let glyphs: &[Glyph] = match character {
            '0'..='9' if self.cap_height >= LARGE => &barlow::LARGE_DIGITS,
            '\0'..='~' => &barlow::GLYPHS,
            _ => self.more,
        };
        let place = glyphs.binary_search_by_key(&character, |glyph| glyph.character);
        glyphs.get(place.ok()?)
    }

    /// Converts a length of the font to 256ths of a pixel.
    const fn scaled(self, length: i32) -> i32 {
        length * self.cap_height * (PIXEL / 4) / (barlow::CAP_HEIGHT / 4)
    }

    /// Converts a length of the font to whole pixels.
    const fn pixels(self, length: i32) -> i32 {
        (self.scaled(length) + PIXEL / 2) / PIXEL
    }
}

/// Returns the pixels that polygons with these corners may touch.
pub(crate) fn bounds(corners: impl Iterator<Item = Dot>) -> Option<Rectangle> {
    let both = corners.map(|dot| (dot, dot));
    let (least, most) = both.reduce(|(least, most), (dot, _)| {
        let least = Dot {
            x: least.x.min(dot.x),
            y: least.y.min(dot.y),
        };
        let most = Dot {
            x: most.x.max(dot.x),
            y: most.y.max(dot.y),
        };
        (least, most)
    })?;
    let pixel = |dot: Dot| Point::new(dot.x.div_euclid(PIXEL), dot.y.div_euclid(PIXEL));
    Some(Rectangle::with_corners(pixel(least), pixel(most)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_letter_is_higher_or_lower_than_the_face_says() {
        let letters = |glyphs: &'static [Glyph]| {
            let letters = glyphs
                .iter()
                .filter(|glyph| glyph.character.is_alphanumeric());
            let points = letters.flat_map(|glyph| glyph.contours);
            points.copied().flatten().map(|(_, y)| i32::from(*y))
        };
        for cap_height in 1..300 {
            let outline = Outline::exactly(cap_height);
            for (outline, glyphs) in [
                (outline, &barlow::GLYPHS[..]),
                (outline.with_names(), &names::LETTERS[..]),
            ] {
                let (highest, lowest) = (letters(glyphs).max(), letters(glyphs).min());
                let reach = (outline.ascent() + outline.overshoot()) * PIXEL;
                assert!(outline.scaled(highest.unwrap()) <= reach, "{cap_height}");
                let depth = outline.descent() * PIXEL;
                assert!(-outline.scaled(lowest.unwrap()) <= depth, "{cap_height}");
            }
        }
    }

    #[test]
    fn the_widest_digit_is_known() {
        let digits = barlow::GLYPHS.iter();
        let digits = digits.filter(|glyph| glyph.character.is_ascii_digit());
        assert_eq!(digits.map(|glyph| glyph.advance).max(), Some(WIDEST_DIGIT));
    }

    #[test]
    fn no_character_has_more_edges_than_are_filled() {
        let small = barlow::GLYPHS.iter().chain(&names::LETTERS);
        for glyph in small.chain(&barlow::LARGE_DIGITS) {
            let corners = glyph.contours.iter().copied().flatten().count();
            assert!(corners <= coverage::MOST_EDGES, "{:?}", glyph.character);
        }
    }

    #[test]
    fn the_inked_columns_are_those_of_the_corners() {
        let small = barlow::GLYPHS.iter().chain(&names::LETTERS);
        for glyph in small.chain(&barlow::LARGE_DIGITS) {
            let points = glyph.contours.iter().copied().flatten();
            let columns = points.map(|(x, _)| i32::from(*x));
            let inked = columns.clone().min().zip(columns.max());
            assert_eq!(
                inked.unwrap_or((0, 0)),
                glyph.inked,
                "{:?}",
                glyph.character
            );
        }
    }

    #[test]
    fn characters_are_in_order_so_that_they_are_found() {
        assert!(barlow::GLYPHS.is_sorted_by_key(|glyph| glyph.character));
        assert!(names::LETTERS.is_sorted_by_key(|glyph| glyph.character));
        let plain = Outline::exactly(14);
        assert!((' '..='~').all(|character| plain.has(character)));
        let with_names = plain.with_names();
        for letter in ['é', 'Ł', 'ß', 'ț', 'ÿ'] {
            assert!(!plain.has(letter) && with_names.has(letter), "{letter}");
        }
        assert!(!with_names.has('И') && !with_names.has('×'));
    }

    #[test]
    fn type_is_as_high_as_it_is_asked_for() {
        assert_eq!(Outline::exactly(104).ascent(), 104);
        assert_eq!(Outline::crisp(17).ascent(), 14);
        assert_eq!(Outline::crisp(60).ascent(), 60);
    }
}
