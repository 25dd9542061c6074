//! `once --json`: every key, its type, and when it is null.

use serde_json::{Value, json};

use crate::harness::{
    recording::{self, ORIGINALS_LATEST},
    sandbox_process::Sandbox,
    signed_in::SignedIn,
};

const KEYS: [&str; 15] = [
    "battery_percent",
    "date",
    "fetched_at",
    "freshness",
    "last_sync",
    "latest",
    "logged_minutes",
    "max",
    "mean",
    "min",
    "provider",
    "resting_bpm",
    "time_zone",
    "window",
    "zone_name",
];

fn reading(signed_in: &SignedIn) -> Value {
    let reading = signed_in.run(&["once", "--json"]).exits(0).json();
    let mut keys: Vec<&str> = reading
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    keys.sort_unstable();
    assert_eq!(keys, KEYS);
    reading
}

fn either(provider: &str, csv: &str, zone: &str) -> SignedIn {
    let sandbox = |home: &_| Sandbox::with_recording(home, csv, zone);
    SignedIn::either_with(provider, sandbox)
}

#[test]
fn a_full_reading_has_every_fact() {
    for provider in ["fitbit", "google"] {
        let before = std::iter::repeat_n(70, 14 * 60 - 15);
        let csv = recording::from_midnight("2023-08-02", before.chain(ORIGINALS_LATEST));
        let signed_in = either(provider, &csv, "America/New_York");
        let mut reading = reading(&signed_in);
        let fetched_at = reading["fetched_at"].take();
        // The sandbox's clock was at 14:07 when it started.
        let fetched_at: jiff::Timestamp = fetched_at.as_str().unwrap().parse().unwrap();
        let started_at: jiff::Timestamp = "2023-08-02T18:07:00Z".parse().unwrap();
        assert!((0..60).contains(&fetched_at.duration_since(started_at).as_secs()));
        let minutes = ORIGINALS_LATEST.into_iter().zip(45..);
        let window: Vec<Value> = minutes
            .map(|(bpm, minute)| json!({ "time": format!("13:{minute}"), "bpm": bpm }))
            .collect();
        let expected = json!({
            "provider": provider,
            "date": "2023-08-02",
            "time_zone": "America/New_York",
            "latest": { "time": "13:59", "bpm": 84 },
            "window": window,
            "logged_minutes": 840,
            "min": 81,
            "mean": 84,
            "max": 86,
            // Light begins half-way between the resting heart rate and the providers' moderate, 109.
            "zone_name": "Easy",
            "battery_percent": signed_in.battery(),
            "last_sync": "2023-08-02T18:00:00Z",
            "resting_bpm": 70,
            "freshness": "fresh",
            "fetched_at": null,
        });
        assert_eq!(reading, expected);
    }
}

#[test]
fn below_fifteen_minutes_the_window_and_what_follows_from_it_are_null() {
    for provider in ["fitbit", "google"] {
        let csv = recording::from_midnight("2026-11-22", [72; 14]);
        let reading = reading(&either(provider, &csv, "UTC"));
        for key in ["window", "min", "mean", "max"] {
            assert_eq!(reading[key], Value::Null, "{key}");
        }
        assert_eq!(reading["latest"], json!({ "time": "00:13", "bpm": 72 }));
        assert_eq!(reading["logged_minutes"], 14);
        assert_eq!(reading["zone_name"], "Easy");
    }
}

#[test]
fn what_is_unknown_is_null() {
    for (provider, route) in [("fitbit", "fitbit.devices"), ("google", "google.devices")] {
        let csv = recording::from_midnight("2026-11-22", [72; 14]);
        let signed_in = either(provider, &csv, "UTC");
        signed_in.fault(route, 0, &json!({ "status": 403 }));
        signed_in.sandbox.set_clock("2026-11-24T12:00:00Z");
        let reading = reading(&signed_in);
        for key in [
            "latest",
            "window",
            "min",
            "mean",
            "max",
            "zone_name",
            "battery_percent",
            "last_sync",
        ] {
            assert_eq!(reading[key], Value::Null, "{provider}: {key}");
        }
        assert_eq!(reading["logged_minutes"], 0);
        assert_eq!(reading["date"], "2026-11-24");
    }
}

#[test]
fn freshness_follows_the_age_of_the_newest_minute() {
    for provider in ["fitbit", "google"] {
        // The newest minute begins at 13:59.
        let signed_in = SignedIn::either(provider);
        for (now, freshness) in [
            ("2026-11-22T14:07:00Z", "fresh"),
            ("2026-11-22T14:43:00Z", "fresh"),
            ("2026-11-22T14:46:00Z", "stale"),
            ("2026-11-23T13:50:00Z", "stale"),
            ("2026-11-23T14:02:00Z", "silent"),
        ] {
            signed_in.sandbox.set_clock(now);
            let reading = reading(&signed_in);
            assert_eq!(reading["freshness"], freshness, "{provider} at {now}");
            assert_eq!(reading["latest"].is_null(), freshness == "silent", "{now}");
        }
    }
}

#[test]
fn the_mean_is_rounded_half_up() {
    let mut bpm = [70; 15];
    bpm[..8].fill(71);
    // 8/15 more than 70.
    let csv = recording::from_midnight("2026-11-22", bpm);
    assert_eq!(reading(&either("fitbit", &csv, "UTC"))["mean"], 71);
    bpm[0] = 70;
    let csv = recording::from_midnight("2026-11-22", bpm);
    assert_eq!(reading(&either("google", &csv, "UTC"))["mean"], 70);
}

#[test]
fn the_window_reaches_across_midnight_and_the_count_does_not() {
    let late = (0..10).map(|minute| format!("2026-11-21T23:{}:00,6{minute}\n", 50 + minute));
    let early = (0..8).map(|minute| format!("2026-11-22T00:0{minute}:00,7{minute}\n"));
    let csv: String = std::iter::once("time,bpm\n".to_owned())
        .chain(late)
        .chain(early)
        .collect();
    for provider in ["fitbit", "google"] {
        let reading = reading(&either(provider, &csv, "Europe/Berlin"));
        assert_eq!(reading["date"], "2026-11-22");
        assert_eq!(reading["logged_minutes"], 8, "{provider}");
        let window = reading["window"].as_array().unwrap();
        assert_eq!(window.len(), 15, "{provider}");
        assert_eq!(window[0], json!({ "time": "23:53", "bpm": 63 }));
        assert_eq!(window[14], json!({ "time": "00:07", "bpm": 77 }));
    }
}

#[test]
fn the_hour_that_happens_twice_is_counted_twice() {
    // In Berlin, 02:00 to 03:00 happens twice on this day.
    let csv: String = std::iter::once("time,bpm\n".to_owned())
        .chain((0..4 * 60).map(|minute: u32| {
            let at = jiff::Timestamp::from_second(1_792_879_200 + i64::from(minute) * 60).unwrap();
            format!("{at},{}\n", 60 + minute % 30)
        }))
        .collect();
    for provider in ["fitbit", "google"] {
        let signed_in = either(provider, &csv, "Europe/Berlin");
        let reading = reading(&signed_in);
        assert_eq!(reading["date"], "2026-10-25", "{provider}");
        assert_eq!(reading["logged_minutes"], 240, "{provider}");
        assert_eq!(reading["latest"], json!({ "time": "02:59", "bpm": 89 }));
        assert_eq!(reading["last_sync"], "2026-10-25T02:00:00Z", "{provider}");
    }
}

#[test]
fn the_clouds_zone_comes_first_and_the_machines_last() {
    for (provider, route) in [("fitbit", "fitbit.profile"), ("google", "google.settings")] {
        let csv = recording::from_midnight("2026-11-22", [72; 20]);
        let signed_in = either(provider, &csv, "Asia/Tokyo");
        let read = || {
            signed_in
                .program(&["once", "--json"])
                .env("TZ", "America/New_York")
                .run()
                .exits(0)
                .json()
        };
        signed_in.fault(route, 0, &json!({ "status": 403 }));
        assert_eq!(read()["time_zone"], "America/New_York", "{provider}");
        signed_in.sandbox.faults(&json!([]));
        let reading = read();
        assert_eq!(reading["time_zone"], "Asia/Tokyo", "{provider}");
        assert_eq!(reading["latest"]["time"], "00:19");
        // The zone is requested once a day, and the old one is kept if the request fails.
        signed_in.sandbox.advance(25 * 3_600);
        signed_in.fault(route, 0, &json!({ "status": 503 }));
        assert_eq!(read()["time_zone"], "Asia/Tokyo", "{provider}");
    }
}

#[test]
fn the_wearers_own_zones_come_first() {
    let signed_in = SignedIn::google();
    let config = crate::harness::signed_in::configuration(&signed_in.sandbox, "google");
    signed_in
        .home
        .configure(&format!("{config}[wearer]\nzones = [50, 60, 70, 80]\n"));
    // The newest minute has 99 bpm.
    assert_eq!(reading(&signed_in)["zone_name"], "Peak");
}

#[test]
fn a_rate_has_the_same_name_in_both_dialects() {
    // The resting heart rate is 60, and both clouds' moderate, vigorous and peak begin at 109, 133, 163.
    let names = [
        (29, "Very low"),
        (30, "Easy"),
        (83, "Easy"),
        (84, "Light"),
        (90, "Light"),
        (108, "Light"),
        (109, "Moderate"),
        (110, "Moderate"),
        (132, "Moderate"),
        (133, "Vigorous"),
        (135, "Vigorous"),
        (160, "Vigorous"),
        (162, "Vigorous"),
        (163, "Peak"),
        (220, "Peak"),
    ];
    let name = |provider: &str, config: &str, bpm: u16| {
        let night = std::iter::repeat_n(60, 10 * 60);
        let csv = recording::from_midnight("2026-11-22", night.chain([bpm; 15]));
        let signed_in = either(provider, &csv, "Europe/Berlin");
        let own = crate::harness::signed_in::configuration(&signed_in.sandbox, provider);
        signed_in.home.configure(&format!("{own}{config}"));
        let reading = reading(&signed_in);
        assert_eq!(reading["latest"]["bpm"], bpm, "{provider}");
        assert_eq!(reading["resting_bpm"], 60, "{provider} {bpm}");
        reading["zone_name"].as_str().unwrap().to_owned()
    };
    for (bpm, expected) in names {
        for provider in ["fitbit", "google"] {
            assert_eq!(name(provider, "", bpm), expected, "{provider} {bpm}");
        }
    }
}

#[test]
fn without_zones_of_the_provider_the_age_counts_and_then_plain_limits() {
    let signed_in = SignedIn::google();
    signed_in.fault("google.zones", 0, &json!({ "status": 404 }));
    // The newest minute has 99 bpm.
    let config = crate::harness::signed_in::configuration(&signed_in.sandbox, "google");
    for (wearer, name) in [
        ("", "Light"),
        ("born = 1930\n", "Moderate"),
        ("born = 2020\n", "Light"),
        ("born = 1930\nzones = [100, 110, 120, 130]\n", "Easy"),
    ] {
        signed_in
            .home
            .configure(&format!("{config}[wearer]\n{wearer}"));
        assert_eq!(reading(&signed_in)["zone_name"], name, "{wearer}");
    }
    // A refusal is an answer for the day, also in the next run of the program.
    assert_eq!(signed_in.sandbox.requests_of("google.zones").len(), 1);
    signed_in.home.configure(&config);
    signed_in.sandbox.set_clock("2026-11-23T00:30:00Z");
    reading(&signed_in);
    assert_eq!(signed_in.sandbox.requests_of("google.zones").len(), 2);
}
