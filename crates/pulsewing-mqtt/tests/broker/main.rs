//! The bridge against Mosquitto; an independent client judges what the broker has.
#![forbid(unsafe_code)]
#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by panicking"
)]

mod household;
mod outage;
mod past;
mod running;
mod secure;
mod speech;
