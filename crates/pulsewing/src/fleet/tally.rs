//! How many turns were given, by their results, for the metrics.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// The result of a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// There is a new reading.
    Updated,
    /// The cycle yielded none.
    Failed,
    /// It was too early to ask the provider.
    TooEarly,
    /// There was a request to stop.
    Stopped,
    /// Another collector has taken over.
    Lost,
    /// The database did not do its part.
    Database,
}

const ALL: [(Outcome, &str); 6] = [
    (Outcome::Updated, "updated"),
    (Outcome::Failed, "failed"),
    (Outcome::TooEarly, "too-early"),
    (Outcome::Stopped, "stopped"),
    (Outcome::Lost, "lost"),
    (Outcome::Database, "database"),
];

/// The counts since the program's start. Clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally(Arc<[AtomicU64; ALL.len()]>);

impl Tally {
    /// Counts a turn.
    pub(super) fn count(&self, result: Outcome) {
        for ((known, _), count) in ALL.iter().zip(self.0.iter()) {
            if *known == result {
                count.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Returns the counts by the results' names.
    pub(super) fn counts(&self) -> Vec<(&'static str, u64)> {
        let counts = ALL.iter().zip(self.0.iter());
        counts
            .map(|((_, name), count)| (*name, count.load(Ordering::Relaxed)))
            .collect()
    }
}
