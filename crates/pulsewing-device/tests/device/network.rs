//! Joining, losing and finding the network again; Improv.

use std::collections::BTreeMap;

use pulsewing_core::Provider;
use pulsewing_device::ports::JoinError;
use pulsewing_screen::State;

use crate::{
    cloud::Route,
    rig::{Rig, hours, minutes},
};

const SET_WIFI: u8 = 1;

/// Builds an Improv packet according to its specification.
fn improv(kind: u8, data: &[u8]) -> Vec<u8> {
    let mut packet = b"IMPROV\x01".to_vec();
    packet.extend([kind, u8::try_from(data.len()).unwrap()]);
    packet.extend(data);
    packet.push(
        packet
            .iter()
            .fold(0, |sum: u8, byte| sum.wrapping_add(*byte)),
    );
    packet
}

fn set_wifi(ssid: &str, password: &str) -> Vec<u8> {
    let mut payload = Vec::new();
    for text in [ssid, password] {
        payload.push(u8::try_from(text.len()).unwrap());
        payload.extend(text.as_bytes());
    }
    let mut data = vec![SET_WIFI, u8::try_from(payload.len()).unwrap()];
    data.extend(payload);
    improv(3, &data)
}

fn heard(rig: &Rig, packet: &[u8]) -> bool {
    let said = rig.world.said.borrow();
    said.windows(packet.len()).any(|window| window == packet)
}

#[test]
fn a_router_that_is_gone_for_hours_is_joined_again_and_the_picture_goes_on() {
    let mut rig = Rig::tiny(Provider::Fitbit);
    rig.start_to_report();
    let networks = std::mem::take(&mut rig.world.network.borrow_mut().in_reach);
    let before = rig.world.network.borrow().joins.len();
    rig.run_for(hours(5));
    let tries = rig.world.network.borrow().joins.len() - before;
    // At least one try in 62 seconds of pause and 2 of joining.
    assert!((280..400).contains(&tries), "{tries}");
    rig.world.network.borrow_mut().in_reach = networks;
    rig.run_to_report(minutes(3));
    assert_eq!(rig.restarts, 0);
    assert!(rig.has_said("# lost the network\n"));
}

#[test]
fn known_networks_get_their_turn_and_the_one_that_worked_comes_first_again() {
    let mut rig = Rig::set_up_with(Provider::Fitbit, |settings| {
        for (name, value) in [
            ("wifi.2.ssid", "office"),
            ("wifi.2.password", "other horse"),
            ("wifi.3.ssid", "open"),
        ] {
            settings.set(name, value).unwrap();
        }
    });
    rig.world.network.borrow_mut().in_reach = BTreeMap::from([("open".into(), String::new())]);
    rig.start_to_report();
    let joined = |rig: &Rig| -> Vec<_> {
        let net = rig.world.network.borrow();
        net.joins
            .iter()
            .filter_map(|(_, ssid)| ssid.clone())
            .collect()
    };
    assert_eq!(joined(&rig), ["home", "office", "open"]);
    rig.world.network.borrow_mut().in_reach.clear();
    rig.run_for(minutes(1));
    assert_eq!(joined(&rig)[3..6], ["open", "office", "home"]);
}

#[test]
fn improv_names_a_network_and_hears_that_it_was_joined() {
    let mut rig = Rig::erased(Provider::Fitbit);
    rig.start();
    // Right from the first byte after boot, and within a line.
    rig.type_bytes(b"sta");
    rig.type_bytes(&improv(3, &[2, 0]));
    rig.type_bytes(b"\ntus\n");
    rig.run_for(minutes(1));
    assert!(heard(&rig, &improv(1, &[2])));
    assert!(rig.has_said("> error: unknown command"));
    rig.type_bytes(&improv(3, &[3, 0]));
    rig.run_for(minutes(1));
    let mut info = vec![3, 0];
    for text in [
        "Pulsewing",
        env!("CARGO_PKG_VERSION"),
        "bench",
        "Pulsewing 0123456789ab",
    ] {
        info.push(u8::try_from(text.len()).unwrap());
        info.extend(text.as_bytes());
    }
    info[1] = u8::try_from(info.len() - 2).unwrap();
    assert!(heard(&rig, &improv(4, &info)));

    rig.type_bytes(&set_wifi("home", "wrong horse"));
    rig.run_for(minutes(1));
    assert!(heard(&rig, &improv(1, &[3])), "provisioning");
    assert!(heard(&rig, &improv(2, &[3])), "unable to connect");
    rig.type_bytes(&set_wifi("home", "correct horse"));
    rig.run_for(minutes(1));
    assert!(heard(&rig, &improv(1, &[4])), "provisioned");
    assert!(heard(&rig, &improv(4, &[SET_WIFI, 0])));
    assert_eq!(rig.ask("wifi"), ["home", "ok"]);
    // The setting survives a restart.
    rig.start_for(minutes(1));
    assert!(rig.status_has("network: home"));
}

#[test]
fn improv_is_told_what_was_wrong() {
    let mut rig = Rig::erased(Provider::Fitbit);
    rig.start();
    let mut damaged = improv(3, &[2, 0]);
    *damaged.last_mut().unwrap() ^= 1;
    rig.type_bytes(&damaged);
    rig.run_for(minutes(1));
    assert!(heard(&rig, &improv(2, &[1])));
    rig.type_bytes(&improv(3, &[9, 0]));
    rig.type_bytes(&improv(3, &[4, 0]));
    rig.run_for(minutes(1));
    assert!(heard(&rig, &improv(2, &[2])));
    assert!(
        heard(&rig, &improv(4, &[4, 0])),
        "no network was looked for"
    );
}

#[test]
fn a_wrong_password_is_told_on_the_screen_and_a_new_one_helps_at_once() {
    let mut rig = Rig::set_up(Provider::Fitbit);
    let right = "other horse".to_owned();
    let in_reach = BTreeMap::from([("home".to_owned(), right)]);
    rig.world.network.borrow_mut().in_reach = in_reach;
    rig.start_for(minutes(5));
    assert!(rig.shows_state(State::Fault {
        what: "home refuses the password.",
        advice: "Type on the computer: pulsewing board provision --wifi NAME",
    }));
    let log = rig.ask("log");
    let refused = JoinError::Refused.to_string();
    assert_eq!(
        log.iter().filter(|line| line.contains(&refused)).count(),
        1,
        "{log:?}"
    );
    rig.tell("wifi add home \"other horse\"");
    rig.run_to_report(minutes(1));
}

#[test]
fn a_cable_needs_no_name() {
    let mut rig = Rig::set_up_with(Provider::Google, |settings| {
        settings.set("wifi.1.ssid", "").unwrap();
    });
    rig.world.network.borrow_mut().is_wired = true;
    rig.start_to_report();
    assert!(rig.status_has("network: wired"));
}

#[test]
fn an_outage_is_over_when_the_network_comes_back_not_when_the_backoff_ends() {
    let mut rig = Rig::tiny(Provider::Fitbit);
    rig.start_to_report();
    // Nothing beyond the router can be reached: the backoff grows to the interval.
    rig.world.network.borrow_mut().is_internet_up = false;
    rig.run_for(hours(3));
    let heart = rig.count(Route::Heart);
    // The router is switched off and on again.
    let networks = std::mem::take(&mut rig.world.network.borrow_mut().in_reach);
    rig.run_for(minutes(1));
    rig.world.network.borrow_mut().in_reach = networks;
    rig.world.network.borrow_mut().is_internet_up = true;
    rig.run_to_report(minutes(2));
    assert_eq!(rig.count(Route::Heart), heart + 1);
}
