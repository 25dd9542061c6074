//! The context that the parts of a cycle get while they take a step.

use super::{
    Now, Settings,
    failure::Failure,
    pacing::{Jitter, Pacing},
};
use crate::chain::Stored;

/// The context of a renewal or a fetch that takes a step.
pub(super) struct Surroundings<'c> {
    pub(super) settings: &'c Settings,
    pub(super) pacing: &'c mut Pacing,
    pub(super) jitter: &'c mut Jitter,
    /// The chain in use: for a renewal, the one that the previous cycle used.
    pub(super) in_use: Option<&'c Stored>,
    pub(super) now: Now,
}

impl Surroundings<'_> {
    /// Checks whether a data call may be sent now; if not, the error is why.
    pub(super) fn admit(&mut self) -> Result<(), Failure> {
        if !self.settings.may_try(self.now) {
            return Err(Failure::OutOfTime);
        }
        self.pacing
            .admit(self.now.utc, self.settings.hourly_cap)
            .map_err(|until| Failure::RateLimited { until })
    }
}
