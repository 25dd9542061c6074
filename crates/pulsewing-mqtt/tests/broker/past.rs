//! What a broker keeps from before: of our own it is tidied up, and of others it is left alone.

use pulsewing_testkit::mqtt::{Broker, Observer};
use serde_json::json;

use crate::running::{AVAILABILITY, Running, config, settings, state, wearer};

/// The retained announcements of others.
const OTHERS: [(&str, &str); 3] = [
    (
        "homeassistant/device/pulsewing_cd34_anna/config",
        "{\"cmps\":{}}",
    ),
    ("homeassistant/device/zigbee_1/config", "{}"),
    ("homeassistant/sensor/pulsewing_ab12_anna/config", "{}"),
];

fn keeps(broker: &Broker, messages: &[(&str, &str)]) {
    let observer = Observer::of(broker);
    for (topic, payload) in messages {
        observer.publish(topic, payload, true);
    }
    observer.catch_up();
}

#[test]
fn after_a_restart_gone_wearers_and_gone_entities_are_removed() {
    let broker = Broker::open();
    let old = json!({"cmps": {
        "heart_rate": {"p": "sensor", "name": "Heart rate"},
        "steps": {"p": "sensor", "name": "Steps"},
        "odd id": {"p": "sensor"},
    }});
    let (anna, gone) = (config("anna"), config("gone"));
    let state_of_gone = state("gone");
    keeps(
        &broker,
        &[
            (&anna, &old.to_string()),
            (&gone, "{\"cmps\":{}}"),
            (&state_of_gone, "{}"),
        ],
    );
    keeps(&broker, &OTHERS);
    let observer = Observer::of(&broker);
    observer.catch_up();
    observer.forget();
    let running = Running::showing(settings(&broker), &[wearer("anna")]);
    // First without it, then with nothing but its platform, and then without it again.
    let announced = observer.until("three announcements", |seen| {
        let all = seen.iter().filter(|message| message.topic == anna);
        let all: Vec<_> = all.map(|message| message.json()["cmps"].clone()).collect();
        (all.len() == 3).then_some(all)
    });
    let steps: Vec<_> = announced.iter().map(|all| all.get("steps")).collect();
    assert_eq!(steps, [None, Some(&json!({"p": "sensor"})), None]);
    observer.hears(&gone, |message| message.payload.is_empty());
    observer.hears(&state_of_gone, |message| message.payload.is_empty());
    observer.hears(AVAILABILITY, |message| message.payload == "online");
    let kept = broker.kept();
    assert!(!kept[&anna].contains("steps"), "{}", kept[&anna]);
    assert!(kept[&anna].contains("heart_rate"));
    assert!(!kept.contains_key(&gone) && !kept.contains_key(&state_of_gone));
    for (topic, payload) in OTHERS {
        assert_eq!(kept[topic], payload);
    }
    running.stop();
}

#[test]
fn what_is_switched_off_is_removed_whole_and_others_stay() {
    let broker = Broker::open();
    let observer = Observer::of(&broker);
    let running = Running::showing(settings(&broker), &[wearer("anna"), wearer("ben")]);
    observer.hears(AVAILABILITY, |message| message.payload == "online");
    running.stop();
    keeps(&broker, &OTHERS);
    Running::of(pulsewing_mqtt::removal(settings(&broker))).ended();
    let kept: Vec<(String, String)> = broker.kept().into_iter().collect();
    let mut others = OTHERS.map(|(topic, payload)| (topic.to_owned(), payload.to_owned()));
    others.sort();
    assert_eq!(kept, others);
}
