//! The broadcast of the daemon's current state to all views.

use std::{path::PathBuf, sync::Arc};

use pulsewing_core::cycle::Now;
use tokio::sync::{Notify, watch};

use super::Snapshot;
use crate::engine::clock::Clock;

/// Publishes the daemon's current state, and accepts requests for an update. Clones
/// share one state.
#[derive(Clone, Debug)]
pub(crate) struct Broadcast {
    snapshot: watch::Sender<Arc<Snapshot>>,
    wake: Arc<Notify>,
    clock: Clock,
    state_dir: PathBuf,
}

impl Broadcast {
    /// Builds a broadcast of the initial state. `wake` is the engine's.
    pub(crate) fn new(
        snapshot: Snapshot,
        wake: Arc<Notify>,
        clock: Clock,
        state_dir: PathBuf,
    ) -> Self {
        Self {
            snapshot: watch::Sender::new(Arc::new(snapshot)),
            wake,
            clock,
            state_dir,
        }
    }

    /// Returns the current state.
    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.snapshot.borrow())
    }

    /// Subscribes to changes. After several changes at once the receiver sees only the newest
    /// state.
    pub(crate) fn subscribe(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.snapshot.subscribe()
    }

    /// Changes the current state.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Snapshot)) {
        self.snapshot
            .send_modify(|snapshot| change(Arc::make_mut(snapshot)));
    }

    /// Triggers an immediate update, even after a 410. The cycle's own limits still apply.
    pub(crate) fn update_now(&self) {
        self.wake.notify_one();
    }

    /// Returns the time on the program's clock.
    pub(crate) fn now(&self) -> Now {
        self.clock.now()
    }

    /// Returns the program's clock.
    pub(crate) const fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Returns the wearer's state directory, where the history is.
    pub(crate) const fn state_dir(&self) -> &PathBuf {
        &self.state_dir
    }
}
