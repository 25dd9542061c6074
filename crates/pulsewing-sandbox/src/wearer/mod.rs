//! The wearers: the data of a body, a tracker and its syncs that the fronts of both clouds use.
//!
//! The fronts see a wearer only as [`Synced`]: a recording or the synthetic wearer at one instant,
//! with no more than the tracker had synced by then.

mod chance;
mod identity;
mod late;
mod recording;
mod synthetic;
pub(crate) mod zones;

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};

pub use self::identity::MOST_WEARERS;
pub(crate) use self::identity::{Device, Wearer};
use self::late::FirstWord;
pub use self::recording::{Recording, RecordingError};
use self::synthetic::Synthetic;
use crate::{
    clock,
    settings::{Devices, Wearing},
};

/// A day's resting heart rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Resting {
    /// Beats per minute.
    pub(crate) bpm: u64,
    /// Whether the tracker was worn in the small hours.
    pub(crate) with_sleep: bool,
}

/// One heart-rate sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Sample {
    pub(crate) at: Timestamp,
    /// Beats per minute, 1 to 300.
    pub(crate) bpm: u16,
}

/// The source of the samples.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Source<'a> {
    Recorded(&'a Recording),
    Synthetic(Synthetic),
}

impl Source<'_> {
    fn samples(&self, from: Timestamp, to: Timestamp, zone: &TimeZone) -> Vec<Sample> {
        match self {
            Self::Recorded(recording) => recording.samples(from, to).to_vec(),
            Self::Synthetic(wearer) => wearer.samples(from, to, zone),
        }
    }
}

/// A wearer as the clouds know them at one instant.
pub(crate) struct Synced<'a> {
    pub(crate) who: Wearer,
    pub(crate) source: Source<'a>,
    pub(crate) zone: TimeZone,
    pub(crate) now: Timestamp,
    pub(crate) wearing: Wearing,
    /// Determines which samples are late.
    pub(crate) seed: u64,
}

impl Synced<'_> {
    /// Returns the wearer's time zone; it has an IANA name.
    pub(crate) fn time_zone(&self) -> &TimeZone {
        &self.zone
    }

    /// Returns the samples in the closed-open range, oldest first, that the tracker has synced.
    pub(crate) fn samples(&self, from: Timestamp, to: Timestamp) -> Vec<Sample> {
        let from = from.max(self.since());
        let to = to.min(self.last_sync());
        if from >= to {
            return Vec::new();
        }
        let mut samples = self.source.samples(from, to, &self.zone);
        if self.wearing.late {
            let word = FirstWord::of(self.seed, self.last_sync());
            samples = samples.into_iter().filter_map(|s| word.tell(s)).collect();
        }
        samples
    }

    /// Returns an instant before which there is no sample.
    pub(crate) fn since(&self) -> Timestamp {
        match self.source {
            Source::Recorded(recording) => recording.first().unwrap_or(self.now),
            Source::Synthetic(_) => self
                .now
                .checked_sub(SYNTHETIC_PAST)
                .unwrap_or(Timestamp::MIN),
        }
    }

    /// Returns when the tracker last synced; every sample is before it.
    pub(crate) fn last_sync(&self) -> Timestamp {
        let due = clock::last_sync(self.now);
        match self.wearing.last_sync {
            Some(last) => due.min(clock::last_sync(last)),
            None => due,
        }
    }

    /// Returns whether a tracker measured the samples; otherwise an app wrote them to Health Connect.
    pub(crate) fn is_wearable(&self) -> bool {
        self.wearing.wearable
    }

    /// Returns which devices the account has.
    pub(crate) fn devices(&self) -> Devices {
        self.wearing.devices
    }

    /// Returns the tracker's battery level at the last sync, 0 to 100.
    pub(crate) fn battery_percent(&self) -> u8 {
        if let Some(percent) = self.wearing.battery {
            return percent;
        }
        // A charge lasts about four and a half days, from 97 down to 10 percent.
        let hour = self.last_sync().as_second().div_euclid(3600) + self.who.charge_phase_hours();
        97 - u8::try_from(hour.rem_euclid(109) * 4 / 5).unwrap_or(87)
    }

    /// Returns the resting heart rate of a day, or `None` while too little of the day was measured.
    ///
    /// It is the level that nine out of ten minutes of the day exceed.
    pub(crate) fn resting(&self, day: Date) -> Option<Resting> {
        let (from, to) = day_bounds(day, self.time_zone())?;
        let minutes = buckets(&self.samples(from, to), from, MINUTE);
        if minutes.len() < RESTING_NEEDS_MINUTES {
            return None;
        }
        let mut levels: Vec<u64> = minutes.iter().map(Bucket::rounded).collect();
        levels.sort_unstable();
        let bpm = *levels.get(levels.len() / 10)?;
        let with_sleep = minutes
            .iter()
            .any(|minute| NIGHT_MINUTES.contains(&minute.index));
        Some(Resting { bpm, with_sleep })
    }
}

/// A summary of the samples in one time window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bucket {
    /// The window's position after the anchor, in whole widths.
    pub(crate) index: i64,
    pub(crate) count: u64,
    pub(crate) sum: u64,
    pub(crate) min: u16,
    pub(crate) max: u16,
}

impl Bucket {
    /// Returns the exact mean as the nearest double.
    #[expect(
        clippy::cast_precision_loss,
        reason = "sums of a day's samples stay far below 2^53"
    )]
    pub(crate) fn mean(&self) -> f64 {
        self.sum as f64 / self.count as f64
    }

    /// Returns the mean rounded half up.
    pub(crate) fn rounded(&self) -> u64 {
        (2 * self.sum + self.count) / (2 * self.count)
    }
}

/// Groups samples, oldest first, into windows of `width` counted from `anchor`.
///
/// Windows without samples are left out. `width` must be positive; samples before the anchor get
/// negative indices.
pub(crate) fn buckets(samples: &[Sample], anchor: Timestamp, width: SignedDuration) -> Vec<Bucket> {
    let width = width.as_nanos().max(1);
    let mut buckets: Vec<Bucket> = Vec::new();
    for sample in samples {
        let elapsed = sample.at.as_nanosecond() - anchor.as_nanosecond();
        let Ok(index) = i64::try_from(elapsed.div_euclid(width)) else {
            continue;
        };
        match buckets.last_mut() {
            Some(last) if last.index == index => {
                last.count += 1;
                last.sum += u64::from(sample.bpm);
                last.min = last.min.min(sample.bpm);
                last.max = last.max.max(sample.bpm);
            }
            _ => buckets.push(Bucket {
                index,
                count: 1,
                sum: u64::from(sample.bpm),
                min: sample.bpm,
                max: sample.bpm,
            }),
        }
    }
    buckets
}

/// Returns the first instant of a civil day and of the next.
pub(crate) fn day_bounds(day: Date, zone: &TimeZone) -> Option<(Timestamp, Timestamp)> {
    let start = day.to_zoned(zone.clone()).ok()?.timestamp();
    let end = day
        .tomorrow()
        .ok()?
        .to_zoned(zone.clone())
        .ok()?
        .timestamp();
    Some((start, end))
}

/// One minute, the finest step of the averages.
pub(crate) const MINUTE: SignedDuration = SignedDuration::from_secs(60);

/// A resting heart rate needs six hours of minutes; one night is enough.
const RESTING_NEEDS_MINUTES: usize = 360;

/// Two to five in the morning, in minutes since midnight.
const NIGHT_MINUTES: std::ops::Range<i64> = 120..300;

/// How far back the synthetic wearer's data goes.
const SYNTHETIC_PAST: SignedDuration = SignedDuration::from_hours(24 * 730);

/// Returns the word for a battery level that both clouds use.
pub(crate) fn battery_word(percent: u8) -> &'static str {
    match percent {
        0 => "Empty",
        1..20 => "Low",
        20..60 => "Medium",
        _ => "High",
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn sample(second: i64, bpm: u16) -> Sample {
        Sample {
            at: Timestamp::from_second(second).unwrap(),
            bpm,
        }
    }

    #[test]
    fn a_minutes_mean_is_exact_and_rounds_half_up() {
        let samples = [
            sample(0, 60),
            sample(59, 61),
            sample(60, 70),
            sample(61, 70),
            sample(62, 71),
        ];
        let minutes = buckets(&samples, Timestamp::UNIX_EPOCH, MINUTE);
        assert_eq!(minutes.len(), 2);
        assert_eq!((minutes[0].rounded(), minutes[0].mean()), (61, 60.5));
        assert_eq!((minutes[1].rounded(), minutes[1].mean()), (70, 211.0 / 3.0));
        assert_eq!(
            (minutes[1].min, minutes[1].max, minutes[1].count),
            (70, 71, 3)
        );
    }

    #[test]
    fn empty_windows_are_left_out() {
        let samples = [sample(10, 60), sample(190, 62)];
        let indices: Vec<i64> = buckets(&samples, Timestamp::UNIX_EPOCH, MINUTE)
            .iter()
            .map(|b| b.index)
            .collect();
        assert_eq!(indices, [0, 3]);
    }

    #[test]
    fn a_day_has_23_24_or_25_hours() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let hours = |y, m, d| {
            let (from, to) = day_bounds(jiff::civil::date(y, m, d), &zone).unwrap();
            to.duration_since(from).as_hours()
        };
        assert_eq!(
            [hours(2026, 3, 29), hours(2026, 6, 1), hours(2026, 10, 25)],
            [23, 24, 25]
        );
    }

    #[test]
    fn nothing_at_or_after_the_last_sync_is_known() {
        let recording = Recording::from_csv(
            "time,bpm\n2026-01-01T10:14:59,60\n2026-01-01T10:15:00,61\n",
            &TimeZone::UTC,
        )
        .unwrap();
        let known = |now: &str| {
            let wearer = Synced {
                who: Wearer::FIRST,
                source: Source::Recorded(&recording),
                zone: TimeZone::UTC,
                now: now.parse().unwrap(),
                wearing: Wearing::default(),
                seed: 0,
            };
            wearer.samples(Timestamp::MIN, Timestamp::MAX).len()
        };
        assert_eq!(known("2026-01-01T10:14:59Z"), 0);
        assert_eq!(known("2026-01-01T10:29:59Z"), 1);
        assert_eq!(known("2026-01-01T10:30:00Z"), 2);
    }
}
