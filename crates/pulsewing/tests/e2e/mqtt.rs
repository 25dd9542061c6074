//! Home Assistant's view of the daemon: a real broker has what it should have, as an independent client sees it.

use std::collections::BTreeMap;

use pulsewing_testkit::mqtt::{Broker, Observer, Seen};
use serde_json::{Value, json};

use crate::harness::{daemon::Daemon, household::Household, patience::until, signed_in::SignedIn};

const PASSWORD: &str = "correct horse battery";

/// Starts a broker, and has the configuration of a home name it.
fn broker_of(home: &crate::harness::hermetic::Home) -> Broker {
    let broker = Broker::with_login("pulse", PASSWORD);
    let password = home.write("mqtt.password", &format!("{PASSWORD}\n"));
    home.configure_more(&format!(
        "[mqtt]\nurl = \"mqtt://127.0.0.1:{}\"\nusername = \"pulse\"\npassword_file = \"{password}\"\n",
        broker.port()
    ));
    broker
}

/// Returns the id that the installation was given.
fn node(home: &crate::harness::hermetic::Home) -> String {
    let path = home.path("state/pulsewing/mqtt-node");
    let read = || std::fs::read_to_string(&path).ok();
    until("the node's id", read).trim().to_owned()
}

fn is_online(message: &Seen) -> bool {
    message.payload == "online"
}

#[test]
fn a_wearer_is_shown_with_their_alarms_and_what_home_assistant_asks_for_is_done() {
    let signed_in = SignedIn::google_today();
    signed_in.home.configure_more("[alarms]\nhigh = 85\n");
    let broker = broker_of(&signed_in.home);
    let observer = Observer::of(&broker);
    let daemon = Daemon::updated(&signed_in);
    let node = node(&signed_in.home);
    let topic = |name: &str| format!("pulsewing/{node}/{name}");
    let state = observer
        .hears(&topic("default/state"), |message| {
            message.json()["bpm"] == 99 && message.json()["alarms"]["high"] == "ON"
        })
        .json();
    assert_eq!(state["measured_at"], "2026-11-22T13:59:00Z");
    assert_eq!(state["fresh"], "ON");
    assert_eq!(state["problem"], "OFF");
    assert_eq!(state["battery"], signed_in.battery());
    let of_api = daemon.json("/api/v1/now");
    assert_eq!(state["zone"], of_api["reading"]["zone_name"], "{of_api}");
    observer.hears(&topic("availability"), is_online);
    let announced = observer
        .hears(
            &format!("homeassistant/device/pulsewing_{node}_default/config"),
            |_| true,
        )
        .json();
    let zones = announced["cmps"]["zone"]["ops"].as_array().unwrap();
    assert!(zones.contains(&state["zone"]));
    assert!(announced["cmps"].get("alarm_low").is_none());
    let alarm = observer.hears(&topic("default/alarm"), |_| true).json();
    assert_eq!(
        (&alarm["event_type"], &alarm["event"]),
        (&json!("high"), &json!("raised"))
    );
    assert_eq!(alarm["bpm"], 99);
    assert_eq!(alarm["limit"], 85);
    let sentence = alarm["sentence"].as_str().unwrap();
    assert!(sentence.contains("99 bpm at 13:59, above 85"), "{sentence}");

    let cycles = signed_in.sandbox.requests_of("google.rollup").len();
    observer.publish(&topic("default/cmd/update"), "PRESS", false);
    signed_in.sandbox.wait_for("google.rollup", cycles + 1);
    let alarms = || signed_in.run(&["alarms", "--json"]).exits(0).json();
    observer.publish(&topic("default/cmd/snooze"), "PRESS", false);
    until("a snooze", || {
        let until = alarms()["active"][0]["snoozed_until"].clone();
        until
            .as_str()
            .map(|until| assert!(until.starts_with("2026-11-22T14:3"), "{until}"))
    });
    observer.publish(&topic("default/cmd/ack"), "{\"kind\":\"high\"}", false);
    let known = observer.hears(&topic("default/alarm"), |message| {
        message.json()["event_type"] == "acknowledged"
    });
    assert_eq!(known.json()["kind"], "high");
    assert_eq!(alarms()["active"][0]["snoozed_until"], Value::Null);

    daemon.stop().exits(0);
    let kept = broker.kept();
    assert_eq!(kept[&topic("availability")], "offline");
    assert!(!kept.contains_key(&topic("default/alarm")));
}

#[test]
fn an_old_rate_is_null_and_a_death_is_told() {
    let signed_in = SignedIn::google_today();
    signed_in.sandbox.advance(3_600);
    let broker = broker_of(&signed_in.home);
    let observer = Observer::of(&broker);
    let daemon = Daemon::updated(&signed_in);
    let node = node(&signed_in.home);
    let state = observer
        .hears(&format!("pulsewing/{node}/default/state"), |message| {
            message.json()["measured_at"] == "2026-11-22T13:59:00Z"
        })
        .json();
    assert_eq!(
        (&state["bpm"], &state["zone"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(state["fresh"], "OFF");
    let availability = format!("pulsewing/{node}/availability");
    observer.hears(&availability, is_online);
    observer.forget();
    daemon.running.kill();
    observer.hears(&availability, |message| message.payload == "offline");
    // The same node again: a restart makes no new devices.
    let daemon = Daemon::updated(&signed_in);
    observer.hears(&availability, is_online);
    daemon.stop().exits(0);
}

#[test]
fn a_broker_that_is_away_delays_no_update_and_finds_everything_when_it_comes() {
    let signed_in = SignedIn::google_today();
    let mut broker = broker_of(&signed_in.home);
    broker.stop();
    let daemon = Daemon::updated(&signed_in);
    assert_eq!(daemon.json("/api/v1/now")["reading"]["latest"]["bpm"], 99);
    let node = node(&signed_in.home);
    broker.start_again();
    let observer = Observer::of(&broker);
    observer.hears(&format!("pulsewing/{node}/availability"), is_online);
    let state = broker.kept()[&format!("pulsewing/{node}/default/state")].clone();
    assert!(state.contains("\"bpm\":99"), "{state}");
    daemon.stop().exits(0);
}

#[test]
fn wearers_come_and_go_and_what_is_switched_off_is_gone() {
    let household = Household::signed_in("google", &["anna"]);
    let broker = broker_of(&household.home);
    let observer = Observer::of(&broker);
    let daemon = household.daemon();
    let node = node(&household.home);
    let config = |id: &str| format!("homeassistant/device/pulsewing_{node}_{id}/config");
    observer.hears(&config("anna"), |_| true);
    household.run(&["wearer", "add", "ben"]).exits(0);
    observer.hears(&config("ben"), |message| !message.payload.is_empty());
    household.run(&["wearer", "remove", "ben"]).exits(0);
    observer.hears(&config("ben"), |message| message.payload.is_empty());
    let availability = format!("pulsewing/{node}/availability");
    observer.hears(&availability, is_online);
    daemon.stop().exits(0);
    // At the end nobody is removed, although no wearer is polled any more.
    let kept: BTreeMap<String, String> = broker.kept();
    let topics: Vec<&String> = kept.keys().collect();
    let state = format!("pulsewing/{node}/anna/state");
    assert_eq!(topics, [&config("anna"), &state, &availability]);

    household.home.configure_more("enabled = false\n");
    let daemon = household.daemon();
    observer.hears(&availability, |message| message.payload.is_empty());
    assert!(broker.kept().is_empty());
    daemon.stop().exits(0);
}
