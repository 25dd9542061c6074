//! What one cycle yields, and how fresh it is.

use jiff::{SignedDuration, Timestamp};

use crate::{
    Bpm, Provider,
    civil::Offsets,
    day::{Day, Sample, Window},
    heart_zone::{HeartZone, HeartZones},
};

/// The longest zone name that is kept, in bytes. The longest IANA name has 32.
pub const MAX_ZONE_NAME: usize = 64;

/// An IANA time-zone name such as `Europe/Berlin`; empty when only the offset is known.
pub type ZoneName = heapless::String<MAX_ZONE_NAME>;

/// Who said which time zone the wearer lives in, best first.
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
    /// Who said so.
    pub source: ZoneSource,
    /// Its offsets around the present.
    pub offsets: Offsets,
}

/// What one cycle yields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Who it came from.
    pub provider: Provider,
    /// The wearer's time zone.
    pub time_zone: TimeZone,
    /// Today, minute by minute.
    pub day: Day,
    /// The latest fifteen minutes of the last 24 hours.
    pub window: Window,
    /// The tracker's battery in percent, 0 to 100, if known.
    pub battery_percent: Option<u8>,
    /// When the tracker last synced, if known.
    pub last_sync: Option<Timestamp>,
    /// The resting heart rate of the newest day that has one.
    pub resting: Option<Bpm>,
    /// The wearer's heart-rate zones.
    pub heart_zones: HeartZones,
    /// When the heart rate was fetched.
    pub fetched_at: Timestamp,
}

impl Reading {
    /// The newest minute of the last 24 hours.
    #[must_use]
    pub fn latest(&self) -> Option<Sample> {
        self.window.latest()
    }

    /// The zone of the newest minute.
    #[must_use]
    pub fn heart_zone(&self) -> Option<HeartZone> {
        Some(self.heart_zones.zone(self.latest()?.bpm))
    }

    /// How old the newest minute is; never negative, also when a clock was set back.
    #[must_use]
    pub fn age(&self, now: Timestamp) -> Option<SignedDuration> {
        let age = now.duration_since(self.latest()?.at);
        Some(age.max(SignedDuration::ZERO))
    }

    /// How fresh it is at `now`, polled once `every`; `from_memory` says that the last fetch failed.
    #[must_use]
    pub fn freshness(&self, now: Timestamp, every: SignedDuration, from_memory: bool) -> Freshness {
        let stale_after = every
            .saturating_mul(2)
            .saturating_add(SignedDuration::from_mins(15));
        match self.age(now) {
            _ if from_memory => Freshness::Cached,
            None => Freshness::Silent,
            Some(age) if age >= SignedDuration::from_hours(24) => Freshness::Silent,
            Some(age) if age > stale_after => Freshness::Stale,
            Some(_) => Freshness::Fresh,
        }
    }
}

/// How much a reading says about the present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// The newest minute is as new as can be expected.
    Fresh,
    /// The newest minute is older than two poll intervals and a quarter of an hour.
    Stale,
    /// There was no minute in 24 hours.
    Silent,
    /// The last fetch failed: this is from memory.
    Cached,
}

impl Freshness {
    /// The word in machine-readable output.
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
