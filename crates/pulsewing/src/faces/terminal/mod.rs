//! The heart rate in a terminal: the view of `pulsewing show`, and the restoration of the terminal.
//!
//! Drawing is pure: it needs only a [`View`] and a frame of any size. Parts that do not fit are
//! left out, the least important first: the day, the latest minutes, the facts; the rate, its zone
//! and its age are last. Everything that colours express is in words, too.

mod digits;
mod draw;
mod graph;

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
mod tests {
    use std::sync::Arc;

    use jiff::SignedDuration;
    use proptest::prelude::*;
    use pulsewing_core::{Provider, cycle::Failure, dialect::ZoneFacts, reading::Reading};
    use pulsewing_testkit::readings::with_minutes;
    use ratatui::{Terminal, backend::TestBackend};

    use super::*;
    use crate::{daemon::FailedUpdate, engine::zone};

    /// Builds a reading with these minutes of the day before `now`.
    fn reading(now: Timestamp, minutes: &[(u16, u16)]) -> Reading {
        let facts = ZoneFacts {
            name: "Europe/Berlin".try_into().ok(),
            offset: None,
        };
        let time_zone = zone::resolve(&facts, None, now);
        let offsets = time_zone.offsets.clone();
        Reading {
            time_zone,
            battery_percent: Some(84),
            last_sync: Some(now),
            resting: Bpm::new(58),
            ..with_minutes(offsets, now, minutes.iter().copied())
        }
    }

    proptest! {
        #[test]
        fn any_view_fits_any_terminal(
            width in 1_u16..250,
            height in 1_u16..80,
            minutes in proptest::collection::vec((0_u16..1_440, 1_u16..=300), 0..60),
            is_known: bool,
            has_trouble: bool,
            has_help: bool,
            has_others: bool,
            has_past: bool,
            words in ".{0,200}",
        ) {
            let now: Timestamp = "2026-11-22T13:07:00Z".parse().unwrap();
            let mut snapshot = Snapshot::new(Provider::Google, SignedDuration::from_mins(15));
            let reading = reading(now, &minutes);
            let past = Past {
                date: reading.day.local().date(),
                day: Some(reading.day.clone()),
                resting: None,
            };
            snapshot.reading = is_known.then(|| Arc::new(reading));
            snapshot.failed_update = has_trouble.then(|| FailedUpdate {
                failure: Failure::Gone,
                message: words.clone(),
                details: Some(words.clone()),
                hint: Some(words.clone()),
            });
            let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
            let view = View {
                wearer: has_others.then_some("Anna"),
                snapshot: &snapshot,
                now,
                past: has_past.then_some(&past),
                mode: Mode::Own,
                message: Some(&words),
                has_help,
                has_colour: true,
            };
            terminal.draw(|frame| draw(frame, &view)).unwrap();
        }
    }
}
