//! Why the history cannot be used.

use jiff::civil::Date;
use rusqlite::ErrorCode;

/// Why the history cannot be used.
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

/// What the database or the file system said.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Cause(Box<dyn std::error::Error + Send + Sync>);

impl HistoryError {
    /// Whether the file system lets nobody write here.
    pub(super) fn is_about_writing(&self) -> bool {
        let Self::Io(Cause(cause)) = self else {
            return false;
        };
        let error: Option<&rusqlite::Error> = cause.downcast_ref();
        matches!(
            error.and_then(rusqlite::Error::sqlite_error_code),
            Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied)
        )
    }
}

impl From<std::io::Error> for HistoryError {
    fn from(error: std::io::Error) -> Self {
        Self::Io(Cause(error.into()))
    }
}

impl From<rusqlite::Error> for HistoryError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy,
            // The statements are fixed: one that fails as such met another schema than ours.
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::Unknown) => {
                Self::Damaged(Some(Cause(error.into())))
            }
            Some(_) => Self::Io(Cause(error.into())),
            // A column of another type than ours.
            None => Self::Damaged(Some(Cause(error.into()))),
        }
    }
}
