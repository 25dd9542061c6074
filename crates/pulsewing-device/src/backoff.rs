//! Waits between tries: each about twice as long as the previous one, never in step with other
//! boards.

use core::time::Duration;

/// The first wait, before it is randomised.
const FIRST: Duration = Duration::from_secs(1);

/// The longest wait.
const LONGEST: Duration = Duration::from_secs(60);

/// Waits from one second to a minute, randomised by up to a fifth.
#[derive(Clone, Debug)]
pub(crate) struct Backoff {
    next: Duration,
    random: u32,
}

impl Backoff {
    /// `seed` is any number; it makes this board's waits differ from another's.
    pub(crate) const fn new(seed: u32) -> Self {
        Self {
            next: FIRST,
            random: if seed == 0 { 0x9e37_79b9 } else { seed },
        }
    }

    /// Notes a success: the next wait is a short one.
    pub(crate) const fn reset(&mut self) {
        self.next = FIRST;
    }

    /// Returns how long to wait before the next try.
    pub(crate) fn wait(&mut self) -> Duration {
        let base = self.next;
        self.next = base.saturating_mul(2).min(LONGEST);
        // Marsaglia's xorshift: good enough to randomise waits.
        self.random ^= self.random << 13;
        self.random ^= self.random >> 17;
        self.random ^= self.random << 5;
        let fifth = base / 5;
        let spread = fifth.saturating_mul(2).saturating_mul(self.random % 1_024) / 1_024;
        (base - fifth + spread).clamp(FIRST, LONGEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_from_a_second_to_a_minute_and_are_spread() {
        let mut backoff = Backoff::new(7);
        assert!(backoff.wait() <= Duration::from_millis(1_200));
        for _ in 0..20 {
            let wait = backoff.wait();
            assert!((FIRST..=LONGEST).contains(&wait), "{wait:?}");
        }
        let long = [backoff.wait(), backoff.wait(), backoff.wait()];
        assert!(long.iter().all(|wait| *wait >= Duration::from_secs(48)));
        assert!(long[0] != long[1] || long[1] != long[2]);
        backoff.reset();
        assert!(backoff.wait() <= Duration::from_millis(1_200));
    }

    #[test]
    fn no_seed_makes_every_wait_the_same() {
        let mut backoff = Backoff::new(0);
        for _ in 0..7 {
            backoff.wait();
        }
        assert_ne!(backoff.wait(), backoff.wait());
    }
}
