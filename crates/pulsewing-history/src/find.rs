//! Which rows hold which dates.
//!
//! What only reads takes no index's word for it: one that is damaged hides days, and nothing in the
//! statement's result would say so. The table itself is gone through instead, which for five years is
//! two milliseconds. (Comparing how many rows the table and the index have is cheaper, but an index
//! with one row twice and another not at all has as many. What writes has the index checked when the
//! file is opened, see `mend.rs`, and uses it.)

use std::collections::BTreeMap;

use jiff::civil::Date;
use rusqlite::Connection;

use super::{error::HistoryError, read};

/// The rows of each date, by their numbers.
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
        // A part of the table is lost. What days were in it, the index still knows.
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
        // What has no date belongs to no day.
        if let Some(date) = read::date_of(row) {
            numbers.entry(date).or_default().push(row.get(1)?);
        }
    }
    Ok(())
}
