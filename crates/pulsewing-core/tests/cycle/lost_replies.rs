//! Refreshes whose reply is lost, late, damaged, or not a reply at all.

use std::time::Duration;

use proptest::prelude::*;
use pulsewing_core::{
    chain::Standing,
    cycle::{CallName, Consent, Failure},
    oauth::NoAnswer,
};
use serde_json::json;

use crate::{
    cloud::{Fault, Route},
    store::Write,
    world::{Setup, Todo, World},
};

fn expired() -> World {
    World::new(Setup::fitbit().expired())
}

fn no_answer(cause: NoAnswer) -> Failure {
    let call = CallName::Token;
    Failure::NoAnswer { call, cause }
}

const DATA: &str = "zone 200, resolve, today 200, devices 200, done";

#[test]
fn a_refresh_is_an_intent_a_request_and_one_write() {
    let mut world = expired();
    assert_eq!(world.cycle_once(), Ok(()));
    assert_eq!(
        world.told(),
        format!("open, intent, token 200, tokens, close, {DATA}")
    );
    assert!(world.cycle.token_written() && world.agrees());
    let record = world.store.chain();
    assert_eq!((record.intent, record.chain.generation()), (None, 2));
}

#[test]
fn a_lost_reply_is_asked_for_again_with_the_same_token() {
    for fault in [
        Fault::DropBefore,
        Fault::DropAfter,
        Fault::Stall,
        Fault::status(409),
        Fault::status(500),
        Fault::status(302),
        Fault::status(403),
        Fault::html(200),
        Fault::html(400),
        Fault::html(503),
        Fault::Omit("refresh_token"),
        Fault::Truncate(40),
        Fault::Body(400, r#"{"errors":[{"errorType":"system"}]}"#.to_owned()),
        Fault::Body(400, r#"{"errors":[{"errorType":"invalid_gr"#.to_owned()),
        Fault::Body(
            400,
            r#"{"errors":[{"errorType":"invalid_grant","message":"Ref"#.to_owned(),
        ),
        Fault::Body(503, r#"{"error":"invalid_grant"}"#.to_owned()),
        Fault::Body(409, r#"{"error":"invalid_grant"}"#.to_owned()),
    ] {
        let mut world = expired();
        world.will(Route::Token, vec![fault.clone(); 3]);
        assert_eq!(world.cycle_once(), Ok(()), "{fault:?}");
        let sent: Vec<_> = world
            .rules
            .refreshes
            .iter()
            .map(|(token, _)| token.as_str())
            .collect();
        assert_eq!(sent, ["refresh-1"; 4], "{fault:?}");
        assert!(world.agrees(), "{fault:?}");
    }
}

#[test]
fn the_pauses_double_up_to_16_seconds_and_end_110_seconds_after_the_first_send() {
    let mut world = expired();
    world.always(Route::Token, Fault::DropAfter);
    assert_eq!(world.cycle_once(), Err(no_answer(NoAnswer::Disconnected)));
    // Each try takes 0.3 s.
    assert_eq!(world.refreshes(), [0, 0, 2, 6, 15, 31, 47, 64, 80, 96]);
}

#[test]
fn slow_tries_leave_no_gap_and_none_begins_after_110_seconds() {
    let mut world = expired();
    world.always(Route::Token, Fault::Stall);
    assert_eq!(world.cycle_once(), Err(no_answer(NoAnswer::TimedOut)));
    assert_eq!(world.refreshes(), [0, 15, 32, 51, 74, 105]);
    // Counted from the first send, not from its end.
    let mut world = expired();
    world.will(Route::Token, [Fault::Stall]);
    world.always(Route::Token, Fault::DropAfter);
    assert!(world.cycle_once().is_err());
    assert_eq!(world.refreshes(), [0, 15, 17, 21, 29, 46, 62, 78, 95]);
}

#[test]
fn a_burst_without_an_answer_leaves_the_intent_and_goes_on_with_the_same_token() {
    let mut world = expired();
    world.always(Route::Token, Fault::DropBefore);
    assert!(world.cycle_once().is_err());
    let first = world.store.chain().intent.unwrap();
    assert_eq!(first.generation, 1);
    assert!(world.cycle_once().is_err());
    // A send of this burst may be the one that rotates: it has its own replays and its own time.
    let second = world.store.chain().intent.unwrap();
    assert!(second.first_sent_at > first.first_sent_at);
    assert_eq!(world.refreshes().len(), 20);
    world.heal();
    assert_eq!(world.cycle_once(), Ok(()));
    assert!(world.agrees());
    assert_eq!(world.store.chain().intent, None);
}

#[test]
fn while_the_refresh_has_no_answer_the_old_access_token_serves() {
    let mut world = World::new(Setup::fitbit().ending());
    world.always(Route::Token, Fault::DropBefore);
    assert_eq!(world.cycle_once(), Ok(()));
    let failure = no_answer(NoAnswer::Disconnected);
    assert_eq!(world.cycle.renewal_failure(), Some(failure));
    assert!(world.cycle.reading().is_some() && !world.cycle.token_written());
    assert!(world.told().ends_with(DATA));
    assert!(world.store.chain().intent.is_some());
    // Two minutes later it has ended.
    world.advance(Duration::from_secs(130));
    world.cycle.start_now();
    assert_eq!(world.cycle_once(), Err(failure));
}

#[test]
fn what_never_left_and_a_429_open_no_window() {
    for fault in [
        Fault::NeverLeft,
        Fault::status(429),
        Fault::limited("Retry-After", "90"),
    ] {
        let mut world = expired();
        world.always(Route::Token, fault.clone());
        assert!(world.cycle_once().is_err());
        assert_eq!(world.refreshes().len(), 1, "{fault:?}");
        assert_eq!(world.store.chain().intent, None, "{fault:?}");
        assert!(
            world.told().ends_with("withdrawal, close, failed"),
            "{fault:?}"
        );
    }
}

#[test]
fn what_never_left_and_a_429_close_no_window() {
    for fault in [Fault::NeverLeft, Fault::limited("Retry-After", "3000")] {
        let mut world = expired();
        world.will(Route::Token, [Fault::DropAfter]);
        world.always(Route::Token, fault.clone());
        let refresh = world.run_until_refresh();
        let _ = world.run_until(|todo| *todo != refresh && matches!(todo, Todo::Close));
        assert!(world.refreshes().len() > 8, "{fault:?}");
        assert!(world.store.chain().intent.is_some(), "{fault:?}");
    }
    // And the pair still comes, in spite of the limit.
    let mut world = expired();
    world.will(Route::Token, [Fault::DropAfter]);
    world.will(Route::Token, vec![Fault::limited("Retry-After", "3000"); 3]);
    assert!(world.is_limited_once());
    assert!(world.agrees(), "{:?}", world.story);
}

#[test]
fn what_never_left_does_not_withdraw_an_intent_of_an_earlier_burst() {
    for fault in [Fault::NeverLeft, Fault::status(429)] {
        let mut world = expired();
        world.always(Route::Token, Fault::DropBefore);
        assert!(world.cycle_once().is_err());
        world.always(Route::Token, fault.clone());
        assert!(world.cycle_once().is_err());
        assert!(world.store.chain().intent.is_some(), "{fault:?}");
        assert!(!world.told().contains("withdrawal"), "{fault:?}");
    }
}

#[test]
fn after_a_restart_an_intent_makes_the_same_refresh_the_first_request() {
    // The access token would work for hours: another program was interrupted.
    let mut world = World::fitbit();
    world.cloud.grants.revoke_access("access-1");
    world.will(Route::Token, [Fault::DropAfter]);
    let _ = world.run_until_refresh();
    let _ = world.step_and_die();
    world.advance(Duration::from_secs(100));
    world.story.clear();
    assert_eq!(world.cycle_once(), Ok(()));
    assert!(
        world
            .told()
            .starts_with("open, token 200, tokens, close, zone 200")
    );
    assert!(world.agrees());
}

#[test]
fn after_a_restart_what_is_left_of_the_110_seconds_is_used() {
    let mut world = expired();
    world.will(Route::Token, [Fault::DropBefore]);
    let _ = world.run_until_refresh();
    let _ = world.step_and_die();
    world.advance(Duration::from_secs(60));
    world.always(Route::Token, Fault::NeverLeft);
    assert_eq!(world.cycle_once(), Err(no_answer(NoAnswer::NeverLeft)));
    assert_eq!(world.refreshes(), [0, 60, 60, 62, 67, 75, 91, 108]);
}

#[test]
fn no_limit_and_no_wall_clock_forbids_a_replay() {
    // Days behind, days ahead, just in time; limited, and with the cap used up.
    for ahead in [-90_000, -5, 0, 80, 5_000, 900_000] {
        let mut world = expired();
        world.will(Route::Token, [Fault::DropAfter]);
        let _ = world.run_until_refresh();
        let _ = world.step_and_die();
        world.ahead = jiff::SignedDuration::from_secs(ahead);
        world.settings.hourly_cap = 0;
        let until = world.now().utc + jiff::SignedDuration::from_secs(60);
        world.kept.0.next_allowed = Some(until);
        world.kept.0.failures = 9;
        world.die();
        let _ = world.run_until(|todo| matches!(todo, Todo::Close));
        assert!(world.agrees(), "{ahead}: {}", world.told());
    }
}

#[test]
fn a_reply_cut_at_any_byte_costs_nothing() {
    for length in 0..200 {
        let mut world = expired();
        world.chunk = 1 + length % 7;
        world.will(Route::Token, [Fault::Truncate(length)]);
        assert_eq!(world.cycle_once(), Ok(()), "{length}");
        assert!(world.agrees(), "{length}");
    }
}

#[test]
fn a_pair_whose_access_token_is_missing_or_wrong_is_stored_and_refreshed_once_more() {
    for fault in [
        Fault::Omit("access_token"),
        Fault::Replace("access_token", json!("x".repeat(2_049))),
        Fault::Replace("access_token", json!("")),
        Fault::Replace("access_token", json!(17)),
    ] {
        let mut world = expired();
        world.will(Route::Token, [fault.clone()]);
        assert_eq!(world.cycle_once(), Ok(()), "{fault:?}");
        let expected =
            format!("open, intent, token 200, tokens, intent, token 200, tokens, close, {DATA}");
        assert_eq!(world.told(), expected, "{fault:?}");
        assert_eq!(world.store.chain().chain.generation(), 3);
        // But not for ever.
        let mut world = expired();
        world.always(Route::Token, fault);
        assert_eq!(world.cycle_once(), Err(no_answer(NoAnswer::Malformed)));
        assert_eq!(world.refreshes().len(), 2);
        assert!(world.agrees());
    }
}

#[test]
fn a_pair_whose_other_members_are_missing_or_wrong_serves() {
    for fault in [
        Fault::Omit("expires_in"),
        Fault::Omit("scope"),
        Fault::Omit("user_id"),
        Fault::Replace("expires_in", json!("soon")),
        Fault::Replace("expires_in", json!(0)),
        Fault::Replace("expires_in", json!(-5)),
        Fault::Replace("user_id", json!("u".repeat(4_000))),
        Fault::Replace("scope", json!(null)),
    ] {
        let mut world = expired();
        world.will(Route::Token, [fault.clone()]);
        assert_eq!(world.cycle_once(), Ok(()), "{fault:?}");
        assert_eq!(
            world.told(),
            format!("open, intent, token 200, tokens, close, {DATA}"),
            "{fault:?}"
        );
    }
}

#[test]
fn only_the_servers_own_word_ends_a_chain_and_then_it_is_kept_and_never_sent_again() {
    let mut world = expired();
    let _ = world.cloud.grants.refreshed_elsewhere(Duration::ZERO);
    world.advance(Duration::from_secs(121));
    let refused = Err(Failure::ConsentNeeded(Consent::Refused));
    assert_eq!(world.cycle_once(), refused);
    assert_eq!(
        world.told(),
        "open, intent, token 400, open, refusal, close, failed"
    );
    let record = world.store.chain();
    assert_eq!(
        (record.chain.standing(), record.intent),
        (Standing::Refused, None)
    );
    assert_eq!(record.chain.refresh_token().expose(), "refresh-1");
    for _ in 0..5 {
        assert_eq!(world.cycle_once(), refused);
    }
    world.die();
    assert_eq!(world.cycle_once(), refused);
    assert_eq!(world.refreshes().len(), 1);
}

#[test]
fn a_refusal_that_cannot_be_written_is_remembered_and_written_later() {
    let mut world = expired();
    let _ = world.cloud.grants.refreshed_elsewhere(Duration::ZERO);
    world.advance(Duration::from_secs(121));
    world
        .store
        .writes
        .extend([Write::Done, Write::Failed, Write::Failed]);
    let refused = Err(Failure::ConsentNeeded(Consent::Refused));
    for _ in 0..4 {
        assert_eq!(world.cycle_once(), refused);
    }
    assert_eq!(world.refreshes().len(), 1);
    assert_eq!(world.store.chain().chain.standing(), Standing::Refused);
}

#[test]
fn a_refused_token_is_given_up_only_when_the_store_has_not_moved_on() {
    let mut world = expired();
    let _ = world.run_until_refresh();
    // A program that ignores the lock was faster, and stores its pair.
    let (refresh, access) = world.cloud.grants.refreshed_elsewhere(world.real);
    assert!(world.cloud.grants.admits(&access, world.real));
    let _ = world.step();
    world.put_newer(&refresh, &access);
    assert_eq!(world.cycle_once(), Ok(()));
    assert_eq!(
        world.told(),
        format!("open, intent, token 400, open, close, {DATA}")
    );
    assert_eq!(world.store.chain().chain.standing(), Standing::Active);
}

#[test]
fn an_error_in_oauths_words_other_than_invalid_grant_keeps_the_chain() {
    for word in ["invalid_client", "unauthorized_client", "invalid_request"] {
        let mut world = expired();
        let body = json!({"errors": [{"errorType": word}], "success": false}).to_string();
        world.will(Route::Token, [Fault::Body(401, body)]);
        assert!(
            matches!(world.cycle_once(), Err(Failure::OAuth(_))),
            "{word}"
        );
        assert_eq!(
            world.refreshes().len(),
            1,
            "an answer is not asked for again"
        );
        assert_eq!(world.store.chain().chain.standing(), Standing::Active);
        assert_eq!(world.cycle_once(), Ok(()), "{word}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_crash_anywhere_costs_nothing_when_the_program_is_back_in_time(
        steps in 0_usize..9,
        tells in any::<bool>(),
        away in 0_u64..100,
        cut in 0_usize..250,
    ) {
        let mut world = expired();
        world.will(Route::Token, [Fault::Truncate(cut)]);
        for _ in 0..steps {
            let _ = world.step();
        }
        if tells {
            world.die();
        } else {
            let _ = world.step_and_die();
        }
        world.advance(Duration::from_secs(away));
        prop_assert_eq!(world.cycle_once(), Ok(()));
        prop_assert!(world.agrees());
    }
}
