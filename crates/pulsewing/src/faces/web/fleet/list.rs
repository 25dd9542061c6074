//! The list of wearers and the metrics, for programs.

use std::fmt::Write as _;

use axum::{
    Extension,
    extract::{Query, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::{StreamExt as _, stream};
use pulsewing_fleet::{Error, Listed, Order, Wearer, WearerId};
use serde::{Deserialize, Serialize};

use super::{
    super::{Shared, api, metrics as gauges},
    Fleet, unavailable,
    visitor::Visitor,
};
use crate::{config::wearer::WearerConfig, daemon::Snapshot};

/// The most wearers in one answer.
const MOST: u32 = 1_000;

/// The most wearers of whom the metrics have gauges.
const MOST_WITH_GAUGES: u64 = 1_000;

/// The number of wearers that are loaded at the same time.
const AT_ONCE: usize = 8;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct After {
    after: Option<String>,
}

#[derive(Debug, Serialize)]
struct WearerJson<'a> {
    id: &'a str,
    name: Option<&'a str>,
    provider: &'a str,
    state: &'a str,
}

impl<'a> WearerJson<'a> {
    fn new(listed: &'a Listed) -> Self {
        let wearer = &listed.wearer;
        Self {
            id: wearer.id.as_str(),
            name: Some(wearer.name.as_str()).filter(|name| !name.is_empty()),
            provider: &wearer.provider,
            state: listed.state(),
        }
    }
}

/// Lists the wearers of whom the visitor may know, by their ids, a page at a time.
pub(super) async fn wearers(
    State(site): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Query(query): Query<After>,
) -> Response {
    let Some(fleet) = &site.fleet else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let after = match query.after.as_deref().map(str::parse::<WearerId>) {
        None => None,
        Some(Ok(id)) => Some(id),
        Some(Err(_)) => {
            let words = "after is a wearer's id: the last one of the page before";
            return api::Error::new(StatusCode::BAD_REQUEST, words).into_response();
        }
    };
    let database = fleet.backing.database();
    let order = Order::ById(after);
    match database.list(visitor.access(), &order, MOST).await {
        Err(error) => unavailable(true, &error),
        Ok(page) => {
            let rows: Vec<WearerJson<'_>> = page.iter().map(WearerJson::new).collect();
            let mut reply = api::json(StatusCode::OK, &rows);
            let last = page.last().filter(|_| page.len() == MOST as usize);
            if let Some(last) = last {
                let next = format!("</api/v1/wearers?after={}>; rel=\"next\"", last.wearer.id);
                if let Ok(next) = HeaderValue::from_str(&next) {
                    reply.headers_mut().insert(header::LINK, next);
                }
            }
            reply
        }
    }
}

/// Serves the metrics to a scraper: those of the fleet, and the gauges of each wearer while there are not
/// too many.
pub(super) async fn metrics(
    State(site): State<Shared>,
    Extension(visitor): Extension<Visitor>,
) -> Response {
    let Some(fleet) = &site.fleet else {
        return StatusCode::NOT_FOUND.into_response();
    };
    match written(&site, fleet, &visitor).await {
        Ok(text) => gauges::reply(text),
        Err(error) => unavailable(true, &error),
    }
}

async fn written(site: &Shared, fleet: &Fleet, visitor: &Visitor) -> Result<String, Error> {
    let database = fleet.backing.database();
    let counts = database.count_states(visitor.access()).await?;
    let mut out = String::new();
    head(
        &mut out,
        "wearers",
        "gauge",
        "How many wearers are in a state.",
    );
    for count in &counts {
        let (state, wearers) = (&count.state, count.wearers);
        let _ = writeln!(out, "pulsewing_wearers{{state=\"{state}\"}} {wearers}");
    }
    if visitor.runs_the_fleet() {
        let backlog = database.backlog().await?;
        let help = "How many wearers are due and wait for a collector.";
        head(&mut out, "backlog_wearers", "gauge", help);
        let _ = writeln!(out, "pulsewing_backlog_wearers {}", backlog.waiting);
        let help = "How long the first of those has been due.";
        head(&mut out, "backlog_longest_wait_seconds", "gauge", help);
        let longest = backlog.longest.as_secs_f64();
        let _ = writeln!(out, "pulsewing_backlog_longest_wait_seconds {longest:.3}");
        let help = "How many turns this program has given since its start.";
        head(&mut out, "turns_total", "counter", help);
        for (result, count) in fleet.backing.turns() {
            let _ = writeln!(out, "pulsewing_turns_total{{result=\"{result}\"}} {count}");
        }
        if let Some(all) = &fleet.notifications {
            let help = "How many requests came to the endpoint for notifications.";
            head(&mut out, "notification_requests_total", "counter", help);
            for (result, count) in all.requests() {
                let name = "pulsewing_notification_requests_total";
                let _ = writeln!(out, "{name}{{result=\"{result}\"}} {count}");
            }
            let help = "How many persons were notified of, by whether they are wearers.";
            head(&mut out, "notified_persons_total", "counter", help);
            for (person, count) in all.persons() {
                let _ = writeln!(
                    out,
                    "pulsewing_notified_persons_total{{person=\"{person}\"}} {count}"
                );
            }
        }
    }
    let all: u64 = counts.iter().map(|count| count.wearers).sum();
    if all <= MOST_WITH_GAUGES {
        let page = database.list(visitor.access(), &Order::ById(None), MOST);
        let wearers = page
            .await?
            .into_iter()
            .map(|listed| listed.wearer)
            .collect();
        let told = match visitor.sees_any_rates() {
            true => gauges::Told::Everything,
            false => gauges::Told::Updates,
        };
        let now = site.now();
        let known = snapshots(fleet, visitor, wearers, "/metrics").await?;
        let known = known.into_iter();
        let known: Vec<gauges::Known> = known
            .map(|(wearer, snapshot)| gauges::Known::stored(wearer.id, snapshot, now))
            .collect();
        out.push_str(&gauges::text(&known, told));
    }
    Ok(out)
}

fn head(out: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(out, "# HELP pulsewing_{name} {help}");
    let _ = writeln!(out, "# TYPE pulsewing_{name} {kind}");
}

/// Loads the states of these wearers, and notes that the visitor looks at them. One that cannot be loaded
/// is left out, and logged.
pub(super) async fn snapshots(
    fleet: &Fleet,
    visitor: &Visitor,
    wearers: Vec<Wearer>,
    what: &str,
) -> Result<Vec<(WearerConfig, Snapshot)>, Error> {
    let database = fleet.backing.database();
    visitor.note(database, &wearers, what).await?;
    let loading = stream::iter(wearers).map(async |wearer| {
        let settings = fleet.backing.settings(&wearer);
        match fleet.backing.snapshot(&wearer).await {
            Ok(snapshot) => Some((settings, snapshot)),
            Err(problem) => {
                tracing::warn!(wearer = %wearer.id, %problem, "a wearer could not be loaded");
                None
            }
        }
    });
    let loaded = loading.buffered(AT_ONCE).filter_map(async |found| found);
    Ok(loaded.collect().await)
}
