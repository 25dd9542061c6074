//! Writes readings to the history. Errors become notices, so that no update fails because of them.

use std::path::PathBuf;

use jiff::{Timestamp, civil::Date};
use pulsewing_core::{day::Day, reading::Reading};

use super::{
    Account, Batch, History, HistoryError, Listener, Notice, Retention, Source, SourceDay,
    Whereabouts, merge::record_at, rescue,
};

/// Writes readings into the history of a state directory.
#[derive(Debug)]
pub struct HistoryWriter {
    dir: PathBuf,
    wearer: String,
    retention: Retention,
    listener: Listener,
    history: Option<History>,
    /// The day on which old days were last removed.
    pruned: Option<Date>,
    /// The last notice about a reading that was not stored.
    last_complaint: Option<String>,
}

/// The data of an arrival, apart from its minutes.
#[derive(Clone, Copy)]
struct Arrival<'a> {
    at: Timestamp,
    /// The current date on the wearer's clock, the base for the retention.
    today: Option<Date>,
    /// The person whose heart rate it is, if known.
    whose: Option<&'a Account>,
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
            retention,
            listener,
            history: None,
            pruned: None,
            last_complaint: None,
        }
    }

    /// Writes a reading of this person. An error is reported to the listener once, until it
    /// changes. Moves a damaged history aside, and begins a new one with its readable part. Blocks
    /// for some milliseconds, and for two seconds while another process writes.
    pub fn record(&mut self, reading: &Reading, whose: Option<&Account>) {
        let known = days_of(reading);
        if !known.is_empty() {
            let at = reading.fetched_at;
            let today = Some(reading.time_zone.offsets.local(at).date());
            self.write(Arrival { at, today, whose }, |batch| {
                known.iter().try_for_each(|day| batch.record(day))
            });
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
        let arrival = Arrival {
            at: known.fetched_at,
            today: None,
            whose,
        };
        self.write(arrival, |batch| {
            if known.day.logged_minutes() > 0 {
                batch.record(&whole_seconds(known.clone()))?;
            }
            batch.note_asked(known.day.local().date(), synced_at)
        });
    }

    fn write(
        &mut self,
        arrival: Arrival<'_>,
        write: impl Fn(&Batch<'_>) -> Result<(), HistoryError>,
    ) {
        if self.retention == Retention::Nothing {
            return;
        }
        let mut result = self.try_write(arrival, &write);
        if let Err(HistoryError::Damaged(_)) = &result {
            self.history = None;
            result = rescue(&self.dir, &self.wearer, arrival.at).and_then(|rescued| {
                if let Some(rescued) = rescued {
                    self.listener.hear(&Notice::Rescued(rescued));
                }
                self.try_write(arrival, &write)
            });
        }
        let Err(error) = result else {
            self.last_complaint = None;
            return;
        };
        // Open it again next time: the problem may be gone by then.
        self.history = None;
        let notice = Notice::NotKept(error);
        let words = notice.to_string();
        if self.last_complaint.as_ref() != Some(&words) {
            self.listener.hear(&notice);
            self.last_complaint = Some(words);
        }
    }

    /// Returns the history, once a reading was stored.
    #[must_use]
    pub const fn history(&self) -> Option<&History> {
        self.history.as_ref()
    }

    /// Returns the history at its place. Does not use one that was removed or replaced while it was
    /// open.
    fn opened(&mut self) -> Result<&mut History, HistoryError> {
        let notice = match self.history.as_ref().map(History::whereabouts) {
            None | Some(Whereabouts::There) => None,
            Some(Whereabouts::Gone) => Some(Notice::Removed),
            Some(Whereabouts::Replaced) => Some(Notice::Replaced),
        };
        if let Some(notice) = notice {
            self.listener.hear(&notice);
            self.history = None;
            self.pruned = None;
        }
        match &mut self.history {
            Some(history) => Ok(history),
            none => {
                let history = History::open(&self.dir, &self.wearer)?;
                if history.is_mended() {
                    self.listener.hear(&Notice::IndexRebuilt);
                }
                Ok(none.insert(history))
            }
        }
    }

    fn try_write(
        &mut self,
        arrival: Arrival<'_>,
        write: impl Fn(&Batch<'_>) -> Result<(), HistoryError>,
    ) -> Result<(), HistoryError> {
        let (retention, pruned) = (self.retention, self.pruned);
        let listener = self.listener.clone();
        let history = self.opened()?;
        let batch = history.batch()?;
        if let Some(account) = arrival.whose {
            batch.claim(account)?;
        }
        write(&batch)?;
        batch.commit()?;
        let today = arrival.today.filter(|today| Some(*today) != pruned);
        if let Some(earliest) = today.and_then(|today| retention.earliest(today)) {
            history.prune(earliest)?;
        }
        // The reading is stored already; only a copy of the file alone would lack it.
        if let Err(error) = history.write_through() {
            listener.hear(&Notice::LogNotWritten(error));
        }
        self.pruned = today.or(pruned);
        Ok(())
    }
}

/// Returns the days of a reading: its own, and the end of the previous one that its window still
/// shows.
fn days_of(reading: &Reading) -> Vec<SourceDay> {
    let zone = &reading.time_zone;
    let known = |day: Day, resting| SourceDay {
        source: Source::from(reading.provider),
        zone: zone.name.as_str().to_owned(),
        day,
        resting,
        fetched_at: reading.fetched_at,
    };
    let today = reading.day.local();
    let mut days = Vec::new();
    let mut earlier: Option<Day> = None;
    for sample in reading.window.samples() {
        if sample.at >= today.start() {
            break;
        }
        let day = earlier.get_or_insert_with(|| Day::new(zone.offsets.day_of(sample.at)));
        record_at(day, sample.at, sample.bpm);
    }
    days.extend(earlier.map(|day| known(day, None)));
    if reading.day.logged_minutes() > 0 {
        days.push(known(reading.day.clone(), reading.resting));
    }
    days.into_iter().map(whole_seconds).collect()
}

/// Truncates the times to seconds, as they are stored.
fn whole_seconds(known: SourceDay) -> SourceDay {
    let fetched_at = known.fetched_at;
    SourceDay {
        fetched_at: Timestamp::from_second(fetched_at.as_second()).unwrap_or(fetched_at),
        ..known
    }
}
