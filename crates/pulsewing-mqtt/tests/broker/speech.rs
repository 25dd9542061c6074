//! What Home Assistant says to us, and alarms, which are told once.

use pulsewing_mqtt::{AlarmKind, Command, MAX_SAMPLES};
use pulsewing_testkit::mqtt::{Broker, Observer};

use crate::running::{AVAILABILITY, Running, STATUS, config, high, id, settings, state, wearer};

#[test]
fn commands_come_through_unless_they_are_of_the_past_or_of_nobody() {
    let broker = Broker::open();
    let observer = Observer::of(&broker);
    observer.publish("pulsewing/ab12/anna/cmd/update", "PRESS", true);
    observer.catch_up();
    let mut running = Running::showing(settings(&broker), &[wearer("anna")]);
    observer.hears(AVAILABILITY, |message| message.payload == "online");
    observer.publish("pulsewing/ab12/nobody/cmd/update", "PRESS", false);
    observer.publish("pulsewing/ab12/anna/cmd/snooze", "for ever", false);
    let big = "x".repeat(MAX_SAMPLES);
    observer.publish("pulsewing/ab12/anna/samples", &format!("{big}x"), false);
    observer.publish("pulsewing/ab12/anna/cmd/snooze", "PRESS", false);
    let snooze = Command::Snooze {
        wearer: id("anna"),
        kind: None,
        minutes: 30,
    };
    assert_eq!(running.command(), snooze);
    observer.publish("pulsewing/ab12/anna/cmd/ack", "{\"kind\":\"high\"}", false);
    let acknowledged = Command::Acknowledge {
        wearer: id("anna"),
        kind: Some(AlarmKind::High),
    };
    assert_eq!(running.command(), acknowledged);
    observer.publish("pulsewing/ab12/anna/cmd/update", "PRESS", false);
    assert_eq!(running.command(), Command::Update { wearer: id("anna") });
    observer.publish("pulsewing/ab12/anna/samples", &big, false);
    let samples = Command::Samples {
        wearer: id("anna"),
        bytes: big.into_bytes(),
    };
    assert_eq!(running.command(), samples);
    running.stop();
}

#[test]
fn commands_that_nobody_takes_are_dropped_and_delay_nothing() {
    let broker = Broker::open();
    let observer = Observer::of(&broker);
    let mut running = Running::showing(settings(&broker), &[wearer("anna")]);
    observer.hears(AVAILABILITY, |message| message.payload == "online");
    for _ in 0..100 {
        observer.publish("pulsewing/ab12/anna/cmd/update", "PRESS", false);
    }
    observer.catch_up();
    let mut anna = wearer("anna");
    anna.bpm = Some(73);
    running.link.show(vec![anna]);
    observer.hears(&state("anna"), |message| message.payload.contains("73"));
    assert_eq!(running.command(), Command::Update { wearer: id("anna") });
    running.stop();
}

#[test]
fn a_birth_brings_everything_again_and_one_of_the_past_brings_nothing() {
    let broker = Broker::open();
    let observer = Observer::of(&broker);
    observer.publish(STATUS, "online", true);
    observer.catch_up();
    let running = Running::showing(settings(&broker), &[wearer("anna")]);
    observer.hears(AVAILABILITY, |message| message.payload == "online");
    observer.forget();
    // Home Assistant ends, and starts.
    observer.publish(STATUS, "offline", false);
    observer.publish(STATUS, "online", false);
    observer.publish(STATUS, "online", false);
    observer.hears(AVAILABILITY, |message| message.payload == "online");
    observer.catch_up();
    let seen = observer.seen();
    for topic in [config("anna"), state("anna")] {
        let count = seen.iter().filter(|message| message.topic == topic).count();
        assert_eq!(count, 1, "{topic}");
    }
    running.stop();
}

#[test]
fn an_alarm_is_told_once_and_never_kept() {
    let broker = Broker::open();
    let observer = Observer::of(&broker);
    let running = Running::showing(settings(&broker), &[wearer("anna")]);
    observer.hears(AVAILABILITY, |message| message.payload == "online");
    running.link.tell(id("anna"), high(131));
    running.link.tell(id("anna"), high(132));
    let topic = "pulsewing/ab12/anna/alarm";
    observer.hears(topic, |message| message.json()["bpm"] == 132);
    observer.catch_up();
    let alarms = observer
        .seen()
        .into_iter()
        .filter(|message| message.topic == topic);
    let rates: Vec<_> = alarms
        .map(|message| message.json()["bpm"].clone())
        .collect();
    assert_eq!(rates, [131, 132]);
    assert!(!broker.kept().contains_key(topic));
    running.stop();
}
