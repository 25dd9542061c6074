//! The Fitbit front's data calls.

use serde_json::{Value, json};

use crate::harness::{Response, Running};

const TODAY: &str = "/1/user/-/activities/heart/date/today/1d/1min.json";

fn dataset(response: &Response) -> Vec<(String, u64)> {
    assert_eq!(response.status, 200, "{}", response.body);
    let body = response.json();
    let entries = body["activities-heart-intraday"]["dataset"]
        .as_array()
        .unwrap()
        .iter();
    entries
        .map(|entry| {
            (
                entry["time"].as_str().unwrap().to_owned(),
                entry["value"].as_u64().unwrap(),
            )
        })
        .collect()
}

fn named(entries: &[(&str, u64)]) -> Vec<(String, u64)> {
    entries
        .iter()
        .map(|(time, value)| ((*time).to_owned(), *value))
        .collect()
}

#[test]
fn a_day_is_its_minutes_means_rounded_half_up_without_the_gaps() {
    let (sandbox, access) = Running::recorded_fitbit();
    let response = sandbox.get_as(&access, TODAY);
    assert_eq!(
        dataset(&response),
        named(&[("00:00:00", 61), ("00:01:00", 70), ("00:05:00", 90)])
    );
    let body = response.json();
    assert_eq!(body["activities-heart"][0]["dateTime"], "2026-11-22");
    assert_eq!(body["activities-heart-intraday"]["datasetInterval"], 1);
    assert_eq!(body["activities-heart-intraday"]["datasetType"], "minute");
    let value = &body["activities-heart"][0]["value"];
    assert_eq!(value["heartRateZones"].as_array().unwrap().len(), 4);
    assert_eq!(value["customHeartRateZones"], json!([]));
    assert_eq!(value.get("restingHeartRate"), None);
    let yesterday = sandbox.get_as(
        &access,
        "/1/user/PW7SB1/activities/heart/date/2026-11-21/1d/1min.json",
    );
    assert_eq!(dataset(&yesterday), named(&[("23:59:00", 80)]));
}

#[test]
fn the_clock_of_a_recording_starts_seven_minutes_after_its_last_sync() {
    let (sandbox, _) = Running::recorded_fitbit();
    assert_eq!(sandbox.clock.now().to_string(), "2026-11-21T23:22:00Z");
}

#[test]
fn only_what_was_synced_is_there() {
    let (sandbox, access) = Running::recorded_fitbit();
    let devices = |sandbox: &Running| {
        let devices = sandbox.get_as(&access, "/1/user/-/devices.json").json();
        devices[0]["lastSyncTime"].clone()
    };
    assert_eq!(devices(&sandbox), "2026-11-22T00:15:00.000");
    sandbox.clock.set("2026-11-21T23:14:59Z".parse().unwrap());
    assert_eq!(devices(&sandbox), "2026-11-22T00:00:00.000");
    assert_eq!(dataset(&sandbox.get_as(&access, TODAY)), []);
    sandbox.advance(1);
    assert_eq!(dataset(&sandbox.get_as(&access, TODAY)).len(), 3);
}

#[test]
fn the_synthetic_wearer_has_a_day_that_ends_at_the_last_sync() {
    let (sandbox, access) = Running::with_fitbit_access();
    let response = sandbox.get_as(&access, TODAY);
    let minutes = dataset(&response);
    assert_eq!(minutes.last().unwrap().0, "14:59:00");
    assert!(
        (850..900).contains(&minutes.len()),
        "{} minutes",
        minutes.len()
    );
    let resting = response.json()["activities-heart"][0]["value"]["restingHeartRate"]
        .as_u64()
        .unwrap();
    assert!((45..65).contains(&resting), "{resting} bpm at rest");
    let earlier = sandbox.get_as(
        &access,
        "/1/user/-/activities/heart/date/2026-10-20/1d/1min.json",
    );
    assert!(dataset(&earlier).len() > 1_300);
    assert_eq!(
        dataset(&sandbox.get_as(&access, &TODAY.replace("today", "2026-11-23"))),
        []
    );
}

#[test]
fn the_repeated_hour_is_seen_as_time_running_backwards() {
    let sandbox = Running::recorded(
        "time,bpm\n2026-10-25T02:59:00+02:00,60\n2026-10-25T02:00:00+01:00,70\n2026-10-25T03:00:00,80\n",
        "Europe/Berlin",
    );
    let access = sandbox.fitbit_login().access;
    let expected = named(&[("02:59:00", 60), ("02:00:00", 70), ("03:00:00", 80)]);
    assert_eq!(dataset(&sandbox.get_as(&access, TODAY)), expected);
    let utc = format!("{TODAY}?timezone=UTC");
    let expected = named(&[("00:59:00", 60), ("01:00:00", 70), ("02:00:00", 80)]);
    assert_eq!(dataset(&sandbox.get_as(&access, &utc)), expected);
}

#[test]
fn other_details_have_their_own_steps() {
    let (sandbox, access) = Running::recorded_fitbit();
    let of = |detail: &str| sandbox.get_as(&access, &TODAY.replace("1min", detail));
    assert_eq!(dataset(&of("1sec")).len(), 6);
    assert_eq!(dataset(&of("1sec"))[4], ("00:01:20".to_owned(), 71));
    // 332 / 5 = 66.4
    assert_eq!(
        dataset(&of("5min")),
        named(&[("00:00:00", 66), ("00:05:00", 90)])
    );
    assert_eq!(
        of("15min").json()["activities-heart-intraday"]["datasetInterval"],
        15
    );
    assert_eq!(of("2min").status, 400);
}

#[test]
fn a_window_has_another_shape() {
    let (sandbox, access) = Running::recorded_fitbit();
    let window = "/1/user/-/activities/heart/date/today/1d/1min/time/00:00/00:01.json";
    let response = sandbox.get_as(&access, window);
    assert_eq!(
        dataset(&response),
        named(&[("00:00:00", 61), ("00:01:00", 70)])
    );
    let heart = &response.json()["activities-heart"][0];
    assert_eq!(
        (&heart["dateTime"], &heart["value"]),
        (&json!("today"), &json!("66.40"))
    );
    let range = "/1/user/-/activities/heart/date/2026-11-21/2026-11-22/1min/time/23:50/00:00.json";
    assert_eq!(
        dataset(&sandbox.get_as(&access, range)),
        named(&[("23:59:00", 80), ("00:00:00", 61)])
    );
    let long = "/1/user/-/activities/heart/date/2026-11-21/2026-11-22/1min.json";
    let refused = sandbox.get_as(&access, long);
    refused.fitbit_refuses(400, "request");
    assert!(
        refused
            .body
            .contains("Time range should not be bigger than 24 hours.")
    );
}

#[test]
fn a_summary_has_days_and_no_minutes() {
    let (sandbox, access) = Running::with_fitbit_access();
    let body = sandbox
        .get_as(&access, "/1/user/-/activities/heart/date/today/7d.json")
        .json();
    let days: Vec<&Value> = body["activities-heart"]
        .as_array()
        .unwrap()
        .iter()
        .map(|day| &day["dateTime"])
        .collect();
    assert_eq!(days.len(), 7);
    assert_eq!(
        (days[0], days[6]),
        (&json!("2026-11-16"), &json!("2026-11-22"))
    );
    assert_eq!(body.get("activities-heart-intraday"), None);
}

#[test]
fn in_an_odd_list_the_tracker_is_not_the_first_device() {
    let (sandbox, access) = Running::with_fitbit_access();
    sandbox.control("config", &json!({ "devices": "odd" }));
    let devices = sandbox.get_as(&access, "/1/user/-/devices.json").json();
    assert_eq!(devices[0]["deviceVersion"], "MobileTrack");
    assert_eq!(devices[0].get("batteryLevel"), None);
    assert_eq!(devices[1]["type"], "SCALE");
    assert_eq!(devices[2]["lastSyncTime"], "2025-10-18T16:00:00.000");
    assert_eq!(devices[2].get("batteryLevel"), None);
    assert_eq!(
        (&devices[3]["type"], &devices[3]["lastSyncTime"]),
        (&json!("TRACKER"), &json!("2026-11-22T15:00:00.000"))
    );
    assert!((0..=100).contains(&devices[3]["batteryLevel"].as_u64().unwrap()));
}

#[test]
fn the_profile_tells_the_zone() {
    let (sandbox, access) = Running::with_fitbit_access();
    let user = sandbox.get_as(&access, "/1/user/-/profile.json").json()["user"].clone();
    assert_eq!(
        (&user["timezone"], &user["offsetFromUTCMillis"]),
        (&json!("Europe/Berlin"), &json!(3_600_000))
    );
}

#[test]
fn a_scope_that_was_not_granted_is_forbidden() {
    let sandbox = Running::start();
    let code = sandbox.fitbit_code("settings");
    let access = sandbox
        .fitbit_exchange(&code, crate::harness::VERIFIER)
        .tokens()
        .access;
    let refused = sandbox.get_as(&access, TODAY);
    refused.fitbit_refuses(403, "insufficient_scope");
    assert_eq!(
        sandbox.get_as(&access, "/1/user/-/devices.json").status,
        200
    );
}

#[test]
fn another_wearer_is_forbidden() {
    let (sandbox, access) = Running::with_fitbit_access();
    let refused = sandbox.get_as(&access, "/1/user/OTHER1/devices.json");
    refused.fitbit_refuses(403, "insufficient_permissions");
}

#[test]
fn a_call_without_a_token_is_unauthorized() {
    let sandbox = Running::start();
    assert_eq!(sandbox.get(TODAY).status, 401);
}

#[test]
fn the_quota_is_counted_by_the_clocks_hour() {
    let (sandbox, access) = Running::with_fitbit_access();
    let call = || sandbox.get_as(&access, "/1/user/-/profile.json");
    let first = call();
    assert_eq!(first.header("fitbit-rate-limit-limit"), Some("150"));
    assert_eq!(first.header("fitbit-rate-limit-remaining"), Some("149"));
    assert_eq!(first.header("fitbit-rate-limit-reset"), Some("3180"));
    for _ in 1..150 {
        assert_eq!(call().status, 200);
    }
    let refused = call();
    refused.fitbit_refuses(429, "system");
    assert_eq!(refused.header("fitbit-rate-limit-remaining"), Some("0"));
    sandbox.advance(3_180);
    assert_eq!(call().header("fitbit-rate-limit-remaining"), Some("149"));
}

#[test]
fn an_unknown_path_is_not_found() {
    let sandbox = Running::start();
    let response = sandbox.get("/1/user/-/activities/steps.json");
    response.fitbit_refuses(404, "not_found");
    assert_eq!(response.json().get("success"), None);
}

#[test]
fn a_service_that_is_gone_answers_410_everywhere() {
    let (sandbox, tokens) = Running::with_fitbit();
    sandbox.control("config", &json!({ "gone": true }));
    for response in [
        sandbox.get_as(&tokens.access, TODAY),
        sandbox.fitbit_refresh(&tokens.refresh),
        sandbox.get("/oauth2/authorize"),
        sandbox.get("/1/whatever.json"),
    ] {
        assert_eq!(response.status, 410);
    }
    assert!(!sandbox.google_login().refresh.is_empty());
    sandbox.control("config", &json!({ "gone": false }));
    assert_eq!(sandbox.fitbit_refresh(&tokens.refresh).status, 200);
}

#[test]
fn an_interval_may_reach_across_midnight() {
    let csv = "time,bpm\n2026-11-21T23:59:00,60\n2026-11-22T00:00:00,61\n2026-11-22T00:01:00,62\n";
    let sandbox = Running::recorded(csv, "Europe/Berlin");
    let access = sandbox.fitbit_login().access;
    let between =
        "/1/user/-/activities/heart/date/2026-11-21/2026-11-22/1min/time/23:59/00:00.json";
    let response = sandbox.get_as(&access, between);
    assert_eq!(
        dataset(&response),
        named(&[("23:59:00", 60), ("00:00:00", 61)])
    );
    assert_eq!(response.json()["activities-heart"][0]["value"], "60.50");
    let day = "/1/user/-/activities/heart/date/2026-11-22/2026-11-22/1min.json";
    let response = sandbox.get_as(&access, day);
    assert_eq!(
        dataset(&response),
        named(&[("00:00:00", 61), ("00:01:00", 62)])
    );
}

#[test]
fn the_quota_can_be_switched_off() {
    let (sandbox, access) = Running::with_fitbit_access();
    sandbox.control("config", &json!({ "quotas": false }));
    for _ in 0..151 {
        assert_eq!(
            sandbox.get_as(&access, "/1/user/-/profile.json").status,
            200
        );
    }
}
