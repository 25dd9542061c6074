//! Civil days and local times of the past, from the zone database.

use jiff::{
    SignedDuration, Timestamp,
    civil::DateTime,
    tz::{AmbiguousOffset, TimeZone},
};
use pulsewing_core::civil::{LocalDay, Offsets};

/// The range around an instant in which changes of offset are looked up: more than a day.
const AROUND: SignedDuration = SignedDuration::from_hours(24 * 3);

/// Returns the civil day of an instant.
pub(crate) fn day_of(zone: &TimeZone, at: Timestamp) -> LocalDay {
    let from = at.checked_sub(AROUND).unwrap_or(Timestamp::MIN);
    let until = at.checked_add(AROUND).unwrap_or(Timestamp::MAX);
    let mut offsets = Offsets::fixed(zone.to_offset(from));
    let mut offset = zone.to_offset(from);
    for change in zone
        .following(from)
        .take_while(|change| change.timestamp() < until)
    {
        // Some changes affect only the name.
        if change.offset() == offset {
            continue;
        }
        offset = change.offset();
        // There is room for more changes than can happen in six days.
        if offsets.push_change(change.timestamp(), offset).is_err() {
            break;
        }
    }
    offsets.day_of(at)
}

/// Converts local times to instants. They arrive in the order of time, so a step backwards
/// indicates the second pass through a repeated hour.
#[derive(Debug)]
pub(crate) struct LocalClock {
    zone: TimeZone,
    /// The quarter of an hour, counted in local time, for which `offset` is valid.
    quarter: Option<i64>,
    offset: i64,
    before: i64,
    is_second_pass: bool,
}

impl LocalClock {
    pub(crate) const fn new(zone: TimeZone) -> Self {
        Self {
            zone,
            quarter: None,
            offset: 0,
            before: i64::MIN,
            is_second_pass: false,
        }
    }

    /// Returns the instant, in seconds since 1970, at which the clock shows a time, given in
    /// seconds after the beginning of 1970 on that clock.
    pub(crate) fn instant(&mut self, shown: i64) -> Option<i64> {
        let quarter = shown.div_euclid(900);
        let runs_backwards = shown < self.before;
        self.before = shown;
        // No zone changes its offset within a quarter of an hour that its clocks show twice or never.
        if self.quarter != Some(quarter) || runs_backwards {
            let at = Timestamp::from_second(shown).ok()?;
            let civil: DateTime = jiff::tz::Offset::UTC.to_datetime(at);
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
            self.quarter = Some(quarter);
        }
        shown.checked_sub(self.offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_repeated_hour_is_told_by_time_running_backwards() {
        let mut clock = LocalClock::new(TimeZone::get("Europe/Berlin").unwrap());
        let shown = |text: &str| {
            let civil: DateTime = text.parse().unwrap();
            jiff::tz::Offset::UTC
                .to_timestamp(civil)
                .unwrap()
                .as_second()
        };
        for (local, utc) in [
            ("2026-10-25T01:59:59", "2026-10-24T23:59:59Z"),
            ("2026-10-25T02:10:00", "2026-10-25T00:10:00Z"),
            ("2026-10-25T02:50:00", "2026-10-25T00:50:00Z"),
            ("2026-10-25T02:10:00", "2026-10-25T01:10:00Z"),
            ("2026-10-25T02:50:00", "2026-10-25T01:50:00Z"),
            ("2026-10-25T03:00:00", "2026-10-25T02:00:00Z"),
            ("2026-03-29T01:59:59", "2026-03-29T00:59:59Z"),
            ("2026-03-29T03:00:00", "2026-03-29T01:00:00Z"),
        ] {
            let at: Timestamp = utc.parse().unwrap();
            assert_eq!(clock.instant(shown(local)), Some(at.as_second()), "{local}");
        }
    }
}
