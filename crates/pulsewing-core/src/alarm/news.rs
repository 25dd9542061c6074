//! The newest minutes, from where alarms may hear of them.

use jiff::Timestamp;

use crate::{
    day::{Day, Sample, Window},
    reading::Reading,
};

/// What an update has just brought: the only way in which a heart rate reaches the alarms.
///
/// A [`Cycle`](crate::cycle::Cycle) makes one of the reading that it has fetched, and live samples are
/// one. There is none for an import, a day fetched later, or a history.
#[derive(Clone, Copy, Debug)]
pub struct News<'r> {
    minutes: Minutes<'r>,
    /// The tracker's battery in percent, if it is known.
    pub(super) battery_percent: Option<u8>,
    /// The tracker's last sync, if it is known.
    pub(super) last_sync: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug)]
enum Minutes<'r> {
    Fetched(&'r Window, &'r Day),
    Live(&'r [Sample]),
}

impl<'r> News<'r> {
    /// Takes a reading that was fetched just now.
    pub(crate) const fn fetched(reading: &'r Reading) -> Self {
        Self {
            minutes: Minutes::Fetched(&reading.window, &reading.day),
            battery_percent: reading.battery_percent,
            last_sync: reading.last_sync,
        }
    }

    /// Takes minutes that a live source sent since the program started, oldest first.
    #[must_use]
    pub const fn live(minutes: &'r [Sample]) -> Self {
        Self {
            minutes: Minutes::Live(minutes),
            battery_percent: None,
            last_sync: None,
        }
    }

    /// Returns the newest minute.
    #[must_use]
    pub fn newest(&self) -> Option<Sample> {
        match self.minutes {
            Minutes::Fetched(window, _) => window.latest(),
            Minutes::Live(minutes) => minutes.last().copied(),
        }
    }

    /// Returns the minutes that began within a span, oldest first: the day's, and before midnight as
    /// many as the window has.
    pub(super) fn between(
        &self,
        after: Timestamp,
        until: Timestamp,
    ) -> impl Iterator<Item = Sample> + '_ {
        let (before, day, live) = match self.minutes {
            Minutes::Fetched(window, day) => (window.samples(), Some(day), &[][..]),
            Minutes::Live(minutes) => (&[][..], None, minutes),
        };
        let starts = day.map(|day| day.local().instant(0));
        let before = before
            .iter()
            .copied()
            .filter(move |sample| starts.is_some_and(|starts| sample.at < starts));
        let of_day = day.into_iter().flat_map(|day| {
            day.iter().map(|(minute, bpm)| Sample {
                at: day.local().instant(minute),
                bpm,
            })
        });
        before
            .chain(of_day)
            .chain(live.iter().copied())
            .filter(move |sample| sample.at > after && sample.at <= until)
    }
}
