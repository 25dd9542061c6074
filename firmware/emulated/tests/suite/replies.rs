//! Replies of the clouds: how the screen reports them, and whether the board recovers.

use std::{thread, time::Duration};

use anyhow::{Context as _, Result, bail, ensure};
use pulsewing_emulated::{Rig, expected::Sight};
use pulsewing_screen::State;
use serde_json::{Value, json};

use super::{COMPARISONS, Check, LOGIN, compare, recovers, shows_what_the_host_shows};

pub(crate) const CHECKS: &[Check] = &[
    Check {
        name: "a reply that breaks off is a failure, and the next one counts",
        run: |rig| goes_wrong_for_a_while(rig, json!({ "truncate": 40 }), State::Offline),
    },
    Check {
        name: "a reply that stalls in the middle is given up, and the next one counts",
        run: |rig| {
            let stall = json!({ "truncate": 40, "stall_s": 600 });
            goes_wrong_for_a_while(rig, stall, State::Offline)
        },
    },
    Check {
        name: "a page instead of data is a failure, and the next reply counts",
        run: |rig| {
            let page = json!({ "status": 502, "body": "html" });
            goes_wrong_for_a_while(rig, page, State::Offline)
        },
    },
    Check {
        name: "a rate limit is kept to, and ends",
        run: a_rate_limit_is_kept_to,
    },
    Check {
        name: "an access token that ends in the middle of a cycle is renewed within it",
        run: an_access_token_ends_early,
    },
    Check {
        name: "a refused grant is kept, marked, and not sent again until somebody signs in",
        run: |rig| {
            is_final(
                rig,
                &Final {
                    route: "fitbit.token",
                    action: json!({ "reason": "invalid_grant" }),
                    standing: "refused",
                    asked_after_restart: 0,
                    state: State::SignInNeeded {
                        command: LOGIN,
                        address: None,
                    },
                    successor: "fitbit",
                },
            )
        },
    },
    Check {
        name: "a service that is gone is believed until somebody signs in with the other",
        run: |rig| {
            is_final(
                rig,
                &Final {
                    route: "fitbit.heart",
                    action: json!({ "status": 410, "body": "json" }),
                    standing: "active",
                    asked_after_restart: 1,
                    state: State::ServiceGone {
                        command: "pulsewing board login --provider google",
                    },
                    successor: "google",
                },
            )
        },
    },
];

const PATIENCE: Duration = Duration::from_secs(60);

/// Checks that the board reports an error while one kind of reply fails, and recovers afterwards.
fn goes_wrong_for_a_while(rig: &Rig, action: Value, state: State<'_>) -> Result<()> {
    let (clouds, _time, bench) = rig.signed_in("fitbit", &[])?;
    clouds.fault("fitbit.heart", 0, action)?;
    let mut board = bench.start()?;
    board.wait_for_status("failure", PATIENCE, |value| !value.is_empty())?;
    board.wait_for_sight(&Sight::page(state), PATIENCE)?;
    clouds.faults(&json!([]))?;
    recovers(rig, &clouds, "fitbit", &mut board)
}

/// Checks that the screen shows the end of the limit, and that the board sends nothing before it, even
/// on request.
fn a_rate_limit_is_kept_to(rig: &Rig) -> Result<()> {
    let (clouds, _time, bench) = rig.signed_in("fitbit", &[])?;
    let limit = json!({ "status": 429, "headers": { "Retry-After": "12" } });
    clouds.fault("fitbit.heart", 1, limit)?;
    let mut board = bench.start()?;
    board.wait_for_status("failure", PATIENCE, |value| !value.is_empty())?;
    let asked = clouds.count("fitbit.heart")?;
    board.ask("poll")?;
    // The limit ends in this minute or the next; the screen shows the first minute that is entirely
    // after it.
    let now: jiff::Timestamp = board
        .status("time")?
        .and_then(|time| time.parse().ok())
        .context("the board does not know the time")?;
    let sights = [0, 1, 2].map(|minutes| {
        let at = now + jiff::SignedDuration::from_mins(minutes);
        Sight::page(State::RateLimited {
            until: at.to_zoned(jiff::tz::TimeZone::UTC).time(),
        })
    });
    board.wait_for_one_of(&sights, Duration::from_secs(5))?;
    ensure!(
        clouds.count("fitbit.heart")? == asked,
        "the limit is not kept to"
    );
    recovers(rig, &clouds, "fitbit", &mut board)
}

/// Checks that an access token that is refused early causes one refresh, and then the same call again.
fn an_access_token_ends_early(rig: &Rig) -> Result<()> {
    let (clouds, _time, bench) = rig.signed_in("fitbit", &[])?;
    let refreshes = clouds.count("fitbit.token")?;
    clouds.fault("fitbit.heart", 1, json!({ "status": 401, "body": "json" }))?;
    let mut board = bench.start()?;
    board.wait_for_update(PATIENCE)?;
    let failure = board.status("failure")?;
    ensure!(failure.is_none(), "it failed: {failure:?}");
    let refreshes = clouds.count("fitbit.token")? - refreshes;
    ensure!(refreshes == 1, "{refreshes} refreshes");
    let asked = clouds.count("fitbit.heart")?;
    ensure!(asked >= 2, "the heart rate was asked for {asked} times");
    shows_what_the_host_shows(rig, &clouds, "fitbit", &mut board).map(drop)
}

/// A final error from the cloud.
struct Final {
    /// The request that it answers.
    route: &'static str,
    action: Value,
    /// The state of the chain afterwards.
    standing: &'static str,
    /// The number of times that the same request is made after a restart.
    asked_after_restart: usize,
    state: State<'static>,
    /// The provider of the next sign-in.
    successor: &'static str,
}

/// Checks that the error is kept, even over a restart, and shown until the next sign-in.
fn is_final(rig: &Rig, word: &Final) -> Result<()> {
    let (clouds, _time, bench) = rig.signed_in("fitbit", &["--token-life", "5"])?;
    clouds.fault(word.route, 0, word.action.clone())?;
    // Wait until the access token expires.
    thread::sleep(Duration::from_secs(5));
    for restarts in 0..2 {
        let before = clouds.count(word.route)?;
        let mut board = bench.start()?;
        board.wait_for_status("failure", PATIENCE, |value| !value.is_empty())?;
        let held = board.status("chain")?.unwrap_or_default();
        ensure!(
            held.contains(word.standing),
            "after {restarts} restarts the chain is \"{held}\""
        );
        board.wait_for_sight(&Sight::page(word.state), PATIENCE)?;
        let asked = clouds.count(word.route)? - before;
        let expected = if restarts == 0 {
            1
        } else {
            word.asked_after_restart
        };
        ensure!(
            asked == expected,
            "after {restarts} restarts the board asked {asked} times"
        );
        board.cut_power()?;
    }
    clouds.faults(&json!([]))?;
    let host = rig.host(&clouds, word.successor)?;
    let mut difference = String::new();
    for _ in 0..COMPARISONS {
        // Signed in again each time: the host's sign-in ends the board's, whose access token has seconds left.
        rig.sign_in(&bench, &clouds, word.successor)?;
        let mut board = bench.start()?;
        // A board that gets little of the machine may see its access token end before it was used.
        let updated = board.wait_for_update(PATIENCE);
        let compared = match updated {
            Ok(()) => {
                host.sign_in(&["login"], &clouds)?;
                compare(&host, &mut board)?.map(drop)
            }
            Err(why) if format!("{why:#}").contains("(401)") => Err(why),
            Err(why) => return Err(why),
        };
        match compared {
            Ok(()) => return Ok(()),
            Err(this) => difference = format!("{this:#}{}", board.last_words()),
        }
        board.cut_power()?;
    }
    bail!(difference)
}
