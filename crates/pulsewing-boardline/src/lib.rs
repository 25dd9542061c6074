//! The host's end of a board's serial line.
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
//! | [`shot`] | the board's screen as a picture |
//!
//! What may be said to a board, and whose token chain goes where, is decided by the host program; nothing
//! here knows of it. Start reading at [`Session`].
//!
//! The serial port itself is the crate `serial2`: it opens whatever path names a terminal, which
//! pseudo-terminals (an emulated board, a test) are as well, it reads with a time-out, it needs no C
//! library, and its licence asks for no more than a notice.

#![deny(missing_docs)]
#![forbid(unsafe_code)]

pub mod command;
pub mod find;
pub mod line;
pub mod port;
pub mod session;
pub mod shot;
pub mod status;
pub mod upload;

use std::io;

pub use command::Command;
pub use port::{Port, Serial};
pub use session::Session;
pub use status::Status;

/// Why a board did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
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

impl SessionError {
    /// Whether it is worth while to find the board again and repeat.
    #[must_use]
    pub const fn is_about_contact(&self) -> bool {
        matches!(self, Self::Lost(_) | Self::Silent)
    }
}
