//! The alarms' record: it comes back, or is told to be damaged or newer.

use pulsewing_core::alarm::{Alarms, Kind, Limits, MAX_RECORD, Mute};
use pulsewing_store::{StoreError, mock::Tear};
use pulsewing_testkit::at;

use crate::board::{Board, ESP32, Outcome};

/// Returns alarms of which somebody has snoozed one.
fn snoozed(until: &str) -> Alarms {
    let mut alarms = Alarms::new(Limits::default());
    alarms.snooze(Kind::Stale, None, at(until), at("2026-11-22T12:00:00Z"));
    alarms
}

fn save(board: &mut Board<ESP32>, alarms: &Alarms) -> Outcome<()> {
    let mut buffer = [0; MAX_RECORD];
    let record = alarms.encode(&mut buffer).unwrap();
    board.with(async |store| store.save_alarms(record).await)
}

fn load(board: &mut Board<ESP32>) -> Outcome<Option<Alarms>> {
    let mut buffer = [0; MAX_RECORD];
    board.with(async |store| store.load_alarms(Limits::default(), &mut buffer).await)
}

fn ends(alarms: Option<Alarms>) -> Option<String> {
    match alarms?.mute(Kind::Stale)? {
        Mute::Snoozed { until, .. } => Some(until.to_string()),
        Mute::Acknowledged { .. } => None,
    }
}

#[test]
fn the_newest_record_comes_back_and_a_cut_leaves_it_or_the_one_before() {
    let mut board = Board::<ESP32>::new(0, 1);
    assert!(load(&mut board).unwrap().is_none());
    let [first, second] = ["2026-11-22T12:30:00Z", "2026-11-22T13:00:00Z"];
    save(&mut board, &snoozed(first)).unwrap();
    assert_eq!(ends(load(&mut board).unwrap()).unwrap(), first);
    let mut buffer = [0; MAX_RECORD];
    let alarms = snoozed(second);
    let record = alarms.encode(&mut buffer).unwrap();
    let (steps, _) = board.count(async |store| store.save_alarms(record).await);
    for step in 0..steps {
        let (mut cut, _) = board.after_cut(step, Tear::Page, step, async |store| {
            store.save_alarms(record).await
        });
        let found = ends(load(&mut cut).unwrap()).unwrap();
        assert!(found == first || found == second, "step {step}: {found}");
        save(&mut cut, &alarms).unwrap();
        assert_eq!(ends(load(&mut cut).unwrap()).unwrap(), second);
        cut.assert_clean();
    }
}

#[test]
fn a_damaged_or_a_newer_record_is_told_and_a_newer_one_stays() {
    let mut board = Board::<ESP32>::new(0, 1);
    board
        .with(async |store| store.save_alarms(b"PWAL\x01 and nothing else").await)
        .unwrap();
    assert_eq!(load(&mut board).unwrap_err(), StoreError::Damaged);
    save(&mut board, &snoozed("2026-11-22T12:30:00Z")).unwrap();
    assert!(load(&mut board).unwrap().is_some());
    board
        .with(async |store| store.save_alarms(b"PWAL\x02 of later times").await)
        .unwrap();
    assert_eq!(load(&mut board).unwrap_err(), StoreError::Newer(2));
    let refused = save(&mut board, &snoozed("2026-11-22T12:30:00Z"));
    assert_eq!(refused, Err(StoreError::Newer(2)));
}
