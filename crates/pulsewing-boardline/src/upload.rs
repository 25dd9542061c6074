//! Uploads data that does not fit into a line, in pieces.

use std::time::Duration;

use base64ct::{Base64, Encoding};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::{Command, Port, Session, SessionError, Status, session::PATIENCE};

/// How many bytes a line carries: with `data ` and in base64 they have to fit into the 512 bytes of
/// a line that a board accepts.
const PIECE: usize = 375;

/// How long an upload may take to begin: a board that is refreshing its chain finishes that first.
const BEGIN_WITHIN: Duration = Duration::from_secs(40);

/// How often an upload is started when contact is lost meanwhile.
const ATTEMPTS: u32 = 3;

/// What can be uploaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// The record of a token chain.
    Chain,
    /// Certificates that are trusted in addition to the board's own.
    Roots,
    /// A picture for times without a heart rate to show.
    Wallpaper,
}

impl What {
    const fn word(self) -> &'static str {
        match self {
            Self::Chain => "chain",
            Self::Roots => "roots",
            Self::Wallpaper => "wallpaper",
        }
    }
}

impl<P: Port> Session<P> {
    /// Uploads bytes and has the board store them. `progress` receives the number of bytes that the
    /// board has. If contact is lost, the upload starts over, unless `is_there` finds in the
    /// board's status that the bytes had arrived. Returns the board's reply about what it stored;
    /// nothing if the status showed that.
    ///
    /// # Errors
    /// [`SessionError`]; [`SessionError::Refused`] if the board does not store them.
    pub fn upload(
        &mut self,
        what: What,
        bytes: &[u8],
        mut progress: impl FnMut(usize),
        is_there: impl Fn(&Status) -> bool,
    ) -> Result<Vec<String>, SessionError> {
        let mut attempt = 1;
        loop {
            match self.attempt(what, bytes, &mut progress) {
                Err(trouble) if trouble.is_about_contact() => {
                    let status = self.resync(PATIENCE)?;
                    if is_there(&status) {
                        return Ok(Vec::new());
                    }
                    if attempt == ATTEMPTS {
                        return Err(trouble);
                    }
                }
                // The board also refuses a line that is damaged by noise.
                Err(SessionError::Refused(_)) if attempt == 1 => self.abort()?,
                result => return result,
            }
            attempt += 1;
        }
    }

    /// Aborts an upload that was begun.
    ///
    /// # Errors
    /// [`SessionError`] if contact fails; it is not an error if there was no upload.
    pub fn abort(&mut self) -> Result<(), SessionError> {
        match self.ask(&Command::new("abort")) {
            Ok(_) | Err(SessionError::Refused(_)) => Ok(()),
            Err(trouble) => Err(trouble),
        }
    }

    fn attempt(
        &mut self,
        what: What,
        bytes: &[u8],
        progress: &mut impl FnMut(usize),
    ) -> Result<Vec<String>, SessionError> {
        let put = Command::new("put")
            .word(what.word())
            .word(&bytes.len().to_string())
            .word(&checksum(bytes));
        self.ask_once_within(&put, BEGIN_WITHIN)?;
        let mut sent = 0;
        progress(sent);
        for piece in bytes.chunks(PIECE) {
            let text = Zeroizing::new(Base64::encode_string(piece));
            self.ask_once(&Command::new("data").secret(&text))?;
            sent += piece.len();
            progress(sent);
        }
        self.ask_once(&Command::new("commit"))
    }
}

/// Returns the first twelve hexadecimal digits of the bytes' SHA-256.
fn checksum(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .take(6)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_piece_fits_into_a_line() {
        let text = Base64::encode_string(&[0xff; PIECE]);
        assert!(Command::new("data").secret(&text).line().is_ok());
    }

    #[test]
    fn the_checksum_is_the_beginning_of_the_sha_256() {
        assert_eq!(checksum(b"abc"), "ba7816bf8f01");
    }
}
