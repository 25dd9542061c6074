//! Clock times without a date or offset, placed on a day.

use jiff::civil::Time;

use crate::civil::LocalDay;

/// Reads `HH:MM:SS` (or `HH:MM`) of the wearer's clock, as seconds since midnight.
#[inline]
pub(super) fn clock_seconds(text: &[u8]) -> Option<i32> {
    let (&[h1, h2, b':', m1, m2], [s1, s2]) = (match text {
        [clock @ .., b':', s1, s2] if text.len() == 8 => (clock.first_chunk()?, [*s1, *s2]),
        _ => (text.try_into().ok()?, [b'0', b'0']),
    }) else {
        return None;
    };
    let two = |tens: u8, ones: u8| {
        let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
        (tens < 10 && ones < 10).then(|| i32::from(tens) * 10 + i32::from(ones))
    };
    let (hour, minute, second) = (two(h1, h2)?, two(m1, m2)?, two(s1, s2)?);
    (hour < 24 && minute < 60 && second < 60).then_some((hour * 60 + minute) * 60 + second)
}

/// Converts clock times to minutes of a day, one after the other.
///
/// On the day on which the clocks go back, an hour comes twice. The second pass is recognised by a
/// clock time that is earlier than the one before.
#[derive(Clone, Copy, Debug)]
pub(super) struct ClockReader {
    before: Stretch,
    after: Option<Stretch>,
    /// Whether the latest clock time was after the change of the offset.
    changed: bool,
    latest: i32,
}

/// A part of a day in which the offset stays the same.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    /// The clock time at its beginning, in seconds since the midnight of the day's date; a clock that
    /// is set back soon after midnight shows the evening before.
    clock: i32,
    /// The minutes of the day that belong to it, excluding the last one.
    from: u16,
    until: u16,
}

impl Stretch {
    fn new(day: &LocalDay, from: u16, until: u16) -> Self {
        let beginning = day.offset_in(from).to_datetime(day.instant(from));
        let date_before = if beginning.date() < day.date() {
            86_400
        } else {
            0
        };
        Self {
            clock: seconds(beginning.time()) - date_before,
            from,
            until,
        }
    }

    #[inline]
    fn minute(self, clock: i32) -> Option<u16> {
        let elapsed = clock.checked_sub(self.clock)?;
        let minutes = u16::try_from(elapsed.div_euclid(60)).ok()?;
        let minute = self.from.checked_add(minutes)?;
        (minute < self.until).then_some(minute)
    }
}

impl ClockReader {
    pub(super) fn new(day: &LocalDay) -> Self {
        let end = day.minutes();
        let change = day.change().map_or(end, |change| change.minute);
        Self {
            before: Stretch::new(day, 0, change),
            after: day.change().map(|_| Stretch::new(day, change, end)),
            changed: false,
            latest: 0,
        }
    }

    /// Returns the minute in which the clock shows `time`; `None` if it never does on this day.
    pub(super) fn minute_of(&mut self, time: Time) -> Option<u16> {
        self.minute(seconds(time))
    }

    /// Returns the minute in which the clock shows `clock`; `None` if it never does on this day.
    #[inline]
    pub(super) fn minute(&mut self, clock: i32) -> Option<u16> {
        let Some(after) = self.after else {
            return self.before.minute(clock);
        };
        let (first, second) = (self.before.minute(clock), after.minute(clock));
        self.changed |= clock < self.latest && second.is_some();
        self.latest = clock;
        if self.changed {
            second.or(first)
        } else {
            first.or(second)
        }
    }
}

fn seconds(time: Time) -> i32 {
    (i32::from(time.hour()) * 60 + i32::from(time.minute())) * 60 + i32::from(time.second())
}

#[cfg(test)]
mod tests {
    use jiff::{Timestamp, civil::Date, tz::Offset};
    use proptest::prelude::*;

    use super::*;
    use crate::civil::Offsets;

    #[test]
    fn a_clock_time_has_two_or_three_parts() {
        for (text, expected) in [
            ("00:00:00", Some(0)),
            ("23:59:59", Some(86_399)),
            ("08:30", Some(30_600)),
            ("", None),
            (":", None),
            ("24:00:00", None),
            ("08:60:00", None),
            ("08:30:60", None),
            ("8:30:00", None),
            ("08-30-00", None),
            ("08:30:0 ", None),
            ("08:30:00.0", None),
            ("-1:00:00", None),
        ] {
            assert_eq!(clock_seconds(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn times_in_disorder_do_not_change_the_offset_unless_they_can() {
        let mut offsets = Offsets::fixed(Offset::constant(2));
        let change: Timestamp = "2026-10-25T01:00:00Z".parse().unwrap();
        offsets.push_change(change, Offset::constant(1)).unwrap();
        let mut clock = ClockReader::new(&offsets.day(Date::constant(2026, 10, 25)));
        let minutes = [
            "01:30:00", "00:10:00", "02:30:00", "02:10:00", "00:20:00", "02:20:00",
        ]
        .map(|text| clock.minute(clock_seconds(text.as_bytes()).unwrap()));
        assert_eq!(minutes, [90, 10, 150, 190, 20, 200].map(Some));
    }

    proptest! {
        #[test]
        fn a_time_is_placed_where_the_day_itself_places_it(
            start in 1_700_000_000_i64..1_900_000_000,
            initial in -50..=50_i32,
            shift in prop_oneof![Just(4), Just(-4), Just(2), Just(-2), -8..=8_i32],
            into_day in 0..86_400_i64,
            clock in 0..1_440,
        ) {
            let quarters = |n: i32| Offset::from_seconds(n * 900).unwrap();
            let mut offsets = Offsets::fixed(quarters(initial));
            let day = offsets.day_of(Timestamp::from_second(start).unwrap());
            let change = (day.start().as_second() + into_day).div_euclid(900) * 900;
            let change = Timestamp::from_second(change).unwrap();
            offsets.push_change(change, quarters(initial + shift)).unwrap();
            let day = offsets.day(day.date());
            let time = Time::new((clock / 60) as i8, (clock % 60) as i8, 30, 0).unwrap();
            let (before, after) = (day.minute_at(time, false), day.minute_at(time, true));

            prop_assert_eq!(ClockReader::new(&day).minute_of(time), before.or(after));
            let mut reader = ClockReader::new(&day);
            reader.latest = clock * 60 + 60;
            prop_assert_eq!(reader.minute_of(time), after.or(before));
        }
    }
}
