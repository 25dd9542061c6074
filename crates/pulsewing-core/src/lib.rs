//! Pulsewing's decisions, the same on every machine: when to renew and store a token, what to ask a
//! cloud for, and what its reply says about the wearer's heart.
//!
//! Nothing here opens a socket, reads a clock, touches a file or allocates. The driver hands over bytes
//! and the time, and carries out the actions that it gets back. The drivers are the host program
//! (`pulsewing`) and the boards (`pulsewing-device`).
//!
//! Not in here: pictures (`pulsewing-screen`), storage (`pulsewing-store`, the host's files), TLS and
//! HTTP.
//!
//! Start reading with [`cycle`]: its [`Cycle`](cycle::Cycle) takes events and returns the next action.
//!
//! | module | what |
//! |---|---|
//! | [`cycle`] | the state machine: renewing, fetching, pacing, failing, recovering |
//! | [`chain`], [`tlv`] | a token chain and its record of fields; a new token has to be stored before it can be used |
//! | [`oauth`], [`request`] | signing in and refreshing; requests and the heads of replies |
//! | [`dialect`], [`json`] | both clouds' replies, decoded in pieces of any size |
//! | [`instant`], [`civil`] | parsing of instants; a zone's offsets and the days that follow from them |
//! | [`day`], [`reading`], [`heart_zone`], [`report`] | the wearer's data, and the original's report of it |
//! | [`look`] | theme, palette and night, as users choose them |
//! | [`alarm`] | what somebody has to hear of, and when |
#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::cast_possible_truncation
    )
)]

pub mod alarm;
mod bpm;
pub mod chain;
pub mod civil;
pub mod cycle;
pub mod day;
pub mod dialect;
pub mod heart_zone;
pub mod instant;
pub mod json;
pub mod look;
mod markup;
pub mod oauth;
mod provider;
pub mod reading;
pub mod report;
pub mod request;
mod secret;
pub mod tlv;
pub mod trend;

pub use bpm::Bpm;
pub use provider::{Provider, UnknownProvider};
pub use secret::{
    AccessToken, AuthorizationCode, ClientSecret, CodeVerifier, Fingerprint, RefreshToken,
    SecretError,
};
