//! The console at any moment, with valid and invalid input.

use std::time::Duration;

use base64ct::Encoding as _;
use embedded_graphics::geometry::Size;
use proptest::prelude::*;
use pulsewing_core::Provider;
use pulsewing_device::ports::Trusted;
use pulsewing_screen::{Ink, Model, State, Theme, Wallpaper};
use pulsewing_testkit::pictures::plain_wallpaper;

use crate::{
    cloud::{Fault, Route},
    rig::{Rig, hours, minutes},
};

/// Decodes the pixels of an answer to `shot`, according to the description of the format.
fn picture(answer: &[String]) -> (usize, Vec<u8>) {
    let mut size = answer[0].strip_prefix("frame ").unwrap().split(' ');
    let width: usize = size.next().unwrap().parse().unwrap();
    assert_eq!(answer[1].split(' ').count(), 17);
    let mut pixels: Vec<u8> = Vec::new();
    for line in answer.iter().filter_map(|line| line.strip_prefix("row ")) {
        let row = base64ct::Base64::decode_vec(line).unwrap();
        let start = pixels.len();
        match row[0] {
            0 => {
                let both = row[1..].iter().flat_map(|byte| [byte >> 4, byte & 15]);
                pixels.extend(both.take(width));
            }
            1 => {
                let mut rest = row[1..].iter();
                while let Some(first) = rest.next() {
                    let count = match first >> 4 {
                        0 => usize::from(*rest.next().unwrap()) + 16,
                        count => usize::from(count),
                    };
                    pixels.extend(std::iter::repeat_n(first & 15, count));
                }
            }
            2 => pixels.extend_from_within(start - width..),
            how => panic!("{how}"),
        }
        assert_eq!(pixels.len() - start, width);
    }
    (width, pixels)
}

fn shows_what_it_says(rig: &mut Rig) {
    let answer = rig.ask("shot");
    let (_, pixels) = picture(&answer);
    let panel = rig.world.panel.borrow();
    assert!(panel.inks.iter().map(|ink| ink.index()).eq(pixels));
}

#[test]
fn every_command_is_answered_while_the_cloud_keeps_the_cycle_waiting() {
    let mut rig = Rig::set_up(Provider::Fitbit);
    rig.always(Route::Heart, Fault::Stall);
    rig.start();
    let waits = |rig: &Rig| rig.count(Route::Heart) == 1;
    assert!(rig.run_until(minutes(3), waits));
    let before = rig.up();
    for command in [
        "help",
        "status",
        "chain",
        "log",
        "set",
        "wifi",
        "poll",
        "set wearer.name Anna",
    ] {
        let answer = rig.ask(command);
        assert_eq!(answer.last().unwrap(), "ok", "{command}: {answer:?}");
    }
    shows_what_it_says(&mut rig);
    assert!(
        rig.up() - before < Duration::from_secs(15),
        "while one exchange stalls"
    );
    assert_eq!(rig.count(Route::Heart), 1);
}

#[test]
fn certificates_that_cannot_be_read_are_told_of() {
    let mut rig = Rig::set_up(Provider::Fitbit);
    rig.world.network.borrow_mut().trusted = Trusted {
        usable: 9,
        unusable: 2,
    };
    rig.start_for(minutes(1));
    let status = rig.ask("status");
    assert!(status.contains(&"roots: 9, and 2 unreadable".to_owned()));
    let log = rig.ask("log");
    let told = "2 of 11 trusted certificates cannot be read";
    assert!(log.iter().any(|line| line.contains(told)), "{log:?}");
}

#[test]
fn status_has_its_keys_in_order() {
    let mut rig = Rig::running(Provider::Fitbit);
    let answer = rig.ask("status");
    let keys: Vec<_> = answer
        .iter()
        .map(|line| line.split(": ").next().unwrap())
        .collect();
    let expected = [
        "board",
        "serial",
        "firmware",
        "uptime",
        "network",
        "address",
        "time",
        "provider",
        "roots",
        "chain",
        "scopes",
        "last success",
        "last minute",
        "next update",
        "alarms",
        "heap",
        "ok",
    ];
    assert_eq!(keys, expected);
    assert!(answer.contains(&"roots: 8".to_owned()));
    assert!(answer.contains(&"heap: 1000 2000 65536".to_owned()));
    assert!(
        answer.contains(&"scopes: heart-rate settings time-zone".to_owned()),
        "{answer:?}"
    );
    let minute = answer.iter().find(|line| line.starts_with("last minute: "));
    assert_eq!(minute.unwrap(), "last minute: 2026-11-22T12:16:00Z");
}

#[test]
fn mistakes_are_answered_with_what_would_be_right() {
    let mut rig = Rig::set_up(Provider::Fitbit);
    rig.start();
    for (command, error) in [
        (
            "stauts",
            "error: unknown command; \"help\" lists all commands",
        ),
        (
            "set poll.every 4",
            "error: must be a whole number from 5 to 86400",
        ),
        ("set no.such x", "error: there is no such setting"),
        ("wifi add \"home", "error: a quotation mark is missing"),
        (
            "wifi add home short",
            "error: must be 8 to 63 ASCII characters",
        ),
        ("wifi remove nowhere", "error: no such network is known"),
        (
            "reset factory",
            "error: this erases everything; to confirm, type \"reset factory yes\"",
        ),
        (
            "put moon 7 0123456789ab",
            "error: must be one of: chain, roots, wallpaper",
        ),
        (
            "put roots 7 xyz",
            "error: must be the first 12 hexadecimal digits of the SHA-256",
        ),
        (
            "data aGVsbG8=",
            "error: nothing is being uploaded; start with \"put\"",
        ),
    ] {
        assert_eq!(rig.ask(command), [error], "{command}");
    }
    let long = "x".repeat(600);
    assert_eq!(
        rig.ask(&long),
        ["error: a line can have at most 520 bytes; this one was dropped"]
    );
    assert_eq!(rig.restarts, 0);
}

#[test]
fn settings_take_effect_without_a_restart() {
    let mut rig = Rig::running(Provider::Fitbit);
    let reading = {
        let mut buffer = [0; pulsewing_store::MAX_SNAPSHOT];
        let loaded = pulsewing_store::mock::run(rig.store().load_snapshot(&mut buffer));
        loaded.unwrap().unwrap().reading.unwrap()
    };
    rig.tell("set screen.theme classic");
    rig.run_for(Duration::from_secs(2));
    let fresh = pulsewing_core::reading::Freshness::Fresh;
    let classic = Model::new(&reading, rig.world.truth(), fresh, Theme::Classic);
    assert!(rig.shows(&classic));
    rig.tell("set screen.palette night");
    rig.run_for(Duration::from_secs(2));
    let night = pulsewing_screen::Colours::from(pulsewing_screen::Palette::Night);
    assert_eq!(rig.world.panel.borrow().colours, night);

    // A new interval starts a cycle at once.
    let before = rig.count(Route::Heart);
    rig.tell("set poll.every 3600");
    rig.run_to_report(minutes(1));
    rig.run_for(hours(6));
    let polls = rig.count(Route::Heart) - before;
    assert!((6..=8).contains(&polls), "{polls}");
    assert_eq!(rig.restarts, 0);
    // The change survives a restart.
    rig.start_for(minutes(1));
    assert!(rig.ask("set").contains(&"poll.every: 3600".to_owned()));
    rig.tell("unset poll.every");
    assert!(rig.ask("set").contains(&"poll.every: 900".to_owned()));
}

#[test]
fn what_needs_a_restart_says_so_and_restarts() {
    let mut rig = Rig::running(Provider::Fitbit);
    let answer = rig.ask("set screen.spi_clock 8000000");
    assert_eq!(answer, ["restarting to apply this", "ok"]);
    rig.run_for(minutes(1));
    assert_eq!(rig.restarts, 1);
    assert!(
        rig.ask("set")
            .contains(&"screen.spi_clock: 8000000".to_owned())
    );
    rig.tell("reset");
    rig.run_for(minutes(1));
    assert_eq!(rig.restarts, 2);
    let answer = rig.put("roots", &[7; 3_000]);
    assert_eq!(answer, ["restarting to apply this", "ok"]);
    rig.run_for(minutes(1));
    assert_eq!(rig.restarts, 3);
    rig.tell("reset factory yes");
    rig.run_for(minutes(1));
    assert!(rig.stored().is_none());
}

#[test]
fn secrets_are_shown_as_set() {
    let mut rig = Rig::running(Provider::Fitbit);
    let settings = rig.ask("set");
    assert!(
        settings.contains(&"wifi.1.password: (set)".to_owned()),
        "{settings:?}"
    );
    // The test rig itself checks all output for every secret.
    for command in [
        "status",
        "chain",
        "log",
        "wifi",
        "help",
        "put chain 3 0123456789ab",
        "abort",
    ] {
        rig.ask(command);
    }
    rig.tell("wifi add elsewhere \"other horse\"");
    rig.ask("set wifi.1.password other horse");
    rig.ask("data \"correct horse\"");
}

#[test]
fn the_log_counts_what_repeats() {
    let mut rig = Rig::running(Provider::Fitbit);
    rig.always(Route::Heart, Fault::status(503));
    rig.run_for(hours(5));
    let log = rig.ask("log");
    let times: Vec<_> = log
        .iter()
        .filter(|line| line.contains("status 503"))
        .collect();
    assert_eq!(times.len(), 1, "{log:?}");
    assert!(times[0].contains(" times since the start)"), "{log:?}");
    assert!(times[0].starts_with("2026-11-22T12:"), "{log:?}");
    // At most ten, newest first.
    for status in 501..520 {
        let fault = Fault::Body(status, "<html>".to_owned());
        rig.always(Route::Heart, fault);
        rig.run_for(minutes(20));
    }
    let log = rig.ask("log");
    assert_eq!(log.len(), 11, "{log:?}");
    assert!(log[0].contains("status 519"), "{log:?}");
}

#[test]
fn an_upload_is_whole_or_not_at_all() {
    let mut rig = Rig::running(Provider::Fitbit);
    rig.tell("put roots 6 0123456789ab");
    assert_eq!(
        rig.ask("log"),
        ["error: an upload is under way; \"commit\" or \"abort\" it first"]
    );
    assert_eq!(rig.ask("status")[0], "board: bench");
    // A sender that lost contact starts over.
    rig.tell("data aGVs");
    rig.tell("put roots 6 0123456789ab");
    rig.tell("data aGVs");
    assert_eq!(
        rig.ask("commit"),
        ["error: received fewer bytes than announced"]
    );
    rig.tell("put roots 6 0123456789ab");
    rig.tell("data aGVs");
    rig.tell("put roots 6 0123456789ab");
    rig.tell("data aGVsbG8h");
    assert_eq!(
        rig.ask("commit"),
        ["error: the received bytes do not have the announced SHA-256"]
    );
    rig.tell("put roots 3 0123456789ab");
    assert_eq!(
        rig.ask("data aGVsbG8h"),
        ["error: received more bytes than announced"]
    );
    rig.tell("put roots 3 0123456789ab");
    assert_eq!(
        rig.ask("data a.b!"),
        ["error: this is not base64 of at most 384 bytes"]
    );
    rig.tell("put roots 3 0123456789ab");
    assert_eq!(rig.ask("abort"), ["ok"]);
    assert_eq!(
        rig.ask("put roots 99999 0123456789ab"),
        ["error: there is no room for it"]
    );
    assert!(
        pulsewing_store::mock::run(rig.store().roots())
            .unwrap()
            .is_none()
    );
    // A silent sender does not keep the board from its work.
    rig.tell("put roots 6 0123456789ab");
    rig.run_to_report(minutes(20));
    assert!(rig.has_said("# gave up on an upload that took too long"));
    assert_eq!(rig.bites, 0);
}

#[test]
fn an_uploaded_wallpaper_is_shown_at_once_and_after_a_restart() {
    let size = Size::new(160, 120);
    let mut rig = Rig::sized(Provider::Fitbit, size);
    rig.provision(Provider::Fitbit, |_| {});
    rig.world.cloud.borrow_mut().worn.clear();
    rig.start_to_report();
    assert!(rig.shows_state(State::NoValuesYet));
    let bytes = plain_wallpaper(size, Ink::Violet, [10, 20, 30]);
    assert_eq!(rig.put("wallpaper", &bytes), ["ok"]);
    let wallpaper = Wallpaper::parse(&bytes).unwrap();
    let model = Model::from_state(State::NoValuesYet, Theme::Desk).with_wallpaper(wallpaper);
    rig.run_for(Duration::from_secs(5));
    assert!(rig.shows(&model));
    rig.start_to_report();
    assert!(rig.shows(&model));
}

#[test]
fn the_cards_wallpaper_serves_where_the_flash_has_none() {
    let size = Size::new(160, 120);
    let mut rig = Rig::sized(Provider::Fitbit, size);
    rig.provision(Provider::Fitbit, |_| {});
    rig.world.cloud.borrow_mut().worn.clear();
    let bytes = plain_wallpaper(size, Ink::Green, [1, 2, 3]);
    rig.world
        .files
        .borrow_mut()
        .insert(pulsewing_device::CARD_WALLPAPER.into(), bytes.clone());
    rig.start_to_report();
    let wallpaper = Wallpaper::parse(&bytes).unwrap();
    let model = Model::from_state(State::NoValuesYet, Theme::Desk).with_wallpaper(wallpaper);
    assert!(rig.shows(&model));
}

#[test]
fn nobody_has_to_listen() {
    let mut rig = Rig::tiny(Provider::Fitbit);
    rig.world.is_deaf.set(true);
    rig.start_for(hours(24));
    assert!(rig.count(Route::Heart) >= 90);
    rig.type_bytes(b"shot\nstatus\nhelp\n");
    rig.run_for(minutes(5));
    assert_eq!(rig.bites, 0);
    rig.world.is_deaf.set(false);
    rig.run_for(minutes(5));
    assert_eq!(rig.ask("status")[0], "board: bench");
    rig.run_to_report(minutes(20));
    assert!(rig.has_said(" messages were lost here\n"), "{}", rig.said());
}

#[test]
fn a_broken_display_is_told_once_and_drawn_whole_when_it_works_again() {
    let mut rig = Rig::running(Provider::Fitbit);
    rig.world.panel.borrow_mut().is_broken = true;
    rig.run_for(hours(1));
    {
        let mut panel = rig.world.panel.borrow_mut();
        panel.is_broken = false;
        panel.inks.fill(Ink::Pink);
    }
    rig.run_for(minutes(3));
    shows_what_it_says(&mut rig);
    let log = rig.ask("log");
    let told = log.iter().filter(|line| line.contains("display")).count();
    assert_eq!(told, 1, "{log:?}");
}

#[test]
fn everything_is_sent_again_every_six_hours() {
    let mut rig = Rig::running(Provider::Fitbit);
    let disturb = |rig: &Rig| {
        let mut panel = rig.world.panel.borrow_mut();
        panel.inks[0] = Ink::Pink;
        panel.inks[320 * 239] = Ink::Pink;
    };
    let is_disturbed = |rig: &Rig| rig.world.panel.borrow().inks[320 * 239] == Ink::Pink;
    disturb(&rig);
    rig.run_for(hours(1));
    assert!(is_disturbed(&rig));
    rig.run_for(hours(6));
    assert!(!is_disturbed(&rig));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn no_bytes_harm_it(pieces in proptest::collection::vec(prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..200),
        Just(b"\n".to_vec()),
        Just(b"put chain 3840 0123456789ab\n".to_vec()),
        Just(b"put wallpaper 99999999 0123456789ab\n".to_vec()),
        Just(b"data AAAA\n".to_vec()),
        Just(b"commit\n".to_vec()),
        Just(b"shot\n".to_vec()),
        Just(b"IMPROV\x01\x03".to_vec()),
        Just(b"IMPROV\x01\x03\x02\x02\x00\xe5".to_vec()),
        Just(b"set wifi.1.ssid \"".to_vec()),
        "(set|unset|wifi|put|data|log|help) [ -~]{0,40}\n".prop_map(String::into_bytes),
    ], 1..40)) {
        let mut rig = Rig::tiny(Provider::Fitbit);
        rig.start();
        for piece in &pieces {
            rig.type_bytes(piece);
            rig.run_for(Duration::from_millis(70));
        }
        // Anything that was begun is over after a while.
        rig.run_for(minutes(2));
        rig.type_bytes(b"\n");
        rig.run_for(minutes(1));
        let answer = rig.ask("status");
        prop_assert_eq!(&answer[0], "board: bench");
        prop_assert_eq!(rig.restarts, 0);
        prop_assert!(rig.stored().is_some());
    }
}
