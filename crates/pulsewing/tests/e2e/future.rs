//! Values from the future are rejected, from every source.

use std::fs;

use serde_json::json;

use crate::harness::{
    hermetic::Home,
    import_files::{HEADER, exported, without_resting},
    middleman::Middleman,
    picture,
    signed_in::{SignedIn, configuration},
};

const NOW: &str = "2026-11-22T14:07:00Z";

#[test]
fn an_import_with_samples_of_the_future_costs_no_other_day() {
    let home = Home::new();
    home.configure("[history]\nkeep = \"400 days\"\n");
    let good = exported("2026-08-20T10:00:00Z", 60..180);
    home.write("good.csv", &good);
    let import = |file: &str| home.run(&["import", "--zone", "UTC", file, "--now", NOW]);
    import("good.csv").exits(0);
    home.write(
        "heart_rate_2026-08-21.csv",
        "timestamp,beats per minute,data source\n2026-08-21T10:00:04Z,71.0,Charge 6\n2105-01-09T23:44:15Z,143.0,Health Connect\n2033-11-19T05:06:07Z,118.0,Health Connect\n",
    );
    import("heart_rate_2026-08-21.csv")
        .exits(0)
        .says(
            "left out 2 values that are later than now (2026-11-22T14:07:00Z by this machine's clock)",
        )
        .says("1 value of 1 day, 2026-08-21 to 2026-08-21");
    // Resting rates as well.
    home.write(
        "daily_resting_heart_rate.csv",
        "timestamp,beats per minute,data source\n2026-08-20T00:00:00Z,55.5,Charge 6\n2033-03-03T00:00:00Z,55.5,Charge 6\n",
    );
    import("daily_resting_heart_rate.csv")
        .exits(0)
        .says("left out 1 value that is later than now");
    let all = format!("{good}2026-08-21 10:00:00,71,+00:00,UTC,\n");
    let exported_all = home.run(&["export"]).exits(0).stdout;
    assert_eq!(without_resting(&exported_all), all);
    // If all of a file lies in the future, the clock is behind; this is not a day without values.
    home.write("late.csv", &exported("2026-11-22T14:10:00Z", [70, 71]));
    import("late.csv")
        .exits(1)
        .says("all of its 2 values are later than now; check this machine's clock");
    // Two clocks may differ a little.
    home.write("soon.csv", &exported("2026-11-22T14:08:00Z", [70]));
    import("soon.csv").exits(0);
}

#[test]
fn days_are_kept_by_the_clock_and_not_by_the_newest_row() {
    let signed_in = SignedIn::google();
    signed_in
        .home
        .write("old.csv", &exported("2026-11-20T23:59:00Z", [70, 71]));
    signed_in.run(&["import", "old.csv"]).exits(0);
    // A history from a version that accepted such a sample.
    let db = rusqlite::Connection::open(signed_in.home.state("history.db")).unwrap();
    db.execute(
        "INSERT INTO day (wearer, date, start, length, source, zone, offset, logged, fetched_at, changed_at, minutes)
         VALUES ('default', '2033-11-19', 2015971200, 1440, 'recording', 'UTC', 0, 1, 0, 0, x'00')",
        [],
    )
    .unwrap();
    drop(db);
    signed_in
        .home
        .configure_more("[history]\nkeep = \"2 days\"\n");
    for _ in 0..2 {
        signed_in.once().exits(0);
        let kept = signed_in
            .home
            .run(&["export", "--to", "2026-12-31"])
            .exits(0);
        let today = exported(
            "2026-11-22T00:00:00Z",
            (0..840).map(|minute| 60 + minute % 40),
        );
        let yesterday = format!("{HEADER}\n2026-11-21 00:00:00,71,+00:00,UTC,\n");
        let header = format!("{HEADER}\n");
        assert_eq!(
            without_resting(&kept.stdout),
            today.replace(&header, &yesterday)
        );
    }
}

#[test]
fn a_reading_is_without_the_minutes_that_have_not_been_yet() {
    for provider in ["google", "fitbit"] {
        let signed_in = SignedIn::either(provider);
        let changes: &[(&str, &str)] = match provider {
            // The whole window of a minute.
            "google" => &[
                (
                    r#""startTime": "2026-11-22T13:30"#,
                    r#""startTime": "2033-11-22T13:30"#,
                ),
                (
                    r#""endTime": "2026-11-22T13:31"#,
                    r#""endTime": "2033-11-22T13:31"#,
                ),
            ],
            // The time of a minute within the day.
            _ => &[("13:30:00", "23:30:00")],
        };
        let middleman = Middleman::before(&signed_in.sandbox.url, changes);
        let text = configuration(&signed_in.sandbox, provider);
        signed_in
            .home
            .configure(&text.replace(&signed_in.sandbox.url, &middleman.url));
        // A sign-in is tied to its issuer.
        match provider {
            "google" => signed_in.login(),
            _ => {
                signed_in
                    .sandbox
                    .seed(crate::harness::signed_in::OTHER_SEED);
                crate::harness::signed_in::adopt(
                    &signed_in.home,
                    &signed_in.sandbox,
                    crate::harness::signed_in::OTHER_SEED,
                );
            }
        }
        signed_in
            .once()
            .exits(0)
            .says("1 minute from the provider is later than now and left out")
            .prints("Today's Logged Pulses : 839");
        let reading = signed_in.run(&["once", "--json"]).exits(0).json();
        assert_eq!(reading["latest"], json!({"time": "13:59", "bpm": 99}));
        let history = signed_in.home.run(&["export"]).exits(0).stdout;
        assert_eq!(history.lines().count(), 1 + 839);
        assert!(history.ends_with("2026-11-22 13:59:00,99,+00:00,UTC,\n"));
    }
}

#[test]
fn a_saved_reply_is_drawn_without_them() {
    let home = Home::new();
    let minute = |at: &str| json!({"startTime": at, "heartRate": {"beatsPerMinuteAvg": 71}});
    let raw = |at: &str| json!({"heartRate": {"beatsPerMinute": "71", "sampleTime": {"physicalTime": at}}});
    let good = "2026-11-22T14:00:00Z";
    let pages = [
        (
            json!({"rollupDataPoints": [minute(good)]}),
            json!({"rollupDataPoints": [minute("2033-11-19T05:06:00Z"), minute(good)]}),
        ),
        (
            json!({"dataPoints": [raw(good)]}),
            json!({"dataPoints": [raw("2033-11-19T05:06:07Z"), raw(good)]}),
        ),
    ];
    let render = |file: &str, png: &str, options: &[&str]| {
        let args = [
            "render",
            "--provider",
            "google",
            "--heart",
            file,
            "--png",
            png,
        ];
        home.run(&[&args, options].concat()).exits(0)
    };
    for (clean, with_future) in pages {
        let clean = home.write("clean.json", &clean.to_string());
        let with_future = home.write("future.json", &with_future.to_string());
        // Without a time, a reply is about the day of its last value, and that is not in the future.
        for options in [&["--now", NOW][..], &[]] {
            render(&clean, "clean.png", options).says_nothing_of("warning");
            render(&with_future, "future.png", options)
                .says("1 value in this reply is later than now and left out");
            let (one, other) = (
                picture::read(&home, "clean.png"),
                picture::read(&home, "future.png"),
            );
            assert_eq!(one, other);
        }
    }
    let fitbit = json!({
        "activities-heart": [{"dateTime": "2026-11-22", "value": {}}],
        "activities-heart-intraday": {"dataset": [{"time": "14:00:00", "value": 71}, {"time": "23:30:00", "value": 143}]},
    });
    let body = home.write("fitbit.json", &fitbit.to_string());
    home.run(&[
        "render",
        "--provider",
        "fitbit",
        "--heart",
        &body,
        "--png",
        "x.png",
        "--now",
        NOW,
    ])
    .exits(0)
    .says("1 value in this reply is later than now");
    fs::remove_file(home.work("x.png")).unwrap();
}
