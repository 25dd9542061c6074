//! Lines of some thickness, and discs, as polygons.

use embedded_graphics::prelude::*;

use crate::{
    Ink,
    coverage::{self, Dot, Edge, Edges, Ramp},
    outline,
};

/// The corners of a disc, in eighths of its radius: nearly a circle.
pub(crate) const DISC: [(i32, i32); 8] = [
    (8, 3),
    (3, 8),
    (-3, 8),
    (-8, 3),
    (-8, -3),
    (-3, -8),
    (3, -8),
    (8, -3),
];

/// Returns a disc.
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

/// Appends the edges of a line through points, of a thickness of twice `half`: one polygon for the whole
/// line. If each part had one of its own, they would overlap at the joints, where edges that are half
/// covered twice look whole: a nub.
///
/// A line whose last point is its first is closed; a single point is a [`disc`]. Edges beyond the capacity
/// are left out.
pub(crate) fn line(points: &[Dot], half: i32, edges: &mut Edges) {
    let (first, last) = match points {
        [] => return,
        [point] => return edges.extend(disc(*point, half)),
        [first, .., last] => (*first, *last),
    };
    let is_closed = first == last && points.len() > 2;
    let count = points.len();
    // The corners on the right of the way, or with the sign -1 on its left.
    let corner = |place: usize, sign: i32| {
        let point = points.get(place).copied().unwrap_or(last);
        let before = match place.checked_sub(1) {
            Some(before) => points.get(before),
            None if is_closed => points.get(count.saturating_sub(2)),
            None => None,
        };
        let after = match points.get(place + 1) {
            None if is_closed => points.get(1),
            after => after,
        };
        let into = before.map(|before| across(*before, point, half));
        let out = after.map(|after| across(point, *after, half));
        let (x, y) = match (into, out) {
            (Some(into), Some(out)) => joint(into, out, half),
            (Some(only), None) | (None, Some(only)) => only,
            (None, None) => (0, 0),
        };
        Dot {
            x: point.x + sign * x,
            y: point.y + sign * y,
        }
    };
    for place in 1..count {
        // Edges that do not fit are left out.
        let _ = edges.push((corner(place - 1, 1), corner(place, 1)));
        let _ = edges.push((corner(place, -1), corner(place - 1, -1)));
    }
    if !is_closed {
        let end = count - 1;
        let _ = edges.push((corner(end, 1), corner(end, -1)));
        let _ = edges.push((corner(0, -1), corner(0, 1)));
    }
}

/// Returns a vector of the length `half` to the right of the way from one point to another.
fn across(from: Dot, to: Dot, half: i32) -> (i32, i32) {
    let (x, y) = (i64::from(to.x - from.x), i64::from(to.y - from.y));
    let length = (x * x + y * y).cast_unsigned().isqrt().cast_signed().max(1);
    let part = |part: i64| i32::try_from(part * i64::from(half) / length).unwrap_or(0);
    (part(-y), part(x))
}

/// Returns the vector from a joint to its corner: along the middle of both sides, as far as their edges
/// meet, but at most twice the half thickness.
fn joint(into: (i32, i32), out: (i32, i32), half: i32) -> (i32, i32) {
    let half = i64::from(half);
    let dot = i64::from(into.0) * i64::from(out.0) + i64::from(into.1) * i64::from(out.1);
    let divisor = (half * half + dot).max(half * half / 2).max(1);
    let part = |a: i32, b: i32| {
        let part = (i64::from(a) + i64::from(b)) * half * half / divisor;
        i32::try_from(part).unwrap_or(0)
    };
    (part(into.0, out.0), part(into.1, out.1))
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

#[cfg(test)]
mod tests {
    use std::{vec, vec::Vec};

    use super::*;
    use crate::{Frame, coverage::PIXEL};

    /// Draws a line through points in 256ths of a pixel.
    fn drawn(points: &[(i32, i32)], half: i32, size: Size) -> Frame<Vec<u8>> {
        let points: Vec<Dot> = points.iter().map(|(x, y)| Dot { x: *x, y: *y }).collect();
        let mut frame = Frame::new(size, vec![0; Frame::<&[u8]>::bytes_for(size)]).unwrap();
        let mut edges = Edges::new();
        line(&points, half, &mut edges);
        fill(&edges, |_| Ramp::to(Ink::Text), &mut frame).unwrap();
        frame
    }

    #[test]
    fn a_joint_has_no_nub() {
        // A level line through the middle of a row, in parts.
        let points: Vec<_> = (1..10).map(|x| (x * 6 * PIXEL, 4 * PIXEL + 40)).collect();
        let frame = drawn(&points, 260, Size::new(64, 9));
        for y in 0..9 {
            let row = |x| frame.pixel(Point::new(x, y));
            assert!((7..53).all(|x| row(x) == row(7)), "row {y}");
        }
        assert_ne!(frame.pixel(Point::new(20, 4)), Some(Ink::Ground));
    }

    #[test]
    fn a_line_is_as_thick_at_a_turn_as_elsewhere() {
        let turn = [(2, 10), (10, 2), (18, 10)].map(|(x, y)| (x * PIXEL, y * PIXEL));
        let frame = drawn(&turn, PIXEL, Size::new(20, 14));
        let inked = |x: i32| {
            let column = (0..14).filter(|y| frame.pixel(Point::new(x, *y)) == Some(Ink::Text));
            column.count()
        };
        // Half a thickness of one pixel is 2.8 pixels of a column at 45 degrees.
        assert!((5..16).all(|x| (1..=4).contains(&inked(x))));
    }

    #[test]
    fn a_closed_line_is_a_ring() {
        let square = [(2, 2), (10, 2), (10, 10), (2, 10), (2, 2)];
        let square = square.map(|(x, y)| (x * PIXEL, y * PIXEL));
        let frame = drawn(&square, PIXEL, Size::new(12, 12));
        assert_eq!(frame.pixel(Point::new(6, 6)), Some(Ink::Ground));
        for at in [(1, 1), (10, 1), (10, 10), (1, 10), (6, 2), (2, 6)] {
            let ink = frame.pixel(Point::new(at.0, at.1));
            assert_eq!(ink, Some(Ink::Text), "{at:?}");
        }
    }
}
