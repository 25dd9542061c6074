//! A month as a calendar: a cell for each day, Monday first.

use jiff::{ToSpan, civil::Date};
use maud::{Markup, html};
use pulsewing_core::heart_zone::HeartZones;
use pulsewing_history::DaySummary;

use super::{
    dates::{self, Form},
    range,
};
use crate::faces::plot::Scale;

/// Draws the month that begins with `first`.
pub(super) fn draw(
    base: &str,
    days: &[DaySummary],
    first: Date,
    today: Date,
    scale: &Scale,
    zones: &HeartZones,
) -> Markup {
    let weeks = weeks(first);
    let weekdays = weeks.iter().flatten().copied().take(7);
    html! {
        table.calendar {
            caption.hidden { "The days of the month" }
            thead { tr { @for day in weekdays { th scope="col" { (dates::day(day, Form::Weekday)) } } } }
            tbody {
                @for week in &weeks {
                    tr {
                        @for date in week {
                            @let known = days.iter().find(|day| day.date == *date && day.extent.is_some());
                            @if date.month() != first.month() { td {} }
                            @else if let Some(day) = known { (cell(base, day, today, scale, zones)) }
                            @else { td aria-current=[(*date == today).then_some("date")] { span.empty { span.number { (date.day()) } } } }
                        }
                    }
                }
            }
        }
    }
}

fn cell(base: &str, day: &DaySummary, today: Date, scale: &Scale, zones: &HeartZones) -> Markup {
    html! {
        td aria-current=[(day.date == today).then_some("date")] {
            a href=(format!("{base}/day/{}", day.date)) {
                span.number { (day.date.day()) }
                svg.range aria-hidden="true" { (range::draw(day, scale, zones, (0.0, 100.0))) }
                @if let Some(extent) = day.extent {
                    span.from-to aria-hidden="true" { (extent.min.get()) " to " (extent.max.get()) }
                }
                @if let Some(words) = range::in_words(day) { span.hidden { ": " (words) } }
            }
        }
    }
}

/// Returns the weeks that have days of a month, each from Monday to Sunday.
fn weeks(first: Date) -> Vec<[Date; 7]> {
    let back = i64::from(first.weekday().to_monday_zero_offset());
    let last = first.last_of_month();
    let mut weeks = Vec::new();
    let mut monday = first.saturating_sub(back.days());
    while monday <= last && weeks.len() < 6 {
        weeks.push([0, 1, 2, 3, 4, 5, 6].map(|day: i64| monday.saturating_add(day.days())));
        monday = monday.saturating_add(7.days());
    }
    weeks
}

#[cfg(test)]
mod tests {
    use jiff::civil::{Weekday, date};

    use super::*;

    #[test]
    fn a_month_is_in_whole_weeks_from_monday() {
        for (first, count, monday) in [
            (date(2026, 11, 1), 6, date(2026, 10, 26)),
            (date(2027, 2, 1), 4, date(2027, 2, 1)),
            (date(2026, 12, 1), 5, date(2026, 11, 30)),
        ] {
            let weeks = weeks(first);
            assert_eq!((weeks.len(), weeks[0][0]), (count, monday));
            assert!(
                weeks
                    .iter()
                    .all(|week| week[0].weekday() == Weekday::Monday)
            );
            assert!(
                weeks
                    .iter()
                    .flatten()
                    .any(|day| *day == first.last_of_month())
            );
        }
    }
}
