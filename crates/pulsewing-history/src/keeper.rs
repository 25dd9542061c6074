//! What is done with each arrival: it is written, old days are removed, and a person is told about
//! errors.

use jiff::civil::Date;

use super::{Arrival, Change, History, HistoryError, Listener, MemoryHistory, Notice, Retention};

/// Keeps a wearer's arrivals as long as the wearer wants, and reports each error once.
#[derive(Debug)]
pub struct Keeper {
    retention: Retention,
    pub(super) listener: Listener,
    /// The day on which old days were last removed.
    pub(super) pruned: Option<Date>,
    /// The last notice about an arrival that was not stored.
    last_complaint: Option<String>,
}

impl Keeper {
    /// Builds the keeper of one wearer's history.
    #[must_use]
    pub const fn new(retention: Retention, listener: Listener) -> Self {
        Self {
            retention,
            listener,
            pruned: None,
            last_complaint: None,
        }
    }

    /// Writes an arrival into a history in memory that has its [`dates`](Arrival::dates), and returns
    /// the changes to write back. There are none if nothing is to be kept, or if there was an error,
    /// which is reported to the listener once, until it changes.
    ///
    /// Removes old days with the first reading of a day, and with the first one of a new keeper. The
    /// changes are made only when they are written back: if that fails for good, forget this keeper,
    /// so that the next one removes them.
    pub fn keep(&mut self, rows: &mut MemoryHistory, arrival: &Arrival<'_>) -> Vec<Change> {
        if !self.keeps_anything() {
            return Vec::new();
        }
        let written = self.write(rows.history_mut(), arrival);
        // After an error in removing old days the arrival itself is written.
        let changes = rows.take_changes();
        let (changes, result) = match (changes, written) {
            (Ok(changes), written) => (changes, written),
            (Err(error), written) => (Vec::new(), written.and(Err(error))),
        };
        self.report(result);
        changes
    }

    /// Returns whether anything is kept at all.
    pub(super) const fn keeps_anything(&self) -> bool {
        !matches!(self.retention, Retention::Nothing)
    }

    /// Writes an arrival, and removes old days if that was not done on this day.
    pub(super) fn write(
        &mut self,
        history: &mut History,
        arrival: &Arrival<'_>,
    ) -> Result<(), HistoryError> {
        let batch = history.batch()?;
        arrival.write(&batch)?;
        batch.commit()?;
        let today = arrival.today.filter(|today| Some(*today) != self.pruned);
        if let Some(earliest) = today.and_then(|today| self.retention.earliest(today)) {
            history.prune(earliest)?;
        }
        self.pruned = today.or(self.pruned);
        Ok(())
    }

    /// Reports the error, unless it is the same as the last time.
    pub(super) fn report(&mut self, result: Result<(), HistoryError>) {
        let Err(error) = result else {
            self.last_complaint = None;
            return;
        };
        let notice = Notice::NotKept(error);
        let words = notice.to_string();
        if self.last_complaint.as_ref() != Some(&words) {
            self.listener.hear(&notice);
            self.last_complaint = Some(words);
        }
    }
}
