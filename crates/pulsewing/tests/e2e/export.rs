//! `export`: the history comes out as it went in.

use serde_json::Value;

use crate::harness::{
    hermetic::{Home, words},
    import_files::{HEADER, csv, exported, samples},
    recording,
    sandbox_process::Sandbox,
    signed_in::SignedIn,
};

#[test]
fn what_was_exported_is_a_recording_for_the_sandbox() {
    for (provider, zone) in [("google", "Asia/Kathmandu"), ("fitbit", "UTC")] {
        let first = SignedIn::either_with(provider, |home| {
            Sandbox::with_recording(home, &recording::until_two(), zone)
        });
        first.once().exits(0);
        let exported = first.home.run(&["export"]).exits(0).stdout;
        assert_eq!(exported.lines().count(), 1 + 14 * 60);
        let second = SignedIn::either_with(provider, |home| {
            Sandbox::with_recording(home, &exported, zone)
        });
        second.once().exits(0);
        let again = second.home.run(&["export"]).exits(0).stdout;
        assert_eq!(again, exported, "{provider}");
        // `import` accepts it.
        let third = Home::new();
        third.write("export.csv", &exported);
        third
            .run(&[
                "import",
                "--zone",
                zone,
                "export.csv",
                "--now",
                &first.sandbox.now(),
            ])
            .exits(0)
            .says("of 1 day, 2026-11-22");
        assert_eq!(third.run(&["export"]).exits(0).stdout, exported);
    }
}

#[test]
fn days_and_formats_can_be_chosen() {
    let home = Home::new();
    let all = exported("2024-10-26T23:58:00Z", 70..74);
    home.write("all.csv", &all);
    home.run(&["import", "--zone", "UTC", "all.csv"]).exits(0);
    let lines: Vec<&str> = all.lines().collect();
    let export = |options: &[&str]| home.run(&[&["export"], options].concat()).exits(0).stdout;
    assert_eq!(export(&[]), all);
    let first = format!("{}\n{}\n{}\n", lines[0], lines[1], lines[2]);
    assert_eq!(export(&["--to", "2024-10-26"]), first);
    let second = format!("{}\n{}\n{}\n", lines[0], lines[3], lines[4]);
    assert_eq!(export(&["--from", "2024-10-27", "--format", "csv"]), second);
    let json = export(&["--format", "json"]);
    let minutes: Vec<Value> = json
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(minutes.len(), 4);
    assert_eq!(minutes[1]["time"], "2024-10-26T23:59:00+00:00");
    assert_eq!(minutes[1]["bpm"], 71);
    assert_eq!(minutes[1]["zone"], "UTC");
    home.run(&["export", "--from", "2025-01-01"])
        .exits(0)
        .says("no minutes for these days");
    home.run(&["export", "--from", "2025-01-02", "--to", "2025-01-01"])
        .exits(2);
    home.run(&["export", "--from", "yesterday"]).exits(2);
    home.program(&["export"]).run_into_a_broken_pipe().exits(0);
}

/// Returns the history of a year in one zone with its clock changes, a journey to another zone, and
/// resting rates of days with and without minutes.
fn travelled() -> Home {
    let home = Home::new();
    let (berlin, st_johns) = ("Europe/Berlin", "America/St_Johns");
    for (name, zone, start, length) in [
        (
            "heart_rate_2024-10-26.csv",
            berlin,
            "2024-10-26T12:00:00Z",
            2_000,
        ),
        (
            "heart_rate_2025-03-30.csv",
            berlin,
            "2025-03-29T23:00:00Z",
            2_000,
        ),
        (
            "heart_rate_2025-05-31.csv",
            berlin,
            "2025-05-31T06:00:00Z",
            2_400,
        ),
        (
            "heart_rate_2025-06-01.csv",
            st_johns,
            "2025-06-01T22:00:00Z",
            2_000,
        ),
    ] {
        let minutes = samples(start, (0..length).map(|minute| 60 + minute % 90));
        home.write(name, &csv(&minutes, None));
        home.run(&["import", "--zone", zone, name]).exits(0);
    }
    home.write(
        "daily_resting_heart_rate.csv",
        "timestamp,beats per minute\n2024-10-27T00:00:00Z,54\n2024-12-24T00:00:00Z,55\n2025-03-30T00:00:00Z,56\n2025-12-31T00:00:00Z,57\n",
    );
    home.run(&words(
        "import --zone Europe/Berlin daily_resting_heart_rate.csv",
    ))
    .exits(0);
    home
}

#[test]
fn everything_that_is_exported_is_imported_again() {
    let first = travelled();
    let csv = first.run(&["export"]).exits(0).stdout;
    let json = first.run(&["export", "--format", "json"]).exits(0).stdout;
    assert_eq!(csv.lines().count(), 1 + 3 * 2_000 + 2_400 + 2);
    // The first minute of a day has its resting rate; a day without minutes has a line of its own.
    for line in [
        "2024-10-27 00:00:00,120,+02:00,Europe/Berlin,54",
        "2024-10-27 02:00:00,60,+02:00,Europe/Berlin,",
        "2024-10-27 02:00:00,120,+01:00,Europe/Berlin,",
        "2024-12-24 00:00:00,,+01:00,Europe/Berlin,55",
        "2025-06-01 19:30:00,60,-02:30,America/St_Johns,",
        "2025-12-31 00:00:00,,+01:00,Europe/Berlin,57",
    ] {
        assert!(
            csv.contains(&format!("\n{line}\n")),
            "{line}\n{}",
            &csv[..9_000]
        );
    }
    let day = |home: &Home, date: &str| {
        let history = pulsewing_history::History::open_existing(&home.state(""), "default");
        let day = history.unwrap().unwrap().day(date.parse().unwrap());
        let day = day.unwrap().unwrap();
        (day.day, day.resting)
    };
    for (name, text) in [("out.csv", &csv), ("out.json", &json)] {
        // The wearer's zone here does not matter: the file has its own.
        for zone in ["UTC", "Europe/Berlin"] {
            let again = Home::new();
            again.write(name, text);
            again.run(&["import", "--zone", zone, name]).exits(0);
            assert_eq!(again.run(&["export"]).exits(0).stdout, csv, "{name} {zone}");
            let exported = again.run(&["export", "--format", "json"]).exits(0).stdout;
            assert_eq!(exported, json, "{name} {zone}");
            for date in ["2024-10-27", "2024-12-24", "2025-03-30", "2025-06-01"] {
                assert_eq!(day(&again, date), day(&first, date), "{name} {zone} {date}");
            }
        }
        // Imported where it came from, it changes nothing.
        first.write(name, text);
        first.run(&["import", "--zone", "UTC", name]).exits(0);
        assert_eq!(first.run(&["export"]).exits(0).stdout, csv, "{name}");
    }
}

#[test]
fn what_was_exported_before_zones_were_told_is_imported_too() {
    let home = Home::new();
    home.write(
        "old.json",
        "{\"time\":\"2024-06-01T22:55:00-08:00\",\"bpm\":73}\n{\"time\":\"2024-06-01T22:56:00-08:00\",\"bpm\":92}\n\n{\"time\":\"2023-04-11T09:13:00-07:00\",\"bpm\":70}\n",
    );
    home.write(
        "old.csv",
        "time,bpm\n2024-06-01T22:57:00-08:00,74\n2024-06-01 22:58:00,75\n",
    );
    home.run(&words("import --zone America/Los_Angeles old.json old.csv"))
        .exits(0)
        .says("Read 2 files: 5 values of 2 days");
    let zone = "-07:00,America/Los_Angeles,";
    assert_eq!(
        home.run(&["export"]).exits(0).stdout,
        format!(
            "{HEADER}\n2023-04-11 09:13:00,70,{zone}\n2024-06-01 22:58:00,75,{zone}\n2024-06-01 23:55:00,73,{zone}\n2024-06-01 23:56:00,92,{zone}\n2024-06-01 23:57:00,74,{zone}\n"
        )
    );
}

#[test]
fn without_a_history_there_is_nothing_to_export() {
    let home = Home::new();
    home.run(&["export"])
        .exits(1)
        .says("there is no history yet");
    assert!(!home.state("").exists());
}
