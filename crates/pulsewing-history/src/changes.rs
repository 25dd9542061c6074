//! What was changed in a history in memory.
//!
//! Triggers note the keys of the rows that are written, and a change is put together when it is taken. A
//! batch that is dropped takes its notes back, because they are in the same transaction. (SQLite's update
//! hook is not called for tables without row numbers; its session extension needs bindings that are
//! generated while building, with clang. A comparison with all loaded rows would cost more.)

use jiff::civil::Date;
use rusqlite::Row;

use super::{
    Dates, RowKey, StoredAsked, StoredDay, StoredDoubts, StoredOwner, StoredRow,
    error::HistoryError, read,
};

/// A change to a wearer's rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Deletes what is older than a date: days and asked days with an earlier date, and doubts whose
    /// [`start`](StoredDoubts::start) is before the date's midnight in UTC. That includes rows that
    /// were not loaded.
    DeleteBefore(Date),
    /// Deletes the row with this key, if there is one.
    Delete(RowKey),
    /// Inserts a row, or replaces the one with its key.
    Put(StoredRow),
}

impl RowKey {
    /// Returns whether [`Change::DeleteBefore`] this date deletes the row.
    pub(super) fn is_before(&self, before: Date) -> bool {
        match self {
            Self::Day { date, .. } | Self::Asked { date } => *date < before,
            Self::Owner { .. } => false,
            Self::Doubts { start, .. } => start < Dates::from(before).utc_starts().start(),
        }
    }
}

/// A table whose changes are noted.
pub(super) struct Table {
    pub(super) name: &'static str,
    /// The columns of its key.
    key: &'static [&'static str],
    /// Reads a noted key, with the columns of its row if there still is one.
    pub(super) read: fn(&Row<'_>) -> Result<Change, HistoryError>,
}

/// All tables.
pub(super) const TABLES: [Table; 4] = [
    Table {
        name: "day",
        key: &["wearer", "date", "start", "length", "source"],
        read: day,
    },
    Table {
        name: "asked",
        key: &["wearer", "date"],
        read: asked,
    },
    Table {
        name: "owner",
        key: &["wearer", "provider"],
        read: owner,
    },
    Table {
        name: "doubted",
        key: &["wearer", "start", "source"],
        read: doubts,
    },
];

impl Table {
    /// Returns the statements that create the table of notes, and the triggers that fill it.
    ///
    /// No statement updates a row in place. One that is replaced has the same key as the new one, whose
    /// insertion is noted.
    pub(super) fn noting(&self) -> String {
        let Self { name, key, .. } = self;
        let keys = key.join(", ");
        let (new, old) = (key.join(", NEW."), key.join(", OLD."));
        format!(
            "CREATE TABLE changed_{name} ({keys}, PRIMARY KEY ({keys})) WITHOUT ROWID;
             CREATE TRIGGER put_{name} AFTER INSERT ON {name} BEGIN
                 INSERT OR REPLACE INTO changed_{name} VALUES (NEW.{new});
             END;
             CREATE TRIGGER deleted_{name} AFTER DELETE ON {name} BEGIN
                 INSERT OR REPLACE INTO changed_{name} VALUES (OLD.{old});
             END;"
        )
    }

    /// Returns the query for the noted keys, each with its row.
    pub(super) fn noted(&self) -> String {
        let Self { name, key, .. } = self;
        let keys = key.join(", ");
        format!("SELECT * FROM changed_{name} LEFT JOIN {name} USING ({keys})")
    }

    /// Returns the statement that removes all notes.
    pub(super) fn forgetting(&self) -> String {
        format!("DELETE FROM changed_{}", self.name)
    }
}

fn day(row: &Row<'_>) -> Result<Change, HistoryError> {
    let date = date(row)?;
    let start = row.get("start")?;
    let length = row.get("length")?;
    let source = row.get("source")?;
    let Some(minutes) = row.get("minutes")? else {
        return Ok(Change::Delete(RowKey::Day {
            date,
            start,
            length,
            source,
        }));
    };
    Ok(Change::Put(StoredRow::Day(StoredDay {
        date,
        start,
        length,
        source,
        zone: row.get("zone")?,
        offset: row.get("offset")?,
        change_minute: row.get("change_minute")?,
        change_offset: row.get("change_offset")?,
        logged: row.get("logged")?,
        min: row.get("min")?,
        mean: row.get("mean")?,
        max: row.get("max")?,
        resting: row.get("resting")?,
        fetched_at: row.get("fetched_at")?,
        changed_at: row.get("changed_at")?,
        minutes,
    })))
}

fn asked(row: &Row<'_>) -> Result<Change, HistoryError> {
    let date = date(row)?;
    Ok(match row.get("synced_at")? {
        Some(synced_at) => Change::Put(StoredRow::Asked(StoredAsked { date, synced_at })),
        None => Change::Delete(RowKey::Asked { date }),
    })
}

fn owner(row: &Row<'_>) -> Result<Change, HistoryError> {
    let provider = row.get("provider")?;
    Ok(match row.get("user_id")? {
        Some(user_id) => Change::Put(StoredRow::Owner(StoredOwner { provider, user_id })),
        None => Change::Delete(RowKey::Owner { provider }),
    })
}

fn doubts(row: &Row<'_>) -> Result<Change, HistoryError> {
    let (start, source) = (row.get("start")?, row.get("source")?);
    Ok(match row.get("minutes")? {
        Some(minutes) => Change::Put(StoredRow::Doubts(StoredDoubts {
            source,
            start,
            minutes,
        })),
        None => Change::Delete(RowKey::Doubts { start, source }),
    })
}

fn date(row: &Row<'_>) -> Result<Date, HistoryError> {
    read::date_of(row).ok_or_else(|| HistoryError::damaged("a row has no date"))
}
