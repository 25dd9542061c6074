//! The Google front's data calls, except for `rollUp` and `dailyRollUp`.

use serde_json::{Value, json};

use crate::harness::{HEART, PROFILE, Response, Running, SETTINGS, VERIFIER};

const POINTS: &str = "heart-rate/dataPoints";
const RESTING: &str = "daily-resting-heart-rate/dataPoints";

fn points(response: &Response) -> Vec<Value> {
    assert_eq!(response.status, 200, "{}", response.body);
    response.json()["dataPoints"]
        .as_array()
        .cloned()
        .unwrap_or_default()
}

fn physical(start: &str, end: &str) -> String {
    format!(
        "heart_rate.sample_time.physical_time >= \"{start}\" AND heart_rate.sample_time.physical_time < \"{end}\""
    )
}

#[test]
fn a_point_has_the_shape_of_proto3() {
    let (sandbox, access) = Running::recorded_google();
    let filter = physical("2026-11-21T23:00:00Z", "2026-11-21T23:01:00Z");
    let params = [
        ("filter", filter.as_str()),
        (
            "dataSourceFamily",
            "users/me/dataSourceFamilies/google-wearables",
        ),
    ];
    let response = sandbox.list(&access, POINTS, &params);
    let all = points(&response);
    assert_eq!(
        all[1],
        json!({
            "dataSource": {
                "recordingMethod": "PASSIVELY_MEASURED",
                "device": { "displayName": "Charge 6" },
                "platform": "FITBIT",
            },
            "heartRate": {
                "sampleTime": {
                    "physicalTime": "2026-11-21T23:00:00Z",
                    "utcOffset": "3600s",
                    "civilTime": { "date": { "year": 2026, "month": 11, "day": 22 }, "time": {} },
                },
                "beatsPerMinute": "60",
                "metadata": { "motionContext": "SEDENTARY", "sensorLocation": "WRIST" },
            },
        })
    );
    assert_eq!(
        all[0]["heartRate"]["sampleTime"]["civilTime"]["time"],
        json!({ "seconds": 59 })
    );
    assert_eq!(response.json()["nextPageToken"], "");
    assert_eq!(
        sandbox
            .list(
                &access,
                POINTS,
                &[(
                    "filter",
                    &physical("2020-01-01T00:00:00Z", "2020-01-02T00:00:00Z")
                )]
            )
            .body,
        "{}"
    );
}

#[test]
fn list_shows_every_source_and_reconcile_one_stream() {
    let (sandbox, access) = Running::with_google_access();
    let filter = physical("2026-11-22T08:30:00Z", "2026-11-22T10:30:00Z");
    let size = ("pageSize", "5000");
    let family = |name: &str| format!("users/me/dataSourceFamilies/{name}");
    let sources = |response: &Response| {
        let count = |platform: &str| {
            points(response)
                .iter()
                .filter(|point| point["dataSource"]["platform"] == platform)
                .count()
        };
        (count("FITBIT"), count("HEALTH_CONNECT"))
    };
    let all = sandbox.list(&access, POINTS, &[("filter", &filter), size]);
    let (tracker, phone) = sources(&all);
    // In any four hours, one has values of the phone app, one a minute.
    assert!(
        tracker > 300 && (50..=60).contains(&phone),
        "{tracker} and {phone}"
    );
    let wearables = sandbox.list(
        &access,
        POINTS,
        &[
            ("filter", &filter),
            size,
            ("dataSourceFamily", &family("google-wearables")),
        ],
    );
    assert_eq!(sources(&wearables), (tracker, 0));
    let own = sandbox.list(
        &access,
        POINTS,
        &[
            ("filter", &filter),
            ("dataSourceFamily", &family("self-sources")),
        ],
    );
    assert_eq!(own.body, "{}");
    let merged = points(&sandbox.list(
        &access,
        &format!("{POINTS}:reconcile"),
        &[("filter", &filter), size],
    ));
    assert_eq!(merged.len(), tracker);
    assert!(merged.iter().all(|point| point.get("dataSource").is_none()));
    let times: Vec<String> = points(&all)
        .iter()
        .map(|point| {
            point["heartRate"]["sampleTime"]["physicalTime"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert!(times.is_sorted_by(|newer, older| newer >= older));
}

#[test]
fn pages_of_points_join_to_the_whole() {
    let (sandbox, access) = Running::with_google_access();
    let filter = physical("2026-11-21T23:45:00Z", "2026-11-22T10:30:00Z");
    let whole = points(&sandbox.list(
        &access,
        POINTS,
        &[("filter", &filter), ("pageSize", "5000")],
    ));
    let mut joined = Vec::new();
    let mut token = String::new();
    loop {
        let params = [
            ("filter", filter.as_str()),
            ("pageSize", "700"),
            ("pageToken", token.as_str()),
        ];
        let response = sandbox.list(&access, POINTS, &params);
        joined.extend(points(&response));
        token = response.json()["nextPageToken"]
            .as_str()
            .unwrap()
            .to_owned();
        if token.is_empty() {
            break;
        }
    }
    assert!(whole.len() > 2_000);
    assert_eq!(joined, whole);
}

#[test]
fn page_sizes_are_as_observed_or_as_documented() {
    let (sandbox, access) = Running::with_google_access();
    let count = |params: &[(&str, &str)]| points(&sandbox.list(&access, POINTS, params)).len();
    assert_eq!((count(&[]), count(&[("pageSize", "10000")])), (50, 5_000));
    sandbox.control("config", &json!({ "page_sizes": "documented" }));
    assert_eq!(
        (count(&[]), count(&[("pageSize", "10001")])),
        (1_440, 10_000)
    );
}

#[test]
fn a_page_token_belongs_to_its_query() {
    let (sandbox, access) = Running::with_google_access();
    let filter = physical("2026-11-22T08:00:00Z", "2026-11-22T09:00:00Z");
    let token =
        sandbox.list(&access, POINTS, &[("filter", &filter)]).json()["nextPageToken"].clone();
    let token = ("pageToken", token.as_str().unwrap());
    assert_eq!(
        sandbox
            .list(&access, POINTS, &[("filter", &filter), token])
            .status,
        200
    );
    for params in [
        vec![token],
        vec![("filter", filter.as_str()), ("pageSize", "60"), token],
    ] {
        assert_eq!(
            sandbox.list(&access, POINTS, &params).reason(),
            "INVALID_PAGE_TOKEN"
        );
    }
}

#[test]
fn a_filter_that_is_refused_says_why() {
    let (sandbox, access) = Running::with_google_access();
    let refused = sandbox.list(
        &access,
        POINTS,
        &[(
            "filter",
            "steps.interval.start_time >= \"2026-11-22T00:00:00Z\"",
        )],
    );
    refused.google_refuses(400, "INVALID_DATA_POINT_FILTER_COLLECTION_MISMATCH");
    assert_eq!(refused.json()["error"]["status"], "INVALID_ARGUMENT");
    let unknown = sandbox.list(&access, "heartrate/dataPoints", &[]);
    assert_eq!(unknown.reason(), "INVALID_PARENT_DATA_TYPE_COLLECTION");
}

#[test]
fn civil_time_selects_the_wearers_day_when_the_clocks_change() {
    let sandbox = Running::recorded(
        "time,bpm\n2026-10-24T23:59:59,50\n2026-10-25T00:00:00,60\n2026-10-25T02:30:00+02:00,61\n\
         2026-10-25T02:30:00+01:00,62\n2026-10-25T23:59:59,63\n2026-10-26T00:00:00,64\n",
        "Europe/Berlin",
    );
    let access = sandbox.google_login().access;
    let filter = "heart_rate.sample_time.civil_time >= \"2026-10-25\" AND \
                  heart_rate.sample_time.civil_time < \"2026-10-26\"";
    let found = points(&sandbox.list(
        &access,
        &format!("{POINTS}:reconcile"),
        &[("filter", filter)],
    ));
    let found: Vec<(&str, &str)> = found
        .iter()
        .map(|point| {
            let heart = &point["heartRate"];
            (
                heart["beatsPerMinute"].as_str().unwrap(),
                heart["sampleTime"]["utcOffset"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            ("63", "3600s"),
            ("62", "3600s"),
            ("61", "7200s"),
            ("60", "7200s")
        ]
    );
}

#[test]
fn the_resting_heart_rate_is_listed_by_date() {
    let (sandbox, access) = Running::with_google_access();
    let filter = "daily_resting_heart_rate.date >= \"2026-11-20\" AND daily_resting_heart_rate.date < \"2026-11-23\"";
    let found = points(&sandbox.list(&access, RESTING, &[("filter", filter)]));
    let days: Vec<u64> = found
        .iter()
        .map(|point| {
            point["dailyRestingHeartRate"]["date"]["day"]
                .as_u64()
                .unwrap()
        })
        .collect();
    assert_eq!(days, [22, 21, 20]);
    let resting = &found[0]["dailyRestingHeartRate"];
    assert!(
        (45..65).contains(
            &resting["beatsPerMinute"]
                .as_str()
                .unwrap()
                .parse::<u32>()
                .unwrap()
        )
    );
    assert_eq!(
        resting["dailyRestingHeartRateMetadata"]["calculationMethod"],
        "WITH_SLEEP"
    );
    let page = sandbox.list(&access, RESTING, &[("filter", filter), ("pageSize", "2")]);
    let token = page.json()["nextPageToken"].as_str().unwrap().to_owned();
    let rest = sandbox.list(
        &access,
        RESTING,
        &[("filter", filter), ("pageSize", "2"), ("pageToken", &token)],
    );
    assert_eq!(points(&rest), found[2..]);
}

#[test]
fn devices_settings_identity_and_profile_are_told() {
    let sandbox = Running::start();
    let code = sandbox.google_code(&format!("{SETTINGS} {PROFILE}"), &[]);
    let access = sandbox.google_exchange(&code, VERIFIER).tokens().access;
    sandbox.control("config", &json!({ "devices": "odd" }));
    let devices = sandbox
        .get_as(&access, "/v4/users/me/pairedDevices?pageSize=1")
        .json();
    assert_eq!(devices["pairedDevices"][0]["deviceType"], "SCALE");
    let token = devices["nextPageToken"].as_str().unwrap();
    let second = sandbox
        .get_as(
            &access,
            &format!("/v4/users/me/pairedDevices?pageSize=1&pageToken={token}"),
        )
        .json();
    let tracker = &second["pairedDevices"][0];
    assert_eq!(
        (&tracker["deviceType"], &tracker["lastSyncTime"]),
        (&json!("TRACKER"), &json!("2026-11-22T14:00:00Z"))
    );
    let all = sandbox.get_as(&access, "/v4/users/me/pairedDevices").json();
    assert_eq!(
        all["pairedDevices"][2]["lastSyncTime"],
        "2025-10-18T14:00:00Z"
    );
    assert_eq!(all.get("nextPageToken"), None);
    let one = sandbox.get_as(
        &access,
        &format!("/v4/{}", tracker["name"].as_str().unwrap()),
    );
    assert_eq!(&one.json(), tracker);
    let settings = sandbox
        .get_as(&access, "/v4/users/111122223333444455/settings")
        .json();
    assert_eq!(
        (&settings["timeZone"], &settings["utcOffset"]),
        (&json!("Europe/Berlin"), &json!("3600s"))
    );
    let identity = sandbox.get_as(&access, "/v4/users/me/identity").json();
    assert_eq!(identity["healthUserId"], "111122223333444455");
    assert_eq!(
        sandbox.get_as(&access, "/v4/users/me/profile").json()["age"],
        38
    );
}

#[test]
fn routing_comes_before_authentication_and_that_before_validation() {
    let (sandbox, access) = Running::with_google_access();
    for response in [
        sandbox.get("/v4/users/me/devices"),
        sandbox.get("/v4/users/me/dataTypes/heart-rate/dataPoints:rollUp"),
        sandbox.request("DELETE", "/v4/users/me/settings", &[], ""),
        sandbox.get("/token"),
    ] {
        assert_eq!(response.status, 404);
        assert!(
            response
                .header("content-type")
                .unwrap()
                .starts_with("text/html")
        );
    }
    let missing = sandbox.list("", POINTS, &[("filter", "nonsense")]);
    assert_eq!(missing.status, 401);
    let missing = sandbox.get("/v4/users/me/dataTypes/heart-rate/dataPoints?filter=nonsense");
    missing.google_refuses(401, "CREDENTIALS_MISSING");
    let wrong = sandbox.get_as(
        "ya29.wrong",
        "/v4/users/me/dataTypes/heart-rate/dataPoints?filter=nonsense",
    );
    wrong.google_refuses(401, "");
    assert_eq!(
        wrong.header("www-authenticate"),
        Some("Bearer realm=\"https://accounts.google.com/\", error=\"invalid_token\"")
    );
    let other = sandbox.get_as(&access, "/v4/users/999/settings");
    other.google_refuses(403, "RESOURCE_PERMISSION_DENIED");
}

#[test]
fn a_scope_that_was_not_granted_is_forbidden() {
    let sandbox = Running::start();
    let code = sandbox.google_code(HEART, &[]);
    let access = sandbox.google_exchange(&code, VERIFIER).tokens().access;
    let refused = sandbox.get_as(&access, "/v4/users/me/settings");
    refused.google_refuses(403, "ACCESS_TOKEN_SCOPE_INSUFFICIENT");
    assert_eq!(sandbox.list(&access, POINTS, &[]).status, 200);
    assert_eq!(sandbox.get_as(&access, "/v4/users/me/identity").status, 200);
}

#[test]
fn the_quota_is_counted_by_the_clocks_minute() {
    let (sandbox, access) = Running::with_google_access();
    let ask = || sandbox.get_as(&access, "/v4/users/me/identity");
    for _ in 0..300 {
        assert_eq!(ask().status, 200);
    }
    let refused = ask();
    refused.google_refuses(429, "RATE_LIMIT_EXCEEDED");
    let error = &refused.json()["error"];
    assert_eq!(error["status"], "RESOURCE_EXHAUSTED");
    assert_eq!(error["details"][0]["metadata"]["quota_limit_value"], "300");
    // A client without a valid token uses no quota, and gets that error first.
    assert_eq!(sandbox.get("/v4/users/me/identity").status, 401);
    sandbox.advance(60);
    assert_eq!(ask().status, 200);
    sandbox.control("config", &json!({ "quotas": false }));
    for _ in 0..301 {
        assert_eq!(ask().status, 200);
    }
}
