//! The pages of weeks and months: one bar per day.

use axum::{
    extract::Path,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use jiff::{ToSpan, civil::Date};
use maud::{Markup, html};
use pulsewing_core::Bpm;
use pulsewing_history::{Dates, DaySummary};
use serde::Deserialize;

use super::{layout, subject::Subject, unreadable};
use crate::{faces::plot::Scale, tell::phrases};

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
        title: format!("Week of {}", phrases::date(first)),
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
        title: phrases::month(first),
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
    let noun = match span.place {
        layout::Place::Week(_) => "week",
        _ => "month",
    };
    let body = html! {
        div.dates {
            @if let Some(before) = &span.before { a.step href=(before) rel="prev" aria-label=(format!("The {noun} before")) { "‹" } }
            h1 { (span.title) }
            @if let Some((_, after)) = span.after.as_ref().filter(|(at, _)| *at <= today) {
                a.step href=(after) rel="next" aria-label=(format!("The {noun} after")) { "›" }
            } @else { span.step aria-hidden="true" {} }
        }
        section.card #overview data-live {
            @if days.iter().all(|day| day.extent.is_none()) {
                p.quiet { "There is no data for this " (noun) "." }
            } @else {
                (bars(base, &days, first, last))
                (table(base, &days))
            }
        }
    };
    layout::page(subject, span.place, today, &span.title, &body).into_response()
}

/// Draws a bar per day from the lowest to the highest rate, with the mean as a line across it and
/// the resting rate as a dot.
fn bars(base: &str, days: &[DaySummary], first: Date, last: Date) -> Markup {
    let all = days.iter().filter_map(|day| day.extent);
    let min = all.clone().map(|it| it.min.get()).min().unwrap_or(60);
    let max = all.map(|it| it.max.get()).max().unwrap_or(100);
    let resting = days.iter().filter_map(|day| day.resting).map(Bpm::get);
    let scale = Scale::covering(min.min(resting.min().unwrap_or(min)), max);
    let count = (last - first).get_days() + 1;
    let step = if count > 10 { 5 } else { 1 };
    let left = |date: Date| f64::from((date - first).get_days()) * 100.0 / f64::from(count);
    let width = 100.0 / f64::from(count);
    html! {
        div.plot {
            svg.rates aria-hidden="true" {
                @for line in &scale.lines {
                    text x="100%" y=(format!("{:.2}%", scale.percent(*line))) dx="-6" dy="4" { (line) }
                }
            }
            div.field.bars {
                svg role="group" aria-label="One bar a day, from the lowest to the highest heart rate" {
                    @for line in &scale.lines {
                        @let y = format!("{:.2}%", scale.percent(*line));
                        line.rule x1="0" x2="100%" y1=(y) y2=(y) {}
                    }
                    @for day in days { (bar(base, day, &scale, left(day.date), width)) }
                }
            }
            svg.times aria-hidden="true" {
                @for place in (0..count).step_by(step) {
                    @let at = first.saturating_add(i64::from(place).days());
                    text x=(format!("{:.2}%", left(at) + width / 2.0)) y="14" {
                        @if step == 1 { (at.strftime("%a %-d")) } @else { (at.day()) }
                    }
                }
            }
        }
        p.key aria-hidden="true" {
            span.bar-key {} " lowest to highest " span.mean-key {} " mean " span.resting-key {} " resting"
        }
    }
}

fn bar(base: &str, day: &DaySummary, scale: &Scale, left: f64, width: f64) -> Markup {
    let Some(extent) = day.extent else {
        return html! {};
    };
    let percent = |it: f64| format!("{it:.2}%");
    let top = scale.percent(extent.max.get());
    let bottom = scale.percent(extent.min.get());
    let mean = percent(scale.percent(extent.mean.get()));
    let label = format!(
        "{}: {} to {} bpm, {} on average",
        phrases::date(day.date),
        extent.min.get(),
        extent.max.get(),
        extent.mean.get()
    );
    html! {
        a href=(format!("{base}/day/{}", day.date)) aria-label=(label) {
            title { (label) }
            rect.whole x=(percent(left)) y="0" width=(percent(width)) height="100%" {}
            rect.range x=(percent(left + width * 0.25)) y=(percent(top)) width=(percent(width * 0.5))
                height=(percent((bottom - top).max(1.0))) rx="3" {}
            line.mean x1=(percent(left + width * 0.15)) x2=(percent(left + width * 0.85)) y1=(mean) y2=(mean) {}
            @if let Some(resting) = day.resting {
                circle.rest cx=(percent(left + width / 2.0)) cy=(percent(scale.percent(resting.get()))) r="4" {}
            }
        }
    }
}

fn table(base: &str, days: &[DaySummary]) -> Markup {
    let number = |it: Option<u16>| it.map_or_else(|| "–".to_owned(), |it| it.to_string());
    html! {
        div.scroll tabindex="0" role="region" aria-label="The days as a table" {
            table.days {
                thead { tr {
                    th scope="col" { "Day" } th scope="col" { "min" } th scope="col" { "mean" }
                    th scope="col" { "max" } th scope="col" { "resting" } th scope="col" { "minutes" }
                } }
                tbody {
                    @for day in days.iter().rev() {
                        tr {
                            th scope="row" { a href=(format!("{base}/day/{}", day.date)) { (day.date.strftime("%a %-d %b")) } }
                            td { (number(day.extent.map(|it| it.min.get()))) }
                            td { (number(day.extent.map(|it| it.mean.get()))) }
                            td { (number(day.extent.map(|it| it.max.get()))) }
                            td { (number(day.resting.map(Bpm::get))) }
                            td { (day.logged_minutes) }
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
