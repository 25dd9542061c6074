//! Tests of damaged histories: what stays readable, and how they are repaired.

use pulsewing_testkit::damage::damage_index;

use super::*;

/// Returns a history of three days, the second of which is damaged.
fn with_damaged_day(damage: &str) -> (TempDir, History) {
    let dir = tempfile::tempdir().unwrap();
    let history = of_days(dir.path(), 3);
    damage_day(&history, damage);
    (dir, history)
}

/// Damages the row of the second day.
fn damage_day(history: &History, damage: &str) {
    let change = format!("UPDATE day SET {damage} WHERE date = '2026-01-02'");
    assert_eq!(history.db.execute(&change, []).unwrap(), 1);
}

#[test]
fn whatever_is_wrong_with_a_row_costs_its_own_day_alone() {
    let (first, second, third) = (date(2026, 1, 1), date(2026, 1, 2), date(2026, 1, 3));
    for damage in [
        "minutes = x'FFFF'",
        "minutes = zeroblob(9000)",
        "start = 7",
        "length = 1380",
        "length = -1",
        "offset = 999999",
        "change_minute = 5, change_offset = 7",
        "fetched_at = 9223372036854775807",
        "changed_at = -9223372036854775807",
        "min = 70000",
    ] {
        let (_dir, mut history) = with_damaged_day(damage);
        let is_summary = damage.starts_with("min =");
        let unreadable = history.unreadable(Date::MIN, Date::MAX).unwrap();
        assert_eq!(
            unreadable,
            if is_summary { vec![] } else { vec![second] },
            "{damage}"
        );
        assert_eq!(
            everything(&history).len(),
            if is_summary { 1_800 } else { 1_200 }
        );
        let read = history.day(second);
        assert_eq!(
            matches!(read, Err(HistoryError::UnreadableDay(of)) if of == second),
            !is_summary
        );
        for date in [first, third] {
            assert_eq!(
                history.day(date).unwrap().unwrap().day.logged_minutes(),
                600
            );
        }
        assert!(history.overview(first, third).unwrap().len() >= 2);
        if is_summary {
            let days = history.overview(second, second).unwrap();
            assert_eq!(days[0].extent.unwrap().min.get(), 70);
        }
        assert_eq!(history.span().unwrap().unwrap().days, 3);
        assert!(history.asked_since(first).unwrap().is_empty());
        // New data replaces it, from any source.
        let again = day("UTC", "2026-01-02T08:00:00Z", &[80; 10]);
        history.record(&known(Kind::Recording, again, 2)).unwrap();
        assert_eq!(history.unreadable(Date::MIN, Date::MAX).unwrap(), []);
        assert!(history.day(second).unwrap().is_some());
    }
    // Another program's row stays; a row without a date belongs to no day.
    for damage in ["source = 'garmin'", "date = '2026-01-0x'"] {
        let (_dir, mut history) = with_damaged_day(damage);
        assert_eq!(everything(&history).len(), 1_200);
        let again = day("UTC", "2026-01-02T08:00:00Z", &[80; 10]);
        history.record(&known(Kind::Recording, again, 2)).unwrap();
        assert_eq!(everything(&history).len(), 1_210);
        let rows: i64 = history
            .db
            .query_row("SELECT count(*) FROM day", [], |row| row.get(0))
            .unwrap();
        assert_eq!(rows, 4);
    }
}

#[test]
fn what_cannot_be_beside_the_minutes_costs_itself_alone() {
    let (first, second) = (date(2026, 1, 1), date(2026, 1, 2));
    let long = format!("zone = '{}'", "x".repeat(10_000));
    for damage in [
        "resting = 0",
        "resting = 999",
        "resting = 70000",
        "resting = -1",
        "zone = 'Mars/Olympus Mons'",
        "zone = 'Europe/Berlin,\n'",
        &long,
    ] {
        let (dir, mut history) = with_damaged_day("resting = 55");
        damage_day(&history, damage);
        // No reader loses a minute or an offset because of it.
        let resting = Bpm::new(55).filter(|_| damage.starts_with("zone"));
        let known = history.day(second).unwrap().unwrap();
        assert_eq!((known.day.logged_minutes(), known.resting), (600, resting));
        let overview = history.overview(first, second).unwrap();
        assert_eq!((overview.len(), overview[1].resting), (2, resting));
        assert_eq!(overview[1].logged_minutes, 600);
        let minutes = everything(&history);
        assert_eq!(minutes.len(), 1_800);
        assert!(
            minutes
                .iter()
                .all(|minute| ["Europe/Berlin", ""].contains(&&*minute.zone))
        );
        assert!(minutes.iter().all(|minute| minute.offset.seconds() == 0));
        assert_eq!(history.unreadable(Date::MIN, Date::MAX).unwrap(), []);
        let whole = examine(dir.path(), "w").unwrap().unwrap();
        assert_eq!((whole.minutes, whole.corrected), (1_800, vec![second]));
        // New data is merged with the minutes, and repairs the row.
        let again = day("UTC", "2026-01-02T08:00:00Z", &[80; 10]);
        history.record(&known_at(2, again)).unwrap();
        let known = history.day(second).unwrap().unwrap();
        assert_eq!((known.day.logged_minutes(), known.resting), (600, resting));
        assert_eq!(known.sources[0].zone, "Europe/Berlin");
        let whole = examine(dir.path(), "w").unwrap().unwrap();
        assert_eq!(whole.corrected, []);
    }
}

fn known_at(fetched_at: i64, day: Day) -> SourceDay {
    known(Kind::Google, day, fetched_at)
}

#[test]
fn a_damaged_index_hides_no_day_and_whoever_writes_builds_it_anew() {
    let dir = tempfile::tempdir().unwrap();
    drop(of_days(dir.path(), 3));
    damage_index(&dir.path().join(NAME));
    let all = [1, 2, 3].map(|day| date(2026, 1, day));
    let history = History::look(dir.path(), "w").unwrap().unwrap();
    assert_eq!(history.dates(Date::MIN, Date::MAX).unwrap(), all);
    assert_eq!(everything(&history).len(), 1_800);
    assert_eq!(history.overview(all[0], all[2]).unwrap().len(), 3);
    for date in all {
        assert!(history.day(date).unwrap().is_some());
    }
    let last = history.last_known(at("2026-02-01T00:00:00Z")).unwrap();
    assert_eq!(last.unwrap().day.local().date(), all[2]);
    let whole = examine(dir.path(), "w").unwrap().unwrap();
    assert!(whole.is_damaged && whole.unreadable.is_empty());
    assert_eq!(whole.minutes, 1_800);
    // Only reading changes nothing.
    let reader = History::open_existing(dir.path(), "w").unwrap().unwrap();
    assert!(!reader.is_mended());
    drop(reader);
    let history = History::open(dir.path(), "w").unwrap();
    assert!(history.is_mended());
    let whole = examine(dir.path(), "w").unwrap().unwrap();
    assert_eq!((whole.minutes, whole.is_damaged), (1_800, false));
    drop(history);
    assert!(!History::open(dir.path(), "w").unwrap().is_mended());
}

#[test]
fn what_came_in_twice_beside_a_damaged_index_becomes_one_again() {
    let dir = tempfile::tempdir().unwrap();
    drop(of_days(dir.path(), 3));
    damage_index(&dir.path().join(NAME));
    let db = Connection::open(dir.path().join(NAME)).unwrap();
    let columns = "wearer, date, start, length, source, zone, offset, change_minute, change_offset, logged, min, mean, max, resting";
    let copy = format!(
        "INSERT INTO day ({columns}, fetched_at, changed_at, minutes)
         SELECT {columns}, 2, 2, x'00' FROM day NOT INDEXED WHERE date = '2026-01-02'"
    );
    assert_eq!(db.execute(&copy, []).unwrap(), 1);
    drop(db);
    let opened = History::open(dir.path(), "w");
    assert!(
        matches!(opened, Err(HistoryError::Damaged(_))),
        "{opened:?}"
    );
    let now = at("2026-11-22T14:07:00Z");
    let rescued = rescue(dir.path(), "w", now).unwrap().unwrap();
    assert_eq!(rescued.days, 3);
    // A second process finds it done.
    assert_eq!(rescue(dir.path(), "w", now).unwrap(), None);
    let history = History::open(dir.path(), "w").unwrap();
    let day = history.day(date(2026, 1, 2)).unwrap().unwrap().day;
    assert_eq!((day.logged_minutes(), day.get(0)), (601, Bpm::new(64)));
    assert_eq!(everything(&history).len(), 1_801);
}

#[test]
fn of_a_file_that_was_cut_off_goes_on_what_is_in_the_rest() {
    let whole = tempfile::tempdir().unwrap();
    let mut history = of_days(whole.path(), 100);
    let batch = history.batch().unwrap();
    let owner = Account {
        provider: Provider::Google,
        user_id: "111".to_owned(),
    };
    batch.claim(&owner).unwrap();
    batch.commit().unwrap();
    drop(history);
    let bytes = fs::read(whole.path().join(NAME)).unwrap();
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join(NAME), &bytes[..bytes.len() / 2]).unwrap();
    assert!(matches!(
        History::open_existing(dir.path(), "w"),
        Err(HistoryError::Damaged(_))
    ));
    let rescued = rescue(dir.path(), "w", at("2026-11-22T14:07:00Z"));
    let rescued = rescued.unwrap().unwrap();
    assert!((30..70).contains(&rescued.days), "{}", rescued.days);
    assert_eq!(fs::read(rescued.aside).unwrap(), bytes[..bytes.len() / 2]);
    let history = History::open(dir.path(), "w").unwrap();
    assert_eq!(everything(&history).len(), 600 * rescued.days as usize);
    assert_eq!(history.relation_to(&[owner]).unwrap(), Relation::Own);
}

#[test]
fn whatever_became_of_the_tables_what_can_be_read_goes_on() {
    for (change, days) in [
        ("PRAGMA user_version = -1", 3),
        ("PRAGMA user_version = 0", 3),
        ("PRAGMA user_version = 1", 3),
        ("DROP TABLE asked", 3),
        ("DROP TABLE day", 0),
        (
            "ALTER TABLE day RENAME TO days; CREATE VIEW day AS SELECT * FROM days",
            0,
        ),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let mut history = of_days(dir.path(), 3);
        let owner = Account {
            provider: Provider::Fitbit,
            user_id: "ABC".to_owned(),
        };
        let batch = history.batch().unwrap();
        batch.claim(&owner).unwrap();
        batch.commit().unwrap();
        history.db.execute_batch(change).unwrap();
        drop(history);
        let before = fs::read(dir.path().join(NAME)).unwrap();
        let look = History::look(dir.path(), "w");
        assert!(
            matches!(look, Err(HistoryError::Damaged(_))),
            "{change}: {look:?}"
        );
        let rescued = rescue(dir.path(), "w", at("2026-11-22T14:07:00Z"));
        let rescued = rescued.unwrap().unwrap();
        assert_eq!(rescued.days, days, "{change}");
        assert_eq!(fs::read(rescued.aside).unwrap(), before);
        let history = History::open(dir.path(), "w").unwrap();
        assert_eq!(everything(&history).len(), 600 * days as usize);
        assert_eq!(history.relation_to(&[owner]).unwrap(), Relation::Own);
    }
}

#[test]
fn of_a_damaged_file_everything_goes_on_that_can_be_read() {
    let whole = tempfile::tempdir().unwrap();
    drop(of_days(whole.path(), 100));
    let bytes = fs::read(whole.path().join(NAME)).unwrap();
    let pages = bytes.len() / 4_096;
    let mut rescued = 0;
    for page in 1..pages {
        let dir = tempfile::tempdir().unwrap();
        let mut damaged = bytes.clone();
        damaged[page * 4_096..(page + 1) * 4_096].fill(0x5A);
        fs::write(dir.path().join(NAME), &damaged).unwrap();
        let today = known(Kind::Google, day("UTC", "2026-03-01T08:00:00Z", &[80]), 2);
        let record = || History::open(dir.path(), "w").and_then(|mut it| it.record(&today));
        if let Err(error) = record() {
            assert!(
                matches!(error, HistoryError::Damaged(_)),
                "page {page}: {error:?}"
            );
            let now = at("2026-11-22T14:07:00Z");
            let Rescued { aside, days } = rescue(dir.path(), "w", now).unwrap().unwrap();
            // Two pages contain the pointers to all others.
            rescued += u32::from(days > 90);
            record().unwrap();
            let mut kept = fs::read(aside).unwrap();
            kept.truncate(damaged.len());
            assert!(kept == damaged, "page {page} was changed");
        }
        let history = History::open(dir.path(), "w").unwrap();
        let day = history.day(date(2026, 3, 1)).unwrap().unwrap();
        assert_eq!(day.day.iter().next().unwrap().1.get(), 80);
    }
    assert!(rescued > 2, "{rescued} of {pages}");
}
