//! Graphs as SVG.
//!
//! The area of a graph stretches with the page (`preserveAspectRatio="none"`), but its lines keep
//! their width. Words are beside it or in a layer of their own, placed by percentages, so that they
//! have the same size on a phone and on a desktop. There are no inline styles, because the page's
//! policy forbids them.
//!
//! A colour is a zone, in the bands behind a line and in the line itself. Everything else is grey.

mod backdrop;
mod legend;
mod line;

use jiff::civil::Time;
use maud::{Markup, html};
use pulsewing_core::{Bpm, heart_zone::HeartZones};

use self::backdrop::Backdrop;
use super::usual::Usual;
use crate::{
    faces::{
        plot::{Plot, Scale},
        words,
    },
    tell::phrases,
};

pub(super) use line::{ZONES, limits};

/// The purpose of a graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The latest minutes; the newest is marked.
    Latest,
    /// A day at a glance.
    Glance,
    /// A day in detail, or a part of it: the user can choose a smaller or a larger one. The numbers of the
    /// day's minutes before the part, and of all.
    Closer {
        /// The minutes of the day before the part.
        before: u16,
        /// The minutes of the day.
        whole: u16,
    },
}

/// A graph, and what it is drawn on.
pub(super) struct Figure<'f> {
    /// The id of its area.
    pub(super) id: &'static str,
    /// The line.
    pub(super) plot: &'f Plot,
    /// What it shows, for people who cannot see it.
    pub(super) label: &'f str,
    /// Its purpose.
    pub(super) kind: Kind,
    /// The wearer's zones.
    pub(super) zones: HeartZones,
    /// The resting heart rate.
    pub(super) resting: Option<Bpm>,
    /// The usual ranges.
    pub(super) usual: Option<&'f Usual>,
    /// Whether the present is in it, at the end of its past.
    pub(super) has_now: bool,
}

/// The most that a graph has room for beyond its own rates, in beats per minute: for the resting rate below
/// and the usual ranges above.
const NEAR: u16 = 25;

impl Figure<'_> {
    /// Draws it with its axes and its legend.
    pub(super) fn draw(&self) -> Markup {
        let plot = self.plot;
        let scale = self.scale();
        let length = plot.length().max(1);
        let height = scale.high - scale.low;
        let backdrop = Backdrop::new(self, &scale);
        let newest = plot.known().last();
        let is_latest = self.kind == Kind::Latest;
        html! {
            div.plot {
                svg.rates aria-hidden="true" {
                    @for line in &scale.lines {
                        text x="100%" y=(percent(scale.percent(*line))) dx="-6" dy="4" { (line) }
                    }
                }
                (self.field(&scale, &html! {
                    svg viewBox=(format!("0 0 {length} {height}")) preserveAspectRatio="none" aria-hidden="true" {
                        (backdrop.shapes())
                        g transform="translate(.5)" {
                            @for (zone, path) in line::by_zone(plot, &scale, &self.zones) {
                                path class={ "beat " (words::class_of(zone)) } d=(path) vector-effect="non-scaling-stroke" {}
                            }
                            @if let Some((minute, bpm)) = newest.filter(|_| is_latest || self.has_now) {
                                path.newest d=(format!("M{minute} {}h0", scale.high.saturating_sub(bpm.get())))
                                    vector-effect="non-scaling-stroke" {}
                            }
                        }
                    }
                    svg.words aria-hidden="true" { (backdrop.words()) }
                }))
                (self.times())
            }
            (legend::of(self))
        }
    }

    /// Returns a scale with room for the line, and for what is behind it as far as that is near.
    fn scale(&self) -> Scale {
        let Some(extent) = self.plot.extent() else {
            return self.plot.scale();
        };
        let (mut min, mut max) = (extent.min.get(), extent.max.get());
        if self.kind != Kind::Latest {
            if let Some(resting) = self.resting.map(Bpm::get)
                && resting + NEAR >= min
            {
                min = min.min(resting);
            }
            if let Some((low, high)) = self.usual.and_then(Usual::extent) {
                // What is usual at another time must not press the line flat.
                (min, max) = (min.min(low), max.max(high.min(max + NEAR)));
            }
        }
        Scale::covering(min, max)
    }

    /// Builds the area that names the minute under a pointer, around its picture.
    fn field(&self, scale: &Scale, picture: &Markup) -> Markup {
        let plot = self.plot;
        let values: Vec<String> = plot
            .values
            .iter()
            .map(|bpm| bpm.map_or_else(String::new, |bpm| bpm.get().to_string()))
            .collect();
        let offsets: Vec<String> = plot
            .offsets
            .iter()
            .map(|(minute, offset)| format!("{minute}:{}", offset.seconds()))
            .collect();
        let part = match self.kind {
            Kind::Closer { before, whole } => Some(format!("{before}:{whole}")),
            Kind::Latest | Kind::Glance => None,
        };
        let is_latest = self.kind == Kind::Latest;
        html! {
            div.field.short[is_latest] id=(self.id) tabindex="0" role="img" aria-label=(self.label)
                data-start=(plot.start.as_second()) data-bpm=(values.join(","))
                data-offsets=(offsets.join(";")) data-high=(scale.high) data-low=(scale.low)
                data-part=[part] {
                (picture)
                div.cursor hidden {}
                output.tip hidden {}
            }
        }
    }

    /// Labels the axis of time: the centre of a label is at its instant. Among the latest minutes it names
    /// a minute, whose rate is in its middle.
    fn times(&self) -> Markup {
        let plot = self.plot;
        let length = f64::from(plot.length().max(1));
        let shift = if self.kind == Kind::Latest { 0.5 } else { 0.0 };
        let labels = plot.labels();
        let step = match labels.as_slice() {
            [(first, _), (second, _), ..] => i32::from(second - first).max(1),
            _ => 1,
        };
        // On a phone there is room for every second one: those at round times stay.
        let is_minor = |minute: u16| minute_of_day(clock(plot, minute)) / step % 2 == 1;
        html! {
            svg.times aria-hidden="true" {
                @for (minute, label) in &labels {
                    @let left = percent((f64::from(*minute) + shift) * 100.0 / length);
                    line.tick x1=(left) x2=(left) y1="0" y2="4" {}
                    text.minor[is_minor(*minute)] x=(left) y="17" { (label) }
                }
            }
        }
    }
}

/// Returns the time on the wearer's clock in a minute of a plot.
fn clock(plot: &Plot, minute: u16) -> Time {
    let (at, offset) = plot.time(minute);
    offset.to_datetime(at).time()
}

fn minute_of_day(time: Time) -> i32 {
    i32::from(time.hour()) * 60 + i32::from(time.minute())
}

pub(super) fn percent(value: f64) -> String {
    format!("{value:.2}%")
}

/// Returns the minutes of a graph as a table, for people who prefer to read.
pub(super) fn table(plot: &Plot) -> Markup {
    html! {
        details.table {
            summary { "As a table" }
            div.scroll tabindex="0" role="region" aria-label="The minutes as a table" {
                table {
                    thead { tr { th scope="col" { "Time" } th scope="col" { "bpm" } } }
                    tbody {
                        @for (minute, bpm) in plot.known() {
                            @let (at, offset) = plot.time(minute);
                            tr { th scope="row" { (phrases::clock_at(at, offset)) } td { (bpm.get()) } }
                        }
                    }
                }
            }
        }
    }
}
