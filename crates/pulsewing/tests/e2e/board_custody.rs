//! A chain that moves to a board: interrupted at every step, it ends with one owner, and this machine
//! sends no refresh in the meantime.

use std::fs;

use pulsewing_core::{
    RefreshToken,
    chain::{Record, codec::MAX_RECORD},
    oauth::Grant,
};
use serde_json::Value;

use crate::harness::{
    board_line::{Board, Fault},
    hermetic::{Finished, Home, Program},
    loopback_http,
    sandbox_process::Sandbox,
    secret_watch, shim,
    signed_in::{SignedIn, adopt, configuration},
};

/// More steps than any run has.
const MANY: u32 = 200;

/// A machine that is signed in with Fitbit, and a board.
struct Pair {
    home: Home,
    board: Board,
}

impl Pair {
    fn new(sandbox: &Sandbox, number: u32) -> Self {
        let home = Home::new();
        home.configure(&configuration(sandbox, "fitbit"));
        let token = format!("{number:064x}");
        sandbox.seed(&token);
        adopt(&home, sandbox, &token);
        let board = Board::start(&home);
        Self { home, board }
    }

    fn program(&self, sandbox: &Sandbox, args: &[&str]) -> Program {
        let now = sandbox.now();
        let port = ["--port", &self.board.port, "--now", &now];
        self.home.program(&[&["board"], args, &port].concat())
    }

    fn run(&self, sandbox: &Sandbox, args: &[&str]) -> Finished {
        self.program(sandbox, args).run()
    }

    fn moving(&self, sandbox: &Sandbox) -> Program {
        self.program(sandbox, &["provision", "--move-chain"])
    }

    /// Begins to move the chain, up to a pause of the board; there the machine loses its power.
    fn cut_off_while_moving(&self, sandbox: &Sandbox) {
        let running = self.moving(sandbox).start();
        self.board.wait_for_pause();
        running.kill();
        self.board.resume(false);
    }

    /// Runs a cycle on the machine.
    fn once(&self, sandbox: &Sandbox) -> Finished {
        self.home.run(&["once", "--now", &sandbox.now()])
    }

    fn chain(&self) -> Value {
        self.home.run(&["status", "--json"]).exits(0).json()["chain"].clone()
    }

    /// Asserts that exactly one of the two holds the live chain, that nothing was sent to the provider
    /// on the way, and that the owner can use the chain. Returns whether the owner is the board.
    #[track_caller]
    fn one_owner(&self, sandbox: &Sandbox, what: &str) -> bool {
        assert_eq!(sandbox.requests_of("fitbit.token").len(), 0, "{what}");
        let alive = sandbox.active_refresh_tokens("fitbit");
        let host = self.chain();
        let held = self.board.fingerprint();
        let owners = [
            host["refresh_token_fingerprint"]
                .as_str()
                .map(str::to_owned),
            held.clone(),
        ];
        let owners: Vec<String> = owners.into_iter().flatten().collect();
        assert_eq!(owners, alive, "{what}: {host} {held:?}");
        assert!(!self.home.state("move.json").exists(), "{what}");
        if held.is_none() {
            assert_eq!(host["standing"], "active", "{what}");
            return false;
        }
        for name in ["chain", "chain.prev", "chain.reserve", "chain.new"] {
            assert!(!self.home.state(name).exists(), "{what}: {name}");
        }
        true
    }

    /// Settles an open move and then asserts [`one_owner`](Self::one_owner).
    #[track_caller]
    fn settled(&self, sandbox: &Sandbox, what: &str) -> bool {
        self.run(sandbox, &["status"]).exits(0);
        self.one_owner(sandbox, what)
    }

    /// Refreshes the chain as the board would.
    fn board_refreshes(&self, sandbox: &Sandbox) {
        let mut shared = self.board.lock();
        let record = shared.console.record().unwrap();
        let chain = &record.chain;
        let form = [("Content-Type", "application/x-www-form-urlencoded")];
        let body = format!(
            "grant_type=refresh_token&client_id={}&refresh_token={}",
            chain.client().id,
            chain.refresh_token().expose()
        );
        let url = format!("{}/oauth2/token", sandbox.url);
        let reply = loopback_http::exchange("POST", &url, &form, &body);
        assert_eq!(reply.status, 200, "{}", reply.body);
        let token = reply.json()["refresh_token"].as_str().unwrap().to_owned();
        let grant = Grant {
            refresh: Some(RefreshToken::new(&token).unwrap()),
            ..Grant::default()
        };
        let next = chain.granted(grant, sandbox.now().parse().unwrap());
        let mut buffer = [0; MAX_RECORD];
        shared.console.chain = Some(next.encode(&mut buffer).unwrap().to_vec());
    }
}

/// Starts a sandbox that has not had any request yet.
fn sandbox(home: &Home) -> Sandbox {
    Sandbox::start(home, &["--now", "2026-11-22T14:07:00Z"])
}

#[test]
fn a_chain_moves_and_the_board_goes_on_with_it() {
    let home = Home::new();
    let sandbox = sandbox(&home);
    let pair = Pair::new(&sandbox, 1);
    let moved = pair.moving(&sandbox).run().exits(0);
    moved.says("The sign-in is on the board now.");
    assert!(pair.one_owner(&sandbox, "moved"));
    assert_eq!(pair.board.lock().console.settings["provider"], "fitbit");
    secret_watch::assert_clean("what the board says", &pair.board.said());
    pair.board_refreshes(&sandbox);
    pair.once(&sandbox).exits(3).says("pulsewing login");
    pair.moving(&sandbox)
        .run()
        .exits(3)
        .says("there is no sign-in on this machine");
}

#[test]
fn a_power_cut_of_this_machine_at_every_message_leaves_one_owner() {
    let home = Home::new();
    let messages = {
        let sandbox = sandbox(&home);
        let pair = Pair::new(&sandbox, 1);
        pair.moving(&sandbox).run().exits(0);
        pair.board.lock().heard.len()
    };
    assert!(messages >= 6, "{messages}");
    let mut owners = [0, 0];
    for message in 0..messages {
        // Either the board does not get the line, or it does and its answer is lost.
        for fault in [Fault::PauseBefore, Fault::PauseAfter] {
            let what = format!("message {message}, {fault:?}");
            let sandbox = sandbox(&home);
            let pair = Pair::new(&sandbox, 2);
            pair.board.fault("", message, fault);
            pair.cut_off_while_moving(&sandbox);
            let is_boards = pair.settled(&sandbox, &what);
            owners[usize::from(is_boards)] += 1;
            if is_boards {
                pair.board_refreshes(&sandbox);
            } else {
                pair.once(&sandbox).exits(0);
            }
        }
    }
    assert!(owners.iter().all(|count| *count > 0), "{owners:?}");
}

#[test]
fn a_power_cut_of_this_machine_in_front_of_every_write_leaves_one_owner() {
    let home = Home::new();
    let mut owners = [0, 0];
    for call in 1..MANY {
        let torn = call % 2 == 0;
        let what = format!("call {call}, torn: {torn}");
        let sandbox = sandbox(&home);
        let pair = Pair::new(&sandbox, 3);
        let run = shim::killing(pair.moving(&sandbox), &pair.home, call, torn).run();
        if run.signal.is_none() {
            run.exits(0);
            assert!(pair.one_owner(&sandbox, &what));
            assert!(owners.iter().all(|count| *count > 0), "{owners:?}");
            return;
        }
        owners[usize::from(pair.settled(&sandbox, &what))] += 1;
    }
    panic!("still killed after {MANY} steps");
}

#[test]
fn a_settlement_that_is_cut_off_is_made_again() {
    let home = Home::new();
    for fault in [Fault::PauseBefore, Fault::PauseAfter] {
        for call in 1..MANY {
            let what = format!("{fault:?}, call {call}");
            let sandbox = sandbox(&home);
            let pair = Pair::new(&sandbox, 4);
            pair.board.fault("commit", 0, fault);
            pair.cut_off_while_moving(&sandbox);
            let settling = pair.program(&sandbox, &["status"]);
            let run = shim::killing(settling, &pair.home, call, false).run();
            let is_over = run.signal.is_none();
            let is_boards = pair.settled(&sandbox, &what);
            assert_eq!(is_boards, fault == Fault::PauseAfter, "{what}");
            if is_over {
                break;
            }
        }
    }
}

#[test]
fn while_it_is_on_its_way_nobody_refreshes_it_here() {
    let home = Home::new();
    let sandbox = sandbox(&home);
    let pair = Pair::new(&sandbox, 5);
    pair.board.fault("put chain", 0, Fault::PauseBefore);
    pair.cut_off_while_moving(&sandbox);
    assert_eq!(pair.chain()["standing"], "moving");
    pair.once(&sandbox).exits(3).says("moved");
    let now = sandbox.now();
    pair.home.run(&["logout", "--now", &now]).exits(1);
    // Another board does not hold it, and is not trusted with it.
    let other = Board::named(&pair.home, "0ther");
    let asked = pair.home.run(&["board", "status", "--port", &other.port]);
    asked
        .exits(0)
        .says("being moved to another board (stand-in b0a2d1, last seen at");
    let args = ["board", "provision", "--move-chain", "--port", &other.port];
    pair.home
        .run(&args)
        .exits(1)
        .says("already being moved to a board");
    let args = ["board", "login", "--paste", "--port", &other.port];
    pair.home.run(&args).exits(1).says("being moved to a board");
    assert_eq!(other.fingerprint(), None);
    assert!(!pair.settled(&sandbox, "asked at last"));
    assert_eq!(sandbox.routes(), [""; 0]);
}

#[test]
fn a_board_that_refreshed_it_meanwhile_has_it() {
    let home = Home::new();
    let sandbox = sandbox(&home);
    let pair = Pair::new(&sandbox, 6);
    pair.board.fault("commit", 0, Fault::PauseAfter);
    pair.cut_off_while_moving(&sandbox);
    pair.board_refreshes(&sandbox);
    pair.run(&sandbox, &["status"])
        .exits(0)
        .says("The sign-in is on the board now.");
    assert_eq!(pair.chain(), Value::Null);
    assert_eq!(sandbox.requests_of("fitbit.token").len(), 1);
    assert_eq!(
        sandbox.active_refresh_tokens("fitbit"),
        [pair.board.fingerprint().unwrap()]
    );
}

#[test]
fn what_the_board_does_not_take_stays_here() {
    let home = Home::new();
    for (words, fault) in [("the flash is full", Some("the flash is full")), ("", None)] {
        let sandbox = sandbox(&home);
        let pair = Pair::new(&sandbox, 7);
        pair.board.lock().console.flash_fault = fault;
        let run = if fault.is_some() {
            pair.moving(&sandbox).run().exits(1).says(words)
        } else {
            // The board restarts at each attempt.
            for _ in 0..3 {
                pair.board.fault("commit", 0, Fault::RestartBefore);
            }
            pair.moving(&sandbox).run().exits(5)
        };
        run.says("it stays on this machine");
        assert!(!pair.one_owner(&sandbox, words));
        pair.once(&sandbox).exits(0);
    }
}

#[test]
fn a_write_that_only_seems_to_have_failed_is_seen_after_a_restart() {
    let home = Home::new();
    let sandbox = sandbox(&home);
    let pair = Pair::new(&sandbox, 14);
    pair.board.lock().console.is_unconfirmed = true;
    pair.moving(&sandbox)
        .run()
        .exits(0)
        .says("The sign-in is on the board now.");
    assert!(pair.one_owner(&sandbox, "after the restart"));
    pair.board_refreshes(&sandbox);
}

#[test]
fn a_restart_noise_and_lost_replies_do_not_keep_it_from_arriving() {
    let home = Home::new();
    for (words, fault) in [
        ("put chain", Fault::RestartAfter),
        ("data", Fault::Noise),
        ("data", Fault::RestartBefore),
        ("commit", Fault::RestartAfter),
        ("commit", Fault::Noise),
        ("commit", Fault::Unheard),
    ] {
        let sandbox = sandbox(&home);
        let pair = Pair::new(&sandbox, 8);
        pair.board.fault(words, 0, fault);
        pair.moving(&sandbox).run().exits(0);
        assert!(pair.one_owner(&sandbox, &format!("{words} {fault:?}")));
    }
}

#[test]
fn a_board_that_hangs_leaves_it_on_its_way_until_it_answers() {
    let home = Home::new();
    let sandbox = sandbox(&home);
    let mut pair = Pair::new(&sandbox, 9);
    pair.board.fault("commit", 0, Fault::Hang);
    pair.moving(&sandbox)
        .run()
        .exits(5)
        .says("run `pulsewing board status`");
    assert_eq!(pair.chain()["standing"], "moving");
    pair.board.unplug();
    pair.board.wake();
    pair.board.plug_in();
    assert!(!pair.settled(&sandbox, "it answers again"));
}

#[test]
fn another_fingerprint_than_was_sent_erases_nothing() {
    let home = Home::new();
    let sandbox = sandbox(&home);
    let pair = Pair::new(&sandbox, 10);
    pair.board.lock().console.claims = Some("0123456789ab");
    pair.moving(&sandbox)
        .run()
        .exits(1)
        .says("the board stored a different sign-in than the one sent")
        .says("cannot say whether it has it");
    assert_eq!(pair.chain()["standing"], "moving");
    assert_eq!(sandbox.requests_of("fitbit.token").len(), 0);
    // The way out that the program suggests.
    pair.run(&sandbox, &["reset", "--factory", "--yes"])
        .exits(0)
        .says("it stays on this machine");
    assert!(!pair.one_owner(&sandbox, "erased"));
}

#[test]
fn a_board_that_is_signed_in_is_replaced_only_when_asked_and_never_goes_back() {
    let home = Home::new();
    let sandbox = sandbox(&home);
    let pair = Pair::new(&sandbox, 11);
    // The board's own chain, of a later generation than this machine's.
    let old: Record = {
        let other = Pair::new(&sandbox, 12);
        other.moving(&sandbox).run().exits(0);
        for _ in 0..3 {
            other.board_refreshes(&sandbox);
        }
        let chain = other.board.lock().console.chain.clone();
        pair.board.lock().console.chain = chain;
        pair.board.lock().console.record().unwrap()
    };
    sandbox.seed(&format!("{:064x}", 11));
    pair.moving(&sandbox)
        .run()
        .exits(1)
        .says("the board is already signed in (fitbit generation 4 active")
        .says("--replace");
    assert_eq!(pair.chain()["standing"], "active");
    pair.program(&sandbox, &["provision", "--move-chain", "--replace"])
        .run()
        .exits(0);
    let new = pair.board.lock().console.record().unwrap();
    assert_eq!(new.chain.generation(), old.chain.generation() + 16);
    assert_eq!(pair.chain(), Value::Null);
    pair.board_refreshes(&sandbox);
}

#[test]
fn a_refresh_that_is_under_way_is_completed_first() {
    let signed_in = SignedIn::fitbit();
    let stall = serde_json::json!({ "stall_s": 1 });
    signed_in.fault("fitbit.token", 1, &stall);
    let once = signed_in.program(&["once"]).start();
    signed_in.sandbox.wait_for("fitbit.token", 1);
    once.kill();
    let board = Board::start(&signed_in.home);
    let args = ["board", "provision", "--move-chain", "--port", &board.port];
    signed_in
        .run(&args)
        .exits(5)
        .says("run `pulsewing once`, then repeat");
    signed_in.once().exits(0);
    signed_in.run(&args).exits(0);
    assert_eq!(
        signed_in.sandbox.active_refresh_tokens("fitbit"),
        [board.fingerprint().unwrap()]
    );
}

#[test]
fn a_sign_in_that_does_not_rotate_may_be_copied_and_one_that_does_may_not() {
    let signed_in = SignedIn::google();
    let board = Board::start(&signed_in.home);
    let args = ["board", "provision", "--copy-chain", "--port", &board.port];
    signed_in
        .run(&args)
        .exits(0)
        .says("on the board and on this machine");
    let fingerprint = board.fingerprint().unwrap();
    assert_eq!(signed_in.chain()["refresh_token_fingerprint"], fingerprint);
    signed_in.once().exits(0);
    // The copy becomes a move.
    let args = ["board", "provision", "--move-chain", "--port", &board.port];
    signed_in.run(&args).exits(0);
    assert_eq!(signed_in.chain(), Value::Null);
    assert_eq!(board.fingerprint().unwrap(), fingerprint);

    let rotating = SignedIn::fitbit();
    let board = Board::start(&rotating.home);
    let args = ["board", "provision", "--copy-chain", "--port", &board.port];
    rotating
        .run(&args)
        .exits(1)
        .says("cannot be in two places")
        .says("--move-chain");
    assert_eq!(board.fingerprint(), None);
    rotating.once().exits(0);
}

#[test]
fn a_note_that_is_lost_is_no_reason_to_guess() {
    let home = Home::new();
    let sandbox = sandbox(&home);
    for fault in [Fault::PauseBefore, Fault::PauseAfter] {
        let pair = Pair::new(&sandbox, 13);
        pair.board.fault("commit", 0, fault);
        pair.cut_off_while_moving(&sandbox);
        fs::remove_file(pair.home.state("move.json")).unwrap();
        let asked = pair.run(&sandbox, &["status"]).exits(0);
        if fault == Fault::PauseAfter {
            // The fingerprint is sufficient proof.
            assert!(pair.one_owner(&sandbox, "it has it"));
        } else {
            asked.says("no record of which board");
            assert_eq!(pair.chain()["standing"], "moving");
        }
    }
}
