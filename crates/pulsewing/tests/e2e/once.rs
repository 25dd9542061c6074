//! `once`: the heart rate in one line, the report, byte for byte, and the picture.

use serde_json::json;

use crate::harness::{
    hermetic::{Finished, words},
    picture, recording,
    sandbox_process::Sandbox,
    signed_in::SignedIn,
};

/// The report in the original's README, without its last interval: this program ends here.
const ORIGINALS_REPORT: &str = "\
Next token written to disk Successfully!

Attempting to GET FITBIT Stats!
===============================
Fitbit Date: 2023-08-02
Fitbit Time: 02:37
Today's Logged Pulses : 158
Latest 15 Minute Averages: 85,84,85,83,86,82,85,86,84,82,82,82,81,84,84
Board Uptime:  0 seconds

Finished!
===============================
";

fn the_originals(provider: &str) -> SignedIn {
    let sandbox = |home: &_| {
        Sandbox::with_recording(home, &recording::the_originals_day(), "America/New_York")
    };
    SignedIn::either_with(provider, sandbox)
}

/// Runs one cycle, and returns the report alone.
fn report_of(signed_in: &SignedIn) -> String {
    report(&signed_in.run(&["once", "--report"]).exits(0))
}

/// Returns the report without the seconds that a busy machine takes.
fn report(once: &Finished) -> String {
    let label = "Board Uptime:  ";
    let seconds = once
        .stdout
        .lines()
        .find_map(|line| line.strip_prefix(label)?.strip_suffix(" seconds"))
        .unwrap();
    assert!(seconds.parse::<u8>().unwrap() < 60, "{seconds}");
    let uptime = format!("{label}{seconds} seconds");
    once.stdout.replace(&uptime, "Board Uptime:  0 seconds")
}

#[test]
fn the_originals_day_gives_the_originals_report() {
    let signed_in = the_originals("fitbit");
    // The original's seed did not request the battery.
    signed_in.fault("fitbit.devices", 0, &json!({ "status": 403 }));
    assert_eq!(report_of(&signed_in), ORIGINALS_REPORT);
}

#[test]
fn a_person_is_told_the_heart_rate_in_the_first_line() {
    let line = "84 bpm, light, 15 min ago";
    for provider in ["fitbit", "google"] {
        let signed_in = the_originals(provider);
        // The token of an adopted Fitbit chain is written first.
        let first = signed_in.once().exits(0).stdout;
        assert!(first.starts_with(&format!("{line}\n")), "{first}");
        let once = report(&signed_in.once().exits(0));
        assert_eq!(once, format!("{line}\n{}", report_of(&signed_in)));
    }
    let signed_in = SignedIn::google();
    signed_in.sandbox.set_clock("2026-11-24T12:00:00Z");
    let silent = signed_in.once().exits(0).stdout;
    assert!(
        silent.starts_with("No heart rate for 24 hours\nAttempting"),
        "{silent}"
    );
    let signed_in = SignedIn::google().after_once();
    signed_in.sandbox.set_clock("2026-11-24T12:00:00Z");
    let known = ["once", "--now", "2026-11-24T12:00:00Z"];
    let known = signed_in.home.run(&known).exits(0).stdout;
    let first = known.lines().next().unwrap_or_default();
    assert_eq!(
        first,
        "Was 99 bpm, light, 1 day ago (Sun 13:59). Not worn: it syncs, but measures no heart rate."
    );
    signed_in.run(&["once", "--report", "--json"]).exits(2);
}

#[test]
fn what_is_not_of_now_is_told_as_what_was_and_why() {
    // Not worn from ten o'clock on.
    let worn = recording::from_midnight("2026-11-22", (0..10 * 60).map(|minute| 60 + minute % 40));
    for provider in ["google", "fitbit"] {
        let signed_in =
            SignedIn::either_with(provider, |home| Sandbox::with_recording(home, &worn, "UTC"));
        signed_in.sandbox.set_clock("2026-11-22T14:07:00Z");
        let first = |words: &str| {
            let once = signed_in.once().exits(0).stdout;
            let line = once.lines().next().unwrap_or_default();
            let rate = "Was 99 bpm, light, 4 h 8 min ago (09:59). ";
            assert_eq!(line, format!("{rate}{words}"), "{provider}");
        };
        first("Not worn: it syncs, but measures no heart rate.");
        let synced = json!({ "last_sync": "2026-11-22T10:01:00Z" });
        signed_in.sandbox.configure(&synced);
        first("Not synced: the tracker sent nothing newer.");
        signed_in.sandbox.configure(&json!({ "battery": 9 }));
        first("Not charged: its battery was low at its last sync.");
        let route = format!("{provider}.devices");
        signed_in.fault(&route, 0, &json!({ "status": 403 }));
        first("Nothing recorded: no newer heart rate has arrived.");
    }
}

#[test]
fn the_token_line_needs_a_written_token_and_the_battery_line_a_known_one() {
    let signed_in = the_originals("fitbit");
    let first = report_of(&signed_in);
    let battery = format!(",84,84\nWatch Battery %: {}\nBoard", signed_in.battery());
    let with_battery = ORIGINALS_REPORT.replace(",84,84\nBoard", &battery);
    assert_eq!(first, with_battery);
    let second = report_of(&signed_in);
    let (_, without_token) = with_battery.split_once("\n\n").unwrap();
    assert_eq!(second, without_token);
    assert_eq!(signed_in.token_requests(), 1);
}

#[test]
fn google_has_the_same_report_in_its_own_words() {
    let signed_in = the_originals("google");
    let battery = signed_in.battery();
    let expected = format!(
        "\
Attempting to GET GOOGLE HEALTH Stats!
===============================
Health Date: 2023-08-02
Health Time: 02:37
Today's Logged Pulses : 158
Latest 15 Minute Averages: 85,84,85,83,86,82,85,86,84,82,82,82,81,84,84
Watch Battery %: {battery}
Board Uptime:  0 seconds

Finished!
===============================
"
    );
    assert_eq!(report_of(&signed_in), expected);
    // Google's refresh tokens do not rotate: a new access token is not reported.
    signed_in.sandbox.advance(3_500);
    let later = report_of(&signed_in);
    assert!(
        later.starts_with("Attempting to GET GOOGLE HEALTH Stats!\n"),
        "{later}"
    );
    assert_eq!(signed_in.sandbox.requests_of("google.token").len(), 2);
}

#[test]
fn fewer_than_fifteen_minutes_are_a_success_in_the_originals_words() {
    for (provider, cloud) in [("fitbit", "FITBIT"), ("google", "GOOGLE HEALTH")] {
        let sandbox = |home: &_| {
            let csv = recording::from_midnight("2023-08-02", [72; 14]);
            Sandbox::with_recording(home, &csv, "UTC")
        };
        let signed_in = SignedIn::either_with(provider, sandbox);
        // The token of an adopted Fitbit chain is written first.
        signed_in.once().exits(0);
        let battery = signed_in.battery();
        let expected = format!(
            "\
Attempting to GET {cloud} Stats!
===============================
Waiting for latest sync...
Not enough values for today to display yet.
Watch Battery %: {battery}
Board Uptime:  0 seconds

Finished!
===============================
"
        );
        assert_eq!(report_of(&signed_in), expected);
    }
}

#[test]
fn a_day_without_a_single_minute_is_a_success_too() {
    for provider in ["fitbit", "google"] {
        let signed_in = SignedIn::either(provider);
        signed_in.sandbox.set_clock("2026-11-24T12:00:00Z");
        signed_in
            .once()
            .exits(0)
            .prints("Not enough values for today to display yet.\n");
    }
}

#[test]
fn minutes_that_are_missing_stay_missing() {
    let csv = "time,bpm\n2026-11-22T09:00:00,60\n2026-11-22T09:00:30,61\n2026-11-22T09:03:00,90\n";
    let sandbox = |home: &_| Sandbox::with_recording(home, csv, "UTC");
    for signed_in in [
        SignedIn::fitbit_with(sandbox),
        SignedIn::google_with(sandbox),
    ] {
        let reading = signed_in.run(&["once", "--json"]).exits(0).json();
        assert_eq!(reading["logged_minutes"], 2);
        assert_eq!(reading["latest"], json!({ "time": "09:03", "bpm": 90 }));
        assert_eq!(reading["window"], json!(null));
    }
}

#[test]
fn without_a_time_of_its_own_the_program_goes_by_the_machines_clock() {
    for provider in ["fitbit", "google"] {
        let sandbox = |home: &_| Sandbox::start(home, &[]);
        let signed_in = SignedIn::either_with(provider, sandbox);
        let reading = signed_in.home.run(&["once", "--json"]).exits(0).json();
        let fetched_at: jiff::Timestamp = reading["fetched_at"].as_str().unwrap().parse().unwrap();
        let age = jiff::Timestamp::now().duration_since(fetched_at);
        assert!((0..=60).contains(&age.as_secs()), "{fetched_at}");
        assert_eq!(reading["freshness"], "fresh");
    }
}

#[test]
fn a_picture_is_drawn_beside_the_report_in_the_size_that_is_asked_for() {
    let signed_in = SignedIn::google();
    signed_in
        .run(&["once", "--png", "plain.png"])
        .exits(0)
        .prints("Finished!\n");
    assert_eq!(size_of(&signed_in, "plain.png"), (480, 320));
    signed_in
        .run(&words(
            "once --json --png small.png --size 320x240 --theme classic",
        ))
        .exits(0)
        .json();
    assert_eq!(size_of(&signed_in, "small.png"), (320, 240));
    assert!(!signed_in.home.work("small.png.new").exists());
    signed_in
        .run(&["once", "--png", "no/such/directory/picture.png"])
        .exits(1)
        .says("picture.png could not be written");
}

fn size_of(signed_in: &SignedIn, name: &str) -> (u32, u32) {
    picture::read(&signed_in.home, name).size
}

#[test]
fn a_reader_that_has_gone_away_is_no_error() {
    let signed_in = SignedIn::google();
    signed_in
        .program(&["once"])
        .run_into_a_broken_pipe()
        .exits(0);
    signed_in
        .program(&["status"])
        .run_into_a_broken_pipe()
        .exits(0);
}
