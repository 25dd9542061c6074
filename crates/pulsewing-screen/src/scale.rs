//! The vertical axis: its range of rates, the places of its ticks, and the row of a rate.

use pulsewing_core::Bpm;

/// The distances between labelled ticks, in beats per minute.
const STEPS: [u16; 8] = [1, 2, 5, 10, 20, 50, 100, 200];

/// The minimum span of an axis: below it, noise of one beat would look like an event.
const LEAST_SPAN: u16 = 4;

/// The minimum span of a steady axis: below it, the ordinary wander of a heart at rest would look like
/// an event.
const LEAST_STEADY_SPAN: u16 = 20;

/// The ends of a steady axis are multiples of this.
const SNAP: u16 = 10;

/// A linear scale of whole beats per minute.
///
/// Both ends are whole, every tick is at a whole rate, and a rate and the tick that names it are
/// drawn at the same height because the same function places both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale {
    low: u16,
    high: u16,
    /// The distance of labelled ticks; their rates leave `phase` when divided by it.
    step: u16,
    phase: u16,
}

impl Scale {
    /// Creates a scale of the rates from `min` to `max`, with some room at either end, and at most
    /// `most_labels` (at least 2) labelled ticks.
    #[must_use]
    pub fn covering(min: Bpm, max: Bpm, most_labels: u16) -> Self {
        let (min, max) = (min.get().min(max.get()), max.get().max(min.get()));
        let span = max - min;
        // As much below as above, so that equal readings are in the middle; not below zero.
        let room = LEAST_SPAN
            .saturating_sub(span)
            .div_ceil(2)
            .max(span / 16)
            .clamp(1, min);
        let (low, high) = (min - room, max + room);
        let count = |step: u16| high / step + 1 - low.div_ceil(step);
        let step = STEPS
            .into_iter()
            .find(|step| count(*step) <= most_labels.max(2))
            .unwrap_or(200);
        // One label shows no distance: stretch the scale to the ticks around it.
        let (low, high) = match count(step) {
            2.. => (low, high),
            _ => (low / step * step, high.div_ceil(step) * step),
        };
        Self {
            low,
            high,
            step,
            phase: 0,
        }
    }

    /// Creates a scale of the rates from `min` to `max` that stays the same from poll to poll as long as
    /// the rates do not change much: its ends are multiples of 10 bpm, at least 20 apart. It has at most
    /// `most_labels` (at least 2) labelled ticks.
    #[must_use]
    pub fn steady(min: Bpm, max: Bpm, most_labels: u16) -> Self {
        let (min, max) = (min.get().min(max.get()), max.get().max(min.get()));
        // A line on the very edge would look cut off.
        let mut low = min.saturating_sub(1) / SNAP * SNAP;
        let mut high = (max + 1).div_ceil(SNAP) * SNAP;
        while high - low < LEAST_STEADY_SPAN {
            // The side that is nearer to the rates gets more room.
            if min - low < high - max && low >= SNAP {
                low -= SNAP;
            } else {
                high += SNAP;
            }
        }
        // Labelled from the bottom up, so that both ends of a low graph have one.
        let span = high - low;
        let steps = STEPS.into_iter().filter(|step| *step >= SNAP);
        let mut fitting = steps.filter(|step| span.div_ceil(*step) < most_labels.max(2));
        let step = fitting.next().unwrap_or(span).min(span);
        Self {
            low,
            // The top has a label too.
            high: low + span.div_ceil(step) * step,
            step,
            phase: low % step,
        }
    }

    /// Creates a scale exactly from `low` to `high`, with a label every 20 beats.
    #[must_use]
    pub fn between(low: u16, high: u16) -> Self {
        let high = high.max(low.saturating_add(1));
        Self {
            low,
            high,
            step: 20,
            phase: 0,
        }
    }

    /// Returns the rate at the bottom, in beats per minute.
    #[must_use]
    pub const fn low(&self) -> u16 {
        self.low
    }

    /// Returns the rate at the top, in beats per minute; above [`low`](Self::low).
    #[must_use]
    pub const fn high(&self) -> u16 {
        self.high
    }

    /// Returns the rates that have a labelled tick, ascending.
    pub fn major_ticks(&self) -> impl Iterator<Item = u16> + use<> {
        let Self {
            low,
            high,
            step,
            phase,
        } = *self;
        multiples(low - phase, high - phase, step).map(move |rate| rate + phase)
    }

    /// Returns the rates that have a tick without a label, ascending; none if every rate has a
    /// label.
    pub fn minor_ticks(&self) -> impl Iterator<Item = u16> + use<> {
        let step = self.step;
        multiples(self.low, self.high, self.minor_step()).filter(move |rate| rate % step != 0)
    }

    /// Returns the distance between ticks, with and without labels, in beats per minute.
    #[must_use]
    pub const fn minor_step(&self) -> u16 {
        match self.step {
            1 | 2 | 5 => 1,
            10 => 5,
            20 | 50 => 10,
            _ => 50,
        }
    }

    /// Returns the row in which a rate is drawn, if the scale runs from the row `bottom` up to the
    /// row `top`. Rates outside the scale are drawn at its ends.
    #[must_use]
    pub fn row(&self, rate: u16, top: i32, bottom: i32) -> i32 {
        let above = i64::from(rate.clamp(self.low, self.high) - self.low);
        let span = i64::from(self.high - self.low).max(1);
        let height = i64::from(bottom) - i64::from(top);
        let rise = (2 * above * height + span).div_euclid(2 * span);
        i32::try_from(i64::from(bottom) - rise).unwrap_or(bottom)
    }

    /// Returns the rate of a row, rounded, if the scale runs from the row `bottom` up to the row
    /// `top`.
    #[must_use]
    pub fn rate(&self, row: i32, top: i32, bottom: i32) -> Bpm {
        let height = (i64::from(bottom) - i64::from(top)).max(1);
        let above = (i64::from(bottom) - i64::from(row)).clamp(0, height);
        let span = i64::from(self.high - self.low);
        let rate = i64::from(self.low) + (2 * above * span + height) / (2 * height);
        Bpm::from_whole(rate.clamp(1, i64::from(Bpm::MAX))).unwrap_or(LEAST)
    }
}

/// The rate that stands for the bottom of a scale that begins at zero.
const LEAST: Bpm = match Bpm::new(1) {
    Some(least) => least,
    None => unreachable!(),
};

fn multiples(low: u16, high: u16, step: u16) -> impl Iterator<Item = u16> {
    (low.div_ceil(step)..=high / step).map(move |factor| factor * step)
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    fn scale(min: u16, max: u16, most_labels: u16) -> Scale {
        Scale::covering(Bpm::new(min).unwrap(), Bpm::new(max).unwrap(), most_labels)
    }

    #[test]
    fn the_step_follows_from_the_range() {
        let labels = |min, max| scale(min, max, 9).major_ticks().collect::<Vec<_>>();
        assert_eq!(labels(86, 91), [85, 86, 87, 88, 89, 90, 91, 92]);
        assert_eq!(labels(80, 92), [80, 82, 84, 86, 88, 90, 92]);
        assert_eq!(labels(70, 104), [70, 75, 80, 85, 90, 95, 100, 105]);
        assert_eq!(labels(60, 140), [60, 70, 80, 90, 100, 110, 120, 130, 140]);
        assert_eq!(labels(1, 300), [0, 50, 100, 150, 200, 250, 300]);
    }

    #[test]
    fn equal_readings_lie_in_the_middle() {
        for rate in [1, 2, 72, 300] {
            assert_eq!(scale(rate, rate, 9).row(rate, 0, 200), 100);
        }
        assert_eq!(
            scale(72, 72, 9).major_ticks().collect::<Vec<_>>(),
            [70, 71, 72, 73, 74]
        );
    }

    #[test]
    fn a_scale_has_two_labels_even_where_there_is_hardly_room() {
        let scale = scale(62, 68, 2);
        assert_eq!((scale.low(), scale.high()), (60, 70));
        assert_eq!(scale.major_ticks().collect::<Vec<_>>(), [60, 65, 70]);
        assert_eq!(
            scale.minor_ticks().collect::<Vec<_>>(),
            [61, 62, 63, 64, 66, 67, 68, 69]
        );
    }

    #[test]
    fn a_steady_scale_moves_in_steps_of_ten() {
        let ends = |min, max| {
            let rates = [min, max].map(|bpm| Bpm::new(bpm).unwrap());
            let scale = Scale::steady(rates[0], rates[1], 3);
            (scale.low(), scale.high())
        };
        // What a wearer's quiet afternoon looks like, poll by poll.
        for (min, max) in [(82, 87), (81, 86), (84, 84)] {
            assert_eq!(ends(min, max), (70, 90), "{min} to {max}");
        }
        assert_eq!(ends(83, 88), (80, 100));
        assert_eq!(ends(150, 163), (140, 180));
        assert_eq!(ends(1, 1), (0, 20));
        assert_eq!(ends(300, 300), (290, 310));
    }

    proptest! {
        #[test]
        fn a_steady_scale_has_its_rates_inside_and_two_labels(
            a in 1_u16..=300, b in 1_u16..=300, most in 0_u16..9,
        ) {
            let (min, max) = (a.min(b), a.max(b));
            let scale = Scale::steady(Bpm::new(min).unwrap(), Bpm::new(max).unwrap(), most);
            prop_assert!(scale.low() < min && max < scale.high());
            prop_assert!(scale.high() - scale.low() >= 20);
            let labels = scale.major_ticks().count();
            prop_assert!((2..=usize::from(most.max(3))).contains(&labels), "{labels}");
        }

        #[test]
        fn a_rate_is_drawn_between_the_ends_at_the_height_of_its_tick(
            a in 1_u16..=300, b in 1_u16..=300, most in 0_u16..20, top in -50_i32..50, height in 0_i32..700,
        ) {
            let (min, max) = (a.min(b), a.max(b));
            let (scale, bottom) = (scale(min, max, most), top + height);
            prop_assert!(scale.low() < min && max < scale.high());
            let rows: Vec<_> = (min..=max).map(|rate| scale.row(rate, top, bottom)).collect();
            prop_assert!(rows.iter().all(|row| (top..=bottom).contains(row)));
            prop_assert!(rows.is_sorted_by(|lower, higher| lower >= higher));
            // If there are at least as many rows as rates, a row leads back to its rate.
            if height >= i32::from(scale.high() - scale.low()) {
                for rate in min..=max {
                    prop_assert_eq!(scale.rate(scale.row(rate, top, bottom), top, bottom).get(), rate);
                }
            }
            let labels: Vec<_> = scale.major_ticks().collect();
            prop_assert!((2..=usize::from(most.max(3))).contains(&labels.len()));
            prop_assert!(labels.iter().all(|rate| (scale.low()..=scale.high()).contains(rate)));
            // Evenly spaced, so that the labels of the axis are linear.
            let steps: Vec<_> = labels.windows(2).map(|pair| pair[1] - pair[0]).collect();
            prop_assert!(steps.iter().all(|step| *step == steps[0]));
        }
    }
}
