//! The result of one cycle, and its freshness.

use jiff::{SignedDuration, Timestamp};

use crate::{
    Bpm, Provider,
    civil::Offsets,
    day::{Day, Sample, Window},
    heart_zone::{HeartZone, HeartZones},
};

/// The maximum length of a zone name, in bytes. The longest IANA name has 32.
pub const MAX_ZONE_NAME: usize = 64;

/// An IANA time-zone name such as `Europe/Berlin`; empty when only the offset is known.
pub type ZoneName = heapless::String<MAX_ZONE_NAME>;

/// The tracker's battery needs attention at this percentage or below.
pub const BATTERY_LOW: u8 = 15;

/// The age from which on a heart rate says nothing about the present.
pub const LONG_AGO: SignedDuration = SignedDuration::from_hours(24);

/// The maximum age of the newest minute when it is fetched, for a tracker that is worn and in reach: it
/// syncs every quarter of an hour, and its measurements wait for that.
const LAG: SignedDuration = SignedDuration::from_mins(15);

/// A tracker that has synced within this before the fetch is in reach and charged.
const SYNCS_WITHIN: SignedDuration = SignedDuration::from_hours(1);

/// The source of the wearer's time zone, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ZoneSource {
    /// The provider's profile or settings.
    Cloud,
    /// The user's configuration.
    Configured,
    /// The rule that the host put on the board.
    Provisioned,
    /// The machine that this runs on.
    Machine,
}

/// The wearer's time zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeZone {
    /// Its name.
    pub name: ZoneName,
    /// Its source.
    pub source: ZoneSource,
    /// Its offsets around the present.
    pub offsets: Offsets,
}

impl TimeZone {
    /// Returns whether the zone is the machine's, because no other source named one.
    #[must_use]
    pub fn is_guessed(&self) -> bool {
        self.source == ZoneSource::Machine
    }
}

/// The result of one cycle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The provider that it came from.
    pub provider: Provider,
    /// The wearer's time zone.
    pub time_zone: TimeZone,
    /// Today, minute by minute; in a reading that [kept](Self::keep_last_known) earlier data, the day of
    /// that data.
    pub day: Day,
    /// The latest fifteen minutes of the last 24 hours, or the ones that were kept.
    pub window: Window,
    /// The tracker's battery in percent, 0 to 100, if known.
    pub battery_percent: Option<u8>,
    /// The tracker's last sync, if known.
    pub last_sync: Option<Timestamp>,
    /// The resting heart rate of the wearer's day at the time of the fetch; of the day before, if that
    /// day has none yet.
    pub resting: Option<Bpm>,
    /// The wearer's heart-rate zones.
    pub heart_zones: HeartZones,
    /// The time at which the heart rate was fetched.
    pub fetched_at: Timestamp,
}

impl Reading {
    /// Returns the newest minute of the window.
    #[must_use]
    pub fn latest(&self) -> Option<Sample> {
        self.window.latest()
    }

    /// Returns the zone of the newest minute.
    #[must_use]
    pub fn heart_zone(&self) -> Option<HeartZone> {
        Some(self.heart_zones.zone(self.latest()?.bpm))
    }

    /// Returns the age of the newest minute; never negative, even if a clock was set back.
    #[must_use]
    pub fn age(&self, now: Timestamp) -> Option<SignedDuration> {
        let age = now.duration_since(self.latest()?.at);
        Some(age.max(SignedDuration::ZERO))
    }

    /// Returns the resting heart rate of the wearer's day at `now`, or of the day before. Also `None` if
    /// it was fetched on an earlier day: then it may be of any day before that.
    #[must_use]
    pub fn resting_at(&self, now: Timestamp) -> Option<Bpm> {
        let date = |at| self.time_zone.offsets.local(at).date();
        self.resting.filter(|_| date(self.fetched_at) == date(now))
    }

    /// Returns the age up to which the newest minute is as new as can be expected, polled once `every`.
    #[must_use]
    pub const fn stale_after(every: SignedDuration) -> SignedDuration {
        every.saturating_mul(2).saturating_add(LAG)
    }

    /// Returns the freshness at `now`, polled once `every`; `from_memory` means that the last fetch
    /// failed.
    #[must_use]
    pub fn freshness(&self, now: Timestamp, every: SignedDuration, from_memory: bool) -> Freshness {
        match self.age(now) {
            _ if from_memory => Freshness::Cached,
            None => Freshness::Silent,
            Some(age) if age >= LONG_AGO => Freshness::Silent,
            Some(age) if age > Self::stale_after(every) => Freshness::Stale,
            Some(_) => Freshness::Fresh,
        }
    }

    /// Returns whether ages depend on a guess: Fitbit reports clock times, which were converted to
    /// instants with a guessed zone.
    #[must_use]
    pub fn has_guessed_ages(&self) -> bool {
        self.provider == Provider::Fitbit && self.time_zone.is_guessed()
    }

    /// Returns the reason why there is no newer minute, for a reading that is stale or silent.
    #[must_use]
    pub fn absence(&self) -> Absence {
        if self.has_guessed_ages() {
            return Absence::ZoneGuessed;
        }
        let newest = self.latest().map(|sample| sample.at);
        let before_fetch = |at: Timestamp| self.fetched_at.duration_since(at);
        if newest.is_some_and(|at| before_fetch(at) <= LAG) {
            return Absence::NotAsked;
        }
        let Some(sync) = self.last_sync else {
            return Absence::NothingRecorded;
        };
        if before_fetch(sync) <= SYNCS_WITHIN {
            match newest {
                None => return Absence::NothingRecorded,
                Some(at) if sync.duration_since(at) > LAG => return Absence::NotWorn,
                Some(_) => {}
            }
        }
        match self.battery_percent {
            Some(..=BATTERY_LOW) => Absence::NotCharged,
            _ => Absence::NotSynced,
        }
    }

    /// Takes over earlier data where nothing newer has come since: the window if it has more minutes,
    /// and if the last 24 hours have no minute at all, the day as well. The last known data thus stays,
    /// with its own times.
    pub fn keep_last_known(&mut self, day: &Day, window: &Window) {
        let is_silent = self.latest().is_none();
        let newest = |window: &Window| window.latest().map(|sample| sample.at);
        let has_more = window.samples().len() > self.window.samples().len();
        if has_more && (is_silent || newest(&self.window) == newest(window)) {
            self.window = window.clone();
        }
        if is_silent && self.day.latest().is_none() && day.latest().is_some() {
            self.day = day.clone();
        }
    }
}

/// The reason why there is no newer minute, as far as zone, last sync and battery show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absence {
    /// There may be one: ages depend on a guessed zone.
    ZoneGuessed,
    /// Nothing was fetched since the newest minute was new.
    NotAsked,
    /// The tracker syncs but reports no heart rate: it is off the wrist.
    NotWorn,
    /// The tracker has not synced, and its battery was nearly empty when it last did.
    NotCharged,
    /// The tracker has not synced.
    NotSynced,
    /// There is no heart rate, for an unknown reason.
    NothingRecorded,
}

impl Absence {
    /// Returns the word for machine-readable output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ZoneGuessed => "zone-guessed",
            Self::NotAsked => "not-asked",
            Self::NotWorn => "not-worn",
            Self::NotCharged => "not-charged",
            Self::NotSynced => "not-synced",
            Self::NothingRecorded => "nothing-recorded",
        }
    }
}

/// The degree to which a reading describes the present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// The newest minute is as new as can be expected.
    Fresh,
    /// The newest minute is older than two poll intervals and a quarter of an hour.
    Stale,
    /// There was no minute in 24 hours.
    Silent,
    /// The last fetch failed: the reading is from memory.
    Cached,
}

impl Freshness {
    /// Returns the word for machine-readable output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Stale => "stale",
            Self::Silent => "silent",
            Self::Cached => "cached",
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::Offset;

    use super::*;

    const EVERY: SignedDuration = SignedDuration::from_mins(15);

    fn reading(latest: Timestamp) -> Reading {
        let offsets = Offsets::fixed(Offset::UTC);
        let mut window = Window::ending_at(latest);
        window.insert(Sample {
            at: latest,
            bpm: Bpm::new(72).unwrap(),
        });
        Reading {
            provider: Provider::Google,
            day: Day::new(offsets.day_of(latest)),
            time_zone: TimeZone {
                name: ZoneName::new(),
                source: ZoneSource::Machine,
                offsets,
            },
            window,
            battery_percent: None,
            last_sync: None,
            resting: None,
            heart_zones: HeartZones::PLAIN,
            fetched_at: latest,
        }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn last_sync_and_battery_tell_why_there_is_no_newer_minute() {
        let mut known = reading(at("2026-11-22T10:00:00Z"));
        known.time_zone.source = ZoneSource::Cloud;
        known.fetched_at = at("2026-11-22T14:07:00Z");
        known.battery_percent = Some(69);
        assert_eq!(known.absence(), Absence::NothingRecorded);
        for (sync, battery, absence) in [
            ("2026-11-22T14:00:00Z", Some(69), Absence::NotWorn),
            // Charged or not: it has just synced.
            ("2026-11-22T14:00:00Z", Some(3), Absence::NotWorn),
            ("2026-11-22T10:01:00Z", Some(69), Absence::NotSynced),
            ("2026-11-22T10:01:00Z", None, Absence::NotSynced),
            ("2026-11-22T10:01:00Z", Some(15), Absence::NotCharged),
            // Off the wrist when it last synced, but that was long ago.
            ("2026-11-22T11:30:00Z", Some(69), Absence::NotSynced),
        ] {
            known.last_sync = Some(at(sync));
            known.battery_percent = battery;
            assert_eq!(known.absence(), absence, "{sync} {battery:?}");
        }
        // Asked an hour ago, when the tracker had just synced all it had.
        known.last_sync = Some(at("2026-11-22T10:01:00Z"));
        known.fetched_at = at("2026-11-22T10:02:00Z");
        assert_eq!(known.absence(), Absence::NotAsked);
    }

    #[test]
    fn a_guessed_zone_makes_the_ages_of_clock_times_guesses() {
        let mut known = reading(at("2026-11-22T10:54:00Z"));
        known.fetched_at = at("2026-11-22T14:07:00Z");
        known.last_sync = Some(at("2026-11-22T11:00:00Z"));
        assert!(known.time_zone.is_guessed());
        // Google reports instants.
        assert_eq!(known.absence(), Absence::NotSynced);
        known.provider = Provider::Fitbit;
        assert_eq!(known.absence(), Absence::ZoneGuessed);
        known.time_zone.source = ZoneSource::Configured;
        assert_eq!(known.absence(), Absence::NotSynced);
    }

    #[test]
    fn a_resting_heart_rate_does_not_outlive_the_day_that_it_was_fetched_on() {
        let mut known = reading(at("2026-11-22T10:54:00Z"));
        known.resting = Bpm::new(58);
        assert_eq!(known.resting_at(at("2026-11-22T23:59:00Z")), Bpm::new(58));
        assert_eq!(known.resting_at(at("2026-11-23T00:00:00Z")), None);
    }

    /// Returns a reading with these minutes, fetched at `now`.
    fn fetched(now: &str, minutes: &[(&str, u16)]) -> Reading {
        let mut reading = reading(at(now));
        let offsets = reading.time_zone.offsets.clone();
        reading.day = Day::new(offsets.day_of(at(now)));
        reading.window = Window::ending_at(at(now));
        for (minute, rate) in minutes {
            let sample = Sample {
                at: at(minute),
                bpm: Bpm::new(*rate).unwrap(),
            };
            reading.window.insert(sample);
            if let Some(of_day) = reading.day.local().minute_of(sample.at) {
                reading.day.record(of_day, sample.bpm);
            }
        }
        reading
    }

    #[test]
    fn what_was_last_known_stays_until_something_newer_comes() {
        let minutes = [("2026-11-22T21:10:00Z", 70), ("2026-11-22T21:20:00Z", 69)];
        let sunday = fetched("2026-11-22T21:22:00Z", &minutes);
        // A day later, one of the two is no longer within the last 24 hours.
        let mut monday = fetched("2026-11-23T21:15:00Z", &minutes);
        assert_eq!(monday.window.samples().len(), 1);
        monday.keep_last_known(&sunday.day, &sunday.window);
        assert_eq!(monday.window, sunday.window);
        assert_eq!(monday.day.latest(), None);

        let mut tuesday = fetched("2026-11-24T23:30:00Z", &[]);
        tuesday.keep_last_known(&sunday.day, &sunday.window);
        assert_eq!(
            (&tuesday.window, &tuesday.day),
            (&sunday.window, &sunday.day)
        );
        let now = at("2026-11-24T23:30:00Z");
        assert_eq!(tuesday.age(now).map(|age| age.as_hours()), Some(50));
        assert_eq!(tuesday.freshness(now, EVERY, false), Freshness::Silent);

        let newer = [("2026-11-24T23:25:00Z", 81)];
        let mut again = fetched("2026-11-24T23:30:00Z", &newer);
        let plain = again.clone();
        again.keep_last_known(&sunday.day, &sunday.window);
        assert_eq!(again, plain);
    }

    #[test]
    fn freshness_follows_the_age_of_the_newest_minute() {
        let latest: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        let reading = reading(latest);
        let after =
            |minutes| reading.freshness(latest + SignedDuration::from_mins(minutes), EVERY, false);
        assert_eq!(after(45), Freshness::Fresh);
        assert_eq!(after(46), Freshness::Stale);
        assert_eq!(after(1_440), Freshness::Silent);
        assert_eq!(after(-90), Freshness::Fresh);
        assert_eq!(reading.freshness(latest, EVERY, true), Freshness::Cached);
    }
}
