//! What goes into the history from files, and out of it again.
//!
//! Google Takeout and Fitbit's own exports hold years of samples, one file a day, in two forms. An
//! import takes them as they come: whole zip files, directories, single files. Nothing is ever
//! unpacked to disk, a file's name is only looked at and never used as a path, and memory does not
//! grow with the files.
//!
//! ```text
//! paths ─▶ find ─▶ form ─▶ json │ csv ─▶ gather ─▶ History
//!          zip, directory      samples      minutes, days
//! ```
//!
//! A file is there whole or not at all: what was gathered from it is written in one transaction,
//! once its last byte was read. An import that was cut off is simply run again.

pub(crate) mod csv;
pub mod export;
pub(crate) mod find;
pub mod form;
pub(crate) mod gather;
pub mod import;
pub(crate) mod instant;
pub(crate) mod json;
pub(crate) mod zone;

use crate::history::HistoryError;

/// Why a file was left out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The file system, or the zip file around it.
    #[error("it cannot be read: {0}")]
    Unreadable(String),
    /// It is no JSON, or ends too early.
    #[error("it is no whole JSON: {0}")]
    Json(pulsewing_core::json::Error),
    /// A line of CSV that is longer than any.
    #[error("line {0} is longer than any of an export's")]
    LongLine(u64),
    /// Something else than heart rate.
    #[error("there is no heart rate in it")]
    NotHeartRate,
    /// It had values, and none could be one.
    #[error("none of its {0} values is a heart rate with a time")]
    NothingUsable(u64),
    /// All that it has has not been yet.
    #[error("all of its {0} values are later than now; check this machine's clock")]
    Future(u64),
    /// It jumps between more days than are held at once.
    #[error("its samples jump to and fro between more than {days} days", days = gather::OPEN_DAYS)]
    Disorder,
    /// It unpacks to more than any day's file.
    #[error("it unpacks to more than {} MiB", find::MAX_FILE / (1 << 20))]
    TooLarge,
    /// A zip file whose list of files is longer than any.
    #[error("it lists more files than an export has")]
    Directory,
    /// The zip file unpacks to more than one with measurements would.
    #[error(
        "the zip file unpacks to more than {} times its size",
        find::MAX_EXPANSION
    )]
    Bomb,
    /// It names more devices than anybody wears.
    #[error("it names more than {} devices", csv::MAX_DEVICES)]
    ManyDevices,
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
        // A bound that was met comes through the reader.
        let error = match error.downcast() {
            Ok(bound) => bound,
            Err(error) => FileError::Unreadable(error.to_string()),
        };
        Self::File(error)
    }
}
