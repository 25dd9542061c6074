//! Times as exports write them.

use jiff::{Timestamp, civil::Date, civil::DateTime, tz::Offset};

/// The years that a time may be of. What is later than now is left out where samples are gathered.
const YEARS: std::ops::Range<i16> = 2_000..9_999;

/// Reads times, and remembers the date of the last one: it is nearly always the next one's.
#[derive(Debug, Default)]
pub(crate) struct TimeReader {
    text: [u8; 10],
    length: usize,
    midnight: i64,
}

/// A time as a file has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    /// An instant, in seconds since 1970.
    Instant(i64),
    /// What some clock showed, as seconds after the beginning of 1970 on it.
    Clock(i64),
}

impl TimeReader {
    /// Reads `MM/DD/YY HH:MM:SS`; of which clock, it does not say.
    #[inline]
    pub(crate) fn fitbit(&mut self, text: &[u8]) -> Option<i64> {
        let (date, time) = text.split_first_chunk::<8>()?;
        let of_day = match time {
            [b' ', time @ ..] => of_day(time)?,
            _ => return None,
        };
        Some(self.midnight(date, fitbit_date)? + of_day)
    }

    /// Reads ISO 8601 with or without an offset.
    #[inline]
    pub(crate) fn iso(&mut self, text: &[u8]) -> Option<Written> {
        if let Some((date, [b'T', time @ .., b'Z'])) = text.split_first_chunk::<10>()
            && let Some(of_day) = of_day(time)
        {
            return Some(Written::Instant(self.midnight(date, iso_date)? + of_day));
        }
        let text = str::from_utf8(text).ok()?;
        if let Ok(at) = text.parse::<Timestamp>() {
            let is_near = YEARS.contains(&Offset::UTC.to_datetime(at).year());
            return is_near.then_some(Written::Instant(at.as_second()));
        }
        let shown: DateTime = text.parse().ok()?;
        let at = Offset::UTC.to_timestamp(shown).ok()?;
        YEARS
            .contains(&shown.year())
            .then_some(Written::Clock(at.as_second()))
    }

    #[inline]
    fn midnight(&mut self, text: &[u8], date: fn(&[u8]) -> Option<Date>) -> Option<i64> {
        if self.text.get(..self.length) != Some(text) {
            let read = date(text)?;
            let midnight = Offset::UTC.to_timestamp(read.at(0, 0, 0, 0)).ok()?;
            self.length = 0;
            self.text.get_mut(..text.len())?.copy_from_slice(text);
            self.length = text.len();
            self.midnight = midnight.as_second();
        }
        Some(self.midnight)
    }
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
        let at = Written::Instant(seconds("2024-10-27T00:00:04Z"));
        for text in [
            "2024-10-27T00:00:04Z",
            "2024-10-27T00:00:04.5Z",
            "2024-10-27T02:00:04+02:00",
        ] {
            assert_eq!(reader.iso(text.as_bytes()), Some(at), "{text}");
        }
        let shown = Written::Clock(seconds("2024-10-27T00:00:04Z"));
        assert_eq!(reader.iso(b"2024-10-27T00:00:04"), Some(shown));
        for bad in [
            "",
            "no data",
            "9999-10-27T00:00:04Z",
            "2024-13-27T00:00:04Z",
            "1999-12-31T00:00:00+00:00",
        ] {
            assert_eq!(reader.iso(bad.as_bytes()), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn the_short_way_agrees_with_the_librarys(
            text in "20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-5][0-9]Z"
        ) {
            let expected = text.parse::<Timestamp>().ok().map(|at| Written::Instant(at.as_second()));
            prop_assert_eq!(TimeReader::default().iso(text.as_bytes()), expected);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let mut reader = TimeReader::default();
            reader.fitbit(&bytes);
            reader.iso(&bytes);
        }
    }
}
