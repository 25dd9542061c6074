//! When the next update comes, or why none does.

use jiff::Timestamp;
use pulsewing_core::chain::{Record, Standing};

use crate::state_file::State;

/// When the next update comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Then.
    At(Timestamp),
    /// A daemon has just been started.
    Soon,
    /// Not by itself, for this reason.
    Never(&'static str),
}

impl Next {
    /// What follows from the sign-in, from what the last update left behind, and from whether a daemon
    /// runs.
    pub(super) fn new(record: Option<&Record>, state: &State, is_daemon_running: bool) -> Self {
        match record.map(|record| record.chain.standing()) {
            None => return Self::Never("nobody is signed in"),
            Some(Standing::Moving) => return Self::Never("the sign-in was moved to a board"),
            Some(Standing::Refused) => return Self::Never("the provider refused the sign-in"),
            Some(Standing::Active) => {}
        }
        if !is_daemon_running {
            return Self::Never("no daemon runs; `pulsewing run` or `pulsewing once` updates");
        }
        match (state.next_update, &state.last_error) {
            (Some(at), _) if at < Timestamp::MAX => Self::At(at),
            (_, Some(_)) => Self::Never("see the last error"),
            (_, None) => Self::Soon,
        }
    }

    /// The time, if there is one.
    pub(super) const fn at(self) -> Option<Timestamp> {
        match self {
            Self::At(at) => Some(at),
            Self::Soon | Self::Never(_) => None,
        }
    }
}
