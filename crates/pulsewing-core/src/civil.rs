//! Civil time: a zone's offsets, given from outside, and the days that follow from them.
//!
//! The core has no zone database. The driver hands over [`Offsets`]: the current offset and the changes
//! around it (a host reads them from the system's database, a board from its settings). Day boundaries,
//! day lengths and repeated hours are worked out from that.

use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, DateTime, Time},
    tz::Offset,
};

use crate::instant::later;

/// The maximum number of changes in an [`Offsets`]: eight years of summer time.
pub const MAX_CHANGES: usize = 16;

/// The maximum number of minutes in a civil day: 25 hours.
pub const MAX_DAY_MINUTES: u16 = 1_500;

/// A zone's offsets from UTC: one to begin with, and the changes after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offsets {
    initial: Offset,
    changes: heapless::Vec<(Timestamp, Offset), MAX_CHANGES>,
}

/// The reason why a change could not be added to [`Offsets`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OffsetsError {
    /// Changes have to be in chronological order.
    #[error("a change of offset is earlier than the one before it")]
    OutOfOrder,
    /// There is no room for more than [`MAX_CHANGES`].
    #[error("too many changes of offset")]
    Full,
}

impl Offsets {
    /// Creates offsets that never change.
    #[must_use]
    pub const fn fixed(offset: Offset) -> Self {
        Self {
            initial: offset,
            changes: heapless::Vec::new(),
        }
    }

    /// Adds the change to `offset` at the instant `at`, which lies after every earlier change.
    ///
    /// # Errors
    /// [`OffsetsError`] if it does not, or if there is no room.
    pub fn push_change(&mut self, at: Timestamp, offset: Offset) -> Result<(), OffsetsError> {
        if self.changes.last().is_some_and(|(last, _)| *last >= at) {
            return Err(OffsetsError::OutOfOrder);
        }
        self.changes
            .push((at, offset))
            .map_err(|_| OffsetsError::Full)
    }

    /// Returns the offset at an instant.
    #[must_use]
    pub fn at(&self, instant: Timestamp) -> Offset {
        self.changes
            .iter()
            .rev()
            .find(|(at, _)| *at <= instant)
            .map_or(self.initial, |(_, offset)| *offset)
    }

    /// Returns the local date and time at an instant.
    #[must_use]
    pub fn local(&self, instant: Timestamp) -> DateTime {
        self.at(instant).to_datetime(instant)
    }

    /// Returns the civil day that an instant falls in.
    #[must_use]
    pub fn day_of(&self, instant: Timestamp) -> LocalDay {
        self.day(self.local(instant).date())
    }

    /// Returns a civil day: when it begins, how long it is, and where its offset changes.
    ///
    /// A day whose midnight is skipped begins with the first instant that has its date.
    #[must_use]
    pub fn day(&self, date: Date) -> LocalDay {
        let start = self.first_instant_of(date);
        let end = date
            .tomorrow()
            .map_or(Timestamp::MAX, |next| self.first_instant_of(next));
        let minutes = whole_minutes(end.duration_since(start)).min(MAX_DAY_MINUTES);
        let change = self
            .changes
            .iter()
            .find(|(at, _)| *at > start && *at < end)
            .map(|(at, offset)| OffsetChange {
                minute: whole_minutes(at.duration_since(start)),
                offset: *offset,
            });
        LocalDay {
            date,
            start,
            minutes,
            offset: self.at(start),
            change,
        }
    }

    /// Returns the first instant whose local date is `date` (or later, where the date was skipped).
    fn first_instant_of(&self, date: Date) -> Timestamp {
        let midnight = date.to_datetime(Time::midnight());
        let mut from = Timestamp::MIN;
        let mut offset = self.initial;
        for next in self.changes.iter().map(Some).chain([None]) {
            let until = next.map_or(Timestamp::MAX, |(at, _)| *at);
            // Out of the calendar's range: use the earliest instant.
            let candidate = offset.to_timestamp(midnight).unwrap_or(Timestamp::MIN);
            if candidate < until {
                return candidate.max(from);
            }
            if let Some((at, after)) = next {
                from = *at;
                offset = *after;
            }
        }
        from
    }
}

fn whole_minutes(duration: SignedDuration) -> u16 {
    let limit = if duration.is_negative() { 0 } else { u16::MAX };
    u16::try_from(duration.as_mins()).unwrap_or(limit)
}

/// A change of the offset within a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OffsetChange {
    /// Minutes elapsed since the day began.
    pub minute: u16,
    /// The offset from then on.
    pub offset: Offset,
}

/// One civil day of a zone. Of two changes of offset in a day, only the first is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalDay {
    date: Date,
    start: Timestamp,
    minutes: u16,
    offset: Offset,
    change: Option<OffsetChange>,
}

impl LocalDay {
    /// Returns the civil date.
    #[must_use]
    pub const fn date(&self) -> Date {
        self.date
    }

    /// Returns the instant at which the day begins: local midnight, where there is one.
    #[must_use]
    pub const fn start(&self) -> Timestamp {
        self.start
    }

    /// Returns the number of minutes in the day: 1,440, or 1,380 or 1,500 if the clocks change by an
    /// hour.
    #[must_use]
    pub const fn minutes(&self) -> u16 {
        self.minutes
    }

    /// Returns the offset that the day begins with.
    #[must_use]
    pub const fn offset(&self) -> Offset {
        self.offset
    }

    /// Returns the change of offset within the day, if there is one.
    #[must_use]
    pub const fn change(&self) -> Option<OffsetChange> {
        self.change
    }

    /// Returns the minute of the day that an instant falls in, elapsed since [`start`](Self::start).
    #[must_use]
    pub fn minute_of(&self, instant: Timestamp) -> Option<u16> {
        let elapsed = instant.as_second().checked_sub(self.start.as_second())?;
        let minute = u16::try_from(elapsed.checked_div_euclid(60)?).ok()?;
        (minute < self.minutes).then_some(minute)
    }

    /// Returns the instant at which a minute of the day begins.
    #[must_use]
    pub fn instant(&self, minute: u16) -> Timestamp {
        later(self.start, SignedDuration::from_mins(i64::from(minute))).unwrap_or(Timestamp::MAX)
    }

    /// Returns the offset that holds in a minute of the day.
    #[must_use]
    pub fn offset_in(&self, minute: u16) -> Offset {
        match self.change {
            Some(change) if minute >= change.minute => change.offset,
            _ => self.offset,
        }
    }

    /// Returns the time on the wearer's clock in a minute of the day.
    #[must_use]
    pub fn clock(&self, minute: u16) -> Time {
        self.offset_in(minute)
            .to_datetime(self.instant(minute))
            .time()
    }

    /// Returns the minute in which the clock shows `time` under the offset before the change of the day
    /// (`after_change` false) or after it (true); `None` when it never does.
    ///
    /// On the day on which the clocks go back, the repeated hour has both.
    #[must_use]
    pub fn minute_at(&self, time: Time, after_change: bool) -> Option<u16> {
        let offset = match (after_change, self.change) {
            (false, _) => self.offset,
            (true, Some(change)) => change.offset,
            (true, None) => return None,
        };
        let instant = offset.to_timestamp(self.date.to_datetime(time)).ok()?;
        let minute = self.minute_of(instant)?;
        let is_after = self.change.is_some_and(|change| minute >= change.minute);
        (is_after == after_change).then_some(minute)
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::{date, time};

    use super::*;

    fn hours(n: i8) -> Offset {
        Offset::constant(n)
    }

    /// Berlin in 2026: summer time from 29 March 01:00Z to 25 October 01:00Z.
    fn berlin() -> Offsets {
        let mut offsets = Offsets::fixed(hours(1));
        for (at, offset) in [("2026-03-29T01:00:00Z", 2), ("2026-10-25T01:00:00Z", 1)] {
            offsets
                .push_change(at.parse().unwrap(), hours(offset))
                .unwrap();
        }
        offsets
    }

    #[test]
    fn an_ordinary_day_has_1440_minutes() {
        let day = berlin().day(date(2026, 11, 22));
        assert_eq!(day.start(), "2026-11-21T23:00:00Z".parse().unwrap());
        assert_eq!((day.minutes(), day.change()), (1_440, None));
        assert_eq!(
            day.minute_of("2026-11-22T08:59:59Z".parse().unwrap()),
            Some(599)
        );
        assert_eq!(day.minute_of("2026-11-21T22:59:59Z".parse().unwrap()), None);
        assert_eq!(day.minute_of("2026-11-22T23:00:00Z".parse().unwrap()), None);
        assert_eq!(day.clock(599), time(9, 59, 0, 0));
    }

    #[test]
    fn the_spring_day_lacks_an_hour() {
        let day = berlin().day(date(2026, 3, 29));
        assert_eq!(day.minutes(), 1_380);
        assert_eq!(day.clock(119), time(1, 59, 0, 0));
        assert_eq!(day.clock(120), time(3, 0, 0, 0));
        assert_eq!(day.minute_at(time(2, 30, 0, 0), false), None);
        assert_eq!(day.minute_at(time(2, 30, 0, 0), true), None);
        assert_eq!(day.minute_at(time(3, 0, 0, 0), true), Some(120));
    }

    #[test]
    fn the_autumn_day_repeats_an_hour() {
        let day = berlin().day(date(2026, 10, 25));
        assert_eq!(day.minutes(), 1_500);
        assert_eq!(day.minute_at(time(2, 30, 0, 0), false), Some(150));
        assert_eq!(day.minute_at(time(2, 30, 0, 0), true), Some(210));
        assert_eq!(day.minute_at(time(3, 0, 0, 0), false), None);
        assert_eq!(day.clock(1_499), time(23, 59, 0, 0));
    }

    #[test]
    fn half_an_hour_can_be_repeated() {
        // Lord Howe Island: +11:00 to +10:30 at 15:00Z on 4 April 2026.
        let mut offsets = Offsets::fixed(hours(11));
        offsets
            .push_change(
                "2026-04-04T15:00:00Z".parse().unwrap(),
                Offset::from_seconds(37_800).unwrap(),
            )
            .unwrap();
        let day = offsets.day(date(2026, 4, 5));
        assert_eq!(day.minutes(), 1_470);
        assert_eq!(day.minute_at(time(1, 45, 0, 0), true), Some(135));
    }

    #[test]
    fn a_skipped_midnight_starts_the_day_late() {
        // Santiago: -04 to -03 at local midnight, 2026-09-06T04:00Z.
        let mut offsets = Offsets::fixed(hours(-4));
        offsets
            .push_change("2026-09-06T04:00:00Z".parse().unwrap(), hours(-3))
            .unwrap();
        let day = offsets.day(date(2026, 9, 6));
        assert_eq!((day.minutes(), day.clock(0)), (1_380, time(1, 0, 0, 0)));
        assert_eq!(offsets.day(date(2026, 9, 5)).minutes(), 1_440);
    }

    #[test]
    fn a_repeated_midnight_belongs_to_the_day_before() {
        // Santiago: -03 to -04 at local midnight, 2026-04-05T03:00Z: 4 April has 25 hours.
        let mut offsets = Offsets::fixed(hours(-3));
        offsets
            .push_change("2026-04-05T03:00:00Z".parse().unwrap(), hours(-4))
            .unwrap();
        assert_eq!(offsets.day(date(2026, 4, 4)).minutes(), 1_500);
        assert_eq!(
            offsets.day(date(2026, 4, 5)).start(),
            "2026-04-05T04:00:00Z".parse().unwrap()
        );
    }

    #[test]
    fn changes_come_in_order_and_have_a_bound() {
        let mut offsets = berlin();
        let before = "2026-01-01T00:00:00Z".parse().unwrap();
        assert_eq!(
            offsets.push_change(before, hours(0)),
            Err(OffsetsError::OutOfOrder)
        );
        let mut at: Timestamp = "2027-01-01T00:00:00Z".parse().unwrap();
        while offsets.push_change(at, hours(0)).is_ok() {
            at += SignedDuration::from_hours(1);
        }
        assert_eq!(offsets.push_change(at, hours(0)), Err(OffsetsError::Full));
    }

    #[test]
    fn the_ends_of_the_calendar_do_not_panic() {
        for edge in [Date::MIN, Date::MAX] {
            let day = Offsets::fixed(hours(1)).day(edge);
            assert!(day.minutes() <= MAX_DAY_MINUTES);
        }
    }
}
