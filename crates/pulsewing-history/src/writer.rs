//! Writes readings to the history. Errors become notices, so that no update fails because of them.

use std::path::PathBuf;

use jiff::{Timestamp, tz::TimeZone};
use pulsewing_core::{day::Sample, reading::Reading};

use super::{
    Account, Arrival, History, HistoryError, Keeper, Listener, Notice, Retention, SourceDay,
    Whereabouts, rescue,
};

/// Writes readings into the history of a state directory.
#[derive(Debug)]
pub struct HistoryWriter {
    dir: PathBuf,
    wearer: String,
    keeper: Keeper,
    history: Option<History>,
}

impl HistoryWriter {
    /// Builds a writer for a wearer's state directory. The first reading opens the file.
    #[must_use]
    pub const fn new(
        dir: PathBuf,
        wearer: String,
        retention: Retention,
        listener: Listener,
    ) -> Self {
        Self {
            dir,
            wearer,
            keeper: Keeper::new(retention, listener),
            history: None,
        }
    }

    /// Writes a reading of this person. An error is reported to the listener once, until it
    /// changes. Moves a damaged history aside, and begins a new one with its readable part. Blocks
    /// for some milliseconds, and for two seconds while another process writes.
    pub fn record(&mut self, reading: &Reading, whose: Option<&Account>) {
        if let Some(arrival) = Arrival::of_reading(reading, whose) {
            self.write(&arrival);
        }
    }

    /// Writes a day that was fetched after its end, when the tracker had synced up to `synced_at`;
    /// even a day without minutes, so that it is not fetched again. Otherwise like
    /// [`record`](Self::record).
    pub fn record_past(
        &mut self,
        known: &SourceDay,
        synced_at: Timestamp,
        whose: Option<&Account>,
    ) {
        self.write(&Arrival::of_past_day(known, synced_at, whose));
    }

    /// Writes minutes that the program called `source` pushed, which came at `at`; `zone` is the wearer's.
    /// Returns whether they are in the history, or are not to be kept. Otherwise like
    /// [`record`](Self::record).
    pub fn record_pushed(
        &mut self,
        source: &str,
        minutes: &[Sample],
        zone: &TimeZone,
        at: Timestamp,
    ) -> bool {
        Arrival::of_pushed(source, minutes, zone, at).is_none_or(|arrival| self.write(&arrival))
    }

    fn write(&mut self, arrival: &Arrival<'_>) -> bool {
        if !self.keeper.keeps_anything() {
            return true;
        }
        let mut result = self.try_write(arrival);
        if let Err(HistoryError::Damaged(_)) = &result {
            self.history = None;
            result = rescue(&self.dir, &self.wearer, arrival.at).and_then(|rescued| {
                if let Some(rescued) = rescued {
                    self.keeper.listener.hear(&Notice::Rescued(rescued));
                }
                self.try_write(arrival)
            });
        }
        let is_written = result.is_ok();
        if !is_written {
            // Open it again next time: the problem may be gone by then.
            self.history = None;
        }
        self.keeper.report(result);
        is_written
    }

    /// Returns the history, once a reading was stored.
    #[must_use]
    pub const fn history(&self) -> Option<&History> {
        self.history.as_ref()
    }

    /// Writes into the history at its place. Does not use one that was removed or replaced while it
    /// was open.
    fn try_write(&mut self, arrival: &Arrival<'_>) -> Result<(), HistoryError> {
        let notice = match self.history.as_ref().map(History::whereabouts) {
            None | Some(Whereabouts::There) => None,
            Some(Whereabouts::Gone) => Some(Notice::Removed),
            Some(Whereabouts::Replaced) => Some(Notice::Replaced),
        };
        if let Some(notice) = notice {
            self.keeper.listener.hear(&notice);
            self.history = None;
            self.keeper.pruned = None;
        }
        let history = match &mut self.history {
            Some(history) => history,
            none => {
                let history = History::open(&self.dir, &self.wearer)?;
                if history.is_mended() {
                    self.keeper.listener.hear(&Notice::IndexRebuilt);
                }
                none.insert(history)
            }
        };
        self.keeper.write(history, arrival)?;
        // The reading is stored already; only a copy of the file alone would lack it.
        if let Err(error) = history.write_through() {
            self.keeper.listener.hear(&Notice::LogNotWritten(error));
        }
        Ok(())
    }
}
