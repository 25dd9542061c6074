//! The checks, one file per group.

mod figures;
mod first_start;
mod network;
mod replies;
mod rotation;
mod trust;

use std::{
    fs, thread,
    time::{Duration, Instant},
};

use super::{Rig, board::Running, clouds::Clouds, host::Host, picture::Picture};

/// A property that must hold.
pub(crate) struct Check {
    /// The property, as a sentence.
    pub(crate) name: &'static str,
    /// Runs the check; an error describes what does not hold.
    pub(crate) run: fn(&Rig<'_>) -> Result<(), String>,
}

/// Checks of one subject.
pub(crate) struct Group {
    pub(crate) name: &'static str,
    pub(crate) checks: &'static [Check],
    /// The number of checks that run at the same time.
    pub(crate) at_once: usize,
}

impl Group {
    /// Creates a group whose checks run in parallel: mostly they wait for a board that waits.
    const fn new(name: &'static str, checks: &'static [Check]) -> Self {
        Self {
            name,
            checks,
            at_once: 3,
        }
    }

    /// Runs one check at a time: nothing else may run while instructions are counted.
    const fn one_by_one(self) -> Self {
        Self { at_once: 1, ..self }
    }
}

/// The groups in the order in which they run.
pub(crate) const GROUPS: &[Group] = &[
    Group::new("first start", first_start::CHECKS),
    Group::new("rotation", rotation::CHECKS),
    Group::new("trust", trust::CHECKS),
    Group::new("network", network::CHECKS),
    Group::new("replies", replies::CHECKS),
    Group::new("figures", figures::CHECKS).one_by_one(),
];

/// Returns an error with a sentence unless a condition holds.
fn ensure(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(otherwise()) }
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
    rig: &Rig<'_>,
    clouds: &Clouds,
    provider: &str,
    board: &mut Running<'_>,
) -> Result<String, String> {
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
    compared.map_err(|difference| difference + &board.last_words())
}

/// Compares the board's screen with the host program's current picture: returns its report, or the
/// difference.
fn compare(host: &Host, board: &mut Running<'_>) -> Result<Result<String, String>, String> {
    let once = host.run(&["once", "--report", "--png", "host.png"])?;
    let png =
        fs::read(host.dir().join("host.png")).map_err(|error| format!("the picture: {error}"))?;
    let expected = Picture::from_png(&png).ok_or("the host's picture cannot be read")?;
    Ok(board.screen()?.check_equal(&expected).map(|()| once.stdout))
}

/// Makes the board update, repeatedly, until it succeeds; then checks that it shows what the host
/// program shows.
fn recovers(
    rig: &Rig<'_>,
    clouds: &Clouds,
    provider: &str,
    board: &mut Running<'_>,
) -> Result<(), String> {
    updates_again(clouds, provider, board)?;
    shows_what_the_host_shows(rig, clouds, provider, board).map(drop)
}

/// Makes the board update, repeatedly, until it succeeds. Before its waiting time is over, a board
/// ignores the request.
fn updates_again(clouds: &Clouds, provider: &str, board: &mut Running<'_>) -> Result<(), String> {
    let route = match provider {
        "google" => "google.rollup",
        _ => "fitbit.heart",
    };
    let before = clouds.count(route)?;
    let ends = Instant::now() + Duration::from_secs(90);
    while clouds.count(route)? == before || board.status("failure")?.is_some() {
        ensure(Instant::now() < ends, || {
            "the board does not recover".to_owned()
        })?;
        board.ask("poll")?;
        thread::sleep(Duration::from_secs(1));
    }
    Ok(())
}
