//! The unit's file.

use std::{
    fs,
    io::{self, Write},
    path::PathBuf,
};

use pulsewing_files::{Replacement, regular_file};

use super::{MARK, NAME};
use crate::{config::places, tell::problem::Problem};

/// The longest unit that can be ours, in bytes.
const MAX_BYTES: u64 = 64 * 1_024;

/// Where a user's units are, and ours among them.
#[derive(Clone, Debug)]
pub(crate) struct UnitFile {
    dir: PathBuf,
}

/// What is where the unit belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Existing {
    /// Nothing.
    None,
    /// One that we wrote.
    Ours(String),
    /// Somebody else's.
    Foreign,
}

/// What writing did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    /// There was none.
    New,
    /// There was another one of ours.
    Replaced,
    /// It was there already.
    Unchanged,
}

impl UnitFile {
    /// The place of this user's unit.
    ///
    /// # Errors
    /// A [`Problem`] when there is no home directory.
    pub(crate) fn for_user() -> Result<Self, Problem> {
        Ok(Self {
            dir: places::config_home()?.join("systemd/user"),
        })
    }

    /// The file.
    #[must_use]
    pub(crate) fn path(&self) -> PathBuf {
        self.dir.join(NAME)
    }

    /// What is there.
    ///
    /// # Errors
    /// What the file system says.
    pub(crate) fn existing(&self) -> io::Result<Existing> {
        match regular_file::read_text(&self.path(), MAX_BYTES) {
            Ok(text) if text.starts_with(MARK) => Ok(Existing::Ours(text)),
            Ok(_) => Ok(Existing::Foreign),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Existing::None),
            // Such as /dev/null, where systemd leads a unit that somebody has masked.
            Err(error) if is_of_another_kind(error.kind()) => Ok(Existing::Foreign),
            Err(error) => Err(error),
        }
    }

    /// Puts a text in the place of what we wrote before: whole or not at all.
    ///
    /// # Errors
    /// What the file system says; [`io::ErrorKind::AlreadyExists`] when somebody else's unit is there.
    pub(crate) fn write(&self, text: &str) -> io::Result<Written> {
        let written = match self.existing()? {
            Existing::None => Written::New,
            Existing::Ours(before) if before == text => return Ok(Written::Unchanged),
            Existing::Ours(_) => Written::Replaced,
            Existing::Foreign => return Err(io::ErrorKind::AlreadyExists.into()),
        };
        fs::create_dir_all(&self.dir)?;
        Replacement::new(&self.path())
            .durable()
            .write(|file| file.write_all(text.as_bytes()))?;
        Ok(written)
    }

    /// Removes it, and the link by which it is started.
    ///
    /// # Errors
    /// What the file system says.
    pub(crate) fn remove(&self) -> io::Result<()> {
        for path in [
            self.dir.join("default.target.wants").join(NAME),
            self.path(),
        ] {
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}

/// Whether this is why something cannot be a text of ours, whatever else it is.
const fn is_of_another_kind(error: io::ErrorKind) -> bool {
    use io::ErrorKind::{FileTooLarge, InvalidData, InvalidInput};
    matches!(error, FileTooLarge | InvalidData | InvalidInput)
}
