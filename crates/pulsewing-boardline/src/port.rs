//! The transport of the bytes: a serial port, or a stand-in for one.

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use serial2::SerialPort;

use crate::SessionError;

/// The line's speed, in bits per second. It has no meaning for a board on USB.
const BAUD: u32 = 115_200;

/// How long a board may take to accept some bytes.
const WRITE_FOR: Duration = Duration::from_secs(5);

/// One end of a line to a board.
pub trait Port {
    /// Returns the path by which it was opened.
    fn path(&self) -> &Path;

    /// Reads what has arrived, and waits for it at most this long; returns no bytes after that
    /// time.
    ///
    /// # Errors
    /// [`SessionError::Lost`].
    fn read<'b>(&mut self, buffer: &'b mut [u8], wait: Duration) -> Result<&'b [u8], SessionError>;

    /// Writes all of the bytes.
    ///
    /// # Errors
    /// [`SessionError::Silent`] if the board does not accept them, [`SessionError::Lost`] if it is
    /// gone.
    fn write(&mut self, bytes: &[u8]) -> Result<(), SessionError>;

    /// Opens the port again after it was lost.
    ///
    /// # Errors
    /// [`SessionError::NoPort`] or [`SessionError::Busy`].
    fn reopen(&mut self) -> Result<(), SessionError>;
}

/// An open serial port, for the exclusive use of this program.
#[derive(Debug)]
pub struct Serial {
    serial: SerialPort,
    /// Holds the kernel's lock on the port. Two programs would read each other's replies.
    #[cfg(unix)]
    _lock: std::fs::File,
    path: PathBuf,
}

impl Serial {
    /// Opens a port by its device path.
    ///
    /// # Errors
    /// [`SessionError::NoPort`] or [`SessionError::Busy`].
    pub fn open(path: &Path) -> Result<Self, SessionError> {
        let mut serial = SerialPort::open(path, BAUD).map_err(SessionError::NoPort)?;
        serial
            .set_write_timeout(WRITE_FOR)
            .map_err(SessionError::NoPort)?;
        Ok(Self {
            #[cfg(unix)]
            _lock: lock(&serial)?,
            serial,
            path: path.to_owned(),
        })
    }
}

impl Port for Serial {
    fn path(&self) -> &Path {
        &self.path
    }

    fn read<'b>(&mut self, buffer: &'b mut [u8], wait: Duration) -> Result<&'b [u8], SessionError> {
        // The system counts in whole milliseconds; less than one would mean no wait at all.
        let wait = wait.max(Duration::from_millis(1));
        self.serial
            .set_read_timeout(wait)
            .map_err(SessionError::Lost)?;
        match self.serial.read(buffer) {
            Ok(0) => Err(SessionError::Lost(io::ErrorKind::UnexpectedEof.into())),
            Ok(length) => Ok(buffer.get(..length).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::TimedOut => Ok(&[]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(&[]),
            Err(error) => Err(SessionError::Lost(error)),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), SessionError> {
        self.serial
            .write_all(bytes)
            .map_err(|error| match error.kind() {
                io::ErrorKind::TimedOut => SessionError::Silent,
                _ => SessionError::Lost(error),
            })
    }

    fn reopen(&mut self) -> Result<(), SessionError> {
        *self = Self::open(&self.path)?;
        Ok(())
    }
}

#[cfg(unix)]
fn lock(serial: &SerialPort) -> Result<std::fs::File, SessionError> {
    use std::{fs::TryLockError, os::fd::AsFd};

    let file = std::fs::File::from(
        serial
            .as_fd()
            .try_clone_to_owned()
            .map_err(SessionError::NoPort)?,
    );
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(SessionError::Busy),
        Err(TryLockError::Error(error)) => Err(SessionError::NoPort(error)),
    }
}
