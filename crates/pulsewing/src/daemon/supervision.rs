//! Messages to systemd (sd_notify(3)): the start of the service, its status, and the watchdog's
//! signs of life.
//!
//! The watchdog is fed only while the update loop returns when it promised to: a timer that still
//! runs does not prove that the service works. Outside systemd nothing is sent.

use pulsewing_core::reading::Freshness;

use super::{Member, Members, Snapshot};
use crate::{
    engine::{Activity, clock::Clock},
    tell::phrases,
};

/// Reports the service's status to systemd.
#[derive(Debug)]
pub(crate) struct Supervision {
    members: Members,
    clock: Clock,
}

impl Supervision {
    /// Builds the reporter. It sends nothing before [`run`](Self::run).
    pub(crate) const fn new(members: Members, clock: Clock) -> Self {
        Self { members, clock }
    }

    /// Reports that the service has started, and from then on its status. Never returns.
    #[cfg(unix)]
    pub(crate) async fn run(self) {
        use std::time::Duration;

        use sd_notify::NotifyState::{Ready, Status, Watchdog};

        if std::env::var_os("NOTIFY_SOCKET").is_none() {
            return std::future::pending().await;
        }
        let watchdog = sd_notify::watchdog_enabled();
        let mut changes = self.members.any_change().subscribe();
        let mut last = String::new();
        let mut is_ready = false;
        let mut was_late = false;
        loop {
            changes.borrow_and_update();
            let now = self.clock.now();
            let members = self.members.all();
            let status = status_of_all(&members, now.utc);
            let is_on_time = members
                .iter()
                .all(|member| member.progress.is_on_time(now.up));
            let mut told = Vec::new();
            if !is_ready {
                told.push(Ready);
            }
            if status != last {
                told.push(Status(&status));
            }
            if watchdog.is_some() && is_on_time {
                told.push(Watchdog);
            }
            if !is_on_time && !was_late {
                tracing::error!("the cycle hangs; systemd's watchdog will restart the program");
            }
            was_late = !is_on_time;
            if !told.is_empty() {
                match sd_notify::notify(&told) {
                    Ok(()) => is_ready = true,
                    Err(error) => tracing::debug!("cannot notify systemd: {error}"),
                }
            }
            last = status;
            // The age in the status changes every minute.
            let minute = 60 - now.utc.as_second().rem_euclid(60).unsigned_abs();
            let minute = Duration::from_secs(minute);
            // Twice per timeout, as sd_watchdog_enabled(3) advises.
            let wait = watchdog.map_or(minute, |watchdog| minute.min(watchdog / 2));
            tokio::select! {
                changed = changes.changed() => if changed.is_err() { return },
                () = self.clock.sleep_until(now.up + wait) => {}
            }
        }
    }

    /// Does nothing, because there is no systemd here. Never returns.
    #[cfg(not(unix))]
    pub async fn run(self) {
        std::future::pending().await
    }

    /// Reports that the service is stopping.
    pub(crate) fn stopping() {
        // The service ends even if systemd does not receive this.
        #[cfg(unix)]
        let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
    }
}

/// Returns the status of all wearers in one line: of the only one in detail, of several the number
/// of those who have a problem, and their ids.
fn status_of_all(members: &[Member], now: jiff::Timestamp) -> String {
    /// The number of ids in the line.
    const MOST: usize = 5;
    if let [only] = members {
        return status(&only.broadcast.snapshot(), now);
    }
    let failed: Vec<&str> = members
        .iter()
        .filter(|member| member.broadcast.snapshot().failed_update.is_some())
        .map(|member| member.wearer.id.as_str())
        .collect();
    let count = members.len();
    if failed.is_empty() {
        return format!("{count} wearers, all updates succeed");
    }
    let more = if failed.len() > MOST { ", ..." } else { "" };
    let ids: Vec<&str> = failed.iter().take(MOST).copied().collect();
    format!(
        "{count} wearers, {} with a failed update: {}{more}",
        failed.len(),
        ids.join(", ")
    )
}

/// Returns the service's status in one line.
fn status(snapshot: &Snapshot, now: jiff::Timestamp) -> String {
    let reading = snapshot.reading.as_deref();
    let mut text = match reading.and_then(|reading| Some((reading, reading.latest()?))) {
        Some((reading, sample)) => {
            let is_fresh = reading.freshness(now, snapshot.every, false) == Freshness::Fresh;
            let was = if is_fresh { "" } else { "was " };
            let age = phrases::ago(sample.at, now);
            format!("{was}{} bpm, {age}", sample.bpm.get())
        }
        None => "no heart rate yet".to_owned(),
    };
    if let Some(failed_update) = &snapshot.failed_update {
        text = format!("{}; {text}", failed_update.message);
    }
    if let Some(repair) = snapshot.repair {
        text.push_str(&format!(
            "; fetching past days, {} of {}",
            repair.done, repair.total
        ));
    }
    match (snapshot.activity, snapshot.next_update) {
        (Activity::TokensNotStored, _) => text.push_str("; new tokens cannot be written"),
        (Activity::Updating, _) => text.push_str("; updating"),
        (Activity::Waiting, Some(at)) => {
            text.push_str(&format!(
                "; next update {}",
                snapshot.clock_at(at).strftime("%H:%M")
            ));
        }
        (Activity::Waiting, None) => {}
    }
    // A line feed would begin another assignment.
    text.replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::SignedDuration;
    use pulsewing_core::{Provider, cycle::Failure, reading::ZoneSource};
    use pulsewing_testkit::{at, readings};

    use super::*;
    use crate::daemon::{FailedUpdate, Repair};

    fn snapshot() -> Snapshot {
        Snapshot::new(Provider::Google, SignedDuration::from_mins(15))
    }

    fn with_reading() -> Snapshot {
        let fetched_at = at("2026-11-22T13:01:00Z");
        let newest = (13 * 60 + 58, 72);
        let mut reading = readings::with_minutes(readings::berlin(), fetched_at, [newest]);
        reading.time_zone.source = ZoneSource::Configured;
        Snapshot {
            reading: Some(Arc::new(reading)),
            next_update: Some(at("2026-11-22T13:15:01Z")),
            ..snapshot()
        }
    }

    #[test]
    fn the_status_is_the_heart_rate_its_age_and_the_next_update_on_the_wearers_clock() {
        let now = at("2026-11-22T13:07:30Z");
        assert_eq!(
            status(&with_reading(), now),
            "72 bpm, 9 min ago; next update 14:16"
        );
        assert_eq!(status(&snapshot(), now), "no heart rate yet");
        let later = at("2026-11-25T13:07:30Z");
        assert!(status(&with_reading(), later).starts_with("was 72 bpm, 3 days ago"));
    }

    #[test]
    fn trouble_comes_first_and_on_one_line() {
        let now = at("2026-11-22T13:07:30Z");
        let mut snapshot = with_reading();
        snapshot.failed_update = Some(FailedUpdate {
            failure: Failure::OutOfTime,
            message: "no\nanswer".into(),
            details: None,
            hint: None,
        });
        snapshot.repair = Some(Repair { done: 2, total: 9 });
        assert_eq!(
            status(&snapshot, now),
            "no answer; 72 bpm, 9 min ago; fetching past days, 2 of 9; next update 14:16"
        );
        snapshot.activity = Activity::TokensNotStored;
        assert!(status(&snapshot, now).ends_with("; new tokens cannot be written"));
    }
}
