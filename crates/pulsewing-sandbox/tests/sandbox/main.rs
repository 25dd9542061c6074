//! Drives a running sandbox over loopback, as its clients do.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on says so by panicking"
)]

mod chosen_wearer;
mod consent;
mod control;
mod faults;
mod fitbit;
mod google;
mod harness;
mod others;
mod page;
mod parameters;
mod rollup;
mod rotation;
mod sketch;
mod transport;
mod wearers;
mod wearing;
mod webhooks;
mod zones;
