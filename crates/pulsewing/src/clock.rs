//! The program's clock: wall time, and time that never jumps.
//!
//! This is the only place that reads the machine's clocks.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use pulsewing_core::cycle::Now;

/// Where the program's time comes from.
#[derive(Clone, Debug)]
pub struct Clock {
    started: Instant,
    wall: Wall,
    speed: u32,
}

#[derive(Clone, Debug)]
enum Wall {
    /// The machine's clock.
    System,
    /// A clock that began at this time with the program, and runs on from there.
    Since(Timestamp),
}

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub fn system() -> Self {
        Self {
            started: Instant::now(),
            wall: Wall::System,
            speed: 1,
        }
    }

    /// A clock that shows `at` now, and runs `speed` times as fast as time does.
    #[must_use]
    pub fn starting_at(at: Timestamp, speed: u32) -> Self {
        Self {
            started: Instant::now(),
            wall: Wall::Since(at),
            speed: speed.max(1),
        }
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Now {
        let up = self.started.elapsed().saturating_mul(self.speed);
        let utc = match self.wall {
            Wall::System => Timestamp::now(),
            Wall::Since(at) => SignedDuration::try_from(up)
                .ok()
                .and_then(|up| at.checked_add(up).ok())
                .unwrap_or(Timestamp::MAX),
        };
        Now { utc, up }
    }

    /// How long to wait, in real time, until the clock that never jumps shows `until`.
    #[must_use]
    pub fn until(&self, until: Duration) -> Duration {
        until.saturating_sub(self.now().up) / self.speed
    }
}
