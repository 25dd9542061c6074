//! `pulsewing run`: the daemon.

use std::fs;

use serde_json::json;

use crate::harness::{daemon::Daemon, sandbox_process::Sandbox, signed_in::SignedIn};

#[test]
fn it_reports_draws_keeps_and_ends_when_told_to() {
    for signal in ["TERM", "INT"] {
        let signed_in = SignedIn::fitbit();
        let png = signed_in.home.work("heart.png");
        let run = ["run", "--no-web", "--png", png.to_str().unwrap()];
        let running = signed_in.program(&run).start();
        let mut report = String::new();
        while !report.contains("Next Update in:") {
            report += &format!("{}\n", running.line());
        }
        assert!(report.contains("Fitbit Time: 13:59\n"), "{report}");
        running.error_line();
        running.signal(signal);
        let ended = running.finish().exits(0).says("stopped");
        assert!(
            ended.stderr.contains("INFO updated bpm="),
            "{}",
            ended.stderr
        );
        assert!(fs::read(&png).unwrap().starts_with(b"\x89PNG"));
        signed_in.assert_chain_goes_on();
        assert!(signed_in.status()["history"]["days"].as_u64().unwrap() >= 1);
    }
}

#[test]
fn there_is_one_daemon_for_a_state_directory() {
    let signed_in = SignedIn::google();
    let daemon = Daemon::start(&signed_in);
    daemon.logs("updated");
    signed_in
        .run(&["run", "--no-web"])
        .exits(5)
        .says("another pulsewing is already running with this state directory")
        .says("pulsewing show");
    daemon.stop();
    let daemon = Daemon::start(&signed_in);
    daemon.logs("updated");
    daemon.stop();
}

#[test]
fn a_refresh_under_way_is_finished_and_stored_before_it_ends() {
    let signed_in = SignedIn::fitbit();
    signed_in.fault("fitbit.token", 1, &json!({ "stall_s": 2 }));
    let running = signed_in.program(&["run", "--no-web"]).start();
    signed_in.sandbox.wait_for("fitbit.token", 1);
    running.stop();
    assert_eq!(signed_in.sandbox.routes(), ["fitbit.token"]);
    signed_in.assert_chain_goes_on_as(2);
}

#[test]
fn somebody_who_signs_in_with_another_process_does_not_wait_for_the_next_try() {
    let signed_in = SignedIn::google();
    signed_in.run(&["logout"]).exits(0);
    let daemon = Daemon::start(&signed_in);
    daemon.logs("nobody has signed in yet");
    let now = daemon.json("/api/v1/now");
    assert_eq!(now["trouble"]["kind"], "sign-in", "{now}");
    signed_in.login();
    daemon.logs("updated bpm=");
    let now = daemon.json("/api/v1/now");
    assert_eq!(now["trouble"], json!(null), "{now}");
    daemon.stop();
}

#[test]
fn what_is_wrong_is_told_and_what_was_shown_stays() {
    let signed_in = SignedIn::google();
    let daemon = Daemon::updated(&signed_in);
    let bpm = daemon.json("/api/v1/now")["reading"]["latest"]["bpm"].clone();
    let fault = json!({ "reason": "ACCOUNT_NOT_LINKED" });
    signed_in.fault("google.rollup", 0, &fault);
    assert_eq!(daemon.post("/update", "").status, 303);
    daemon.logs("ERROR this Google account is not linked");
    let now = daemon.json("/api/v1/now");
    assert_eq!(now["reading"]["latest"]["bpm"], bpm);
    assert_eq!(now["reading"]["freshness"], "cached");
    assert_eq!(now["trouble"]["kind"], "sign-in");
    let page = daemon.get("/").body;
    assert!(page.contains("From memory"), "{page}");
    assert!(page.contains("fitbit.google.com"), "{page}");
    daemon.stop();
}

#[test]
fn after_a_restart_the_last_reading_is_there_before_the_network_is() {
    let signed_in = SignedIn::google();
    let daemon = Daemon::updated(&signed_in);
    let before = daemon.json("/api/v1/now");
    daemon.stop();
    signed_in.fault("*", 0, &json!({ "drop": "before" }));
    let daemon = Daemon::start(&signed_in);
    let now = daemon.json("/api/v1/now");
    for fact in [
        "latest",
        "window",
        "battery_percent",
        "last_sync",
        "resting_bpm",
        "zone_name",
    ] {
        assert_eq!(now["reading"][fact], before["reading"][fact], "{fact}");
    }
    // No failure: neither in this run, nor at the end of the previous one.
    assert_eq!(now["reading"]["freshness"], "fresh");
    assert_eq!(daemon.post("/update", "").status, 303);
    daemon.logs("ERROR fetching the heart rate");
    daemon.stop();
    let daemon = Daemon::start(&signed_in);
    let now = daemon.json("/api/v1/now");
    assert_eq!(now["reading"]["freshness"], "cached");
    daemon.stop();
}

#[test]
fn days_that_nobody_fetched_are_made_up_for() {
    let csv = ["2026-11-20", "2026-11-21", "2026-11-22"].map(|date| {
        (0..12 * 60)
            .map(|minute| {
                format!(
                    "{date}T{:02}:{:02}:00,{}\n",
                    minute / 60,
                    minute % 60,
                    60 + minute % 40
                )
            })
            .collect::<String>()
    });
    for provider in ["google", "fitbit"] {
        let signed_in = SignedIn::either_with(provider, |home| {
            Sandbox::with_recording(home, &format!("time,bpm\n{}", csv.concat()), "UTC")
        });
        let daemon = Daemon::start(&signed_in);
        daemon.logs("fetched a past day date=2026-11-20 minutes=720");
        for date in ["2026-11-20", "2026-11-21"] {
            let day = daemon.json(&format!("/api/v1/days/{date}"));
            let minutes = day["minutes"].as_array().unwrap();
            assert_eq!(minutes.len(), 720, "{date}");
            assert_eq!(minutes[61]["time"], "01:01");
            assert_eq!(minutes[61]["bpm"], 81);
        }
        daemon.stop();
        // Nothing is fetched twice.
        let asked = signed_in.sandbox.requests().len();
        let daemon = Daemon::start(&signed_in);
        daemon.logs("fetched a past day");
        daemon.stop();
        let newer = signed_in.sandbox.requests();
        assert!(
            newer[asked..]
                .iter()
                .all(|request| { !request["path"].as_str().unwrap().contains("2026-11-2") })
        );
    }
}

#[test]
fn retention_is_the_users_choice_and_then_nothing_is_made_up_for() {
    let signed_in = SignedIn::google();
    let config = crate::harness::signed_in::configuration(&signed_in.sandbox, "google");
    signed_in
        .home
        .configure(&format!("{config}\n[history]\nkeep = \"1 day\"\n"));
    let daemon = Daemon::updated(&signed_in);
    let rollups = signed_in.sandbox.requests_of("google.rollup").len();
    daemon.post("/update", "");
    daemon.logs("updated bpm=");
    assert_eq!(
        signed_in.sandbox.requests_of("google.rollup").len(),
        2 * rollups
    );
    daemon.stop();
}

#[test]
fn a_jump_of_the_clock_starts_a_cycle_at_once() {
    // A test cannot move the program's clock; the demo uses its sandbox's.
    let home = crate::harness::hermetic::Home::new();
    let demo = home.program(&["demo", "--speed", "1"]).start();
    let mut page = String::new();
    while !page.contains("The page is ") {
        page = demo.error_line();
        if let Some((_, url)) = page.split_once(" answers at ") {
            let url = url.split(';').next().unwrap().to_owned();
            fs::write(home.work("url"), url).unwrap();
        }
    }
    while !demo.line().starts_with("Next Update in:") {}
    let url = fs::read_to_string(home.work("url")).unwrap();
    crate::harness::loopback_http::exchange(
        "POST",
        &format!("{url}/_sandbox/clock"),
        &[],
        r#"{"advance_s":86400}"#,
    );
    while !demo.line().starts_with("Next Update in:") {}
    demo.stop();
}

#[test]
fn the_log_is_a_line_an_event_and_the_journal_gets_its_level() {
    let signed_in = SignedIn::fitbit();
    let daemon = Daemon::of(
        signed_in
            .program(&["run", "-v", "--listen", "127.0.0.1:0"])
            .env("JOURNAL_STREAM", "1:2"),
    );
    daemon.logs("DEBUG POST /oauth2/token: 200 OK");
    daemon.logs("updated bpm=");
    let ended = daemon.stop();
    for line in ended.stderr.lines() {
        let mut words = line.split(' ');
        let time = words.next().unwrap();
        assert!(time.ends_with('Z') && time.contains('T'), "{line}");
        let level = words.next().unwrap();
        assert!(
            ["INFO", "DEBUG", "WARN", "ERROR"].contains(&level),
            "{line}"
        );
    }
}
