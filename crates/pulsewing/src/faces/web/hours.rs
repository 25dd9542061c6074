//! The last 24 hours.

use jiff::{SignedDuration, Timestamp, civil::Date};
use maud::{Markup, html};
use pulsewing_core::{
    Bpm,
    reading::{LONG_AGO, Reading},
};

use super::{chart, dates, usual::Usual, zone_bar};
use crate::{daemon::Snapshot, faces::plot::Plot, tell::phrases};

/// The minutes of the past that are shown.
const PAST: u16 = 24 * 60;

/// The minutes after the present that are shown, so that its mark is not the edge.
const AHEAD: u16 = 30;

/// The 24 hours before the present; after a day of silence those before the last known minute.
pub(super) struct Hours {
    plot: Plot,
    /// The last known minute, if it is the end.
    until: Option<Timestamp>,
}

impl Hours {
    pub(super) fn of(reading: &Reading, snapshot: &Snapshot, now: Timestamp) -> Self {
        let latest = reading.latest().map(|sample| sample.at);
        let until = latest.filter(|at| now.duration_since(*at) >= LONG_AGO);
        let end = until.map_or(now, |at| at + SignedDuration::from_mins(1));
        let start = end - SignedDuration::from_mins(PAST.into());
        let ahead = if until.is_some() { 0 } else { AHEAD };
        let mut days = vec![&reading.day];
        days.extend(snapshot.earlier.as_deref());
        let offsets = &reading.time_zone.offsets;
        Self {
            plot: Plot::from_days(&days, offsets, start, PAST + ahead, now),
            until,
        }
    }

    /// Returns the date that is compared with the days before it.
    pub(super) fn date(reading: &Reading, now: Timestamp) -> Date {
        let latest = reading.latest().map(|sample| sample.at);
        let until = latest.filter(|at| now.duration_since(*at) >= LONG_AGO);
        reading.time_zone.offsets.local(until.unwrap_or(now)).date()
    }

    /// Draws the card.
    pub(super) fn card(
        &self,
        base: &str,
        reading: &Reading,
        usual: Option<&Usual>,
        now: Timestamp,
    ) -> Markup {
        let plot = &self.plot;
        let date = Self::date(reading, now);
        let rates: Vec<Bpm> = plot.known().map(|(_, bpm)| bpm).collect();
        let figure = chart::Figure {
            id: "hours-graph",
            plot,
            label: &label(plot),
            kind: chart::Kind::Glance,
            zones: reading.heart_zones,
            resting: reading
                .resting_at(self.until.unwrap_or(now))
                .or(reading.resting),
            usual,
            has_now: self.until.is_none(),
        };
        html! {
            div.heading {
                h2 data-old=[self.until.is_none().then(|| format!("24 hours until {}", phrases::clock(reading, now)))] {
                    @match self.until {
                        Some(until) => { "24 hours until " (dates::moment(reading, until, now)) }
                        None => "The last 24 hours",
                    }
                }
                a href=(format!("{base}/day/{date}")) { (dates::day(date, dates::Form::Long)) }
            }
            (extent(plot))
            (figure.draw())
            (zone_bar::of(&rates, &reading.heart_zones))
        }
    }
}

/// Returns the lowest, average and highest rate of a graph.
pub(super) fn extent(plot: &Plot) -> Markup {
    html! {
        @if let Some(extent) = plot.extent() {
            dl.extent {
                div { dt { "lowest" } dd { (extent.min.get()) } }
                div { dt { "average" } dd { (extent.mean.get()) } }
                div { dt { "highest" } dd { (extent.max.get()) } }
            }
        }
    }
}

fn label(plot: &Plot) -> String {
    let clock = |minute: u16| {
        let (at, offset) = plot.time(minute);
        phrases::clock_at(at, offset)
    };
    match plot.extent() {
        Some(extent) => format!(
            "Heart rate of 24 hours, from {} to {} on the next day: between {} and {} bpm, {} on average, {} minutes",
            clock(0),
            clock(PAST - 1),
            extent.min,
            extent.max,
            extent.mean,
            plot.logged_minutes()
        ),
        None => "No heart rate in these 24 hours".to_owned(),
    }
}
