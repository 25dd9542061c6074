//! Graphs of braille dots: x is time, gaps stay gaps.
//!
//! ```text
//! title
//! 110 ┤        the rates, one dot or more for each minute
//!  80 ┤  ⠂⠂⠂   the resting heart rate, dotted
//!     └┬──┬──▲  ticks at the times below them, and a mark at the present
//!     12:00
//! ```

use pulsewing_core::{Bpm, heart_zone::HeartZones};
use ratatui::{Frame, buffer::Buffer, layout::Rect, style::Style};

use super::{
    braille::{Cell, Dots},
    colours,
    time_axis::{ASIDE, Columns, Label, labels},
};
use crate::faces::plot::{Plot, Scale};

/// The columns to the left of the minutes: a rate of three digits, a gap and the axis.
const GUTTER: u16 = 5;

/// The lines that are not for dots: the title, the axis and the times.
const FRAME: u16 = 3;

/// The smallest area for dots.
const LEAST: (u16, u16) = (16, 4);

/// A graph.
#[derive(Debug)]
pub(super) struct Graph<'g> {
    /// The minutes.
    pub(super) plot: &'g Plot,
    /// The wordings of the title, the longest first.
    pub(super) titles: &'g [String],
    /// The limits of the zones.
    pub(super) zones: HeartZones,
    /// Whether the line has the zones' colours.
    pub(super) has_colour: bool,
    /// The resting heart rate to compare with.
    pub(super) resting: Option<Bpm>,
    /// Whether the present is marked, where the plot's past ends.
    pub(super) has_now: bool,
}

impl Graph<'_> {
    /// Draws the graph. What does not fit is left out, the dots before the title.
    pub(super) fn draw(&self, frame: &mut Frame<'_>, area: Rect) {
        let buffer = frame.buffer_mut();
        let area = area.intersection(buffer.area);
        let bold = Style::new().bold();
        put(buffer, area, 0, 0, fitting(self.titles, area.width), bold);
        if area.width < LEAST.0 || area.height < LEAST.1 {
            return;
        }
        let columns = Columns {
            // The last label reaches beyond the axis.
            count: area.width - GUTTER - ASIDE,
            minutes: self.plot.length(),
        };
        let rows = area.height - FRAME;
        let scale = self.scale();
        let dots = self.dots(columns, rows, &scale);
        let faint = Style::new().dim();
        draw_rates(buffer, area, rows, &scale);
        self.draw_times(buffer, area, columns);
        let resting = self
            .resting
            .map(|bpm| dot_row(&scale, rows, bpm.get().into()));
        let midnights = self.midnights(columns);
        for (column, row, cell) in dots.cells() {
            let (x, y) = (GUTTER + column, 1 + row);
            let drawn = match resting {
                _ if !cell.is_empty() => {
                    let zone = cell.zone().filter(|_| self.has_colour);
                    let ink =
                        zone.map_or_else(Style::new, |zone| Style::new().fg(colours::of(zone)));
                    put(
                        buffer,
                        area,
                        x,
                        y,
                        cell.character().encode_utf8(&mut [0; 4]),
                        ink,
                    );
                    continue;
                }
                _ if midnights.contains(&column) => '┊',
                Some(dot) if dot / 4 == row => Cell::dotted(dot).character(),
                _ => continue,
            };
            put(buffer, area, x, y, drawn.encode_utf8(&mut [0; 4]), faint);
        }
    }

    /// Returns a scale with room for every value and for the resting heart rate.
    fn scale(&self) -> Scale {
        match (self.plot.extent(), self.resting) {
            (Some(extent), Some(resting)) => {
                Scale::covering(extent.min.min(resting).get(), extent.max.max(resting).get())
            }
            _ => self.plot.scale(),
        }
    }

    /// Draws the rates: lines from minute to minute, and nothing where minutes are missing.
    fn dots(&self, columns: Columns, rows: u16, scale: &Scale) -> Dots {
        let mut dots = Dots::new(columns.count, rows);
        let mut light = |x: i32, bpm: f64| {
            let zone = self.zones.zone(rounded(bpm));
            if let Ok(x) = u16::try_from(x) {
                dots.light(x, dot_row(scale, rows, bpm), zone);
            }
        };
        for run in self.plot.runs() {
            let mut from = None;
            for (minute, bpm) in run {
                let to = (i32::from(columns.dot(minute)), bpm);
                let (x, before) = from.replace(to).unwrap_or(to);
                let rise =
                    dot_row(scale, rows, before.into()).abs_diff(dot_row(scale, rows, bpm.into()));
                let steps = (to.0 - x).max(i32::from(rise)).max(1);
                for step in 0..=steps {
                    let share = f64::from(step) / f64::from(steps);
                    let rate = f64::from(before) + (f64::from(bpm) - f64::from(before)) * share;
                    light(x + (to.0 - x) * step / steps, rate);
                }
            }
        }
        dots
    }

    /// Draws the axis of time, with a tick for each label, and the labels.
    fn draw_times(&self, buffer: &mut Buffer, area: Rect, columns: Columns) {
        let faint = Style::new().dim();
        let (axis, below) = (area.height - 2, area.height - 1);
        let now = (self.has_now && self.plot.past < self.plot.length())
            .then(|| columns.of(self.plot.past));
        put(buffer, area, GUTTER - 1, axis, "└", faint);
        for column in 0..columns.count {
            // What is yet to come is dotted.
            let line = if now.is_some_and(|now| column > now) {
                "╌"
            } else {
                "─"
            };
            put(buffer, area, GUTTER + column, axis, line, faint);
        }
        for Label { column, text, .. } in labels(self.plot, columns.count) {
            put(buffer, area, GUTTER + column, axis, "┬", faint);
            if now.is_none_or(|now| now.abs_diff(column) > NOW.1 + ASIDE + 1) {
                put(buffer, area, GUTTER + column - ASIDE, below, &text, faint);
            }
        }
        if let Some(now) = now {
            let bold = Style::new().bold();
            put(buffer, area, GUTTER + now, axis, "▲", bold);
            put(buffer, area, GUTTER + now - NOW.1, below, NOW.0, bold);
        }
    }

    /// Returns the columns in which a day begins, except the first of the plot.
    fn midnights(&self, columns: Columns) -> Vec<u16> {
        let date = |minute| {
            let (at, offset) = self.plot.time(minute);
            offset.to_datetime(at).date()
        };
        (1..self.plot.length())
            .filter(|minute| date(*minute) != date(minute - 1))
            .map(|minute| columns.of(minute))
            .collect()
    }
}

/// The word at the mark of the present, and the columns that it takes on either side of it.
const NOW: (&str, u16) = ("now", 1);

/// Draws the axis of rates, with a tick at each line of the scale for which there is room.
fn draw_rates(buffer: &mut Buffer, area: Rect, rows: u16, scale: &Scale) {
    let faint = Style::new().dim();
    for row in 0..rows {
        put(buffer, area, GUTTER - 1, 1 + row, "│", faint);
    }
    let row = |rate: u16| dot_row(scale, rows, rate.into()) / 4;
    let lines = &scale.lines;
    let are_apart = |pair: &[u16]| match pair {
        [lower, upper] => row(*lower) >= row(*upper) + 2,
        _ => true,
    };
    let told: Vec<u16> = if lines.windows(2).all(are_apart) {
        lines.clone()
    } else {
        let ends = [lines.first(), lines.last()];
        ends.into_iter().flatten().copied().collect()
    };
    for rate in told {
        put(buffer, area, 0, 1 + row(rate), &format!("{rate:>3}"), faint);
        put(buffer, area, GUTTER - 1, 1 + row(rate), "┤", faint);
    }
}

/// Returns the row of dots of a rate, from the top.
fn dot_row(scale: &Scale, rows: u16, rate: f64) -> u16 {
    let span = f64::from(scale.high.saturating_sub(scale.low).max(1));
    let part = ((f64::from(scale.high) - rate) / span).clamp(0.0, 1.0);
    (part * f64::from((rows * 4).saturating_sub(1))).round() as u16
}

/// Returns the nearest rate.
fn rounded(rate: f64) -> Bpm {
    Bpm::new(rate.round() as u16).unwrap_or(HeartZones::LOWEST)
}

/// Returns the longest of the wordings that fits, or else the shortest.
pub(super) fn fitting<S: AsRef<str>>(wordings: &[S], width: u16) -> &str {
    let fits = |text: &&S| text.as_ref().chars().count() <= usize::from(width);
    let fitting = wordings.iter().find(fits).or_else(|| wordings.last());
    fitting.map_or("", AsRef::as_ref)
}

/// Writes text, and leaves out what is outside of the area.
fn put(buffer: &mut Buffer, area: Rect, x: u16, y: u16, text: &str, style: Style) {
    if y >= area.height {
        return;
    }
    for (x, character) in (x..area.width).zip(text.chars()) {
        if let Some(cell) = buffer.cell_mut((area.x + x, area.y + y)) {
            cell.set_char(character).set_style(style);
        }
    }
}
