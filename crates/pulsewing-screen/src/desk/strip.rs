//! The last 24 hours in a strip.
//!
//! Its axis begins 24 hours before the running hour and ends with that hour, so that it moves once an hour: in
//! between, a poll adds columns and leaves the others where they are.

use core::ops::Range;

use embedded_graphics::prelude::*;
use jiff::{SignedDuration, Timestamp};
use pulsewing_core::{
    Bpm,
    day::Day,
    heart_zone::{HeartZone, HeartZones},
    instant::later,
};

use super::{is_fresh, label_gap, layout::StripPlace, span, write_centred};
use crate::{Ink, model::Facts, scale::Scale, slot::Slot, state::written};

/// The rates at the strip's ends, unless the hours have rates beyond them. If the scale moved with
/// every poll, a picture could not be compared with the one before.
const ORDINARY: (u16, u16) = (40, 120);

/// The length of the axis, in hours: a day, and the running hour.
const HOURS: i32 = 25;
const MINUTES: i32 = HOURS * 60;

/// The hours that are shaded, on the wearer's clock: from 22:00 to 06:00.
const EVENING: i8 = 22;
const MORNING: i8 = 6;

/// The axis of time, and the days on it.
struct Hours<'d> {
    start: Timestamp,
    /// The days, each with the minute of the axis at which it begins; it may be before the axis.
    days: [Option<(i32, &'d Day)>; 2],
}

impl<'d> Hours<'d> {
    /// Returns the axis at the time of drawing.
    fn of(facts: &Facts<'d>) -> Self {
        let clock = facts.offsets.local(facts.now).time();
        let into_hour = SignedDuration::from_mins(clock.minute().into())
            + SignedDuration::from_secs(clock.second().into());
        let whole = Timestamp::from_second(facts.now.as_second()).unwrap_or(facts.now);
        let back = into_hour + SignedDuration::from_hours(i64::from(HOURS - 1));
        let start = later(whole, -back).unwrap_or(Timestamp::MIN);
        let placed = |day: &'d Day| {
            let begins = day.local().start().duration_since(start).as_mins();
            (i32::try_from(begins).unwrap_or(i32::MAX / 2), day)
        };
        Self {
            start,
            days: [Some(placed(facts.day)), facts.earlier.map(placed)],
        }
    }

    /// Returns the rate of a minute of the axis, if it is known.
    fn rate(&self, minute: i32) -> Option<Bpm> {
        self.days.iter().flatten().find_map(|(begins, day)| {
            let of_day = u16::try_from(minute - begins).ok()?;
            day.get(of_day)
        })
    }

    /// Returns the lowest and highest rate of some minutes of the axis.
    fn extent(&self, minutes: Range<i32>) -> Option<(Bpm, Bpm)> {
        let rates = minutes.filter_map(|minute| self.rate(minute));
        rates.fold(None, |extent, bpm| {
            let (low, high) = extent.unwrap_or((bpm, bpm));
            Some((bpm.min(low), bpm.max(high)))
        })
    }

    fn at(&self, minute: i32) -> Timestamp {
        later(self.start, SignedDuration::from_mins(minute.into())).unwrap_or(Timestamp::MAX)
    }

    /// Returns the end of the quarter of an hour that an instant is in. The mark of the present is there, so
    /// that it does not move every few minutes.
    fn quarter(&self, at: Timestamp) -> Timestamp {
        self.at((self.minute(at) / 15 + 1) * 15)
    }

    /// Returns the column of an instant, if it is on the axis.
    fn column(&self, at: Timestamp, place: &StripPlace) -> Option<i32> {
        let minute = self.minute(at);
        (0..=MINUTES).contains(&minute).then(|| {
            let columns = place.bars.columns();
            let along = minute * (columns.end - columns.start) / MINUTES;
            (columns.start + along).min(columns.end - 1)
        })
    }

    /// Returns the minute of the axis that an instant is in; a far one if it is far away.
    fn minute(&self, at: Timestamp) -> i32 {
        let minute = at.duration_since(self.start).as_mins();
        i32::try_from(minute).unwrap_or(i32::MAX / 2)
    }

    /// Returns the minutes of a column.
    fn minutes_of(&self, x: i32, place: &StripPlace) -> Range<i32> {
        let columns = place.bars.columns();
        let width = (columns.end - columns.start).max(1);
        let along = x - columns.start;
        let from = along * MINUTES / width;
        from..((along + 1) * MINUTES / width).max(from + 1)
    }
}

pub(super) fn draw<D: DrawTarget<Color = Ink>>(
    facts: &Facts<'_>,
    place: &StripPlace,
    target: &mut D,
) -> Result<(), D::Error> {
    let hours = Hours::of(facts);
    let scale = scale(facts, &hours);
    let (columns, rows) = (place.bars.columns(), place.bars.rows());
    let row = |rate: Bpm| scale.row(rate.get(), rows.start, rows.end - 1);
    draw_night(facts, &hours, place, target)?;
    target.fill_solid(&span(columns.clone(), rows.end - 1..rows.end), Ink::Faint)?;
    draw_hours(facts, &hours, place, target)?;
    draw_rates(facts, &scale, place, target)?;
    if let Some(resting) = facts.resting.filter(|resting| is_on(&scale, *resting)) {
        let y = row(resting);
        for x in columns.clone().step_by(6) {
            target.fill_solid(&span(x..(x + 3).min(columns.end), y..y + 1), Ink::Mid)?;
        }
    }
    let inks = InksOfRows::new(facts, &scale, &rows);
    for x in columns.clone() {
        if let Some((low, high)) = hours.extent(hours.minutes_of(x, place)) {
            draw_bar(x, row(high), row(low), &rows, &inks, target)?;
        }
    }
    match hours.column(hours.quarter(facts.now), place) {
        Some(x) => target.fill_solid(&span(x..x + 1, rows.clone()), Ink::Quiet),
        None => Ok(()),
    }
}

/// Returns a scale from a round rate to a round rate that contains all rates of the hours.
fn scale(facts: &Facts<'_>, hours: &Hours<'_>) -> Scale {
    let rates = (0..MINUTES).filter_map(|minute| hours.rate(minute));
    let rates = rates.chain(facts.resting).map(Bpm::get);
    let (low, high) = rates.fold(ORDINARY, |(low, high), rate| {
        (low.min(rate), high.max(rate))
    });
    Scale::between(low / 20 * 20, high.div_ceil(20) * 20)
}

fn is_on(scale: &Scale, rate: Bpm) -> bool {
    (scale.low()..=scale.high()).contains(&rate.get())
}

/// Shades the night.
fn draw_night<D: DrawTarget<Color = Ink>>(
    facts: &Facts<'_>,
    hours: &Hours<'_>,
    place: &StripPlace,
    target: &mut D,
) -> Result<(), D::Error> {
    for half in 0..2 * HOURS {
        let at = hours.at(half * 30);
        let clock = facts.offsets.local(at).hour();
        if (MORNING..EVENING).contains(&clock) {
            continue;
        }
        let ends = hours
            .column(at, place)
            .zip(hours.column(hours.at(half * 30 + 30), place));
        if let Some((from, to)) = ends {
            // The last column belongs to the axis as well.
            let to = if half == 2 * HOURS - 1 { to + 1 } else { to };
            target.fill_solid(&span(from..to, place.bars.rows()), Ink::Faint)?;
        }
    }
    Ok(())
}

/// Writes the resting rate at its height, and the rates at both ends of the scale where that leaves room
/// for them.
fn draw_rates<D: DrawTarget<Color = Ink>>(
    facts: &Facts<'_>,
    scale: &Scale,
    place: &StripPlace,
    target: &mut D,
) -> Result<(), D::Error> {
    let Some(ends) = &place.ends else {
        return Ok(());
    };
    let [top, bottom] = ends;
    let rows = place.bars.rows();
    let resting = facts.resting.filter(|resting| is_on(scale, *resting));
    let resting = resting.map(|resting| {
        let y = scale.row(resting.get(), rows.start, rows.end - 1) - top.letters.ascent() / 2;
        let y = y.clamp(top.top(), bottom.top());
        let slot = Slot::new(top.letters, top.align, top.area.columns(), y);
        (slot, resting)
    });
    for (end, rate) in ends.iter().zip([scale.high(), scale.low()]) {
        let is_free = resting
            .is_none_or(|(slot, _)| (slot.top() - end.top()).abs() >= end.letters.ascent() * 4 / 3);
        if is_free {
            end.write(&written::<4>(format_args!("{rate}")), Ink::Quiet, target)?;
        }
    }
    match resting {
        Some((slot, rate)) => slot.write(&written::<4>(format_args!("{rate}")), Ink::Text, target),
        None => Ok(()),
    }
}

/// The inks of the rows: those of the zones whose rates are drawn there; grey unless they are current.
///
/// They are looked up once for all columns: a rate of a row is a division, which is slow on a board.
struct InksOfRows {
    is_fresh: bool,
    zones: HeartZones,
    /// For each limit the lowest row whose rate reaches it; a row above all of them if none does.
    limits: [(i32, Bpm); 5],
}

impl InksOfRows {
    fn new(facts: &Facts<'_>, scale: &Scale, rows: &Range<i32>) -> Self {
        let [light, moderate, vigorous, peak] = facts.heart_zones.limits();
        let limits = [HeartZones::LOWEST, light, moderate, vigorous, peak].map(|limit| {
            let (mut reaching, mut below) = (rows.start - 1, rows.end);
            while below - reaching > 1 {
                let y = i32::midpoint(reaching, below);
                if scale.rate(y, rows.start, rows.end - 1) >= limit {
                    reaching = y;
                } else {
                    below = y;
                }
            }
            (reaching, limit)
        });
        Self {
            is_fresh: is_fresh(facts),
            zones: facts.heart_zones,
            limits,
        }
    }

    /// Returns the row from which the zones are the cool ones: Light and Easy.
    const fn first_cool_row(&self) -> i32 {
        let [_, _, (moderate, _), ..] = self.limits;
        moderate + 1
    }

    fn of(&self, y: i32) -> Ink {
        if !self.is_fresh {
            return Ink::Quiet;
        }
        let mut reached = self.limits.iter().rev().filter(|(row, _)| y <= *row);
        let zone = match reached.next() {
            Some((_, limit)) => self.zones.zone(*limit),
            None => HeartZone::VeryLow,
        };
        Ink::from_heart_zone(zone)
    }
}

/// Draws one column: the range from the lowest to the highest rate in the zones' colours, above a dark
/// area.
fn draw_bar<D: DrawTarget<Color = Ink>>(
    x: i32,
    top: i32,
    bottom: i32,
    rows: &Range<i32>,
    inks: &InksOfRows,
    target: &mut D,
) -> Result<(), D::Error> {
    // A single row would be hardly visible.
    let bottom = (bottom + 1).min(rows.end - 1).max(top);
    let (mut from, mut ink) = (top, inks.of(top));
    for y in top + 1..=bottom {
        let next = inks.of(y);
        if next != ink {
            target.fill_solid(&span(x..x + 1, from..y), ink)?;
            (from, ink) = (y, next);
        }
    }
    target.fill_solid(&span(x..x + 1, from..bottom + 1), ink)?;
    // The area is in the colours of its heights as well: warm above, cool below.
    let cool = inks.first_cool_row().clamp(bottom + 1, rows.end);
    target.fill_solid(
        &span(x..x + 1, bottom + 1..cool),
        darker(inks.of(bottom + 1)),
    )?;
    target.fill_solid(&span(x..x + 1, cool..rows.end), darker(inks.of(cool)))
}

/// Returns the ink of the area under a line of this ink.
const fn darker(ink: Ink) -> Ink {
    match ink {
        Ink::Blue | Ink::Cyan => Ink::DimCool,
        Ink::Yellow | Ink::Orange | Ink::Pink | Ink::Warning => Ink::DimWarm,
        _ => Ink::Mid,
    }
}

/// Draws a tick and a number for as many hours as there is room for, and a line at midnight.
fn draw_hours<D: DrawTarget<Color = Ink>>(
    facts: &Facts<'_>,
    hours: &Hours<'_>,
    place: &StripPlace,
    target: &mut D,
) -> Result<(), D::Error> {
    let (columns, rows) = (place.bars.columns(), place.bars.rows());
    let letters = place.hours.letters;
    let gap = label_gap(letters);
    let is_dense = (columns.end - columns.start) / 8 > letters.width("00") + 2 * gap;
    let every = if is_dense { 3 } else { 6 };
    let mut free_from = i32::MIN;
    // By half hours: a clock that changes by thirty minutes shows its full hours there.
    for half in 0..=2 * HOURS {
        let at = hours.at(half * 30);
        let local = facts.offsets.local(at).time();
        let Some(x) = hours.column(at, place) else {
            continue;
        };
        if local.hour() % every != 0 || local.minute() != 0 {
            continue;
        }
        let is_midnight = local.hour() == 0;
        let mark = if is_midnight { rows.start } else { rows.end };
        target.fill_solid(&span(x..x + 1, mark..rows.end + 3), Ink::Mid)?;
        let text = written::<4>(format_args!("{}", local.hour()));
        if x - letters.width(&text) / 2 >= free_from {
            write_centred(&text, x, &place.hours, Ink::Quiet, target)?;
            free_from = x + letters.width(&text) / 2 + gap;
        }
    }
    Ok(())
}
