//! Heart-rate zones: named ranges.
//!
//! There are two vocabularies, never mixed: neutral words, for page, desk theme and alarms, and the
//! eight words of the original sketch, for the classic theme alone.

mod age;
mod provider;

pub use age::BirthYear;
pub use provider::ProviderZones;

use crate::Bpm;

/// The resting heart rate of a wearer whose own is unknown, in bpm.
const USUAL_RESTING: u16 = 60;

/// A neutral heart-rate zone.
///
/// None is called "resting": the resting heart rate is a measured figure of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HeartZone {
    /// Below 30 bpm, where the zones of both providers begin: an error of measurement, or an emergency.
    VeryLow,
    /// Below the light limit.
    Easy,
    /// Below the moderate limit.
    Light,
    /// Below the vigorous limit.
    Moderate,
    /// Below the peak limit.
    Vigorous,
    /// From the peak limit up.
    Peak,
}

impl HeartZone {
    /// The zones that a healthy wearer's rates lie in, from the lowest.
    pub const ORDINARY: [Self; 5] = [
        Self::Easy,
        Self::Light,
        Self::Moderate,
        Self::Vigorous,
        Self::Peak,
    ];

    /// Returns the word for the display.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::VeryLow => "Very low",
            Self::Easy => "Easy",
            Self::Light => "Light",
            Self::Moderate => "Moderate",
            Self::Vigorous => "Vigorous",
            Self::Peak => "Peak",
        }
    }
}

/// The lower limits of the neutral zones, ascending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeartZones {
    limits: [Bpm; 4],
}

impl HeartZones {
    /// The lowest rate that belongs to a zone of either provider (Fitbit's "Out of Range" and Google's
    /// `LIGHT` begin here).
    pub const LOWEST: Bpm = match Bpm::new(30) {
        Some(bpm) => bpm,
        None => panic!("a limit is a heart rate"),
    };

    /// The zones for an unknown wearer: 90, 110, 135 and 160 bpm.
    pub const PLAIN: Self = {
        const fn limit(bpm: u16) -> Bpm {
            match Bpm::new(bpm) {
                Some(bpm) => bpm,
                None => panic!("a limit is a heart rate"),
            }
        }
        Self {
            limits: [limit(90), limit(110), limit(135), limit(160)],
        }
    };

    /// Creates zones that begin at the given rates: light, moderate, vigorous, peak. `None` unless each
    /// is above the one before.
    #[must_use]
    pub fn new(limits: [Bpm; 4]) -> Option<Self> {
        limits
            .is_sorted_by(|lower, upper| lower < upper)
            .then_some(Self { limits })
    }

    /// Creates zones from a provider's three limits: the beginnings of Google's `MODERATE`, `VIGOROUS` and
    /// `PEAK`, or of Fitbit's "Fat Burn", "Cardio" and "Peak". What lies below, Google's `LIGHT` and
    /// Fitbit's "Out of Range", is easy and light here; light begins half-way between `resting` (60 bpm if
    /// unknown) and moderate. `None` unless each limit is above the one before.
    #[must_use]
    pub fn from_provider(
        moderate: Bpm,
        vigorous: Bpm,
        peak: Bpm,
        resting: Option<Bpm>,
    ) -> Option<Self> {
        let resting = resting.map_or(USUAL_RESTING, Bpm::get);
        let light = Bpm::new(resting.midpoint(moderate.get()))?;
        Self::new([light, moderate, vigorous, peak])
    }

    /// Returns the lower limits of light, moderate, vigorous and peak.
    #[must_use]
    pub const fn limits(&self) -> [Bpm; 4] {
        self.limits
    }

    /// Returns the zone of a rate.
    #[must_use]
    pub fn zone(&self, bpm: Bpm) -> HeartZone {
        let [light, moderate, vigorous, peak] = self.limits;
        if bpm >= peak {
            HeartZone::Peak
        } else if bpm >= vigorous {
            HeartZone::Vigorous
        } else if bpm >= moderate {
            HeartZone::Moderate
        } else if bpm >= light {
            HeartZone::Light
        } else if bpm >= Self::LOWEST {
            HeartZone::Easy
        } else {
            HeartZone::VeryLow
        }
    }
}

/// A zone of the original sketch, in its own words.
///
/// The words are not medical: many healthy people rest at 55 bpm, which counts as "Dangerously Low".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ClassicZone {
    /// Below 60 bpm.
    DangerouslyLow,
    /// Below 75 bpm.
    VeryLow,
    /// Below 85 bpm.
    Sleeping,
    /// Below 95 bpm.
    Relaxing,
    /// Below 105 bpm.
    Awake,
    /// Below 120 bpm.
    Active,
    /// Below 135 bpm.
    VeryActive,
    /// From 135 bpm up.
    Exertion,
}

impl ClassicZone {
    /// Returns the zone of a rate.
    #[must_use]
    pub const fn from_bpm(bpm: Bpm) -> Self {
        match bpm.get() {
            ..60 => Self::DangerouslyLow,
            60..75 => Self::VeryLow,
            75..85 => Self::Sleeping,
            85..95 => Self::Relaxing,
            95..105 => Self::Awake,
            105..120 => Self::Active,
            120..135 => Self::VeryActive,
            135.. => Self::Exertion,
        }
    }

    /// Returns the word for the display.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::DangerouslyLow => "Dangerously Low",
            Self::VeryLow => "Very Low",
            Self::Sleeping => "Sleeping",
            Self::Relaxing => "Relaxing",
            Self::Awake => "Awake",
            Self::Active => "Active",
            Self::VeryActive => "Very Active",
            Self::Exertion => "Exertion",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bpm(n: u16) -> Bpm {
        Bpm::new(n).unwrap()
    }

    #[test]
    fn a_limit_belongs_to_the_zone_it_begins() {
        let zones = HeartZones::PLAIN;
        assert_eq!(zones.zone(bpm(29)), HeartZone::VeryLow);
        assert_eq!(zones.zone(bpm(30)), HeartZone::Easy);
        assert_eq!(zones.zone(bpm(89)), HeartZone::Easy);
        assert_eq!(zones.zone(bpm(90)), HeartZone::Light);
        assert_eq!(zones.zone(bpm(159)), HeartZone::Vigorous);
        assert_eq!(zones.zone(bpm(300)), HeartZone::Peak);
    }

    #[test]
    fn limits_ascend() {
        assert_eq!(
            HeartZones::new([bpm(90), bpm(90), bpm(100), bpm(110)]),
            None
        );
        let zones = HeartZones::from_provider(bpm(108), bpm(136), bpm(171), Some(bpm(61))).unwrap();
        assert_eq!(zones.limits(), [bpm(84), bpm(108), bpm(136), bpm(171)]);
        assert_eq!(
            HeartZones::from_provider(bpm(50), bpm(136), bpm(171), Some(bpm(61))),
            None
        );
    }

    #[test]
    fn the_classic_words_are_the_originals() {
        let words =
            [59, 60, 75, 85, 95, 105, 120, 135].map(|n| ClassicZone::from_bpm(bpm(n)).name());
        assert_eq!(
            words,
            [
                "Dangerously Low",
                "Very Low",
                "Sleeping",
                "Relaxing",
                "Awake",
                "Active",
                "Very Active",
                "Exertion"
            ]
        );
    }
}
