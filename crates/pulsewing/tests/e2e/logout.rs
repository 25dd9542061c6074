//! `logout`: revokes the grant before it erases the tokens.

use std::fs;

use serde_json::{Value, json};

use crate::harness::{hermetic::Home, signed_in::SignedIn};

fn files(signed_in: &SignedIn) -> Vec<String> {
    let entries = fs::read_dir(signed_in.home.state("")).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort_unstable();
    names
}

#[test]
fn the_grant_is_given_back_and_every_trace_erased() {
    for provider in ["google", "fitbit"] {
        let signed_in = SignedIn::either(provider).after_once();
        let refresh = signed_in.chain()["refresh_token_fingerprint"].clone();
        let logout = signed_in.run(&["logout"]).exits(0).says("Signed out");
        assert_eq!(logout.stdout, "");
        let revoked = signed_in.sandbox.requests_of(&format!("{provider}.revoke"));
        assert_eq!(revoked.len(), 1);
        assert_eq!(revoked[0]["refresh_fp"], refresh);
        assert_eq!(revoked[0]["status"], 200);
        assert_eq!(signed_in.sandbox.active_refresh_tokens(provider), [""; 0]);
        assert_eq!(
            files(&signed_in),
            ["chain.lock", "history.db", "state.json"]
        );
        let status = signed_in.status();
        assert_eq!(status["chain"], Value::Null);
        assert_eq!(status["last_success"], Value::Null);
        signed_in.once().exits(3).says("nobody has signed in yet");
        signed_in
            .run(&["logout"])
            .exits(0)
            .says("Nobody is signed in");
    }
}

#[test]
fn a_provider_that_cannot_be_told_keeps_the_sign_in() {
    for (provider, route) in [("google", "google.revoke"), ("fitbit", "fitbit.revoke")] {
        for fault in [
            json!({ "status": 503, "body": "html" }),
            json!({ "drop": "before" }),
            json!({ "status": 408 }),
            json!({ "status": 429 }),
        ] {
            let signed_in = SignedIn::either(provider);
            let before = signed_in.chain();
            signed_in.fault(route, 1, &fault);
            signed_in.run(&["logout"]).exits(5).says("was kept");
            assert_eq!(signed_in.chain(), before);
            signed_in.once().exits(0);
        }
    }
}

#[test]
fn a_grant_that_is_gone_already_is_erased() {
    for (provider, route) in [("google", "google.revoke"), ("fitbit", "fitbit.revoke")] {
        for status in [400, 410] {
            let signed_in = SignedIn::either(provider);
            signed_in.fault(route, 1, &json!({ "status": status }));
            signed_in.run(&["logout"]).exits(0);
            assert_eq!(signed_in.chain(), Value::Null, "{provider} {status}");
        }
    }
}

#[test]
fn where_the_client_is_not_accepted_the_sign_in_is_erased_and_not_called_revoked() {
    for (provider, page) in [("google", "myaccount.google.com"), ("fitbit", "fitbit.com")] {
        let signed_in = SignedIn::either(provider);
        let route = format!("{provider}.revoke");
        signed_in.fault(&route, 1, &json!({ "status": 401 }));
        signed_in
            .run(&["logout"])
            .exits(0)
            .says("erased from this machine")
            .says(page)
            .says_nothing_of("can no longer read");
        assert_eq!(signed_in.chain(), Value::Null);
    }
}

#[test]
fn it_waits_for_the_refresh_that_is_under_way() {
    let signed_in = SignedIn::fitbit();
    let once = signed_in.once_in_mid_refresh(2);
    signed_in.run(&["logout"]).exits(0);
    once.finish();
    // The revoked token is the rotated one, not the spent one.
    assert_eq!(signed_in.sandbox.active_refresh_tokens("fitbit"), [""; 0]);
    assert_eq!(signed_in.chain(), Value::Null);
}

#[test]
fn whoever_never_signed_in_is_told_so() {
    Home::new()
        .run(&["logout"])
        .exits(0)
        .says("Nobody is signed in");
}
