//! Places for text: text never leaves its place.

use core::ops::Range;

use embedded_graphics::{geometry::AnchorY, prelude::*, primitives::Rectangle};

use crate::{
    Ink,
    outline::Outline,
    text::{Align, FACE_8, FACE_10, FACE_12, FACE_14, FACE_18, Face, wrap},
};

/// A type family. All words of a picture are in one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    /// Barlow, of polygons with smooth edges.
    Barlow,
    /// Helvetica, of pixels: the classic theme's.
    Helvetica,
}

impl Family {
    /// Returns letters whose capitals are at most `cap_height` pixels high, but not lower than 8.
    pub(crate) fn letters(self, cap_height: i32) -> Letters {
        match self {
            Self::Barlow => Letters::Polygons(Outline::crisp(cap_height.max(LEAST))),
            Self::Helvetica => Letters::Pixels(match cap_height {
                ..11 => &FACE_8,
                11 => &FACE_10,
                12..14 => &FACE_12,
                14..18 => &FACE_14,
                18.. => &FACE_18,
            }),
        }
    }

    /// Returns the largest letters, at most `cap_height` pixels high, in which a text fits in `width`
    /// columns.
    pub(crate) fn fitting(self, text: &str, cap_height: i32, width: i32) -> Letters {
        let heights = (LEAST..=cap_height.max(LEAST)).rev();
        let mut letters = heights.map(|cap_height| self.letters(cap_height));
        let fitting = letters.find(|letters| letters.width(text) <= width);
        fitting.unwrap_or_else(|| self.letters(LEAST))
    }
}

/// The height of the lowest capitals that can be read, in pixels.
const LEAST: i32 = 8;

/// Letters of a height.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Letters {
    Pixels(&'static Face),
    Polygons(Outline),
}

impl Letters {
    /// Returns the type of the pictures that are not the original's.
    pub(crate) fn of(cap_height: i32) -> Self {
        Family::Barlow.letters(cap_height)
    }

    pub(crate) const fn ascent(self) -> i32 {
        match self {
            Self::Pixels(face) => face.ascent(),
            Self::Polygons(outline) => outline.ascent(),
        }
    }

    pub(crate) const fn descent(self) -> i32 {
        match self {
            Self::Pixels(face) => face.descent(),
            Self::Polygons(outline) => outline.descent(),
        }
    }

    /// Returns how far some letters rise above capitals.
    pub(crate) const fn overshoot(self) -> i32 {
        match self {
            // Brackets and accents.
            Self::Pixels(face) => 1 + face.ascent() / 12,
            Self::Polygons(outline) => outline.overshoot(),
        }
    }

    /// Returns the height from the top of capitals to the bottom of letters such as "g".
    pub(crate) const fn height(self) -> i32 {
        self.ascent() + self.descent()
    }

    pub(crate) fn columns(self, text: &str) -> Range<i32> {
        match self {
            Self::Pixels(face) => face.columns(text),
            Self::Polygons(outline) => outline.columns(text),
        }
    }

    /// Returns the number of columns of a text.
    pub(crate) fn width(self, text: &str) -> i32 {
        let columns = self.columns(text);
        columns.end - columns.start.min(0)
    }

    /// Returns the longest beginning of a text that fits in `width` columns.
    pub(crate) fn cut(self, text: &str, width: i32) -> &str {
        let shorter = text.char_indices().rev().map(|(end, _)| end);
        core::iter::once(text.len())
            .chain(shorter)
            .filter_map(|end| text.get(..end))
            .find(|head| self.width(head) <= width)
            .unwrap_or("")
    }

    /// Breaks a text between words into lines of at most `width` columns: as few as possible, and
    /// of about the same length, so that the last line is not a single word.
    pub(crate) fn wrap(self, text: &str, width: i32) -> impl Iterator<Item = &str> {
        let width = self.balanced(text, width);
        wrap(text, move |line| self.width(line) <= width)
    }

    /// Returns a width, at most `most`, at which a text has no more lines than at `most`.
    fn balanced(self, text: &str, most: i32) -> i32 {
        let whole = self.width(text);
        if whole <= most {
            return most;
        }
        let lines = |width: i32| {
            let lines = wrap(text, move |line| self.width(line) <= width);
            lines.map(|_| 1).sum::<i32>()
        };
        let fewest = lines(most);
        let step = usize::try_from(self.ascent()).unwrap_or(1).max(1);
        let mut widths = (whole / fewest.max(1)..most).step_by(step);
        widths.find(|width| lines(*width) <= fewest).unwrap_or(most)
    }
}

/// A place for one line of text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slot {
    pub(crate) area: Rectangle,
    pub(crate) letters: Letters,
    pub(crate) align: Align,
}

impl Slot {
    /// Creates a place from column `left` to before `right`, as high as the letters, whose capitals
    /// begin at the row `top`.
    pub(crate) fn new(letters: Letters, align: Align, columns: Range<i32>, top: i32) -> Self {
        let size = Size::new(
            (columns.end - columns.start).max(0).cast_unsigned(),
            (letters.overshoot() + letters.height())
                .max(0)
                .cast_unsigned(),
        );
        let top = top - letters.overshoot();
        Self {
            area: Rectangle::new(Point::new(columns.start, top), size),
            letters,
            align,
        }
    }

    /// Creates a place for numbers, or for words without descenders.
    pub(crate) fn flat(letters: Letters, align: Align, columns: Range<i32>, top: i32) -> Self {
        let slot = Self::new(letters, align, columns, top);
        let height = letters.ascent() + 2 * letters.overshoot();
        Self {
            area: slot
                .area
                .resized_height(height.cast_unsigned(), AnchorY::Top),
            ..slot
        }
    }

    /// Returns the row in which capitals begin.
    pub(crate) const fn top(&self) -> i32 {
        self.area.top_left.y + self.letters.overshoot()
    }

    /// Returns the row after the last.
    pub(crate) fn bottom(&self) -> i32 {
        self.area.rows().end
    }

    /// Returns the row that capitals stand on.
    pub(crate) const fn baseline(&self) -> i32 {
        self.top() + self.letters.ascent()
    }

    /// Returns the square of an icon before a text at the right, as high as capitals. It has no size if
    /// there is no room for it.
    pub(crate) fn before(&self, text: &str) -> Rectangle {
        let side = self.letters.ascent();
        let left = self.area.columns().end - self.letters.width(text) - side * 3 / 2;
        let has_room = left >= self.area.columns().start;
        let side = if has_room { side.cast_unsigned() } else { 0 };
        Rectangle::new(Point::new(left, self.top()), Size::new_equal(side))
    }

    /// Returns whether a text fits.
    pub(crate) fn fits(&self, text: &str) -> bool {
        self.letters.width(text) <= self.area.size.width.cast_signed()
    }

    /// Writes a text, cut at its end if it does not fit.
    pub(crate) fn write<D: DrawTarget<Color = Ink>>(
        &self,
        text: &str,
        ink: Ink,
        target: &mut D,
    ) -> Result<(), D::Error> {
        let text = self.letters.cut(text, self.area.size.width.cast_signed());
        let columns = self.letters.columns(text);
        let (left, right) = (self.area.columns().start, self.area.columns().end);
        let x = match self.align {
            Align::Left => left - columns.start.min(0),
            Align::Centre => i32::midpoint(left, right),
            Align::Right => right,
        };
        let at = Point::new(x, self.baseline());
        match self.letters {
            Letters::Pixels(face) => face.write(text, at, self.align, ink, target),
            Letters::Polygons(outline) => {
                // Brackets and the like rise above all letters.
                if text.contains(|c: char| !c.is_alphanumeric() && c.is_ascii_graphic()) {
                    let target = &mut target.clipped(&self.area);
                    return outline.write(text, at, self.align, ink, target);
                }
                outline.write(text, at, self.align, ink, target)
            }
        }
    }

    /// Writes a text in smaller letters if it does not fit in these, on the same baseline.
    pub(crate) fn write_smaller<D: DrawTarget<Color = Ink>>(
        &self,
        text: &str,
        ink: Ink,
        target: &mut D,
    ) -> Result<(), D::Error> {
        let columns = self.area.columns();
        let height = self.letters.ascent();
        let letters = Family::Barlow.fitting(text, height, columns.end - columns.start);
        let top = self.top() + height - letters.ascent();
        Self::new(letters, self.align, columns, top).write(text, ink, target)
    }

    /// Writes the first of several wordings that fits, otherwise the last, cut.
    pub(crate) fn write_one_of<D: DrawTarget<Color = Ink>>(
        &self,
        wordings: &[&str],
        ink: Ink,
        target: &mut D,
    ) -> Result<(), D::Error> {
        let fitting = wordings.iter().find(|wording| self.fits(wording));
        match fitting.or_else(|| wordings.last()) {
            Some(wording) => self.write(wording, ink, target),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::vec;

    use proptest::prelude::*;

    use super::*;
    use crate::Frame;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn text_stays_inside_its_place(
            text in "[ -~]{0,40}", cap_height in 1_i32..120, align in prop::sample::select(vec![
                Align::Left, Align::Centre, Align::Right,
            ]),
            left in 0_i32..200, width in 0_i32..300,
            family in prop::sample::select(vec![Family::Barlow, Family::Helvetica]),
        ) {
            let letters = family.letters(cap_height);
            let slot = Slot::new(letters, align, left..left + width, 40);
            let size = Size::new(520, 240);
            let mut frame = Frame::new(size, vec![0; 260 * 240]).unwrap();
            slot.write(&text, Ink::Text, &mut frame).unwrap();
            for (at, ink) in frame.bounding_box().points().zip(frame.pixels()) {
                prop_assert!(ink == Ink::Ground || slot.area.contains(at), "{at} of {:?}", slot.area);
            }
        }
    }

    #[test]
    fn digits_stay_inside_the_place_of_a_number() {
        for cap_height in 8..60 {
            let slot = Slot::flat(Letters::of(cap_height), Align::Right, 0..200, 8);
            let size = Size::new(240, 100);
            let mut frame = Frame::new(size, vec![0; 120 * 100]).unwrap();
            slot.write("0123456789", Ink::Text, &mut frame).unwrap();
            for (at, ink) in frame.bounding_box().points().zip(frame.pixels()) {
                assert!(
                    ink == Ink::Ground || slot.area.contains(at),
                    "{at} of {:?}",
                    slot.area
                );
            }
        }
    }

    #[test]
    fn a_number_stays_where_it_is_when_a_digit_changes() {
        let letters = Letters::of(104);
        let places = ["71", "88", "10", "64"].map(|number| letters.columns(number));
        assert!(
            places.iter().all(|columns| *columns == places[0]),
            "{places:?}"
        );
    }

    #[test]
    fn no_word_stands_alone_in_the_last_line() {
        let letters = Letters::of(14);
        let text = "These values are from memory. Trying again by itself.";
        let lines: vec::Vec<_> = letters.wrap(text, letters.width(text) - 1).collect();
        assert_eq!(
            lines,
            ["These values are from memory.", "Trying again by itself."]
        );
        let lines = letters.wrap(text, letters.width(text)).map(|_| 1);
        assert_eq!(lines.sum::<i32>(), 1);
    }

    #[test]
    fn what_has_no_room_is_cut_or_put_shorter() {
        let letters = Letters::of(25);
        let whole = letters.width("Sunday");
        assert_eq!(letters.cut("Sunday", whole), "Sunday");
        assert_eq!(letters.cut("Sunday", whole - 1), "Sunda");
        assert_eq!(letters.cut("Sunday", 0), "");
    }
}
