//! Passes a reply from the web port to the cycle.

use jiff::{SignedDuration, Timestamp};
use pulsewing_core::{cycle::Cycle, request::ReplyHead};

use crate::{
    instruction_counts::{InstructionCounts, Work},
    ports::{Reply, System},
};

/// Hands a reply to the cycle as it arrives.
pub(super) struct Receiver<'c, S> {
    pub(super) cycle: &'c mut Cycle,
    pub(super) now: Timestamp,
    /// How far the server's clock is ahead of ours, if the server reports a time.
    pub(super) drift: Option<SignedDuration>,
    pub(super) system: &'c S,
    pub(super) instruction_counts: &'c InstructionCounts,
}

impl<S: System> Reply for Receiver<'_, S> {
    fn now(&self) -> Timestamp {
        self.now
    }

    fn head(&mut self, head: ReplyHead) {
        self.cycle.reply_head(head);
    }

    fn body(&mut self, chunk: &[u8]) {
        let Self { cycle, system, .. } = self;
        self.instruction_counts
            .measure(*system, Work::Decode(chunk.len()), || {
                cycle.reply_body(chunk);
            });
    }

    fn date(&mut self, date: Timestamp) {
        self.drift = Some(date.duration_since(self.now));
    }
}
