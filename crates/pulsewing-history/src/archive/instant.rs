//! The formats of times in exports.

use jiff::{
    Timestamp,
    civil::{Date, DateTime},
    tz::Offset,
};
use pulsewing_core::instant::{civil_seconds, date};

/// The credible times, in seconds after the beginning of 1970: from 2000 to 9998. Times later than
/// now are left out when samples are gathered.
const CREDIBLE: std::ops::Range<i64> = 946_684_800..253_370_764_800;

/// The length of a date.
const DATE: usize = 10;

/// The maximum length of a time that is joined with its date.
const MAX_TIME: usize = 32;

/// A time as written in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Written {
    /// The time on a clock, in seconds after the beginning of 1970 on that clock.
    pub(crate) shown: i64,
    /// That clock's offset from UTC in seconds; `None` if the file does not have it.
    pub(crate) offset: Option<i32>,
}

impl Written {
    /// Returns the instant, in seconds since 1970, if the file has the offset.
    pub(crate) fn at(self) -> Option<i64> {
        self.shown.checked_sub(self.offset?.into())
    }
}

/// Returns whether a time, in seconds after the beginning of 1970, is credible: an export with any
/// other could not be imported again.
pub(crate) fn is_credible(time: &i64) -> bool {
    CREDIBLE.contains(time)
}

/// Reads `MM/DD/YY HH:MM:SS`; the clock is not specified.
#[inline]
pub(crate) fn fitbit(text: &[u8]) -> Option<i64> {
    let (date, [b' ', time @ ..]) = text.split_first_chunk::<8>()? else {
        return None;
    };
    civil_seconds(&year_first(*date)?, time.try_into().ok()?)
}

/// Reads `MM/DD/YY`.
pub(crate) fn fitbit_date(text: &[u8]) -> Option<Date> {
    date(&year_first(text.try_into().ok()?)?)
}

/// Turns `MM/DD/YY` into `20YY-MM-DD`.
#[inline]
const fn year_first(date: [u8; 8]) -> Option<[u8; DATE]> {
    match date {
        [m1, m2, b'/', d1, d2, b'/', y1, y2] => {
            Some([b'2', b'0', y1, y2, b'-', m1, m2, b'-', d1, d2])
        }
        _ => None,
    }
}

/// Reads the `YYYY-MM-DD` with which a text begins.
pub(crate) fn leading_date(text: &[u8]) -> Option<Date> {
    date(text.get(..DATE)?).filter(|date| {
        let shown = shown_by_clock(date.at(0, 0, 0, 0));
        shown.as_ref().is_some_and(is_credible)
    })
}

/// Reads ISO 8601 with or without an offset, and with a space in place of the `T` or before the
/// offset; or the seconds or milliseconds since 1970.
#[inline]
pub(crate) fn iso(text: &[u8]) -> Option<Written> {
    usual(text)
        .or_else(|| unusual(text))
        .filter(|written| is_credible(&written.shown))
}

/// Reads a date and a time from two columns; either column may contain both.
pub(crate) fn of_two(date: &[u8], time: &[u8]) -> Option<Written> {
    if date.len() > DATE || time.len() > MAX_TIME {
        return iso(time).or_else(|| iso(date));
    }
    iso(&[date, time].join(&b' ')).or_else(|| iso(time))
}

/// Reads the form that nearly all times have.
#[inline]
fn usual(text: &[u8]) -> Option<Written> {
    let (date, [b'T' | b' ', rest @ ..]) = text.split_first_chunk()? else {
        return None;
    };
    let (time, rest) = rest.split_first_chunk()?;
    Some(Written {
        shown: civil_seconds(date, time)?,
        offset: offset_behind(without_fraction(rest))?,
    })
}

/// Reads other formats: seconds or milliseconds since 1970, and rarer forms of ISO 8601.
#[cold]
fn unusual(text: &[u8]) -> Option<Written> {
    let text = str::from_utf8(text).ok()?;
    let instant = |shown| Written {
        shown,
        offset: Some(0),
    };
    if let Ok(number) = text.parse::<i64>() {
        return Some(instant(match text.len() {
            ..=10 => number,
            _ => number.div_euclid(1_000),
        }));
    }
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(instant(at.as_second()));
    }
    // A date alone is not a time: the value beside it is for a whole day.
    let shown = text.parse().ok().filter(|_| text.len() > DATE)?;
    Some(Written {
        shown: shown_by_clock(shown)?,
        offset: None,
    })
}

/// Reads `M/D/YYYY h:mm:ss AM`, as in a US spreadsheet; the clock is not specified.
pub(crate) fn american(text: &[u8]) -> Option<Written> {
    let text = str::from_utf8(text).ok()?;
    let (date, rest) = text.split_once(' ')?;
    let (time, half) = rest.split_once(' ')?;
    let numbers = |text: &str, between: char| -> Option<[i16; 3]> {
        let numbers: Option<Vec<_>> = text.split(between).map(|part| part.parse().ok()).collect();
        numbers?.try_into().ok()
    };
    let [month, day, year] = numbers(date, '/')?;
    let [hour, minute, second] = numbers(time, ':')?;
    let noon = match half {
        "AM" => 0,
        "PM" => 12,
        _ => return None,
    };
    if !(1..=12).contains(&hour) {
        return None;
    }
    let small = |number: i16| i8::try_from(number).ok();
    let (month, day) = (small(month)?, small(day)?);
    let (hour, minute, second) = (small(hour % 12 + noon)?, small(minute)?, small(second)?);
    let shown = shown_by_clock(DateTime::new(year, month, day, hour, minute, second, 0).ok()?)?;
    is_credible(&shown).then_some(Written {
        shown,
        offset: None,
    })
}

/// Returns the seconds from the beginning of 1970 on a clock to the time that it shows.
pub(crate) fn shown_by_clock(time: DateTime) -> Option<i64> {
    Some(Offset::UTC.to_timestamp(time).ok()?.as_second())
}

/// Returns the text after a fraction of a second.
#[inline]
fn without_fraction(text: &[u8]) -> &[u8] {
    let [b'.', digits @ ..] = text else {
        return text;
    };
    let end = digits.iter().position(|byte| !byte.is_ascii_digit());
    match end.unwrap_or(digits.len()) {
        // A dot alone is not a fraction.
        0 => text,
        end => digits.get(end..).unwrap_or_default(),
    }
}

/// Reads the offset after a time: nothing, `Z`, `+HH:MM` or `+HHMM`, the latter two perhaps after a
/// space. Returns the outer `None` for anything else.
#[inline]
pub(crate) fn offset_behind(text: &[u8]) -> Option<Option<i32>> {
    let text = match text {
        [] => return Some(None),
        [b'Z'] => return Some(Some(0)),
        [b' ', rest @ ..] => rest,
        _ => text,
    };
    let ([sign, h1, h2, b':', m1, m2] | [sign, h1, h2, m1, m2]) = *text else {
        return None;
    };
    let two = |tens: u8, ones: u8| {
        let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
        (tens < 10 && ones < 10).then(|| i32::from(tens) * 10 + i32::from(ones))
    };
    let (hours, minutes) = (two(h1, h2)?, two(m1, m2)?);
    if hours > 25 || minutes > 59 {
        return None;
    }
    let seconds = (hours * 60 + minutes) * 60;
    match sign {
        b'+' => Some(Some(seconds)),
        b'-' => Some(Some(-seconds)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn seconds(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_second()
    }

    #[test]
    fn fitbits_times_are_american() {
        for (text, expected) in [
            ("01/25/23 13:00:07", "2023-01-25T13:00:07Z"),
            ("01/25/23 13:00:12", "2023-01-25T13:00:12Z"),
            ("01/26/23 00:00:00", "2023-01-26T00:00:00Z"),
        ] {
            assert_eq!(fitbit(text.as_bytes()), Some(seconds(expected)));
        }
        for bad in [
            "",
            "25/01/23 13:00:07",
            "01/25/23",
            "01/25/23 24:00:00",
            "01/25/23T13:00:07",
            "01/25/23 13:00:07 ",
            "!1/25/23 13:00:07",
        ] {
            assert_eq!(fitbit(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn iso_times_have_an_offset_or_none() {
        let at = seconds("2024-10-27T00:00:04Z");
        for text in [
            "2024-10-27T00:00:04Z",
            "2024-10-27T00:00:04.5Z",
            "2024-10-27T02:00:04+02:00",
            "2024-10-26 17:00:04 -0700",
            "2024-10-27 00:00:04+0000",
            "2024-10-27T02:00:04.000+02:00",
            "1729987204",
            "1729987204999",
        ] {
            let read = iso(text.as_bytes());
            assert_eq!(read.and_then(Written::at), Some(at), "{text}");
        }
        for text in [
            "2024-10-27T00:00:04",
            "2024-10-27 00:00:04",
            "2024-10-27 00:00:04.25",
        ] {
            let shown = Written {
                shown: at,
                offset: None,
            };
            assert_eq!(iso(text.as_bytes()), Some(shown), "{text}");
        }
        for bad in [
            "",
            "no data",
            "9999-10-27T00:00:04Z",
            "2024-13-27T00:00:04Z",
            "2024-10-27T00:00:04.Z",
            "2024-10-27T00:00:04+99:00",
            "1999-12-31T00:00:00+00:00",
            "10/27/2024 00:00:04",
            "70",
            "2024-10-27",
            "99999999999999999",
        ] {
            assert_eq!(iso(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn a_date_and_a_time_may_stand_in_two_columns() {
        let at = seconds("2024-10-27T00:00:04Z");
        for (date, time) in [
            ("2024-10-27", "00:00:04"),
            ("2024-10-27", "00:00:04.5"),
            ("2024-10-27", "2024-10-27 00:00:04"),
            ("2024-10-27 00:00:04", "evening"),
        ] {
            let read = of_two(date.as_bytes(), time.as_bytes());
            assert_eq!(read.map(|read| read.shown), Some(at), "{date} {time}");
        }
        let endless = "1".repeat(99);
        for (date, time) in [
            ("", ""),
            ("2024-10-27", ""),
            ("2024-10-27", "8 o'clock"),
            ("27.10.2024", "00:00:04"),
            ("2024-10-27", &endless),
        ] {
            let read = of_two(date.as_bytes(), time.as_bytes());
            assert_eq!(read, None, "{date} {time}");
        }
    }

    #[test]
    fn american_times_have_two_halves_of_a_day() {
        for (text, expected) in [
            ("4/12/2016 7:21:00 AM", "2016-04-12T07:21:00Z"),
            ("4/12/2016 12:00:05 AM", "2016-04-12T00:00:05Z"),
            ("12/4/2016 12:00:05 PM", "2016-12-04T12:00:05Z"),
            ("12/4/2016 11:59:59 PM", "2016-12-04T23:59:59Z"),
        ] {
            let read = american(text.as_bytes()).unwrap();
            assert_eq!((read.shown, read.offset), (seconds(expected), None));
        }
        for bad in [
            "",
            "4/12/2016",
            "4/12/2016 13:00:00 PM",
            "30/1/2016 1:00:00 AM",
            "1/1/1 1:1:1 AM",
        ] {
            assert_eq!(american(bad.as_bytes()), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn the_short_way_agrees_with_the_librarys(
            text in "20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-5][0-9](Z|[+-][0-2][0-9]:[0-6][0-9])"
        ) {
            let expected = text.parse::<Timestamp>().ok().map(|at| at.as_second());
            prop_assert_eq!(iso(text.as_bytes()).and_then(Written::at), expected);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
                fitbit(&bytes);
            iso(&bytes);
            american(&bytes);
        }
    }
}
