//! Google's heart-rate zones: the limits of a day and the time spent in each.

use serde_json::{Value, json};

use crate::harness::{HEART, Running, VERIFIER};

const ACTIVITY: &str = "https://www.googleapis.com/auth/googlehealth.activity_and_fitness.readonly";
const LIMITS: &str = "daily-heart-rate-zones/dataPoints";
const TIME_IN: &str = "time-in-heart-rate-zone/dataPoints";

/// In Berlin: two minutes at rest, one of running, and after a gap one at rest.
const RECORDING: &str = "time,bpm\n2026-11-21T12:00:00,60\n2026-11-22T00:00:00,70\n2026-11-22T00:01:30,71\n\
    2026-11-22T00:02:00,150\n2026-11-22T00:05:00,80\n";

fn signed_in(sandbox: &Running) -> String {
    let code = sandbox.google_code(&format!("{HEART} {ACTIVITY}"), &[]);
    sandbox.google_exchange(&code, VERIFIER).tokens().access
}

#[test]
fn the_limits_of_a_day_are_listed_by_date() {
    let sandbox = Running::recorded(RECORDING, "Europe/Berlin");
    let access = signed_in(&sandbox);
    let listed = sandbox.list(&access, LIMITS, &[]).json();
    let days: Vec<&Value> = listed["dataPoints"]
        .as_array()
        .unwrap()
        .iter()
        .map(|point| &point["dailyHeartRateZones"]["date"]["day"])
        .collect();
    assert_eq!(days, [22, 21]);
    let first = &listed["dataPoints"][0];
    assert_eq!(first["dataSource"]["recordingMethod"], "DERIVED");
    assert_eq!(
        first["dailyHeartRateZones"]["heartRateZones"][1],
        json!({ "heartRateZoneType": "MODERATE", "minBeatsPerMinute": "109", "maxBeatsPerMinute": "132" })
    );
    let filter = ("filter", "daily_heart_rate_zones.date < \"2026-11-22\"");
    let merged = sandbox
        .list(&access, &format!("{LIMITS}:reconcile"), &[filter])
        .json();
    assert_eq!(merged["dataPoints"].as_array().unwrap().len(), 1);
    assert_eq!(merged["dataPoints"][0].get("dataSource"), None);
    let refused = sandbox.post_json_as(
        &access,
        &format!("/v4/users/me/dataTypes/{LIMITS}:rollUp"),
        &json!({}),
    );
    refused.google_refuses(400, "UNSUPPORTED_DATA_TYPE_ACTION");
}

#[test]
fn time_in_a_zone_is_an_interval_and_adds_up() {
    let sandbox = Running::recorded(RECORDING, "Europe/Berlin");
    let access = signed_in(&sandbox);
    let filter = "time_in_heart_rate_zone.interval.civil_start_time >= \"2026-11-22\"";
    let listed = sandbox.list(&access, TIME_IN, &[("filter", filter)]).json();
    let stays: Vec<(&str, &str, &str)> = listed["dataPoints"]
        .as_array()
        .unwrap()
        .iter()
        .map(|point| {
            let stay = &point["timeInHeartRateZone"];
            let text = |value: &'static str| stay["interval"][value].as_str().unwrap();
            (
                stay["heartRateZoneType"].as_str().unwrap(),
                text("startTime"),
                text("endTime"),
            )
        })
        .collect();
    assert_eq!(
        stays,
        [
            ("LIGHT", "2026-11-21T23:05:00Z", "2026-11-21T23:06:00Z"),
            ("VIGOROUS", "2026-11-21T23:02:00Z", "2026-11-21T23:03:00Z"),
            ("LIGHT", "2026-11-21T23:00:00Z", "2026-11-21T23:02:00Z"),
        ]
    );
    let interval = &listed["dataPoints"][2]["timeInHeartRateZone"]["interval"];
    assert_eq!(interval["startUtcOffset"], "3600s");
    assert_eq!(interval["civilEndTime"]["time"], json!({ "minutes": 2 }));
    let path = format!("/v4/users/me/dataTypes/{TIME_IN}");
    let rolled = sandbox.post_json_as(
        &access,
        &format!("{path}:rollUp"),
        &json!({
            "range": { "startTime": "2026-11-21T23:00:00Z", "endTime": "2026-11-22T00:00:00Z" },
            "windowSize": "3600s", "pageSize": 10,
        }),
    );
    let expected = json!({ "timeInHeartRateZones": [
        { "heartRateZone": "LIGHT", "duration": "180s" },
        { "heartRateZone": "VIGOROUS", "duration": "60s" },
    ] });
    assert_eq!(
        rolled.json()["rollupDataPoints"][0]["timeInHeartRateZone"],
        expected
    );
    let date = |day: u8| json!({ "date": { "year": 2026, "month": 11, "day": day } });
    let rolled = sandbox.post_json_as(
        &access,
        &format!("{path}:dailyRollUp"),
        &json!({ "range": { "start": date(22), "end": date(23) } }),
    );
    assert_eq!(
        rolled.json()["rollupDataPoints"][0]["timeInHeartRateZone"],
        expected
    );
}

#[test]
fn time_in_a_zone_needs_the_scope_of_activity() {
    let (sandbox, access) = Running::with_google_access();
    assert_eq!(
        sandbox.list(&access, TIME_IN, &[]).reason(),
        "ACCESS_TOKEN_SCOPE_INSUFFICIENT"
    );
    assert_eq!(sandbox.list(&access, LIMITS, &[]).status, 200);
}

#[test]
fn pages_of_stays_join_to_the_whole() {
    let sandbox = Running::start();
    let access = signed_in(&sandbox);
    let filter = (
        "filter",
        "time_in_heart_rate_zone.interval.start_time >= \"2026-11-15T00:00:00Z\"",
    );
    let all = sandbox
        .list(&access, TIME_IN, &[filter, ("pageSize", "5000")])
        .json();
    let all = all["dataPoints"].as_array().unwrap().clone();
    assert!(all.len() > 20);
    let mut joined: Vec<Value> = Vec::new();
    let mut token = String::new();
    loop {
        let page = sandbox
            .list(
                &access,
                TIME_IN,
                &[filter, ("pageSize", "7"), ("pageToken", &token)],
            )
            .json();
        joined.extend(page["dataPoints"].as_array().unwrap().iter().cloned());
        token = page["nextPageToken"].as_str().unwrap().to_owned();
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(joined, all);
}
