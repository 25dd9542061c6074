//! One burst of sends of the same refresh token, and how long it lasts.

use core::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::failure::Failure;
use crate::{chain::Intent, oauth::ReplyDecoder, request::ReplyHead};

/// How long after the first send the same token is sent again.
const REPLAY_FOR: Duration = Duration::from_secs(110);

/// One burst of sends of the same token.
#[derive(Debug)]
pub(super) struct Sending {
    pub(super) tries: u8,
    /// What the latest try came to instead of an answer.
    pub(super) failure: Option<Failure>,
    /// Until when the same token is sent again; set once a try may have reached the server.
    pub(super) replay_until: Option<Duration>,
    /// Until when the same token would be sent again if the first try reached the server.
    pub(super) replay_limit: Duration,
    /// When it is sent again, during the pause before that.
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

/// How much is left of the replays of an intent, if it is not too old (or from a clock ahead).
pub(super) fn replay_left(intent: Intent, now: Timestamp) -> Option<Duration> {
    let since = now.duration_since(intent.first_sent_at);
    if since < SignedDuration::ZERO {
        return None;
    }
    REPLAY_FOR.checked_sub(since.unsigned_abs())
}
