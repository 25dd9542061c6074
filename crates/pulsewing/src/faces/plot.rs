//! The data of a heart-rate graph: minutes on one axis, beats per minute on the other.

use jiff::{SignedDuration, Timestamp, tz::Offset};
use pulsewing_core::{
    Bpm,
    civil::Offsets,
    day::{Day, Extent, Window},
};

/// The maximum number of labels on an axis.
const LABELS: usize = 8;

/// The possible steps between labels of clock times, in minutes.
const STEPS: [u16; 11] = [1, 2, 5, 10, 15, 30, 60, 120, 180, 240, 360];

/// Consecutive minutes, each with or without an average.
#[derive(Clone, Debug)]
pub(crate) struct Plot {
    /// The beginning of the first minute.
    pub(crate) start: Timestamp,
    /// One value per minute.
    pub(crate) values: Vec<Option<Bpm>>,
    /// The clock's offsets, each with the minute from which it holds; the first is minute 0.
    pub(crate) offsets: Vec<(u16, Offset)>,
    /// The number of minutes that have already passed.
    pub(crate) past: u16,
}

/// The bpm at the bottom, at the top, and at the grid lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scale {
    pub(crate) low: u16,
    pub(crate) high: u16,
    pub(crate) lines: Vec<u16>,
}

impl Plot {
    /// Plots the latest minutes, from the first of them to the last.
    pub(crate) fn from_window(window: &Window, offsets: &Offsets) -> Option<Self> {
        let samples = window.samples();
        let minute = |at: Timestamp| at.as_second().div_euclid(60);
        let (first, last) = (minute(samples.first()?.at), minute(samples.last()?.at));
        let length = usize::try_from(last - first + 1).ok()?;
        let mut values = vec![None; length];
        for sample in samples {
            let place = usize::try_from(minute(sample.at) - first).ok()?;
            if let Some(slot) = values.get_mut(place) {
                *slot = Some(sample.bpm);
            }
        }
        let start = Timestamp::from_second(first * 60).ok()?;
        let length = u16::try_from(length).ok()?;
        Some(Self {
            start,
            past: length,
            values,
            offsets: held(offsets, start, length),
        })
    }

    /// Plots this many minutes of some days, from the minute of an instant on, at `now`.
    pub(crate) fn from_days(
        days: &[&Day],
        offsets: &Offsets,
        start: Timestamp,
        length: u16,
        now: Timestamp,
    ) -> Self {
        let start = Timestamp::from_second(start.as_second().div_euclid(60) * 60).unwrap_or(start);
        let bpm = |minute: u16| {
            let at = start + SignedDuration::from_mins(minute.into());
            days.iter()
                .find_map(|day| day.get(day.local().minute_of(at)?))
        };
        let past = now.duration_since(start).as_mins();
        Self {
            start,
            values: (0..length).map(bpm).collect(),
            offsets: held(offsets, start, length),
            past: u16::try_from(past.clamp(0, length.into())).unwrap_or(length),
        }
    }

    /// Plots a day from one minute up to another, at `now`.
    pub(crate) fn from_day(day: &Day, from: u16, to: u16, now: Timestamp) -> Self {
        let local = day.local();
        let to = to.min(local.minutes());
        let from = from.min(to);
        let start = local.instant(from);
        let mut offsets = vec![(0, local.offset_in(from))];
        if let Some(change) = local.change()
            && change.minute > from
            && change.minute < to
        {
            offsets.push((change.minute - from, change.offset));
        }
        let past = now
            .duration_since(start)
            .as_mins()
            .clamp(0, i64::from(to - from));
        Self {
            start,
            values: (from..to).map(|minute| day.get(minute)).collect(),
            offsets,
            past: u16::try_from(past).unwrap_or(to - from),
        }
    }

    /// Returns the number of minutes in the plot.
    pub(crate) fn length(&self) -> u16 {
        u16::try_from(self.values.len()).unwrap_or(u16::MAX)
    }

    /// Returns the beginning of a minute, and the clock's offset then.
    pub(crate) fn time(&self, minute: u16) -> (Timestamp, Offset) {
        let at = self.start + SignedDuration::from_mins(minute.into());
        let offset = self
            .offsets
            .iter()
            .rev()
            .find(|(from, _)| *from <= minute)
            .map_or(Offset::UTC, |(_, offset)| *offset);
        (at, offset)
    }

    /// Returns the minutes with a value.
    pub(crate) fn known(&self) -> impl Iterator<Item = (u16, Bpm)> + '_ {
        (0..)
            .zip(&self.values)
            .filter_map(|(minute, bpm)| Some((minute, (*bpm)?)))
    }

    /// Returns the number of minutes with a value.
    pub(crate) fn logged_minutes(&self) -> usize {
        self.known().count()
    }

    /// Returns the minimum, mean and maximum.
    pub(crate) fn extent(&self) -> Option<Extent> {
        Extent::from_rates(self.known().map(|(_, bpm)| bpm))
    }

    /// Returns the runs of consecutive minutes with a value. Each is drawn as one line, so that
    /// gaps stay gaps.
    pub(crate) fn runs(&self) -> Vec<Vec<(u16, u16)>> {
        let mut runs: Vec<Vec<(u16, u16)>> = Vec::new();
        for (minute, bpm) in self.known() {
            match runs.last_mut() {
                Some(run) if run.last().is_some_and(|(last, _)| last + 1 == minute) => {
                    run.push((minute, bpm.get()));
                }
                _ => runs.push(vec![(minute, bpm.get())]),
            }
        }
        runs
    }

    /// Returns the minutes at which the clock shows a round time, with that time.
    pub(crate) fn labels(&self) -> Vec<(u16, String)> {
        let length = usize::from(self.length());
        let step = STEPS
            .into_iter()
            .find(|step| length / usize::from(*step) <= LABELS)
            .unwrap_or(360);
        (0..self.length())
            .filter_map(|minute| {
                let (at, offset) = self.time(minute);
                let clock = offset.to_datetime(at);
                let of_day = i32::from(clock.hour()) * 60 + i32::from(clock.minute());
                (of_day % i32::from(step) == 0)
                    .then(|| (minute, format!("{:02}:{:02}", clock.hour(), clock.minute())))
            })
            .collect()
    }

    /// Returns a scale with room for every value.
    pub(crate) fn scale(&self) -> Scale {
        let (min, max) = self
            .extent()
            .map_or((60, 100), |extent| (extent.min.get(), extent.max.get()));
        Scale::covering(min, max)
    }
}

/// Returns the clock's offsets in these minutes, each with the minute from which it holds.
fn held(offsets: &Offsets, start: Timestamp, length: u16) -> Vec<(u16, Offset)> {
    let mut held: Vec<(u16, Offset)> = Vec::new();
    for minute in 0..length {
        let offset = offsets.at(start + SignedDuration::from_mins(minute.into()));
        if held.last().is_none_or(|(_, last)| *last != offset) {
            held.push((minute, offset));
        }
    }
    held
}

impl Scale {
    /// Builds a scale from a multiple of ten at or below `min` to one at or above `max`, at least
    /// twenty apart.
    pub(crate) fn covering(min: u16, max: u16) -> Self {
        let low = min / 10 * 10;
        let high = max.div_ceil(10) * 10;
        let (low, high) = if high - low < 20 {
            let low = low.saturating_sub(10);
            (low, high.max(low + 20))
        } else {
            (low, high)
        };
        let step = [10, 20, 50, 100]
            .into_iter()
            .find(|step| (high - low) / step <= 4)
            .unwrap_or(100);
        let first = low.div_ceil(step) * step;
        let lines = (first..=high).step_by(usize::from(step)).collect();
        Self { low, high, lines }
    }

    /// Returns a rate's distance from the top, in percent of the height.
    pub(crate) fn percent(&self, bpm: u16) -> f64 {
        let span = f64::from(self.high.saturating_sub(self.low).max(1));
        f64::from(self.high.saturating_sub(bpm)) * 100.0 / span
    }
}

#[cfg(test)]
mod tests {
    use jiff::{civil::date, tz::TimeZone};
    use proptest::prelude::*;
    use pulsewing_core::dialect::ZoneFacts;

    use super::*;
    use crate::engine::zone;

    fn bpm(rate: u16) -> Bpm {
        Bpm::new(rate).unwrap()
    }

    /// Returns noon of a day in Berlin.
    fn noon(month: i8, day: i8) -> Timestamp {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let noon = date(2026, month, day).at(12, 0, 0, 0).to_zoned(zone);
        noon.unwrap().timestamp()
    }

    fn day(month: i8, of_month: i8) -> Day {
        let noon = noon(month, of_month);
        let zone = zone::resolve(&ZoneFacts::default(), Some("Europe/Berlin"), noon);
        Day::new(zone.offsets.day_of(noon))
    }

    #[test]
    fn a_day_on_which_the_clocks_go_back_shows_the_repeated_hour_twice() {
        let plot = Plot::from_day(&day(10, 25), 0, u16::MAX, noon(10, 25));
        assert_eq!(plot.length(), 1_500);
        // Noon is thirteen hours after midnight.
        assert_eq!(plot.past, 780);
        let labels = plot.labels();
        let at = |text: &str| labels.iter().find(|(_, label)| label == text).unwrap().0;
        assert_eq!((at("00:00"), at("12:00")), (0, 780));
        let near = Plot::from_day(&day(10, 25), 110, 260, noon(10, 25));
        let twice = near.labels();
        let twice: Vec<_> = twice.iter().filter(|(_, label)| label == "02:30").collect();
        assert_eq!(twice.len(), 2, "{:?}", near.labels());
    }

    #[test]
    fn a_day_on_which_the_clocks_go_forward_lacks_an_hour() {
        let plot = Plot::from_day(&day(3, 29), 0, u16::MAX, noon(3, 30));
        assert_eq!((plot.length(), plot.past), (1_380, 1_380));
        let labels = plot.labels();
        assert!(
            labels
                .iter()
                .any(|(minute, label)| (*minute, label.as_str()) == (120, "03:00"))
        );
    }

    #[test]
    fn gaps_stay_gaps_and_a_lone_minute_is_there() {
        let mut day = day(11, 22);
        for minute in [3, 4, 5, 9, 20, 21] {
            day.record(minute, bpm(70 + minute));
        }
        let plot = Plot::from_day(&day, 0, 30, noon(11, 22));
        assert_eq!(
            plot.runs(),
            [
                vec![(3, 73), (4, 74), (5, 75)],
                vec![(9, 79)],
                vec![(20, 90), (21, 91)]
            ]
        );
        let extent = plot.extent().unwrap();
        assert_eq!(
            [extent.min, extent.mean, extent.max].map(Bpm::get),
            [73, 80, 91]
        );
        assert_eq!(plot.logged_minutes(), 6);
    }

    #[test]
    fn twenty_four_hours_are_of_two_days() {
        let (mut before, mut today) = (day(11, 21), day(11, 22));
        before.record(1_439, bpm(60));
        today.record(0, bpm(61));
        // Noon in Berlin is at 11:00 UTC.
        let now = noon(11, 22) + SignedDuration::from_secs(30);
        let start = now - SignedDuration::from_hours(24);
        let offsets = zone::resolve(&ZoneFacts::default(), Some("Europe/Berlin"), now).offsets;
        let plot = Plot::from_days(&[&today, &before], &offsets, start, 1_470, now);
        let known: Vec<_> = plot.known().map(|(at, bpm)| (at, bpm.get())).collect();
        assert_eq!(known, [(719, 60), (720, 61)]);
        assert_eq!((plot.past, plot.length()), (1_440, 1_470));
        let labels = plot.labels();
        assert!(labels.contains(&(720, "00:00".to_owned())), "{labels:?}");
    }

    #[test]
    fn a_day_without_a_minute_has_axes_all_the_same() {
        let plot = Plot::from_day(&day(11, 22), 0, u16::MAX, noon(11, 21));
        assert_eq!(plot.past, 0);
        assert!(plot.runs().is_empty() && plot.extent().is_none());
        assert_eq!(plot.scale().lines, [60, 70, 80, 90, 100]);
    }

    #[test]
    fn an_axis_begins_at_nought_and_is_long_all_the_same() {
        let scale = Scale::covering(1, 1);
        assert_eq!(
            (scale.low, scale.high, scale.lines),
            (0, 20, vec![0, 10, 20])
        );
    }

    proptest! {
        #[test]
        fn every_rate_is_on_its_scale(one in 1_u16..=300, other in 1_u16..=300) {
            let (min, max) = (one.min(other), one.max(other));
            let scale = Scale::covering(min, max);
            prop_assert!(scale.low <= min && max <= scale.high && scale.high - scale.low >= 20);
            prop_assert!((2..=6).contains(&scale.lines.len()), "{:?}", scale);
            for rate in [min, max] {
                prop_assert!((0.0..=100.0).contains(&scale.percent(rate)));
            }
            for line in &scale.lines {
                prop_assert!((scale.low..=scale.high).contains(line));
            }
        }

        #[test]
        fn there_is_room_for_every_label(from in 0_u16..1_440, length in 1_u16..1_500) {
            let plot = Plot::from_day(&day(11, 22), from, from + length, noon(11, 22));
            let labels = plot.labels();
            prop_assert!(labels.len() <= LABELS + 1, "{:?}", labels);
            prop_assert!(plot.length() < 60 || !labels.is_empty());
        }
    }
}
