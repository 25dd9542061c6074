//! The wearers that the daemon polls, as the views see them.

use std::sync::Arc;

use tokio::sync::watch;

use super::{Broadcast, Intake};
use crate::{
    config::{places::Place, wearer::WearerConfig},
    engine::progress::Progress,
};

/// A wearer whose heart rate is polled.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    /// The wearer.
    pub wearer: WearerConfig,
    /// The current state.
    pub broadcast: Broadcast,
    /// The way in for samples that programs push.
    pub intake: Intake,
    /// Whether the updates make progress.
    pub progress: Progress,
}

/// The wearers that are polled at present; wearers are added and removed while the daemon runs.
/// Clones share one list.
#[derive(Clone, Debug, Default)]
pub(crate) struct Members {
    list: watch::Sender<Arc<Vec<Member>>>,
    any_change: watch::Sender<()>,
}

impl Members {
    /// Returns the wearers at present, in the order in which to show them.
    pub(crate) fn all(&self) -> Arc<Vec<Member>> {
        Arc::clone(&self.list.borrow())
    }

    /// Returns where the files of all wearers but this one are.
    pub(crate) fn others(&self, than: &Member) -> Vec<Place> {
        let all = self.all();
        let others = all.iter().filter(|other| other.wearer.id != than.wearer.id);
        others
            .map(|other| other.broadcast.place().clone())
            .collect()
    }

    /// Changes the list.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Vec<Member>)) {
        self.list
            .send_modify(|members| change(Arc::make_mut(members)));
        self.any_change.send_replace(());
    }

    /// Returns the channel that is notified of every change of the list and of any wearer's state.
    pub(crate) const fn any_change(&self) -> &watch::Sender<()> {
        &self.any_change
    }
}
