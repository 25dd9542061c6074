//! Data that cannot be believed, read or kept is not shown as something else.

use jiff::{SignedDuration, tz::Offset};
use pulsewing_core::{
    cycle::{CallName, Failure, Reason},
    oauth::NoAnswer,
};
use serde_json::json;

use crate::{
    cloud::{Fault, Route},
    world::{Setup, World},
};

#[test]
fn in_a_zone_that_was_guessed_wrong_nothing_is_shown_that_has_not_been_yet() {
    let mut world = World::new(Setup::fitbit());
    world.cloud.offset = Offset::constant(9);
    world.always(Route::Zone, Fault::status(500));
    assert_eq!(world.cycle_once(), Ok(()));
    let reading = world.cycle.reading().unwrap();
    let end = reading.fetched_at + SignedDuration::from_mins(2);
    assert!(reading.day.logged_minutes() > 0);
    for (minute, _) in reading.day.iter() {
        assert!(reading.day.local().instant(minute) <= end);
    }
    assert!(reading.latest().unwrap().at <= end);
    assert!(reading.last_sync.is_none_or(|sync| sync <= end));
}

#[test]
fn minutes_that_are_later_than_now_are_left_out_and_counted() {
    let minute = |at: &str| json!({"startTime": at, "heartRate": {"beatsPerMinuteAvg": 143}});
    let mut world = World::new(Setup::google());
    let points = json!([
        minute("2105-01-09T23:44:00Z"),
        minute("2033-11-19T05:06:00Z"),
        minute(&(world.now().utc - SignedDuration::from_mins(9)).to_string()),
    ]);
    world.will(Route::Heart, [Fault::Replace("rollupDataPoints", points)]);
    assert_eq!(world.cycle_once(), Ok(()));
    let reading = world.cycle.reading().unwrap();
    assert!(reading.latest().unwrap().at < reading.fetched_at);
    assert_eq!(world.cycle.future_minutes(), 2);
    assert_eq!(world.cycle_once(), Ok(()));
    assert_eq!(world.cycle.future_minutes(), 0, "that was another reading");
    // Data in the future alone does not hide that the tracker has nothing.
    world.cloud.other = vec![0..i64::MAX];
    let points = json!([minute("2033-11-19T05:06:00Z")]);
    world.will(Route::Heart, [Fault::Replace("rollupDataPoints", points)]);
    assert_eq!(world.cycle_once(), Ok(()));
    assert!(world.cycle.reading().unwrap().latest().is_some());
    // Fitbit reports clock times of a date.
    let mut world = World::new(Setup::fitbit());
    world.will(
        Route::Heart,
        [Fault::Replace(
            "activities-heart",
            json!([{"dateTime": "2033-11-19", "value": {}}]),
        )],
    );
    assert_eq!(world.cycle_once(), Ok(()));
    let reading = world.cycle.reading().unwrap();
    assert!(
        reading
            .latest()
            .is_none_or(|sample| sample.at < reading.fetched_at)
    );
    assert_eq!(reading.day.logged_minutes(), 0);
    assert!(world.cycle.future_minutes() > 0);
}

#[test]
fn minutes_that_cannot_be_read_are_not_shown_as_no_values() {
    for (setup, member) in [
        (Setup::fitbit(), "activities-heart-intraday"),
        (Setup::google(), "rollupDataPoints"),
    ] {
        let mut world = World::new(setup);
        world.always(Route::Heart, Fault::Replace(member, json!({})));
        let failure = Failure::NoAnswer {
            call: CallName::Heart,
            cause: NoAnswer::Malformed,
        };
        assert_eq!(world.cycle_once(), Err(failure));
    }
}

#[test]
fn a_refresh_token_that_cannot_be_kept_is_told_as_that() {
    let mut world = World::new(Setup::fitbit().expired());
    let too_long = "a".repeat(513);
    world.always(
        Route::Token,
        Fault::Replace("refresh_token", json!(too_long)),
    );
    let failure = Failure::NoAnswer {
        call: CallName::Token,
        cause: NoAnswer::UnfitToken,
    };
    assert_eq!(world.cycle_once(), Err(failure));
    let sent = world.story.iter().filter(|word| word.starts_with("token"));
    assert!(
        sent.count() > 5,
        "it is asked for again while that may help"
    );
}

#[test]
fn the_login_page_of_a_network_is_no_answer_and_is_told_as_what_it_is() {
    for setup in [Setup::google, Setup::fitbit] {
        for status in [200, 511] {
            let cause = NoAnswer::Foreign(status);
            assert!(cause.is_login_page());
            let mut world = World::new(setup());
            world.always(Route::Heart, Fault::html(status));
            let call = CallName::Heart;
            assert_eq!(world.cycle_once(), Err(Failure::NoAnswer { call, cause }));
            let mut world = World::new(setup().expired());
            world.always(Route::Token, Fault::html(status));
            let call = CallName::Token;
            assert_eq!(world.cycle_once(), Err(Failure::NoAnswer { call, cause }));
            assert!(world.agrees());
        }
    }
    for cause in [
        NoAnswer::Foreign(403),
        NoAnswer::Redirected(308),
        NoAnswer::Malformed,
        NoAnswer::Status(503),
    ] {
        assert!(!cause.is_login_page(), "{cause}");
    }
}

#[test]
fn a_refusal_is_told_in_the_words_of_its_own_provider() {
    for (setup, status, expected) in [
        (Setup::google(), 403, Reason::PermissionDenied),
        (Setup::fitbit(), 412, Reason::Other),
    ] {
        let provider = setup.provider;
        let mut world = World::new(setup);
        world.always(Route::Heart, Fault::status(status));
        let failure = Failure::Rejected {
            call: CallName::Heart,
            status,
            reason: expected,
        };
        assert_eq!(world.cycle_once(), Err(failure), "{provider:?}");
    }
    // Google's older format reports a limit with a 403; a page from in between is not the provider's.
    for provider in [Setup::google, Setup::fitbit] {
        let mut world = World::new(provider());
        let limit = json!({"error": {"errors": [{"domain": "usageLimits", "reason": "userRateLimitExceeded"}], "code": 403}});
        world.always(Route::Heart, Fault::Body(403, limit.to_string()));
        assert!(
            matches!(world.cycle_once(), Err(Failure::RateLimited { until }) if until > world.now().utc)
        );
        let mut world = World::new(provider());
        world.always(Route::Heart, Fault::html(403));
        let failure = Failure::NoAnswer {
            call: CallName::Heart,
            cause: NoAnswer::Foreign(403),
        };
        assert_eq!(world.cycle_once(), Err(failure));
    }
    let without_minutes = Failure::Rejected {
        call: CallName::Heart,
        status: 200,
        reason: Reason::IntradayNotAllowed,
    };
    assert_eq!(
        without_minutes.to_string(),
        "fetching the heart rate: the answer has no minutes (no permission for intraday data)"
    );
    let limited = Failure::RateLimited {
        until: "2026-11-22T15:00:00.16Z".parse().unwrap(),
    };
    assert_eq!(
        limited.to_string(),
        "rate-limited until 2026-11-22T15:00:00Z"
    );
}
