//! The direction in which a heart rate moves.

use jiff::SignedDuration;

use crate::{
    Bpm,
    day::{Sample, Window},
};

/// The direction of the latest quarter of an hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trend {
    /// Its last minutes are clearly higher than its first ones.
    Rising,
    /// Neither.
    Steady,
    /// Its last minutes are clearly lower than its first ones.
    Falling,
}

/// The minutes at either end that are compared.
const END: usize = 5;

/// A smaller difference between the sums of both ends is not a trend: 5 bpm in each of five minutes. A
/// person who sits still varies by three or four.
const LEAST: u16 = 25;

/// The longest time that the minutes may span. Fifteen in a row span 14 minutes.
const LONGEST: SignedDuration = SignedDuration::from_mins(20);

impl Trend {
    /// Returns the trend of a window; `None` if it has fewer than ten minutes, or too many are missing
    /// between them. Whether the window is still fresh is for the caller to know.
    #[must_use]
    pub fn of(window: &Window) -> Option<Self> {
        let samples = window.samples();
        let (oldest, newest) = (samples.first()?, samples.last()?);
        if samples.len() < 2 * END || newest.at.duration_since(oldest.at) > LONGEST {
            return None;
        }
        let before = sum(samples.get(..END)?);
        let after = sum(samples.get(samples.len().checked_sub(END)?..)?);
        Some(if after >= before + LEAST {
            Self::Rising
        } else if before >= after + LEAST {
            Self::Falling
        } else {
            Self::Steady
        })
    }

    /// Returns the word for the display.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rising => "rising",
            Self::Steady => "steady",
            Self::Falling => "falling",
        }
    }
}

fn sum(samples: &[Sample]) -> u16 {
    samples.iter().map(|sample| sample.bpm).map(Bpm::get).sum()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    /// The trend of minutes that are `spacing` minutes apart.
    fn trend(rates: impl IntoIterator<Item = u16>, spacing: i64) -> Option<Trend> {
        let start: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        let mut window = Window::ending_at(start + SignedDuration::from_hours(2));
        for (minute, rate) in (0_i64..).zip(rates) {
            let at = start + SignedDuration::from_mins(minute * spacing);
            window.insert(Sample {
                at,
                bpm: Bpm::new(rate).unwrap(),
            });
        }
        Trend::of(&window)
    }

    #[test]
    fn a_clear_difference_between_the_ends_is_a_trend() {
        assert_eq!(trend(70..85, 1), Some(Trend::Rising));
        assert_eq!(trend((70..85).rev(), 1), Some(Trend::Falling));
        assert_eq!(trend([70; 15], 1), Some(Trend::Steady));
        let noise = [70, 73, 69, 72, 71, 70, 74, 68, 72, 73, 71, 69, 73, 72, 74];
        assert_eq!(trend(noise, 1), Some(Trend::Steady));
        let (low, high) = ([60; 10], [65; 5]);
        assert_eq!(trend(low.into_iter().chain(high), 1), Some(Trend::Rising));
        let high = [64; 5];
        assert_eq!(trend(low.into_iter().chain(high), 1), Some(Trend::Steady));
    }

    #[test]
    fn too_few_minutes_and_long_gaps_have_no_trend() {
        assert_eq!(trend([], 1), None);
        assert_eq!(trend(70..79, 1), None);
        assert_eq!(trend(70..80, 1), Some(Trend::Rising));
        assert_eq!(trend(70..80, 2), Some(Trend::Rising));
        assert_eq!(trend(70..80, 3), None);
    }

    #[test]
    fn the_highest_rates_do_not_overflow() {
        assert_eq!(trend([Bpm::MAX; 15], 1), Some(Trend::Steady));
    }
}
