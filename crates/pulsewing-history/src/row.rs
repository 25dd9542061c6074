//! A day of one source, as a row.

use std::str::FromStr;

use jiff::{
    Timestamp,
    civil::{Date, Time},
    tz::{Offset, TimeZone},
};
use pulsewing_core::{
    Bpm,
    civil::{LocalDay, Offsets},
    reading::MAX_ZONE_NAME,
};
use rusqlite::{Connection, Params, named_params, params, types::ValueRef};

use super::{
    Batch, Dates, error::HistoryError, merge, minutes, schema, source::Source,
    source_day::SourceDay,
};

/// The columns that make up a row; the others are derived from them, for overviews.
const COLUMNS: &str = "date, start, length, source, zone, offset, change_minute, change_offset, resting, fetched_at, changed_at, minutes";

/// A row with the time of its last change.
pub(super) struct Row {
    pub(super) known: SourceDay,
    pub(super) changed_at: Timestamp,
    /// Whether a value beside the minutes was not valid, and was left out.
    pub(super) is_corrected: bool,
}

impl From<SourceDay> for Row {
    fn from(known: SourceDay) -> Self {
        Self {
            changed_at: known.fetched_at,
            known,
            is_corrected: false,
        }
    }
}

impl Batch<'_> {
    /// Merges a row with the stored one of the same day and source, if there is a readable one.
    pub(super) fn merged(&self, new: Row) -> Result<Row, HistoryError> {
        let local = new.known.day.local();
        self.loaded.must_have(local.date().into())?;
        let stored = self.rows(
            "date = ?2 AND start = ?3 AND length = ?4 AND source = ?5",
            params![
                self.wearer,
                local.date().to_string(),
                local.start().as_second(),
                local.minutes(),
                new.known.source.to_string(),
            ],
        )?;
        let Some(stored) = stored.into_iter().next() else {
            return Ok(new);
        };
        let known = merge::fetches(&stored.known, &new.known);
        let is_changed = known.day != stored.known.day || known.resting != stored.known.resting;
        Ok(Row {
            changed_at: match is_changed {
                true => new.known.fetched_at,
                false => stored.changed_at,
            },
            known,
            is_corrected: false,
        })
    }

    /// Returns the other rows of a source with hours of the same day: views from other zones.
    pub(super) fn overlapping(&self, known: &SourceDay) -> Result<Vec<Row>, HistoryError> {
        let local = known.day.local();
        let mut rows = self.rows_between(local.start(), local.instant(local.minutes()))?;
        let extent = |local: &LocalDay| (local.start(), local.minutes());
        rows.retain(|row| {
            row.known.source == known.source && extent(row.known.day.local()) != extent(local)
        });
        Ok(rows)
    }

    /// Returns the rows of all sources with hours between two instants.
    pub(super) fn rows_between(
        &self,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Row>, HistoryError> {
        let dates = Dates::of_hours(from, until);
        self.loaded.must_have(dates)?;
        self.rows(
            "date BETWEEN ?2 AND ?3 AND start < ?4 AND start + 60 * length > ?5",
            params![
                self.wearer,
                dates.from.to_string(),
                dates.to.to_string(),
                until.as_second(),
                from.as_second(),
            ],
        )
    }

    /// Returns the wearer's readable rows that meet a condition.
    fn rows(&self, condition: &str, params: impl Params) -> Result<Vec<Row>, HistoryError> {
        let mut query = self.change.prepare(&format!(
            "SELECT {COLUMNS} FROM day WHERE wearer = ?1 AND {condition}"
        ))?;
        let rows = query.query_map(params, |row| Ok(read(row)))?;
        Ok(rows
            .filter_map(Result::transpose)
            .collect::<Result<_, _>>()?)
    }

    /// Removes the unreadable rows of a date. Keeps a row of an unknown source: another program may
    /// be able to read it.
    pub(super) fn forget_unreadable(&self, date: Date) -> Result<(), HistoryError> {
        let mut query = self.change.prepare(&format!(
            "SELECT {COLUMNS}, rowid FROM day WHERE wearer = ?1 AND date = ?2"
        ))?;
        let mut rows = query.query((self.wearer, date.to_string()))?;
        let mut unreadable: Vec<i64> = Vec::new();
        while let Some(row) = rows.next()? {
            let source = row.get_ref("source")?.as_str().ok().and_then(Source::parse);
            if source.is_some() && read(row).is_none() {
                unreadable.push(row.get("rowid")?);
            }
        }
        for row in unreadable {
            self.change
                .execute("DELETE FROM day WHERE rowid = ?1", [row])?;
        }
        Ok(())
    }

    /// Removes a row.
    pub(super) fn remove(&self, row: &Row) -> Result<(), HistoryError> {
        let local = row.known.day.local();
        self.change
            .prepare("DELETE FROM day WHERE wearer = ?1 AND date = ?2 AND start = ?3 AND length = ?4 AND source = ?5")?
            .execute(params![
                self.wearer,
                local.date().to_string(),
                local.start().as_second(),
                local.minutes(),
                row.known.source.to_string(),
            ])?;
        Ok(())
    }

    /// Writes a row, and replaces the one of the same day and source.
    pub(super) fn write(&self, row: &Row) -> Result<(), HistoryError> {
        let known = &row.known;
        let local = known.day.local();
        let extent = known.day.extent();
        let columns = schema::DAY_COLUMNS;
        let values = columns.replace(", ", ", :");
        self.change
            .prepare(&format!(
                "INSERT OR REPLACE INTO day ({columns}) VALUES (:{values})"
            ))?
            .execute(named_params! {
                ":wearer": self.wearer,
                ":date": local.date().to_string(),
                ":start": local.start().as_second(),
                ":length": local.minutes(),
                ":source": known.source.to_string(),
                ":zone": known.zone,
                ":offset": local.offset().seconds(),
                ":change_minute": local.change().map(|change| change.minute),
                ":change_offset": local.change().map(|change| change.offset.seconds()),
                ":logged": known.day.logged_minutes(),
                ":min": extent.map(|extent| extent.min.get()),
                ":mean": extent.map(|extent| extent.mean.get()),
                ":max": extent.map(|extent| extent.max.get()),
                ":resting": known.resting.map(Bpm::get),
                ":fetched_at": known.fetched_at.as_second(),
                ":changed_at": row.changed_at.as_second(),
                ":minutes": minutes::encode(&known.day),
            })?;
        Ok(())
    }
}

/// The rows of a date.
#[derive(Default)]
pub(super) struct OfDate {
    /// The readable rows.
    pub(super) rows: Vec<Row>,
    /// Whether there is an unreadable row.
    pub(super) has_unreadable: bool,
}

impl OfDate {
    /// Returns the data of the date, best source first.
    pub(super) fn known(self) -> Vec<SourceDay> {
        let mut known: Vec<_> = self.rows.into_iter().map(|row| row.known).collect();
        merge::rank(&mut known);
        known
    }
}

/// Reads the rows of a date with these numbers; an unreadable one does not affect the others.
pub(super) fn of_date(
    db: &Connection,
    date: Date,
    numbers: &[i64],
) -> Result<OfDate, HistoryError> {
    let mut query = db.prepare(&format!("SELECT {COLUMNS} FROM day WHERE rowid = ?1"))?;
    let mut of_date = OfDate::default();
    for number in numbers {
        let row = query.query_row([number], |row| Ok(read(row)));
        match row.map_err(HistoryError::from) {
            Ok(Some(row)) if row.known.day.local().date() == date => of_date.rows.push(row),
            // The part of the file with this row is damaged; others may be intact.
            Ok(_) | Err(HistoryError::Damaged(_)) => of_date.has_unreadable = true,
            Err(error) => return Err(error),
        }
    }
    Ok(of_date)
}

/// Hands over every readable row of a damaged file. Finds rows by their numbers only, because an
/// index may be damaged as well. After an error it tries the next number, `probes` times in all.
pub(super) fn every_readable(
    db: &Connection,
    wearer: &str,
    mut probes: u32,
    mut each: impl FnMut(Row) -> Result<(), HistoryError>,
) -> Result<(), HistoryError> {
    let mut query = db.prepare(&format!(
        "SELECT {COLUMNS}, rowid FROM day NOT INDEXED WHERE rowid > ?1 AND wearer = ?2 ORDER BY rowid LIMIT 1"
    ))?;
    let mut behind: i64 = 0;
    while probes > 0 {
        let mut rows = query.query((behind, wearer))?;
        behind = match rows.next() {
            Ok(Some(row)) => {
                let number = row.get("rowid")?;
                read(row).map_or(Ok(()), &mut each)?;
                number
            }
            Ok(None) => break,
            Err(_) => {
                probes -= 1;
                behind.saturating_add(1)
            }
        };
    }
    Ok(())
}

/// Reads a complete row; returns `None` when it is not a valid day.
fn read(row: &rusqlite::Row<'_>) -> Option<Row> {
    let text = |column: &str| row.get_ref(column).ok()?.as_str().ok();
    let at = |column: &str| Timestamp::from_second(row.get(column).ok()?).ok();
    let local = local_day(
        Date::from_str(text("date")?).ok()?,
        at("start")?,
        row.get("length").ok()?,
        row.get("offset").ok()?,
        match row.get::<_, Option<u16>>("change_minute").ok()? {
            Some(minute) => Some((minute, row.get("change_offset").ok()?)),
            None => None,
        },
    )?;
    let bytes = row.get_ref("minutes").ok()?.as_blob().ok()?;
    let resting = resting(row.get_ref("resting").ok()?);
    let zone = text("zone").filter(|name| is_zone(name));
    Some(Row {
        is_corrected: resting.is_none() || zone.is_none(),
        known: SourceDay {
            source: Source::parse(text("source")?)?,
            zone: zone.unwrap_or_default().to_owned(),
            day: minutes::decode(bytes, local)?,
            resting: resting.flatten(),
            fetched_at: at("fetched_at")?,
        },
        changed_at: at("changed_at")?,
    })
}

/// Reads the resting rate of a row, if there is one; returns the outer `None` when the value is not
/// valid. Then only the rate is lost: the day's minutes do not depend on it.
pub(super) fn resting(column: ValueRef<'_>) -> Option<Option<Bpm>> {
    match column {
        ValueRef::Null => Some(None),
        ValueRef::Integer(rate) => Some(Some(Bpm::new(u16::try_from(rate).ok()?)?)),
        _ => None,
    }
}

/// Returns whether there is a zone of this name, or no name. The offsets are stored separately, so
/// that the minutes have their times even without it.
fn is_zone(name: &str) -> bool {
    name.is_empty() || (name.len() <= MAX_ZONE_NAME && TimeZone::get(name).is_ok())
}

/// Builds the day with these properties; returns `None` if there is no such day.
fn local_day(
    date: Date,
    start: Timestamp,
    length: u16,
    offset: i32,
    change: Option<(u16, i32)>,
) -> Option<LocalDay> {
    let offset = Offset::from_seconds(offset).ok()?;
    let midnight = Offset::UTC
        .to_timestamp(date.to_datetime(Time::midnight()))
        .ok()?;
    // If midnight is skipped, the day begins with a change of offset. The offset before the change
    // is the one in which this instant is midnight.
    let before = midnight.as_second().checked_sub(start.as_second())?;
    let before = Offset::from_seconds(i32::try_from(before).ok()?).ok()?;
    let mut offsets = Offsets::fixed(before);
    if before != offset {
        offsets.push_change(start, offset).ok()?;
    }
    if let Some((minute, offset)) = change {
        let at = start.as_second().checked_add(i64::from(minute) * 60)?;
        let offset = Offset::from_seconds(offset).ok()?;
        offsets
            .push_change(Timestamp::from_second(at).ok()?, offset)
            .ok()?;
    }
    let day = offsets.day(date);
    (day.start() == start && day.minutes() == length && day.offset() == offset).then_some(day)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::archive::zone::day_of;

    #[test]
    fn every_day_of_zones_with_odd_changes_comes_back_from_its_facts() {
        for name in [
            "UTC",
            "Europe/Berlin",
            "America/New_York",
            "America/Santiago",
            "Australia/Lord_Howe",
            "Pacific/Apia",
            "Asia/Kathmandu",
            "Africa/Casablanca",
            "America/St_Johns",
            "Asia/Beirut",
        ] {
            let zone = TimeZone::get(name).unwrap();
            let noon = date(2010, 1, 1).at(12, 0, 0, 0).to_zoned(zone.clone());
            let mut at = noon.unwrap().timestamp();
            for _ in 0..3 * 366 {
                let local = day_of(&zone, at);
                let change = local
                    .change()
                    .map(|change| (change.minute, change.offset.seconds()));
                let again = local_day(
                    local.date(),
                    local.start(),
                    local.minutes(),
                    local.offset().seconds(),
                    change,
                );
                assert_eq!(again, Some(local), "{name} {}", local.date());
                at = local.instant(local.minutes()) + jiff::SignedDuration::from_hours(12);
            }
        }
    }

    #[test]
    fn facts_that_no_day_has_are_refused() {
        let start: Timestamp = "2026-11-21T23:00:00Z".parse().unwrap();
        let day = date(2026, 11, 22);
        assert!(local_day(day, start, 1_440, 3_600, None).is_some());
        assert_eq!(local_day(day, start, 1_380, 3_600, None), None);
        assert_eq!(
            local_day(date(2026, 12, 22), start, 1_440, 3_600, None),
            None
        );
        assert_eq!(local_day(day, start, 1_440, i32::MAX, None), None);
    }
}
