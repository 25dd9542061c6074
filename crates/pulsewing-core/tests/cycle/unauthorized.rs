//! The consequences of a 401 from a data call.

use std::time::Duration;

use pulsewing_core::{
    cycle::{CallName, Failure},
    heart_zone::HeartZones,
    oauth::NoAnswer,
};

use crate::{
    cloud::{Fault, Route},
    world::{Setup, Todo, World},
};

const RENEWED: &str = "open, close, zone 200, resolve, today 401, open, intent, token 200, tokens, close, today 200, devices 200, done";

#[test]
fn a_401_is_followed_by_one_refresh_and_the_same_call() {
    let mut world = World::fitbit();
    world.will(Route::Heart, [Fault::status(401)]);
    assert_eq!(world.cycle_once(), Ok(()));
    assert_eq!(world.told(), RENEWED);
    assert!(world.cycle.token_written());
}

#[test]
fn a_second_401_ends_the_cycle_and_for_an_hour_none_is_followed_by_a_refresh() {
    let mut world = World::fitbit();
    world.always(Route::Heart, Fault::status(401));
    assert_eq!(world.cycle_once(), Err(Failure::Unauthorized));
    let refreshed = world.real;
    while world.real < refreshed + Duration::from_secs(3_500) {
        assert_eq!(world.refreshes().len(), 1);
        assert_eq!(world.cycle_once(), Err(Failure::Unauthorized));
    }
    while world.real < refreshed + Duration::from_secs(5 * 3_600) {
        let _ = world.cycle_once();
    }
    let refreshes = world.refreshes();
    assert!(refreshes.len() <= 6, "{refreshes:?}");
    assert!(
        refreshes.windows(2).all(|pair| pair[1] - pair[0] >= 3_600),
        "{refreshes:?}"
    );
}

#[test]
fn the_hour_survives_a_restart() {
    let mut world = World::fitbit();
    world.always(Route::Heart, Fault::status(401));
    assert_eq!(world.cycle_once(), Err(Failure::Unauthorized));
    world.die();
    assert_eq!(world.cycle_once(), Err(Failure::Unauthorized));
    assert_eq!(world.refreshes().len(), 1);
}

#[test]
fn a_401_is_no_cause_for_a_refresh_when_the_store_has_a_newer_access_token() {
    let mut world = World::fitbit();
    let _ = world.run_until(|todo| matches!(todo, Todo::Send(..)));
    world.will(Route::Zone, [Fault::status(401)]);
    let (refresh, access) = world.cloud.grants.refreshed_elsewhere(world.real);
    let _ = world.step();
    world.put_newer(&refresh, &access);
    assert_eq!(world.cycle_once(), Ok(()));
    assert_eq!(
        world.told(),
        "open, close, zone 401, open, close, zone 200, resolve, today 200, devices 200, done"
    );
    // There was no refresh, so the one that each hour allows is still available.
    world.cloud.grants.revoke_access(&access);
    assert_eq!(world.cycle_once(), Ok(()));
    assert_eq!(world.refreshes().len(), 1);
}

#[test]
fn a_cycle_renews_once_whatever_the_store_has() {
    let mut world = World::fitbit();
    world.always(Route::Zone, Fault::status(401));
    world.always(Route::Heart, Fault::status(401));
    let _ = world.run_until(|todo| matches!(todo, Todo::Send(..)));
    let _ = world.step();
    // Another program's newer tokens, which do not work either.
    let (refresh, access) = world.cloud.grants.refreshed_elsewhere(world.real);
    world.put_newer(&refresh, &access);
    assert_eq!(world.cycle_once(), Err(Failure::Unauthorized));
    assert_eq!(
        world.told(),
        "open, close, zone 401, open, close, zone 401, resolve, today 401, failed"
    );
}

#[test]
fn a_refresh_without_an_answer_does_not_use_the_hours_one_up() {
    for restarts in [false, true] {
        let mut world = World::google();
        world.cloud.grants.revoke_access("access-1");
        world.always(Route::Token, Fault::status(503));
        let cause = NoAnswer::Status(503);
        let call = CallName::Token;
        assert_eq!(world.cycle_once(), Err(Failure::NoAnswer { call, cause }));
        world.heal();
        if restarts {
            world.die();
        }
        assert_eq!(world.cycle_once(), Ok(()));
    }
}

#[test]
fn a_refresh_that_the_cap_put_off_comes_before_the_next_data_call() {
    let mut world = World::new(Setup {
        cap: 1,
        ..Setup::fitbit()
    });
    world.cloud.grants.revoke_access("access-1");
    assert!(world.is_limited_once());
    assert_eq!(world.told(), "open, close, zone 401, open, close, failed");
    assert!(world.is_limited_once());
    assert_eq!(
        world.told(),
        "open, intent, token 200, tokens, close, failed"
    );
}

#[test]
fn an_access_token_that_got_a_401_is_not_used_when_the_refresh_fails() {
    let mut world = World::fitbit();
    world.will(Route::Zone, [Fault::status(401)]);
    world.always(Route::Token, Fault::NeverLeft);
    assert!(world.cycle_once().is_err());
    let told = world.told();
    assert_eq!(
        told,
        "open, close, zone 401, open, intent, token never left, withdrawal, close, failed"
    );
}

#[test]
fn a_renewal_that_fails_after_the_heart_rate_costs_only_what_was_to_follow() {
    for setup in [Setup::fitbit(), Setup::google()] {
        let mut world = World::new(setup);
        world.will(Route::Devices, [Fault::status(401)]);
        world.always(Route::Token, Fault::NeverLeft);
        assert_eq!(world.cycle_once(), Ok(()), "{:?}", world.story);
        let reading = world.cycle.reading().unwrap();
        assert!(reading.latest().is_some() && reading.battery_percent.is_none());
        assert!(world.cycle.renewal_failure().is_some());
    }
}

#[test]
fn a_401_to_any_call_is_mended() {
    for route in [
        Route::Zone,
        Route::Heart,
        Route::Devices,
        Route::Resting,
        Route::HeartZones,
    ] {
        let mut world = World::google();
        world.will(route, [Fault::status(401)]);
        assert_eq!(world.cycle_once(), Ok(()), "{route:?}");
        assert_eq!(world.refreshes().len(), 1, "{route:?}");
        let reading = world.cycle.reading().unwrap();
        assert!(
            reading.resting.is_some() && reading.battery_percent.is_some(),
            "{route:?}"
        );
        assert_ne!(reading.heart_zones, HeartZones::PLAIN, "{route:?}");
    }
}
