//! Checks the integrity of the database file, and rebuilds a damaged index.
//!
//! This happens when a history is opened for writing: by an import, by `once`, and at the daemon's
//! first reading. The whole file is read for it, which takes five milliseconds for five years of
//! every minute. Page views and the daemon's later cycles do not pay for it. Readers do not use the
//! index (`find.rs`).

use rusqlite::{Connection, TransactionBehavior};

use super::{error::HistoryError, schema::TABLES, still::still};

/// The prefix of SQLite's reports about the file's structure, rather than a row.
const STRUCTURE: &str = "***";

/// Returns the faults that SQLite finds; empty if there are none.
pub(super) fn faults(db: &Connection) -> Result<Vec<String>, HistoryError> {
    let mut query = db.prepare("PRAGMA integrity_check")?;
    let faults = query.query_map([], |row| row.get(0))?;
    let mut faults: Vec<String> = faults.collect::<Result<_, _>>()?;
    faults.retain(|fault| fault != "ok");
    Ok(faults)
}

/// Returns whether a fault is more than a value of a wrong type in a row, which affects only that
/// row.
pub(super) fn is_of_the_file(fault: &str) -> bool {
    fault.starts_with(STRUCTURE) || fault.contains("index")
}

/// Rebuilds damaged indexes if all rows are readable; returns whether that was necessary.
pub(super) fn mend(db: &mut Connection) -> Result<bool, HistoryError> {
    let is_faulty = |db: &Connection| {
        let faults = faults(db)?;
        Ok::<_, HistoryError>(faults.iter().any(|fault| is_of_the_file(fault)))
    };
    {
        let _still = still(db)?;
        if !is_faulty(db)? {
            return Ok(false);
        }
    }
    // Another process may have begun to do the same: the second one finds it done.
    let change = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if !is_faulty(&change)? {
        return Ok(false);
    }
    // An unreadable row would be missing from the new index as well.
    for (table, ..) in TABLES {
        let mut query = change.prepare(&format!("SELECT * FROM {table} NOT INDEXED"))?;
        let mut rows = query.query([])?;
        while rows.next()?.is_some() {}
    }
    // This fails if the index was so damaged that a day was stored twice.
    change.execute_batch("REINDEX")?;
    if is_faulty(&change)? {
        return Err(HistoryError::damaged("part of its file is damaged"));
    }
    change.commit()?;
    Ok(true)
}
