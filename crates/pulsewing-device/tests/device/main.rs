//! The whole device in simulation: modelled peripherals, a modelled cloud, virtual time.
//!
//! `rig.rs` is the test rig on which a device runs, `peripherals.rs` models what it is wired to.
//! Nothing sleeps: when every part waits, the clock jumps to the next deadline.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on has failed; clippy only knows so of the test functions themselves"
)]
#![expect(
    clippy::single_range_in_vec_init,
    reason = "a list of one range is meant"
)]

mod peripherals;
mod rig;

mod alarms;
mod button;
mod console;
mod damage;
mod first_boot;
mod light;
mod network;
mod power;
mod states;
mod time;
mod tokens;
mod watchdog;
mod week;

// The core's cycle is tested against the same clouds.
use pulsewing_testkit::{cloud, grants};
