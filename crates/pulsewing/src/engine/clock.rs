//! The program's clock: wall time, and time that never jumps.
//!
//! Nothing else reads the machine's clocks, apart from the log, for the time of its lines.

#[cfg(feature = "sandbox")]
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use std::{
    str::FromStr,
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp, fmt::temporal::Pieces, tz::Offset};
use pulsewing_core::cycle::Now;

/// The source of the program's time.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    started: Instant,
    wall: Wall,
}

#[derive(Clone, Debug)]
enum Wall {
    /// The machine's clock.
    System,
    /// A clock that showed this time when the program started, and runs on from there.
    Since(Timestamp),
    /// The clock of the sandbox in this process. If it stands still, only waiting moves it, by this
    /// many milliseconds so far.
    #[cfg(feature = "sandbox")]
    Sandbox {
        clock: pulsewing_sandbox::Clock,
        waited_ms: Arc<AtomicU64>,
    },
}

impl Clock {
    /// Returns the machine's clock, or one that shows `start` now and runs on from there.
    pub(crate) fn new(start: Option<StartTime>) -> Self {
        start.map_or_else(Self::system, |start| Self::starting_at(start.at))
    }

    /// Returns the machine's clock.
    pub(crate) fn system() -> Self {
        Self::of(Wall::System)
    }

    /// Returns a clock that shows `at` now, and runs on from there.
    pub(crate) fn starting_at(at: Timestamp) -> Self {
        Self::of(Wall::Since(at))
    }

    /// Returns the clock of a sandbox. Its clones and ours are one clock. If it stands still,
    /// waiting moves it at once: so a month can pass in seconds, as long as only one task waits.
    #[cfg(feature = "sandbox")]
    pub(crate) fn from_sandbox(clock: pulsewing_sandbox::Clock) -> Self {
        Self::of(Wall::Sandbox {
            clock,
            waited_ms: Arc::default(),
        })
    }

    fn of(wall: Wall) -> Self {
        Self {
            started: Instant::now(),
            wall,
        }
    }

    /// Returns the time.
    pub(crate) fn now(&self) -> Now {
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

    /// Returns the clock's speed, as a multiple of real time.
    fn speed(&self) -> u32 {
        match &self.wall {
            Wall::System | Wall::Since(_) => 1,
            #[cfg(feature = "sandbox")]
            Wall::Sandbox { clock, .. } => clock.speed(),
        }
    }

    /// Waits until the monotonic clock shows `until`.
    pub(crate) async fn sleep_until(&self, until: Duration) {
        let wait = until.saturating_sub(self.now().up);
        #[cfg(feature = "sandbox")]
        if let Wall::Sandbox { clock, waited_ms } = &self.wall
            && self.speed() == 0
        {
            // Round up to a full millisecond, so that the clock has reached the time after the
            // wait.
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

/// A start time for the program's clock, with the UTC offset that it was written with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StartTime {
    /// The instant.
    pub at: Timestamp,
    /// Its offset from UTC.
    pub offset: Offset,
}

impl FromStr for StartTime {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refuse =
            || format!("\"{text}\" is not a time; write it like 2026-11-22T14:07:00+01:00");
        let at = text.parse().map_err(|_| refuse())?;
        let offset = Pieces::parse(text)
            .ok()
            .and_then(|pieces| pieces.to_numeric_offset())
            .unwrap_or(Offset::UTC);
        Ok(Self { at, offset })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_time_keeps_its_offset() {
        let start: StartTime = "2026-11-22T14:07:00+01:00".parse().unwrap();
        assert_eq!(start.at, "2026-11-22T13:07:00Z".parse().unwrap());
        assert_eq!(start.offset, Offset::constant(1));
        assert!("2026-11-22T14:07:00".parse::<StartTime>().is_err());
    }
}
