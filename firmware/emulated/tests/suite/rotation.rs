//! A chain of refresh tokens must survive a power cut at any instant.
//!
//! Access tokens live for seconds here, so every start spends a refresh token. The power is cut in the
//! middle of that, repeatedly, and in the end the board must hold the very token that is active in the
//! cloud.

use std::{
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::{Result, bail, ensure};
use pulsewing_boardline::status::BoardChain;
use pulsewing_emulated::{
    Rig,
    board::{Bench, Running},
    clouds::Clouds,
};
use serde_json::{Value, json};

use super::{Check, FIRST_CYCLE};

pub(crate) const CHECKS: &[Check] = &[
    // The longest checks come first: others run beside them.
    Check {
        name: "the chain goes on when the power is cut at ten arbitrary instants",
        run: survives_anywhere,
    },
    Check {
        name: "the chain goes on when the power is cut at ten other instants",
        run: survives_anywhere,
    },
    Check {
        name: "the chain goes on when the power is cut once the intent is written",
        run: |rig| survives_a_cut(rig, &Value::Null, 1, 0),
    },
    Check {
        name: "the chain goes on when the power is cut while the request is on its way",
        run: |rig| survives_a_cut(rig, &Value::Null, 1, 40),
    },
    Check {
        name: "the chain goes on when the power is cut while the reply is held back",
        run: |rig| survives_a_cut(rig, &json!({ "stall_s": 8 }), 1, 1_500),
    },
    Check {
        name: "the chain goes on when the reply is lost and then the power",
        run: |rig| survives_a_cut(rig, &json!({ "drop": "after" }), 1, 700),
    },
    Check {
        name: "the chain goes on when the power is cut while the new token is written",
        run: |rig| survives_a_cut(rig, &Value::Null, 2, 0),
    },
    Check {
        name: "the chain goes on when the power is cut once the new token is written",
        run: |rig| survives_a_cut(rig, &Value::Null, 2, 30),
    },
];

/// Maximum time until the first update after a restart: a replay waits, and there are two handshakes.
const BACK_WITHIN: Duration = Duration::from_secs(60);

/// Lifetime of an access token, in seconds: long enough for an update with its handshakes.
const TOKEN_LIFE: u64 = 4;

/// Number of power cuts in a row before board and cloud are compared.
const IN_A_ROW: usize = 3;

/// Cuts the power some milliseconds after the chain was written this often, with a fault of the cloud.
fn survives_a_cut(rig: &Rig, fault: &Value, writes: usize, longer_ms: u64) -> Result<()> {
    survives(rig, 2, fault, |bench, known| {
        wait_for_writes(bench, known, writes, longer_ms)
    })
}

/// Cuts the power at random instants, each within a start and its refresh.
fn survives_anywhere(rig: &Rig) -> Result<()> {
    let mut dice = Dice::thrown();
    println!("the dice begin at {}", dice.0);
    survives(rig, 10, &Value::Null, |_, _| {
        thread::sleep(Duration::from_millis(dice.below(1_200)));
        Ok(())
    })
}

/// Cuts the power `times` times, each time once `until` returns after a start, while `fault` applies to
/// the next token reply.
fn survives(
    rig: &Rig,
    times: usize,
    fault: &Value,
    mut until: impl FnMut(&Bench, Vec<u8>) -> Result<()>,
) -> Result<()> {
    let (clouds, _time, bench) =
        rig.signed_in("fitbit", &["--token-life", &TOKEN_LIFE.to_string()])?;
    let mut generation = settle(&mut bench.start()?, &clouds)?;
    let first = generation;
    for cut in 1..=times {
        if !fault.is_null() {
            clouds.fault("fitbit.token", 1, fault.clone())?;
        }
        // Wait until the access token expires.
        thread::sleep(Duration::from_secs(TOKEN_LIFE));
        let known = bench.chain_sectors()?;
        let board = bench.start()?;
        until(&bench, known)?;
        board.cut_power()?;
        if cut % IN_A_ROW == 0 || cut == times || !fault.is_null() {
            let now = settle(&mut bench.start()?, &clouds)?;
            ensure!(
                now >= generation,
                "generation {now} comes after {generation}"
            );
            generation = now;
        }
    }
    ensure!(generation > first, "no token was spent at all");
    Ok(())
}

/// Waits until an update has succeeded and board and cloud agree on the token; returns its generation.
fn settle(board: &mut Running<'_>, clouds: &Clouds) -> Result<u32> {
    let before = clouds.count("fitbit.heart")?;
    board.ask("poll")?;
    let ends = Instant::now() + BACK_WITHIN;
    loop {
        let status = board.whole_status()?;
        let failure = status.get("failure");
        let valid = active(clouds)?;
        let chain = status.chain();
        if let BoardChain::Held(chain) = &chain {
            ensure!(chain.standing != "refused", "the chain is lost: {chain}");
            let agree = chain.is_active() && valid == [chain.fingerprint.as_str()];
            if agree && failure.is_none() && clouds.count("fitbit.heart")? > before {
                return Ok(chain.generation);
            }
        }
        if Instant::now() > ends {
            bail!(
                "the board holds {chain:?} ({failure:?}), the cloud {valid:?}: {}",
                clouds.tokens("fitbit")?
            );
        }
        thread::sleep(Duration::from_millis(200));
    }
}

/// Returns the fingerprints of the refresh tokens that are active in the cloud.
fn active(clouds: &Clouds) -> Result<Vec<String>> {
    let tokens = clouds.tokens("fitbit")?;
    let refresh = tokens["refresh"].as_array().cloned().unwrap_or_default();
    Ok(refresh
        .iter()
        .filter(|token| token["state"] == "active")
        .filter_map(|token| token["fp"].as_str().map(str::to_owned))
        .collect())
}

/// Waits for `writes` writes to the chain's sectors, and then `longer_ms` milliseconds more. Changes
/// within five milliseconds count as one write. Fails if they do not come
/// within [`FIRST_CYCLE`].
fn wait_for_writes(bench: &Bench, mut known: Vec<u8>, writes: usize, longer_ms: u64) -> Result<()> {
    let ends = Instant::now() + FIRST_CYCLE;
    let mut seen = 0;
    let mut last = Instant::now();
    while seen < writes && Instant::now() < ends {
        let now = bench.chain_sectors()?;
        if now != known {
            if seen == 0 || last.elapsed() > Duration::from_millis(5) {
                seen += 1;
            }
            last = Instant::now();
            known = now;
        }
    }
    ensure!(
        seen >= writes,
        "the board wrote its chain {seen} times instead of {writes}"
    );
    thread::sleep(Duration::from_millis(longer_ms));
    Ok(())
}

/// Random numbers; the seed is printed, so that a failure can be investigated.
struct Dice(u64);

impl Dice {
    fn thrown() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        Self(since.map_or(1, |since| u64::from(since.subsec_nanos())))
    }

    /// Returns the next number below a bound (Knuth's linear congruential generator, its upper half).
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}
