//! Waits for a condition, within bounds.

use std::time::{Duration, Instant};

/// Maximum time for anything that is expected soon, on a busy machine.
pub(crate) const SOON: Duration = Duration::from_secs(60);

/// Calls `look` repeatedly until it returns something.
pub(crate) fn until<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    within(SOON, what, look)
}

/// Calls `look` repeatedly until it returns something, up to a limit.
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
