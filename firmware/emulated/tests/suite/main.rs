//! The checks of the emulated board, one file per group.
//!
//! A check is a function whose error describes what does not hold. `cargo xtask qemu` builds and finds the
//! programs that the checks start, and runs this program once for each group, with the group's name as the
//! filter. Without those programs every check is ignored.

#![forbid(unsafe_code)]
#![expect(
    clippy::disallowed_methods,
    reason = "QEMU runs in real time, and so do its checks"
)]
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test program talks to the person who started it"
)]

mod figures;
mod first_start;
mod network;
mod replies;
mod rotation;
mod trust;

use std::{
    env, fs,
    path::Path,
    process::ExitCode,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, anyhow, ensure};
use libtest_mimic::{Arguments, Trial};
use pulsewing_emulated::{
    Programs, Rig, board::Running, clouds::Clouds, host::Host, picture::Picture,
};

/// A property that must hold.
struct Check {
    /// The property, as a sentence.
    name: &'static str,
    /// Runs the check; an error describes what does not hold.
    run: fn(&Rig) -> Result<()>,
}

/// The groups in the order in which they run. Those that run beside each other, and how many at a time,
/// are in `xtask/src/emulated.rs`.
const GROUPS: [(&str, &[Check]); 6] = [
    ("first start", first_start::CHECKS),
    ("rotation", rotation::CHECKS),
    ("trust", trust::CHECKS),
    ("network", network::CHECKS),
    ("replies", replies::CHECKS),
    ("figures", figures::CHECKS),
];

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let programs = Programs::from_env();
    if programs.is_none() {
        eprintln!("every check is ignored: `cargo xtask qemu` builds and finds what they need");
    }
    let times = env::var("PULSEWING_REPEAT").map_or(Ok(1), |times| times.parse());
    let Ok(times) = times else {
        eprintln!("PULSEWING_REPEAT is not a number");
        return ExitCode::FAILURE;
    };
    let mut trials = trials(programs.as_ref(), times);
    // A group without a check would pass, and so would words that no check of any group has.
    let is_unknown = trials.iter().all(|trial| arguments.is_filtered_out(trial));
    if let Ok(words) = env::var("PULSEWING_CHECK") {
        trials.retain(|trial| trial.name().contains(&words));
    }
    if is_unknown || trials.is_empty() {
        eprintln!("there are no such checks");
        return ExitCode::FAILURE;
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Returns every check, `times` times each.
fn trials(programs: Option<&Programs>, times: usize) -> Vec<Trial> {
    let checks = GROUPS
        .iter()
        .flat_map(|(group, checks)| checks.iter().map(move |check| (*group, check)));
    checks
        .flat_map(|check| std::iter::repeat_n(check, times))
        .map(|(group, Check { name, run })| {
            let run_with = programs.cloned();
            let trial = move || {
                let programs = run_with.ok_or("the programs are missing")?;
                pass(programs, name, *run).map_err(|problem| format!("{problem:#}").into())
            };
            Trial::test(*name, trial)
                .with_kind(group)
                .with_ignored_flag(programs.is_none())
        })
        .collect()
}

/// Runs a check; prints how long it took, and keeps its files if it fails.
fn pass(programs: Programs, name: &str, run: fn(&Rig) -> Result<()>) -> Result<()> {
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("qemu-failed");
    let started = Instant::now();
    let rig = Rig::new(programs)?;
    let outcome = run(&rig).map_err(|problem| match rig.keep(&kept, name) {
        Some(kept) => anyhow!("{problem:#}\nits files are in {}", kept.display()),
        None => problem,
    });
    println!("{:5.1} s  {name}", started.elapsed().as_secs_f64());
    outcome
}

/// Maximum time until a cycle has succeeded, including the join and the time synchronisation before it.
const FIRST_CYCLE: Duration = Duration::from_secs(30);

/// The command that a board without a sign-in asks for.
const LOGIN: &str = "pulsewing board login";

/// Maximum number of comparisons of a board with the host program: if a minute begins between the two,
/// their pictures differ.
const COMPARISONS: u32 = 4;

/// Fails unless the board shows, pixel for pixel, what the host program draws from the same cloud.
/// Returns that program's report.
fn shows_what_the_host_shows(
    rig: &Rig,
    clouds: &Clouds,
    provider: &str,
    board: &mut Running<'_>,
) -> Result<String> {
    let host = rig.host(clouds, provider)?;
    host.sign_in(&["login"], clouds)?;
    let mut compared = compare(&host, board)?;
    for _ in 1..COMPARISONS {
        if compared.is_ok() {
            break;
        }
        let before = board.status("last success")?;
        board.ask("poll")?;
        board.wait_for_status("last success", Duration::from_secs(30), |value| {
            Some(value) != before.as_deref()
        })?;
        compared = compare(&host, board)?;
    }
    compared.map_err(|difference| anyhow!("{difference:#}{}", board.last_words()))
}

/// Compares the board's screen with the host program's current picture: returns its report, or the
/// difference.
fn compare(host: &Host, board: &mut Running<'_>) -> Result<Result<String>> {
    let once = host.run(&["once", "--report", "--png", "host.png"])?;
    let png = fs::read(host.dir().join("host.png")).context("the picture")?;
    let expected = Picture::from_png(&png).context("the host's picture cannot be read")?;
    Ok(board.screen()?.check_equal(&expected).map(|()| once.stdout))
}

/// Makes the board update, repeatedly, until it succeeds; then checks that it shows what the host
/// program shows.
fn recovers(rig: &Rig, clouds: &Clouds, provider: &str, board: &mut Running<'_>) -> Result<()> {
    updates_again(clouds, provider, board)?;
    shows_what_the_host_shows(rig, clouds, provider, board).map(drop)
}

/// Makes the board update, repeatedly, until it succeeds. Before its waiting time is over, a board
/// ignores the request.
fn updates_again(clouds: &Clouds, provider: &str, board: &mut Running<'_>) -> Result<()> {
    let route = match provider {
        "google" => "google.rollup",
        _ => "fitbit.heart",
    };
    let before = clouds.count(route)?;
    let ends = Instant::now() + Duration::from_secs(90);
    while clouds.count(route)? == before || board.status("failure")?.is_some() {
        ensure!(Instant::now() < ends, "the board does not recover");
        board.ask("poll")?;
        thread::sleep(Duration::from_secs(1));
    }
    Ok(())
}
