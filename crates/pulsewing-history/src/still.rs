//! One state of the file for several statements.

use rusqlite::{Connection, Transaction};

use super::error::HistoryError;

/// Begins a read transaction: until it is dropped, all reads see one state of the file, even if
/// another process writes. Returns `None` inside a transaction, which has the same effect.
pub(super) fn still(db: &Connection) -> Result<Option<Transaction<'_>>, HistoryError> {
    Ok(match db.is_autocommit() {
        true => Some(db.unchecked_transaction()?),
        false => None,
    })
}
