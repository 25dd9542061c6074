//! The heart rate in a terminal: what `pulsewing show` draws, and how it gets its terminal back.
//!
//! Drawing is pure: a [`View`] and a frame of any size. What does not fit is left out, the least
//! important first: the day, the latest minutes, the facts; the rate, its zone and its age are last.
//! Words carry all that colours say.

mod digits;
mod draw;
mod graph;

use std::io;

use jiff::Timestamp;
use pulsewing_core::{Bpm, day::Day};
use ratatui::DefaultTerminal;

use crate::daemon::Snapshot;

pub(crate) use draw::draw;

/// Takes the terminal: its other screen, every key as it is pressed. It is given back before a panic is
/// told, so that the words are seen and the shell can be used.
///
/// # Errors
/// What the system says of it.
pub fn take() -> io::Result<DefaultTerminal> {
    ratatui::try_init()
}

/// Gives the terminal back as it was. One that is gone has nobody to be told, on the terminal least of all.
pub(crate) fn give_back(terminal: &mut DefaultTerminal) {
    let _ = terminal.show_cursor();
    let _ = ratatui::try_restore();
}

/// What is to be seen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View<'v> {
    /// What is known now.
    pub snapshot: &'v Snapshot,
    /// The time.
    pub now: Timestamp,
    /// A day of the history, where one is looked at.
    pub past: Option<&'v Past>,
    /// Who fetches.
    pub mode: Mode,
    /// What somebody should know of, in a line.
    pub message: Option<&'v str>,
    /// Whether the keys are explained.
    pub has_help: bool,
    /// Whether colours may be used.
    pub has_colour: bool,
}

/// A day of the history.
#[derive(Clone, Debug)]
pub(crate) struct Past {
    /// Its date.
    pub date: jiff::civil::Date,
    /// Its minutes; `None` where nothing is known of it.
    pub day: Option<Day>,
    /// Its resting heart rate.
    pub resting: Option<Bpm>,
}

/// Who fetches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// This program.
    Own,
    /// A daemon of this machine, which is followed.
    Follows,
    /// This program, which is about to end and waits for a refresh.
    Leaving,
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::SignedDuration;
    use proptest::prelude::*;
    use pulsewing_core::{
        Provider,
        cycle::Failure,
        day::{Sample, Window},
        dialect::ZoneFacts,
        heart_zone::HeartZones,
        reading::Reading,
    };
    use ratatui::{Terminal, backend::TestBackend};

    use super::*;
    use crate::{daemon::FailedUpdate, engine::zone, tell::problem::Exit};

    /// A reading with these minutes of the day before `now`.
    fn reading(now: Timestamp, minutes: &[(u16, u16)]) -> Reading {
        let facts = ZoneFacts {
            name: "Europe/Berlin".try_into().ok(),
            offset: None,
        };
        let time_zone = zone::resolve(&facts, None, now);
        let mut day = Day::new(time_zone.offsets.day_of(now));
        let mut window = Window::ending_at(now);
        for (minute, rate) in minutes {
            let bpm = Bpm::new(*rate).unwrap();
            day.record(*minute, bpm);
            let at = day.local().instant(*minute);
            if at < now {
                window.insert(Sample { at, bpm });
            }
        }
        Reading {
            provider: Provider::Google,
            time_zone,
            day,
            window,
            battery_percent: Some(84),
            last_sync: Some(now),
            resting: Bpm::new(58),
            heart_zones: HeartZones::PLAIN,
            fetched_at: now,
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
                exit: Exit::Gone,
                message: words.clone(),
                details: Some(words.clone()),
                hint: Some(words.clone()),
            });
            let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
            let view = View {
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
