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

const IN_THE_TABLE: &str =
    "SELECT date, rowid FROM day NOT INDEXED WHERE wearer = ?1 AND date BETWEEN ?2 AND ?3";

const IN_THE_INDEX: &str =
    "SELECT date, rowid FROM day WHERE wearer = ?1 AND date BETWEEN ?2 AND ?3";

/// Finds the rows of the dates from one to another, both included.
pub(super) fn find(
    db: &Connection,
    wearer: &str,
    from: Date,
    to: Date,
) -> Result<Numbers, HistoryError> {
    let mut numbers = Numbers::new();
    let dates = [from.to_string(), to.to_string()];
    match gather(db, IN_THE_TABLE, wearer, &dates, &mut numbers) {
        // A part of the table is lost. The index still knows which days were in it.
        Err(HistoryError::Damaged(_)) => {
            gather(db, IN_THE_INDEX, wearer, &dates, &mut numbers)?;
        }
        result => result?,
    }
    for rows in numbers.values_mut() {
        rows.sort_unstable();
        rows.dedup();
    }
    Ok(numbers)
}

fn gather(
    db: &Connection,
    query: &str,
    wearer: &str,
    [from, to]: &[String; 2],
    numbers: &mut Numbers,
) -> Result<(), HistoryError> {
    let mut query = db.prepare(query)?;
    let mut rows = query.query((wearer, from, to))?;
    while let Some(row) = rows.next()? {
        // A row without a date belongs to no day.
        if let Some(date) = read::date_of(row) {
            numbers.entry(date).or_default().push(row.get(1)?);
        }
    }
    Ok(())
}
