//! A board on a serial port, seen from the host.
//!
//! The line itself, its commands and replies are [`pulsewing_boardline`]. This module has what the
//! program does with them.
//!
//! | module | contents |
//! |---|---|
//! | [`handover`] | the move of a token chain, with exactly one owner at any time |
//! | [`settle`] | what became of a move that was interrupted |
//! | `note` | the board that a chain is on its way to |
//! | [`zone_rule`] | a time zone as one line |

pub(crate) mod handover;
mod note;
pub(crate) mod settle;
pub(crate) mod zone_rule;

pub(crate) use pulsewing_boardline::{
    Command, SessionError, Status, find, session, shot, status, upload,
};

use std::{io, path::Path, time::Duration};

use pulsewing_boardline::Serial;

use crate::tell::{
    console::Console,
    problem::{Exit, Problem},
};

/// A conversation over a serial port.
pub(crate) type Session = pulsewing_boardline::Session<Serial>;

/// Opens a port and asks the board there for its status, for at most `patience`.
///
/// # Errors
/// [`SessionError`]; [`SessionError::Silent`] when no board of ours answers in time.
pub(crate) fn open(
    path: &Path,
    patience: Duration,
    console: Console,
) -> Result<(Session, Status), SessionError> {
    let detail = move |text: &str| console.detail(|| text.to_owned());
    Session::begin(Serial::open(path)?, patience, detail)
}

/// Puts a conversation's error into words.
pub(crate) fn explained<T>(
    result: Result<T, SessionError>,
    session: &Session,
) -> Result<T, Problem> {
    result.map_err(|trouble| problem(trouble, session.path()))
}

/// Explains to a person why the board at a port did not do what it was asked to.
pub(crate) fn problem(trouble: SessionError, port: &Path) -> Problem {
    let port = port.display();
    match trouble {
        SessionError::NoPort(error) => {
            let hint = match error.kind() {
                io::ErrorKind::PermissionDenied => {
                    "on Linux, ports belong to a group: `sudo usermod -aG dialout $USER` (uucp on Arch), then log out and in again"
                }
                io::ErrorKind::NotFound => {
                    "check that the board is plugged in with a cable that carries data; `pulsewing board list` shows the ports"
                }
                _ => "`pulsewing board list` shows the ports",
            };
            Problem::failed(format!("the port {port} cannot be opened"))
                .caused_by(&error)
                .hint(hint)
        }
        SessionError::Busy => Problem::new(
            Exit::Temporary,
            format!("another pulsewing is using the port {port}"),
        )
        .hint("wait until it has finished, then try again"),
        SessionError::Lost(error) => Problem::new(
            Exit::Temporary,
            format!("lost the connection to the board at {port}"),
        )
        .caused_by(&error)
        .hint("plug it in again, then run the command again"),
        SessionError::Silent => Problem::new(
            Exit::Temporary,
            format!("no board answers at {port}"),
        )
        .hint("check that it is the right port, that the board runs Pulsewing, and that no other program (such as a serial monitor) is reading from it"),
        SessionError::Refused(sentence) => Problem::failed(format!("the board says: {sentence}")),
        SessionError::Unsendable(why) => Problem::failed(why),
        SessionError::Nonsense(why) => {
            Problem::failed(format!("the board's answer cannot be understood: {why}"))
                .hint("check that this program and the board's firmware have the same version")
        }
    }
}
