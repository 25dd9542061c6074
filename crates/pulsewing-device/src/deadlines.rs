//! The deadlines of the device's parts: the watchdog is fed only while all of them are met.
//!
//! Before each part of the device waits, it promises when that wait will be over at the latest. A
//! wait that may last forever, such as the one for a key press, has no deadline. A task checks
//! the promises a few times a minute and reports progress as long as none is broken. A port that
//! never returns thus stops the reports, and the board restarts, which fixes it.
//!
//! Waits that are long by design (replays of a refresh, the half minute between two tries to write)
//! consist of short ones, each with a promise of its own.

use core::{cell::Cell, time::Duration};

use crate::{
    ports::{Clock, System},
    serial_queue::SerialQueue,
};

/// How often the promises are checked.
const LOOK_EVERY: Duration = Duration::from_secs(15);

/// How much later than promised a part may be: a busy moment is not a hang.
const GRACE: Duration = Duration::from_secs(30);

/// The parts of the device that can hang.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Network, time, cycle.
    App,
    /// Drawing and sending pictures.
    Screen,
    /// Commands and uploads.
    Console,
    /// Presses of the button.
    Button,
}

impl Part {
    const ALL: [Self; 4] = [Self::App, Self::Screen, Self::Console, Self::Button];

    const fn name(self) -> &'static str {
        match self {
            Self::App => "app loop",
            Self::Screen => "screen",
            Self::Console => "console",
            Self::Button => "button",
        }
    }
}

/// The promises.
pub(crate) struct Deadlines {
    /// When each part is back at the latest; `None` where it may wait forever.
    promises: [Cell<Option<Duration>>; 4],
    /// New tokens are only in memory: then only the part that stores them matters, because a
    /// restart would lose them.
    guards_tokens: Cell<bool>,
}

impl Deadlines {
    pub(crate) const fn new() -> Self {
        Self {
            promises: [const { Cell::new(None) }; 4],
            guards_tokens: Cell::new(false),
        }
    }

    /// Promises that this part is back before `until`.
    pub(crate) fn promise(&self, part: Part, until: Duration) {
        self.put(part, Some(until));
    }

    /// Notes that this part waits for something that may never come.
    pub(crate) fn rest(&self, part: Part) {
        self.put(part, None);
    }

    fn put(&self, part: Part, promise: Option<Duration>) {
        if let Some(slot) = self.promises.get(part as usize) {
            slot.set(promise);
        }
    }

    /// Sets whether tokens are held that a restart would lose.
    pub(crate) fn guard_tokens(&self, guards: bool) {
        self.guards_tokens.set(guards);
    }

    fn broken(&self, up: Duration) -> Option<Part> {
        Part::ALL.into_iter().find(|part| {
            let matters = *part == Part::App || !self.guards_tokens.get();
            let promise = self.promises.get(*part as usize).and_then(Cell::get);
            matters && promise.is_some_and(|until| up > until.saturating_add(GRACE))
        })
    }

    /// Feeds the watchdog as long as no part is late.
    pub(crate) async fn keep(
        &self,
        clock: &impl Clock,
        system: &impl System,
        serial_queue: &SerialQueue,
    ) -> ! {
        let mut known = None;
        loop {
            let up = clock.up();
            let broken = self.broken(up);
            match broken {
                None => system.progress(),
                Some(part) if known != broken => {
                    let part = part.name();
                    serial_queue.log(format_args!(
                        "the {part} hangs; the watchdog will restart the board"
                    ));
                }
                Some(_) => {}
            }
            known = broken;
            clock.sleep_until(up.saturating_add(LOOK_EVERY)).await;
        }
    }
}
