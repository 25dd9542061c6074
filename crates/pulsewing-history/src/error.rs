//! Why the history cannot be used.

use std::{borrow::Cow, error::Error, io};

use jiff::civil::Date;
use rusqlite::ErrorCode;

/// Why the history cannot be used. What it prints, and what its source prints, is for a person; the
/// database's own words are [`technical`](Self::technical).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HistoryError {
    /// A newer Pulsewing wrote it; it was left as it is.
    #[error("the history has format {0}, which a newer pulsewing wrote")]
    Newer(i64),
    /// What the file holds is no history, or no longer one.
    #[error("the history is damaged")]
    Damaged(#[source] Option<Cause>),
    /// It is somebody else's than what was to be written.
    #[error("the history is another person's")]
    AnotherPerson,
    /// What it holds of this day cannot be read.
    #[error("what the history holds of {0} cannot be read")]
    UnreadableDay(Date),
    /// Another process was writing for too long.
    #[error("another process keeps the history busy")]
    Busy,
    /// The file system or SQLite refused.
    #[error("the history could not be used")]
    Io(#[source] Cause),
}

/// What is behind it, in words for a person.
#[derive(Debug, thiserror::Error)]
#[error("{words}")]
pub struct Cause {
    words: Cow<'static, str>,
    obstacle: Obstacle,
    /// What the database said.
    said: Option<rusqlite::Error>,
}

/// What stands in the way of the file's use, as far as a person can do something about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Obstacle {
    /// The disk is full.
    Full,
    /// Nobody may write there.
    ReadOnly,
    /// Something else is in the file's place.
    NoFile,
    /// Another one.
    Other,
}

const FULL: &str = "the disk is full";
const READ_ONLY: &str = "nothing can be written there";

impl HistoryError {
    /// A history that is damaged in this way.
    pub(super) fn damaged(words: impl Into<Cow<'static, str>>) -> Self {
        Self::Damaged(Some(Cause {
            words: words.into(),
            obstacle: Obstacle::Other,
            said: None,
        }))
    }

    /// The same of a file whose last readings are still in the log beside it.
    pub(super) fn beside_its_log(self) -> Self {
        match self {
            Self::Io(cause) if cause.obstacle != Obstacle::Full => Self::Io(Cause {
                words: "its last readings are in the log beside it, which can be read only where something can be written".into(),
                obstacle: Obstacle::ReadOnly,
                said: cause.said,
            }),
            other => other,
        }
    }

    /// Whether a file that cannot be written may be read all the same.
    pub(super) const fn is_about_writing(&self) -> bool {
        match self {
            Self::Io(cause) => !matches!(cause.obstacle, Obstacle::NoFile),
            _ => false,
        }
    }

    /// What the database said, for whoever looks for the reason.
    #[must_use]
    pub fn technical(&self) -> Option<String> {
        match self {
            Self::Damaged(Some(cause)) | Self::Io(cause) => {
                cause.said.as_ref().map(ToString::to_string)
            }
            _ => None,
        }
    }

    /// The whole of it in one line, for a person.
    #[must_use]
    pub fn in_words(&self) -> String {
        match self.source() {
            Some(cause) => format!("{self}: {cause}"),
            None => self.to_string(),
        }
    }

    /// What a person can do about it; `None` where whoever met it knows better.
    #[must_use]
    pub fn advice(&self) -> Option<&'static str> {
        Some(match self {
            Self::Newer(_) => "use the newer pulsewing; nothing was changed",
            Self::Damaged(_) => {
                "the next `pulsewing once` or `import` moves it aside and begins a new one with what can be read"
            }
            Self::Busy => "try again when the other process has finished",
            Self::AnotherPerson | Self::UnreadableDay(_) => return None,
            Self::Io(cause) => match cause.obstacle {
                Obstacle::Full => {
                    "make room on the disk and try again; what was kept before is still there"
                }
                Obstacle::ReadOnly => {
                    "make the state directory writable, or copy it to a place that is and name that with --state-dir; nothing was changed"
                }
                Obstacle::NoFile => {
                    "move that out of the way; the next `pulsewing once` or `import` begins a history there"
                }
                Obstacle::Other => "check the state directory, and the room on its disk",
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
        let (is_damage, words, obstacle): (_, Cow<'static, str>, _) = match code(&error) {
            Some((ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked, _)) => return Self::Busy,
            Some((ErrorCode::NotADatabase, _)) => {
                (true, "its file is no database".into(), Obstacle::Other)
            }
            Some((ErrorCode::DatabaseCorrupt, _)) => {
                (true, "a part of its file is broken".into(), Obstacle::Other)
            }
            // The statements are fixed: one that fails as such met other tables than ours.
            Some((ErrorCode::Unknown | ErrorCode::ConstraintViolation, _)) => (
                true,
                "its tables are not a history's".into(),
                Obstacle::Other,
            ),
            // A column of another type than ours.
            None => (
                true,
                "it holds what no history does".into(),
                Obstacle::Other,
            ),
            // Where there is no room for what is shared between processes, either is said.
            Some((ErrorCode::DiskFull, _) | (_, rusqlite::ffi::SQLITE_IOERR_SHMSIZE)) => {
                (false, FULL.into(), Obstacle::Full)
            }
            Some((ErrorCode::ReadOnly | ErrorCode::PermissionDenied, _)) => {
                (false, READ_ONLY.into(), Obstacle::ReadOnly)
            }
            Some((ErrorCode::CannotOpen, _)) => {
                (false, "its file cannot be opened".into(), Obstacle::Other)
            }
            Some((ErrorCode::SystemIoFailure, _)) => {
                (false, "the disk reports an error".into(), Obstacle::Other)
            }
            Some(_) => (false, "the database refuses".into(), Obstacle::Other),
        };
        let cause = Cause {
            words,
            obstacle,
            said: Some(error),
        };
        match is_damage {
            true => Self::Damaged(Some(cause)),
            false => Self::Io(cause),
        }
    }
}

/// SQLite's code of an error, as a kind and in full.
fn code(error: &rusqlite::Error) -> Option<(ErrorCode, i32)> {
    let error = match error {
        rusqlite::Error::SqlInputError { error, .. } => error,
        _ => error.sqlite_error()?,
    };
    Some((error.code, error.extended_code))
}
