//! Pulsewing's sans-IO core.
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
pub mod oauth;
mod provider;
pub mod reading;
pub mod report;
pub mod request;
mod secret;

pub use bpm::Bpm;
pub use provider::{Provider, UnknownProvider};
pub use secret::{
    AccessToken, AuthorizationCode, ClientSecret, CodeVerifier, Fingerprint, RefreshToken,
    SecretError,
};
