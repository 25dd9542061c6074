//! Pulsewing's store for many wearers and several collectors, in PostgreSQL 13 or later.
//!
//! It knows bytes and rows. What a chain's record says, what a state remembers and what a provider is
//! called are the caller's. It opens no file and reads no clock: in all that it decides, the time is the
//! server's, so that a collector's wrong clock has no effect.
//!
//! | item | contents |
//! |---|---|
//! | [`Database`] | the connections; everything below is its methods |
//! | `wearer.rs` | wearers, and the persons behind them |
//! | `listing.rs` | lists of them, by what somebody may know |
//! | `lease.rs` | who may work for a wearer, and when it is due |
//! | `chain.rs` | **token chains: who may write, and what a cut leaves behind** |
//! | `seal.rs` | the keys under which chains are sealed |
//! | `rekey.rs` | a new key for all chains; a restored backup |
//! | `state.rs` | what is remembered of a wearer |
//! | `days.rs`, `day_changes.rs` | the rows of the wearers' histories |
//! | `project.rs` | the limits that all wearers share |
//! | `access.rs`, `invitation.rs` | roles and the keys of the API; a sign-in by link |
//! | `tenancy.rs`, `audit.rs` | the wall between tenants; who looked at whose data |
//! | `migrate.rs` | the tables' versions |
//!
//! A collector's loop:
//!
//! ```no_run
//! # async fn collect(url: &str, tls: rustls::ClientConfig, keys: pulsewing_fleet::Keys)
//! # -> Result<(), pulsewing_fleet::Error> {
//! use std::time::Duration;
//! use pulsewing_fleet::{Database, Due, Options, Write};
//!
//! let database = Database::connect(url, tls, Options::default()).await?;
//! for mut lease in database.take_due(10).await? {
//!     if let Some(chain) = database.load_chain(&mut lease, &keys).await? {
//!         let intent = b"the record with an intent";
//!         database
//!             .store_chain(&mut lease, &keys, Write::Intent, chain.generation, intent)
//!             .await?;
//!         // Here the token is sent.
//!         let tokens = b"the record with the new tokens";
//!         database
//!             .store_chain(&mut lease, &keys, Write::Tokens, chain.generation + 1, tokens)
//!             .await?;
//!     }
//!     database.release(lease, Due::After(Duration::from_secs(900))).await?;
//! }
//! # Ok(())
//! # }
//! ```
//!
//! No transaction is held over anything but its own statements: a transaction is a list of them
//! (`database.rs`). In the hot path there is neither an advisory lock nor a notification.
#![deny(missing_docs)]
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]
#![forbid(unsafe_code)]

mod access;
mod address;
mod audit;
mod chain;
mod database;
mod day_changes;
mod days;
mod error;
mod hex;
mod invitation;
mod lease;
mod listing;
mod migrate;
mod project;
mod random;
mod rekey;
mod seal;
mod state;
mod statement;
mod tenancy;
mod wearer;

pub use access::{Access, OnceShown, Role, Scope};
pub use audit::AuditLine;
pub use chain::{Chain, Write};
pub use database::{Database, LONGEST_LEASE, Options};
pub use error::Error;
pub use lease::{Backlog, Due, LAST_CALL, Lease, Renewal};
pub use listing::{Count, Listed, Order};
pub use migrate::SCHEMA;
pub use project::{Grant, Limit, Priority};
pub use rekey::Rekeyed;
pub use seal::Keys;
pub use wearer::{NewWearer, Removal, Wearer, WearerChange, WearerId};
