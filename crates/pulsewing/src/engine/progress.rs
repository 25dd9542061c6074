//! Whether the loop of cycles goes on, for whoever watches it.
//!
//! Before the loop waits for something it says until when that takes at the longest. A loop that is
//! stuck does not come back by then; one that waits a quarter of an hour for its next cycle is well.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// How much later than promised is still on time: the machine may be busy, or slow to write.
const GRACE: Duration = Duration::from_secs(60);

/// When the loop has to be back. Clones are the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Progress {
    /// In milliseconds on the clock that never jumps.
    back_at: Arc<AtomicU64>,
}

impl Progress {
    /// The loop is at work, and will be back by then, on the clock that never jumps.
    pub(crate) fn back_by(&self, up: Duration) {
        let ms = u64::try_from(up.as_millis()).unwrap_or(u64::MAX);
        self.back_at.store(ms, Ordering::Relaxed);
    }

    /// Whether the loop is on time, at this time on the clock that never jumps.
    #[must_use]
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
