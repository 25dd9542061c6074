//! Ages, times, dates and rates in words, the same in all outputs.

use jiff::{SignedDuration, Timestamp, civil::Date, tz::Offset};
use pulsewing_core::{
    civil::Offsets,
    reading::{Absence, Freshness, Reading},
};

/// The number of days for which the weekday replaces the date.
const BY_WEEKDAY: i32 = 6;

/// Turns a message into a sentence: a capital letter at the beginning, a full stop at the end.
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

/// Formats a duration: `9 min`, `3 h 5 min`, `2 days`.
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

/// Formats an age: `9 min ago`. A future time is `now`.
pub(crate) fn ago(at: Timestamp, now: Timestamp) -> String {
    let age = now.duration_since(at);
    if age < SignedDuration::from_mins(1) {
        "just now".to_owned()
    } else {
        format!("{} ago", length(age))
    }
}

/// Formats a future time: `in 6 min`. A time that has long passed is `overdue`.
pub(crate) fn ahead(at: Timestamp, now: Timestamp) -> String {
    let wait = at.duration_since(now);
    if wait < -SignedDuration::from_mins(2) {
        "overdue".to_owned()
    } else if wait < SignedDuration::from_mins(1) {
        "within a minute".to_owned()
    } else {
        format!("in {}", length(wait))
    }
}

/// Formats an instant, with as much of its date as is needed now: `13:57`, `Sun 21:20`, `22 Nov
/// 21:20`, `22 Nov 2025 21:20`.
pub(crate) fn moment(reading: &Reading, at: Timestamp, now: Timestamp) -> String {
    let offsets = &reading.time_zone.offsets;
    let (then, today) = (offsets.local(at), offsets.local(now).date());
    let day = match (today - then.date()).get_days() {
        0 => "",
        1..=BY_WEEKDAY => "%a ",
        _ if today.year() == then.date().year() => "%-d %b ",
        _ => "%-d %b %Y ",
    };
    then.strftime(&format!("{day}%H:%M")).to_string()
}

/// Formats a time on the wearer's clock, to the minute.
pub(crate) fn clock(reading: &Reading, at: Timestamp) -> String {
    clock_at(at, reading.time_zone.offsets.at(at))
}

/// Formats a time on a clock with this offset, to the minute.
pub(crate) fn clock_at(at: Timestamp, offset: Offset) -> String {
    let local = offset.to_datetime(at);
    format!("{:02}:{:02}", local.hour(), local.minute())
}

/// Formats a date: `Sunday 22 November 2026`.
pub(crate) fn date(date: Date) -> String {
    date.strftime("%A %-d %B %Y").to_string()
}

/// Formats the newest heart rate of a reading in one line, depending on its freshness: `82 bpm,
/// light, 8 min ago`, or for an old one `Was 82 bpm, light, 2 days ago (Sun 21:20). Not worn: …`.
/// Returns `None` without one.
pub(crate) fn heart_rate(
    reading: &Reading,
    freshness: Freshness,
    now: Timestamp,
) -> Option<String> {
    let (sample, zone) = reading.latest().zip(reading.heart_zone())?;
    let (bpm, zone) = (sample.bpm.get(), zone.name().to_lowercase());
    let rate = format!("{bpm} bpm, {zone}, {}", ago(sample.at, now));
    Some(match freshness {
        Freshness::Fresh => rate,
        _ => {
            let why = why(freshness, reading.absence());
            format!("Was {rate} ({}). {why}.", moment(reading, sample.at, now))
        }
    })
}

/// Describes how well a reading represents the present, and why not better.
pub(crate) const fn why(freshness: Freshness, absence: Absence) -> &'static str {
    match (freshness, absence) {
        (Freshness::Fresh, _) => "Up to date",
        (Freshness::Cached, _) => "From memory: the last update failed",
        (_, Absence::ZoneGuessed) => "Time zone guessed: the age may be wrong by hours",
        (_, Absence::NotAsked) => "Not updated: the cloud was not asked for a while",
        (_, Absence::NotWorn) => "Not worn: it syncs, but measures no heart rate",
        (_, Absence::NotCharged) => "Not charged: its battery was low at its last sync",
        (_, Absence::NotSynced) => "Not synced: the tracker sent nothing newer",
        (_, Absence::NothingRecorded) => "Nothing recorded: no newer heart rate has arrived",
    }
}

/// Formats the end of a wait: `14:35`, `Mon 14:35` on another day. It is rounded up to a full
/// minute.
pub(crate) fn until(at: Timestamp, now: Timestamp, offsets: &Offsets) -> String {
    let minute = at.as_second().div_euclid(60) + i64::from(at.as_second() % 60 != 0);
    let at = Timestamp::from_second(minute * 60).unwrap_or(at);
    let (then, today) = (offsets.local(at), offsets.local(now).date());
    let day = if then.date() == today { "" } else { "%a " };
    then.strftime(&format!("{day}%H:%M")).to_string()
}

/// Formats the first of these days, and the number of the others.
pub(crate) fn days(dates: &[Date]) -> String {
    match dates {
        [] => String::new(),
        [date] => date.to_string(),
        [first, _] => format!("{first} and 1 more day"),
        [first, more @ ..] => format!("{first} and {} more days", more.len()),
    }
}

/// Returns a note that the wearer's zone is a guess, if it is.
pub(crate) fn guess(reading: &Reading) -> Option<String> {
    let zone = &reading.time_zone;
    zone.is_guessed().then(|| {
        let taken = match zone.name.as_str() {
            "" => "this machine's zone",
            name => name,
        };
        format!("Times are in {taken}, which is a guess: set the wearer's time zone in the configuration")
    })
}

#[cfg(test)]
mod tests {
    use jiff::civil::date as day;
    use pulsewing_testkit::readings::{self, berlin};

    use super::*;

    #[test]
    fn a_moment_is_told_as_exactly_as_it_must_be() {
        let at: Timestamp = "2026-11-22T20:20:00Z".parse().unwrap();
        let reading = readings::empty(berlin(), at);
        for (hours, words) in [
            (0, "21:20"),
            (2, "21:20"),
            (3, "Sun 21:20"),
            (6 * 24, "Sun 21:20"),
            (7 * 24, "22 Nov 21:20"),
            (60 * 24, "22 Nov 2026 21:20"),
            // A clock that was set back.
            (-24, "22 Nov 21:20"),
        ] {
            let now = at + SignedDuration::from_hours(hours);
            assert_eq!(moment(&reading, at, now), words, "{hours}");
        }
    }

    #[test]
    fn a_wait_is_told_by_its_end_and_never_too_early() {
        let now: Timestamp = "2026-11-22T20:20:00Z".parse().unwrap();
        let berlin = Offsets::fixed(Offset::constant(1));
        for (seconds, words) in [
            (0, "21:20"),
            (1, "21:21"),
            (900, "21:35"),
            (9_600, "Mon 00:00"),
        ] {
            let at = now + SignedDuration::from_secs(seconds);
            assert_eq!(until(at, now, &berlin), words);
        }
    }

    #[test]
    fn some_days_are_the_first_and_how_many_more() {
        let dates = [day(2026, 11, 2), day(2026, 11, 4), day(2026, 11, 5)];
        assert_eq!(days(&dates[..1]), "2026-11-02");
        assert_eq!(days(&dates[..2]), "2026-11-02 and 1 more day");
        assert_eq!(days(&dates), "2026-11-02 and 2 more days");
    }

    #[test]
    fn what_did_not_come_is_overdue() {
        let due: Timestamp = "2026-11-22T20:20:00Z".parse().unwrap();
        for (seconds, words) in [
            (-360, "in 6 min"),
            (0, "within a minute"),
            (120, "within a minute"),
            (121, "overdue"),
        ] {
            let now = due + SignedDuration::from_secs(seconds);
            assert_eq!(ahead(due, now), words);
        }
    }

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

    #[test]
    fn what_programs_say_becomes_sentences() {
        assert_eq!(
            sentence("nobody has signed in yet"),
            "Nobody has signed in yet."
        );
        assert_eq!(sentence("Fine."), "Fine.");
        assert_eq!(sentence(""), ".");
    }
}
