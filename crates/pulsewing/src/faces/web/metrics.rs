//! The same for Prometheus (text exposition format 0.0.4).
//!
//! What is not known is absent, not nought. A heart rate of more than a day ago is absent as well, and so is
//! the resting heart rate of a day before yesterday, for a gauge has no way to say how old it is; when the newest
//! heart rate was, and how long ago, is told for ever, so that a rule on that does not resolve itself.

use std::fmt::Write as _;

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use pulsewing_core::{
    Bpm,
    reading::{Freshness, Reading},
};
use pulsewing_history::{History, Span, bytes_on_disk};

use super::{Shared, api};
use crate::daemon::{Look, Snapshot};

/// What a scraper gets.
pub(super) async fn page(State(site): State<Shared>) -> Response {
    let span = site.history(History::span).await;
    let span = span.ok().flatten().flatten();
    let bytes = bytes_on_disk(site.broadcast.state_dir());
    let text = text(&site.snapshot(), site.broadcast.now().utc, span, bytes);
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}

fn text(snapshot: &Snapshot, now: Timestamp, span: Option<Span>, bytes: u64) -> String {
    let mut out = String::new();
    let mut gauge = |name: &str, help: &str, labels: &str, value: Option<f64>| {
        if let Some(value) = value {
            let _ = writeln!(out, "# HELP pulsewing_{name} {help}");
            let _ = writeln!(out, "# TYPE pulsewing_{name} gauge");
            let _ = writeln!(out, "pulsewing_{name}{labels} {value}");
        }
    };
    let seconds = |at: Timestamp| at.as_second() as f64;
    let reading = snapshot.reading.as_deref();
    let freshness = snapshot.freshness(now);
    let newest = reading.and_then(api::newest);
    let says_something = snapshot.look(now).is_some_and(|look| look != Look::LongAgo);
    gauge(
        "heart_rate_bpm",
        "The newest one-minute average, in beats per minute.",
        "",
        newest
            .filter(|_| says_something)
            .map(|(_, bpm)| f64::from(bpm)),
    );
    gauge(
        "heart_rate_timestamp_seconds",
        "When the newest minute began.",
        "",
        newest.map(|(at, _)| seconds(at)),
    );
    gauge(
        "heart_rate_age_seconds",
        "How long ago the newest minute began.",
        "",
        reading
            .and_then(|it| it.age(now))
            .map(|age| age.as_secs_f64().floor()),
    );
    gauge(
        "up_to_date",
        "1 while the newest minute is as new as can be expected.",
        "",
        freshness.map(|it| f64::from(u8::from(it == Freshness::Fresh))),
    );
    gauge(
        "resting_heart_rate_bpm",
        "The resting heart rate of today or, until it has one, of yesterday, in beats per minute.",
        "",
        reading
            .and_then(|it| it.resting_at(now))
            .map(|bpm| f64::from(Bpm::get(bpm))),
    );
    gauge(
        "tracker_battery_ratio",
        "The tracker's battery, 0 to 1.",
        "",
        reading
            .and_then(|it| it.battery_percent)
            .map(|percent| f64::from(percent) / 100.0),
    );
    gauge(
        "tracker_last_sync_timestamp_seconds",
        "When the tracker last synced.",
        "",
        reading.and_then(|it| it.last_sync).map(seconds),
    );
    gauge(
        "logged_minutes",
        "How many minutes of the wearer's day have a value.",
        "",
        reading.and_then(|it| logged_today(it, now)).map(f64::from),
    );
    gauge(
        "last_update_timestamp_seconds",
        "When an update last ended, well or not.",
        "",
        snapshot.last_update.map(seconds),
    );
    gauge(
        "last_success_timestamp_seconds",
        "When an update last succeeded.",
        "",
        snapshot.last_success.map(seconds),
    );
    gauge(
        "next_update_timestamp_seconds",
        "When the next update is due.",
        "",
        snapshot.next_update.map(seconds),
    );
    let kind = snapshot.failed_update.as_ref().map(api::kind);
    gauge(
        "trouble",
        "1 while something stands in the way of updates: sign-in, gone, temporary or failed.",
        &kind.map_or_else(String::new, |kind| format!("{{kind=\"{kind}\"}}")),
        Some(f64::from(u8::from(kind.is_some()))),
    );
    gauge(
        "history_days",
        "How many days the history has.",
        "",
        Some(span.map_or(0.0, |span| f64::from(span.days))),
    );
    gauge(
        "history_bytes",
        "How much room the history takes.",
        "",
        Some(bytes as f64),
    );
    gauge(
        "build_info",
        "The program.",
        &format!(
            "{{version=\"{}\",provider=\"{}\"}}",
            env!("CARGO_PKG_VERSION"),
            snapshot.provider.name()
        ),
        Some(1.0),
    );
    out
}

/// How many minutes of today have a value; `None` when nothing was fetched today.
fn logged_today(reading: &Reading, now: Timestamp) -> Option<u16> {
    let today = |at: Timestamp| reading.time_zone.offsets.local(at).date();
    if reading.day.local().date() == today(now) {
        Some(reading.day.logged_minutes())
    } else {
        // The day is an earlier one that was kept, because today has nothing.
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
        let text = text(&snapshot, Timestamp::UNIX_EPOCH, None, 0);
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
    }
}
