//! What the board needs.

use std::time::Duration;

use super::{Check, ensure};
use crate::qemu::Rig;
use crate::qemu::board::Power;
use crate::qemu::time_server::TimeServer;

pub(super) const CHECKS: &[Check] = &[Check {
    name: "a whole cycle with TLS needs at most 110 KB of heap",
    run: a_cycle_needs_little_heap,
}];

/// The most heap that may ever be in use, in bytes.
const MOST_HEAP: usize = 110 * 1_024;

fn a_cycle_needs_little_heap(rig: &Rig<'_>) -> Result<(), String> {
    let clouds = rig.clouds(&[])?;
    let time = TimeServer::start()?;
    let bench = rig.signed_in(&clouds, &time, "fitbit", &[])?;
    let mut board = bench.start_with(Power {
        count: true,
        ..Power::default()
    })?;
    board.ask("poll")?;
    let limit = Duration::from_secs(90);
    board.wait_for_status("last success", limit, |value| value != "none")?;
    let heap = board.status("heap")?.unwrap_or_default();
    let instructions = board.status("instructions")?.unwrap_or_default();
    println!("heap (used, peak, total): {heap}; instructions since the start: {instructions}");
    let peak = heap
        .split(' ')
        .nth(1)
        .and_then(|number| number.parse::<usize>().ok());
    let peak = peak.ok_or_else(|| format!("no figures in \"{heap}\""))?;
    ensure(peak > 0 && peak <= MOST_HEAP, || {
        format!("{peak} bytes of heap were in use")
    })
}
