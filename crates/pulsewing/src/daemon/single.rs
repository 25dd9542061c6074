//! The lock that allows only one daemon for a wearer.

use std::{
    fs::{File, TryLockError},
    io,
    path::Path,
};

use pulsewing_files::{private, regular_file};

/// The name of the lock file.
const LOCK: &str = "run.lock";

/// The number of attempts before we conclude that another process is the daemon.
const LOOKS: u32 = 100;

/// The lock of the daemon. The kernel releases it when the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct Single {
    _lock: File,
}

impl Single {
    /// Takes the lock; returns `None` when another process has it.
    pub(crate) fn claim(state_dir: &Path) -> io::Result<Option<Self>> {
        private::make_dir(state_dir)?;
        let lock = regular_file::open_with(
            private::options().read(true).append(true).create(true),
            &state_dir.join(LOCK),
        )?;
        // A process that only checks holds the lock for a moment.
        for _ in 0..LOOKS {
            match lock.try_lock() {
                Ok(()) => return Ok(Some(Self { _lock: lock })),
                Err(TryLockError::WouldBlock) => std::thread::yield_now(),
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
        Ok(None)
    }

    /// Returns whether a process has the lock. Changes nothing.
    pub(crate) fn is_claimed(state_dir: &Path) -> io::Result<bool> {
        let lock = match regular_file::open(&state_dir.join(LOCK)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            lock => lock?,
        };
        match lock.try_lock_shared() {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_one_and_after_it_another() {
        let dir = tempfile::tempdir().unwrap();
        assert!(!Single::is_claimed(dir.path()).unwrap());
        let first = Single::claim(dir.path()).unwrap();
        assert!(first.is_some() && Single::is_claimed(dir.path()).unwrap());
        assert!(Single::claim(dir.path()).unwrap().is_none());
        drop(first);
        assert!(!Single::is_claimed(dir.path()).unwrap());
        assert!(Single::claim(dir.path()).unwrap().is_some());
    }
}
