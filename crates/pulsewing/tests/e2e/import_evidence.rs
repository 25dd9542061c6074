//! `import`: evidence from one file of an export about another, and repeated imports.

use std::fs;

use crate::harness::{
    hermetic::{Finished, Home, words},
    import_files::{Entry, csv, directory, exported, json, json_of_confidence, samples, zip},
};

fn history(home: &Home) -> String {
    home.run(&["export"]).exits(0).stdout
}

/// Returns the rates of a day's minutes from one of its hours on, such that a minute and the one an hour
/// later always have different rates.
fn rates(minutes: u16) -> impl Iterator<Item = u16> + Clone {
    (0..minutes).map(|minute| 60 + minute / 60 * 2)
}

fn heart_json(date: &str, text: String) -> Entry {
    (format!("Global Export Data/heart_rate-{date}.json"), text)
}

fn heart_csv(date: &str, text: String) -> Entry {
    (
        format!("Physical Activity_GoogleData/heart_rate_{date}.csv"),
        text,
    )
}

/// Returns the days of a person from Chicago, at home and seven hours further east.
fn at_home() -> Vec<Entry> {
    let all = samples("2024-09-10T05:00:00Z", rates(1_440));
    vec![heart_json("2024-09-10", json(&all))]
}

fn abroad() -> Vec<Entry> {
    let all = samples("2025-06-10T01:00:00Z", rates(960));
    vec![heart_json("2025-06-10", json(&all))]
}

fn abroads_twin() -> Vec<Entry> {
    let all = samples("2025-06-10T01:00:00Z", rates(960));
    vec![heart_csv("2025-06-10", csv(&all, Some("Tracker")))]
}

fn import(home: &Home, options: &[&str]) -> Finished {
    home.run(&[&["import", "--zone", "America/Chicago"], options, &["x"]].concat())
        .exits(0)
}

#[test]
fn a_travellers_export_is_not_advised_against_what_it_holds() {
    // The day abroad looks as if its times were local; the day at home, or the CSV, shows that they are
    // UTC.
    for entries in [
        [at_home(), abroad()].concat(),
        [abroad(), abroads_twin()].concat(),
        [at_home(), abroad(), abroads_twin()].concat(),
    ] {
        let home = Home::new();
        directory(&home.work("x"), &entries);
        import(&home, &[]).says_nothing_of("--json-times");
        let right = history(&home);
        assert_eq!(
            right
                .lines()
                .filter(|line| line.contains("2025-06"))
                .count(),
            960
        );
        // A user who overrides this gets a warning, and the advice in it works.
        import(&home, &["--json-times", "local"])
            .says("import again with --json-times utc, which replaces what was just imported");
        import(&home, &[]).says_nothing_of("--json-times");
        assert_eq!(history(&home), right);
    }
}

#[test]
fn the_other_clock_takes_the_place_of_the_first() {
    // Nothing contradicts this file: its times are local.
    let all = samples("2023-01-26T00:00:00Z", rates(1_440));
    let home = Home::new();
    directory(&home.work("x"), &[heart_json("2023-01-26", json(&all))]);
    import(&home, &[])
        .says("the times of 1 JSON file were read as UTC, but only as local time would they fall on the day in the file's name")
        .says("import again with --json-times local, which replaces what was just imported");
    import(&home, &["--json-times", "local"]).says_nothing_of("warning");
    let exported = history(&home);
    assert_eq!(exported.lines().count(), 1 + 1_440);
    assert!(exported.contains("\n2023-01-26 00:00:00,60,-06:00,America/Chicago,\n"));
    assert!(exported.contains("\n2023-01-26 23:59:00,106,-06:00,America/Chicago,\n"));
}

#[test]
fn a_part_of_a_repeated_hour_takes_the_place_of_no_more_than_itself() {
    let hour = |bpm| samples("2024-10-27T02:00:00Z", (0..60).map(move |_| bpm));
    let whole = heart_json("2024-10-27", json(&[hour(61), hour(62)].concat()));
    let part = samples("2024-10-27T02:30:00Z", [61]);
    let home = Home::new();
    directory(&home.work("whole"), &[whole]);
    directory(&home.work("part"), &[heart_json("2024-10-27", json(&part))]);
    let berlin = |rest: &[&str]| {
        home.run(&[&["import", "--zone", "Europe/Berlin"], rest].concat())
            .exits(0);
    };
    berlin(&["--json-times", "local", "whole"]);
    assert_eq!(history(&home).lines().count(), 1 + 120);
    // By UTC it is another minute; by the wearer's clock it was one of those.
    berlin(&["part"]);
    assert_eq!(history(&home).lines().count(), 1 + 119 + 1);
}

#[test]
fn a_future_sample_says_nothing_of_clocks_and_the_first_minute_is_like_others() {
    // The first sample lies within its minute.
    let mut all = samples("2023-01-26T00:00:05Z", rates(1_439));
    all.push(("2033-09-30T10:00:05Z".parse().unwrap(), 90));
    let home = Home::new();
    directory(&home.work("x"), &[heart_json("2023-01-26", json(&all))]);
    import(&home, &[])
        .says("left out 1 value that is later than now")
        .says("import again with --json-times local");
    for (times, first) in [
        ("local", "2023-01-26 00:00:00,60,-06:00"),
        ("utc", "2023-01-25 18:00:00,60,-06:00"),
        ("local", "2023-01-26 00:00:00,60,-06:00"),
    ] {
        import(&home, &["--json-times", times]).says_nothing_of("which only happens with UTC");
        let exported = history(&home);
        assert_eq!(exported.lines().count(), 1 + 1_439, "{times}");
        assert!(
            exported.contains(&format!("resting_bpm\n{first}")),
            "{times}"
        );
    }
}

#[test]
fn what_the_json_does_not_trust_is_left_out_of_the_csv_too() {
    let worn = samples("2023-07-21T06:00:00Z", [80, 81, 82]);
    let unworn = samples("2023-07-21T08:00:00Z", (0..120).map(|_| 70));
    let both = [worn.clone(), unworn.clone()].concat();
    let marked = format!(
        "[{},{}]",
        json(&worn).trim_matches(['[', ']']),
        json_of_confidence(&unworn, 0).trim_matches(['[', ']'])
    );
    let entries = [
        heart_csv("2023-07-21", csv(&both, Some("Tracker"))),
        heart_json("2023-07-21", marked),
    ];
    let expected = exported("2023-07-21T06:00:00Z", [80, 81, 82]);
    let home = Home::new();
    zip(&home.work("takeout.zip"), &entries);
    directory(&home.work("x"), &entries);
    for path in ["takeout.zip", "x"] {
        let home = Home::new();
        zip(&home.work("takeout.zip"), &entries);
        directory(&home.work("x"), &entries);
        home.run(&["import", "--zone", "UTC", path])
            .exits(0)
            .says("Left out: 480 values, which the tracker itself did not trust, and their 480 copies in the CSV.");
        assert_eq!(history(&home), expected, "{path}");
    }
    // Values that came from the CSV alone are removed as soon as the JSON is known.
    for path in ["x/Physical Activity_GoogleData", "x/Global Export Data"] {
        home.run(&["import", "--zone", "UTC", path]).exits(0);
    }
    assert_eq!(history(&home), expected);
    // A day without a trusted sample is not a day.
    let home = Home::new();
    let entries = [
        heart_csv("2023-07-21", csv(&unworn, None)),
        heart_json("2023-07-21", json_of_confidence(&unworn, 0)),
    ];
    directory(&home.work("x"), &entries);
    home.run(&["import", "--zone", "UTC", "x"])
        .exits(0)
        .says("Read 2 files: no heart rate imported.");
    assert_eq!(history(&home).lines().count(), 1);
}

#[test]
fn what_the_json_did_not_trust_is_left_out_of_a_csv_that_comes_later() {
    let worn = samples("2023-07-21T22:00:00Z", [80, 81, 82]);
    let unworn = samples("2023-07-21T23:00:00Z", (0..120).map(|_| 70));
    let marked = format!(
        "[{},{}]",
        json(&worn).trim_matches(['[', ']']),
        json_of_confidence(&unworn, 0).trim_matches(['[', ']'])
    );
    let home = Home::new();
    home.write("heart_rate-2023-07-21.json", &marked);
    let both = csv(&[worn, unworn.clone()].concat(), Some("Tracker"));
    home.write("heart_rate_2023-07-21.csv", &both);
    let import = |zone: &str, name: &str| home.run(&["import", "--zone", zone, name]).exits(0);
    import("UTC", "heart_rate-2023-07-21.json");
    let expected = history(&home);
    import("UTC", "heart_rate_2023-07-21.csv").says(
        "Left out of the CSV: 480 values, which the tracker did not trust according to JSON imported earlier.",
    );
    assert_eq!(history(&home), expected);
    // Files that are cut at another zone's midnight have the same minutes.
    import("America/Los_Angeles", "heart_rate_2023-07-21.csv").says("Left out of the CSV: 480");
    assert_eq!(history(&home).lines().count(), expected.lines().count());
    // With the other reading of the times, the marks belong to other hours.
    home.run(&words(
        "import --zone Asia/Tokyo --json-times local heart_rate-2023-07-21.json",
    ))
    .exits(0);
    import("UTC", "heart_rate_2023-07-21.csv").says_nothing_of("Left out of the CSV");
}

#[test]
fn what_is_imported_again_in_another_zone_stands_on_one_days_page() {
    let home = Home::new();
    fs::create_dir(home.work("x")).unwrap();
    let mut all = Vec::new();
    for date in ["2024-06-01", "2024-06-02"] {
        let samples = samples(&format!("{date}T00:00:00Z"), rates(1_440));
        home.write(&format!("x/heart_rate_{date}.csv"), &csv(&samples, None));
        let samples = json(&samples);
        home.write(&format!("x/heart_rate-{date}.json"), &samples);
        all.extend(rates(1_440));
    }
    home.write(
        "x/daily_resting_heart_rate.csv",
        "timestamp,beats per minute\n2024-06-01T00:00:00Z,55\n",
    );
    home.run(&["import", "x"])
        .exits(0)
        .says("in UTC, this machine's time zone");
    home.run(&["import", "--zone", "America/Los_Angeles", "x"])
        .exits(0);
    let again = Home::new();
    fs::rename(home.work("x"), again.work("x")).unwrap();
    again
        .run(&["import", "--zone", "America/Los_Angeles", "x"])
        .exits(0);
    assert_eq!(history(&home), history(&again));
    let open = |home: &Home| {
        let history = pulsewing_history::History::open_existing(&home.state(""), "default");
        history.unwrap().unwrap()
    };
    let days = |home: &Home| {
        let (first, last) = ("2024-05-30".parse().unwrap(), "2024-06-04".parse().unwrap());
        open(home).overview(first, last).unwrap()
    };
    assert_eq!(days(&home), days(&again));
    let minutes: Vec<u16> = days(&home).iter().map(|day| day.logged_minutes).collect();
    assert_eq!(minutes, [7 * 60, 1_440, 1_440 - 7 * 60]);
    let views = open(&home).day("2024-06-01".parse().unwrap()).unwrap();
    assert_eq!(views.unwrap().sources.len(), 2, "CSV and JSON, each once");
}
