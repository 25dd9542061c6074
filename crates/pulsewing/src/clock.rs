//! The program's clock: wall time, and time that never jumps.
//!
//! This is the only place that reads the machine's clocks.

#[cfg(feature = "sandbox")]
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use pulsewing_core::cycle::Now;

/// Where the program's time comes from.
#[derive(Clone, Debug)]
pub struct Clock {
    started: Instant,
    wall: Wall,
}

#[derive(Clone, Debug)]
enum Wall {
    /// The machine's clock.
    System,
    /// A clock that began at this time with the program, and runs on from there.
    Since(Timestamp),
    /// The clock of the sandbox that this program lives with. Where that one stands still, only
    /// waiting moves it: by as many milliseconds so far.
    #[cfg(feature = "sandbox")]
    Sandbox {
        clock: pulsewing_sandbox::Clock,
        waited_ms: Arc<AtomicU64>,
    },
}

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub fn system() -> Self {
        Self {
            started: Instant::now(),
            wall: Wall::System,
        }
    }

    /// A clock that shows `at` now, and runs on from there.
    #[must_use]
    pub fn starting_at(at: Timestamp) -> Self {
        Self {
            started: Instant::now(),
            wall: Wall::Since(at),
        }
    }

    /// The clock of a sandbox. Clones of it, and of this, are one clock. If it stands still, waiting
    /// is what moves it, at once: so a month can pass in seconds, while one alone waits.
    #[cfg(feature = "sandbox")]
    #[must_use]
    pub fn of_sandbox(clock: pulsewing_sandbox::Clock) -> Self {
        Self {
            started: Instant::now(),
            wall: Wall::Sandbox {
                clock,
                waited_ms: Arc::default(),
            },
        }
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Now {
        let up = self.started.elapsed().saturating_mul(self.speed());
        match &self.wall {
            Wall::System => Now {
                utc: Timestamp::now(),
                up,
            },
            Wall::Since(at) => Now {
                utc: SignedDuration::try_from(up)
                    .ok()
                    .and_then(|up| at.checked_add(up).ok())
                    .unwrap_or(Timestamp::MAX),
                up,
            },
            #[cfg(feature = "sandbox")]
            Wall::Sandbox { clock, waited_ms } => Now {
                utc: clock.now(),
                up: up + Duration::from_millis(waited_ms.load(Ordering::Relaxed)),
            },
        }
    }

    /// How many times as fast as time it runs.
    fn speed(&self) -> u32 {
        match &self.wall {
            Wall::System | Wall::Since(_) => 1,
            #[cfg(feature = "sandbox")]
            Wall::Sandbox { clock, .. } => clock.speed(),
        }
    }

    /// Waits until the clock that never jumps shows `until`.
    pub async fn sleep_until(&self, until: Duration) {
        let wait = until.saturating_sub(self.now().up);
        #[cfg(feature = "sandbox")]
        if let Wall::Sandbox { clock, waited_ms } = &self.wall
            && self.speed() == 0
        {
            // To the full millisecond above, so that the time that was waited for has come.
            let ms = u64::try_from(wait.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX);
            waited_ms.fetch_add(ms, Ordering::Relaxed);
            clock.advance(SignedDuration::from_millis(
                i64::try_from(ms).unwrap_or(i64::MAX),
            ));
            return tokio::task::yield_now().await;
        }
        tokio::time::sleep(wait / self.speed().max(1)).await;
    }
}
