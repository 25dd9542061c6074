//! Messages about the history for a person, apart from errors.

use std::{fmt, sync::Arc};

use crate::{HistoryError, Rescued};

/// An event in the history. Its `Display` is a sentence for a person.
#[derive(Debug)]
pub enum Notice {
    /// Another process is writing; this one waits for it.
    Waiting,
    /// The index was damaged, and was rebuilt.
    IndexRebuilt,
    /// The file was damaged, and a new one was begun.
    Rescued(Rescued),
    /// The file was removed while it was open.
    Removed,
    /// Another file was put in its place while it was open.
    Replaced,
    /// A reading was not stored.
    NotKept(HistoryError),
    /// The written data is still in the write-ahead log beside the file. Nothing is lost, but a
    /// copy of the file alone would lack it.
    LogNotWritten(HistoryError),
}

impl Notice {
    /// Returns whether this is only for users who asked for details.
    #[must_use]
    pub const fn is_detail(&self) -> bool {
        matches!(self, Self::LogNotWritten(_))
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Waiting => f.write_str("another process is writing the history; this one waits for its turn, ten minutes at the most"),
            Self::IndexRebuilt => f.write_str("the history's index was damaged; it was built anew, and no day is lost"),
            Self::Rescued(rescued) => rescued.fmt(f),
            Self::Removed => f.write_str("the history was removed while Pulsewing ran; a new one begins"),
            Self::Replaced => f.write_str("the history was replaced while Pulsewing ran; the new one goes on"),
            Self::NotKept(error) => not_kept(error, f),
            Self::LogNotWritten(error) => {
                write!(f, "the history's log could not be written through: {error}")
            }
        }
    }
}

fn not_kept(error: &HistoryError, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "this reading is not in the history: {error}")?;
    if let Some(cause) = std::error::Error::source(error) {
        write!(f, " ({cause})")?;
    }
    let advice = match error {
        HistoryError::AnotherPerson => Some(
            "`pulsewing login --replace` sets that history aside and begins a new one, and --state-dir names another place for this person",
        ),
        HistoryError::Busy => Some("the next update fetches it once more"),
        error => error.advice(),
    };
    match advice {
        Some(advice) => write!(f, "; {advice}"),
        None => Ok(()),
    }
}

/// The receiver of notices. Clones are the same listener.
#[derive(Clone)]
pub struct Listener(Arc<dyn Fn(&Notice) + Send + Sync>);

impl Listener {
    /// Builds a listener that calls a function for every notice.
    #[must_use]
    pub fn new(hear: impl Fn(&Notice) + Send + Sync + 'static) -> Self {
        Self(Arc::new(hear))
    }

    pub(crate) fn hear(&self, notice: &Notice) {
        (self.0)(notice);
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Listener(..)")
    }
}
