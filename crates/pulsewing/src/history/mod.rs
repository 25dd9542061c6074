//! The history: every minute that was ever fetched or imported, in SQLite.
//!
//! One file, `history.db`, in the wearer's state directory. One row per wearer, day and source
//! (`schema.rs` has its columns): the minutes as bytes, one each (`minutes.rs`), and beside them what
//! a year's overview needs, so that it reads no minutes.
//!
//! How revisions and several sources become one day is the business of `merge.rs`. Days are civil
//! days of the zone that held then; a wearer who travels has two views of the same date, which are
//! two rows, and nothing is lost between them.
//!
//! | who | what |
//! |---|---|
//! | [`History`] | the file: record, read, prune |
//! | [`Keeper`] | what a cycle's driver holds: never fails, tells a person once |
//! | [`Keep`] | for how long |
//! | [`examine`] | whether it is whole, without changing it |
//! | `mend.rs` | what becomes of a damaged index |
//! | [`rescue`] | what becomes of a file that is damaged otherwise |
//! | [`Account`] | whose it is |
//! | [`Source`] | where minutes came from |
//!
//! `imported.rs` has importing again take the place of an earlier import.
//!
//! A row that cannot be read costs its own day and no other: readers leave it out, and what is fetched or
//! imported of that day takes its place.
//!
//! `doubted.rs` remembers which minutes a tracker itself did not trust.
//!
//! `asked.rs` remembers which days were asked for once they were over, so that what is missing is known
//! from what is not there.

mod asked;
mod doubted;
mod error;
mod examine;
mod find;
mod imported;
mod keep;
mod keeper;
mod last;
mod mend;
mod merge;
mod minutes;
mod owner;
mod patience;
mod place;
mod read;
mod rescue;
mod row;
mod schema;
mod source;
mod still;

use std::path::Path;

use jiff::civil::Date;
use rusqlite::{Connection, Transaction, TransactionBehavior};

pub use error::{Cause, HistoryError};
pub use examine::{Whole, examine};
pub use keep::Keep;
pub use keeper::Keeper;
pub use last::LastKnown;
pub use owner::{Account, Relation};
pub use place::{Aside, Whereabouts, bytes_on_disk, move_aside};
pub use read::{DayRecord, DaySummary, Minute, Span};
pub use rescue::{Rescued, rescue};
pub use row::SourceDay;
pub use source::{Kind, Source};

use patience::wait_for_others;
use place::Place;

use crate::console::Console;

/// One wearer's history.
#[derive(Debug)]
pub struct History {
    db: Connection,
    wearer: String,
    place: Place,
    /// Whether its index was damaged when it was opened.
    is_mended: bool,
    /// Who is told that it waits for others; `None` when it does not wait for long.
    waiting: Option<Console>,
}

/// What is told of a history whose index was built anew.
pub const MENDED: &str = "the history's index was damaged; it was built anew, and no day is lost";

impl History {
    /// Opens the history of a state directory to write it; makes it where there is none. A damaged index
    /// is built anew.
    ///
    /// # Errors
    /// [`HistoryError`]; a file of a newer version is left as it is.
    pub fn open(dir: &Path, wearer: &str) -> Result<Self, HistoryError> {
        place::make(dir)?;
        let (mut db, place) = place::open(dir)?;
        let is_mended = mend::mend(&mut db)?;
        Ok(Self {
            is_mended,
            ..Self::of((db, place), wearer)
        })
    }

    /// The same for somebody who has time: while another process writes, this waits, also later for each
    /// batch, and tells that it does.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_waiting(dir: &Path, wearer: &str, console: Console) -> Result<Self, HistoryError> {
        let history = wait_for_others(console, || Self::open(dir, wearer))?;
        Ok(Self {
            waiting: Some(console),
            ..history
        })
    }

    /// Whether its index was damaged when it was opened; then it was built anew, which whoever opened it
    /// tells with [`MENDED`].
    #[must_use]
    pub const fn is_mended(&self) -> bool {
        self.is_mended
    }

    /// Opens the history of a state directory, if there is one. Where nothing can be written, as on a
    /// medium that is read-only, it can be read all the same.
    ///
    /// # Errors
    /// [`HistoryError`].
    pub fn open_existing(dir: &Path, wearer: &str) -> Result<Option<Self>, HistoryError> {
        if !place::exists(dir)? || place::is_empty(dir)? {
            return Ok(None);
        }
        match place::open(dir) {
            Err(error) if error.is_about_writing() => Self::look(dir, wearer),
            opened => Ok(Some(Self::of(opened?, wearer))),
        }
    }

    /// Opens the history of a state directory to read it alone, and changes nothing; `None` when there
    /// is none, or nothing in it yet.
    ///
    /// # Errors
    /// [`HistoryError`].
    pub fn look(dir: &Path, wearer: &str) -> Result<Option<Self>, HistoryError> {
        if !place::exists(dir)? {
            return Ok(None);
        }
        Ok(place::look(dir)?.map(|opened| Self::of(opened, wearer)))
    }

    fn of((db, place): (Connection, Place), wearer: &str) -> Self {
        Self {
            db,
            wearer: wearer.to_owned(),
            place,
            is_mended: false,
            waiting: None,
        }
    }

    /// What has become of the file since it was opened.
    #[must_use]
    pub fn whereabouts(&self) -> Whereabouts {
        self.place.whereabouts()
    }

    /// Brings what was written into the file itself, as far as nobody is reading: until then it is in the
    /// write-ahead log beside it, and a copy of the file alone would lack it.
    ///
    /// # Errors
    /// [`HistoryError`]; nothing is lost then.
    pub fn write_through(&self) -> Result<(), HistoryError> {
        self.db
            .query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))?;
        Ok(())
    }

    /// Merges what a source knows of a day into what is known.
    ///
    /// # Errors
    /// [`HistoryError`]; then nothing was written.
    pub fn record(&mut self, known: &SourceDay) -> Result<(), HistoryError> {
        let batch = self.batch()?;
        batch.record(known)?;
        batch.commit()
    }

    /// Begins to write several days that are there together or not at all. Dropped, it writes none.
    ///
    /// # Errors
    /// [`HistoryError`].
    pub fn batch(&mut self) -> Result<Batch<'_>, HistoryError> {
        // Immediate: what is read to be merged must not change before it is written.
        let begin = || {
            let change = Transaction::new_unchecked(&self.db, TransactionBehavior::Immediate);
            change.map_err(HistoryError::from)
        };
        let change = match self.waiting {
            Some(console) => wait_for_others(console, begin),
            None => begin(),
        }?;
        Ok(Batch {
            change,
            wearer: &self.wearer,
        })
    }

    /// Removes the days before a date; returns how many rows that were.
    ///
    /// # Errors
    /// [`HistoryError`].
    pub fn prune(&mut self, before: Date) -> Result<usize, HistoryError> {
        let batch = self.batch()?;
        let before = before.to_string();
        let removed = batch.change.execute(
            "DELETE FROM day WHERE wearer = ?1 AND date < ?2",
            (batch.wearer, &before),
        )?;
        batch.change.execute(
            "DELETE FROM asked WHERE wearer = ?1 AND date < ?2",
            (batch.wearer, &before),
        )?;
        batch.change.execute(
            "DELETE FROM doubted WHERE wearer = ?1 AND start < unixepoch(?2)",
            (batch.wearer, &before),
        )?;
        batch.commit()?;
        Ok(removed)
    }
}

/// Days that are about to be written together.
#[derive(Debug)]
pub struct Batch<'h> {
    change: Transaction<'h>,
    wearer: &'h str,
}

impl Batch<'_> {
    /// Merges what a source knows of a day into what is known. What was kept of the day and cannot be read
    /// any more makes room for it.
    ///
    /// # Errors
    /// [`HistoryError`].
    pub fn record(&self, known: &SourceDay) -> Result<(), HistoryError> {
        let stored = row::same(&self.change, self.wearer, &known.source, known.day.local())?;
        let mut new = match stored {
            None => row::Row {
                known: known.clone(),
                changed_at: known.fetched_at,
                is_corrected: false,
            },
            Some(stored) => stored.merged(known),
        };
        row::forget_unreadable(&self.change, self.wearer, known.day.local().date())?;
        // A wearer who travels has two views of the same hours: what is revised in one is in both.
        for mut other in row::overlapping(&self.change, self.wearer, known)? {
            if merge::share(&mut new.known, &mut other.known) {
                other.changed_at = known.fetched_at;
                row::write(&self.change, self.wearer, &other)?;
            }
        }
        row::write(&self.change, self.wearer, &new)
    }

    /// Writes all of them.
    ///
    /// # Errors
    /// [`HistoryError`]; then none was written.
    pub fn commit(self) -> Result<(), HistoryError> {
        Ok(self.change.commit()?)
    }
}

#[cfg(test)]
mod tests;
