//! Whether the daemon works, for a supervisor that restarts it if not.
//!
//! The same rule as for systemd's watchdog ([`Supervision`](crate::daemon::Supervision)): every update loop
//! comes back when it promised to. What a restart cannot mend is no reason to ask for one: a cloud or a
//! network that is down, a sign-in that is needed, an old heart rate. Nor is a disk that takes no new
//! tokens: they are in memory then, and a restart would lose them.
//!
//! The reply tells nothing of any wearer, so a passphrase or a key is not asked for: few supervisors could
//! send one.

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Serialize;

use super::{Shared, api};

/// The path of the call.
pub(super) const PATH: &str = "/api/v1/health";

#[derive(Debug, Serialize)]
struct Health {
    status: &'static str,
    /// The number of update loops that do not come back.
    late_loops: usize,
}

/// Replies with 200 while all update loops come back in time, else with 503.
pub(super) async fn check(State(site): State<Shared>) -> Response {
    let up = site.clock.now().up;
    let members = site.members.all();
    let late = members
        .iter()
        .filter(|member| !member.progress.is_on_time(up));
    reply(late.count())
}

fn reply(late_loops: usize) -> Response {
    let (code, status) = match late_loops {
        0 => (StatusCode::OK, "ok"),
        _ => (StatusCode::SERVICE_UNAVAILABLE, "late"),
    };
    let health = Health { status, late_loops };
    api::json(code, &health).into_response()
}

#[cfg(all(test, feature = "sandbox"))]
mod tests {
    use std::{path::Path, sync::Arc, time::Duration};

    use jiff::SignedDuration;
    use pulsewing_core::{Provider, alarm::Limits};
    use pulsewing_history::{HistoryWriter, Listener, Retention};
    use tokio::sync::Notify;

    use super::{super::empty_site, *};
    use crate::{
        alarms::Lookout,
        config::{places::Place, wearer::WearerConfig},
        daemon::{Broadcast, Intake, Member, Members, Snapshot},
        engine::{clock::Clock, progress::Progress},
        tell::console::{Colour, Console},
    };

    fn member(dir: &Path, members: &Members, clock: &Clock) -> Member {
        let wearer = WearerConfig::default();
        let snapshot = Snapshot::new(Provider::Google, SignedDuration::from_mins(15));
        let place = Place::new(dir, &wearer.id);
        let console = Console::new(false, Colour::Never);
        let lookout = Lookout::open(&place, Limits::default(), clock.now().utc, console);
        let (wake, changes) = (Arc::new(Notify::new()), members.any_change().clone());
        let writer = HistoryWriter::new(
            dir.to_owned(),
            wearer.id.to_string(),
            Retention::Nothing,
            Listener::new(|_| {}),
        );
        let broadcast = Broadcast::new(snapshot, wake, clock.clone(), place, changes, lookout);
        Member {
            intake: Intake::new(broadcast.clone(), &wearer, writer),
            broadcast,
            progress: Progress::default(),
            wearer,
        }
    }

    #[tokio::test]
    async fn one_loop_of_two_that_hangs_makes_it_unhealthy_until_it_is_back() {
        let start = pulsewing_testkit::at("2026-11-22T14:00:00Z");
        let clock = Clock::from_sandbox(pulsewing_sandbox::Clock::starting_at(start, 0));
        let members = Members::default();
        let dir = tempfile::tempdir().unwrap();
        let loops = [(); 2].map(|()| member(dir.path(), &members, &clock));
        members.change(|list| list.extend(loops.clone()));
        let site = empty_site(clock.clone(), members);
        let status = || async { check(State(Arc::clone(&site))).await.status() };
        for each in &loops {
            each.progress.back_by(Duration::from_secs(900));
        }
        clock.sleep_until(Duration::from_secs(890)).await;
        assert_eq!(status().await, StatusCode::OK);
        loops[0].progress.back_by(Duration::from_secs(1_800));
        clock.sleep_until(Duration::from_secs(1_000)).await;
        assert_eq!(status().await, StatusCode::SERVICE_UNAVAILABLE);
        loops[1].progress.back_by(Duration::from_secs(1_800));
        assert_eq!(status().await, StatusCode::OK);
    }
}
