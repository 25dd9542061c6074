//! Zones from the wearer's age, for a wearer of whom nothing else is known.
//!
//! The maximum heart rate is 208 - 0.7 x age (Tanaka, Monahan, Seals: Age-predicted maximal heart rate
//! revisited, JACC 37:153, 2001). The limits lie at 40, 60 and 85 % of the way from the resting heart rate
//! to it (Karvonen's heart-rate reserve), where the providers have them for most wearers.

use super::{HeartZones, USUAL_RESTING};
use crate::Bpm;

/// The percentages of the heart-rate reserve at which moderate, vigorous and peak begin.
const PERCENT: [u32; 3] = [40, 60, 85];

/// The year in which a wearer was born.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BirthYear(i16);

impl BirthYear {
    /// The first year.
    pub const FIRST: i16 = 1900;

    /// The last year for those who do not know the date, such as a board that was just switched on.
    pub const LAST: i16 = 2100;

    /// Creates it; `None` for a year outside of [`FIRST`](Self::FIRST) to [`LAST`](Self::LAST).
    #[must_use]
    pub const fn new(year: i16) -> Option<Self> {
        if matches!(year, Self::FIRST..=Self::LAST) {
            Some(Self(year))
        } else {
            None
        }
    }

    /// Returns the year.
    #[must_use]
    pub const fn get(self) -> i16 {
        self.0
    }

    /// Returns the age in full years that is reached in this year; `None` before the birth.
    #[must_use]
    pub fn age_in(self, year: i16) -> Option<u16> {
        u16::try_from(year.checked_sub(self.0)?).ok()
    }

    /// Returns the wearer's zones in this year, see [`HeartZones::from_age`].
    #[must_use]
    pub fn zones_in(self, year: i16, resting: Option<Bpm>) -> Option<HeartZones> {
        HeartZones::from_age(self.age_in(year)?, resting)
    }
}

impl HeartZones {
    /// Creates zones from an age in years and the resting heart rate (60 bpm if unknown). `None` if the
    /// maximum heart rate of that age is too close to the resting one, or below it.
    #[must_use]
    pub fn from_age(age: u16, resting: Option<Bpm>) -> Option<Self> {
        let at_rest = resting.map_or(USUAL_RESTING, Bpm::get);
        // In tenths of a beat per minute.
        let maximum = 2_080_u32.checked_sub(7 * u32::from(age))?;
        let reserve = maximum.checked_sub(10 * u32::from(at_rest))?;
        let limit = |percent| {
            // Rounded half up.
            let above = u16::try_from((reserve * percent + 500) / 1_000).ok()?;
            Bpm::new(at_rest.checked_add(above)?)
        };
        let [moderate, vigorous, peak] = PERCENT.map(limit);
        Self::from_provider(moderate?, vigorous?, peak?, resting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(age: u16, resting: Option<u16>) -> Option<[u16; 4]> {
        let resting = resting.map(|bpm| Bpm::new(bpm).unwrap());
        HeartZones::from_age(age, resting).map(|zones| zones.limits().map(Bpm::get))
    }

    #[test]
    fn limits_follow_from_age_and_resting_heart_rate() {
        // 208 - 0.7 x 38 = 181.4; 40 % of the 121.4 above 60 are 48.56, 60 % 72.84, 85 % 103.19.
        assert_eq!(limits(38, Some(60)), Some([84, 109, 133, 163]));
        assert_eq!(limits(38, None), Some([84, 109, 133, 163]));
        // 208 - 0.7 x 50 = 173; of the 123 above 50: 49.2, 73.8, 104.55.
        assert_eq!(limits(50, Some(50)), Some([74, 99, 124, 155]));
        // A newborn: of the 148 above 60: 59.2, 88.8, 125.8.
        assert_eq!(limits(0, None), Some([89, 119, 149, 186]));
    }

    #[test]
    fn an_age_that_leaves_no_reserve_has_no_zones() {
        assert_eq!(limits(100, Some(138)), None);
        assert_eq!(limits(100, Some(200)), None);
        assert_eq!(limits(300, None), None);
        assert_eq!(limits(u16::MAX, Some(1)), None);
    }

    #[test]
    fn zones_ascend_for_every_age_and_a_higher_age_never_has_a_higher_limit() {
        for resting in 30..=110 {
            let mut before = [u16::MAX; 4];
            for age in 0..=100 {
                let found = limits(age, Some(resting)).unwrap();
                assert!(found.is_sorted_by(|a, b| a < b), "{age}: {found:?}");
                let pairs = found.iter().zip(&before);
                assert!(
                    pairs.clone().all(|(now, then)| now <= then),
                    "{age}: {found:?}"
                );
                before = found;
            }
        }
    }

    #[test]
    fn an_age_is_counted_from_the_year_of_birth() {
        let born = BirthYear::new(1988).unwrap();
        assert_eq!(born.age_in(2026), Some(38));
        assert_eq!(born.age_in(1988), Some(0));
        assert_eq!(born.age_in(1987), None);
        assert_eq!(born.age_in(i16::MIN), None);
        assert_eq!((BirthYear::new(1899), BirthYear::new(2101)), (None, None));
    }
}
