//! Selects the past days to fetch: those during which the program did not run, and those that the
//! tracker had not yet synced completely.
//!
//! We fetch a day once it is over; again when the tracker has synced past its end, if it had not by
//! then; and a last time when the tracker has synced a day later, for late or revised minutes. So a
//! normal day is fetched twice. After an absence of any length we catch up, as far back as
//! [`LOOK_BACK`].

use std::collections::BTreeMap;

use jiff::{SignedDuration, Span, Timestamp, civil::Date, tz::TimeZone};

/// The number of days before today that are considered.
pub(super) const LOOK_BACK: i32 = 30;

/// The time from a day's end until its data counts as final.
const SETTLES_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// The facts that decide which days to fetch.
#[derive(Debug)]
pub(crate) struct Knowledge<'k> {
    /// The current date on the wearer's clock.
    pub(crate) today: Date,
    /// The wearer's zone.
    pub(crate) zone: &'k TimeZone,
    /// The time of the tracker's last sync; the present if it is not known.
    pub(crate) synced_at: Timestamp,
    /// The earliest day that the retention keeps.
    pub(crate) earliest: Option<Date>,
    /// The days that were fetched after their end, each with the tracker's last sync at that time.
    pub(crate) asked: &'k BTreeMap<Date, Timestamp>,
}

/// Returns the first day that is considered.
pub(crate) fn first_to_ask(today: Date, earliest: Option<Date>) -> Date {
    let back = today.checked_sub(Span::new().days(LOOK_BACK));
    let back = back.unwrap_or(today);
    earliest.map_or(back, |earliest| earliest.max(back))
}

/// Returns the past days to fetch, newest first.
pub(crate) fn days_to_ask(known: &Knowledge<'_>) -> Vec<Date> {
    let first = first_to_ask(known.today, known.earliest);
    let mut days = Vec::new();
    let mut date = known.today;
    while let Ok(before) = date.yesterday() {
        date = before;
        if date < first {
            break;
        }
        let Some(end) = end_of(date, known.zone) else {
            break;
        };
        let is_wanted = known
            .asked
            .get(&date)
            .is_none_or(|synced_then| stage(*synced_then, end) < stage(known.synced_at, end));
        if is_wanted {
            days.push(date);
        }
    }
    days
}

/// Returns how complete a day can be in the cloud if the tracker last synced at this instant: 0
/// partly, 1 up to its end, 2 final.
fn stage(synced_at: Timestamp, end: Timestamp) -> u8 {
    let settled = end.checked_add(SETTLES_AFTER).unwrap_or(end);
    u8::from(synced_at >= end) + u8::from(synced_at >= settled)
}

fn end_of(date: Date, zone: &TimeZone) -> Option<Timestamp> {
    let next = date.tomorrow().ok()?;
    Some(next.to_zoned(zone.clone()).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    /// Returns the days to fetch on 22 November, if these days were fetched before.
    fn wanted(asked: &[(Date, &str)], synced_at: &str, keep_from: Date) -> Vec<i8> {
        let asked = asked
            .iter()
            .map(|(date, at)| (*date, at.parse().unwrap()))
            .collect();
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        days_to_ask(&Knowledge {
            today: date(2026, 11, 22),
            zone: &zone,
            synced_at: synced_at.parse().unwrap(),
            earliest: Some(keep_from),
            asked: &asked,
        })
        .into_iter()
        .map(Date::day)
        .collect()
    }

    #[test]
    fn what_was_never_asked_for_is_newest_first_and_as_far_as_days_are_kept() {
        let from = date(2026, 11, 18);
        assert_eq!(wanted(&[], "2026-11-22T12:00:00Z", from), [21, 20, 19, 18]);
        let all = wanted(&[], "2026-11-22T12:00:00Z", date(2020, 1, 1));
        assert_eq!(all.len(), 30);
        assert_eq!(
            wanted(&[], "2026-11-22T12:00:00Z", date(2026, 11, 22)),
            [0_i8; 0]
        );
    }

    #[test]
    fn a_day_is_asked_for_again_when_the_tracker_has_synced_past_it() {
        let from = date(2026, 11, 21);
        let day = date(2026, 11, 21);
        // The day ends at 23:00 UTC. It was fetched in the night, when the last sync was at noon.
        let asked = [(day, "2026-11-21T12:00:00Z")];
        assert_eq!(wanted(&asked, "2026-11-21T12:00:00Z", from), [0_i8; 0]);
        assert_eq!(wanted(&asked, "2026-11-21T22:59:59Z", from), [0_i8; 0]);
        assert_eq!(wanted(&asked, "2026-11-21T23:00:00Z", from), [21]);
    }

    #[test]
    fn a_day_is_asked_for_a_last_time_a_day_later() {
        let from = date(2026, 11, 20);
        let settled = [
            (date(2026, 11, 20), "2026-11-20T23:15:00Z"),
            (date(2026, 11, 21), "2026-11-21T23:15:00Z"),
        ];
        assert_eq!(wanted(&settled, "2026-11-21T22:59:59Z", from), [0_i8; 0]);
        assert_eq!(wanted(&settled, "2026-11-22T07:00:00Z", from), [20]);
        let settled = [
            (date(2026, 11, 20), "2026-11-22T07:00:00Z"),
            (date(2026, 11, 21), "2026-11-21T23:15:00Z"),
        ];
        assert_eq!(wanted(&settled, "2026-11-22T12:00:00Z", from), [0_i8; 0]);
    }
}
