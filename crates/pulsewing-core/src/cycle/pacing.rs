//! The timing of requests: our own cap, the provider's limits, the next poll.

use core::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::Now;
use crate::{Provider, instant::later, request::ReplyHead};

/// The usual interval between syncs of a tracker.
const SYNC_EVERY_S: i64 = 15 * 60;

/// The length of a span. We count requests in spans of 62 seconds, so that 60 of them, the newest of
/// which has only begun, always cover more than an hour.
const SPAN_S: i64 = 62;

/// The minimum number of requests that a cycle needs for a reading.
const A_CYCLE: u16 = 4;

/// A next-allowed time further ahead than this comes from a wrong clock.
const FARTHEST_S: i64 = 2 * 3_600;

/// The limits of one chain's requests, kept across restarts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pacing {
    /// The time before which nothing but a replay is sent.
    pub next_allowed: Option<Timestamp>,
    /// The time of the last refresh because of a 401; at most once an hour.
    pub unauthorized_refresh_at: Option<Timestamp>,
    /// Requests by spans of 62 seconds: slot `n % 60` is for span `n` since 1970, where `n` is
    /// [`newest_span`](Self::newest_span) or one of the 59 before it.
    pub recent: [u16; 60],
    /// The newest span that `recent` counts: seconds since 1970 divided by 62.
    pub newest_span: i64,
    /// The number of consecutive failed cycles.
    pub failures: u8,
}

impl Default for Pacing {
    fn default() -> Self {
        Self {
            next_allowed: None,
            unauthorized_refresh_at: None,
            recent: [0; 60],
            newest_span: 0,
            failures: 0,
        }
    }
}

impl Pacing {
    /// Checks whether another request may be sent now; if not, the error is when.
    pub(super) fn admit(&mut self, now: Timestamp, hourly_cap: u16) -> Result<(), Timestamp> {
        self.next_allowed = self.allowed_after(now);
        if let Some(until) = self.next_allowed {
            return Err(until);
        }
        self.roll(now);
        if self.total() < u32::from(hourly_cap) {
            return Ok(());
        }
        // If requests were admitted one at a time, as old ones expire, no cycle would ever be complete.
        let until = self.when_below(hourly_cap.saturating_sub(A_CYCLE - 1).max(1));
        self.next_allowed = Some(until);
        Err(until)
    }

    /// Returns whether this many requests that can wait may be sent now. They may use half of the cap;
    /// the rest is left to the cycles. More `requests` than that half count as that half.
    pub(super) fn has_room(&mut self, now: Timestamp, hourly_cap: u16, requests: u16) -> bool {
        self.roll(now);
        let half = hourly_cap / 2;
        let wanted = self.total() + u32::from(requests.min(half).max(1));
        self.allowed_after(now).is_none() && wanted <= u32::from(half)
    }

    /// Returns until when nothing may be sent, if there is such a limit at `now`.
    pub(super) fn allowed_after(&self, now: Timestamp) -> Option<Timestamp> {
        self.next_allowed.filter(|until| {
            let wait = until.as_second().saturating_sub(now.as_second());
            (1..=FARTHEST_S).contains(&wait)
        })
    }

    /// Counts a request.
    pub(super) fn count(&mut self, now: Timestamp) {
        self.roll(now);
        if let Some(slot) = self.recent.get_mut(slot(self.newest_span)) {
            *slot = slot.saturating_add(1);
        }
    }

    /// Obeys the limits in a reply; `refused` means a 429. Returns until when to send nothing.
    pub(super) fn obey(
        &mut self,
        head: &ReplyHead,
        provider: Provider,
        now: Timestamp,
    ) -> Option<Timestamp> {
        if head.status == 429 || head.quiet_for_s().is_some() {
            self.be_quiet(head, provider, now)
        } else {
            None
        }
    }

    /// Obeys a limit that a reply mentions, for the given time, or else for the usual duration of such
    /// limits. Returns until when to send nothing.
    pub(super) fn be_quiet(
        &mut self,
        head: &ReplyHead,
        provider: Provider,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let seconds = match head.quiet_for_s() {
            Some(seconds) => i64::from(seconds).clamp(1, 3_600 + 300),
            // Fitbit's counter resets at the full hour; Google's quotas are per minute.
            None => match provider {
                Provider::Fitbit => 3_600 - now.as_second().rem_euclid(3_600),
                Provider::Google => 60,
            },
        };
        let until = later(now, SignedDuration::from_secs(seconds))?;
        self.next_allowed = Some(self.next_allowed.map_or(until, |known| known.max(until)));
        Some(until)
    }

    /// Returns whether a 401 may cause a refresh now.
    pub(super) fn allows_unauthorized_refresh(&self, now: Timestamp) -> bool {
        self.unauthorized_refresh_at.is_none_or(|at| {
            let since = now.as_second().saturating_sub(at.as_second());
            !(0..3_600).contains(&since)
        })
    }

    /// Returns when to poll next after a success: a minute or two after the sync that is expected about
    /// one interval from now, or simply after the interval if no sync is known.
    pub(super) fn after_success(
        now: Timestamp,
        every: Duration,
        last_sync: Option<Timestamp>,
        jitter: &mut Jitter,
    ) -> Timestamp {
        let plain = add(now, every);
        let Some(ahead) = i64::try_from(every.as_secs())
            .ok()
            .and_then(|s| s.checked_sub(SYNC_EVERY_S))
        else {
            return plain;
        };
        let Some(sync) = last_sync.filter(|_| ahead >= 0) else {
            return plain;
        };
        let from = now.as_second().saturating_add(ahead);
        let since = from.saturating_sub(sync.as_second());
        // The syncs of a tracker that has been away for a day cannot be predicted.
        if !(0..86_400).contains(&since) {
            return plain;
        }
        let next_sync = from + SYNC_EVERY_S - since % SYNC_EVERY_S;
        let slack = 60 + i64::from(jitter.below(60));
        Timestamp::from_second(next_sync + slack).unwrap_or(plain)
    }

    /// Returns when to look again after the store could not be read. That costs no request, and the
    /// store may have an intent whose replays are soon over.
    pub(super) fn after_store_trouble(now: Timestamp, jitter: &mut Jitter) -> Timestamp {
        add(now, Duration::from_secs(10 + u64::from(jitter.below(10))))
    }

    /// Returns when to poll next after a failure: after a minute, then twice as long each time up to the
    /// interval, give or take a fifth; never before the next-allowed time.
    pub(super) fn after_failure(
        &self,
        now: Timestamp,
        every: Duration,
        jitter: &mut Jitter,
    ) -> Timestamp {
        let doubled = 60_u64 << u32::from(self.failures.saturating_sub(1)).min(10);
        let base = doubled.min(every.as_secs().max(60));
        let spread = u32::try_from(base * 2 / 5).unwrap_or(u32::MAX).max(1);
        let wait = base - base / 5 + u64::from(jitter.below(spread));
        let due = add(now, Duration::from_secs(wait));
        match self.allowed_after(now) {
            // A request in the very second of a reset is refused again.
            Some(allowed) if allowed >= due => add(
                allowed,
                Duration::from_secs(5 + u64::from(jitter.below(55))),
            ),
            _ => due,
        }
    }

    /// Adjusts to a jump of the wall clock, which shows `now` instead of `expected`. Sent requests keep
    /// their age, and limits their distance. A sleep looks the same as a clock that was set forward;
    /// counting requests a little longer then costs less than one request too many.
    pub(super) fn clock_jumped(&mut self, expected: Timestamp, now: Timestamp) {
        let by = now.duration_since(expected);
        self.next_allowed = self
            .allowed_after(expected)
            .and_then(|until| later(until, by));
        self.roll(expected);
        let (old, was) = (self.recent, self.newest_span);
        self.newest_span = now.as_second().div_euclid(SPAN_S);
        self.recent = [0; 60];
        for age in 0..60 {
            // The new clock may be at the end of a span: a request one span old counts as new.
            let younger = slot(self.newest_span - (age - 1).max(0));
            let count = old.get(slot(was - age)).copied().unwrap_or(0);
            if let Some(slot) = self.recent.get_mut(younger) {
                *slot = slot.saturating_add(count);
            }
        }
    }

    /// Moves the counted hour forward to `now`.
    fn roll(&mut self, now: Timestamp) {
        let span = now.as_second().div_euclid(SPAN_S);
        let passed = span.saturating_sub(self.newest_span);
        match passed {
            0 => {}
            1..60 => {
                for newer in 1..=passed {
                    if let Some(slot) = self.recent.get_mut(slot(self.newest_span + newer)) {
                        *slot = 0;
                    }
                }
            }
            60.. => self.recent = [0; 60],
            // The clock was set back: requests keep their age.
            _ => self.recent.rotate_right(slot(passed)),
        }
        self.newest_span = span;
    }

    fn total(&self) -> u32 {
        self.recent.iter().map(|count| u32::from(*count)).sum()
    }

    /// Returns when enough of the counted requests are more than an hour old.
    fn when_below(&self, cap: u16) -> Timestamp {
        let mut left = self.total();
        for age in (0..60).rev() {
            let span = self.newest_span - age;
            left -= self
                .recent
                .get(slot(span))
                .map_or(0, |count| u32::from(*count));
            if left < u32::from(cap) {
                return end_of_hour(span);
            }
        }
        // With a cap of zero nothing is ever sent.
        end_of_hour(self.newest_span)
    }
}

fn slot(span: i64) -> usize {
    usize::try_from(span.rem_euclid(60)).unwrap_or(0)
}

/// Returns when the requests of a span no longer count.
fn end_of_hour(span: i64) -> Timestamp {
    Timestamp::from_second((span + 60) * SPAN_S).unwrap_or(Timestamp::MAX)
}

fn add(at: Timestamp, duration: Duration) -> Timestamp {
    SignedDuration::try_from(duration)
        .ok()
        .and_then(|duration| later(at, duration))
        .unwrap_or(Timestamp::MAX)
}

/// A little randomness, so that many devices do not send requests in step. Not for secrets.
#[derive(Clone, Debug)]
pub(super) struct Jitter(u32);

impl Jitter {
    pub(super) const fn new(seed: u32) -> Self {
        Self(if seed == 0 { 0x9e37_79b9 } else { seed })
    }

    /// Returns a number below `bound`, which must not be zero. Uses Marsaglia's xorshift.
    pub(super) fn below(&mut self, bound: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0.checked_rem(bound).unwrap_or(0)
    }

    /// Returns the pause before another try, after `tries` without success: about `tries` seconds.
    pub(super) fn retry_pause(&mut self, tries: u8) -> Duration {
        Duration::from_millis(700 * u64::from(tries) + u64::from(self.below(600)))
    }
}

/// A detector for jumps of the wall clock and for sleep: the time that passed on the wall clock and on
/// the monotonic clock then differs.
#[derive(Clone, Copy, Debug)]
pub(super) struct ClockWatch {
    seen: Option<Now>,
}

impl ClockWatch {
    /// The largest difference that counts as drift, not as a jump.
    const TOLERANCE: Duration = Duration::from_secs(10);

    pub(super) const fn new() -> Self {
        Self { seen: None }
    }

    /// Compares the clocks. If they diverged since the last call, returns the expected wall time.
    pub(super) fn jumped(&mut self, now: Now) -> Option<Timestamp> {
        let before = self.seen.replace(now)?;
        let up = now.up.saturating_sub(before.up);
        let expected = later(before.utc, SignedDuration::try_from(up).ok()?)?;
        let parted = now.utc.duration_since(expected).unsigned_abs();
        (parted > Self::TOLERANCE).then_some(expected)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUARTER: Duration = Duration::from_secs(900);

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn sixty_requests_an_hour_and_not_one_more() {
        let mut pacing = Pacing::default();
        let start = at("2026-11-22T12:00:30Z");
        for n in 0..60 {
            let now = start + SignedDuration::from_secs(n);
            assert_eq!(pacing.admit(now, 60), Ok(()));
            pacing.count(now);
        }
        let now = start + SignedDuration::from_secs(60);
        let until = pacing.admit(now, 60).unwrap_err();
        let wait = until.duration_since(start).as_secs();
        assert!((3_600..=3_600 + 2 * SPAN_S).contains(&wait), "{wait}");
        let before = until - SignedDuration::from_secs(1);
        assert_eq!(pacing.admit(before, 60), Err(until));
        assert_eq!(pacing.admit(until, 60), Ok(()));
    }

    #[test]
    fn what_can_wait_has_half_of_the_cap_and_as_much_of_a_small_one_as_that_is() {
        let now = at("2026-11-22T12:00:30Z");
        for (cap, counted, wanted, has_room) in [
            (60, 28, 2, true),
            (60, 29, 2, false),
            (60, 29, 1, true),
            (60, 30, 1, false),
            (2, 0, 2, true),
            (2, 1, 1, false),
            (1, 0, 1, false),
            (0, 0, 1, false),
        ] {
            let mut pacing = Pacing::default();
            for _ in 0..counted {
                pacing.count(now);
            }
            let found = pacing.has_room(now, cap, wanted);
            assert_eq!(found, has_room, "{wanted} after {counted} of {cap}");
        }
    }

    #[test]
    fn a_limit_from_a_wrong_clock_does_not_hold_for_ever() {
        let mut pacing = Pacing {
            next_allowed: Some(at("2030-01-01T00:00:00Z")),
            ..Pacing::default()
        };
        assert_eq!(pacing.admit(at("2026-11-22T12:00:00Z"), 60), Ok(()));
        pacing.count(at("2030-01-01T00:00:00Z"));
        let until = pacing.admit(at("2026-11-22T12:00:00Z"), 1).unwrap_err();
        assert!(until < at("2026-11-22T13:04:00Z"), "{until}");
        assert_eq!(pacing.admit(until, 1), Ok(()));
    }

    #[test]
    fn a_refusal_is_obeyed_with_and_without_words() {
        let now = at("2026-11-22T12:40:00Z");
        let mut head = ReplyHead::new(429);
        let mut pacing = Pacing::default();
        assert_eq!(
            pacing.obey(&head, Provider::Fitbit, now),
            Some(at("2026-11-22T13:00:00Z"))
        );
        assert_eq!(
            Pacing::default().obey(&head, Provider::Google, now),
            Some(at("2026-11-22T12:41:00Z"))
        );
        head.header("retry-after", b"999999", now);
        let until = Pacing::default()
            .obey(&head, Provider::Google, now)
            .unwrap();
        assert_eq!(until, at("2026-11-22T13:45:00Z"));
        assert!(pacing.admit(now, 60).is_err());
        assert_eq!(
            Pacing::default().obey(&ReplyHead::new(200), Provider::Fitbit, now),
            None
        );
    }

    #[test]
    fn the_next_poll_follows_the_next_sync() {
        let mut jitter = Jitter::new(7);
        let now = at("2026-11-22T12:07:00Z");
        for _ in 0..100 {
            let due =
                Pacing::after_success(now, QUARTER, Some(at("2026-11-22T12:00:00Z")), &mut jitter);
            assert!(
                (at("2026-11-22T12:16:00Z")..at("2026-11-22T12:17:00Z")).contains(&due),
                "{due}"
            );
        }
        assert_eq!(
            Pacing::after_success(now, QUARTER, None, &mut jitter),
            at("2026-11-22T12:22:00Z")
        );
        let long_ago = Some(at("2026-11-20T12:00:00Z"));
        assert_eq!(
            Pacing::after_success(now, QUARTER, long_ago, &mut jitter),
            at("2026-11-22T12:22:00Z")
        );
    }

    #[test]
    fn failures_back_off_up_to_the_interval() {
        let mut jitter = Jitter::new(1);
        let now = at("2026-11-22T12:00:00Z");
        for (failures, least, most) in [
            (1, 48, 72),
            (2, 96, 144),
            (9, 720, 1_080),
            (255, 720, 1_080),
        ] {
            let pacing = Pacing {
                failures,
                ..Pacing::default()
            };
            for _ in 0..50 {
                let wait = pacing
                    .after_failure(now, QUARTER, &mut jitter)
                    .duration_since(now)
                    .as_secs();
                assert!((least..=most).contains(&wait), "{failures}: {wait}");
            }
        }
    }

    #[test]
    fn a_sleep_and_a_set_clock_are_seen() {
        let mut watch = ClockWatch::new();
        let now = |utc: &str, up| Now {
            utc: at(utc),
            up: Duration::from_secs(up),
        };
        assert_eq!(watch.jumped(now("2026-11-22T12:00:00Z", 0)), None);
        assert_eq!(watch.jumped(now("2026-11-22T12:00:31Z", 30)), None);
        assert_eq!(
            watch.jumped(now("2026-11-22T14:00:31Z", 31)),
            Some(at("2026-11-22T12:00:32Z"))
        );
        assert_eq!(
            watch.jumped(now("2026-11-22T12:00:00Z", 32)),
            Some(at("2026-11-22T14:00:32Z"))
        );
    }
}
