//! The history that cycles write.

use std::fs;

use crate::harness::{
    import_files::{exported, until_two},
    recording,
    sandbox_process::Sandbox,
    signed_in::SignedIn,
};

#[test]
fn every_cycle_adds_what_is_new_and_nothing_twice() {
    for provider in ["google", "fitbit"] {
        let signed_in = SignedIn::either(provider);
        signed_in.sandbox.set_clock("2026-11-22T15:07:00Z");
        for _ in 0..2 {
            signed_in.once().exits(0);
            signed_in.assert_history(&until_two());
            signed_in.sandbox.advance(3_600);
        }
        let history = signed_in.status()["history"].clone();
        assert_eq!(history["days"], 1);
        assert_eq!(history["first_day"], "2026-11-22");
        assert!(history["bytes"].as_u64().unwrap() > 4_096);
        signed_in
            .run(&["status"])
            .exits(0)
            .prints("1 day, 2026-11-22 to 2026-11-22");
    }
}

#[test]
fn late_minutes_of_yesterday_are_kept_after_midnight() {
    let csv = recording::from_midnight("2026-11-22", (0..1_440).map(|_| 66));
    let tail: String = (0..10)
        .map(|minute| format!("2026-11-23T00:{minute:02}:20,67\n"))
        .collect();
    let signed_in =
        SignedIn::google_with(|home| Sandbox::with_recording(home, &(csv + &tail), "UTC"));
    signed_in.sandbox.set_clock("2026-11-22T23:40:00Z");
    signed_in.once().exits(0);
    signed_in.sandbox.set_clock("2026-11-22T23:52:00Z");
    signed_in.once().exits(0);
    signed_in.sandbox.set_clock("2026-11-23T00:07:00Z");
    signed_in.once().exits(0);
    signed_in.assert_history(&exported("2026-11-22T00:00:00Z", [66; 1_440]));
}

#[test]
fn nothing_is_kept_where_nothing_is_to_be() {
    let signed_in = SignedIn::google();
    signed_in
        .home
        .configure_more("[history]\nkeep = \"none\"\n");
    signed_in.once().exits(0);
    assert!(!signed_in.home.state("history.db").exists());
    assert_eq!(signed_in.status()["history"]["bytes"], 0);
}

#[test]
fn old_days_go_when_they_are_older_than_is_kept() {
    let signed_in = SignedIn::google();
    signed_in
        .home
        .write("old.csv", &exported("2026-11-20T23:59:00Z", [70, 71]));
    signed_in.run(&["import", "old.csv"]).exits(0);
    signed_in
        .home
        .configure_more("[history]\nkeep = \"2 days\"\n");
    signed_in.once().exits(0);
    let history = signed_in.status()["history"].clone();
    assert_eq!(
        (&history["first_day"], &history["days"]),
        (&"2026-11-21".into(), &2.into())
    );
}

#[test]
fn a_damaged_history_is_moved_aside_and_the_cycle_goes_on() {
    let signed_in = SignedIn::google().after_once();
    let file = signed_in.home.state("history.db");
    let damaged = vec![0x5A; fs::read(&file).unwrap().len()];
    fs::write(&file, &damaged).unwrap();
    signed_in
        .home
        .run(&["export"])
        .exits(1)
        .says("the history is damaged")
        .says("moves it aside");
    // Damaged twice within a second of its clock: the second copy aside must not replace the first.
    for count in 1..=2 {
        fs::write(&file, &damaged).unwrap();
        let finished = signed_in
            .home
            .run(&["once", "--now", "2026-11-22T14:07:00Z"])
            .exits(0)
            .says("the history was damaged; it is now")
            .says("and a new one was started: none of its days could be read");
        assert!(finished.stdout.contains("Today's Logged Pulses : 840"));
        signed_in.assert_history(&until_two());
        let aside = fs::read_dir(signed_in.home.state("")).unwrap();
        let aside: Vec<_> = aside
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.to_string_lossy().contains("history.db.damaged-2026"))
            .collect();
        assert_eq!(aside.len(), count, "{aside:?}");
        for file in aside {
            assert_eq!(fs::read(file).unwrap(), damaged);
        }
    }
}

#[test]
fn a_newer_history_is_refused_and_left_untouched() {
    let signed_in = SignedIn::google().after_once();
    let file = signed_in.home.state("history.db");
    let db = rusqlite::Connection::open(&file).unwrap();
    db.pragma_update(None, "user_version", 99).unwrap();
    drop(db);
    let before = fs::read(&file).unwrap();
    signed_in.once().exits(0).says(
        "not added to the history: the history has format 99, which is from a newer pulsewing",
    );
    for command in [&["export"][..], &["import", "--zone", "UTC", "."]] {
        signed_in
            .run(command)
            .exits(1)
            .says("use the newer pulsewing; nothing was changed");
    }
    signed_in.run(&["status"]).exits(0).prints("format 99");
    assert_eq!(fs::read(&file).unwrap(), before);
}

#[test]
fn a_history_of_an_older_version_is_brought_up_to_date_with_all_it_holds() {
    let signed_in = SignedIn::google().after_once();
    // A history as version 1 left it.
    let db = rusqlite::Connection::open(signed_in.home.state("history.db")).unwrap();
    db.execute_batch("DROP TABLE asked; PRAGMA user_version = 1")
        .unwrap();
    drop(db);
    // Reading changes nothing.
    signed_in.run(&["doctor", "--offline"]).exits(0);
    signed_in.once().exits(0).says_nothing_of("history");
    signed_in.assert_history(&until_two());
    let db = rusqlite::Connection::open(signed_in.home.state("history.db")).unwrap();
    db.prepare("SELECT * FROM asked").unwrap();
}

#[test]
fn a_busy_history_costs_the_reading_its_place_and_nothing_else() {
    let signed_in = SignedIn::google().after_once();
    let db = rusqlite::Connection::open(signed_in.home.state("history.db")).unwrap();
    db.execute_batch("BEGIN IMMEDIATE").unwrap();
    signed_in
        .once()
        .exits(0)
        .says("another process is using the history");
    // Reading needs no turn.
    signed_in.home.run(&["export"]).exits(0);
}
