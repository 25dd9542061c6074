//! Keeps a PNG file and panels up to date with the daemon's state and the clock.

use std::time::Duration;

use crate::{
    daemon::{Broadcast, Notice},
    faces::outputs::{Outputs, View},
    tell::console::Console,
};

/// Shows the daemon's current state on the requested outputs.
#[derive(Debug)]
pub(crate) struct Presenter {
    broadcast: Broadcast,
    outputs: Outputs,
    /// The page where a user can sign in with another machine's browser.
    address: Option<String>,
    console: Console,
    /// The last problem that was reported.
    told: Option<String>,
}

impl Presenter {
    /// Builds a presenter; nothing is shown before [`run`](Self::run).
    pub(crate) const fn new(
        broadcast: Broadcast,
        outputs: Outputs,
        address: Option<String>,
        console: Console,
    ) -> Self {
        Self {
            broadcast,
            outputs,
            address,
            console,
            told: None,
        }
    }

    /// Shows every change, and updates the ages every minute. Never returns.
    pub(crate) async fn run(mut self) {
        let mut changes = self.broadcast.subscribe();
        loop {
            let snapshot = changes.borrow_and_update().clone();
            let now = self.broadcast.now();
            let notice = Notice::new(&snapshot, self.address.as_deref());
            let view = View::of_daemon(&snapshot, &notice, now);
            match self.outputs.show(&view) {
                Ok(()) => self.told = None,
                // A panel that was unplugged may come back; a full disk may get space again.
                Err(problem) => {
                    let words = problem.to_string();
                    if self.told.as_ref() != Some(&words) {
                        self.console.problem(&problem);
                        self.told = Some(words);
                    }
                }
            }
            let minute =
                Duration::from_secs(60 - now.utc.as_second().rem_euclid(60).unsigned_abs());
            tokio::select! {
                changed = changes.changed() => if changed.is_err() { return },
                () = self.broadcast.clock().sleep_until(now.up + minute) => {}
            }
        }
    }
}
