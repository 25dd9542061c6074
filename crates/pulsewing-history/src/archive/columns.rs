//! The meaning of CSV columns.

use super::{FileError, find::shown};

/// The maximum length of an unknown header in a message, in characters.
const MAX_TOLD: usize = 120;

/// The names of columns with a time and with a rate, in lower case and with spaces.
const TIMES: [&str; 10] = [
    "time",
    "timestamp",
    "datetime",
    "date time",
    "date/time",
    "start time",
    "starttime",
    "start date",
    "startdate",
    "recorded at",
];
const RATES: [&str; 10] = [
    "bpm",
    "beats per minute",
    "heart rate",
    "heartrate",
    "heart rate bpm",
    "heart rate (bpm)",
    "heart rate (count/min)",
    "hr",
    "hr (bpm)",
    "pulse",
];

/// A value for each column that matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Columns<T> {
    /// The date, if it has a separate column.
    pub(crate) date: T,
    pub(crate) time: T,
    pub(crate) rate: T,
    pub(crate) device: T,
    pub(crate) offset: T,
    pub(crate) zone: T,
    pub(crate) resting: T,
    pub(crate) person: T,
}

/// The positions of the columns; `None` for one that the file does not have.
pub(super) type Places = Columns<Option<usize>>;

/// A line of samples. A field is empty if the file has no such column.
pub(crate) type Line<'a> = Columns<&'a [u8]>;

impl<T> Columns<T> {
    #[inline]
    fn map<U>(self, mut each: impl FnMut(T) -> U) -> Columns<U> {
        Columns {
            date: each(self.date),
            time: each(self.time),
            rate: each(self.rate),
            device: each(self.device),
            offset: each(self.offset),
            zone: each(self.zone),
            resting: each(self.resting),
            person: each(self.person),
        }
    }
}

impl Places {
    /// Returns the last column that we need.
    pub(super) fn last(&self) -> usize {
        let mut last = 0;
        self.map(|place| last = last.max(place.unwrap_or_default()));
        last
    }
}

/// The kind of a file's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Header {
    /// An export's.
    Export,
    /// `pulsewing export`'s.
    Own,
    /// A data set of several people.
    People,
    /// Any other.
    Recording,
}

/// The fields of a line.
pub(super) struct Fields<'a> {
    pub(super) line: &'a [u8],
    /// The end of each field.
    pub(super) ends: &'a [usize],
    /// The number of bytes between two fields.
    pub(super) between: usize,
}

impl<'a> Fields<'a> {
    #[inline]
    fn get(&self, column: usize) -> &'a [u8] {
        let start = match column.checked_sub(1) {
            Some(before) => self.ends.get(before).map(|end| end + self.between),
            None => Some(0),
        };
        start
            .zip(self.ends.get(column).copied())
            .and_then(|(start, end)| self.line.get(start..end))
            .unwrap_or_default()
            .trim_ascii()
    }

    #[inline]
    pub(super) fn line(&self, places: &Places) -> Line<'a> {
        places.map(|column| column.map_or(&[][..], |column| self.get(column)))
    }

    /// Returns whether the line precedes a header, or replaces one.
    pub(super) fn says_nothing(&self) -> bool {
        let first = self.get(0);
        first.starts_with(b"sep=") || (self.ends.len() <= 1 && matches!(first, b"" | b"no data"))
    }

    /// Finds the columns by their names.
    ///
    /// # Errors
    /// [`FileError`] that names the missing one.
    pub(super) fn columns(&self) -> Result<(Header, Places), FileError> {
        let names: Vec<String> = (0..self.ends.len())
            .map(|column| {
                let name = String::from_utf8_lossy(self.get(column)).to_lowercase();
                name.replace(['_', '-'], " ")
            })
            .collect();
        let find = |wanted: &str| names.iter().position(|name| name == wanted);
        let first = |wanted: &[&str]| wanted.iter().find_map(|name| find(name));
        let device = find("data source");
        let places = Places {
            time: find("timestamp"),
            rate: find("beats per minute"),
            device,
            ..Places::default()
        };
        if places.time.and(places.rate).is_some() {
            return Ok((Header::Export, places));
        }
        let places = Places {
            person: find("id"),
            time: find("time"),
            rate: find("value"),
            device,
            ..Places::default()
        };
        if places.person.and(places.time).and(places.rate).is_some() {
            return Ok((Header::People, places));
        }
        let time = first(&TIMES).or_else(|| find("date"));
        let places = Places {
            date: find("date").filter(|date| Some(*date) != time),
            time,
            rate: first(&RATES),
            device,
            ..Places::default()
        };
        match (time, places.rate) {
            (Some(_), Some(_)) => {}
            (Some(_), None) => return Err(FileError::NoRate(self.told())),
            (None, Some(_)) => return Err(FileError::NoTime(self.told())),
            (None, None) => return Err(FileError::Columns(self.told())),
        }
        Ok(match (find("offset"), find("zone")) {
            (offset @ Some(_), zone @ Some(_)) => {
                let resting = find("resting bpm");
                let places = Places {
                    offset,
                    zone,
                    resting,
                    ..places
                };
                (Header::Own, places)
            }
            _ => (Header::Recording, places),
        })
    }

    /// Returns the header for a message.
    fn told(&self) -> String {
        let names: Vec<_> = (0..self.ends.len())
            .map(|column| String::from_utf8_lossy(self.get(column)))
            .collect();
        let told: String = shown(&names.join(", ")).chars().take(MAX_TOLD).collect();
        format!("\"{told}\"")
    }
}

/// Reads a rate in thousandths of a beat per minute; returns `None` when it is not a rate. In some
/// countries a comma precedes the fraction.
#[inline]
pub(crate) fn rate(text: &[u8]) -> Option<u32> {
    let end = text.iter().position(|byte| matches!(byte, b'.' | b','));
    let (whole, fraction) = text.split_at_checked(end.unwrap_or(text.len()))?;
    if whole.is_empty() || whole.len() > 4 {
        return None;
    }
    let mut thousandths: u32 = 0;
    let digit = |byte: u8| byte.is_ascii_digit().then(|| u32::from(byte - b'0'));
    for byte in whole {
        thousandths = thousandths * 10 + digit(*byte)?;
    }
    thousandths *= 1_000;
    for (place, byte) in fraction.iter().skip(1).enumerate() {
        let digit = digit(*byte)?;
        thousandths += match place {
            0 => digit * 100,
            1 => digit * 10,
            2 => digit,
            3 => u32::from(digit >= 5),
            _ => 0,
        };
    }
    // A rate is at most 1,000 beats per minute.
    (thousandths <= 1_000_000).then_some(thousandths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_number_within_reason() {
        assert_eq!(rate(b"65.0"), Some(65_000));
        assert_eq!(rate(b"65.4996"), Some(65_500));
        assert_eq!(rate(b"48,5"), Some(48_500));
        assert_eq!(rate(b"300"), Some(300_000));
        for bad in [
            "", "x", "-1", "1e999", "NaN", "inf", "1001", ".5", "1.2.3", "99999",
        ] {
            assert_eq!(rate(bad.as_bytes()), None, "{bad}");
        }
    }
}
