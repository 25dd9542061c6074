//! What became of the notices of one channel, counted.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use crate::{
    letter::{Form, Letter},
    verdict::Failure,
};

/// What became of the notices of one channel since the start. Each is counted once, when it is decided.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Went out in a message of their own.
    pub sent: u64,
    /// Could not be sent.
    pub failed: u64,
    /// Were left out: the queue was full, or the heart rate was too old when its turn came.
    pub dropped: u64,
    /// Went out together with others, because the hour had its messages.
    pub summed: u64,
}

impl Counts {
    /// Returns each count with the name of its result, for a metric's label: `sent`, `failed`, `dropped`,
    /// `summed`.
    #[must_use]
    pub const fn by_result(self) -> [(&'static str, u64); 4] {
        [
            ("sent", self.sent),
            ("failed", self.failed),
            ("dropped", self.dropped),
            ("summed", self.summed),
        ]
    }
}

/// The counters of one channel, and its last error.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    sent: AtomicU64,
    failed: AtomicU64,
    dropped: AtomicU64,
    summed: AtomicU64,
    last_error: Mutex<Option<Failure>>,
}

impl Tally {
    /// A letter was taken.
    pub(crate) fn took(&self, letter: &Letter) {
        let (all, messages) = (letter.count(), letter.entries.len() as u64);
        let sent = match letter.form {
            Form::Sum => 0,
            Form::News | Form::Test => messages,
        };
        self.sent.fetch_add(sent, Ordering::Relaxed);
        let summed = all.saturating_sub(sent);
        self.summed.fetch_add(summed, Ordering::Relaxed);
        self.set_error(None);
    }

    /// So many notices could not be sent.
    pub(crate) fn failed(&self, notices: u64, failure: Failure) {
        self.failed.fetch_add(notices, Ordering::Relaxed);
        self.set_error(Some(failure));
    }

    /// So many notices were left out.
    pub(crate) fn dropped(&self, notices: u64) {
        self.dropped.fetch_add(notices, Ordering::Relaxed);
    }

    pub(crate) fn counts(&self) -> Counts {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counts {
            sent: of(&self.sent),
            failed: of(&self.failed),
            dropped: of(&self.dropped),
            summed: of(&self.summed),
        }
    }

    pub(crate) fn last_error(&self) -> Option<Failure> {
        let error = self
            .last_error
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        error.clone()
    }

    fn set_error(&self, error: Option<Failure>) {
        *self
            .last_error
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = error;
    }
}
