//! Reading days back.

use std::{collections::BTreeMap, rc::Rc, str::FromStr};

use jiff::{
    Timestamp,
    civil::{Date, DateTime},
    tz::Offset,
};
use pulsewing_core::{Bpm, day::Day};

use super::{
    History,
    error::HistoryError,
    merge,
    row::{self, Extent, SourceDay},
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
    /// A day; `None` where nothing is known of it.
    ///
    /// # Errors
    /// [`HistoryError`].
    pub fn day(&self, date: Date) -> Result<Option<DayRecord>, HistoryError> {
        let mut sources = row::of_date(&self.db, &self.wearer, date)?;
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
            let date = parse(row.get_ref(0)?.as_str().unwrap_or_default())?;
            // With a single row its columns say it all.
            if row.get::<_, u32>(1)? > 1 {
                days.extend(self.day(date)?.map(|known| DaySummary {
                    date,
                    logged_minutes: known.day.logged_minutes(),
                    extent: Extent::of(&known.day),
                    resting: known.resting,
                }));
                continue;
            }
            let bpm = |column| -> Result<Option<Bpm>, HistoryError> {
                Ok(row.get::<_, Option<u16>>(column)?.and_then(Bpm::new))
            };
            let extent = match (bpm(3)?, bpm(4)?, bpm(5)?) {
                (Some(min), Some(mean), Some(max)) => Some(Extent { min, mean, max }),
                _ => None,
            };
            days.push(DaySummary {
                date,
                logged_minutes: row.get(2)?,
                extent,
                resting: bpm(6)?,
            });
        }
        Ok(days)
    }

    /// How much there is; `None` while there is nothing.
    ///
    /// # Errors
    /// [`HistoryError`].
    pub fn span(&self) -> Result<Option<Span>, HistoryError> {
        let (days, first, last): (u32, Option<String>, Option<String>) = self.db.query_row(
            "SELECT count(DISTINCT date), min(date), max(date) FROM day WHERE wearer = ?1",
            [&self.wearer],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )?;
        let Some((first, last)) = first.zip(last) else {
            return Ok(None);
        };
        Ok(Some(Span {
            first: parse(&first)?,
            last: parse(&last)?,
            days,
        }))
    }

    /// The newest date that has a minute.
    ///
    /// # Errors
    /// [`HistoryError`].
    pub fn newest_date(&self) -> Result<Option<Date>, HistoryError> {
        let newest: Option<String> = self.db.query_row(
            "SELECT max(date) FROM day WHERE wearer = ?1 AND logged > 0",
            [&self.wearer],
            |row| row.get(0),
        )?;
        newest.map(|date| parse(&date)).transpose()
    }

    /// Hands over every minute of the days from a date to another, both included, in the order of
    /// time and each once, also where a wearer who travelled has two views of a date.
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
            let mut sources = row::of_date(&self.db, &self.wearer, date)?;
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

    fn dates(&self, from: Date, to: Date) -> Result<Vec<Date>, HistoryError> {
        let mut query = self.db.prepare(
            "SELECT DISTINCT date FROM day WHERE wearer = ?1 AND date BETWEEN ?2 AND ?3 ORDER BY date",
        )?;
        let mut rows = query.query((&self.wearer, from.to_string(), to.to_string()))?;
        let mut dates = Vec::new();
        while let Some(row) = rows.next()? {
            dates.push(parse(row.get_ref(0)?.as_str().unwrap_or_default())?);
        }
        Ok(dates)
    }
}

pub(super) fn parse(date: &str) -> Result<Date, HistoryError> {
    Date::from_str(date).map_err(|_| HistoryError::Damaged(None))
}
