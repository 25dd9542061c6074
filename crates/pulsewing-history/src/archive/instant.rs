//! The formats of times in exports.

use jiff::{Timestamp, civil::Date, civil::DateTime, tz::Offset};

/// The valid years of a time. Times later than now are left out when samples are gathered.
const YEARS: std::ops::Range<i16> = 2_000..9_999;

/// The length of a date.
const DATE: usize = 10;

/// The maximum length of a time that is joined with its date.
const MAX_TIME: usize = 32;

/// Reads times, and remembers the date of the last one: the next one nearly always has the same.
#[derive(Debug, Default)]
pub(crate) struct TimeReader {
    text: [u8; 10],
    length: usize,
    midnight: i64,
}

/// A time as written in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Written {
    /// The time on a clock, in seconds after the beginning of 1970 on that clock.
    pub(crate) shown: i64,
    /// That clock's offset from UTC in seconds; `None` if the file does not have it.
    pub(crate) offset: Option<i32>,
}

impl Written {
    const fn instant(at: i64) -> Self {
        Self {
            shown: at,
            offset: Some(0),
        }
    }

    /// Returns the instant, in seconds since 1970, if the file has the offset.
    pub(crate) fn at(self) -> Option<i64> {
        self.shown.checked_sub(self.offset?.into())
    }
}

impl TimeReader {
    /// Reads `MM/DD/YY HH:MM:SS`; the clock is not specified.
    #[inline]
    pub(crate) fn fitbit(&mut self, text: &[u8]) -> Option<i64> {
        let (date, time) = text.split_first_chunk::<8>()?;
        let of_day = match time {
            [b' ', time @ ..] => of_day(time)?,
            _ => return None,
        };
        Some(self.midnight(date, fitbit_date)? + of_day)
    }

    /// Reads ISO 8601 with or without an offset, and with a space in place of the `T` or before the
    /// offset; or the seconds or milliseconds since 1970.
    #[inline]
    pub(crate) fn iso(&mut self, text: &[u8]) -> Option<Written> {
        if let Some((date, [b'T' | b' ', rest @ ..])) = text.split_first_chunk::<10>()
            && let Some((time, rest)) = rest.split_first_chunk::<8>()
            && let Some(of_day) = of_day(time)
            && let Some(offset) = offset_behind(without_fraction(rest))
        {
            let shown = self.midnight(date, iso_date)? + of_day;
            return Some(Written { shown, offset });
        }
        unusual(text)
    }

    /// Reads a date and a time from two columns; either column may contain both.
    pub(crate) fn of_two(&mut self, date: &[u8], time: &[u8]) -> Option<Written> {
        if date.len() > DATE || time.len() > MAX_TIME {
            return self.iso(time).or_else(|| self.iso(date));
        }
        let mut text = [0; DATE + 1 + MAX_TIME];
        let length = date.len() + 1 + time.len();
        text.get_mut(..date.len())?.copy_from_slice(date);
        *text.get_mut(date.len())? = b' ';
        text.get_mut(date.len() + 1..length)?.copy_from_slice(time);
        let whole = self.iso(text.get(..length)?);
        whole.or_else(|| self.iso(time))
    }

    #[inline]
    fn midnight(&mut self, text: &[u8], date: fn(&[u8]) -> Option<Date>) -> Option<i64> {
        if self.text.get(..self.length) != Some(text) {
            let midnight = midnight_of(date(text)?)?;
            self.length = 0;
            self.text.get_mut(..text.len())?.copy_from_slice(text);
            self.length = text.len();
            self.midnight = midnight;
        }
        Some(self.midnight)
    }
}

/// Reads `M/D/YYYY h:mm:ss AM`, as in a US spreadsheet; the clock is not specified.
pub(crate) fn american(text: &[u8]) -> Option<Written> {
    let text = str::from_utf8(text).ok()?;
    let (date, rest) = text.split_once(' ')?;
    let (time, half) = rest.split_once(' ')?;
    let numbers = |text: &str, between: char| -> Option<[i16; 3]> {
        let mut parts = text.split(between).map(|part| part.parse().ok());
        let numbers = [parts.next()??, parts.next()??, parts.next()??];
        parts.next().is_none().then_some(numbers)
    };
    let [month, day, year] = numbers(date, '/')?;
    let [hour, minute, second] = numbers(time, ':')?;
    let is_time =
        (1..=12).contains(&hour) && (0..60).contains(&minute) && (0..60).contains(&second);
    let noon = match half {
        "AM" => 0,
        "PM" => 12,
        _ => return None,
    };
    let date = Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
    if !is_time || !YEARS.contains(&date.year()) {
        return None;
    }
    let hours = i64::from(hour % 12 + noon);
    let of_day = (hours * 60 + i64::from(minute)) * 60 + i64::from(second);
    Some(Written {
        shown: midnight_of(date)? + of_day,
        offset: None,
    })
}

/// Returns the beginning of a date on its own clock, in seconds after the beginning of 1970 on that
/// clock.
pub(crate) fn midnight_of(date: Date) -> Option<i64> {
    let midnight = Offset::UTC.to_timestamp(date.at(0, 0, 0, 0)).ok()?;
    Some(midnight.as_second())
}

/// Returns the text after a fraction of a second.
#[inline]
fn without_fraction(text: &[u8]) -> &[u8] {
    let Some((b'.', digits)) = text.split_first() else {
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
    let (sign, digits) = text.split_first()?;
    let (hours, minutes) = match *digits {
        [h1, h2, b':', m1, m2] | [h1, h2, m1, m2] => (two(h1, h2)?, two(m1, m2)?),
        _ => return None,
    };
    if hours > 25 || minutes > 59 {
        return None;
    }
    let seconds = (i32::from(hours) * 60 + i32::from(minutes)) * 60;
    match sign {
        b'+' => Some(Some(seconds)),
        b'-' => Some(Some(-seconds)),
        _ => None,
    }
}

/// Reads other formats: seconds or milliseconds since 1970, and rarer forms of ISO 8601.
#[cold]
fn unusual(text: &[u8]) -> Option<Written> {
    let text = str::from_utf8(text).ok()?;
    let is_near = |at: Timestamp| YEARS.contains(&Offset::UTC.to_datetime(at).year());
    if let Ok(number) = text.parse::<i64>() {
        let seconds = match text.len() {
            ..=10 => number,
            _ => number.div_euclid(1_000),
        };
        let at = Timestamp::from_second(seconds).ok()?;
        return is_near(at).then_some(Written::instant(seconds));
    }
    if let Ok(at) = text.parse::<Timestamp>() {
        return is_near(at).then_some(Written::instant(at.as_second()));
    }
    // A date alone is not a time: the value beside it is for a whole day.
    let shown: DateTime = text.parse().ok().filter(|_| text.len() > DATE)?;
    let at = Offset::UTC.to_timestamp(shown).ok()?;
    is_near(at).then_some(Written {
        shown: at.as_second(),
        offset: None,
    })
}

/// Reads `MM/DD/YY`.
pub(crate) fn fitbit_date(text: &[u8]) -> Option<Date> {
    match text {
        [m1, m2, b'/', d1, d2, b'/', y1, y2] => {
            let year = 2_000 + i16::from(two(*y1, *y2)?);
            Date::new(year, two(*m1, *m2)?, two(*d1, *d2)?).ok()
        }
        _ => None,
    }
}

/// Reads `YYYY-MM-DD`.
pub(crate) fn iso_date(text: &[u8]) -> Option<Date> {
    match text {
        [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] => {
            let year = i16::from(two(*y1, *y2)?) * 100 + i16::from(two(*y3, *y4)?);
            Date::new(year, two(*m1, *m2)?, two(*d1, *d2)?)
                .ok()
                .filter(|date| YEARS.contains(&date.year()))
        }
        _ => None,
    }
}

/// Reads `HH:MM:SS`.
#[inline]
fn of_day(text: &[u8]) -> Option<i64> {
    let &[h1, h2, b':', m1, m2, b':', s1, s2] = text else {
        return None;
    };
    let (hour, minute, second) = (two(h1, h2)?, two(m1, m2)?, two(s1, s2)?);
    let is_time = hour < 24 && minute < 60 && second < 60;
    is_time.then(|| (i64::from(hour) * 60 + i64::from(minute)) * 60 + i64::from(second))
}

#[inline]
fn two(tens: u8, ones: u8) -> Option<i8> {
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    // At most 99.
    (tens < 10 && ones < 10).then_some((tens * 10 + ones) as i8)
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
        let mut reader = TimeReader::default();
        for (text, expected) in [
            ("01/25/23 13:00:07", "2023-01-25T13:00:07Z"),
            ("01/25/23 13:00:12", "2023-01-25T13:00:12Z"),
            ("01/26/23 00:00:00", "2023-01-26T00:00:00Z"),
        ] {
            assert_eq!(reader.fitbit(text.as_bytes()), Some(seconds(expected)));
        }
        for bad in [
            "",
            "25/01/23 13:00:07",
            "01/25/23",
            "01/25/23 24:00:00",
            "01/25/23T13:00:07",
            "01/25/23 13:00:07 ",
        ] {
            assert_eq!(reader.fitbit(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn iso_times_have_an_offset_or_none() {
        let mut reader = TimeReader::default();
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
            let read = reader.iso(text.as_bytes());
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
            assert_eq!(reader.iso(text.as_bytes()), Some(shown), "{text}");
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
            assert_eq!(reader.iso(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn a_date_and_a_time_may_stand_in_two_columns() {
        let mut reader = TimeReader::default();
        let at = seconds("2024-10-27T00:00:04Z");
        for (date, time) in [
            ("2024-10-27", "00:00:04"),
            ("2024-10-27", "00:00:04.5"),
            ("2024-10-27", "2024-10-27 00:00:04"),
            ("2024-10-27 00:00:04", "evening"),
        ] {
            let read = reader.of_two(date.as_bytes(), time.as_bytes());
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
            let read = reader.of_two(date.as_bytes(), time.as_bytes());
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
            prop_assert_eq!(TimeReader::default().iso(text.as_bytes()).and_then(Written::at), expected);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let mut reader = TimeReader::default();
            reader.fitbit(&bytes);
            reader.iso(&bytes);
            american(&bytes);
        }
    }
}
