//! The progress of an upload, on stderr.

use std::{
    cell::Cell,
    io::{self, IsTerminal, Write},
};

use crate::tell::console::Console;

/// Shows the number of uploaded bytes.
pub(super) struct Progress {
    what: &'static str,
    total: usize,
    console: Console,
    is_terminal: bool,
    shown: Cell<Option<usize>>,
}

impl Progress {
    pub(super) fn new(what: &'static str, total: usize, console: Console) -> Self {
        Self {
            what,
            total,
            console,
            is_terminal: io::stderr().is_terminal(),
            shown: Cell::new(None),
        }
    }

    /// Updates one line on a terminal; elsewhere prints a line for every quarter.
    pub(super) fn show(&self, done: usize) {
        let percent = (100 * done).checked_div(self.total).unwrap_or(100);
        let step = if self.is_terminal {
            percent
        } else {
            percent / 25 * 25
        };
        if self.shown.replace(Some(step)) == Some(step) {
            return;
        }
        let text = format!("{}: {step} % of {} bytes", self.what, self.total);
        if self.is_terminal {
            // If the terminal is gone, nobody can read this.
            let _ = write!(io::stderr(), "\r{text}");
            if step == 100 {
                let _ = writeln!(io::stderr());
            }
        } else {
            self.console.say(&text);
        }
    }
}
