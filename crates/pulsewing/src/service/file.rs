//! The unit's file.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use super::{MARK, NAME};
use crate::{places, problem::Problem, regular_file};

/// The longest unit that can be ours, in bytes.
const MAX_BYTES: u64 = 64 * 1_024;

/// Where a user's units are, and ours among them.
#[derive(Clone, Debug)]
pub struct UnitFile {
    dir: PathBuf,
}

/// What is where the unit belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Existing {
    /// Nothing.
    None,
    /// One that we wrote.
    Ours(String),
    /// Somebody else's.
    Foreign,
}

/// What writing did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
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
    pub fn of_user() -> Result<Self, Problem> {
        Ok(Self {
            dir: places::config_home()?.join("systemd/user"),
        })
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.dir.join(NAME)
    }

    /// What is there.
    ///
    /// # Errors
    /// What the file system says.
    pub fn existing(&self) -> io::Result<Existing> {
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
    pub fn write(&self, text: &str) -> io::Result<Written> {
        let written = match self.existing()? {
            Existing::None => Written::New,
            Existing::Ours(before) if before == text => return Ok(Written::Unchanged),
            Existing::Ours(_) => Written::Replaced,
            Existing::Foreign => return Err(io::ErrorKind::AlreadyExists.into()),
        };
        fs::create_dir_all(&self.dir)?;
        let unfinished = self.dir.join(format!(".{NAME}.new"));
        let result =
            write_whole(&unfinished, text).and_then(|()| fs::rename(&unfinished, self.path()));
        if result.is_err() {
            // It is nothing to anybody.
            let _ = fs::remove_file(&unfinished);
        }
        result.map(|()| written)
    }

    /// Removes it, and the link by which it is started.
    ///
    /// # Errors
    /// What the file system says.
    pub fn remove(&self) -> io::Result<()> {
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

fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    let mut file = regular_file::create(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
