//! The broadcast of the daemon's current state to all views.

use std::sync::Arc;

use pulsewing_core::cycle::Now;
use tokio::sync::{Notify, broadcast, watch};

use super::Snapshot;
use crate::{
    alarms::{Lookout, Request, Told},
    config::places::Place,
    engine::clock::Clock,
};

/// The number of signals that wait for a slow receiver. One wearer has at most seven at a time.
const TOLD: usize = 64;

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
    lookout: Lookout,
    /// What people are told of alarms.
    told: broadcast::Sender<Told>,
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
        lookout: Lookout,
    ) -> Self {
        Self {
            snapshot: watch::Sender::new(Arc::new(snapshot)),
            wake,
            clock,
            place,
            any_change,
            lookout,
            told: broadcast::Sender::new(TOLD),
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

    /// Subscribes to what people are told of alarms.
    pub(crate) fn subscribe_told(&self) -> broadcast::Receiver<Told> {
        self.told.subscribe()
    }

    /// Returns the wearer's alarms.
    pub(crate) const fn lookout(&self) -> &Lookout {
        &self.lookout
    }

    /// Does what a person wants of the alarms.
    pub(crate) fn obey(&self, request: &Request) {
        let now = self.now().utc;
        let offsets = self.snapshot().offsets(now);
        let told = self.lookout.obey(request, &offsets, now);
        self.tell(told);
    }

    /// Tells people, and shows the alarms as they are now.
    pub(super) fn tell(&self, told: impl IntoIterator<Item = Told>) {
        let shown = self.lookout.shown();
        if *self.snapshot.borrow().alarms != shown {
            self.change(|snapshot| snapshot.alarms = Arc::new(shown));
        }
        for told in told {
            tracing::info!(kind = %told.signal.kind, level = %told.signal.level, event = told.signal.event.name(), "{}", told.line());
            // Perhaps nobody listens.
            let _ = self.told.send(told);
        }
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
