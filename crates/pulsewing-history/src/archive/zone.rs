//! Civil days and local times of the past, from the zone database.

use jiff::{
    SignedDuration, Timestamp,
    civil::Date,
    tz::{AmbiguousOffset, Offset, TimeZone},
};
use pulsewing_core::civil::{LocalDay, Offsets};

/// The range around an instant in which changes of offset are looked up: more than a day.
const AROUND: SignedDuration = SignedDuration::from_hours(24 * 3);

/// Returns the civil day of an instant.
pub(crate) fn day_of(zone: &TimeZone, at: Timestamp) -> LocalDay {
    let from = at.checked_sub(AROUND).unwrap_or(Timestamp::MIN);
    let until = at.checked_add(AROUND).unwrap_or(Timestamp::MAX);
    let mut offset = zone.to_offset(from);
    let mut offsets = Offsets::fixed(offset);
    let changes = zone.following(from);
    for change in changes.take_while(|change| change.timestamp() < until) {
        // Some changes affect only the name. There is room for more than can happen in six days.
        if change.offset() != offset
            && offsets
                .push_change(change.timestamp(), change.offset())
                .is_ok()
        {
            offset = change.offset();
        }
    }
    offsets.day_of(at)
}

/// Returns the civil day of a date; of another date where that one was skipped.
pub(crate) fn day_on(zone: &TimeZone, date: Date) -> Option<LocalDay> {
    let noon = zone.to_ambiguous_timestamp(date.at(12, 0, 0, 0));
    Some(day_of(zone, noon.compatible().ok()?))
}

/// Converts local times to instants. They arrive in the order of time, so a step backwards
/// indicates the second pass through a repeated hour.
#[derive(Debug)]
pub(crate) struct LocalClock {
    zone: TimeZone,
    /// The minute, counted in local time, for which `offset` is valid.
    minute: Option<i64>,
    offset: i64,
    before: i64,
    is_second_pass: bool,
}

impl LocalClock {
    pub(crate) const fn new(zone: TimeZone) -> Self {
        Self {
            zone,
            minute: None,
            offset: 0,
            before: i64::MIN,
            is_second_pass: false,
        }
    }

    /// Returns the instant, in seconds since 1970, at which the clock shows a time, given in
    /// seconds after the beginning of 1970 on that clock.
    pub(crate) fn instant(&mut self, shown: i64) -> Option<i64> {
        let minute = shown.div_euclid(60);
        let runs_backwards = shown < self.before;
        self.before = shown;
        // Clocks change at whole minutes, but not always at whole hours: St John's did at 00:01.
        if self.minute != Some(minute) || runs_backwards {
            let civil = Offset::UTC.to_datetime(Timestamp::from_second(shown).ok()?);
            let offset = match self.zone.to_ambiguous_timestamp(civil).offset() {
                AmbiguousOffset::Unambiguous { offset } => {
                    self.is_second_pass = false;
                    offset
                }
                AmbiguousOffset::Gap { before, .. } => before,
                AmbiguousOffset::Fold { before, after } => {
                    self.is_second_pass |= runs_backwards;
                    if self.is_second_pass { after } else { before }
                }
            };
            self.offset = offset.seconds().into();
            self.minute = Some(minute);
        }
        shown.checked_sub(self.offset)
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::DateTime;

    use super::*;

    fn check(zone: &str, times: &[(&str, &str)]) {
        let mut clock = LocalClock::new(TimeZone::get(zone).unwrap());
        for (local, utc) in times {
            let civil: DateTime = local.parse().unwrap();
            let shown = Offset::UTC.to_timestamp(civil).unwrap();
            let at: Timestamp = utc.parse().unwrap();
            let found = clock.instant(shown.as_second());
            assert_eq!(found, Some(at.as_second()), "{local}");
        }
    }

    #[test]
    fn the_repeated_hour_is_told_by_time_running_backwards() {
        check(
            "Europe/Berlin",
            &[
                ("2026-10-25T01:59:59", "2026-10-24T23:59:59Z"),
                ("2026-10-25T02:10:00", "2026-10-25T00:10:00Z"),
                ("2026-10-25T02:50:00", "2026-10-25T00:50:00Z"),
                ("2026-10-25T02:10:00", "2026-10-25T01:10:00Z"),
                ("2026-10-25T02:50:00", "2026-10-25T01:50:00Z"),
                ("2026-10-25T03:00:00", "2026-10-25T02:00:00Z"),
                ("2026-03-29T01:59:59", "2026-03-29T00:59:59Z"),
                ("2026-03-29T03:00:00", "2026-03-29T01:00:00Z"),
            ],
        );
    }

    #[test]
    fn clocks_that_change_a_minute_past_the_hour_are_followed_from_that_minute_on() {
        check(
            "America/St_Johns",
            &[
                // Not worn while the hour from 23:01 was repeated.
                ("2010-11-07T00:00:30", "2010-11-07T02:30:30Z"),
                ("2010-11-07T00:05:00", "2010-11-07T03:35:00Z"),
                // A time that the clock skipped, from 00:01 to 01:01.
                ("2011-03-13T01:00:30", "2011-03-13T04:30:30Z"),
                ("2011-03-13T01:05:00", "2011-03-13T03:35:00Z"),
            ],
        );
    }
}
