//! Whether a wearer is signed in, in one word.

use pulsewing_core::{
    chain::{Record, Standing as ChainStanding},
    cycle::{FailureKind, StoreTrouble},
};
use serde::Serialize;

use super::{Loaded, Unavailable, chain_file::ChainFile, state_file::State};
use crate::config::places::Place;

/// Whether a wearer is signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Standing {
    /// Nobody is signed in.
    New,
    /// The sign-in works, as far as is known.
    SignedIn,
    /// Somebody has to sign in again.
    SignInNeeded,
    /// The sign-in was moved to a board, or is on its way there.
    Moved,
    /// The provider's service was switched off.
    Gone,
}

impl Standing {
    /// Returns the standing of the wearer whose files are at this place.
    pub(crate) fn at(place: &Place) -> Self {
        // Without the state, the sign-in alone counts.
        let state = State::load(&place.dir).unwrap_or_default();
        let record = match ChainFile::new(place.clone()).look() {
            Ok(Loaded { record, .. }) => record,
            Err(Unavailable {
                trouble: StoreTrouble::Damaged,
                ..
            }) => return Self::SignInNeeded,
            // There is one, though it cannot be read now.
            Err(_) => return Self::SignedIn,
        };
        match record {
            Some(record) => Self::of_chain(&record, &state),
            None if state.is_moved => Self::Moved,
            None => Self::New,
        }
    }

    fn of_chain(record: &Record, state: &State) -> Self {
        let trouble = state.last_trouble.as_deref().and_then(FailureKind::named);
        match (record.chain.standing(), trouble) {
            (ChainStanding::Refused, _) => Self::SignInNeeded,
            (ChainStanding::Moving, _) => Self::Moved,
            (ChainStanding::Active, Some(FailureKind::ConsentNeeded)) => Self::SignInNeeded,
            (ChainStanding::Active, Some(FailureKind::Gone)) => Self::Gone,
            (ChainStanding::Active, _) => Self::SignedIn,
        }
    }

    /// Returns the standing with this word for programs.
    #[cfg(feature = "fleet")]
    pub(crate) fn named(word: &str) -> Option<Self> {
        Some(match word {
            "new" => Self::New,
            "signed-in" => Self::SignedIn,
            "sign-in-needed" => Self::SignInNeeded,
            "moved" => Self::Moved,
            "gone" => Self::Gone,
            _ => return None,
        })
    }

    /// Returns its words for people.
    pub(crate) const fn in_words(self) -> &'static str {
        match self {
            Self::New => "not signed in",
            Self::SignedIn => "signed in",
            Self::SignInNeeded => "has to sign in again",
            Self::Moved => "moved to a board",
            Self::Gone => "signed in to a service that was switched off",
        }
    }
}
