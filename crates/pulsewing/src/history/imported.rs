//! What is different about days that come from files: importing again takes the place of an earlier
//! import.

use jiff::Timestamp;
use pulsewing_core::{Bpm, day::Day};

use super::{
    Batch, History, Kind, Source, SourceDay,
    error::HistoryError,
    row::{self, Row},
};

impl History {
    /// Whether anything came from a source.
    ///
    /// # Errors
    /// [`HistoryError`].
    pub fn has_source(&self, source: &Source) -> Result<bool, HistoryError> {
        Ok(self
            .db
            .prepare("SELECT 1 FROM day WHERE wearer = ?1 AND source = ?2 LIMIT 1")?
            .exists((&self.wearer, source.to_string()))?)
    }
}

impl Batch<'_> {
    /// Merges what a source knows of a day into what is known, as [`record`](Self::record) does.
    /// Where an earlier import cut the same minutes into days of another zone, they move into this
    /// day: a minute stands on one day's page.
    ///
    /// # Errors
    /// [`HistoryError`].
    pub fn record_recut(&self, known: &SourceDay) -> Result<(), HistoryError> {
        for mut other in row::overlapping(&self.change, self.wearer, known)? {
            let lacks = |at| {
                let minute = known.day.local().minute_of(at);
                minute.and_then(|minute| known.day.get(minute)).is_none()
            };
            let before = other.known.clone();
            other.known.day = kept(&before.day, |at, _| lacks(at));
            if known.resting.is_some() && before.day.local().date() == known.day.local().date() {
                other.known.resting = None;
            }
            if other.known != before {
                self.put_back(other, known.fetched_at)?;
            }
        }
        let stored = row::same(&self.change, self.wearer, &known.source, known.day.local())?;
        let row = match stored {
            None => Row {
                known: known.clone(),
                changed_at: known.fetched_at,
            },
            Some(stored) => stored.merged(known),
        };
        row::write(&self.change, self.wearer, &row)
    }

    /// Takes minutes back that a kind of source has with these very rates, whatever its device: they
    /// turned out to be none.
    ///
    /// # Errors
    /// [`HistoryError`].
    pub fn retract(&self, kind: Kind, doubted: &Day) -> Result<(), HistoryError> {
        let local = doubted.local();
        let (from, until) = (local.start(), local.instant(local.minutes()));
        for mut row in row::between(&self.change, self.wearer, from, until)? {
            if row.known.source.kind() != kind {
                continue;
            }
            let before = row.known.day.clone();
            row.known.day = kept(&before, |at, bpm| {
                let minute = local.minute_of(at);
                minute.and_then(|minute| doubted.get(minute)) != Some(bpm)
            });
            if row.known.day != before {
                let at = row.known.fetched_at;
                self.put_back(row, at)?;
            }
        }
        Ok(())
    }

    /// Takes back what a source has from one instant to another.
    ///
    /// # Errors
    /// [`HistoryError`].
    pub fn forget(
        &self,
        source: &Source,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<(), HistoryError> {
        for mut row in row::between(&self.change, self.wearer, from, until)? {
            if row.known.source != *source {
                continue;
            }
            let before = row.known.day.clone();
            row.known.day = kept(&before, |at, _| !(from..until).contains(&at));
            if row.known.day != before {
                let at = row.known.fetched_at;
                self.put_back(row, at)?;
            }
        }
        Ok(())
    }

    /// Writes a row that has lost something; one that has nothing left is removed.
    fn put_back(&self, mut row: Row, changed_at: Timestamp) -> Result<(), HistoryError> {
        if row.known.day.logged_minutes() == 0 && row.known.resting.is_none() {
            return row::remove(&self.change, self.wearer, &row);
        }
        row.changed_at = changed_at;
        row::write(&self.change, self.wearer, &row)
    }
}

/// The minutes of a day that are kept.
fn kept(day: &Day, keep: impl Fn(Timestamp, Bpm) -> bool) -> Day {
    let mut left = Day::new(*day.local());
    for (minute, bpm) in day.iter() {
        // A minute belongs to the instant at which it begins.
        if keep(day.local().instant(minute), bpm) {
            left.record(minute, bpm);
        }
    }
    left
}
