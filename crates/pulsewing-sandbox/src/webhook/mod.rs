//! Google's webhooks (Google Health API, Webhooks): who is notified, of what, and until when.
//!
//! ```text
//!  clock passes a sync ── arrivals ──▶ notices ── queue ──▶ deliveries ── courier ──▶ endpoint
//!                                                             ▲                          │
//!                                                             └── later, if not 204 ─────┘
//! ```
//!
//! `subscriber` has the endpoints, `arrivals` finds out whose data has come, `queue` decides what is
//! sent when, `signing` has the keys, `post` sends, and `courier` is the task that does all this in
//! the sandbox's time. The calls that manage subscribers are in Google's front.

mod arrivals;
mod courier;
mod notice;
mod post;
mod queue;
mod signing;
mod subscriber;

use jiff::Timestamp;
use serde_json::Value;

use self::{arrivals::Arrivals, queue::Queue};
pub(crate) use self::{
    courier::run,
    post::{Probe, Proof, is_allowed},
    signing::{OldKey, SigningKeys},
    subscriber::{Config, State, Subscriber, Subscribers},
};

/// Everything about webhooks.
#[derive(Debug, Default)]
pub(crate) struct Webhooks {
    pub(crate) subscribers: Subscribers,
    pub(crate) keys: SigningKeys,
    arrivals: Arrivals,
    queue: Queue,
}

impl Webhooks {
    /// Notes that data may have arrived although no sync was due: a setting was changed.
    pub(crate) fn look_again(&mut self) {
        self.arrivals.look_again();
    }

    /// Adds a verified subscriber. What arrives from now on is notified.
    pub(crate) fn add(&mut self, subscriber: Subscriber, now: Timestamp) {
        if self.subscribers.all().next().is_none() {
            self.arrivals.begin(now);
        }
        self.subscribers.add(subscriber);
    }

    /// Returns every delivery, oldest first, as returned by `GET /_sandbox/notifications`.
    pub(crate) fn describe(&self) -> Value {
        self.queue.describe()
    }
}

/// The number of the project that the registered app belongs to.
pub(crate) const PROJECT_NUMBER: &str = "100200300400";
