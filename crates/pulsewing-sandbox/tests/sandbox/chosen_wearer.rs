//! One of several wearers, chosen on the consent page or named in a control call.

use pulsewing_sandbox::{FITBIT_APP, GOOGLE_APP};
use serde_json::{Value, json};

use crate::{
    harness::{HEART, REDIRECT, Running, SEED, Tokens, VERIFIER, challenge, encoded, fingerprint},
    wearers::{both, json_as},
};

/// Returns the request for Fitbit's consent, without `auto`.
pub(crate) fn consent(more: &[(&str, &str)]) -> String {
    let challenge = challenge();
    let query = [
        ("client_id", FITBIT_APP.client_id),
        ("response_type", "code"),
        ("redirect_uri", REDIRECT),
        ("scope", "heartrate profile"),
        ("code_challenge", challenge.as_str()),
        ("code_challenge_method", "S256"),
    ];
    format!(
        "/oauth2/authorize?{}",
        encoded(&[&query[..], more].concat())
    )
}

#[test]
fn the_consent_page_asks_whose_data_it_is() {
    let sandbox = Running::with_wearers(3);
    let page = sandbox.get(&consent(&[("user", "2")])).body;
    let choice = "<p><label>Whose data? <select name=\"user\"><option>1</option>\
                  <option selected>2</option><option>3</option></select></label>";
    assert!(page.contains(choice), "{page}");
    let decide = |target: &str, user: &str| {
        let form = [
            ("decision", "allow"),
            ("scope", "heartrate"),
            ("user", user),
        ];
        sandbox.post_form(target, &form)
    };
    let code = decide(&consent(&[]), "3").redirect_param("code").unwrap();
    let granted = sandbox.fitbit_exchange(&code, VERIFIER).json();
    assert_eq!(granted["user_id"], "PW7SB3");
    // The choice on the page counts, not the one that it proposed.
    let target = consent(&[("user", "2")]);
    let code = decide(&target, "1").redirect_param("code").unwrap();
    let granted = sandbox.fitbit_exchange(&code, VERIFIER).json();
    assert_eq!(granted["user_id"], "PW7SB1");
    assert_eq!(decide(&target, "4").status, 400);
    let many = Running::with_wearers(1_001).get(&consent(&[])).body;
    assert!(many.contains("<input type=\"number\" name=\"user\" min=\"1\" max=\"1001\""));
    let alone = Running::start().get(&consent(&[])).body;
    assert!(!alone.contains("Whose") && !alone.contains("name=\"user\""));
}

#[test]
fn a_wearer_who_does_not_exist_is_refused() {
    for (sandbox, wrong) in [
        (
            Running::with_wearers(3),
            ["0", "4", "-1", "one", "1.0", "99999999999"],
        ),
        (
            Running::start(),
            ["0", "2", "-1", "one", "1.0", "99999999999"],
        ),
    ] {
        for user in wrong {
            for more in [&[("user", user)][..], &[("auto", "1"), ("user", user)]] {
                let refused = sandbox.get(&consent(more));
                assert_eq!(refused.status, 400, "{user}");
                assert!(refused.body.contains("Invalid user parameter value"));
            }
            let query = encoded(&[
                ("client_id", GOOGLE_APP.client_id),
                ("response_type", "code"),
                ("redirect_uri", REDIRECT),
                ("scope", HEART),
                ("auto", "1"),
                ("user", user),
            ]);
            let refused = sandbox.get(&format!("/o/oauth2/v2/auth?{query}"));
            assert_eq!(refused.status, 400, "{user}");
        }
        assert_eq!(sandbox.control("tokens", &Value::Null), json!([]));
        for (call, body) in [
            ("seed", json!({ "fitbit_refresh_token": SEED, "user": 4 })),
            ("config", json!({ "user": 4, "battery": 7 })),
            ("config", json!({ "user": 0, "battery": 7 })),
            ("config", json!({ "user": 1, "gone": true })),
            (
                "faults",
                json!([{ "route": "*", "user": 4, "do": { "drop": "after" } }]),
            ),
        ] {
            let target = format!("/_sandbox/{call}");
            let refused = sandbox.request("POST", &target, &[], &body.to_string());
            assert_eq!(refused.status, 400, "{call} {body}");
        }
        assert_eq!(sandbox.get("/_sandbox/config?user=4").status, 400);
        assert_eq!(sandbox.get(&consent(&[])).status, 200);
    }
}

#[test]
fn one_wearer_can_be_seeded() {
    let sandbox = Running::with_wearers(2);
    let first = sandbox.fitbit_login_as("1");
    let seed = json!({ "fitbit_refresh_token": SEED, "user": 2 });
    sandbox.control("seed", &seed);
    assert_eq!(sandbox.fitbit_refresh(SEED).json()["user_id"], "PW7SB2");
    assert_eq!(
        sandbox.fitbit_refresh(&first.refresh).json()["user_id"],
        "PW7SB1"
    );
    // A token is somebody's: planted for another, it is no longer the first one's.
    sandbox.control("seed", &json!({ "fitbit_refresh_token": SEED }));
    assert_eq!(sandbox.fitbit_refresh(SEED).json()["user_id"], "PW7SB1");
    let second = sandbox.control("tokens", &Value::Null)[1].clone();
    assert_eq!(second["user_id"], "PW7SB2");
    assert!(!second.to_string().contains(&fingerprint(SEED)));
}

#[test]
fn one_wearer_can_have_faults() {
    let sandbox = Running::with_wearers(2);
    let [first, second] = both(&sandbox, Running::fitbit_login_as);
    let limited = json!([
        { "route": "fitbit.devices", "user": 2, "count": 0, "do": { "status": 429 } },
        { "route": "fitbit.authorize", "user": 2, "do": { "status": 503 } },
        { "route": "fitbit.token", "user": 2, "do": { "status": 502 } },
    ]);
    sandbox.control("faults", &limited);
    for _ in 0..3 {
        assert_eq!(
            sandbox
                .get_as(&first.access, "/1/user/-/devices.json")
                .status,
            200
        );
        assert_eq!(
            sandbox
                .get_as(&second.access, "/1/user/-/devices.json")
                .status,
            429
        );
    }
    let auto = |user| {
        sandbox
            .get(&consent(&[("auto", "1"), ("user", user)]))
            .status
    };
    assert_eq!((auto("1"), auto("2"), auto("2")), (302, 503, 302));
    assert_eq!(sandbox.fitbit_refresh(&first.refresh).status, 200);
    assert_eq!(sandbox.fitbit_refresh(&second.refresh).status, 502);
    assert_eq!(sandbox.fitbit_refresh(&second.refresh).status, 200);
    let left = sandbox.control("faults", &Value::Null);
    assert_eq!(
        (&left[0]["user"], left.as_array().unwrap().len()),
        (&json!(2), 1)
    );
}

#[test]
fn one_wearer_can_be_off_the_wrist() {
    let sandbox = Running::with_wearers(2);
    let tokens = both(&sandbox, Running::fitbit_login_as);
    let change = json!({ "user": 2, "last_sync": "2026-11-22T09:00:00Z", "battery": 7 });
    sandbox.control("config", &change);
    let told = |tokens: &Tokens| {
        let device = json_as(&sandbox, &tokens.access, "/1/user/-/devices.json")[0].clone();
        let (synced, level) = (&device["lastSyncTime"], &device["batteryLevel"]);
        (synced.as_str().unwrap().to_owned(), level.as_u64().unwrap())
    };
    let [first, second] = tokens.each_ref().map(told);
    assert_eq!(second, ("2026-11-22T10:00:00.000".to_owned(), 7));
    assert_eq!(first.0, "2026-11-22T15:00:00.000");
    assert_ne!(first.1, 7);
    assert_eq!(sandbox.control("config?user=2", &Value::Null)["battery"], 7);
    assert_eq!(
        sandbox.control("config", &Value::Null)["battery"],
        Value::Null
    );
    // Without `user` it is for all.
    sandbox.control("config", &json!({ "last_sync": null, "battery": 50 }));
    for tokens in &tokens {
        assert_eq!(told(tokens), ("2026-11-22T15:00:00.000".to_owned(), 50));
    }
}
