//! A damaged history makes room for a new one, which begins with what could be read of it.

use std::{
    collections::BTreeSet,
    fmt, fs, io,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use rusqlite::Connection;

use super::{
    Aside, Batch, History, HistoryError, move_aside, owner, place,
    row::{self, Row},
};

/// How many times a row is looked for in vain. An update takes a new number for its row, so that a damaged
/// part of the file may have held some hundred numbers.
const PROBES: u32 = 100_000;

/// The directory that a new history is begun in.
const NEW: &str = "history.db.new";

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
            0 => f.write_str(
                ": none of its days could be read; if there is a copy of it, put that in the new one's place",
            ),
            1 => f.write_str(" with the 1 day that could be read"),
            days => write!(f, " with the {days} days that could be read"),
        }
    }
}

/// Moves the damaged history of a state directory aside, and begins a new one with what can be read of it;
/// `None` when another process has just done so.
///
/// # Errors
/// [`HistoryError`] when the new one cannot be begun.
pub fn rescue(dir: &Path, wearer: &str, now: Timestamp) -> Result<Option<Rescued>, HistoryError> {
    // Two at once would move the new one aside as well.
    let _alone = place::lock(dir)?;
    match History::open(dir, wearer) {
        Err(HistoryError::Damaged(_)) => {}
        opened => return opened.map(|_| None),
    }
    // The damaged one makes room only when there is something in its place: the disk may be full.
    let new = dir.join(NEW);
    let begun = begin(dir, &new, wearer);
    let moved = begun.and_then(|days| {
        let aside = move_aside(dir, Aside::Damaged, now)?;
        fs::rename(new.join(place::NAME), dir.join(place::NAME))?;
        Ok(Some(Rescued { aside, days }))
    });
    // It is empty, or what is in it is in the damaged one as well.
    let removed = fs::remove_dir_all(&new);
    let moved = moved?;
    removed?;
    Ok(moved)
}

/// Begins a new history in a directory of its own with what can be read of the damaged one; returns how
/// many days that were.
fn begin(dir: &Path, new: &Path, wearer: &str) -> Result<u32, HistoryError> {
    match fs::remove_dir_all(new) {
        // One that was cut off half-way.
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    let mut history = History::open(new, wearer)?;
    let days = match place::salvage(&dir.join(place::NAME)) {
        Ok(damaged) => history.take_over(&damaged)?,
        // Not a page of it is one of a database.
        Err(HistoryError::Damaged(_)) => 0,
        Err(error) => return Err(error),
    };
    // Then it is in the file itself, which alone is moved.
    history.write_through()?;
    Ok(days)
}

impl History {
    /// Takes over what can be read of a damaged history; returns how many days that were.
    fn take_over(&mut self, damaged: &Connection) -> Result<u32, HistoryError> {
        let batch = self.batch()?;
        // Whose it was must not be forgotten, whatever number its format bears.
        for account in owner::named(damaged, batch.wearer) {
            batch.claim(&account)?;
        }
        // Which days were asked for is forgotten: those that are lost are asked for once more.
        let mut dates = BTreeSet::new();
        let each = |row: Row| {
            dates.insert(row.known.day.local().date());
            batch.take(row)
        };
        match row::every_readable(damaged, batch.wearer, PROBES, each) {
            // Not even its list of tables can be read.
            Ok(()) | Err(HistoryError::Damaged(_)) => {}
            Err(error) => return Err(error),
        }
        batch.commit()?;
        Ok(u32::try_from(dates.len()).unwrap_or(u32::MAX))
    }
}

impl Batch<'_> {
    /// Takes a row of a damaged history. A damaged index may have let the same day in twice.
    fn take(&self, row: Row) -> Result<(), HistoryError> {
        let known = &row.known;
        let row = match row::same(&self.change, self.wearer, &known.source, known.day.local())? {
            None => row,
            Some(stored) => stored.merged(known),
        };
        row::write(&self.change, self.wearer, &row)
    }
}
