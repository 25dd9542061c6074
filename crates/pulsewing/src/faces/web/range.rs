//! A day as a bar from its lowest to its highest heart rate, in the colours of the zones between.

use maud::{Markup, html};
use pulsewing_core::{Bpm, heart_zone::HeartZones};
use pulsewing_history::DaySummary;

use super::chart::{ZONES, limits, percent};
use crate::faces::{plot::Scale, words};

/// Returns a scale with room for all days; `None` if no day has a minute.
pub(super) fn scale(days: &[DaySummary]) -> Option<Scale> {
    let extents = || days.iter().filter_map(|day| day.extent);
    let min = extents().map(|it| it.min.get()).min()?;
    let max = extents().map(|it| it.max.get()).max()?;
    let resting = days.iter().filter_map(|day| day.resting).map(Bpm::get);
    Some(Scale::covering(min.min(resting.min().unwrap_or(min)), max))
}

/// Draws a day between two places, in percent of the picture's width. The average is a line across the
/// bar.
pub(super) fn draw(
    day: &DaySummary,
    scale: &Scale,
    zones: &HeartZones,
    (left, right): (f64, f64),
) -> Markup {
    let Some(extent) = day.extent else {
        return html! {};
    };
    let limits = limits(zones);
    let (min, max) = (extent.min.get(), extent.max.get());
    let starts = std::iter::once(0).chain(limits.iter().copied());
    let ends = limits.iter().copied().chain([u16::MAX]);
    let parts = ZONES.into_iter().zip(starts.zip(ends));
    // A rate on a limit is in the zone above it, and the bar of a single rate is as thick as a line.
    let parts = parts.filter(|(_, (start, end))| *start <= max && *end > min);
    let width = right - left;
    let mean = percent(scale.percent(extent.mean.get()));
    html! {
        @for (zone, (start, end)) in parts {
            @let (top, bottom) = (scale.percent(end.min(max)), scale.percent(start.max(min)));
            rect class={ "fill " (words::class_of(zone)) } x=(percent(left + width * 0.2)) y=(percent(top))
                width=(percent(width * 0.6)) height=(percent((bottom - top).max(1.5))) {}
        }
        line.mean x1=(percent(left)) x2=(percent(right)) y1=(mean) y2=(mean) {}
    }
}

/// Draws the resting rate of a day as a ring.
pub(super) fn ring(day: &DaySummary, scale: &Scale, middle: f64) -> Markup {
    html! {
        @if let Some(resting) = day.resting {
            circle.rest cx=(percent(middle)) cy=(percent(scale.percent(resting.get()))) r="4" {}
        }
    }
}

/// Describes a day.
pub(super) fn in_words(day: &DaySummary) -> Option<String> {
    let extent = day.extent?;
    let resting = day.resting.map(|it| format!(", resting {}", it.get()));
    Some(format!(
        "{} to {} bpm, {} on average{}",
        extent.min.get(),
        extent.max.get(),
        extent.mean.get(),
        resting.unwrap_or_default()
    ))
}

/// Explains the bars: those with an axis and rings, or those on this scale.
pub(super) fn key(without_axis: Option<&Scale>) -> Markup {
    html! {
        ul.key {
            li {
                span.range-key {} "lowest to highest heart rate, in the colours of the zones"
                @if let Some(scale) = without_axis { "; every cell is " (scale.low) " bpm at the bottom and " (scale.high) " at the top" }
            }
            li { span.mean-key {} "average" }
            @if without_axis.is_none() { li { span.ring-key {} "resting" } }
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use pulsewing_core::day::Extent;

    use super::*;

    fn day(rates: [u16; 3]) -> DaySummary {
        let [min, mean, max] = rates.map(|bpm| Bpm::new(bpm).unwrap());
        DaySummary {
            date: date(2026, 11, 22),
            logged_minutes: 3,
            extent: Some(Extent { min, mean, max }),
            resting: None,
        }
    }

    #[test]
    fn a_bar_has_a_part_for_each_zone_that_it_passes_through() {
        let days = [day([52, 70, 120])];
        let scale = scale(&days).unwrap();
        let bar = draw(&days[0], &scale, &HeartZones::PLAIN, (0.0, 100.0)).into_string();
        let parts: Vec<&str> = bar
            .split("class=\"fill ")
            .skip(1)
            .map(|it| it.split('"').next().unwrap())
            .collect();
        assert_eq!(parts, ["easy", "light", "moderate"]);
    }

    #[test]
    fn a_day_with_one_rate_has_a_bar_all_the_same() {
        let days = [day([90, 90, 90])];
        let bar = draw(
            &days[0],
            &scale(&days).unwrap(),
            &HeartZones::PLAIN,
            (0.0, 100.0),
        );
        let bar = bar.into_string();
        assert!(
            bar.contains("fill light") && bar.contains("height=\"1.50%\""),
            "{bar}"
        );
    }
}
