//! Minute averages of single measurements.

use jiff::Timestamp;

use crate::{
    Bpm,
    civil::{LocalDay, MAX_DAY_MINUTES},
    day::{Day, Sample},
};

/// The measurements of one civil day, summed up minute by minute: 9 KB, for any number of them.
#[derive(Clone)]
pub struct MinuteMeans {
    local: LocalDay,
    sums: [u32; MAX_DAY_MINUTES as usize],
    counts: [u16; MAX_DAY_MINUTES as usize],
}

impl MinuteMeans {
    /// Creates the sums of a day, without any measurements.
    #[must_use]
    pub const fn new(local: LocalDay) -> Self {
        Self {
            local,
            sums: [0; MAX_DAY_MINUTES as usize],
            counts: [0; MAX_DAY_MINUTES as usize],
        }
    }

    /// Adds a measurement, in any order. Measurements of other days are left out, and so are those
    /// beyond 65,535 in one minute.
    #[inline]
    pub fn add(&mut self, at: Timestamp, bpm: Bpm) {
        let Some(minute) = self.local.minute_of(at).map(usize::from) else {
            return;
        };
        if let (Some(sum), Some(count)) = (self.sums.get_mut(minute), self.counts.get_mut(minute))
            && let Some(more) = count.checked_add(1)
        {
            *count = more;
            // At most 65,535 times 300.
            *sum += u32::from(bpm.get());
        }
    }

    /// Returns the minutes that have a measurement, in chronological order, each with the exact mean of
    /// its measurements, rounded half up.
    pub fn iter(&self) -> impl Iterator<Item = (u16, Bpm)> + '_ {
        (0..MAX_DAY_MINUTES)
            .zip(self.sums.iter().zip(&self.counts))
            .filter_map(|(minute, (sum, count))| Some((minute, Bpm::mean(*sum, (*count).into())?)))
    }

    /// Returns the same with the instant at which each minute begins.
    pub fn samples(&self) -> impl Iterator<Item = Sample> + '_ {
        self.iter().map(|(minute, bpm)| Sample {
            at: self.local.instant(minute),
            bpm,
        })
    }

    /// Returns the means as a day.
    #[must_use]
    pub fn to_day(&self) -> Day {
        let mut day = Day::new(self.local);
        for (minute, bpm) in self.iter() {
            day.record(minute, bpm);
        }
        day
    }
}

impl core::fmt::Debug for MinuteMeans {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("MinuteMeans")
            .field("date", &self.local.date())
            .field("minutes", &self.iter().count())
            .finish_non_exhaustive()
    }
}
