//! Resources that other clients of the Fitbit Web API read, and for which this wearer has no data:
//! activity, body, food, sleep, oxygen, breathing, temperature and so on. Each is an empty reply in
//! its own form, under its own scope (Fitbit Web API, Reference; the service's OpenAPI file).

use hyper::StatusCode;
use jiff::civil::Date;
use serde_json::{Value, json};

use super::error;
use crate::message::Reply;

/// A resource that can be read and is empty.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Other<'a> {
    /// The scope that allows reading it.
    pub(super) scope: &'static str,
    body: Value,
    /// The dates in its path.
    dates: Vec<&'a str>,
}

impl Other<'_> {
    /// Answers a request whose scope allows reading it.
    pub(super) fn answer(&self) -> Reply {
        match self.dates.iter().find(|word| !is_date(word)) {
            Some(word) => error::field(
                StatusCode::BAD_REQUEST,
                "validation",
                "date",
                &format!("Invalid date: {word}"),
            ),
            None => Reply::ok(&self.body),
        }
    }
}

/// Finds the resource at a path, which is the part after the user, without `.json`.
pub(super) fn find(path: &str) -> Option<Other<'_>> {
    let parts: Vec<&str> = path.split('/').collect();
    match *parts.as_slice() {
        ["sleep", ref rest @ ..] => sleep(rest),
        ["activities", ref rest @ ..] => activities(rest),
        ["body", ref rest @ ..] => body(rest),
        ["foods", "log", ref rest @ ..] => foods(rest),
        ["meals"] => other("nutrition", json!({ "meals": [] }), &[]),
        ["ecg", "list"] => other("electrocardiogram", paged("ecgReadings"), &[]),
        ["irn", "alerts", "list"] => other("irregular_rhythm_notifications", paged("alerts"), &[]),
        ["cardioscore", "date", ref days @ ..] => {
            listed(days, "cardio_fitness", json!({ "cardioScore": [] }))
        }
        ["spo2", "date", ref days @ ..] => listed(days, "oxygen_saturation", json!([])),
        ["br", "date", ref days @ ..] => listed(days, "respiratory_rate", json!({ "br": [] })),
        ["hrv", "date", ref days @ ..] => listed(days, "heartrate", json!({ "hrv": [] })),
        ["temp", part @ ("core" | "skin"), "date", ref days @ ..] => {
            let name = if part == "core" {
                "tempCore"
            } else {
                "tempSkin"
            };
            listed(days, "temperature", json!({ name: [] }))
        }
        _ => None,
    }
}

fn sleep<'a>(rest: &[&'a str]) -> Option<Other<'a>> {
    let summary = json!({ "totalMinutesAsleep": 0, "totalSleepRecords": 0, "totalTimeInBed": 0 });
    match *rest {
        ["date", day] => other("sleep", json!({ "sleep": [], "summary": summary }), &[day]),
        ["date", first, last] => other("sleep", json!({ "sleep": [] }), &[first, last]),
        ["list"] => other("sleep", paged("sleep"), &[]),
        _ => None,
    }
}

fn activities<'a>(rest: &[&'a str]) -> Option<Other<'a>> {
    let empty = json!({ "total": {}, "tracker": {} });
    match *rest {
        [] => other("activity", json!({ "best": empty, "lifetime": empty }), &[]),
        ["date", day] => other("activity", activity_summary(), &[day]),
        ["list"] => other("activity", paged("activities"), &[]),
        ["favorite" | "frequent" | "recent"] => other("activity", json!([]), &[]),
        ["goals", _] => other("activity", json!({ "goals": {} }), &[]),
        ["tracker", name, "date", first, last] => series(
            "activity",
            &format!("activities-tracker-{name}"),
            first,
            last,
        ),
        [name, "date", first, last] => {
            series("activity", &format!("activities-{name}"), first, last)
        }
        [name, "date", first, last, detail] | [name, "date", first, last, detail, "time", _, _] => {
            let body = json!({
                format!("activities-{name}"): [],
                format!("activities-{name}-intraday"): intraday(name, detail)?,
            });
            other("activity", body, &[first, last])
        }
        _ => None,
    }
}

fn body<'a>(rest: &[&'a str]) -> Option<Other<'a>> {
    match *rest {
        ["log", name @ ("fat" | "weight"), "date", ref days @ ..] => {
            listed(days, "weight", json!({ name: [] }))
        }
        ["log", "fat" | "weight", "goal"] => other("weight", json!({ "goal": {} }), &[]),
        [name @ ("bmi" | "fat" | "weight"), "date", first, last] => {
            series("weight", &format!("body-{name}"), first, last)
        }
        _ => None,
    }
}

fn foods<'a>(rest: &[&'a str]) -> Option<Other<'a>> {
    let water = json!({ "summary": { "water": 0 }, "water": [] });
    match *rest {
        ["date", day] => other("nutrition", food_log(), &[day]),
        ["water", "date", day] => other("nutrition", water, &[day]),
        [name, "date", first, last] => {
            series("nutrition", &format!("foods-log-{name}"), first, last)
        }
        ["favorite" | "frequent" | "recent"] => other("nutrition", json!([]), &[]),
        ["goal"] => other("nutrition", json!({ "goals": {} }), &[]),
        ["water", "goal"] => other("nutrition", json!({ "goal": {} }), &[]),
        _ => None,
    }
}

/// Returns an empty series of values a day.
fn series<'a>(scope: &'static str, name: &str, first: &'a str, last: &'a str) -> Option<Other<'a>> {
    other(scope, json!({ name: [] }), &[first, last])
}

/// Returns a resource that is read by two days, or by a day and the length of the period that ends
/// with it.
fn other<'a>(scope: &'static str, body: Value, days: &[&'a str]) -> Option<Other<'a>> {
    let dates = match *days {
        [first, second] if PERIODS.contains(&second) => vec![first],
        _ => days.to_vec(),
    };
    Some(Other { scope, body, dates })
}

/// Returns a resource that is read by one day or two, with or without all its details.
fn listed<'a>(days: &[&'a str], scope: &'static str, body: Value) -> Option<Other<'a>> {
    let days = match days {
        [days @ .., "all"] => days,
        days => days,
    };
    (1..=2)
        .contains(&days.len())
        .then(|| other(scope, body, days))
        .flatten()
}

/// Returns the first page of an empty log.
fn paged(name: &str) -> Value {
    let pagination =
        json!({ "limit": 20, "next": "", "offset": 0, "previous": "", "sort": "desc" });
    json!({ name: [], "pagination": pagination })
}

fn intraday(name: &str, detail: &str) -> Option<Value> {
    let minutes = match detail {
        "1min" => 1,
        "5min" => 5,
        "15min" => 15,
        _ => return None,
    };
    // Zone minutes have a form of their own: days, each with its minutes.
    if name == "active-zone-minutes" {
        return Some(json!([]));
    }
    Some(json!({ "dataset": [], "datasetInterval": minutes, "datasetType": "minute" }))
}

fn activity_summary() -> Value {
    json!({
        "activities": [],
        "goals": {},
        "summary": {
            "activeScore": -1,
            "activityCalories": 0,
            "caloriesBMR": 0,
            "caloriesOut": 0,
            "distances": [],
            "fairlyActiveMinutes": 0,
            "lightlyActiveMinutes": 0,
            "marginalCalories": 0,
            "sedentaryMinutes": 0,
            "steps": 0,
            "veryActiveMinutes": 0,
        },
    })
}

fn food_log() -> Value {
    json!({
        "foods": [],
        "goals": {},
        "summary": {
            "calories": 0, "carbs": 0, "fat": 0, "fiber": 0, "protein": 0, "sodium": 0, "water": 0,
        },
    })
}

fn is_date(word: &str) -> bool {
    word == "today" || (word.len() == 10 && word.parse::<Date>().is_ok())
}

/// Lengths of periods, which are allowed in place of an end date.
const PERIODS: [&str; 9] = ["1d", "7d", "30d", "1w", "1m", "3m", "6m", "1y", "max"];

#[cfg(test)]
mod tests {
    use super::*;

    fn status(path: &str) -> Option<u16> {
        find(path).map(|other| other.answer().status.as_u16())
    }

    #[test]
    fn a_resource_is_read_by_day_by_range_and_by_period() {
        for path in [
            "sleep/date/2026-11-22",
            "sleep/date/2026-11-01/2026-11-22",
            "spo2/date/today",
            "spo2/date/2026-11-01/2026-11-22/all",
            "br/date/2026-11-22/all",
            "activities/steps/date/today/30d",
            "activities/steps/date/2026-11-22/1d/15min/time/08:00/09:00",
            "body/log/weight/date/2026-11-22/1m",
        ] {
            assert_eq!(status(path), Some(200), "{path}");
        }
        assert_eq!(status("sleep/date/22.11.2026"), Some(400));
        assert_eq!(status("activities/steps/date/today/tomorrow"), Some(400));
        for path in [
            "sleep",
            "spo2/date",
            "spo2/date/all",
            "activities/steps/date/today/1d/2min",
            "hrv",
        ] {
            assert_eq!(status(path), None, "{path}");
        }
    }

    #[test]
    fn minutes_come_in_the_form_of_their_resource() {
        let body = |path: &str| find(path).unwrap().body;
        assert_eq!(
            body("activities/steps/date/today/1d/1min"),
            json!({
                "activities-steps": [],
                "activities-steps-intraday": { "dataset": [], "datasetInterval": 1, "datasetType": "minute" },
            })
        );
        assert_eq!(
            body("activities/active-zone-minutes/date/today/1d/1min"),
            json!({
                "activities-active-zone-minutes": [],
                "activities-active-zone-minutes-intraday": [],
            })
        );
    }
}
