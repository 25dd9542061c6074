//! Strokes with round joints, as polygons.

use embedded_graphics::prelude::*;

use crate::{
    Ink,
    coverage::{self, Dot, Edge, Ramp},
    outline,
};

/// The corners of a disc, in eighths of its radius: nearly a circle.
const DISC: [(i32, i32); 8] = [
    (8, 3),
    (3, 8),
    (-3, 8),
    (-8, 3),
    (-8, -3),
    (-3, -8),
    (3, -8),
    (8, -3),
];

/// The number of edges of a point of a stroke: a disc, and the straight line to the next point.
pub(crate) const EDGES_OF_POINT: usize = DISC.len() + 4;

/// Returns a disc, with the same direction as a [`straight`] line.
pub(crate) fn disc(centre: Dot, radius: i32) -> impl Iterator<Item = Edge> + Clone {
    let corner = move |(x, y): (i32, i32)| Dot {
        x: centre.x + x * radius / 8,
        y: centre.y + y * radius / 8,
    };
    let next = DISC.into_iter().cycle().skip(1);
    DISC.into_iter()
        .zip(next)
        .map(move |(from, to)| (corner(from), corner(to)))
}

/// Returns a straight line with square ends; `half` is half of its thickness.
pub(crate) fn straight(from: Dot, to: Dot, half: i32) -> impl Iterator<Item = Edge> + Clone {
    let (x, y) = (i64::from(to.x - from.x), i64::from(to.y - from.y));
    let length = (x * x + y * y).cast_unsigned().isqrt().cast_signed().max(1);
    let across = |part: i64| i32::try_from(part * i64::from(half) / length).unwrap_or(0);
    let (right, down) = (across(-y), across(x));
    let corner = |dot: Dot, sign: i32| Dot {
        x: dot.x + sign * right,
        y: dot.y + sign * down,
    };
    let corners = [
        corner(from, -1),
        corner(to, -1),
        corner(to, 1),
        corner(from, 1),
    ];
    let next = corners.into_iter().cycle().skip(1);
    corners.into_iter().zip(next)
}

/// Fills edges with the colour of each row.
pub(crate) fn fill<D: DrawTarget<Color = Ink>>(
    edges: &[Edge],
    ramp: impl Fn(i32) -> &'static Ramp,
    target: &mut D,
) -> Result<(), D::Error> {
    match outline::bounds(edges.iter().map(|(from, _)| *from)) {
        Some(area) => coverage::fill(edges, area, ramp, target),
        None => Ok(()),
    }
}
