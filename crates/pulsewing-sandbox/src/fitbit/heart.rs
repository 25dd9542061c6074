//! Fitbit's heart rate by date, intraday and summary
//! (Fitbit Web API, Get Heart Rate Intraday by Date and by Interval, Get Heart Rate Time Series).

use hyper::StatusCode;
use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, Time},
    tz::TimeZone,
};
use serde_json::{Value, json};

use super::error;
use crate::{
    cloud::Call,
    message::{Reply, with},
    wearer::{
        Bucket, MINUTE, Synced, buckets, day_bounds,
        zones::{HIGHEST, LOWEST, MODERATE, PEAK, VIGOROUS},
    },
};

/// Answers the part of the path after `/activities/heart/date/`, without `.json`.
pub(super) fn answer(rest: &str, call: &Call<'_>) -> Reply {
    if call.empty_page {
        return empty();
    }
    let (wearer, now) = (call.wearer, call.now);
    let zone = match call.request.query_params().get("timezone") {
        None => wearer.time_zone().clone(),
        Some("UTC") => TimeZone::UTC,
        Some(other) => return validation("timezone", &format!("Invalid time zone: {other}")),
    };
    let answer = match Query::parse(rest, now, &zone) {
        Ok(Query::Intraday(intraday)) => intraday.answer(wearer, &zone),
        Ok(Query::Summary { first, last }) => summary(first, last, wearer, &zone),
        Err(reply) => return *reply,
    };
    answer.unwrap_or_else(|| validation("date", "The date is out of range."))
}

/// Returns the reply for a day without data.
fn empty() -> Reply {
    let body = json!({
        "activities-heart": [],
        "activities-heart-intraday": { "dataset": [], "datasetInterval": 1, "datasetType": "minute" },
    });
    Reply::ok(&body)
}

#[derive(Debug, PartialEq, Eq)]
enum Query {
    Intraday(Intraday),
    Summary { first: Date, last: Date },
}

#[derive(Debug, PartialEq, Eq)]
struct Intraday {
    first: Date,
    last: Date,
    /// The date as the client wrote it, which the windowed form echoes.
    word: String,
    detail: Detail,
    /// The clock times to which the reply is limited, both inclusive.
    window: Option<(Time, Time)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Detail {
    Second,
    Minutes(i32),
}

impl Query {
    fn parse(rest: &str, now: Timestamp, zone: &TimeZone) -> Result<Self, Box<Reply>> {
        let parts: Vec<&str> = rest.split('/').collect();
        let date = |word: &str| parse_date(word, now, zone);
        match parts.as_slice() {
            [end, period] if days_of(period).is_some() => {
                let last = date(end)?;
                let days = days_of(period).unwrap_or(1);
                let first = last
                    .checked_sub(jiff::Span::new().days(days - 1))
                    .unwrap_or(last);
                Ok(Self::Summary { first, last })
            }
            [start, end] => {
                let (first, last) = (date(start)?, date(end)?);
                if first > last || first.until(last).map_or(true, |span| span.get_days() > 365) {
                    return Err(Box::new(validation(
                        "date",
                        "The range of dates is not valid.",
                    )));
                }
                Ok(Self::Summary { first, last })
            }
            [start, end, detail, window @ ..] => {
                let first = date(start)?;
                let last = if *end == "1d" { first } else { date(end)? };
                let detail = parse_detail(detail)?;
                let window = parse_window(window)?;
                let intraday = Intraday {
                    first,
                    last,
                    word: (*start).to_owned(),
                    detail,
                    window,
                };
                intraday.check_range()?;
                Ok(Self::Intraday(intraday))
            }
            _ => Err(Box::new(error::not_found())),
        }
    }
}

impl Intraday {
    fn check_range(&self) -> Result<(), Box<Reply>> {
        let (from, to) = self.window.unwrap_or((Time::midnight(), Time::midnight()));
        let span = self
            .last
            .to_datetime(to)
            .duration_since(self.first.to_datetime(from));
        if span.is_negative() {
            return Err(Box::new(validation(
                "date",
                "The end lies before the start.",
            )));
        }
        if span > SignedDuration::from_hours(24)
            || (self.window.is_none() && self.first != self.last)
        {
            return Err(Box::new(error::field(
                StatusCode::BAD_REQUEST,
                "request",
                "n/a",
                "Time range should not be bigger than 24 hours.",
            )));
        }
        Ok(())
    }

    fn answer(&self, wearer: &Synced<'_>, zone: &TimeZone) -> Option<Reply> {
        let (midnight, day_end) = day_bounds(self.first, zone)?;
        let (from, to) = match self.window {
            None => (midnight, day_end),
            Some((from, to)) => {
                let at = |date: Date, time| {
                    Some(
                        date.to_datetime(time)
                            .to_zoned(zone.clone())
                            .ok()?
                            .timestamp(),
                    )
                };
                (
                    at(self.first, from)?,
                    at(self.last, to)?.checked_add(MINUTE).ok()?,
                )
            }
        };
        let samples = wearer.samples(from, to);
        let clock = |at: Timestamp| at.to_zoned(zone.clone()).strftime("%H:%M:%S").to_string();
        let (interval, kind) = match self.detail {
            Detail::Second => (1, "second"),
            Detail::Minutes(minutes) => (minutes, "minute"),
        };
        let dataset: Vec<Value> = match self.detail {
            Detail::Second => samples
                .iter()
                .map(|sample| json!({ "time": clock(sample.at), "value": sample.bpm }))
                .collect(),
            Detail::Minutes(minutes) => {
                let width = MINUTE * minutes;
                let entry = |bucket: &Bucket| {
                    let start = midnight
                        .checked_add(width * i32::try_from(bucket.index).ok()?)
                        .ok()?;
                    Some(json!({ "time": clock(start), "value": bucket.rounded() }))
                };
                buckets(&samples, midnight, width)
                    .iter()
                    .filter_map(entry)
                    .collect()
            }
        };
        let zones = zones(&buckets(&samples, midnight, MINUTE));
        let heart = if self.window.is_some() {
            let sum: f64 = samples.iter().map(|sample| f64::from(sample.bpm)).sum();
            let count = samples.len().max(1);
            #[expect(
                clippy::cast_precision_loss,
                reason = "a day has far fewer than 2^53 samples"
            )]
            let mean = sum / count as f64;
            json!({
                "customHeartRateZones": [],
                "dateTime": self.word,
                "heartRateZones": zones,
                "value": format!("{mean:.2}"),
            })
        } else {
            day_summary(self.first, zones, wearer)
        };
        let body = json!({
            "activities-heart": [heart],
            "activities-heart-intraday": {
                "dataset": dataset,
                "datasetInterval": interval,
                "datasetType": kind,
            },
        });
        Some(Reply::ok(&body))
    }
}

fn summary(first: Date, last: Date, wearer: &Synced<'_>, zone: &TimeZone) -> Option<Reply> {
    let mut days = Vec::new();
    let mut day = first;
    while day <= last {
        let (from, to) = day_bounds(day, zone)?;
        let zones = zones(&buckets(&wearer.samples(from, to), from, MINUTE));
        days.push(day_summary(day, zones, wearer));
        day = day.tomorrow().ok()?;
    }
    Some(Reply::ok(&json!({ "activities-heart": days })))
}

/// Returns a day's entry; it has no resting heart rate until that is known.
fn day_summary(day: Date, zones: Value, wearer: &Synced<'_>) -> Value {
    let mut value = json!({ "customHeartRateZones": [], "heartRateZones": zones });
    if let Some(resting) = wearer.resting(day) {
        value = with(value, "restingHeartRate", resting.bpm);
    }
    json!({ "dateTime": day.to_string(), "value": value })
}

/// Returns the minutes and energy spent in each heart-rate zone.
fn zones(minutes: &[Bucket]) -> Value {
    let entry = |(name, min, max): &(&str, u64, u64)| {
        // The lowest zone includes everything below it, and the highest everything above it.
        let floor = if *min == LOWEST { 0 } else { *min };
        let ceiling = if *max == HIGHEST { u64::MAX } else { *max };
        let inside: Vec<u64> = minutes
            .iter()
            .map(Bucket::rounded)
            .filter(|bpm| (floor..ceiling).contains(bpm))
            .collect();
        // About 1.2 kcal per minute at rest, and about 0.1 more for each beat above 60.
        let tenths: u64 = inside.iter().map(|bpm| 12 + bpm.saturating_sub(60)).sum();
        let kcal = f64::from(u32::try_from(tenths).unwrap_or(u32::MAX)) / 10.0;
        json!({ "caloriesOut": kcal, "max": max, "min": min, "minutes": inside.len(), "name": name })
    };
    ZONES.iter().map(entry).collect()
}

fn days_of(period: &str) -> Option<i64> {
    Some(match period {
        "1d" => 1,
        "7d" | "1w" => 7,
        "30d" | "1m" => 30,
        _ => return None,
    })
}

fn parse_date(word: &str, now: Timestamp, zone: &TimeZone) -> Result<Date, Box<Reply>> {
    if word == "today" {
        return Ok(now.to_zoned(zone.clone()).date());
    }
    let date: Option<Date> = word.parse().ok().filter(|_| word.len() == 10);
    date.ok_or_else(|| Box::new(validation("date", &format!("Invalid date: {word}"))))
}

fn parse_detail(word: &str) -> Result<Detail, Box<Reply>> {
    Ok(match word {
        "1sec" => Detail::Second,
        "1min" => Detail::Minutes(1),
        "5min" => Detail::Minutes(5),
        "15min" => Detail::Minutes(15),
        _ => {
            return Err(Box::new(validation(
                "detail-level",
                &format!("Invalid detail level: {word}"),
            )));
        }
    })
}

fn parse_window(parts: &[&str]) -> Result<Option<(Time, Time)>, Box<Reply>> {
    let time = |word: &str| {
        let time: Option<Time> = word.parse().ok().filter(|_| word.len() == 5);
        time.ok_or_else(|| Box::new(validation("time", &format!("Invalid time: {word}"))))
    };
    match parts {
        [] => Ok(None),
        ["time", from, to] => Ok(Some((time(from)?, time(to)?))),
        _ => Err(Box::new(error::not_found())),
    }
}

fn validation(field: &str, message: &str) -> Reply {
    error::field(StatusCode::BAD_REQUEST, "validation", field, message)
}

/// The zones, from the lowest; the upper limit is exclusive. They are based on the heart-rate reserve, as
/// Fitbit's have been since 2020.
const ZONES: [(&str, u64, u64); 4] = [
    ("Out of Range", LOWEST, MODERATE),
    ("Fat Burn", MODERATE, VIGOROUS),
    ("Cardio", VIGOROUS, PEAK),
    ("Peak", PEAK, HIGHEST),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(rest: &str) -> Result<Query, u16> {
        let now = "2026-11-22T23:30:00Z".parse().unwrap();
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        Query::parse(rest, now, &zone).map_err(|reply| reply.status.as_u16())
    }

    #[test]
    fn today_is_the_wearers_day() {
        let Ok(Query::Intraday(intraday)) = parse("today/1d/1min") else {
            panic!("refused")
        };
        assert_eq!(intraday.first, jiff::civil::date(2026, 11, 23));
        assert_eq!(intraday.detail, Detail::Minutes(1));
    }

    #[test]
    fn ranges_and_details_are_checked() {
        assert!(parse("2026-11-20/2026-11-20/1sec").is_ok());
        assert!(parse("2026-11-20/2026-11-21/1min/time/12:00/12:00").is_ok());
        assert!(parse("2026-11-20/7d").is_ok());
        assert!(parse("2026-11-20/2026-11-21").is_ok());
        for (rest, status) in [
            ("2026-11-20/2026-11-21/1min", 400),
            ("2026-11-20/2026-11-21/1min/time/12:00/12:01", 400),
            ("2026-11-21/2026-11-20/1min/time/00:00/00:01", 400),
            ("2026-13-01/1d/1min", 400),
            ("today/1d/2min", 400),
            ("today/1d/1min/time/25:00/26:00", 400),
            ("today/1d/1min/at/12:00/13:00", 404),
            ("today", 404),
        ] {
            assert_eq!(parse(rest).unwrap_err(), status, "{rest}");
        }
    }

    #[test]
    fn every_minute_lies_in_one_zone() {
        let bucket = |bpm: u16| Bucket {
            index: 0,
            count: 1,
            sum: bpm.into(),
            min: bpm,
            max: bpm,
        };
        let zones = zones(&[
            bucket(25),
            bucket(108),
            bucket(109),
            bucket(162),
            bucket(163),
            bucket(230),
        ]);
        let minutes: Vec<u64> = zones
            .as_array()
            .unwrap()
            .iter()
            .map(|zone| zone["minutes"].as_u64().unwrap())
            .collect();
        assert_eq!(minutes, [2, 1, 1, 2]);
    }
}
