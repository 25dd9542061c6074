//! Has the alarms go on: with every update, and by the clock.

use std::{sync::Arc, time::Duration};

use pulsewing_core::{
    alarm::{Moment, News, SignIn, Trouble, Updates},
    cycle::Failure,
    day::Sample,
};
use tokio::sync::watch;

use super::{Broadcast, Intake, Snapshot};
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

/// Looks at the clock, at the minutes that live sources complete, and for what other processes have left to
/// do. Never returns.
pub(crate) async fn watch_alarms(broadcast: &Broadcast, intake: Option<&Intake>) {
    let mut minutes = intake.map(Intake::minutes);
    for round in (0..LOOKS).cycle() {
        if round == 0 {
            look(broadcast, None);
        }
        let now = broadcast.now();
        let offsets = broadcast.snapshot().offsets(now.utc);
        let told = broadcast.lookout().obey_left(&offsets, now.utc);
        broadcast.tell(told);
        let until = now.up + LOOK_FOR_REQUESTS;
        tokio::select! {
            live = completed(minutes.as_mut()) => look(broadcast, Some(&News::live(&live))),
            () = broadcast.clock().sleep_until(until) => {}
        }
    }
}

/// Waits for the next minutes of live sources. Returns the latest ones; never, if there are no such sources.
async fn completed(minutes: Option<&mut watch::Receiver<Arc<[Sample]>>>) -> Arc<[Sample]> {
    if let Some(minutes) = minutes
        && minutes.changed().await.is_ok()
    {
        return Arc::clone(&minutes.borrow_and_update());
    }
    std::future::pending().await
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
