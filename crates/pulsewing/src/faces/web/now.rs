//! The page with the current heart rate.

use axum::{
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};
use pulsewing_core::{
    Bpm,
    day::Sample,
    heart_zone::HeartZone,
    reading::{LONG_AGO, Reading},
};

use super::{chart, layout, subject::Subject};
use crate::{
    daemon::{FailedUpdate, Look, Snapshot},
    faces::{plot::Plot, words},
    tell::{failure_words, phrases},
};

/// Serves the page.
pub(super) async fn page(subject: Subject) -> Response {
    let snapshot = subject.snapshot();
    let now = subject.now();
    let base = subject.base.as_str();
    let reading = snapshot.reading.as_deref();
    let title = title(&snapshot, now);
    let body = html! {
        (headline(&snapshot, now))
        (failed_update(&subject, &snapshot))
        @if let Some(reading) = reading {
            (recent(reading, &snapshot, now))
            (so_far(base, reading, now))
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

/// Returns the title of the tab. A tab is seen without the page, so the title has the age, and has
/// it first once that matters. The page's script keeps it up to date.
fn title(snapshot: &Snapshot, now: Timestamp) -> String {
    let newest = snapshot.reading.as_deref().and_then(Reading::latest);
    match (newest, snapshot.look(now)) {
        (Some(sample), Some(Look::Fresh)) => {
            format!("{} bpm, {}", sample.bpm.get(), phrases::ago(sample.at, now))
        }
        (Some(sample), _) => {
            format!(
                "{}: was {} bpm",
                phrases::ago(sample.at, now),
                sample.bpm.get()
            )
        }
        (None, _) => "No heart rate yet".to_owned(),
    }
}

fn headline(snapshot: &Snapshot, now: Timestamp) -> Markup {
    let reading = snapshot.reading.as_deref();
    let latest = reading.and_then(|reading| Some((reading, reading.latest()?)));
    let at = latest.map(|(_, sample)| sample.at);
    // The time from which the page's script shows it as old, if nothing newer arrives.
    let later = |age: SignedDuration| Some(at?.checked_add(age).ok()?.as_millisecond());
    let freshness = snapshot.freshness(now);
    html! {
        section.now #now data-live data-clock=(now.as_millisecond()) aria-label="Heart rate now"
            data-look=[snapshot.look(now).map(Look::name)]
            data-old-after=[later(Reading::stale_after(snapshot.every))] data-long-ago-at=[later(LONG_AGO)] {
            @match latest {
                Some((reading, sample)) if snapshot.look(now) == Some(Look::Fresh) => {
                    (rate(reading, sample, snapshot, now))
                    (age(reading, sample, now))
                }
                Some((reading, sample)) => {
                    (age(reading, sample, now))
                    (rate(reading, sample, snapshot, now))
                }
                None => {
                    h1 aria-live="polite" { "No heart rate yet" }
                }
            }
            p.state {
                @if let (Some(freshness), Some(words)) = (freshness, words::freshness(snapshot, now)) {
                    span.freshness data-fresh=(freshness.name()) data-old="Old: this page has received nothing newer" { (words) }
                }
                @if let Some(guess) = reading.and_then(phrases::guess) { span.guess { (guess) } }
                @if let Some(activity) = words::activity(snapshot) { span.activity { (activity) } }
            }
        }
    }
}

fn rate(reading: &Reading, sample: Sample, snapshot: &Snapshot, now: Timestamp) -> Markup {
    let zone = reading.heart_zones.zone(sample.bpm);
    let is_fresh = snapshot.look(now) == Some(Look::Fresh);
    html! {
        h1 aria-live="polite" {
            span.was hidden[is_fresh] { "was " }
            span.bpm { (sample.bpm.get()) }
            " " span.unit { "bpm" }
            " " span class={ "zone " (words::class_of(zone)) } { (zone.name()) }
        }
    }
}

fn age(reading: &Reading, sample: Sample, now: Timestamp) -> Markup {
    html! {
        p.age {
            time datetime=(format!("{:.0}", sample.at)) data-at=(sample.at.as_millisecond()) { (phrases::ago(sample.at, now)) }
            " " span.at { (phrases::at_moment(reading, sample.at, now)) }
        }
    }
}

fn failed_update(subject: &Subject, snapshot: &Snapshot) -> Markup {
    html! {
        section #trouble data-live {
            @if let Some(failed_update) = &snapshot.failed_update { (complaint(subject, failed_update)) }
        }
    }
}

fn complaint(subject: &Subject, failed_update: &FailedUpdate) -> Markup {
    html! {
        div.trouble role="status" {
            h2 { (phrases::sentence(&failed_update.message)) }
            p { (failure_words::advice(failed_update.failure)) }
            @if failed_update.wants_sign_in() && subject.has_sign_in() { p { a.button href=(format!("{}/sign-in", subject.base)) { "Sign in" } } }
            @if let Some(details) = &failed_update.details { (layout::details(details)) }
        }
    }
}

fn recent(reading: &Reading, snapshot: &Snapshot, now: Timestamp) -> Markup {
    let plot = Plot::from_window(&reading.window, &reading.time_zone.offsets);
    let newest = reading.latest().map(|sample| sample.at);
    let until = newest.filter(|_| snapshot.look(now) != Some(Look::Fresh));
    html! {
        section.card #recent data-live {
            @if let (Some(plot), Some(extent)) = (plot, reading.window.extent()) {
                @let (from, _) = plot.time(0);
                @let (to, _) = plot.time(plot.length().saturating_sub(1));
                @let (from, to) = (phrases::clock(reading, from), phrases::clock(reading, to));
                @let label = format!("Heart rate from {from} to {to}: between {} and {} bpm, {} on average",
                    extent.min.get(), extent.max.get(), extent.mean.get());
                @let count = reading.window.samples().len();
                h2 {
                    @match until {
                        Some(until) => { (count) " minutes until " (phrases::moment(reading, until, now)) }
                        None => { "The latest " (count) " minutes" }
                    }
                }
                dl.extent {
                    div { dt { "min" } dd { (extent.min.get()) } }
                    div { dt { "mean" } dd { (extent.mean.get()) } }
                    div { dt { "max" } dd { (extent.max.get()) } }
                }
                (chart::figure(&plot, "recent-graph", &label, chart::Kind::Latest))
                (chart::table(&plot))
            } @else {
                h2 { "The latest minutes" }
                p.quiet { "There was no heart rate in the last 24 hours." }
            }
        }
    }
}

fn so_far(base: &str, reading: &Reading, now: Timestamp) -> Markup {
    let date = reading.day.local().date();
    let plot = Plot::from_day(&reading.day, 0, u16::MAX, now);
    let label = match plot.extent() {
        Some(extent) => format!(
            "Heart rate of {}: between {} and {} bpm, {} on average, {} minutes",
            phrases::date(date),
            extent.min,
            extent.max,
            extent.mean,
            plot.logged_minutes()
        ),
        None => format!("No heart rate on {} yet", phrases::date(date)),
    };
    html! {
        section.card #today data-live {
            h2 { a href=(format!("{base}/day/{date}")) { (phrases::date(date)) } }
            (chart::figure(&plot, "today-graph", &label, chart::Kind::Glance))
            (zones(reading))
        }
    }
}

/// Shows the minutes of the day in each zone.
fn zones(reading: &Reading) -> Markup {
    let rates: Vec<Bpm> = reading.day.iter().map(|(_, bpm)| bpm).collect();
    zone_minutes(&rates, &reading.heart_zones)
}

/// Returns the zones from the lowest up: their lower bounds, and the number of these minutes in
/// each.
pub(super) fn zone_minutes(
    rates: &[Bpm],
    zones: &pulsewing_core::heart_zone::HeartZones,
) -> Markup {
    let [light, moderate, vigorous, peak] = zones.limits().map(Bpm::get);
    let rows = [
        (HeartZone::Easy, format!("below {light} bpm")),
        (HeartZone::Light, format!("{light} to {} bpm", moderate - 1)),
        (
            HeartZone::Moderate,
            format!("{moderate} to {} bpm", vigorous - 1),
        ),
        (
            HeartZone::Vigorous,
            format!("{vigorous} to {} bpm", peak - 1),
        ),
        (HeartZone::Peak, format!("{peak} bpm and above")),
    ];
    html! {
        table.zones {
            caption { "Minutes in each zone" }
            thead.hidden { tr { th scope="col" { "Zone" } th scope="col" { "bpm" } th scope="col" { "Time" } } }
            tbody {
                @for (zone, limits) in rows {
                    @let minutes = rates.iter().filter(|bpm| zones.zone(**bpm) == zone).count();
                    tr {
                        th scope="row" { span class={ "zone " (words::class_of(zone)) } { (zone.name()) } }
                        td.limits { (limits) }
                        td.minutes { (spent(minutes)) }
                    }
                }
            }
        }
    }
}

fn spent(minutes: usize) -> String {
    match (minutes / 60, minutes % 60) {
        (0, left) => format!("{left} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, left) => format!("{hours} h {left} min"),
    }
}

fn facts(base: &str, snapshot: &Snapshot, now: Timestamp) -> Markup {
    let reading = snapshot.reading.as_deref();
    let when = |at: Option<Timestamp>| -> Markup {
        match (at, reading) {
            (Some(at), Some(reading)) => html! {
                time datetime=(format!("{at:.0}")) data-at=(at.as_millisecond()) { (phrases::ago(at, now)) }
                " " span.at { (phrases::at_moment(reading, at, now)) }
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
            form method="post" action=(format!("{base}/update")) { button { "Update now" } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_in_a_zone_is_told_in_hours_and_minutes() {
        assert_eq!(
            [0, 59, 60, 125].map(spent),
            ["0 min", "59 min", "1 h", "2 h 5 min"]
        );
    }
}
