//! `import`: every form of export, complete, hostile and truncated.

use std::fs;

use jiff::{SignedDuration, Timestamp};

use crate::harness::{
    hermetic::{Finished, Home},
    import_files::{Entry, HEADER, csv, directory, exported, json, samples, zip},
};

const START: &str = "2024-10-27T00:00:00Z";

fn rates() -> impl Iterator<Item = u16> + Clone {
    (0..600).map(|minute| 60 + minute % 50)
}

fn import(home: &Home, paths: &[&str]) -> Finished {
    home.run(&[&["import", "--zone", "UTC"], paths].concat())
}

fn history(home: &Home) -> String {
    home.run(&["export"]).exits(0).stdout
}

fn heart_json(date: &str, text: &str) -> Entry {
    (
        format!("Takeout/Fitbit/Global Export Data/heart_rate-{date}.json"),
        text.to_owned(),
    )
}

#[test]
fn every_form_yields_the_same_minutes() {
    let samples = samples(START, rates());
    let name = "2024-10-27";
    let forms = [
        heart_json(name, &json(&samples)),
        (
            format!("MyFitbitData/Ada/Physical Activity/heart_rate-{name}.json"),
            json(&samples),
        ),
        (
            format!("Takeout/Google Health/Physical Activity_GoogleData/heart_rate_{name}.csv"),
            csv(&samples, None),
        ),
        (
            format!("Takeout/Fitbit/Physical Activity_GoogleData/Heart Rate/heart_rate_{name}.csv"),
            csv(&samples, Some("\"Charge 6, \"\"left\"\"\"")),
        ),
    ];
    for form in forms {
        let home = Home::new();
        directory(&home.work("unpacked"), std::slice::from_ref(&form));
        zip(&home.work("takeout.zip"), std::slice::from_ref(&form));
        let file = home.work("unpacked").join(&form.0);
        for path in ["unpacked", "takeout.zip", file.to_str().unwrap()] {
            import(&home, &[path])
                .exits(0)
                .says("in UTC, as given")
                .says("Read 1 file: 2400 values of 1 day, 2024-10-27 to 2024-10-27.");
            assert_eq!(
                history(&home),
                exported(START, rates()),
                "{path} {}",
                form.0
            );
        }
    }
}

#[test]
fn the_same_samples_in_two_forms_are_counted_once() {
    let home = Home::new();
    let all = samples(START, rates());
    // The JSON of the same night differs: the CSV wins.
    let other = samples(START, rates().map(|rate| rate + 40).chain([111]));
    let entries = [
        heart_json("2024-10-27", &json(&other)),
        ("heart_rate_2024-10-27.csv".into(), csv(&all, None)),
    ];
    zip(&home.work("takeout.zip"), &entries);
    import(&home, &["takeout.zip"]).exits(0);
    assert_eq!(history(&home), exported(START, rates().chain([111])));
    // In the other order too.
    let home = Home::new();
    directory(&home.work("x"), &entries);
    for path in ["x/heart_rate_2024-10-27.csv", "x/Takeout"] {
        import(&home, &[path]).exits(0);
    }
    assert_eq!(history(&home), exported(START, rates().chain([111])));
}

#[test]
fn two_devices_are_kept_apart_and_the_one_with_more_minutes_is_believed() {
    let home = Home::new();
    let watch = csv(&samples(START, rates()), Some("Charge 6"));
    let strap = samples(START, (0..700).map(|minute| 100 + minute % 3));
    let strap = csv(&strap, Some("Polar Health Connect"));
    let both = watch + strap.split_once('\n').unwrap().1;
    home.write("heart_rate_2024-10-27.csv", &both);
    import(&home, &["heart_rate_2024-10-27.csv"]).exits(0);
    let expected = exported(START, (0..700).map(|minute| 100 + minute % 3));
    assert_eq!(history(&home), expected);
}

#[test]
fn doubtful_values_and_missing_cells_are_left_out() {
    let home = Home::new();
    home.write(
        "heart_rate-2024-10-27.json",
        r#"[{"dateTime":"10/27/24 00:00:07","value":{"bpm":54,"confidence":0}},
            {"dateTime":"10/27/24 00:01:07","value":{"bpm":54,"confidence":1}},
            {"dateTime":"10/27/24 00:02:07","value":{"bpm":1e400,"confidence":1}},
            {"dateTime":7,"value":{"bpm":54,"confidence":1}},
            {"dateTime":"10/27/24 00:03:07","value":"54"}, 7, null]"#,
    );
    home.write(
        "heart_rate_2024-10-28.csv",
        "timestamp,beats per minute\n2024-10-28T00:00:07Z,\n2024-10-28T00:01:07.250Z,65.5\n2024-10-28T00:02:07Z,NaN\nyesterday,65\n",
    );
    home.write("heart_rate_2024-10-29.csv", "no data");
    home.write(
        "heart_rate_2024-10-30.csv",
        "timestamp,beats per minute\r\n",
    );
    import(&home, &["."])
        .exits(0)
        .says("Left out: 1 value, which the tracker itself did not trust.")
        .says("left out 5 values that have no time or no heart rate from 1 to 300 bpm")
        .says("Read 4 files: 2 values of 2 days");
    assert_eq!(
        history(&home),
        format!(
            "{HEADER}\n2024-10-27 00:01:00,54,+00:00,UTC,\n2024-10-28 00:01:00,66,+00:00,UTC,\n"
        )
    );
}

#[test]
fn resting_rates_come_along() {
    let home = Home::new();
    home.write(
        "resting_heart_rate-2024-03-01.json",
        r#"[{"dateTime":"03/01/24 00:00:00","value":{"date":"03/01/24","value":53.4,"error":6.8}},
            {"dateTime":"03/02/24 00:00:00","value":{"date":null,"value":0.0,"error":0.0}}]"#,
    );
    home.write(
        "daily_resting_heart_rate.csv",
        "timestamp,beats per minute,data source\n2024-03-03T00:00:00Z,55.5,Charge 6\n",
    );
    home.run(&["import", "--zone", "America/New_York", "."])
        .exits(0)
        .says_nothing_of("left out");
    let history = pulsewing_history::History::open_existing(&home.state(""), "default");
    let history = history.unwrap().unwrap();
    let days = history
        .overview("2024-03-01".parse().unwrap(), "2024-03-31".parse().unwrap())
        .unwrap();
    let resting: Vec<(String, u16)> = days
        .iter()
        .map(|day| (day.date.to_string(), day.resting.unwrap().get()))
        .collect();
    assert_eq!(
        resting,
        [("2024-03-01".into(), 53), ("2024-03-03".into(), 56)]
    );
}

#[test]
fn days_are_cut_by_the_wearers_zone() {
    // A user eleven hours east of UTC: the file of the 26th begins at 13:00 UTC of the 25th.
    let samples = samples("2023-01-25T13:00:00Z", (0..1_440).map(|_| 60));
    let entry = heart_json("2023-01-26", &json(&samples));
    let home = Home::new();
    directory(&home.work("x"), std::slice::from_ref(&entry));
    home.configure("[wearer]\ntime_zone = \"Pacific/Noumea\"\n");
    home.run(&["import", "x"])
        .exits(0)
        .says("in Pacific/Noumea, as configured")
        .says("5760 values of 1 day, 2023-01-26")
        .says_nothing_of("warning");
    let exported = history(&home);
    assert!(
        exported.contains("\n2023-01-26 00:00:00,60,+11:00,Pacific/Noumea,\n"),
        "{}",
        &exported[..99]
    );
    assert!(exported.ends_with("\n2023-01-26 23:59:00,60,+11:00,Pacific/Noumea,\n"));
}

#[test]
fn a_file_that_cannot_be_read_is_named_and_the_others_are_taken() {
    let home = Home::new();
    let good = json(&samples(START, rates()));
    let half = &good[..good.len() / 2];
    let jumping: String = (0..2)
        .flat_map(|_| 0..70)
        .map(|day| {
            let at = START.parse::<Timestamp>().unwrap() + SignedDuration::from_hours(24 * day);
            format!("{at},70\n")
        })
        .collect();
    let entries = [
        heart_json("2024-10-27", &good),
        heart_json("2024-10-28", half),
        heart_json("2024-10-29", "{\"dateTime\":\"10/29/24 00:00:00\"}"),
        heart_json("2024-10-30", "[{\"value\":\"none\"}]"),
        heart_json("2024-10-31", &"[".repeat(100_000)),
        (
            "heart_rate_2024-11-01.csv".into(),
            format!("timestamp,beats per minute\n\"{}", "x".repeat(100_000)),
        ),
        (
            "heart_rate_2024-11-02.csv".into(),
            "steps,floors\n1,2\n".into(),
        ),
        (
            "heart_rate_2024-11-03.csv".into(),
            format!("timestamp,beats per minute\n{jumping}"),
        ),
        ("steps-2024-11-01.json".into(), "not looked at".into()),
    ];
    zip(&home.work("takeout.zip"), &entries);
    fs::write(
        home.work("broken.zip"),
        "PK\u{3}\u{4}, and then nothing of the kind",
    )
    .unwrap();
    let finished = import(&home, &["takeout.zip", "broken.zip", "nowhere"]).exits(1);
    for (name, why) in [
        ("heart_rate-2024-10-28.json", "not complete JSON"),
        (
            "heart_rate-2024-10-29.json",
            "its JSON is not heart rate in a known form",
        ),
        (
            "heart_rate-2024-10-30.json",
            "its only value is not a heart rate with a time",
        ),
        ("heart_rate-2024-10-31.json", "not complete JSON"),
        ("heart_rate_2024-11-01.csv", "line 2 is longer"),
        (
            "heart_rate_2024-11-02.csv",
            "its columns are \"steps, floors\"",
        ),
        ("heart_rate_2024-11-03.csv", "back and forth"),
        ("broken.zip", "cannot be read"),
        ("nowhere", "cannot be read"),
    ] {
        let line = finished.stderr.lines().find(|line| line.contains(name));
        assert!(
            line.is_some_and(|line| line.contains(why)),
            "{name}: {}",
            finished.stderr
        );
    }
    finished.says("9 files were left out, and the other one was imported");
    assert_eq!(history(&home), exported(START, rates()));
}

#[test]
fn the_order_of_samples_within_a_file_does_not_matter() {
    let mut all = samples(START, rates());
    all.reverse();
    let half = all.len() / 2;
    all.rotate_left(half);
    for (name, text) in [
        ("heart_rate-2024-10-27.json", json(&all)),
        ("heart_rate_2024-10-27.csv", csv(&all, None)),
    ] {
        let home = Home::new();
        home.write(name, &text);
        import(&home, &[name]).exits(0);
        assert_eq!(history(&home), exported(START, rates()), "{name}");
    }
}

#[test]
fn a_file_that_comes_back_to_a_day_of_long_before_is_left_out_as_a_whole() {
    let days = |range: std::ops::Range<i64>| {
        let start: Timestamp = START.parse().unwrap();
        range.flat_map(move |day| {
            let at = start + SignedDuration::from_hours(24 * day);
            samples(&at.to_string(), [70, 71])
        })
    };
    let home = Home::new();
    // A long recording may have any number of days, as long as they are in order.
    let straight: Vec<_> = days(0..200).collect();
    home.write("straight.csv", &csv(&straight, None));
    import(&home, &["straight.csv"]).exits(0).says("200 days");
    let home = Home::new();
    let back: Vec<_> = days(0..200).chain(days(0..1)).collect();
    home.write("back.csv", &csv(&back, None));
    import(&home, &["back.csv"])
        .exits(1)
        .says("back.csv was left out")
        .says("jump back and forth between more than 64 days");
    assert_eq!(history(&home), format!("{HEADER}\n"));
}

#[test]
fn a_zip_bomb_and_names_that_climb_do_no_harm() {
    let home = Home::new();
    let good = json(&samples(START, rates()));
    let bomb = format!("[{}]", " ".repeat(300 << 20));
    let many = format!("[{}]", " ".repeat(200 << 20));
    let entries = [
        ("../../../../heart_rate-2024-10-27.json".into(), good),
        ("/etc/\u{1b}[2J/heart_rate-2024-10-28.json".into(), bomb),
        ("heart_rate-2024-10-29.json".into(), many),
    ];
    zip(&home.work("takeout.zip"), &entries);
    let before = files(&home);
    import(&home, &["takeout.zip"])
        .exits(1)
        .says(
            "heart_rate-2024-10-28.json was left out: the archive around it unpacks to more than 200 times",
        )
        .says("heart_rate-2024-10-29.json was left out: the archive around it unpacks")
        .says_nothing_of("\u{1b}");
    assert_eq!(history(&home), exported(START, rates()));
    fs::remove_dir_all(home.path("state")).unwrap();
    assert_eq!(files(&home), before);
}

/// Returns every file outside the state directory.
fn files(home: &Home) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![home.path("")];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true if path == home.path("state") => {}
                true => open.push(path),
                false => found.push(path),
            }
        }
    }
    found.sort();
    found
}

#[test]
fn an_import_that_was_killed_is_run_again() {
    let first: jiff::civil::Date = "2023-01-01".parse().unwrap();
    let entries: Vec<Entry> = (0..120)
        .map(|day| {
            let date = first + SignedDuration::from_hours(24 * day);
            let rate = 60 + u16::try_from(day).unwrap();
            let start = format!("{date}T00:00:00Z");
            let samples = samples(&start, (0..400).map(|_| rate));
            heart_json(&date.to_string(), &json(&samples))
        })
        .collect();
    let whole = Home::new();
    zip(&whole.work("takeout.zip"), &entries);
    import(&whole, &["takeout.zip"]).exits(0).says("120 days");
    let expected = history(&whole);

    let home = Home::new();
    zip(&home.work("takeout.zip"), &entries);
    let running = home
        .program(&["import", "-v", "--zone", "UTC", "takeout.zip"])
        .start();
    while !running.error_line().contains("2023-01-15") {}
    running.kill();
    let half = history(&home);
    assert!(half.len() > 14 * 400 * 20, "{}", half.len());
    assert!(expected.starts_with(&half) && half != expected);
    import(&home, &["takeout.zip"]).exits(0).says("120 days");
    assert_eq!(history(&home), expected);
    // Another import changes nothing.
    import(&home, &["takeout.zip"]).exits(0);
    assert_eq!(history(&home), expected);
}

#[test]
fn what_cannot_work_is_said_at_once() {
    let home = Home::new();
    fs::create_dir(home.work("empty")).unwrap();
    import(&home, &["empty"])
        .exits(1)
        .says("found no heart rate in these files");
    home.write("notes.txt", "nothing");
    import(&home, &["notes.txt"])
        .exits(1)
        .says("notes.txt was left out: its columns are \"nothing\"")
        .says("1 file was left out, and nothing was imported");
    home.run(&["import", "--zone", "Mars/Olympus", "empty"])
        .exits(1)
        .says("there is no time zone \"Mars/Olympus\"");
    home.run(&["import"]).exits(2);
    home.configure("[history]\nkeep = \"none\"\n");
    import(&home, &["empty"])
        .exits(1)
        .says("not to keep a history");
}

#[test]
fn what_is_older_than_is_kept_is_told() {
    let home = Home::new();
    home.configure("[history]\nkeep = \"2 days\"\n");
    for date in ["2024-10-25", "2024-10-26", "2024-10-27"] {
        let samples = samples(&format!("{date}T00:00:00Z"), [70]);
        home.write(&format!("heart_rate_{date}.csv"), &csv(&samples, None));
    }
    // Two days by the clock: the day before today, and today.
    import(&home, &[".", "--now", "2024-10-27T12:00:00Z"])
        .exits(0)
        .says("anything before 2024-10-26 was not kept");
    assert_eq!(
        history(&home),
        format!(
            "{HEADER}\n2024-10-26 00:00:00,70,+00:00,UTC,\n2024-10-27 00:00:00,70,+00:00,UTC,\n"
        )
    );
}
