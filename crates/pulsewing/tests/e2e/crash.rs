//! A power cut before every step: the process is really killed, at each call that changes a file or uses
//! the network, and started again. The chain always survives.

use std::collections::BTreeMap;

use serde_json::json;

use crate::harness::{
    hermetic::{Finished, Home},
    sandbox_process::Sandbox,
    shim,
    signed_in::{FITBIT_LIFE, SignedIn, adopt, configuration},
};

/// The signal that stands for a power cut.
const KILL: i32 = 9;

/// More steps than any run has.
const MANY: u32 = 400;

/// The kinds of steps before which the process was killed, with their counts.
type Killed = BTreeMap<String, u32>;

/// Returns the step before which the shim killed the process.
fn step(killed: &Finished) -> Option<&str> {
    assert_eq!(killed.signal, Some(KILL), "{killed:?}");
    killed.stderr.trim_end().strip_prefix("killed in front of ")
}

/// Kills one run at each of its steps (at a write, also half-way through it), and runs another after it.
/// `prepare` makes a new chain from a number.
fn at_every_step(sandbox: &Sandbox, prepare: impl Fn(u32) -> Home) -> Killed {
    let mut killed = Killed::new();
    for call in 1..MANY {
        let kill = |torn: bool| {
            let home = prepare(2 * call + u32::from(torn));
            let program = home.program(&["once", "--now", &sandbox.now()]);
            let run = shim::killing(program, &home, call, torn).run();
            (home, run)
        };
        let (home, run) = kill(false);
        if run.signal.is_none() {
            run.exits(0);
            return killed;
        }
        goes_on(&home, sandbox, call);
        let step = step(&run).unwrap().to_owned();
        if step == "write" {
            let (home, _) = kill(true);
            goes_on(&home, sandbox, call);
        }
        *killed.entry(step).or_default() += 1;
    }
    panic!("still killed after {MANY} steps: {killed:?}");
}

/// Asserts that the next run succeeds, and that the stored chain is the live one.
fn goes_on(home: &Home, sandbox: &Sandbox, call: u32) {
    let once = home.run(&["once", "--now", &sandbox.now()]);
    assert_eq!(once.code, Some(0), "after call {call}: {once:?}");
    let chain = home.run(&["status", "--json"]).exits(0).json()["chain"].clone();
    assert_eq!(
        sandbox.active_refresh_tokens("fitbit"),
        [chain["refresh_token_fingerprint"].as_str().unwrap()],
        "after call {call}"
    );
    assert_eq!(chain["standing"], "active", "after call {call}");
    assert_eq!(
        chain["refresh_under_way_since"],
        json!(null),
        "after call {call}"
    );
}

/// Starts a sandbox whose recording lasts as long as the test.
fn sandbox() -> (Home, Sandbox) {
    let home = Home::new();
    let sandbox = Sandbox::start(&home, &["--now", "2026-11-22T14:07:00Z"]);
    (home, sandbox)
}

/// Returns a home with a new chain that begins with a refresh.
fn adopted(sandbox: &Sandbox, number: u32) -> Home {
    // Without this, so many runs would use up the hour's requests.
    sandbox.advance(3_600);
    let home = Home::new();
    home.configure(&configuration(sandbox, "fitbit"));
    let token = format!("{number:064x}");
    sandbox.seed(&token);
    adopt(&home, sandbox, &token);
    home
}

#[test]
fn a_first_refresh_survives_a_power_cut_in_front_of_every_step() {
    let (_home, sandbox) = sandbox();
    let killed = at_every_step(&sandbox, |number| adopted(&sandbox, number));
    // The lock, the chain, the room for the answer, two copies of the intent, the answer, the directory,
    // the state; and the traffic of four connections.
    for (step, least) in [
        ("flock", 1),
        ("open", 8),
        ("write", 5),
        ("fsync", 5),
        ("rename", 4),
        ("connect", 1),
        ("send", 4),
        ("recv", 4),
    ] {
        assert!(
            killed.get(step).is_some_and(|count| *count >= least),
            "{killed:?}"
        );
    }
}

#[test]
fn a_later_refresh_survives_a_power_cut_in_front_of_every_step() {
    // With a previous generation, a used reserve, and a state.
    let (_home, sandbox) = sandbox();
    at_every_step(&sandbox, |number| {
        let home = adopted(&sandbox, number);
        home.run(&["once", "--now", &sandbox.now()]).exits(0);
        sandbox.advance(FITBIT_LIFE);
        home
    });
}

#[test]
fn a_replay_survives_another_power_cut() {
    // The first run was cut off with its answer on the way; so is the second, at each of its steps.
    let (_home, sandbox) = sandbox();
    at_every_step(&sandbox, |number| {
        let home = adopted(&sandbox, number);
        sandbox.fault("fitbit.token", 1, &json!({ "stall_s": 1 }));
        let before = sandbox.requests_of("fitbit.token").len();
        let first = home.program(&["once", "--now", &sandbox.now()]).start();
        sandbox.wait_for("fitbit.token", before + 1);
        first.kill();
        home
    });
}

#[test]
fn a_sign_out_and_a_sign_in_anew_survive_a_power_cut_in_front_of_every_step() {
    let signed_in = SignedIn::fitbit_with(|_| sandbox().1);
    signed_in.once().exits(0);
    for call in 1..MANY {
        signed_in.sandbox.advance(3_600);
        let program = signed_in.program(&["logout"]);
        let run = shim::killing(program, &signed_in.home, call, false).run();
        let is_over = run.signal.is_none();
        // Every remaining state is reported in words, and a sign-in repairs it.
        let code = signed_in.once().code;
        assert!(
            [Some(0), Some(3)].contains(&code),
            "after call {call}: {code:?}"
        );
        signed_in.login();
        signed_in.once().exits(0);
        signed_in.assert_chain_goes_on();
        if is_over {
            run.exits(0);
            return;
        }
    }
    panic!("still killed after {MANY} steps");
}
