//! The line of a graph, in the colours of the zones that it passes through.

use std::fmt::Write as _;

use pulsewing_core::{
    Bpm,
    heart_zone::{HeartZone, HeartZones},
};

use crate::faces::plot::{Plot, Scale};

/// All zones, from the lowest.
pub(in super::super) const ZONES: [HeartZone; 6] = [
    HeartZone::VeryLow,
    HeartZone::Easy,
    HeartZone::Light,
    HeartZone::Moderate,
    HeartZone::Vigorous,
    HeartZone::Peak,
];

/// Returns the rates at which the zones begin, without the lowest, which begins at nought.
pub(in super::super) fn limits(zones: &HeartZones) -> [u16; 5] {
    let [light, moderate, vigorous, peak] = zones.limits().map(Bpm::get);
    [HeartZones::LOWEST.get(), light, moderate, vigorous, peak]
}

/// Returns a path for each zone that the line passes through. The x of a minute is its number.
pub(super) fn by_zone(plot: &Plot, scale: &Scale, zones: &HeartZones) -> Vec<(HeartZone, String)> {
    let limits = limits(zones);
    let mut paths = ZONES.map(|zone| (zone, String::new()));
    let mut pen = Pen {
        paths: &mut paths,
        at: None,
        high: scale.high,
    };
    for run in plot.runs() {
        pen.at = None;
        let mut points = run.iter().map(|(x, bpm)| (f64::from(*x), f64::from(*bpm)));
        let Some(first) = points.next() else { continue };
        let mut last = first;
        if run.len() == 1 {
            // A minute by itself is a dot.
            pen.draw(zone_of(first.1, &limits), first, (first.0 + 0.1, first.1));
        }
        for point in points {
            for (zone, from, to) in pieces(last, point, &limits) {
                pen.draw(zone, from, to);
            }
            last = point;
        }
    }
    paths
        .into_iter()
        .filter(|(_, path)| !path.is_empty())
        .collect()
}

type Point = (f64, f64);

/// Writes pieces of lines; one that continues the last of its zone needs no beginning.
struct Pen<'p> {
    paths: &'p mut [(HeartZone, String); 6],
    /// The zone and the end of the last piece.
    at: Option<(usize, Point)>,
    high: u16,
}

impl Pen<'_> {
    fn draw(&mut self, zone: usize, from: Point, to: Point) {
        let continues = self.at == Some((zone, from));
        self.at = Some((zone, to));
        let high = f64::from(self.high);
        let Some((_, path)) = self.paths.get_mut(zone) else {
            return;
        };
        if !continues {
            let _ = write!(path, "M{} {}", Short(from.0), Short(high - from.1));
        }
        let _ = write!(path, " {} {}", Short(to.0), Short(high - to.1));
    }
}

/// A coordinate with at most one decimal.
struct Short(f64);

impl std::fmt::Display for Short {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let tenths = (self.0 * 10.0).round() / 10.0;
        write!(f, "{tenths}")
    }
}

/// Returns the place of a rate's zone among [`ZONES`].
fn zone_of(bpm: f64, limits: &[u16; 5]) -> usize {
    limits
        .iter()
        .filter(|limit| bpm >= f64::from(**limit))
        .count()
}

/// Divides a straight line where it enters another zone.
fn pieces(from: Point, to: Point, limits: &[u16; 5]) -> Vec<(usize, Point, Point)> {
    let rise = to.1 - from.1;
    let mut stops: Vec<Point> = limits
        .iter()
        .map(|limit| f64::from(*limit))
        .filter(|limit| {
            (from.1.min(to.1)..from.1.max(to.1)).contains(limit) && *limit > from.1.min(to.1)
        })
        .map(|limit| (from.0 + (limit - from.1) / rise * (to.0 - from.0), limit))
        .collect();
    if rise < 0.0 {
        stops.reverse();
    }
    stops.push(to);
    let mut start = from;
    let piece = |end: Point| {
        // The middle of a piece is in its zone, whatever is true of its ends.
        let zone = zone_of(f64::midpoint(start.1, end.1), limits);
        let piece = (zone, start, end);
        start = end;
        piece
    };
    stops.into_iter().map(piece).collect()
}

#[cfg(test)]
mod tests {
    use jiff::{Timestamp, tz::Offset};

    use super::*;

    fn plot(rates: &[u16]) -> Plot {
        Plot {
            start: Timestamp::UNIX_EPOCH,
            values: rates.iter().map(|bpm| Bpm::new(*bpm)).collect(),
            offsets: vec![(0, Offset::UTC)],
            past: 0,
        }
    }

    fn paths(rates: &[u16]) -> Vec<(&'static str, String)> {
        let scale = Scale {
            low: 0,
            high: 200,
            lines: Vec::new(),
        };
        let paths = by_zone(&plot(rates), &scale, &HeartZones::PLAIN);
        paths
            .into_iter()
            .map(|(zone, path)| (zone.name(), path))
            .collect()
    }

    #[test]
    fn a_line_changes_its_colour_where_it_enters_a_zone() {
        assert_eq!(
            paths(&[80, 100, 70]),
            [
                ("Easy", "M0 120 0.5 110M1.3 110 2 130".to_owned()),
                ("Light", "M0.5 110 1 100 1.3 110".to_owned()),
            ]
        );
    }

    #[test]
    fn a_steep_line_passes_through_every_zone_between() {
        let names: Vec<_> = paths(&[20, 180])
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        assert_eq!(
            names,
            ["Very low", "Easy", "Light", "Moderate", "Vigorous", "Peak"]
        );
        assert_eq!(paths(&[20, 180]), {
            let mut falling = paths(&[180, 20]);
            falling
                .iter_mut()
                .for_each(|(_, path)| *path = mirrored(path));
            falling
        });
    }

    /// The same path from right to left, within one minute.
    fn mirrored(path: &str) -> String {
        let numbers: Vec<f64> = path
            .trim_start_matches('M')
            .split(' ')
            .map(|it| it.parse().unwrap())
            .collect();
        let points: Vec<String> = numbers
            .chunks(2)
            .rev()
            .map(|it| format!("{} {}", Short(1.0 - it[0]), it[1]))
            .collect();
        format!("M{}", points.join(" "))
    }

    #[test]
    fn gaps_stay_gaps_and_a_rate_on_a_limit_is_above_it() {
        assert_eq!(
            paths(&[60, 0, 90, 90]),
            [
                ("Easy", "M0 140 0.1 140".to_owned()),
                ("Light", "M2 110 3 110".to_owned())
            ]
        );
    }
}
