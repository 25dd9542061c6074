//! What Pulsewing decides, on every machine: when a token is renewed and stored, what is asked of a cloud,
//! and what its reply says of a wearer's heart.
//!
//! Nothing here opens a socket, reads a clock, touches a file or allocates. Whoever drives it hands over bytes
//! and the time, and carries out what comes back: the host program does (`pulsewing`), and the boards do
//! (`pulsewing-device`).
//!
//! It is not for pictures (`pulsewing-screen`), for keeping things (`pulsewing-store`, the host's files), or for
//! TLS and HTTP themselves.
//!
//! Where to start reading: [`cycle`], whose [`Cycle`](cycle::Cycle) is told events and says what to do next.
//!
//! | module | what |
//! |---|---|
//! | [`cycle`] | the state machine: renewing, fetching, pacing, failing, going on |
//! | [`chain`], [`tlv`] | a token chain and its record, which is made of fields; a new token has to be stored before it can be used |
//! | [`oauth`], [`request`] | signing in and refreshing; requests, and the heads of replies |
//! | [`dialect`], [`json`] | both clouds' replies, decoded in pieces of any size |
//! | [`instant`], [`civil`] | instants in texts; a zone's offsets and the days that follow from them |
//! | [`day`], [`reading`], [`heart_zone`], [`report`] | what is known of the wearer, and the original's report of it |
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

mod bpm;
pub mod chain;
pub mod civil;
pub mod cycle;
pub mod day;
pub mod dialect;
pub mod heart_zone;
pub mod instant;
pub mod json;
mod markup;
pub mod oauth;
mod provider;
pub mod reading;
pub mod report;
pub mod request;
mod secret;
pub mod tlv;

pub use bpm::Bpm;
pub use provider::{Provider, UnknownProvider};
pub use secret::{
    AccessToken, AuthorizationCode, ClientSecret, CodeVerifier, Fingerprint, RefreshToken,
    SecretError,
};
