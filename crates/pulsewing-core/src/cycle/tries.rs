//! The tries of one call.

use core::time::Duration;

use super::{Now, around::Surroundings};

/// The maximum number of tries of a call that gets no answer.
const TRIES: u8 = 3;

/// The tries of one call, and the pause before the next one.
#[derive(Debug)]
pub(super) struct Tries {
    /// The number of tries without an answer.
    failed: u8,
    pause_until: Option<Duration>,
}

impl Tries {
    pub(super) const fn new() -> Self {
        Self {
            failed: 0,
            pause_until: None,
        }
    }

    /// Returns the end of the pause, unless it is over.
    pub(super) fn pauses_until(&mut self, up: Duration) -> Option<Duration> {
        self.pause_until = self.pause_until.filter(|until| up < *until);
        self.pause_until
    }

    /// Pauses for a second or so after a try without an answer. Returns whether another may follow.
    pub(super) fn pause(&mut self, around: &mut Surroundings<'_>) -> bool {
        self.failed = self.failed.saturating_add(1);
        let pause = around.jitter.retry_pause(self.failed);
        let up = around.now.up.saturating_add(pause);
        let may_follow = self.failed < TRIES && around.settings.may_try(Now { up, ..around.now });
        self.pause_until = may_follow.then_some(up);
        may_follow
    }
}
