//! `render`: saved API replies become the same picture that `once` draws.

use serde_json::json;

use crate::harness::{
    hermetic::{Finished, Home, words},
    picture,
    signed_in::SignedIn,
};

/// Saves the cloud's reply.
fn save(signed_in: &SignedIn, name: &str, target: &str) -> String {
    let reply = signed_in.sandbox.get_as(&signed_in.access_token(), target);
    assert_eq!(reply.status, 200, "{}", reply.body);
    signed_in.home.write(name, &reply.body)
}

/// Runs `render` with these arguments.
fn render(home: &Home, line: &str) -> Finished {
    home.run(&words(&format!("render {line}")))
}

fn save_rollup(signed_in: &SignedIn, family: &str) -> String {
    let body = json!({
        "range": { "startTime": "2026-11-22T00:00:00Z", "endTime": "2026-11-22T14:07:00Z" },
        "windowSize": "60s",
        "dataSourceFamily": format!("users/me/dataSourceFamilies/{family}"),
    });
    let target = "/v4/users/me/dataTypes/heart-rate/dataPoints:rollUp";
    let reply = signed_in
        .sandbox
        .post_as(&signed_in.access_token(), target, &body);
    assert_eq!(reply.status, 200, "{}", reply.body);
    signed_in.home.write("rollup.json", &reply.body)
}

/// Saves the replies about heart rate, devices and settings.
fn saved(signed_in: &SignedIn, provider: &str) -> [String; 3] {
    let save = |name: &str, target: &str| save(signed_in, name, target);
    match provider {
        "fitbit" => [
            save(
                "heart.json",
                "/1/user/-/activities/heart/date/today/1d/1min.json",
            ),
            save("devices.json", "/1/user/-/devices.json"),
            save("profile.json", "/1/user/-/profile.json"),
        ],
        _ => [
            save_rollup(signed_in, "google-wearables"),
            save("devices.json", "/v4/users/me/pairedDevices"),
            save("settings.json", "/v4/users/me/settings"),
        ],
    }
}

#[test]
fn saved_replies_give_the_picture_that_once_drew() {
    for provider in ["fitbit", "google"] {
        let signed_in = SignedIn::either(provider);
        let now = "2026-11-22T14:07:30Z";
        signed_in.sandbox.set_clock(now);
        let home = &signed_in.home;
        home.run(&["once", "--png", "once.png", "--now", now])
            .exits(0);
        let [heart, devices, settings] = saved(&signed_in, provider);
        let mut usual = format!("--provider {provider} --heart {heart} --now {now}");
        if provider == "google" {
            for (option, data_type) in [
                ("resting", "daily-resting-heart-rate"),
                ("zones", "daily-heart-rate-zones"),
            ] {
                let target = format!("/v4/users/me/dataTypes/{data_type}/dataPoints");
                let body = save(&signed_in, &format!("{option}.json"), &target);
                usual = format!("{usual} --{option} {body}");
            }
        } else {
            render(home, &format!("{usual} --zones {heart} --png none.png"))
                .exits(1)
                .says("are for Google");
        }
        let requests = signed_in.sandbox.requests().len();
        let told = render(
            home,
            &format!("{usual} --devices {devices} --settings {settings} --png render.png"),
        )
        .exits(0);
        assert_eq!((told.stdout.as_str(), told.stderr.as_str()), ("", ""));
        assert_eq!(signed_in.sandbox.requests().len(), requests);
        picture::assert_same(home, "render.png", "once.png");
        // The picture has more than one colour.
        let drawn = picture::read(home, "render.png");
        assert_eq!(drawn.size, (480, 320));
        assert!(drawn.colours().len() > 1);

        // Without the battery the picture differs, and so does it in another size.
        let without = format!("{usual} --settings {settings} --png without.png");
        render(home, &without).exits(0);
        assert_ne!(
            picture::read(home, "without.png"),
            picture::read(home, "once.png")
        );
        render(home, &format!("{without} --size 800x480")).exits(0);
        assert_eq!(picture::read(home, "without.png").size, (800, 480));
    }
}

#[test]
fn raw_samples_serve_as_well_as_a_rollup() {
    let signed_in = SignedIn::google();
    let raw = save(
        &signed_in,
        "raw.json",
        "/v4/users/me/dataTypes/heart-rate/dataPoints:reconcile?pageSize=5000&dataSourceFamily=users/me/dataSourceFamilies/google-wearables",
    );
    let rollup = save_rollup(&signed_in, "google-wearables");
    for (file, png) in [(&raw, "raw.png"), (&rollup, "rollup.png")] {
        render(
            &signed_in.home,
            &format!("--provider google --heart {file} --png {png} --now 2026-11-22T14:07:30Z"),
        )
        .exits(0)
        .says_nothing_of("next page");
    }
    let home = &signed_in.home;
    picture::assert_same(home, "raw.png", "rollup.png");
}

/// Returns points of `list`, each with its source, platform and bpm.
fn listed(points: &[(&str, &str, &str, u16)]) -> String {
    let points: Vec<_> = points
        .iter()
        .map(|(at, device, platform, bpm)| {
            json!({
                "dataSource": { "device": { "displayName": device }, "platform": platform },
                "heartRate": { "beatsPerMinute": bpm.to_string(), "sampleTime": { "physicalTime": at } },
            })
        })
        .collect();
    json!({ "dataPoints": points }).to_string()
}

/// Draws a saved Google reply at eight past two.
fn draw(home: &Home, heart: &str, png: &str) -> Finished {
    render(
        home,
        &format!("--provider google --heart {heart} --png {png} --now 2026-11-22T14:08:00Z"),
    )
}

#[test]
fn of_sources_side_by_side_the_trackers_alone_is_drawn() {
    let home = Home::new();
    let tracker = ("Charge 6", "FITBIT", 70);
    let app = ("Gym app", "HEALTH_CONNECT", 150);
    let of = |sources: &[(&'static str, &'static str, u16)], minutes: std::ops::Range<u8>| {
        let mut points = Vec::new();
        let times: Vec<String> = minutes
            .map(|minute| format!("2026-11-22T13:{minute}:05Z"))
            .collect();
        for time in &times {
            for (device, platform, bpm) in sources {
                points.push((time.as_str(), *device, *platform, *bpm));
            }
        }
        listed(&points)
    };
    let alone = home.write("alone.json", &of(&[tracker], 40..59));
    draw(&home, &alone, "alone.png")
        .exits(0)
        .says_nothing_of("source");
    for (name, sources) in [
        ("after.json", [tracker, app]),
        ("before.json", [app, tracker]),
    ] {
        let both = home.write(name, &of(&sources, 40..59));
        draw(&home, &both, "both.png")
            .exits(0)
            .says("has the heart rate of 2 sources side by side: that of the tracker \"Charge 6\" is drawn, and the other one is left out");
        picture::assert_same(&home, "both.png", "alone.png");
    }
    // Of two apps, the one with the later values wins.
    let other = ("Ring", "HEALTH_CONNECT", 70);
    let ring = home.write("ring.json", &of(&[other], 40..59));
    draw(&home, &ring, "ring.png").exits(0);
    let early: serde_json::Value = serde_json::from_str(&of(&[app], 40..50)).unwrap();
    let mut both: serde_json::Value = serde_json::from_str(&of(&[other], 40..59)).unwrap();
    let early = early["dataPoints"].as_array().unwrap().clone();
    both["dataPoints"].as_array_mut().unwrap().extend(early);
    let both = home.write("apps.json", &both.to_string());
    draw(&home, &both, "apps.png").exits(0).says(
        "that of \"Ring\", which has the newest value, is drawn, and the other one is left out",
    );
    picture::assert_same(&home, "apps.png", "ring.png");
}

#[test]
fn averages_of_other_windows_than_minutes_are_not_drawn_as_minutes() {
    let home = Home::new();
    let window = |start: &str, end: &str| {
        json!({
            "startTime": format!("2026-11-22T{start}Z"),
            "endTime": format!("2026-11-22T{end}Z"),
            "heartRate": { "beatsPerMinuteAvg": 71 },
        })
    };
    for (name, windows) in [
        (
            "hours.json",
            [
                window("12:00:00", "13:00:00"),
                window("13:00:00", "14:00:00"),
            ],
        ),
        (
            "halves.json",
            [
                window("13:59:30", "14:00:00"),
                window("13:59:00", "13:59:30"),
            ],
        ),
    ] {
        let body = json!({ "rollupDataPoints": windows }).to_string();
        let file = home.write(name, &body);
        draw(&home, &file, "x.png")
            .exits(1)
            .says("cannot draw")
            .says(name)
            .says("windowSize");
    }
    let quarters = json!({ "activities-heart-intraday": {
        "dataset": [{ "time": "13:45:00", "value": 64 }],
        "datasetInterval": 15,
        "datasetType": "minute",
    }});
    let file = home.write("quarters.json", &quarters.to_string());
    render(
        &home,
        &format!("--provider fitbit --heart {file} --png x.png"),
    )
    .exits(1)
    .says("averages of more than one minute");
    assert!(!home.work("x.png").exists());
}

#[test]
fn the_mark_of_an_editor_before_a_saved_reply_is_none_of_it() {
    for provider in ["fitbit", "google"] {
        let signed_in = SignedIn::either(provider);
        let home = &signed_in.home;
        if provider == "fitbit" {
            // The first access token.
            signed_in.once().exits(0);
        }
        let saved = saved(&signed_in, provider);
        for mark in ["", "\u{feff}"] {
            let png = if mark.is_empty() {
                "plain.png"
            } else {
                "marked.png"
            };
            let now = "2026-11-22T14:07:30Z";
            let mut args = vec!["render", "--provider", provider, "--now", now, "--png", png];
            for (option, file) in ["--heart", "--devices", "--settings"].iter().zip(&saved) {
                let path = home.work(file);
                let text = std::fs::read_to_string(&path).unwrap();
                std::fs::write(&path, format!("{mark}{text}")).unwrap();
                args.extend([*option, file.as_str()]);
            }
            home.run(&args).exits(0);
        }
        picture::assert_same(home, "marked.png", "plain.png");
        // A part of the byte order mark is not a mark.
        let torn = home.work("torn.json");
        std::fs::write(&torn, b"\xef\xbb{}").unwrap();
        let torn = torn.to_str().unwrap();
        render(
            home,
            &format!("--provider {provider} --heart {torn} --png y.png"),
        )
        .exits(1);
    }
}

#[test]
fn the_worn_tracker_is_the_one_that_delivers() {
    let home = Home::new();
    let heart = listed(&[("2026-11-22T13:58:05Z", "Charge 6", "FITBIT", 70)]);
    let heart = home.write("heart.json", &heart);
    let worn = json!({ "deviceType": "TRACKER", "batteryStatus": "High", "batteryLevel": 91 });
    let old = json!({ "deviceType": "TRACKER", "batteryStatus": "Low", "batteryLevel": 12,
        "lastSyncTime": "2021-12-02T08:00:00Z" });
    for (name, devices) in [
        ("alone", json!([worn])),
        ("both", json!([old, worn])),
        ("turned", json!([worn, old])),
    ] {
        let devices = home.write(
            &format!("{name}.json"),
            &json!({ "pairedDevices": devices }).to_string(),
        );
        let png = format!("{name}.png");
        render(&home, &format!("--provider google --heart {heart} --devices {devices} --png {png} --now 2026-11-22T14:08:00Z"))
        .exits(0);
        picture::assert_same(&home, &png, "alone.png");
    }
}

#[test]
fn a_reply_that_goes_on_in_a_next_page_is_drawn_with_a_warning() {
    let signed_in = SignedIn::google();
    let raw = save(
        &signed_in,
        "raw.json",
        "/v4/users/me/dataTypes/heart-rate/dataPoints:reconcile?pageSize=100",
    );
    render(
        &signed_in.home,
        &format!("--provider google --heart {raw} --png x.png"),
    )
    .exits(0)
    .says("continues on another page");
}

#[test]
fn without_settings_the_offset_of_now_is_the_zone() {
    let signed_in = SignedIn::google();
    let heart = save_rollup(&signed_in, "google-wearables");
    for (now, png) in [
        ("2026-11-22T14:07:30Z", "utc.png"),
        ("2026-11-22T16:07:30+02:00", "two.png"),
        ("2026-11-22T14:07:30+00:00", "again.png"),
    ] {
        render(
            &signed_in.home,
            &format!("--provider google --heart {heart} --png {png} --now {now}"),
        )
        .exits(0);
    }
    picture::assert_same(&signed_in.home, "utc.png", "again.png");
    assert_ne!(
        picture::read(&signed_in.home, "utc.png"),
        picture::read(&signed_in.home, "two.png")
    );
}

#[test]
fn what_is_no_reply_is_told_and_nothing_is_drawn() {
    let home = Home::new();
    let deep = "[".repeat(100_000);
    for provider in ["google", "fitbit"] {
        for body in [
            "",
            "{",
            "null",
            "[]",
            "<html>",
            "7",
            r#"{"error":{"code":401}}"#,
            deep.as_str(),
        ] {
            let file = home.write("body.json", body);
            let told = render(
                &home,
                &format!("--provider {provider} --heart {file} --png x.png"),
            );
            told.exits(1).says("cannot draw").says("body.json");
        }
        render(
            &home,
            &format!("--provider {provider} --heart none.json --png x.png"),
        )
        .exits(1)
        .says("none.json could not be read");
    }
    assert!(!home.work("x.png").exists());
    home.run(&["render", "--provider", "google", "--png", "x.png"])
        .exits(2);
    // The command needs a target to draw to.
    let file = home.write("body.json", "{}");
    home.run(&["render", "--provider", "google", "--heart", &file])
        .exits(2)
        .says("--png <FILE>|--panel <SPEC>");
}
