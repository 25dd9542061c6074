//! Brokers that are away, silent or forgetful, and our own end.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    thread,
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

/// Reads a packet: its first byte, and what follows its length.
fn packet(stream: &mut TcpStream) -> Option<(u8, Vec<u8>)> {
    let mut byte = [0];
    stream.read_exact(&mut byte).ok()?;
    let [first] = byte;
    let mut length = 0;
    for place in 0..4 {
        stream.read_exact(&mut byte).ok()?;
        length |= usize::from(byte[0] & 127) << (7 * place);
        if byte[0] < 128 {
            break;
        }
    }
    let mut rest = vec![0; length];
    stream.read_exact(&mut rest).ok()?;
    Some((first, rest))
}

/// Answers as a broker does until everything is shown, says so, and is silent from then on.
fn falls_silent(listener: &TcpListener, is_shown: &mpsc::Sender<()>) {
    let (mut stream, _) = listener.accept().unwrap();
    while let Some((first, rest)) = packet(&mut stream) {
        let answer = match first >> 4 {
            1 => vec![0x20, 2, 0, 0],
            8 => vec![0x90, 3, rest[0], rest[1], 1],
            3 => {
                let topic = usize::from(rest[0]) << 8 | usize::from(rest[1]);
                vec![0x40, 2, rest[topic + 2], rest[topic + 3]]
            }
            _ => Vec::new(),
        };
        stream.write_all(&answer).unwrap();
        if rest.ends_with(b"online") && first >> 4 == 3 {
            break;
        }
    }
    is_shown.send(()).unwrap();
    // What comes now is read and not answered.
    while let Some((first, _)) = packet(&mut stream) {
        let _ = (first >> 4 == 3).then(|| is_shown.send(()));
    }
}

#[test]
fn a_broker_that_falls_silent_does_not_keep_the_program_from_ending() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("mqtt://{}", listener.local_addr().unwrap());
    let (is_shown, shown) = mpsc::channel();
    let broker = thread::spawn(move || falls_silent(&listener, &is_shown));
    let running = Running::showing(settings_at(&address), &[wearer("anna")]);
    shown.recv().unwrap();
    let mut anna = wearer("anna");
    anna.bpm = Some(73);
    running.link.show(vec![anna]);
    // Now an answer is waited for that does not come.
    shown.recv().unwrap();
    let began = Instant::now();
    running.stop();
    assert!(began.elapsed() < Duration::from_secs(10));
    broker.join().unwrap();
}
