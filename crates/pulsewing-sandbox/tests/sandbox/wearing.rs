//! The settings of the wearer: late samples, other sources, devices, battery.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::harness::{Running, encoded};

const START: &str = "2026-11-22T13:00:00Z";
const END: &str = "2026-11-22T15:00:00Z";

/// Returns the mean of every minute from `START` to `END`.
fn minutes(sandbox: &Running, access: &str, family: &str) -> BTreeMap<String, f64> {
    let family = format!("users/me/dataSourceFamilies/{family}");
    let rolled = sandbox.roll_up(access, START, END, json!({ "dataSourceFamily": family }));
    assert_eq!(rolled.status, 200, "{}", rolled.body);
    let body = rolled.json();
    let points = body["rollupDataPoints"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let minute = |point: &Value| {
        (
            point["startTime"].as_str().unwrap().to_owned(),
            point["heartRate"]["beatsPerMinuteAvg"].as_f64().unwrap(),
        )
    };
    points.iter().map(minute).collect()
}

#[test]
fn late_minutes_come_with_the_next_sync_and_wrong_ones_are_revised() {
    let (sandbox, access) = Running::with_google_access();
    let truth = minutes(&sandbox, &access, "google-wearables");
    sandbox.control("config", &json!({ "late": true }));
    let first = minutes(&sandbox, &access, "google-wearables");
    let missing: Vec<&String> = truth
        .keys()
        .filter(|minute| !first.contains_key(*minute))
        .collect();
    let wrong: Vec<&String> = first
        .keys()
        .filter(|minute| first[*minute] != truth[*minute])
        .collect();
    assert_eq!((missing.len(), wrong.len()), (3, 2));
    assert!(
        missing
            .iter()
            .chain(&wrong)
            .all(|minute| minute.as_str() >= "2026-11-22T13:45:00Z")
    );
    // Fitbit's front returns the same, twice.
    let fitbit = sandbox.fitbit_login().access;
    let today = sandbox
        .get_as(
            &fitbit,
            "/1/user/-/activities/heart/date/today/1d/1min.json",
        )
        .json();
    let dataset = today["activities-heart-intraday"]["dataset"]
        .as_array()
        .unwrap();
    let told = |minute: &str| dataset.iter().any(|entry| entry["time"] == minute);
    let berlin = |utc: &String| {
        format!(
            "{:02}:{}",
            utc[11..13].parse::<u8>().unwrap() + 1,
            &utc[14..19]
        )
    };
    assert!(missing.iter().all(|minute| !told(&berlin(minute))));
    assert!(wrong.iter().all(|minute| told(&berlin(minute))));
    assert_eq!(minutes(&sandbox, &access, "google-wearables"), first);
    sandbox.advance(900);
    let next = minutes(&sandbox, &access, "google-wearables");
    for (minute, bpm) in &truth {
        assert_eq!(next.get(minute), Some(bpm), "{minute}");
    }
}

#[test]
fn an_account_without_a_tracker_has_its_data_from_health_connect() {
    let (sandbox, access) = Running::with_google_access();
    let truth = minutes(&sandbox, &access, "google-wearables");
    assert!(truth.len() > 50);
    sandbox.control("config", &json!({ "wearable": false }));
    for family in ["google-wearables", "self-sources"] {
        assert!(minutes(&sandbox, &access, family).is_empty(), "{family}");
    }
    for family in ["all-sources", "google-sources"] {
        assert_eq!(minutes(&sandbox, &access, family), truth, "{family}");
    }
    let listed = sandbox
        .list(&access, "heart-rate/dataPoints", &[("pageSize", "500")])
        .json();
    let points = listed["dataPoints"].as_array().unwrap();
    assert!(
        points
            .iter()
            .all(|point| point["dataSource"]["platform"] == "HEALTH_CONNECT")
    );
    let resting = sandbox.list(&access, "daily-resting-heart-rate/dataPoints", &[]);
    assert_eq!(resting.body, "{}");
}

#[test]
fn the_account_can_have_a_bare_tracker_or_no_device() {
    let sandbox = Running::start();
    let (fitbit, google) = (sandbox.fitbit_login().access, sandbox.google_login().access);
    let devices = || {
        (
            sandbox.get_as(&fitbit, "/1/user/-/devices.json").json(),
            sandbox.get_as(&google, "/v4/users/me/pairedDevices").json(),
        )
    };
    sandbox.control("config", &json!({ "devices": "bare" }));
    let (legacy, paired) = devices();
    let keys = |device: &Value| {
        device
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    assert_eq!(legacy.as_array().unwrap().len(), 1);
    assert_eq!(
        keys(&legacy[0]),
        ["battery", "deviceVersion", "id", "lastSyncTime", "type"]
    );
    assert_eq!(
        keys(&paired["pairedDevices"][0]),
        [
            "batteryStatus",
            "deviceType",
            "deviceVersion",
            "lastSyncTime",
            "name"
        ]
    );
    sandbox.control("config", &json!({ "devices": "none" }));
    assert_eq!(devices(), (json!([]), json!({})));
}

#[test]
fn an_empty_battery_is_nought_for_fitbit_and_left_out_by_google() {
    let sandbox = Running::start();
    let (fitbit, google) = (sandbox.fitbit_login().access, sandbox.google_login().access);
    sandbox.control("config", &json!({ "battery": 0 }));
    let legacy = sandbox.get_as(&fitbit, "/1/user/-/devices.json").json();
    assert_eq!(
        (&legacy[0]["batteryLevel"], &legacy[0]["battery"]),
        (&json!(0), &json!("Empty"))
    );
    let paired = sandbox.get_as(&google, "/v4/users/me/pairedDevices").json();
    let tracker = &paired["pairedDevices"][0];
    assert_eq!(
        (tracker.get("batteryLevel"), &tracker["batteryStatus"]),
        (None, &json!("Empty"))
    );
}

#[test]
fn a_wearer_off_the_wrist_leaves_a_gap_in_every_view() {
    // The tracker is off the wrist from 00:02 to 00:04.
    let csv = "time,bpm\n2026-11-22T00:00:00,60\n2026-11-22T00:01:00,61\n2026-11-22T00:05:00,62\n";
    let sandbox = Running::recorded(csv, "UTC");
    let (fitbit, google) = (sandbox.fitbit_login().access, sandbox.google_login().access);
    let day = "/1/user/-/activities/heart/date/2026-11-22/1d/1min.json";
    let dataset =
        sandbox.get_as(&fitbit, day).json()["activities-heart-intraday"]["dataset"].clone();
    let times: Vec<&Value> = dataset
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| &entry["time"])
        .collect();
    assert_eq!(times, ["00:00:00", "00:01:00", "00:05:00"]);
    let rolled = sandbox.roll_up(
        &google,
        "2026-11-22T00:00:00Z",
        "2026-11-22T01:00:00Z",
        json!({}),
    );
    assert_eq!(
        rolled.json()["rollupDataPoints"].as_array().unwrap().len(),
        3
    );
    let query = encoded(&[("pageSize", "10")]);
    let merged = format!("/v4/users/me/dataTypes/heart-rate/dataPoints:reconcile?{query}");
    assert_eq!(
        sandbox.get_as(&google, &merged).json()["dataPoints"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
}

#[test]
fn a_tracker_whose_phone_is_away_keeps_what_it_measures_until_it_syncs_again() {
    let (sandbox, access) = Running::with_google_access();
    let truth = minutes(&sandbox, &access, "google-wearables");
    let away = json!({ "last_sync": "2026-11-22T13:37:00Z" });
    sandbox.control("config", &away);
    let kept = minutes(&sandbox, &access, "google-wearables");
    assert!(
        kept.keys()
            .all(|minute| minute.as_str() < "2026-11-22T13:30:00Z")
    );
    let told: BTreeMap<_, _> = truth.clone().into_iter().take(kept.len()).collect();
    assert_eq!(kept, told);
    let devices = sandbox.get_as(&access, "/v4/users/me/pairedDevices").json();
    let synced = &devices["pairedDevices"][0]["lastSyncTime"];
    assert!(
        synced.as_str().unwrap().starts_with("2026-11-22T13:30:00"),
        "{devices}"
    );
    sandbox.control("config", &json!({ "last_sync": null }));
    assert_eq!(minutes(&sandbox, &access, "google-wearables"), truth);
}

#[test]
fn a_wearer_who_travels_has_another_zone_in_both_clouds_and_the_same_heart() {
    let sandbox = Running::start();
    let google = sandbox.google_login().access;
    let fitbit = sandbox.fitbit_login().access;
    let zones = || {
        let settings = sandbox.get_as(&google, "/v4/users/me/settings").json();
        let profile = sandbox.get_as(&fitbit, "/1/user/-/profile.json").json();
        (
            settings["timeZone"].as_str().unwrap().to_owned(),
            profile["user"]["timezone"].as_str().unwrap().to_owned(),
        )
    };
    let berlin = "Europe/Berlin".to_owned();
    assert_eq!(zones(), (berlin.clone(), berlin.clone()));
    sandbox.control("config", &json!({ "time_zone": "Asia/Tokyo" }));
    let tokyo = "Asia/Tokyo".to_owned();
    assert_eq!(zones(), (tokyo.clone(), tokyo));
    sandbox.control("config", &json!({ "time_zone": null }));
    assert_eq!(zones(), (berlin.clone(), berlin));
}
