//! The reading that a cycle's calls fill.

use jiff::Timestamp;

use super::{builder::ReadingBuilder, fetch::Memory, settings::Settings};
use crate::{
    day::Day,
    dialect::ZoneFacts,
    reading::{Reading, TimeZone},
};

/// The reading so far, and the facts that decide on the next call.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) reading: ReadingBuilder,
    pub(super) zone: Zone,
    /// The number of minutes in Google's heart-rate replies, without those in the future.
    pub(super) points: u32,
    /// The number of reported minutes that lie in the future.
    pub(super) future_minutes: u32,
    /// The day of the current reply, in Fitbit's dialect.
    pub(super) incoming: Day,
}

/// The provider's facts about the zone, as far as it reported any.
#[derive(Clone, Debug)]
pub(super) enum Zone {
    /// The zone was not asked for in this cycle.
    Remembered(ZoneFacts),
    /// The zone was asked for in this cycle, answered or not.
    Asked(ZoneFacts),
}

impl Zone {
    pub(super) const fn facts(&self) -> &ZoneFacts {
        match self {
            Self::Remembered(facts) | Self::Asked(facts) => facts,
        }
    }
}

/// A complete reading.
#[derive(Debug)]
pub(super) struct Complete {
    pub(super) reading: Reading,
    /// The number of minutes left out because they lie in the future.
    pub(super) future_minutes: u32,
}

impl Draft {
    pub(super) fn new(time_zone: TimeZone, zone: Zone, now: Timestamp) -> Self {
        let today = time_zone.offsets.day_of(now);
        Self {
            reading: ReadingBuilder::new(time_zone, today, now),
            zone,
            points: 0,
            future_minutes: 0,
            incoming: Day::new(today),
        }
    }

    /// Returns whether an instant belongs to the reading's day.
    pub(super) fn is_of_its_day(&self, at: Timestamp) -> bool {
        let date = self.reading.time_zone.offsets.local(at).date();
        date == self.reading.day.local().date()
    }

    /// Returns the newest reported time: of a sync, or of a minute.
    pub(super) fn newest(&self) -> Option<Timestamp> {
        let minute = self.reading.window.latest().map(|sample| sample.at);
        minute.max(self.reading.device.last_sync)
    }

    /// Returns whether something in the future was reported.
    pub(super) const fn has_future(&self) -> bool {
        self.reading.has_future_sync || self.future_minutes > 0
    }

    pub(super) const fn count_future(&mut self, minutes: u32) {
        self.future_minutes = self.future_minutes.saturating_add(minutes);
    }

    /// Builds the reading; data fetched earlier in the day fills the gaps.
    pub(super) fn complete(mut self, memory: &Memory, settings: &Settings) -> Complete {
        if let Some((resting, at)) = memory.resting
            && self.is_of_its_day(at)
        {
            self.reading.take_resting(resting);
        }
        // Zones hardly change: those of an earlier day are better than none.
        if let Some((zones, _)) = memory.heart_zones {
            self.reading.take_zones(zones);
        }
        let Settings {
            provider,
            heart_zones,
            born,
            ..
        } = settings;
        Complete {
            reading: self.reading.finish(*provider, *heart_zones, *born),
            future_minutes: self.future_minutes,
        }
    }
}
