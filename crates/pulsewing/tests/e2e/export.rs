//! `export`: the history comes out as it went in.

use serde_json::Value;

use crate::{
    hermetic::Home, import_files::exported, recording, sandbox_process::Sandbox,
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
        // And `import` takes it.
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
            .says("840 values of 1 day");
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
    home.run(&["export", "--from", "2025-01-01"])
        .exits(0)
        .says("no minute of these days");
    home.run(&["export", "--from", "2025-01-02", "--to", "2025-01-01"])
        .exits(2);
    home.run(&["export", "--from", "yesterday"]).exits(2);
    home.program(&["export"]).run_into_a_broken_pipe().exits(0);
}

#[test]
fn without_a_history_there_is_nothing_to_export() {
    let home = Home::new();
    home.run(&["export"])
        .exits(1)
        .says("there is no history yet");
    assert!(!home.state("").exists());
}
