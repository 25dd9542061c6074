//! The window's minutes as a line over time.

use embedded_graphics::prelude::*;
use jiff::{SignedDuration, Timestamp};
use pulsewing_core::{
    day::{Sample, WINDOW_LEN},
    instant::later,
};

use super::{Layout, is_fresh, label_gap, layout::WIDEST_CLOCK, span, write_centred};
use crate::{
    Ink,
    coverage::{self, Dot, Edges, Ramp},
    model::Facts,
    scale::Scale,
    slot::Slot,
    state::written,
    stroke::{EDGES_OF_POINT, disc, fill, line},
    text::Align,
};

/// The possible distances between labelled times, in minutes.
const TIME_STEPS: [i64; 9] = [1, 5, 10, 15, 30, 60, 120, 240, 480];

/// The minimum span of the time axis, so that a single minute does not fill it.
const LEAST_SPAN: SignedDuration = SignedDuration::from_mins(WINDOW_LEN as i64 - 1);

const _: () = assert!(WINDOW_LEN * EDGES_OF_POINT <= coverage::MOST_EDGES);

/// The place of a window's minutes.
#[derive(Debug)]
pub struct Graph<'g> {
    layout: &'g Layout,
    scale: Scale,
    from: Timestamp,
    seconds: i64,
}

impl<'g> Graph<'g> {
    /// Creates the graph of a reading's window in a layout; `None` while there is no minute.
    #[must_use]
    pub fn new(facts: &Facts<'_>, layout: &'g Layout) -> Option<Self> {
        let samples = facts.window.samples();
        let (oldest, newest) = (samples.first()?, samples.last()?);
        let from = later(newest.at, -LEAST_SPAN)
            .unwrap_or(Timestamp::MIN)
            .min(oldest.at);
        Some(Self {
            layout,
            scale: layout.scale(facts.window.extent()?),
            from,
            seconds: newest.at.duration_since(from).as_secs(),
        })
    }

    fn column(&self, at: Timestamp) -> i32 {
        self.layout
            .column(at.duration_since(self.from).as_secs(), self.seconds)
    }

    /// Returns the pixel of a minute, inside the layout's plot.
    #[must_use]
    pub fn point(&self, sample: Sample) -> Point {
        let row = self.layout.row(&self.scale, sample.bpm);
        Point::new(self.column(sample.at), row)
    }
}

pub(super) fn draw<D: DrawTarget<Color = Ink>>(
    facts: &Facts<'_>,
    layout: &Layout,
    target: &mut D,
) -> Result<(), D::Error> {
    let Some(graph) = Graph::new(facts, layout) else {
        return Ok(());
    };
    draw_rates(&graph, target)?;
    draw_times(facts, &graph, target)?;
    draw_line(facts, &graph, target)
}

/// Draws the vertical axis: a hairline and a number for each labelled rate.
fn draw_rates<D: DrawTarget<Color = Ink>>(
    graph: &Graph<'_>,
    target: &mut D,
) -> Result<(), D::Error> {
    let layout = graph.layout;
    let (columns, rows) = (layout.plot().columns(), layout.plot().rows());
    let label = layout.label;
    let mut free_below = i32::MAX;
    for rate in graph.scale.major_ticks() {
        let y = graph.scale.row(rate, rows.start, rows.end - 1);
        target.fill_solid(&span(columns.clone(), y..y + 1), Ink::Faint)?;
        let top = y - label.ascent() / 2;
        // On tiny panels there is not room for every number.
        if top + label.ascent() >= free_below {
            continue;
        }
        free_below = top;
        let place = Slot::new(
            label,
            Align::Right,
            0..columns.start - label.ascent() / 2,
            top,
        );
        place.write(&written::<4>(format_args!("{rate}")), Ink::Quiet, target)?;
    }
    Ok(())
}

/// Draws the horizontal axis: a tick and a time wherever the wearer's clock shows a round one.
fn draw_times<D: DrawTarget<Color = Ink>>(
    facts: &Facts<'_>,
    graph: &Graph<'_>,
    target: &mut D,
) -> Result<(), D::Error> {
    let layout = graph.layout;
    let (columns, rows) = (layout.plot().columns(), layout.plot().rows());
    let width = layout.label.width(WIDEST_CLOCK) + label_gap(layout.label);
    let room = i64::from(columns.end - columns.start).max(1);
    let step = TIME_STEPS
        .into_iter()
        .find(|step| step * 60 * room >= i64::from(width) * graph.seconds.max(1))
        .unwrap_or(480);
    let mut free_from = i32::MIN;
    for minute in 0..=graph.seconds / 60 {
        let Some(at) = later(graph.from, SignedDuration::from_mins(minute)) else {
            break;
        };
        let time = facts.offsets.local(at).time();
        if (i64::from(time.hour()) * 60 + i64::from(time.minute())) % step != 0 {
            continue;
        }
        let x = graph.column(at);
        target.fill_solid(&span(x..x + 1, rows.end - 3..rows.end), Ink::Mid)?;
        // Where an hour is skipped, two round times may be close to each other. A time at the left edge
        // would touch the lowest rate.
        let left = x - layout.label.width(WIDEST_CLOCK) / 2;
        if x - width / 2 < free_from || left < columns.start - label_gap(layout.label) / 2 {
            continue;
        }
        free_from = x + width / 2;
        let text = written::<8>(format_args!("{:02}:{:02}", time.hour(), time.minute()));
        write_centred(&text, x, &layout.times, Ink::Quiet, target)?;
    }
    Ok(())
}

/// Draws the line, broken where minutes are missing, and a dot on the newest minute.
fn draw_line<D: DrawTarget<Color = Ink>>(
    facts: &Facts<'_>,
    graph: &Graph<'_>,
    target: &mut D,
) -> Result<(), D::Error> {
    let samples = facts.window.samples();
    let radius = graph.layout.half_stroke;
    let dot = |sample: &Sample| Dot::centre_of(graph.point(*sample));
    // Computed once for all rows. There is room for every minute.
    let mut edges = Edges::new();
    let is_joined = |one: &Sample, next: &Sample| {
        next.at.duration_since(one.at) <= SignedDuration::from_secs(90)
    };
    for part in samples.chunk_by(is_joined) {
        let points: heapless::Vec<Dot, WINDOW_LEN> = part.iter().map(dot).collect();
        line(&points, radius, &mut edges);
    }
    fill(&edges, |y| row_ramp(facts, graph, y), target)?;
    if let Some(newest) = samples.last().filter(|_| is_fresh(facts)) {
        let edges: Edges = disc(dot(newest), radius * 5 / 2).collect();
        fill(&edges, |_| Ramp::to(Ink::Text), target)?;
    }
    Ok(())
}

/// Returns the colour of the line in a row: that of the zone whose rates are drawn there; grey
/// unless they are current.
fn row_ramp(facts: &Facts<'_>, graph: &Graph<'_>, y: i32) -> &'static Ramp {
    if !is_fresh(facts) {
        return Ramp::to(Ink::Quiet);
    }
    let rows = graph.layout.plot().rows();
    let rate = graph.scale.rate(y, rows.start, rows.end - 1);
    Ramp::to(Ink::from_heart_zone(facts.heart_zones.zone(rate)))
}
