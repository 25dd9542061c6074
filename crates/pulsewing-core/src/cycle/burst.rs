//! One burst of sends of the same refresh token, and its duration.

use core::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::failure::Failure;
use crate::{chain::Intent, oauth::ReplyDecoder, request::ReplyHead};

/// The time after the first send during which the same token is sent again.
const REPLAY_FOR: Duration = Duration::from_secs(110);

/// One burst of sends of the same token.
#[derive(Debug)]
pub(super) struct Sending {
    pub(super) tries: u8,
    /// The failure of the latest try.
    pub(super) failure: Option<Failure>,
    /// The end of the replays of the same token; set once a try may have reached the server.
    pub(super) replay_until: Option<Duration>,
    /// The end of the replays if the first try reached the server.
    pub(super) replay_limit: Duration,
    /// The time of the next send, during the pause before it.
    pub(super) again_at: Option<Duration>,
    pub(super) head: Option<ReplyHead>,
    pub(super) reply: ReplyDecoder,
}

impl Sending {
    pub(super) fn new(up: Duration) -> Self {
        Self {
            tries: 0,
            failure: None,
            replay_until: None,
            replay_limit: up.saturating_add(REPLAY_FOR),
            again_at: None,
            head: None,
            reply: ReplyDecoder::new(),
        }
    }
}

/// Returns the time left for the replays of an intent, unless it is too old (or from a clock ahead).
pub(super) fn replay_left(intent: Intent, now: Timestamp) -> Option<Duration> {
    let since = now.duration_since(intent.first_sent_at);
    if since < SignedDuration::ZERO {
        return None;
    }
    REPLAY_FOR.checked_sub(since.unsigned_abs())
}
