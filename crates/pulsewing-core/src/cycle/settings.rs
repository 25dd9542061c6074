//! The settings of a cycle.

use core::time::Duration;

use super::{
    Now,
    failure::{Consent, Failure},
};
use crate::{
    ClientSecret, Provider,
    chain::{ClientId, Issuer, Standing, Stored, UserId},
    heart_zone::{BirthYear, HeartZones},
};

/// The settings of a cycle, given once.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The provider, and so the dialect.
    pub provider: Provider,
    /// The origin of the token endpoint. A chain from another origin is not used.
    pub issuer: Issuer,
    /// The configured client. A chain that was granted to another is not used.
    pub client_id: Option<ClientId>,
    /// The configured client's secret, which takes precedence over the one in the chain.
    pub client_secret: Option<ClientSecret>,
    /// The wearer whose data is fetched; `None` for the user who signed in (Fitbit).
    pub user_id: Option<UserId>,
    /// The poll interval.
    pub every: Duration,
    /// The maximum number of requests within an hour, not counting replays.
    pub hourly_cap: u16,
    /// The wearer's own heart-rate zones.
    pub heart_zones: Option<HeartZones>,
    /// The wearer's year of birth, for zones if the provider reports none.
    pub born: Option<BirthYear>,
    /// Whether to store an access token that nothing depends on (Google's), to save the next start a
    /// call. Otherwise the newest one is only in memory.
    pub cache_access: bool,
    /// The deadline of a run that has to end.
    pub deadline: Option<Deadline>,
}

/// The end of a run, on the monotonic clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline {
    /// The time after which no try starts.
    pub last_try: Duration,
    /// The time at which the run is over.
    pub end: Duration,
}

impl Settings {
    /// Returns whether a try may start.
    pub(super) fn may_try(&self, now: Now) -> bool {
        self.deadline
            .is_none_or(|deadline| now.up <= deadline.last_try)
    }

    /// Returns how long tries may still start.
    pub(super) fn time_for_tries(&self, now: Now) -> Duration {
        self.deadline.map_or(Duration::MAX, |deadline| {
            deadline.last_try.saturating_sub(now.up)
        })
    }

    /// Returns the reason why this chain's tokens may not be sent, if there is one.
    pub(super) fn objection_to(&self, chain: &Stored) -> Option<Failure> {
        let is_own = chain.provider() == self.provider
            && chain.issuer() == self.issuer.as_str()
            && self
                .client_id
                .as_ref()
                .is_none_or(|id| *id == chain.client().id);
        match chain.standing() {
            _ if !is_own => Some(Failure::ForeignChain),
            Standing::Refused => Some(Failure::ConsentNeeded(Consent::Refused)),
            Standing::Moving => Some(Failure::ChainMoved),
            Standing::Active => None,
        }
    }
}
