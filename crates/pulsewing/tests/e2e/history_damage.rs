//! A history with a damaged index, table or file, and a disk that is full or read-only.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    process::Command,
};

use pulsewing_testkit::damage::damage_index;
use rusqlite::Connection;

use crate::harness::{
    hermetic::{Finished, Home},
    import_files::exported,
};

const DAYS: [&str; 3] = ["2026-11-19", "2026-11-20", "2026-11-21"];

/// Returns a home whose history has three imported days, and the output of `export` for them.
fn with_days() -> (Home, String) {
    let home = Home::new();
    for date in DAYS {
        home.write(&format!("{date}.csv"), &of(date));
        import(&home, date).exits(0);
    }
    let all = home.run(&["export"]).exits(0).stdout;
    assert_eq!(all.lines().count(), 1 + 2 * DAYS.len());
    (home, all)
}

fn of(date: &str) -> String {
    exported(&format!("{date}T08:00:00Z"), [70, 71])
}

fn import(home: &Home, date: &str) -> Finished {
    home.run(&["import", &format!("{date}.csv"), "--now", NOW])
}

const NOW: &str = "2026-11-22T14:07:00Z";

fn change(home: &Home, statements: &str) {
    let db = Connection::open(home.state("history.db")).unwrap();
    db.execute_batch(statements).unwrap();
}

/// Asserts that a person sees nothing of SQL, except in lines that begin with `details:`.
#[track_caller]
fn assert_plain(words: &str) {
    for line in words.lines().filter(|line| !line.starts_with("details:")) {
        for word in [
            "SELECT",
            "INSERT",
            "CREATE",
            "user_version",
            "SQL",
            "table day",
            "no such",
        ] {
            assert!(!line.contains(word), "{words}");
        }
    }
}

#[test]
fn a_damaged_index_hides_no_day_and_is_built_anew_by_the_next_import() {
    let (home, all) = with_days();
    damage_index(&home.state("history.db"));
    assert_eq!(home.run(&["export"]).exits(0).stdout, all);
    let one = ["export", "--from", DAYS[1], "--to", DAYS[1]];
    assert_eq!(home.run(&one).exits(0).stdout.lines().count(), 3);
    let doctor = || {
        home.program(&["doctor", "--offline"])
            .printing_first()
            .run()
    };
    doctor()
        .prints("the history's file is damaged, but everything in it can be read; it has 6 minutes")
        .prints("repairs it; nothing is lost");
    for date in DAYS {
        let imported = import(&home, date).exits(0);
        match date == DAYS[0] {
            true => imported.says(
                "warning: the history's index was damaged and has been rebuilt; no day is lost",
            ),
            false => imported.says_nothing_of("index"),
        };
    }
    assert_eq!(home.run(&["export"]).exits(0).stdout, all);
    doctor().prints("the history is intact; it has 6 minutes");
}

#[test]
fn tables_that_are_not_a_historys_are_told_and_the_next_import_begins_anew() {
    for (statements, words, days) in [
        ("PRAGMA user_version = -1", "its format is numbered -1", 3),
        (
            "PRAGMA user_version = 0",
            "it has tables, but no format number",
            3,
        ),
        (
            "PRAGMA user_version = 1",
            "its tables are not those of format 1",
            3,
        ),
        ("DROP TABLE day", "its tables are not those of format 4", 0),
        (
            "ALTER TABLE day RENAME TO days; CREATE VIEW day AS SELECT * FROM days",
            "its tables are not those of format 4",
            0,
        ),
    ] {
        let (home, all) = with_days();
        change(&home, statements);
        let before = fs::read(home.state("history.db")).unwrap();
        let export = home
            .run(&["export"])
            .exits(1)
            .says("error: the history is damaged\n")
            .says(words)
            .says("moves it aside and starts a new one with everything that can be read");
        assert_plain(&export.stderr);
        let status = home.run(&["status"]).exits(0).prints(words);
        assert_plain(&status.stdout);
        let doctor = home
            .program(&["doctor", "--offline"])
            .printing_first()
            .run();
        assert_plain(&doctor.prints(words).stdout);
        assert_eq!(fs::read(home.state("history.db")).unwrap(), before);
        // The advice works.
        let imported = import(&home, DAYS[2])
            .exits(0)
            .says("the history was damaged; it is now");
        assert_plain(&imported.stderr);
        let kept = home.run(&["export"]).exits(0).stdout;
        match days {
            0 => assert_eq!(kept, of(DAYS[2])),
            _ => assert_eq!(kept, all),
        }
        let aside = home.state("history.db.damaged-20261122T140700Z");
        assert_eq!(fs::read(aside).unwrap(), before);
        import(&home, DAYS[1]).exits(0).says_nothing_of("damaged");
    }
}

#[test]
fn what_is_no_history_is_told_and_never_destroyed() {
    let (home, all) = with_days();
    let whole = fs::read(home.state("history.db")).unwrap();
    for (bytes, words) in [
        (vec![0; 4_096], "its file is not a database"),
        (
            whole[..whole.len() / 2].to_vec(),
            "part of its file is damaged",
        ),
    ] {
        fs::write(home.state("history.db"), &bytes).unwrap();
        let export = home.run(&["export"]).exits(1).says(words);
        assert_plain(&export.stderr);
        import(&home, DAYS[0])
            .exits(0)
            .says("the history was damaged; it is now");
        let aside = home.state("history.db.damaged-20261122T140700Z");
        assert_eq!(fs::read(&aside).unwrap(), bytes);
        fs::remove_file(aside).unwrap();
        assert!(all.contains(of(DAYS[0]).lines().nth(1).unwrap()));
    }
    // An empty file is a history that was only begun.
    fs::write(home.state("history.db"), "").unwrap();
    home.run(&["export"])
        .exits(1)
        .says("there is no history yet");
    home.run(&["status"]).exits(0).prints("none yet");
    assert_eq!(fs::read(home.state("history.db")).unwrap(), b"");
    // Something else in its place stays there.
    fs::remove_file(home.state("history.db")).unwrap();
    fs::create_dir(home.state("history.db")).unwrap();
    for command in [&["export"][..], &["import", "2026-11-19.csv"]] {
        home.run(command)
            .exits(1)
            .says("history.db is a directory, not a file")
            .says("hint: move it out of the way");
    }
    assert!(home.state("history.db").is_dir());
}

/// A small file system of its own; `None` if none can be mounted, because the tests do not run as root.
struct Mounted(PathBuf);

impl Mounted {
    fn over(dir: &Path, size: usize) -> Option<Self> {
        let options = format!("size={size},mode=0700");
        mount(&["-t", "tmpfs", "-o", &options, "tmpfs"], dir).then(|| Self(dir.to_owned()))
    }

    /// Remounts it as `ro` or `rw`.
    fn make(&self, mode: &str) {
        assert!(mount(&["-o", &format!("remount,{mode}")], &self.0));
    }
}

fn mount(args: &[&str], dir: &Path) -> bool {
    let mounted = Command::new("mount").args(args).arg(dir).output();
    mounted.is_ok_and(|mounted| mounted.status.success())
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// Returns the same history on a file system of `size` bytes.
fn on_a_disk_of(size: usize) -> Option<(Mounted, Home, String)> {
    let (home, all) = with_days();
    let bytes = fs::read(home.state("history.db")).unwrap();
    let state = home.state("");
    let mounted = Mounted::over(&state, size)?;
    fs::write(home.state("history.db"), bytes).unwrap();
    private(&home.state("history.db"));
    Some((mounted, home, all))
}

fn private(path: &Path) {
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
}

#[test]
fn on_a_full_disk_everything_can_be_read_and_what_comes_in_is_refused_in_words() {
    let Some((_mounted, home, all)) = on_a_disk_of(512 * 1_024) else {
        return;
    };
    let before = fs::read(home.state("history.db")).unwrap();
    let mut filler = File::create(home.state("filler")).unwrap();
    while filler.write_all(&[1; 4_096]).is_ok() {}
    drop(filler);
    private(&home.state("filler"));
    assert_eq!(home.run(&["export"]).exits(0).stdout, all);
    home.run(&["status"]).exits(0).prints("3 days");
    let imported = import(&home, DAYS[0])
        .exits(1)
        .says("the disk is full")
        .says("hint: free up disk space and try again; the existing history is intact");
    assert_plain(&imported.stderr);
    assert_eq!(fs::read(home.state("history.db")).unwrap(), before);
    // A damaged history stays where it is until there is room for a new one.
    fs::write(home.state("history.db"), vec![0; before.len()]).unwrap();
    import(&home, DAYS[0])
        .exits(1)
        .says(
            "the history is damaged and was left as it is, because a new one could not be started",
        )
        .says("the disk is full");
    assert_eq!(
        fs::read(home.state("history.db")).unwrap(),
        vec![0; before.len()]
    );
    fs::remove_file(home.state("filler")).unwrap();
    import(&home, DAYS[0]).exits(0);
}

#[test]
fn on_a_disk_that_is_read_only_everything_can_be_read_and_nothing_comes_in() {
    let Some((mounted, home, all)) = on_a_disk_of(1 << 20) else {
        return;
    };
    // A log left there by a process that was cut off.
    let db = Connection::open(home.state("history.db")).unwrap();
    db.execute("UPDATE day SET changed_at = changed_at + 1", [])
        .unwrap();
    let log = fs::read(home.state("history.db-wal")).unwrap();
    drop(db);
    mounted.make("ro");
    assert_eq!(home.run(&["export"]).exits(0).stdout, all);
    home.run(&["status"]).exits(0).prints("3 days");
    let imported = import(&home, DAYS[0])
        .exits(1)
        .says("Read-only file system")
        .says("hint: make the state directory writable");
    assert_plain(&imported.stderr);
    mounted.make("rw");
    fs::write(home.state("history.db-wal"), log).unwrap();
    private(&home.state("history.db-wal"));
    mounted.make("ro");
    home.run(&["export"])
        .exits(1)
        .says("its last readings are in the log beside it")
        .says("copy it to a writable place");
    mounted.make("rw");
    assert_eq!(home.run(&["export"]).exits(0).stdout, all);
}
