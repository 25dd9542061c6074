//! Tests of the history through its public interface.

mod damage;
mod keeper;
mod memory;

use std::{fs, path::Path};

use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, date},
    tz::TimeZone,
};
use proptest::prelude::*;
use pulsewing_core::{Bpm, Provider, day::Day};
use pulsewing_testkit::at;
use rusqlite::Connection;
use tempfile::TempDir;

use super::{minutes::tests::any_day, place::NAME, *};
use crate::archive::zone::day_of;

/// Opens a history in a directory of its own.
pub(crate) fn opened() -> (TempDir, History) {
    let dir = tempfile::tempdir().unwrap();
    let history = History::open(dir.path(), "w").unwrap();
    (dir, history)
}

pub(crate) fn known(kind: Kind, day: Day, fetched_at: i64) -> SourceDay {
    SourceDay {
        source: Source::new(kind),
        zone: "Europe/Berlin".into(),
        day,
        resting: None,
        fetched_at: Timestamp::from_second(fetched_at).unwrap(),
    }
}

/// Builds a day of a zone with these rates from an instant on.
pub(crate) fn day(zone: &str, from: &str, rates: &[u16]) -> Day {
    let zone = TimeZone::get(zone).unwrap();
    let mut day = Day::new(day_of(&zone, at(from)));
    let first = day.local().minute_of(at(from)).unwrap();
    for (minute, rate) in (first..).zip(rates) {
        day.record(minute, Bpm::new(*rate).unwrap());
    }
    day
}

fn everything(history: &History) -> Vec<Minute> {
    let mut all = Vec::new();
    let push = |minute| {
        all.push(minute);
        Ok::<(), HistoryError>(())
    };
    history.minutes(Date::MIN, Date::MAX, push).unwrap();
    all
}

#[test]
fn a_wearer_sees_no_one_elses_days() {
    let dir = tempfile::tempdir().unwrap();
    let mut ada = History::open(dir.path(), "ada").unwrap();
    let mut bob = History::open(dir.path(), "bob").unwrap();
    let first = day("UTC", "2026-11-22T08:00:00Z", &[70]);
    let second = day("UTC", "2026-11-21T08:00:00Z", &[90, 91]);
    ada.record(&known(Kind::Google, first.clone(), 1)).unwrap();
    bob.record(&known(Kind::Google, second, 1)).unwrap();
    let today = date(2026, 11, 22);
    assert_eq!(ada.day(today).unwrap().unwrap().day, first);
    assert_eq!(bob.day(today).unwrap(), None);
    assert_eq!(everything(&bob).len(), 2);
    assert_eq!(bob.prune(today).unwrap(), 1);
    assert_eq!(
        (ada.span().unwrap().unwrap().days, bob.span().unwrap()),
        (1, None)
    );
}

#[test]
fn a_traveller_loses_no_minute() {
    // From Berlin to New York on 22 November: there is a view of the date from both.
    let (_dir, mut history) = opened();
    let berlin = day("Europe/Berlin", "2026-11-21T23:00:00Z", &[60; 600]);
    let new_york = day("America/New_York", "2026-11-22T05:00:00Z", &[70; 1_440]);
    history.record(&known(Kind::Google, berlin, 100)).unwrap();
    history.record(&known(Kind::Google, new_york, 200)).unwrap();
    let all = everything(&history);
    assert!(all.windows(2).all(|pair| pair[0].at < pair[1].at));
    // Six hours only in Berlin's view, then 24 of New York's.
    assert_eq!(all.len(), 360 + 1_440);
    assert_eq!(all[0].local(), date(2026, 11, 22).at(0, 0, 0, 0));
    assert_eq!((all[0].bpm.get(), all[360].bpm.get()), (60, 70));
    // The date itself is shown by the view with more of its minutes.
    let shown = history.day(date(2026, 11, 22)).unwrap().unwrap();
    assert_eq!(shown.day.local().start(), at("2026-11-22T05:00:00Z"));
    assert_eq!(
        (shown.day.logged_minutes(), shown.sources.len()),
        (1_440, 2)
    );
}

#[test]
fn an_export_knows_the_resting_rate_of_its_day_better() {
    let (_dir, mut history) = opened();
    let day = day("UTC", "2026-11-22T08:00:00Z", &[70]);
    for (kind, resting) in [(Kind::Google, 58), (Kind::ExportCsv, 55)] {
        let mut known = known(kind, day.clone(), 1);
        known.resting = Bpm::new(resting);
        history.record(&known).unwrap();
    }
    let today = date(2026, 11, 22);
    let overview = history.overview(today, today).unwrap();
    assert_eq!(overview.len(), 1);
    assert_eq!(overview[0].resting, Bpm::new(55));
}

#[test]
fn a_batch_that_is_dropped_writes_nothing() {
    let (_dir, mut history) = opened();
    let batch = history.batch().unwrap();
    let minute = day("UTC", "2026-11-22T08:00:00Z", &[70]);
    batch.record(&known(Kind::Google, minute, 1)).unwrap();
    drop(batch);
    assert_eq!(history.span().unwrap(), None);
}

#[test]
fn what_is_moved_aside_makes_room_for_a_new_one() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(
        dir.path().join(NAME),
        "no database at all, but long enough to look at",
    )
    .unwrap();
    assert!(matches!(
        History::open(dir.path(), "w"),
        Err(HistoryError::Damaged(_))
    ));
    let aside = move_aside(dir.path(), Aside::Damaged, at("2026-11-22T14:07:00.5Z")).unwrap();
    assert!(aside.ends_with("history.db.damaged-20261122T140700Z"));
    assert_eq!(
        History::open(dir.path(), "w").unwrap().span().unwrap(),
        None
    );
}

/// Builds a history with `count` days, one per row, starting on 1 January 2026.
fn of_days(dir: &Path, count: i8) -> History {
    let mut history = History::open(dir, "w").unwrap();
    let batch = history.batch().unwrap();
    for number in 0..count {
        let from = at("2026-01-01T08:00:00Z") + SignedDuration::from_hours(24 * i64::from(number));
        let day = day("UTC", &from.to_string(), &[70; 600]);
        batch.record(&known(Kind::Google, day, 1)).unwrap();
    }
    batch.commit().unwrap();
    history
}

#[test]
fn a_history_is_one_persons() {
    let account = |provider, user_id: &str| Account {
        provider,
        user_id: user_id.to_owned(),
    };
    let ada = account(Provider::Google, "111");
    let ada_before = account(Provider::Fitbit, "A1B2C3");
    let bob = [account(Provider::Google, "222")];
    let (dir, mut history) = opened();
    let both = [ada.clone(), ada_before.clone()];
    assert_eq!(history.relation_to(&both).unwrap(), Relation::Unknown);
    assert!(!history.is_somebodys().unwrap());
    for account in [&ada_before, &account(Provider::Fitbit, "a1b2c3")] {
        let batch = history.batch().unwrap();
        batch.claim(account).unwrap();
        batch.commit().unwrap();
    }
    // Known by the earlier account; nothing is known about a person without one.
    assert_eq!(history.relation_to(&both).unwrap(), Relation::Own);
    assert_eq!(history.relation_to(&bob).unwrap(), Relation::Unknown);
    let batch = history.batch().unwrap();
    batch.claim(&ada).unwrap();
    batch.commit().unwrap();
    assert_eq!(history.relation_to(&bob).unwrap(), Relation::Foreign);
    let batch = history.batch().unwrap();
    assert!(matches!(
        batch.claim(&bob[0]),
        Err(HistoryError::AnotherPerson)
    ));
    drop(batch);
    // Another wearer has a separate history.
    let history = History::open(dir.path(), "other").unwrap();
    assert_eq!(history.relation_to(&both).unwrap(), Relation::Unknown);
}

#[test]
fn a_file_that_was_removed_or_replaced_is_noticed() {
    let (dir, history) = opened();
    assert_eq!(history.whereabouts(), Whereabouts::There);
    let aside = move_aside(dir.path(), Aside::Replaced, at("2026-11-22T14:07:00Z")).unwrap();
    assert!(aside.ends_with("history.db.replaced-20261122T140700Z"));
    assert_eq!(history.whereabouts(), Whereabouts::Gone);
    let mut new = History::open(dir.path(), "w").unwrap();
    assert_eq!(history.whereabouts(), Whereabouts::Replaced);
    // Closing the old one must not touch the new one's log.
    new.record(&known(
        Kind::Google,
        day("UTC", "2026-11-22T08:00:00Z", &[70]),
        1,
    ))
    .unwrap();
    drop(history);
    assert!(dir.path().join("history.db-wal").exists());
    assert_eq!(everything(&new).len(), 1);
    drop(new);
    let again = History::look(dir.path(), "w").unwrap().unwrap();
    assert_eq!(everything(&again).len(), 1);
}

#[test]
fn a_year_of_minutes_takes_less_than_two_megabytes() {
    let (dir, mut history) = opened();
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    let mut at = at("2025-01-01T12:00:00Z");
    let batch = history.batch().unwrap();
    for _ in 0..365 {
        let mut day = Day::new(day_of(&zone, at));
        for minute in 0..1_500_u16 {
            day.record(
                minute,
                Bpm::new(60 + minute.wrapping_mul(7_919) % 90).unwrap(),
            );
        }
        batch.record(&known(Kind::Google, day, 1)).unwrap();
        at += SignedDuration::from_hours(24);
    }
    batch.commit().unwrap();
    drop(history);
    let bytes = bytes_on_disk(dir.path());
    assert!(bytes < 1_000_000, "{bytes}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn sources_may_arrive_in_any_order_and_again(
        days in proptest::collection::vec(any_day(), 2..5),
        order in Just([0_usize, 1, 2, 3]).prop_shuffle(),
    ) {
        let kinds = [Kind::Google, Kind::Fitbit, Kind::ExportCsv, Kind::ExportJson];
        let parts: Vec<SourceDay> = days.into_iter().zip(kinds).map(|(day, kind)| known(kind, day, 7)).collect();
        let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let mut one = History::open(dirs[0].path(), "w").unwrap();
        let mut other = History::open(dirs[1].path(), "w").unwrap();
        for part in &parts {
            one.record(part).unwrap();
        }
        for _ in 0..2 {
            for part in order.iter().filter_map(|place| parts.get(*place)) {
                other.record(part).unwrap();
            }
        }
        let date = date(2026, 3, 29);
        let days = [&one, &other].map(|history| history.day(date).unwrap().unwrap());
        prop_assert_eq!(&days[0], &days[1]);
        prop_assert_eq!(everything(&one), everything(&other));
        let overview = one.overview(date, date).unwrap();
        prop_assert_eq!(overview[0].logged_minutes, days[0].day.logged_minutes());
        prop_assert_eq!(overview[0].extent, days[0].day.extent());
    }
}
