//! The order of writes, and the handling of failed ones.

use std::time::Duration;

use pulsewing_core::cycle::{Failure, StoreTrouble, StoreWhat};

use crate::{
    cloud::{Fault, Route},
    store::Write,
    world::{Setup, Todo, World},
};

fn expired() -> World {
    World::new(Setup::fitbit().expired())
}

#[test]
fn without_the_lock_nothing_is_sent() {
    let mut world = expired();
    world.store.troubles.push_back(StoreTrouble::Busy);
    assert_eq!(world.cycle_once(), Err(Failure::Store(StoreTrouble::Busy)));
    assert_eq!(world.told(), "busy, close, failed");
    assert_eq!(world.cycle_once(), Ok(()));
}

#[test]
fn a_store_that_cannot_be_read_is_left_alone() {
    for trouble in [
        StoreTrouble::Newer(2),
        StoreTrouble::Damaged,
        StoreTrouble::Io,
    ] {
        let mut world = expired();
        world.store.troubles.push_back(trouble);
        assert_eq!(world.cycle_once(), Err(Failure::Store(trouble)));
        assert_eq!(world.told(), "open, close, failed");
    }
    let mut world = expired();
    world.store.record.clear();
    assert_eq!(world.cycle_once(), Err(Failure::NoChain));
    assert_eq!(world.told(), "open, close, failed");
}

#[test]
fn an_intent_that_cannot_be_written_is_not_followed_by_a_refresh() {
    let mut world = expired();
    world.store.never = Some(StoreWhat::Intent);
    assert_eq!(world.cycle_once(), Err(Failure::IntentNotStored));
    assert_eq!(world.told(), "open, intent!, close, failed");
    // The old access token is used as long as it lives.
    let mut world = World::new(Setup::fitbit().ending());
    world.store.never = Some(StoreWhat::Intent);
    assert_eq!(world.cycle_once(), Ok(()));
    assert_eq!(
        world.cycle.renewal_failure(),
        Some(Failure::IntentNotStored)
    );
}

#[test]
fn new_tokens_that_cannot_be_written_are_held_and_only_the_write_is_repeated() {
    let mut world = expired();
    world.store.writes.push_back(Write::Done);
    world.store.writes.extend(vec![Write::Failed; 9]);
    let _ = world.run_until(|todo| matches!(todo, Todo::Store(_, StoreWhat::Tokens)));
    assert!(!world.cycle.may_stop() && world.cycle.holds_unstored_tokens());
    let began = world.real;
    for n in 1..=9 {
        assert!(matches!(world.step(), Todo::Store(_, StoreWhat::Tokens)));
        assert!(world.cycle.holds_unstored_tokens() && !world.cycle.may_stop());
        assert!(world.store.locked && !world.cycle.token_written());
        assert!(matches!(world.step(), Todo::Wait(_)));
        assert_eq!((world.real - began).as_secs(), n * 30, "every 30 seconds");
    }
    assert_eq!(world.cycle_once(), Ok(()));
    assert!(world.agrees() && !world.cycle.holds_unstored_tokens());
    assert_eq!(world.refreshes().len(), 1);
}

#[test]
fn a_crash_while_tokens_are_held_is_mended_by_the_replay() {
    let mut world = expired();
    world.store.never = Some(StoreWhat::Tokens);
    let _ = world.run_until(|todo| matches!(todo, Todo::Wait(_)));
    let _ = world.run_until(|todo| matches!(todo, Todo::Store(..)));
    world.die();
    world.heal();
    world.advance(Duration::from_secs(20));
    assert_eq!(world.cycle_once(), Ok(()));
    assert!(world.agrees());
    assert_eq!(world.cloud.grants.count(), 2);
}

#[test]
fn a_write_that_succeeded_unnoticed_does_no_harm() {
    let mut world = expired();
    world
        .store
        .writes
        .extend([Write::Done, Write::DoneUnnoticed]);
    assert_eq!(world.cycle_once(), Ok(()));
    assert!(world.agrees());
    // The same for an intent that was stored without the program's knowledge.
    let mut world = expired();
    world.store.writes.push_back(Write::DoneUnnoticed);
    assert_eq!(world.cycle_once(), Err(Failure::IntentNotStored));
    assert_eq!(world.refreshes().len(), 0);
    assert_eq!(world.cycle_once(), Ok(()));
    // A withdrawal that failed: the next cycle refreshes, nothing more.
    let mut world = expired();
    world.will(Route::Token, [Fault::NeverLeft]);
    world.store.never = Some(StoreWhat::Withdrawal);
    assert!(world.cycle_once().is_err());
    assert_eq!(world.cycle_once(), Ok(()));
    assert!(world.agrees());
}

#[test]
fn the_store_is_the_truth_and_never_memory() {
    let mut world = World::fitbit();
    assert_eq!(world.cycle_once(), Ok(()));
    // Another program refreshed in the meantime; its tokens are used, and no refresh is needed.
    let (refresh, access) = world.cloud.grants.refreshed_elsewhere(world.real);
    world.put_newer(&refresh, &access);
    let _ = world.told();
    assert_eq!(world.cycle_once(), Ok(()));
    assert_eq!(
        world.told(),
        "open, close, resolve, today 200, devices 200, done"
    );
    assert_eq!(world.cycle.chain().unwrap().generation(), 2);
}

#[test]
fn nothing_is_refreshed_outside_the_margin_and_a_day_has_three_rotations() {
    let mut world = World::fitbit();
    let day = Duration::from_secs(86_400);
    while world.real < day {
        assert_eq!(world.cycle_once(), Ok(()));
    }
    // Eight hours less half an hour each.
    assert_eq!(world.cloud.grants.count() - 1, 3);
    let at: Vec<_> = world
        .rules
        .refreshes
        .iter()
        .map(|(_, at)| at.as_secs())
        .collect();
    assert!((23_400..24_400).contains(&at[0]), "{at:?}");
}

#[test]
fn an_access_token_is_renewed_exactly_from_its_margin_on() {
    for (age, refreshes) in [(28_800 - 1_805, 0), (28_800 - 1_800, 1)] {
        let mut world = World::new(Setup {
            age,
            ..Setup::fitbit()
        });
        assert_eq!(world.cycle_once(), Ok(()));
        assert_eq!(world.refreshes().len(), refreshes, "{age}");
    }
}

#[test]
fn a_program_may_stop_except_while_a_refresh_is_out_or_its_answer_unstored() {
    let mut world = expired();
    world.will(Route::Token, [Fault::DropAfter]);
    world.store.writes.extend([Write::Done, Write::Failed]);
    let mut stops = Vec::new();
    loop {
        let todo = world.todo();
        stops.push((word(&todo), world.cycle.may_stop()));
        if let Todo::Finished(result) = world.step() {
            assert_eq!(result, Ok(()));
            break;
        }
    }
    let expected = [
        ("open", true),
        ("intent", true),
        ("token", false),
        ("token", false),
        ("tokens", false),
        ("wait", false),
        ("tokens", false),
        ("close", true),
        ("data", true),
        ("resolve", true),
        ("data", true),
        ("data", true),
        ("finished", true),
    ];
    assert_eq!(stops, expected);
}

fn word(todo: &Todo) -> &'static str {
    match todo {
        Todo::Open(_) => "open",
        Todo::Store(_, StoreWhat::Intent) => "intent",
        Todo::Store(..) => "tokens",
        Todo::Close => "close",
        Todo::Send(call, _) if call.route() == Route::Token => "token",
        Todo::Send(..) => "data",
        Todo::Resolve(_) => "resolve",
        Todo::Finished(_) => "finished",
        Todo::Wait(_) => "wait",
    }
}

#[test]
fn a_store_that_cannot_be_read_for_a_while_costs_no_replay_window() {
    let mut world = World::new(Setup::fitbit().expired());
    world.will(Route::Token, [Fault::DropAfter]);
    while !world.story.iter().any(|word| word.starts_with("token")) {
        let _ = world.step();
    }
    world.die();
    // Three times in a row.
    for trouble in [StoreTrouble::Io, StoreTrouble::Io, StoreTrouble::Busy] {
        world.store.troubles.push_back(trouble);
        assert!(world.cycle_once().is_err());
    }
    assert_eq!(world.cycle_once(), Ok(()));
    assert!(world.agrees());
}
