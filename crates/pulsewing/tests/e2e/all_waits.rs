//! Tests that inherently take minutes. They wait side by side, in one test, whose name sorts it before
//! the others: the suite takes hardly longer than its longest wait.

use std::{
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{disk_full, harness::signed_in::SignedIn};

#[test]
fn every_long_wait_ends_as_promised() {
    let waits: [fn(); 5] = [
        no_answer_for_110_seconds_ends_with_five_and_a_chain_that_goes_on,
        disk_full::tokens_that_never_find_room_are_asked_for_again_by_the_next_run,
        disk_full::tokens_without_room_are_kept_until_there_is_some,
        a_lock_that_is_not_given_back_is_waited_for_thirty_seconds_and_nothing_is_sent,
        a_reply_that_takes_longer_than_a_try_is_asked_for_again,
    ];
    thread::scope(|scope| {
        for wait in waits {
            scope.spawn(wait);
        }
    });
}

/// Maximum time until `once` ends.
const WITHIN: Duration = Duration::from_secs(130);

fn no_answer_for_110_seconds_ends_with_five_and_a_chain_that_goes_on() {
    let signed_in = SignedIn::fitbit();
    signed_in
        .sandbox
        .configure(&json!({ "replay": "until-used" }));
    signed_in.fault("fitbit.token", 0, &json!({ "drop": "after" }));
    let since = Instant::now();
    let once = signed_in.program(&["once"]).start();
    once.finish_within(WITHIN).exits(5).says("nothing is lost");
    assert!(
        since.elapsed() > Duration::from_secs(90),
        "{:?}",
        since.elapsed()
    );

    let requests = signed_in.sandbox.requests_of("fitbit.token");
    let at =
        |request: &Value| -> jiff::Timestamp { request["at"].as_str().unwrap().parse().unwrap() };
    let waits: Vec<i64> = requests
        .windows(2)
        .map(|pair| at(&pair[1]).duration_since(at(&pair[0])).as_secs())
        .collect();
    assert_eq!(
        waits,
        [0, 2, 4, 8, 16, 16, 16, 16, 16, 16][..waits.len()],
        "{waits:?}"
    );
    assert!(waits.iter().sum::<i64>() >= 90, "{waits:?}");
    assert!(
        requests
            .iter()
            .all(|request| request["refresh_fp"] == requests[0]["refresh_fp"]),
        "{requests:?}"
    );
    assert_ne!(signed_in.chain()["refresh_under_way_since"], Value::Null);
    signed_in.assert_chain_goes_on_without_faults();
}
fn a_reply_that_takes_longer_than_a_try_is_asked_for_again() {
    let signed_in = SignedIn::fitbit();
    signed_in.fault("fitbit.token", 1, &json!({ "stall_s": 17 }));
    signed_in.once().exits(0);
    let requests = signed_in.sandbox.requests_of("fitbit.token");
    assert!(requests.len() >= 2, "{requests:?}");
    assert_eq!(requests.last().unwrap()["status"], 200);
    let refresh = &requests[0]["refresh_fp"];
    assert!(
        requests
            .iter()
            .all(|request| request["refresh_fp"] == *refresh)
    );
    signed_in.assert_chain_goes_on();
}

fn a_lock_that_is_not_given_back_is_waited_for_thirty_seconds_and_nothing_is_sent() {
    let signed_in = SignedIn::fitbit();
    let _lock = signed_in.locked();
    let since = Instant::now();
    let waiting: Vec<_> = ["once", "logout"]
        .into_iter()
        .map(|command| signed_in.program(&[command]).start())
        .collect();
    for process in waiting {
        process.finish().exits(5).says("another pulsewing process");
    }
    let waited = since.elapsed();
    assert!((29..45).contains(&waited.as_secs()), "{waited:?}");
    assert_eq!(signed_in.sandbox.routes(), [""; 0]);
}
