//! `list` and `reconcile` (Google Health API, dataPoints.list and dataPoints.reconcile).
//!
//! `list` shows every source separately: the tracker, and a phone app that wrote to Health Connect
//! in some hours. `reconcile` shows one merged stream, which is the tracker's.

use std::cmp::Reverse;

use hyper::StatusCode;
use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, DateTime},
    tz::{Offset, TimeZone},
};
use serde_json::{Map, Value, json};

use super::{
    Family,
    data_type::{Data, DataType},
    error,
    filter::Range,
    page, zones,
};
use crate::{
    cloud::Call,
    message::{Params, Reply, with},
    settings::PageSizes,
    wearer::{MINUTE, Resting, Sample, Synced, buckets, day_bounds},
};

/// The call to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum View {
    List,
    Reconcile,
}

/// Answers either call.
pub(super) fn answer(
    view: View,
    data_type: &DataType,
    params: &Params,
    call: &Call<'_>,
    sizes: PageSizes,
) -> Result<Reply, Box<Reply>> {
    let filter = params.get("filter").unwrap_or_default();
    let range = Range::parse(filter, data_type).map_err(|wrong| {
        let metadata = json!({ "detailedReasons": wrong.reason });
        let code = StatusCode::BAD_REQUEST;
        error::reply(code, Some(wrong.reason), wrong.message, &metadata)
    })?;
    let family_name = params.get("dataSourceFamily").unwrap_or_default();
    let family = Family::parse(family_name, call.wearer.who)?;
    if view == View::List && !family_name.is_empty() && !data_type.lists_by_family() {
        return error::refuse(
            "INVALID_DATA_POINT_DATA_SOURCE_FAMILY",
            "The data type cannot be listed by data source family.",
        );
    }
    let (default, max) = data_type.page_sizes().unwrap_or(match sizes {
        PageSizes::Documented => (1440, 10_000),
        PageSizes::Observed => (50, 5_000),
    });
    let size = page::size(page::parse_size(params.get("pageSize"))?, default, max)?;
    let name = match view {
        View::List => "list",
        View::Reconcile => "reconcile",
    };
    let tokens = page::Tokens::bound_to(
        call.wearer.who,
        &[name, data_type.name, filter, family_name, &size.to_string()],
    );
    let position = tokens.open(params.get("pageToken"))?;
    let position = position.as_deref().unwrap_or(START);
    if call.empty_page {
        return Ok(tokens.empty_page(position));
    }
    let after = match position {
        START => None,
        position => Some(Key::parse(position).ok_or_else(page::refused)?),
    };
    let walk = Walk {
        data_type,
        range,
        view,
        family,
        wearer: call.wearer,
        after,
        wanted: size + 1,
    };
    let mut points = walk.points();
    let more = points.len() > size;
    points.truncate(size);
    let next = match points.last() {
        None => return Ok(Reply::ok(&json!({}))),
        Some((key, _)) if more => tokens.seal(&key.to_string()),
        Some(_) => String::new(),
    };
    let points: Vec<Value> = points.into_iter().map(|(_, point)| point).collect();
    let body = json!({ "dataPoints": points, "nextPageToken": next });
    Ok(Reply::ok(&body))
}

/// The sort key of the points, newest first: time, then source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    nanosecond: i128,
    source: u8,
}

impl Key {
    /// Returns the key of a point from the wearer's main source.
    fn main(at: Timestamp) -> Self {
        Self {
            nanosecond: at.as_nanosecond(),
            source: MAIN,
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let (nanosecond, source) = text.split_once(':')?;
        Some(Self {
            nanosecond: nanosecond.parse().ok()?,
            source: source.parse().ok()?,
        })
    }

    fn at(self) -> Option<Timestamp> {
        Timestamp::from_nanosecond(self.nanosecond).ok()
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.nanosecond, self.source)
    }
}

/// The walk back in time for one page.
struct Walk<'a> {
    data_type: &'a DataType,
    range: Range,
    view: View,
    family: Family,
    wearer: &'a Synced<'a>,
    /// The last point of the previous page.
    after: Option<Key>,
    wanted: usize,
}

impl Walk<'_> {
    /// Returns as many points as are wanted, newest first; with days, all of the last one.
    fn points(&self) -> Vec<(Key, Value)> {
        match self.data_type.data {
            None => Vec::new(),
            Some(Data::HeartRate) => self.heart_rate(),
            Some(data @ (Data::DailyRestingHeartRate | Data::DailyHeartRateZones)) => {
                self.days(|day| Vec::from_iter(self.daily_point(data, day)))
            }
            Some(Data::TimeInHeartRateZone) => self.days(|day| self.stays(day)),
        }
    }

    fn heart_rate(&self) -> Vec<(Key, Value)> {
        let zone = self.wearer.time_zone();
        let (from, to) = self.physical_bounds();
        let mut points = Vec::new();
        let mut end = to;
        while end > from && points.len() < self.wanted {
            let start = end.checked_sub(CHUNK).unwrap_or(from).max(from);
            let mut chunk = self.chunk(start, end);
            chunk.sort_unstable_by_key(|(key, _)| Reverse(*key));
            for (key, sample) in chunk {
                if points.len() == self.wanted {
                    break;
                }
                let offset = zone.to_offset(sample.at);
                let civil = offset.to_datetime(sample.at);
                let is_new = self.after.is_none_or(|after| key < after);
                if is_new
                    && self.range.physical.contains(sample.at)
                    && self.range.civil.contains(civil)
                {
                    let point = self.heart_rate_point(sample, key.source, offset, civil);
                    points.push((key, point));
                }
            }
            end = start;
        }
        points
    }

    /// Returns instants that enclose the range; civil bounds may lie a day to either side.
    fn physical_bounds(&self) -> (Timestamp, Timestamp) {
        let day = SignedDuration::from_hours(26);
        let shifted = |civil: DateTime, by| {
            let utc = civil.to_zoned(TimeZone::UTC).ok()?.timestamp();
            utc.checked_add(by).ok()
        };
        let Range { physical, civil } = self.range;
        let civil_start = civil.start.and_then(|start| shifted(start, -day));
        let civil_end = civil.end.and_then(|end| shifted(end, day));
        let starts = [physical.start, civil_start].into_iter().flatten();
        let from = starts.fold(self.wearer.since(), Timestamp::max);
        // The last point can have a neighbour from another source at the same instant.
        let after = self
            .after
            .and_then(Key::at)
            .and_then(|at| at.checked_add(MINUTE).ok());
        let ends = [physical.end, civil_end, after].into_iter().flatten();
        (from, ends.fold(self.wearer.last_sync(), Timestamp::min))
    }

    fn chunk(&self, start: Timestamp, end: Timestamp) -> Vec<(Key, Sample)> {
        let mut points = Vec::new();
        let key = |sample: &Sample, source| Key {
            nanosecond: sample.at.as_nanosecond(),
            source,
        };
        if self.family.has_main(self.wearer) {
            let samples = self.wearer.samples(start, end);
            points.extend(samples.iter().map(|s| (key(s, MAIN), *s)));
        }
        let shows_phone_app = self.wearer.is_wearable() && self.family.has_health_connect();
        if self.view == View::List && shows_phone_app {
            let samples = phone_app(self.wearer, start, end);
            points.extend(samples.iter().map(|s| (key(s, PHONE_APP), *s)));
        }
        points
    }

    fn heart_rate_point(
        &self,
        sample: Sample,
        source: u8,
        offset: Offset,
        civil: DateTime,
    ) -> Value {
        let point = json!({
            "heartRate": {
                "sampleTime": {
                    "physicalTime": sample.at.to_string(),
                    "utcOffset": format!("{}s", offset.seconds()),
                    "civilTime": civil_time(civil),
                },
                "beatsPerMinute": sample.bpm.to_string(),
                "metadata": {
                    "motionContext": if sample.bpm > 100 { "ACTIVE" } else { "SEDENTARY" },
                    "sensorLocation": "WRIST",
                },
            },
        });
        let is_tracker = source == MAIN && self.wearer.is_wearable();
        let source = if is_tracker {
            json!({
                "recordingMethod": "PASSIVELY_MEASURED",
                "device": { "displayName": "Charge 6" },
                "platform": "FITBIT",
            })
        } else {
            json!({
                "recordingMethod": "ACTIVELY_MEASURED",
                "device": { "formFactor": "PHONE", "manufacturer": "Example" },
                "application": { "packageName": "com.example.gym" },
                "platform": "HEALTH_CONNECT",
            })
        };
        match self.view {
            View::List => with(point, "dataSource", source),
            View::Reconcile => point,
        }
    }

    /// Walks back day by day, with the points of each, newest first.
    fn days(&self, points_of: impl Fn(Date) -> Vec<(Key, Value)>) -> Vec<(Key, Value)> {
        let mut points = Vec::new();
        // Data derived from the samples is derived only from a tracker's.
        if !self.family.has_main(self.wearer) || !self.wearer.is_wearable() {
            return points;
        }
        let zone = self.wearer.time_zone();
        let (from, to) = self.physical_bounds();
        let mut day = to.to_zoned(zone.clone()).date();
        let first = from.to_zoned(zone.clone()).date();
        while day >= first && points.len() < self.wanted {
            points.extend(
                points_of(day)
                    .into_iter()
                    .filter(|(key, _)| self.after.is_none_or(|after| *key < after)),
            );
            let Ok(yesterday) = day.yesterday() else {
                break;
            };
            day = yesterday;
        }
        points
    }

    /// Returns a day's one point, if the day is in the range and has one.
    fn daily_point(&self, data: Data, day: Date) -> Option<(Key, Value)> {
        let midnight = day.to_datetime(jiff::civil::Time::midnight());
        if !self.range.civil.contains(midnight) {
            return None;
        }
        let value = match data {
            Data::DailyHeartRateZones => {
                let (from, to) = day_bounds(day, self.wearer.time_zone())?;
                if self.wearer.samples(from, to).is_empty() {
                    return None;
                }
                json!({ "heartRateZones": zones::limits() })
            }
            _ => resting(self.wearer.resting(day)?),
        };
        let value = with(value, "date", date(midnight));
        let at = midnight.to_zoned(TimeZone::UTC).ok()?.timestamp();
        Some((Key::main(at), self.derived(value)))
    }

    /// Returns a day's stays in zones within the range, newest first.
    fn stays(&self, day: Date) -> Vec<(Key, Value)> {
        let zone = self.wearer.time_zone();
        let Some((from, to)) = day_bounds(day, zone) else {
            return Vec::new();
        };
        let stays = zones::stays(&self.wearer.samples(from, to), from);
        let civil = |at: Timestamp| zone.to_offset(at).to_datetime(at);
        let offset = |at: Timestamp| format!("{}s", zone.to_offset(at).seconds());
        let is_asked_for = |stay: &&zones::Stay| {
            self.range.physical.contains(stay.start) && self.range.civil.contains(civil(stay.start))
        };
        let point = |stay: &zones::Stay| {
            let value = json!({
                "interval": {
                    "startTime": stay.start.to_string(),
                    "startUtcOffset": offset(stay.start),
                    "endTime": stay.end.to_string(),
                    "endUtcOffset": offset(stay.end),
                    "civilStartTime": civil_time(civil(stay.start)),
                    "civilEndTime": civil_time(civil(stay.end)),
                },
                "heartRateZoneType": stay.zone,
            });
            (Key::main(stay.start), self.derived(value))
        };
        let asked_for = stays.iter().rev().filter(is_asked_for);
        asked_for.map(point).collect()
    }

    /// Returns a point that is computed from samples.
    fn derived(&self, value: Value) -> Value {
        let point = json!({ self.data_type.member_name(): value });
        if self.view == View::Reconcile {
            return point;
        }
        let source = json!({ "recordingMethod": "DERIVED", "platform": "FITBIT" });
        with(point, "dataSource", source)
    }
}

fn resting(resting: Resting) -> Value {
    let method = if resting.with_sleep {
        "WITH_SLEEP"
    } else {
        "ONLY_WITH_AWAKE_DATA"
    };
    json!({
        "beatsPerMinute": resting.bpm.to_string(),
        "dailyRestingHeartRateMetadata": { "calculationMethod": method },
    })
}

/// Returns the samples that a phone app wrote to Health Connect: in every fourth hour one value a
/// minute, at second 30, one beat above the tracker's mean.
fn phone_app(wearer: &Synced<'_>, start: Timestamp, end: Timestamp) -> Vec<Sample> {
    let minute_of = |at: Timestamp| at.as_second().div_euclid(60);
    let (first, last) = (minute_of(start), minute_of(end) + 1);
    let instant = |second| Timestamp::from_second(second).unwrap_or(Timestamp::MAX);
    let samples = wearer.samples(instant(first * 60), instant(last * 60));
    let mut values = Vec::new();
    for bucket in buckets(&samples, Timestamp::UNIX_EPOCH, MINUTE) {
        let at = instant(bucket.index * 60 + 30);
        let is_used = bucket.index.div_euclid(60).rem_euclid(4) == 1;
        if is_used && start <= at && at < end && at < wearer.last_sync() {
            let bpm = u16::try_from(bucket.rounded() + 1).unwrap_or(300).min(300);
            values.push(Sample { at, bpm });
        }
    }
    values
}

/// Returns a `CivilDateTime`; members that are zero are left out.
pub(super) fn civil_time(civil: DateTime) -> Value {
    let mut time = Map::new();
    let members: [(&str, i64); 4] = [
        ("hours", civil.hour().into()),
        ("minutes", civil.minute().into()),
        ("seconds", civil.second().into()),
        ("nanos", civil.subsec_nanosecond().into()),
    ];
    for (name, value) in members {
        if value != 0 {
            time.insert(name.to_owned(), value.into());
        }
    }
    json!({ "date": date(civil), "time": time })
}

fn date(civil: DateTime) -> Value {
    json!({ "year": civil.year(), "month": civil.month(), "day": civil.day() })
}

/// The position of a first page.
const START: &str = "start";

const MAIN: u8 = 1;
const PHONE_APP: u8 = 0;

/// How much time one step back covers.
const CHUNK: SignedDuration = SignedDuration::from_hours(24);
