//! The messages of `run` to systemd.

use serde_json::json;

use crate::harness::{hermetic::Home, signed_in::SignedIn, systemd::Systemd};

#[test]
fn a_start_the_state_and_the_end_are_told() {
    let signed_in = SignedIn::google_today();
    let systemd = Systemd::new(&signed_in.home);
    let run = systemd
        .over(signed_in.program(&["run", "--no-web"]))
        .start();
    let first = systemd.message();
    assert_eq!(first[0], "READY=1");
    assert!(first[1].starts_with("STATUS="), "{first:?}");
    // No watchdog was requested.
    assert!(!first.contains(&"WATCHDOG=1".to_owned()));
    systemd.hear("STATUS=99 bpm, 8 min ago; next update 14:");
    run.signal("TERM");
    systemd.hear("STOPPING=1");
    run.finish().exits(0);
}

#[test]
fn the_watchdog_is_fed_while_it_waits_and_while_a_refresh_takes_long() {
    let signed_in = SignedIn::fitbit();
    signed_in.fault("fitbit.token", 1, &json!({ "stall_s": 2 }));
    let systemd = Systemd::new(&signed_in.home);
    let run = systemd
        .over(signed_in.program(&["run", "--no-web"]))
        .env("WATCHDOG_USEC", "200000")
        .start();
    signed_in.sandbox.wait_for("fitbit.token", 1);
    for _ in 0..5 {
        systemd.hear("WATCHDOG=1");
    }
    assert_eq!(signed_in.sandbox.routes(), ["fitbit.token"]);
    systemd.hear("STATUS=99 bpm");
    for _ in 0..5 {
        systemd.hear("WATCHDOG=1");
    }
    run.stop();
}

#[test]
fn trouble_is_in_the_state_and_the_service_goes_on() {
    let home = Home::new();
    let systemd = Systemd::new(&home);
    let mut run = systemd
        .over(home.program(&["run", "--no-web", "--now", "2026-11-22T14:07:00Z"]))
        .start();
    let status = systemd.hear("STATUS=nobody has signed in yet");
    assert!(status.contains("no heart rate yet"), "{status}");
    assert!(run.is_running());
    run.signal("INT");
    run.finish().exits(0);
}

#[test]
fn a_start_that_fails_never_counts_as_one() {
    let home = Home::new();
    home.configure("[screeen]\n");
    let systemd = Systemd::new(&home);
    systemd
        .over(home.program(&["run", "--no-web"]))
        .run()
        .exits(1);
    assert!(systemd.has_heard_nothing());
}
