//! When the alarms are written to the flash, which wears.
//!
//! - *At once* after a signal, a change of an alarm and a press of the button: a restart must not tell
//!   it again.
//! - *Every quarter of an hour*, if nothing more than the newest minute is another one: without it, a
//!   restart takes the data for older than they are. That is as often as the last picture is written.
//! - *Never more* than six writes at once and then one every six minutes, whatever happens: 246 on any day.
//!   With the default interval of polls it is some 100 (96 of them every quarter of an hour), because the core
//!   tells of each kind at most six times and hourly in the end. `docs/flash-format.md` has the wear that
//!   follows. What is not written yet is written as soon as it may be.

use core::time::Duration;

use pulsewing_core::alarm::MAX_RECORD;
use pulsewing_store::StoreError;

use crate::{
    ports::{Board, Clock},
    shared::Shared,
};

/// How often the newest minute is written.
const MINUTES_EVERY: Duration = Duration::from_secs(15 * 60);

/// The writes at once, and the time after which there may be one more.
const AT_ONCE: u32 = 6;
const ONE_MORE_EVERY: Duration = Duration::from_secs(6 * 60);

/// The last bytes of a record, which are a digest of the rest.
type Digest = [u8; 8];

/// The record in the store.
pub(crate) struct Record {
    written: Option<Digest>,
    written_at: Duration,
    allowance: Allowance,
}

impl Record {
    /// Creates the state after a start: what was read from the store need not be written again, what
    /// is new need not be written at once.
    pub(crate) const fn new() -> Self {
        Self {
            written: None,
            written_at: Duration::ZERO,
            allowance: Allowance::new(),
        }
    }

    /// Writes the record if it is time.
    pub(crate) async fn write_if_due<B: Board>(&mut self, shared: &Shared<'_, B>) {
        let watch = &shared.watch;
        let up = shared.clock.up();
        let is_time = up.saturating_sub(self.written_at) >= MINUTES_EVERY;
        if !watch.is_unwritten.get() && !is_time {
            return;
        }
        let result = {
            let mut buffer = [0; MAX_RECORD];
            let record = watch.alarms.borrow().encode(&mut buffer).map(<[u8]>::len);
            let record = record.and_then(|len| buffer.get(..len)).unwrap_or_default();
            let digest = digest(record);
            if digest == self.written {
                watch.is_unwritten.set(false);
                self.written_at = up;
                return;
            }
            if !self.allowance.take(up) {
                return;
            }
            watch.is_unwritten.set(false);
            self.written_at = up;
            let result = shared.store.lock().await.save_alarms(record).await;
            if result.is_ok() {
                self.written = digest;
            }
            result
        };
        // What a newer firmware wrote, it will read again: that is no trouble.
        let cannot_write = !matches!(result, Ok(()) | Err(StoreError::Newer(_)));
        watch.cannot_write.set(cannot_write);
        if cannot_write {
            watch.is_unwritten.set(true);
        }
        if let Err(error) = result {
            let what = format_args!("the alarms could not be stored: {error}");
            shared.went_wrong(what).await;
        }
    }
}

fn digest(record: &[u8]) -> Option<Digest> {
    record.last_chunk().copied()
}

/// How many writes are allowed.
struct Allowance {
    left: u32,
    /// Up to when those that were added are counted.
    counted_to: Duration,
}

impl Allowance {
    const fn new() -> Self {
        Self {
            left: AT_ONCE,
            counted_to: Duration::ZERO,
        }
    }

    /// Takes one, if there is one.
    fn take(&mut self, up: Duration) -> bool {
        while self.counted_to.saturating_add(ONE_MORE_EVERY) <= up {
            self.counted_to = match self.left < AT_ONCE {
                true => self.counted_to.saturating_add(ONE_MORE_EVERY),
                false => up,
            };
            self.left = self.left.saturating_add(1).min(AT_ONCE);
        }
        match self.left.checked_sub(1) {
            Some(left) => {
                self.left = left;
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_day_has_more_writes_than_are_allowed(waits in proptest::collection::vec(0_u64..900, 1..3_000)) {
            let mut allowance = Allowance::new();
            let mut up = 0;
            let mut taken: std::vec::Vec<u64> = std::vec::Vec::new();
            for wait in waits {
                up += wait;
                if allowance.take(Duration::from_secs(up)) {
                    taken.push(up);
                }
            }
            for (place, start) in taken.iter().enumerate() {
                let day = taken[place..].iter().take_while(|at| **at < start + 86_400);
                prop_assert!(day.count() <= 246);
            }
        }
    }

    #[test]
    fn after_six_writes_there_is_one_every_six_minutes() {
        let mut allowance = Allowance::new();
        let minute = |minute: u64| Duration::from_secs(60 * minute);
        assert!((0..6).all(|_| allowance.take(minute(100))));
        assert!(!allowance.take(minute(105)));
        assert!(allowance.take(minute(106)));
        assert!(!allowance.take(minute(111)));
        assert!(allowance.take(minute(112)));
    }

    extern crate std;
}
