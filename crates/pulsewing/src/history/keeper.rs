//! Keeps every reading, and never lets a cycle fail for it.

use std::path::PathBuf;

use jiff::{Timestamp, civil::Date};
use pulsewing_core::{day::Day, reading::Reading};

use super::{
    Account, Batch, History, HistoryError, Keep, MENDED, Source, SourceDay, Whereabouts, rescue,
};
use crate::{console::Console, places};

/// Writes readings into the history of a state directory.
#[derive(Debug)]
pub struct Keeper {
    dir: PathBuf,
    keep: Keep,
    console: Console,
    history: Option<History>,
    /// On which day old ones were last removed.
    pruned: Option<Date>,
    /// What a person was last told.
    told: Option<String>,
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

    /// Keeps a reading of this person's. What goes wrong is told, once until it changes; a damaged history
    /// is moved aside, and a new one begun with what could be read of it. This blocks: some milliseconds,
    /// and two seconds while another process writes.
    pub fn record(&mut self, reading: &Reading, whose: Option<&Account>) {
        let known = days_of(reading);
        if !known.is_empty() {
            let at = reading.fetched_at;
            let today = Some(reading.time_zone.offsets.local(at).date());
            self.keep(Arrival { at, today, whose }, |batch| {
                known.iter().try_for_each(|day| batch.record(day))
            });
        }
    }

    /// Keeps a day that was asked for once it was over, when the tracker had synced up to
    /// `synced_at`; also one without a minute, so that nobody asks again. As [`record`](Self::record)
    /// otherwise.
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
        self.keep(arrival, |batch| {
            if known.day.logged_minutes() > 0 {
                batch.record(&whole_seconds(known.clone()))?;
            }
            batch.note_asked(known.day.local().date(), synced_at)
        });
    }

    fn keep(
        &mut self,
        arrival: Arrival<'_>,
        write: impl Fn(&Batch<'_>) -> Result<(), HistoryError>,
    ) {
        if self.keep == Keep::Nothing {
            return;
        }
        let mut result = self.try_keep(arrival, &write);
        if let Err(HistoryError::Damaged(_)) = &result {
            self.history = None;
            result = match rescue(&self.dir, places::WEARER, arrival.at) {
                Ok(rescued) => {
                    if let Some(rescued) = rescued {
                        self.console.warn(&rescued.to_string());
                    }
                    self.try_keep(arrival, &write)
                }
                Err(error) => Err(error),
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
        let advice = match error {
            HistoryError::AnotherPerson => Some(
                "`pulsewing login --replace` sets that history aside and begins a new one, and --state-dir names another place for this person",
            ),
            HistoryError::Busy => Some("the next update fetches it once more"),
            error => error.advice(),
        };
        if let Some(advice) = advice {
            words = format!("{words}; {advice}");
        }
        if self.told.as_ref() != Some(&words) {
            self.console.warn(&words);
            self.told = Some(words);
        }
    }

    /// The history at its place. One that was removed or replaced while it was open keeps nothing any more.
    fn opened(&mut self) -> Result<&mut History, HistoryError> {
        let whereabouts = self.history.as_ref().map(History::whereabouts);
        let what_happened = match whereabouts {
            None | Some(Whereabouts::There) => None,
            Some(Whereabouts::Gone) => {
                Some("the history was removed while Pulsewing ran; a new one begins")
            }
            Some(Whereabouts::Replaced) => {
                Some("the history was replaced while Pulsewing ran; the new one goes on")
            }
        };
        if let Some(words) = what_happened {
            self.console.warn(words);
            self.history = None;
            self.pruned = None;
        }
        match &mut self.history {
            Some(history) => Ok(history),
            none => {
                let history = History::open(&self.dir, places::WEARER)?;
                if history.is_mended() {
                    self.console.warn(MENDED);
                }
                Ok(none.insert(history))
            }
        }
    }

    fn try_keep(
        &mut self,
        arrival: Arrival<'_>,
        write: impl Fn(&Batch<'_>) -> Result<(), HistoryError>,
    ) -> Result<(), HistoryError> {
        let (keep, pruned, console) = (self.keep, self.pruned, self.console);
        let history = self.opened()?;
        let batch = history.batch()?;
        if let Some(account) = arrival.whose {
            batch.claim(account)?;
        }
        write(&batch)?;
        batch.commit()?;
        let today = arrival.today.filter(|today| Some(*today) != pruned);
        if let Some(earliest) = today.and_then(|today| keep.earliest(today)) {
            history.prune(earliest)?;
        }
        // It is kept already: a copy of the file alone would not have it yet, and that is all.
        if let Err(error) = history.write_through() {
            console.detail(|| format!("the history's log could not be written through: {error}"));
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
