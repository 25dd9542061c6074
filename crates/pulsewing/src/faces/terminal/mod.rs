//! The heart rate in a terminal: the view of `pulsewing show`, and the restoration of the terminal.
//!
//! Drawing is pure: it needs only a [`View`] and a frame of any size. Parts that do not fit are
//! left out, the least important first: the day, the latest minutes, the facts; the rate, its zone
//! and its age are last. Everything that colours express is in words, too.

mod braille;
mod colours;
mod digits;
mod draw;
mod graph;
mod headline;
mod time_axis;
mod told;

use std::io;

use jiff::Timestamp;
use pulsewing_core::{Bpm, day::Day};
use ratatui::DefaultTerminal;

use crate::daemon::Snapshot;

pub(crate) use draw::draw;

/// Takes the terminal: switches to its alternate screen and to raw mode. On a panic it is restored
/// before the message is printed, so that the message is visible and the shell usable.
pub fn take() -> io::Result<DefaultTerminal> {
    ratatui::try_init()
}

/// Restores the terminal. If it is gone, the error cannot be shown to anybody.
pub(crate) fn give_back(terminal: &mut DefaultTerminal) {
    let _ = terminal.show_cursor();
    let _ = ratatui::try_restore();
}

/// The data to show.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View<'v> {
    /// The name of the wearer, if others can be shown as well.
    pub wearer: Option<&'v str>,
    /// The current state.
    pub snapshot: &'v Snapshot,
    /// The time.
    pub now: Timestamp,
    /// The day of the history that is shown, if one is chosen.
    pub past: Option<&'v Past>,
    /// The process that fetches.
    pub mode: Mode,
    /// A message of one line.
    pub message: Option<&'v str>,
    /// Whether the help on the keys is shown.
    pub has_help: bool,
    /// Whether colours may be used.
    pub has_colour: bool,
}

/// A day of the history.
#[derive(Clone, Debug)]
pub(crate) struct Past {
    /// Its date.
    pub date: jiff::civil::Date,
    /// Its minutes; `None` if nothing is known about it.
    pub day: Option<Day>,
    /// Its resting heart rate.
    pub resting: Option<Bpm>,
}

/// The process that fetches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// This program.
    Own,
    /// A daemon on this machine, which this program follows.
    Follows,
    /// This program, which is about to end but waits for a refresh.
    Leaving,
}

#[cfg(test)]
mod tests;
