//! Writing readings to the history. Errors become notices, so that no update fails because of them.

use std::path::PathBuf;

use jiff::{Timestamp, civil::Date};
use pulsewing_core::{day::Day, reading::Reading};

use super::{
    Account, Batch, History, HistoryError, Listener, Notice, Retention, Source, SourceDay,
    Whereabouts, rescue,
};

/// Writes readings into the history of a state directory.
#[derive(Debug)]
pub struct HistoryWriter {
    dir: PathBuf,
    wearer: String,
    retention: Retention,
    listener: Listener,
    history: Option<History>,
    /// The day on which old ones were last removed.
    pruned: Option<Date>,
    /// The last notice about a reading that was not kept.
    last_complaint: Option<String>,
}

/// What comes in, besides its minutes.
#[derive(Clone, Copy)]
struct Arrival<'a> {
    at: Timestamp,
    /// The wearer's day by the clock, from which is counted for how long days are kept.
    today: Option<Date>,
    /// Whose heart rate it is, as far as is known.
    whose: Option<&'a Account>,
}

impl HistoryWriter {
    /// A writer for a wearer's state directory. The first reading opens the file.
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

    /// Writes a reading of this person. The listener hears of an error once, until it changes. A damaged
    /// history is moved aside, and a new one begun with what could be read of it. This blocks for some
    /// milliseconds, and for two seconds while another process writes.
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

    /// Writes a day that was asked for once it was over, when the tracker had synced up to `synced_at`;
    /// even one without a minute, so that nobody asks again. Otherwise like [`record`](Self::record).
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
            result = match rescue(&self.dir, &self.wearer, arrival.at) {
                Ok(rescued) => {
                    if let Some(rescued) = rescued {
                        self.listener.hear(&Notice::Rescued(rescued));
                    }
                    self.try_write(arrival, &write)
                }
                Err(error) => Err(error),
            };
        }
        match result {
            Ok(()) => self.last_complaint = None,
            Err(error) => {
                // Opened again next time: what is wrong with it may be over then.
                self.history = None;
                self.complain(error);
            }
        }
    }

    /// The history, once a reading was kept.
    #[must_use]
    pub const fn history(&self) -> Option<&History> {
        self.history.as_ref()
    }

    fn complain(&mut self, error: HistoryError) {
        let notice = Notice::NotKept(error);
        let words = notice.to_string();
        if self.last_complaint.as_ref() != Some(&words) {
            self.listener.hear(&notice);
            self.last_complaint = Some(words);
        }
    }

    /// The history at its place. One that was removed or replaced while it was open keeps nothing any more.
    fn opened(&mut self) -> Result<&mut History, HistoryError> {
        let whereabouts = self.history.as_ref().map(History::whereabouts);
        let notice = match whereabouts {
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
        // It is kept already: a copy of the file alone would not have it yet, and that is all.
        if let Err(error) = history.write_through() {
            listener.hear(&Notice::LogNotWritten(error));
        }
        self.pruned = today.or(pruned);
        Ok(())
    }
}

/// What a reading knows: its day, and the tail of the day before that its window still shows.
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
        if let Some(minute) = day.local().minute_of(sample.at) {
            day.record(minute, sample.bpm);
        }
    }
    days.extend(earlier.map(|day| known(day, None)));
    if reading.day.logged_minutes() > 0 {
        days.push(known(reading.day.clone(), reading.resting));
    }
    days.into_iter().map(whole_seconds).collect()
}

/// Seconds are what is stored.
fn whole_seconds(known: SourceDay) -> SourceDay {
    let fetched_at = known.fetched_at;
    SourceDay {
        fetched_at: Timestamp::from_second(fetched_at.as_second()).unwrap_or(fetched_at),
        ..known
    }
}
