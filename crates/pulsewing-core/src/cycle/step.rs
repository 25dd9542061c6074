//! The steps of fetching, one call each.

use jiff::civil::Date;

use super::failure::CallName;
use crate::{day::Day, dialect::google};

/// The current step of fetching.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Idle,
    Zone,
    ResolvingZone,
    Heart(Heart),
    Devices,
    Resting,
}

/// The heart rate to ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heart {
    /// Google: today's range, from trackers and watches.
    Wearables,
    /// Google: today's range, from every source.
    AllSources,
    /// Google: the part of the last 24 hours before that range.
    Earlier(google::SourceFamily),
    /// Fitbit: today, as its cloud understands it.
    Today,
    /// Fitbit: the day before.
    Yesterday,
}

impl Heart {
    /// Returns the date to ask for if today is `day`.
    pub(super) fn date(self, day: &Day) -> Date {
        let today = day.local().date();
        match self {
            Self::Yesterday => today.yesterday().unwrap_or(today),
            _ => today,
        }
    }
}

impl Step {
    pub(super) const fn call(self) -> CallName {
        match self {
            Self::Zone | Self::ResolvingZone | Self::Idle => CallName::Zone,
            Self::Heart(_) => CallName::Heart,
            Self::Devices => CallName::Devices,
            Self::Resting => CallName::Resting,
        }
    }

    /// Returns whether a cycle fails without this step's reply. Completing the window beyond today's
    /// range is optional.
    pub(super) const fn is_vital(self) -> bool {
        matches!(
            self,
            Self::Heart(Heart::Wearables | Heart::AllSources | Heart::Today)
        )
    }
}
