//! The times below a graph: which of them are told, and in which columns they stand.

use crate::faces::plot::Plot;

/// The possible steps between labels, in minutes. Each divides a day, so that labels are evenly spaced.
const STEPS: [u16; 13] = [1, 2, 5, 10, 15, 30, 60, 120, 180, 240, 360, 720, 1_440];

/// The width of a label, `06:00`.
pub(super) const LABEL: u16 = 5;

/// The columns that a label takes on either side of its tick.
pub(super) const ASIDE: u16 = LABEL / 2;

/// The least distance between two ticks, which leaves clear gaps between the labels: on axes shorter than
/// this, and on the others.
const APART: (u16, u16, u16) = (LABEL + 2, 60, LABEL + 3);

/// The least gap between two labels where the clock jumps, and one of them is nearer than usual.
const LEAST_APART: u16 = LABEL + 1;

/// The columns that consecutive minutes take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Columns {
    /// The number of columns.
    pub(super) count: u16,
    /// The number of minutes.
    pub(super) minutes: u16,
}

impl Columns {
    /// Returns the column in which a minute begins. The end of the last minute is in the last column.
    pub(super) fn of(self, minute: u16) -> u16 {
        let column = self.share(u32::from(minute), self.count.into());
        column.min(self.count.saturating_sub(1))
    }

    /// Returns the column of dots with the middle of a minute; a column has two.
    pub(super) fn dot(self, minute: u16) -> u16 {
        self.share(u32::from(minute) * 2 + 1, self.count.into())
    }

    fn share(self, part: u32, columns: u32) -> u16 {
        let place = part * columns / u32::from(self.minutes.max(1));
        u16::try_from(place).unwrap_or(u16::MAX)
    }
}

/// A time below a graph: its tick stands in the column of its instant, and its text around that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Label {
    /// The minute of the plot that begins then.
    pub(super) minute: u16,
    /// The column of the tick.
    pub(super) column: u16,
    /// The time on the wearer's clock.
    pub(super) text: String,
}

/// Returns the labels of a plot: round times, at the smallest step for which there is room.
pub(super) fn labels(plot: &Plot, columns: u16) -> Vec<Label> {
    let minutes = plot.length();
    let columns = Columns {
        count: columns,
        minutes,
    };
    let (on_short, short, on_long) = APART;
    let apart = if columns.count < short {
        on_short
    } else {
        on_long
    };
    let has_room = |step: &u16| {
        u32::from(*step) * u32::from(columns.count) >= u32::from(apart) * u32::from(minutes)
    };
    let step = STEPS.into_iter().find(has_room).unwrap_or(1_440);
    let mut labels: Vec<Label> = Vec::new();
    for minute in 0..=minutes {
        let (at, offset) = plot.time(minute);
        let clock = offset.to_datetime(at);
        let of_day = i32::from(clock.hour()) * 60 + i32::from(clock.minute());
        if of_day % i32::from(step) != 0 {
            continue;
        }
        let column = columns.of(minute);
        if labels
            .last()
            .is_some_and(|last| column - last.column < LEAST_APART)
        {
            continue;
        }
        let text = match of_day {
            // The end of a day must not read like its beginning.
            0 if minute == minutes => "24:00".to_owned(),
            _ => format!("{:02}:{:02}", clock.hour(), clock.minute()),
        };
        labels.push(Label {
            minute,
            column,
            text,
        });
    }
    labels
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};
    use proptest::prelude::*;
    use pulsewing_testkit::readings::berlin;

    use super::*;

    /// A plot of so many minutes on Berlin's clock, without values.
    fn plot(start: &str, from: i64, minutes: u16) -> Plot {
        let start: Timestamp = start.parse().unwrap();
        let start = start + SignedDuration::from_mins(from);
        let mut offsets = Vec::new();
        for minute in 0..minutes {
            let offset = berlin().at(start + SignedDuration::from_mins(minute.into()));
            if offsets.last().is_none_or(|(_, last)| *last != offset) {
                offsets.push((minute, offset));
            }
        }
        Plot {
            start,
            values: vec![None; minutes.into()],
            offsets,
            past: minutes,
        }
    }

    fn told(plot: &Plot, columns: u16) -> Vec<(u16, String)> {
        let labels = labels(plot, columns).into_iter();
        labels.map(|label| (label.column, label.text)).collect()
    }

    #[test]
    fn a_day_has_its_hours_where_they_belong() {
        let day = plot("2026-11-21T23:00:00Z", 0, 1_440);
        let placed =
            |hours: [(u16, &str); 5]| hours.map(|(column, text)| (column, text.to_owned()));
        assert_eq!(
            told(&day, 36),
            placed([
                (0, "00:00"),
                (9, "06:00"),
                (18, "12:00"),
                (27, "18:00"),
                (35, "24:00")
            ])
        );
        assert_eq!(told(&day, 113).len(), 13);
    }

    #[test]
    fn fifteen_minutes_are_evenly_spaced() {
        let window = plot("2026-11-22T12:45:00Z", 0, 15);
        let texts = |columns| -> Vec<String> {
            told(&window, columns)
                .into_iter()
                .map(|(_, text)| text)
                .collect()
        };
        assert_eq!(texts(33), ["13:45", "13:50", "13:55", "14:00"]);
        let every_second = "13:46 13:48 13:50 13:52 13:54 13:56 13:58 14:00";
        assert_eq!(texts(73).join(" "), every_second);
    }

    proptest! {
        #[test]
        fn a_tick_stands_at_its_instant_and_labels_never_overlap(
            columns in 1_u16..400,
            minutes in 1_u16..3_000,
            from in 0_i64..3_000,
            // An ordinary day, and both on which the clocks change.
            start in prop::sample::select(vec![
                "2026-11-21T23:00:00Z", "2026-03-28T10:00:00Z", "2026-10-24T10:00:00Z",
            ]),
        ) {
            let plot = plot(start, from, minutes);
            let labels = labels(&plot, columns);
            let column_time = f64::from(minutes) / f64::from(columns);
            for label in &labels {
                prop_assert!(label.column < columns);
                let middle = (f64::from(label.column) + 0.5) * column_time;
                let off = (middle - f64::from(label.minute)).abs();
                prop_assert!(off <= column_time / 2.0 + 1e-9, "{label:?} is {off} minutes off");
                let (at, offset) = plot.time(label.minute);
                let clock = offset.to_datetime(at).strftime("%H:%M").to_string();
                prop_assert_eq!(label.text.replace("24:00", "00:00"), clock);
            }
            for pair in labels.windows(2) {
                prop_assert!(pair[1].column - pair[0].column > LABEL, "{:?}", pair);
            }
            if plot.offsets.len() == 1 {
                let steps: Vec<u16> =
                    labels.windows(2).map(|pair| pair[1].minute - pair[0].minute).collect();
                // Else not even a label for each day has room.
                if u32::from(columns) * 1_440 >= u32::from(APART.2) * u32::from(minutes) {
                    prop_assert!(steps.iter().all(|step| step == &steps[0]), "{:?}", steps);
                    prop_assert!(steps.first().is_none_or(|step| STEPS.contains(step)));
                }
            }
        }
    }
}
