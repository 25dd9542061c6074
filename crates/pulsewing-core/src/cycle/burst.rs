//! One burst of sends of the same refresh token, and its duration.

use core::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{around::Surroundings, failure::Failure};
use crate::{
    Provider,
    chain::Intent,
    oauth::{Answer, NoAnswer, ReplyDecoder},
    request::ReplyHead,
};

/// The time after the first send during which the same token is sent again.
const REPLAY_FOR: Duration = Duration::from_secs(110);

/// The maximum number of tries per cycle to refresh a chain that does not rotate.
const PLAIN_TRIES: u8 = 3;

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

    /// Ends the reply to the latest try, which may have failed.
    pub(super) fn take_answer(&mut self, failed: Option<NoAnswer>, provider: Provider) -> Answer {
        let mut reply = core::mem::take(&mut self.reply);
        let Some(head) = self.head.take() else {
            return Answer::Missing(failed.unwrap_or(NoAnswer::Disconnected));
        };
        if let Some(cause) = failed {
            reply.fail(cause);
        }
        reply.finish(head.status, provider.rotates())
    }

    /// Records that the latest try may have reached the server of a chain that rotates.
    pub(super) const fn expect_replay(&mut self) {
        if self.replay_until.is_none() {
            self.replay_until = Some(self.replay_limit);
        }
    }

    /// Returns when to send again to a server that may have answered, if there is time left.
    pub(super) fn replay_at(&self, up: Duration) -> Option<Duration> {
        let pause = match self.tries {
            ..=1 => 0,
            tries => 1_u64 << u32::from(tries - 1).min(4),
        };
        let at = up.saturating_add(Duration::from_secs(pause));
        self.replay_until.filter(|until| at <= *until).map(|_| at)
    }

    /// Returns when to send again for a chain that does not rotate. Nothing can be lost: a few tries,
    /// about a second apart, as far as limits allow.
    pub(super) fn plain_try_at(&self, around: &mut Surroundings<'_>) -> Option<Duration> {
        let (now, cap) = (around.now, around.settings.hourly_cap);
        let is_allowed = around.pacing.admit(now.utc, cap).is_ok();
        (is_allowed && self.tries < PLAIN_TRIES)
            .then(|| now.up.saturating_add(around.jitter.retry_pause(self.tries)))
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
