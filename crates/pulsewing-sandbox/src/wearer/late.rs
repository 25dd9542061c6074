//! Late and revised samples: the values of a sync before the next one corrects them.
//!
//! Of every fifteen minutes in a sync, three in a row are missing at first, and two others have
//! wrong values. The next sync corrects both, so that in the end every sample is the recording's.

use jiff::{SignedDuration, Timestamp};

use super::{MINUTE, Sample, chance::Chance};
use crate::clock::SYNC_STEP;

/// The errors of one sync.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FirstWord {
    /// Where the fifteen minutes begin; everything before them has been corrected.
    since: Timestamp,
    /// The first of the late minutes, counted from there.
    late: i64,
    /// The minutes with wrong values.
    revised: [i64; 2],
    /// The error of these values in bpm; never 0.
    error: i32,
}

impl FirstWord {
    /// Returns the errors of the sync at `sync`; the same seed and sync give the same result.
    pub(super) fn of(seed: u64, sync: Timestamp) -> Self {
        let mut chance = Chance::new(seed, sync.as_second());
        let late = chance.whole(0, STEP_MINUTES - LATE);
        // Two of the minutes that are not late, counted without the late ones.
        let first = chance.whole(0, STEP_MINUTES - LATE - 2);
        let second = chance.whole(first + 1, STEP_MINUTES - LATE - 1);
        let in_time = |minute: i64| if minute < late { minute } else { minute + LATE };
        let size = chance.minute(2, 9);
        Self {
            since: sync.checked_sub(SYNC_STEP).unwrap_or(Timestamp::MIN),
            late,
            revised: [in_time(first), in_time(second)],
            error: if chance.one_in(2) { size } else { -size },
        }
    }

    /// Returns a sample as it is first reported, or `None` if it is late.
    pub(super) fn tell(&self, sample: Sample) -> Option<Sample> {
        if sample.at < self.since {
            return Some(sample);
        }
        let elapsed: SignedDuration = sample.at.duration_since(self.since);
        let minute = elapsed.as_secs() / MINUTE.as_secs();
        if (self.late..self.late + LATE).contains(&minute) {
            return None;
        }
        if !self.revised.contains(&minute) {
            return Some(sample);
        }
        let true_bpm = i32::from(sample.bpm);
        let within = |bpm: &i32| (1..=300).contains(bpm);
        let told = Some(true_bpm + self.error).filter(within);
        let bpm = told.unwrap_or(true_bpm - self.error);
        Some(Sample {
            bpm: u16::try_from(bpm).unwrap_or(sample.bpm),
            ..sample
        })
    }
}

/// Minutes between two syncs.
const STEP_MINUTES: i64 = SYNC_STEP.as_secs() / MINUTE.as_secs();

/// How many minutes of each step are late.
const LATE: i64 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn every_sync_misses_three_minutes_and_tells_two_wrong(seed: u64, step in 0i64..3_000_000, bpm in 1u16..=300) {
            let sync = Timestamp::from_second(step * SYNC_STEP.as_secs()).unwrap();
            let word = FirstWord::of(seed, sync);
            let sample = |minute: i64| Sample { at: sync - MINUTE.checked_mul(i32::try_from(minute).unwrap()).unwrap(), bpm };
            let told: Vec<Option<u16>> = (1..=30).map(|minute| word.tell(sample(minute)).map(|s| s.bpm)).collect();
            let (fresh, old) = told.split_at(15);
            proptest::prop_assert!(old.iter().all(|told| *told == Some(bpm)));
            proptest::prop_assert_eq!(fresh.iter().filter(|told| told.is_none()).count(), 3);
            proptest::prop_assert_eq!(fresh.iter().flatten().filter(|told| **told != bpm).count(), 2);
            proptest::prop_assert!(fresh.iter().flatten().all(|told| (1..=300).contains(told)));
            proptest::prop_assert_eq!(word, FirstWord::of(seed, sync));
        }
    }
}
