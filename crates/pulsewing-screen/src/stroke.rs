//! Lines of some thickness, and discs, as polygons.

use embedded_graphics::prelude::*;

use crate::{
    Ink,
    coverage::{self, Dot, Edge, Edges, Ramp},
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

/// The edges of a point of a line, at most: a [`disc`], and a straight part to the next point.
pub(crate) const EDGES_OF_POINT: usize = DISC.len() + 4;

/// Appends the edges of a line through points, of a thickness of twice `half`.
///
/// As far as its parts are long and turn gently, they are one polygon. Polygons of their own would overlap
/// at the joints, where edges that are half covered twice look whole: a nub. At a sharp turn a polygon would
/// cross itself and become a hole, so that another one begins there, under a disc.
///
/// A line whose last point is its first is closed; a single point is a disc. Edges beyond the capacity are
/// left out.
pub(crate) fn line(points: &[Dot], half: i32, edges: &mut Edges) {
    let mut joints = points.windows(3).map(|joint| is_gentle(joint, half));
    match points {
        [] => {}
        [point] => edges.extend(disc(*point, half)),
        [first, second, .., before, last] if first == last => {
            if joints.all(|is_gentle| is_gentle) && is_gentle(&[*before, *first, *second], half) {
                ring(points, half, edges);
            } else {
                edges.extend(disc(*first, half));
                open(points, half, edges);
            }
        }
        _ => open(points, half, edges),
    }
}

/// Appends a line as polygons from one sharp turn to the next.
fn open(points: &[Dot], half: i32, edges: &mut Edges) {
    let mut start = 0;
    for (place, joint) in (1..).zip(points.windows(3)) {
        if !is_gentle(joint, half) {
            polygon(points.get(start..=place).unwrap_or_default(), half, edges);
            if let [_, turn, _] = joint {
                edges.extend(disc(*turn, half));
            }
            start = place;
        }
    }
    polygon(points.get(start..).unwrap_or_default(), half, edges);
}

/// Returns whether two parts of a line meet at an obtuse angle, and are longer than the line is thick.
fn is_gentle(joint: &[Dot], half: i32) -> bool {
    let [from, at, to] = joint else {
        return false;
    };
    let part = |from: &Dot, to: &Dot| (i64::from(to.x - from.x), i64::from(to.y - from.y));
    let (into, out) = (part(from, at), part(at, to));
    let is_long = |(x, y): (i64, i64)| x * x + y * y >= i64::from(2 * half).pow(2);
    into.0 * out.0 + into.1 * out.1 > 0 && is_long(into) && is_long(out)
}

/// Appends one polygon around a line with gentle turns, in the direction of a [`disc`]. It reaches half a thickness beyond its ends, which
/// are square.
fn polygon(points: &[Dot], half: i32, edges: &mut Edges) {
    // Two minutes may be in one pixel.
    if let [one, other] = points
        && one == other
    {
        return edges.extend(disc(*one, half));
    }
    let last = points.len().saturating_sub(1);
    let corner = |place: usize, sign: i32| {
        let before = place.checked_sub(1).and_then(|before| points.get(before));
        let (at, after) = (points.get(place), points.get(place + 1));
        let corner = corner(before, at, after, half, sign);
        let beyond = match (before, at, after) {
            (None, Some(at), Some(after)) if place == 0 => across(*after, *at, half),
            (Some(before), Some(at), None) if place == last => across(*before, *at, half),
            _ => return corner,
        };
        // A quarter turn to the left of what lies to the right is ahead.
        let (right, down) = beyond;
        Dot {
            x: corner.x + down,
            y: corner.y - right,
        }
    };
    for end in 1..points.len() {
        // Edges that do not fit are left out.
        let _ = edges.push((corner(end - 1, -1), corner(end, -1)));
        let _ = edges.push((corner(end, 1), corner(end - 1, 1)));
    }
    if let Some(end) = points.len().checked_sub(1).filter(|end| *end > 0) {
        let _ = edges.push((corner(end, -1), corner(end, 1)));
        let _ = edges.push((corner(0, 1), corner(0, -1)));
    }
}

/// Appends the two polygons of a closed line with gentle turns.
fn ring(points: &[Dot], half: i32, edges: &mut Edges) {
    let count = points.len().saturating_sub(1);
    let at = |place: usize| points.get(place.checked_rem(count).unwrap_or(0));
    let corner = |place: usize, sign: i32| {
        corner(at(place + count - 1), at(place), at(place + 1), half, sign)
    };
    for end in 1..=count {
        let _ = edges.push((corner(end - 1, -1), corner(end, -1)));
        let _ = edges.push((corner(end, 1), corner(end - 1, 1)));
    }
}

/// Returns the corner of a line's outline at a point: to the right of the way, or with the sign -1 to its
/// left.
fn corner(
    before: Option<&Dot>,
    point: Option<&Dot>,
    after: Option<&Dot>,
    half: i32,
    sign: i32,
) -> Dot {
    let point = point.copied().unwrap_or(Dot { x: 0, y: 0 });
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
}

/// Returns a vector of the length `half` to the right of the way from one point to another.
fn across(from: Dot, to: Dot, half: i32) -> (i32, i32) {
    let (x, y) = (i64::from(to.x - from.x), i64::from(to.y - from.y));
    let length = (x * x + y * y).cast_unsigned().isqrt().cast_signed().max(1);
    let part = |part: i64| i32::try_from(part * i64::from(half) / length).unwrap_or(0);
    (part(-y), part(x))
}

/// Returns the vector from a gentle joint to its corner: along the middle of both sides, as far as their
/// edges meet.
fn joint(into: (i32, i32), out: (i32, i32), half: i32) -> (i32, i32) {
    let half = i64::from(half);
    let dot = i64::from(into.0) * i64::from(out.0) + i64::from(into.1) * i64::from(out.1);
    let divisor = (half * half + dot).max(1);
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

    use proptest::prelude::*;

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

    proptest! {
        #[test]
        fn every_point_of_a_line_is_inked_however_it_turns(
            points in prop::collection::vec((3_i32..60, 3_i32..40), 2..15), half in 1_i32..3,
        ) {
            let points: Vec<_> = points.iter().map(|(x, y)| (x * PIXEL, y * PIXEL)).collect();
            let frame = drawn(&points, half * PIXEL, Size::new(64, 44));
            for (x, y) in points {
                // The four pixels around it.
                let pixels = [(0, 0), (-1, 0), (0, -1), (-1, -1)];
                for (right, down) in pixels {
                    let at = Point::new(x / PIXEL + right, y / PIXEL + down);
                    prop_assert_ne!(frame.pixel(at), Some(Ink::Ground), "{}", at);
                }
            }
        }
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
