//! A board on a serial port, seen from the host.
//!
//! One byte stream carries three things: the board's report and its log for people, the replies to
//! console commands, and Improv packets for web installers. Every line of a reply begins with `> `,
//! and the last one is `> ok` or `> error: …`; everything else is passed over here.
//!
//! | module | what |
//! |---|---|
//! | [`find`] | which ports there are |
//! | [`port`], [`mod@line`] | bytes and lines |
//! | [`command`] | a line to the board, with its secrets out of sight |
//! | [`session`] | a command and its reply; getting back into step after noise or a restart |
//! | [`upload`] | bytes that a line does not hold: a chain, certificates, a wallpaper |
//! | [`status`] | what a board says of itself |
//! | [`custody`] | moving a token chain, so that it has one owner at any time |
//! | [`shot`] | the board's screen as a picture |
//! | [`zone_rule`] | a time zone in one line |
//!
//! The serial port itself is the crate `serial2`: it opens whatever path names a terminal, which
//! pseudo-terminals (an emulated board, a test) are as well, it reads with a time-out, it needs no C
//! library, and its licence asks for no more than a notice.

pub mod command;
pub mod custody;
pub mod find;
pub mod line;
pub mod options;
pub mod port;
pub mod session;
pub mod shot;
pub mod status;
pub mod upload;
pub mod zone_rule;

pub use command::Command;
pub use session::Session;
pub use status::Status;

use std::{io, path::Path};

use crate::problem::{Exit, Problem};

/// Why a board did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The port cannot be opened.
    #[error("the port cannot be opened")]
    NoPort(#[source] io::Error),
    /// Somebody else has the port open.
    #[error("another program uses the port")]
    Busy,
    /// The port is gone: the board was unplugged.
    #[error("the connection to the board is lost")]
    Lost(#[source] io::Error),
    /// Nothing, or nothing of use, comes back.
    #[error("the board does not answer")]
    Silent,
    /// The board says no, in a sentence of its own.
    #[error("the board says: {0}")]
    Refused(String),
    /// What was asked for cannot be put into a line for the board.
    #[error("{0}")]
    Unsendable(&'static str),
    /// The board's answer makes no sense.
    #[error("the board's answer cannot be understood: {0}")]
    Nonsense(&'static str),
}

impl Trouble {
    /// Whether it is worth while to find the board again and repeat.
    #[must_use]
    pub const fn is_about_contact(&self) -> bool {
        matches!(self, Self::Lost(_) | Self::Silent)
    }

    /// The words for a person.
    #[must_use]
    pub fn into_problem(self, port: &Path) -> Problem {
        let port = port.display();
        match self {
            Self::NoPort(error) => {
                let hint = match error.kind() {
                    io::ErrorKind::PermissionDenied => {
                        "on Linux, ports belong to a group: `sudo usermod -aG dialout $USER` (uucp on Arch), then log in anew"
                    }
                    io::ErrorKind::NotFound => {
                        "is the board plugged in, with a cable that carries data? `pulsewing board list` shows the ports"
                    }
                    _ => "`pulsewing board list` shows the ports",
                };
                Problem::failed(format!("the port {port} cannot be opened"))
                    .caused_by(&error)
                    .hint(hint)
            }
            Self::Busy => Problem::new(
                Exit::Temporary,
                format!("another pulsewing uses the port {port}"),
            )
            .hint("wait until it has finished, then try again"),
            Self::Lost(error) => Problem::new(
                Exit::Temporary,
                format!("the connection to the board at {port} is lost"),
            )
            .caused_by(&error)
            .hint("plug it in again, then repeat the command"),
            Self::Silent => Problem::new(
                Exit::Temporary,
                format!("no board answers at {port}"),
            )
            .hint("is it the right port, does the board run Pulsewing, and is no other program (a serial monitor) reading from it?"),
            Self::Refused(sentence) => Problem::failed(format!("the board says: {sentence}")),
            Self::Unsendable(why) => Problem::failed(why),
            Self::Nonsense(why) => {
                Problem::failed(format!("the board's answer cannot be understood: {why}"))
                    .hint("are this program and the board's firmware of the same version?")
            }
        }
    }
}
