//! Metrics for Prometheus (text exposition format 0.0.4), each with the label `wearer`.
//!
//! Every series exists from the start on and for as long as the wearer does: a label that comes and goes
//! would begin another series, and an alert on the old one would resolve by itself. What is not known is
//! NaN, not zero. So is a heart rate that is more than a day old, and a resting heart rate from before
//! yesterday, because a gauge cannot show its age.

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
    cycle::FailureKind,
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

/// A gauge.
struct Gauge {
    /// The name after `pulsewing_`.
    name: &'static str,
    help: &'static str,
    series: Series,
}

/// The series of a gauge for one wearer: always the same ones.
enum Series {
    /// A single one, which is NaN while its value is not known.
    Plain(fn(&Known) -> Option<f64>),
    /// One about the history's file, which a wearer in a database never has.
    OfFile(fn(&(Option<Span>, u64)) -> f64),
    /// Some with labels after the wearer's, each label with a comma before it.
    Labelled(fn(&Known) -> Vec<(String, f64)>),
}

impl Series {
    /// Returns the values at present, with their labels.
    fn of(&self, known: &Known) -> Vec<(String, f64)> {
        match self {
            Self::Plain(value) => vec![(String::new(), value(known).unwrap_or(f64::NAN))],
            Self::OfFile(value) => {
                let history = known.history.iter();
                history.map(|it| (String::new(), value(it))).collect()
            }
            Self::Labelled(values) => values(known),
        }
    }
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

    fn trouble(&self) -> Option<FailureKind> {
        let failed_update = self.snapshot.failed_update.as_ref();
        failed_update.map(|failed_update| failed_update.failure.kind())
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
        help: "1 for the kind of trouble that prevents updates: failed, sign-in, gone or temporary.",
        series: Series::Labelled(|known| {
            let kinds = FailureKind::ALL.into_iter();
            kinds
                .map(|kind| {
                    let label = format!(",kind=\"{}\"", kind.name());
                    (label, f64::from(u8::from(known.trouble() == Some(kind))))
                })
                .collect()
        }),
    },
    Gauge {
        name: "history_days",
        help: "How many days the history has.",
        series: Series::OfFile(|(span, _)| span.map_or(0.0, |span| f64::from(span.days))),
    },
    Gauge {
        name: "history_bytes",
        help: "How much disk space the history takes.",
        series: Series::OfFile(|(_, bytes)| *bytes as f64),
    },
    Gauge {
        name: "build_info",
        help: "The program.",
        series: Series::Labelled(|known| {
            let version = env!("CARGO_PKG_VERSION");
            let provider = known.snapshot.provider.name();
            vec![(
                format!(",version=\"{version}\",provider=\"{provider}\""),
                1.0,
            )]
        }),
    },
];

const fn plain(name: &'static str, help: &'static str, value: fn(&Known) -> Option<f64>) -> Gauge {
    Gauge {
        name,
        help,
        series: Series::Plain(value),
    }
}

fn seconds(at: Timestamp) -> f64 {
    at.as_second() as f64
}

pub(super) fn text(all: &[Known], told: Told) -> String {
    let mut out = String::new();
    for Gauge { name, help, series } in GAUGES {
        match told {
            Told::Everything => {}
            #[cfg(feature = "fleet")]
            Told::Updates if OF_UPDATES.contains(&name) => {}
            #[cfg(feature = "fleet")]
            Told::Updates => continue,
        }
        let mut is_announced = false;
        for known in all {
            for (labels, value) in series.of(known) {
                // Once per metric, and not at all for one that nobody has.
                if !is_announced {
                    let _ = writeln!(out, "# HELP pulsewing_{name} {help}");
                    let _ = writeln!(out, "# TYPE pulsewing_{name} gauge");
                    is_announced = true;
                }
                let wearer = &known.wearer;
                let _ = writeln!(
                    out,
                    "pulsewing_{name}{{wearer=\"{wearer}\"{labels}}} {value}"
                );
            }
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
    use pulsewing_core::{Provider, cycle::Failure};
    use pulsewing_testkit::{at, readings};

    use super::*;
    use crate::daemon::FailedUpdate;

    /// The moment that all of this is about.
    const NOW: &str = "2026-11-22T13:07:00Z";

    fn known(snapshot: Snapshot) -> Known {
        Known {
            wearer: WearerId::default(),
            snapshot: Arc::new(snapshot),
            now: at(NOW),
            history: Some((None, 0)),
        }
    }

    fn new() -> Snapshot {
        Snapshot::new(Provider::Google, SignedDuration::from_mins(15))
    }

    /// Returns every series with its value.
    fn series(snapshot: Snapshot) -> Vec<(String, f64)> {
        let text = text(&[known(snapshot)], Told::Everything);
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        lines
            .map(|line| {
                let (series, value) = line.rsplit_once(' ').unwrap();
                (series.to_owned(), value.parse().unwrap())
            })
            .collect()
    }

    #[test]
    fn what_is_not_known_is_not_a_number() {
        let mut numbers = series(new());
        let (alarms, others) = numbers
            .into_iter()
            .partition(|(name, _)| name.starts_with("pulsewing_alarm"));
        numbers = others;
        numbers.retain(|(_, value)| !value.is_nan());
        let alarms: Vec<(String, f64)> = alarms;
        assert!(alarms.len() == 11 && alarms.iter().all(|(_, value)| *value == 0.0));
        let kind = |name: &str| format!("pulsewing_trouble{{wearer=\"default\",kind=\"{name}\"}}");
        let version = env!("CARGO_PKG_VERSION");
        let expected = [
            (kind("failed"), 0.0),
            (kind("sign-in"), 0.0),
            (kind("gone"), 0.0),
            (kind("temporary"), 0.0),
            ("pulsewing_history_days{wearer=\"default\"}".into(), 0.0),
            ("pulsewing_history_bytes{wearer=\"default\"}".into(), 0.0),
            (
                format!(
                    "pulsewing_build_info{{wearer=\"default\",version=\"{version}\",provider=\"google\"}}"
                ),
                1.0,
            ),
        ];
        assert_eq!(numbers, expected);
    }

    #[test]
    fn the_series_are_the_same_ones_whatever_happens() {
        let names = |snapshot| {
            let series = series(snapshot).into_iter();
            series.map(|(series, _)| series).collect::<Vec<_>>()
        };
        let all = names(new());
        let newest = (13 * 60 + 58, 72);
        let reading = readings::with_minutes(readings::berlin(), at(NOW), [newest]);
        let updated = Snapshot {
            reading: Some(Arc::new(reading)),
            last_success: Some(at(NOW)),
            ..new()
        };
        assert_eq!(names(updated.clone()), all);
        for failure in [Failure::OutOfTime, Failure::NoChain] {
            let failed = Snapshot {
                failed_update: Some(FailedUpdate {
                    failure,
                    message: "no answer".into(),
                    details: None,
                    hint: None,
                }),
                ..updated.clone()
            };
            assert_eq!(names(failed.clone()), all);
            let active: Vec<_> = series(failed)
                .into_iter()
                .filter(|(name, value)| name.contains("trouble") && *value == 1.0)
                .collect();
            assert_eq!(active.len(), 1, "{active:?}");
        }
    }
}
