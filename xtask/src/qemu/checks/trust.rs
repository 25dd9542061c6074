//! Whom the board does not talk to, and what it says of them.

use std::time::Duration;

use super::{Check, ensure};
use crate::qemu::Rig;
use crate::qemu::clouds::NAME;
use crate::qemu::impostor::{Authority, Flaw};
use crate::qemu::time_server::{Manner, TimeServer};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "a server with a certificate for another name is refused",
        run: |rig| is_refused(rig, Flaw::WrongName, "for another name"),
    },
    Check {
        name: "a server that nobody trusted vouches for is refused",
        run: |rig| is_refused(rig, Flaw::UnknownRoot, "nobody trusted vouches"),
    },
    Check {
        name: "a server whose certificate has expired is refused",
        run: |rig| is_refused(rig, Flaw::Expired, "has expired"),
    },
    Check {
        name: "a server whose certificate is not valid yet is refused",
        run: |rig| is_refused(rig, Flaw::NotYetValid, "not valid yet"),
    },
    Check {
        name: "a server that another server vouches for is refused",
        run: |rig| is_refused(rig, Flaw::LeafAsAuthority, "nobody trusted vouches"),
    },
    Check {
        name: "a server with nothing wrong is talked to",
        run: nothing_wrong_is_talked_to,
    },
    Check {
        name: "a time before the firmware was built is refused, and nobody is talked to",
        run: a_time_before_the_build_is_refused,
    },
];

/// A signed-in board whose cloud is replaced by an impostor says what is wrong, sends nothing, and keeps its chain.
fn is_refused(rig: &Rig<'_>, flaw: Flaw, sentence: &str) -> Result<(), String> {
    let (heard, greeted, said) = meet(rig, flaw)?;
    ensure(greeted > 0, || "the board did not come".to_owned())?;
    ensure(heard == 0, || format!("{flaw:?} was told {heard} bytes"))?;
    ensure(said.iter().any(|line| line.contains(sentence)), || {
        format!("the board does not say \"{sentence}\" of {flaw:?}, but {said:?}")
    })
}

/// The control: what is refused above is refused for its flaw alone.
fn nothing_wrong_is_talked_to(rig: &Rig<'_>) -> Result<(), String> {
    let (heard, _, _) = meet(rig, Flaw::None)?;
    ensure(heard > 0, || {
        "the board says nothing to a good server".to_owned()
    })
}

/// Returns how many bytes the impostor was told, how often somebody came, and what the board said.
fn meet(rig: &Rig<'_>, flaw: Flaw) -> Result<(usize, usize, Vec<String>), String> {
    let authority = Authority::new()?;
    let impostor = authority.start(flaw)?;
    let clouds = rig.clouds(&[])?;
    let time = TimeServer::start()?;
    let bench = rig.signed_in(&clouds, &time, "google", &[])?;
    let mut board = bench.start()?;
    let start = board.lines().count();
    board.upload("roots", authority.pem().as_bytes())?;
    board.restarted(start)?;
    // The grant stays where it was issued; only the data would come from elsewhere.
    board.ask(&format!(
        "set endpoint.api https://{NAME}:{}",
        impostor.port
    ))?;
    let start = board.lines().count();
    board.ask("poll")?;
    board.wait_for_status("failure", Duration::from_secs(40), |value| {
        !value.is_empty()
    })?;
    Ok((
        impostor.heard(),
        impostor.greeted(),
        board.lines().since(start),
    ))
}

fn a_time_before_the_build_is_refused(rig: &Rig<'_>) -> Result<(), String> {
    let clouds = rig.clouds(&[])?;
    let time = TimeServer::start()?;
    let bench = rig.signed_in(&clouds, &time, "fitbit", &[])?;
    time.behave(Manner::Off(-400 * 24 * 3_600));
    let before = clouds.requests()?.len();
    let mut board = bench.start()?;
    board.wait_for_line(0, Duration::from_secs(20), |line| {
        line.contains(&time.address())
    })?;
    ensure(board.status("time")?.as_deref() == Some("unknown"), || {
        "the board believes a time before it was built".to_owned()
    })?;
    ensure(clouds.requests()?.len() == before, || {
        "the board asks without knowing the time".to_owned()
    })?;
    time.behave(Manner::Honest);
    board.wait_for_status("time", Duration::from_secs(90), |value| value != "unknown")?;
    Ok(())
}
