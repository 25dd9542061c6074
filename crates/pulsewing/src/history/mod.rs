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
//! | [`Source`] | where minutes came from |
//!
//! `imported.rs` has importing again take the place of an earlier import.
//!
//! `asked.rs` remembers which days were asked for once they were over, so that what is missing is known
//! from what is not there.

mod asked;
mod error;
mod examine;
mod imported;
mod keep;
mod keeper;
mod last;
mod merge;
mod minutes;
mod read;
mod row;
mod schema;
mod source;

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::{Timestamp, civil::Date};
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use crate::{places, regular_file};

pub use error::{Cause, HistoryError};
pub use examine::{Whole, examine};
pub use keep::Keep;
pub use keeper::Keeper;
pub use last::LastKnown;
pub use read::{DayRecord, DaySummary, Minute, Span};
pub use row::{Extent, SourceDay};
pub use source::{Kind, Source};

const NAME: &str = "history.db";

/// What SQLite keeps beside the file while it is in use.
const BESIDE: [&str; 2] = ["history.db-wal", "history.db-shm"];

/// How long a writer is waited for.
const BUSY: Duration = Duration::from_secs(2);

/// One wearer's history.
#[derive(Debug)]
pub struct History {
    db: Connection,
    wearer: String,
}

impl History {
    /// Opens the history of a state directory; makes it where there is none.
    ///
    /// # Errors
    /// [`HistoryError`]; a file of a newer version is left as it is.
    pub fn open(dir: &Path, wearer: &str) -> Result<Self, HistoryError> {
        places::make_private_dir(dir)?;
        // SQLite gives what it puts beside the file the file's own mode.
        regular_file::open_with(
            places::private_file().append(true).create(true),
            &dir.join(NAME),
        )?;
        Self::connect(dir, wearer)
    }

    /// Opens the history of a state directory, if there is one.
    ///
    /// # Errors
    /// [`HistoryError`].
    pub fn open_existing(dir: &Path, wearer: &str) -> Result<Option<Self>, HistoryError> {
        if !dir.join(NAME).try_exists()? {
            return Ok(None);
        }
        Self::connect(dir, wearer).map(Some)
    }

    fn connect(dir: &Path, wearer: &str) -> Result<Self, HistoryError> {
        check_files(dir)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut db = Connection::open_with_flags(dir.join(NAME), flags)?;
        db.busy_timeout(BUSY)?;
        schema::check(&db, schema::STEPS)?;
        // Readers and the writer do not wait for each other; a power cut may cost the last write,
        // never the file. Where WAL is impossible, as on some network file systems, the older way
        // stays in use.
        db.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
        db.pragma_update(None, "synchronous", "NORMAL")?;
        // Nothing that a tampered file could bring along is run.
        db.pragma_update(None, "trusted_schema", false)?;
        schema::migrate(&mut db, schema::STEPS)?;
        Ok(Self {
            db,
            wearer: wearer.to_owned(),
        })
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
        let change = self
            .db
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
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
        let before = before.to_string();
        let removed = self.db.execute(
            "DELETE FROM day WHERE wearer = ?1 AND date < ?2",
            (&self.wearer, &before),
        )?;
        self.db.execute(
            "DELETE FROM asked WHERE wearer = ?1 AND date < ?2",
            (&self.wearer, &before),
        )?;
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
    /// Merges what a source knows of a day into what is known.
    ///
    /// # Errors
    /// [`HistoryError`].
    pub fn record(&self, known: &SourceDay) -> Result<(), HistoryError> {
        let stored = row::same(&self.change, self.wearer, &known.source, known.day.local())?;
        let mut new = match stored {
            None => row::Row {
                known: known.clone(),
                changed_at: known.fetched_at,
            },
            Some(stored) => stored.merged(known),
        };
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

/// Looks at what SQLite is about to open: in a pipe it would wait without end. How large the files
/// are does not matter, because it reads them page by page.
fn check_files(dir: &Path) -> io::Result<()> {
    [NAME]
        .iter()
        .chain(&BESIDE)
        .try_for_each(|name| regular_file::check(&dir.join(name)))
}

/// How many bytes the history of a state directory takes.
#[must_use]
pub fn bytes_on_disk(dir: &Path) -> u64 {
    [NAME]
        .iter()
        .chain(&BESIDE)
        .filter_map(|name| fs::metadata(dir.join(name)).ok())
        .map(|file| file.len())
        .sum()
}

/// Moves a damaged history out of the way, so that a new one can begin; returns where it is now.
///
/// # Errors
/// What the file system says.
pub fn move_aside(dir: &Path, now: Timestamp) -> io::Result<PathBuf> {
    let name = format!("history.db.damaged-{}", now.strftime("%Y%m%dT%H%M%SZ"));
    let aside = dir.join(&name);
    fs::rename(dir.join(NAME), &aside)?;
    for (beside, ending) in BESIDE.iter().zip(["-wal", "-shm"]) {
        match fs::rename(dir.join(beside), dir.join(format!("{name}{ending}"))) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(aside)
}

#[cfg(test)]
mod tests;
