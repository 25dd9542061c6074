//! The error log: each error is listed once, not once per occurrence.
//!
//! The flash keeps the last ten; the number of times that each occurred since the start is kept in
//! memory. An error that is already in the log is counted, and written again only after a day: a
//! cloud that is down for a month costs thirty lines, not three thousand.

use core::time::Duration;

use pulsewing_store::{ErrorEntry, MAX_ERROR_TEXT, MAX_ERRORS};

use crate::serial_queue::text;

/// How long a logged error is only counted.
const COUNTED_FOR: Duration = Duration::from_secs(24 * 3_600);

/// The log's entries, as far as they are in memory, oldest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Journal {
    entries: heapless::Deque<Counted, MAX_ERRORS>,
}

#[derive(Clone, Debug)]
struct Counted {
    what: heapless::String<MAX_ERROR_TEXT>,
    /// How often it occurred since the start.
    times: u32,
    /// When it was last written, on the clock that never jumps.
    written_at: Duration,
}

impl Journal {
    /// Continues the log of an earlier run; its entries come newest first.
    pub(crate) fn resume(log: &[ErrorEntry]) -> Self {
        let mut journal = Self::default();
        for entry in log.iter().rev() {
            journal.append(&entry.text, 0, Duration::ZERO);
        }
        journal
    }

    /// Counts an error. Returns whether it must be written: it is not in the log, or was last
    /// written long ago.
    pub(crate) fn is_to_be_written(&mut self, what: &str, up: Duration) -> bool {
        let known = self.entries.iter_mut().find(|known| known.what == what);
        let times = match known {
            Some(known) => {
                known.times = known.times.saturating_add(1);
                if up.saturating_sub(known.written_at) < COUNTED_FOR {
                    return false;
                }
                known.times
            }
            None => 1,
        };
        self.append(what, times, up);
        true
    }

    fn append(&mut self, what: &str, times: u32, written_at: Duration) {
        self.entries.retain(|known| known.what != what);
        if self.entries.is_full() {
            self.entries.pop_front();
        }
        // There is room.
        let _ = self.entries.push_back(Counted {
            what: text(format_args!("{what}")),
            times,
            written_at,
        });
    }

    /// Returns how often it has occurred since the start.
    pub(crate) fn times(&self, what: &str) -> u32 {
        let known = self.entries.iter().find(|known| known.what == what);
        known.map_or(0, |known| known.times)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::format;

    use pulsewing_store::When;

    use super::*;

    const HOUR: Duration = Duration::from_secs(3_600);

    #[test]
    fn what_alternates_is_written_once_each_and_counted() {
        let mut journal = Journal::default();
        let mut written = 0;
        for n in 0..20 {
            let what = ["offline", "refused"][n % 2];
            written += u32::from(journal.is_to_be_written(what, HOUR));
        }
        assert_eq!((written, journal.times("offline")), (2, 10));
    }

    #[test]
    fn after_a_day_it_is_written_again() {
        let mut journal = Journal::default();
        assert!(journal.is_to_be_written("offline", HOUR));
        assert!(!journal.is_to_be_written("offline", 24 * HOUR));
        assert!(journal.is_to_be_written("offline", 25 * HOUR));
        assert!(!journal.is_to_be_written("offline", 48 * HOUR));
        assert_eq!(journal.times("offline"), 4);
    }

    #[test]
    fn the_eleventh_pushes_the_oldest_out() {
        let mut journal = Journal::default();
        for n in 0..11 {
            assert!(journal.is_to_be_written(&format!("{n}"), HOUR));
        }
        assert!(!journal.is_to_be_written("1", HOUR));
        assert!(journal.is_to_be_written("0", HOUR));
    }

    #[test]
    fn a_log_from_before_the_restart_counts() {
        let entry = ErrorEntry {
            when: When::Uptime(7),
            text: "offline".try_into().unwrap(),
        };
        let mut journal = Journal::resume(&[entry]);
        assert!(!journal.is_to_be_written("offline", HOUR));
        assert_eq!(journal.times("offline"), 1);
    }
}
