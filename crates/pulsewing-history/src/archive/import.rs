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

/// How much is read at once.
const CHUNK: usize = 64 * 1_024;

/// Which clock wrote the times of an export's JSON: they name no offset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum JsonTimes {
    /// UTC's.
    #[default]
    Utc,
    /// The wearer's.
    Local,
}

/// How files are read.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The wearer's zone, by which days are cut.
    pub zone: TimeZone,
    /// Which clock wrote the times of JSON.
    pub json_times: JsonTimes,
    /// Now: of two imports, the later one's minutes win, and of what is later than this nothing is believed.
    pub now: Timestamp,
}

/// Told how an import goes.
pub trait Watcher {
    /// A file was left out.
    fn left_out(&mut self, name: &str, error: &FileError);
    /// A file was read.
    fn read(&mut self, name: &str);
    /// So many of all bytes on disk have been dealt with.
    fn progress(&mut self, done: u64, total: u64);
}

/// What an import did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Files that were read.
    pub files: u64,
    /// Files and directories that could not be.
    pub left_out: u64,
    /// Files of directories that were not looked into, because of their names.
    pub passed_over: PassedOver,
    /// Values that became part of a day.
    pub values: u64,
    /// Values that are no heart rate, or have no time.
    pub refused: u64,
    /// Values that the tracker itself did not trust.
    pub doubtful: u64,
    /// The same values in an export's CSV, which does not say so.
    pub doubtful_twins: u64,
    /// Values that the tracker did not trust and that were too many to be found again in the CSV.
    pub doubtful_beyond: u64,
    /// Values that are later than now.
    pub future: u64,
    /// The dates with samples.
    pub dates: BTreeSet<Date>,
    /// Why the JSON was read by the wrong clock, where the files say so.
    pub other_clock: Option<Doubt>,
}

/// Reads everything that the paths hold.
///
/// # Errors
/// [`HistoryError`]. What was read before stays in the history, whole file by whole file.
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

/// Whether a file of this form was named itself, or is the only one of its kind.
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
            // Whoever names a file means that there is something in it. An export has many without.
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
