//! What became of a chain that was on its way to a board when a move was interrupted.

use std::io;

use pulsewing_core::chain::{Record, Standing, Stored};

use super::{
    Command, Session, Status,
    note::Note,
    status::{BoardChain, Held},
};
use crate::{
    custody::{Custody as _, chain_file::ChainFile, state_file::State},
    tell::{console::Console, problem::Problem},
};

/// The outcome for a chain that was on its way.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// The board has it.
    Arrived,
    /// The board does not have it, and cannot get it any more.
    NotArrived,
    /// It went to a different board from the one that we ask.
    ElsewhereBound,
    /// The outcome is unknown, for this reason.
    Unclear(String),
}

/// Finds out what became of a chain that was on its way to a board when a move was interrupted.
/// Returns whether no chain is on its way (any more).
///
/// # Errors
/// A [`Problem`] with the files or the board.
pub(crate) async fn settle(
    mut files: ChainFile,
    session: &mut Session,
    status: &Status,
    console: Console,
) -> Result<bool, Problem> {
    let is_moving = || files.stored().is_some_and(|chain| moves(&chain));
    if Note::load(&files.place().dir).is_none() && !is_moving() {
        return Ok(true);
    }
    let record = files.open().await?;
    settle_locked(&files, record, session, status, console)
}

/// Settles the move while the chain's lock is held; see [`settle`].
pub(super) fn settle_locked(
    files: &ChainFile,
    record: Option<Record>,
    session: &mut Session,
    status: &Status,
    console: Console,
) -> Result<bool, Problem> {
    let Some(record) = record else {
        // Interrupted during the erasure: erase the rest as well.
        files.erase_files().map_err(|error| not_erased(&error))?;
        forget(files)?;
        return Ok(true);
    };
    let chain = record.chain;
    if !moves(&chain) {
        // Interrupted before anything was sent.
        forget(files)?;
        return Ok(true);
    }
    let note = Note::load(&files.place().dir);
    let mut verdict = judge(&chain, note.as_ref(), status);
    if verdict == Verdict::NotArrived {
        // A write that seemed to fail may have succeeded with only its confirmation lost. After a
        // restart the board reports what its flash holds, and no upload is under way any more.
        verdict = match session.restart(&Command::new("reset")) {
            Ok(status) => judge(&chain, note.as_ref(), &status),
            Err(trouble) => Verdict::Unclear(trouble.to_string()),
        };
    }
    match verdict {
        Verdict::Arrived => finish(files, console)?,
        Verdict::NotArrived => take_back(files, &chain, console)?,
        Verdict::ElsewhereBound => {
            let board = note.map_or_else(String::new, |note| format!(" ({note})"));
            console.warn(&format!(
                "this machine's sign-in is being moved to another board{board}; connect that one and run `pulsewing board status` to find out which of them has it",
            ));
            return Ok(false);
        }
        Verdict::Unclear(why) => {
            console.warn(&format!(
                "this machine's sign-in is being moved to a board, and this board cannot say whether it has it: {why}",
            ));
            console.warn(
                "to resolve this, sign in again (`pulsewing login`), or erase the board (`pulsewing board reset --factory`) and run `pulsewing board status`",
            );
            return Ok(false);
        }
    }
    Ok(true)
}

fn moves(chain: &Stored) -> bool {
    chain.standing() == Standing::Moving
}

/// Ends a move: the board has the chain, and nobody else may.
fn finish(files: &ChainFile, console: Console) -> Result<(), Problem> {
    files.erase_files().map_err(|error| not_erased(&error))?;
    State::moved(files.place(), console);
    forget(files)?;
    console.say(
        "The sign-in is on the board now. It was erased from this machine; to sign in here as well, use `pulsewing login`.",
    );
    Ok(())
}

/// Puts the chain back into use on this machine.
fn take_back(files: &ChainFile, chain: &Stored, console: Console) -> Result<(), Problem> {
    let active = chain.with_standing(Standing::Active);
    files.store_alone(&active).map_err(|error| {
        Problem::failed("the sign-in did not reach the board and could not be restored here")
            .caused_by(&error)
            .hint("free up disk space, or make the state directory writable, then run `pulsewing board status`")
    })?;
    forget(files)?;
    console.say("The sign-in did not reach the board; it stays on this machine.");
    Ok(())
}

fn forget(files: &ChainFile) -> Result<(), Problem> {
    Note::remove(&files.place().dir).map_err(|error| not_erased(&error))
}

fn not_erased(error: &io::Error) -> Problem {
    Problem::failed("could not erase the remains of a sign-in that was moved")
        .caused_by(error)
        .hint("make the state directory writable, then run `pulsewing board status`")
}

fn judge(chain: &Stored, note: Option<&Note>, status: &Status) -> Verdict {
    let is_that_board = note.map(|note| note.serial == status.serial());
    match status.chain() {
        // No other board has this token, so it does not matter which board was noted.
        BoardChain::Held(held) if is_same(&held, chain) => Verdict::Arrived,
        _ if is_that_board == Some(false) => Verdict::ElsewhereBound,
        BoardChain::Unclear(why) => Verdict::Unclear(why),
        // The chain got a generation above the board's. An even higher one is its successor.
        BoardChain::Held(held)
            if is_that_board == Some(true)
                && held.provider == chain.provider()
                && held.generation > chain.generation() =>
        {
            Verdict::Arrived
        }
        BoardChain::Held(held) if held.generation >= chain.generation() => {
            Verdict::Unclear(format!("it has a different one ({held})"))
        }
        BoardChain::Held(_) | BoardChain::Missing if is_that_board == Some(true) => {
            Verdict::NotArrived
        }
        BoardChain::Held(_) | BoardChain::Missing => {
            Verdict::Unclear("there is no record of which board it was moved to".into())
        }
    }
}

fn is_same(held: &Held, chain: &Stored) -> bool {
    held.provider == chain.provider()
        && held.generation == chain.generation()
        && held.fingerprint == chain.refresh_token().fingerprint().to_string()
}
