//! Replaces a damaged history with a new one, which starts with the readable part of the old one.

use std::{
    collections::BTreeSet,
    fmt, fs, io,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use rusqlite::Connection;

use super::{
    Aside, History, HistoryError, move_aside, owner, place,
    row::{self, Row},
};

/// The number of unsuccessful attempts to find a row. An update gives its row a new number, so a
/// damaged part of the file may have held several hundred numbers.
const PROBES: u32 = 100_000;

/// The directory in which a new history is built.
const NEW: &str = "history.db.new";

/// The result of a rescue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rescued {
    /// The new place of the damaged history.
    pub aside: PathBuf,
    /// The number of its days that were taken over.
    pub days: u32,
}

impl fmt::Display for Rescued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let aside = self.aside.display();
        write!(
            f,
            "the history was damaged; it is now {aside}, and a new one was started"
        )?;
        match self.days {
            0 => f.write_str(
                ": none of its days could be read; if you have a backup, replace the new one with it",
            ),
            1 => f.write_str(" with the 1 day that could be read"),
            days => write!(f, " with the {days} days that could be read"),
        }
    }
}

/// Moves the damaged history of a state directory aside, and begins a new one with its readable
/// part; returns `None` when another process has just done so.
///
/// # Errors
/// [`HistoryError`] when the new one cannot be created.
pub fn rescue(dir: &Path, wearer: &str, now: Timestamp) -> Result<Option<Rescued>, HistoryError> {
    // Two processes at once would move the new one aside as well.
    let _alone = place::lock(dir)?;
    match History::open(dir, wearer) {
        Err(HistoryError::Damaged(_)) => {}
        opened => return opened.map(|_| None),
    }
    // Move the damaged one only when its replacement is ready: the disk may be full.
    let new = dir.join(NEW);
    let begun = begin(dir, &new, wearer);
    let moved = begun.and_then(|days| {
        let aside = move_aside(dir, Aside::Damaged, now)?;
        fs::rename(new.join(place::NAME), dir.join(place::NAME))?;
        Ok(Some(Rescued { aside, days }))
    });
    // It is empty, or its contents are in the damaged one as well.
    let removed = fs::remove_dir_all(&new);
    let moved = moved?;
    removed?;
    Ok(moved)
}

/// Begins a new history in a separate directory with the readable part of the damaged one; returns
/// the number of days.
fn begin(dir: &Path, new: &Path, wearer: &str) -> Result<u32, HistoryError> {
    match fs::remove_dir_all(new) {
        // Left over from an interrupted rescue.
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    let mut history = History::open(new, wearer)?;
    let days = match place::salvage(&dir.join(place::NAME)) {
        Ok(damaged) => history.take_over(&damaged)?,
        // Not a single page of it belongs to a database.
        Err(HistoryError::Damaged(_)) => 0,
        Err(error) => return Err(error),
    };
    // So that the data is in the file itself, because only that is moved.
    history.write_through()?;
    Ok(days)
}

impl History {
    /// Takes over the readable part of a damaged history; returns the number of days.
    fn take_over(&mut self, damaged: &Connection) -> Result<u32, HistoryError> {
        let batch = self.batch()?;
        // The owner must not be forgotten, whatever the version of the format is.
        for account in owner::named(damaged, batch.wearer) {
            batch.claim(&account)?;
        }
        // The record of fetched days is not taken over, so that lost days are fetched again.
        let mut dates = BTreeSet::new();
        let each = |row: Row| {
            dates.insert(row.known.day.local().date());
            // A damaged index may have allowed the same day twice.
            batch.write(&batch.merged(row)?)
        };
        match row::every_readable(damaged, batch.wearer, PROBES, each) {
            // Even its list of tables cannot be read.
            Ok(()) | Err(HistoryError::Damaged(_)) => {}
            Err(error) => return Err(error),
        }
        batch.commit()?;
        Ok(u32::try_from(dates.len()).unwrap_or(u32::MAX))
    }
}
