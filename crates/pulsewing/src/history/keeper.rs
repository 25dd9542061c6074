//! Keeps every reading, and never lets a cycle fail for it.

use std::path::PathBuf;

use jiff::{Timestamp, civil::Date};
use pulsewing_core::{day::Day, reading::Reading};

use super::{Batch, History, HistoryError, Keep, Source, SourceDay, move_aside};
use crate::{console::Console, places};

/// Writes readings into the history of a state directory.
#[derive(Debug)]
pub struct Keeper {
    dir: PathBuf,
    keep: Keep,
    console: Console,
    history: Option<History>,
    /// For which newest date old days were last removed.
    pruned: Option<Date>,
    /// What a person was last told.
    told: Option<String>,
}

impl Keeper {
    /// A keeper for a wearer's state directory. The file is opened by the first reading.
    #[must_use]
    pub const fn new(dir: PathBuf, keep: Keep, console: Console) -> Self {
        Self {
            dir,
            keep,
            console,
            history: None,
            pruned: None,
            told: None,
        }
    }

    /// Keeps a reading. What goes wrong is told, once until it changes; a damaged history is moved
    /// aside and a new one begun. This blocks: some milliseconds, and two seconds while another
    /// process writes.
    pub fn record(&mut self, reading: &Reading) {
        let known = days_of(reading);
        if !known.is_empty() {
            self.keep(reading.fetched_at, |batch| {
                known.iter().try_for_each(|day| batch.record(day))
            });
        }
    }

    /// Keeps a day that was asked for once it was over, when the tracker had synced up to
    /// `synced_at`; also one without a minute, so that nobody asks again. As [`record`](Self::record)
    /// otherwise.
    pub fn record_past(&mut self, known: &SourceDay, synced_at: Timestamp) {
        self.keep(known.fetched_at, |batch| {
            if known.day.logged_minutes() > 0 {
                batch.record(&whole_seconds(known.clone()))?;
            }
            batch.note_asked(known.day.local().date(), synced_at)
        });
    }

    fn keep(&mut self, now: Timestamp, write: impl Fn(&Batch<'_>) -> Result<(), HistoryError>) {
        if self.keep == Keep::Nothing {
            return;
        }
        let mut result = self.try_keep(&write);
        if let Err(HistoryError::Damaged(_)) = &result {
            self.history = None;
            result = match move_aside(&self.dir, now) {
                Ok(aside) => {
                    self.console.warn(&format!(
                        "the history was damaged; it is now {}, and a new one begins",
                        aside.display()
                    ));
                    self.try_keep(&write)
                }
                Err(error) => Err(error.into()),
            };
        }
        match result {
            Ok(()) => self.told = None,
            Err(error) => {
                // Opened anew next time: what is wrong with it may be over then.
                self.history = None;
                self.tell(&error);
            }
        }
    }

    /// The history, once a reading was kept.
    #[must_use]
    pub const fn history(&self) -> Option<&History> {
        self.history.as_ref()
    }

    fn tell(&mut self, error: &HistoryError) {
        let mut words = format!("this reading is not in the history: {error}");
        if let Some(cause) = std::error::Error::source(error) {
            words = format!("{words} ({cause})");
        }
        if self.told.as_ref() != Some(&words) {
            self.console.warn(&words);
            self.told = Some(words);
        }
    }

    fn try_keep(
        &mut self,
        write: impl Fn(&Batch<'_>) -> Result<(), HistoryError>,
    ) -> Result<(), HistoryError> {
        let history = match &mut self.history {
            Some(history) => history,
            none => none.insert(History::open(&self.dir, places::WEARER)?),
        };
        let batch = history.batch()?;
        write(&batch)?;
        batch.commit()?;
        // Counted from the newest minute, so that a clock that is years ahead removes nothing.
        let newest = history.newest_date()?;
        if let Some(newest) = newest.filter(|_| newest != self.pruned) {
            if let Some(earliest) = self.keep.earliest(newest) {
                history.prune(earliest)?;
            }
            self.pruned = Some(newest);
        }
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
