//! What the network does to a board, and that the board goes on.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Check, ensure};
use crate::qemu::Rig;
use crate::qemu::time_server::{Manner, TimeServer};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "a pulled cable is noticed, and so is its return",
        run: a_pulled_cable_is_noticed,
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
        name: "a reply that stops in the middle is a failure, and the next one counts",
        run: |rig| goes_wrong_for_a_while(rig, json!({ "truncate": 40 })),
    },
    Check {
        name: "a page instead of data is a failure, and the next reply counts",
        run: |rig| goes_wrong_for_a_while(rig, json!({ "status": 502, "body": "html" })),
    },
    Check {
        name: "a rate limit is kept to, and ends",
        run: |rig| {
            let limit = json!({ "status": 429, "headers": { "Retry-After": "8" } });
            goes_wrong_for_a_while(rig, limit)
        },
    },
    Check {
        name: "an access token that ends in the middle of a cycle is renewed within it",
        run: an_access_token_ends_early,
    },
    Check {
        name: "a refused grant is kept, marked, and not sent again",
        run: |rig| {
            let refusal = json!({ "reason": "invalid_grant" });
            is_final(rig, "fitbit.token", refusal, "refused")
        },
    },
    Check {
        name: "a service that is gone is believed",
        run: |rig| {
            let gone = json!({ "status": 410, "body": "json" });
            is_final(rig, "fitbit.heart", gone, "active")
        },
    },
];

const PATIENCE: Duration = Duration::from_secs(60);

fn a_pulled_cable_is_noticed(rig: &Rig<'_>) -> Result<(), String> {
    let clouds = rig.clouds(&[])?;
    let time = TimeServer::start()?;
    let bench = rig.signed_in(&clouds, &time, "google", &[])?;
    let mut board = bench.start()?;
    board.wait_for_status("last success", PATIENCE, |value| value != "none")?;
    board.qmp.set_cable(false)?;
    board.ask("poll")?;
    board.wait_for_status("network", PATIENCE, |value| value == "unplugged")?;
    board.qmp.set_cable(true)?;
    let before = clouds.count("google.rollup")?;
    board.wait_for_status("network", Duration::from_secs(90), |value| value == "wired")?;
    let ends = Instant::now() + Duration::from_secs(90);
    while clouds.count("google.rollup")? == before || board.status("failure")?.is_some() {
        ensure(Instant::now() < ends, || "the board asks nobody".to_owned())?;
        board.ask("poll")?;
        thread::sleep(Duration::from_secs(2));
    }
    Ok(())
}

fn time_comes_late(rig: &Rig<'_>, manner: Manner) -> Result<(), String> {
    let time = TimeServer::start()?;
    time.behave(manner);
    let bench = rig.bench()?;
    let mut board = bench.start()?;
    board.ask(&format!("set sntp.1 {}", time.address()))?;
    board.wait_for_line(0, Duration::from_secs(30), |line| {
        line.contains(&time.address())
    })?;
    ensure(board.status("time")?.as_deref() == Some("unknown"), || {
        format!("{manner:?} is taken for the time")
    })?;
    time.behave(Manner::Honest);
    board.wait_for_status("time", Duration::from_secs(90), |value| value != "unknown")?;
    Ok(())
}

/// While one kind of reply goes wrong the board says so; once it goes well again, so does the board.
fn goes_wrong_for_a_while(rig: &Rig<'_>, action: Value) -> Result<(), String> {
    let clouds = rig.clouds(&[])?;
    let time = TimeServer::start()?;
    let bench = rig.signed_in(&clouds, &time, "fitbit", &[])?;
    clouds.fault("fitbit.heart", 0, action)?;
    let mut board = bench.start()?;
    board.ask("poll")?;
    board.wait_for_status("failure", Duration::from_secs(60), |value| {
        !value.is_empty()
    })?;
    clouds.faults(&json!([]))?;
    let ends = Instant::now() + Duration::from_secs(60);
    loop {
        // Asked too early, a board that is to keep quiet does.
        board.ask("poll")?;
        thread::sleep(Duration::from_secs(2));
        let failure = board.status("failure")?;
        if failure.is_none() && board.status("last success")?.is_some_and(|at| at != "none") {
            return Ok(());
        }
        ensure(Instant::now() < ends, || format!("still: {failure:?}"))?;
    }
}

/// The cloud takes the access token no more that was good a moment ago: one refresh, and the same call again.
fn an_access_token_ends_early(rig: &Rig<'_>) -> Result<(), String> {
    let clouds = rig.clouds(&[])?;
    let time = TimeServer::start()?;
    let bench = rig.signed_in(&clouds, &time, "fitbit", &[])?;
    let refreshes = clouds.count("fitbit.token")?;
    clouds.fault("fitbit.heart", 1, json!({ "status": 401, "body": "json" }))?;
    let mut board = bench.start()?;
    board.ask("poll")?;
    board.wait_for_status("last success", Duration::from_secs(60), |value| {
        value != "none"
    })?;
    let failure = board.status("failure")?;
    ensure(failure.is_none(), || format!("it failed: {failure:?}"))?;
    let refreshes = clouds.count("fitbit.token")? - refreshes;
    ensure(refreshes == 1, || format!("{refreshes} refreshes"))?;
    let asked = clouds.count("fitbit.heart")?;
    ensure(asked >= 2, || {
        format!("the heart rate was asked for {asked} times")
    })
}

/// What the cloud says once and for all is kept, and shown.
fn is_final(rig: &Rig<'_>, route: &str, action: Value, chain: &str) -> Result<(), String> {
    let clouds = rig.clouds(&["--token-life", "5"])?;
    let time = TimeServer::start()?;
    let bench = rig.signed_in(&clouds, &time, "fitbit", &[])?;
    clouds.fault(route, 0, action)?;
    // The access token runs out.
    thread::sleep(Duration::from_secs(5));
    let mut board = bench.start()?;
    board.wait_for_status("failure", Duration::from_secs(60), |value| {
        !value.is_empty()
    })?;
    let held = board.status("chain")?.unwrap_or_default();
    ensure(held.contains(chain), || format!("the chain is \"{held}\""))?;
    let before = clouds.requests()?.len();
    board.cut_power()?;
    let mut board = bench.start()?;
    board.wait_for_status("time", PATIENCE, |value| value != "unknown")?;
    let held = board.status("chain")?.unwrap_or_default();
    ensure(held.contains(chain), || {
        format!("after a restart the chain is \"{held}\"")
    })?;
    let after = clouds.requests()?.len();
    ensure(after <= before + 1, || {
        format!("the board asked {} times more", after - before)
    })
}
