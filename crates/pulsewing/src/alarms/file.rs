//! The record of a wearer's alarms in their directory.

use std::{
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use pulsewing_core::alarm::{Alarms, Limits, MAX_RECORD, RecordError};
use pulsewing_files::{Replacement, private, regular_file};

/// The record of a wearer's alarms.
#[derive(Clone, Debug)]
pub(crate) struct AlarmFile {
    path: PathBuf,
}

/// The reason why the record cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AlarmFileError {
    /// The file system reports this.
    #[error("the alarms could not be read: {0}")]
    Unreadable(#[from] io::Error),
    /// The content is not a record.
    #[error(transparent)]
    Record(#[from] RecordError),
}

impl AlarmFile {
    /// The name of the file.
    pub(crate) const NAME: &str = "alarms.bin";

    /// Returns the record in a wearer's directory.
    pub(crate) fn new(dir: &Path) -> Self {
        Self {
            path: dir.join(Self::NAME),
        }
    }

    /// Returns its path.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the alarms; a wearer without a record has had none.
    ///
    /// # Errors
    /// An [`AlarmFileError`]. It is right to go on with no alarms then: a condition that holds is found
    /// again, and told again.
    pub(crate) fn load(&self, limits: Limits) -> Result<Alarms, AlarmFileError> {
        match regular_file::read(&self.path, MAX_RECORD as u64) {
            Ok(bytes) => Ok(Alarms::decode(limits, &bytes)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Alarms::new(limits)),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes the alarms, unless they are as in `saved`, which becomes what is written. The record
    /// survives a power cut.
    ///
    /// # Errors
    /// Whatever the file system reports.
    pub(crate) fn save(&self, alarms: &Alarms, saved: &mut Vec<u8>) -> io::Result<()> {
        let mut buffer = [0; MAX_RECORD];
        let bytes = alarms
            .encode(&mut buffer)
            .ok_or(io::ErrorKind::OutOfMemory)?;
        if bytes == saved {
            return Ok(());
        }
        if let Some(dir) = self.path.parent() {
            private::make_dir(dir)?;
        }
        Replacement::new(&self.path)
            .of_anything()
            .private()
            .durable()
            .write(|file| file.write_all(bytes))?;
        bytes.clone_into(saved);
        Ok(())
    }
}
