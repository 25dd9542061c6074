//! The whole day in a strip.

use embedded_graphics::prelude::*;
use jiff::civil::Time;
use pulsewing_core::Bpm;

use super::{is_fresh, label_gap, layout::StripPlace, span, words, write_centred};
use crate::{Ink, model::Facts, scale::Scale, state::written};

/// The rates at the strip's ends, unless the day has rates beyond them. If the scale moved with
/// every poll, a picture could not be compared with the one before.
const ORDINARY: (u16, u16) = (40, 120);

/// The hours that may be labelled.
const HOURS: [i8; 8] = [0, 3, 6, 9, 12, 15, 18, 21];

pub(super) fn draw<D: DrawTarget<Color = Ink>>(
    facts: &Facts<'_>,
    place: &StripPlace,
    target: &mut D,
) -> Result<(), D::Error> {
    let scale = scale(facts);
    let (columns, rows) = (place.bars.columns(), place.bars.rows());
    target.fill_solid(&span(columns.clone(), rows.end - 1..rows.end), Ink::Faint)?;
    draw_hours(facts, place, target)?;
    for (end, rate) in place
        .ends
        .iter()
        .flat_map(|[top, bottom]| [(top, scale.high()), (bottom, scale.low())])
    {
        end.write(&written::<4>(format_args!("{rate}")), Ink::Quiet, target)?;
    }
    for x in columns.clone() {
        let Some((low, high)) = extent(facts, place, x) else {
            continue;
        };
        let row = |rate: Bpm| scale.row(rate.get(), rows.start, rows.end - 1);
        draw_bar(facts, x, row(high), row(low), place, &scale, target)?;
    }
    if facts.is_today {
        let x = column(facts.minute_now, facts, place);
        target.fill_solid(&span(x..x + 1, rows.clone()), Ink::Mid)?;
    }
    Ok(())
}

/// Returns a scale from a round rate to a round rate that contains all rates of the day.
fn scale(facts: &Facts<'_>) -> Scale {
    let rates = facts.day.iter().map(|(_, bpm)| bpm.get());
    let (low, high) = rates.fold(ORDINARY, |(low, high), rate| {
        (low.min(rate), high.max(rate))
    });
    Scale::between(low / 20 * 20, high.div_ceil(20) * 20)
}

/// Draws one column: the range from the lowest to the highest rate in the zones' colours, the area
/// below it dark.
fn draw_bar<D: DrawTarget<Color = Ink>>(
    facts: &Facts<'_>,
    x: i32,
    top: i32,
    bottom: i32,
    place: &StripPlace,
    scale: &Scale,
    target: &mut D,
) -> Result<(), D::Error> {
    let rows = place.bars.rows();
    // A single row would be hardly visible.
    let bottom = (bottom + 1).min(rows.end - 1).max(top);
    let mut from = top;
    let ink_of = |y: i32| {
        if is_fresh(facts) {
            let rate = scale.rate(y, rows.start, rows.end - 1);
            Ink::from_heart_zone(facts.heart_zones.zone(rate))
        } else {
            Ink::Quiet
        }
    };
    for y in top..=bottom {
        if y == bottom || ink_of(y + 1) != ink_of(from) {
            target.fill_solid(&span(x..x + 1, from..y + 1), ink_of(from))?;
            from = y + 1;
        }
    }
    target.fill_solid(&span(x..x + 1, bottom + 1..rows.end), Ink::Faint)
}

/// Returns the lowest and highest rate of the minutes of a column.
fn extent(facts: &Facts<'_>, place: &StripPlace, x: i32) -> Option<(Bpm, Bpm)> {
    let columns = place.bars.columns();
    let width = columns.end - columns.start;
    let minutes = i32::from(facts.day.local().minutes());
    let from = (x - columns.start) * minutes / width;
    let to = ((x + 1 - columns.start) * minutes / width).max(from + 1);
    (from..to)
        .filter_map(|minute| facts.day.get(u16::try_from(minute).ok()?))
        .fold(None, |extent, bpm| {
            let (low, high) = extent.unwrap_or((bpm, bpm));
            Some((bpm.min(low), bpm.max(high)))
        })
}

/// Returns the column of a minute of the day.
fn column(minute: u16, facts: &Facts<'_>, place: &StripPlace) -> i32 {
    let columns = place.bars.columns();
    let minutes = i32::from(facts.day.local().minutes()).max(1);
    let along = i32::from(minute) * (columns.end - columns.start) / minutes;
    (columns.start + along).min(columns.end - 1)
}

/// Draws a tick and a number for as many hours as there is room for; the date instead of the first
/// unless it is today's.
fn draw_hours<D: DrawTarget<Color = Ink>>(
    facts: &Facts<'_>,
    place: &StripPlace,
    target: &mut D,
) -> Result<(), D::Error> {
    let local = facts.day.local();
    let (columns, rows) = (place.bars.columns(), place.bars.rows());
    let letters = place.hours.letters;
    let gap = label_gap(letters);
    let is_dense = (columns.end - columns.start) / 8 > letters.width("00") + 2 * gap;
    let mut free_from = i32::MIN;
    if !facts.is_today {
        let [_, date, _] = words::date(facts.date);
        place.hours.write(&date, Ink::Warning, target)?;
        free_from = place.hours.area.columns().start + letters.width(&date) + gap;
    }
    let hours = HOURS.into_iter().filter(|hour| is_dense || hour % 6 == 0);
    for hour in hours {
        let time = Time::constant(hour, 0, 0, 0);
        // A skipped hour has no place; a repeated one has that of its first occurrence.
        let minute = local
            .minute_at(time, false)
            .or_else(|| local.minute_at(time, true));
        let Some(minute) = minute else {
            continue;
        };
        let x = column(minute, facts, place);
        target.fill_solid(&span(x..x + 1, rows.end..rows.end + 3), Ink::Mid)?;
        let text = written::<4>(format_args!("{hour}"));
        if x - letters.width(&text) / 2 >= free_from {
            write_centred(&text, x, &place.hours, Ink::Quiet, target)?;
            free_from = x + letters.width(&text) / 2 + gap;
        }
    }
    let end = columns.end - 1;
    target.fill_solid(&span(end..end + 1, rows.end..rows.end + 3), Ink::Mid)?;
    write_centred("24", end, &place.hours, Ink::Quiet, target)
}
