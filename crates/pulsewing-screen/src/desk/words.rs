//! What the desk theme says in words.

use jiff::{
    SignedDuration,
    civil::{Date, DateTime, Weekday},
};
use pulsewing_core::reading::Freshness;

use crate::{model::Facts, state::written};

/// A few words.
pub(super) type Words = heapless::String<32>;

/// How long ago, without the word "ago".
pub(super) fn age(age: SignedDuration) -> Words {
    let minutes = age.as_mins();
    match minutes {
        // A minute is dated by its beginning, so a clock that is right is never behind it.
        ..0 => written(format_args!("Clock behind")),
        0..60 => written(format_args!("{minutes} min")),
        60..600 => written(format_args!("{} h {} min", minutes / 60, minutes % 60)),
        600..1_440 => written(format_args!("{} h", minutes / 60)),
        1_440..2_880 => written(format_args!("1 day")),
        2_880..1_440_000 => written(format_args!("{} days", minutes / 1_440)),
        _ => written(format_args!("Years")),
    }
}

/// How long ago, in words that stand alone.
pub(super) fn age_ago(duration: SignedDuration) -> Words {
    let age = age(duration);
    if duration.as_mins() < 0 {
        age
    } else {
        written(format_args!("{age} ago"))
    }
}

/// When, as exactly as it must be told `today`.
pub(super) fn moment(at: DateTime, today: Date) -> Words {
    let time = at.time();
    let clock: Words = written(format_args!("{:02}:{:02}", time.hour(), time.minute()));
    let date = at.date();
    match days_between(date, today) {
        0 => clock,
        1..=6 => written(format_args!("{} {clock}", short(weekday(date)))),
        _ => written(format_args!(
            "{} {} {clock}",
            date.day(),
            short(month(date))
        )),
    }
}

fn days_between(earlier: Date, later: Date) -> i64 {
    earlier.duration_until(later).as_hours() / 24
}

/// A date in three lengths, longest first.
pub(super) fn date(date: Date) -> [Words; 3] {
    let (weekday, day, month) = (weekday(date), date.day(), month(date));
    [
        written(format_args!("{weekday} {day} {month}")),
        written(format_args!("{} {day} {}", short(weekday), short(month))),
        written(format_args!("{day} {}", short(month))),
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

/// How far what is shown can be trusted, in a word or two.
pub(super) fn freshness(facts: &Facts<'_>) -> &'static str {
    match facts.freshness {
        // The newest minute lies in the future.
        Freshness::Fresh if facts.age.is_some_and(|age| age.is_negative()) => "Check clock",
        Freshness::Fresh => "Up to date",
        Freshness::Stale => "Not synced",
        Freshness::Silent => "No data",
        Freshness::Cached => "Not updated",
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
        assert_eq!(told(2_879), "1 day ago");
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
        // A clock that was set back.
        assert_eq!(told(civil(2026, 11, 20)), "21 Nov 14:05");
    }

    #[test]
    fn a_date_has_three_lengths() {
        let wordings = date(civil(2026, 9, 2));
        assert_eq!(wordings, ["Wednesday 2 September", "Wed 2 Sep", "2 Sep"]);
    }
}
