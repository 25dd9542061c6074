//! The panel in each circumstance, compared with the picture of that state.

use std::{collections::BTreeMap, net::Ipv4Addr, time::Duration};

use embedded_graphics::{prelude::*, primitives::Rectangle};
use jiff::{SignedDuration, civil::time, tz::Offset};
use pulsewing_core::{Provider, civil::Offsets, reading::Freshness};
use pulsewing_device::ports::ConnectError;
use pulsewing_screen::{Ink, Model, State, Theme, desk::Layout};
use pulsewing_testkit::pictures::drawn;

use crate::{
    cloud::{Fault, Route},
    rig::{Rig, hours, minutes},
};

const SIGN_IN: State<'_> = State::SignInNeeded {
    command: pulsewing_device::LOGIN,
    address: None,
};

#[test]
fn at_first_it_starts_then_joins_then_waits_for_the_time() {
    let mut rig = Rig::set_up(Provider::Fitbit);
    rig.world.network.borrow_mut().in_reach.clear();
    rig.start_for(minutes(1));
    assert!(rig.shows_state(State::JoiningWifi { network: "home" }));
    rig.world
        .network
        .borrow_mut()
        .in_reach
        .insert("home".into(), "correct horse".into());
    rig.world.network.borrow_mut().times.clear();
    rig.run_for(minutes(3));
    assert!(rig.shows_state(State::WaitingForClock));
    rig.world
        .network
        .borrow_mut()
        .times
        .insert("pool.ntp.org".into(), SignedDuration::ZERO);
    let is_starting = |rig: &Rig| rig.shows_state(State::FirstStart);
    assert!(rig.run_until(minutes(1), is_starting) || rig.count(Route::Heart) > 0);
}

#[test]
fn a_fresh_reading_is_shown_plainly() {
    let rig = Rig::running(Provider::Fitbit);
    assert!(rig.shows_reading(Freshness::Fresh, None));
}

#[test]
fn a_cloud_that_is_not_reached_is_a_banner_on_the_last_picture() {
    let mut rig = Rig::running(Provider::Fitbit);
    rig.world.network.borrow_mut().is_internet_up = false;
    rig.run_for(minutes(40));
    assert!(rig.shows_reading(Freshness::Cached, Some(State::Offline)));
    let line = rig.status_line("failure: ");
    let expected = "failure: fetching the heart rate: the server could not be reached";
    assert_eq!(line.as_deref(), Some(expected));
}

#[test]
fn a_network_that_gives_no_address_is_told_and_asked_again() {
    for (is_wired, what, status) in [
        (
            false,
            "home gives no address (DHCP).",
            "network: joining home: the network gives no address (DHCP)",
        ),
        (
            true,
            "The network gives no address (DHCP).",
            "network: wired: the network gives no address (DHCP)",
        ),
    ] {
        let mut rig = Rig::set_up(Provider::Fitbit);
        let no_address = State::Fault {
            what,
            advice: "Trying again by itself. If this lasts, restart the router.",
        };
        rig.world.network.borrow_mut().is_wired = is_wired;
        rig.world.network.borrow_mut().has_address = false;
        rig.start_for(minutes(1));
        assert!(rig.shows_state(no_address));
        assert!(rig.status_has(status));
        rig.world.network.borrow_mut().has_address = true;
        rig.run_to_report(minutes(3));
        assert!(rig.shows_reading(Freshness::Fresh, None));
        // The lease expires and is not renewed.
        rig.world.network.borrow_mut().has_address = false;
        rig.run_for(minutes(1));
        assert!(rig.shows_reading(Freshness::Fresh, Some(no_address)));
        assert!(rig.status_has(status));
        rig.world.network.borrow_mut().has_address = true;
        rig.run_for(minutes(1));
        assert!(rig.shows_reading(Freshness::Fresh, None));
        rig.run_to_report(minutes(17));
        let told = rig.said().matches("gives no address (DHCP)\n").count();
        assert_eq!(told, 4, "two in the log, two in status");
    }
}

#[test]
fn an_address_that_comes_after_the_try_has_ended_is_taken() {
    let mut rig = Rig::set_up(Provider::Fitbit);
    rig.world.network.borrow_mut().is_wired = true;
    rig.world.network.borrow_mut().has_address = false;
    rig.start();
    // A try takes two seconds, and the pause after it at least one.
    rig.run_for(Duration::from_millis(2_500));
    assert_eq!(rig.world.network.borrow().joins.len(), 1);
    rig.world.network.borrow_mut().has_address = true;
    rig.run_to_report(minutes(3));
    assert!(rig.shows_reading(Freshness::Fresh, None));
    let status = rig.ask("status");
    assert!(status.contains(&"network: wired".to_owned()));
    assert!(status.contains(&"address: 10.0.2.15".to_owned()));
    assert_eq!(rig.world.network.borrow().joins.len(), 1);
    // The router gives another address.
    let other = Ipv4Addr::new(10, 0, 2, 99);
    rig.world.network.borrow_mut().address = other;
    rig.run_for(minutes(1));
    assert!(rig.status_has("address: 10.0.2.99"));
}

#[test]
fn an_address_that_is_lost_and_given_again_within_a_cycle_leaves_no_complaint() {
    let mut rig = Rig::set_up(Provider::Fitbit);
    rig.world.real.set(minutes(40));
    rig.world.network.borrow_mut().is_wired = true;
    // The refresh is tried again in the same cycle.
    let lost = [Fault::DropAfter];
    rig.will(Route::Token, lost);
    rig.start();
    rig.run_to_refresh();
    rig.world.network.borrow_mut().has_address = false;
    // The pauses between the tries become longer than the tries.
    let rests = |rig: &Rig| {
        let network = rig.world.network.borrow();
        let last = network.joins.last().map(|(at, _)| *at);
        last.is_some_and(|at| rig.world.real.get() - at > Duration::from_secs(3))
    };
    rig.run_for(Duration::from_secs(5));
    assert!(rig.run_until(minutes(1), rests));
    let status = rig.ask("status");
    assert!(status.contains(&"network: wired: the network gives no address (DHCP)".to_owned()));
    rig.world.network.borrow_mut().has_address = true;
    rig.run_to_report(minutes(5));
    assert!(rig.shows_reading(Freshness::Fresh, None));
}

#[test]
fn after_a_restart_the_cached_picture_comes_first_with_its_date_and_no_age() {
    let mut rig = Rig::running(Provider::Fitbit);
    rig.stop();
    rig.world.network.borrow_mut().in_reach.clear();
    rig.run_for(hours(1));
    rig.start_for(minutes(1));
    let reading = rig.stored_reading();
    let mut model = Model::new(&reading, reading.fetched_at, Freshness::Cached, Theme::Desk);
    let facts = model.facts.as_mut().unwrap();
    facts.clock = None;
    facts.age = None;
    facts.is_today = false;
    assert!(rig.shows(&model.with_state(State::JoiningWifi { network: "home" })));
}

#[test]
fn after_midnight_the_evening_before_is_still_in_the_picture() {
    // A panel with the graph of the last 24 hours.
    let size = Size::new(480, 320);
    let strip = Layout::new(size, false).strip();
    let mut rig = Rig::sized(Provider::Google, size);
    rig.provision(Provider::Google, |_| {});
    rig.start_to_report();
    let date = rig.stored_reading().day.local().date();
    // At most a day of polls.
    let has_begun = (0..100).any(|_| {
        rig.run_to_report(minutes(30));
        rig.run_for(Duration::from_secs(5));
        rig.stored_reading().day.local().date() != date
    });
    assert!(has_begun, "no day began");
    let reading = rig.stored_reading();
    let today = Model::new(&reading, rig.world.truth(), Freshness::Fresh, Theme::Desk);
    let areas_of_bars = |inks: &mut dyn Iterator<Item = Ink>| {
        let is_in_strip = |at: &Point| strip.contains(*at);
        let points = Rectangle::new(Point::zero(), size).points();
        let inks = points.zip(inks).filter(|(at, _)| is_in_strip(at));
        inks.filter(|(_, ink)| matches!(ink, Ink::DimCool | Ink::DimWarm))
            .count()
    };
    let of_today = areas_of_bars(&mut drawn(&today, size).pixels());
    let panel = rig.world.panel.borrow();
    let of_both = areas_of_bars(&mut panel.inks.iter().copied());
    assert!(of_both > 10 * (of_today + 10), "{of_both} and {of_today}");
}

#[test]
fn after_a_restart_nothing_has_failed_before_anything_was_asked_for() {
    let mut rig = Rig::running(Provider::Fitbit);
    rig.start();
    // It is held off for a minute, but knows the time long before.
    rig.run_for(Duration::from_secs(30));
    let starting = Some(State::FirstStart);
    assert!(rig.shows_reading(Freshness::Cached, starting));
    rig.run_to_report(minutes(1));
}

#[test]
fn no_sign_in_and_a_refused_one_ask_for_a_sign_in() {
    let mut rig = Rig::set_up(Provider::Fitbit);
    pulsewing_store::mock::run(rig.store().erase_chain()).unwrap();
    rig.start_for(minutes(3));
    assert!(rig.shows_state(SIGN_IN));
    assert_eq!(rig.ask("chain"), ["chain: none", "ok"]);

    let mut rig = Rig::set_up(Provider::Fitbit);
    let refusal = r#"{"errors":[{"errorType":"invalid_grant"}],"success":false}"#;
    let fault = Fault::Body(400, refusal.to_owned());
    rig.always(Route::Token, fault);
    let fault = Fault::Body(401, r#"{"errors":[{"errorType":"expired_token"}]}"#.into());
    rig.always(Route::Heart, fault.clone());
    rig.always(Route::Zone, fault);
    rig.start_for(minutes(3));
    assert!(rig.shows_state(SIGN_IN));
    let chain = rig.ask("chain");
    assert!(
        chain[0].starts_with("chain: fitbit generation 1 refused"),
        "{chain:?}"
    );
}

#[test]
fn before_the_first_minute_of_a_heart_there_are_no_values_yet() {
    let mut rig = Rig::set_up(Provider::Fitbit);
    rig.world.cloud.borrow_mut().worn.clear();
    rig.start_for(minutes(3));
    assert!(rig.shows_state(State::NoValuesYet));
    assert!(rig.has_said("Not enough values for today to display yet."));
}

#[test]
fn old_minutes_are_stale_and_then_silent() {
    let mut rig = Rig::set_up(Provider::Fitbit);
    // The tracker was taken off a minute ago.
    let now = rig.world.truth().as_second() / 60;
    rig.world.cloud.borrow_mut().worn = vec![0..now];
    rig.start_for(hours(2));
    rig.run_to_report(minutes(20));
    assert!(rig.shows_reading(Freshness::Stale, None));
    let last = rig.stored_reading().window;
    rig.run_for(hours(24));
    rig.run_to_report(minutes(20));
    assert!(rig.shows_reading(Freshness::Silent, None));
    assert!(!rig.shows_state(State::NoValuesYet));
    // The last known values stay, however long it lasts, even without power and without a cloud.
    rig.run_for(hours(48));
    rig.run_to_report(minutes(20));
    assert_eq!(rig.stored_reading().window.samples(), last.samples());
    rig.stop();
    let heart = (Route::Heart, Fault::NeverLeft);
    rig.world.cloud.borrow_mut().always.extend([heart]);
    rig.start_for(minutes(3));
    assert!(rig.shows_reading(Freshness::Cached, Some(State::Offline)));
    let minute = last.latest().unwrap().at;
    let line = format!("last minute: {minute:.0}");
    assert!(rig.ask("status").contains(&line), "{line}");
}

#[test]
fn a_limit_is_told_with_its_end_on_the_wearers_clock() {
    let mut rig = Rig::set_up(Provider::Fitbit);
    let limit = Fault::limited("fitbit-rate-limit-reset", "1200");
    rig.will(Route::Heart, [limit]);
    rig.start_for(minutes(3));
    // Asked at 12:17:46.800 and limited for 20 minutes; the zone is unknown, so UTC.
    assert!(rig.shows_state(State::RateLimited {
        until: time(12, 38, 0, 0)
    }));
    assert_eq!(rig.count(Route::Heart), 1);
    rig.run_to_report(minutes(22));
}

#[test]
fn a_service_that_is_gone_stays_gone_until_somebody_asks() {
    let mut rig = Rig::set_up(Provider::Fitbit);
    rig.always(Route::Heart, Fault::status(410));
    rig.start_for(hours(30));
    assert_eq!(rig.count(Route::Heart), 1);
    assert!(rig.shows_state(State::ServiceGone {
        command: pulsewing_device::LOGIN_GOOGLE,
    }));
    // A router restart is not a request by the user.
    let networks = std::mem::take(&mut rig.world.network.borrow_mut().in_reach);
    rig.run_for(minutes(5));
    rig.world.network.borrow_mut().in_reach = networks;
    rig.run_for(hours(2));
    assert_eq!(rig.count(Route::Heart), 1);
    rig.tell("poll");
    rig.run_for(minutes(1));
    assert_eq!(rig.count(Route::Heart), 2);
}

#[test]
fn trouble_with_tls_is_told_as_what_it_is() {
    for (connect_error, what) in [
        (
            ConnectError::WrongName,
            "No safe connection: the server's certificate is for another name.",
        ),
        (
            ConnectError::UnknownIssuer,
            "No safe connection: the server's certificate has no trusted issuer.",
        ),
        (
            ConnectError::NotYetValid,
            "No safe connection: the server's certificate is not valid yet.",
        ),
        (
            ConnectError::Tls(-28_928),
            "No safe connection: TLS failed (-28928).",
        ),
    ] {
        let mut rig = Rig::set_up(Provider::Fitbit);
        rig.world.network.borrow_mut().connect_error = Some(connect_error);
        rig.start_for(minutes(3));
        let advices = [
            "Is somebody in between, or the address wrong? Nothing was sent there.",
            "Is somebody in between, or are the board's roots old? Nothing was sent there.",
            "Asking for the time again. If this lasts, the server's owner has to act.",
            "Trying again by itself. Nothing was sent.",
        ];
        let is_shown = |advice: &&str| rig.shows_state(State::Fault { what, advice });
        assert!(advices.iter().any(is_shown), "{connect_error}");
        assert!(rig.world.calls.borrow().is_empty());
        assert!(
            rig.ask("log")
                .iter()
                .any(|line| line.contains(&connect_error.to_string()))
        );
    }
}

#[test]
fn what_the_cloud_refuses_for_good_is_a_fault_with_advice() {
    for (provider, body, what) in [
        (
            Provider::Google,
            r#"{"error":{"code":403,"status":"PERMISSION_DENIED","details":[{"reason":"SERVICE_DISABLED"}]}}"#,
            "The Google Health API is not enabled in the client's project.",
        ),
        (
            Provider::Google,
            r#"{"error":{"code":403,"status":"PERMISSION_DENIED","details":[{"reason":"CONSUMER_INVALID"}]}}"#,
            "The Google Cloud project of the client was deleted.",
        ),
        (
            Provider::Google,
            r#"{"error":{"code":403,"status":"PERMISSION_DENIED"}}"#,
            "The cloud refuses to give the heart rate.",
        ),
        (
            Provider::Google,
            "<html><h1>Access Required</h1></html>",
            "Something on the way answers in the cloud's place.",
        ),
    ] {
        let mut rig = Rig::set_up(provider);
        let fault = Fault::Body(403, body.to_owned());
        rig.always(Route::Heart, fault);
        rig.start_for(minutes(3));
        let advices = [
            "Enable it in the Google Cloud console; updates then resume.",
            "Make a new project and client on the computer, then sign in again.",
            "Trying again by itself.",
            "The network may want a sign-in of its own, or block the cloud.",
        ];
        let is_shown = |advice: &&str| rig.shows_state(State::Fault { what, advice });
        assert!(advices.iter().any(is_shown), "{what}\n{}", rig.said());
    }
}

#[test]
fn a_client_that_was_deleted_is_told_as_that_and_asked_for_once() {
    for (word, what, advice) in [
        (
            "deleted_client",
            "The sign-in's client was deleted or disabled at the cloud.",
            "Make a new one on the computer, then sign in again.",
        ),
        (
            "admin_policy_enforced",
            "This account's owner or administrator does not allow the app.",
            "Ask them to allow it, or sign in with another account.",
        ),
    ] {
        let mut rig = Rig::set_up(Provider::Fitbit);
        let mut faults = BTreeMap::new();
        let body = format!(r#"{{"error":"{word}"}}"#);
        faults.insert(Route::Token, Fault::Body(401, body));
        let expired = r#"{"errors":[{"errorType":"expired_token"}]}"#;
        for route in [Route::Heart, Route::Zone] {
            faults.insert(route, Fault::Body(401, expired.to_owned()));
        }
        rig.world.cloud.borrow_mut().always = faults;
        rig.start_for(hours(3));
        assert!(
            rig.shows_state(State::Fault { what, advice }),
            "{word}\n{}",
            rig.said()
        );
        assert_eq!(rig.count(Route::Token), 1, "{word}");
    }
}

#[test]
fn a_panic_of_the_run_before_is_shown_for_a_minute_and_told_over_the_console() {
    let mut rig = Rig::set_up(Provider::Fitbit);
    {
        let mut store = rig.store();
        let area = store.layout().panic;
        pulsewing_store::mock::run(store.start()).unwrap();
        let mut flash = store.into_flash();
        let text = "panicked at main.rs:7:\nindex out of bounds";
        let wrote =
            pulsewing_store::mock::run(pulsewing_store::record_panic(&mut flash, area, text));
        assert_eq!(wrote, Ok(true));
    }
    rig.start_for(Duration::from_secs(20));
    assert!(rig.shows_state(State::Fault {
        what: "It restarted after a fault: panicked at main.rs:7:\nindex out of bounds",
        advice: "It continues by itself. If this happens again, report these words.",
    }));
    let expected = "panic: panicked at main.rs:7: index out of bounds".to_owned();
    assert!(rig.ask("status").contains(&expected));
    rig.run_to_report(minutes(3));
    assert!(rig.shows_reading(Freshness::Fresh, None));
    rig.start_for(minutes(2));
    assert!(!rig.ask("status").contains(&expected));
    assert!(
        rig.ask("log")
            .iter()
            .any(|line| line.contains("index out of bounds"))
    );
}

#[test]
fn the_age_counts_on_while_nothing_else_happens() {
    let mut rig = Rig::running(Provider::Fitbit);
    for _ in 0..8 {
        rig.run_for(minutes(1));
        assert!(
            rig.shows_reading(Freshness::Fresh, None),
            "at {}",
            rig.world.truth()
        );
    }
    // No request was sent meanwhile.
    assert_eq!(rig.count(Route::Heart), 1);
}

#[test]
fn the_zone_is_the_clouds_with_the_rule_that_was_provisioned() {
    let rule = "CET-1CEST,M3.5.0,M10.5.0/3";
    let mut rig = Rig::set_up_with(Provider::Fitbit, |settings| {
        settings.set("wearer.time_zone", "Europe/Berlin").unwrap();
        settings.set("wearer.zone_rule", rule).unwrap();
    });
    rig.start_to_report();
    let zone = rig.stored_reading().time_zone;
    assert_eq!(&*zone.name, "Europe/Berlin");
    assert_eq!(zone.source, pulsewing_core::reading::ZoneSource::Cloud);
    assert_eq!(zone.offsets, Offsets::fixed(Offset::constant(1)));
}
