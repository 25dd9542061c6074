//! Servers that the board must not talk to, and its messages about them.

use std::time::Duration;

use anyhow::{Result, ensure};
use pulsewing_emulated::{
    Rig,
    clouds::NAME,
    expected::Sight,
    impostor::{Authority, Flaw, Keys},
    time_server::Manner,
};
use pulsewing_screen::State;

use super::{Check, recovers};

pub(crate) const CHECKS: &[Check] = &[
    Check {
        name: "a server with a certificate for another name is refused",
        run: |rig| is_refused(rig, Flaw::WrongName, &WRONG_NAME),
    },
    Check {
        name: "a server that nobody trusted vouches for is refused",
        run: |rig| is_refused(rig, Flaw::UnknownRoot, &UNKNOWN_ISSUER),
    },
    Check {
        name: "a server whose certificate has expired is refused",
        run: |rig| is_refused(rig, Flaw::Expired, &EXPIRED),
    },
    Check {
        name: "a server whose certificate is not valid yet is refused",
        run: |rig| is_refused(rig, Flaw::NotYetValid, &NOT_YET_VALID),
    },
    Check {
        name: "a server that another server vouches for is refused",
        run: |rig| is_refused(rig, Flaw::LeafAsAuthority, &UNKNOWN_ISSUER),
    },
    Check {
        name: "a server with nothing wrong is talked to",
        run: |rig| is_talked_to(rig, Keys::Curves),
    },
    Check {
        name: "a server with RSA keys and TLS 1.2 is talked to",
        run: |rig| is_talked_to(rig, Keys::Rsa),
    },
    Check {
        name: "every built-in certificate can be read, and one that cannot is told of",
        run: certificates_can_be_read,
    },
    Check {
        name: "a time before the firmware was built is refused, and nobody is talked to",
        run: a_time_before_the_build_is_refused,
    },
];

const PATIENCE: Duration = Duration::from_secs(90);

/// The messages about a refused server: in the log, and below the heart rate.
struct Verdict {
    word: &'static str,
    advice: &'static str,
}

const WRONG_NAME: Verdict = Verdict {
    word: "the server's certificate is for another name",
    advice: "Is somebody in between, or the address wrong? Nothing was sent there.",
};
const UNKNOWN_ISSUER: Verdict = Verdict {
    word: "the server's certificate has no trusted issuer",
    advice: "Is somebody in between, or are the board's roots old? Nothing was sent there.",
};
const EXPIRED: Verdict = Verdict {
    word: "the server's certificate has expired",
    advice: "Asking for the time again. If this lasts, the server's owner has to act.",
};
const NOT_YET_VALID: Verdict = Verdict {
    word: "the server's certificate is not valid yet",
    advice: "Asking for the time again. If this lasts, the server's owner has to act.",
};

/// Checks that a signed-in board reports an impostor in place of its cloud, sends it nothing, and keeps
/// its chain.
fn is_refused(rig: &Rig, flaw: Flaw, verdict: &Verdict) -> Result<()> {
    let Verdict { word, advice } = verdict;
    let what = format!("No safe connection: {word}.");
    let sight = Sight::banner(State::Fault {
        what: &what,
        advice,
    });
    let met = meet(rig, Keys::Curves, flaw, Some(&sight))?;
    ensure!(met.greeted > 0, "the board did not come");
    ensure!(met.heard == 0, "{flaw:?} was told {} bytes", met.heard);
    ensure!(
        met.said.iter().any(|line| line.contains(word)),
        "the board does not say \"{word}\" of {flaw:?}, but {:?}",
        met.said
    );
    Ok(())
}

/// The control: checks that the servers above are refused for their flaw alone.
fn is_talked_to(rig: &Rig, keys: Keys) -> Result<()> {
    let met = meet(rig, keys, Flaw::None, None)?;
    ensure!(met.heard > 0, "the board says nothing to a good server");
    Ok(())
}

/// The result of a meeting.
struct Met {
    /// Number of bytes that the impostor received.
    heard: usize,
    /// Number of connections to the impostor.
    greeted: usize,
    /// The board's log.
    said: Vec<String>,
}

/// Makes a board that shows a heart rate meet an impostor. The given sight must appear, and the board
/// must recover once it may ask the cloud again.
fn meet(rig: &Rig, keys: Keys, flaw: Flaw, sight: Option<&Sight>) -> Result<Met> {
    let authority = Authority::new(keys)?;
    let impostor = authority.start(flaw)?;
    let (clouds, _time, bench) = rig.signed_in("google", &[])?;
    let mut board = bench.start()?;
    board.wait_for_update(PATIENCE)?;
    let start = board.lines().count();
    board.upload_roots(authority.pem_beside(&clouds.ca_file)?.as_bytes())?;
    board.restarted(start)?;
    board.wait_for_update(PATIENCE)?;
    // The grant stays where it was issued; only the data would come from the impostor.
    let endpoint = |port| format!("set endpoint.api https://{NAME}:{port}");
    board.ask(&endpoint(impostor.port))?;
    let start = board.lines().count();
    board.ask("poll")?;
    board.wait_for_status("failure", PATIENCE, |value| !value.is_empty())?;
    if let Some(sight) = sight {
        board.wait_for_sight(sight, PATIENCE)?;
    }
    let met = Met {
        heard: impostor.heard(),
        greeted: impostor.greeted(),
        said: board.lines().since(start),
    };
    board.ask(&endpoint(clouds.port))?;
    recovers(rig, &clouds, "google", &mut board)?;
    Ok(met)
}

/// Checks that TLS can read every built-in certificate: it silently skips those of a list that it cannot
/// read.
fn certificates_can_be_read(rig: &Rig) -> Result<()> {
    let bench = rig.bench()?;
    let mut board = bench.start()?;
    let roots = board.status("roots")?;
    ensure!(
        roots.as_deref() == Some("8"),
        "of eight built-in certificates there are {roots:?}"
    );
    let start = board.lines().count();
    let own = Authority::new(Keys::Curves)?.pem();
    let torn = own.replacen("MII", "MIA", 1);
    board.upload_roots((own + &torn).as_bytes())?;
    board.restarted(start)?;
    let roots = board.status("roots")?;
    ensure!(
        roots.as_deref() == Some("9, and 1 unreadable"),
        "of eight, a good and a torn one there are {roots:?}"
    );
    let log = board.ask("log")?;
    let told = "1 of 10 trusted certificates cannot be read";
    ensure!(
        log.iter().any(|line| line.contains(told)),
        "the log does not tell of it: {log:?}"
    );
    Ok(())
}

fn a_time_before_the_build_is_refused(rig: &Rig) -> Result<()> {
    let (clouds, time, bench) = rig.signed_in("fitbit", &[])?;
    time.behave(Manner::Off(-400 * 24 * 3_600));
    let before = clouds.requests()?.len();
    let mut board = bench.start()?;
    board.wait_for_line(0, Duration::from_secs(20), |line| {
        line.contains(&time.address())
    })?;
    ensure!(
        board.status("time")?.as_deref() == Some("unknown"),
        "the board believes a time before it was built"
    );
    ensure!(
        clouds.requests()?.len() == before,
        "the board asks without knowing the time"
    );
    board.wait_for_sight(&Sight::page(State::WaitingForClock), PATIENCE)?;
    time.behave(Manner::Honest);
    board.wait_for_status("time", PATIENCE, |value| value != "unknown")?;
    board.wait_for_update(PATIENCE)?;
    recovers(rig, &clouds, "fitbit", &mut board)
}
