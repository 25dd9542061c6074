//! A signal in words.

use jiff::Timestamp;
use pulsewing_core::{alarm::Signal, civil::Offsets};

/// What people are told: a signal, with the words that are the same on every face.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    /// The signal.
    pub signal: Signal,
    /// What happened, in one sentence without an age.
    pub sentence: String,
}

impl Told {
    /// Puts a signal in words, with times on a wearer's clock.
    pub(crate) fn new(signal: Signal, offsets: &Offsets, now: Timestamp) -> Self {
        Self {
            sentence: signal.sentence(offsets, now).to_string(),
            signal,
        }
    }

    /// Returns heading and sentence in one line.
    pub(crate) fn line(&self) -> String {
        format!("{}. {}", self.signal.heading(), self.sentence)
    }
}
