//! When the next update comes, or why none does.

use jiff::Timestamp;
use pulsewing_core::chain::{Record, Standing};

use crate::custody::state_file::State;

/// When the next update comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Then.
    At(Timestamp),
    /// A daemon has just been started.
    Soon,
    /// Not without somebody who asks: no daemon runs. A program that asks by itself may want to know when
    /// there will be something newer.
    IfAsked(Option<Timestamp>),
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
        let at = state.next_update.filter(|at| *at < Timestamp::MAX);
        match (at, &state.last_error) {
            _ if !is_daemon_running => Self::IfAsked(at),
            (Some(at), _) => Self::At(at),
            (None, Some(_)) => Self::Never("see the last error"),
            (None, None) => Self::Soon,
        }
    }

    /// The time, if there is one.
    pub(super) const fn at(self) -> Option<Timestamp> {
        match self {
            Self::At(at) => Some(at),
            Self::IfAsked(at) => at,
            Self::Soon | Self::Never(_) => None,
        }
    }
}
