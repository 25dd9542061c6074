//! The actions that a cycle asks its driver for.

use core::time::Duration;

use jiff::Timestamp;

use super::failure::Failure;
use crate::{dialect::ZoneFacts, request::Request};

/// The next action. See [the module](super) for the events to report afterwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Take the chain's lock, waiting for it at most this long, and read the store; if the lock is
    /// held already, only read.
    OpenChain {
        /// The longest wait.
        wait: Duration,
    },
    /// Write this record durably in place of the stored one. It holds tokens.
    Store {
        /// The length of the record, at the beginning of the buffer; 0, which has to fail, only if a
        /// chain outgrew its own bounds.
        len: usize,
        /// The content that is written.
        what: StoreWhat,
    },
    /// Release the chain's lock.
    CloseChain,
    /// Send this, follow no redirect, and report the reply.
    Send {
        /// The request.
        request: Request,
        /// The maximum duration of the whole exchange, in real time.
        timeout: Duration,
    },
    /// Find the zone's offsets around `at`, from the provider's facts or else from local knowledge.
    ResolveZone {
        /// The provider's facts about the zone.
        facts: ZoneFacts,
        /// The instant around which the offsets have to be right.
        at: Timestamp,
    },
    /// A cycle has ended: show its [reading](super::Cycle::reading), or report the failure.
    Finished(Result<(), Failure>),
    /// There is nothing to do before this time on the monotonic clock.
    Wait {
        /// The latest time for the next poll.
        until: Duration,
    },
}

/// The content that an [`Action::Store`] writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreWhat {
    /// The intent to send a refresh. Reserve room for the answer before confirming it.
    Intent,
    /// New tokens, which end the refresh.
    Tokens,
    /// The withdrawal of an intent: the refresh was not sent after all.
    Withdrawal,
    /// The provider's refusal of the chain.
    Refusal,
    /// An access token that nothing depends on.
    Cache,
}
