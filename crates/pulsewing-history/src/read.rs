//! Reads days back.

use std::{collections::BTreeMap, rc::Rc, str::FromStr};

use jiff::{
    Timestamp,
    civil::{Date, DateTime},
    tz::Offset,
};
use pulsewing_core::{
    Bpm,
    day::{Day, Extent},
};

use super::{
    Dates, History, Source, error::HistoryError, find::find, merge, row, source_day::SourceDay,
    still::still,
};

/// A day, combined from all its sources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayRecord {
    /// The minutes.
    pub day: Day,
    /// The resting heart rate.
    pub resting: Option<Bpm>,
    /// The data of each source, best first.
    pub sources: Vec<SourceDay>,
}

impl DayRecord {
    /// Returns the name of the zone in which the day is shown; empty if only its offsets are known.
    #[must_use]
    pub fn zone(&self) -> &str {
        merge::view(&self.sources).map_or("", |known| known.zone.as_str())
    }
}

/// A day in a year's overview.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DaySummary {
    /// The civil date.
    pub date: Date,
    /// The number of minutes with a value.
    pub logged_minutes: u16,
    /// The minimum, mean and maximum rate; `None` without a minute.
    pub extent: Option<Extent>,
    /// The resting heart rate.
    pub resting: Option<Bpm>,
}

/// A minute of the history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Minute {
    /// The beginning of the minute.
    pub at: Timestamp,
    /// The offset of the wearer's clock.
    pub offset: Offset,
    /// The name of the wearer's zone; empty if only its offset is known.
    pub zone: Rc<str>,
    /// The average of the minute.
    pub bpm: Bpm,
    /// The source that it came from.
    pub source: Rc<Source>,
}

impl Minute {
    /// Returns the time on the wearer's clock.
    #[must_use]
    pub fn local(&self) -> DateTime {
        self.offset.to_datetime(self.at)
    }
}

/// The extent of a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first date.
    pub first: Date,
    /// The last date.
    pub last: Date,
    /// The number of dates with at least one minute or a resting rate.
    pub days: u32,
}

impl History {
    /// Returns a day, as far as it can be read; `None` if nothing is known about it.
    ///
    /// # Errors
    /// [`HistoryError`]; [`UnreadableDay`](HistoryError::UnreadableDay) when none of its data can
    /// be read.
    pub fn day(&self, date: Date) -> Result<Option<DayRecord>, HistoryError> {
        self.loaded.must_have(date.into())?;
        let _still = still(&self.db)?;
        let numbers = find(&self.db, &self.wearer, date, date)?;
        let numbers = numbers.get(&date).map(Vec::as_slice);
        self.day_of(date, numbers.unwrap_or_default())
    }

    /// Combines the day from the rows with these numbers.
    pub(super) fn day_of(
        &self,
        date: Date,
        numbers: &[i64],
    ) -> Result<Option<DayRecord>, HistoryError> {
        let of_date = row::of_date(&self.db, date, numbers)?;
        if of_date.has_unreadable && of_date.rows.is_empty() {
            return Err(HistoryError::UnreadableDay(date));
        }
        let sources = of_date.known();
        Ok(merge::sources(&sources).map(|(day, resting)| DayRecord {
            day,
            resting,
            sources,
        }))
    }

    /// Returns the days from one date to another, both included, in their order. Leaves out days
    /// without any data.
    ///
    /// # Errors
    /// [`HistoryError`].
    pub fn overview(&self, from: Date, to: Date) -> Result<Vec<DaySummary>, HistoryError> {
        self.loaded.must_have(Dates { from, to })?;
        let _still = still(&self.db)?;
        let columns = "SELECT logged, min, mean, max, resting FROM day WHERE rowid = ?1";
        let mut query = self.db.prepare(columns)?;
        let mut days = Vec::new();
        for (date, numbers) in find(&self.db, &self.wearer, from, to)? {
            // For a single row its columns are enough.
            if let [number] = numbers.as_slice()
                && let Ok(Some(day)) = query.query_row([number], |row| Ok(summary(date, row)))
            {
                days.push(day);
                continue;
            }
            let known = match self.day_of(date, &numbers) {
                Err(HistoryError::UnreadableDay(_)) => None,
                known => known?,
            };
            days.extend(known.map(|known| DaySummary {
                date,
                logged_minutes: known.day.logged_minutes(),
                extent: known.day.extent(),
                resting: known.resting,
            }));
        }
        Ok(days)
    }

    /// Returns the extent of the history; `None` while it is empty.
    ///
    /// # Errors
    /// [`HistoryError`].
    pub fn span(&self) -> Result<Option<Span>, HistoryError> {
        self.loaded.must_have(Dates::ALL)?;
        let dates = self.dates(Date::MIN, Date::MAX)?;
        let span = dates.first().zip(dates.last());
        Ok(span.map(|(first, last)| Span {
            first: *first,
            last: *last,
            days: u32::try_from(dates.len()).unwrap_or(u32::MAX),
        }))
    }

    /// Hands over every minute of the days from one date to another, both included, in the order of
    /// time and each once, even if a wearer who travelled has two views of a date. Leaves out data
    /// that cannot be read; [`unreadable`](Self::unreadable) names its days.
    ///
    /// # Errors
    /// [`HistoryError`], and any error that `each` returns.
    pub fn minutes<E: From<HistoryError>>(
        &self,
        from: Date,
        to: Date,
        mut each: impl FnMut(Minute) -> Result<(), E>,
    ) -> Result<(), E> {
        self.loaded.must_have(Dates { from, to })?;
        // Read everything from one state of the file.
        let _still = still(&self.db)?;
        // Two views of a date may overlap the previous or next date.
        let mut waiting = BTreeMap::new();
        for (date, numbers) in find(&self.db, &self.wearer, from, to)? {
            let sources = row::of_date(&self.db, date, &numbers)?.known();
            let starts = sources.iter().map(|known| known.day.local().start());
            if let Some(first) = starts.min() {
                let later = waiting.split_off(&first);
                for minute in std::mem::replace(&mut waiting, later).into_values() {
                    each(minute)?;
                }
            }
            for known in &sources {
                let local = known.day.local();
                let zone: Rc<str> = known.zone.as_str().into();
                let source = Rc::new(known.source.clone());
                for (minute, bpm) in known.day.iter() {
                    let at = local.instant(minute);
                    waiting.entry(at).or_insert_with(|| Minute {
                        at,
                        offset: local.offset_in(minute),
                        zone: Rc::clone(&zone),
                        bpm,
                        source: Rc::clone(&source),
                    });
                }
            }
        }
        waiting.into_values().try_for_each(each)
    }

    /// Returns the days from one date to another, both included, with data that cannot be read.
    ///
    /// # Errors
    /// [`HistoryError`].
    pub fn unreadable(&self, from: Date, to: Date) -> Result<Vec<Date>, HistoryError> {
        Ok(self.flaws(from, to)?.unreadable)
    }

    /// Returns the flaws in the rows of the days from one date to another, both included.
    pub(super) fn flaws(&self, from: Date, to: Date) -> Result<Flaws, HistoryError> {
        self.loaded.must_have(Dates { from, to })?;
        let _still = still(&self.db)?;
        let mut flaws = Flaws::default();
        for (date, numbers) in find(&self.db, &self.wearer, from, to)? {
            let of_date = row::of_date(&self.db, date, &numbers)?;
            if of_date.has_unreadable {
                flaws.unreadable.push(date);
            } else if of_date.rows.iter().any(|row| row.is_corrected) {
                flaws.corrected.push(date);
            }
        }
        Ok(flaws)
    }

    pub(super) fn dates(&self, from: Date, to: Date) -> Result<Vec<Date>, HistoryError> {
        Ok(find(&self.db, &self.wearer, from, to)?
            .into_keys()
            .collect())
    }
}

/// The days with flawed rows, in their order.
#[derive(Debug, Default)]
pub(super) struct Flaws {
    /// The days with data that cannot be read.
    pub(super) unreadable: Vec<Date>,
    /// The other days, where a resting rate or zone cannot be read and was left out.
    pub(super) corrected: Vec<Date>,
}

/// Builds a day's summary from the columns of its only row; returns `None` when they are not valid.
fn summary(date: Date, row: &rusqlite::Row<'_>) -> Option<DaySummary> {
    let logged_minutes = row.get("logged").ok()?;
    let bpm = |column: &str| Bpm::new(row.get(column).ok()?);
    let extent = match logged_minutes {
        0 => None,
        _ => Some(Extent {
            min: bpm("min")?,
            mean: bpm("mean")?,
            max: bpm("max")?,
        }),
    };
    Some(DaySummary {
        date,
        logged_minutes,
        extent,
        resting: row::resting(row.get_ref("resting").ok()?).flatten(),
    })
}

/// Returns the date of a row, if it is valid.
pub(super) fn date_of(row: &rusqlite::Row<'_>) -> Option<Date> {
    Date::from_str(row.get_ref("date").ok()?.as_str().ok()?).ok()
}
