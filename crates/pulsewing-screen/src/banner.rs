//! A notice at the bottom of the last picture, which stays visible.
//!
//! The title is on the left, the reason and the advice beside it; tiny panels show only a title.

use core::ops::Range;

use embedded_graphics::{prelude::*, primitives::Rectangle};

use crate::{
    Ink, State,
    proportions::Proportions,
    slot::{Family, Letters, Slot},
    state::Notice,
    text::Align,
};

/// Both sentences of a notice; they always fit.
type Text = heapless::String<400>;

/// The number of lines beside, or under, the title.
const LINES: i32 = 2;

/// The measures of a banner.
struct Measures {
    family: Family,
    /// The height of the title's capitals, if there is enough width.
    title: i32,
    body: Letters,
    margin: i32,
    place: Place,
}

/// The place of the sentences.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Beside,
    /// On panels that are higher than wide.
    Below,
    Nowhere,
}

impl Measures {
    fn new(size: Size, family: Family) -> Self {
        let picture = Proportions::new(size);
        Self {
            family,
            title: picture.scaled(18, 8),
            body: family.letters(picture.scaled(11, 8)),
            margin: picture.scaled(12, 3),
            place: match picture.percent {
                ..45 => Place::Nowhere,
                _ if picture.width < picture.height => Place::Below,
                _ => Place::Beside,
            },
        }
    }

    /// Returns the thickness of the bar on the left.
    fn bar(&self) -> i32 {
        (self.margin / 3).max(1)
    }

    /// Returns the side of the icon.
    fn icon(&self) -> i32 {
        self.family.letters(self.title).ascent() * 5 / 4
    }

    /// Returns the distance between the body's lines.
    const fn pitch(&self) -> i32 {
        self.body.height() + self.body.ascent() / 4
    }

    /// Returns type in which the whole text fits: the usual one if there is room.
    fn letters(&self, text: &str, width: i32) -> Letters {
        match self.body.wrap(text, width).map(|_| 1).sum::<i32>() {
            ..=LINES => self.body,
            _ => self.family.letters(8),
        }
    }

    /// Returns whether the sentences fit in lines of this width.
    fn have_room(&self, notice: &Notice<'_>, width: i32) -> bool {
        match notice.command {
            Some(command) => self.body.width(command) <= width,
            None if self.has_a_line_each(notice, width) => true,
            None => {
                let body = sentences(notice);
                let letters = self.letters(&body, width);
                letters.wrap(&body, width).map(|_| 1).sum::<i32>() <= LINES
            }
        }
    }

    /// Returns whether the reason and the advice fit in a line each.
    fn has_a_line_each(&self, notice: &Notice<'_>, width: i32) -> bool {
        let widths = [&notice.why, &notice.advice].map(|text| self.body.width(text));
        widths.into_iter().all(|needed| needed <= width)
    }

    fn height(&self) -> i32 {
        let title = self.family.letters(self.title).height();
        let body = LINES * self.pitch();
        let text = match self.place {
            Place::Beside => title.max(body),
            Place::Below => title + body,
            Place::Nowhere => title,
        };
        text + self.margin + self.margin / 3
    }
}

impl State<'_> {
    /// Returns whether the whole text fits in the banner of a picture of this size, if such a
    /// banner is more than a title.
    #[must_use]
    pub fn fits_a_banner(self, size: Size) -> bool {
        let notice = Notice::from_state(self);
        let families = [Family::Barlow, Family::Helvetica];
        families
            .into_iter()
            .all(|family| is_read_to_its_end(&notice, size, family))
    }
}

fn is_read_to_its_end(notice: &Notice<'_>, size: Size, family: Family) -> bool {
    let measures = Measures::new(size, family);
    let (_, _, columns, _) = places(notice, &measures, area(size, family));
    measures.have_room(notice, columns.end - columns.start)
}

/// Returns whether the banner of a picture of this size has room for more than a title.
pub(crate) fn has_room_for_advice(size: Size) -> bool {
    Measures::new(size, Family::Barlow).place != Place::Nowhere
}

/// Returns the banner's place in a picture of this size.
pub(crate) fn area(size: Size, family: Family) -> Rectangle {
    let height = Proportions::new(size).height;
    let banner = Measures::new(size, family).height().min(height);
    Rectangle::new(
        Point::new(0, height - banner),
        Size::new(size.width, banner.cast_unsigned()),
    )
}

/// Draws a notice into the [`area`] of a picture whose size is the target's.
pub(crate) fn draw<D: DrawTarget<Color = Ink>>(
    notice: &Notice<'_>,
    family: Family,
    target: &mut D,
) -> Result<(), D::Error> {
    let size = target.bounding_box().size;
    let (area, measures) = (area(size, family), Measures::new(size, family));
    target.fill_solid(&area, Ink::Ground)?;
    target.fill_solid(
        &Rectangle::new(area.top_left, Size::new(area.size.width, 1)),
        Ink::Faint,
    )?;
    target.fill_solid(
        &Rectangle::new(
            area.top_left,
            Size::new(measures.bar().cast_unsigned(), area.size.height),
        ),
        notice.ink,
    )?;

    let (icon, title, columns, top) = places(notice, &measures, area);
    notice.icon.draw(icon, notice.ink, target)?;
    title.write(&notice.title, notice.ink, target)?;
    if measures.place == Place::Nowhere {
        return Ok(());
    }
    draw_body(notice, &measures, columns, top, target)
}

/// The place of the icon and the title, the columns of the sentences and their first row.
type Places = (Rectangle, Slot, Range<i32>, i32);

/// Returns the places with an icon; without one if the words need its room.
fn places(notice: &Notice<'_>, measures: &Measures, area: Rectangle) -> Places {
    let places = places_beside(measures.icon(), notice, measures, area);
    let (_, _, columns, _) = &places;
    let is_title_alone = measures.place == Place::Nowhere;
    if is_title_alone || measures.have_room(notice, columns.end - columns.start) {
        places
    } else {
        places_beside(0, notice, measures, area)
    }
}

fn places_beside(side: i32, notice: &Notice<'_>, measures: &Measures, area: Rectangle) -> Places {
    let left = measures.margin + measures.bar();
    let top = area.rows().start + measures.margin * 2 / 3;
    let icon = Rectangle::new(
        Point::new(left, top - side / 10),
        Size::new_equal(side.max(0).cast_unsigned()),
    );
    let columns = left + side + side / 3..area.columns().end - measures.margin;
    let room = match measures.place {
        Place::Beside => (columns.end - columns.start) * 2 / 5,
        Place::Below | Place::Nowhere => columns.end - columns.start,
    };
    let letters = measures.family.fitting(&notice.title, measures.title, room);
    let title = Slot::new(letters, Align::Left, columns.clone(), top);
    match measures.place {
        Place::Beside => {
            let left = columns.start + letters.width(&notice.title) + measures.margin * 4 / 3;
            (icon, title, left..columns.end, top)
        }
        Place::Below | Place::Nowhere => {
            let top = title.bottom() + measures.body.ascent() / 4;
            (icon, title, left..columns.end, top)
        }
    }
}

/// Returns the reason and the advice.
fn sentences(notice: &Notice<'_>) -> Text {
    let mut both = Text::new();
    for text in [notice.why.as_str(), " ", notice.advice.as_str()] {
        let _ = both.push_str(text);
    }
    both
}

fn draw_body<D: DrawTarget<Color = Ink>>(
    notice: &Notice<'_>,
    measures: &Measures,
    columns: Range<i32>,
    top: i32,
    target: &mut D,
) -> Result<(), D::Error> {
    let slot = |columns: Range<i32>, line: i32| {
        let top = top + line * measures.pitch();
        Slot::new(measures.body, Align::Left, columns, top)
    };
    if let Some(command) = notice.command {
        // A command is useful only if it is complete, so it has a line of its own.
        let with_address = notice.clone().without_a_code().advice;
        slot(columns.clone(), 0).write_one_of(
            &[&with_address, &notice.advice, "Type on the computer:"],
            Ink::Quiet,
            target,
        )?;
        return slot(columns, 1).write(command, Ink::Text, target);
    }
    let width = columns.end - columns.start;
    if measures.has_a_line_each(notice, width) {
        slot(columns.clone(), 0).write(&notice.why, Ink::Text, target)?;
        return slot(columns, 1).write(&notice.advice, Ink::Quiet, target);
    }
    let body = sentences(notice);
    let letters = measures.letters(&body, width);
    for (line, text) in (0..LINES).zip(letters.wrap(&body, width)) {
        let top = top + line * measures.pitch();
        Slot::new(letters, Align::Left, columns.clone(), top).write(text, Ink::Text, target)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::vec;

    use super::*;
    use crate::Frame;

    #[test]
    fn every_banner_is_read_to_its_end_at_the_usual_sizes() {
        let states = crate::state::examples().map(Notice::from_state);
        let notices = states.into_iter().chain(crate::state::of_every_freshness());
        for notice in notices {
            for (width, height) in [(480, 320), (320, 240), (800, 480), (1_024, 600)] {
                let size = Size::new(width, height);
                for family in [Family::Barlow, Family::Helvetica] {
                    let is_read = is_read_to_its_end(&notice, size, family);
                    assert!(is_read, "{size}: {family:?}: {notice:?}");
                }
            }
        }
    }

    #[test]
    fn a_banner_stays_in_its_area() {
        let size = Size::new(240, 200);
        let mut frame = Frame::new(size, vec![0; 120 * 200]).unwrap();
        let notice = Notice::from_state(State::TokensNotStored);
        draw(&notice, Family::Barlow, &mut frame).unwrap();
        for (at, ink) in frame.bounding_box().points().zip(frame.pixels()) {
            assert!(
                ink == Ink::Ground || area(size, Family::Barlow).contains(at),
                "{at}"
            );
        }
    }
}
