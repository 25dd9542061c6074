//! A wearer's alarms for programs, the same in the API and in `pulsewing alarms --json`.

use jiff::Timestamp;
use pulsewing_core::{
    Bpm,
    alarm::{Active, Kind, Limits, Mute, Unseen},
    civil::Offsets,
};
use serde::Serialize;

use super::reading_json::instant;
use crate::alarms::{Entry, Shown};

/// A wearer's alarms.
#[derive(Debug, Serialize)]
pub(crate) struct AlarmsJson {
    wearer: String,
    now: String,
    /// What is active, what matters most first.
    active: Vec<ActiveJson>,
    /// High and low rates that are over, and that nobody has looked at.
    unseen: Vec<UnseenJson>,
    limits: LimitsJson,
    /// What happened in the last 90 days, oldest first.
    log: Vec<Entry>,
}

#[derive(Debug, Serialize)]
struct ActiveJson {
    kind: &'static str,
    level: &'static str,
    heading: &'static str,
    sentence: String,
    bpm: Option<u16>,
    limit: Option<u16>,
    measured_at: Option<String>,
    age_s: Option<i64>,
    since: String,
    acknowledged: bool,
    snoozed_until: Option<String>,
}

#[derive(Debug, Serialize)]
struct UnseenJson {
    kind: &'static str,
    level: &'static str,
    extreme_bpm: u16,
    limit: u16,
    since: String,
    until: String,
}

#[derive(Debug, Serialize)]
struct LimitsJson {
    high: Option<u16>,
    high_urgent: Option<u16>,
    low: Option<u16>,
    low_urgent: Option<u16>,
    stale_s: Option<i64>,
    battery_percent: Option<u8>,
    quiet: Option<String>,
    repeat_s: i64,
    fresh_s: i64,
}

impl AlarmsJson {
    /// Collects what is known; times of sentences are on a clock with these offsets.
    pub(crate) fn new(
        wearer: &str,
        shown: &Shown,
        limits: &Limits,
        log: Vec<Entry>,
        offsets: &Offsets,
        now: Timestamp,
    ) -> Self {
        let active = shown.active.iter();
        Self {
            wearer: wearer.to_owned(),
            now: instant(now),
            active: active
                .map(|alarm| ActiveJson::new(alarm, offsets, now))
                .collect(),
            unseen: shown.unseen.iter().map(UnseenJson::from).collect(),
            limits: LimitsJson::from(limits),
            log,
        }
    }
}

impl ActiveJson {
    fn new(alarm: &Active, offsets: &Offsets, now: Timestamp) -> Self {
        let signal = alarm.as_signal();
        let rate = signal.rate();
        Self {
            kind: alarm.kind.name(),
            level: alarm.level.name(),
            heading: signal.heading(),
            sentence: signal.sentence(offsets, now).to_string(),
            bpm: rate.map(|(bpm, ..)| bpm.get()),
            limit: rate.map(|(.., limit)| limit.get()),
            measured_at: rate.map(|(_, at, _)| instant(at)),
            age_s: rate.map(|(_, at, _)| now.duration_since(at).as_secs()),
            since: instant(alarm.since),
            acknowledged: matches!(alarm.mute, Some(Mute::Acknowledged { .. })),
            snoozed_until: match alarm.mute {
                Some(Mute::Snoozed { until, .. }) => Some(instant(until)),
                _ => None,
            },
        }
    }
}

impl From<&(Kind, Unseen)> for UnseenJson {
    fn from((kind, unseen): &(Kind, Unseen)) -> Self {
        Self {
            kind: kind.name(),
            level: unseen.level.name(),
            extreme_bpm: unseen.extreme.get(),
            limit: unseen.limit.get(),
            since: instant(unseen.since),
            until: instant(unseen.until),
        }
    }
}

impl From<&Limits> for LimitsJson {
    fn from(limits: &Limits) -> Self {
        Self {
            high: limits.high.map(Bpm::get),
            high_urgent: limits.high_urgent.map(Bpm::get),
            low: limits.low.map(Bpm::get),
            low_urgent: limits.low_urgent.map(Bpm::get),
            stale_s: limits.stale.map(|stale| stale.as_secs()),
            battery_percent: limits.battery,
            quiet: limits.quiet.map(|quiet| quiet.to_string()),
            repeat_s: limits.repeat.as_secs(),
            fresh_s: limits.fresh.as_secs(),
        }
    }
}
