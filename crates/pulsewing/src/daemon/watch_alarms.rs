//! Has the alarms go on: with every update, and by the clock.

use std::time::Duration;

use pulsewing_core::{
    alarm::{Moment, News, SignIn, Trouble, Updates},
    cycle::Failure,
};

use super::{Broadcast, Snapshot};
use crate::engine::Activity;

/// The interval of looks for what another process has left to do.
const LOOK_FOR_REQUESTS: Duration = Duration::from_secs(2);

/// The number of such looks from one look at the clock to the next: a quarter of a minute.
const LOOKS: u32 = 7;

/// Goes on to the present moment. `news` is what an update or a live source has just brought.
pub(super) fn look(broadcast: &Broadcast, news: Option<&News<'_>>) {
    let snapshot = broadcast.snapshot();
    let now = broadcast.now();
    let offsets = snapshot.offsets(now.utc);
    let moment = Moment {
        now,
        time_of_day: offsets.local(now.utc).time(),
        sign_in: sign_in(&snapshot),
        updates: snapshot.updates,
        trouble: (snapshot.activity == Activity::TokensNotStored)
            .then_some(Trouble::TokensNotStored),
    };
    let told = broadcast.lookout().advance(&moment, news, &offsets);
    broadcast.tell(told);
}

/// Looks at the clock, and for what other processes have left to do. Never returns.
pub(crate) async fn watch_alarms(broadcast: &Broadcast) {
    for round in (0..LOOKS).cycle() {
        if round == 0 {
            look(broadcast, None);
        }
        let now = broadcast.now();
        let offsets = broadcast.snapshot().offsets(now.utc);
        let told = broadcast.lookout().obey_left(&offsets, now.utc);
        broadcast.tell(told);
        broadcast
            .clock()
            .sleep_until(now.up + LOOK_FOR_REQUESTS)
            .await;
    }
}

fn sign_in(snapshot: &Snapshot) -> SignIn {
    let failed = snapshot.failed_update.as_ref();
    match failed.map(|failed| (failed.failure, failed.wants_sign_in())) {
        _ if snapshot.updates == Updates::Unknown => SignIn::Unknown,
        Some((Failure::NoChain | Failure::ChainMoved, _)) => SignIn::New,
        Some((_, true)) => SignIn::Ended,
        _ => SignIn::Works {
            ends: snapshot.sign_in_ends,
        },
    }
}
