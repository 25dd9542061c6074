//! Waiting for something to become true, within bounds.

use std::time::{Duration, Instant};

/// How long anything that is expected soon may take, on a busy machine.
pub(crate) const SOON: Duration = Duration::from_secs(60);

/// Looks again and again until there is something.
pub(crate) fn until<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    within(SOON, what, look)
}

/// Looks again and again until there is something, at most this long.
pub(crate) fn within<T>(limit: Duration, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let since = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(since.elapsed() < limit, "waited {limit:?} for {what}");
        std::thread::park_timeout(Duration::from_millis(10));
    }
}
