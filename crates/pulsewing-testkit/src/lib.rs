//! What the tests of several crates share: a model of the clouds, readings, failures, and pictures to compare.
//!
//! A dev-dependency and nothing else: no program and no library contains it. It is built on the core and the
//! screen, so a unit test of the core cannot use its readings, nor one of the screen its frames: they would be
//! those of another build of the same crate, and so of other types. Their `tests` and `benches` can.
//!
//! | module | contents |
//! |---|---|
//! | [`cloud`] | a model of both clouds, with rotation and replays; start reading here |
//! | [`grants`] | its table of tokens, written from the providers' documents |
//! | [`bodies`] | reply bodies of a whole day, in the providers' shapes |
//! | [`chunks`], [`damage`] | bodies in pieces, whole and damaged; damage to files |
//! | [`readings`], [`wearer`] | one builder of readings, and a synthetic wearer of days |
//! | [`failures`] | every failure once |
//! | [`golden`], [`pictures`] | comparing with stored pictures, and frames to draw on |
//! | [`mqtt`] | Mosquitto as a broker, and an independent client that sees what it has |
//! | [`traffic`] | what a picture costs on a panel's bus |

#![forbid(unsafe_code)]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on has failed"
)]
#![expect(
    clippy::single_range_in_vec_init,
    reason = "a list of one range is meant"
)]

pub mod bodies;
pub mod chunks;
pub mod cloud;
pub mod damage;
pub mod failures;
pub mod golden;
pub mod grants;
pub mod mqtt;
pub mod pictures;
pub mod readings;
pub mod sight;
pub mod traffic;
pub mod wearer;

use jiff::Timestamp;

/// Reads an instant, as in `at("2026-11-22T12:00:00Z")`.
///
/// # Panics
///
/// If it is none.
#[must_use]
pub fn at(instant: &str) -> Timestamp {
    instant.parse().unwrap()
}
