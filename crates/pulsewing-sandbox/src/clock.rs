//! The sandbox's clock: it starts at any instant, runs at a chosen speed, and can be moved.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

/// A clock that continues from a given instant, in real time or faster.
///
/// Clones share one time: moving one moves all. A program that runs next to the sandbox (the demo)
/// uses a clone as its own clock, so that both agree on every expiry.
#[derive(Clone, Debug)]
pub struct Clock {
    anchor: Arc<Mutex<Anchor>>,
    /// Tells those who wait for an instant that it was moved.
    moved: watch::Sender<()>,
}

impl Clock {
    /// Starts a clock at `at` that runs `speed` times as fast as real time (0 stands still).
    pub fn starting_at(at: Timestamp, speed: u32) -> Self {
        Self {
            anchor: Arc::new(Mutex::new(Anchor::new(at, speed))),
            moved: watch::Sender::new(()),
        }
    }

    /// Returns the current instant.
    pub fn now(&self) -> Timestamp {
        self.lock().read()
    }

    /// Returns how many times faster than real time the clock runs.
    pub fn speed(&self) -> u32 {
        self.lock().speed
    }

    /// Changes the speed of the clock from now on.
    pub fn set_speed(&self, speed: u32) {
        self.change(|anchor| Anchor::new(anchor.read(), speed));
    }

    /// Moves the clock to `now`; it continues from there.
    ///
    /// Instants outside the years 1971 to 9000 are moved to the nearer bound: a day around them
    /// could not be represented.
    pub fn set(&self, now: Timestamp) {
        self.change(|anchor| Anchor::new(now, anchor.speed));
    }

    /// Moves the clock forward by `by`, or back when it is negative.
    pub fn advance(&self, by: SignedDuration) {
        self.change(|anchor| {
            let bound = if by.is_negative() { EARLIEST } else { LATEST };
            let moved = anchor.read().checked_add(by).unwrap_or(bound);
            Anchor::new(moved, anchor.speed)
        });
    }

    /// Returns a receiver that changes whenever the clock is moved or its speed is.
    pub(crate) fn subscribe(&self) -> watch::Receiver<()> {
        self.moved.subscribe()
    }

    /// Returns how long it takes in real time until the clock reads `at`; `None` if it stands still
    /// before that.
    pub(crate) fn real_time_until(&self, at: Timestamp) -> Option<Duration> {
        let (now, speed) = {
            let anchor = self.lock();
            (anchor.read(), anchor.speed)
        };
        let left = Duration::try_from(at.duration_since(now)).unwrap_or(Duration::ZERO);
        if left.is_zero() {
            return Some(left);
        }
        left.checked_div(speed)
    }

    fn change(&self, change: impl FnOnce(&Anchor) -> Anchor) {
        {
            let mut anchor = self.lock();
            *anchor = change(&anchor);
        }
        self.moved.send_replace(());
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Anchor> {
        self.anchor.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The clock's reading at a known moment of the monotonic clock.
#[derive(Debug)]
struct Anchor {
    at: Timestamp,
    since: Instant,
    speed: u32,
}

impl Anchor {
    fn new(at: Timestamp, speed: u32) -> Self {
        Self {
            at: bounded(at),
            since: Instant::now(),
            speed,
        }
    }

    fn read(&self) -> Timestamp {
        let elapsed = self.since.elapsed().saturating_mul(self.speed);
        self.at.checked_add(elapsed).map_or(LATEST, bounded)
    }
}

/// Returns the latest 15-minute step at or before `now`: when the tracker last synced.
pub(crate) fn last_sync(now: Timestamp) -> Timestamp {
    let second = now.as_second();
    Timestamp::from_second(second - second.rem_euclid(SYNC_STEP_S)).unwrap_or(EARLIEST)
}

/// Returns where a clock for a recording starts: 7 minutes after the sync that includes
/// `last_sample`.
pub(crate) fn start_after(last_sample: Timestamp) -> Timestamp {
    let step = last_sync(last_sample);
    step.checked_add(SignedDuration::from_secs(SYNC_STEP_S + 7 * 60))
        .map_or(LATEST, bounded)
}

fn bounded(at: Timestamp) -> Timestamp {
    at.clamp(EARLIEST, LATEST)
}

/// The time between two syncs of the tracker.
pub(crate) const SYNC_STEP: SignedDuration = SignedDuration::from_mins(15);
const SYNC_STEP_S: i64 = SYNC_STEP.as_secs();

/// 1971-01-01T00:00:00Z.
const EARLIEST: Timestamp = Timestamp::constant(31_536_000, 0);

/// 9000-01-01T00:00:00Z.
const LATEST: Timestamp = Timestamp::constant(221_845_392_000, 0);

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_bounds_are_the_years_they_claim_to_be() {
        assert_eq!(EARLIEST, at("1971-01-01T00:00:00Z"));
        assert_eq!(LATEST, at("9000-01-01T00:00:00Z"));
    }

    #[test]
    fn clones_share_one_time() {
        let clock = Clock::starting_at(at("2026-11-22T10:00:00Z"), 0);
        let other = clock.clone();
        clock.advance(SignedDuration::from_secs(90));
        assert_eq!(other.now(), at("2026-11-22T10:01:30Z"));
        other.set(at("2020-01-01T00:00:00Z"));
        assert_eq!(clock.now(), at("2020-01-01T00:00:00Z"));
        clock.advance(SignedDuration::MIN);
        assert_eq!(clock.now(), EARLIEST);
    }

    #[test]
    fn a_clock_that_changes_its_speed_does_not_jump() {
        let clock = Clock::starting_at(at("2026-11-22T10:00:00Z"), 0);
        let other = clock.clone();
        clock.set_speed(3_600);
        assert_eq!(other.speed(), 3_600);
        std::thread::yield_now();
        let then = other.now();
        other.set_speed(0);
        let stopped = clock.now();
        assert!(stopped >= then && clock.now() == stopped);
        clock.advance(SignedDuration::from_secs(1));
        assert_eq!(
            other.now().duration_since(stopped),
            SignedDuration::from_secs(1)
        );
    }

    #[test]
    fn the_way_to_an_instant_is_as_long_as_the_clock_is_slow() {
        let clock = Clock::starting_at(at("2026-11-22T10:00:00Z"), 0);
        let until = |text: &str| clock.real_time_until(at(text));
        assert_eq!(until("2026-11-22T10:00:01Z"), None);
        assert_eq!(until("2026-11-22T10:00:00Z"), Some(Duration::ZERO));
        assert_eq!(until("2026-11-22T09:00:00Z"), Some(Duration::ZERO));
        clock.set_speed(3_600);
        let hour = until("2026-11-22T11:00:00Z").unwrap();
        assert!(hour <= Duration::from_secs(1), "{hour:?}");
    }

    #[test]
    fn who_waits_for_an_instant_hears_of_every_move() {
        let clock = Clock::starting_at(at("2026-11-22T10:00:00Z"), 0);
        let mut moved = clock.clone().subscribe();
        for change in [
            |clock: &Clock| clock.advance(SignedDuration::from_secs(1)),
            |clock: &Clock| clock.set(EARLIEST),
            |clock: &Clock| clock.set_speed(2),
        ] {
            assert!(!moved.has_changed().unwrap());
            change(&clock);
            assert!(moved.has_changed().unwrap());
            moved.borrow_and_update();
        }
    }

    #[test]
    fn a_sync_comes_every_quarter_of_an_hour() {
        assert_eq!(
            last_sync(at("2026-11-22T10:14:59.9Z")),
            at("2026-11-22T10:00:00Z")
        );
        assert_eq!(
            last_sync(at("2026-11-22T10:15:00Z")),
            at("2026-11-22T10:15:00Z")
        );
    }

    #[test]
    fn a_recordings_clock_starts_when_its_last_sample_has_been_synced() {
        assert_eq!(
            start_after(at("2016-04-02T20:25:50Z")),
            at("2016-04-02T20:37:00Z")
        );
        // A sample on the step itself is not strictly before it, so it waits for the next one.
        assert_eq!(
            start_after(at("2016-04-02T20:30:00Z")),
            at("2016-04-02T20:52:00Z")
        );
    }
}
