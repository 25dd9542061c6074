//! The pages of weeks and months: a bar for each day, and the same as a table.

use axum::{
    extract::Path,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use jiff::{ToSpan, civil::Date};
use maud::{Markup, html};
use pulsewing_core::{Bpm, heart_zone::HeartZones};
use pulsewing_history::{Dates, DaySummary};
use serde::Deserialize;

use super::{
    calendar,
    chart::percent,
    dates::{self, Form},
    layout, range,
    subject::Subject,
    unreadable,
};
use crate::faces::plot::Scale;

#[derive(Deserialize)]
pub(super) struct DayPath {
    date: String,
}

#[derive(Deserialize)]
pub(super) struct MonthPath {
    month: String,
}

/// Serves a week, from Monday.
pub(super) async fn week(subject: Subject, Path(path): Path<DayPath>) -> Response {
    let Ok(day) = path.date.parse::<Date>() else {
        return no_such();
    };
    let back = i64::from(day.weekday().to_monday_zero_offset());
    let Ok(first) = day.checked_sub(back.days()) else {
        return no_such();
    };
    let Ok(last) = first.checked_add(6.days()) else {
        return no_such();
    };
    let base = subject.base.clone();
    let span = Span {
        first,
        last,
        title: format!("Week of {first}"),
        heading: html! { "Week of " (dates::day(first, Form::Day)) },
        before: first
            .checked_sub(7.days())
            .ok()
            .map(|at| format!("{base}/week/{at}")),
        after: first
            .checked_add(7.days())
            .ok()
            .map(|at| (at, format!("{base}/week/{at}"))),
        place: layout::Place::Week(first),
    };
    page(&subject, span).await
}

/// Serves a month.
pub(super) async fn month(subject: Subject, Path(path): Path<MonthPath>) -> Response {
    let Ok(first) = format!("{}-01", path.month).parse::<Date>() else {
        return no_such();
    };
    let after = first.checked_add(1.month()).ok();
    let base = subject.base.clone();
    let name = |at: Date| format!("{base}/month/{}", at.strftime("%Y-%m"));
    let span = Span {
        first,
        last: first.last_of_month(),
        title: first.strftime("%Y-%m").to_string(),
        heading: dates::month(first),
        before: first.checked_sub(1.month()).ok().map(name),
        after: after.map(|at| (at, name(at))),
        place: layout::Place::Month(first),
    };
    page(&subject, span).await
}

fn no_such() -> Response {
    layout::message(
        StatusCode::NOT_FOUND,
        "That is not a week or a month",
        "Write a week as one of its days, such as 2026-11-22, and a month like this: 2026-11.",
    )
}

struct Span {
    first: Date,
    last: Date,
    title: String,
    heading: Markup,
    before: Option<String>,
    after: Option<(Date, String)>,
    place: layout::Place,
}

async fn page(subject: &Subject, span: Span) -> Response {
    let (first, last) = (span.first, span.last);
    let dates = Dates {
        from: first,
        to: last,
    };
    let days = subject.history(dates, move |history| history.overview(first, last));
    let days = match days.await {
        Ok(days) => days.unwrap_or_default(),
        Err(error) => return unreadable(&error),
    };
    let snapshot = subject.snapshot();
    let today = snapshot.local(subject.now()).date();
    let base = subject.base.as_str();
    let is_week = matches!(span.place, layout::Place::Week(_));
    let noun = if is_week { "week" } else { "month" };
    let zones = snapshot
        .reading
        .as_ref()
        .map_or(HeartZones::PLAIN, |reading| reading.heart_zones);
    let body = html! {
        div.dates {
            @if let Some(before) = &span.before { a.step href=(before) rel="prev" aria-label=(format!("The {noun} before")) { "‹" } }
            h1 { (span.heading) }
            @if let Some((_, after)) = span.after.as_ref().filter(|(at, _)| *at <= today) {
                a.step.next href=(after) rel="next" aria-label=(format!("The {noun} after")) { "›" }
            } @else { span.step.next aria-hidden="true" {} }
        }
        section.card #overview data-live {
            @match range::scale(&days) {
                None => p.quiet { "There is no data for this " (noun) "." },
                Some(scale) if is_week => {
                    (bars(base, &days, first, &scale, &zones))
                    (range::key(None))
                    (table(base, &days))
                }
                Some(scale) => {
                    (calendar::draw(base, &days, first, today, &scale, &zones))
                    (range::key(Some(&scale)))
                    details.table { summary { "As a table" } (table(base, &days)) }
                }
            }
        }
    };
    layout::page(subject, span.place, today, &span.title, &body).into_response()
}

/// Draws a week: a bar for each day, which leads to it.
fn bars(base: &str, days: &[DaySummary], first: Date, scale: &Scale, zones: &HeartZones) -> Markup {
    let left = |date: Date| f64::from((date - first).get_days()) * WIDTH;
    html! {
        div.plot.week {
            svg.rates aria-hidden="true" {
                @for line in &scale.lines {
                    text x="100%" y=(percent(scale.percent(*line))) dx="-6" dy="4" { (line) }
                }
            }
            div.field.bars {
                svg role="group" aria-label="A bar for each day, from the lowest to the highest heart rate" {
                    @for line in &scale.lines {
                        @let y = percent(scale.percent(*line));
                        line.rule x1="0" x2="100%" y1=(y) y2=(y) {}
                    }
                    @for day in days {
                        @if let Some(words) = range::in_words(day) {
                            @let start = left(day.date);
                            a href=(format!("{base}/day/{}", day.date)) aria-label=(format!("{}: {words}", day.date)) {
                                rect.whole x=(percent(start)) y="0" width=(percent(WIDTH)) height="100%" {}
                                (range::draw(day, scale, zones, (start + WIDTH * 0.3, start + WIDTH * 0.7)))
                                (range::ring(day, scale, start + WIDTH * 0.5))
                            }
                        }
                    }
                }
            }
            svg.times aria-hidden="true" {
                @for place in 0..7_i64 {
                    @let at = first.saturating_add(place.days());
                    @let middle = percent(left(at) + WIDTH / 2.0);
                    text x=(middle) y="15" data-date="weekday" data-iso=(at) { (at.strftime("%a").to_string()) }
                    text x=(middle) y="31" { (at.day()) }
                }
            }
        }
    }
}

/// The width of a day of a week, in percent.
const WIDTH: f64 = 100.0 / 7.0;

fn table(base: &str, days: &[DaySummary]) -> Markup {
    let number = |it: Option<u16>| it.map_or_else(|| "–".to_owned(), |it| it.to_string());
    html! {
        div.scroll tabindex="0" role="region" aria-label="The days as a table" {
            table.days {
                thead { tr {
                    th scope="col" { "Day" } th scope="col" { "Lowest to highest" } th scope="col" { "Average" }
                    th scope="col" { "Resting" } th scope="col" aria-label="Hours measured" { "Hours" }
                } }
                tbody {
                    @for day in days.iter().rev() {
                        tr {
                            th scope="row" { a href=(format!("{base}/day/{}", day.date)) { (dates::day(day.date, Form::InMonth)) } }
                            td { @match day.extent { Some(it) => { (it.min.get()) " to " (it.max.get()) } None => "–" } }
                            td { (number(day.extent.map(|it| it.mean.get()))) }
                            td { (number(day.resting.map(Bpm::get))) }
                            td { (format!("{:.1}", f64::from(day.logged_minutes) / 60.0)) }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_week_begins_on_monday() {
        let sunday = date(2026, 11, 22);
        let back = i64::from(sunday.weekday().to_monday_zero_offset());
        assert_eq!(sunday.checked_sub(back.days()).unwrap(), date(2026, 11, 16));
    }
}
