//! The daemon's current state.

use std::sync::Arc;

use jiff::{
    SignedDuration, Timestamp,
    civil::{DateTime, Time},
    tz::TimeZone,
};
use pulsewing_core::{
    Provider,
    alarm::Updates,
    civil::Offsets,
    cycle::{Failure, FailureKind},
    day::{Day, Sample},
    reading::{Absence, Freshness, LONG_AGO, Reading},
};
use pulsewing_history::History;
use serde::Serialize;

use super::{
    pushed::{Live, Pushed},
    remembered::day_before,
};
use crate::{alarms::Shown, custody::state_file::State, engine::Activity};

/// The daemon's current state, shared by all views.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot {
    /// The provider whose dialect is spoken.
    pub provider: Provider,
    /// The newest reading; until an update succeeds, the one from before the start.
    pub reading: Option<Arc<Reading>>,
    /// The day before the reading's, for views of the last 24 hours; `None` if nothing is known of it.
    pub earlier: Option<Arc<Day>>,
    /// Whether that reading is from memory: the newest update failed, perhaps before the start.
    pub is_from_memory: bool,
    /// The error of the newest update, if it failed.
    pub failed_update: Option<FailedUpdate>,
    /// The program's current activity.
    pub activity: Activity,
    /// The end of the last update, successful or not.
    pub last_update: Option<Timestamp>,
    /// The end of the last successful update.
    pub last_success: Option<Timestamp>,
    /// The time when the next update is due; `None` while the program waits for a user's action,
    /// such as a sign-in.
    pub next_update: Option<Timestamp>,
    /// The progress of fetching missing days, while there are any.
    pub repair: Option<Repair>,
    /// The poll interval.
    pub every: SignedDuration,
    /// How the updates since the start went.
    pub updates: Updates,
    /// When the sign-in's refresh token ends, if it does.
    pub sign_in_ends: Option<Timestamp>,
    /// The alarms.
    pub alarms: Arc<Shown>,
    /// What programs pushed: it is over the cloud's data in the reading and the day before it.
    pub pushed: Pushed,
}

/// The style of a heart rate in every view: an old one must not look new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// The rate is prominent, in its zone's colour.
    Fresh,
    /// The age is prominent; the rate has no colour.
    Old,
    /// Only the age is prominent; the rate is a side note.
    LongAgo,
}

impl Look {
    /// Returns the word for the page's mark-up.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Old => "old",
            Self::LongAgo => "long-ago",
        }
    }
}

/// The progress of fetching missing days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Repair {
    /// The number of days fetched so far.
    pub done: usize,
    /// The number of days to fetch in all.
    pub total: usize,
}

/// The error of an update, and the suggested next step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FailedUpdate {
    /// The cycle's own error.
    pub failure: Failure,
    /// The error in one plain sentence.
    pub message: String,
    /// The same in technical terms, with its causes.
    pub details: Option<String>,
    /// The suggested next step, if there is one.
    pub hint: Option<String>,
}

impl FailedUpdate {
    /// Returns whether a user has to sign in.
    pub(crate) fn wants_sign_in(&self) -> bool {
        matches!(
            self.failure.kind(),
            FailureKind::ConsentNeeded | FailureKind::Gone
        )
    }
}

impl Snapshot {
    /// Returns the state before the first update.
    pub(crate) fn new(provider: Provider, every: SignedDuration) -> Self {
        Self {
            provider,
            reading: None,
            earlier: None,
            is_from_memory: true,
            failed_update: None,
            activity: Activity::Waiting,
            last_update: None,
            last_success: None,
            next_update: None,
            repair: None,
            every,
            updates: Updates::Unknown,
            sign_in_ends: None,
            alarms: Arc::default(),
            pushed: Pushed::default(),
        }
    }

    /// Shows this reading. The day before it comes from the history, else from what was shown so far:
    /// perhaps no history is kept.
    pub(crate) fn show(&mut self, reading: Reading, history: Option<&History>) {
        let date = reading.day.local().date().yesterday().ok();
        let shown = self.reading.as_ref();
        let shown = shown.filter(|shown| Some(shown.day.local().date()) == date);
        let earlier = self.earlier.take();
        self.earlier = history
            .and_then(|history| day_before(history, &reading))
            .or_else(|| shown.map(|shown| shown.day.clone()))
            .map(Arc::new)
            .or_else(|| earlier.filter(|earlier| Some(earlier.local().date()) == date));
        self.show_again(reading);
    }

    /// Shows a reading with the same day before it, and with what programs pushed.
    pub(crate) fn show_again(&mut self, mut reading: Reading) {
        self.pushed.overlay(&mut reading, &mut self.earlier);
        self.reading = Some(Arc::new(reading));
    }

    /// Returns the newest sample of a program that pushes, while it is live.
    pub(crate) fn live(&self, now: Timestamp) -> Option<&Live> {
        self.pushed.live.as_ref().filter(|live| live.is_live(now))
    }

    /// Returns the newest rate and its time: a live sample, else the newest minute.
    pub(crate) fn newest(&self, now: Timestamp) -> Option<Sample> {
        let minute = || self.reading.as_ref()?.latest();
        match self.live(now) {
            Some(live) => Some(Sample {
                at: live.at,
                bpm: live.bpm,
            }),
            None => minute(),
        }
    }

    /// Takes over the outcome of the last update; `failure` is the cycle's own error, if it failed.
    pub(crate) fn remember(&mut self, state: &State, failure: Option<Failure>) {
        self.is_from_memory = state.last_error.is_some();
        self.last_update = state.last_update;
        self.last_success = state.last_success;
        self.next_update = state.next_update.filter(|at| *at < Timestamp::MAX);
        self.updates = match state.failing_since {
            Some(since) => Updates::Fail { since },
            None => Updates::Succeed,
        };
        let failed = failure.zip(state.last_error.clone());
        self.failed_update = failed.map(|(failure, message)| FailedUpdate {
            failure,
            message,
            details: state.last_details.clone(),
            hint: state.last_hint.clone(),
        });
    }

    /// Returns the wearer's local time at an instant, rounded up to a full minute.
    pub(crate) fn clock_at(&self, at: Timestamp) -> Time {
        let minute = at.as_second().div_euclid(60) + i64::from(at.as_second() % 60 != 0);
        self.local(Timestamp::from_second(minute * 60).unwrap_or(at))
            .time()
    }

    /// Returns the wearer's offsets from UTC; the machine's as long as they are not known.
    pub(crate) fn offsets(&self, now: Timestamp) -> Offsets {
        match &self.reading {
            Some(reading) => reading.time_zone.offsets.clone(),
            None => Offsets::fixed(TimeZone::system().to_offset(now)),
        }
    }

    /// Returns the wearer's local time at an instant. Uses the machine's zone as long as the
    /// wearer's is not known.
    pub(crate) fn local(&self, at: Timestamp) -> DateTime {
        match &self.reading {
            Some(reading) => reading.time_zone.offsets.local(at),
            None => TimeZone::system().to_datetime(at),
        }
    }

    /// Returns how well the reading represents the present. While updates fail for any reason, it
    /// counts as being from memory; unless its newest minute, or a live sample, came without one.
    pub(crate) fn freshness(&self, now: Timestamp) -> Option<Freshness> {
        let reading = self.reading.as_ref()?;
        if self.live(now).is_some() {
            return Some(Freshness::Fresh);
        }
        let newest = reading.latest();
        let is_pushed = newest.is_some_and(|minute| self.pushed.has(minute.at));
        Some(reading.freshness(now, self.every, self.is_from_memory && !is_pushed))
    }

    /// Returns the reason why there is no newer minute. `None` while it is as new as can be
    /// expected, or if the last update failed; see [`failed_update`](Self::failed_update) for that.
    pub(crate) fn absence(&self, now: Timestamp) -> Option<Absence> {
        match self.freshness(now)? {
            Freshness::Fresh | Freshness::Cached => None,
            Freshness::Stale | Freshness::Silent => Some(self.reading.as_ref()?.absence()),
        }
    }

    /// Returns the style of the heart rate; `None` without one.
    pub(crate) fn look(&self, now: Timestamp) -> Option<Look> {
        if self.live(now).is_some() {
            return Some(Look::Fresh);
        }
        let age = self.reading.as_ref()?.age(now)?;
        Some(match self.freshness(now)? {
            _ if age >= LONG_AGO => Look::LongAgo,
            Freshness::Fresh => Look::Fresh,
            Freshness::Stale | Freshness::Silent | Freshness::Cached => Look::Old,
        })
    }
}

#[cfg(test)]
mod tests {
    use pulsewing_core::Bpm;
    use pulsewing_testkit::{at, readings};

    use super::*;

    /// A reading at noon of a day in November, with a rate that is the day of the month plus 50.
    fn reading(day: u16) -> Reading {
        let now = at(&format!("2026-11-{day}T12:00:00Z"));
        readings::with_minutes(readings::berlin(), now, [(720, 50 + day)])
    }

    #[test]
    fn the_day_before_stays_when_a_day_begins_and_goes_with_the_next() {
        let mut snapshot = Snapshot::new(Provider::Google, SignedDuration::from_mins(15));
        let earlier = |snapshot: &Snapshot| {
            let day = snapshot.earlier.as_ref()?;
            day.latest().map(|(_, bpm)| bpm.get())
        };
        snapshot.show(reading(20), None);
        assert_eq!(earlier(&snapshot), None);
        // Twice, because a day has many updates.
        for _ in 0..2 {
            snapshot.show(reading(21), None);
            assert_eq!(earlier(&snapshot), Some(70));
        }
        snapshot.show(reading(22), None);
        assert_eq!(earlier(&snapshot), Some(71));
        // A day was left out: nothing is known of the one before.
        snapshot.show(reading(24), None);
        assert_eq!(earlier(&snapshot), None);
    }

    #[test]
    fn the_history_knows_the_day_before_best() {
        let dir = tempfile::tempdir().unwrap();
        let history = History::open(dir.path(), "default").unwrap();
        let mut snapshot = Snapshot::new(Provider::Google, SignedDuration::from_mins(15));
        snapshot.show(reading(20), None);
        snapshot.show(reading(21), Some(&history));
        let day = |snapshot: &Snapshot| {
            let day = snapshot.earlier.clone();
            day.map(|day| day.iter().map(|(_, bpm)| bpm).collect::<Vec<Bpm>>())
        };
        // An empty history does not take away what is known.
        assert_eq!(day(&snapshot), Some(vec![Bpm::new(70).unwrap()]));
    }
}
