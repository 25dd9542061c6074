//! A heart rate.

use core::{fmt, num::NonZeroU16};

/// A heart rate in whole beats per minute, 1 to 300.
///
/// The range is the one that the Google Health API documents for `beatsPerMinute`; a value outside it
/// is not a heart rate and cannot be represented.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bpm(NonZeroU16);

impl Bpm {
    /// The highest accepted rate, in beats per minute.
    pub const MAX: u16 = 300;

    /// Returns the rate, or `None` outside 1..=300.
    #[must_use]
    pub const fn new(beats_per_minute: u16) -> Option<Self> {
        if beats_per_minute > Self::MAX {
            return None;
        }
        match NonZeroU16::new(beats_per_minute) {
            Some(value) => Some(Self(value)),
            None => None,
        }
    }

    /// Returns the rate for a whole number of any sign and size, or `None` outside 1..=300.
    #[must_use]
    pub fn from_whole(beats_per_minute: i64) -> Option<Self> {
        u16::try_from(beats_per_minute).ok().and_then(Self::new)
    }

    /// Returns the mean of rates that add up to `sum` beats per minute, rounded half up; `None` if there
    /// are none.
    #[must_use]
    pub fn mean(sum: u32, count: u32) -> Option<Self> {
        let doubled = sum.checked_mul(2)?.checked_add(count)?;
        let rounded = doubled.checked_div(count.checked_mul(2)?)?;
        Self::from_whole(rounded.into())
    }

    /// Returns beats per minute.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0.get()
    }
}

impl fmt::Display for Bpm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

impl fmt::Debug for Bpm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bpm", self.get())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_to_three_hundred_is_a_heart_rate() {
        assert_eq!(Bpm::new(0), None);
        assert_eq!(Bpm::new(1).map(Bpm::get), Some(1));
        assert_eq!(Bpm::new(300).map(Bpm::get), Some(300));
        assert_eq!(Bpm::new(301), None);
        assert_eq!(Bpm::from_whole(-1), None);
        assert_eq!(Bpm::from_whole(65_536 + 70), None);
    }

    #[test]
    fn a_mean_is_rounded_half_up() {
        for (sum, count, mean) in [
            (70, 1, Some(70)),
            (141, 2, Some(71)),
            (211, 3, Some(70)),
            (0, 0, None),
            (0, 3, None),
            (u32::MAX, 1, None),
        ] {
            assert_eq!(Bpm::mean(sum, count).map(Bpm::get), mean);
        }
    }

    #[test]
    fn a_missing_rate_costs_no_extra_byte() {
        assert_eq!(size_of::<Option<Bpm>>(), 2);
    }
}
