//! Reads exports into the history.

use std::{collections::BTreeSet, path::PathBuf};

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use super::{
    Failure, FileError,
    doubts::Doubts,
    evidence::Evidence,
    find::{self, Found, Visitor},
    form::{Form, Pass},
    gather::{Gather, Tally},
    read::{Others, Reading},
};
use crate::{History, HistoryError};

pub use super::{evidence::Doubt, find::PassedOver};

/// The number of bytes to read at once.
const CHUNK: usize = 64 * 1_024;

/// The clock of the times in an export's JSON, which have no offset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum JsonTimes {
    /// UTC.
    #[default]
    Utc,
    /// The wearer's clock.
    Local,
}

/// The settings of an import.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The wearer's zone, which determines the limits of days.
    pub zone: TimeZone,
    /// The clock of the times in JSON.
    pub json_times: JsonTimes,
    /// The present: of two imports, the later one's minutes win, and values after this instant are
    /// not accepted.
    pub now: Timestamp,
}

/// The receiver of an import's progress.
pub trait Watcher {
    /// Reports a file that was left out.
    fn left_out(&mut self, name: &str, error: &FileError);
    /// Reports a file that was read.
    fn read(&mut self, name: &str);
    /// Reports the number of processed bytes on disk, and the total.
    fn progress(&mut self, done: u64, total: u64);
}

/// The result of an import.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Files that were read.
    pub files: u64,
    /// Files and directories that could not be read.
    pub left_out: u64,
    /// Files of directories that were skipped because of their names.
    pub passed_over: PassedOver,
    /// Values that became part of a day.
    pub values: u64,
    /// Values that are not heart rates, or have no time.
    pub refused: u64,
    /// Values that the tracker itself did not trust.
    pub doubtful: u64,
    /// The same values in an export's CSV, which has no such mark.
    pub doubtful_twins: u64,
    /// Values that the tracker did not trust, but which were too many to be recognised in the CSV.
    pub doubtful_beyond: u64,
    /// Values that are later than now.
    pub future: u64,
    /// The dates with samples.
    pub dates: BTreeSet<Date>,
    /// The evidence that the JSON was read by the wrong clock, if there is any.
    pub other_clock: Option<Doubt>,
}

/// Reads all files of the paths.
///
/// # Errors
/// [`HistoryError`]. Files that were read completely before stay in the history.
pub fn import(
    history: &mut History,
    paths: &[PathBuf],
    settings: &Settings,
    watcher: &mut dyn Watcher,
) -> Result<Summary, HistoryError> {
    let has_other_clock = history.has_source(&settings.json_times.other().source())?;
    let mut import = Import {
        history,
        settings,
        watcher,
        summary: Summary::default(),
        buffer: vec![0; CHUNK],
        doubts: Doubts::default(),
        evidence: Evidence::default(),
        has_other_clock,
        done: 0,
        total: 0,
    };
    let mut sources = Vec::new();
    let mut passed_over = PassedOver::default();
    for path in paths {
        sources.extend(find::list(path, &mut passed_over, &mut |name, error| {
            import.unreadable(name, error);
        }));
    }
    import.summary.passed_over = passed_over;
    import.total = sources.iter().map(|source| source.size).sum();
    for pass in Pass::ALL {
        for source in &mut sources {
            source.visit(pass, &mut import)?;
        }
        if pass == Pass::Marked {
            import.doubts.settle();
            import.evidence.settle(settings.json_times, &settings.zone);
        }
    }
    let Import {
        mut summary,
        doubts,
        evidence,
        ..
    } = import;
    summary.doubtful_beyond = doubts.beyond;
    summary.other_clock = evidence.against(settings.json_times);
    Ok(summary)
}

/// Returns whether a file of this form was named by the user, or is the only one of its kind.
const fn is_named(form: Form) -> bool {
    matches!(
        form,
        Form::Json | Form::Csv | Form::GoogleFit | Form::AppleHealth
    )
}

struct Import<'a> {
    history: &'a mut History,
    settings: &'a Settings,
    watcher: &'a mut dyn Watcher,
    summary: Summary,
    buffer: Vec<u8>,
    doubts: Doubts,
    evidence: Evidence,
    has_other_clock: bool,
    done: u64,
    total: u64,
}

impl Visitor for Import<'_> {
    type Stop = HistoryError;

    fn found(&mut self, found: Found<'_>) -> Result<(), HistoryError> {
        let reading = Reading {
            gather: Gather::new(self.history, &self.settings.zone, self.settings.now),
            settings: self.settings,
            others: Others {
                doubts: &mut self.doubts,
                evidence: &mut self.evidence,
                has_other_clock: self.has_other_clock,
            },
            buffer: &mut self.buffer,
        };
        match reading.file(found.form, found.content) {
            // A user who names a file expects values in it. An export has many files without any.
            Ok((tally, _)) if tally.values() == 0 && is_named(found.form) => {
                self.unreadable(&found.name, FileError::NotHeartRate);
                Ok(())
            }
            Ok((tally, dates)) => {
                let Tally {
                    taken,
                    refused,
                    doubtful,
                    doubtful_twins,
                    future,
                } = tally;
                self.summary.files += 1;
                self.summary.values += taken;
                self.summary.refused += refused;
                self.summary.doubtful += doubtful;
                self.summary.doubtful_twins += doubtful_twins;
                self.summary.future += future;
                self.summary.dates.extend(dates);
                self.watcher.read(&found.name);
                Ok(())
            }
            Err(Failure::File(error)) => {
                self.unreadable(&found.name, error);
                Ok(())
            }
            Err(Failure::History(error)) => Err(error),
        }
    }

    fn unreadable(&mut self, name: &str, error: FileError) {
        self.summary.left_out += 1;
        self.watcher.left_out(name, &error);
    }

    fn passed(&mut self, bytes: u64) {
        self.done = self.done.saturating_add(bytes);
        self.watcher.progress(self.done, self.total);
    }
}
