//! `rollUp` and `dailyRollUp`: heart rate by windows of time and by days.

use serde_json::{Value, json};

use crate::harness::{Response, Running};

fn rolled(response: &Response) -> Vec<(String, f64, u64, u64)> {
    assert_eq!(response.status, 200, "{}", response.body);
    let body = response.json();
    let Some(points) = body.get("rollupDataPoints") else {
        return Vec::new();
    };
    let point = |point: &Value| {
        let heart = &point["heartRate"];
        (
            point["startTime"].as_str().unwrap().to_owned(),
            heart["beatsPerMinuteAvg"].as_f64().unwrap(),
            heart["beatsPerMinuteMin"].as_u64().unwrap(),
            heart["beatsPerMinuteMax"].as_u64().unwrap(),
        )
    };
    points.as_array().unwrap().iter().map(point).collect()
}

#[test]
fn windows_are_exact_means_newest_first_without_the_empty_ones() {
    let (sandbox, access) = Running::recorded_google();
    let response = sandbox.roll_up(
        &access,
        "2026-11-21T23:00:00Z",
        "2026-11-22T23:00:00Z",
        json!({}),
    );
    assert_eq!(
        rolled(&response),
        [
            ("2026-11-21T23:05:00Z".to_owned(), 90.0, 90, 90),
            ("2026-11-21T23:01:00Z".to_owned(), 211.0 / 3.0, 70, 71),
            ("2026-11-21T23:00:00Z".to_owned(), 60.5, 60, 61),
        ]
    );
    assert_eq!(response.json().get("nextPageToken"), None);
    assert!(response.body.contains("\"beatsPerMinuteAvg\": 90,"));
    let empty = sandbox.roll_up(
        &access,
        "2026-11-20T23:00:00Z",
        "2026-11-20T23:30:00Z",
        json!({}),
    );
    assert_eq!(empty.body, "{}");
}

#[test]
fn windows_are_counted_from_the_start_and_the_last_is_cut() {
    let (sandbox, access) = Running::recorded_google();
    let more = json!({ "windowSize": "90s" });
    let response = sandbox.roll_up(
        &access,
        "2026-11-21T23:00:30Z",
        "2026-11-21T23:05:20Z",
        more,
    );
    let body = response.json();
    let windows = body["rollupDataPoints"].as_array().unwrap();
    let times: Vec<[&str; 2]> = windows
        .iter()
        .map(|window| {
            [
                window["startTime"].as_str().unwrap(),
                window["endTime"].as_str().unwrap(),
            ]
        })
        .collect();
    assert_eq!(
        times,
        [
            ["2026-11-21T23:05:00Z", "2026-11-21T23:05:20Z"],
            ["2026-11-21T23:00:30Z", "2026-11-21T23:02:00Z"]
        ]
    );
}

#[test]
fn pages_of_windows_are_walked_with_tokens() {
    let (sandbox, access) = Running::recorded_google();
    let page = |more: Value| {
        sandbox.roll_up(
            &access,
            "2026-11-21T23:00:00Z",
            "2026-11-22T01:00:00Z",
            more,
        )
    };
    let first = page(json!({ "pageSize": 2 }));
    assert_eq!(rolled(&first).len(), 2);
    let token = first.json()["nextPageToken"].clone();
    let second = page(json!({ "pageSize": 2, "pageToken": token }));
    assert_eq!(rolled(&second), rolled(&page(json!({})))[2..]);
    assert_eq!(second.json().get("nextPageToken"), None);
    let other = page(json!({ "pageSize": 3, "pageToken": token }));
    other.google_refuses(400, "INVALID_PAGE_TOKEN");
}

#[test]
fn mistakes_in_a_rollup_have_their_reasons() {
    let (sandbox, access) = Running::with_google_access();
    let ask = |start: &str, end: &str, more: Value| {
        let response = sandbox.roll_up(&access, start, end, more);
        (response.status, response.reason())
    };
    let (day, next) = ("2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z");
    for (end, more, reason) in [
        (next, json!({ "windowSize": "0s" }), "INVALID_ROLLUP_WINDOW"),
        (
            next,
            json!({ "windowSize": "0.5s" }),
            "INVALID_ROLLUP_WINDOW",
        ),
        (next, json!({ "windowSize": "1m" }), "INVALID_ROLLUP_WINDOW"),
        (day, json!({}), "INVALID_TIME_RANGE"),
        (
            "2026-11-15T00:00:01Z",
            json!({}),
            "INVALID_ROLLUP_QUERY_DURATION",
        ),
        (
            next,
            json!({ "windowSize": "300s", "pageSize": 5000 }),
            "INVALID_ROLLUP_QUERY_DURATION",
        ),
        (
            next,
            json!({ "dataSourceFamily": "google-wearables" }),
            "INVALID_DATA_POINT_DATA_SOURCE_FAMILY",
        ),
    ] {
        assert_eq!(
            ask(day, end, more.clone()),
            (400, reason.to_owned()),
            "{end} {more}"
        );
    }
    assert_eq!(
        ask(day, "2026-11-15T00:00:00Z", json!({ "pageSize": 10_000 })).0,
        200
    );
    for more in [
        json!({ "windowSise": "60s" }),
        json!({ "pageSize": "many" }),
        json!({ "range": {} }),
    ] {
        assert_eq!(ask(day, next, more.clone()).0, 400, "{more}");
    }
    let target = "/v4/users/me/dataTypes/daily-resting-heart-rate/dataPoints:rollUp";
    let body = json!({ "range": { "startTime": day, "endTime": next }, "windowSize": "60s" });
    assert_eq!(
        sandbox.post_json_as(&access, target, &body).reason(),
        "UNSUPPORTED_DATA_TYPE_ACTION"
    );
}

#[test]
fn every_family_with_a_wearable_rolls_up_to_the_recording() {
    let (sandbox, access) = Running::recorded_google();
    let of = |family: &str| {
        let more = json!({ "dataSourceFamily": format!("users/me/dataSourceFamilies/{family}") });
        rolled(&sandbox.roll_up(
            &access,
            "2026-11-21T23:00:00Z",
            "2026-11-22T01:00:00Z",
            more,
        ))
    };
    let wearables = of("google-wearables");
    assert_eq!(wearables.len(), 3);
    assert_eq!(of("all-sources"), wearables);
    assert_eq!(of("google-sources"), wearables);
    assert_eq!(of("self-sources"), []);
}

#[test]
fn daily_windows_follow_the_civil_day() {
    let sandbox = Running::recorded(
        "time,bpm\n2026-10-24T23:59:59,50\n2026-10-25T00:00:00,60\n2026-10-25T23:59:59,63\n",
        "Europe/Berlin",
    );
    let access = sandbox.google_login().access;
    let target = "/v4/users/me/dataTypes/heart-rate/dataPoints:dailyRollUp";
    let day = |day: u8| json!({ "date": { "year": 2026, "month": 10, "day": day } });
    let ask = |body: Value| sandbox.post_json_as(&access, target, &body);
    let body =
        ask(json!({ "range": { "start": day(24), "end": day(26) }, "windowSizeDays": 1 })).json();
    let averages: Vec<&Value> = body["rollupDataPoints"]
        .as_array()
        .unwrap()
        .iter()
        .map(|day| &day["heartRate"]["beatsPerMinuteAvg"])
        .collect();
    assert_eq!(averages, [&json!(61.5), &json!(50)]);
    assert_eq!(
        body["rollupDataPoints"][0]["civilStartTime"],
        json!({ "date": { "year": 2026, "month": 10, "day": 25 }, "time": {} })
    );
    let long = ask(json!({ "range": { "start": day(1), "end": day(16) } }));
    assert_eq!(long.reason(), "INVALID_ROLLUP_QUERY_DURATION");
    assert_eq!(
        ask(json!({ "range": { "start": day(2), "end": day(2) } })).reason(),
        "INVALID_TIME_RANGE"
    );
}

#[test]
fn daily_windows_are_paged_as_well() {
    let (sandbox, access) = Running::with_google_access();
    let date = |day: u8| json!({ "date": { "year": 2026, "month": 11, "day": day } });
    let page = |size: u8, token: Value| {
        let body = json!({
            "range": { "start": date(10), "end": date(20) }, "pageSize": size, "pageToken": token,
        });
        sandbox.post_json_as(
            &access,
            "/v4/users/me/dataTypes/heart-rate/dataPoints:dailyRollUp",
            &body,
        )
    };
    let whole = page(0, Value::Null).json();
    assert_eq!(whole.get("nextPageToken"), None);
    let first = page(6, Value::Null).json();
    let second = page(6, first["nextPageToken"].clone()).json();
    assert_eq!(second.get("nextPageToken"), None);
    let days = |page: &Value| page["rollupDataPoints"].as_array().unwrap().clone();
    assert_eq!([days(&first), days(&second)].concat(), days(&whole));
    assert_eq!(page(7, first["nextPageToken"].clone()).status, 400);
}
