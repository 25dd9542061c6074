//! The unit's file.

use std::{
    fs,
    io::{self, Write},
    path::PathBuf,
};

use pulsewing_files::{Replacement, regular_file};

use super::{MARK, NAME};
use crate::{config::places, tell::problem::Problem};

/// The size limit of a unit that can be ours, in bytes.
const MAX_BYTES: u64 = 64 * 1_024;

/// The location of the user's units, including ours.
#[derive(Clone, Debug)]
pub(crate) struct UnitFile {
    dir: PathBuf,
}

/// The present content of the unit's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Existing {
    /// Nothing.
    None,
    /// One that we wrote.
    Ours(String),
    /// A unit that we did not write.
    Foreign,
}

/// The effect of writing the unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    /// There was none before.
    New,
    /// It replaced another one of ours.
    Replaced,
    /// The same unit was there already.
    Unchanged,
}

impl UnitFile {
    /// Returns the place of this user's unit.
    ///
    /// # Errors
    /// A [`Problem`] when there is no home directory.
    pub(crate) fn for_user() -> Result<Self, Problem> {
        Ok(Self {
            dir: places::config_home()?.join("systemd/user"),
        })
    }

    /// Returns the path of the file.
    pub(crate) fn path(&self) -> PathBuf {
        self.dir.join(NAME)
    }

    /// Reads what is there.
    pub(crate) fn existing(&self) -> io::Result<Existing> {
        match regular_file::read_text(&self.path(), MAX_BYTES) {
            Ok(text) if text.starts_with(MARK) => Ok(Existing::Ours(text)),
            Ok(_) => Ok(Existing::Foreign),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Existing::None),
            // Such as /dev/null: systemd links a masked unit to it.
            Err(error) if is_of_another_kind(error.kind()) => Ok(Existing::Foreign),
            Err(error) => Err(error),
        }
    }

    /// Writes a unit, or replaces the one that we wrote before, atomically.
    ///
    /// # Errors
    /// Whatever the file system reports; [`io::ErrorKind::AlreadyExists`] if there is a unit that
    /// we did not write.
    pub(crate) fn write(&self, text: &str) -> io::Result<Written> {
        let written = match self.existing()? {
            Existing::None => Written::New,
            Existing::Ours(before) if before == text => return Ok(Written::Unchanged),
            Existing::Ours(_) => Written::Replaced,
            Existing::Foreign => return Err(io::ErrorKind::AlreadyExists.into()),
        };
        fs::create_dir_all(&self.dir)?;
        Replacement::new(&self.path())
            .of_anything()
            .durable()
            .write(|file| file.write_all(text.as_bytes()))?;
        Ok(written)
    }

    /// Removes the unit, and the link that starts it.
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

/// Returns whether this error means that the path is not a text file, and so not ours.
const fn is_of_another_kind(error: io::ErrorKind) -> bool {
    use io::ErrorKind::{FileTooLarge, InvalidData, InvalidInput};
    matches!(error, FileTooLarge | InvalidData | InvalidInput)
}
