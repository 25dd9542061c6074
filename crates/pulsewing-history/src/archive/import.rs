//! Reads exports into the history.

use std::{collections::BTreeSet, path::PathBuf};

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use super::{
    Failure, FileError,
    doubts::Doubts,
    evidence::Evidence,
    find::{self, Found, Visitor},
    form::Pass,
    gather::Gather,
    read::Reading,
    zone::LocalClock,
};
use crate::{History, HistoryError, Kind, Source};

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

impl JsonTimes {
    /// Returns the source of an export's JSON that is read by this clock.
    pub(super) fn source(self) -> Source {
        Source::with_device(Kind::ExportJson, self.device())
    }

    pub(super) const fn device(self) -> &'static str {
        match self {
            Self::Utc => "",
            Self::Local => "local times",
        }
    }

    /// Returns the other clock.
    pub(super) const fn other(self) -> Self {
        match self {
            Self::Utc => Self::Local,
            Self::Local => Self::Utc,
        }
    }

    /// Returns the instant, in seconds since 1970, of a time as written; `clock` is the wearer's.
    #[inline]
    pub(super) fn instant(self, shown: i64, clock: &mut LocalClock) -> Option<i64> {
        match self {
            Self::Utc => Some(shown),
            Self::Local => clock.instant(shown),
        }
    }
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

impl Summary {
    /// Returns the number of all values, used or not.
    pub(super) const fn all_values(&self) -> u64 {
        self.values + self.refused + self.doubtful + self.doubtful_twins + self.future
    }

    /// Adds the values of one more file.
    fn add(&mut self, file: Self) {
        self.files += 1;
        self.values += file.values;
        self.refused += file.refused;
        self.doubtful += file.doubtful;
        self.doubtful_twins += file.doubtful_twins;
        self.future += file.future;
        self.dates.extend(file.dates);
    }
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
            doubts: &mut self.doubts,
            evidence: &mut self.evidence,
            has_other_clock: self.has_other_clock,
            buffer: &mut self.buffer,
        };
        match reading.file(found.form, found.content) {
            // A user who names a file expects values in it. An export has many files without any.
            Ok(file) if file.all_values() == 0 && found.form.is_of_years() => {
                self.unreadable(&found.name, FileError::NotHeartRate);
            }
            Ok(file) => {
                self.summary.add(file);
                self.watcher.read(&found.name);
            }
            Err(Failure::File(error)) => self.unreadable(&found.name, error),
            Err(Failure::History(error)) => return Err(error),
        }
        Ok(())
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
