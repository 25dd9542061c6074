//! A damaged history makes room for a new one, which begins with what could be read of it.

use std::{
    collections::BTreeSet,
    fmt,
    path::{Path, PathBuf},
};

use jiff::Timestamp;

use super::{
    Aside, History, HistoryError, move_aside,
    place::{self, Place},
    row::{self, Row},
};

/// How many times a row is looked for in vain. An update takes a new number for its row, so that a damaged
/// part of the file may have held some hundred numbers.
const PROBES: u32 = 100_000;

/// What became of a damaged history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rescued {
    /// Where the damaged one is now.
    pub aside: PathBuf,
    /// How many of its days go on in the new one.
    pub days: u32,
}

impl fmt::Display for Rescued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let aside = self.aside.display();
        write!(
            f,
            "the history was damaged; it is now {aside}, and a new one begins"
        )?;
        match self.days {
            0 => Ok(()),
            1 => f.write_str(" with the 1 day that could be read"),
            days => write!(f, " with the {days} days that could be read"),
        }
    }
}

/// Moves the damaged history of a state directory aside, and begins a new one with what can be read of it.
///
/// # Errors
/// [`HistoryError`] when the new one cannot be begun.
pub fn rescue(dir: &Path, wearer: &str, now: Timestamp) -> Result<Rescued, HistoryError> {
    let aside = move_aside(dir, Aside::Damaged, now)?;
    let mut history = History::open(dir, wearer)?;
    let days = match place::look_at(&aside) {
        Ok(db) => {
            let place = Place::of(aside.clone());
            history.take_over(&History::of((db, place), wearer))?
        }
        // Not a page of it is one of a database.
        Err(_) => 0,
    };
    Ok(Rescued { aside, days })
}

impl History {
    /// Takes over what can be read of a damaged history; returns how many days that were.
    fn take_over(&mut self, damaged: &Self) -> Result<u32, HistoryError> {
        let batch = self.batch()?;
        for account in damaged.owners().unwrap_or_default() {
            batch.claim(&account)?;
        }
        let mut dates = BTreeSet::new();
        let each = |row: Row| {
            dates.insert(row.known.day.local().date());
            row::write(&batch.change, batch.wearer, &row)
        };
        match row::every_readable(&damaged.db, &damaged.wearer, PROBES, each) {
            // Not even its list of tables can be read.
            Ok(()) | Err(HistoryError::Damaged(_)) => {}
            Err(error) => return Err(error),
        }
        batch.commit()?;
        Ok(u32::try_from(dates.len()).unwrap_or(u32::MAX))
    }
}
