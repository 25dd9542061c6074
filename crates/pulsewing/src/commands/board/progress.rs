//! How far an upload is, on stderr.

use std::{
    cell::Cell,
    io::{self, IsTerminal, Write},
};

use crate::tell::console::Console;

/// Shows how many bytes of an upload the board has.
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

    /// On a terminal one line counts up; elsewhere every quarter is a line.
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
            // A terminal that has gone away has nobody to be shown anything.
            let _ = write!(io::stderr(), "\r{text}");
            if step == 100 {
                let _ = writeln!(io::stderr());
            }
        } else {
            self.console.say(&text);
        }
    }
}
