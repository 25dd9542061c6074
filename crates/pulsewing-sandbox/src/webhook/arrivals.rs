//! Whose data has arrived since it was last asked.
//!
//! Each wearer's data is known up to a sync of their tracker. When a later sync has brought samples,
//! that is one notice, however many syncs the clock has passed in one step. A day's resting heart
//! rate is a notice when it is there for the first time.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp, civil::Date};

use super::notice::{Notice, SECOND};
use crate::{
    clock::{self, SYNC_STEP},
    state::Shared,
    wearer::{Synced, Wearer, day_bounds},
};

/// What is known of every wearer's data.
#[derive(Debug, Default)]
pub(super) struct Arrivals {
    /// The sync that was due when the wearers were last looked at; `None` if nobody wants to know.
    looked: Option<Timestamp>,
    must_look: bool,
    known: HashMap<Wearer, Known>,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    sync: Timestamp,
    /// The latest day whose resting heart rate is there.
    resting: Option<Date>,
}

/// What a look at the wearers must find out; it needs no lock.
pub(super) struct Look<'a> {
    wearers: Vec<(Synced<'a>, Known)>,
    due: Timestamp,
    wants_resting: bool,
}

impl Known {
    /// Returns what is known of a wearer who was not looked at before.
    fn at(sync: Timestamp, wearer: &Synced<'_>) -> Self {
        let local = wearer.zone.to_datetime(sync);
        let is_there = local.hour() >= RESTING_NEEDS_HOURS;
        Self {
            sync,
            resting: is_there.then(|| local.date()),
        }
    }
}

impl Arrivals {
    /// Begins to notice: what was there before is no arrival.
    pub(super) fn begin(&mut self, now: Timestamp) {
        self.looked = Some(clock::last_sync(now));
        self.known.clear();
    }

    pub(super) fn look_again(&mut self) {
        self.must_look = true;
    }

    /// Returns when a look is next due.
    pub(super) fn next_look(&self, now: Timestamp) -> Option<Timestamp> {
        let looked = self.looked?;
        let next = looked.checked_add(SYNC_STEP).unwrap_or(Timestamp::MAX);
        // A clock that was set back has everything still before it.
        let is_due = self.must_look || clock::last_sync(now) < looked;
        Some(if is_due { now } else { next })
    }
}

impl<'a> Look<'a> {
    /// Begins a look, if one is due.
    pub(super) fn begin(shared: &'a Shared, now: Timestamp) -> Option<Self> {
        let mut state = shared.state();
        let state = &mut *state;
        let webhooks = &mut state.webhooks;
        let arrivals = &mut webhooks.arrivals;
        if webhooks.subscribers.all().next().is_none() {
            arrivals.looked = None;
            return None;
        }
        if arrivals.next_look(now)? > now {
            return None;
        }
        let due = clock::last_sync(now);
        // Whoever consents between two looks is notified of what comes after that.
        let since = arrivals.looked?.min(due);
        arrivals.looked = Some(due);
        arrivals.must_look = false;
        let wants_resting = webhooks
            .subscribers
            .all()
            .any(|subscriber| subscriber.wants(RESTING));
        let consenting = state.tokens.google_consents(SCOPE, &state.settings, now);
        let wearers: Vec<(Synced<'_>, Known)> = consenting
            .map(|who| {
                let wearer = shared.wearer(who, &state.settings, now);
                let known = arrivals.known.get(&who).copied();
                let known = known.unwrap_or_else(|| Known::at(since, &wearer));
                (wearer, known)
            })
            .collect();
        Some(Self {
            wearers,
            due,
            wants_resting,
        })
    }

    /// Looks at the wearers, and remembers what was found. Returns a notice for everything new.
    pub(super) fn finish(self, shared: &Shared) -> Vec<Notice> {
        let mut notices = Vec::new();
        let mut known = HashMap::new();
        for (wearer, mut before) in self.wearers {
            let sync = wearer.last_sync();
            notices.extend(heart_rate(&wearer, before.sync));
            if self.wants_resting {
                notices.extend(resting(&wearer, &mut before));
            }
            let resting = before.resting;
            known.insert(wearer.who, Known { sync, resting });
        }
        let mut state = shared.state();
        let arrivals = &mut state.webhooks.arrivals;
        // Unless everything began anew meanwhile.
        if arrivals.looked == Some(self.due) {
            arrivals.known = known;
        }
        notices
    }
}

/// Returns a notice if there are samples since a sync.
fn heart_rate(wearer: &Synced<'_>, since: Timestamp) -> Option<Notice> {
    let until = wearer.last_sync();
    // Late samples of the sync before come with the next one.
    let late = if wearer.wearing.late {
        SYNC_STEP
    } else {
        SignedDuration::ZERO
    };
    let from = since.checked_sub(late).ok()?;
    let from = from.max(until.checked_sub(FARTHEST).ok()?);
    if since >= until {
        return None;
    }
    let samples = wearer.samples(from, until);
    Some(Notice {
        wearer: wearer.who,
        data_type: HEART_RATE,
        start: samples.first()?.at,
        end: samples.last()?.at.checked_add(SECOND).ok()?,
        zone: wearer.zone.clone(),
    })
}

/// Returns a notice if the day of the last sync has a resting heart rate for the first time.
fn resting(wearer: &Synced<'_>, known: &mut Known) -> Option<Notice> {
    let local = wearer.zone.to_datetime(wearer.last_sync());
    let day = local.date();
    if known.resting == Some(day) || local.hour() < RESTING_NEEDS_HOURS {
        return None;
    }
    wearer.resting(day)?;
    known.resting = Some(day);
    let (start, end) = day_bounds(day, &wearer.zone)?;
    Some(Notice {
        wearer: wearer.who,
        data_type: RESTING,
        start,
        end,
        zone: wearer.zone.clone(),
    })
}

const HEART_RATE: &str = "heart-rate";
const RESTING: &str = "daily-resting-heart-rate";

/// Before that hour no day has enough minutes, and none needs to be counted.
const RESTING_NEEDS_HOURS: i8 = 6;

/// The scope of both.
const SCOPE: &str =
    "https://www.googleapis.com/auth/googlehealth.health_metrics_and_measurements.readonly";

/// How far back samples are looked for when the clock makes a long step.
const FARTHEST: SignedDuration = SignedDuration::from_hours(7 * 24);
