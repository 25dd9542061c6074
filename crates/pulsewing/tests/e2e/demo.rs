//! `demo`: the whole system in one process.

use std::fs;

use crate::harness::{hermetic::Home, recording};

#[test]
fn one_cycle_prints_the_report_and_leaves_the_picture_and_nothing_else() {
    for (provider, first) in [
        ("google", "Attempting to GET GOOGLE HEALTH Stats!"),
        ("fitbit", "Next token written to disk Successfully!"),
    ] {
        let home = Home::new();
        let demo = home.run(&["demo", "--once", "--provider", provider]);
        let demo = demo.exits(0).says("nothing leaves this machine");
        assert_eq!(demo.stdout.lines().next(), Some(first), "{}", demo.stdout);
        assert!(
            demo.stdout
                .ends_with("Finished!\n===============================\n")
        );
        assert!(demo.stdout.contains("Watch Battery %: "), "{}", demo.stdout);
        assert!(!demo.stdout.contains("Next Update"), "{}", demo.stdout);
        assert_eq!(files_in(&home, "work"), ["pulsewing-demo.png"]);
        let picture = fs::read(home.work("pulsewing-demo.png")).unwrap();
        assert!(picture.starts_with(b"\x89PNG\r\n\x1a\n"));
        for dir in ["tmp", "home", "state", "config/pulsewing"] {
            assert_eq!(files_in(&home, dir), [""; 0], "{dir}");
        }
    }
}

#[test]
fn a_recording_is_shown_as_it_is_and_the_clock_starts_after_it() {
    let home = Home::new();
    let csv = home.write("day.csv", &recording::the_originals_day());
    let demo = home
        .run(&["demo", "--once", "--provider", "fitbit", "--data", &csv])
        .exits(0)
        .says("In the demo it is 2023-08-02T02:52:00Z");
    let expected = "\
Fitbit Date: 2023-08-02
Fitbit Time: 02:37
Today's Logged Pulses : 158
Latest 15 Minute Averages: 85,84,85,83,86,82,85,86,84,82,82,82,81,84,84
";
    assert!(demo.stdout.contains(expected), "{}", demo.stdout);
}

#[test]
fn its_clock_starts_at_seven_past_two_of_today_unless_it_is_told() {
    let home = Home::new();
    home.run(&["demo", "--once"]).exits(0).says("T14:07:00Z.");
    let told = home.run(&["demo", "--once", "--now", "2026-03-04T09:07:00Z"]);
    told.exits(0)
        .says("In the demo it is 2026-03-04T09:07:00Z")
        .prints("Health Date: 2026-03-04\nHealth Time: 08:59\n");
}

#[test]
fn the_machines_zone_is_the_wearers() {
    let home = Home::new();
    home.program(&["demo", "--once", "--now", "2026-11-22T13:07:00Z"])
        .env("TZ", "Europe/Berlin")
        .run()
        .exits(0)
        .prints("Health Time: 13:59\n");
}

#[test]
fn without_once_it_goes_on_until_it_is_stopped_and_cleans_up() {
    for signal in ["TERM", "INT"] {
        let home = Home::new();
        let demo = home.program(&["demo", "--speed", "3600"]).start();
        let mut reports = 0;
        while reports < 2 {
            reports += usize::from(demo.line() == "Finished!");
        }
        demo.signal(signal);
        demo.finish().exits(0).prints("Next Update in:  ");
        assert_eq!(files_in(&home, "tmp"), [""; 0]);
    }
}

#[test]
fn a_broken_configuration_of_the_user_does_not_stop_it() {
    let home = Home::new();
    home.configure("nonsense = [");
    home.run(&["demo", "--once"]).exits(0);
}

fn files_in(home: &Home, dir: &str) -> Vec<String> {
    let entries = fs::read_dir(home.path(dir)).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}
