//! The checks of the unattended daemon and of its stored data.

use std::{fs, os::unix::fs::PermissionsExt};

use super::{Findings, doctor, offline};
use crate::harness::signed_in::SignedIn;

fn program(signed_in: &SignedIn, name: &str, text: &str) {
    let path = signed_in.home.path("bin").join(name);
    fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Returns a signed-in home whose service files are installed.
fn served() -> SignedIn {
    let signed_in = SignedIn::google();
    signed_in.home.run(&["service", "install"]).exits(0);
    signed_in
}

#[test]
fn a_daemon_at_work_is_seen_and_not_disturbed() {
    let signed_in = SignedIn::google();
    offline(&signed_in)
        .has("daemon.running", "skipped", "pulsewing service install")
        .exits(0);
    let mut run = signed_in.program(&["run", "--no-web"]).start();
    run.error_line_with("updated");
    offline(&signed_in)
        .has(
            "daemon.running",
            "ok",
            "is running with this state directory",
        )
        .has("history.readable", "ok", "it has 840 minutes")
        .exits(0);
    assert!(run.is_running());
    run.stop();
}

#[test]
fn a_service_is_looked_at() {
    let signed_in = served();
    let found = |signed_in: &SignedIn| -> Findings { offline(signed_in) };
    found(&signed_in)
        .has("service.unit", "ok", env!("CARGO_BIN_EXE_pulsewing"))
        .has("service.linger", "skipped", "cannot tell")
        .has("daemon.running", "warn", "systemctl --user start pulsewing")
        .exits(0);
    for (answer, status) in [("no", "warn"), ("yes", "ok")] {
        program(&signed_in, "loginctl", &format!("echo {answer}"));
        found(&signed_in)
            .has("service.linger", status, "logged in")
            .exits(0);
    }
    let unit = signed_in.home.path("config/systemd/user/pulsewing.service");
    let text = fs::read_to_string(&unit).unwrap();
    fs::write(
        &unit,
        text.replace("ExecStart=\"", "ExecStart=\"/gone/100%%"),
    )
    .unwrap();
    found(&signed_in)
        .has("service.unit", "fail", "/gone/100%/")
        .has("service.unit", "fail", "pulsewing service install")
        .exits(1);
    fs::write(&unit, "[Service]\nExecStart=/usr/bin/mine\n").unwrap();
    found(&signed_in)
        .has("service.unit", "skipped", "was not written by")
        .exits(0);
}

#[test]
fn a_history_that_is_damaged_or_newer_is_found_and_left_alone() {
    let signed_in = SignedIn::google().after_once();
    let file = signed_in.home.state("history.db");
    let whole = fs::read(&file).unwrap();
    let change = |sql: &str| {
        let db = rusqlite::Connection::open(&file).unwrap();
        db.execute_batch(sql).unwrap();
    };
    change("UPDATE day SET minutes = x'FFFF'");
    let damaged = fs::read(&file).unwrap();
    offline(&signed_in)
        .has(
            "history.readable",
            "warn",
            "the history's data for 2026-11-22 cannot be read",
        )
        .exits(0);
    assert_eq!(fs::read(&file).unwrap(), damaged);
    fs::write(&file, [0x5A; 8_192]).unwrap();
    offline(&signed_in)
        .has("history.readable", "warn", "moves a damaged history aside")
        .exits(0);
    fs::write(&file, whole).unwrap();
    change("PRAGMA user_version = 99");
    offline(&signed_in)
        .has("history.readable", "warn", "format 99")
        .exits(0);
    fs::remove_file(&file).unwrap();
    doctor(signed_in.program(&["doctor", "--json", "--offline"]))
        .has("history.readable", "ok", "no history yet")
        .exits(0);
}
