//! The legend of a graph, in words.

use jiff::civil::Time;
use maud::{Markup, html};

use super::{Figure, Kind, backdrop::NIGHT, clock};
use crate::faces::web::usual::DAYS;

/// Returns the legend; nothing for the latest minutes, whose bands have their names in them.
pub(super) fn of(figure: &Figure<'_>) -> Markup {
    if figure.kind == Kind::Latest {
        return html! {};
    }
    let plot = figure.plot;
    let times: Vec<Time> = (0..plot.length())
        .map(|minute| clock(plot, minute))
        .collect();
    let has_night = times
        .iter()
        .any(|time| time.hour() >= NIGHT.0 || time.hour() < NIGHT.1);
    let usual = figure
        .usual
        .filter(|usual| times.iter().any(|time| usual.at(*time).is_some()));
    html! {
        ul.key {
            @if usual.is_some() {
                li { span.usual-key {} "usual: half of the minutes at that time in the " (DAYS) " days before" }
            }
            @if let Some(resting) = figure.resting { li { span.resting-key {} "resting heart rate, " (resting.get()) " bpm" } }
            @if has_night { li { span.night-key {} "night, " (NIGHT.0) ":00 to 0" (NIGHT.1) ":00" } }
        }
    }
}
