//! The page of a day of the history, or of a part of it.

use std::str::FromStr;

use axum::{
    extract::{Path, Query},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use jiff::civil::{Date, Time};
use maud::{Markup, html};
use pulsewing_core::{Bpm, day::Day, heart_zone::HeartZones};
use serde::Deserialize;

use super::{api, chart, dates, layout, subject::Subject, unreadable, usual, zone_bar};
use crate::faces::plot::Plot;

/// The minimum length of a part, in minutes.
const LEAST: u16 = 10;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Part {
    from: Option<String>,
    to: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct DatePath {
    date: String,
}

#[derive(Deserialize)]
pub(super) struct Choice {
    date: String,
}

/// Redirects to the day that was chosen in the form.
pub(super) async fn choose(subject: Subject, Query(choice): Query<Choice>) -> Response {
    match Date::from_str(&choice.date) {
        Ok(date) => Redirect::to(&format!("{}/day/{date}", subject.base)).into_response(),
        Err(_) => no_date(),
    }
}

fn no_date() -> Response {
    layout::message(
        StatusCode::NOT_FOUND,
        "That is not a date",
        "Write a date like this: 2026-11-22.",
    )
}

/// Serves the page of a day.
pub(super) async fn page(
    subject: Subject,
    Path(path): Path<DatePath>,
    Query(part): Query<Part>,
) -> Response {
    let Ok(date) = Date::from_str(&path.date) else {
        return no_date();
    };
    let read = subject.history(api::of_day(date), move |history| history.day(date));
    let record = match read.await {
        Ok(record) => record.flatten(),
        Err(error) => return unreadable(&error),
    };
    let snapshot = subject.snapshot();
    let at = subject.now();
    let base = subject.base.as_str();
    let today = snapshot.local(at).date();
    let zones = snapshot
        .reading
        .as_ref()
        .map_or(HeartZones::PLAIN, |reading| reading.heart_zones);
    // For today, the snapshot may be newer than the history.
    let reading = snapshot
        .reading
        .as_ref()
        .filter(|reading| reading.day.local().date() == date);
    let day = match (&record, reading) {
        (Some(record), _) => Some(record.day.clone()),
        (None, Some(reading)) => Some(reading.day.clone()),
        (None, None) => None,
    };
    let resting = record.as_ref().and_then(|record| record.resting);
    let usual = match day {
        Some(_) => usual::before(&subject, date).await,
        None => None,
    };
    let (before, after) = (date.yesterday().ok(), date.tomorrow().ok());
    let body = html! {
        div.dates {
            @if let Some(before) = before { a.step href=(format!("{base}/day/{before}")) rel="prev" aria-label=(format!("The day before, {before}")) { "‹" } }
            h1 { (dates::day(date, dates::Form::Long)) }
            @if let Some(after) = after.filter(|after| *after <= today) {
                a.step.next href=(format!("{base}/day/{after}")) rel="next" aria-label=(format!("The day after, {after}")) { "›" }
            } @else { span.step.next aria-hidden="true" {} }
            form.choose method="get" action=(format!("{base}/day")) {
                label { span.hidden { "Another day" } input type="date" name="date" value=(date) max=(today) required; }
                button { "Go" }
            }
        }
        section.card #day data-live {
            @match day.as_ref().filter(|day| day.logged_minutes() > 0) {
                None => p.quiet { "There is no data for this day." },
                Some(day) => {
                    @let (from, to) = bounds(day, &part);
                    @let plot = Plot::from_day(day, from, to, at);
                    @let is_part = from > 0 || to < day.local().minutes();
                    (summary(&plot, resting))
                    @if is_part {
                        p.part { (clock(day, from)) " to " (clock_end(day, to)) " · " a href=(format!("{base}/day/{date}")) { "The whole day" } }
                    } @else {
                        p.part.quiet { "Closer: "
                            @for (from, to, name) in [("00:00", "06:00", "night"), ("06:00", "12:00", "morning"), ("12:00", "18:00", "afternoon"), ("18:00", "24:00", "evening")] {
                                a href=(format!("{base}/day/{date}?from={from}&to={to}")) { (name) } " "
                            }
                        }
                    }
                    @let rates: Vec<Bpm> = plot.known().map(|(_, bpm)| bpm).collect();
                    ({
                        let figure = chart::Figure {
                            id: "day-graph",
                            plot: &plot,
                            label: &label(date, &plot),
                            kind: chart::Kind::Closer { before: from, whole: day.local().minutes() },
                            zones,
                            resting,
                            usual: usual.as_ref(),
                            has_now: date == today && plot.past < plot.length(),
                        };
                        figure.draw()
                    })
                    (keys())
                    (zone_bar::of(&rates, &zones))
                    (chart::table(&plot))
                }
            }
        }
    };
    let title = date.to_string();
    layout::page(&subject, layout::Place::Day(date), today, &title, &body).into_response()
}

fn summary(plot: &Plot, resting: Option<Bpm>) -> Markup {
    html! {
        @if let Some(extent) = plot.extent() {
            dl.extent {
                div { dt { "lowest" } dd { (extent.min) } }
                div { dt { "average" } dd { (extent.mean) } }
                div { dt { "highest" } dd { (extent.max) } }
                @if let Some(resting) = resting { div { dt { "resting" } dd { (resting.get()) } } }
                div { dt { "measured" } dd { (zone_bar::spent(plot.logged_minutes())) } }
            }
        }
    }
}

/// Tells how to look closer, with each kind of hand.
fn keys() -> Markup {
    html! {
        details.keys {
            summary { "Look closer" }
            ul {
                li { "Mouse: drag over the graph to see that part; hold still to read a minute." }
                li { "Touch: tap to read a minute; drag sideways to see that part; pinch to see more or less." }
                li { "Keys, on the graph: " kbd { "←" } " " kbd { "→" } " move by a minute, with " kbd { "Shift" } " by fifteen; "
                    kbd { "Home" } " and " kbd { "End" } " go to the ends; " kbd { "+" } " shows a smaller part, " kbd { "-" } " the whole day, " kbd { "Esc" } " lets go." }
            }
        }
    }
}

fn label(date: Date, plot: &Plot) -> String {
    match plot.extent() {
        Some(extent) => format!(
            "Heart rate of {date}: between {} and {} bpm, {} on average",
            extent.min, extent.max, extent.mean
        ),
        None => "No heart rate in this part of the day".to_owned(),
    }
}

/// Returns the minutes at which a part begins and ends; those of the whole day if it is not valid.
fn bounds(day: &Day, part: &Part) -> (u16, u16) {
    let whole = day.local().minutes();
    let from = part.from.as_deref().and_then(|text| minute_of(day, text));
    let to = part.to.as_deref().and_then(|text| match text {
        "24:00" => Some(whole),
        text => minute_of(day, text),
    });
    match (from.unwrap_or(0), to.unwrap_or(whole)) {
        (from, to) if to >= from + LEAST => (from, to),
        (from, _) if part.from.is_some() && whole >= from + LEAST => (from, from + LEAST),
        _ => (0, whole),
    }
}

/// Returns the minute at which the clock shows a time; the first if there are two.
fn minute_of(day: &Day, text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let time = Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()?;
    let local = day.local();
    local
        .minute_at(time, false)
        .or_else(|| local.minute_at(time, true))
}

fn clock(day: &Day, minute: u16) -> String {
    let time = day.local().clock(minute);
    format!("{:02}:{:02}", time.hour(), time.minute())
}

/// Formats the end of a part. The end of a day is 24:00, not the next day's beginning.
fn clock_end(day: &Day, minute: u16) -> String {
    if minute >= day.local().minutes() {
        "24:00".to_owned()
    } else {
        clock(day, minute)
    }
}

#[cfg(test)]
mod tests {
    use jiff::{civil::date, tz::TimeZone};
    use pulsewing_core::dialect::ZoneFacts;

    use super::*;
    use crate::engine::zone::resolve;

    fn part(from: &str, to: &str) -> Part {
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Part {
            from: text(from),
            to: text(to),
        }
    }

    #[test]
    fn a_part_is_what_the_clock_shows_and_nonsense_is_the_whole_day() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let noon = date(2026, 10, 25).at(12, 0, 0, 0).to_zoned(zone.clone());
        let noon = noon.unwrap().timestamp();
        let offsets = resolve(&ZoneFacts::default(), Some("Europe/Berlin"), noon).offsets;
        let day = Day::new(offsets.day_of(noon));
        for (from, to, expected) in [
            ("", "", (0, 1_500)),
            ("00:00", "01:30", (0, 90)),
            // After the clocks went back.
            ("12:00", "24:00", (780, 1_500)),
            ("23:58", "", (1_490, 1_500)),
            ("18:00", "06:00", (1_140, 1_150)),
            ("noon", "25:00", (0, 1_500)),
            ("-1:00", "", (0, 1_500)),
        ] {
            let bounds = bounds(&day, &part(from, to));
            if from == "23:58" {
                assert_eq!(bounds, (0, 1_500), "too short a part");
            } else {
                assert_eq!(bounds, expected, "{from} to {to}");
            }
        }
        assert_eq!(clock_end(&day, 1_500), "24:00");
    }
}
