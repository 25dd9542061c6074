//! The samples that a tracker itself did not trust.
//!
//! A tracker that is not worn continues to report a rate. An export's JSON marks those samples with
//! confidence 0; the export's CSV has the same samples without a mark. So we remember the marked
//! samples, by instant and rate, until the CSV has been read.

use std::collections::HashMap;

/// The limit on remembered samples: years of a tracker that is worn only by day, in 16 MiB.
const MAX_MARKS: usize = 4 << 20;

/// The number of seconds in a UTC day.
const DAY: i64 = 86_400;

/// The samples without confidence, of every UTC day.
#[derive(Debug, Default)]
pub(crate) struct Doubts {
    days: HashMap<i64, Vec<u32>>,
    count: usize,
    /// The number of samples for which there was no room.
    pub(crate) beyond: u64,
}

impl Doubts {
    /// Remembers a sample: an instant in seconds since 1970, and its rate in thousandths of a beat
    /// per minute.
    pub(crate) fn mark(&mut self, at: i64, rate: u32) {
        if self.count >= MAX_MARKS {
            self.beyond += 1;
            return;
        }
        self.count += 1;
        let day = self.days.entry(at.div_euclid(DAY)).or_default();
        day.push(packed(at, rate));
    }

    /// Sorts the marked samples for look-ups.
    pub(crate) fn settle(&mut self) {
        for day in self.days.values_mut() {
            day.sort_unstable();
            day.dedup();
            day.shrink_to_fit();
        }
    }

    /// Returns the marked samples of a UTC day, given as the number of days since 1970; empty for
    /// most days.
    pub(crate) fn of_day(&self, number: i64) -> &[u32] {
        self.days.get(&number).map_or(&[], Vec::as_slice)
    }
}

/// Looks up samples, most of which are of the same day as the previous one.
#[derive(Debug)]
pub(crate) struct Lookup<'a> {
    doubts: &'a Doubts,
    number: i64,
    day: &'a [u32],
}

impl<'a> Lookup<'a> {
    pub(crate) fn new(doubts: &'a Doubts) -> Self {
        Self {
            doubts,
            number: i64::MIN,
            day: &[],
        }
    }

    /// Returns whether a sample was marked, given its instant, and its rate in thousandths of a
    /// beat per minute.
    #[inline]
    pub(crate) fn holds(&mut self, at: i64, rate: u32) -> bool {
        let number = at.div_euclid(DAY);
        if number != self.number {
            self.number = number;
            self.day = self.doubts.of_day(number);
        }
        !self.day.is_empty() && self.day.binary_search(&packed(at, rate)).is_ok()
    }
}

/// Packs the second of the day and the rounded rate into one number: 17 bits and 15.
fn packed(at: i64, rate: u32) -> u32 {
    let second = u32::try_from(at.rem_euclid(DAY)).unwrap_or_default();
    let bpm = (rate + 500) / 1_000;
    second << 15 | (bpm & 0x7FFF)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_marked_by_its_instant_and_its_rate() {
        let mut doubts = Doubts::default();
        for (at, bpm) in [(86_399, 70), (0, 70), (0, 70), (-1, 71), (5, 300)] {
            doubts.mark(at, bpm * 1_000);
        }
        doubts.settle();
        let mut lookup = Lookup::new(&doubts);
        for (at, rate) in [(86_399, 70_000), (0, 70_499), (-1, 70_500), (5, 300_000)] {
            assert!(lookup.holds(at, rate), "{at} {rate}");
        }
        for (at, rate) in [
            (86_399, 71_000),
            (1, 70_000),
            (-1, 70_000),
            (86_400, 70_000),
        ] {
            assert!(!lookup.holds(at, rate), "{at} {rate}");
        }
        assert_eq!(doubts.of_day(0).len(), 3);
    }
}
