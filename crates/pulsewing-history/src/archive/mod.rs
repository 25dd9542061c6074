//! What goes into the history from files, and out of it again.
//!
//! Google Takeout and Fitbit's own exports hold years of samples, one file a day, in two forms; others
//! have a single file. An import takes them as they come: whole archives, directories, single files.
//! Nothing is ever unpacked to disk, a file's name is only looked at and never used as a path, and
//! memory does not grow with the files.
//!
//! ```text
//! paths ─▶ find ─▶ form ─▶ read ──────────────▶ gather ─▶ History
//!          zip, tar        csv, json, fit, apple  minutes, days
//! ```
//!
//! There are two passes: the JSON of an export says how sure the tracker was of a sample, and its
//! CSV, which has the same samples, does not. So JSON comes first, and what it marks (`doubts`) is
//! left out of the CSV. What the files say about the clock of the JSON is weighed at the end
//! (`evidence`).
//!
//! A file is there whole or not at all: what was gathered from it is written in one transaction,
//! once its last byte was read. An import that was cut off is simply run again.

mod apple;
mod bounded;
mod columns;
mod csv;
mod doubts;
mod evidence;
pub mod export;
pub(crate) mod find;
mod fit;
pub mod form;
pub(crate) mod gather;
pub mod import;
pub(crate) mod instant;
pub(crate) mod json;
mod list;
mod read;
mod tar;
mod text;
pub(crate) mod zone;

use crate::HistoryError;

/// Why a file was left out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The file system, or the archive around it.
    #[error("it cannot be read: {0}")]
    Unreadable(String),
    /// It is no JSON, or ends too early.
    #[error("it is no whole JSON: {0}")]
    Json(pulsewing_core::json::Error),
    /// It is no XML, or ends too early.
    #[error("it is no whole XML: {0}")]
    Xml(&'static str),
    /// A line of CSV that is longer than any.
    #[error("line {0} is longer than any of an export's")]
    LongLine(u64),
    /// A file whose name has no ending that is known.
    #[error(
        "{} is read; what is: .zip, .tgz, .json, .csv, .tsv, .txt and Apple Health's .xml",
        no_file_with(.0)
    )]
    UnknownForm(String),
    /// JSON of something else.
    #[error(
        "its JSON is no heart rate in a form that is known: an export's list of samples, Google Fit's data points, or what `pulsewing export --format json` writes"
    )]
    OtherJson,
    /// XML of something else.
    #[error("its XML is not what Apple Health exports, the only XML that is read")]
    OtherXml,
    /// CSV of something else.
    #[error(
        "its columns are {0}, and none is known as a time or as a heart rate: name them time and bpm, with times such as 2024-10-27T02:00:04+02:00"
    )]
    Columns(String),
    /// CSV with a time and something else.
    #[error("its columns are {0}, and none is known as a heart rate: name that one bpm")]
    NoRate(String),
    /// CSV with a heart rate and no time.
    #[error(
        "its columns are {0}, and none is known as a time: name that one time, with times such as 2024-10-27T02:00:04+02:00"
    )]
    NoTime(String),
    /// CSV whose times are written in a way that is not known; the first of them.
    #[error(
        "its times cannot be read, the first one is \"{0}\": write them as 2024-10-27T02:00:04+02:00, or 2024-10-27 02:00:04 on the wearer's clock"
    )]
    Times(String),
    /// The right form, without any.
    #[error("there is no heart rate in it")]
    NotHeartRate,
    /// A data set of many wearers.
    #[error("it holds the heart rates of several people: keep the lines of one Id only")]
    SeveralPeople,
    /// It had values, and none could be one.
    #[error("{}", none_is_usable(*.0))]
    NothingUsable(u64),
    /// All that it has has not been yet.
    #[error("{} later than now; check this machine's clock", all_are(*.0))]
    Future(u64),
    /// It jumps between more days than are held at once.
    #[error("its samples jump to and fro between more than {days} days", days = gather::OPEN_DAYS)]
    Disorder,
    /// It unpacks to more than any file of its kind; the limit in MiB.
    #[error("it unpacks to more than {0} MiB")]
    TooLarge(u64),
    /// A zip file whose list of files is longer than any.
    #[error("it lists more files than an export has")]
    Directory,
    /// The archive unpacks to more than one with measurements would.
    #[error(
        "the archive around it unpacks to more than {} times its size",
        find::MAX_EXPANSION
    )]
    Bomb,
    /// It names more devices than anybody wears.
    #[error("it names more than {} devices", read::MAX_DEVICES)]
    ManyDevices,
}

fn none_is_usable(values: u64) -> String {
    match values {
        1 => "its only value is no heart rate with a time".to_owned(),
        _ => format!("none of its {values} values is a heart rate with a time"),
    }
}

fn all_are(values: u64) -> String {
    match values {
        1 => "its only value is".to_owned(),
        _ => format!("all of its {values} values are"),
    }
}

fn no_file_with(ending: &str) -> String {
    match ending {
        "" => "no file without an ending".to_owned(),
        _ => format!("no .{ending} file"),
    }
}

impl From<std::io::Error> for FileError {
    fn from(error: std::io::Error) -> Self {
        // A bound that was met comes through the reader.
        match error.downcast() {
            Ok(bound) => bound,
            Err(error) => Self::Unreadable(error.to_string()),
        }
    }
}

/// Why a file did not make it into the history.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The file is to blame; the next one may do.
    File(FileError),
    /// The history is, so that no file will do.
    History(HistoryError),
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        Self::File(error)
    }
}

impl From<HistoryError> for Failure {
    fn from(error: HistoryError) -> Self {
        Self::History(error)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::File(error.into())
    }
}
