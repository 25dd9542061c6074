//! Tokens through the whole device: replays, a flash that refuses, the hold-off.

use std::time::Duration;

use pulsewing_core::{Provider, reading::Freshness};
use pulsewing_screen::State;

use crate::{
    cloud::{Fault, Route},
    peripherals::Hang,
    rig::{Rig, hours, minutes},
};

/// Sets up a device whose first cycle begins with a refresh.
fn before_a_refresh(provider: Provider) -> Rig {
    let rig = Rig::set_up(provider);
    rig.world.real.set(minutes(40));
    rig
}

fn stored(rig: &Rig) -> String {
    let record = rig.stored().unwrap();
    record.chain.refresh_token().expose().to_owned()
}

fn newest(rig: &Rig) -> String {
    rig.world.cloud.borrow().grants.refresh().to_owned()
}

#[test]
fn a_rotation_is_reported_as_the_original_did() {
    let mut rig = before_a_refresh(Provider::Fitbit);
    rig.start_to_report();
    let expected = "Next token written to NVM Successfully!\n\nAttempting to GET FITBIT Stats!\n";
    assert!(rig.has_said(expected));
    assert_eq!(stored(&rig), newest(&rig));
}

#[test]
fn a_lost_answer_is_asked_for_again_with_the_same_token() {
    let mut rig = before_a_refresh(Provider::Fitbit);
    let faults = [
        Fault::DropAfter,
        Fault::Stall,
        Fault::html(502),
        Fault::Truncate(40),
    ];
    rig.will(Route::Token, faults);
    rig.start();
    rig.run_to_report(minutes(4));
    assert_eq!(rig.count(Route::Token), 5);
    assert_eq!(rig.world.cloud.borrow().grants.count(), 2);
    assert_eq!(stored(&rig), newest(&rig));
}

#[test]
fn the_router_may_restart_within_a_refresh() {
    let mut rig = before_a_refresh(Provider::Fitbit);
    rig.will(Route::Token, [Fault::DropAfter]);
    rig.start();
    rig.run_to_refresh();
    let networks = std::mem::take(&mut rig.world.network.borrow_mut().in_reach);
    rig.run_for(Duration::from_secs(45));
    rig.world.network.borrow_mut().in_reach = networks;
    rig.run_to_report(minutes(3));
    assert_eq!(rig.world.cloud.borrow().grants.count(), 2);
    assert_eq!(stored(&rig), newest(&rig));
}

#[test]
fn tokens_that_the_flash_refuses_are_kept_and_shown_and_written_in_the_end() {
    let mut rig = before_a_refresh(Provider::Fitbit);
    rig.start();
    rig.run_to_refresh();
    rig.write_protect_chain();
    rig.run_for(minutes(10));
    assert!(rig.shows_state(State::TokensNotStored));
    assert_eq!(rig.count(Route::Token), 1);
    assert_eq!(rig.count(Route::Heart), 0, "unstored tokens are not used");
    let answer = rig.ask("reset");
    assert!(
        answer[0].starts_with("error: new sign-in tokens are waiting"),
        "{answer:?}"
    );
    // A display that hangs must not cost the tokens.
    rig.world.hangs.set(Some(Hang::Push));
    rig.tell("set screen.palette night");
    rig.run_for(minutes(30));
    assert_eq!((rig.restarts, rig.count(Route::Token)), (0, 1));
    rig.world.flash.borrow_mut().mend();
    rig.run_for(Duration::from_secs(40));
    assert_eq!(stored(&rig), newest(&rig));
    // Nothing is at stake any more: the hanging display now causes a restart.
    rig.run_for(minutes(5));
    assert_eq!(rig.bites, 1);
    rig.world.hangs.set(None);
    rig.run_to_report(minutes(10));
}

#[test]
fn what_cannot_be_noted_is_not_sent() {
    let mut rig = before_a_refresh(Provider::Fitbit);
    rig.write_protect_chain();
    rig.start_to_report();
    // The old access token is still valid for a quarter of an hour.
    assert_eq!((rig.count(Route::Token), rig.count(Route::Heart)), (0, 1));
    rig.run_for(minutes(40));
    assert_eq!(rig.count(Route::Token), 0);
    rig.world.flash.borrow_mut().mend();
    rig.run_to_report(minutes(40));
    assert_eq!(rig.world.cloud.borrow().grants.count(), 2);
}

#[test]
fn after_a_start_nothing_is_sent_for_the_hold_off_but_a_wish_ends_it() {
    for provider in [Provider::Fitbit, Provider::Google] {
        let mut rig = Rig::set_up(provider);
        for _ in 0..5 {
            rig.start_for(Duration::from_secs(58));
        }
        assert!(rig.world.calls.borrow().is_empty());
        rig.run_for(Duration::from_secs(10));
        assert!(rig.count(Route::Heart) > 0);
        let calls = rig.world.calls.borrow().len();
        rig.start_for(Duration::from_secs(10));
        assert_eq!(rig.world.calls.borrow().len(), calls);
        rig.tell("poll");
        rig.run_to_report(Duration::from_secs(20));
    }
}

#[test]
fn google_needs_no_write_for_an_access_token() {
    let mut rig = Rig::tiny(Provider::Google);
    rig.start_to_report();
    let written = rig.stored();
    rig.run_for(hours(26));
    assert_eq!(rig.stored(), written);
    assert!(rig.count(Route::Token) >= 25);
    assert_eq!(rig.world.cloud.borrow().grants.refresh(), "refresh-1");
}

#[test]
fn a_chain_that_is_not_newer_is_refused() {
    let mut rig = Rig::running(Provider::Fitbit);
    let before = rig.stored();
    let answer = rig.put("chain", &crate::rig::record(Provider::Fitbit, 1));
    assert_eq!(
        answer,
        ["error: generation 1 is stored; this one is not newer"]
    );
    let mut damaged = crate::rig::record(Provider::Fitbit, 7);
    damaged[40] ^= 1;
    let answer = rig.put("chain", &damaged);
    assert_eq!(answer, ["error: it is not a sign-in, or it is damaged"]);
    assert_eq!(rig.stored(), before);
}

#[test]
fn a_sign_in_while_one_is_needed_goes_on_at_once() {
    let mut rig = Rig::set_up(Provider::Fitbit);
    pulsewing_store::mock::run(rig.store().erase_chain()).unwrap();
    rig.start_for(hours(3));
    let polls = rig.world.calls.borrow().len();
    assert_eq!(polls, 0);
    rig.put("chain", &crate::rig::record(Provider::Fitbit, 9));
    rig.run_to_report(minutes(1));
    let fresh = |rig: &Rig| {
        let mut buffer = [0; pulsewing_store::MAX_SNAPSHOT];
        let loaded = pulsewing_store::mock::run(rig.store().load_snapshot(&mut buffer));
        let reading = loaded.unwrap().unwrap().reading.unwrap();
        reading.freshness(
            rig.world.truth(),
            jiff::SignedDuration::from_mins(15),
            false,
        )
    };
    assert_eq!(fresh(&rig), Freshness::Fresh);
}
