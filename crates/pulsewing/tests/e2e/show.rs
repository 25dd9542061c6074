//! `pulsewing show` in a real terminal: a pseudo-terminal, with an emulator that interprets the output.

use std::{
    fs::File,
    io::{Read, Write},
    num::NonZero,
    os::fd::{AsFd, OwnedFd},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Arc, Condvar, Mutex},
    thread,
    time::{Duration, Instant},
};

use rustix::{
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{Winsize, tcgetattr, tcsetwinsize},
};
use serde_json::json;

use crate::harness::{
    daemon::Daemon, household::Household, patience::SOON, sandbox_process::Sandbox,
    signed_in::SignedIn,
};

/// A terminal with a program in it.
struct Terminal {
    child: Child,
    screen: Arc<(Mutex<vt100::Parser>, Condvar)>,
    line: OwnedFd,
    keys: File,
    before: rustix::termios::Termios,
}

impl Terminal {
    fn start(signed_in: &SignedIn, rows: u16, columns: u16, args: &[&str]) -> Self {
        let program = signed_in.program(&[args, &["show"]].concat());
        Self::of(program.into_command(), rows, columns)
    }

    fn of(mut command: Command, rows: u16, columns: u16) -> Self {
        let (keys, line) = pseudo_terminal();
        resize(&line, rows, columns);
        let before = tcgetattr(&line).unwrap();
        let child = in_terminal(&mut command, &line).spawn().unwrap();
        let parser = vt100::Parser::new(size(rows), size(columns), 0);
        let screen = Arc::new((Mutex::new(parser), Condvar::new()));
        let (mut from, to) = (keys.try_clone().unwrap(), Arc::clone(&screen));
        thread::spawn(move || {
            let mut bytes = [0; 4_096];
            while let Ok(1..) = from.read(&mut bytes).inspect(|read| {
                to.0.lock().unwrap().process(&bytes[..*read]);
                to.1.notify_all();
            }) {}
        });
        Self {
            child,
            screen,
            line,
            keys,
            before,
        }
    }

    fn text(&self) -> String {
        self.screen.0.lock().unwrap().screen().contents()
    }

    /// Waits until the screen contains these words, and returns all of it.
    #[track_caller]
    fn shows(&self, words: &str) -> String {
        self.waits_for(words, |text| text.contains(words))
    }

    #[track_caller]
    fn waits_for(&self, what: &str, is_it: impl Fn(&str) -> bool) -> String {
        let end = Instant::now() + SOON;
        let mut parser = self.screen.0.lock().unwrap();
        loop {
            let text = parser.screen().contents();
            if is_it(&text) {
                return text;
            }
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "{what} is not on the screen:\n{text}");
            parser = self.screen.1.wait_timeout(parser, left).unwrap().0;
        }
    }

    /// Waits until nothing has changed for two of the program's polling intervals.
    fn settles(&self) -> String {
        let mut parser = self.screen.0.lock().unwrap();
        let mut seen = (parser.screen().contents(), Instant::now());
        loop {
            let look = Duration::from_millis(2_500);
            parser = self.screen.1.wait_timeout(parser, look).unwrap().0;
            let text = parser.screen().contents();
            if text != seen.0 {
                seen = (text, Instant::now());
            } else if seen.1.elapsed() >= look {
                return text;
            }
        }
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
    }

    fn resize(&self, rows: u16, columns: u16) {
        self.screen
            .0
            .lock()
            .unwrap()
            .screen_mut()
            .set_size(size(rows), size(columns));
        resize(&self.line, rows, columns);
        // The kernel signals the foreground process group, which this terminal does not have.
        signal(&self.child, "WINCH");
    }

    /// Waits for the program's end, and checks that the terminal is restored.
    fn ends(mut self) -> String {
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status:?}\n{}", self.text());
        self.is_given_back();
        self.text()
    }

    fn is_given_back(&self) {
        let after = tcgetattr(&self.line).unwrap();
        assert_eq!(after.local_modes, self.before.local_modes);
        assert_eq!(after.input_modes, self.before.input_modes);
        assert_eq!(after.output_modes, self.before.output_modes);
        self.waits_for("an end", |_| true);
        let end = Instant::now() + SOON;
        let mut parser = self.screen.0.lock().unwrap();
        while parser.screen().alternate_screen() || parser.screen().hide_cursor() {
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "the terminal is not given back");
            parser = self.screen.1.wait_timeout(parser, left).unwrap().0;
        }
    }
}

/// Returns both ends of a new terminal: the user's and the program's.
fn pseudo_terminal() -> (File, OwnedFd) {
    let keys = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&keys).unwrap();
    unlockpt(&keys).unwrap();
    let name = ptsname(&keys, Vec::new()).unwrap();
    let line = File::options()
        .read(true)
        .write(true)
        .open(Path::new(name.to_str().unwrap()))
        .unwrap();
    (File::from(keys), OwnedFd::from(line))
}

fn in_terminal<'c>(command: &'c mut Command, line: &OwnedFd) -> &'c mut Command {
    let line = || Stdio::from(line.try_clone().unwrap());
    command
        .env("TERM", "xterm-256color")
        .stdin(line())
        .stdout(line())
        .stderr(line())
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn size(cells: u16) -> NonZero<u16> {
    NonZero::new(cells).unwrap()
}

fn resize(line: impl AsFd, rows: u16, columns: u16) {
    let size = Winsize {
        ws_row: rows,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    tcsetwinsize(line, size).unwrap();
}

fn signal(child: &Child, name: &str) {
    let command = format!("kill -{name} {}", child.id());
    let sent = Command::new("/bin/sh").args(["-c", &command]).status();
    assert!(sent.unwrap().success());
}

/// Returns the screen line by line, without the wait until the next update, which varies slightly.
fn steady(text: &str) -> String {
    text.lines()
        .map(|line| match line.split_once("Next update in ") {
            Some((before, _)) => format!("{before}Next update in a while\n"),
            None => format!("{}\n", line.trim_end()),
        })
        .collect()
}

/// Waits until the screen is the stored one; we may see a screen while it is being drawn.
#[track_caller]
fn becomes_as_stored(terminal: &Terminal, name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/e2e/screens")
        .join(format!("{name}.txt"));
    if std::env::var_os("PULSEWING_ACCEPT_SCREENS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, steady(&terminal.settles())).unwrap();
    }
    let stored = std::fs::read_to_string(&path).unwrap_or_default();
    terminal.waits_for(
        &format!("{}, which is\n{stored}\n,", path.display()),
        |text| steady(text) == stored,
    );
}

/// Limits the data to one day, so that nothing else is fetched.
fn one_day(signed_in: &SignedIn) {
    let config = crate::harness::signed_in::configuration(&signed_in.sandbox, "google");
    signed_in
        .home
        .configure(&format!("{config}\n[history]\nkeep = \"1 day\"\n"));
}

#[test]
fn it_polls_by_itself_and_fits_every_terminal() {
    for (rows, columns) in [
        (24, 80),
        (12, 40),
        (24, 50),
        (8, 30),
        (40, 120),
        (50, 200),
        (24, 200),
        (3, 24),
    ] {
        let signed_in = SignedIn::google();
        one_day(&signed_in);
        let mut terminal = Terminal::start(&signed_in, rows, columns, &["--color", "never"]);
        terminal.shows("8 min ago");
        becomes_as_stored(&terminal, &format!("fresh-{columns}x{rows}"));
        terminal.press("q");
        terminal.ends();
    }
}

#[test]
fn it_follows_a_daemon_and_takes_over_when_that_ends() {
    let signed_in = SignedIn::google();
    one_day(&signed_in);
    let daemon = Daemon::updated(&signed_in);
    let requests = signed_in.sandbox.requests().len();
    let mut terminal = Terminal::start(&signed_in, 24, 80, &[]);
    terminal.shows("follows the daemon");
    terminal.shows("Up to date");
    signed_in.fault(
        "google.rollup",
        0,
        &json!({ "status": 503, "body": "html" }),
    );
    daemon.post("/update", "");
    terminal.shows("! fetching the heart rate failed: Google Health is not working right now");
    terminal.shows("Details: fetching the heart rate: the server answered with status 503");
    let screen = terminal.shows("From memory");
    assert!(!screen.contains("Up to date"), "{screen}");
    terminal.press("u");
    terminal.shows("the daemon updates on its own schedule");
    assert!(signed_in.sandbox.requests().len() > requests);
    signed_in.sandbox.faults(&json!([]));
    daemon.stop();
    terminal.shows("q quit  u update");
    terminal.shows("Up to date");
    terminal.press("\x1b");
    terminal.ends();
}

#[test]
fn tab_leads_from_one_wearer_to_the_next() {
    let household = Household::signed_in("google", &["anna", "ben"]);
    let bpm = |id: &str| {
        let once = household.run(&["once", "--json", "--wearer", id]).exits(0);
        once.json()["latest"]["bpm"].as_u64().unwrap()
    };
    let (of_anna, of_ben) = (
        format!("{} bpm", bpm("anna")),
        format!("{} bpm", bpm("ben")),
    );
    let show = || household.program(&["show"]).into_command();
    let mut terminal = Terminal::of(show(), 24, 36);
    terminal.waits_for("anna", |text| {
        text.contains("anna · ") && text.contains(&of_anna)
    });
    terminal.press("?");
    terminal.shows("the next wearer");
    terminal.press("?");
    terminal.press("\t");
    terminal.waits_for("ben", |text| {
        text.contains("ben · ") && text.contains(&of_ben)
    });
    terminal.press("\x1b[Z");
    terminal.waits_for("anna", |text| {
        text.contains("anna · ") && text.contains(&of_anna)
    });
    terminal.press("q");
    terminal.ends();
    // One of them alone is polled alone.
    household.run(&["logout", "--wearer", "anna"]).exits(0);
    let of_one = household.program(&["show", "--wearer", "ben"]);
    let mut terminal = Terminal::of(of_one.into_command(), 24, 36);
    terminal.waits_for("ben", |text| {
        !text.contains("ben") && text.contains(&of_ben)
    });
    terminal.press("q");
    terminal.ends();
}

#[test]
fn the_days_of_the_history_can_be_turned() {
    let csv: String = (0..600)
        .map(|minute| {
            format!(
                "2026-11-21T{:02}:{:02}:00,{}\n2026-11-22T{:02}:{:02}:00,77\n",
                minute / 60,
                minute % 60,
                60 + minute % 50,
                minute / 60,
                minute % 60
            )
        })
        .collect();
    let mut lines: Vec<&str> = csv.lines().collect();
    lines.sort_unstable();
    let csv = format!("time,bpm\n{}\n", lines.join("\n"));
    let signed_in = SignedIn::google_with(|home| Sandbox::with_recording(home, &csv, "UTC"));
    let daemon = Daemon::start(&signed_in);
    daemon.logs("fetched a past day date=2026-11-21");
    let mut terminal = Terminal::start(&signed_in, 24, 80, &["--color", "never"]);
    terminal.shows("Sunday 22 November 2026");
    terminal.shows("Up to date");
    terminal.press("\x1b[D");
    terminal.shows("Saturday 21 November 2026");
    terminal.shows("minutes 600");
    becomes_as_stored(&terminal, "yesterday-80x24");
    terminal.press("\x1b[D");
    let screen = terminal.shows("The history begins on Saturday 21 November 2026.");
    assert!(screen.contains("minutes 600"), "{screen}");
    terminal.press("t");
    terminal.shows("The latest 15 minutes");
    terminal.press("q");
    terminal.ends();
    daemon.stop();
}

#[test]
fn what_closes_the_help_does_not_end_the_program() {
    let signed_in = SignedIn::google();
    one_day(&signed_in);
    let mut terminal = Terminal::start(&signed_in, 24, 80, &["--color", "never"]);
    terminal.shows("Up to date");
    for closes in ["\x1b", "?", "q"] {
        terminal.press("?");
        terminal.shows("the day before, the day after");
        terminal.press(closes);
        terminal.waits_for("the screen without help", |text| {
            text.contains("? keys") && !text.contains("the day before, the day after")
        });
    }
    terminal.press("\x1b[D");
    terminal.shows("The history begins on Sunday 22 November 2026.");
    terminal.press("\x1b");
    terminal.ends();
    // Ctrl-C ends it at once.
    let mut terminal = Terminal::start(&signed_in, 24, 80, &["--color", "never"]);
    terminal.press("?");
    terminal.shows("the day before, the day after");
    terminal.press("\x03");
    terminal.ends();
}

#[test]
fn what_is_wrong_is_said_in_words_also_before_the_first_reading() {
    let signed_in = SignedIn::google();
    signed_in.run(&["logout"]).exits(0);
    let mut terminal = Terminal::start(&signed_in, 24, 80, &["--color", "never"]);
    let screen = terminal.shows("! nobody has signed in yet");
    assert!(screen.contains("No heart rate yet"), "{screen}");
    assert!(screen.contains("pulsewing login"), "{screen}");
    terminal.press("\x03");
    terminal.ends();
}

#[test]
fn after_a_day_of_silence_the_last_reading_stays() {
    let signed_in = SignedIn::google().after_once();
    signed_in.sandbox.set_clock("2026-11-24T16:05:00Z");
    for (rows, columns) in [(24, 80), (8, 30)] {
        let mut terminal = Terminal::start(&signed_in, rows, columns, &["--color", "never"]);
        terminal.shows("Not worn");
        let screen = terminal.shows("2 days ago, Sun 13:59");
        assert!(screen.contains("was 99 bpm, Light"), "{screen}");
        assert!(!screen.contains("No heart rate yet"), "{screen}");
        if rows == 24 {
            terminal.shows("15 minutes until Sun 13:59");
            terminal.shows("Sunday 22 November 2026:");
        }
        terminal.press("q");
        terminal.ends();
    }
}

#[test]
fn a_terminal_may_change_its_size() {
    let signed_in = SignedIn::google();
    one_day(&signed_in);
    let mut terminal = Terminal::start(&signed_in, 24, 80, &[]);
    terminal.shows("The last 24 hours");
    terminal.resize(10, 40);
    terminal.waits_for("a small screen", |text| {
        !text.contains("The last 24 hours") && text.contains("8 min ago")
    });
    terminal.resize(40, 120);
    terminal.shows("The last 24 hours");
    terminal.press("q");
    terminal.ends();
}

#[test]
fn a_signal_gives_the_terminal_back_and_cuts_no_refresh() {
    for name in ["TERM", "INT", "HUP"] {
        let signed_in = SignedIn::fitbit();
        signed_in.fault("fitbit.token", 1, &json!({ "stall_s": 2 }));
        let terminal = Terminal::start(&signed_in, 24, 80, &[]);
        signed_in.sandbox.wait_for("fitbit.token", 1);
        signal(&terminal.child, name);
        terminal.ends();
        assert_eq!(signed_in.chain()["generation"], 2, "{name}");
        signed_in.assert_chain_goes_on();
    }
}

#[test]
fn a_terminal_that_is_closed_cuts_no_refresh() {
    let signed_in = SignedIn::fitbit();
    signed_in.fault("fitbit.token", 1, &json!({ "stall_s": 3 }));
    let (keys, line) = pseudo_terminal();
    resize(&line, 24, 80);
    let mut command = signed_in.program(&["show"]).into_command();
    let mut child = in_terminal(&mut command, &line).spawn().unwrap();
    // Only the program keeps it open.
    drop((command, line));
    signed_in.sandbox.wait_for("fitbit.token", 1);
    drop(keys);
    let status = child.wait().unwrap();
    assert_eq!(status.code(), Some(1), "{status:?}");
    signed_in.assert_chain_goes_on_as(2);
}

#[test]
fn without_a_terminal_it_says_what_to_use_instead() {
    let signed_in = SignedIn::google();
    signed_in
        .run(&["show"])
        .exits(2)
        .says("`show` needs a terminal")
        .says("pulsewing once");
    // A terminal that cannot draw is not enough either.
    let (mut keys, line) = pseudo_terminal();
    let mut command = signed_in.program(&["show"]).into_command();
    let mut child = in_terminal(&mut command, &line)
        .env("TERM", "dumb")
        .spawn()
        .unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(2));
    drop((command, line));
    let mut said = String::new();
    // At the end of a terminal, reading returns an error.
    let _ = keys.read_to_string(&mut said);
    assert!(said.contains("`show` needs a terminal"), "{said}");
}

#[test]
fn a_panic_gives_the_terminal_back_before_it_is_told() {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args([
            "--exact",
            "show::panics_in_a_terminal_of_its_own",
            "--nocapture",
        ])
        .env("PULSEWING_PANICS_HERE", "1")
        // A backtrace would push the message out of the window.
        .env("RUST_BACKTRACE", "0");
    let mut terminal = Terminal::of(command, 24, 100);
    // The message appears on the ordinary screen, where it stays readable.
    terminal.shows("it was on purpose");
    assert!(!terminal.child.wait().unwrap().success());
    terminal.is_given_back();
    assert!(terminal.text().contains("it was on purpose"));
}

/// The program of the test above, for its terminal; on its own it does nothing.
#[test]
fn panics_in_a_terminal_of_its_own() {
    if std::env::var_os("PULSEWING_PANICS_HERE").is_some() {
        let mut terminal = pulsewing::take_terminal().unwrap();
        terminal
            .draw(|frame| frame.render_widget("drawn", frame.area()))
            .unwrap();
        panic!("it was on purpose");
    }
}
