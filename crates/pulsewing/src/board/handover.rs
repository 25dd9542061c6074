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

use std::{
    fs,
    io::{self, Write},
    path::Path,
};

use jiff::Timestamp;
use pulsewing_core::{
    chain::{Client, Record, Standing, Stored, Unstored, codec::MAX_RECORD},
    oauth::Grant,
};
use pulsewing_files::{Replacement, private, regular_file};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{
    Command, Session, Status,
    status::{BoardChain, Held},
    upload::What,
};
use crate::{
    app::{self, App},
    custody::chain_file::ChainFile,
    tell::problem::{Exit, Problem},
};

const NOTE: &str = "move.json";

/// The size limit for reading a note, in bytes.
const MAX_NOTE: u64 = 4 * 1_024;

/// The way in which a board gets this machine's chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Handover {
    /// Afterwards only the board has it.
    Move,
    /// Both have it: for a provider that does not rotate tokens.
    Copy,
}

/// The board that a chain is on its way to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Note {
    board: String,
    serial: String,
    port: String,
    generation: u32,
    fingerprint: String,
}

/// The distance from the board's own generation to that of a chain that replaces it. The board may
/// renew its own chain while the new one is on its way: that must neither make the new one look
/// old, nor be mistaken for its successor.
const ROOM: u32 = 16;

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
    app: &App,
    session: &mut Session,
    status: &Status,
) -> Result<bool, Problem> {
    let is_moving = || {
        let loaded = app.chain_file().load();
        loaded.is_ok_and(|loaded| loaded.record.is_some_and(|record| moves(&record)))
    };
    if Note::load(app.state_dir()).is_none() && !is_moving() {
        return Ok(true);
    }
    let mut files = app.chain_file();
    let record = app::open_chain(&mut files).await?;
    settle_locked(app, &files, record, session, status)
}

fn moves(record: &Record) -> bool {
    record.chain.standing() == Standing::Moving
}

fn settle_locked(
    app: &App,
    files: &ChainFile,
    record: Option<Record>,
    session: &mut Session,
    status: &Status,
) -> Result<bool, Problem> {
    let note = Note::load(app.state_dir());
    let Some(record) = record else {
        // Interrupted during the erasure: erase the rest as well.
        files.erase().map_err(|error| not_erased(&error))?;
        Note::remove(app.state_dir()).map_err(|error| not_erased(&error))?;
        return Ok(true);
    };
    if !moves(&record) {
        // Interrupted before anything was sent.
        Note::remove(app.state_dir()).map_err(|error| not_erased(&error))?;
        return Ok(true);
    }
    let mut verdict = judge(&record.chain, note.as_ref(), status);
    if verdict == Verdict::NotArrived {
        // A write that seemed to fail may have succeeded with only its confirmation lost. After a
        // restart the board reports what its flash holds, and no upload is under way any more.
        verdict = match session.restart(&Command::new("reset")) {
            Ok(status) => judge(&record.chain, note.as_ref(), &status),
            Err(trouble) => Verdict::Unclear(trouble.to_string()),
        };
    }
    match verdict {
        Verdict::Arrived => {
            files.erase().map_err(|error| not_erased(&error))?;
            let mut state = app.state();
            state.forget_account();
            app.save_state(&mut state);
            Note::remove(app.state_dir()).map_err(|error| not_erased(&error))?;
            app.console.say(
                "The sign-in is on the board now. On this machine it was erased: `pulsewing login` makes another one here.",
            );
            Ok(true)
        }
        Verdict::NotArrived => {
            files.take_back(&record).map_err(|error| {
                Problem::failed("the sign-in did not reach the board, and could not be taken back")
                    .caused_by(&error)
                    .hint("make room, or make the state directory writable, then run `pulsewing board status`")
            })?;
            Note::remove(app.state_dir()).map_err(|error| not_erased(&error))?;
            app.console
                .say("The sign-in did not reach the board; it stays on this machine.");
            Ok(true)
        }
        Verdict::ElsewhereBound => {
            let bound_for = note.map_or_else(String::new, |note| {
                format!(
                    " ({} {}, last seen at {})",
                    note.board, note.serial, note.port
                )
            });
            app.console.warn(&format!(
                "this machine's sign-in is on its way to another board{bound_for}; connect that one and run `pulsewing board status`, so that it is known who has it",
            ));
            Ok(false)
        }
        Verdict::Unclear(why) => {
            app.console.warn(&format!(
                "this machine's sign-in is on its way to a board, and this one cannot say whether it has it: {why}",
            ));
            app.console.warn(
                "to end this, sign in anew (`pulsewing login`), or erase the board (`pulsewing board reset --factory`) and run `pulsewing board status`",
            );
            Ok(false)
        }
    }
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
            Verdict::Unclear(format!("it has another one ({held})"))
        }
        BoardChain::Held(_) | BoardChain::Missing if is_that_board == Some(true) => {
            Verdict::NotArrived
        }
        BoardChain::Held(_) | BoardChain::Missing => {
            Verdict::Unclear("it is not remembered which board that is".into())
        }
    }
}

fn is_same(held: &Held, chain: &Stored) -> bool {
    held.provider == chain.provider()
        && held.generation == chain.generation()
        && held.fingerprint == chain.refresh_token().fingerprint().to_string()
}

/// Gives this machine's chain to a board. `replace` lets it take the place of one that the board
/// uses; `progress` receives the number of bytes that the board has, and the total.
///
/// # Errors
/// A [`Problem`] that says where the chain is.
pub(crate) async fn hand_over(
    app: &App,
    session: &mut Session,
    how: Handover,
    replace: bool,
) -> Result<(), Problem> {
    let mut files = app.chain_file();
    let record = app::open_chain(&mut files).await?.ok_or_else(|| {
        Problem::new(Exit::ConsentNeeded, "there is no sign-in on this machine").hint(
            "`pulsewing board login` signs in for the board; `pulsewing login` for this machine",
        )
    })?;
    check(&record, how)?;
    let in_words =
        |trouble: super::SessionError, session: &Session| super::problem(trouble, session.path());
    let status = session
        .status()
        .map_err(|trouble| in_words(trouble, session))?;
    let generation = next_generation(&record.chain, &status, replace)?;
    let handed = handed_over(&record.chain, generation, app.now())
        .ok_or_else(|| Problem::failed("the sign-in cannot be handed over"))?;
    let mut buffer = Zeroizing::new([0; MAX_RECORD]);
    let bytes = handed
        .encode(&mut *buffer)
        .ok_or_else(|| Problem::failed("the sign-in cannot be handed over"))?;
    let expected = Held {
        provider: record.chain.provider(),
        generation,
        standing: "active".into(),
        fingerprint: record.chain.refresh_token().fingerprint().to_string(),
    };
    if how == Handover::Move {
        // Recorded as the board gets it: `settle` compares the board's generation with this one.
        let moving = Record::decode(bytes).map_err(|error| {
            Problem::failed("the sign-in cannot be handed over").caused_by(&error)
        })?;
        let note = Note {
            board: status.board().to_owned(),
            serial: status.serial().to_owned(),
            port: session.path().display().to_string(),
            generation,
            fingerprint: expected.fingerprint.clone(),
        };
        note.save(app.state_dir())
            .and_then(|()| files.mark_moving(&moving))
            .map_err(|error| {
                Problem::failed(
                    "that the sign-in moves could not be written down, so it was not moved",
                )
                .caused_by(&error)
            })?;
    }
    let sent = send_chain(session, bytes, &expected);
    let problem = sent.err();
    if how == Handover::Move {
        // However the upload ended, only what the board holds counts.
        let status = session.status().map_err(|trouble| {
            in_words(trouble, session).hint("the sign-in is on its way to the board: connect it and run `pulsewing board status`, so that it is known who has it")
        })?;
        let moving = files.load()?.record;
        let is_over = settle_locked(app, &files, moving, session, &status)?;
        let arrived = is_over && files.load()?.record.is_none();
        return match problem {
            Some(problem) if !arrived => Err(problem),
            None if !arrived => Err(Problem::failed(
                "the board does not hold the sign-in that it was sent",
            )),
            _ => Ok(()),
        };
    }
    if let Some(problem) = problem {
        return Err(problem);
    }
    app.console
        .say("The sign-in is on the board and on this machine.");
    Ok(())
}

/// Uploads a chain, and compares it with what the board reports as stored.
///
/// # Errors
/// A [`Problem`] with the board's or the line's message.
pub(crate) fn send_chain(
    session: &mut Session,
    bytes: &[u8],
    expected: &Held,
) -> Result<(), Problem> {
    let holds = |status: &Status| match status.chain() {
        BoardChain::Held(held) => {
            held.provider == expected.provider
                && (held == *expected || held.generation > expected.generation)
        }
        _ => false,
    };
    let reply = session
        .upload(What::Chain, bytes, |_| (), holds)
        .map_err(|trouble| super::problem(trouble, session.path()))?;
    // The reply right after the write is about this generation; a later status may be about the
    // next.
    let stored = reply.iter().find_map(|line| line.strip_prefix("chain: "));
    let (is_there, stored) = match stored {
        Some(text) => (
            Held::parse(text).as_ref() == Some(expected),
            text.to_owned(),
        ),
        None => {
            let status = session
                .status()
                .map_err(|trouble| super::problem(trouble, session.path()))?;
            let chain = status.get("chain").unwrap_or("none").to_owned();
            (holds(&status), chain)
        }
    };
    if is_there {
        Ok(())
    } else {
        Err(mismatch(&expected.to_string(), &stored))
    }
}

fn mismatch(wanted: &str, stored: &str) -> Problem {
    Problem::failed(format!(
        "the board stored another sign-in than it was sent: \"{stored}\" instead of \"{wanted}\""
    ))
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
                "this machine's sign-in is on its way to a board already",
            )
            .hint(format!(
                "connect that board and run `pulsewing board status`; or sign in anew with `{login}`"
            )));
        }
    }
    if record.intent.is_some() {
        return Err(Problem::new(
            Exit::Temporary,
            "a refresh of this machine's sign-in was interrupted and has to be completed first",
        )
        .hint("run `pulsewing once`, then repeat this command"));
    }
    if how == Handover::Copy && chain.provider().rotates() {
        return Err(Problem::failed(format!(
            "{} gives every refresh token once, so a sign-in cannot be in two places",
            chain.provider()
        ))
        .hint("move it with --move-chain, or sign in for the board with `pulsewing board login`"));
    }
    Ok(())
}

/// Returns the generation that the chain gets on the board. A board never accepts an older one.
fn next_generation(chain: &Stored, status: &Status, replace: bool) -> Result<u32, Problem> {
    match status.chain() {
        BoardChain::Missing => Ok(chain.generation()),
        BoardChain::Held(held) => {
            let is_other = held.fingerprint != chain.refresh_token().fingerprint().to_string();
            if held.is_active() && is_other && !replace {
                return Err(
                    Problem::failed(format!("the board is signed in already ({held})"))
                        .hint("add --replace to put this machine's sign-in in its place"),
                );
            }
            Ok(chain.generation().max(held.generation.saturating_add(ROOM)))
        }
        BoardChain::Unclear(why) => Err(Problem::failed(format!(
            "the board cannot say which sign-in it has: {why}"
        ))
        .hint("`pulsewing board reset --factory` erases the board")),
    }
}

/// Returns the chain as the board gets it: without an access token, so that the board has to fetch
/// one, which shows that the chain works.
fn handed_over(chain: &Stored, generation: u32, now: Timestamp) -> Option<Unstored> {
    // If it has expired, leave it to the provider to refuse it.
    let refresh_lifetime_s = chain
        .refresh_expires_at()
        .map(|ends| u32::try_from(ends.duration_since(now).as_secs()).unwrap_or(0));
    let grant = Grant {
        refresh: Some(chain.refresh_token().clone()),
        access: None,
        scopes: Some(chain.scopes()),
        refresh_lifetime_s,
        user_id: chain.user_id().and_then(|id| id.try_into().ok()),
    };
    Unstored::signed_in(
        chain.provider(),
        chain.issuer().try_into().ok()?,
        Client::clone(chain.client()),
        grant,
        chain.scopes(),
        Some(generation.checked_sub(1)?),
        now,
    )
}

fn not_erased(error: &io::Error) -> Problem {
    Problem::failed("what is left of a sign-in that was moved could not be erased")
        .caused_by(error)
        .hint("make the state directory writable, then run `pulsewing board status`")
}

impl Note {
    /// Reads the note; an unreadable one counts as absent.
    fn load(dir: &Path) -> Option<Self> {
        let bytes = regular_file::read(&dir.join(NOTE), MAX_NOTE).ok()?;
        serde_json::from_slice(&bytes).ok()
    }

    /// Writes the note durably.
    fn save(&self, dir: &Path) -> io::Result<()> {
        private::make_dir(dir)?;
        let text = serde_json::to_vec(self)?;
        Replacement::new(&dir.join(NOTE))
            .of_anything()
            .private()
            .durable()
            .write(|file| file.write_all(&text))
    }

    fn remove(dir: &Path) -> io::Result<()> {
        match fs::remove_file(dir.join(NOTE)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}
