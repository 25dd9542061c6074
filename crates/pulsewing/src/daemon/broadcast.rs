//! How everybody hears of what is known now.

use std::{path::PathBuf, sync::Arc};

use pulsewing_core::cycle::Now;
use tokio::sync::{Notify, watch};

use super::Snapshot;
use crate::engine::clock::Clock;

/// Where what is known now is told, and an update asked for. Clones are the same hub.
#[derive(Clone, Debug)]
pub(crate) struct Broadcast {
    snapshot: watch::Sender<Arc<Snapshot>>,
    wake: Arc<Notify>,
    clock: Clock,
    state_dir: PathBuf,
}

impl Broadcast {
    /// A hub around what is known at first. `wake` is the engine's.
    #[must_use]
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

    /// What is known now.
    #[must_use]
    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.snapshot.borrow())
    }

    /// Hears of every change; of several at once, of the newest.
    #[must_use]
    pub(crate) fn subscribe(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.snapshot.subscribe()
    }

    /// Changes what is known.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Snapshot)) {
        self.snapshot
            .send_modify(|snapshot| change(Arc::make_mut(snapshot)));
    }

    /// Has an update begin at once, also after a 410. The cycle's own limits hold.
    pub(crate) fn update_now(&self) {
        self.wake.notify_one();
    }

    /// The time on the program's clock.
    #[must_use]
    pub(crate) fn now(&self) -> Now {
        self.clock.now()
    }

    /// The program's clock.
    #[must_use]
    pub(crate) const fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The wearer's state directory, where the history is.
    #[must_use]
    pub(crate) const fn state_dir(&self) -> &PathBuf {
        &self.state_dir
    }
}
