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
mod attempt;
mod carrier;
mod channel;
mod delivery;
mod form;
mod hour;
mod letter;
mod notice;
mod outbox;
mod queue;
mod secret;
mod settings;
mod tally;
mod told;
mod verdict;
mod wording;

pub use address::AddressError;
pub use carrier::{ClientError, client};
pub use channel::{Channel, SettingsError, Wrong};
pub use notice::{Notice, SnoozeCall};
pub use outbox::{Clock, Outbox, Report, TestError};
pub use secret::SecretError;
pub use settings::{Detail, SendSettings, To};
pub use tally::Counts;
pub use verdict::Failure;
