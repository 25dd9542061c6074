//! The progress of the update loop, for a watchdog.
//!
//! Before the loop waits for something, it promises a time by which it will be back. A stuck loop
//! misses that time; a loop that waits a quarter of an hour for its next cycle is healthy.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// The tolerance for a promise: the machine may be busy, or slow to write.
const GRACE: Duration = Duration::from_secs(60);

/// The time by which the loop has to be back. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Progress {
    /// In milliseconds on the monotonic clock.
    back_at: Arc<AtomicU64>,
}

impl Progress {
    /// Promises that the loop will be back by this time on the monotonic clock.
    pub(crate) fn back_by(&self, up: Duration) {
        let ms = u64::try_from(up.as_millis()).unwrap_or(u64::MAX);
        self.back_at.store(ms, Ordering::Relaxed);
    }

    /// Returns whether the loop is on time, at this time on the monotonic clock.
    pub(crate) fn is_on_time(&self, up: Duration) -> bool {
        let back_at = Duration::from_millis(self.back_at.load(Ordering::Relaxed));
        up <= back_at.saturating_add(GRACE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loop_that_does_not_come_back_is_late_and_one_that_does_is_not() {
        let seconds = Duration::from_secs;
        let progress = Progress::default();
        let watched = progress.clone();
        assert!(watched.is_on_time(seconds(60)) && !watched.is_on_time(seconds(61)));
        progress.back_by(seconds(900));
        assert!(watched.is_on_time(seconds(960)));
        assert!(!watched.is_on_time(seconds(961)));
        progress.back_by(seconds(961));
        assert!(watched.is_on_time(seconds(961)));
        progress.back_by(Duration::MAX);
        assert!(watched.is_on_time(seconds(1 << 40)));
    }
}
