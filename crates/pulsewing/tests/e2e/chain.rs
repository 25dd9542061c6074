//! The chain protocol over the network: lost, wrong or late replies. The sandbox's token table and
//! request log show what really happened.

use std::fs;

use serde_json::{Value, json};

use crate::harness::{
    hermetic::Home,
    loopback_http, recording,
    sandbox_process::Sandbox,
    signed_in::{FITBIT_LIFE, OTHER_SEED, SEED, SignedIn, adopt, configuration, record},
};

/// Returns the refresh tokens that were sent, by their fingerprints.
fn sent(signed_in: &SignedIn) -> Vec<String> {
    signed_in
        .sandbox
        .requests_of("fitbit.token")
        .iter()
        .map(|request| request["refresh_fp"].as_str().unwrap().to_owned())
        .collect()
}

/// Asserts that one token was sent this many times, and no other.
#[track_caller]
fn assert_sent_the_same(signed_in: &SignedIn, times: usize) {
    let sent = sent(signed_in);
    assert_eq!(sent.len(), times, "{sent:?}");
    assert!(sent.iter().all(|fp| *fp == sent[0]), "{sent:?}");
}

#[test]
fn a_reply_that_is_lost_after_the_rotation_is_asked_for_again() {
    let signed_in = SignedIn::fitbit();
    signed_in.fault("fitbit.token", 2, &json!({ "drop": "after" }));
    signed_in
        .once()
        .exits(0)
        .prints("\nNext token written to disk Successfully!\n");
    assert_sent_the_same(&signed_in, 3);
    signed_in.assert_chain_goes_on_as(2);
}

#[test]
fn whatever_is_no_answer_is_followed_by_the_same_token() {
    for fault in [
        json!({ "drop": "before" }),
        json!({ "status": 500 }),
        json!({ "status": 502, "body": "html" }),
        json!({ "status": 503, "body": "empty" }),
        json!({ "status": 409 }),
        json!({ "status": 200, "body": "html" }),
        json!({ "status": 200, "body": "empty" }),
        json!({ "status": 400, "body": "html" }),
        json!({ "status": 403, "body": "html" }),
        json!({ "status": 404 }),
        json!({ "status": 302, "body": "empty", "headers": { "location": "http://127.0.0.1:9/" } }),
        json!({ "omit": "refresh_token" }),
    ] {
        let signed_in = SignedIn::fitbit();
        signed_in.fault("fitbit.token", 1, &fault);
        let once = signed_in.once();
        assert_eq!(once.code, Some(0), "{fault}: {once:?}");
        assert_sent_the_same(&signed_in, 2);
        signed_in.assert_chain_goes_on();
    }
}

#[test]
fn a_truncated_reply_is_stored_if_its_refresh_token_was_whole() {
    let signed_in = SignedIn::fitbit();
    let whole = a_token_reply(&signed_in.sandbox);
    let value = whole.find("\"refresh_token\":\"").unwrap() + "\"refresh_token\":\"".len();
    for (length, is_complete) in [
        (0, false),
        (10, false),
        (value - 1, false),
        (value + 32, false),
        (value + 64, false),
        (value + 65, true),
        (value + 80, true),
        (whole.len() - 1, true),
    ] {
        let signed_in = SignedIn::fitbit();
        let cut = json!({ "truncate": length });
        signed_in.fault("fitbit.token", 1, &cut);
        signed_in.once().exits(0);
        assert_sent_the_same(&signed_in, if is_complete { 1 } else { 2 });
        signed_in.assert_chain_goes_on();
        assert_eq!(signed_in.chain()["generation"], 2, "{length}");
    }
}

/// Returns the body of a refresh's reply, from a chain of its own.
fn a_token_reply(sandbox: &Sandbox) -> String {
    sandbox.seed(OTHER_SEED);
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let body = format!(
        "grant_type=refresh_token&client_id={}&refresh_token={OTHER_SEED}",
        sandbox.ready["fitbit"]["client_id"].as_str().unwrap()
    );
    let url = format!("{}/oauth2/token", sandbox.url);
    let reply = loopback_http::exchange("POST", &url, &form, &body);
    assert_eq!(reply.status, 200);
    reply.body
}

#[test]
fn a_reply_that_lacks_anything_but_the_refresh_token_is_stored() {
    for key in ["scope", "expires_in", "user_id", "token_type"] {
        let signed_in = SignedIn::fitbit();
        signed_in.fault("fitbit.token", 1, &json!({ "omit": key }));
        signed_in.once().exits(0);
        assert_sent_the_same(&signed_in, 1);
        signed_in.assert_chain_goes_on();
    }
    // Without an access token the program cannot fetch data: the new refresh token gets one.
    let signed_in = SignedIn::fitbit();
    signed_in.fault("fitbit.token", 1, &json!({ "omit": "access_token" }));
    signed_in.once().exits(0);
    let sent = sent(&signed_in);
    assert!(sent.len() == 2 && sent[0] != sent[1], "{sent:?}");
    signed_in.assert_chain_goes_on_as(3);
}

#[test]
fn the_intent_is_on_the_disk_before_the_token_leaves_and_the_pair_before_it_is_used() {
    let signed_in = SignedIn::fitbit();
    signed_in.sandbox.faults(&json!([
        { "route": "fitbit.token", "do": { "stall_s": 2 } },
        { "route": "fitbit.profile", "do": { "stall_s": 2 } },
    ]));
    let before = signed_in.record();
    assert_eq!(before.intent, None);
    let once = signed_in.program(&["once"]).start();

    signed_in.sandbox.wait_for("fitbit.token", 1);
    for copy in ["chain", "chain.prev"] {
        let during = record(&signed_in.home, copy);
        assert_eq!(during.chain, before.chain, "{copy}");
        assert_eq!(during.intent.unwrap().generation, 1, "{copy}");
    }
    // `status` reports this at once: reading needs no lock.
    assert_ne!(signed_in.chain()["refresh_under_way_since"], Value::Null);
    let reserve = fs::metadata(signed_in.home.state("chain.reserve")).unwrap();
    assert_eq!(
        reserve.len(),
        pulsewing_core::chain::codec::MAX_RECORD as u64
    );

    signed_in.sandbox.wait_for("fitbit.profile", 1);
    let after = signed_in.record();
    let fingerprint = after.chain.refresh_token().fingerprint().to_string();
    assert_eq!(
        signed_in.sandbox.active_refresh_tokens("fitbit"),
        [fingerprint]
    );
    assert_eq!((after.chain.generation(), after.intent), (2, None));
    once.finish().exits(0);
}

#[test]
fn what_says_invalid_grant_ends_the_chain_and_keeps_it() {
    let signed_in = SignedIn::fitbit();
    // The provider issues a new chain: this one's token is revoked.
    signed_in.sandbox.seed(OTHER_SEED);
    signed_in
        .once()
        .exits(3)
        .says("invalid_grant")
        .says("pulsewing login --provider fitbit");
    let chain = signed_in.chain();
    assert_eq!(chain["standing"], "refused");
    assert_eq!(chain["refresh_under_way_since"], Value::Null);
    assert_eq!(signed_in.record().chain.refresh_token().expose(), SEED);
    assert_sent_the_same(&signed_in, 1);

    // It is never sent again, not even after its access token has expired or the clock has moved.
    signed_in.sandbox.advance(FITBIT_LIFE);
    signed_in.once().exits(3);
    assert_sent_the_same(&signed_in, 1);
    assert_eq!(signed_in.sandbox.routes(), ["fitbit.token"]);
    signed_in
        .run(&["status"])
        .exits(0)
        .prints("the provider refused it");
}

#[test]
fn an_invalid_grant_for_a_generation_that_has_moved_on_is_no_end() {
    let signed_in = SignedIn::fitbit();
    // The same wearer's chain, two generations on, in another directory.
    let other = Home::new();
    other.configure(&configuration(&signed_in.sandbox, "fitbit"));
    adopt(&other, &signed_in.sandbox, SEED);
    signed_in.sandbox.seed(OTHER_SEED);
    adopt(&other, &signed_in.sandbox, OTHER_SEED);

    let once = signed_in.once_in_mid_refresh(3);
    fs::copy(other.state("chain"), signed_in.home.state("chain.copied")).unwrap();
    fs::rename(
        signed_in.home.state("chain.copied"),
        signed_in.home.state("chain"),
    )
    .unwrap();
    once.finish().exits(0);
    let sent = sent(&signed_in);
    assert!(sent.len() == 2 && sent[0] != sent[1], "{sent:?}");
    signed_in.assert_chain_goes_on_as(3);
}

#[test]
fn a_429_opens_no_window_and_is_obeyed_across_runs() {
    let signed_in = SignedIn::fitbit();
    let limit = json!({ "status": 429, "headers": { "retry-after": "120" } });
    signed_in.fault("fitbit.token", 0, &limit);
    signed_in
        .once()
        .exits(5)
        .says("rate-limited until 2026-11-22T14:");
    assert_sent_the_same(&signed_in, 1);
    assert_eq!(signed_in.chain()["refresh_under_way_since"], Value::Null);
    // Within the limit nothing is sent.
    signed_in.once().exits(5);
    assert_eq!(signed_in.sandbox.routes().len(), 1);
    signed_in.sandbox.faults(&json!([]));
    signed_in.sandbox.advance(125);
    signed_in.once().exits(0);
    assert_sent_the_same(&signed_in, 2);
    signed_in.assert_chain_goes_on();
}

#[test]
fn a_429_stops_no_replay_in_an_open_window() {
    let signed_in = SignedIn::fitbit();
    let limit = json!({ "status": 429, "headers": { "retry-after": "3600" } });
    signed_in.sandbox.faults(&json!([
        { "route": "fitbit.token", "do": { "drop": "after" } },
        { "route": "fitbit.token", "do": limit },
    ]));
    // The tokens are safe; the data has to wait, because of the limit.
    signed_in.once().exits(5).says("rate-limited");
    assert_sent_the_same(&signed_in, 3);
    assert_eq!(signed_in.sandbox.routes(), ["fitbit.token"; 3]);
    signed_in.assert_chain_goes_on();
}

#[test]
fn a_client_that_is_wrong_costs_no_chain() {
    let signed_in = SignedIn::fitbit();
    let config = configuration(&signed_in.sandbox, "fitbit");
    let secret = signed_in.sandbox.ready["fitbit"]["client_secret"]
        .as_str()
        .unwrap();
    let wrong = secret.replace('5', "6");
    signed_in.home.configure(&config.replace(secret, &wrong));
    signed_in
        .once()
        .exits(1)
        .says("invalid_client")
        .says("check [fitbit] in the configuration")
        .says_nothing_of(&wrong);
    let chain = signed_in.chain();
    assert_eq!(
        (&chain["standing"], &chain["generation"]),
        (&json!("active"), &json!(1))
    );
    assert_eq!(chain["refresh_under_way_since"], Value::Null);
    signed_in.home.configure(&config);
    signed_in.once().exits(0);
    signed_in.assert_chain_goes_on();

    let signed_in = SignedIn::google();
    let config = configuration(&signed_in.sandbox, "google");
    signed_in
        .home
        .configure(&config.replace("GOCSPX-", "GOCSPX-not-"));
    signed_in.sandbox.advance(3_600);
    signed_in.once().exits(1).says("invalid_client");
    signed_in.home.configure(&config);
    signed_in.once().exits(0);
}

#[test]
fn a_service_that_is_gone_keeps_the_tokens_and_shows_the_way_to_google() {
    for route in ["fitbit.token", "fitbit.heart"] {
        let signed_in = SignedIn::fitbit();
        signed_in.fault(route, 0, &json!({ "status": 410 }));
        signed_in
            .once()
            .exits(4)
            .says("410")
            .says("pulsewing login --provider google");
        assert_eq!(signed_in.sandbox.requests_of(route).len(), 1, "{route}");
        let chain = signed_in.chain();
        assert_eq!(chain["standing"], "active", "{route}");
        let error = signed_in.status()["last_error"].clone();
        assert!(error.as_str().unwrap().contains("switched off"), "{error}");
        // A new run may ask again: it may have been a gateway's mistake.
        signed_in.assert_chain_goes_on_without_faults();
    }
    // Only the heart rate matters: if it still arrives, the rest stays unknown.
    for route in ["fitbit.profile", "fitbit.devices"] {
        let signed_in = SignedIn::fitbit();
        signed_in.fault(route, 0, &json!({ "status": 410 }));
        signed_in.once().exits(0);
    }
    let signed_in = SignedIn::fitbit();
    signed_in.sandbox.configure(&json!({ "gone": true }));
    signed_in.once().exits(4);
    assert_eq!(
        signed_in.chain()["refresh_token_fingerprint"],
        json!(fingerprint_of_seed(&signed_in))
    );
}

fn fingerprint_of_seed(signed_in: &SignedIn) -> String {
    sent(signed_in).remove(0)
}

#[test]
fn two_processes_refresh_once() {
    for provider in ["fitbit", "google"] {
        let signed_in = SignedIn::either(provider);
        signed_in.sandbox.advance(2 * FITBIT_LIFE);
        let before = signed_in.token_requests();
        let route = signed_in.token_route();
        signed_in.fault(&route, 1, &json!({ "stall_s": 1 }));
        let first = signed_in.program(&["once"]).start();
        signed_in.sandbox.wait_for(&route, before + 1);
        let others: Vec<_> = (0..3)
            .map(|_| signed_in.program(&["once"]).start())
            .collect();
        for process in std::iter::once(first).chain(others) {
            process.finish().exits(0);
        }
        assert_eq!(signed_in.token_requests(), before + 1, "{provider}");
        signed_in.assert_chain_goes_on();
    }
}

#[test]
fn a_sign_in_waits_for_the_refresh_that_is_under_way() {
    let signed_in = SignedIn::fitbit();
    let once = signed_in.once_in_mid_refresh(2);
    signed_in.login();
    once.finish();
    // The refresh made generation two, and the sign-in came after it.
    signed_in.assert_chain_goes_on_as(3);
}

#[test]
fn what_surely_never_left_opens_no_window() {
    let signed_in = SignedIn::fitbit();
    let now = signed_in.sandbox.now();
    let SignedIn { home, sandbox, .. } = signed_in;
    sandbox.into_process().kill();
    home.run(&["once", "--now", &now])
        .exits(5)
        .says("could not be reached");
    assert_eq!(record(&home, "chain").intent, None);
}

#[test]
fn a_process_that_dies_before_the_reply_is_followed_by_a_replay_at_any_time() {
    for now in ["same", "2020-01-01T00:00:00Z", "2040-01-01T00:00:00Z"] {
        let signed_in = SignedIn::fitbit();
        signed_in
            .sandbox
            .configure(&json!({ "replay": "until-used" }));
        let once = signed_in.once_in_mid_refresh(1);
        once.kill();
        assert_ne!(signed_in.chain()["refresh_under_way_since"], Value::Null);
        signed_in
            .run(&["status"])
            .exits(0)
            .prints("under way since");
        let now = match now {
            "same" => signed_in.sandbox.now(),
            other => other.to_owned(),
        };
        // Even if the data calls fail with such a date, the refresh comes first.
        let again = signed_in.home.run(&["once", "--now", &now]);
        assert!([Some(0), Some(5)].contains(&again.code), "{again:?}");
        let sent = sent(&signed_in);
        assert!(
            sent.len() >= 2 && sent.iter().all(|fp| *fp == sent[0]),
            "{sent:?}"
        );
        assert_eq!(signed_in.sandbox.routes()[..2], ["fitbit.token"; 2]);
        signed_in.assert_chain_goes_on();
    }
}

#[test]
fn google_is_refreshed_without_an_intent_and_keeps_its_token() {
    let signed_in = SignedIn::google();
    let before = signed_in.chain();
    signed_in.sandbox.advance(3_600);
    signed_in.fault("google.token", 2, &json!({ "status": 503, "body": "html" }));
    signed_in.once().exits(0);
    let after = signed_in.chain();
    for key in ["generation", "refresh_token_fingerprint"] {
        assert_eq!(before[key], after[key], "{key}");
    }
    assert_ne!(
        before["access_token_expires_at"],
        after["access_token_expires_at"]
    );
    // The access token is kept for the next start.
    let requests = signed_in.token_requests();
    signed_in.once().exits(0);
    assert_eq!(signed_in.token_requests(), requests);
}

#[test]
fn a_revoked_google_grant_needs_consent() {
    let signed_in = SignedIn::google();
    let url = format!("{}/revoke", signed_in.sandbox.url);
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let body = format!("token={}", signed_in.access_token());
    assert_eq!(
        loopback_http::exchange("POST", &url, &form, &body).status,
        200
    );
    signed_in
        .once()
        .exits(3)
        .says("pulsewing login --provider google");
    assert_eq!(signed_in.chain()["standing"], "refused");
}

#[test]
fn the_reports_day_is_complete_after_all_that() {
    let signed_in = SignedIn::fitbit_with(|home| {
        Sandbox::with_recording(home, &recording::the_originals_day(), "America/New_York")
    });
    signed_in.sandbox.faults(&json!([
        { "route": "fitbit.token", "do": { "drop": "after" } },
        { "route": "fitbit.profile", "do": { "status": 503 } },
        { "route": "fitbit.heart", "do": { "truncate": 900 } },
        { "route": "fitbit.heart", "do": { "drop": "before" } },
        { "route": "fitbit.devices", "do": { "status": 502, "body": "html" } },
    ]));
    let once = signed_in
        .once()
        .exits(0)
        .prints("Today's Logged Pulses : 158\n");
    let battery = format!("Watch Battery %: {}\n", signed_in.battery());
    assert!(once.stdout.contains(&battery), "{}", once.stdout);
}
