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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_loop_that_hangs_makes_it_unhealthy() {
        assert_eq!(reply(0).status(), StatusCode::OK);
        assert_eq!(reply(1).status(), StatusCode::SERVICE_UNAVAILABLE);
    }
}
