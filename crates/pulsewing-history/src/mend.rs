//! Looks whether the file is whole as a database, and builds a damaged index anew.
//!
//! That is done when a history is opened to be written: by an import, by `once`, and by the daemon's
//! first reading. All of the file is read for it, which for five years of every minute takes five
//! milliseconds; a page that is looked at, or a cycle of the daemon's, does not pay for it. What only
//! reads does without the index (`find.rs`).

use rusqlite::{Connection, TransactionBehavior};

use super::{error::HistoryError, schema::TABLES, still::still};

/// What SQLite begins with when it tells of the file's structure, not of a row.
const STRUCTURE: &str = "***";

/// What SQLite finds wrong; empty when nothing is.
pub(super) fn faults(db: &Connection) -> Result<Vec<String>, HistoryError> {
    let mut query = db.prepare("PRAGMA integrity_check")?;
    let mut rows = query.query([])?;
    let mut faults = Vec::new();
    while let Some(row) = rows.next()? {
        faults.push(row.get(0)?);
    }
    faults.retain(|fault| fault != "ok");
    Ok(faults)
}

/// Whether a fault is more than a value of another type in a row, which costs that row alone.
pub(super) fn is_of_the_file(fault: &str) -> bool {
    fault.starts_with(STRUCTURE) || fault.contains("index")
}

/// Builds what is damaged anew where the rows are all there; returns whether it had to be.
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
    // Another process may have begun to do the same: whoever comes second finds it done.
    let change = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if !is_faulty(&change)? {
        return Ok(false);
    }
    // A row that cannot be read would be missing from the new index as well.
    for (table, _) in TABLES {
        let mut query = change.prepare(&format!("SELECT * FROM {table} NOT INDEXED"))?;
        let mut rows = query.query([])?;
        while rows.next()?.is_some() {}
    }
    // It fails where the index was so damaged that a day came in twice.
    change.execute_batch("REINDEX")?;
    if is_faulty(&change)? {
        return Err(HistoryError::damaged("a part of its file is broken"));
    }
    change.commit()?;
    Ok(true)
}
