//! Every kind of fault.

use std::time::{Duration, Instant};

use pulsewing_sandbox::{Fault, SandboxConfig};
use serde_json::{Value, json};

use crate::harness::{Response, Running};

const DEVICES: &str = "/1/user/-/devices.json";

#[test]
fn a_status_comes_with_the_providers_body_a_page_or_nothing() {
    let (sandbox, tokens) = Running::with_fitbit();
    let google = sandbox.google_login();
    let fitbit = |action: Value| {
        sandbox.fault("fitbit.token", action);
        sandbox.fitbit_refresh(&tokens.refresh)
    };
    let unavailable = fitbit(json!({ "status": 503 }));
    unavailable.fitbit_refuses(503, "request");
    let page = fitbit(json!({ "status": 502, "body": "html" }));
    assert!(
        page.header("content-type")
            .unwrap()
            .starts_with("text/html")
    );
    let empty =
        fitbit(json!({ "status": 429, "body": "empty", "headers": { "Retry-After": "17" } }));
    assert_eq!(
        (
            empty.status,
            empty.body.as_str(),
            empty.header("retry-after")
        ),
        (429, "", Some("17"))
    );
    let none = fitbit(json!({ "status": 204, "body": "empty" }));
    assert_eq!((none.status, none.body.as_str()), (204, ""));
    // None of it had any effect.
    assert_eq!(sandbox.fitbit_chain().1, 1);
    sandbox.fault("google.settings", json!({ "status": 503 }));
    let unavailable = sandbox.get_as(&google.access, "/v4/users/me/settings");
    assert_eq!(unavailable.json()["error"]["status"], "UNAVAILABLE");
    sandbox.fault("google.token", json!({ "status": 500 }));
    assert_eq!(
        sandbox.google_refresh(&google.refresh).json()["error"],
        "internal_failure"
    );
}

#[test]
fn a_connection_can_be_dropped_before_or_after_the_effect() {
    let (sandbox, tokens) = Running::with_fitbit();
    let refresh = || {
        let target = format!(
            "/oauth2/token?grant_type=refresh_token&client_id=23PWSB&refresh_token={}",
            tokens.refresh
        );
        sandbox.raw("POST", &target, &[], "")
    };
    sandbox.fault("fitbit.token", json!({ "drop": "before" }));
    assert_eq!(refresh(), b"");
    assert_eq!(sandbox.fitbit_chain().1, 1);
    sandbox.fault("fitbit.token", json!({ "drop": "after" }));
    assert_eq!(refresh(), b"");
    assert_eq!(sandbox.fitbit_chain().1, 2);
    let log = sandbox.control("requests", &Value::Null);
    let statuses: Vec<&Value> = log
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["route"] == "fitbit.token")
        .map(|entry| &entry["status"])
        .collect();
    assert_eq!(statuses, [&json!(200), &Value::Null, &Value::Null]);
}

#[test]
fn a_truncated_reply_promises_its_whole_length() {
    let (sandbox, tokens) = Running::with_fitbit();
    let today = "/1/user/-/activities/heart/date/today/1d/1min.json";
    let whole = sandbox.get_as(&tokens.access, today).body;
    for length in [0, 1, 20_000] {
        sandbox.fault("fitbit.heart", json!({ "truncate": length }));
        let cut = sandbox.get_as(&tokens.access, today);
        assert_eq!(
            cut.header("content-length"),
            Some(whole.len().to_string().as_str())
        );
        assert_eq!(cut.body, whole[..length]);
    }
    sandbox.fault("fitbit.heart", json!({ "truncate": 1_000_000 }));
    assert_eq!(sandbox.get_as(&tokens.access, today).body, whole);
}

#[test]
fn a_truncated_reply_can_hang_before_it_ends() {
    let (sandbox, tokens) = Running::with_fitbit();
    sandbox.fault("fitbit.devices", json!({ "truncate": 7, "stall_s": 0.3 }));
    let start = Instant::now();
    let cut = sandbox.get_as(&tokens.access, DEVICES);
    assert!(start.elapsed() >= Duration::from_millis(300));
    assert_eq!(cut.body.len(), 7);
}

#[test]
fn a_stalled_reply_comes_late_but_whole() {
    let (sandbox, tokens) = Running::with_fitbit();
    sandbox.fault("fitbit.token", json!({ "stall_s": 0.3 }));
    let start = Instant::now();
    let response = sandbox.fitbit_refresh(&tokens.refresh);
    assert!(start.elapsed() >= Duration::from_millis(300));
    assert_eq!(response.status, 200);
}

#[test]
fn a_key_can_be_missing_at_the_top_or_further_in() {
    let (sandbox, tokens) = Running::with_fitbit();
    sandbox.fault("fitbit.token", json!({ "omit": "scope" }));
    let body = sandbox.fitbit_refresh(&tokens.refresh).json();
    assert_eq!(
        (body.get("scope"), body.get("refresh_token").is_some()),
        (None, true)
    );
    sandbox.fault("fitbit.devices", json!({ "omit": "batteryLevel" }));
    let devices = sandbox.get_as(&tokens.access, DEVICES);
    assert!(!devices.body.contains("batteryLevel") && devices.body.contains("lastSyncTime"));
    sandbox.fault(
        "fitbit.heart",
        json!({ "omit": "activities-heart-intraday" }),
    );
    let today = sandbox
        .get_as(
            &tokens.access,
            "/1/user/-/activities/heart/date/today/1d/1min.json",
        )
        .json();
    assert_eq!(today.as_object().unwrap().len(), 1);
}

#[test]
fn a_reason_is_answered_with_the_providers_own_error() {
    let (sandbox, fitbit) = Running::with_fitbit();
    let google = sandbox.google_login();
    let settings = |reason: &str| {
        sandbox.fault("google.settings", json!({ "reason": reason }));
        let response = sandbox.get_as(&google.access, "/v4/users/me/settings");
        (
            response.status,
            response.json()["error"]["status"]
                .as_str()
                .unwrap()
                .to_owned(),
            response,
        )
    };
    let (status, canonical, response) = settings("ACCOUNT_NOT_LINKED");
    assert_eq!((status, canonical.as_str()), (400, "FAILED_PRECONDITION"));
    assert_eq!(
        response.json()["error"]["details"][0]["metadata"]["redirect_uri"],
        "https://fitbit.google.com/auth/signup"
    );
    let (status, canonical, response) = settings("RESOURCE_PERMISSION_DENIED");
    assert_eq!((status, canonical.as_str()), (403, "PERMISSION_DENIED"));
    assert_eq!(response.reason(), "RESOURCE_PERMISSION_DENIED");
    assert_eq!(settings("RATE_LIMIT_EXCEEDED").1, "RESOURCE_EXHAUSTED");
    sandbox.fault("google.token", json!({ "reason": "invalid_grant" }));
    let refused = sandbox.google_refresh(&google.refresh);
    refused.oauth_refuses(400, "invalid_grant");
    assert_eq!(sandbox.google_refresh(&google.refresh).status, 200);
    sandbox.fault("fitbit.token", json!({ "reason": "invalid_client" }));
    let refused = sandbox.fitbit_refresh(&fitbit.refresh);
    refused.fitbit_refuses(401, "invalid_client");
    sandbox.fault("fitbit.devices", json!({ "reason": "expired_token" }));
    sandbox
        .get_as(&fitbit.access, DEVICES)
        .fitbit_refuses(401, "expired_token");
}

#[test]
fn an_empty_page_says_that_there_is_more() {
    let (sandbox, access) = Running::with_google_access();
    let walk = |first: &dyn Fn(&str) -> Response, items: &str| {
        let empty = first("");
        assert_eq!(empty.json().get(items), None);
        let token = empty.json()["nextPageToken"].as_str().unwrap().to_owned();
        assert!(!token.is_empty());
        first(&token).json()
    };
    sandbox.fault("google.list", json!({ "empty_page": true }));
    let list =
        |token: &str| sandbox.list(&access, "heart-rate/dataPoints", &[("pageToken", token)]);
    let full = list("");
    assert_eq!(full.json().get("dataPoints"), None);
    sandbox.fault("google.list", json!({ "empty_page": true }));
    assert_eq!(walk(&list, "dataPoints"), list("").json());
    sandbox.fault("google.rollup", json!({ "empty_page": true }));
    let roll_up = |token: &str| {
        let more = if token.is_empty() {
            json!({})
        } else {
            json!({ "pageToken": token })
        };
        sandbox.roll_up(
            &access,
            "2026-11-22T08:00:00Z",
            "2026-11-22T09:00:00Z",
            more,
        )
    };
    let page = walk(&roll_up, "rollupDataPoints");
    assert_eq!(page, roll_up("").json());
    assert!(page["rollupDataPoints"].as_array().unwrap().len() > 30);
}

#[test]
fn every_route_is_hit_by_a_star() {
    let (sandbox, tokens) = Running::with_fitbit();
    let star = json!([{ "route": "*", "skip": 1, "count": 0, "do": { "status": 503 } }]);
    sandbox.control("faults", &star);
    assert_eq!(sandbox.get_as(&tokens.access, DEVICES).status, 200);
    for _ in 0..3 {
        assert_eq!(sandbox.get_as(&tokens.access, DEVICES).status, 503);
        assert_eq!(sandbox.get("/v4/users/me/identity").status, 503);
    }
    sandbox.control("faults", &json!([]));
    assert_eq!(sandbox.get_as(&tokens.access, DEVICES).status, 200);
}

#[test]
fn a_script_is_in_force_from_the_start() {
    let faults =
        Fault::parse_script(r#"{"route":"google.identity","do":{"status":504,"body":"empty"}}"#);
    let sandbox = Running::with(SandboxConfig {
        faults: faults.unwrap(),
        ..SandboxConfig::default()
    });
    assert_eq!(sandbox.get("/v4/users/me/identity").status, 504);
    assert_eq!(sandbox.get("/v4/users/me/identity").status, 401);
}

#[test]
fn every_google_data_call_can_be_refused_with_the_documented_body() {
    let (sandbox, access) = Running::with_google_access();
    let points = "/v4/users/me/dataTypes/heart-rate/dataPoints";
    let gets = [
        "/v4/users/me/identity".to_owned(),
        "/v4/users/me/profile".to_owned(),
        "/v4/users/me/settings".to_owned(),
        "/v4/users/me/pairedDevices".to_owned(),
        "/v4/users/me/pairedDevices/816713257".to_owned(),
        points.to_owned(),
        format!("{points}:reconcile"),
        "/v4/users/me/dataTypes/daily-resting-heart-rate/dataPoints".to_owned(),
        "/v4/users/me/dataTypes/daily-heart-rate-zones/dataPoints".to_owned(),
    ];
    let posts = [format!("{points}:rollUp"), format!("{points}:dailyRollUp")];
    let reply = |method: &str, target: &str| {
        let headers = [("Authorization", format!("Bearer {access}"))];
        let headers = headers
            .each_ref()
            .map(|(name, value)| (*name, value.as_str()));
        sandbox.request(method, target, &headers, "{}")
    };
    for (reason, status, canonical, domain, message) in [
        (
            "ACCOUNT_NOT_LINKED",
            400,
            "FAILED_PRECONDITION",
            "health.googleapis.com",
            "The account is not linked to Google Health.",
        ),
        (
            "RESOURCE_PERMISSION_DENIED",
            403,
            "PERMISSION_DENIED",
            "health.googleapis.com",
            "The caller does not have permission",
        ),
        (
            "SERVICE_DISABLED",
            403,
            "PERMISSION_DENIED",
            "googleapis.com",
            "Google Health API has not been used in project 100200300400 before or it is disabled.",
        ),
    ] {
        sandbox.control(
            "faults",
            &json!([{ "route": "*", "count": 0, "do": { "reason": reason } }]),
        );
        let targets = gets.iter().map(|target| ("GET", target));
        for (method, target) in targets.chain(posts.iter().map(|target| ("POST", target))) {
            let response = reply(method, target);
            let error = &response.json()["error"];
            let info = &error["details"][0];
            assert_eq!(
                (response.status, &error["code"]),
                (status, &json!(status)),
                "{target}"
            );
            assert_eq!(error["status"], canonical, "{target}");
            assert!(
                error["message"].as_str().unwrap().starts_with(message),
                "{target}"
            );
            assert_eq!(info["@type"], "type.googleapis.com/google.rpc.ErrorInfo");
            assert_eq!(
                (&info["reason"], &info["domain"]),
                (&json!(reason), &json!(domain))
            );
            assert!(info["metadata"].is_object());
        }
    }
}

#[test]
fn fitbit_can_answer_with_an_error_in_googles_form() {
    let (sandbox, access) = Running::with_fitbit_access();
    for (canonical, status) in [
        ("PERMISSION_DENIED", 403),
        ("RESOURCE_EXHAUSTED", 429),
        ("INTERNAL", 500),
    ] {
        sandbox.fault("fitbit.devices", json!({ "reason": canonical }));
        let response = sandbox.get_as(&access, DEVICES);
        assert_eq!(response.status, status);
        let error = &response.json()["error"];
        assert_eq!(
            (&error["code"], &error["status"]),
            (&json!(status), &json!(canonical))
        );
    }
    sandbox.fault("fitbit.devices", json!({ "reason": "PERMISSION_DENIED" }));
    let refused = sandbox.get_as(&access, DEVICES).json();
    assert_eq!(
        refused["error"]["message"],
        "The caller does not have permission"
    );
}

#[test]
fn a_429_is_told_with_any_headers() {
    let (sandbox, access) = Running::with_fitbit_access();
    let headers = json!({ "Retry-After": "12", "Fitbit-Rate-Limit-Remaining": "40", "Fitbit-Rate-Limit-Reset": "9" });
    sandbox.fault(
        "fitbit.devices",
        json!({ "status": 429, "headers": headers }),
    );
    let refused = sandbox.get_as(&access, DEVICES);
    refused.fitbit_refuses(429, "system");
    assert_eq!(refused.header("fitbit-rate-limit-remaining"), Some("40"));
    sandbox.fault("fitbit.devices", json!({ "status": 429 }));
    assert_eq!(sandbox.get_as(&access, DEVICES).header("retry-after"), None);
}

#[test]
fn a_legacy_fitbit_account_is_refused_as_google_does() {
    let (sandbox, access) = Running::with_google_access();
    sandbox.fault("google.rollup", json!({ "reason": "UBERMINT" }));
    let refused = sandbox.roll_up(
        &access,
        "2026-11-22T13:00:00Z",
        "2026-11-22T14:00:00Z",
        json!({}),
    );
    let error = &refused.json()["error"];
    assert_eq!(
        (refused.status, &error["code"], &error["status"]),
        (403, &json!(403), &json!("PERMISSION_DENIED"))
    );
    assert_eq!(error["message"], "The caller does not have permission");
    let detail = &error["details"][0];
    assert_eq!(detail["detail"], "Could not mint UberMint from GaiaMint.");
    assert_eq!(detail.get("reason"), None);
}
