//! Dates: as ISO 8601 has them, and once the script has run as the reader's own locale has them.
//!
//! Both are whole: a weekday or the name of a month in another language than the numbers' order is neither.

use jiff::{Timestamp, civil::Date};
use maud::{Markup, html};
use pulsewing_core::reading::Reading;

use crate::tell::phrases;

/// How much of a date is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// The weekday, day, month and year.
    Long,
    /// The day, the month's short name and the year.
    Day,
    /// The weekday, day and month, with short names.
    Short,
    /// The weekday and the day, where the month is clear.
    InMonth,
    /// The weekday's short name.
    Weekday,
}

impl Form {
    /// Returns the name by which the script knows it.
    const fn name(self) -> &'static str {
        match self {
            Self::Long => "long",
            Self::Day => "day",
            Self::Short => "short",
            Self::InMonth => "in-month",
            Self::Weekday => "weekday",
        }
    }
}

/// Returns a date.
pub(super) fn day(date: Date, form: Form) -> Markup {
    html! {
        time datetime=(date) data-date=(form.name()) {
            @if form == Form::Weekday { (date.strftime("%a")) } @else { (date) }
        }
    }
}

/// Returns a month.
pub(super) fn month(date: Date) -> Markup {
    let month = date.strftime("%Y-%m").to_string();
    html! { time datetime=(month) data-date="month" { (month) } }
}

/// Returns an instant with as much of its date as is needed now: `at 13:57`, `Sun 21:20`, `2026-11-22 21:20`.
pub(super) fn at_moment(reading: &Reading, at: Timestamp, now: Timestamp) -> Markup {
    match is_of_today(reading, at, now) {
        true => html! { "at " (phrases::clock(reading, at)) },
        false => moment(reading, at, now),
    }
}

/// Returns an instant as [`at_moment`] does, for use after a word of its own.
pub(super) fn moment(reading: &Reading, at: Timestamp, now: Timestamp) -> Markup {
    let offsets = &reading.time_zone.offsets;
    let (then, today) = (offsets.local(at).date(), offsets.local(now).date());
    let form = match (today - then).get_days() {
        0 => None,
        1..=6 => Some(Form::Weekday),
        _ if today.year() == then.year() => Some(Form::Short),
        _ => Some(Form::Long),
    };
    html! {
        @if let Some(form) = form { (day(then, form)) " " }
        (phrases::clock(reading, at))
    }
}

fn is_of_today(reading: &Reading, at: Timestamp, now: Timestamp) -> bool {
    let offsets = &reading.time_zone.offsets;
    offsets.local(at).date() == offsets.local(now).date()
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use pulsewing_testkit::readings::{self, berlin};

    use super::*;

    #[test]
    fn a_moment_has_as_much_of_its_date_as_it_needs() {
        let at: Timestamp = "2026-11-22T20:20:00Z".parse().unwrap();
        let reading = readings::empty(berlin(), at);
        let told = |hours: i64| {
            let now = at + SignedDuration::from_hours(hours);
            at_moment(&reading, at, now).into_string()
        };
        assert_eq!(told(0), "at 21:20");
        let tagged = |form: &str, text: &str| {
            format!("<time datetime=\"2026-11-22\" data-date=\"{form}\">{text}</time> 21:20")
        };
        assert_eq!(told(3), tagged("weekday", "Sun"));
        assert_eq!(told(7 * 24), tagged("short", "2026-11-22"));
        assert_eq!(told(60 * 24), tagged("long", "2026-11-22"));
    }
}
