//! The time: which servers are asked, when, and which answers are rejected.

use std::{collections::BTreeMap, net::Ipv4Addr, time::Duration};

use jiff::SignedDuration;
use pulsewing_core::Provider;
use pulsewing_device::ports::ConnectError;
use pulsewing_screen::State;

use crate::rig::{Rig, hours, minutes};

fn asked(rig: &Rig) -> Vec<String> {
    let net = rig.world.network.borrow();
    net.asked.iter().map(|(_, server)| server.clone()).collect()
}

#[test]
fn without_the_time_nothing_is_sent_and_the_next_server_is_asked() {
    let mut rig = Rig::set_up(Provider::Fitbit);
    rig.world.network.borrow_mut().times.clear();
    rig.start_for(hours(2));
    assert!(rig.shows_state(State::WaitingForClock));
    assert!(rig.world.calls.borrow().is_empty());
    let servers = ["pool.ntp.org", "time.google.com", "time.cloudflare.com"];
    assert_eq!(asked(&rig)[..6], [servers, servers].concat());
    let late = BTreeMap::from([("time.cloudflare.com".to_owned(), SignedDuration::ZERO)]);
    rig.world.network.borrow_mut().times = late;
    rig.run_to_report(minutes(3));
}

#[test]
fn a_time_before_the_firmware_or_the_sign_in_is_not_believed() {
    let day = SignedDuration::from_hours(24);
    // The firmware was built on 1 November, the sign-in is from this morning.
    for behind in [-30 * day, -day / 2, SignedDuration::from_hours(-8)] {
        let mut rig = Rig::set_up(Provider::Fitbit);
        let times = BTreeMap::from([("pool.ntp.org".to_owned(), behind)]);
        rig.world.network.borrow_mut().times = times;
        rig.start_for(minutes(10));
        assert!(rig.world.calls.borrow().is_empty(), "{behind}");
        assert!(rig.shows_state(State::WaitingForClock));
        assert!(rig.has_said("which is impossible"));
    }
}

#[test]
fn a_wrong_time_that_could_be_is_mended_when_no_certificate_is_good_at_it() {
    let mut rig = Rig::set_up(Provider::Fitbit);
    let year = SignedDuration::from_hours(24 * 365);
    let times = BTreeMap::from([("pool.ntp.org".to_owned(), year)]);
    rig.world.network.borrow_mut().times = times;
    rig.world.network.borrow_mut().connect_error = Some(ConnectError::Expired);
    rig.start_for(minutes(2));
    assert!(rig.shows_state(State::Fault {
        what: "No safe connection: the server's certificate has expired.",
        advice: "Asking for the time again. If this lasts, the server's owner has to act.",
    }));
    // The server is correct again, and with the right time the certificate is valid.
    let times = BTreeMap::from([("pool.ntp.org".to_owned(), SignedDuration::ZERO)]);
    rig.world.network.borrow_mut().times = times;
    let before = asked(&rig).len();
    assert!(rig.run_until(minutes(10), |rig| asked(rig).len() > before));
    rig.world.network.borrow_mut().connect_error = None;
    rig.run_to_report(minutes(20));
    let time = rig.status_line("time: ");
    assert!(
        time.as_ref()
            .is_some_and(|time| time.starts_with("time: 2026-11-22T12:")),
        "{time:?}"
    );
}

#[test]
fn the_routers_server_comes_before_public_ones_and_the_owners_before_both() {
    let mut rig = Rig::set_up(Provider::Fitbit);
    {
        let mut net = rig.world.network.borrow_mut();
        net.time_server = Some(Ipv4Addr::new(10, 0, 2, 2));
        net.times
            .insert("10.0.2.2".to_owned(), SignedDuration::ZERO);
        net.times
            .insert("ntp.example".to_owned(), SignedDuration::ZERO);
    }
    rig.start_to_report();
    assert_eq!(asked(&rig), ["10.0.2.2"]);
    rig.tell("set sntp.1 ntp.example");
    rig.start_to_report();
    assert_eq!(asked(&rig)[1..], ["ntp.example"]);
    // Silent servers are skipped.
    rig.world.network.borrow_mut().times =
        BTreeMap::from([("time.google.com".to_owned(), SignedDuration::ZERO)]);
    rig.start_to_report();
    let servers = ["ntp.example", "10.0.2.2", "pool.ntp.org", "time.google.com"];
    assert_eq!(asked(&rig)[2..], servers);
}

#[test]
fn it_is_asked_for_once_a_day_and_a_silent_server_does_not_matter_then() {
    let mut rig = Rig::tiny(Provider::Fitbit);
    rig.start_for(hours(1));
    rig.world.network.borrow_mut().times.clear();
    rig.run_for(hours(30));
    rig.world.network.borrow_mut().times =
        BTreeMap::from([("pool.ntp.org".to_owned(), SignedDuration::from_secs(3))]);
    rig.run_for(hours(20));
    let net = rig.world.network.borrow();
    let at = |n: usize| net.asked[n].0;
    let day = hours(24);
    assert!(at(1) - at(0) >= day && at(1) - at(0) < day + Duration::from_secs(20));
    // No server answered: tried again each hour, until one did.
    assert!((20..24).contains(&(net.asked.len())), "{}", net.asked.len());
    drop(net);
    assert_eq!(rig.restarts, 0);
    let reports = rig.said().matches("Finished!").count();
    assert!(reports > 45 * 3, "{reports}");
}

#[test]
fn a_servers_date_is_only_reported() {
    let mut rig = Rig::set_up(Provider::Fitbit);
    rig.world.network.borrow_mut().cloud_ahead = SignedDuration::from_mins(2);
    rig.start_to_report();
    assert!(rig.has_said("# cloud.example's clock is 120 s ahead of the board's"));
    let time = rig.status_line("time: ");
    assert_eq!(time, Some(format!("time: {}", truth(&rig))));
}

fn truth(rig: &Rig) -> jiff::Timestamp {
    jiff::Timestamp::from_second(rig.world.truth().as_second()).unwrap()
}
