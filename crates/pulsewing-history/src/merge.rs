//! Merges new data with known data.
//!
//! Within a source: the newer fetch's minute wins, and a minute that it lacks never erases a known
//! one. Two fetches of different times may arrive in either order.
//!
//! Data of different sources is never mixed: each keeps its own row, and the choice between them is
//! made when a day is read. So the order in which sources arrive cannot matter.
//!
//! Sources that push are the exception among themselves: a minute belongs to the one that sent it last
//! (`pushed.rs`), so no two of them have it. They come before the clouds, and the clouds' later fetches
//! and repairs do not touch their rows.

use std::cmp::Reverse;

use jiff::Timestamp;
use pulsewing_core::{Bpm, day::Day};

use super::{source::Kind, source_day::SourceDay};

/// Merges two fetches of the same day from the same source.
pub(super) fn fetches(known: &SourceDay, new: &SourceDay) -> SourceDay {
    let (newer, older) = if new.fetched_at >= known.fetched_at {
        (new, known)
    } else {
        (known, new)
    };
    let mut merged = newer.clone();
    fill(&mut merged.day, &older.day);
    merged.resting = newer.resting.or(older.resting);
    merged
}

/// Makes two views of the same hours, from one source, agree on every minute that both have: the
/// newer fetch's minute wins. Returns whether that changed `other`.
pub(super) fn share(one: &mut SourceDay, other: &mut SourceDay) -> bool {
    let is_newer = one.fetched_at >= other.fetched_at;
    let (newer, older) = if is_newer {
        (&*one, &mut other.day)
    } else {
        (&*other, &mut one.day)
    };
    let before = older.clone();
    for (at, bpm) in timed(&newer.day) {
        record_at(older, at, bpm);
    }
    is_newer && *older != before
}

/// Sorts the sources of a date, best first: what was pushed, the clouds' own averages, an export's; within
/// a kind the device with more minutes. No two of them are equal: the order in which the rows were
/// found cannot matter.
pub(super) fn rank(days: &mut [SourceDay]) {
    days.sort_by_cached_key(|known| {
        (
            known.source.kind(),
            Reverse(known.day.logged_minutes()),
            known.source.clone(),
            Reverse(known.fetched_at),
            known.day.local().start(),
            known.day.local().minutes(),
        )
    });
}

/// Returns the source in whose view of a date the date is shown: the best one that knows the wearer's
/// zone itself. A pushed sample has none, and its day was cut in the zone that was known at the time.
pub(super) fn view(days: &[SourceDay]) -> Option<&SourceDay> {
    let knows_zone = |known: &&SourceDay| known.source.kind() != Kind::Push;
    days.iter().find(knows_zone).or_else(|| days.first())
}

/// Combines the sources of a day, given best first. The [`view`]'s zone becomes the day's.
pub(super) fn sources(days: &[SourceDay]) -> Option<(Day, Option<Bpm>)> {
    let mut day = Day::new(*view(days)?.day.local());
    for known in days {
        fill(&mut day, &known.day);
    }
    // A cloud reports the newest resting rate, which may be yesterday's; an export has the day's. A
    // recording repeats a value that was shown to a user.
    let resting = days
        .iter()
        .filter(|known| matches!(known.source.kind(), Kind::ExportCsv | Kind::ExportJson))
        .chain(days)
        .find_map(|known| known.resting);
    Some((day, resting))
}

/// Fills the gaps of a day from another view of the same time.
fn fill(day: &mut Day, from: &Day) {
    for (at, bpm) in timed(from) {
        if rate_at(day, at).is_none() {
            record_at(day, at, bpm);
        }
    }
}

/// Returns a day with only the minutes that `keep` accepts.
pub(super) fn kept(day: &Day, keep: impl Fn(Timestamp, Bpm) -> bool) -> Day {
    let mut left = Day::new(*day.local());
    for (at, bpm) in timed(day).filter(|(at, bpm)| keep(*at, *bpm)) {
        record_at(&mut left, at, bpm);
    }
    left
}

/// Returns the minutes of a day by the instants at which they begin, which every view of the same
/// time shares.
pub(super) fn timed(day: &Day) -> impl Iterator<Item = (Timestamp, Bpm)> + '_ {
    day.iter()
        .map(|(minute, bpm)| (day.local().instant(minute), bpm))
}

/// Returns the rate of the minute with this instant, if the day has it.
pub(super) fn rate_at(day: &Day, at: Timestamp) -> Option<Bpm> {
    day.get(day.local().minute_of(at)?)
}

/// Records the rate of the minute with this instant, if it is in the day.
pub(super) fn record_at(day: &mut Day, at: Timestamp, bpm: Bpm) {
    if let Some(minute) = day.local().minute_of(at) {
        day.record(minute, bpm);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Source, minutes::tests::any_day};

    fn known(day: Day, at: i64, kind: Kind) -> SourceDay {
        SourceDay {
            source: Source::new(kind),
            zone: "Europe/Berlin".into(),
            day,
            resting: None,
            fetched_at: Timestamp::from_second(at).unwrap(),
        }
    }

    proptest! {
        #[test]
        fn merging_the_same_again_changes_nothing(day in any_day(), other in any_day()) {
            let known_first = known(day, 100, Kind::Google);
            // The other fetch, with the shape of the same civil day.
            let mut same_shape = Day::new(*known_first.day.local());
            fill(&mut same_shape, &other);
            let new = known(same_shape, 200, Kind::Google);
            let once = fetches(&known_first, &new);
            prop_assert_eq!(&fetches(&once, &new), &once);
            prop_assert_eq!(&fetches(&once, &known_first), &once);
            // In either order.
            prop_assert_eq!(&fetches(&new, &known_first), &once);
            for minute in 0..1_500 {
                prop_assert_eq!(
                    once.day.get(minute),
                    new.day.get(minute).or_else(|| known_first.day.get(minute))
                );
            }
        }

        #[test]
        fn two_views_of_the_same_hours_agree_and_the_newer_fetch_is_believed(
            day in any_day(), other in any_day(), is_newer: bool
        ) {
            let one = known(day, 150, Kind::Google);
            let two = known(other, if is_newer { 100 } else { 200 }, Kind::Google);
            let (mut shared, mut other) = (one.clone(), two.clone());
            let has_changed = share(&mut shared, &mut other);
            prop_assert_eq!(has_changed, other != two);
            let (newer, older, before) = if is_newer {
                (&shared, &other, &two)
            } else {
                (&other, &shared, &one)
            };
            for (minute, bpm) in older.day.iter() {
                let at = older.day.local().instant(minute);
                let in_newer = newer.day.local().minute_of(at).and_then(|minute| newer.day.get(minute));
                prop_assert_eq!(Some(bpm), in_newer.or_else(|| before.day.get(minute)));
            }
            prop_assert!(!share(&mut shared, &mut other), "once is enough");
        }

        #[test]
        fn sources_come_in_any_order(days in proptest::collection::vec(any_day(), 1..5), turn in 0_usize..5) {
            let kinds = [Kind::Google, Kind::ExportCsv, Kind::ExportJson, Kind::ExportCsv];
            let mut one: Vec<SourceDay> = days
                .into_iter()
                .zip(kinds)
                .zip(0..)
                .map(|((day, kind), n)| SourceDay {
                    source: Source::with_device(kind, &format!("device {n}")),
                    ..known(day, 100, kind)
                })
                .collect();
            let mut other = one.clone();
            let places = other.len();
            other.rotate_left(turn % places);
            rank(&mut one);
            rank(&mut other);
            prop_assert_eq!(sources(&one), sources(&other));
            // All minutes of the best source stay.
            let (day, _) = sources(&one).unwrap();
            for (minute, bpm) in one[0].day.iter() {
                prop_assert_eq!(day.get(minute), Some(bpm));
            }
        }
    }
}
