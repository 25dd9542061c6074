//! The errors of the history.

use std::{borrow::Cow, error::Error, io};

use jiff::civil::Date;
use rusqlite::ErrorCode;

/// The reason why the history cannot be used. Its text, and that of its source, is for a person;
/// [`technical`](Self::technical) has the database's own message.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HistoryError {
    /// A newer Pulsewing wrote it; it was left unchanged.
    #[error("the history has format {0}, which is from a newer pulsewing")]
    Newer(i64),
    /// The file is not a history, or not any more.
    #[error("the history is damaged")]
    Damaged(#[source] Option<Cause>),
    /// It belongs to another person than the data to be written.
    #[error("the history belongs to another person")]
    AnotherPerson,
    /// The data of this day cannot be read.
    #[error("the history's data for {0} cannot be read")]
    UnreadableDay(Date),
    /// The rows of this date were not loaded into the history in memory
    /// ([`MemoryHistory`](crate::MemoryHistory)). Load more dates.
    #[error("the history's rows for {0} were not loaded")]
    NotLoaded(Date),
    /// Another process was writing for too long.
    #[error("another process is using the history")]
    Busy,
    /// The file system or SQLite refused.
    #[error("the history could not be used")]
    Io(#[source] Cause),
}

/// The cause, in words for a person.
#[derive(Debug, thiserror::Error)]
#[error("{words}")]
pub struct Cause {
    words: Cow<'static, str>,
    obstacle: Obstacle,
    /// The database's error.
    said: Option<rusqlite::Error>,
}

/// The obstacle to using the file, as far as a person can do something about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Obstacle {
    /// The disk is full.
    Full,
    /// The place is not writable.
    ReadOnly,
    /// Something else is in the file's place.
    NoFile,
    /// Another obstacle.
    Other,
}

impl HistoryError {
    /// Builds the error for a history that is damaged in this way.
    pub(super) fn damaged(words: impl Into<Cow<'static, str>>) -> Self {
        damage(Cause {
            words: words.into(),
            obstacle: Obstacle::Other,
            said: None,
        })
    }

    /// Adapts the error to a file whose last readings are still in the log beside it.
    pub(super) fn beside_its_log(self) -> Self {
        match self {
            Self::Io(cause) if cause.obstacle != Obstacle::Full => Self::Io(Cause {
                words: "its last readings are in the log beside it, which cannot be read in a read-only directory".into(),
                obstacle: Obstacle::ReadOnly,
                said: cause.said,
            }),
            other => other,
        }
    }

    /// Returns whether the file may still be readable although it cannot be written.
    pub(super) const fn is_about_writing(&self) -> bool {
        matches!(self, Self::Io(cause) if !matches!(cause.obstacle, Obstacle::NoFile))
    }

    /// Returns the database's message, for a person who looks for the reason.
    #[must_use]
    pub fn technical(&self) -> Option<String> {
        match self {
            Self::Damaged(Some(cause)) | Self::Io(cause) => {
                cause.said.as_ref().map(ToString::to_string)
            }
            _ => None,
        }
    }

    /// Returns the error with its cause in one line, for a person.
    #[must_use]
    pub fn in_words(&self) -> String {
        match self.source() {
            Some(cause) => format!("{self}: {cause}"),
            None => self.to_string(),
        }
    }

    /// Returns the suggested next step; `None` if the caller has better advice.
    #[must_use]
    pub fn advice(&self) -> Option<&'static str> {
        Some(match self {
            Self::Newer(_) => "use the newer pulsewing; nothing was changed",
            Self::Damaged(_) => {
                "the next `pulsewing once` or `import` moves it aside and starts a new one with everything that can be read"
            }
            Self::Busy => "try again when the other process has finished",
            Self::AnotherPerson | Self::UnreadableDay(_) | Self::NotLoaded(_) => return None,
            Self::Io(cause) => match cause.obstacle {
                Obstacle::Full => {
                    "free up disk space and try again; the existing history is intact"
                }
                Obstacle::ReadOnly => {
                    "make the state directory writable, or copy it to a writable place and pass that with --state-dir; nothing was changed"
                }
                Obstacle::NoFile => {
                    "move it out of the way; the next `pulsewing once` or `import` starts a history there"
                }
                Obstacle::Other => "check the state directory and the free space on its disk",
            },
        })
    }
}

impl From<io::Error> for HistoryError {
    fn from(error: io::Error) -> Self {
        let obstacle = match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Obstacle::Full,
            io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => {
                Obstacle::ReadOnly
            }
            io::ErrorKind::IsADirectory | io::ErrorKind::InvalidInput => Obstacle::NoFile,
            _ => Obstacle::Other,
        };
        Self::Io(Cause {
            words: error.to_string().into(),
            obstacle,
            said: None,
        })
    }
}

impl From<rusqlite::Error> for HistoryError {
    fn from(error: rusqlite::Error) -> Self {
        use Obstacle::{Full, Other, ReadOnly};
        let (make, words, obstacle): (fn(Cause) -> Self, _, _) = match code(&error) {
            Some((ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked, _)) => return Self::Busy,
            Some((ErrorCode::NotADatabase, _)) => (damage, "its file is not a database", Other),
            Some((ErrorCode::DatabaseCorrupt, _)) => (damage, "part of its file is damaged", Other),
            // The statements are fixed: if one fails as such, the tables are not ours.
            Some((ErrorCode::Unknown | ErrorCode::ConstraintViolation, _)) => {
                (damage, "its tables are not those of a history", Other)
            }
            // A column has a type that we do not use.
            None => (damage, "it contains values that no history has", Other),
            // If there is no space for the memory that processes share, SQLite reports either of
            // these.
            Some((ErrorCode::DiskFull, _) | (_, rusqlite::ffi::SQLITE_IOERR_SHMSIZE)) => {
                (Self::Io, "the disk is full", Full)
            }
            Some((ErrorCode::ReadOnly | ErrorCode::PermissionDenied, _)) => {
                (Self::Io, "its directory is not writable", ReadOnly)
            }
            Some((ErrorCode::CannotOpen, _)) => (Self::Io, "its file cannot be opened", Other),
            Some((ErrorCode::SystemIoFailure, _)) => (Self::Io, "the disk reports an error", Other),
            Some(_) => (Self::Io, "the database reports an error", Other),
        };
        make(Cause {
            words: words.into(),
            obstacle,
            said: Some(error),
        })
    }
}

fn damage(cause: Cause) -> HistoryError {
    HistoryError::Damaged(Some(cause))
}

/// Returns SQLite's code for an error: the primary and the extended one.
fn code(error: &rusqlite::Error) -> Option<(ErrorCode, i32)> {
    let error = match error {
        rusqlite::Error::SqlInputError { error, .. } => error,
        _ => error.sqlite_error()?,
    };
    Some((error.code, error.extended_code))
}
