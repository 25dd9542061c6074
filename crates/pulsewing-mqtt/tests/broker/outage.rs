//! Brokers that are away, silent or forgetful, and our own end.

use std::{
    net::TcpListener,
    time::{Duration, Instant},
};

use pulsewing_testkit::mqtt::{Broker, Observer};

use crate::running::{
    AVAILABILITY, Running, config, high, id, settings, settings_at, state, wearer,
};

#[test]
fn the_broker_tells_of_a_death() {
    let broker = Broker::open();
    let observer = Observer::of(&broker);
    let running = Running::showing(settings(&broker), &[wearer("anna")]);
    observer.hears(AVAILABILITY, |message| message.payload == "online");
    running.kill();
    observer.hears(AVAILABILITY, |message| message.payload == "offline");
    assert_eq!(broker.kept()[AVAILABILITY], "offline");
}

#[test]
fn a_broker_that_comes_back_with_nothing_gets_everything_and_the_alarm_that_waited() {
    let mut broker = Broker::open();
    let observer = Observer::of(&broker);
    let running = Running::showing(settings(&broker), &[wearer("anna")]);
    observer.hears(AVAILABILITY, |message| message.payload == "online");
    broker.stop();
    observer.forget();
    running.link.tell(id("anna"), high(132));
    let mut anna = wearer("anna");
    anna.bpm = Some(132);
    running.link.show(vec![anna]);
    broker.start_again();
    observer.hears("pulsewing/ab12/anna/alarm", |message| {
        message.json()["bpm"] == 132
    });
    let kept = broker.kept();
    assert!(kept[&state("anna")].contains("132"));
    assert!(kept.contains_key(&config("anna")));
    assert_eq!(kept[AVAILABILITY], "online");
    running.stop();
}

#[test]
fn a_broker_that_is_not_there_or_says_nothing_delays_nothing() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("mqtt://{}", silent.local_addr().unwrap());
    let none = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    for address in [silent, format!("mqtt://{none}")] {
        let began = Instant::now();
        let running = Running::showing(settings_at(&address), &[wearer("anna")]);
        for bpm in 0..10_000 {
            running.link.tell(id("anna"), high(bpm));
            let mut anna = wearer("anna");
            anna.bpm = Some(bpm);
            running.link.show(vec![anna]);
        }
        running.stop();
        assert!(began.elapsed() < Duration::from_secs(5), "{address}");
    }
}
