//! A wearer's snapshot and signals, as they are published.

use jiff::Timestamp;
use pulsewing_core::{
    alarm::{Event, Kind, Level, Limits},
    reading::Freshness,
};
use pulsewing_mqtt::{AlarmEvent, AlarmKind, AlarmLevel, AlarmNews, State};

use crate::{
    alarms::Told,
    daemon::{Member, Snapshot},
    engine::Activity,
};

/// Returns what is known of a wearer; `None` if the id cannot be part of a topic, which no id of ours is.
pub(super) fn state(member: &Member, limits: &Limits, now: Timestamp) -> Option<State> {
    let id = member.wearer.id.as_str().parse().ok()?;
    let snapshot = member.broadcast.snapshot();
    Some(of_snapshot(
        id,
        member.wearer.title(),
        &snapshot,
        limits,
        now,
    ))
}

fn of_snapshot(
    wearer: pulsewing_mqtt::WearerId,
    name: &str,
    snapshot: &Snapshot,
    limits: &Limits,
    now: Timestamp,
) -> State {
    let reading = snapshot.reading.as_deref();
    // A failed update does not make the newest minute any older.
    let fresh = reading.filter(|reading| {
        let is_from_memory = false;
        reading.freshness(now, snapshot.every, is_from_memory) == Freshness::Fresh
    });
    let latest = reading.and_then(|reading| reading.latest());
    let is_active = |kind| {
        snapshot
            .alarms
            .active
            .iter()
            .any(|alarm| alarm.kind == kind)
    };
    let is_on = |kind: &Kind| match kind {
        Kind::High => limits.high.is_some() || limits.high_urgent.is_some(),
        Kind::Low => limits.low.is_some() || limits.low_urgent.is_some(),
        Kind::Stale => limits.stale.is_some(),
        Kind::Battery => limits.battery.is_some(),
        Kind::Sync | Kind::SignIn | Kind::Own => true,
    };
    State {
        wearer,
        name: name.to_owned(),
        bpm: latest.filter(|_| fresh.is_some()).map(|it| it.bpm.get()),
        zone: fresh
            .and_then(|reading| reading.heart_zone())
            .map(|zone| zone.name().to_owned()),
        measured_at: latest.map(|sample| sample.at),
        resting: reading
            .and_then(|reading| reading.resting_at(now))
            .map(|bpm| bpm.get()),
        battery: reading.and_then(|reading| reading.battery_percent),
        synced_at: reading.and_then(|reading| reading.last_sync),
        is_fresh: fresh.is_some(),
        problem: problem(snapshot),
        alarms: Kind::ALL
            .into_iter()
            .filter(is_on)
            .map(|kind| (name_of(kind), is_active(kind)))
            .collect(),
    }
}

/// Returns what is wrong with the updates, in one sentence.
fn problem(snapshot: &Snapshot) -> Option<String> {
    if snapshot.activity == Activity::TokensNotStored {
        return Some("The renewed sign-in could not be saved yet".to_owned());
    }
    let failed = snapshot.failed_update.as_ref()?;
    Some(failed.message.clone())
}

/// Returns a signal as an event.
pub(super) fn event(told: &Told) -> AlarmEvent {
    let signal = &told.signal;
    let rate = signal.rate();
    AlarmEvent {
        kind: name_of(signal.kind),
        level: match signal.level {
            Level::Info => AlarmLevel::Info,
            Level::Warning => AlarmLevel::Warning,
            Level::Urgent => AlarmLevel::Urgent,
        },
        event: match signal.event {
            Event::Raised => AlarmNews::Raised,
            Event::Repeated => AlarmNews::Repeated,
            Event::Acknowledged => AlarmNews::Acknowledged,
            Event::Cleared => AlarmNews::Cleared,
            Event::Past => AlarmNews::Past,
        },
        sentence: told.line(),
        bpm: rate.map(|(bpm, _, _)| bpm.get()),
        limit: rate.map(|(_, _, limit)| limit.get()),
        measured_at: rate.map(|(_, at, _)| at),
        since: signal.since,
        until: signal.until,
    }
}

const fn name_of(kind: Kind) -> AlarmKind {
    match kind {
        Kind::High => AlarmKind::High,
        Kind::Low => AlarmKind::Low,
        Kind::Stale => AlarmKind::Stale,
        Kind::Battery => AlarmKind::Battery,
        Kind::Sync => AlarmKind::Sync,
        Kind::SignIn => AlarmKind::SignIn,
        Kind::Own => AlarmKind::Own,
    }
}

pub(super) const fn kind_of(name: AlarmKind) -> Kind {
    match name {
        AlarmKind::High => Kind::High,
        AlarmKind::Low => Kind::Low,
        AlarmKind::Stale => Kind::Stale,
        AlarmKind::Battery => Kind::Battery,
        AlarmKind::Sync => Kind::Sync,
        AlarmKind::SignIn => Kind::SignIn,
        AlarmKind::Own => Kind::Own,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::SignedDuration;
    use pulsewing_core::{Bpm, Provider, cycle::Failure};
    use pulsewing_testkit::{at, readings};

    use super::*;
    use crate::daemon::FailedUpdate;

    fn snapshot() -> Snapshot {
        let now = at("2026-11-22T13:01:00Z");
        let mut reading = readings::with_minutes(readings::berlin(), now, [(13 * 60 + 58, 72)]);
        reading.battery_percent = Some(64);
        Snapshot {
            reading: Some(Arc::new(reading)),
            ..Snapshot::new(Provider::Google, SignedDuration::from_mins(15))
        }
    }

    fn shown(snapshot: &Snapshot, now: &str) -> State {
        let limits = Limits {
            high: Bpm::new(120),
            battery: None,
            ..Limits::default()
        };
        of_snapshot("anna".parse().unwrap(), "Anna", snapshot, &limits, at(now))
    }

    #[test]
    fn a_rate_goes_when_it_is_old_and_its_time_stays() {
        let snapshot = snapshot();
        let fresh = shown(&snapshot, "2026-11-22T13:43:00Z");
        assert_eq!(
            (fresh.bpm, fresh.zone.is_some(), fresh.is_fresh),
            (Some(72), true, true)
        );
        let old = shown(&snapshot, "2026-11-22T13:44:00Z");
        assert_eq!((old.bpm, old.zone, old.is_fresh), (None, None, false));
        assert_eq!(old.measured_at, fresh.measured_at);
        assert_eq!(old.battery, Some(64));
        let nothing = Snapshot::new(Provider::Google, SignedDuration::from_mins(15));
        let nothing = shown(&nothing, "2026-11-22T13:44:00Z");
        assert_eq!(
            (nothing.bpm, nothing.measured_at, nothing.is_fresh),
            (None, None, false)
        );
    }

    #[test]
    fn a_failed_update_is_a_problem_and_makes_no_minute_older() {
        let mut snapshot = snapshot();
        snapshot.is_from_memory = true;
        snapshot.failed_update = Some(FailedUpdate {
            failure: Failure::OutOfTime,
            message: "no answer".to_owned(),
            details: None,
            hint: None,
        });
        let state = shown(&snapshot, "2026-11-22T13:43:00Z");
        assert_eq!(state.bpm, Some(72));
        assert_eq!(state.problem.as_deref(), Some("no answer"));
        snapshot.failed_update = None;
        assert_eq!(shown(&snapshot, "2026-11-22T13:43:00Z").problem, None);
        snapshot.activity = Activity::TokensNotStored;
        assert!(shown(&snapshot, "2026-11-22T13:43:00Z").problem.is_some());
    }

    #[test]
    fn only_alarms_with_limits_are_on() {
        let state = shown(&snapshot(), "2026-11-22T13:43:00Z");
        let kinds: Vec<AlarmKind> = state.alarms.into_iter().map(|(kind, _)| kind).collect();
        assert_eq!(
            kinds,
            [
                AlarmKind::High,
                AlarmKind::Stale,
                AlarmKind::Sync,
                AlarmKind::SignIn,
                AlarmKind::Own
            ]
        );
        for kind in Kind::ALL {
            assert_eq!(kind_of(name_of(kind)), kind);
        }
    }
}
