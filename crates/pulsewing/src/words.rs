//! What the page and the terminal say, in words that are the same in both.

use jiff::{SignedDuration, Timestamp, civil::Date, tz::Offset};
use pulsewing_core::{
    heart_zone::HeartZone,
    reading::{Freshness, Reading},
};

use crate::{daemon::Live, engine::Activity};

/// What a program says, as a sentence: it begins with a capital letter and ends with a dot.
pub(crate) fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    let first: String = characters
        .next()
        .map(|first| first.to_uppercase().collect())
        .unwrap_or_default();
    let end = if text.ends_with(['.', '!', '?', ')']) {
        ""
    } else {
        "."
    };
    format!("{first}{}{end}", characters.as_str())
}

/// How long ago something was, or how far ahead it is: `9 min`, `3 h 5 min`, `2 days`.
pub(crate) fn length(duration: SignedDuration) -> String {
    let minutes = duration.as_secs().unsigned_abs() / 60;
    let (days, hours, left) = (minutes / 1_440, minutes / 60, minutes % 60);
    match minutes {
        0 => "less than a minute".to_owned(),
        1..60 => format!("{minutes} min"),
        60..1_440 if left == 0 => format!("{hours} h"),
        60..1_440 => format!("{hours} h {left} min"),
        1_440..2_880 => "1 day".to_owned(),
        _ => format!("{days} days"),
    }
}

/// `9 min ago`; a time to come is `now`.
pub(crate) fn ago(at: Timestamp, now: Timestamp) -> String {
    let age = now.duration_since(at);
    if age < SignedDuration::from_mins(1) {
        "just now".to_owned()
    } else {
        format!("{} ago", length(age))
    }
}

/// `in 6 min`.
pub(crate) fn ahead(at: Timestamp, now: Timestamp) -> String {
    let wait = at.duration_since(now);
    if wait < SignedDuration::from_mins(1) {
        "within a minute".to_owned()
    } else {
        format!("in {}", length(wait))
    }
}

/// What the wearer's clock shows, to the minute.
pub(crate) fn clock(reading: &Reading, at: Timestamp) -> String {
    clock_at(at, reading.time_zone.offsets.at(at))
}

/// What a clock with this offset shows, to the minute.
pub(crate) fn clock_at(at: Timestamp, offset: Offset) -> String {
    let local = offset.to_datetime(at);
    format!("{:02}:{:02}", local.hour(), local.minute())
}

/// `Sunday 22 November 2026`.
pub(crate) fn date(date: Date) -> String {
    date.strftime("%A %-d %B %Y").to_string()
}

/// `November 2026`.
pub(crate) fn month(date: Date) -> String {
    date.strftime("%B %Y").to_string()
}

/// The name of a zone's class in the style sheet.
pub(crate) const fn class_of(zone: HeartZone) -> &'static str {
    match zone {
        HeartZone::Resting => "resting",
        HeartZone::Light => "light",
        HeartZone::Moderate => "moderate",
        HeartZone::Vigorous => "vigorous",
        HeartZone::Peak => "peak",
    }
}

/// What there is to say about how much the reading tells of the present.
pub(crate) const fn freshness(freshness: Freshness) -> &'static str {
    match freshness {
        Freshness::Fresh => "Up to date",
        Freshness::Stale => "Old: nothing newer has come from the tracker",
        Freshness::Silent => "No heart rate for 24 hours",
        Freshness::Cached => "From memory: the last update did not succeed",
    }
}

/// What the program is doing.
pub(crate) fn activity(live: &Live) -> Option<String> {
    if let Some(repair) = live.repair {
        return Some(format!(
            "Fetching missing days: {} of {}",
            repair.done + 1,
            repair.total
        ));
    }
    match live.activity {
        Activity::Waiting => None,
        Activity::Updating => Some("Updating".to_owned()),
        Activity::TokensNotStored => Some(
            "New sign-in tokens could not be stored yet; without power they are lost".to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date as day;

    use super::*;

    #[test]
    fn lengths_are_said_as_people_say_them() {
        for (seconds, words) in [
            (0, "less than a minute"),
            (59, "less than a minute"),
            (60, "1 min"),
            (3_599, "59 min"),
            (3_600, "1 h"),
            (11_100, "3 h 5 min"),
            (86_400, "1 day"),
            (3 * 86_400, "3 days"),
            (-540, "9 min"),
        ] {
            assert_eq!(length(SignedDuration::from_secs(seconds)), words);
        }
        assert_eq!(date(day(2026, 11, 2)), "Monday 2 November 2026");
    }
}
