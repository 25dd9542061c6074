//! One chain, one owner: how a board gets this machine's sign-in.
//!
//! If two programs refresh a rotating chain, it is lost. So it is moved in steps, each of them
//! durable before the next begins:
//!
//! ```text
//!  1  note       the target board                (move.json)
//!  2  moving     this machine never refreshes it (the chain's record)
//!  3  upload     the board stores it
//!  4  compare    generation and fingerprint, as the board reports them
//!  5  erase      the chain here; then the note
//! ```
//!
//! A command that finds a `moving` chain asks only that board what became of it; asking the
//! provider would spend the token. If the board has it, step 5 follows. If the board does not have
//! it, it is taken back. If the board cannot tell, or it is another board, the chain stays as it
//! is.

use jiff::Timestamp;
use pulsewing_core::chain::{Record, Standing, Stored, Unstored, codec::MAX_RECORD};
use zeroize::Zeroizing;

use super::{
    Session, Status,
    note::Note,
    settle::settle_locked,
    status::{BoardChain, Held},
    upload::What,
};
use crate::{
    custody::{Custody as _, chain_file::ChainFile},
    tell::{
        console::Console,
        problem::{Exit, Problem},
    },
};

/// The way in which a board gets this machine's chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Handover {
    /// Afterwards only the board has it.
    Move,
    /// Both have it: for a provider that does not rotate tokens.
    Copy,
}

/// The distance from the board's own generation to that of a chain that replaces it. The board may
/// renew its own chain while the new one is on its way: that must neither make the new one look
/// old, nor be mistaken for its successor.
const ROOM: u32 = 16;

/// Gives this machine's chain to a board. `replace` lets it take the place of one that the board
/// uses.
///
/// # Errors
/// A [`Problem`] that says where the chain is.
pub(crate) async fn hand_over(
    mut files: ChainFile,
    session: &mut Session,
    how: Handover,
    replace: bool,
    now: Timestamp,
    console: Console,
) -> Result<(), Problem> {
    let record = files.open().await?.ok_or_else(|| {
        Problem::new(Exit::ConsentNeeded, "there is no sign-in on this machine").hint(
            "`pulsewing board login` signs in for the board; `pulsewing login` for this machine",
        )
    })?;
    check(&record, how)?;
    let chain = record.chain;
    let status = status_of(session)?;
    let generation = next_generation(&chain, &status, replace)?;
    let handed = chain.handed_over(generation, now);
    let expected = Held {
        provider: chain.provider(),
        generation,
        standing: "active".into(),
        fingerprint: chain.refresh_token().fingerprint().to_string(),
    };
    match how {
        Handover::Copy => {
            send_chain(session, &handed, &expected)?;
            console.say("The sign-in is on the board and on this machine.");
            Ok(())
        }
        Handover::Move => {
            mark_moving(&files, &handed, &expected, &status, session)?;
            let sent = send_chain(session, &handed, &expected);
            complete(&files, session, sent, console)
        }
    }
}

fn status_of(session: &mut Session) -> Result<Status, Problem> {
    super::explained(session.status(), session)
}

/// Writes down that the chain moves, and to which board, before anything is sent.
fn mark_moving(
    files: &ChainFile,
    handed: &Unstored,
    expected: &Held,
    status: &Status,
    session: &Session,
) -> Result<(), Problem> {
    let note = Note {
        board: status.board().to_owned(),
        serial: status.serial().to_owned(),
        port: session.path().display().to_string(),
        generation: expected.generation,
        fingerprint: expected.fingerprint.clone(),
    };
    // Stored as the board gets it: `settle` compares the board's generation with this one.
    note.save(&files.place().dir)
        .and_then(|()| files.store_alone(&handed.moving()))
        .map_err(|error| {
            Problem::failed("could not record that the sign-in is being moved, so it was not moved")
                .caused_by(&error)
        })
}

/// Completes a move. However the upload ended, only what the board holds counts.
fn complete(
    files: &ChainFile,
    session: &mut Session,
    sent: Result<(), Problem>,
    console: Console,
) -> Result<(), Problem> {
    let status = status_of(session).map_err(|problem| {
        problem.hint("the sign-in was being moved to the board: connect it and run `pulsewing board status` to find out whether it arrived")
    })?;
    let moving = files.look()?.record;
    let is_over = settle_locked(files, moving, session, &status, console)?;
    if is_over && files.look()?.record.is_none() {
        return Ok(());
    }
    sent.and_then(|()| {
        Err(Problem::failed(
            "the board does not have the sign-in that was sent to it",
        ))
    })
}

/// Uploads a chain, and compares it with what the board reports as stored.
///
/// # Errors
/// A [`Problem`] with the board's or the line's message.
pub(crate) fn send_chain(
    session: &mut Session,
    chain: &Unstored,
    expected: &Held,
) -> Result<(), Problem> {
    let mut buffer = Zeroizing::new([0; MAX_RECORD]);
    let bytes = chain
        .encode(&mut *buffer)
        .ok_or_else(|| Problem::failed("cannot encode the sign-in for the board"))?;
    let holds = |status: &Status| match status.chain() {
        BoardChain::Held(held) => {
            held.provider == expected.provider
                && (held == *expected || held.generation > expected.generation)
        }
        _ => false,
    };
    let sent = session.upload(What::Chain, bytes, |_| (), holds);
    let reply = super::explained(sent, session)?;
    // The reply right after the write is about this generation; a later status may be about the
    // next.
    let stored = reply.iter().find_map(|line| line.strip_prefix("chain: "));
    let (is_there, stored) = match stored {
        Some(text) => (
            Held::parse(text).as_ref() == Some(expected),
            text.to_owned(),
        ),
        None => {
            let status = status_of(session)?;
            let chain = status.get("chain").unwrap_or("none").to_owned();
            (holds(&status), chain)
        }
    };
    if is_there {
        Ok(())
    } else {
        Err(Problem::failed(format!(
            "the board stored a different sign-in than the one sent: \"{stored}\" instead of \"{expected}\""
        )))
    }
}

fn check(record: &Record, how: Handover) -> Result<(), Problem> {
    let chain = &record.chain;
    let login = format!("pulsewing login --provider {}", chain.provider().name());
    match chain.standing() {
        Standing::Active => {}
        Standing::Refused => {
            return Err(Problem::new(
                Exit::ConsentNeeded,
                "the provider has refused this machine's sign-in, so it is of no use to the board",
            )
            .hint("`pulsewing board login` signs in for the board"));
        }
        Standing::Moving => {
            return Err(Problem::failed(
                "this machine's sign-in is already being moved to a board",
            )
            .hint(format!(
                "connect that board and run `pulsewing board status`, or sign in again with `{login}`"
            )));
        }
    }
    if record.intent.is_some() {
        return Err(Problem::new(
            Exit::Temporary,
            "a refresh of this machine's sign-in was interrupted and must be completed first",
        )
        .hint("run `pulsewing once`, then repeat this command"));
    }
    if how == Handover::Copy && chain.provider().rotates() {
        return Err(Problem::failed(format!(
            "a refresh token from {} works only once, so a sign-in cannot be in two places",
            chain.provider()
        ))
        .hint("move it with --move-chain, or sign in for the board with `pulsewing board login`"));
    }
    Ok(())
}

/// Returns the generation that the chain gets on the board. A board never accepts an older one.
fn next_generation(chain: &Stored, status: &Status, replace: bool) -> Result<u32, Problem> {
    match held_by(status)? {
        None => Ok(chain.generation()),
        Some(held) => {
            let is_other = held.fingerprint != chain.refresh_token().fingerprint().to_string();
            if held.is_active() && is_other && !replace {
                return Err(
                    Problem::failed(format!("the board is already signed in ({held})"))
                        .hint("add --replace to replace it with this machine's sign-in"),
                );
            }
            Ok(chain.generation().max(held.generation.saturating_add(ROOM)))
        }
    }
}

/// Returns the board's chain, as its status describes it.
///
/// # Errors
/// A [`Problem`] when the board cannot tell.
pub(crate) fn held_by(status: &Status) -> Result<Option<Held>, Problem> {
    match status.chain() {
        BoardChain::Missing => Ok(None),
        BoardChain::Held(held) => Ok(Some(held)),
        BoardChain::Unclear(why) => Err(Problem::failed(format!(
            "the board cannot report which sign-in it has: {why}"
        ))
        .hint("`pulsewing board reset --factory` erases the board")),
    }
}
