//! The board's serial line, as the harness hears it.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// The lines that a board has said, and a way to answer.
pub(crate) struct Lines {
    heard: Arc<Heard>,
    speak: UnixStream,
}

#[derive(Default)]
struct Heard {
    lines: Mutex<Vec<String>>,
    more: Condvar,
}

impl Lines {
    /// Listens to a line until it is hung up.
    pub(crate) fn listen(stream: UnixStream) -> Result<Self, String> {
        let failed = |error: std::io::Error| format!("the serial line: {error}");
        let mut listen = stream.try_clone().map_err(failed)?;
        let heard = Arc::new(Heard::default());
        let ear = Arc::clone(&heard);
        thread::spawn(move || {
            let mut line = Vec::new();
            let mut piece = [0; 4_096];
            while let Ok(length @ 1..) = listen.read(&mut piece) {
                for byte in &piece[..length] {
                    if *byte == b'\n' {
                        ear.lock().push(String::from_utf8_lossy(&line).into_owned());
                        line.clear();
                    } else if *byte != b'\r' {
                        line.push(*byte);
                    }
                }
                ear.more.notify_all();
            }
        });
        Ok(Self {
            heard,
            speak: stream,
        })
    }

    /// How many lines there are: those that come count from here.
    pub(crate) fn count(&self) -> usize {
        self.heard.lock().len()
    }

    /// The lines from that one on.
    pub(crate) fn since(&self, start: usize) -> Vec<String> {
        self.heard.lock().get(start..).unwrap_or_default().to_vec()
    }

    /// Says a line.
    pub(crate) fn say(&mut self, line: &str) -> Result<(), String> {
        writeln!(self.speak, "{line}").map_err(|error| format!("the serial line: {error}"))
    }

    /// Waits for a line that fits, from the given one on; returns it and the number behind it.
    pub(crate) fn wait(
        &self,
        start: usize,
        limit: Duration,
        fits: impl Fn(&str) -> bool,
    ) -> Option<(usize, String)> {
        let ends = Instant::now() + limit;
        let mut lines = self.heard.lock();
        let mut next = start;
        loop {
            while let Some(line) = lines.get(next) {
                next += 1;
                if fits(line) {
                    return Some((next, line.clone()));
                }
            }
            let left = ends.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            lines = self
                .heard
                .more
                .wait_timeout(lines, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }
}

impl Heard {
    fn lock(&self) -> MutexGuard<'_, Vec<String>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
