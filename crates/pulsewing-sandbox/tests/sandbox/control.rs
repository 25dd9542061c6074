//! The control calls and the ready line.

use std::net::{Ipv4Addr, SocketAddr};

use jiff::tz::TimeZone;
use pulsewing_sandbox::{Sandbox, SandboxConfig, StartError};
use serde_json::{Value, json};

use crate::harness::{Running, SEED, block_on, fingerprint};

#[test]
fn the_ready_line_names_the_origin_and_both_apps() {
    let sandbox = Running::start();
    let ready = &sandbox.ready;
    assert_eq!(ready["url"], format!("http://{}", sandbox.address));
    for key in ["client_id", "client_secret"] {
        assert!(ready["google"][key].is_string() && ready["fitbit"][key].is_string());
    }
    assert_eq!(ready["fitbit"]["user_id"], "PW7SB1");
    assert!(!ready.to_string().contains('\n'));
}

#[test]
fn requests_are_logged_in_order_and_without_secrets() {
    let (sandbox, tokens) = Running::with_fitbit();
    sandbox.fitbit_refresh(&tokens.refresh);
    sandbox.get_as(&tokens.access, "/1/user/-/devices.json?token=secret");
    sandbox.post_form(
        "/oauth2/revoke",
        &[("client_id", "23PWSB"), ("token", &tokens.refresh)],
    );
    let log = sandbox.control("requests", &Value::Null);
    let routes: Vec<&Value> = log
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| &entry["route"])
        .collect();
    assert_eq!(
        routes,
        [
            "fitbit.authorize",
            "fitbit.token",
            "fitbit.token",
            "fitbit.devices",
            "fitbit.revoke"
        ]
    );
    assert_eq!(
        log[2],
        json!({
            "at": "2026-11-22T14:07:00Z",
            "method": "POST",
            "path": "/oauth2/token",
            "route": "fitbit.token",
            "status": 200,
            "access_fp": null,
            "refresh_fp": fingerprint(&tokens.refresh),
            "user_id": "PW7SB1",
        })
    );
    assert_eq!(log[3]["access_fp"], fingerprint(&tokens.access));
    assert_eq!(log[3]["path"], "/1/user/-/devices.json");
    assert_eq!(log[4]["refresh_fp"], fingerprint(&tokens.refresh));
    let text = format!("{log}{}", sandbox.control("tokens", &Value::Null));
    for secret in [&tokens.access, &tokens.refresh] {
        assert!(!text.contains(secret.as_str()));
    }
}

#[test]
fn grants_are_listed_once_there_are_any() {
    let sandbox = Running::start();
    assert_eq!(sandbox.control("tokens", &Value::Null), json!([]));
    let google = sandbox.google_login();
    assert_eq!(
        sandbox.control("tokens", &Value::Null),
        json!([{
            "provider": "google",
            "user_id": "111122223333444455",
            "generation": 1,
            "refresh": [{ "fp": fingerprint(&google.refresh), "state": "active" }],
            "access": [{ "fp": fingerprint(&google.access), "expires_at": "2026-11-22T15:06:59Z" }],
        }])
    );
}

#[test]
fn the_clock_can_be_set_and_moved() {
    let sandbox = Running::start();
    let now = |answer: Value| answer["now"].as_str().unwrap().to_owned();
    assert_eq!(
        now(sandbox.control("clock", &json!({ "advance_s": 60 }))),
        "2026-11-22T14:08:00Z"
    );
    assert_eq!(
        now(sandbox.control("clock", &json!({ "advance_s": -0.5 }))),
        "2026-11-22T14:07:59.5Z"
    );
    let set = sandbox.control("clock", &json!({ "now": "2026-12-01T00:00:00+01:00" }));
    assert_eq!(now(set), "2026-11-30T23:00:00Z");
    assert_eq!(
        now(sandbox.control("clock", &Value::Null)),
        "2026-11-30T23:00:00Z"
    );
    assert_eq!(sandbox.clock.now().to_string(), "2026-11-30T23:00:00Z");
}

#[test]
fn a_control_call_that_is_wrong_changes_nothing() {
    let sandbox = Running::start();
    for (call, body) in [
        (
            "seed",
            json!({ "fitbit_refresh_token": SEED.to_uppercase() }),
        ),
        ("seed", json!({ "fitbit_refresh_token": "abc" })),
        ("seed", json!({})),
        ("config", json!({ "gone": true, "replay": "60s" })),
        ("config", json!({ "gon": true })),
        ("clock", json!({ "now": "noon" })),
        ("clock", json!({})),
        (
            "clock",
            json!({ "now": "2026-11-22T14:07:00Z", "advance_s": 1 }),
        ),
        ("faults", json!({ "route": "*" })),
        (
            "faults",
            json!([{ "route": "nowhere", "do": { "drop": "after" } }]),
        ),
    ] {
        let response =
            sandbox.request("POST", &format!("/_sandbox/{call}"), &[], &body.to_string());
        assert_eq!(response.status, 400, "{call} {body}");
        assert!(response.json()["error"].is_string());
    }
    assert_eq!(sandbox.control("tokens", &Value::Null), json!([]));
    assert_eq!(sandbox.clock.now().to_string(), "2026-11-22T14:07:00Z");
    assert_eq!(sandbox.get("/1/x.json").status, 404);
    assert_eq!(sandbox.get("/_sandbox/nothing").status, 404);
    assert_eq!(sandbox.get("/_sandbox/seed").status, 405);
}

#[test]
fn scopes_narrow_what_is_granted_and_what_was() {
    let (sandbox, tokens) = Running::with_fitbit();
    sandbox.control("config", &json!({ "scopes": ["settings", "profile"] }));
    let heart = "/1/user/-/activities/heart/date/today/1d/1min.json";
    assert_eq!(
        sandbox.get_as(&tokens.access, heart).fitbit_error(),
        "insufficient_scope"
    );
    assert_eq!(
        sandbox.fitbit_refresh(&tokens.refresh).json()["scope"],
        "settings profile"
    );
    let code = sandbox.fitbit_code("heartrate settings");
    let granted = sandbox.fitbit_exchange(&code, crate::harness::VERIFIER);
    assert_eq!(granted.json()["scope"], "settings");
    sandbox.control("config", &json!({ "scopes": null }));
    // A scope that was not granted at consent does not come back.
    assert_eq!(
        sandbox
            .get_as(&granted.tokens().access, heart)
            .fitbit_error(),
        "insufficient_scope"
    );
    assert_eq!(sandbox.get_as(&tokens.access, heart).status, 200);
}

#[test]
fn neither_clouds_path_is_a_page() {
    let sandbox = Running::start();
    let response = sandbox.get("/favicon.ico");
    assert_eq!(response.status, 404);
    assert_eq!(sandbox.control("requests", &Value::Null), json!([]));
}

#[test]
fn a_body_that_is_too_large_is_refused() {
    let sandbox = Running::start();
    let response = sandbox.request("POST", "/oauth2/token", &[], &"a".repeat((1 << 20) + 1));
    assert_eq!(response.status, 413);
}

#[test]
fn a_running_clock_runs_at_its_speed() {
    let sandbox = Running::with(SandboxConfig {
        now: "2026-11-22T14:07:00Z".parse().ok(),
        speed: 1_000_000,
        ..SandboxConfig::default()
    });
    let before = sandbox.clock.now();
    while sandbox.clock.now().duration_since(before).as_hours() < 1 {
        std::thread::yield_now();
    }
}

#[test]
fn a_sandbox_that_cannot_start_says_why() {
    block_on(async {
        let first = Sandbox::start(SandboxConfig::default()).await.unwrap();
        let taken = SandboxConfig {
            listen: first.address(),
            ..SandboxConfig::default()
        };
        assert!(matches!(
            Sandbox::start(taken).await,
            Err(StartError::Listen { .. })
        ));
        let address = first.address();
        first.stop().await;
        let again = SandboxConfig {
            listen: address,
            ..SandboxConfig::default()
        };
        Sandbox::start(again).await.unwrap();
        let everywhere = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
        let open = SandboxConfig {
            listen: everywhere,
            ..SandboxConfig::default()
        };
        let open = Sandbox::start(open).await.unwrap();
        assert_eq!(
            open.url(),
            format!("http://127.0.0.1:{}", open.address().port())
        );
        let unnamed = SandboxConfig {
            zone: TimeZone::fixed(jiff::tz::offset(2)),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            ..SandboxConfig::default()
        };
        assert!(matches!(
            Sandbox::start(unnamed).await,
            Err(StartError::UnnamedZone)
        ));
    });
}
