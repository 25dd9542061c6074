//! `run`, left alone: sleep, restarts, full disks. The machine's clock is a file, so that hours pass at
//! once.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::Stdio,
};

use jiff::Timestamp;
use serde_json::json;

use crate::harness::{
    hermetic::{Home, Program, Running},
    import_files::{exported, without_resting},
    patience::until,
    shim,
    signed_in::SignedIn,
    systemd::Systemd,
};

/// The clock of the machine that the program runs on.
struct MachineClock {
    file: PathBuf,
}

impl MachineClock {
    /// Returns a clock that shows the sandbox's time.
    fn of(signed_in: &SignedIn) -> Self {
        let clock = Self {
            file: signed_in.home.path("tmp/clock"),
        };
        clock.set(&signed_in.sandbox.now());
        clock
    }

    fn set(&self, now: &str) {
        let now: Timestamp = now.parse().unwrap();
        let ahead = now.as_second() - Timestamp::now().as_second();
        let new = self.file.with_extension("new");
        fs::write(&new, ahead.to_string()).unwrap();
        fs::rename(&new, &self.file).unwrap();
    }

    fn over(&self, program: Program) -> Program {
        shim::with_clock(program, &self.file)
    }
}

/// Starts `run` with these options on a machine whose clock can be set.
fn started(signed_in: &SignedIn, clock: &MachineClock, options: &[&str]) -> Running {
    clock
        .over(
            signed_in
                .home
                .program(&[&["run", "--no-web"], options].concat()),
        )
        .printing_first()
        .start()
}

/// Makes the machine sleep: its clock and the cloud's advance, but the program does not run.
fn sleep(signed_in: &SignedIn, clock: &MachineClock, seconds: i64) {
    signed_in.sandbox.advance(seconds);
    clock.set(&signed_in.sandbox.now());
}

/// Reads stdout up to the end of a report.
fn report(run: &Running) -> String {
    let mut text = String::new();
    loop {
        let line = run.line();
        text.push_str(&line);
        text.push('\n');
        if line.starts_with("Next Update in") {
            return text;
        }
    }
}

fn changed(path: &Path) -> Option<std::time::SystemTime> {
    fs::metadata(path).and_then(|file| file.modified()).ok()
}

#[test]
fn every_update_is_reported_drawn_and_logged_in_a_line() {
    for provider in ["google", "fitbit"] {
        let signed_in = SignedIn::either(provider);
        signed_in.today_alone();
        let clock = MachineClock::of(&signed_in);
        let run = started(&signed_in, &clock, &["--png", "now.png"]);
        assert!(report(&run).contains("Today's Logged Pulses : 840"));
        let line = run.error_line_with("updated");
        assert!(
            line.contains(" INFO updated bpm=99 age_min=8 next=2026-11-22T14:"),
            "{line}"
        );
        let png = signed_in.home.work("now.png");
        let first = until("a picture with the reading", || changed(&png));
        // An hour later by both clocks the next cycle is due, and the program itself notices that the
        // machine slept.
        sleep(&signed_in, &clock, 3_600);
        assert!(report(&run).contains("Today's Logged Pulses : 840"));
        let line = run.error_line_with("updated");
        assert!(line.contains("age_min=68 next=2026-11-22T15:"), "{line}");
        until("a newer picture", || changed(&png).filter(|at| *at > first));
        run.signal("TERM");
        let finished = run.finish().exits(0);
        let lines: Vec<&str> = finished.stderr.lines().collect();
        assert_eq!(lines.len(), 4, "{lines:#?}");
        assert!(lines[0].contains("INFO started version="), "{lines:#?}");
        assert!(lines[3].ends_with("INFO stopped"), "{lines:#?}");
        signed_in.assert_chain_goes_on();
    }
}

#[test]
fn a_clock_that_is_set_back_starts_an_update_at_once_too() {
    let signed_in = SignedIn::google_today();
    let clock = MachineClock::of(&signed_in);
    clock.set("2026-11-22T16:07:00Z");
    let run = started(&signed_in, &clock, &[]);
    run.error_line_with("updated");
    clock.set(&signed_in.sandbox.now());
    let line = run.error_line_with("updated");
    assert!(line.contains("age_min=8"), "{line}");
    run.stop();
}

#[test]
fn a_call_for_data_is_given_up_at_once() {
    let signed_in = SignedIn::google();
    let heart = signed_in.heart_route();
    signed_in.fault(heart, 0, &json!({ "stall_s": 3600 }));
    let run = signed_in.program(&["run", "--no-web"]).start();
    signed_in.sandbox.wait_for(heart, 1);
    run.stop();
}

#[test]
fn missing_days_are_fetched_newest_first_and_cycles_keep_their_requests() {
    let signed_in = SignedIn::google();
    // Half of these requests are for the cycles.
    signed_in.home.configure_more("[poll]\nhourly_cap = 16\n");
    let clock = MachineClock::of(&signed_in);
    let run = started(&signed_in, &clock, &[]);
    let line = run.error_line_with("fetching days missing from the history");
    assert!(line.contains("days=30"), "{line}");
    let line = run.error_line_with("fetched a past day");
    assert!(
        line.contains("date=2026-11-21") && line.contains("done=1 total=30"),
        "{line}"
    );
    // The next cycles are not delayed.
    for _ in 0..2 {
        sleep(&signed_in, &clock, 15 * 60);
        run.error_line_with("updated");
    }
    run.signal("TERM");
    let finished = run.finish().exits(0);
    assert!(!finished.stderr.contains("ERROR"), "{}", finished.stderr);
    let days = finished.stderr.matches("fetched a past day").count();
    assert!((1..=4).contains(&days), "{}", finished.stderr);
}

#[test]
fn days_that_cannot_be_fetched_yet_are_not_announced_again_and_again() {
    let signed_in = SignedIn::google();
    // A cycle's own requests use up the half that is allowed for past days.
    signed_in.home.configure_more("[poll]\nhourly_cap = 8\n");
    let clock = MachineClock::of(&signed_in);
    let run = started(&signed_in, &clock, &[]);
    run.error_line_with("updated");
    sleep(&signed_in, &clock, 15 * 60);
    run.error_line_with("updated");
    run.signal("TERM");
    run.finish()
        .exits(0)
        .says_nothing_of("days missing from the history");
}

#[test]
fn missing_days_become_history() {
    let signed_in = SignedIn::google();
    signed_in
        .home
        .configure_more("[history]\nkeep = \"2 days\"\n");
    let run = signed_in.program(&["run", "--no-web"]).start();
    run.error_line_with("date=2026-11-21 minutes=0 done=1 total=1");
    run.stop();
    let history = signed_in.home.run(&["export"]).exits(0).stdout;
    let rates = (0..14 * 60).map(|minute| 60 + minute % 40);
    assert_eq!(
        without_resting(&history),
        exported("2026-11-22T00:00:00Z", rates)
    );
    // A day that turned out empty is not requested again.
    let run = signed_in.program(&["run", "--no-web"]).start();
    run.error_line_with("updated");
    run.signal("TERM");
    run.finish().exits(0).says_nothing_of("past day");
}

#[test]
fn under_the_journal_lines_begin_with_their_level_and_no_time() {
    let signed_in = SignedIn::google_today();
    let run = signed_in
        .program(&["run", "--no-web", "-v"])
        .under_the_journal()
        .start();
    run.error_line_with("updated");
    run.signal("TERM");
    let finished = run.finish().exits(0);
    for line in finished.stderr.lines() {
        assert!(line.starts_with("<6>") || line.starts_with("<7>"), "{line}");
    }
    assert!(
        finished.stderr.starts_with("<6>started "),
        "{}",
        finished.stderr
    );
    // The detailed log, which `finish` searches for secrets.
    assert!(
        finished.stderr.contains("<7>POST /v4/users/me/"),
        "{}",
        finished.stderr
    );
    let home = Home::new();
    let run = home
        .program(&["run", "--no-web", "--now", "2026-11-22T14:07:00Z"])
        .under_the_journal()
        .start();
    let line = run.error_line_with("nobody has signed in yet");
    assert!(line.starts_with("<3>"), "{line}");
}

#[test]
fn after_a_restart_without_a_network_the_last_reading_is_shown() {
    let signed_in = SignedIn::google_today();
    let now = signed_in.sandbox.now();
    let run = signed_in
        .program(&["run", "--no-web", "--png", "now.png"])
        .start();
    run.error_line_with("updated");
    run.kill();
    let SignedIn { home, sandbox, .. } = signed_in;
    drop(sandbox.into_process().kill());
    let systemd = Systemd::new(&home);
    let png = home.work("now.png");
    fs::remove_file(&png).unwrap();
    let again = home.program(&["run", "--no-web", "--png", "now.png", "--now", &now]);
    let run = systemd.over(again).start();
    let first = systemd.message();
    assert!(
        first[1].starts_with("STATUS=99 bpm, 8 min ago"),
        "{first:?}"
    );
    until("a picture from memory", || png.exists().then_some(()));
    run.stop();
}

#[test]
fn a_full_disk_is_told_and_outlived() {
    let signed_in = SignedIn::fitbit();
    signed_in.today_alone();
    let clock = MachineClock::of(&signed_in);
    let flag = signed_in.home.path("disk-is-full");
    fs::write(&flag, "").unwrap();
    let program = signed_in
        .home
        .program(&["run", "--no-web"])
        .printing_first();
    let run = clock.over(shim::with_full_disk(program, &flag)).start();
    run.error_line_with("free up disk space");
    // The program sends no refresh whose answer it could not store.
    assert_eq!(signed_in.token_requests(), 0);
    fs::remove_file(&flag).unwrap();
    sleep(&signed_in, &clock, 15 * 60);
    run.error_line_with("updated");
    run.stop();
    signed_in.assert_chain_goes_on();
}

#[test]
fn reports_that_cannot_be_printed_do_not_end_it() {
    let signed_in = SignedIn::google_today();
    let clock = MachineClock::of(&signed_in);
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let run = clock
        .over(signed_in.home.program(&["run", "--no-web"]))
        .printing_to(full)
        .start();
    run.error_line_with("stdout could not be written");
    sleep(&signed_in, &clock, 15 * 60);
    run.error_line_with("updated");
    run.stop();
}

#[test]
fn a_log_that_cannot_be_written_does_not_end_it() {
    let signed_in = SignedIn::fitbit();
    signed_in.today_alone();
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let mut run = signed_in
        .program(&["run", "--no-web", "--verbose"])
        .into_command()
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(full)
        .spawn()
        .unwrap();
    let reports = BufReader::new(run.stdout.take().unwrap()).lines();
    let finished = reports.map(Result::unwrap).find(|line| line == "Finished!");
    assert!(finished.is_some(), "{:?}", run.wait());
    let pid = rustix::process::Pid::from_child(&run);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    let status = run.wait().unwrap();
    assert_eq!(status.code(), Some(0), "{status:?}");
    signed_in.assert_chain_goes_on();
}

#[test]
fn a_panel_or_an_address_that_is_not_there_yet_may_come_later() {
    let signed_in = SignedIn::google();
    signed_in
        .run(&["run", "--no-web", "--panel", "fb:/dev/no-such-panel"])
        .exits(5)
        .says("/dev/no-such-panel");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    signed_in
        .run(&["run", "--listen", &address])
        .exits(5)
        .says(&address);
    // A page that other machines could see is a mistake that does not pass by itself.
    signed_in
        .run(&["run", "--listen", "0.0.0.0:0"])
        .exits(1)
        .says("passphrase");
}
