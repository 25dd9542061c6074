//! Which keys are held, how long they are believed, and when they are fetched.
//!
//! ```text
//!            fetched                a day                  7 days
//!  nothing ───────────▶ fresh ───────────────▶ stale ───────────────▶ nothing
//!  (a fetch a minute)   (none, unless a key    (a fetch an hour,      (a fetch a minute)
//!                        id is unknown)         still believed)
//! ```
//!
//! A notification by an unknown key has the keys fetched in every state, at most once a minute
//! (Google Health API, Webhooks: cache the keys for a day, for seven when they cannot be fetched).

use jiff::{SignedDuration, Timestamp};

use crate::keyset::{Check, Keyset, KeysetError, Signature};

/// The keys that sign notifications, with the rules of their cache.
///
/// It fetches nothing itself. Its owner asks [`poll_fetch`](Self::poll_fetch) after every
/// notification and at [`next_fetch`](Self::next_fetch), and hands what came to
/// [`handle_keyset`](Self::handle_keyset). A failed fetch need not be reported: it is repeated when
/// it is time.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    held: Option<Held>,
    attempted: Option<Timestamp>,
    /// A notification was signed by a key that is not held.
    is_key_missing: bool,
}

#[derive(Clone, Debug)]
struct Held {
    keyset: Keyset,
    fetched: Timestamp,
}

/// What the keys say about a notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Genuine,
    Forged,
    /// Not even a fetch brought its key.
    UnknownKey,
    /// It cannot be told before the keys are fetched.
    Undecided,
}

impl Keys {
    /// Returns the state before the first fetch.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            held: None,
            attempted: None,
            is_key_missing: false,
        }
    }

    /// Returns whether the keys must be fetched now, and if so counts that as an attempt.
    pub fn poll_fetch(&mut self, now: Timestamp) -> bool {
        let is_due = self.next_fetch(now) <= now;
        if is_due {
            self.attempted = Some(now);
        }
        is_due
    }

    /// Returns when the keys must be fetched next if no notification comes before; `now` means at
    /// once.
    #[must_use]
    pub fn next_fetch(&self, now: Timestamp) -> Timestamp {
        let believed = self.held.as_ref().filter(|held| held.is_believed(now));
        let (wanted, pause) = match believed {
            // A keyset from later than now: the clock was set back.
            Some(held) if !self.is_key_missing && held.fetched <= now => {
                (after(held.fetched, FRESH), RETRY)
            }
            Some(_) if !self.is_key_missing => (now, RETRY),
            _ => (now, URGENT_RETRY),
        };
        let attempted = self.attempted.filter(|attempted| *attempted <= now);
        match attempted {
            Some(attempted) => wanted.max(after(attempted, pause)),
            None => wanted,
        }
    }

    /// Takes the keyset that a fetch brought: the body of a 200 from
    /// [`KEYSET_URL`](crate::KEYSET_URL).
    ///
    /// # Errors
    /// [`KeysetError`] if it is none. The keys that were held stay.
    pub fn handle_keyset(&mut self, json: &[u8], now: Timestamp) -> Result<(), KeysetError> {
        let keyset = Keyset::parse(json)?;
        self.held = Some(Held {
            keyset,
            fetched: now,
        });
        self.is_key_missing = false;
        Ok(())
    }

    /// Returns whether notifications can be told from forgeries now.
    #[must_use]
    pub fn are_usable(&self, now: Timestamp) -> bool {
        self.held.as_ref().is_some_and(|held| held.is_believed(now))
    }

    /// Checks a signature of a body.
    pub(crate) fn check(&mut self, signature: &Signature, body: &[u8], now: Timestamp) -> Verdict {
        let Some(held) = self.held.as_ref().filter(|held| held.is_believed(now)) else {
            return Verdict::Undecided;
        };
        match held.keyset.check(signature, body) {
            Check::Genuine => Verdict::Genuine,
            Check::Forged => Verdict::Forged,
            Check::UnknownKey if held.age(now) < URGENT_RETRY => Verdict::UnknownKey,
            Check::UnknownKey => {
                self.is_key_missing = true;
                Verdict::Undecided
            }
        }
    }
}

impl Held {
    /// Returns how far from now it was fetched: a clock that is set back makes nothing fresh.
    fn age(&self, now: Timestamp) -> SignedDuration {
        now.duration_since(self.fetched).abs()
    }

    fn is_believed(&self, now: Timestamp) -> bool {
        self.age(now) <= BELIEVED
    }
}

fn after(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// How long a keyset is not fetched again.
const FRESH: SignedDuration = SignedDuration::from_hours(24);

/// How long a keyset is believed when none can be fetched.
const BELIEVED: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The time between two attempts while the old keys still do.
const RETRY: SignedDuration = SignedDuration::from_hours(1);

/// The time between two attempts when notifications wait for them.
const URGENT_RETRY: SignedDuration = SignedDuration::from_mins(1);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keyset::tests::{Signer, keyset};

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn later(hours: i64, seconds: i64) -> Timestamp {
        let by = SignedDuration::from_secs(hours * 3600 + seconds);
        after(at("2026-11-22T14:00:00Z"), by)
    }

    fn holding(signer: &Signer) -> Keys {
        let mut keys = Keys::new();
        assert!(keys.poll_fetch(later(0, 0)));
        keys.handle_keyset(keyset(&[signer]).as_bytes(), later(0, 0))
            .unwrap();
        keys
    }

    fn verdict(keys: &mut Keys, signer: &Signer, now: Timestamp) -> Verdict {
        let signature = Signature::parse(signer.sign(b"body").as_bytes()).unwrap();
        keys.check(&signature, b"body", now)
    }

    #[test]
    fn keys_are_fetched_at_once_then_every_minute_until_they_come() {
        let mut keys = Keys::new();
        assert!(keys.poll_fetch(later(0, 0)));
        assert!(!keys.poll_fetch(later(0, 59)));
        assert_eq!(keys.next_fetch(later(0, 59)), later(0, 60));
        assert!(keys.poll_fetch(later(0, 60)));
        assert!(!keys.are_usable(later(0, 60)));
    }

    #[test]
    fn keys_are_fresh_for_a_day_and_then_fetched_hourly_until_one_succeeds() {
        let signer = Signer::new(7);
        let mut keys = holding(&signer);
        assert_eq!(keys.next_fetch(later(0, 1)), later(24, 0));
        assert!(!keys.poll_fetch(later(23, 3599)));
        assert!(keys.poll_fetch(later(24, 0)));
        assert!(!keys.poll_fetch(later(24, 3599)));
        assert!(keys.poll_fetch(later(25, 0)));
        assert_eq!(verdict(&mut keys, &signer, later(25, 0)), Verdict::Genuine);
    }

    #[test]
    fn keys_that_cannot_be_fetched_are_believed_for_seven_days() {
        let signer = Signer::new(7);
        let mut keys = holding(&signer);
        let week = 7 * 24;
        assert_eq!(
            verdict(&mut keys, &signer, later(week, 0)),
            Verdict::Genuine
        );
        assert_eq!(
            verdict(&mut keys, &signer, later(week, 1)),
            Verdict::Undecided
        );
        // From then on every minute counts again.
        assert!(keys.poll_fetch(later(week, 1)));
        assert!(!keys.poll_fetch(later(week, 60)));
        assert!(keys.poll_fetch(later(week, 61)));
    }

    #[test]
    fn an_unknown_key_has_them_fetched_at_most_once_a_minute() {
        let (old, new) = (Signer::new(7), Signer::new(8));
        let mut keys = holding(&old);
        assert_eq!(verdict(&mut keys, &new, later(2, 0)), Verdict::Undecided);
        assert!(keys.poll_fetch(later(2, 0)));
        // The fetch fails; nothing is known about the key, so nothing is said.
        assert_eq!(verdict(&mut keys, &new, later(2, 30)), Verdict::Undecided);
        assert!(!keys.poll_fetch(later(2, 59)));
        assert!(keys.poll_fetch(later(2, 60)));
        // The keyset comes, and the key is not in it.
        keys.handle_keyset(keyset(&[&old]).as_bytes(), later(2, 61))
            .unwrap();
        assert_eq!(verdict(&mut keys, &new, later(2, 62)), Verdict::UnknownKey);
        assert!(!keys.poll_fetch(later(2, 62)));
        // It could have been published since.
        assert_eq!(verdict(&mut keys, &new, later(2, 121)), Verdict::Undecided);
        assert!(keys.poll_fetch(later(2, 121)));
        keys.handle_keyset(keyset(&[&old, &new]).as_bytes(), later(2, 122))
            .unwrap();
        assert_eq!(verdict(&mut keys, &new, later(2, 122)), Verdict::Genuine);
        assert_eq!(verdict(&mut keys, &old, later(2, 122)), Verdict::Genuine);
    }

    #[test]
    fn what_is_no_keyset_changes_nothing() {
        let signer = Signer::new(7);
        let mut keys = holding(&signer);
        assert!(keys.poll_fetch(later(24, 0)));
        let page = keys.handle_keyset(b"<html>", later(24, 0));
        assert_eq!(page, Err(KeysetError::Unreadable));
        assert_eq!(verdict(&mut keys, &signer, later(24, 1)), Verdict::Genuine);
        assert_eq!(keys.next_fetch(later(24, 1)), later(25, 0));
    }

    #[test]
    fn a_clock_that_is_set_back_makes_nothing_fresh() {
        let signer = Signer::new(7);
        let mut keys = holding(&signer);
        assert_eq!(keys.next_fetch(later(-1, 0)), later(-1, 0));
        assert!(keys.poll_fetch(later(-1, 0)));
        assert!(!keys.poll_fetch(later(-1, 60)));
        assert_eq!(verdict(&mut keys, &signer, later(-1, 60)), Verdict::Genuine);
        let year = -365 * 24;
        assert_eq!(
            verdict(&mut keys, &signer, later(year, 0)),
            Verdict::Undecided
        );
    }
}
