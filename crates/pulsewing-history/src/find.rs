//! Finds the rows of dates.
//!
//! Readers do not trust the index: a damaged one hides days, and the statement's result would not
//! show it. Instead they scan the table itself, which takes two milliseconds for five years.
//! (Comparing the row counts of the table and the index is cheaper, but does not detect an index
//! that has one row twice and lacks another. For writers the index is checked when the file is
//! opened, see `mend.rs`; so they use it.)

use std::collections::BTreeMap;

use jiff::civil::Date;
use rusqlite::Connection;

use super::{error::HistoryError, read};

/// The row numbers of each date.
pub(super) type Numbers = BTreeMap<Date, Vec<i64>>;

/// Finds the rows of the dates from one to another, both included.
pub(super) fn find(
    db: &Connection,
    wearer: &str,
    from: Date,
    to: Date,
) -> Result<Numbers, HistoryError> {
    let mut numbers = Numbers::new();
    let mut gather = |table| -> Result<(), HistoryError> {
        let mut query = db.prepare(&format!(
            "SELECT date, rowid FROM {table} WHERE wearer = ?1 AND date BETWEEN ?2 AND ?3"
        ))?;
        let mut rows = query.query((wearer, from.to_string(), to.to_string()))?;
        while let Some(row) = rows.next()? {
            // A row without a date belongs to no day.
            if let Some(date) = read::date_of(row) {
                numbers.entry(date).or_default().push(row.get("rowid")?);
            }
        }
        Ok(())
    };
    match gather("day NOT INDEXED") {
        // A part of the table is lost. The index still knows which days were in it.
        Err(HistoryError::Damaged(_)) => gather("day")?,
        result => result?,
    }
    for rows in numbers.values_mut() {
        rows.sort_unstable();
        rows.dedup();
    }
    Ok(numbers)
}
