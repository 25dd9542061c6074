//! The cloud's table of tokens, written from the providers' documents and not from the client.
//!
//! Fitbit: a refresh spends the refresh token and makes a new pair; the spent token is answered
//! with that same pair for two minutes, unless the pair was used in the meantime; access tokens live
//! until their own end (Fitbit Web API, Refresh Token and Best Practices). Google: a refresh makes
//! an access token and nothing else.

use std::time::Duration;

/// The time during which a spent refresh token is answered with the pair that it made.
const REPLAY_WINDOW: Duration = Duration::from_secs(120);

/// A generation of tokens.
#[derive(Clone, Debug)]
struct Pair {
    refresh: String,
    access: String,
    access_ends: Duration,
    made: Duration,
    used: bool,
}

/// The table's answer to a refresh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// A pair, new or repeated.
    Granted {
        /// The refresh token.
        refresh: String,
        /// The access token.
        access: String,
    },
    /// `invalid_grant`.
    Invalid,
}

/// All tokens that were ever given out, oldest first.
#[derive(Debug)]
pub struct Grants {
    pairs: Vec<Pair>,
    rotates: bool,
    /// The lifetime of an access token.
    pub lifetime: Duration,
}

impl Grants {
    /// Creates a table that has given out the first pair, whose access token ends at `access_ends`.
    #[must_use]
    pub fn new(rotates: bool, lifetime: Duration, access_ends: Duration) -> Self {
        Self {
            pairs: vec![Pair {
                refresh: "refresh-1".to_owned(),
                access: "access-1".to_owned(),
                access_ends,
                made: Duration::ZERO,
                used: true,
            }],
            rotates,
            lifetime,
        }
    }

    fn newest(&self) -> &Pair {
        self.pairs.last().unwrap()
    }

    /// Returns the valid refresh token.
    #[must_use]
    pub fn refresh(&self) -> &str {
        &self.newest().refresh
    }

    /// Returns when the newest pair was made.
    #[must_use]
    pub fn made(&self) -> Duration {
        self.newest().made
    }

    /// Returns the number of pairs so far.
    #[must_use]
    pub fn count(&self) -> usize {
        self.pairs.len()
    }

    /// Answers a refresh at `now`.
    pub fn refreshed(&mut self, token: &str, now: Duration) -> Verdict {
        let generation = self.pairs.len();
        if self.newest().refresh == token {
            self.pairs[generation - 1].used = true;
            let pair = Pair {
                refresh: match self.rotates {
                    true => format!("refresh-{}", generation + 1),
                    false => token.to_owned(),
                },
                access: format!("access-{}", generation + 1),
                access_ends: now + self.lifetime,
                made: now,
                used: false,
            };
            self.pairs.push(pair);
        } else {
            let is_spent = generation > 1 && self.pairs[generation - 2].refresh == token;
            let newest = self.newest();
            if !is_spent || newest.used || now >= newest.made + REPLAY_WINDOW {
                return Verdict::Invalid;
            }
        }
        Verdict::Granted {
            refresh: self.newest().refresh.clone(),
            access: self.newest().access.clone(),
        }
    }

    /// Returns whether a data call with this access token is accepted; it counts as a use.
    pub fn admits(&mut self, access: &str, now: Duration) -> bool {
        let found = self.pairs.iter_mut().find(|pair| pair.access == access);
        let Some(pair) = found else {
            return false;
        };
        pair.used = true;
        now < pair.access_ends
    }

    /// Invalidates an access token before its end.
    pub fn revoke_access(&mut self, access: &str) {
        for pair in self.pairs.iter_mut().filter(|pair| pair.access == access) {
            pair.access_ends = Duration::ZERO;
        }
    }

    /// Refreshes as another program would, and returns the pair.
    pub fn refreshed_elsewhere(&mut self, now: Duration) -> (String, String) {
        let token = self.refresh().to_owned();
        match self.refreshed(&token, now) {
            Verdict::Granted { refresh, access } => (refresh, access),
            Verdict::Invalid => unreachable!("the newest token is valid"),
        }
    }
}
