//! Graphs as SVG.
//!
//! The area of a graph stretches with the page (`preserveAspectRatio="none"`), but its lines keep
//! their width. Labels are beside it, placed by percentages, so that they have the same size on a
//! phone and on a desktop. There are no inline styles, because the page's policy forbids them.

use std::fmt::Write as _;

use maud::{Markup, html};

use crate::{
    faces::plot::{Plot, Scale},
    tell::phrases,
};

/// The purpose of a graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The latest minutes; the newest is marked.
    Latest,
    /// A day at a glance.
    Glance,
    /// A day in detail: the user can choose a part of it.
    Closer,
}

/// Draws a graph with its axes; `label` describes it for people who cannot see it.
pub(super) fn figure(plot: &Plot, id: &str, label: &str, kind: Kind) -> Markup {
    let scale = plot.scale();
    let length = plot.length().max(1);
    let place = |minute: u16| f64::from(minute) * 100.0 / f64::from(length);
    let (lines, areas) = paths(plot, &scale);
    let height = scale.high - scale.low;
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
    let newest = plot.known().last().filter(|_| kind == Kind::Latest);
    html! {
        div.plot {
            svg.rates aria-hidden="true" {
                @for line in &scale.lines {
                    text x="100%" y=(format!("{:.2}%", scale.percent(*line))) dx="-6" dy="4" { (line) }
                }
            }
            div.field id=(id) tabindex="0" role="img" aria-label=(label)
                data-start=(plot.start.as_second()) data-bpm=(values.join(","))
                data-offsets=(offsets.join(";")) data-high=(scale.high) data-low=(scale.low)
                data-zooms[kind == Kind::Closer] {
                svg viewBox=(format!("0 0 {length} {height}")) preserveAspectRatio="none" aria-hidden="true" {
                    @if plot.past < length {
                        rect.to-come x=(plot.past) y="0" width=(length - plot.past) height=(height) {}
                    }
                    @for line in &scale.lines {
                        @let y = scale.high - line;
                        line.rule x1="0" x2=(length) y1=(y) y2=(y) vector-effect="non-scaling-stroke" {}
                    }
                    path.area d=(areas) {}
                    path.beat.thin[kind != Kind::Latest] d=(lines) vector-effect="non-scaling-stroke" {}
                    @if let Some((minute, bpm)) = newest {
                        path.newest d=(format!("M{:.1} {}h0", f64::from(minute) + 0.5, scale.high.saturating_sub(bpm.get())))
                            vector-effect="non-scaling-stroke" {}
                    }
                }
                div.cursor hidden {}
                output.tip hidden {}
            }
            svg.times aria-hidden="true" {
                @for (minute, label) in plot.labels() {
                    @let left = place(minute);
                    text.first[left < 3.0] x=(format!("{left:.2}%")) y="14" { (label) }
                }
            }
        }
    }
}

/// Returns the paths of the lines, and of the areas under them.
fn paths(plot: &Plot, scale: &Scale) -> (String, String) {
    let (mut lines, mut areas) = (String::new(), String::new());
    let bottom = scale.high - scale.low;
    for run in plot.runs() {
        // A point is in the middle of its minute.
        let mut command = 'M';
        for (minute, bpm) in &run {
            let _ = write!(
                lines,
                "{command}{minute}.5 {}",
                scale.high.saturating_sub(*bpm)
            );
            command = 'L';
        }
        if let [(minute, _)] = run.as_slice() {
            let _ = write!(lines, "L{minute}.6 {}", scale.high.saturating_sub(run[0].1));
        }
        if let (Some((first, _)), Some((last, _))) = (run.first(), run.last()) {
            let _ = write!(areas, "M{first}.5 {bottom}");
            for (minute, bpm) in &run {
                let _ = write!(areas, "L{minute}.5 {}", scale.high.saturating_sub(*bpm));
            }
            let _ = write!(areas, "L{last}.5 {bottom}Z");
        }
    }
    (lines, areas)
}

/// Returns the minutes of a graph as a table, for people who prefer to read.
pub(super) fn table(plot: &Plot) -> Markup {
    html! {
        details {
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
