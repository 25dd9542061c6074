//! Several processes with one history: nothing is lost, and a process that waits says so.

use std::fs;

use rusqlite::Connection;

use crate::harness::{
    daemon::Daemon,
    hermetic::Home,
    import_files::{csv, exported, samples, without_resting},
    signed_in::SignedIn,
};

const NOW: &str = "2026-11-22T14:07:00Z";

/// Writes an export with a file for each day of this month.
fn write_days(home: &Home, name: &str, month: u8, rate: u16) -> String {
    let dir = home.work(name);
    fs::create_dir(&dir).unwrap();
    for day in 1..=20 {
        let date = format!("2026-{month:02}-{day:02}");
        let samples = samples(&format!("{date}T00:00:00Z"), [rate; 600]);
        let path = dir.join(format!("heart_rate_{date}.csv"));
        fs::write(path, csv(&samples, None)).unwrap();
    }
    name.to_owned()
}

fn lines_of(text: &str, rate: u16) -> usize {
    let value = format!(",{rate},");
    text.lines().filter(|line| line.contains(&value)).count()
}

#[test]
fn two_imports_and_an_export_at_once_lose_nothing() {
    let home = Home::new();
    let first = write_days(&home, "first", 8, 70);
    let second = write_days(&home, "second", 9, 80);
    // They create the history together.
    let imports = [&first, &second].map(|name| {
        let args = ["import", name, "--zone", "UTC", "--now", NOW];
        home.program(&args).start()
    });
    for import in imports {
        import.finish().exits(0).says_nothing_of("locked");
    }
    let all = home.run(&["export"]).exits(0).stdout;
    assert_eq!((lines_of(&all, 70), lines_of(&all, 80)), (12_000, 12_000));
    // An export during an import is complete.
    let args = ["import", &first, "--zone", "UTC", "--now", NOW];
    let import = home.program(&args).start();
    assert_eq!(home.run(&["export"]).exits(0).stdout, all);
    import.finish().exits(0);
    assert_eq!(home.run(&["export"]).exits(0).stdout, all);
}

#[test]
fn an_import_beside_a_daemon_loses_nothing_of_either() {
    let signed_in = SignedIn::google_today();
    let daemon = Daemon::start(&signed_in);
    let name = write_days(&signed_in.home, "first", 8, 30);
    // Only today is stored, so the import is of today as well.
    let today = signed_in
        .home
        .write("today.csv", &exported("2026-11-22T14:00:00Z", [31, 31]));
    let import = signed_in.program(&["import", &name, &today, "--zone", "UTC"]);
    let import = import.start();
    daemon.post("/update", "");
    import.finish().exits(0).says_nothing_of("locked");
    daemon.logs("updated bpm=");
    let all = signed_in.home.run(&["export"]).exits(0).stdout;
    assert_eq!(lines_of(&all, 31), 2);
    assert_eq!(without_resting(&all).lines().count(), 1 + 14 * 60 + 2);
    daemon.stop();
}

#[test]
fn an_import_that_waits_for_another_process_says_so_and_goes_on() {
    let home = Home::new();
    home.write("a.csv", &exported("2026-11-20T08:00:00Z", [70]));
    home.run(&["import", "a.csv", "--now", NOW]).exits(0);
    let db = Connection::open(home.state("history.db")).unwrap();
    db.execute_batch("BEGIN IMMEDIATE").unwrap();
    home.write("b.csv", &exported("2026-11-21T08:00:00Z", [80]));
    let import = home.program(&["import", "b.csv", "--now", NOW]).start();
    import.error_line_with("another process is writing the history; waiting up to ten minutes");
    db.execute_batch("ROLLBACK").unwrap();
    import.finish().exits(0);
    let all = home.run(&["export"]).exits(0).stdout;
    assert_eq!(all.lines().count(), 3);
}
