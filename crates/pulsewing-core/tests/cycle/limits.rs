//! The limits on requests.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use pulsewing_core::{
    Provider,
    cycle::{CallName, Failure, FailureKind, Reason},
};

use crate::{
    cloud::{Fault, Route},
    world::{Setup, Todo, World},
};

#[test]
fn the_own_cap_holds_in_every_rolling_hour() {
    // Polled as fast as possible; the rules count the requests.
    for (setup, every) in [
        (Setup::fitbit(), 20),
        (Setup::google(), 7),
        (Setup::fitbit(), 61),
    ] {
        let every = Duration::from_secs(every);
        let mut world = World::new(Setup { every, ..setup });
        while world.real < Duration::from_secs(3 * 3_600) {
            if let Todo::Finished(Err(failure)) = world.step() {
                assert!(
                    matches!(failure, Failure::RateLimited { .. }),
                    "{failure:?}"
                );
            }
        }
        let requests = world.rules.requests();
        assert!(requests > 2 * 60, "{requests} are far from the cap");
    }
}

#[test]
fn the_tries_of_a_failing_cycle_keep_to_the_cap() {
    let mut world = World::new(Setup {
        cap: 7,
        ..Setup::google().expired()
    });
    world.always(Route::Token, Fault::status(503));
    for _ in 0..12 {
        assert!(world.cycle_once().is_err());
    }
    assert!(world.refreshes().len() >= 14);
}

#[test]
fn replays_are_exempt_from_the_cap_and_do_not_use_it_up() {
    let mut world = World::new(Setup {
        cap: 4,
        ..Setup::fitbit().expired()
    });
    world.will(Route::Token, vec![Fault::DropAfter; 8]);
    assert_eq!(world.cycle_once(), Ok(()));
    // One refresh, the zone, the heart rate, the devices: four.
    assert_eq!(world.refreshes().len(), 9);
    world.cycle.start_now();
    assert!(world.is_limited_once());
}

#[test]
fn a_refusal_is_obeyed_and_survives_a_restart() {
    let mut world = World::fitbit();
    world.will(
        Route::Heart,
        [Fault::limited("fitbit-rate-limit-reset", "1200")],
    );
    let until = world.now().utc + SignedDuration::from_secs(1_200);
    let Err(Failure::RateLimited { until: named }) = world.cycle_once() else {
        panic!("{:?}", world.story);
    };
    assert!(named >= until && named < until + SignedDuration::from_secs(5));
    // Not on the second of the reset, when all clients ask.
    let due = world.cycle.due();
    assert!(
        due >= named + SignedDuration::from_secs(5) && due <= named + SignedDuration::from_secs(60)
    );
    world.die();
    world.story.clear();
    assert!(world.is_limited_once());
    assert_eq!(world.told(), "open, close, resolve, failed");
    assert_eq!(world.cycle_once(), Ok(()));
    assert!(world.now().utc > named);
}

#[test]
fn a_limit_without_words_lasts_to_the_full_hour_or_a_minute() {
    let mut world = World::fitbit();
    world.will(Route::Heart, [Fault::status(429)]);
    let Err(Failure::RateLimited { until }) = world.cycle_once() else {
        panic!("{:?}", world.story);
    };
    let hour: Timestamp = "2026-11-22T13:00:00Z".parse().unwrap();
    assert!(
        until >= hour && until < hour + SignedDuration::from_secs(1),
        "{until}"
    );
    let mut world = World::google();
    world.will(Route::Heart, [Fault::status(429)]);
    let Err(Failure::RateLimited { until }) = world.cycle_once() else {
        panic!("{:?}", world.story);
    };
    assert_eq!(
        (until - world.now().utc)
            .total(jiff::Unit::Second)
            .unwrap()
            .round(),
        60.0
    );
}

#[test]
fn what_any_reply_says_of_limits_is_obeyed() {
    // A success that used up the quota; a server in maintenance; from the token endpoint as well.
    for (route, fault) in [
        (
            Route::Heart,
            Fault::Header("Retry-After", "3000".to_owned()),
        ),
        (
            Route::Token,
            Fault::Header("Retry-After", "3000".to_owned()),
        ),
        (
            Route::Heart,
            Fault::Status(503, Some(("Retry-After", "3000".to_owned()))),
        ),
    ] {
        let mut world = World::new(Setup::fitbit().expired());
        world.will(route, [fault.clone()]);
        let _ = world.cycle_once();
        let sent = world
            .story
            .iter()
            .filter(|word| word.contains("today") || word.contains("devices"));
        assert!(sent.count() <= 1, "{fault:?}: {:?}", world.story);
        let allowed = world.cycle.pacing().next_allowed.expect("a limit");
        assert!(world.cycle.due() >= allowed, "{fault:?}");
    }
    let mut world = World::new(Setup::google().expired());
    world.will(
        Route::Token,
        [Fault::Status(503, Some(("Retry-After", "3000".to_owned())))],
    );
    assert!(world.cycle_once().is_err());
    assert_eq!(world.refreshes().len(), 1, "told to wait, and asked again");
}

#[test]
fn failures_back_off_to_the_interval_and_a_success_ends_that() {
    let mut world = World::fitbit();
    world.always(Route::Heart, Fault::status(503));
    let mut waits = Vec::new();
    for _ in 0..8 {
        assert!(world.cycle_once().is_err());
        let wait = world.cycle.due().duration_since(world.now().utc);
        waits.push(wait.as_secs());
    }
    let bounds = [
        (48, 72),
        (96, 144),
        (192, 288),
        (384, 576),
        (720, 1_080),
        (720, 1_080),
    ];
    for (wait, (least, most)) in waits.iter().zip(bounds) {
        assert!((least..=most).contains(wait), "{waits:?}");
    }
    world.heal();
    assert_eq!(world.cycle_once(), Ok(()));
    world.always(Route::Heart, Fault::status(503));
    assert!(world.cycle_once().is_err());
    assert!(world.cycle.due().duration_since(world.now().utc).as_secs() <= 72);
}

#[test]
fn a_limit_from_a_wrong_clock_holds_nobody_up() {
    let mut world = World::fitbit();
    let far = world.now().utc + SignedDuration::from_hours(30_000);
    world.kept.0.next_allowed = Some(far);
    world.store.record.clear();
    world.die();
    assert_eq!(world.cycle_once(), Err(Failure::NoChain));
    assert!(world.cycle.due() < world.now().utc + SignedDuration::from_mins(5));
}

#[test]
fn a_small_cap_leaves_room_for_whole_cycles() {
    for cap in [3, 4, 6] {
        let mut world = World::new(Setup {
            cap,
            every: Duration::from_secs(60),
            ..Setup::google()
        });
        // Two heart-rate calls each time.
        world.cloud.worn = Vec::new();
        let mut readings = 0;
        while world.real < Duration::from_secs(12 * 3_600) {
            readings += u32::from(world.cycle_once().is_ok());
        }
        assert!(readings >= 10, "{cap}: {readings}");
    }
}

#[test]
fn a_410_is_final_for_fitbit_until_somebody_asks() {
    for route in [Route::Token, Route::Heart] {
        let mut world = World::new(Setup::fitbit().expired());
        world.always(route, Fault::status(410));
        assert_eq!(world.cycle_once(), Err(Failure::Gone), "{route:?}");
        assert_eq!(Failure::Gone.kind(), FailureKind::Gone);
        let sent = world.story.len();
        let refresh = world.store.refresh();
        let end = world.real + Duration::from_secs(90_000);
        while world.real < end {
            assert!(matches!(world.step(), Todo::Wait(_)), "{route:?}");
        }
        // Nor does a sleep or a set clock cause a request.
        world.suspend(Duration::from_secs(90_000));
        assert!(matches!(world.step(), Todo::Wait(_)));
        assert_eq!((world.story.len(), world.store.refresh()), (sent, refresh));
        world.heal();
        world.cycle.start_now();
        assert_eq!(world.cycle_once(), Ok(()), "{route:?}");
    }
}

#[test]
fn a_410_that_is_not_about_heart_rate_leaves_a_fact_unknown() {
    for route in [Route::Zone, Route::Devices] {
        let mut world = World::new(Setup::fitbit());
        world.always(route, Fault::status(410));
        assert_eq!(world.cycle_once(), Ok(()), "{route:?}");
        let battery = world.cycle.reading().unwrap().battery_percent;
        assert_eq!(battery.is_none(), route == Route::Devices);
    }
}

#[test]
fn a_410_from_google_is_an_ordinary_permanent_error() {
    for (route, call) in [
        (Route::Token, CallName::Token),
        (Route::Heart, CallName::Heart),
    ] {
        let mut world = World::new(Setup::google().expired());
        world.will(route, [Fault::status(410)]);
        let reason = Reason::Other;
        let failure = Failure::Rejected {
            call,
            status: 410,
            reason,
        };
        assert_eq!(world.cycle_once(), Err(failure));
        assert_eq!(failure.kind(), FailureKind::Failed);
        assert_eq!(world.cycle_once(), Ok(()), "{route:?}");
    }
}

#[test]
fn the_next_poll_comes_a_minute_or_two_after_the_next_sync() {
    for provider in [Provider::Fitbit, Provider::Google] {
        let setup = match provider {
            Provider::Fitbit => Setup::fitbit(),
            Provider::Google => Setup::google(),
        };
        let mut world = World::new(setup);
        for _ in 0..5 {
            assert_eq!(world.cycle_once(), Ok(()));
            let synced = world.cycle.reading().unwrap().last_sync.unwrap();
            let after = world.cycle.due().duration_since(synced).as_secs() % 900;
            assert!((60..=120).contains(&after), "{after}");
            let wait = world.cycle.due().duration_since(world.now().utc).as_secs();
            assert!((60..=1_020).contains(&wait), "{wait}");
        }
    }
}
