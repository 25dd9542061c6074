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
            Self::Waiting => f.write_str("another process is writing the history; waiting up to ten minutes for it to finish"),
            Self::IndexRebuilt => f.write_str("the history's index was damaged and has been rebuilt; no day is lost"),
            Self::Rescued(rescued) => rescued.fmt(f),
            Self::Removed => f.write_str("the history was removed while Pulsewing was running; starting a new one"),
            Self::Replaced => f.write_str("the history was replaced while Pulsewing was running; continuing with the new one"),
            Self::NotKept(error) => not_kept(error, f),
            Self::LogNotWritten(error) => {
                write!(f, "the history's log could not be merged into its file: {error}")
            }
        }
    }
}

fn not_kept(error: &HistoryError, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "this reading was not added to the history: {error}")?;
    if let Some(cause) = std::error::Error::source(error) {
        write!(f, " ({cause})")?;
    }
    let advice = match error {
        HistoryError::AnotherPerson => Some(
            "to set that history aside and start a new one, use `pulsewing login --replace`; to keep both, choose another directory for this person with --state-dir",
        ),
        HistoryError::Busy => Some("the next update fetches it again"),
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
