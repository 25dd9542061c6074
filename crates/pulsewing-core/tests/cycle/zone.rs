//! The wearer's time zone: asked for once a day, missed by nobody when it does not come.

use std::time::Duration;

use jiff::tz::Offset;
use pulsewing_core::{cycle::Failure, dialect::ZoneFacts, oauth::Scopes};

use crate::{
    cloud::{Fault, Route},
    world::{Setup, World, zone_name},
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
            // And it is asked for again.
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
    assert!(matches!(
        world.cycle_once(),
        Err(Failure::RateLimited { .. })
    ));
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
