//! That there is one daemon for a wearer.

use std::{fs::File, io, path::Path};

use crate::places;

/// The right to run unattended; the kernel takes it back when the process ends, however it ends.
#[derive(Debug)]
pub struct Single {
    _lock: File,
}

impl Single {
    /// Takes the right; `None` when another process has it.
    ///
    /// # Errors
    /// What the file system says.
    pub fn claim(state_dir: &Path) -> io::Result<Option<Self>> {
        places::make_private_dir(state_dir)?;
        let lock = places::private_file()
            .read(true)
            .append(true)
            .create(true)
            .open(state_dir.join("run.lock"))?;
        match lock.try_lock() {
            Ok(()) => Ok(Some(Self { _lock: lock })),
            Err(std::fs::TryLockError::WouldBlock) => Ok(None),
            Err(std::fs::TryLockError::Error(error)) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_one_and_after_it_another() {
        let dir = tempfile::tempdir().unwrap();
        let first = Single::claim(dir.path()).unwrap();
        assert!(first.is_some());
        assert!(Single::claim(dir.path()).unwrap().is_none());
        drop(first);
        assert!(Single::claim(dir.path()).unwrap().is_some());
    }
}
