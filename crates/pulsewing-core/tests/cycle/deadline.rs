//! A run with a deadline: no try begins after 110 seconds, and everything is over by 130.

use std::time::Duration;

use pulsewing_core::cycle::{Failure, FailureKind, StoreTrouble, StoreWhat};

use crate::{
    cloud::{Fault, Route},
    world::{Setup, Todo, World},
};

const END: Duration = Duration::from_secs(130);

/// Performs one run and checks that it ends in time; `rules.rs` checks the tries.
fn run(world: &mut World) -> Result<(), Failure> {
    let result = world.cycle_once();
    assert!(world.up <= END, "{:?}: {:?}", world.up, world.story);
    result
}

#[test]
fn a_run_ends_in_time_whatever_stalls() {
    let routes = [
        Route::Token,
        Route::Zone,
        Route::Heart,
        Route::Devices,
        Route::Resting,
        Route::HeartZones,
    ];
    for setup in [Setup::fitbit(), Setup::google()] {
        for ages in [setup.clone(), setup.clone().expired(), setup.ending()] {
            for mask in 0_u32..64 {
                for began in [0, 75, 109] {
                    let mut world = World::new(ages.clone().once());
                    for (bit, route) in routes.iter().enumerate() {
                        if mask & (1 << bit) != 0 {
                            world.always(*route, Fault::Stall);
                        }
                    }
                    world.advance(Duration::from_secs(began));
                    let _ = run(&mut world);
                }
            }
        }
    }
}

#[test]
fn when_the_time_is_spent_the_data_calls_are_skipped() {
    let mut world = World::new(Setup::fitbit().ending().once());
    world.always(Route::Token, Fault::Stall);
    assert_eq!(run(&mut world), Err(Failure::OutOfTime));
    assert_eq!(Failure::OutOfTime.kind(), FailureKind::Temporary);
    let told = world.told();
    assert!(!told.contains("zone") && !told.contains("today"), "{told}");
    assert!(world.store.chain().intent.is_some());
}

#[test]
fn what_the_heart_rate_left_no_time_for_stays_unknown() {
    let mut world = World::new(Setup::fitbit().once());
    world.advance(Duration::from_millis(109_300));
    assert_eq!(run(&mut world), Ok(()));
    assert_eq!(
        world.told(),
        "open, close, zone 200, resolve, today 200, devices 200, done"
    );
    let mut world = World::new(Setup::fitbit().once());
    world.advance(Duration::from_millis(109_600));
    assert_eq!(run(&mut world), Ok(()));
    assert_eq!(
        world.told(),
        "open, close, zone 200, resolve, today 200, done"
    );
    assert_eq!(world.cycle.reading().unwrap().battery_percent, None);
}

#[test]
fn the_pause_before_another_try_is_part_of_the_time() {
    for began in [107_000, 108_000, 108_500, 109_000, 109_300, 109_600] {
        for route in [Route::Zone, Route::Heart, Route::Token] {
            let mut world = World::new(Setup::google().expired().once());
            world.always(route, Fault::DropBefore);
            world.advance(Duration::from_millis(began));
            assert!(run(&mut world).is_err() || route == Route::Zone);
        }
    }
}

#[test]
fn tokens_that_cannot_be_written_in_time_end_the_run_and_the_intent_stays() {
    for began in [0, 20, 60, 109] {
        let mut world = World::new(Setup::fitbit().expired().once());
        world.store.never = Some(StoreWhat::Tokens);
        world.advance(Duration::from_secs(began));
        assert_eq!(run(&mut world), Err(Failure::TokensNotStored));
        assert_eq!(Failure::TokensNotStored.kind(), FailureKind::Failed);
        assert!(world.store.chain().intent.is_some());
        world.heal();
        world.die();
        // A run that starts within the replay window loses nothing. The first of these runs held on to
        // its tokens for longer than that, waiting for the store.
        if began > 0 {
            assert_eq!(run(&mut world), Ok(()), "{began}");
            assert!(world.agrees());
        }
    }
}

#[test]
fn a_slow_write_of_the_intent_uses_the_time_up() {
    let mut world = World::new(Setup::fitbit().expired().once());
    world.write_takes = Duration::from_secs(5);
    world.advance(Duration::from_secs(107));
    assert_eq!(run(&mut world), Err(Failure::OutOfTime));
    assert_eq!(world.refreshes().len(), 0);
    assert_eq!(world.store.chain().intent, None, "nothing was sent");
}

#[test]
fn the_wait_for_the_lock_is_part_of_the_time() {
    for began in [0, 90, 105] {
        let mut world = World::new(Setup::fitbit().once());
        world.store.troubles.push_back(StoreTrouble::Busy);
        world.advance(Duration::from_secs(began));
        assert_eq!(run(&mut world), Err(Failure::Store(StoreTrouble::Busy)));
        assert!(world.up <= Duration::from_secs(110));
    }
    // The second time as well: after a 401.
    let mut world = World::new(Setup::fitbit().once());
    world.advance(Duration::from_secs(100));
    world.will(Route::Heart, [Fault::status(401)]);
    let _ = world.run_until(|todo| matches!(todo, Todo::Resolve(_)));
    world.store.troubles.push_back(StoreTrouble::Busy);
    assert!(run(&mut world).is_err());
}
