//! Carries alarms.
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
mod form;
mod letter;
mod notice;
mod secret;
mod settings;
mod wording;

pub use address::AddressError;
pub use channel::{Channel, SettingsError, Wrong};
pub use notice::{Notice, SnoozeCall};
pub use secret::SecretError;
pub use settings::{Detail, SendSettings, To};
