//! The open file, and the writing of days in batches.

use std::path::Path;

use jiff::civil::Date;
use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::{
    Dates, HistoryError, Listener, Notice, SourceDay, Whereabouts, mend, merge,
    patience::wait_for_others,
    place::{self, Place},
};

/// One wearer's history.
#[derive(Debug)]
pub struct History {
    pub(crate) db: Connection,
    pub(crate) wearer: String,
    /// The dates whose rows are in it: all, unless they are kept elsewhere (`memory.rs`).
    pub(crate) loaded: Dates,
    /// The date before which rows were removed, also those that were not loaded.
    pub(crate) pruned: Option<Date>,
    /// Its file; `None` in memory.
    place: Option<Place>,
    /// Whether its index was damaged when it was opened.
    is_mended: bool,
    /// The listener for waits on other processes; `None` when it does not wait for long.
    waiting: Option<Listener>,
}

impl History {
    /// Opens the history of a state directory for writing; creates it if there is none. Rebuilds a
    /// damaged index.
    ///
    /// # Errors
    /// [`HistoryError`]; a file of a newer version is left unchanged.
    pub fn open(dir: &Path, wearer: &str) -> Result<Self, HistoryError> {
        place::make(dir)?;
        let (mut db, place) = place::open(dir)?;
        let is_mended = mend::mend(&mut db)?;
        Ok(Self {
            is_mended,
            ..Self::of((db, place), wearer)
        })
    }

    /// Like [`open`](Self::open), but waits for up to ten minutes while another process writes; so
    /// does each [`batch`](Self::batch). The listener is notified of that, and of a rebuilt index.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_waiting(
        dir: &Path,
        wearer: &str,
        listener: Listener,
    ) -> Result<Self, HistoryError> {
        let history = wait_for_others(&listener, || Self::open(dir, wearer))?;
        if history.is_mended {
            listener.hear(&Notice::IndexRebuilt);
        }
        Ok(Self {
            waiting: Some(listener),
            ..history
        })
    }

    /// Returns whether the index was damaged when the history was opened. It was rebuilt then; the
    /// caller should report that ([`Notice::IndexRebuilt`]).
    #[must_use]
    pub const fn is_mended(&self) -> bool {
        self.is_mended
    }

    /// Opens the history of a state directory, if there is one. If the place is not writable, such
    /// as a read-only medium, the history can still be read.
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

    /// Opens the history of a state directory only for reading, and changes nothing; returns `None`
    /// when there is none, or when it is still empty.
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
            place: Some(place),
            ..Self::in_memory(db, wearer, Dates::ALL)
        }
    }

    /// Wraps a database without a file that has the rows of these dates.
    pub(crate) fn in_memory(db: Connection, wearer: &str, loaded: Dates) -> Self {
        Self {
            db,
            wearer: wearer.to_owned(),
            loaded,
            pruned: None,
            place: None,
            is_mended: false,
            waiting: None,
        }
    }

    /// Returns what happened to the file since it was opened; nothing ever happens to a history in
    /// memory.
    #[must_use]
    pub fn whereabouts(&self) -> Whereabouts {
        let place = self.place.as_ref();
        place.map_or(Whereabouts::There, Place::whereabouts)
    }

    /// Moves the written data into the file itself, as far as no other process is reading. Until
    /// then it is in the write-ahead log beside it, and a copy of the file alone would lack it.
    ///
    /// # Errors
    /// [`HistoryError`]; nothing is lost then.
    pub fn write_through(&self) -> Result<(), HistoryError> {
        self.db
            .query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))?;
        Ok(())
    }

    /// Merges a source's data of a day into the history.
    ///
    /// # Errors
    /// [`HistoryError`]; then nothing was written.
    pub fn record(&mut self, known: &SourceDay) -> Result<(), HistoryError> {
        let batch = self.batch()?;
        batch.record(known)?;
        batch.commit()
    }

    /// Begins a batch of days that are written together or not at all. A dropped batch writes none.
    ///
    /// # Errors
    /// [`HistoryError`].
    pub fn batch(&mut self) -> Result<Batch<'_>, HistoryError> {
        self.begin()
    }

    /// Like [`batch`](Self::batch), where the caller sees to it that there is no other one.
    pub(crate) fn begin(&self) -> Result<Batch<'_>, HistoryError> {
        // Immediate, because the rows that we read for a merge must not change before the write.
        let begin = || {
            let change = Transaction::new_unchecked(&self.db, TransactionBehavior::Immediate);
            change.map_err(HistoryError::from)
        };
        let change = match &self.waiting {
            Some(listener) => wait_for_others(listener, begin),
            None => begin(),
        }?;
        Ok(Batch {
            change,
            wearer: &self.wearer,
            loaded: self.loaded,
        })
    }

    /// Removes the days before a date; returns the number of removed rows. In memory that is the
    /// number of loaded ones; the change that is taken removes the others as well.
    ///
    /// # Errors
    /// [`HistoryError`].
    pub fn prune(&mut self, before: Date) -> Result<usize, HistoryError> {
        let batch = self.batch()?;
        let prune = |statement| {
            let of_wearer = (batch.wearer, before.to_string());
            batch.change.execute(statement, of_wearer)
        };
        let removed = prune("DELETE FROM day WHERE wearer = ?1 AND date < ?2")?;
        prune("DELETE FROM asked WHERE wearer = ?1 AND date < ?2")?;
        prune("DELETE FROM doubted WHERE wearer = ?1 AND start < unixepoch(?2)")?;
        batch.commit()?;
        self.pruned = self.pruned.max(Some(before));
        Ok(removed)
    }
}

/// Days that are about to be written together.
#[derive(Debug)]
pub struct Batch<'h> {
    pub(crate) change: Transaction<'h>,
    pub(crate) wearer: &'h str,
    pub(crate) loaded: Dates,
}

impl Batch<'_> {
    /// Merges a source's data of a day into the history. Replaces stored data of the day that
    /// cannot be read any more.
    ///
    /// # Errors
    /// [`HistoryError`].
    pub fn record(&self, known: &SourceDay) -> Result<(), HistoryError> {
        let mut new = self.merged(known.clone().into())?;
        self.forget_unreadable(known.day.local().date())?;
        // A wearer who travels has two views of the same hours: a revision of one applies to both.
        for mut other in self.overlapping(known)? {
            if merge::share(&mut new.known, &mut other.known) {
                other.changed_at = known.fetched_at;
                self.write(&other)?;
            }
        }
        self.write(&new)
    }

    /// Writes all of them.
    ///
    /// # Errors
    /// [`HistoryError`]; then none was written.
    pub fn commit(self) -> Result<(), HistoryError> {
        Ok(self.change.commit()?)
    }
}
