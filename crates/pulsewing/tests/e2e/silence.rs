//! The display when no newer data arrives: the last known value, its age, and the reason.

use std::fs;

use serde_json::{Value, json};

use pulsewing_testkit::pictures::Picture;

use crate::harness::{
    daemon::Daemon, picture, recording, sandbox_process::Sandbox, signed_in::SignedIn,
};

/// Returns the top of a page: the style of the rate, the title of its tab, and the text in order.
fn top(page: &str) -> (String, String, String) {
    let between = |text: &str, from: &str, to: &str| -> String {
        let (_, rest) = text
            .split_once(from)
            .unwrap_or_else(|| panic!("{from}: {text}"));
        rest.split(to).next().unwrap().to_owned()
    };
    let section = between(page, "<section class=\"now card\"", "</section>");
    let mut text = String::new();
    let mut is_tag = true;
    for character in section.chars() {
        match character {
            '<' => is_tag = true,
            '>' => is_tag = false,
            _ if !is_tag => text.push(character),
            _ => {}
        }
    }
    (
        between(&section, "data-look=\"", "\""),
        between(page, "<title>", "</title>"),
        text,
    )
}

/// Returns the value of a metric; `None` while it is not known.
fn metric(daemon: &Daemon, name: &str) -> Option<f64> {
    let text = daemon.get("/metrics").body;
    let mut lines = text.lines();
    let value = lines
        .find_map(|line| line.strip_prefix(&format!("pulsewing_{name}{{wearer=\"default\"}} ")));
    let value: f64 = value.unwrap().parse().unwrap();
    (!value.is_nan()).then_some(value)
}

/// Asserts that every face shows the minute of two days ago.
#[track_caller]
fn has_the_last_minute(daemon: &Daemon) -> Value {
    let now = daemon.json("/api/v1/now");
    let latest = json!({ "time": "13:59", "bpm": 99, "at": "2026-11-22T13:59:00Z" });
    assert_eq!(now["reading"]["latest"], latest, "{now}");
    assert_eq!(now["reading"]["date"], "2026-11-22");
    assert!(now["age_s"].as_i64().unwrap() > 2 * 86_400, "{now}");
    let page = daemon.get("/").body;
    let (look, title, text) = top(&page);
    assert_eq!(look, "long-ago");
    let failed = if now["trouble"].is_null() {
        ""
    } else {
        "Update failed. "
    };
    assert_eq!(title, format!("{failed}2 days ago: was 99 bpm · Pulsewing"));
    assert!(text.starts_with("2 days ago Sun 13:59was 99 bpm"), "{text}");
    let day = "<time datetime=\"2026-11-22\" data-date=\"weekday\">Sun</time> 13:59";
    for heading in ["15 minutes", "24 hours"] {
        assert!(page.contains(&format!("{heading} until {day}")), "{page}");
    }
    let at: jiff::Timestamp = "2026-11-22T13:59:00Z".parse().unwrap();
    let seconds = at.as_second() as f64;
    assert_eq!(
        metric(daemon, "heart_rate_timestamp_seconds"),
        Some(seconds)
    );
    assert!(metric(daemon, "heart_rate_age_seconds").unwrap() > 2.0 * 86_400.0);
    // A number without its age would be taken for a current one.
    assert_eq!(metric(daemon, "heart_rate_bpm"), None);
    // The resting heart rate of that day is not current either.
    assert_eq!(metric(daemon, "resting_heart_rate_bpm"), None);
    assert_eq!(now["reading"]["resting_bpm"], Value::Null);
    let unknown = "<dt>Resting heart rate</dt><dd><span class=\"quiet\">unknown</span>";
    assert!(page.contains(unknown), "{page}");
    now
}

#[test]
fn after_a_day_of_silence_the_last_reading_stays_everywhere() {
    for provider in ["google", "fitbit"] {
        let signed_in = SignedIn::either(provider).after_once();
        let last_minute = || -> Value {
            let state = fs::read(signed_in.home.state("state.json")).unwrap();
            serde_json::from_slice::<Value>(&state).unwrap()["last_minute"].clone()
        };
        let before = last_minute();
        assert!(signed_in.run(&["once", "--json"]).exits(0).json()["resting_bpm"].is_u64());
        signed_in.sandbox.set_clock("2026-11-24T16:05:00Z");
        let daemon = Daemon::start(&signed_in);
        daemon.logs("INFO updated");
        let now = has_the_last_minute(&daemon);
        assert_eq!(now["reading"]["freshness"], "silent", "{provider}");
        // The recording is over, but the sandbox's tracker still syncs.
        assert_eq!(now["absence"], "not-worn", "{provider}");
        assert_eq!(metric(&daemon, "logged_minutes"), Some(0.0));
        daemon.stop();
        assert_eq!(last_minute(), before);

        // The same after a restart, whether or not the cloud can be reached, and even if only the
        // history is left.
        signed_in.fault("*", 0, &json!({ "drop": "before" }));
        for is_state_lost in [false, true] {
            if is_state_lost {
                fs::remove_file(signed_in.home.state("state.json")).unwrap();
            }
            let daemon = Daemon::start(&signed_in);
            daemon.logs("ERROR");
            let now = has_the_last_minute(&daemon);
            assert_eq!(now["reading"]["freshness"], "cached", "{provider}");
            daemon.stop();
        }
    }
}

#[test]
fn the_picture_goes_on_showing_what_was_last_known() {
    let signed_in = SignedIn::google().after_once();
    signed_in.sandbox.set_clock("2026-11-24T16:05:00Z");
    let draw = |name: &str| {
        signed_in.run(&["once", "--png", name]).exits(0);
        picture::read(&signed_in.home, name)
    };
    let picture = draw("silent.png");
    fs::remove_file(signed_in.home.state("history.db")).unwrap();
    let without = draw("without.png");
    assert_ne!(picture, without);
    // In words, like the other faces: the age, in the colour of a warning, in place of the zone's name.
    let warning = [255, 180, 0];
    let beside = |picture: &Picture| {
        let rows = picture.rgb.chunks(480).skip(40).take(40);
        rows.flat_map(|row| &row[280..]).any(|it| *it == warning)
    };
    assert!(beside(&picture) && !beside(&without));
    // This does not change the output of a fetch.
    let reading = signed_in.run(&["once", "--json"]).exits(0).json();
    assert_eq!(reading["latest"], Value::Null);
    assert_eq!(reading["date"], "2026-11-24");
}

#[test]
fn an_old_heart_rate_does_not_look_new() {
    let signed_in = SignedIn::google();
    let daemon = Daemon::updated(&signed_in);
    let (look, title, text) = top(&daemon.get("/").body);
    assert_eq!(look, "fresh");
    assert_eq!(title, "99 bpm, 8 min ago · Pulsewing");
    let rate = "99 bpm Light ↗ rising8 min ago at 13:59";
    assert!(text.contains(rate), "{text}");
    let page = daemon.get("/").body;
    let success = "<dt>Last update</dt><dd><time";
    let failure = "<dt>Last update</dt><dd>failed <time";
    assert!(page.contains(success) && !page.contains(failure), "{page}");
    // A failed update does not count as an update.
    signed_in.fault("google.rollup", 0, &json!({ "status": 503 }));
    daemon.post("/update", "");
    daemon.logs("ERROR");
    let page = daemon.get("/").body;
    let (look, title, text) = top(&page);
    assert_eq!(look, "old");
    assert!(title.ends_with(" ago: was 99 bpm · Pulsewing"), "{title}");
    assert!(text.contains("ago at 13:59was 99 bpm Light"), "{text}");
    for word in ["Up to date", "rising"] {
        assert!(!text.contains(word), "{text}");
    }
    assert!(page.contains(failure) && !page.contains(success), "{page}");
    assert!(page.contains("Last success"), "{page}");
    daemon.stop();

    signed_in.sandbox.faults(&json!([]));
    signed_in.sandbox.set_clock("2026-11-22T16:52:00Z");
    let daemon = Daemon::updated(&signed_in);
    let (look, title, text) = top(&daemon.get("/").body);
    assert_eq!(look, "old");
    assert_eq!(title, "2 h 53 min ago: was 99 bpm · Pulsewing");
    assert!(
        text.starts_with("2 h 53 min ago at 13:59was 99 bpm Light"),
        "{text}"
    );
    daemon.stop();
}

#[test]
fn off_the_wrist_is_not_told_as_not_synced() {
    // Not worn from ten o'clock on, but the tracker still syncs.
    let worn = recording::from_midnight("2026-11-22", (0..10 * 60).map(|minute| 60 + minute % 40));
    for provider in ["google", "fitbit"] {
        let signed_in =
            SignedIn::either_with(provider, |home| Sandbox::with_recording(home, &worn, "UTC"));
        signed_in.sandbox.set_clock("2026-11-22T14:07:00Z");
        let said = || {
            let daemon = Daemon::updated(&signed_in);
            let now = daemon.json("/api/v1/now");
            assert_eq!(now["reading"]["freshness"], "stale", "{provider}");
            let (_, _, text) = top(&daemon.get("/").body);
            daemon.stop();
            (now["absence"].clone(), text)
        };
        let (absence, text) = said();
        assert_eq!(absence, "not-worn", "{provider}");
        assert!(
            text.contains("Not worn") && !text.contains("ync:"),
            "{text}"
        );
        // If the last sync is unknown, so is the reason.
        let route = format!("{provider}.devices");
        signed_in.fault(&route, 0, &json!({ "status": 403 }));
        let (absence, text) = said();
        assert_eq!(absence, "nothing-recorded", "{provider}");
        assert!(text.contains("Nothing recorded"), "{text}");
    }
}

#[test]
fn a_guessed_zone_is_said_and_nothing_is_concluded_from_it() {
    // Three hours to the west of the machine; 13 minutes old.
    let signed_in = SignedIn::fitbit_with(|home| {
        Sandbox::with_recording(home, &recording::until_two(), "America/Sao_Paulo")
    });
    signed_in.sandbox.set_clock("2026-11-22T17:12:00Z");
    signed_in.fault("fitbit.profile", 0, &json!({ "status": 403 }));
    let daemon = Daemon::updated(&signed_in);
    let now = daemon.json("/api/v1/now");
    assert_eq!(now["is_time_zone_guessed"], true, "{now}");
    assert_eq!(now["absence"], "zone-guessed", "{now}");
    let (_, _, text) = top(&daemon.get("/").body);
    assert!(text.contains("3 h 13 min ago"), "{text}");
    assert!(
        text.contains("Time zone guessed: the age may be wrong"),
        "{text}"
    );
    assert!(
        text.contains("a guess: set the wearer's time zone"),
        "{text}"
    );
    assert!(!text.contains("Not synced"), "{text}");
    daemon.stop();

    // Once the zone is configured, the note about it disappears.
    signed_in
        .home
        .configure_more("[wearer]\ntime_zone = \"America/Sao_Paulo\"\n");
    let daemon = Daemon::updated(&signed_in);
    let now = daemon.json("/api/v1/now");
    assert_eq!(now["is_time_zone_guessed"], false, "{now}");
    assert_eq!(now["reading"]["freshness"], "fresh", "{now}");
    daemon.stop();
}

#[test]
fn nothing_is_up_to_date_under_a_service_that_has_ended() {
    let signed_in = SignedIn::fitbit();
    let daemon = Daemon::updated(&signed_in);
    signed_in.sandbox.configure(&json!({ "gone": true }));
    daemon.post("/update", "");
    daemon.logs("ERROR");
    let now = daemon.json("/api/v1/now");
    assert_eq!(now["trouble"]["kind"], "gone", "{now}");
    let page = daemon.get("/").body;
    assert!(!page.contains("Up to date"), "{page}");
    assert_eq!(top(&page).0, "old");
    // One button helps.
    let way = "href=\"/sign-in?provider=google\">Move to Google</a>";
    assert!(page.contains(way) && !page.contains("Update now"), "{page}");
    let sign_in = daemon.get("/sign-in?provider=google").body;
    assert!(sign_in.contains("value=\"google\" checked"), "{sign_in}");
    daemon.stop();
}
