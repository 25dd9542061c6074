//! What a cycle fetched for a history.

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use pulsewing_core::{
    day::{Day, Sample},
    reading::Reading,
};

use super::{
    Account, Batch, Dates, HistoryError, Kind, Source, SourceDay, archive::zone::day_of,
    merge::record_at,
};

/// A reading or a past day, ready to be written.
#[derive(Clone, Debug)]
pub struct Arrival<'a> {
    /// The days with a minute.
    days: Vec<SourceDay>,
    /// The time of the fetch.
    pub(super) at: Timestamp,
    /// The current date on the wearer's clock, the base for the retention.
    pub(super) today: Option<Date>,
    /// A day that was fetched after its end, and up to when the tracker had synced.
    asked: Option<(Date, Timestamp)>,
    /// The person whose heart rate it is, if known.
    whose: Option<&'a Account>,
}

impl<'a> Arrival<'a> {
    /// Builds the arrival of a reading of this person; `None` if it has no minute.
    ///
    /// It has the reading's day, and the end of the previous one that its window still shows.
    #[must_use]
    pub fn of_reading(reading: &Reading, whose: Option<&'a Account>) -> Option<Self> {
        let days = days_of(reading);
        let at = reading.fetched_at;
        (!days.is_empty()).then(|| Self {
            days,
            at,
            today: Some(reading.time_zone.offsets.local(at).date()),
            asked: None,
            whose,
        })
    }

    /// Builds the arrival of a day that was fetched after its end, when the tracker had synced up to
    /// `synced_at`. That it was fetched is written even if it has no minute, so that it is not fetched
    /// again.
    #[must_use]
    pub fn of_past_day(
        known: &SourceDay,
        synced_at: Timestamp,
        whose: Option<&'a Account>,
    ) -> Self {
        let has_minutes = known.day.logged_minutes() > 0;
        Self {
            days: has_minutes
                .then(|| whole_seconds(known.clone()))
                .into_iter()
                .collect(),
            at: known.fetched_at,
            today: None,
            asked: Some((known.day.local().date(), synced_at)),
            whose,
        }
    }

    /// Builds the arrival of minutes that a program pushed for the wearer; `None` if there are none. `zone`
    /// is the wearer's, and `at` the time at which they came.
    #[must_use]
    pub fn of_pushed(
        source: &str,
        minutes: &[Sample],
        zone: &TimeZone,
        at: Timestamp,
    ) -> Option<Self> {
        let mut days: Vec<SourceDay> = Vec::new();
        for minute in minutes {
            let is_in = |known: &&mut SourceDay| known.day.local().minute_of(minute.at).is_some();
            if let Some(known) = days.iter_mut().find(is_in) {
                record_at(&mut known.day, minute.at, minute.bpm);
                continue;
            }
            let mut day = Day::new(day_of(zone, minute.at));
            record_at(&mut day, minute.at, minute.bpm);
            days.push(whole_seconds(SourceDay {
                source: Source::with_device(Kind::Push, source),
                zone: zone.iana_name().unwrap_or_default().to_owned(),
                day,
                resting: None,
                fetched_at: at,
            }));
        }
        (!days.is_empty()).then(|| Self {
            days,
            at,
            today: Some(zone.to_datetime(at).date()),
            asked: None,
            whose: None,
        })
    }

    /// Returns the dates that have to be loaded into a history in memory to write this.
    #[must_use]
    pub fn dates(&self) -> Dates {
        let merged = self.days.iter().map(|known| {
            let local = known.day.local();
            let end = local.instant(local.minutes());
            Dates::of_hours(local.start(), end).with(local.date().into())
        });
        let asked = self.asked.map(|(date, _)| date.into());
        let all = merged.chain(asked).reduce(Dates::with);
        all.unwrap_or(Dates::ALL)
    }

    /// Writes it.
    pub(super) fn write(&self, batch: &Batch<'_>) -> Result<(), HistoryError> {
        if let Some(account) = self.whose {
            batch.claim(account)?;
        }
        for day in &self.days {
            match day.source.kind() {
                Kind::Push => batch.record_pushed(day)?,
                _ => batch.record(day)?,
            }
        }
        match self.asked {
            Some((date, synced_at)) => batch.note_asked(date, synced_at),
            None => Ok(()),
        }
    }
}

/// Returns the days of a reading: its own, and the end of the previous one that its window still
/// shows.
fn days_of(reading: &Reading) -> Vec<SourceDay> {
    let zone = &reading.time_zone;
    let known = |day: Day, resting| SourceDay {
        source: Source::from(reading.provider),
        zone: zone.name.as_str().to_owned(),
        day,
        resting,
        fetched_at: reading.fetched_at,
    };
    let today = reading.day.local();
    let mut days = Vec::new();
    let mut earlier: Option<Day> = None;
    for sample in reading.window.samples() {
        if sample.at >= today.start() {
            break;
        }
        let day = earlier.get_or_insert_with(|| Day::new(zone.offsets.day_of(sample.at)));
        record_at(day, sample.at, sample.bpm);
    }
    days.extend(earlier.map(|day| known(day, None)));
    if reading.day.logged_minutes() > 0 {
        days.push(known(reading.day.clone(), reading.resting));
    }
    days.into_iter().map(whole_seconds).collect()
}

/// Truncates the times to seconds, as they are stored.
fn whole_seconds(known: SourceDay) -> SourceDay {
    let fetched_at = known.fetched_at;
    SourceDay {
        fetched_at: Timestamp::from_second(fetched_at.as_second()).unwrap_or(fetched_at),
        ..known
    }
}
