//! Graphs of braille dots: x is time, gaps stay gaps.

use ratatui::{
    Frame,
    layout::Rect,
    style::{Color, Style, Stylize},
    symbols,
    text::Line,
    widgets::{Axis, Block, Chart, Dataset, GraphType},
};

use crate::{faces::plot::Plot, tell::phrases};

/// Draws minutes with their axes.
pub(super) fn draw(
    frame: &mut Frame<'_>,
    area: Rect,
    plot: &Plot,
    title: &str,
    colour: Option<Color>,
) {
    let scale = plot.scale();
    let runs: Vec<Vec<(f64, f64)>> = plot
        .runs()
        .into_iter()
        .map(|run| {
            run.into_iter()
                // A point is in the middle of its minute.
                .map(|(minute, bpm)| (f64::from(minute) + 0.5, f64::from(bpm)))
                .collect()
        })
        .collect();
    let ink = colour.map_or_else(Style::new, |colour| Style::new().fg(colour));
    let datasets = runs
        .iter()
        .map(|run| {
            Dataset::default()
                .marker(symbols::Marker::Braille)
                .graph_type(if run.len() > 1 {
                    GraphType::Line
                } else {
                    GraphType::Scatter
                })
                .style(ink)
                .data(run)
        })
        .collect();
    let length = plot.length().max(1);
    // A chart places its labels at even distances, so compute the time at each place.
    let pieces: u16 = if area.width >= 60 { 4 } else { 2 };
    let times: Vec<String> = (0..=pieces)
        .map(|piece| {
            let minute = u32::from(length) * u32::from(piece) / u32::from(pieces);
            let (at, offset) = plot.time(u16::try_from(minute).unwrap_or(length));
            match phrases::clock_at(at, offset).as_str() {
                // The end of a day must not read like its beginning.
                "00:00" if piece == pieces => "24:00".to_owned(),
                clock => clock.to_owned(),
            }
        })
        .collect();
    let middle = (scale.low + scale.high) / 2;
    let chart = Chart::new(datasets)
        .block(Block::new().title(Line::from(title.to_owned()).bold()))
        .x_axis(
            Axis::default()
                .bounds([0.0, f64::from(length)])
                .labels(times)
                .style(Style::new().dim()),
        )
        .y_axis(
            Axis::default()
                .bounds([f64::from(scale.low), f64::from(scale.high)])
                .labels([
                    scale.low.to_string(),
                    middle.to_string(),
                    scale.high.to_string(),
                ])
                .style(Style::new().dim()),
        )
        .legend_position(None);
    frame.render_widget(chart, area);
}
