//! `board`: the commands over a pseudo-terminal, and the effects of a bad line on them.

use std::{fs, io::BufReader};

use pulsewing_testkit::pictures::Picture;
use serde_json::json;

use crate::harness::{
    board_line::{Board, Fault},
    browser,
    hermetic::{Finished, Home},
    patience::until,
    recording,
    sandbox_process::Sandbox,
    secret_watch, shim,
    signed_in::configuration,
};

/// A network's password, which no output may contain.
const PASSWORD: &str = "correct horse battery \"staple\"";

/// Returns a home beside a board, without a sandbox.
fn alone() -> (Home, Board) {
    let home = Home::new();
    let board = Board::start(&home);
    (home, board)
}

fn run(home: &Home, board: &Board, args: &[&str]) -> Finished {
    home.run(&[&["board", "--port", &board.port], args].concat())
}

fn provision(home: &Home, board: &Board, args: &[&str]) -> Finished {
    run(home, board, &[&["provision"], args].concat())
}

/// Writes a picture such as a user may have, and returns its path.
fn picture(home: &Home) -> String {
    let path = home.work("picture.png");
    let picture = Picture {
        size: (8, 8),
        rgb: (0..64).map(|n| [3 * n, 3 * n + 1, 3 * n + 2]).collect(),
    };
    picture.write(fs::File::create(&path).unwrap());
    path.to_str().unwrap().to_owned()
}

/// Any real certificate.
const CERTIFICATE: &str = include_str!("../../../../firmware/net/roots/gts-root-r4.pem");

#[test]
fn status_is_shown_in_words_and_as_json() {
    let (home, board) = alone();
    let words = run(&home, &board, &["status"]).exits(0);
    assert!(
        words.stdout.starts_with("board:          stand-in\n"),
        "{}",
        words.stdout
    );
    let json = run(&home, &board, &["status", "--json"]).exits(0).json();
    assert_eq!(json["serial"], "b0a2d1");
    assert_eq!(json["last_success"], "never");
    assert_eq!(json["chain"], json!(null));
}

#[test]
fn a_list_shows_who_answers_and_who_does_not() {
    let (home, board) = alone();
    run(&home, &board, &["list"])
        .exits(0)
        .prints("stand-in b0a2d1, firmware 0.1.0");
    board.fault("", 0, Fault::Hang);
    run(&home, &board, &["list"])
        .exits(0)
        .prints("no board answers");
    home.run(&["board", "list", "--port", "/nowhere/tty"])
        .exits(0)
        .prints("cannot be opened");
}

#[test]
fn a_port_that_is_not_there_is_said_in_words() {
    let home = Home::new();
    home.run(&["board", "status", "--port", "/nowhere/tty"])
        .exits(1)
        .says("the port /nowhere/tty cannot be opened")
        .says("pulsewing board list");
    let file = home.write("file", "");
    home.run(&["board", "status", "--port", &file])
        .exits(1)
        .says("cannot be opened");
}

#[test]
fn a_board_that_says_nothing_is_given_up() {
    let (home, board) = alone();
    board.fault("", 0, Fault::Hang);
    run(&home, &board, &["status"])
        .exits(5)
        .says("no board answers")
        .says("that it is the right port");
}

#[test]
fn two_programs_do_not_share_a_port() {
    let (home, board) = alone();
    board.fault("log", 0, Fault::PauseBefore);
    let first = home
        .program(&["board", "log", "--port", &board.port])
        .start();
    board.wait_for_pause();
    run(&home, &board, &["status"])
        .exits(5)
        .says("another pulsewing is using the port");
    board.resume(true);
    first.finish().exits(0);
}

#[test]
fn the_log_and_the_picture_come_as_the_board_has_them() {
    let (home, board) = alone();
    run(&home, &board, &["log"])
        .exits(0)
        .says("recorded no errors");
    board.lock().console.log = vec![
        "2026-11-22T12:00:00Z the provider does not answer".into(),
        "+12s no network".into(),
    ];
    let log = run(&home, &board, &["log"]).exits(0);
    assert_eq!(
        log.stdout,
        "2026-11-22T12:00:00Z the provider does not answer\n+12s no network\n"
    );
    run(&home, &board, &["shot", "screen.png"])
        .exits(0)
        .says("screen.png: 19x4 pixels");
    let file = BufReader::new(fs::File::open(home.work("screen.png")).unwrap());
    let mut reader = png::Decoder::new(file).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut pixels).unwrap();
    assert_eq!(pixels[..38], [15; 38]);
    assert_eq!(pixels[57..60], [0, 1, 2]);
    assert_eq!(
        reader.info().palette.as_ref().unwrap()[3..6],
        [1, 0x80, 0xff]
    );
    run(&home, &board, &["shot", "nowhere/screen.png"])
        .exits(1)
        .says("could not be written");
}

#[test]
fn a_new_board_gets_everything_and_says_so() {
    let (home, board) = alone();
    let ca = home.write("ca.pem", &format!("ours\n{CERTIFICATE}"));
    home.configure(&format!(
        "provider = \"fitbit\"\n[endpoints]\nbase_url = \"https://gateway.example\"\nca_file = \"{ca}\"\n[wearer]\nname = \"Ada L\"\ntime_zone = \"Europe/Berlin\"\nzones = [90, 110, 135, 160]\nborn = 1988\n"
    ));
    let picture = picture(&home);
    let file = home.write("password", &format!("{PASSWORD}\r\n"));
    let args = [
        "--wifi",
        "Blue \"Bird\"",
        "--wifi-password-file",
        &file,
        "--theme",
        "classic",
        "--palette",
        "dim",
        "--wallpaper",
        &picture,
        "--set",
        "poll.every=1800",
        "-v",
    ];
    provision(&home, &board, &args)
        .exits(0)
        .says("wearer.name: Ada L")
        .says("wallpaper: 100 % of 76864 bytes")
        .says("network: Blue \"Bird\"")
        .says("to the board: wifi add \"Blue \\\"Bird\\\"\" …")
        .says("on the network at 192.0.2.7")
        .says_nothing_of("horse");
    let said = board.said();
    assert!(!said.contains("horse"), "{said}");
    let shared = board.lock();
    let console = &shared.console;
    assert_eq!(
        console.networks,
        [("Blue \"Bird\"".into(), PASSWORD.into())]
    );
    for (name, value) in [
        ("provider", "fitbit"),
        ("endpoint.token", "https://gateway.example"),
        ("endpoint.api", "https://gateway.example"),
        ("poll.every", "1800"),
        ("screen.theme", "classic"),
        ("screen.palette", "dim"),
        ("wearer.name", "Ada L"),
        ("wearer.zones", "90,110,135,160"),
        ("wearer.born", "1988"),
        ("wearer.time_zone", "Europe/Berlin"),
        ("wearer.zone_rule", "CET-1CEST,M3.5.0,M10.5.0/3"),
    ] {
        assert_eq!(console.settings[name], value, "{name}");
    }
    assert!(pulsewing_screen::Wallpaper::parse(&console.wallpaper).is_ok());
    let roots = String::from_utf8_lossy(&console.roots);
    assert_eq!(roots, CERTIFICATE);
}

#[test]
fn a_certificate_that_cannot_be_read_is_refused_before_the_board_is_touched() {
    let (home, board) = alone();
    let torn = CERTIFICATE.replacen("MII", "MIA", 1);
    let no_base64 = CERTIFICATE.replacen("MII", "M~I", 1);
    for bad in [torn, no_base64] {
        let ca = home.write("ca.pem", &format!("{CERTIFICATE}{bad}"));
        home.configure(&format!(
            "provider = \"fitbit\"\n[endpoints]\nbase_url = \"https://gateway.example\"\nca_file = \"{ca}\"\n"
        ));
        provision(&home, &board, &["--wifi", "Blue Bird"])
            .exits(1)
            .says("ca.pem has no valid certificate at position 2");
        assert!(board.lock().console.roots.is_empty());
        assert!(board.lock().console.networks.is_empty());
    }
}

#[test]
fn a_password_comes_from_stdin_and_never_from_the_command_line() {
    let (home, board) = alone();
    board.fault("wifi add", 0, Fault::PauseAfter);
    let args = [
        "board",
        "provision",
        "--port",
        &board.port,
        "--wifi",
        "home",
    ];
    let running = home.program(&args).stdin(&format!("{PASSWORD}\n")).start();
    board.wait_for_pause();
    // The arguments, which every program on the machine can read.
    let mine = fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter_map(|entry| {
            let line = fs::read(entry.path().join("cmdline")).ok()?;
            let line = String::from_utf8_lossy(&line).into_owned();
            line.contains(&board.port).then_some(line)
        });
    let mine: Vec<String> = mine.collect();
    assert!(!mine.is_empty());
    assert!(mine.iter().all(|line| !line.contains("horse")), "{mine:?}");
    board.resume(true);
    running.finish().exits(0);
    assert_eq!(
        board.lock().console.networks,
        [("home".into(), PASSWORD.into())]
    );

    home.run(&args).exits(2).says("got nothing");
    let open = home.program(&args).stdin("\n").run().exits(0);
    open.says("network: home");
    assert_eq!(
        board.lock().console.networks,
        [("home".into(), String::new())]
    );
    home.program(&args)
        .stdin("short\n")
        .run()
        .exits(1)
        .says("8 to 63 ASCII characters")
        .says_nothing_of("short");
    home.run(&[&args[..], &["--wifi-password", "horse"]].concat())
        .exits(2);
}

#[test]
fn nothing_is_sent_when_something_is_wrong_on_this_machine() {
    let (home, board) = alone();
    for (args, words) in [
        (
            ["--wallpaper", "none.png"],
            "none.png cannot be used as the wallpaper",
        ),
        (["--set", "wearer.name"], "is not a setting"),
        (["--wifi", ""], "1 to 32 bytes"),
    ] {
        let failed = provision(&home, &board, &args);
        assert_ne!(failed.code, Some(0));
        failed.says(words);
    }
    home.configure("[endpoints]\nbase_url = \"https://gateway.example/path\"\n");
    provision(&home, &board, &[])
        .exits(1)
        .says("only accepts a host and a port");
    assert_eq!(board.lock().heard, [""; 0]);
}

#[test]
fn what_the_board_refuses_is_said_in_its_words() {
    let (home, board) = alone();
    provision(&home, &board, &["--set", "wearer.age=36"])
        .exits(1)
        .says("the board says: there is no setting wearer.age");
    provision(
        &home,
        &board,
        &["--set", "wearer.name=a\nreset factory yes"],
    )
    .exits(1)
    .says("line break");
    board.lock().console.flash_fault = Some("the flash is full");
    provision(&home, &board, &["--wallpaper", &picture(&home)])
        .exits(1)
        .says("the board says: the flash is full")
        .says("wallpaper did not reach the board");
    assert_eq!(board.lock().console.wallpaper, [0; 0]);
}

#[test]
fn a_setting_can_be_taken_back() {
    let (home, board) = alone();
    provision(&home, &board, &["--set", "wearer.name=Ada"]).exits(0);
    provision(&home, &board, &["--set", "wearer.name="])
        .exits(0)
        .says("wearer.name: back to none");
    assert_eq!(board.lock().console.settings["wearer.name"], "");
}

#[test]
fn noise_between_the_lines_does_no_harm() {
    let (home, board) = alone();
    for words in ["status", "set", "wifi", "put", "data", "commit"] {
        board.fault(words, 0, Fault::Noise);
    }
    provision(&home, &board, &["--wallpaper", &picture(&home)]).exits(0);
    assert_eq!(board.lock().console.wallpaper.len(), 76_864);
}

#[test]
fn an_upload_survives_a_restart_and_lost_replies() {
    let home = Home::new();
    let picture = picture(&home);
    for (words, nth, fault) in [
        ("data", 100, Fault::RestartBefore),
        ("data", 3, Fault::Unheard),
        ("commit", 0, Fault::RestartAfter),
        ("data", 7, Fault::Late),
    ] {
        let board = Board::start(&home);
        board.fault(words, nth, fault);
        provision(&home, &board, &["--wallpaper", &picture]).exits(0);
        assert_eq!(
            board.lock().console.wallpaper.len(),
            76_864,
            "{words} {fault:?}"
        );
        assert!(board.heard("put") > 1, "{words} {fault:?}");
    }
}

#[test]
fn a_late_reply_is_not_taken_for_another_commands() {
    let (home, board) = alone();
    board.lock().console.log = vec!["+1s from the log".into()];
    board.fault("status", 0, Fault::Late);
    let log = run(&home, &board, &["log"]).exits(0);
    assert_eq!(log.stdout, "+1s from the log\n");
}

#[test]
fn a_board_that_is_plugged_in_anew_is_found_again() {
    let home = Home::new();
    let mut board = Board::start(&home);
    board.fault("data", 50, Fault::PauseBefore);
    let picture = picture(&home);
    let args = [
        "-v",
        "board",
        "provision",
        "--port",
        &board.port,
        "--wallpaper",
        &picture,
    ];
    let running = home.program(&args).start();
    board.wait_for_pause();
    board.unplug();
    board.plug_in();
    running.finish().exits(0);
    assert_eq!(board.lock().console.wallpaper.len(), 76_864);
}

#[test]
fn a_half_line_that_somebody_left_is_no_part_of_a_command() {
    let (home, board) = alone();
    let mut port = fs::File::options().write(true).open(&board.port).unwrap();
    std::io::Write::write_all(&mut port, b"wifi add ho").unwrap();
    drop(port);
    run(&home, &board, &["status"]).exits(0);
    assert_eq!(board.lock().heard[..3], ["wifi add ho", "abort", "status"]);
}

#[test]
fn a_restart_is_waited_for_and_an_erasure_wants_a_yes() {
    let (home, board) = alone();
    board.lock().console.networks = vec![("home".into(), PASSWORD.into())];
    run(&home, &board, &["reset"]).exits(0).says("It is back");
    assert_eq!(board.lock().console.networks.len(), 1);
    run(&home, &board, &["reset", "--factory"])
        .exits(2)
        .says("nothing was erased");
    assert_eq!(board.lock().console.networks.len(), 1);
    run(&home, &board, &["reset", "--factory", "--yes"])
        .exits(0)
        .says("board provision");
    assert_eq!(board.lock().console.networks.len(), 0);
}

#[test]
fn a_sign_in_for_a_board_never_touches_this_machines_disk() {
    for provider in ["google", "fitbit"] {
        let home = Home::new();
        let sandbox = Sandbox::with_recording(&home, &recording::until_two(), "UTC");
        home.configure(&configuration(&sandbox, provider));
        let board = Board::start(&home);
        let now = sandbox.now();
        // Every write to the state directory would be a step at which the program is killed.
        let sign_in = |paste: bool| {
            let mut args = vec!["board", "login", "--port", &board.port, "--now", &now];
            if paste {
                args.push("--paste");
            }
            let program = home.program(&args).printing_first();
            shim::killing(program, &home, 0, false)
        };
        browser::paste(sign_in(true).start())
            .exits(0)
            .says("generation 1, fingerprint")
            .says("No copy is kept");
        assert_eq!(
            sandbox.active_refresh_tokens(provider),
            [board.fingerprint().unwrap()]
        );
        assert!(!home.state("chain").exists());
        assert!(!home.state("").exists());

        // Signed in again, by browser: one generation higher.
        let browser = browser::install(&home, browser::approve_and_return);
        sign_in(false)
            .run()
            .exits(0)
            .says("generation 2, fingerprint");
        browser.join().unwrap();
        assert!(!home.state("").exists());
        assert_eq!(board.lock().console.settings["provider"], provider);
        let record = board.lock().console.record().unwrap();
        assert_eq!(record.chain.generation(), 2);
        assert_eq!(record.chain.provider().name(), provider);
        assert!(record.chain.access().is_some());
        secret_watch::assert_clean("what the board says", &board.said());
    }
}

/// Signs in for the board, as a user who pastes the address and allows everything.
fn sign_in(home: &Home, board: &Board, now: &str) -> Finished {
    let args = ["login", "--paste", "--now", now];
    let args = [&["board", "--port", &board.port], &args[..]].concat();
    browser::paste(home.program(&args).printing_first().start())
}

#[test]
fn a_board_that_renews_its_own_sign_in_meanwhile_takes_the_new_one_all_the_same() {
    let home = Home::new();
    let sandbox = Sandbox::with_recording(&home, &recording::until_two(), "UTC");
    home.configure(&configuration(&sandbox, "fitbit"));
    let board = Board::start(&home);
    let now = sandbox.now();
    let sign_in = || sign_in(&home, &board, &now);
    sign_in().exits(0).says("generation 1, fingerprint");
    // Between the check and the upload the board's chain becomes generation 2, and 2 is not newer.
    board.lock().console.renewals = 1;
    sign_in().exits(0).says("generation 3, fingerprint");
    assert_eq!(
        sandbox.active_refresh_tokens("fitbit"),
        [board.fingerprint().unwrap()]
    );
    // The program gives up on a chain that changes all the time.
    board.lock().console.renewals = 100;
    sign_in().exits(1).says("later generation").says("is lost");
    let left = board.lock().console.renewals;
    assert!((90..100).contains(&left), "{left}");
}

#[test]
fn a_sign_in_that_the_board_does_not_take_is_said_to_be_lost() {
    let home = Home::new();
    let sandbox = Sandbox::with_recording(&home, &recording::until_two(), "UTC");
    home.configure(&configuration(&sandbox, "google"));
    let board = Board::start(&home);
    board.lock().console.flash_fault = Some("the flash is full");
    let now = sandbox.now();
    sign_in(&home, &board, &now)
        .exits(1)
        .says("the board says: the flash is full")
        .says("this sign-in is lost");
    assert!(!home.state("").exists());
    assert_eq!(board.fingerprint(), None);
}

#[test]
fn nobody_is_asked_to_sign_in_for_a_board_that_is_not_there() {
    let home = Home::new();
    let sandbox = Sandbox::with_recording(&home, &recording::until_two(), "UTC");
    home.configure(&configuration(&sandbox, "google"));
    home.run(&["board", "login", "--paste", "--port", "/nowhere/tty"])
        .exits(1)
        .says("cannot be opened");
    until("no request", || sandbox.routes().is_empty().then_some(()));
}
