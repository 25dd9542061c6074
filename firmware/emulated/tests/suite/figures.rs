//! The board's need of memory and instructions.

use std::{
    thread,
    time::{Duration, SystemTime},
};

use anyhow::{Context as _, Result, anyhow, ensure};
use pulsewing_emulated::{
    Rig,
    board::Power,
    time_server::{Manner, TimeServer, seconds_until},
};

use super::Check;

pub(crate) const CHECKS: &[Check] = &[
    Check {
        name: "a whole cycle with TLS needs at most 110 KB of heap",
        run: a_cycle_needs_little_heap,
    },
    Check {
        name: "decoding, drawing, searching and storing keep within their instructions",
        run: work_keeps_within_its_instructions,
    },
];

/// Maximum heap in use, in bytes.
const MOST_HEAP: usize = 110 * 1_024;

/// Maximum numbers of instructions, each of at most 32 bits: per byte of a reply, and for each of the
/// other kinds of work.
const MOST_PER_BYTE: f64 = 40.0;
const MOST_FRAME: u64 = 7_000_000;
const MOST_SEARCH: u64 = 3_500_000;
/// This flash has sectors of 256 KiB, all of which are read before an intent is written; the Feathers'
/// have 4 KiB.
const MOST_STORE: u64 = 50_000_000;

/// Minutes from midnight to the time of day at which we measure: Fitbit's reply is then some 27 KB long.
/// A reply at night is a tenth of that, and has less in it to decode.
const AFTERNOON: i64 = 14 * 60 + 7;

fn a_cycle_needs_little_heap(rig: &Rig) -> Result<()> {
    let (_clouds, _time, bench) = rig.signed_in("fitbit", &[])?;
    let mut board = bench.start_with(Power {
        count: true,
        ..Power::default()
    })?;
    board.ask("poll")?;
    let limit = Duration::from_secs(90);
    board.wait_for_update(limit)?;
    let heap = board.status("heap")?.unwrap_or_default();
    println!("heap (used, peak, total): {heap}");
    let peak = heap
        .split(' ')
        .nth(1)
        .and_then(|number| number.parse::<usize>().ok());
    let peak = peak.with_context(|| format!("no figures in \"{heap}\""))?;
    ensure!(
        peak > 0 && peak <= MOST_HEAP,
        "{peak} bytes of heap were in use"
    );
    Ok(())
}

fn work_keeps_within_its_instructions(rig: &Rig) -> Result<()> {
    for provider in ["fitbit", "google"] {
        let clouds = rig.clouds(&["--token-life", "5"])?;
        let time = TimeServer::start()?;
        let ahead = seconds_until(AFTERNOON, SystemTime::now());
        clouds.advance(ahead)?;
        time.behave(Manner::Off(ahead));
        let bench = rig.board_for(&clouds, &time, provider)?;
        // Wait until the access token expires, so that there is a new one to store.
        thread::sleep(Duration::from_secs(6));
        let mut board = bench.start_with(Power {
            count: true,
            ..Power::default()
        })?;
        board.ask("poll")?;
        let limit = Duration::from_secs(90);
        board.wait_for_update(limit)?;
        let work = board.status("work")?.unwrap_or_default();
        println!("instructions, {provider}: {work}");
        let [decode, bytes, frame, search, store] = numbers(&work)?;
        // Sums of a few million are exact in an f64.
        let per_byte = decode as f64 / bytes as f64;
        println!("decoding: {per_byte:.1} a byte");
        ensure!(
            bytes > 5_000 && per_byte <= MOST_PER_BYTE,
            "{per_byte:.1} instructions a byte, of {bytes} bytes"
        );
        // Google's chain is not written.
        let least_store = u64::from(provider == "fitbit");
        for (what, spent, least, most) in [
            ("a frame", frame, 1, MOST_FRAME),
            ("a search", search, 1, MOST_SEARCH),
            ("a store", store, least_store, MOST_STORE),
        ] {
            ensure!(
                (least..=most).contains(&spent),
                "{what} takes {spent} instructions"
            );
        }
    }
    Ok(())
}

/// Parses the numbers in `decode N of N, frame N, search N, store N`.
fn numbers(work: &str) -> Result<[u64; 5]> {
    let numbers: Vec<u64> = work
        .split(|c: char| !c.is_ascii_digit())
        .filter_map(|digits| digits.parse().ok())
        .collect();
    numbers
        .try_into()
        .map_err(|_| anyhow!("no figures in \"{work}\""))
}
