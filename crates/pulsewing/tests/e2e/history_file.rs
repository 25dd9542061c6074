//! The history as a file that is copied, partly damaged, removed, or placed where nobody can write.

use std::fs;

use serde_json::json;

use crate::harness::{
    daemon::Daemon,
    hermetic::Home,
    import_files::{exported, until_two, without_resting},
    recording::rates_until_two,
    shim,
    signed_in::SignedIn,
};

/// Two imported days before today.
const EARLIER: [&str; 2] = ["2026-11-19", "2026-11-20"];

fn earlier(date: &str) -> String {
    exported(&format!("{date}T08:00:00Z"), [70, 71])
}

/// Returns a home with three days.
fn with_three_days() -> SignedIn {
    let signed_in = SignedIn::google();
    for date in EARLIER {
        let file = signed_in.home.write(&format!("{date}.csv"), &earlier(date));
        signed_in.run(&["import", &file]).exits(0);
    }
    signed_in.once().exits(0);
    signed_in
}

fn damage(signed_in: &SignedIn, date: &str) {
    let db = rusqlite::Connection::open(signed_in.home.state("history.db")).unwrap();
    let change = "UPDATE day SET minutes = x'FFFF' WHERE date = ?1";
    assert_eq!(db.execute(change, [date]).unwrap(), 1);
}

fn lines(text: &str) -> &str {
    text.split_once('\n').unwrap().1
}

#[test]
fn a_copy_of_the_file_alone_has_everything_while_a_daemon_is_at_work() {
    let signed_in = SignedIn::google_today();
    let mut run = signed_in.program(&["run", "--no-web"]).start();
    run.error_line_with("updated");
    let copy = || {
        let home = Home::new();
        let state = home.state("");
        fs::create_dir_all(&state).unwrap();
        fs::set_permissions(&state, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
        fs::copy(signed_in.home.state("history.db"), home.state("history.db")).unwrap();
        home.run(&["export"]).exits(0).stdout
    };
    assert_eq!(without_resting(&copy()), until_two());
    // The same for values that are imported into it.
    let file = signed_in
        .home
        .write("more.csv", &exported("2026-11-22T14:00:00Z", [100]));
    signed_in.run(&["import", &file]).exits(0);
    assert_eq!(
        without_resting(&copy()),
        exported("2026-11-22T00:00:00Z", rates_until_two().chain([100]))
    );
    assert!(run.is_running());
    run.stop();
}

#[test]
fn a_day_that_cannot_be_read_costs_no_other() {
    let signed_in = with_three_days();
    damage(&signed_in, "2026-11-20");
    let export = || signed_in.home.program(&["export"]).printing_first().run();
    let today = until_two();
    let left = export()
        .exits(1)
        .says("warning: 2026-11-20 was left out")
        .says("1 day of the history could not be read; everything else was exported")
        .says("again replaces it");
    assert_eq!(
        without_resting(&left.stdout),
        earlier("2026-11-19") + lines(&today)
    );
    // An unreadable day outside the requested range does not matter.
    let only = ["export", "--from", "2026-11-22"];
    assert_eq!(
        without_resting(&signed_in.home.run(&only).exits(0).stdout),
        today
    );
    let doctor = signed_in.run(&["doctor", "--offline"]).exits(0).stdout;
    assert!(
        doctor.contains(
            "the history's data for 2026-11-20 cannot be read; its other 842 minutes are intact"
        ),
        "{doctor}"
    );
    let status = signed_in.run(&["status"]).exits(0).stdout;
    assert!(
        status.contains("3 days, 2026-11-19 to 2026-11-22"),
        "{status}"
    );
    assert!(
        status.contains("Unreadable:     2026-11-20; fetching or importing such a day again"),
        "{status}"
    );
    let days = &signed_in.status()["history"]["unreadable"];
    assert_eq!(*days, json!(["2026-11-20"]));
    // A new import replaces it.
    signed_in.run(&["import", "2026-11-20.csv"]).exits(0);
    let status = signed_in.run(&["status"]).exits(0).stdout;
    assert!(!status.contains("Unreadable:"), "{status}");
    let all = earlier("2026-11-19") + lines(&earlier("2026-11-20")) + lines(&today);
    assert_eq!(without_resting(&export().exits(0).stdout), all);
    // So does a new fetch, and the other days stay.
    damage(&signed_in, "2026-11-22");
    export().exits(1).says("2026-11-22 was left out");
    signed_in.once().exits(0).says_nothing_of("damaged");
    assert_eq!(without_resting(&export().exits(0).stdout), all);
    signed_in
        .run(&["doctor", "--offline"])
        .exits(0)
        .says_nothing_of("cannot be read");
}

#[test]
fn the_page_says_which_day_cannot_be_read_and_shows_the_others() {
    let signed_in = with_three_days();
    damage(&signed_in, "2026-11-20");
    // Otherwise the day could be fetched again at any moment.
    signed_in.sandbox.configure(&json!({ "gone": true }));
    let daemon = Daemon::start(&signed_in);
    let page = daemon.get("/day/2026-11-20");
    assert_eq!(page.status, 500);
    assert!(
        page.body
            .contains("he history's data for 2026-11-20 cannot be read"),
        "{}",
        page.body
    );
    assert_eq!(daemon.get("/day/2026-11-19").status, 200);
    assert_eq!(daemon.get("/month/2026-11").status, 200);
    assert_eq!(
        daemon
            .get("/api/v1/days?from=2026-11-01&to=2026-11-22")
            .status,
        200
    );
    daemon.stop();
}

#[test]
fn a_past_day_that_cannot_be_read_is_fetched_once_more() {
    let signed_in = SignedIn::google();
    signed_in
        .home
        .configure_more("[history]\nkeep = \"2 days\"\n");
    let run = || signed_in.program(&["run", "--no-web"]).start();
    let first = run();
    first.error_line_with("date=2026-11-21 minutes=0");
    first.stop();
    let file = signed_in
        .home
        .write("x.csv", &exported("2026-11-21T08:00:00Z", [70]));
    signed_in.run(&["import", &file]).exits(0);
    damage(&signed_in, "2026-11-21");
    let again = run();
    again.error_line_with("date=2026-11-21 minutes=0");
    again.stop();
}

#[test]
fn a_history_that_is_removed_beside_a_daemon_is_told_and_begun_anew() {
    let signed_in = SignedIn::google_today();
    let daemon = Daemon::updated(&signed_in);
    for name in ["history.db", "history.db-wal", "history.db-shm"] {
        fs::remove_file(signed_in.home.state(name)).unwrap();
    }
    daemon.post("/update", "");
    daemon.logs("the history was removed while Pulsewing was running; starting a new one");
    daemon.logs("updated bpm=");
    signed_in.assert_history(&until_two());
    daemon.stop();
    signed_in.assert_history(&until_two());
}

#[test]
fn a_history_where_nothing_can_be_written_is_exported_all_the_same() {
    let signed_in = with_three_days();
    let read_only = |args: &[&str]| {
        let program = signed_in.program(args);
        shim::with_read_only(program, &signed_in.home.path("state")).run()
    };
    let expected = signed_in.home.run(&["export"]).exits(0).stdout;
    let files = || {
        let entries = fs::read_dir(signed_in.home.state("")).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let before = files();
    assert_eq!(read_only(&["export"]).exits(0).stdout, expected);
    read_only(&["status"])
        .exits(0)
        .prints("3 days, 2026-11-19 to 2026-11-22");
    // The same for a history that an older version left: the schema cannot be migrated there.
    let db = rusqlite::Connection::open(signed_in.home.state("history.db")).unwrap();
    db.execute_batch("DROP TABLE owner; PRAGMA user_version = 2")
        .unwrap();
    drop(db);
    assert_eq!(read_only(&["export"]).exits(0).stdout, expected);
    assert_eq!(files(), before);
}
