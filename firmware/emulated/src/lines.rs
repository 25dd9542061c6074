//! The harness's end of the board's serial line: every line is recorded, and the program's own
//! conversation with a board runs over it.

use std::{
    collections::VecDeque,
    io::{self, Read, Write},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use pulsewing_boardline::{Port, SessionError};

/// The lines that a board has printed.
pub struct Lines {
    heard: Arc<Heard>,
}

/// The same line, for the side that talks to the board.
pub struct Socket {
    heard: Arc<Heard>,
    speak: UnixStream,
    path: PathBuf,
}

#[derive(Default)]
struct Heard {
    said: Mutex<Said>,
    more: Condvar,
}

#[derive(Default)]
struct Said {
    lines: Vec<String>,
    /// Bytes that the conversation has not read yet.
    unread: VecDeque<u8>,
    is_over: bool,
}

/// Reads a line until it is closed.
pub fn listen(stream: UnixStream, path: &Path) -> Result<(Lines, Socket)> {
    let mut listen = stream.try_clone().context("the serial line")?;
    let heard = Arc::new(Heard::default());
    let ear = Arc::clone(&heard);
    thread::spawn(move || {
        let mut line = Vec::new();
        let mut piece = [0; 4_096];
        while let Ok(length @ 1..) = listen.read(&mut piece) {
            let mut said = ear.lock();
            said.unread.extend(&piece[..length]);
            for byte in &piece[..length] {
                if *byte == b'\n' {
                    said.lines.push(String::from_utf8_lossy(&line).into_owned());
                    line.clear();
                } else if *byte != b'\r' {
                    line.push(*byte);
                }
            }
            drop(said);
            ear.more.notify_all();
        }
        ear.lock().is_over = true;
        ear.more.notify_all();
    });
    let lines = Lines {
        heard: Arc::clone(&heard),
    };
    let socket = Socket {
        heard,
        speak: stream,
        path: path.to_owned(),
    };
    Ok((lines, socket))
}

impl Lines {
    /// Returns the number of lines so far: later lines count from here.
    pub fn count(&self) -> usize {
        self.heard.lock().lines.len()
    }

    /// Returns the lines from the given one on.
    pub fn since(&self, start: usize) -> Vec<String> {
        let said = self.heard.lock();
        said.lines.get(start..).unwrap_or_default().to_vec()
    }

    /// Waits for a matching line, from the given one on; returns it and the number after it.
    pub fn wait(
        &self,
        start: usize,
        limit: Duration,
        fits: impl Fn(&str) -> bool,
    ) -> Option<(usize, String)> {
        let mut next = start;
        self.heard.wait(limit, |said| {
            while let Some(line) = said.lines.get(next) {
                next += 1;
                if fits(line) {
                    return Some((next, line.clone()));
                }
            }
            None
        })
    }
}

impl Port for Socket {
    fn path(&self) -> &Path {
        &self.path
    }

    fn read<'b>(&mut self, buffer: &'b mut [u8], wait: Duration) -> Result<&'b [u8], SessionError> {
        let length = self.heard.wait(wait, |said| {
            if said.unread.is_empty() {
                let over = SessionError::Lost(io::ErrorKind::UnexpectedEof.into());
                return said.is_over.then_some(Err(over));
            }
            Some(said.unread.read(buffer).map_err(SessionError::Lost))
        });
        match length {
            None => Ok(&[]),
            Some(length) => Ok(buffer.get(..length?).unwrap_or_default()),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), SessionError> {
        self.speak.write_all(bytes).map_err(SessionError::Lost)
    }

    fn reopen(&mut self) -> Result<(), SessionError> {
        // QEMU keeps the line open as long as it runs.
        Err(SessionError::NoPort(io::ErrorKind::NotFound.into()))
    }
}

impl Heard {
    fn lock(&self) -> MutexGuard<'_, Said> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until something is found in the output.
    fn wait<T>(&self, limit: Duration, mut find: impl FnMut(&mut Said) -> Option<T>) -> Option<T> {
        let ends = Instant::now() + limit;
        let mut said = self.lock();
        loop {
            if let Some(found) = find(&mut said) {
                return Some(found);
            }
            let left = ends.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            said = self
                .more
                .wait_timeout(said, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_written_down_and_read_by_the_conversation() {
        let (mut board, harness) = UnixStream::pair().unwrap();
        let (lines, mut socket) = listen(harness, Path::new("serial")).unwrap();
        board.write_all(b"# pulsewing\r\n> ok\n").unwrap();
        let limit = Duration::from_secs(20);
        let found = lines.wait(0, limit, |line| line == "> ok");
        assert_eq!(found, Some((2, "> ok".to_owned())));
        let mut buffer = [0; 64];
        assert_eq!(
            socket.read(&mut buffer, limit).unwrap(),
            b"# pulsewing\r\n> ok\n"
        );
        socket.write(b"status\n").unwrap();
        let mut heard = [0; 7];
        board.read_exact(&mut heard).unwrap();
        assert_eq!(&heard, b"status\n");
        drop(board);
        assert!(matches!(
            socket.read(&mut buffer, limit),
            Err(SessionError::Lost(_))
        ));
    }
}
