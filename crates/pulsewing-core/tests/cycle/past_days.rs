//! Days before today, fetched between two cycles for a history.

use std::time::Duration;

use jiff::{civil::date, tz::Offset};
use pulsewing_core::{
    Bpm, Provider,
    civil::Offsets,
    cycle::{Failure, PastAction, PastDay},
    request::{REQUEST_BUFFER, ReplyHead},
};
use serde_json::json;

use crate::{
    cloud::{Call, Fault, Route},
    world::{Setup, World, beginning},
};

/// The outcome of a requested day.
#[derive(Debug, PartialEq, Eq)]
enum Told {
    NotNow,
    Ended(Result<(), Failure>),
}

fn past_day(world: &World) -> PastDay {
    let offsets = Offsets::fixed(Offset::constant(1));
    PastDay::new(world.settings.provider, offsets, date(2026, 11, 20))
}

/// Fetches until there is nothing more to do; returns the outcome and the number of requests.
fn fetch(world: &mut World, past: &mut PastDay) -> (Told, usize) {
    let mut buffer = [0; REQUEST_BUFFER];
    for sent in 0..100 {
        let now = world.now();
        let call = match past.poll(&mut world.cycle, now, &mut buffer) {
            PastAction::NotNow => return (Told::NotNow, sent),
            PastAction::Finished(result) => return (Told::Ended(result), sent),
            PastAction::Send { request, .. } => Call::from(request.view(&buffer)),
        };
        let (real, truth) = (world.real, world.truth());
        let outcome = world.cloud.exchange(&call, real, truth);
        if let Some((head, body)) = outcome.reply(now.utc) {
            past.reply_head(head);
            for chunk in body.chunks(997) {
                past.reply_body(chunk);
            }
        }
        past.reply_end(outcome.no_answer(), &mut world.cycle, now);
    }
    panic!("no end in sight");
}

/// Returns a world in the pause after its first cycle.
fn between(setup: Setup) -> World {
    let mut world = World::new(setup);
    assert_eq!(world.cycle_once(), Ok(()));
    world
}

#[test]
fn a_past_day_comes_whole_in_both_dialects() {
    for setup in [Setup::fitbit(), Setup::google()] {
        // Google reports the resting heart rate in a separate reply.
        let (requests, resting) = match setup.provider {
            Provider::Fitbit => (1, 61),
            Provider::Google => (2, 57),
        };
        let mut world = between(setup);
        let mut past = past_day(&world);
        assert_eq!(
            fetch(&mut world, &mut past),
            (Told::Ended(Ok(())), requests)
        );
        assert_eq!(past.day().logged_minutes(), 1_440);
        let first = past.day().local().start().as_second() / 60;
        assert_eq!(
            past.day().get(17).map(|bpm| i64::from(bpm.get())),
            Some(60 + (first + 17) % 60)
        );
        assert_eq!(past.resting(), Bpm::new(resting));
        assert_eq!(world.cycle_once(), Ok(()), "the next cycle comes as ever");
    }
}

#[test]
fn a_past_day_of_several_pages_is_walked_to_its_end() {
    let mut world = between(Setup::google());
    world.cloud.page_size = 400;
    let mut past = past_day(&world);
    assert_eq!(fetch(&mut world, &mut past), (Told::Ended(Ok(())), 5));
    assert_eq!(past.day().logged_minutes(), 1_440);
    // Pages without end do not make a day.
    world.cloud.page_size = 10;
    let mut past = past_day(&world);
    let (told, sent) = fetch(&mut world, &mut past);
    assert!(matches!(told, Told::Ended(Err(Failure::NoAnswer { .. }))));
    assert_eq!(sent, 8);
}

#[test]
fn a_day_without_a_wearable_is_asked_of_every_source() {
    let mut world = between(Setup::google());
    world.cloud.worn = Vec::new();
    world.cloud.other = vec![0..i64::MAX];
    let mut past = past_day(&world);
    assert_eq!(fetch(&mut world, &mut past), (Told::Ended(Ok(())), 3));
    assert_eq!(past.day().get(0), Bpm::new(130));
    // And if there is no data at all, that is a result too.
    world.cloud.other = Vec::new();
    let mut past = past_day(&world);
    assert_eq!(fetch(&mut world, &mut past), (Told::Ended(Ok(())), 2));
    assert_eq!(past.day().logged_minutes(), 0);
}

#[test]
fn a_resting_heart_rate_that_does_not_come_costs_nobody_the_day() {
    for fault in [
        Fault::status(401),
        Fault::status(403),
        Fault::status(410),
        Fault::limited("retry-after", "1200"),
        Fault::html(502),
        Fault::Truncate(30),
        Fault::Stall,
    ] {
        let mut world = between(Setup::google());
        world.will(Route::Resting, [fault.clone()]);
        let mut past = past_day(&world);
        let told = fetch(&mut world, &mut past);
        assert_eq!(told, (Told::Ended(Ok(())), 2), "{fault:?}");
        assert_eq!(past.day().logged_minutes(), 1_440);
        assert_eq!(past.resting(), None);
    }
    // The same if a cycle comes due in between.
    let mut world = between(Setup::google());
    let mut past = past_day(&world);
    let mut buffer = [0; REQUEST_BUFFER];
    let now = world.now();
    let action = past.poll(&mut world.cycle, now, &mut buffer);
    assert!(matches!(action, PastAction::Send { .. }));
    past.reply_head(ReplyHead::new(200));
    past.reply_body(
        br#"{"rollupDataPoints":[{"startTime":"2026-11-20T08:00:00Z","endTime":"2026-11-20T08:01:00Z","heartRate":{"beatsPerMinuteAvg":71}}]}"#,
    );
    past.reply_end(None, &mut world.cycle, now);
    world.cycle.start_now();
    assert_eq!(fetch(&mut world, &mut past), (Told::Ended(Ok(())), 0));
    assert_eq!(past.day().logged_minutes(), 1);
}

#[test]
fn nothing_of_the_future_and_no_other_date_is_a_past_day() {
    let mut world = between(Setup::google());
    let offsets = Offsets::fixed(Offset::constant(1));
    let mut past = PastDay::new(Provider::Google, offsets, date(2033, 11, 19));
    assert_eq!(fetch(&mut world, &mut past).0, Told::Ended(Ok(())));
    assert_eq!(past.day().logged_minutes(), 0);
    assert_eq!(past.future_minutes(), 1_440);
    for other in ["2033-11-19", "2026-11-19"] {
        let mut world = between(Setup::fitbit());
        let dated = json!([{"dateTime": other, "value": {}}]);
        world.will(Route::Heart, [Fault::Replace("activities-heart", dated)]);
        let mut past = past_day(&world);
        let (told, _) = fetch(&mut world, &mut past);
        assert!(matches!(told, Told::Ended(Err(Failure::NoAnswer { .. }))));
    }
}

#[test]
fn nothing_is_sent_before_the_first_cycle_or_when_one_is_due() {
    let mut world = World::fitbit();
    let mut past = past_day(&world);
    assert_eq!(fetch(&mut world, &mut past), (Told::NotNow, 0));
    assert_eq!(world.cycle_once(), Ok(()));
    let mut past = past_day(&world);
    world.cycle.start_now();
    assert_eq!(fetch(&mut world, &mut past), (Told::NotNow, 0));
}

#[test]
fn nothing_is_sent_with_an_access_token_that_ends() {
    // A cycle would renew it, but none is due for hours.
    let mut world = between(Setup {
        every: Duration::from_secs(14_400),
        ..Setup::google()
    });
    world.advance(Duration::from_secs(3_600 - 600 - 60));
    let mut past = past_day(&world);
    assert_eq!(fetch(&mut world, &mut past), (Told::Ended(Ok(())), 2));
    world.advance(Duration::from_secs(50));
    let mut past = past_day(&world);
    assert_eq!(fetch(&mut world, &mut past), (Told::NotNow, 0));
}

#[test]
fn half_of_the_cap_is_left_to_the_cycles() {
    let mut world = between(Setup::fitbit());
    let mut sent = 0;
    loop {
        let mut past = past_day(&world);
        let (told, requests) = fetch(&mut world, &mut past);
        sent += requests;
        if told == Told::NotNow {
            break;
        }
        assert!(sent < 60);
    }
    let cycles: usize = world
        .cycle
        .pacing()
        .recent
        .iter()
        .map(|n| usize::from(*n))
        .sum();
    assert_eq!(cycles, 30, "of sixty an hour");
    assert!(sent > 20);
    for _ in 0..4 {
        assert_eq!(world.cycle_once(), Ok(()), "no cycle is held up");
    }
}

#[test]
fn no_day_is_begun_that_the_cap_would_leave_without_its_resting_heart_rate() {
    // A Google cycle takes an even or an odd number of requests: test both.
    for cap in [40, 42] {
        let mut world = between(Setup {
            cap,
            ..Setup::google()
        });
        for days in 0.. {
            let mut past = past_day(&world);
            if fetch(&mut world, &mut past).0 == Told::NotNow {
                assert!(days > 5, "{days} days");
                break;
            }
            assert_eq!(past.resting(), Bpm::new(57));
        }
    }
}

#[test]
fn what_stands_in_the_way_ends_it_and_limits_are_obeyed() {
    let cases = [
        (Fault::status(401), Failure::Unauthorized),
        (Fault::status(410), Failure::Gone),
    ];
    for (fault, failure) in cases {
        let mut world = between(Setup::fitbit());
        world.will(Route::Heart, [fault]);
        let mut past = past_day(&world);
        assert_eq!(fetch(&mut world, &mut past), (Told::Ended(Err(failure)), 1));
        assert_eq!(world.cycle.chain().map(|chain| chain.generation()), Some(1));
    }
    for fault in [
        Fault::DropBefore,
        Fault::html(502),
        Fault::Truncate(900),
        Fault::Stall,
    ] {
        let mut world = between(Setup::google());
        world.will(Route::Heart, [fault.clone()]);
        let mut past = past_day(&world);
        let (told, sent) = fetch(&mut world, &mut past);
        assert!(
            matches!(told, Told::Ended(Err(Failure::NoAnswer { .. }))),
            "{fault:?}"
        );
        assert_eq!(sent, 1, "nothing is tried twice");
    }
    let mut world = between(Setup::fitbit());
    world.will(Route::Heart, [Fault::limited("retry-after", "1200")]);
    let mut past = past_day(&world);
    let (told, _) = fetch(&mut world, &mut past);
    assert!(
        matches!(told, Told::Ended(Err(Failure::RateLimited { until })) if until > beginning())
    );
    let mut past = past_day(&world);
    assert_eq!(fetch(&mut world, &mut past), (Told::NotNow, 0));
}

#[test]
fn a_limit_of_the_resting_call_stops_other_days_only_if_it_names_its_end() {
    for (fault, next) in [
        (Fault::status(429), Told::Ended(Ok(()))),
        (Fault::limited("retry-after", "1200"), Told::NotNow),
    ] {
        let mut world = between(Setup::google());
        world.will(Route::Resting, [fault.clone()]);
        let mut past = past_day(&world);
        let told = fetch(&mut world, &mut past);
        assert_eq!(told, (Told::Ended(Ok(())), 2), "{fault:?}");
        let mut past = past_day(&world);
        assert_eq!(fetch(&mut world, &mut past).0, next, "{fault:?}");
    }
}
