//! What a notification says: whose data of which type has changed, and when it was measured.
//!
//! The body is one object or an array of them (observed: up to 99). It has no values, and is read
//! leniently: an interval comes in up to three forms, and one that cannot be read only means that
//! the range is unknown.

use std::{borrow::Cow, fmt};

use jiff::{
    Timestamp,
    civil::{Date, DateTime, Time},
};
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

/// A change of one wearer's data.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Notification {
    /// The wearer's `healthUserId`, exactly as given. Whose it is must be looked up by this and
    /// nothing else; nobody's is nobody's.
    pub health_user_id: String,
    /// The data type in kebab-case, such as `heart-rate`.
    pub data_type: String,
    /// What happened to the data.
    pub operation: Operation,
    /// When the changed data was measured. `None` if that is not said or cannot be read: take it as
    /// today.
    pub range: Option<Range>,
}

/// What happened to the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Operation {
    /// Data was added or changed.
    Upsert,
    /// Data was deleted.
    Delete,
    /// Neither of the two: a word that did not exist when this was written, or none.
    Other,
}

/// When data was measured: from `start` up to `end`, which is not included. If only the start is
/// known, both are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Range {
    /// By instants.
    Physical {
        /// The earliest instant.
        start: Timestamp,
        /// The instant after the last.
        end: Timestamp,
    },
    /// By the wearer's clock, in a zone that the notification does not name.
    Civil {
        /// The earliest time.
        start: DateTime,
        /// The time after the last.
        end: DateTime,
    },
}

/// The notifications of one body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Notifications {
    /// Those that can be read, in their order, which says nothing: it is not promised.
    pub all: Vec<Notification>,
    /// How many could not be read, or were more than [`MAX_NOTIFICATIONS`].
    pub unreadable: usize,
}

impl Notifications {
    /// Reads a body. `None` if there is no notification in it.
    pub(crate) fn parse(body: &[u8]) -> Option<Self> {
        let items: Items<'_> = serde_json::from_slice(body).ok()?;
        let all: Vec<Notification> = items
            .first
            .iter()
            .filter_map(|item| Notification::parse(item))
            .collect();
        let unreadable = items.count - all.len();
        // An empty array is strange, but nothing in it is lost.
        (!all.is_empty() || items.count == 0).then_some(Self { all, unreadable })
    }
}

impl Notification {
    fn parse(item: &RawValue) -> Option<Self> {
        let Item { data } = read(item)?;
        let health_user_id = plain(data.health_user_id, MAX_ID)?;
        let data_type = plain(data.data_type, MAX_DATA_TYPE)?;
        let operation = match data.operation.and_then(read::<Cow<'_, str>>).as_deref() {
            Some("UPSERT") => Operation::Upsert,
            Some("DELETE") => Operation::Delete,
            _ => Operation::Other,
        };
        let range = match (data.intervals, data.civil_iso8601_time_interval) {
            (Some(intervals), _) => Range::of_all(intervals),
            (None, Some(civil)) => iso(civil),
            (None, None) => None,
        };
        Some(Self {
            health_user_id,
            data_type,
            operation,
            range,
        })
    }
}

impl Range {
    /// Returns the range around all intervals, if every one of them can be read in the same way.
    fn of_all(intervals: &RawValue) -> Option<Self> {
        let intervals: Items<'_> = read(intervals)?;
        if intervals.count > intervals.first.len() {
            return None;
        }
        let around = |parse: fn(&Interval<'_>) -> Option<Self>| {
            let mut ranges = intervals.first.iter().map(|item| parse(&read(item)?));
            let first = ranges.next()??;
            ranges.try_fold(first, |range, next| range.around(next?))
        };
        around(|interval| interval.physical()).or_else(|| around(|interval| interval.civil()))
    }

    fn around(self, other: Self) -> Option<Self> {
        match (self, other) {
            (
                Self::Physical { start, end },
                Self::Physical {
                    start: other_start,
                    end: other_end,
                },
            ) => Some(Self::Physical {
                start: start.min(other_start),
                end: end.max(other_end),
            }),
            (
                Self::Civil { start, end },
                Self::Civil {
                    start: other_start,
                    end: other_end,
                },
            ) => Some(Self::Civil {
                start: start.min(other_start),
                end: end.max(other_end),
            }),
            _ => None,
        }
    }
}

#[derive(Deserialize)]
struct Item<'a> {
    #[serde(borrow)]
    data: Written<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a> {
    #[serde(borrow)]
    health_user_id: &'a RawValue,
    #[serde(borrow)]
    data_type: &'a RawValue,
    #[serde(borrow)]
    operation: Option<&'a RawValue>,
    #[serde(borrow)]
    intervals: Option<&'a RawValue>,
    /// Where one client library expects it; elsewhere it is inside of `intervals`.
    #[serde(borrow)]
    civil_iso8601_time_interval: Option<&'a RawValue>,
}

/// An interval, in any of its forms.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Interval<'a> {
    #[serde(borrow)]
    physical_time_interval: Option<&'a RawValue>,
    #[serde(borrow)]
    civil_date_time_interval: Option<&'a RawValue>,
    #[serde(borrow)]
    civil_iso8601_time_interval: Option<&'a RawValue>,
}

/// RFC 3339 with an offset, or ISO 8601 without.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Texts<'a> {
    #[serde(borrow)]
    start_time: Cow<'a, str>,
    #[serde(borrow)]
    end_time: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CivilTimes {
    start_date_time: CivilTime,
    end_date_time: Option<CivilTime>,
}

#[derive(Deserialize)]
struct CivilTime {
    date: CivilDate,
    #[serde(default)]
    time: TimeOfDay,
}

#[derive(Deserialize)]
struct CivilDate {
    year: i16,
    month: i8,
    day: i8,
}

/// Members that are zero are left out: midnight is `{}`.
#[derive(Default, Deserialize)]
#[serde(default)]
struct TimeOfDay {
    hours: i8,
    minutes: i8,
    seconds: i8,
}

impl Interval<'_> {
    fn physical(&self) -> Option<Range> {
        let texts: Texts<'_> = read(self.physical_time_interval?)?;
        let start: Timestamp = texts.start_time.parse().ok()?;
        let end = match texts.end_time {
            Some(end) => end.parse().ok()?,
            None => start,
        };
        (start <= end).then_some(Range::Physical { start, end })
    }

    fn civil(&self) -> Option<Range> {
        let times: Option<CivilTimes> = self.civil_date_time_interval.and_then(read);
        let range = times.and_then(|times| {
            let start = times.start_date_time.read()?;
            let end = match times.end_date_time {
                Some(end) => end.read()?,
                None => start,
            };
            civil(start, end)
        });
        range.or_else(|| iso(self.civil_iso8601_time_interval?))
    }
}

impl CivilTime {
    fn read(&self) -> Option<DateTime> {
        let CivilDate { year, month, day } = self.date;
        let date = Date::new(year, month, day).ok()?;
        let TimeOfDay {
            hours,
            minutes,
            seconds,
        } = self.time;
        // The day after, rather than an hour that the clock does not have (google.type.TimeOfDay).
        if (hours, minutes, seconds) == (24, 0, 0) {
            return Some(date.tomorrow().ok()?.to_datetime(Time::midnight()));
        }
        Some(date.to_datetime(Time::new(hours, minutes, seconds, 0).ok()?))
    }
}

fn iso(interval: &RawValue) -> Option<Range> {
    let texts: Texts<'_> = read(interval)?;
    let start: DateTime = texts.start_time.parse().ok()?;
    let end = match texts.end_time {
        Some(end) => end.parse().ok()?,
        None => start,
    };
    civil(start, end)
}

fn civil(start: DateTime, end: DateTime) -> Option<Range> {
    (start <= end).then_some(Range::Civil { start, end })
}

fn read<'a, T: Deserialize<'a>>(json: &'a RawValue) -> Option<T> {
    serde_json::from_str(json.get()).ok()
}

/// Reads a short text without spaces or control characters.
fn plain(json: &RawValue, max: usize) -> Option<String> {
    let text: Cow<'_, str> = read(json)?;
    let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic());
    (is_plain && (1..=max).contains(&text.len())).then(|| text.into_owned())
}

/// One value, or the values of an array; only the first [`MAX_NOTIFICATIONS`] are kept.
struct Items<'a> {
    first: Vec<&'a RawValue>,
    count: usize,
}

impl<'de> Deserialize<'de> for Items<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?;
        if !raw.get().starts_with('[') {
            return Ok(Self {
                first: vec![raw],
                count: 1,
            });
        }
        let mut array = serde_json::Deserializer::from_str(raw.get());
        array
            .deserialize_seq(ItemsVisitor)
            .map_err(serde::de::Error::custom)
    }
}

struct ItemsVisitor;

impl<'de> Visitor<'de> for ItemsVisitor {
    type Value = Items<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Items<'de>, A::Error> {
        let mut first = Vec::new();
        while first.len() < MAX_NOTIFICATIONS {
            match seq.next_element()? {
                Some(item) => first.push(item),
                None => break,
            }
        }
        let mut count = first.len();
        while seq.next_element::<IgnoredAny>()?.is_some() {
            count += 1;
        }
        Ok(Items { first, count })
    }
}

/// How many notifications of one body are read, and how many intervals of one notification. At most
/// 99 notifications were observed.
pub const MAX_NOTIFICATIONS: usize = 1000;

/// An id that was observed has 18 digits.
const MAX_ID: usize = 128;

/// The longest name of a data type has some forty characters.
const MAX_DATA_TYPE: usize = 64;

#[cfg(test)]
mod tests;
