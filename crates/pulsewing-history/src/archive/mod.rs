//! Imports files into the history, and exports the history to files.
//!
//! Google Takeout and Fitbit's own exports contain years of samples, one file per day, in two
//! forms; others have a single file. An import accepts whole archives, directories and single
//! files. Nothing is ever unpacked to disk, a file's name in an archive is never used as a path,
//! and memory use does not grow with the files.
//!
//! ```text
//! paths ─▶ find ─▶ form ─▶ read ──────────▶ gather ─▶ History
//!          zip, tar        csv, json, apple   minutes, days
//! ```
//!
//! There are two passes: the JSON of an export contains the tracker's confidence in a sample; its
//! CSV has the same samples without it. So JSON comes first, and the samples that it marks
//! (`doubts`) are left out of the CSV. The evidence about the clock of the JSON is weighed at the
//! end (`evidence`).
//!
//! A file is imported completely or not at all: its data is committed in one transaction, once its
//! last byte was read. After an interruption, simply run the import again.

mod apple;
mod bounded;
mod columns;
mod csv;
mod doubts;
mod evidence;
pub mod export;
pub(crate) mod find;
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

/// The reason why a file was left out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// An error of the file system, or of the archive around it.
    #[error("it cannot be read: {0}")]
    Unreadable(String),
    /// It is not JSON, or is cut off.
    #[error("it is not complete JSON: {0}")]
    Json(pulsewing_core::json::Error),
    /// It is not XML, or is cut off.
    #[error("it is not complete XML: {0}")]
    Xml(&'static str),
    /// A line of CSV is too long.
    #[error("line {0} is longer than any in an export")]
    LongLine(u64),
    /// Its name has an unknown extension.
    #[error(
        "{} cannot be imported; supported are .zip, .tgz, .json, .csv, .tsv, .txt and Apple Health's .xml",
        no_file_with(.0)
    )]
    UnknownForm(String),
    /// JSON with other contents.
    #[error(
        "its JSON is not heart rate in a known form, which are an export's list of samples, Google Fit's data points, and what `pulsewing export --format json` writes"
    )]
    OtherJson,
    /// XML with other contents.
    #[error("its XML is not an Apple Health export, the only kind of XML that can be imported")]
    OtherXml,
    /// CSV with other contents.
    #[error(
        "its columns are {0}, and none is recognised as a time or a heart rate: name them time and bpm, with times such as 2024-10-27T02:00:04+02:00"
    )]
    Columns(String),
    /// CSV with a time but no heart rate.
    #[error("its columns are {0}, and none is recognised as a heart rate: name that column bpm")]
    NoRate(String),
    /// CSV with a heart rate but no time.
    #[error(
        "its columns are {0}, and none is recognised as a time: name that column time, with times such as 2024-10-27T02:00:04+02:00"
    )]
    NoTime(String),
    /// CSV with times in an unknown format; the first of them.
    #[error(
        "its times cannot be read; the first one is \"{0}\". Write them as 2024-10-27T02:00:04+02:00, or as 2024-10-27 02:00:04 in the wearer's local time"
    )]
    Times(String),
    /// The right form, but without any heart rates.
    #[error("there is no heart rate in it")]
    NotHeartRate,
    /// A data set of many wearers.
    #[error("it contains the heart rates of several people: keep only the lines with one Id")]
    SeveralPeople,
    /// It has values, but none of them is usable.
    #[error("{}", none_is_usable(*.0))]
    NothingUsable(u64),
    /// All its values are in the future.
    #[error("{} later than now; check this machine's clock", all_are(*.0))]
    Future(u64),
    /// It jumps between more days than may be open at once.
    #[error("its samples jump back and forth between more than {days} days", days = gather::OPEN_DAYS)]
    Disorder,
    /// It unpacks to more than the limit for its kind, in MiB.
    #[error("it unpacks to more than {0} MiB")]
    TooLarge(u64),
    /// A zip file whose list of files is too long.
    #[error("it lists more files than any export has")]
    Directory,
    /// The archive unpacks to more than an archive of measurements would.
    #[error(
        "the archive around it unpacks to more than {} times its size",
        find::MAX_EXPANSION
    )]
    Bomb,
    /// It names too many devices.
    #[error("it names more than {} devices", gather::MAX_DEVICES)]
    ManyDevices,
}

fn none_is_usable(values: u64) -> String {
    match values {
        1 => "its only value is not a heart rate with a time".to_owned(),
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
        "" => "a file without an extension".to_owned(),
        _ => format!("a .{ending} file"),
    }
}

impl From<std::io::Error> for FileError {
    fn from(error: std::io::Error) -> Self {
        // The error of an exceeded limit arrives through the reader.
        match error.downcast() {
            Ok(bound) => bound,
            Err(error) => Self::Unreadable(error.to_string()),
        }
    }
}

/// The reason why a file was not imported.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(crate) enum Failure {
    /// A problem with the file; the next one may work.
    File(#[from] FileError),
    /// A problem with the history, so that no file will work.
    History(#[from] HistoryError),
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::File(error.into())
    }
}
