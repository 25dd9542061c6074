//! Clocks that jump, and machines that sleep.

use std::time::Duration;

use jiff::SignedDuration;

use crate::{
    cloud::{Fault, Route},
    world::{Setup, Todo, World},
};

/// Returns whether the next action begins a cycle.
fn begins(world: &mut World) -> bool {
    matches!(world.todo(), Todo::Open(_))
}

#[test]
fn waking_from_suspend_and_a_set_clock_start_a_cycle_at_once() {
    for ahead in [-700_000, -3_600, -11, 11, 3_600, 700_000] {
        let mut world = World::fitbit();
        assert_eq!(world.cycle_once(), Ok(()));
        let _ = world.step();
        world.ahead = SignedDuration::from_secs(ahead);
        assert!(begins(&mut world), "{ahead}");
    }
    let mut world = World::fitbit();
    assert_eq!(world.cycle_once(), Ok(()));
    let _ = world.step();
    world.suspend(Duration::from_secs(30));
    assert!(begins(&mut world));
}

#[test]
fn drift_starts_nothing() {
    let mut world = World::fitbit();
    assert_eq!(world.cycle_once(), Ok(()));
    for n in 0..20 {
        world.ahead = SignedDuration::from_secs(9 * (n % 2));
        assert!(matches!(world.step(), Todo::Wait(_)));
    }
}

#[test]
fn a_clock_that_is_set_back_just_as_a_cycle_ends_does_not_delay_the_next() {
    for ahead in [-86_400, 86_400] {
        let mut world = World::fitbit();
        let _ = world.run_until(
            |todo| matches!(todo, Todo::Send(call, _) if call.route() == Route::Devices),
        );
        let _ = world.step();
        world.ahead = SignedDuration::from_secs(ahead);
        assert!(matches!(world.step(), Todo::Finished(Ok(()))));
        let began = world.real;
        let _ = world.run_until(|todo| matches!(todo, Todo::Open(_)));
        assert!(world.real - began <= Duration::from_secs(1_200), "{ahead}");
    }
}

#[test]
fn waits_follow_the_clock_that_does_not_jump() {
    let mut world = World::new(Setup::fitbit().expired());
    world.always(Route::Token, Fault::DropBefore);
    let mut ahead = 0;
    loop {
        // An hour forward or back at every step of the burst.
        ahead = if ahead == 0 { 3_600 } else { 0 };
        if world.refreshes().len() > 1 {
            world.ahead = SignedDuration::from_secs(ahead);
        }
        if let Todo::Finished(_) = world.step() {
            break;
        }
    }
    assert_eq!(world.refreshes(), [0, 0, 2, 6, 15, 31, 47, 64, 80, 96]);
}

/// Sets the clock so many times, and returns how often a cycle ended at the cap. Every jump starts a cycle; the
/// rules count the requests.
fn limited_by_cap(times: i64, mut set: impl FnMut(&mut World, i64)) -> u32 {
    let mut world = World::new(Setup {
        cap: 12,
        ..Setup::fitbit()
    });
    let mut limited = 0;
    for n in 0..times {
        set(&mut world, n);
        limited += u32::from(world.is_limited_once());
        let _ = world.step();
    }
    limited
}

#[test]
fn a_clock_that_is_set_back_does_not_lift_the_cap() {
    for back in [61, 3_600, 100_000] {
        let limited = limited_by_cap(40, |world, n| {
            world.ahead = SignedDuration::from_secs(-back * n);
        });
        assert!(limited > 30, "{back}: {limited}");
    }
}

#[test]
fn a_clock_that_is_moved_on_does_not_lift_the_cap() {
    for by in [95, 3_600, 100_000] {
        let limited = limited_by_cap(20, |world, _| world.set_clock(by));
        assert!(limited > 10, "{by}: {limited}");
    }
}

#[test]
fn a_clock_that_is_set_does_not_lift_the_providers_limit() {
    for by in [-100_000, -4_000, 3_500, 100_000] {
        let mut world = World::fitbit();
        world.will(Route::Heart, [Fault::limited("Retry-After", "3000")]);
        assert!(world.cycle_once().is_err());
        let _ = world.step();
        world.set_clock(by);
        assert!(world.is_limited_once(), "{by}");
    }
}

#[test]
fn a_clock_that_was_far_ahead_and_is_right_again_leaves_nothing_behind() {
    let mut world = World::fitbit();
    world.ahead = SignedDuration::from_hours(50_000);
    let _ = world.cycle_once();
    world.will(Route::Heart, [Fault::limited("Retry-After", "3000")]);
    world.cycle.start_now();
    assert!(world.cycle_once().is_err());
    world.set_clock(-50_000 * 3_600);
    world.die();
    assert_eq!(world.cycle_once(), Ok(()), "{:?}", world.story);
    assert!(world.cycle.due() < world.now().utc + SignedDuration::from_mins(30));
}

#[test]
fn an_idle_cycle_looks_at_the_clock_every_ten_seconds() {
    let mut world = World::fitbit();
    assert_eq!(world.cycle_once(), Ok(()));
    let Todo::Wait(until) = world.todo() else {
        panic!("{:?}", world.story);
    };
    assert!(until - world.up <= Duration::from_secs(10));
}

#[test]
fn the_end_of_a_cycle_is_told_until_it_is_acknowledged() {
    let mut world = World::fitbit();
    let end = world.run_until(|todo| matches!(todo, Todo::Finished(_)));
    for _ in 0..5 {
        world.advance(Duration::from_secs(2_000));
        assert_eq!(world.todo(), end);
    }
    let _ = world.step();
    assert!(begins(&mut world), "it is long due");
}
