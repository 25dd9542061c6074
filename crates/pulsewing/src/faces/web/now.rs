//! The page with the current heart rate.

use axum::{
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use jiff::Timestamp;
use maud::{Markup, html};
use pulsewing_core::reading::Reading;

use super::{
    alarms, chart, dates, headline, hours, hours::Hours, layout, notice, subject::Subject, usual,
};
use crate::{
    daemon::{Look, Snapshot},
    faces::{plot::Plot, words},
    tell::phrases,
};

/// Serves the page.
pub(super) async fn page(subject: Subject) -> Response {
    let snapshot = subject.snapshot();
    let now = subject.now();
    let base = subject.base.as_str();
    let reading = snapshot.reading.as_deref();
    let title = headline::title(&snapshot, now);
    let usual = match reading {
        Some(reading) => usual::before(&subject, Hours::date(reading, now)).await,
        None => None,
    };
    let usual = usual.as_ref();
    // The sections are there before there is anything in them: the page's script fills them.
    let body = html! {
        (alarms::of(&subject, &snapshot, now))
        (notice::of(&subject, &snapshot, now))
        (headline::card(&snapshot, usual, now))
        section.card #recent data-live { @if let Some(reading) = reading { (recent(reading, &snapshot, now)) } }
        section.card #hours data-live {
            @if let Some(reading) = reading { (Hours::of(reading, &snapshot, now).card(base, reading, usual, now)) }
        }
        (facts(base, &snapshot, now))
    };
    let today = snapshot.local(now).date();
    layout::page(&subject, layout::Place::Now, today, &title, &body).into_response()
}

/// Triggers an immediate update.
pub(super) async fn update(subject: Subject) -> Response {
    match subject.update_now().await {
        Ok(()) => Redirect::to(&format!("{}/", subject.base)).into_response(),
        Err(problem) => layout::message(
            StatusCode::SERVICE_UNAVAILABLE,
            "That did not work",
            &phrases::sentence(problem.message()),
        ),
    }
}

/// Shows the latest fifteen minutes: in the zones' colours, and in grey once they are old.
fn recent(reading: &Reading, snapshot: &Snapshot, now: Timestamp) -> Markup {
    let plot = Plot::from_window(&reading.window, &reading.time_zone.offsets);
    let newest = reading.latest().map(|sample| sample.at);
    let until = newest.filter(|_| snapshot.look(now) != Some(Look::Fresh));
    html! {
        @if let (Some(plot), Some(extent)) = (plot, reading.window.extent()) {
            @let (from, _) = plot.time(0);
            @let (to, _) = plot.time(plot.length().saturating_sub(1));
            @let (from, to) = (phrases::clock(reading, from), phrases::clock(reading, to));
            @let label = format!("Heart rate from {from} to {to}: between {} and {} bpm, {} on average",
                extent.min.get(), extent.max.get(), extent.mean.get());
            @let minutes = match reading.window.samples().len() {
                1 => "1 minute".to_owned(),
                count => format!("{count} minutes"),
            };
            h2 data-old=[until.is_none().then(|| format!("{minutes} until {to}"))] {
                @match until {
                    Some(until) => { (minutes) " until " (dates::moment(reading, until, now)) }
                    None => { "The latest " (minutes) }
                }
            }
            (hours::extent(&plot))
            ({
                let figure = chart::Figure {
                    id: "recent-graph",
                    plot: &plot,
                    label: &label,
                    kind: chart::Kind::Latest,
                    zones: reading.heart_zones,
                    resting: reading.resting,
                    usual: None,
                    has_now: false,
                };
                figure.draw()
            })
            (chart::table(&plot))
        } @else {
            h2 { "The latest minutes" }
            p.quiet { "There was no heart rate in the last 24 hours." }
        }
    }
}

fn facts(base: &str, snapshot: &Snapshot, now: Timestamp) -> Markup {
    let reading = snapshot.reading.as_deref();
    let when = |at: Option<Timestamp>| -> Markup {
        match (at, reading) {
            (Some(at), Some(reading)) => html! {
                time datetime=(format!("{at:.0}")) data-at=(at.as_millisecond()) { (phrases::ago(at, now)) }
                " " span.at { (dates::at_moment(reading, at, now)) }
            },
            (Some(at), None) => html! { (phrases::ago(at, now)) },
            (None, _) => html! { span.quiet { "unknown" } },
        }
    };
    html! {
        section.card #facts data-live {
            h2.hidden { "Tracker and updates" }
            dl.facts {
                @if reading.is_some() {
                div { dt { "Resting heart rate" } dd {
                    @match reading.and_then(|it| it.resting_at(now)) { Some(bpm) => { (bpm.get()) " bpm" } None => { span.quiet { "unknown" } } }
                } }
                div { dt { "Tracker's battery" } dd {
                    @match reading.and_then(|it| it.battery_percent) {
                        Some(percent) => { meter min="0" max="100" low="20" value=(percent) aria-label="Tracker's battery" {} " " (percent) " %" }
                        None => { span.quiet { "unknown" } }
                    }
                } }
                div { dt { "Last sync" } dd { (when(reading.and_then(|it| it.last_sync))) } }
                @if snapshot.failed_update.is_some() {
                    div { dt { "Last update" } dd { "failed " (when(snapshot.last_update)) } }
                    div { dt { "Last success" } dd { (when(snapshot.last_success)) } }
                } @else {
                    div { dt { "Last update" } dd { (when(snapshot.last_success)) } }
                }
                }
                div { dt { "Next update" } dd {
                    @match (snapshot.next_update, &snapshot.failed_update) {
                        (Some(at), _) => { time datetime=(format!("{at:.0}")) data-due=(at.as_millisecond()) { (phrases::ahead(at, now)) } }
                        (None, Some(failed_update)) => { span.quiet { "none: " (words::no_update(failed_update.failure)) } }
                        (None, None) => { span.quiet { "soon" } }
                    }
                } }
            }
            @if !notice::is_needed(snapshot, now) { (notice::update_now(base)) }
        }
    }
}
