//! Stopping: the program waits for a refresh that it has sent.

use serde_json::{Value, json};

use crate::harness::signed_in::SignedIn;

/// The exit code that a shell reports for a program that Ctrl-C ended.
const INTERRUPTED: i32 = 130;

#[test]
fn a_refresh_under_way_is_finished_and_stored_first() {
    for signal in ["TERM", "INT"] {
        let signed_in = SignedIn::fitbit();
        let once = signed_in.once_in_mid_refresh(2);
        once.signal(signal);
        once.finish().exits(INTERRUPTED);
        assert_eq!(signed_in.sandbox.routes(), ["fitbit.token"]);
        assert_eq!(signed_in.sandbox.requests()[0]["status"], 200);
        signed_in.assert_chain_goes_on_as(2);
    }
}

#[test]
fn a_replay_under_way_is_finished_as_well() {
    let signed_in = SignedIn::fitbit();
    signed_in.sandbox.faults(&json!([
        { "route": "fitbit.token", "do": { "drop": "before" } },
        { "route": "fitbit.token", "do": { "drop": "before" } },
        { "route": "fitbit.token", "do": { "stall_s": 2 } },
    ]));
    let once = signed_in.program(&["once"]).start();
    signed_in.sandbox.wait_for("fitbit.token", 3);
    once.signal("TERM");
    once.finish().exits(INTERRUPTED);
    assert_eq!(signed_in.token_requests(), 3);
    signed_in.assert_chain_goes_on_as(2);
}

#[test]
fn between_replays_it_stops_and_the_next_start_goes_on() {
    let signed_in = SignedIn::fitbit();
    signed_in.fault("fitbit.token", 0, &json!({ "drop": "after" }));
    let once = signed_in.program(&["once"]).start();
    // The fourth attempt comes four seconds after the third.
    signed_in.sandbox.wait_for("fitbit.token", 3);
    once.signal("INT");
    once.finish().exits(INTERRUPTED);
    assert_eq!(signed_in.token_requests(), 3);
    assert_ne!(signed_in.chain()["refresh_under_way_since"], Value::Null);
    signed_in.assert_chain_goes_on_without_faults();
}

#[test]
fn a_call_for_data_is_given_up_at_once() {
    for provider in ["fitbit", "google"] {
        let signed_in = SignedIn::either(provider);
        let heart = signed_in.heart_route();
        signed_in.fault(heart, 0, &json!({ "stall_s": 3600 }));
        let once = signed_in.program(&["once"]).start();
        signed_in.sandbox.wait_for(heart, 1);
        once.signal("TERM");
        once.finish().exits(INTERRUPTED);
        signed_in.assert_chain_goes_on();
    }
}

#[test]
fn waiting_for_the_lock_can_be_stopped() {
    let signed_in = SignedIn::fitbit();
    let first = signed_in.once_in_mid_refresh(10);
    let mut second = signed_in.program(&["once"]).start();
    std::thread::park_timeout(std::time::Duration::from_secs(1));
    assert!(second.is_running());
    let since = std::time::Instant::now();
    second.signal("TERM");
    second.finish();
    assert!(since.elapsed().as_secs() < 5, "{:?}", since.elapsed());
    drop(first);
}
