//! The rate of requests: the refresh margin, our own cap, limits, refused access tokens.

use serde_json::json;

use crate::harness::signed_in::{FITBIT_LIFE, SignedIn, configuration};

#[test]
fn an_access_token_is_renewed_in_the_last_half_hour_of_its_life_and_not_before() {
    let signed_in = SignedIn::fitbit().after_once();
    assert_eq!(signed_in.token_requests(), 1);
    signed_in.sandbox.advance(FITBIT_LIFE - 32 * 60);
    signed_in.once().exits(0);
    assert_eq!(signed_in.token_requests(), 1);
    signed_in.sandbox.advance(3 * 60);
    signed_in.once().exits(0);
    assert_eq!(signed_in.token_requests(), 2);
    signed_in.assert_chain_goes_on();
}

#[test]
fn a_short_life_has_a_short_margin() {
    let signed_in = SignedIn::google_with(|home| {
        crate::harness::sandbox_process::Sandbox::start(
            home,
            &["--token-life", "1200", "--now", "2026-11-22T14:07:00Z"],
        )
    });
    signed_in.sandbox.advance(1_000);
    signed_in.once().exits(0);
    assert_eq!(signed_in.token_requests(), 1);
    signed_in.sandbox.advance(150);
    signed_in.once().exits(0);
    assert_eq!(signed_in.token_requests(), 2);
}

#[test]
fn the_old_access_token_serves_while_the_next_one_cannot_be_had() {
    let signed_in = SignedIn::google();
    signed_in.sandbox.advance(3_599 - 120);
    signed_in.fault("google.token", 0, &json!({ "status": 503 }));
    signed_in
        .once()
        .exits(0)
        .says("the current access token is still valid");
}

#[test]
fn a_refused_access_token_causes_one_refresh_and_one_an_hour() {
    for provider in ["fitbit", "google"] {
        let signed_in = SignedIn::either(provider).after_once();
        let before = signed_in.token_requests();
        signed_in.fault(signed_in.heart_route(), 1, &json!({ "status": 401 }));
        signed_in.once().exits(0);
        assert_eq!(signed_in.token_requests(), before + 1, "{provider}");

        signed_in.sandbox.advance(61 * 60);
        if provider == "google" {
            // Its token has expired by now; that renewal is not a reaction to a 401.
            signed_in.once().exits(0);
        }
        let before = signed_in.token_requests();
        signed_in.fault(signed_in.heart_route(), 0, &json!({ "status": 401 }));
        signed_in.once().exits(5).says("401");
        assert_eq!(signed_in.token_requests(), before + 1, "{provider}");
        signed_in.sandbox.advance(20 * 60);
        signed_in.once().exits(5).says("401");
        assert_eq!(signed_in.token_requests(), before + 1, "{provider}");
        signed_in.assert_chain_goes_on();
    }
}

#[test]
fn the_own_cap_holds_across_runs_and_replays_are_exempt_from_it() {
    let signed_in = SignedIn::fitbit();
    let config = configuration(&signed_in.sandbox, "fitbit");
    signed_in
        .home
        .configure(&format!("{config}[poll]\nhourly_cap = 4\n"));
    // One refresh with its replays, and three calls.
    signed_in.fault("fitbit.token", 3, &json!({ "drop": "after" }));
    signed_in.once().exits(0);
    let requests = signed_in.sandbox.requests().len();
    assert_eq!(requests, 3 + 4);
    signed_in
        .once()
        .exits(5)
        .says("rate-limited until 2026-11-22T15:0");
    assert_eq!(signed_in.sandbox.requests().len(), requests);
    // An hour, and the minute or so by which the count is imprecise.
    signed_in.sandbox.advance(63 * 60);
    signed_in.once().exits(0);
}

#[test]
fn a_limit_on_the_data_is_obeyed_across_runs() {
    for provider in ["fitbit", "google"] {
        let signed_in = SignedIn::either(provider);
        let limit = json!({ "status": 429, "headers": { "retry-after": "600" } });
        signed_in.fault(signed_in.heart_route(), 1, &limit);
        signed_in
            .once()
            .exits(5)
            .says("rate-limited until 2026-11-22T14:")
            .says("hint: nothing is lost; Pulsewing asks again after 14:1");
        let requests = signed_in.sandbox.requests().len();
        signed_in
            .once()
            .exits(5)
            .says("rate-limited until 2026-11-22T14:");
        assert_eq!(signed_in.sandbox.requests().len(), requests);
        signed_in.sandbox.advance(605);
        signed_in.once().exits(0);
    }
}

#[test]
fn a_limit_does_not_outlive_a_sign_in() {
    let signed_in = SignedIn::google();
    let limit = json!({ "status": 429, "headers": { "retry-after": "3600" } });
    signed_in.fault("google.rollup", 1, &limit);
    signed_in.once().exits(5);
    signed_in.login();
    signed_in.once().exits(0);
}
