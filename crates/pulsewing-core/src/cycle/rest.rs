//! The rest of a refresh token: after a server error it is not sent for a while.

use core::time::Duration;

use super::failure::Failure;
use crate::{Fingerprint, chain::Stored};

/// A token's rest after an error that may pass: the first time a little less than the pause before the
/// next cycle, then twice as long each time.
const FIRST: Duration = Duration::from_secs(45);

/// The longest rest, unless the user asks earlier.
const LONGEST: Duration = Duration::from_secs(86_400);

/// The token that rests, if there is one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rest(Option<Resting>);

#[derive(Clone, Copy, Debug)]
struct Resting {
    token: Fingerprint,
    failure: Failure,
    /// The number of sends without success.
    times: u32,
    /// The end of the rest; `None` until the user asks.
    until: Option<Duration>,
}

impl Rest {
    /// Creates the state in which no token rests.
    pub(super) const fn new() -> Self {
        Self(None)
    }

    /// Returns the failure that still keeps this chain's token from being sent, if there is one.
    pub(super) fn of(self, chain: &Stored, up: Duration) -> Option<Failure> {
        let resting = self.0?;
        let is_it = resting.token == chain.refresh_token().fingerprint()
            && resting.until.is_none_or(|until| up < until);
        is_it.then_some(resting.failure)
    }

    /// Returns the end of a rest after which the token is sent again without being asked for.
    pub(super) const fn ends(self) -> Option<Duration> {
        match self.0 {
            Some(resting) => resting.until,
            None => None,
        }
    }

    /// Begins the rest of this chain's token after a server error. `is_final` means that only a person
    /// can fix it.
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
