//! The samples of one source, by minutes.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use pulsewing_core::{Bpm, day::Sample};

use super::LiveSample;

/// The number of minutes whose samples stay known: three hours. A sample that arrives after its minute was
/// forgotten replaces that minute's mean.
pub const MOST_MINUTES: usize = 180;

/// The number of samples that are averaged into a minute: ten a second.
pub const MOST_PER_MINUTE: usize = 600;

/// The time after its end for which a minute stays open: samples arrive a few seconds late.
pub const CLOSES_AFTER: SignedDuration = SignedDuration::from_secs(10);

/// What became of a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    /// It counts.
    New,
    /// It was known.
    Known,
    /// Its minute has [`MOST_PER_MINUTE`] others.
    Crowded,
}

/// The samples of one source, by minutes.
#[derive(Clone, Debug, Default)]
pub struct Averages {
    /// By the number of the minute since 1970.
    minutes: BTreeMap<i64, Minute>,
}

#[derive(Clone, Debug, Default)]
struct Minute {
    /// By the milliseconds since the minute began.
    samples: BTreeMap<u16, Bpm>,
    /// Whether it has changed since it was taken.
    is_changed: bool,
}

impl Averages {
    /// Adds a sample. Times are known to the millisecond.
    pub fn add(&mut self, sample: LiveSample) -> Added {
        let milliseconds = sample.at.as_millisecond();
        // A minute has 60,000 milliseconds.
        let within = u16::try_from(milliseconds.rem_euclid(60_000)).unwrap_or(u16::MAX);
        let minute = self.minutes.entry(milliseconds.div_euclid(60_000));
        let minute = minute.or_default();
        let known = minute.samples.get(&within);
        if known == Some(&sample.bpm) {
            return Added::Known;
        }
        if known.is_none() && minute.samples.len() >= MOST_PER_MINUTE {
            return Added::Crowded;
        }
        minute.samples.insert(within, sample.bpm);
        minute.is_changed = true;
        Added::New
    }

    /// Returns the means of the minutes that have ended [`CLOSES_AFTER`] before `now`, and have changed
    /// since [`taken`](Self::taken) was told of them; oldest first.
    #[must_use]
    pub fn closed(&self, now: Timestamp) -> Vec<Sample> {
        let changed = self.minutes.iter().filter(|(_, minute)| minute.is_changed);
        changed
            .filter(|(number, _)| closes_at(**number) <= now.as_duration())
            .filter_map(|(number, minute)| {
                Some(Sample {
                    at: Timestamp::from_second(number * 60).ok()?,
                    bpm: minute.mean()?,
                })
            })
            .collect()
    }

    /// Returns when the next minute that has changed closes.
    #[must_use]
    pub fn next_close(&self) -> Option<Timestamp> {
        let (number, _) = self.minutes.iter().find(|(_, minute)| minute.is_changed)?;
        Timestamp::from_duration(closes_at(*number)).ok()
    }

    /// Notes that these minutes were taken over as they are, and forgets all but the newest
    /// [`MOST_MINUTES`] of those that were.
    pub fn taken(&mut self, minutes: &[Sample]) {
        for taken in minutes {
            let number = taken.at.as_second().div_euclid(60);
            if let Some(minute) = self.minutes.get_mut(&number)
                && minute.mean() == Some(taken.bpm)
            {
                minute.is_changed = false;
            }
        }
        while self.minutes.len() > MOST_MINUTES
            && let Some(oldest) = self.minutes.first_entry()
            && !oldest.get().is_changed
        {
            oldest.remove();
        }
    }

    /// Returns the samples of the minutes that have not been taken, oldest first.
    pub fn untaken(&self) -> impl Iterator<Item = LiveSample> + '_ {
        let changed = self.minutes.iter().filter(|(_, minute)| minute.is_changed);
        changed.flat_map(|(number, minute)| {
            minute.samples.iter().filter_map(move |(within, bpm)| {
                let at = number * 60_000 + i64::from(*within);
                Some(LiveSample {
                    at: Timestamp::from_millisecond(at).ok()?,
                    bpm: *bpm,
                })
            })
        })
    }

    /// Returns the number of minutes that are known.
    #[must_use]
    pub fn len(&self) -> usize {
        self.minutes.len()
    }

    /// Returns whether no minute is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.minutes.is_empty()
    }
}

impl Minute {
    fn mean(&self) -> Option<Bpm> {
        let sum = self.samples.values().map(|bpm| u32::from(bpm.get())).sum();
        Bpm::mean(sum, u32::try_from(self.samples.len()).ok()?)
    }
}

fn closes_at(minute: i64) -> SignedDuration {
    SignedDuration::from_secs(minute * 60 + 60) + CLOSES_AFTER
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use pulsewing_testkit::at;

    use super::*;

    fn sample(time: &str, bpm: u16) -> LiveSample {
        LiveSample {
            at: at(&format!("2026-11-22T{time}Z")),
            bpm: Bpm::new(bpm).unwrap(),
        }
    }

    fn told(minutes: &[Sample]) -> Vec<(String, u16)> {
        let minutes = minutes.iter();
        minutes
            .map(|it| (it.at.to_string(), it.bpm.get()))
            .collect()
    }

    #[test]
    fn a_minute_is_the_mean_of_its_samples_and_closes_a_little_after_its_end() {
        let mut averages = Averages::default();
        for (time, bpm) in [("14:07:00", 70), ("14:07:30.5", 71), ("14:08:00", 90)] {
            assert_eq!(averages.add(sample(time, bpm)), Added::New);
        }
        assert_eq!(averages.next_close(), Some(at("2026-11-22T14:08:10Z")));
        assert!(averages.closed(at("2026-11-22T14:08:09Z")).is_empty());
        let closed = averages.closed(at("2026-11-22T14:08:10Z"));
        assert_eq!(told(&closed), [("2026-11-22T14:07:00Z".to_owned(), 71)]);
        averages.taken(&closed);
        assert!(averages.closed(at("2026-11-22T14:08:10Z")).is_empty());
        // One that comes late opens it again, with those that are known.
        assert_eq!(averages.add(sample("14:07:59.999", 75)), Added::New);
        let closed = averages.closed(at("2026-11-22T14:08:20Z"));
        assert_eq!(told(&closed), [("2026-11-22T14:07:00Z".to_owned(), 72)]);
    }

    #[test]
    fn a_sample_that_is_sent_again_changes_nothing_and_a_corrected_one_replaces_it() {
        let mut averages = Averages::default();
        assert_eq!(averages.add(sample("14:07:00", 70)), Added::New);
        let closed = averages.closed(at("2026-11-22T15:00:00Z"));
        averages.taken(&closed);
        assert_eq!(averages.add(sample("14:07:00", 70)), Added::Known);
        assert!(averages.closed(at("2026-11-22T15:00:00Z")).is_empty());
        assert_eq!(averages.add(sample("14:07:00", 80)), Added::New);
        let closed = averages.closed(at("2026-11-22T15:00:00Z"));
        assert_eq!(closed[0].bpm.get(), 80);
        // A minute that was changed while it was written is not taken.
        averages.add(sample("14:07:01", 90));
        averages.taken(&closed);
        assert_eq!(averages.closed(at("2026-11-22T15:00:00Z"))[0].bpm.get(), 85);
    }

    #[test]
    fn memory_is_bounded_and_nothing_that_was_not_taken_is_forgotten() {
        let mut averages = Averages::default();
        let now = at("2026-11-22T14:07:00Z");
        for minute in 0..1_000 {
            averages.add(LiveSample {
                at: now - SignedDuration::from_mins(minute),
                bpm: Bpm::new(70).unwrap(),
            });
        }
        averages.taken(&[]);
        assert_eq!(averages.len(), 1_000);
        let closed = averages.closed(now + SignedDuration::from_mins(2));
        assert_eq!(closed.len(), 1_000);
        averages.taken(&closed);
        assert_eq!(averages.len(), MOST_MINUTES);
        let second = SignedDuration::from_millis(1);
        for more in 0..700 {
            let added = averages.add(LiveSample {
                at: now + second * more,
                bpm: Bpm::new(80).unwrap(),
            });
            let expected = match more {
                ..600 => Added::New,
                _ => Added::Crowded,
            };
            assert_eq!(added, expected, "{more}");
        }
    }

    proptest! {
        #[test]
        fn the_order_and_the_batches_in_which_samples_come_do_not_matter(
            samples in prop::collection::btree_map(0_i64..300_000, 40_u16..200, 1..200),
            turn in 0_usize..200,
            batch in 1_usize..50,
        ) {
            let start = at("2026-11-22T14:07:00Z");
            let later = start + SignedDuration::from_hours(1);
            let samples: Vec<LiveSample> = samples
                .into_iter()
                .map(|(ms, bpm)| LiveSample {
                    at: start + SignedDuration::from_millis(ms),
                    bpm: Bpm::new(bpm).unwrap(),
                })
                .collect();
            let mut at_once = Averages::default();
            for sample in &samples {
                at_once.add(*sample);
            }
            let expected = at_once.closed(later);
            let mut turned = samples;
            let places = turned.len();
            turned.rotate_left(turn % places);
            let mut bit_by_bit = Averages::default();
            let mut last = BTreeMap::new();
            for batch in turned.chunks(batch) {
                for sample in batch {
                    bit_by_bit.add(*sample);
                }
                let closed = bit_by_bit.closed(later);
                bit_by_bit.taken(&closed);
                last.extend(closed.iter().map(|it| (it.at, it.bpm)));
            }
            let expected: BTreeMap<Timestamp, Bpm> =
                expected.iter().map(|it| (it.at, it.bpm)).collect();
            prop_assert_eq!(last, expected);
        }
    }
}
