//! One state of the file for several statements.

use rusqlite::{Connection, Transaction};

use super::error::HistoryError;

/// Has everything that is read until it is dropped be of one state of the file, whoever writes
/// meanwhile; `None` inside a transaction, which does so anyway.
pub(super) fn still(db: &Connection) -> Result<Option<Transaction<'_>>, HistoryError> {
    Ok(match db.is_autocommit() {
        true => Some(db.unchecked_transaction()?),
        false => None,
    })
}
