//! What is known now.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp, civil::Time, tz::TimeZone};
use pulsewing_core::{
    Provider,
    cycle::Failure,
    reading::{Absence, Freshness, LONG_AGO, Reading},
};

use crate::{
    engine::Activity,
    tell::problem::{Exit, Problem},
};

/// What is known now: one value for everybody who shows something.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot {
    /// Whose dialect is spoken.
    pub provider: Provider,
    /// The newest reading; from before the start until an update succeeds.
    pub reading: Option<Arc<Reading>>,
    /// Whether that reading is from memory: the newest update failed, perhaps before the start.
    pub is_from_memory: bool,
    /// What the newest update failed with.
    pub failed_update: Option<FailedUpdate>,
    /// What the program is doing.
    pub activity: Activity,
    /// When an update last ended, well or not.
    pub last_update: Option<Timestamp>,
    /// When one last succeeded.
    pub last_success: Option<Timestamp>,
    /// When the next one is due; nothing while nothing is asked of the provider before somebody has done
    /// something, such as sign in.
    pub next_update: Option<Timestamp>,
    /// How far the fetching of missing days has come, while there are any.
    pub repair: Option<Repair>,
    /// The poll interval.
    pub every: SignedDuration,
}

/// How a heart rate is to look, wherever it is shown: an old one does not look new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// The rate first, in its zone's colour.
    Fresh,
    /// Its age first; what the rate was, without colour.
    Old,
    /// Its age alone; what the rate was is an aside.
    LongAgo,
}

impl Look {
    /// The word in the page's mark-up.
    #[must_use]
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Old => "old",
            Self::LongAgo => "long-ago",
        }
    }
}

/// How far the fetching of missing days has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Repair {
    /// How many days were fetched.
    pub done: usize,
    /// How many there are to fetch in all.
    pub total: usize,
}

/// What stands in the way, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FailedUpdate {
    /// The cycle's own word.
    pub failure: Failure,
    /// What kind of trouble it is.
    pub exit: Exit,
    /// What happened, in one plain sentence.
    pub message: String,
    /// The same in technical words, and what caused it.
    pub details: Option<String>,
    /// What to do next, if there is something.
    pub hint: Option<String>,
}

impl FailedUpdate {
    /// What an update failed with.
    #[must_use]
    pub(crate) fn new(failure: Failure, problem: &Problem) -> Self {
        Self {
            failure,
            exit: problem.exit(),
            message: problem.message().to_owned(),
            details: problem.in_detail(),
            hint: problem.hints().first().cloned(),
        }
    }

    /// Whether somebody has to sign in.
    #[must_use]
    pub(crate) fn wants_sign_in(&self) -> bool {
        self.exit == Exit::ConsentNeeded || self.failure == Failure::Gone
    }
}

impl Snapshot {
    /// What is known before anything happened.
    #[must_use]
    pub(crate) const fn new(provider: Provider, every: SignedDuration) -> Self {
        Self {
            provider,
            reading: None,
            is_from_memory: true,
            failed_update: None,
            activity: Activity::Waiting,
            last_update: None,
            last_success: None,
            next_update: None,
            repair: None,
            every,
        }
    }

    /// What the wearer's clock shows at the first full minute from an instant; the machine's, while
    /// nobody knows the wearer's.
    #[must_use]
    pub(crate) fn clock_at(&self, at: Timestamp) -> Time {
        let minute = at.as_second().div_euclid(60) + i64::from(at.as_second() % 60 != 0);
        let at = Timestamp::from_second(minute * 60).unwrap_or(at);
        match &self.reading {
            Some(reading) => reading.time_zone.offsets.local(at).time(),
            None => TimeZone::system().to_datetime(at).time(),
        }
    }

    /// How much the reading says about the present. Whatever stands in the way of updates, what is
    /// shown is from memory.
    #[must_use]
    pub(crate) fn freshness(&self, now: Timestamp) -> Option<Freshness> {
        let reading = self.reading.as_ref()?;
        let is_from_memory = self.is_from_memory || self.failed_update.is_some();
        Some(reading.freshness(now, self.every, is_from_memory))
    }

    /// Why there is no newer minute; `None` while it is as new as can be expected, or the last update
    /// failed, which [`failed_update`](Self::failed_update) tells of.
    #[must_use]
    pub(crate) fn absence(&self, now: Timestamp) -> Option<Absence> {
        match self.freshness(now)? {
            Freshness::Fresh | Freshness::Cached => None,
            Freshness::Stale | Freshness::Silent => Some(self.reading.as_ref()?.absence()),
        }
    }

    /// How the heart rate is to look; `None` without one.
    #[must_use]
    pub(crate) fn look(&self, now: Timestamp) -> Option<Look> {
        let age = self.reading.as_ref()?.age(now)?;
        Some(match self.freshness(now)? {
            _ if age >= LONG_AGO => Look::LongAgo,
            Freshness::Fresh => Look::Fresh,
            Freshness::Stale | Freshness::Silent | Freshness::Cached => Look::Old,
        })
    }
}
