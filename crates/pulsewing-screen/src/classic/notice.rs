//! The original's screen after midnight: there are too few readings to draw.

use core::fmt::Write as _;

use embedded_graphics::{prelude::*, primitives::Rectangle};
use pulsewing_core::{day::WINDOW_LEN, reading::Freshness};

use super::{Layout, Line64, clock, written};
use crate::{
    Ink,
    model::Facts,
    text::{Align, Face},
};

/// The original's text.
const WAITING: &str = "Waiting for latest sync...";

/// The height below which a wallpaper is not worth showing.
const LEAST_SKY: i32 = 48;

/// The text, a paragraph each.
pub(super) struct Text<'l> {
    layout: &'l Layout,
    title: &'static str,
    title_ink: Ink,
    why: &'static str,
    count: Line64,
}

impl<'l> Text<'l> {
    pub(super) fn new(facts: &Facts<'_>, logged: u16, layout: &'l Layout) -> Self {
        // A failure must not be shown as "no values yet".
        let (title, title_ink, why) = match (facts.freshness, facts.is_today) {
            (Freshness::Cached, _) => (
                "Last update failed",
                Ink::Warning,
                "The values known so far are too few to display.",
            ),
            (_, true) => (
                WAITING,
                Ink::Text,
                "Not enough values for today to display yet.",
            ),
            (_, false) => (
                WAITING,
                Ink::Text,
                "Not enough values for that day to display.",
            ),
        };
        let mut count = match logged {
            0 => written(format_args!("No minutes so far")),
            _ => written(format_args!("{logged} of {WINDOW_LEN} minutes so far")),
        };
        if let Some(newest) = facts.newest {
            // Text that does not fit is left out; the count is enough without it.
            let _ = write!(count, ", the latest at {}", clock(newest.time()));
            if newest.date() != facts.date {
                let _ = write!(count, " on {}", newest.date());
            }
        }
        Self {
            layout,
            title,
            title_ink,
            why,
            count,
        }
    }

    /// Returns the lines, and the space above each.
    fn lines(&self) -> impl Iterator<Item = (&'static Face, &str, Ink, i32)> {
        let layout = self.layout;
        let width = layout.size().width.cast_signed() - 2 * layout.margin;
        let paragraphs = [
            (layout.face, self.title, self.title_ink),
            (layout.small, self.why, Ink::Text),
            (layout.small, self.count.as_str(), Ink::Quiet),
        ];
        paragraphs.into_iter().flat_map(move |(face, text, ink)| {
            let lines = face.wrap(text, width).enumerate();
            lines.map(move |(number, line)| {
                let space = match number {
                    0 => face.ascent() * 3 / 4,
                    _ => 0,
                };
                (face, line, ink, space)
            })
        })
    }

    fn height(&self) -> i32 {
        self.lines()
            .map(|(face, _, _, space)| space + face.ascent() + face.descent())
            .sum()
    }

    /// Returns the row under the head.
    fn head(&self) -> i32 {
        self.layout.age_row.max(self.layout.status_row)
    }

    /// Returns the first row if nothing else is there.
    pub(super) fn top_in_the_middle(&self) -> i32 {
        let room = self.layout.size().height.cast_signed() - self.head();
        // A little above the middle, which looks centred.
        self.head() + (room - self.height()).max(0) * 2 / 5
    }

    /// Returns the room for a wallpaper between the head and the text, if there is enough.
    pub(super) fn sky(&self) -> Option<Rectangle> {
        let layout = self.layout;
        let size = layout.size();
        let top = self.head() + layout.margin;
        let height = size.height.cast_signed() - layout.margin - self.height() - top;
        let is_enough = height >= LEAST_SKY.max(size.height.cast_signed() / 3);
        let size = Size::new(size.width, height.max(0).cast_unsigned());
        is_enough.then(|| Rectangle::new(Point::new(0, top), size))
    }

    /// Draws as many of the lines as fit.
    pub(super) fn draw<D: DrawTarget<Color = Ink>>(
        &self,
        top: i32,
        target: &mut D,
    ) -> Result<(), D::Error> {
        let size = self.layout.size();
        let middle = size.width.cast_signed() / 2;
        let mut y = top;
        for (face, line, ink, space) in self.lines() {
            y += space + face.ascent();
            if y + face.descent() > size.height.cast_signed() {
                break;
            }
            face.write(line, Point::new(middle, y), Align::Centre, ink, target)?;
            y += face.descent();
        }
        Ok(())
    }
}
