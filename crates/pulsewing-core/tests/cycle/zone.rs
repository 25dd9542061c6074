//! The wearer's time zone: requested once a day, and not essential.

use std::time::Duration;

use jiff::tz::Offset;
use pulsewing_core::{dialect::ZoneFacts, oauth::Scopes};

use crate::{
    cloud::{Fault, Route},
    world::{Setup, World, beginning, zone_name},
};

fn zone_calls(world: &World) -> usize {
    world
        .story
        .iter()
        .filter(|word| word.starts_with("zone"))
        .count()
}

#[test]
fn the_zone_is_asked_for_once_a_day_and_remembered_across_restarts() {
    for setup in [Setup::fitbit(), Setup::google()] {
        let mut world = World::new(setup);
        while world.real < Duration::from_secs(23 * 3_600) {
            assert_eq!(world.cycle_once(), Ok(()));
        }
        world.die();
        assert_eq!(world.cycle_once(), Ok(()));
        assert_eq!(zone_calls(&world), 1);
        world.cloud.offset = Offset::constant(2);
        while world.real < Duration::from_secs(25 * 3_600) {
            assert_eq!(world.cycle_once(), Ok(()));
        }
        assert_eq!(zone_calls(&world), 2);
        let facts = world.facts.last().unwrap();
        assert_eq!(facts.name, Some(zone_name("Europe/Berlin")));
        assert_eq!(facts.offset, Some(Offset::constant(2)));
    }
}

#[test]
fn without_an_answer_the_provider_said_nothing_and_the_cycle_goes_on() {
    for fault in [
        Fault::status(500),
        Fault::status(403),
        Fault::html(404),
        Fault::DropBefore,
        Fault::html(200),
        Fault::status(429),
    ] {
        for setup in [Setup::fitbit(), Setup::google()] {
            let mut world = World::new(setup);
            world.always(Route::Zone, fault.clone());
            assert_eq!(world.cycle_once(), Ok(()), "{fault:?}");
            assert_eq!(world.facts, [ZoneFacts::default()], "{fault:?}");
            // And it is requested again.
            world.heal();
            assert_eq!(world.cycle_once(), Ok(()));
            assert!(world.facts[1].name.is_some(), "{fault:?}");
        }
    }
}

#[test]
fn an_old_word_of_the_providers_is_better_than_none() {
    let mut world = World::fitbit();
    assert_eq!(world.cycle_once(), Ok(()));
    world.advance(Duration::from_secs(25 * 3_600));
    world.always(Route::Zone, Fault::status(500));
    assert_eq!(world.cycle_once(), Ok(()));
    assert_eq!(world.facts[0], world.facts[1]);
}

#[test]
fn a_limit_that_names_its_end_ends_the_cycle_at_the_zone() {
    let mut world = World::google();
    world.will(Route::Zone, [Fault::limited("Retry-After", "300")]);
    assert!(world.is_limited_once());
    assert_eq!(world.told(), "open, close, zone 429, failed");
    assert_eq!(world.cycle_once(), Ok(()));
}

#[test]
fn without_its_scope_the_zone_is_not_asked_for() {
    let heart_alone = Scopes::from_bits(1);
    for setup in [Setup::fitbit(), Setup::google()] {
        let mut world = World::new(Setup {
            scopes: heart_alone,
            ..setup
        });
        assert_eq!(world.cycle_once(), Ok(()));
        let told = world.told();
        assert!(
            told.starts_with("open, close, resolve, ") && !told.contains("devices"),
            "{told}"
        );
    }
}

/// Returns a world that has known its zone for an hour, and whose wearer then moves to another zone.
fn travelled(setup: Setup, hours: i8) -> World {
    let mut world = World::new(setup);
    for _ in 0..4 {
        assert_eq!(world.cycle_once(), Ok(()));
    }
    world.told();
    world.cloud.offset = Offset::constant(hours);
    world
}

#[test]
fn a_journey_is_noticed_from_clock_times_that_do_not_fit_the_zone() {
    // It was an hour ahead of UTC.
    for hours in [-5, 0, 2, 9] {
        let mut world = travelled(Setup::fitbit(), hours);
        assert_eq!(world.cycle_once(), Ok(()));
        let reading = world.cycle.reading().unwrap();
        assert_eq!(
            reading.time_zone.offsets.at(beginning()),
            Offset::constant(hours)
        );
        let age = reading.age(world.now().utc).unwrap();
        assert!(age.as_mins() < 20, "{hours}: {age}, {:?}", world.story);
        assert_eq!(zone_calls(&world), 1, "{hours}: {:?}", world.story);
        // And the data fetched with it stays.
        world.told();
        assert_eq!(world.cycle_once(), Ok(()));
        assert_eq!(zone_calls(&world), 0);
    }
}

#[test]
fn googles_times_name_their_offset_so_that_nothing_is_asked_twice() {
    let mut world = travelled(Setup::google(), -5);
    assert_eq!(world.cycle_once(), Ok(()));
    assert_eq!(zone_calls(&world), 0);
}

#[test]
fn a_tracker_that_does_not_sync_costs_one_request_for_the_zone_and_no_reading() {
    let mut world = travelled(Setup::fitbit(), 1);
    let now = world.truth().as_second() / 60;
    world.cloud.worn = vec![0..now - 90];
    world.cloud.sync_age = 100;
    assert_eq!(world.cycle_once(), Ok(()));
    assert_eq!(
        world.told(),
        "open, close, resolve, today 200, devices 200, zone 200, done"
    );
    for fault in [
        Fault::status(503),
        Fault::limited("retry-after", "60"),
        Fault::limited("x-none", ""),
        Fault::DropBefore,
        Fault::status(400),
    ] {
        world.heal();
        world.always(Route::Zone, fault.clone());
        assert_eq!(world.cycle_once(), Ok(()), "{fault:?}");
    }
}
