//! A refresh token that an error of the server's keeps from being sent.

use core::time::Duration;

use super::failure::Failure;
use crate::{Fingerprint, chain::Stored};

/// How long a token rests after an error that may pass: the first time a little less than the pause
/// before the next cycle, then twice as long each time.
const FIRST: Duration = Duration::from_secs(45);

/// The longest that it rests without being asked for.
const LONGEST: Duration = Duration::from_secs(86_400);

/// Which token rests, if one does.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rest(Option<Resting>);

#[derive(Clone, Copy, Debug)]
struct Resting {
    token: Fingerprint,
    failure: Failure,
    /// How often it was sent for nothing.
    times: u32,
    /// Until when; `None` until somebody asks.
    until: Option<Duration>,
}

impl Rest {
    /// None does.
    pub(super) const fn new() -> Self {
        Self(None)
    }

    /// What keeps this chain's token from being sent, if it still does.
    pub(super) fn of(self, chain: &Stored, up: Duration) -> Option<Failure> {
        let resting = self.0?;
        let is_it = resting.token == chain.refresh_token().fingerprint()
            && resting.until.is_none_or(|until| up < until);
        is_it.then_some(resting.failure)
    }

    /// Until when one rests that is to be sent again without being asked for.
    pub(super) const fn ends(self) -> Option<Duration> {
        match self.0 {
            Some(resting) => resting.until,
            None => None,
        }
    }

    /// The server has an error for this chain's token. What nobody but a person changes `is_final`.
    pub(super) fn begin(&mut self, chain: &Stored, failure: Failure, is_final: bool, up: Duration) {
        let token = chain.refresh_token().fingerprint();
        let before = self.0.filter(|resting| resting.token == token);
        let times = before.map_or(0, |resting| resting.times);
        let doubled = 1_u32.checked_shl(times).unwrap_or(u32::MAX);
        let rest = FIRST.saturating_mul(doubled).min(LONGEST);
        self.0 = Some(Resting {
            token,
            failure,
            times: times.saturating_add(1),
            until: (!is_final).then(|| up.saturating_add(rest)),
        });
    }
}
