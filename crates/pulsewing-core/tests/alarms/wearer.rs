//! A wearer whose minutes and time a test makes up.

use std::{collections::BTreeMap, time::Duration};

use jiff::{SignedDuration, Timestamp, tz::Offset};
use pulsewing_core::{
    Bpm,
    alarm::{
        Alarms, Event, Kind, Level, Limits, MAX_RECORD, Moment, News, SignIn, Signal, Trouble,
        Updates,
    },
    cycle::Now,
    day::Sample,
};

/// 2026-11-29, 12:00 in UTC.
pub(crate) const NOON: i64 = 1_795_953_600;

pub(crate) struct Wearer {
    pub(crate) alarms: Alarms,
    pub(crate) now: Now,
    pub(crate) sign_in: SignIn,
    pub(crate) updates: Updates,
    pub(crate) trouble: Option<Trouble>,
    /// The minutes that a cloud knows.
    pub(crate) minutes: BTreeMap<Timestamp, Bpm>,
    /// What was signalled so far.
    pub(crate) told: Vec<(Timestamp, Signal)>,
}

/// Limits of high and low rates.
pub(crate) fn limits() -> Limits {
    Limits {
        high: Bpm::new(120),
        high_urgent: Bpm::new(150),
        low: Bpm::new(45),
        low_urgent: Bpm::new(40),
        ..Limits::default()
    }
}

impl Wearer {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            alarms: Alarms::new(limits),
            now: Now {
                utc: Timestamp::from_second(NOON).unwrap(),
                up: Duration::from_secs(100),
            },
            sign_in: SignIn::Works { ends: None },
            updates: Updates::Succeed,
            trouble: None,
            minutes: BTreeMap::new(),
            told: Vec::new(),
        }
    }

    pub(crate) fn at(&self) -> Timestamp {
        self.now.utc
    }

    fn moment(&self) -> Moment {
        Moment {
            now: self.now,
            time_of_day: Offset::UTC.to_datetime(self.now.utc).time(),
            sign_in: self.sign_in,
            updates: self.updates,
            trouble: self.trouble,
        }
    }

    fn note(&mut self, signals: impl IntoIterator<Item = Signal>) -> Vec<(Kind, Level, Event)> {
        let signals: Vec<Signal> = signals.into_iter().collect();
        self.told
            .extend(signals.iter().map(|signal| (self.now.utc, *signal)));
        let short = |signal: &Signal| (signal.kind, signal.level, signal.event);
        signals.iter().map(short).collect()
    }

    /// Looks at the clock alone.
    pub(crate) fn tick(&mut self) -> Vec<(Kind, Level, Event)> {
        let moment = self.moment();
        let outcome = self.alarms.advance(&moment, None);
        self.note(outcome.signals)
    }

    /// Fetches every minute that the cloud knows.
    pub(crate) fn fetch(&mut self) -> Vec<(Kind, Level, Event)> {
        self.fetch_until(self.now.utc)
    }

    /// Fetches every minute up to the last sync.
    pub(crate) fn fetch_until(&mut self, synced: Timestamp) -> Vec<(Kind, Level, Event)> {
        let after = self.now.utc - SignedDuration::from_hours(24);
        let known = self.minutes.range(after..=synced);
        let minutes: Vec<Sample> = known.map(|(&at, &bpm)| Sample { at, bpm }).collect();
        let moment = self.moment();
        let outcome = self.alarms.advance(&moment, Some(&News::live(&minutes)));
        self.note(outcome.signals)
    }

    /// Lets minutes pass, with a look at the clock in each.
    pub(crate) fn wait(&mut self, minutes: i64) -> Vec<(Kind, Level, Event)> {
        let mut all = Vec::new();
        for _ in 0..minutes {
            self.now.utc += SignedDuration::from_mins(1);
            self.now.up += Duration::from_secs(60);
            all.extend(self.tick());
        }
        all
    }

    /// Measures a rate for some minutes, without fetching it.
    pub(crate) fn measure(&mut self, minutes: i64, bpm: u16) -> Vec<(Kind, Level, Event)> {
        let mut all = Vec::new();
        for _ in 0..minutes {
            self.minutes.insert(self.now.utc, Bpm::new(bpm).unwrap());
            all.extend(self.wait(1));
        }
        all
    }

    /// Measures a rate for some minutes and fetches it.
    pub(crate) fn lump(&mut self, minutes: i64, bpm: u16) -> Vec<(Kind, Level, Event)> {
        let mut all = self.measure(minutes, bpm);
        all.extend(self.fetch());
        all
    }

    /// Stops and starts the program.
    pub(crate) fn restart(&mut self) {
        let limits = *self.alarms.limits();
        let mut buffer = [0; MAX_RECORD];
        let bytes = self.alarms.encode(&mut buffer).unwrap();
        self.alarms = Alarms::decode(limits, bytes).unwrap();
        self.now.up = Duration::from_secs(5);
    }

    /// Returns whether a kind is active, and how much.
    pub(crate) fn level(&self, kind: Kind) -> Option<Level> {
        let mut active = self.alarms.active();
        active.find(|alarm| alarm.kind == kind).map(|it| it.level)
    }
}
