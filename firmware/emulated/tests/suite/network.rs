//! Network problems: how the screen reports them, and that the board recovers.

use std::time::Duration;

use anyhow::{Result, ensure};
use pulsewing_emulated::{
    Rig,
    board::Power,
    expected::Sight,
    time_server::{Manner, TimeServer},
    wire::{Conduct, Names, Wire},
};
use pulsewing_screen::State;

use super::{Check, FIRST_CYCLE, LOGIN, recovers};

pub(crate) const CHECKS: &[Check] = &[
    Check {
        name: "a pulled cable is noticed, and so is its return",
        run: a_pulled_cable_is_noticed,
    },
    Check {
        name: "a router without addresses is waited for, before the first one and after the last",
        run: no_address_is_waited_for,
    },
    Check {
        name: "a cloud whose name nobody knows is asked for again",
        run: |rig| the_name_is_not_found(rig, Names::Unknown),
    },
    Check {
        name: "a name server that is broken is asked again",
        run: |rig| the_name_is_not_found(rig, Names::Broken),
    },
    Check {
        name: "a name server that is silent is asked again",
        run: |rig| the_name_is_not_found(rig, Names::Silent),
    },
    Check {
        name: "a silent time server is asked again",
        run: |rig| time_comes_late(rig, Manner::Silent),
    },
    Check {
        name: "a time server that has no time is asked again",
        run: |rig| time_comes_late(rig, Manner::Unsynchronised),
    },
    Check {
        name: "an answer to a question that nobody asked is not the time",
        run: |rig| time_comes_late(rig, Manner::Foreign),
    },
    Check {
        name: "a time server whose name nobody knows is asked for again",
        run: the_time_servers_name_is_not_found,
    },
];

/// Options for a board whose traffic passes through our wire.
const WIRED: Power = Power {
    wire: true,
    pty: false,
    count: false,
};

/// A join may take twenty seconds, and the pause before the next one a minute.
const PATIENCE: Duration = Duration::from_secs(90);

fn a_pulled_cable_is_noticed(rig: &Rig) -> Result<()> {
    let (clouds, _time, bench) = rig.signed_in("google", &[])?;
    let mut board = bench.start()?;
    board.wait_for_update(FIRST_CYCLE)?;
    board.qmp.set_cable(false)?;
    board.ask("poll")?;
    board.wait_for_status("network", PATIENCE, |value| value == "unplugged")?;
    board.wait_for_sight(&Sight::banner(State::Offline), PATIENCE)?;
    board.qmp.set_cable(true)?;
    board.wait_for_status("network", PATIENCE, |value| value == "wired")?;
    recovers(rig, &clouds, "google", &mut board)
}

fn no_address_is_waited_for(rig: &Rig) -> Result<()> {
    let (clouds, _time, bench) = rig.signed_in("google", &[])?;
    let wire = bench.lay_wire()?;
    let no_address = State::Fault {
        what: "The network gives no address (DHCP).",
        advice: "Trying again by itself. If this lasts, restart the router.",
    };
    let is_told = |value: &str| value == "wired: the network gives no address (DHCP)";
    let gone = Conduct {
        has_dhcp: false,
        names: Names::Known,
    };
    wire.behave(gone);
    let mut board = bench.start_with(WIRED)?;
    board.wait_for_status("network", PATIENCE, is_told)?;
    board.wait_for_sight(&Sight::page(no_address), PATIENCE)?;
    wire.heal();
    board.wait_for_update(PATIENCE)?;
    recovers(rig, &clouds, "google", &mut board)?;

    // The lease was short, so the address is lost soon.
    wire.behave(gone);
    board.wait_for_status("network", PATIENCE, is_told)?;
    board.wait_for_sight(&Sight::banner(no_address), PATIENCE)?;
    wire.heal();
    board.wait_for_status("network", PATIENCE, |value| value == "wired")?;
    recovers(rig, &clouds, "google", &mut board)
}

fn the_name_is_not_found(rig: &Rig, names: Names) -> Result<()> {
    let (clouds, _time, bench) = rig.signed_in("google", &[])?;
    let wire = bench.lay_wire()?;
    let mut board = bench.start_with(WIRED)?;
    board.wait_for_update(FIRST_CYCLE)?;
    let before = clouds.requests()?.len();
    wire.behave(Conduct {
        has_dhcp: true,
        names,
    });
    // From now on a name server decides where the clouds are.
    board.ask("set endpoint.connect clouds.test")?;
    board.ask("poll")?;
    board.wait_for_status("failure", PATIENCE, |value| {
        value.ends_with("the server could not be reached")
    })?;
    board.wait_for_sight(&Sight::banner(State::Offline), PATIENCE)?;
    let log = board.ask("log")?;
    ensure!(
        log.iter().any(|line| line.contains("name server")),
        "the log does not say why: {log:?}"
    );
    ensure!(
        clouds.requests()?.len() == before,
        "a cloud without a name was found"
    );
    wire.heal();
    recovers(rig, &clouds, "google", &mut board)
}

fn time_comes_late(rig: &Rig, manner: Manner) -> Result<()> {
    waits_for_the_time(rig, |time, wire, is_wrong| {
        // The public servers, which every board knows, must not resolve here.
        wire.behave(NO_NAMES);
        time.behave(if is_wrong { manner } else { Manner::Honest });
        (time.address(), time.address())
    })
}

fn the_time_servers_name_is_not_found(rig: &Rig) -> Result<()> {
    waits_for_the_time(rig, |time, wire, is_wrong| {
        if is_wrong {
            wire.behave(NO_NAMES);
        } else {
            wire.heal();
        }
        let address = time.address();
        let port = address.rsplit(':').next().unwrap_or_default();
        let complaint = "time.test:PORT: the time server's name could not be resolved";
        (format!("time.test:{port}"), complaint.replace("PORT", port))
    })
}

/// Checks that the board has no time until the problem is over. `set` causes or ends the problem; it
/// returns the server to ask and, for the first case, the error about it.
fn waits_for_the_time(
    rig: &Rig,
    set: impl Fn(&TimeServer, &Wire, bool) -> (String, String),
) -> Result<()> {
    let time = TimeServer::start()?;
    let bench = rig.bench()?;
    let wire = bench.lay_wire()?;
    let (server, complaint) = set(&time, &wire, true);
    let mut board = bench.start()?;
    board.ask("set poll.hold_off 0")?;
    board.ask(&format!("set sntp.1 {server}"))?;
    board.cut_power()?;
    let mut board = bench.start_with(WIRED)?;
    board.wait_for_line(0, PATIENCE, |line| {
        line.starts_with('#') && line.contains(&complaint)
    })?;
    ensure!(
        board.status("time")?.as_deref() == Some("unknown"),
        "{server} is believed"
    );
    board.wait_for_sight(&Sight::page(State::WaitingForClock), PATIENCE)?;
    set(&time, &wire, false);
    board.wait_for_status("time", PATIENCE, |value| value != "unknown")?;
    board.wait_for_sight(&Sight::page(SIGN_IN_NEEDED), PATIENCE)
}

/// Makes every name unknown.
const NO_NAMES: Conduct = Conduct {
    has_dhcp: true,
    names: Names::Unknown,
};

/// The state of a board without a chain once it knows the time.
const SIGN_IN_NEEDED: State<'_> = State::SignInNeeded {
    command: LOGIN,
    address: None,
};
