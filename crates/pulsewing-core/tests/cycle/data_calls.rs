//! The data calls of a cycle, and their results.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp, tz::Offset};
use pulsewing_core::{
    Bpm,
    cycle::{CallName, Consent, Failure, Reason},
    oauth::{NoAnswer, Scopes},
};
use serde_json::json;

use crate::{
    cloud::{Call, Fault, Route},
    world::{Setup, Todo, World, beginning},
};

fn minute(at: Timestamp) -> i64 {
    at.as_second().div_euclid(60)
}

/// Returns a world whose clock shows this local time on 22 November, an hour ahead of UTC.
fn at(setup: Setup, clock: &str) -> World {
    let mut world = World::new(setup);
    let at: Timestamp = format!("2026-11-22T{clock}:30+01:00").parse().unwrap();
    let mut by = at.duration_since(beginning());
    if by < SignedDuration::ZERO {
        by += SignedDuration::from_hours(24);
    }
    world.advance(by.unsigned_abs());
    world
}

fn heart_calls(world: &mut World) -> Vec<Call> {
    let mut calls = Vec::new();
    loop {
        let todo = world.step();
        match todo {
            Todo::Send(call, _) if call.route() == Route::Heart => calls.push(call),
            Todo::Finished(result) => {
                assert_eq!(result, Ok(()), "{:?}", world.story);
                return calls;
            }
            _ => {}
        }
    }
}

fn range(call: &Call) -> (String, String) {
    let body: serde_json::Value = serde_json::from_str(&call.body).unwrap();
    let text = |name: &str| body["range"][name].as_str().unwrap().to_owned();
    (text("startTime"), text("endTime"))
}

#[test]
fn a_reading_has_what_the_calls_said() {
    for setup in [Setup::fitbit(), Setup::google()] {
        let is_google = setup.provider == pulsewing_core::Provider::Google;
        let mut world = World::new(setup);
        assert_eq!(world.cycle_once(), Ok(()));
        let reading = world.cycle.reading().unwrap();
        let last = minute(beginning()) - 1;
        let latest = reading.latest().unwrap();
        assert_eq!(
            (minute(latest.at), i64::from(latest.bpm.get())),
            (last, 60 + last % 60)
        );
        assert_eq!(reading.window.samples().len(), 15);
        // From local midnight to 13:06.
        assert_eq!(reading.day.logged_minutes(), 13 * 60 + 7);
        assert_eq!(reading.battery_percent, Some(84));
        assert_eq!(reading.last_sync, Some(world.cloud.last_sync(beginning())));
        assert_eq!(reading.resting, Bpm::new(if is_google { 59 } else { 61 }));
    }
}

#[test]
fn an_old_trackers_battery_and_sync_are_never_told_of_the_worn_one() {
    let worn_without_level = r#"[
        {"type":"TRACKER","batteryLevel":12,"lastSyncTime":"2019-05-05T08:40:11.000"},
        {"type":"TRACKER","battery":"High","lastSyncTime":"2026-11-22T13:00:12.000"}]"#;
    // On two pages, and the worn one has no sync time.
    let old = r#"{"pairedDevices":[{"deviceType":"TRACKER","batteryLevel":42,
        "lastSyncTime":"2021-12-02T08:00:00Z"}],"nextPageToken":"2"}"#;
    let worn = r#"{"pairedDevices":[{"deviceType":"TRACKER","batteryLevel":91}]}"#;
    for (setup, pages, battery, sync) in [
        (
            Setup::fitbit(),
            vec![worn_without_level],
            None,
            Some("2026-11-22T12:00:12Z"),
        ),
        (Setup::google(), vec![old, worn], Some(91), None),
    ] {
        let mut world = World::new(setup);
        let pages = pages
            .into_iter()
            .map(|page| Fault::Body(200, page.to_owned()));
        world.will(Route::Devices, pages);
        assert_eq!(world.cycle_once(), Ok(()));
        let reading = world.cycle.reading().unwrap();
        assert_eq!(reading.battery_percent, battery);
        assert_eq!(reading.last_sync, sync.map(|at| at.parse().unwrap()));
    }
}

#[test]
fn a_rollup_begins_at_local_midnight_or_an_hour_ago_on_a_full_minute() {
    let mut world = at(Setup::google(), "14:20");
    let calls = heart_calls(&mut world);
    assert_eq!(calls.len(), 1);
    assert_eq!(
        range(&calls[0]),
        (
            "2026-11-21T23:00:00Z".to_owned(),
            "2026-11-22T13:20:00Z".to_owned()
        )
    );
    let mut world = at(Setup::google(), "00:20");
    let calls = heart_calls(&mut world);
    assert_eq!(calls.len(), 1, "the hour has fifteen minutes");
    assert_eq!(
        range(&calls[0]),
        (
            "2026-11-22T22:20:00Z".to_owned(),
            "2026-11-22T23:20:00Z".to_owned()
        )
    );
    let reading = world.cycle.reading().unwrap();
    assert_eq!(
        (reading.day.logged_minutes(), reading.window.samples().len()),
        (20, 15)
    );
}

#[test]
fn a_window_that_is_not_full_is_filled_from_the_rest_of_the_24_hours() {
    let mut world = at(Setup::google(), "14:20");
    let now = minute(world.truth());
    // Three minutes of today, and all of the day before.
    world.cloud.worn = vec![0..now - 900, now - 3..now];
    let calls = heart_calls(&mut world);
    assert_eq!(calls.len(), 2);
    assert_eq!(
        range(&calls[1]),
        (
            "2026-11-21T13:20:00Z".to_owned(),
            "2026-11-21T23:00:00Z".to_owned()
        )
    );
    assert!(
        world
            .told()
            .contains("wearables 200, earlier wearables 200, devices 200")
    );
    let reading = world.cycle.reading().unwrap();
    assert_eq!(
        (reading.window.samples().len(), reading.day.logged_minutes()),
        (15, 3)
    );
}

#[test]
fn all_sources_are_asked_when_the_wearables_have_nothing() {
    let mut world = World::google();
    let now = minute(beginning());
    world.cloud.worn = vec![0..now - 3_000];
    world.cloud.other = vec![now - 100..now];
    assert_eq!(world.cycle_once(), Ok(()));
    assert!(world.told().contains("wearables 200, all 200, devices 200"));
    assert_eq!(
        world
            .cycle
            .reading()
            .unwrap()
            .latest()
            .map(|sample| sample.bpm),
        Bpm::new(130)
    );
    // And only in that case.
    world.cloud.worn = vec![now - 100..i64::MAX];
    assert_eq!(world.cycle_once(), Ok(()));
    assert!(!world.told().contains("all 200"));
    // Even without any value the cycle is a success: there are no values yet.
    world.cloud.worn = Vec::new();
    world.cloud.other = Vec::new();
    assert_eq!(world.cycle_once(), Ok(()));
    assert!(
        world
            .told()
            .contains("wearables 200, all 200, earlier all 200, devices 200")
    );
    assert_eq!(world.cycle.reading().unwrap().latest(), None);
}

#[test]
fn without_an_answer_from_all_sources_nobody_knows_that_there_are_no_values() {
    let mut world = World::google();
    let nothing = Fault::Body(200, "{}".to_owned());
    world.will(Route::Heart, [nothing]);
    world.always(Route::Heart, Fault::status(503));
    assert!(world.cycle_once().is_err());
    assert!(
        world
            .told()
            .ends_with("wearables 200, all 503, all 503, all 503, failed")
    );
}

#[test]
fn fitbits_window_is_filled_from_yesterday() {
    let mut world = at(Setup::fitbit().expired(), "00:09");
    let calls = heart_calls(&mut world);
    let targets: Vec<_> = calls.iter().map(|call| call.target.as_str()).collect();
    assert_eq!(
        targets,
        [
            "/1/user/-/activities/heart/date/today/1d/1min.json",
            "/1/user/-/activities/heart/date/2026-11-22/1d/1min.json"
        ]
    );
    let reading = world.cycle.reading().unwrap();
    assert_eq!(
        (reading.day.logged_minutes(), reading.window.samples().len()),
        (9, 15)
    );
    assert_eq!(reading.day.local().date().to_string(), "2026-11-23");
    // At noon one request is enough.
    assert_eq!(heart_calls(&mut at(Setup::fitbit(), "14:20")).len(), 1);
}

#[test]
fn a_day_of_25_hours_is_not_asked_for_an_empty_range() {
    // As if midnight was more than 24 hours ago: the modelled cloud refuses an empty range.
    let mut world = World::google();
    let _ = world.run_until(|todo| matches!(todo, Todo::Resolve(_)));
    let now = world.now();
    let mut offsets = pulsewing_core::civil::Offsets::fixed(Offset::constant(2));
    let change: Timestamp = "2026-11-22T01:00:00Z".parse().unwrap();
    offsets.push_change(change, Offset::constant(1)).unwrap();
    let zone = pulsewing_core::reading::TimeZone {
        name: pulsewing_core::reading::ZoneName::new(),
        source: pulsewing_core::reading::ZoneSource::Configured,
        offsets,
    };
    let late: Timestamp = "2026-11-22T22:40:00Z".parse().unwrap();
    let by = late.duration_since(now.utc).unsigned_abs();
    world.advance(by);
    world.cloud.worn = Vec::new();
    world
        .cloud
        .always
        .insert(Route::Devices, Fault::status(500));
    let now = world.now();
    world.cycle.zone_resolved(zone, now);
    world.cloud.grants.revoke_access("access-1");
    assert_eq!(world.cycle_once(), Ok(()), "{:?}", world.story);
    assert!(!world.told().contains("earlier"));
}

#[test]
fn heart_rate_alone_decides() {
    for fault in [
        Fault::status(500),
        Fault::status(403),
        Fault::status(404),
        Fault::html(200),
        Fault::status(429),
        Fault::limited("Retry-After", "600"),
        Fault::NeverLeft,
        Fault::Stall,
        Fault::Truncate(20),
    ] {
        for setup in [Setup::fitbit(), Setup::google()] {
            let mut world = World::new(setup.clone());
            world.always(Route::Devices, fault.clone());
            world.always(Route::Resting, fault.clone());
            world.always(Route::HeartZones, fault.clone());
            assert_eq!(world.cycle_once(), Ok(()), "{fault:?}");
            let reading = world.cycle.reading().unwrap();
            assert!(reading.latest().is_some());
            assert_eq!(
                (reading.battery_percent, reading.last_sync),
                (None, None),
                "{fault:?}"
            );
            let mut world = World::new(setup);
            world.always(Route::Heart, fault.clone());
            assert!(world.cycle_once().is_err(), "{fault:?}");
            assert!(world.cycle.reading().is_none());
        }
    }
}

#[test]
fn a_call_without_an_answer_is_tried_three_times() {
    let mut world = World::fitbit();
    world.always(Route::Heart, Fault::status(503));
    let cause = NoAnswer::Status(503);
    let call = CallName::Heart;
    assert_eq!(world.cycle_once(), Err(Failure::NoAnswer { call, cause }));
    assert!(
        world
            .told()
            .ends_with("resolve, today 503, today 503, today 503, failed")
    );
    world.heal();
    world.will(Route::Heart, [Fault::Truncate(900), Fault::Stall]);
    assert_eq!(world.cycle_once(), Ok(()));
    assert!(world.cycle.reading().unwrap().window.is_complete());
}

#[test]
fn half_a_reply_is_no_reading() {
    for length in [0, 1, 80, 200, 5_000, 20_000] {
        for setup in [Setup::fitbit(), Setup::google()] {
            let mut world = World::new(setup);
            world.always(Route::Heart, Fault::Truncate(length));
            assert!(world.cycle_once().is_err(), "{length}");
            assert!(world.cycle.reading().is_none(), "{length}");
            world.heal();
            assert_eq!(world.cycle_once(), Ok(()));
        }
    }
}

#[test]
fn a_failing_cycle_keeps_the_earlier_reading_and_leaves_nothing_half_done() {
    let mut world = World::fitbit();
    assert_eq!(world.cycle_once(), Ok(()));
    let before = world.cycle.reading().cloned();
    world.always(Route::Heart, Fault::Truncate(3_000));
    for _ in 0..3 {
        assert!(world.cycle_once().is_err());
        assert_eq!(world.cycle.reading().cloned(), before);
    }
    // The tracker was off all day: the minutes of the half replies must not show up again.
    world.heal();
    world.cloud.worn = Vec::new();
    assert_eq!(world.cycle_once(), Ok(()));
    assert_eq!(world.cycle.reading().unwrap().latest(), None);
}

#[test]
fn pages_are_walked_and_the_walk_is_bounded() {
    let mut world = World::google();
    world.cloud.page_size = 150;
    assert_eq!(world.cycle_once(), Ok(()));
    assert_eq!(
        world.cycle.reading().unwrap().day.logged_minutes(),
        13 * 60 + 7
    );
    let pages = world
        .story
        .iter()
        .filter(|word| *word == "wearables 200")
        .count();
    assert_eq!(pages, 6);
    // The data may be half of a day, and must not be shown as a whole one.
    world.cloud.page_size = 20;
    let call = CallName::Heart;
    let cause = NoAnswer::Malformed;
    assert_eq!(world.cycle_once(), Err(Failure::NoAnswer { call, cause }));
    assert_eq!(
        world.cycle.reading().unwrap().day.logged_minutes(),
        13 * 60 + 7
    );
    // A page that leads to itself, or to an endless series of empty ones.
    for token in ["17", "again"] {
        let mut world = World::google();
        let page = json!({"nextPageToken": token}).to_string();
        world.always(Route::Heart, Fault::Body(200, page));
        assert!(world.cycle_once().is_err());
        assert!(world.story.len() < 20);
    }
}

#[test]
fn an_empty_page_may_lead_on() {
    let mut world = World::google();
    let page = json!({"nextPageToken": "0"}).to_string();
    world.will(Route::Heart, [Fault::Body(200, page)]);
    assert_eq!(world.cycle_once(), Ok(()));
    assert!(world.cycle.reading().unwrap().window.is_complete());
}

#[test]
fn the_resting_heart_rate_of_an_older_day_is_not_taken_for_todays() {
    let mut world = World::google();
    let hours = |hours: u64| Duration::from_secs(hours * 3_600);
    // The cloud has none after the 22nd: it is that day's, then yesterday's, then there is none.
    for (until, resting) in [
        (hours(10), Bpm::new(59)),
        (hours(34), Bpm::new(59)),
        (hours(50), None),
    ] {
        while world.real < until {
            assert_eq!(world.cycle_once(), Ok(()));
        }
        let reading = world.cycle.reading().unwrap();
        assert_eq!(reading.resting, resting, "{until:?}");
    }
}

#[test]
fn the_resting_heart_rate_is_asked_for_four_times_a_day() {
    let mut world = World::google();
    while world.real < Duration::from_secs(86_400) {
        assert_eq!(world.cycle_once(), Ok(()));
        assert_eq!(world.cycle.reading().unwrap().resting, Bpm::new(59));
    }
    let calls = world
        .story
        .iter()
        .filter(|word| word.starts_with("resting"))
        .count();
    assert!((4..=5).contains(&calls), "{calls}");
}

#[test]
fn what_needs_a_sign_in_says_so() {
    use {Consent as C, Reason as R};
    let google = |status, reason: &str, failure| {
        let detail = json!({"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason});
        let error = json!({"code": 400, "status": "FAILED_PRECONDITION", "details": [detail]});
        let body = json!({ "error": error });
        (Setup::google(), status, body.to_string(), failure)
    };
    let fitbit = |status, kind: &str, failure| {
        let body = json!({"errors": [{"errorType": kind}]});
        (Setup::fitbit(), status, body.to_string(), failure)
    };
    let consent = Failure::ConsentNeeded;
    let rejected = |status, reason| Failure::Rejected {
        call: CallName::Heart,
        status,
        reason,
    };
    let no_minutes = json!({"activities-heart": []}).to_string();
    let no_scope = consent(C::HeartRateScopeMissing);
    let no_grant = consent(C::ResourcePermissionDenied);
    let intraday = |status| rejected(status, R::IntradayNotAllowed);
    for (setup, status, body, failure) in [
        google(400, "ACCOUNT_NOT_LINKED", consent(C::AccountNotLinked)),
        google(412, "OTHER", consent(C::AccountNotLinked)),
        google(403, "RESOURCE_PERMISSION_DENIED", no_grant),
        google(403, "ACCESS_TOKEN_SCOPE_INSUFFICIENT", no_scope),
        google(403, "SERVICE_DISABLED", rejected(403, R::ServiceDisabled)),
        google(403, "CONSUMER_INVALID", rejected(403, R::ProjectGone)),
        fitbit(403, "insufficient_scope", no_scope),
        fitbit(403, "insufficient_permissions", intraday(403)),
        fitbit(400, "validation", rejected(400, R::Other)),
        (Setup::fitbit(), 200, no_minutes, intraday(200)),
    ] {
        let mut world = World::new(setup);
        world.always(Route::Heart, Fault::Body(status, body));
        assert_eq!(world.cycle_once(), Err(failure));
        let asked = world
            .story
            .iter()
            .filter(|word| word.ends_with(&status.to_string()) && !word.starts_with("zone"));
        assert_eq!(asked.count(), 1, "a decision is not asked for again");
    }
    let without_heart = Scopes::from_bits(6);
    let mut world = World::new(Setup {
        scopes: without_heart,
        ..Setup::google()
    });
    assert_eq!(world.cycle_once(), Err(no_scope));
    assert_eq!(world.told(), "open, close, failed");
}

#[test]
fn a_reply_without_an_end_is_given_up() {
    let mut world = World::fitbit();
    let endless = " ".repeat(5 * 1_024 * 1_024);
    world.chunk = 65_536;
    world.always(Route::Heart, Fault::Body(200, endless));
    let cause = NoAnswer::TooLong;
    let call = CallName::Heart;
    assert_eq!(world.cycle_once(), Err(Failure::NoAnswer { call, cause }));
}
