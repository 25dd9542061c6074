//! Notifications of the Google Health API (Webhooks): what an endpoint answers, and the requests
//! that have Google send them.
//!
//! It opens no socket and reads no clock: bytes and times are arguments, requests and verdicts are
//! values. It does not know wearers either. A notification names somebody by their `healthUserId`;
//! whether that is anybody, its caller looks up.
//!
//! ```text
//!  Google ──POST──▶ endpoint ── receive(secret, headers, body, now, keys) ──▶ Outcome ── status
//!                                                                   │
//!  keyset ◀──GET── Keys::poll_fetch        Accepted: whose data of which type changed, and when
//! ```
//!
//! # The endpoint
//!
//! [`receive`] judges every `POST`, and [`Outcome::status`] is what to answer. A notification only
//! wakes: it has no values, comes in any order, repeats, and may be lost. [`Keys`] holds the public
//! keys and says when to fetch [`KEYSET_URL`].
//!
//! ```
//! use pulsewing_webhook::{Headers, Keys, Outcome, Secret, receive};
//!
//! let secret = Secret::from_random(&[7; 32]);
//! let mut keys = Keys::new();
//! let now = "2026-11-22T14:00:00Z".parse()?;
//! let headers = Headers {
//!     authorization: Some(secret.expose().as_bytes()),
//!     signature: None,
//! };
//! let body = br#"{"type":"verification"}"#;
//! let outcome = receive(&secret, headers, body, now, &mut keys);
//! assert_eq!((outcome.status(), outcome), (201, Outcome::Verification));
//! # Ok::<(), jiff::Error>(())
//! ```
//!
//! # Subscribing
//!
//! A [`ServiceAccount`] asks for a [`CloudToken`]; [`subscriber`] makes the requests, and
//! [`answer`] reads what comes. Google verifies the endpoint while it answers, so that must be
//! served before.
//!
//! # Bounds
//!
//! Whatever bytes come, memory is a small multiple of [`MAX_BODY`], and nothing panics.
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

pub mod answer;
mod key_file;
mod keys;
mod keyset;
mod notification;
mod protobuf;
mod receive;
mod request;
mod secret;
mod service_account;
pub mod subscriber;

pub use key_file::KeyFileError;
pub use keys::Keys;
pub use keyset::KeysetError;
pub use notification::{MAX_NOTIFICATIONS, Notification, Notifications, Operation, Range};
pub use receive::{Headers, MAX_BODY, Outcome, Refusal, SIGNATURE_HEADER, receive};
pub use request::{Method, Request};
pub use secret::{Secret, SecretError};
pub use service_account::{CloudToken, ServiceAccount, SigningError, TokenError, TokenRequest};

/// Where Google publishes the keys that sign notifications (Google Health API, Webhooks).
pub const KEYSET_URL: &str =
    "https://www.gstatic.com/googlehealthapi/webhooks/webhooks_public_keyset.json";

/// The longest answer to a fetch of [`KEYSET_URL`] that is read, in bytes.
pub const MAX_KEYSET: usize = keyset::MAX_KEYSET;

/// Where a [`Request`] goes.
pub const API_ORIGIN: &str = "https://health.googleapis.com";
