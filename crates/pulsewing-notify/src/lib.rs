//! Carries alarms to people and programs.
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )
)]

mod address;
mod channel;
mod secret;
mod settings;

pub use address::AddressError;
pub use channel::{Channel, SettingsError, Wrong};
pub use secret::SecretError;
pub use settings::{Detail, SendSettings, To};
