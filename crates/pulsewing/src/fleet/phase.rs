//! When a wearer is due again: spread over the poll interval by their id, so that a fleet whose
//! trackers sync at the same minutes, or that was started at once, does not ask all at once.

use std::time::Duration;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

/// Returns the time until a wearer's next turn: at their own point of the interval, which is between a
/// half and one and a half intervals away.
pub(super) fn until_next(id: &str, now: Timestamp, every: Duration) -> Duration {
    let every = every.max(Duration::from_secs(1));
    let interval = every.as_millis();
    let point = (u128::from(hash(id)) * interval) >> 64;
    let now = u128::try_from(now.as_millisecond()).unwrap_or(0);
    // The first of the wearer's points after half an interval from now.
    let earliest = now + interval / 2;
    let since_point = (earliest + interval - point) % interval;
    let wait = interval / 2 + (interval - since_point) % interval;
    Duration::from_millis(u64::try_from(wait).unwrap_or(u64::MAX))
}

/// Returns a number that is evenly distributed over all ids.
fn hash(id: &str) -> u64 {
    let digest = Sha256::digest(id);
    let first = digest.first_chunk().copied().unwrap_or_default();
    u64::from_be_bytes(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERY: Duration = Duration::from_secs(900);

    #[test]
    fn a_wearer_has_a_point_of_their_own_whenever_they_are_asked_about() {
        let start: Timestamp = "2026-11-22T13:00:00Z".parse().unwrap();
        for id in ["anna", "ben", "carla"] {
            let mut points = Vec::new();
            for minute in 0..60 {
                let now = start + Duration::from_secs(60 * minute + 7);
                let wait = until_next(id, now, EVERY);
                assert!(wait >= EVERY / 2 && wait <= EVERY * 3 / 2, "{wait:?}");
                let next = (now + wait).as_millisecond();
                points.push(next.rem_euclid(900_000));
            }
            points.dedup();
            assert_eq!(points.len(), 1, "{id}: {points:?}");
        }
    }

    #[test]
    fn ten_thousand_wearers_are_spread_over_the_minutes() {
        let now: Timestamp = "2026-11-22T13:00:00Z".parse().unwrap();
        let mut minutes = [0_u32; 15];
        for number in 0..10_000 {
            let wait = until_next(&format!("wearer-{number}"), now, EVERY);
            let next = (now + wait).as_second().rem_euclid(900) / 60;
            minutes[usize::try_from(next).unwrap()] += 1;
        }
        let most = minutes.iter().max().unwrap();
        assert!(*most <= 10_000 / 15 * 12 / 10, "{minutes:?}");
    }
}
