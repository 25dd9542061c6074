//! The broadcast of the daemon's current state to all views.

use std::sync::Arc;

use pulsewing_core::cycle::Now;
use tokio::sync::{Notify, watch};

use super::Snapshot;
use crate::{config::places::Place, engine::clock::Clock};

/// Publishes the daemon's current state, and accepts requests for an update. Clones
/// share one state.
#[derive(Clone, Debug)]
pub(crate) struct Broadcast {
    snapshot: watch::Sender<Arc<Snapshot>>,
    wake: Arc<Notify>,
    clock: Clock,
    place: Place,
    /// Notified of changes of any wearer.
    any_change: watch::Sender<()>,
}

impl Broadcast {
    /// Builds a broadcast of the initial state. `wake` is the engine's; `any_change` is notified of
    /// changes, as are those of other wearers.
    pub(crate) fn new(
        snapshot: Snapshot,
        wake: Arc<Notify>,
        clock: Clock,
        place: Place,
        any_change: watch::Sender<()>,
    ) -> Self {
        Self {
            snapshot: watch::Sender::new(Arc::new(snapshot)),
            wake,
            clock,
            place,
            any_change,
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
        self.any_change.send_replace(());
    }

    /// Triggers an immediate update, even after a 410. The cycle's own limits still apply.
    pub(crate) fn update_now(&self) {
        self.wake.notify_one();
    }

    /// Returns the handle that is notified when an update is asked for.
    pub(crate) fn wake(&self) -> Arc<Notify> {
        Arc::clone(&self.wake)
    }

    /// Returns the time on the program's clock.
    pub(crate) fn now(&self) -> Now {
        self.clock.now()
    }

    /// Returns the program's clock.
    pub(crate) const fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Returns where the wearer's files are.
    pub(crate) const fn place(&self) -> &Place {
        &self.place
    }
}
