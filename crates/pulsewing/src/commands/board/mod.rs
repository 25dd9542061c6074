//! `pulsewing board`: sets up boards over their serial port, and manages them.

mod list;
mod login;
mod look;
mod password;
mod progress;
mod provision;
mod reset;
mod settings;

use std::path::{Path, PathBuf};

use super::print;
use crate::{
    app::App,
    board::{self, Session, Status, find, settle::settle},
    cli::{Board, BoardCommand},
    tell::problem::{Exit, Problem},
};

/// The time limit for a board's first answer: it may be in the middle of an update.
const ANSWER_WITHIN: std::time::Duration = std::time::Duration::from_secs(10);

pub(super) async fn run(app: &App, options: &Board) -> Result<(), Problem> {
    let port = options.port.as_deref();
    match &options.command {
        BoardCommand::List => list::run(app, port).await,
        BoardCommand::Provision(options) => provision::run(app, port, options).await,
        BoardCommand::Login(options) => login::run(app, port, options).await,
        BoardCommand::Status(options) => look::status(app, port, options).await,
        BoardCommand::Log => look::log(app, port).await,
        BoardCommand::Shot(options) => look::shot(app, port, options).await,
        BoardCommand::Reset(options) => reset::run(app, port, options).await,
    }
}

/// A board that answered, and its status.
struct Open {
    session: Session,
    status: Status,
    /// Whether no move of this machine's sign-in is unfinished (any more).
    is_settled: bool,
}

/// Opens the conversation with a board. First settles an interrupted move of this machine's
/// sign-in.
async fn open(app: &App, port: Option<&Path>) -> Result<Open, Problem> {
    let path = choose(port)?;
    let (mut session, status) = board::open(&path, ANSWER_WITHIN, app.console)
        .map_err(|trouble| board::problem(trouble, &path))?;
    app.console
        .detail(|| format!("{}: {} {}", path.display(), status.board(), status.serial()));
    let is_settled = settle(app.chain_file(), &mut session, &status, app.console).await?;
    Ok(Open {
        session,
        status,
        is_settled,
    })
}

/// Returns the requested port, or the only one where a board may be.
fn choose(port: Option<&Path>) -> Result<PathBuf, Problem> {
    if let Some(port) = port {
        return Ok(port.to_owned());
    }
    let plausible: Vec<PathBuf> = find::ports()
        .into_iter()
        .filter(|found| found.is_plausible)
        .map(|found| found.path)
        .collect();
    match plausible.as_slice() {
        [only] => Ok(only.clone()),
        [] => Err(Problem::new(Exit::Usage, "no board found")
            .hint("plug one in with a cable that carries data, or pass its port with --port")
            .hint("`pulsewing board list` shows the ports")),
        several => {
            let names: Vec<String> = several
                .iter()
                .map(|path| path.display().to_string())
                .collect();
            Err(
                Problem::new(Exit::Usage, "found more than one port that may be a board")
                    .hint(format!("choose one with --port: {}", names.join(", "))),
            )
        }
    }
}
