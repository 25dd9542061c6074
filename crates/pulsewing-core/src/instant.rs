//! Instants: parsing those in replies and headers, and adding durations.
//!
//! The types and their calendar are jiff's. We do not use its parsers: they accept any ISO 8601 text,
//! and their error messages alone are a tenth of a board's program. Nor do we use its sum of an instant
//! and a duration: that accepts calendar units, and pulls in their arithmetic.

use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, DateTime, Time},
    tz::Offset,
};

/// The tolerated difference between our clock and that of an instant's sender. A measurement cannot be
/// later than now; one that seems to be later by more than this has the time of another zone or of a
/// wrong clock, so its real time is unknown.
pub const CLOCKS_PART: SignedDuration = SignedDuration::from_mins(2);

/// Returns the latest credible instant for a measurement that is reported at `now`: [`CLOCKS_PART`]
/// later.
#[must_use]
pub fn latest_credible(now: Timestamp) -> Timestamp {
    later(now, CLOCKS_PART).unwrap_or(now)
}

/// Returns the instant that is later by `by`, or earlier if that is negative; `None` outside the
/// calendar, whose years are -9999 to 9999.
#[must_use]
pub fn later(at: Timestamp, by: SignedDuration) -> Option<Timestamp> {
    Timestamp::from_duration(at.as_duration().checked_add(by)?).ok()
}

/// Reads an instant with any offset and fraction (RFC 3339, section 5.6). A leap second becomes the
/// second before it.
#[inline]
#[must_use]
pub fn rfc3339(text: &[u8]) -> Option<Timestamp> {
    match plain_utc_seconds(text) {
        Some(seconds) => Timestamp::from_second(seconds).ok(),
        None => any_rfc3339(text),
    }
}

fn any_rfc3339(text: &[u8]) -> Option<Timestamp> {
    let (local, offset) = leading_date_time(text)?;
    let seconds = match offset {
        b"Z" | b"z" => 0,
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (hours, minutes) = (two_digits(*h1, *h2)?, two_digits(*m1, *m2)?);
            let seconds = (i32::from(hours) * 60 + i32::from(minutes)) * 60;
            let is_clock = hours < 24 && minutes < 60;
            is_clock.then_some(if *sign == b'-' { -seconds } else { seconds })?
        }
        _ => return None,
    };
    Offset::from_seconds(seconds).ok()?.to_timestamp(local).ok()
}

/// Reads `YYYY-MM-DD`.
#[must_use]
pub fn date(text: &[u8]) -> Option<Date> {
    let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = text else {
        return None;
    };
    let year = year(y1, y2, y3, y4)?;
    Date::new(year, two_digits(m1, m2)?, two_digits(d1, d2)?).ok()
}

/// Reads a clock's date and time without an offset: `YYYY-MM-DDTHH:MM:SS`, with an optional fraction.
#[must_use]
pub fn date_time(text: &[u8]) -> Option<DateTime> {
    let (local, rest) = leading_date_time(text)?;
    rest.is_empty().then_some(local)
}

/// Reads the date of an HTTP header in the form that is used today, `Sun, 06 Nov 1994 08:49:37 GMT`
/// (RFC 9110, section 5.6.7).
#[must_use]
pub fn http_date(text: &str) -> Option<Timestamp> {
    const WEEKDAYS: [[u8; 3]; 7] = [
        *b"Mon", *b"Tue", *b"Wed", *b"Thu", *b"Fri", *b"Sat", *b"Sun",
    ];
    const MONTHS: [[u8; 3]; 12] = [
        *b"Jan", *b"Feb", *b"Mar", *b"Apr", *b"May", *b"Jun", *b"Jul", *b"Aug", *b"Sep", *b"Oct",
        *b"Nov", *b"Dec",
    ];
    let (&[weekday @ .., b',', b' '], rest) = text.as_bytes().split_first_chunk::<5>()? else {
        return None;
    };
    let (&[d1, d2, b' ', month @ .., b' ', y1, y2, y3, y4, b' '], rest) =
        rest.split_first_chunk::<12>()?
    else {
        return None;
    };
    let (time, b" GMT") = leading_time(rest)? else {
        return None;
    };
    let (month, _) = (1..).zip(MONTHS).find(|(_, name)| *name == month)?;
    let date = Date::new(year(y1, y2, y3, y4)?, month, two_digits(d1, d2)?).ok()?;
    let of_date = usize::try_from(date.weekday().to_monday_zero_offset()).ok()?;
    if WEEKDAYS.get(of_date) != Some(&weekday) {
        return None;
    }
    Offset::UTC.to_timestamp(date.to_datetime(time)).ok()
}

/// Returns the leading date and time, and the rest.
fn leading_date_time(text: &[u8]) -> Option<(DateTime, &[u8])> {
    let (day, rest) = text.split_first_chunk::<10>()?;
    let (b'T' | b't', rest) = rest.split_first()? else {
        return None;
    };
    let (time, rest) = leading_time(rest)?;
    let (nanoseconds, rest) = leading_fraction(rest)?;
    let time = Time::new(time.hour(), time.minute(), time.second(), nanoseconds).ok()?;
    Some((date(day)?.to_datetime(time), rest))
}

fn leading_time(text: &[u8]) -> Option<(Time, &[u8])> {
    let (&[h1, h2, b':', m1, m2, b':', s1, s2], rest) = text.split_first_chunk()? else {
        return None;
    };
    let second = match two_digits(s1, s2)? {
        60 => 59,
        second => second,
    };
    let time = Time::new(two_digits(h1, h2)?, two_digits(m1, m2)?, second, 0).ok()?;
    Some((time, rest))
}

/// Returns the fraction of a second in nanoseconds, if there is one; digits beyond that are ignored.
fn leading_fraction(text: &[u8]) -> Option<(i32, &[u8])> {
    let [b'.', rest @ ..] = text else {
        return Some((0, text));
    };
    let end = rest.iter().position(|byte| !byte.is_ascii_digit());
    let (digits, rest) = rest.split_at_checked(end.unwrap_or(rest.len()))?;
    let of_nine = digits.iter().copied().chain([b'0'; 9]).take(9);
    let nanoseconds = of_nine.fold(0, |sum, digit| sum * 10 + i32::from(digit - b'0'));
    (!digits.is_empty()).then_some((nanoseconds, rest))
}

fn year(y1: u8, y2: u8, y3: u8, y4: u8) -> Option<i16> {
    Some(i16::from(two_digits(y1, y2)?) * 100 + i16::from(two_digits(y3, y4)?))
}

fn two_digits(tens: u8, ones: u8) -> Option<i8> {
    let digit = |byte: u8| {
        let digit = i8::try_from(byte.wrapping_sub(b'0')).ok()?;
        (digit < 10).then_some(digit)
    };
    Some(digit(tens)? * 10 + digit(ones)?)
}

/// Reads the form that nearly all instants have, `YYYY-MM-DDTHH:MM:SSZ`, as seconds since 1970;
/// `None` for any other form, valid or not.
#[inline]
fn plain_utc_seconds(text: &[u8]) -> Option<i64> {
    let (date, rest) = text.split_first_chunk()?;
    let (b'T', rest) = rest.split_first()? else {
        return None;
    };
    match rest.split_first_chunk()? {
        (time, b"Z") => shown_seconds(date, time),
        _ => None,
    }
}

/// Reads the date and the time that a clock shows, `YYYY-MM-DD` and `HH:MM:SS`, as seconds after the
/// beginning of 1970 on that clock; `None` for any other form, and for a leap second.
// Not inlined into other crates: the host's are built for size, this one for speed.
#[must_use]
pub fn civil_seconds(date: &[u8; 10], time: &[u8; 8]) -> Option<i64> {
    shown_seconds(date, time)
}

#[inline]
fn shown_seconds(date: &[u8; 10], time: &[u8; 8]) -> Option<i64> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = *date else {
        return None;
    };
    let [h1, h2, b':', n1, n2, b':', s1, s2] = *time else {
        return None;
    };
    let mut digits = true;
    let mut two = |tens: u8, ones: u8| {
        let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
        digits &= tens < 10 && ones < 10;
        i32::from(tens) * 10 + i32::from(ones)
    };
    let year = two(y1, y2) * 100 + two(y3, y4);
    let (month, day) = (two(m1, m2), two(d1, d2));
    let (hour, minute, second) = (two(h1, h2), two(n1, n2), two(s1, s2));
    let valid = digits
        && (1..=12).contains(&month)
        && (1..=days_in(month, year)).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    let of_day = (hour * 60 + minute) * 60 + second;
    valid.then(|| i64::from(days_since_1970(year, month, day)) * 86_400 + i64::from(of_day))
}

fn days_in(month: i32, year: i32) -> i32 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn is_leap(year: i32) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// Counts days of the Gregorian calendar, for years from 0 to 9999: years begin in March here, so that
/// the leap day comes last and the months of a year follow one pattern.
fn days_since_1970(year: i32, month: i32, day: i32) -> i32 {
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    let before_month = (153 * month + 2) / 5;
    // 1970-01-01 is day 719,468 when day 0 is 0000-03-01.
    year * 365 + leap_days + before_month + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::{
        format,
        string::{String, ToString},
    };

    use jiff::fmt::{StdFmtWrite, rfc2822::DateTimePrinter};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_days_around_the_turns_of_every_year_are_read_as_the_library_reads_them() {
        let turns = [(1, 1), (2, 28), (2, 29), (3, 1), (12, 31)];
        let days =
            (0..9_999).flat_map(|year| turns.map(|(month, day)| Date::new(year, month, day)));
        let of_2026 = (1..=366).map(|day| Date::new(2026, 1, 1)?.with().day_of_year(day).build());
        for date in days.chain(of_2026).flatten() {
            let text = format!("{date}T23:59:58Z");
            let general: Timestamp = text.parse().unwrap();
            assert_eq!(
                plain_utc_seconds(text.as_bytes()),
                Some(general.as_second()),
                "{text}"
            );
            assert_eq!(any_rfc3339(text.as_bytes()), Some(general), "{text}");
        }
        assert_eq!(plain_utc_seconds(b"2026-02-29T23:59:58Z"), None);
    }

    #[test]
    fn other_forms_are_read_too() {
        let expected: Timestamp = "2026-11-22T07:01:05Z".parse().unwrap();
        for text in [
            "2026-11-22T08:01:05+01:00",
            "2026-11-22t07:01:05z",
            "2026-11-22T07:01:05.000Z",
            "2026-11-22T07:01:05.0000000009Z",
            "2026-11-21T21:31:05-09:30",
        ] {
            assert_eq!(rfc3339(text.as_bytes()), Some(expected), "{text}");
        }
        let fraction = rfc3339(b"2026-11-22T07:01:05.25Z").unwrap();
        assert_eq!(
            (fraction.as_second(), fraction.subsec_millisecond()),
            (expected.as_second(), 250)
        );
        let leap_second = "2026-12-31T23:59:59Z".parse().ok();
        assert_eq!(rfc3339(b"2026-12-31T23:59:60Z"), leap_second);
    }

    #[test]
    fn what_is_no_instant_is_none() {
        for text in [
            "",
            "Z",
            "2026-11-22",
            "2026-11-22T07:01:05",
            "2026-11-22 07:01:05Z",
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-11-22T24:00:00Z",
            "2026-11-22T07:60:00Z",
            "2026-11-22T07:01:61Z",
            "2026-11-00T00:00:00Z",
            "2o26-11-22T07:01:05Z",
            "2026-11-22T07:01:0:Z",
            "2026-11-22T07:01:05.Z",
            "2026-11-22T07:01:05+0100",
            "2026-11-22T07:01:05+24:00",
            "2026-11-22T07:01:05+01:60",
            "2026-11-22T07:01:05ZZ",
            "9999-12-31T23:59:59-23:00",
        ] {
            assert_eq!(rfc3339(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn a_clocks_time_has_no_offset() {
        let whole = Date::constant(2026, 11, 22).at(13, 59, 7, 0);
        assert_eq!(date_time(b"2026-11-22T13:59:07"), Some(whole));
        let fraction = Date::constant(2026, 11, 22).at(13, 59, 7, 120_000_000);
        assert_eq!(date_time(b"2026-11-22T13:59:07.12"), Some(fraction));
        assert_eq!(date_time(b"2026-11-22T13:59:07Z"), None);
        assert_eq!(date_time(b"2026-11-22"), None);
    }

    #[test]
    fn a_date_is_a_day_of_the_calendar() {
        assert_eq!(date(b"2028-02-29"), Some(Date::constant(2028, 2, 29)));
        for text in ["2026-02-29", "2026-2-9", "today", "2026-11-22T13:59:07"] {
            assert_eq!(date(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn what_is_no_date_of_a_header_is_none() {
        let example = "1994-11-06T08:49:37Z".parse().ok();
        assert_eq!(http_date("Sun, 06 Nov 1994 08:49:37 GMT"), example);
        for text in [
            "",
            "Mon, 06 Nov 1994 08:49:37 GMT",
            "Sun, 06 nov 1994 08:49:37 GMT",
            "Sun, 6 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37 CET",
            "Sun, 06 Nov 1994 08:49:37.5 GMT",
            "Sun, 31 Nov 1994 08:49:37 GMT",
            // Forms from before 1995, which are no longer sent.
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
        ] {
            assert_eq!(http_date(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn the_short_way_never_disagrees_with_the_long_one(
            text in "[0-9]{4}-[0-9]{2}-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-5][0-9]Z"
        ) {
            let general = text.parse::<Timestamp>().ok();
            prop_assert_eq!(rfc3339(text.as_bytes()), general);
            prop_assert_eq!(any_rfc3339(text.as_bytes()), general);
        }

        #[test]
        fn what_is_read_is_what_the_library_reads(
            text in r"[0-9]{4}-[01][0-9]-[0-3][0-9][Tt][0-2][0-9]:[0-6][0-9]:[0-6][0-9](\.[0-9]{1,9})?([Zz]|[+-][01][0-9]:[0-6][0-9])"
        ) {
            prop_assert_eq!(rfc3339(text.as_bytes()), text.parse::<Timestamp>().ok());
        }

        #[test]
        fn what_the_library_prints_is_read(
            seconds in -62_000_000_000_i64..250_000_000_000,
            nanoseconds in 0..1_000_000_000,
            offset in -86_399..86_400,
        ) {
            let at = Timestamp::new(seconds, nanoseconds).unwrap();
            prop_assert_eq!(rfc3339(at.to_string().as_bytes()), Some(at));
            let elsewhere = at.display_with_offset(Offset::from_seconds(offset / 60 * 60).unwrap());
            prop_assert_eq!(rfc3339(elsewhere.to_string().as_bytes()), Some(at));
        }

        #[test]
        fn a_headers_date_is_read_as_the_library_prints_it(seconds in -62_000_000_000_i64..250_000_000_000) {
            let at = Timestamp::from_second(seconds).unwrap();
            let mut printed = String::new();
            DateTimePrinter::new()
                .print_timestamp_rfc9110(&at, StdFmtWrite(&mut printed))
                .unwrap();
            prop_assert_eq!(http_date(&printed), Some(at));
        }

        #[test]
        fn any_text_is_read_or_not(text in ".{0,40}") {
            let _ = (rfc3339(text.as_bytes()), date_time(text.as_bytes()), http_date(&text));
        }

        #[test]
        fn later_is_what_the_library_adds(seconds in any::<i64>(), by in any::<i64>(), nanoseconds in 0..1_000_000_000) {
            let at = Timestamp::new(seconds % 250_000_000_000, nanoseconds).unwrap();
            for by in [SignedDuration::from_nanos(by), SignedDuration::from_secs(by)] {
                prop_assert_eq!(later(at, by), at.checked_add(by).ok());
            }
        }
    }
}
