//! Judges minutes against the limits of the heart rate.
//!
//! A rate is beyond a limit when [`MANY`] of the latest [`LATEST`] known minutes are, and the newest of
//! them is. It is back when the latest [`BACK`] minutes are inside the limit by a margin, so that a rate
//! at the limit raises one alarm and not many. Minutes come in lumps of a quarter of an hour and more: each
//! minute is judged once, in its turn.

use heapless::{Deque, Vec};
use jiff::{SignedDuration, Timestamp};

use super::{Kind, Level, Limits, News};
use crate::{Bpm, day::Sample, instant::later};

/// The number of minutes that are looked at.
pub(super) const LATEST: usize = 10;

/// The number of them that must be beyond the limit.
const MANY: usize = 8;

/// The number of minutes that must be back inside the limit.
const BACK: usize = 5;

/// A limit of the heart rate.
#[derive(Clone, Copy, Debug)]
struct Limit {
    kind: Kind,
    bpm: Bpm,
}

impl Limit {
    fn of(kind: Kind, level: Level, limits: &Limits) -> Option<Self> {
        let bpm = match kind {
            Kind::High => limits.above(level),
            Kind::Low => limits.below(level),
            _ => None,
        };
        Some(Self { kind, bpm: bpm? })
    }

    fn is_passed(self, bpm: Bpm) -> bool {
        match self.kind {
            Kind::Low => bpm < self.bpm,
            _ => bpm > self.bpm,
        }
    }

    /// Returns whether a rate is inside the limit by the margin: 5 bpm below a high one, 3 above a low one.
    fn is_kept(self, bpm: Bpm) -> bool {
        match self.kind {
            Kind::Low => bpm.get() >= self.bpm.get().saturating_add(3),
            _ => bpm.get() <= self.bpm.get().saturating_sub(5),
        }
    }
}

/// The latest known minutes, oldest first.
type Latest = Deque<Sample, LATEST>;

/// What the minutes so far say about one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Side {
    pub(super) kind: Kind,
    /// Whether the rate is beyond the limit of each level.
    pub(super) warning: bool,
    pub(super) urgent: bool,
    /// The first minute beyond, while it is.
    pub(super) since: Timestamp,
    /// The most extreme rate since then.
    pub(super) extreme: Option<Bpm>,
}

/// A rate that was beyond a limit and came back, between two updates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Episode {
    pub(super) level: Level,
    pub(super) since: Timestamp,
    pub(super) until: Timestamp,
    pub(super) extreme: Bpm,
}

impl Side {
    pub(super) const fn new(kind: Kind) -> Self {
        Self {
            kind,
            warning: false,
            urgent: false,
            since: Timestamp::UNIX_EPOCH,
            extreme: None,
        }
    }

    /// Returns the level at which the rate is beyond a limit.
    pub(super) const fn level(&self) -> Option<Level> {
        match self {
            Self { urgent: true, .. } => Some(Level::Urgent),
            Self { warning: true, .. } => Some(Level::Warning),
            _ => None,
        }
    }

    /// Returns the limit that was passed at a level; the other level's if there is none.
    pub(super) fn limit(&self, level: Level, limits: &Limits) -> Option<Bpm> {
        let at = |level| Limit::of(self.kind, level, limits).map(|limit| limit.bpm);
        at(level)
            .or_else(|| at(Level::Warning))
            .or_else(|| at(Level::Urgent))
    }

    /// Returns whether a rate is beyond the limit of a level.
    pub(super) fn is_beyond(&self, bpm: Bpm, level: Level, limits: &Limits) -> bool {
        Limit::of(self.kind, level, limits).is_some_and(|limit| limit.is_passed(bpm))
    }

    /// Forgets an alarm whose limits were removed, or that says nothing any more.
    pub(super) const fn forget(&mut self) {
        self.warning = false;
        self.urgent = false;
        self.extreme = None;
    }

    /// Judges a new minute, the last of `latest`. Returns an episode that it ended.
    fn judge(&mut self, latest: &Latest, limits: &Limits) -> Option<Episode> {
        let newest = *latest.back()?;
        let before = self.level();
        for level in [Level::Warning, Level::Urgent] {
            let Some(limit) = Limit::of(self.kind, level, limits) else {
                continue;
            };
            let on = match level {
                Level::Urgent => &mut self.urgent,
                _ => &mut self.warning,
            };
            let passed = || latest.iter().filter(|it| limit.is_passed(it.bpm));
            let is_back = latest.len() >= BACK
                && latest
                    .iter()
                    .rev()
                    .take(BACK)
                    .all(|it| limit.is_kept(it.bpm));
            if limit.is_passed(newest.bpm) && passed().count() >= MANY {
                if before.is_none() && !*on && self.extreme.is_none() {
                    let first = passed().next().unwrap_or(&newest);
                    self.since = first.at;
                    self.extreme = passed()
                        .map(|it| it.bpm)
                        .reduce(|one, other| more_extreme(self.kind, one, other));
                }
                *on = true;
            } else if is_back {
                *on = false;
            }
        }
        if self.level().is_some() {
            let so_far = self.extreme.unwrap_or(newest.bpm);
            self.extreme = Some(more_extreme(self.kind, so_far, newest.bpm));
            return None;
        }
        let extreme = self.extreme.take()?;
        let back = latest.iter().rev().nth(BACK).unwrap_or(&newest);
        Some(Episode {
            level: before?,
            since: self.since,
            until: back.at,
            extreme,
        })
    }
}

fn more_extreme(kind: Kind, one: Bpm, other: Bpm) -> Bpm {
    match kind {
        Kind::Low => one.min(other),
        _ => one.max(other),
    }
}

/// What news said about both kinds.
#[derive(Clone, Debug, Default)]
pub(super) struct Judged {
    /// The minutes that the newest judgement rests on, oldest first.
    pub(super) latest: Vec<Sample, LATEST>,
    /// The last episodes that ended, of high and of low rates.
    pub(super) high: Option<Episode>,
    pub(super) low: Option<Episode>,
}

/// Judges the minutes of news that are newer than `judged_until` and fresh at `now`. Minutes before them
/// count as context, but only fresh ones. Returns `None` if there is no new fresh minute.
pub(super) fn judge(
    sides: [&mut Side; 2],
    news: &News<'_>,
    limits: &Limits,
    judged_until: Option<Timestamp>,
    now: Timestamp,
) -> Option<Judged> {
    let fresh = limits.fresh.min(Limits::TOO_OLD);
    let after = later(now, -fresh).unwrap_or(Timestamp::MIN);
    let [high, low] = sides;
    let mut latest = Latest::new();
    let mut judged = Judged::default();
    let mut has_new = false;
    for sample in news.between(after, now) {
        if latest.is_full() {
            latest.pop_front();
        }
        // There is room: one was removed above if there was none.
        let _ = latest.push_back(sample);
        if judged_until.is_some_and(|until| sample.at <= until) {
            continue;
        }
        has_new = true;
        if let Some(ended) = high.judge(&latest, limits) {
            judged.high = Some(ended);
        }
        if let Some(ended) = low.judge(&latest, limits) {
            judged.low = Some(ended);
        }
    }
    judged.latest = latest.iter().copied().collect();
    has_new.then_some(judged)
}

/// Returns whether a minute is fresh at `now`.
pub(super) fn is_fresh(at: Timestamp, limits: &Limits, now: Timestamp) -> bool {
    let age = now.duration_since(at);
    age < limits.fresh.min(Limits::TOO_OLD) && age > -SignedDuration::from_mins(1)
}
