//! Wearers are announced, shown and removed.

use pulsewing_mqtt::AlarmKind;
use pulsewing_testkit::mqtt::{Broker, Observer};
use serde_json::{Value, json};

use crate::running::{AVAILABILITY, Running, config, settings, state, wearer};

#[test]
fn everything_is_there_before_it_is_available_and_stays_for_who_comes_later() {
    let broker = Broker::open();
    let observer = Observer::of(&broker);
    let running = Running::showing(settings(&broker), &[wearer("anna"), wearer("ben")]);
    observer.hears(AVAILABILITY, |message| message.payload == "online");
    observer.catch_up();
    let seen = observer.seen();
    let place = |topic: &str| {
        let of = |message: &pulsewing_testkit::mqtt::Seen| message.topic == topic;
        assert_eq!(
            seen.iter().filter(|message| of(message)).count(),
            1,
            "{topic}"
        );
        seen.iter().position(of).unwrap()
    };
    for id in ["anna", "ben"] {
        assert!(place(&config(id)) < place(&state(id)));
        assert!(place(&state(id)) < place(AVAILABILITY));
    }
    let kept = broker.kept();
    assert_eq!(kept.len(), 5, "{kept:?}");
    let message: Value = serde_json::from_str(&kept[&state("anna")]).unwrap();
    assert_eq!(message["bpm"], 72);
    assert_eq!(message["measured_at"], "2026-11-22T12:58:00Z");
    running.stop();
    assert_eq!(broker.kept()[AVAILABILITY], "offline");
}

#[test]
fn only_what_changed_is_sent_and_an_old_rate_is_null() {
    let broker = Broker::open();
    let observer = Observer::of(&broker);
    let running = Running::showing(settings(&broker), &[wearer("anna"), wearer("ben")]);
    observer.hears(AVAILABILITY, |message| message.payload == "online");
    observer.forget();
    let mut anna = wearer("anna");
    (anna.bpm, anna.zone, anna.is_fresh) = (None, None, false);
    running.link.show(vec![wearer("anna"), wearer("ben")]);
    running.link.show(vec![anna.clone(), wearer("ben")]);
    let message = observer.hears(&state("anna"), |_| true).json();
    assert_eq!(message["bpm"], Value::Null);
    assert_eq!(message["zone"], Value::Null);
    assert_eq!(message["fresh"], "OFF");
    assert_eq!(message["measured_at"], "2026-11-22T12:58:00Z");
    // A new name is a new announcement, but no new state.
    anna.name = "Anna B.".to_owned();
    running.link.show(vec![anna, wearer("ben")]);
    let announcement = observer.hears(&config("anna"), |_| true).json();
    assert_eq!(announcement["dev"]["name"], "Anna B.");
    observer.catch_up();
    let topics: Vec<String> = observer.seen().into_iter().map(|it| it.topic).collect();
    assert_eq!(topics[..2], [state("anna"), config("anna")]);
    assert_eq!(topics.len(), 3, "{topics:?}");
    running.stop();
}

#[test]
fn a_wearer_who_goes_is_removed_and_so_is_an_alarm_that_is_switched_off() {
    let broker = Broker::open();
    let observer = Observer::of(&broker);
    let running = Running::showing(settings(&broker), &[wearer("anna"), wearer("ben")]);
    observer.hears(AVAILABILITY, |message| message.payload == "online");
    observer.forget();
    let mut anna = wearer("anna");
    anna.alarms = vec![(AlarmKind::High, false)];
    running.link.show(vec![anna]);
    observer.hears(&config("ben"), |message| message.payload.is_empty());
    observer.hears(&state("ben"), |message| message.payload.is_empty());
    let first = observer.hears(&config("anna"), |_| true).json();
    assert_eq!(first["cmps"]["alarm_stale"], json!({"p": "binary_sensor"}));
    let second = observer.hears(&config("anna"), |message| {
        message.json()["cmps"].get("alarm_stale").is_none()
    });
    assert_eq!(second.json()["cmps"]["alarm_high"]["p"], "binary_sensor");
    let kept = broker.kept();
    let topics: Vec<String> = kept.keys().cloned().collect();
    assert_eq!(
        topics,
        [config("anna"), state("anna"), AVAILABILITY.to_owned()]
    );
    assert_eq!(kept[&config("anna")], second.payload);
    running.stop();
}
