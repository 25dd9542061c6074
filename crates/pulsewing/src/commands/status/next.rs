//! The time of the next update, or the reason why there is none.

use jiff::Timestamp;
use pulsewing_core::chain::{Record, Standing};

use crate::custody::state_file::State;

/// The time of the next update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// At this time.
    At(Timestamp),
    /// A daemon has just been started.
    Soon,
    /// Only on request, because no daemon runs. The time, for programs that want to ask, is when
    /// newer data is expected.
    IfAsked(Option<Timestamp>),
    /// Not by itself, for this reason.
    Never(&'static str),
}

impl Next {
    /// Determines the next update from the sign-in, the state after the last update, and the
    /// presence of a daemon.
    pub(super) fn new(record: Option<&Record>, state: &State, is_daemon_running: bool) -> Self {
        match record.map(|record| record.chain.standing()) {
            None => return Self::Never("nobody is signed in"),
            Some(Standing::Moving) => return Self::Never("the sign-in was moved to a board"),
            Some(Standing::Refused) => return Self::Never("the provider refused the sign-in"),
            Some(Standing::Active) => {}
        }
        let at = state.next_update.filter(|at| *at < Timestamp::MAX);
        match (at, &state.last_error) {
            _ if !is_daemon_running => Self::IfAsked(at),
            (Some(at), _) => Self::At(at),
            (None, Some(_)) => Self::Never("see the last error"),
            (None, None) => Self::Soon,
        }
    }

    /// Returns the time, if there is one.
    pub(super) const fn at(self) -> Option<Timestamp> {
        match self {
            Self::At(at) => Some(at),
            Self::IfAsked(at) => at,
            Self::Soon | Self::Never(_) => None,
        }
    }
}
