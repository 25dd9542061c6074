//! The endpoint and the subscriber against Google's side, which the sandbox plays.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on says so by panicking"
)]

mod endpoint;
mod http;
mod keys;
mod notifications;
mod redelivery;
mod subscribing;
mod world;
