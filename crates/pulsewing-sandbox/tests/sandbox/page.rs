//! The page at `/`, and the access to it.

use serde_json::{Value, json};

use crate::harness::{Response, Running, fingerprint};

fn send(sandbox: &Running, form: &[(&str, &str)]) -> Response {
    sandbox.post_form("/", form)
}

#[test]
fn the_page_shows_the_state_and_no_secret() {
    let sandbox = Running::start();
    let empty = sandbox.get("/");
    assert_eq!(empty.status, 200);
    for words in [
        "Nobody has signed in yet",
        "No request yet",
        "No faults are set",
    ] {
        assert!(empty.body.contains(words), "{words}");
    }
    let fitbit = sandbox.fitbit_login();
    let google = sandbox.google_login();
    sandbox.get_as(&google.access, "/v4/users/me/settings");
    sandbox.get("/1/user/-/%3Cb%3E.json");
    sandbox.control(
        "faults",
        &json!([{ "route": "fitbit.token", "count": 0, "do": { "drop": "after" } }]),
    );
    let page = sandbox.get("/").body;
    for words in [
        "2026-11-22T14:07:00Z",
        "2026-11-22 15:07 (Europe/Berlin)",
        " bpm at 2026-11-22 14:59",
        "/v4/users/me/settings",
        "google.settings",
        "&lt;b&gt;",
        "{&quot;drop&quot;:&quot;after&quot;}",
        "forever",
        fingerprint(&fitbit.refresh).as_str(),
        fingerprint(&google.access).as_str(),
    ] {
        assert!(page.contains(words), "{words}");
    }
    for secret in [
        &fitbit.access,
        &fitbit.refresh,
        &google.access,
        &google.refresh,
        &sandbox.ready["google"]["client_secret"]
            .as_str()
            .unwrap()
            .to_owned(),
        &"<b>".to_owned(),
    ] {
        assert!(!page.contains(secret.as_str()));
    }
}

#[test]
fn the_page_needs_no_script_and_loads_nothing() {
    let sandbox = Running::start();
    let page = sandbox.get("/");
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("script"));
    for sign in [
        "<script", "http://", "https://", "onclick", "onload", "src=", "url(", "@import",
    ] {
        assert!(!page.body.contains(sign), "{sign}");
    }
    assert!(page.body.contains("prefers-color-scheme: dark"));
    assert!(!page.body.contains("http-equiv"));
    assert!(
        sandbox
            .get("/?every=5")
            .body
            .contains("http-equiv=\"refresh\" content=\"5\"")
    );
    assert!(!sandbox.get("/?every=0").body.contains("http-equiv"));
}

#[test]
fn the_forms_do_what_the_control_calls_do() {
    let sandbox = Running::start();
    let moved = send(&sandbox, &[("form", "clock"), ("advance_s", "900")]);
    assert_eq!((moved.status, moved.header("location")), (303, Some("/")));
    assert_eq!(sandbox.clock.now().to_string(), "2026-11-22T14:22:00Z");
    send(
        &sandbox,
        &[("form", "clock"), ("now", "2026-12-01T00:00:00Z")],
    );
    assert_eq!(sandbox.clock.now().to_string(), "2026-12-01T00:00:00Z");

    let form = [
        ("form", "switches"),
        ("gone", "on"),
        ("replay", "until-used"),
        ("page_sizes", "documented"),
        ("google_rotates", "on"),
        ("refresh_token_length", "99"),
        ("battery", "3"),
    ];
    assert_eq!(send(&sandbox, &form).status, 303);
    let told = sandbox.control("config", &Value::Null);
    assert_eq!(
        told,
        json!({
            "replay": "until-used", "gone": true, "page_sizes": "documented", "testing_status": false,
            "google_rotates": true, "refresh_token_length": 99,
            "quotas": false, "header_case": "title", "redirect_uri": null, "scopes": null,
            "late": false, "wearable": false, "devices": "plain", "battery": 3,
            "time_zone": null, "last_sync": null,
        })
    );
    assert_eq!(sandbox.get("/1/user/-/devices.json").status, 410);

    let form = [
        ("form", "fault"),
        ("route", "google.settings"),
        ("preset", "Google: ACCOUNT_NOT_LINKED"),
        ("skip", "1"),
        ("count", "2"),
    ];
    assert_eq!(send(&sandbox, &form).status, 303);
    assert_eq!(
        sandbox.control("faults", &Value::Null),
        json!([{ "route": "google.settings", "skip": 1, "count": 2, "do": { "reason": "ACCOUNT_NOT_LINKED" } }])
    );
    send(&sandbox, &[("form", "no-faults")]);
    assert_eq!(sandbox.control("faults", &Value::Null), json!([]));
}

#[test]
fn a_form_that_is_wrong_is_explained_on_the_page() {
    let sandbox = Running::start();
    let refused = send(&sandbox, &[("form", "clock"), ("now", "<noon>")]);
    assert_eq!(refused.status, 400);
    assert!(refused.body.contains("role=\"alert\"") && refused.body.contains("RFC 3339"));
    assert!(!refused.body.contains("<noon>"));
    assert_eq!(sandbox.request("PUT", "/", &[], "").status, 405);
}

#[test]
fn pages_from_elsewhere_can_neither_read_nor_change_anything() {
    let sandbox = Running::start();
    for path in ["/", "/_sandbox/clock"] {
        let body = if path == "/" {
            "form=clock&advance_s=60"
        } else {
            "{\"advance_s\":60}"
        };
        let from = |origin: &str| {
            sandbox
                .request("POST", path, &[("Origin", origin)], body)
                .status
        };
        assert_eq!(from("https://evil.example"), 403, "{path}");
        assert_eq!(from("null"), 403, "{path}");
        assert!(from("http://localhost") < 400, "{path}");
        let rebound = sandbox.raw_with_host("evil.example", "GET", path);
        assert!(rebound.starts_with("HTTP/1.1 403"), "{path}: {rebound}");
    }
    assert_eq!(sandbox.clock.now().to_string(), "2026-11-22T14:09:00Z");
}
