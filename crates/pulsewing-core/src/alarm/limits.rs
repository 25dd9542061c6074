//! The limits of a wearer's alarms, as a user sets them.

use jiff::SignedDuration;

use super::Level;
use crate::{Bpm, look::Night};

/// The lowest and the highest heart rate that can be a limit, in bpm.
const RATES: core::ops::RangeInclusive<u16> = 25..=250;

/// The limits of a wearer's alarms.
///
/// Alarms of the heart rate are off until somebody sets their limits, because only the wearer knows
/// which are right. Alarms of absence are on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Above this rate: a warning.
    pub high: Option<Bpm>,
    /// Above this rate: urgent.
    pub high_urgent: Option<Bpm>,
    /// Below this rate: a warning.
    pub low: Option<Bpm>,
    /// Below this rate: urgent.
    pub low_urgent: Option<Bpm>,
    /// Without a new minute for this long: a warning; urgent after [three times](Self::STALE_URGENT) as
    /// long. 15 minutes to 7 days.
    pub stale: Option<SignedDuration>,
    /// The tracker's battery in percent at which there is a warning, 1 to 90; urgent at
    /// [`Self::BATTERY_URGENT`].
    pub battery: Option<u8>,
    /// The hours in which only what is urgent is signalled.
    pub quiet: Option<Night>,
    /// The time from the first signal to its repeat, 1 to 60 minutes; it doubles up to an hour.
    pub repeat: SignedDuration,
    /// The age up to which a minute can cause an alarm of the heart rate, 15 minutes to 3 hours.
    pub fresh: SignedDuration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            high: None,
            high_urgent: None,
            low: None,
            low_urgent: None,
            stale: Some(SignedDuration::from_hours(2)),
            battery: Some(20),
            quiet: None,
            repeat: SignedDuration::from_mins(10),
            fresh: SignedDuration::from_mins(60),
        }
    }
}

impl Limits {
    /// The silence that is urgent, as a multiple of [`Self::stale`].
    pub const STALE_URGENT: i32 = 3;

    /// The charge in percent that is urgent, unless the limit itself is lower.
    pub const BATTERY_URGENT: u8 = 5;

    /// The charge above the limit at which the alarm is over, in percentage points.
    pub const BATTERY_BACK: u8 = 10;

    /// The age of the tracker's last sync that is worth knowing.
    pub const SYNC: SignedDuration = SignedDuration::from_hours(12);

    /// The time before the end of a refresh token at which somebody has to sign in again.
    pub const SIGN_IN_ENDS: SignedDuration = SignedDuration::from_hours(48);

    /// The time for which updates may fail.
    pub const FAILING: SignedDuration = SignedDuration::from_hours(2);

    /// The age at which a minute says nothing about the present any more, whatever the settings.
    pub const TOO_OLD: SignedDuration = SignedDuration::from_hours(3);

    /// Returns the limit above which the heart rate is too high at a level.
    #[must_use]
    pub const fn above(&self, level: Level) -> Option<Bpm> {
        match level {
            Level::Info => None,
            Level::Warning => self.high,
            Level::Urgent => self.high_urgent,
        }
    }

    /// Returns the limit below which the heart rate is too low at a level.
    #[must_use]
    pub const fn below(&self, level: Level) -> Option<Bpm> {
        match level {
            Level::Info => None,
            Level::Warning => self.low,
            Level::Urgent => self.low_urgent,
        }
    }

    /// Checks that the limits make sense together.
    ///
    /// # Errors
    /// The first [`LimitsError`].
    pub fn check(&self) -> Result<(), LimitsError> {
        let rates = [self.high, self.high_urgent, self.low, self.low_urgent];
        if let Some(rate) = rates
            .into_iter()
            .flatten()
            .find(|rate| !RATES.contains(&rate.get()))
        {
            return Err(LimitsError::Rate(rate));
        }
        if let (Some(high), Some(urgent)) = (self.high, self.high_urgent)
            && urgent <= high
        {
            return Err(LimitsError::HighUrgent { high, urgent });
        }
        if let (Some(low), Some(urgent)) = (self.low, self.low_urgent)
            && urgent >= low
        {
            return Err(LimitsError::LowUrgent { low, urgent });
        }
        let highest_low = self.low.max(self.low_urgent);
        let lowest_high = self.high.or(self.high_urgent);
        if let (Some(low), Some(high)) = (highest_low, lowest_high)
            && low >= high
        {
            return Err(LimitsError::LowAboveHigh { low, high });
        }
        let within = |span: SignedDuration, from: i64, to: i64| {
            (SignedDuration::from_mins(from)..=SignedDuration::from_mins(to)).contains(&span)
        };
        if self
            .stale
            .is_some_and(|stale| !within(stale, 15, 7 * 24 * 60))
        {
            return Err(LimitsError::Stale);
        }
        if self
            .battery
            .is_some_and(|percent| !(1..=90).contains(&percent))
        {
            return Err(LimitsError::Battery);
        }
        if !within(self.repeat, 1, 60) {
            return Err(LimitsError::Repeat);
        }
        if !within(self.fresh, 15, 180) {
            return Err(LimitsError::Fresh);
        }
        Ok(())
    }
}

/// The reason why limits make no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LimitsError {
    /// A heart rate that is no limit.
    #[error("a limit must be from 25 to 250 bpm; {} is not", .0.get())]
    Rate(Bpm),
    /// What is urgent would come before the warning.
    #[error("high_urgent must be above high, but {} is not above {}", urgent.get(), high.get())]
    HighUrgent {
        /// The limit of the warning.
        high: Bpm,
        /// The limit of what is urgent.
        urgent: Bpm,
    },
    /// What is urgent would come before the warning.
    #[error("low_urgent must be below low, but {} is not below {}", urgent.get(), low.get())]
    LowUrgent {
        /// The limit of the warning.
        low: Bpm,
        /// The limit of what is urgent.
        urgent: Bpm,
    },
    /// Every rate would be too low or too high.
    #[error("low must be below high, but {} is not below {}", low.get(), high.get())]
    LowAboveHigh {
        /// The limit for low rates.
        low: Bpm,
        /// The limit for high rates.
        high: Bpm,
    },
    /// Too short, or too long.
    #[error("stale must be from 15 minutes to 7 days")]
    Stale,
    /// Not a charge to warn of.
    #[error("battery must be from 1 to 90 percent")]
    Battery,
    /// Too short, or too long.
    #[error("repeat must be from 1 to 60 minutes")]
    Repeat,
    /// Too short, or too long.
    #[error("fresh must be from 15 minutes to 3 hours")]
    Fresh,
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::ToString;

    use super::*;

    #[test]
    fn limits_that_contradict_each_other_are_told_in_words() {
        let bpm = |rate| Some(Bpm::new(rate).unwrap());
        let usual = Limits::default();
        assert_eq!(usual.check(), Ok(()));
        let all = Limits {
            high: bpm(120),
            high_urgent: bpm(150),
            low: bpm(45),
            low_urgent: bpm(40),
            ..usual
        };
        assert_eq!(all.check(), Ok(()));
        for (limits, words) in [
            (
                Limits {
                    high: bpm(24),
                    ..usual
                },
                "25 to 250",
            ),
            (
                Limits {
                    low: bpm(251),
                    ..usual
                },
                "25 to 250",
            ),
            (
                Limits {
                    high_urgent: bpm(120),
                    ..all
                },
                "120 is not above 120",
            ),
            (
                Limits {
                    low_urgent: bpm(45),
                    ..all
                },
                "45 is not below 45",
            ),
            (
                Limits {
                    low: bpm(120),
                    ..all
                },
                "120 is not below 120",
            ),
            (
                Limits {
                    low_urgent: bpm(130),
                    high: bpm(120),
                    ..usual
                },
                "130 is not below 120",
            ),
            (
                Limits {
                    low: bpm(160),
                    high_urgent: bpm(150),
                    ..usual
                },
                "160 is not below 150",
            ),
            (
                Limits {
                    stale: Some(SignedDuration::from_mins(14)),
                    ..usual
                },
                "stale",
            ),
            (
                Limits {
                    battery: Some(0),
                    ..usual
                },
                "battery",
            ),
            (
                Limits {
                    repeat: SignedDuration::from_mins(61),
                    ..usual
                },
                "repeat",
            ),
            (
                Limits {
                    fresh: SignedDuration::from_hours(4),
                    ..usual
                },
                "fresh",
            ),
        ] {
            let error = limits.check().unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
