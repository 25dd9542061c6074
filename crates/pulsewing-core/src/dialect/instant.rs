//! Instants as replies write them.

use jiff::Timestamp;

/// Reads an RFC 3339 instant, with any offset and fraction.
#[inline]
pub(super) fn instant(text: &[u8]) -> Option<Timestamp> {
    match plain_utc_seconds(text) {
        Some(seconds) => Timestamp::from_second(seconds).ok(),
        None => str::from_utf8(text).ok()?.parse().ok(),
    }
}

/// Reads the form that nearly all instants have, `YYYY-MM-DDTHH:MM:SSZ`, in seconds since 1970;
/// `None` for any other, right or wrong.
#[inline]
fn plain_utc_seconds(text: &[u8]) -> Option<i64> {
    let &[
        y1,
        y2,
        y3,
        y4,
        b'-',
        m1,
        m2,
        b'-',
        d1,
        d2,
        b'T',
        h1,
        h2,
        b':',
        n1,
        n2,
        b':',
        s1,
        s2,
        b'Z',
    ] = text
    else {
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

/// Counts days of the Gregorian calendar, for years from 0 to 9999: years begin in March, so that
/// the leap day comes last and months of a year follow one pattern.
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
    use std::{format, string::ToString};

    use jiff::civil::Date;
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
        ] {
            assert_eq!(instant(text.as_bytes()), Some(expected), "{text}");
        }
        let fraction = instant(b"2026-11-22T07:01:05.25Z").unwrap();
        assert_eq!(
            (fraction.as_second(), fraction.subsec_millisecond()),
            (expected.as_second(), 250)
        );
    }

    #[test]
    fn what_is_no_instant_is_none() {
        for text in [
            "",
            "Z",
            "2026-11-22",
            "2026-11-22T07:01:05",
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-11-22T24:00:00Z",
            "2026-11-22T07:60:00Z",
            "2026-11-00T00:00:00Z",
            "2o26-11-22T07:01:05Z",
            "2026-11-22T07:01:0:Z",
        ] {
            assert_eq!(instant(text.as_bytes()), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn the_short_way_never_disagrees_with_the_long_one(
            text in "[0-9]{4}-[0-9]{2}-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-5][0-9]Z"
        ) {
            let general = text.parse::<Timestamp>().ok();
            prop_assert_eq!(instant(text.as_bytes()), general);
        }

        #[test]
        fn what_the_library_prints_is_read(seconds in -62_000_000_000_i64..250_000_000_000) {
            let at = Timestamp::from_second(seconds).unwrap();
            prop_assert_eq!(instant(at.to_string().as_bytes()), Some(at));
        }
    }
}
