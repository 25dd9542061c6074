//! The zones that a provider reports.

use super::HeartZones;
use crate::Bpm;

/// A provider's zones of a wearer, as far as both providers have them: where moderate, vigorous and peak
/// begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProviderZones {
    limits: [Bpm; 3],
}

impl ProviderZones {
    /// Creates zones that begin at the given rates: moderate, vigorous, peak. `None` unless each is above
    /// the one before.
    #[must_use]
    pub fn new(limits: [Bpm; 3]) -> Option<Self> {
        limits
            .is_sorted_by(|lower, upper| lower < upper)
            .then_some(Self { limits })
    }

    /// Returns the lower limits of moderate, vigorous and peak.
    #[must_use]
    pub const fn limits(self) -> [Bpm; 3] {
        self.limits
    }

    /// Returns the zones of a wearer with this resting heart rate, see [`HeartZones::from_provider`].
    #[must_use]
    pub fn with_resting(self, resting: Option<Bpm>) -> Option<HeartZones> {
        let [moderate, vigorous, peak] = self.limits;
        HeartZones::from_provider(moderate, vigorous, peak, resting)
    }
}
