//! The end of a snooze that lasts until morning.

use jiff::{SignedDuration, Timestamp, civil::time, tz::TimeZone};
use pulsewing_core::{alarm::Limits, civil::Offsets};

/// When a morning begins for somebody without quiet hours, in minutes since midnight.
const USUAL: u16 = 7 * 60;

/// Returns the next end of the quiet hours on a wearer's clock; the next seven o'clock without them.
pub(crate) fn next_morning(limits: &Limits, offsets: &Offsets, now: Timestamp) -> Timestamp {
    let minute = limits.quiet.map_or(USUAL, |quiet| quiet.until());
    let clock = |minute: u16| {
        let [hour, minute] = [minute / 60, minute % 60].map(|it| i8::try_from(it).unwrap_or(0));
        time(hour, minute, 0, 0)
    };
    let local = offsets.local(now);
    let today = local.date().to_datetime(clock(minute));
    let next = match today > local {
        true => today,
        false => today
            .checked_add(SignedDuration::from_hours(24))
            .unwrap_or(today),
    };
    let zone = TimeZone::fixed(offsets.at(now));
    zone.to_timestamp(next).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use jiff::tz::Offset;
    use pulsewing_core::look::Night;

    use super::*;

    #[test]
    fn morning_is_the_next_end_of_the_quiet_hours() {
        let berlin = Offsets::fixed(Offset::constant(1));
        let mut limits = Limits::default();
        let morning = |limits: &Limits, now: &str| {
            next_morning(limits, &berlin, now.parse().unwrap()).to_string()
        };
        assert_eq!(
            morning(&limits, "2026-11-29T21:00:00Z"),
            "2026-11-30T06:00:00Z"
        );
        assert_eq!(
            morning(&limits, "2026-11-30T05:59:00Z"),
            "2026-11-30T06:00:00Z"
        );
        assert_eq!(
            morning(&limits, "2026-11-30T06:00:00Z"),
            "2026-12-01T06:00:00Z"
        );
        limits.quiet = Night::new(22 * 60, 8 * 60 + 30);
        assert_eq!(
            morning(&limits, "2026-11-30T06:00:00Z"),
            "2026-11-30T07:30:00Z"
        );
    }
}
