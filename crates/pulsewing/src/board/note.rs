//! The note of the board that this machine's sign-in is on its way to.

use std::{
    fmt, fs,
    io::{self, Write},
    path::Path,
};

use pulsewing_files::{Replacement, private, regular_file};
use serde::{Deserialize, Serialize};

const NAME: &str = "move.json";

/// The size limit for reading a note, in bytes.
const MAX_BYTES: u64 = 4 * 1_024;

/// The board that a chain is on its way to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Note {
    pub(super) board: String,
    pub(super) serial: String,
    pub(super) port: String,
    pub(super) generation: u32,
    pub(super) fingerprint: String,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            board,
            serial,
            port,
            ..
        } = self;
        write!(f, "{board} {serial}, last seen at {port}")
    }
}

impl Note {
    /// Reads the note; an unreadable one counts as absent.
    pub(super) fn load(dir: &Path) -> Option<Self> {
        let bytes = regular_file::read(&dir.join(NAME), MAX_BYTES).ok()?;
        serde_json::from_slice(&bytes).ok()
    }

    /// Writes the note durably.
    pub(super) fn save(&self, dir: &Path) -> io::Result<()> {
        private::make_dir(dir)?;
        let text = serde_json::to_vec(self)?;
        Replacement::new(&dir.join(NAME))
            .of_anything()
            .private()
            .durable()
            .write(|file| file.write_all(&text))
    }

    /// Removes the note, if there is one.
    pub(super) fn remove(dir: &Path) -> io::Result<()> {
        match fs::remove_file(dir.join(NAME)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}
