//! `pulsewing board`: sets boards up over their serial port, and looks after them.

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
    board::{self, Session, Status, find, handover},
    cli::{Board, BoardCommand},
    tell::problem::{Exit, Problem},
};

/// How long a board may take to answer for the first time: it may be in the middle of an update.
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

/// A board that answered, and what it said.
struct Open {
    session: Session,
    status: Status,
    /// Whether this machine's sign-in is not on its way to any board (any more).
    is_settled: bool,
}

/// Opens the conversation with a board. A move of this machine's sign-in that was interrupted is
/// settled before anything else.
async fn open(app: &App, port: Option<&Path>) -> Result<Open, Problem> {
    let path = choose(port)?;
    let (mut session, status) = board::open(&path, ANSWER_WITHIN, app.console)
        .map_err(|trouble| board::problem(trouble, &path))?;
    app.console
        .detail(|| format!("{}: {} {}", path.display(), status.board(), status.serial()));
    let is_settled = handover::settle(app, &mut session, &status).await?;
    Ok(Open {
        session,
        status,
        is_settled,
    })
}

/// The port that is asked for, or the only one that a board may be at.
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
        [] => Err(
            Problem::new(Exit::Usage, "no board is plugged in, as far as can be seen")
                .hint("plug one in with a cable that carries data, or name its port with --port")
                .hint("`pulsewing board list` shows the ports"),
        ),
        several => {
            let names: Vec<String> = several
                .iter()
                .map(|path| path.display().to_string())
                .collect();
            Err(
                Problem::new(Exit::Usage, "more than one board may be plugged in")
                    .hint(format!("name the port with --port: {}", names.join(", "))),
            )
        }
    }
}
