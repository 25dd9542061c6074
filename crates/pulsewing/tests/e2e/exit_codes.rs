//! Every exit code, by the cloud's answer.

use serde_json::json;

use crate::harness::{hermetic::Home, signed_in::SignedIn};

#[test]
fn nobody_signed_in_is_three() {
    let home = Home::new();
    home.run(&["once"])
        .exits(3)
        .says("nobody has signed in yet")
        .says("pulsewing login --provider google")
        .says("pulsewing demo");
    home.configure("provider = \"fitbit\"\n");
    home.run(&["once"])
        .exits(3)
        .says("pulsewing login --provider fitbit");
    assert!(!home.state("chain").exists());
}

#[test]
fn what_needs_consent_is_three_and_says_what_to_do() {
    for (reason, words) in [
        (
            "ACCOUNT_NOT_LINKED",
            "https://fitbit.google.com/auth/signup",
        ),
        (
            "RESOURCE_PERMISSION_DENIED",
            "https://myaccount.google.com/connections",
        ),
        (
            "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
            "keep the heart rate box ticked",
        ),
    ] {
        let signed_in = SignedIn::google();
        signed_in.fault("google.rollup", 0, &json!({ "reason": reason }));
        signed_in.once().exits(3).says(words);
        assert_eq!(
            signed_in.sandbox.requests_of("google.rollup").len(),
            1,
            "{reason}"
        );
        // The account is at fault, not the chain.
        assert_eq!(signed_in.chain()["standing"], "active", "{reason}");
        signed_in.sandbox.faults(&json!([]));
        signed_in.once().exits(0);
    }
    let signed_in = SignedIn::fitbit().after_once();
    signed_in
        .sandbox
        .configure(&json!({ "scopes": ["settings", "profile"] }));
    signed_in
        .once()
        .exits(3)
        .says("access to heart rate was not given");
}

#[test]
fn what_is_the_configurations_fault_is_one_and_says_where_to_mend_it() {
    let signed_in = SignedIn::google();
    let disabled = json!({ "reason": "SERVICE_DISABLED" });
    signed_in.fault("google.rollup", 0, &disabled);
    signed_in
        .once()
        .exits(1)
        .says("SERVICE_DISABLED")
        .says("https://console.cloud.google.com/apis/library/health.googleapis.com");
    let signed_in = SignedIn::fitbit();
    let forbidden = json!({ "reason": "insufficient_permissions" });
    signed_in.fault("fitbit.heart", 0, &forbidden);
    signed_in.once().exits(1).says("intraday").says("Personal");
    let signed_in = SignedIn::google();
    signed_in.fault("google.rollup", 0, &json!({ "status": 400 }));
    signed_in.once().exits(1).says("400");
}

#[test]
fn in_googles_dialect_a_410_is_an_ordinary_error() {
    for route in ["google.rollup", "google.token"] {
        let signed_in = SignedIn::google();
        signed_in.sandbox.advance(3_600);
        signed_in.fault(route, 0, &json!({ "status": 410 }));
        signed_in
            .once()
            .exits(1)
            .says("410")
            .says_nothing_of("Fitbit's Web API");
        signed_in.sandbox.faults(&json!([]));
        signed_in.once().exits(0);
    }
}

#[test]
fn what_may_work_later_is_five() {
    for provider in ["fitbit", "google"] {
        for fault in [
            json!({ "status": 500 }),
            json!({ "status": 503, "body": "html" }),
            json!({ "drop": "before" }),
            json!({ "truncate": 100 }),
            json!({ "status": 200, "body": "html" }),
        ] {
            let signed_in = SignedIn::either(provider);
            signed_in.fault(signed_in.heart_route(), 0, &fault);
            signed_in.once().exits(5).says("nothing is lost");
            // A few attempts, but not a flood.
            assert_eq!(
                signed_in.sandbox.requests_of(signed_in.heart_route()).len(),
                3
            );
        }
    }
}

#[test]
fn a_call_that_fails_now_and_then_is_made_again() {
    for provider in ["fitbit", "google"] {
        let signed_in = SignedIn::either(provider);
        signed_in.fault("*", 1, &json!({ "drop": "before" }));
        signed_in.once().exits(0);
        let heart = signed_in.heart_route();
        signed_in.fault(heart, 2, &json!({ "status": 502, "body": "html" }));
        signed_in.once().exits(0);
    }
}

#[test]
fn heart_rate_alone_decides() {
    for (provider, routes) in [
        ("fitbit", &["fitbit.devices", "fitbit.profile"][..]),
        (
            "google",
            &[
                "google.devices",
                "google.settings",
                "google.resting",
                "google.zones",
            ],
        ),
    ] {
        for route in routes {
            for fault in [
                json!({ "status": 403 }),
                json!({ "status": 400 }),
                json!({ "status": 503 }),
                json!({ "status": 429 }),
                json!({ "truncate": 30 }),
            ] {
                let signed_in = SignedIn::either(provider);
                signed_in.fault(route, 0, &fault);
                let reading = signed_in.run(&["once", "--json"]).exits(0).json();
                assert_eq!(reading["logged_minutes"], 840, "{route} {fault}");
                assert_eq!(
                    reading["battery_percent"].is_null(),
                    route.ends_with("devices")
                );
            }
        }
    }
}

#[test]
fn a_page_that_is_empty_and_says_there_is_more_ends_somewhere() {
    let signed_in = SignedIn::google();
    signed_in.fault("google.rollup", 0, &json!({ "empty_page": true }));
    let once = signed_in.once();
    assert!([Some(0), Some(5)].contains(&once.code), "{once:?}");
    assert!(signed_in.sandbox.requests_of("google.rollup").len() <= 60);
    signed_in.fault("google.devices", 0, &json!({ "empty_page": true }));
    signed_in.once().exits(0);
}
