//! A day of heart rate, minute by minute, and the window of its latest minutes.

use jiff::{SignedDuration, Timestamp};

use crate::{
    Bpm,
    civil::{LocalDay, MAX_DAY_MINUTES},
    instant::later,
};

/// The number of minutes that the picture and the report show.
pub const WINDOW_LEN: usize = 15;

/// The average heart rate of one minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The beginning of the minute.
    pub at: Timestamp,
    /// Its average, rounded half up.
    pub bpm: Bpm,
}

/// One civil day of minute averages.
///
/// Minutes are numbered by the minutes elapsed since the day began, so that days of 23 and 25 hours
/// need no special case. A minute without a value is missing; it is never zero.
#[derive(Clone, PartialEq, Eq)]
pub struct Day {
    local: LocalDay,
    minutes: [Option<Bpm>; MAX_DAY_MINUTES as usize],
}

impl Day {
    /// Creates a day without any values.
    #[must_use]
    pub const fn new(local: LocalDay) -> Self {
        Self {
            local,
            minutes: [None; MAX_DAY_MINUTES as usize],
        }
    }

    /// Returns the day's date, beginning, length and offsets.
    #[must_use]
    pub const fn local(&self) -> &LocalDay {
        &self.local
    }

    /// Records a minute's average; a revised value replaces the earlier one. A minute that the day does
    /// not have is ignored.
    pub fn record(&mut self, minute: u16, bpm: Bpm) {
        if minute < self.local.minutes()
            && let Some(slot) = self.minutes.get_mut(usize::from(minute))
        {
            *slot = Some(bpm);
        }
    }

    /// Records those minutes of a window that the day has.
    pub fn record_window(&mut self, window: &Window) {
        for sample in window.samples() {
            if let Some(minute) = self.local.minute_of(sample.at) {
                self.record(minute, sample.bpm);
            }
        }
    }

    /// Drops the minutes that begin after `instant`; returns the number of those that had a value.
    pub fn truncate(&mut self, instant: Timestamp) -> u16 {
        let mut forgotten = 0;
        for (minute, slot) in (0..).zip(&mut self.minutes) {
            if self.local.instant(minute) > instant {
                // At most MAX_DAY_MINUTES, so the sum fits.
                forgotten += u16::from(slot.take().is_some());
            }
        }
        forgotten
    }

    /// Returns the average of a minute, if it is known.
    #[must_use]
    pub fn get(&self, minute: u16) -> Option<Bpm> {
        self.minutes.get(usize::from(minute)).copied().flatten()
    }

    /// Returns the minutes that have a value, in chronological order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (u16, Bpm)> + '_ {
        (0..MAX_DAY_MINUTES).filter_map(|minute| Some((minute, self.get(minute)?)))
    }

    /// Returns the number of minutes that have a value.
    #[must_use]
    pub fn logged_minutes(&self) -> u16 {
        // At most MAX_DAY_MINUTES, so the sum fits.
        self.minutes
            .iter()
            .map(|slot| u16::from(slot.is_some()))
            .sum()
    }

    /// Returns the latest minute that has a value.
    #[must_use]
    pub fn latest(&self) -> Option<(u16, Bpm)> {
        self.iter().next_back()
    }

    /// Returns the latest fifteen minutes of this day that have a value, oldest first; `None` when the
    /// day has fewer.
    #[must_use]
    pub fn latest_fifteen(&self) -> Option<[(u16, Bpm); WINDOW_LEN]> {
        let mut latest = [self.latest()?; WINDOW_LEN];
        let mut found = self.iter().rev();
        for slot in latest.iter_mut().rev() {
            *slot = found.next()?;
        }
        Some(latest)
    }

    /// Returns the lowest, mean and highest rate; `None` while there is no minute.
    #[must_use]
    pub fn extent(&self) -> Option<Extent> {
        Extent::from_rates(self.iter().map(|(_, bpm)| bpm))
    }
}

impl core::fmt::Debug for Day {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Day")
            .field("date", &self.local.date())
            .field("logged_minutes", &self.logged_minutes())
            .field("latest", &self.latest())
            .finish_non_exhaustive()
    }
}

/// The latest fifteen logged minutes of the last 24 hours, across midnight, oldest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    after: Timestamp,
    samples: heapless::Vec<Sample, WINDOW_LEN>,
}

impl Window {
    /// Creates an empty window of the 24 hours before `now`.
    #[must_use]
    pub fn ending_at(now: Timestamp) -> Self {
        Self {
            after: later(now, -SignedDuration::from_hours(24)).unwrap_or(Timestamp::MIN),
            samples: heapless::Vec::new(),
        }
    }

    /// Creates an empty window for minutes known from earlier, of which `newest` is the newest: the
    /// window as it was at `asked`, or as it was at `newest` if there was no minute in the 24 hours
    /// before `asked`.
    #[must_use]
    pub fn as_known(newest: Timestamp, asked: Timestamp) -> Self {
        let at_last = Self::ending_at(asked);
        if newest > at_last.after {
            at_last
        } else {
            Self::ending_at(newest)
        }
    }

    /// Inserts a minute, in any order; the same minute again replaces its value. A minute that is too
    /// old, or older than fifteen others, is left out.
    pub fn insert(&mut self, sample: Sample) {
        let is_late = self.samples.is_full()
            && self
                .samples
                .first()
                .is_some_and(|oldest| sample.at < oldest.at);
        if sample.at <= self.after || is_late {
            return;
        }
        match self.samples.binary_search_by_key(&sample.at, |s| s.at) {
            Ok(same) => {
                if let Some(slot) = self.samples.get_mut(same) {
                    *slot = sample;
                }
            }
            Err(place) => {
                let place = if self.samples.is_full() {
                    self.samples.remove(0);
                    place.saturating_sub(1)
                } else {
                    place
                };
                // There is room: one was removed above if there was none.
                let _ = self.samples.insert(place, sample);
            }
        }
    }

    /// Inserts every minute of a day.
    pub fn insert_day(&mut self, day: &Day) {
        // Fifteen from the end are all that can matter.
        for (minute, bpm) in day.iter().rev().take(WINDOW_LEN) {
            self.insert(Sample {
                at: day.local().instant(minute),
                bpm,
            });
        }
    }

    /// Returns the minutes, oldest first; at most fifteen.
    #[must_use]
    pub fn samples(&self) -> &[Sample] {
        &self.samples
    }

    /// Returns the newest minute.
    #[must_use]
    pub fn latest(&self) -> Option<Sample> {
        self.samples.last().copied()
    }

    /// Returns whether the window has fifteen minutes.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.samples.is_full()
    }

    /// Returns the lowest, mean and highest rate; `None` while there is no minute.
    #[must_use]
    pub fn extent(&self) -> Option<Extent> {
        Extent::from_rates(self.samples.iter().map(|sample| sample.bpm))
    }
}

/// The lowest, mean and highest of some rates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// The lowest.
    pub min: Bpm,
    /// The mean, rounded half up.
    pub mean: Bpm,
    /// The highest.
    pub max: Bpm,
}

impl Extent {
    /// Computes the extent of rates; `None` if there are none.
    #[must_use]
    pub fn from_rates(rates: impl IntoIterator<Item = Bpm>) -> Option<Self> {
        let mut rates = rates.into_iter();
        let first = rates.next()?;
        let start = (first, first, u32::from(first.get()), 1_u32);
        let (min, max, sum, count) = rates.fold(start, |(min, max, sum, count), bpm| {
            let sum = sum.saturating_add(bpm.get().into());
            (min.min(bpm), max.max(bpm), sum, count.saturating_add(1))
        });
        let mean = Bpm::mean(sum, count)?;
        Some(Self { min, mean, max })
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::vec::Vec;

    use jiff::{civil::date, tz::Offset};
    use proptest::prelude::*;

    use super::*;
    use crate::civil::Offsets;

    fn bpm(n: u16) -> Bpm {
        Bpm::new(n).unwrap()
    }

    fn day() -> Day {
        Day::new(Offsets::fixed(Offset::UTC).day(date(2026, 11, 22)))
    }

    #[test]
    fn a_day_keeps_gaps_and_takes_revisions() {
        let mut day = day();
        day.record(3, bpm(70));
        day.record(1, bpm(60));
        day.record(3, bpm(71));
        day.record(1_440, bpm(99));
        assert_eq!(day.iter().collect::<Vec<_>>(), [(1, bpm(60)), (3, bpm(71))]);
        assert_eq!((day.logged_minutes(), day.get(2)), (2, None));
    }

    #[test]
    fn fifteen_are_needed_for_the_days_latest_fifteen() {
        let mut day = day();
        for minute in 0..14 {
            day.record(minute * 2, bpm(60 + minute));
        }
        assert_eq!(day.latest_fifteen(), None);
        day.record(28, bpm(90));
        let latest = day.latest_fifteen().unwrap();
        assert_eq!(latest[0], (0, bpm(60)));
        assert_eq!(latest[14], (28, bpm(90)));
    }

    #[test]
    fn the_mean_is_rounded_half_up() {
        let now: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        let mut window = Window::ending_at(now);
        for (minutes, rate) in [(1, 84), (2, 85)] {
            window.insert(Sample {
                at: now - SignedDuration::from_mins(minutes),
                bpm: bpm(rate),
            });
        }
        let extent = window.extent().unwrap();
        assert_eq!(
            (extent.min, extent.mean, extent.max),
            (bpm(84), bpm(85), bpm(85))
        );
    }

    #[test]
    fn a_minute_of_24_hours_ago_is_too_old() {
        let now: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        let mut window = Window::ending_at(now);
        window.insert(Sample {
            at: now - SignedDuration::from_hours(24),
            bpm: bpm(80),
        });
        assert_eq!(window.latest(), None);
    }

    proptest! {
        #[test]
        fn a_window_is_the_newest_fifteen_in_any_order(
            entries in proptest::collection::vec((0_i64..2_000, 1_u16..=300), 0..60)
        ) {
            let now: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
            let mut window = Window::ending_at(now);
            let mut model = std::collections::BTreeMap::new();
            for (minutes, rate) in entries {
                let at = now - SignedDuration::from_mins(minutes);
                // A revision of a minute that was pushed out by fifteen newer ones stays out.
                window.insert(Sample { at, bpm: bpm(rate) });
                if minutes < 1_440 {
                    model.insert(at, bpm(rate));
                }
            }
            let newest: Vec<_> = model.iter().rev().take(WINDOW_LEN).map(|(at, bpm)| Sample { at: *at, bpm: *bpm }).collect();
            prop_assert_eq!(window.samples().iter().rev().copied().collect::<Vec<_>>(), newest);
        }
    }
}
