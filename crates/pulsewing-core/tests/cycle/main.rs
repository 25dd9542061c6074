//! The cycle in virtual time, against a modelled store and cloud: no network, no disk, no sleep.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed; clippy only knows so of the test functions themselves"
)]
#![expect(
    clippy::single_range_in_vec_init,
    reason = "a list of one range is meant"
)]

mod clocks;
mod custody;
mod data_calls;
mod deadline;
mod heart_zones;
mod ledger;
mod limits;
mod lost_replies;
mod machine;
mod model;
mod not_believed;
mod past_days;
mod rests;
mod rules;
mod store;
mod storing;
mod stray_events;
mod unauthorized;
mod world;
mod zone;

// The device is tested against the same clouds.
use pulsewing_testkit::{cloud, grants};
