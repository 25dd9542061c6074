//! Carries alarms to people and programs: ntfy, Gotify, Pushover, webhooks; and a dead man's ping, which
//! others miss when Pulsewing itself is dead.
//!
//! It decides nothing about alarms: the core does, and its caller words the signals as [`Notice`]s. It is no
//! medical device: what it says is of a quarter of an hour ago and older, and each message says how old.
//!
//! ```text
//!               ┌▶ queue ─▶ delivery: sift, hour, four tries ─▶ form ─▶ carrier ─▶ ntfy
//! notices ─▶ Outbox
//!               └▶ queue ─▶ delivery …                                          ─▶ Gotify
//!                              │
//!                              └─ told.json: who has heard of what
//! ```
//!
//! # Contract
//! - [`Outbox::tell`] and [`Ping::beat`] return at once, whatever the servers do. Each channel has a task and a
//!   bounded queue of its own, so that a dead one delays no other.
//! - A request has 10 seconds. It is sent again, the same, after 2, 10 and 60 seconds, or after the pause that
//!   the server asks for. What the server refuses is not sent again.
//! - No more than 20 messages an hour go over a channel; what is left is one line for each alarm, in one message.
//! - That an alarm is over or acknowledged is told only where the alarm was told of.
//! - [`Detail`] is kept in every part of a request. Tokens, topics and addresses are in no log, no error and no
//!   `Debug`.
//!
//! # Example
//! ```
//! use std::{path::Path, sync::Arc, time::Duration};
//!
//! use jiff::Timestamp;
//! use pulsewing_notify::{Channel, Notice, Outbox, SendSettings, client};
//!
//! # async fn example(tls: rustls::ClientConfig, notice: Notice) -> Result<(), Box<dyn std::error::Error>> {
//! let settings: SendSettings = toml::from_str(
//!     r#"
//!     to = "ntfy"
//!     url = "https://ntfy.sh"
//!     topic = "pulse-8Kc2vXw0"
//!     "#,
//! )?;
//! let channels = Channel::all(&[settings], Path::new("/etc/pulsewing"))?;
//! let memory = Path::new("/var/lib/pulsewing/told.json");
//! let outbox = Outbox::start(channels, client(tls)?, memory, Arc::new(Timestamp::now));
//! outbox.tell([notice]);
//! outbox.test("ntfy").await?;
//! for report in outbox.reports() {
//!     for (result, count) in report.counts.by_result() {
//!         println!("{} {result} {count}", report.channel);
//!     }
//! }
//! outbox.close(Duration::from_secs(10)).await;
//! # Ok(())
//! # }
//! ```
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
mod ping;
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
pub use ping::{Ping, PingUrl, PingUrlError};
pub use secret::SecretError;
pub use settings::{Detail, SendSettings, To};
pub use tally::Counts;
pub use verdict::Failure;
