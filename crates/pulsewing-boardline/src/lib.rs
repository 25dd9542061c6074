//! The host's end of a board's serial line.
//!
//! One byte stream carries three things: the board's report and its log for people, the replies to
//! console commands, and Improv packets for web installers. Every line of a reply begins with `> `,
//! and the last one is `> ok` or `> error: …`; everything else is ignored here.
//!
//! | module | contents |
//! |---|---|
//! | [`find`] | the ports of this machine |
//! | [`port`], [`mod@line`] | bytes and lines |
//! | [`command`] | a line to the board, with its secrets hidden |
//! | [`session`] | a command and its reply; resynchronising after noise or a restart |
//! | [`upload`] | data that does not fit into a line: a chain, certificates, a wallpaper |
//! | [`status`] | the status that a board reports |
//! | [`shot`] | the board's screen as a picture |
//!
//! The host program decides which commands a board may get, and which token chain goes where; this
//! crate knows nothing about that. Start reading at [`Session`].
//!
//! The serial port itself is the crate `serial2`: it opens any path that names a terminal,
//! including pseudo-terminals (an emulated board, a test), it reads with a time-out, it needs no C
//! library, and its licence only requires a notice.

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

/// Why a board did not execute a request.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The port cannot be opened.
    #[error("the port cannot be opened")]
    NoPort(#[source] io::Error),
    /// Another program has the port open.
    #[error("another program is using the port")]
    Busy,
    /// The port is gone: the board was unplugged.
    #[error("lost the connection to the board")]
    Lost(#[source] io::Error),
    /// Nothing, or nothing usable, comes back.
    #[error("the board does not answer")]
    Silent,
    /// The board refuses, with a message of its own.
    #[error("the board says: {0}")]
    Refused(String),
    /// The request cannot be put into a line for the board.
    #[error("{0}")]
    Unsendable(&'static str),
    /// The board's answer makes no sense.
    #[error("the board's answer cannot be understood: {0}")]
    Nonsense(&'static str),
}

impl SessionError {
    /// Returns whether it makes sense to find the board again and repeat.
    #[must_use]
    pub const fn is_about_contact(&self) -> bool {
        matches!(self, Self::Lost(_) | Self::Silent)
    }
}
