//! A history in memory, over rows that are kept elsewhere.
//!
//! SQLite stays what merges and reads; only the rows come from somewhere else, such as a database that
//! several collectors share. The rows of some dates are loaded, the history is read and written like any
//! other, and the changes are taken out and written back.
//!
//! `changes.rs` finds the changes.

use std::sync::OnceLock;

use rusqlite::{Connection, MAIN_DB, OpenFlags, params};

use super::{
    Change, Dates, History, StoredDay, StoredRow, changes::TABLES, error::HistoryError, schema,
};

/// The wearer in the tables. Whoever keeps the rows knows the name; there is only one.
const WEARER: &str = "";

/// A history without a file, and what was changed in it since it was loaded.
///
/// It knows which dates were loaded. A reader or writer that needs others fails with
/// [`NotLoaded`](HistoryError::NotLoaded), instead of taking them for empty:
///
/// | call | dates |
/// |---|---|
/// | [`day`](History::day), [`overview`](History::overview), [`minutes`](History::minutes), [`unreadable`](History::unreadable) | those of the arguments |
/// | [`asked_since`](History::asked_since) | [`Dates::since`] |
/// | [`last_known`](History::last_known) | [`LastKnown::dates`](crate::LastKnown::dates) |
/// | [`record`](History::record) and the other calls of a [`Batch`](crate::Batch) that merge or remove minutes | [`Dates::around`], or [`Dates::of_hours`] of the day |
/// | [`note_asked`](crate::Batch::note_asked), [`claim`](crate::Batch::claim), [`relation_to`](History::relation_to), [`is_somebodys`](History::is_somebodys), [`prune`](History::prune) | none |
/// | [`span`](History::span), [`has_source`](History::has_source), and so an import | [`Dates::ALL`] |
///
/// A database can answer some of this itself. A [`Span`](crate::Span) is the least and the greatest date
/// of the table `day` and the number of its different dates; the size of a history is that of its rows.
#[derive(Debug)]
pub struct MemoryHistory(History);

impl MemoryHistory {
    /// Builds a history of one wearer's rows: all rows of these dates, by [`StoredDay::date`],
    /// [`StoredAsked::date`](crate::StoredAsked::date) and, for doubts, [`Dates::utc_starts`]; and the
    /// owner's, which have no date. Rows of other dates do no harm.
    ///
    /// # Errors
    /// [`HistoryError`] when two rows have the same key, or there is no memory.
    pub fn new(
        dates: Dates,
        rows: impl IntoIterator<Item = StoredRow>,
    ) -> Result<Self, HistoryError> {
        let db = tables()?;
        let loading = db.unchecked_transaction()?;
        load(&loading, WEARER, rows)?;
        // A loaded row is no change.
        for table in &TABLES {
            loading.execute(&table.forgetting(), [])?;
        }
        loading.commit()?;
        Ok(Self(History::in_memory(db, WEARER, dates)))
    }

    /// Returns the history, to read it.
    #[must_use]
    pub const fn history(&self) -> &History {
        &self.0
    }

    /// Returns the history, to read and to write it.
    pub const fn history_mut(&mut self) -> &mut History {
        &mut self.0
    }

    /// Returns what was changed since the rows were loaded, or since the last call. Make these changes
    /// to the rows that are kept elsewhere in this order, and all of them or none.
    ///
    /// # Errors
    /// [`HistoryError`]; then the changes can still be taken.
    pub fn take_changes(&mut self) -> Result<Vec<Change>, HistoryError> {
        let pruned = self.0.pruned;
        let mut changes: Vec<Change> = pruned.map(Change::DeleteBefore).into_iter().collect();
        let taken = self.0.db.unchecked_transaction()?;
        for table in &TABLES {
            let mut query = taken.prepare(&table.noted())?;
            let mut rows = query.query([])?;
            while let Some(row) = rows.next()? {
                match (table.read)(row)? {
                    Change::Delete(key) if pruned.is_some_and(|before| key.is_before(before)) => {}
                    change => changes.push(change),
                }
            }
            taken.execute(&table.forgetting(), [])?;
        }
        taken.commit()?;
        self.0.pruned = None;
        Ok(changes)
    }
}

/// The bytes of a database whose tables are empty. To copy and read them takes a quarter of a
/// millisecond less than the statements that create the tables, half of a cycle's work.
static EMPTY: OnceLock<Vec<u8>> = OnceLock::new();

/// Opens a database in memory, with empty tables.
fn tables() -> Result<Connection, HistoryError> {
    let open = || {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        Connection::open_in_memory_with_flags(flags)
    };
    let empty = match EMPTY.get() {
        Some(empty) => empty,
        None => {
            let mut db = open()?;
            schema::create(&db)?;
            for table in &TABLES {
                db.execute_batch(&table.noting())?;
            }
            let bytes = db.serialize(MAIN_DB)?.to_vec();
            EMPTY.get_or_init(|| bytes)
        }
    };
    let mut db = open()?;
    db.deserialize_read_exact(MAIN_DB, empty.as_slice(), empty.len(), false)?;
    Ok(db)
}

/// Inserts a wearer's rows.
pub(super) fn load(
    db: &Connection,
    wearer: &str,
    rows: impl IntoIterator<Item = StoredRow>,
) -> Result<(), HistoryError> {
    let mut days = db.prepare(
        "INSERT INTO day VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
    )?;
    for row in rows {
        match row {
            StoredRow::Day(StoredDay {
                date,
                start,
                length,
                source,
                zone,
                offset,
                change_minute,
                change_offset,
                logged,
                min,
                mean,
                max,
                resting,
                fetched_at,
                changed_at,
                minutes,
            }) => days.execute(params![
                wearer,
                date.to_string(),
                start,
                length,
                source,
                zone,
                offset,
                change_minute,
                change_offset,
                logged,
                min,
                mean,
                max,
                resting,
                fetched_at,
                changed_at,
                minutes,
            ])?,
            StoredRow::Asked(asked) => db.execute(
                "INSERT INTO asked (wearer, date, synced_at) VALUES (?1, ?2, ?3)",
                params![wearer, asked.date.to_string(), asked.synced_at],
            )?,
            StoredRow::Owner(owner) => db.execute(
                "INSERT INTO owner (wearer, provider, user_id) VALUES (?1, ?2, ?3)",
                params![wearer, owner.provider, owner.user_id],
            )?,
            StoredRow::Doubts(doubts) => db.execute(
                "INSERT INTO doubted (wearer, source, start, minutes) VALUES (?1, ?2, ?3, ?4)",
                params![wearer, doubts.source, doubts.start, doubts.minutes],
            )?,
        };
    }
    Ok(())
}
