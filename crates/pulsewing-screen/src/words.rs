//! The words of the desk theme and the big face: dates, ages, and how current a reading is.

use jiff::{
    SignedDuration,
    civil::{Date, DateTime, Time, Weekday},
};
use pulsewing_core::reading::{Absence, Freshness};

use crate::{model::Facts, state::written};

/// A short text.
pub(crate) type Words = heapless::String<32>;

/// Returns how long ago something was, without the word "ago".
pub(crate) fn age(age: SignedDuration) -> Words {
    let minutes = age.as_mins();
    match minutes {
        // A minute is dated by its beginning, so a correct clock is never behind it.
        ..0 => written(format_args!("Clock behind")),
        0..60 => written(format_args!("{minutes} min")),
        60..600 => written(format_args!("{} h {} min", minutes / 60, minutes % 60)),
        600..2_880 => written(format_args!("{} h", minutes / 60)),
        2_880..1_440_000 => written(format_args!("{} days", minutes / 1_440)),
        _ => written(format_args!("Years")),
    }
}

/// Returns how long ago something was, as a phrase that stands alone.
pub(crate) fn age_ago(duration: SignedDuration) -> Words {
    let age = age(duration);
    if duration.as_mins() < 0 {
        age
    } else {
        written(format_args!("{age} ago"))
    }
}

/// Returns how long ago the newest minute began, or a live sample was measured; in two lengths, longest
/// first.
pub(crate) fn ages(facts: &Facts<'_>) -> [Words; 2] {
    match facts.age {
        Some(duration) if facts.is_live => {
            let seconds = duration.as_secs();
            [
                written(format_args!("Live, {seconds} s ago")),
                written(format_args!("{seconds} s")),
            ]
        }
        Some(duration) => [age_ago(duration), age(duration)],
        // There is no clock yet.
        None => ["Age unknown", "Age ?"].map(|words| written(format_args!("{words}"))),
    }
}

/// Returns a time of day.
pub(crate) fn clock(time: Time) -> Words {
    written(format_args!("{:02}:{:02}", time.hour(), time.minute()))
}

/// Returns the present time of day, or dashes in its place while it is not known.
pub(crate) fn present(time: Option<Time>) -> Words {
    match time {
        Some(time) => clock(time),
        None => written(format_args!("--:--")),
    }
}

/// Returns the time of something, as exactly as is necessary `today`.
pub(crate) fn moment(at: DateTime, today: Date) -> Words {
    let clock = clock(at.time());
    let date = at.date();
    match days_between(date, today) {
        0 => clock,
        1..=6 => written(format_args!("{} {clock}", short(weekday(date)))),
        _ => dated(at),
    }
}

/// Returns the date and the time of something.
pub(crate) fn dated(at: DateTime) -> Words {
    let (date, clock) = (at.date(), clock(at.time()));
    written(format_args!(
        "{} {} {clock}",
        date.day(),
        short(month(date))
    ))
}

fn days_between(earlier: Date, later: Date) -> i64 {
    earlier.duration_until(later).as_hours() / 24
}

/// Returns a date in three lengths, longest first.
pub(crate) fn date(date: Date) -> [Words; 3] {
    let (weekday, day, month) = (weekday(date), date.day(), month(date));
    [
        written(format_args!("{weekday} {day} {month}")),
        written(format_args!("{} {day} {}", short(weekday), short(month))),
        written(format_args!("{day} {}", short(month))),
    ]
}

/// Returns a date that follows from a guessed zone, in the same lengths.
pub(crate) fn guessed_date(date: Date) -> [Words; 3] {
    let (weekday, day, month) = (short(weekday(date)), date.day(), short(month(date)));
    [
        written(format_args!("{weekday} {day} {month}, zone guessed")),
        written(format_args!("{day} {month}, zone guessed")),
        written(format_args!("{day} {month}, zone?")),
    ]
}

fn weekday(date: Date) -> &'static str {
    match date.weekday() {
        Weekday::Monday => "Monday",
        Weekday::Tuesday => "Tuesday",
        Weekday::Wednesday => "Wednesday",
        Weekday::Thursday => "Thursday",
        Weekday::Friday => "Friday",
        Weekday::Saturday => "Saturday",
        Weekday::Sunday => "Sunday",
    }
}

fn month(date: Date) -> &'static str {
    match date.month() {
        1 => "January",
        2 => "February",
        3 => "March",
        4 => "April",
        5 => "May",
        6 => "June",
        7 => "July",
        8 => "August",
        9 => "September",
        10 => "October",
        11 => "November",
        _ => "December",
    }
}

fn short(word: &str) -> &str {
    word.get(..3).unwrap_or(word)
}

/// All words of [`freshness`].
pub(crate) const OF_FRESHNESS: [&str; 10] = [
    "Live",
    "Check clock",
    "Up to date",
    "Check zone",
    "Not updated",
    "Not worn",
    "Not charged",
    "Not synced",
    "No new data",
    "No data",
];

/// Returns how far the data can be trusted, in a word or two.
pub(crate) fn freshness(facts: &Facts<'_>) -> &'static str {
    let [
        live,
        clock,
        fresh,
        zone,
        asked,
        worn,
        charged,
        synced,
        newer,
        none,
    ] = OF_FRESHNESS;
    match (facts.freshness, facts.absence) {
        _ if facts.is_live => live,
        // The newest minute lies in the future.
        (Freshness::Fresh, _) if facts.age.is_some_and(|age| age.is_negative()) => clock,
        (Freshness::Fresh, _) => fresh,
        (Freshness::Cached, _) | (_, Absence::NotAsked) => asked,
        (_, Absence::ZoneGuessed) => zone,
        (_, Absence::NotWorn) => worn,
        (_, Absence::NotCharged) => charged,
        (_, Absence::NotSynced) => synced,
        (Freshness::Stale, Absence::NothingRecorded) => newer,
        (Freshness::Silent, Absence::NothingRecorded) => none,
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date as civil;

    use super::*;

    #[test]
    fn the_age_is_told_as_exactly_as_it_matters() {
        let told = |minutes| age_ago(SignedDuration::from_mins(minutes));
        assert_eq!(told(0), "0 min ago");
        assert_eq!(told(59), "59 min ago");
        assert_eq!(told(158), "2 h 38 min ago");
        assert_eq!(told(600), "10 h ago");
        assert_eq!(told(2_879), "47 h ago");
        assert_eq!(told(2_880), "2 days ago");
        assert_eq!(told(i64::MAX / 60), "Years ago");
        assert_eq!(told(-90), "Clock behind");
    }

    #[test]
    fn a_moment_of_another_day_has_its_day() {
        let told = |today| moment(civil(2026, 11, 21).at(14, 5, 0, 0), today);
        assert_eq!(told(civil(2026, 11, 21)), "14:05");
        assert_eq!(told(civil(2026, 11, 22)), "Sat 14:05");
        assert_eq!(told(civil(2026, 11, 27)), "Sat 14:05");
        assert_eq!(told(civil(2026, 11, 28)), "21 Nov 14:05");
        // The clock was set back.
        assert_eq!(told(civil(2026, 11, 20)), "21 Nov 14:05");
    }

    #[test]
    fn a_date_has_three_lengths() {
        let wordings = date(civil(2026, 9, 2));
        assert_eq!(wordings, ["Wednesday 2 September", "Wed 2 Sep", "2 Sep"]);
    }
}
