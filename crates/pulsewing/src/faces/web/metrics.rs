//! Metrics for Prometheus (text exposition format 0.0.4), each with the label `wearer`.
//!
//! Unknown values are absent, not zero. A heart rate that is more than a day old is absent as well,
//! and so is a resting heart rate from before yesterday, because a gauge cannot show its age. The
//! time and age of the newest heart rate never disappear, so that an alert on them does not resolve
//! by itself.

use std::{fmt::Write as _, sync::Arc};

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use pulsewing_core::{
    Bpm,
    alarm::Kind,
    reading::{Freshness, Reading},
};
use pulsewing_history::{Span, bytes_on_disk};
use pulsewing_notify::Report;

use super::{Shared, api};
use crate::{
    config::wearer::WearerId,
    daemon::{Look, Member, Snapshot},
};

/// Serves the metrics to a scraper.
pub(super) async fn page(State(site): State<Shared>) -> Response {
    let (members, now) = (site.members.all(), site.now());
    let reports = site.messages.as_ref().map(|messages| messages.reports());
    // The histories are in files.
    let written = tokio::task::spawn_blocking(move || {
        let known: Vec<Known> = members
            .iter()
            .map(|member| Known::new(member, now))
            .collect();
        let mut text = text(&known, Told::Everything);
        write_signals(&mut text, &reports.unwrap_or_default());
        text
    });
    match written.await {
        Ok(text) => reply(text),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// Replies with metrics.
pub(super) fn reply(text: String) -> Response {
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}

/// How much a scraper is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// All gauges.
    Everything,
    /// Only whether updates work: nothing that was measured.
    #[cfg(feature = "fleet")]
    Updates,
}

/// The gauges that tell nothing of what was measured.
#[cfg(feature = "fleet")]
const OF_UPDATES: [&str; 5] = [
    "last_update_timestamp_seconds",
    "last_success_timestamp_seconds",
    "next_update_timestamp_seconds",
    "trouble",
    "build_info",
];

/// A gauge. It is absent while its value is not known.
struct Gauge {
    /// The name after `pulsewing_`.
    name: &'static str,
    help: &'static str,
    /// The labels after the wearer's, each with a comma before it.
    labels: fn(&Known) -> String,
    value: fn(&Known) -> Option<f64>,
}

/// The data behind the gauges of one wearer.
pub(super) struct Known {
    wearer: WearerId,
    snapshot: Arc<Snapshot>,
    now: Timestamp,
    /// The extent and the size of the history, if they were looked up.
    history: Option<(Option<Span>, u64)>,
}

impl Known {
    fn new(member: &Member, now: Timestamp) -> Self {
        let place = member.broadcast.place();
        let history = place.history().ok().flatten();
        let span = history.and_then(|history| history.span().ok().flatten());
        Self {
            wearer: member.wearer.id.clone(),
            snapshot: member.broadcast.snapshot(),
            now,
            history: Some((span, bytes_on_disk(&place.dir))),
        }
    }

    /// Returns what is known of a wearer whose history is in a database, which is not asked about it.
    #[cfg(feature = "fleet")]
    pub(super) fn stored(wearer: WearerId, snapshot: Snapshot, now: Timestamp) -> Self {
        Self {
            wearer,
            snapshot: Arc::new(snapshot),
            now,
            history: None,
        }
    }

    fn reading(&self) -> Option<&Reading> {
        self.snapshot.reading.as_deref()
    }

    fn newest(&self) -> Option<(Timestamp, u16)> {
        self.reading().and_then(api::newest)
    }

    fn trouble(&self) -> Option<&'static str> {
        let failed_update = self.snapshot.failed_update.as_ref();
        failed_update.map(|failed_update| failed_update.failure.kind().name())
    }
}

const GAUGES: [Gauge; 15] = [
    plain(
        "heart_rate_bpm",
        "The newest one-minute average, in beats per minute.",
        |known| {
            let look = known.snapshot.look(known.now);
            let newest = known.newest().filter(|_| look != Some(Look::LongAgo));
            newest.map(|(_, bpm)| f64::from(bpm))
        },
    ),
    plain(
        "heart_rate_timestamp_seconds",
        "When the newest minute began.",
        |known| known.newest().map(|(at, _)| seconds(at)),
    ),
    plain(
        "heart_rate_age_seconds",
        "How long ago the newest minute began.",
        |known| {
            let age = known.reading()?.age(known.now)?;
            Some(age.as_secs_f64().floor())
        },
    ),
    plain(
        "up_to_date",
        "1 while the newest minute is as recent as can be expected.",
        |known| {
            let freshness = known.snapshot.freshness(known.now)?;
            Some(f64::from(u8::from(freshness == Freshness::Fresh)))
        },
    ),
    plain(
        "resting_heart_rate_bpm",
        "The resting heart rate of today or, until it has one, of yesterday, in beats per minute.",
        |known| {
            let resting = known.reading()?.resting_at(known.now);
            resting.map(|bpm| f64::from(Bpm::get(bpm)))
        },
    ),
    plain(
        "tracker_battery_ratio",
        "The tracker's battery, 0 to 1.",
        |known| {
            let percent = known.reading()?.battery_percent?;
            Some(f64::from(percent) / 100.0)
        },
    ),
    plain(
        "tracker_last_sync_timestamp_seconds",
        "When the tracker last synced.",
        |known| known.reading()?.last_sync.map(seconds),
    ),
    plain(
        "logged_minutes",
        "How many minutes of the wearer's day have a value.",
        |known| logged_today(known.reading()?, known.now).map(f64::from),
    ),
    plain(
        "last_update_timestamp_seconds",
        "When an update last ended, successful or not.",
        |known| known.snapshot.last_update.map(seconds),
    ),
    plain(
        "last_success_timestamp_seconds",
        "When an update last succeeded.",
        |known| known.snapshot.last_success.map(seconds),
    ),
    plain(
        "next_update_timestamp_seconds",
        "When the next update is due.",
        |known| known.snapshot.next_update.map(seconds),
    ),
    Gauge {
        name: "trouble",
        help: "1 while something prevents updates: sign-in, gone, temporary or failed.",
        labels: |known| {
            let kind = known.trouble();
            kind.map_or_else(String::new, |kind| format!(",kind=\"{kind}\""))
        },
        value: |known| Some(f64::from(u8::from(known.trouble().is_some()))),
    },
    plain("history_days", "How many days the history has.", |known| {
        let (span, _) = known.history?;
        Some(span.map_or(0.0, |span| f64::from(span.days)))
    }),
    plain(
        "history_bytes",
        "How much disk space the history takes.",
        |known| known.history.map(|(_, bytes)| bytes as f64),
    ),
    Gauge {
        name: "build_info",
        help: "The program.",
        labels: |known| {
            format!(
                ",version=\"{}\",provider=\"{}\"",
                env!("CARGO_PKG_VERSION"),
                known.snapshot.provider.name()
            )
        },
        value: |_| Some(1.0),
    },
];

const fn plain(name: &'static str, help: &'static str, value: fn(&Known) -> Option<f64>) -> Gauge {
    Gauge {
        name,
        help,
        labels: |_| String::new(),
        value,
    }
}

fn seconds(at: Timestamp) -> f64 {
    at.as_second() as f64
}

pub(super) fn text(all: &[Known], told: Told) -> String {
    let mut out = String::new();
    for Gauge {
        name,
        help,
        labels,
        value,
    } in GAUGES
    {
        let mut is_announced = false;
        match told {
            Told::Everything => {}
            #[cfg(feature = "fleet")]
            Told::Updates if OF_UPDATES.contains(&name) => {}
            #[cfg(feature = "fleet")]
            Told::Updates => continue,
        }
        for known in all {
            let Some(value) = value(known) else {
                continue;
            };
            // Once per metric, and not at all for one that nobody has.
            if !is_announced {
                let _ = writeln!(out, "# HELP pulsewing_{name} {help}");
                let _ = writeln!(out, "# TYPE pulsewing_{name} gauge");
                is_announced = true;
            }
            let (wearer, labels) = (&known.wearer, labels(known));
            let _ = writeln!(
                out,
                "pulsewing_{name}{{wearer=\"{wearer}\"{labels}}} {value}"
            );
        }
    }
    if told == Told::Everything {
        write_alarms(&mut out, all);
    }
    out
}

/// Writes whether each kind of alarm is active at each of its levels. All series are there at all times, so
/// that an alert on one does not wait for its first alarm.
fn write_alarms(out: &mut String, all: &[Known]) {
    let _ = writeln!(
        out,
        "# HELP pulsewing_alarm 1 while an alarm is active at this level.\n# TYPE pulsewing_alarm gauge"
    );
    for known in all {
        let active = &known.snapshot.alarms.active;
        for kind in Kind::ALL {
            let level = active.iter().find(|it| it.kind == kind).map(|it| it.level);
            for of_kind in kind.levels() {
                let value = u8::from(level == Some(*of_kind));
                let wearer = &known.wearer;
                let _ = writeln!(
                    out,
                    "pulsewing_alarm{{wearer=\"{wearer}\",kind=\"{kind}\",level=\"{of_kind}\"}} {value}"
                );
            }
        }
    }
}

/// Writes what became of the signals that were to go over each channel.
fn write_signals(out: &mut String, reports: &[Report]) {
    if reports.is_empty() {
        return;
    }
    let _ = writeln!(
        out,
        "# HELP pulsewing_alarm_signals_total Signals of alarms, by channel and by what became of them.\n# TYPE pulsewing_alarm_signals_total counter"
    );
    for report in reports {
        let channel = &report.channel;
        for (result, count) in report.counts.by_result() {
            let _ = writeln!(
                out,
                "pulsewing_alarm_signals_total{{channel=\"{channel}\",result=\"{result}\"}} {count}"
            );
        }
    }
}

/// Returns the number of minutes of today with a value; `None` when nothing was fetched today.
fn logged_today(reading: &Reading, now: Timestamp) -> Option<u16> {
    let today = |at: Timestamp| reading.time_zone.offsets.local(at).date();
    if reading.day.local().date() == today(now) {
        Some(reading.day.logged_minutes())
    } else {
        // The day is an earlier one that was kept, because today has no data.
        (today(reading.fetched_at) == today(now)).then_some(0)
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use pulsewing_core::Provider;

    use super::*;

    #[test]
    fn what_is_not_known_is_absent() {
        let snapshot = Snapshot::new(Provider::Google, SignedDuration::from_mins(15));
        let known = Known {
            wearer: WearerId::default(),
            snapshot: Arc::new(snapshot),
            now: Timestamp::UNIX_EPOCH,
            history: Some((None, 0)),
        };
        let text = text(&[known], Told::Everything);
        let (text, alarms) = text.split_at(text.find("# HELP pulsewing_alarm ").unwrap());
        let names: Vec<&str> = text
            .lines()
            .filter(|line| !line.starts_with('#'))
            .map(|line| line.split(['{', ' ']).next().unwrap())
            .collect();
        assert_eq!(
            names,
            [
                "pulsewing_trouble",
                "pulsewing_history_days",
                "pulsewing_history_bytes",
                "pulsewing_build_info"
            ]
        );
        assert!(
            alarms
                .contains("pulsewing_alarm{wearer=\"default\",kind=\"high\",level=\"urgent\"} 0\n")
        );
        assert_eq!(alarms.lines().count(), 2 + 11);
    }
}
