//! The messages of the last hour: a phone that never stops is switched off.

use std::{collections::VecDeque, time::Duration};

use pulsewing_core::alarm::Level;
use tokio::time::Instant;

/// The most messages of any hour.
pub(crate) const MOST: usize = 20;

/// So many of them only urgent ones may have.
const FOR_URGENT: usize = 5;

const HOUR: Duration = Duration::from_secs(60 * 60);

/// The messages of the last hour of one channel.
#[derive(Debug, Default)]
pub(crate) struct Hour {
    /// When each was sent, oldest first.
    sent: VecDeque<Instant>,
}

impl Hour {
    /// Returns whether a message may be sent now.
    pub(crate) fn has_room(&self, level: Level, now: Instant) -> bool {
        self.room_at(level, now) <= now
    }

    /// Returns when a message may be sent, if no others are until then.
    pub(crate) fn room_at(&self, level: Level, now: Instant) -> Instant {
        let most = match level {
            Level::Urgent => MOST,
            Level::Info | Level::Warning => MOST - FOR_URGENT,
        };
        // The one that must have left the hour.
        let blocking = self.sent.len().checked_sub(most);
        let blocking = blocking.and_then(|place| self.sent.get(place));
        blocking.map_or(now, |at| *at + HOUR)
    }

    /// A message was sent, or may have been.
    pub(crate) fn record(&mut self, now: Instant) {
        while self.sent.len() >= MOST {
            self.sent.pop_front();
        }
        self.sent.push_back(now);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_hour_has_more_than_it_may_and_none_waits_without_need(
            wishes in proptest::collection::vec((0_u64..600, 0..3_usize), 1..300)
        ) {
            let start = Instant::now();
            let mut hour = Hour::default();
            let mut sent: Vec<(Duration, Level)> = Vec::new();
            let mut at = Duration::ZERO;
            for (pause, level) in wishes {
                at += Duration::from_secs(pause);
                let (now, level) = (start + at, Level::ALL[level]);
                let within = sent.iter().filter(|(then, _)| *then + HOUR > at).count();
                let most = if level == Level::Urgent { MOST } else { MOST - FOR_URGENT };
                prop_assert_eq!(hour.has_room(level, now), within < most);
                let room_at = hour.room_at(level, now);
                prop_assert!(hour.has_room(level, room_at.max(now)));
                if hour.has_room(level, now) {
                    hour.record(now);
                    sent.push((at, level));
                }
            }
            for (first, _) in &sent {
                let of_hour = sent.iter().filter(|(at, _)| at >= first && *at < *first + HOUR);
                prop_assert!(of_hour.count() <= MOST);
            }
        }
    }
}
