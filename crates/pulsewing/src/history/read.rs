//! Reading days back.

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
    History,
    error::HistoryError,
    merge,
    row::{self, SourceDay},
};

/// A day, out of everything that is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayRecord {
    /// The minutes.
    pub day: Day,
    /// The resting heart rate.
    pub resting: Option<Bpm>,
    /// What each source knows, best first.
    pub sources: Vec<SourceDay>,
}

/// A day in a year's overview.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DaySummary {
    /// The civil date.
    pub date: Date,
    /// How many minutes have a value.
    pub logged_minutes: u16,
    /// The least, mean and greatest rate; `None` without a minute.
    pub extent: Option<Extent>,
    /// The resting heart rate.
    pub resting: Option<Bpm>,
}

/// A minute of the history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Minute {
    /// When it begins.
    pub at: Timestamp,
    /// The offset of the wearer's clock.
    pub offset: Offset,
    /// The name of the wearer's zone; empty where only its offset is known.
    pub zone: Rc<str>,
    /// Its average.
    pub bpm: Bpm,
}

impl Minute {
    /// What the wearer's clock showed.
    #[must_use]
    pub fn local(&self) -> DateTime {
        self.offset.to_datetime(self.at)
    }
}

/// How much there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first date.
    pub first: Date,
    /// The last date.
    pub last: Date,
    /// How many dates have at least one minute or a resting rate.
    pub days: u32,
}

impl History {
    /// A day, as far as it can be read; `None` where nothing is known of it.
    ///
    /// # Errors
    /// [`HistoryError`]; [`UnreadableDay`](HistoryError::UnreadableDay) when nothing of it can be.
    pub fn day(&self, date: Date) -> Result<Option<DayRecord>, HistoryError> {
        let of_date = row::of_date(&self.db, &self.wearer, date)?;
        if of_date.has_unreadable && of_date.rows.is_empty() {
            return Err(HistoryError::UnreadableDay(date));
        }
        let mut sources = of_date.known();
        merge::rank(&mut sources);
        Ok(merge::sources(&sources).map(|(day, resting)| DayRecord {
            day,
            resting,
            sources,
        }))
    }

    /// The days from a date to another, both included, in their order. Days of which nothing is
    /// known are left out.
    ///
    /// # Errors
    /// [`HistoryError`].
    pub fn overview(&self, from: Date, to: Date) -> Result<Vec<DaySummary>, HistoryError> {
        let mut query = self.db.prepare(
            "SELECT date, count(*), logged, min, mean, max, resting FROM day
             WHERE wearer = ?1 AND date BETWEEN ?2 AND ?3 GROUP BY date ORDER BY date",
        )?;
        let mut rows = query.query((&self.wearer, from.to_string(), to.to_string()))?;
        let mut days = Vec::new();
        while let Some(row) = rows.next()? {
            let Some(date) = date_of(row) else {
                continue;
            };
            // With a single row its columns say it all.
            if row.get::<_, u32>(1)? > 1 {
                let known = match self.day(date) {
                    Err(HistoryError::UnreadableDay(_)) => None,
                    known => known?,
                };
                days.extend(known.map(|known| DaySummary {
                    date,
                    logged_minutes: known.day.logged_minutes(),
                    extent: known.day.extent(),
                    resting: known.resting,
                }));
                continue;
            }
            days.extend(summary(date, row));
        }
        Ok(days)
    }

    /// How much there is; `None` while there is nothing.
    ///
    /// # Errors
    /// [`HistoryError`].
    pub fn span(&self) -> Result<Option<Span>, HistoryError> {
        let dates = self.dates(Date::MIN, Date::MAX)?;
        let span = dates.first().zip(dates.last());
        Ok(span.map(|(first, last)| Span {
            first: *first,
            last: *last,
            days: u32::try_from(dates.len()).unwrap_or(u32::MAX),
        }))
    }

    /// Hands over every minute of the days from a date to another, both included, in the order of
    /// time and each once, even where a wearer who travelled has two views of a date. What cannot be read
    /// is left out; [`unreadable`](Self::unreadable) names it.
    ///
    /// # Errors
    /// [`HistoryError`], and what `each` returns.
    pub fn minutes<E: From<HistoryError>>(
        &self,
        from: Date,
        to: Date,
        mut each: impl FnMut(Minute) -> Result<(), E>,
    ) -> Result<(), E> {
        // Everything is read from one state of the file.
        let _still = self
            .db
            .unchecked_transaction()
            .map_err(HistoryError::from)?;
        // Two views of a date overlap the date before or after.
        let mut waiting = BTreeMap::new();
        for date in self.dates(from, to)? {
            let mut sources = row::of_date(&self.db, &self.wearer, date)?.known();
            merge::rank(&mut sources);
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
                for (minute, bpm) in known.day.iter() {
                    let at = local.instant(minute);
                    let offset = local.offset_in(minute);
                    waiting.entry(at).or_insert_with(|| Minute {
                        at,
                        offset,
                        zone: Rc::clone(&zone),
                        bpm,
                    });
                }
            }
        }
        waiting.into_values().try_for_each(each)
    }

    /// The days from a date to another, both included, of which something cannot be read.
    ///
    /// # Errors
    /// [`HistoryError`].
    pub fn unreadable(&self, from: Date, to: Date) -> Result<Vec<Date>, HistoryError> {
        let mut unreadable = Vec::new();
        for date in self.dates(from, to)? {
            if row::of_date(&self.db, &self.wearer, date)?.has_unreadable {
                unreadable.push(date);
            }
        }
        Ok(unreadable)
    }

    pub(super) fn dates(&self, from: Date, to: Date) -> Result<Vec<Date>, HistoryError> {
        let mut query = self.db.prepare(
            "SELECT DISTINCT date FROM day WHERE wearer = ?1 AND date BETWEEN ?2 AND ?3 ORDER BY date",
        )?;
        let mut rows = query.query((&self.wearer, from.to_string(), to.to_string()))?;
        let mut dates = Vec::new();
        while let Some(row) = rows.next()? {
            // What has no date belongs to no day.
            dates.extend(date_of(row));
        }
        Ok(dates)
    }
}

/// A day by the columns of its only row; `None` when they are none of a day's.
fn summary(date: Date, row: &rusqlite::Row<'_>) -> Option<DaySummary> {
    let bpm = |column| Some(row.get::<_, Option<u16>>(column).ok()?.and_then(Bpm::new));
    let extent = match (bpm(3)?, bpm(4)?, bpm(5)?) {
        (Some(min), Some(mean), Some(max)) => Some(Extent { min, mean, max }),
        _ => None,
    };
    Some(DaySummary {
        date,
        logged_minutes: row.get(2).ok()?,
        extent,
        resting: bpm(6)?,
    })
}

pub(super) fn parse(date: &str) -> Result<Date, HistoryError> {
    Date::from_str(date).map_err(|_| HistoryError::Damaged(None))
}

/// The date that a row's first column holds, if it holds one.
pub(super) fn date_of(row: &rusqlite::Row<'_>) -> Option<Date> {
    parse(row.get_ref(0).ok()?.as_str().ok()?).ok()
}
