//! Fills polygons with smooth edges: the coverage of each pixel selects a step between two colours.
//!
//! Coverage is exact to a 256th of a pixel's side and computed in integers, a row at a time, so
//! that a board without floating point draws the same pixels as a desktop.

use core::ops::Range;

use embedded_graphics::{prelude::*, primitives::Rectangle};

use crate::Ink;

/// The side of a pixel in the units of a [`Dot`].
pub(crate) const PIXEL: i32 = 256;

/// The number of columns that are processed at a time; this bounds the memory.
const COLUMNS: i32 = 256;

/// A point in 256ths of a pixel, from the upper left corner of the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dot {
    pub(crate) x: i32,
    pub(crate) y: i32,
}

impl Dot {
    /// Returns the middle of a pixel.
    pub(crate) const fn centre_of(pixel: Point) -> Self {
        Self {
            x: pixel.x * PIXEL + PIXEL / 2,
            y: pixel.y * PIXEL + PIXEL / 2,
        }
    }
}

/// One side of a polygon.
pub(crate) type Edge = (Dot, Dot);

/// The colours between the background and an ink, by the coverage of a pixel.
#[derive(Debug)]
pub(crate) struct Ramp(&'static [(u16, Ink)]);

impl Ramp {
    /// Returns the ramp from [`Ink::Ground`] to a colour.
    ///
    /// The limits lie between the lightness of neighbouring colours, with some weight on the
    /// brighter one, as thin strokes need on black.
    pub(crate) const fn to(ink: Ink) -> &'static Self {
        match ink {
            Ink::Text => &Self(&[
                (8, Ink::Faint),
                (44, Ink::Mid),
                (99, Ink::Quiet),
                (190, Ink::Text),
            ]),
            Ink::Quiet => &Self(&[(16, Ink::Faint), (87, Ink::Mid), (194, Ink::Quiet)]),
            Ink::Mid => &Self(&[(30, Ink::Faint), (162, Ink::Mid)]),
            Ink::Faint => &Self(&[(110, Ink::Faint)]),
            Ink::Ground => &Self(&[(128, Ink::Ground)]),
            Ink::Violet => &Self(&[(28, Ink::DimCool), (159, Ink::Violet)]),
            Ink::Blue => &Self(&[(28, Ink::DimCool), (159, Ink::Blue)]),
            Ink::Cyan => &Self(&[(28, Ink::DimCool), (159, Ink::Cyan)]),
            Ink::Green => &Self(&[(28, Ink::DimCool), (159, Ink::Green)]),
            Ink::DimCool => &Self(&[(110, Ink::DimCool)]),
            Ink::Red => &Self(&[(28, Ink::DimWarm), (159, Ink::Red)]),
            Ink::Yellow => &Self(&[(28, Ink::DimWarm), (159, Ink::Yellow)]),
            Ink::Orange => &Self(&[(28, Ink::DimWarm), (159, Ink::Orange)]),
            Ink::Pink => &Self(&[(28, Ink::DimWarm), (159, Ink::Pink)]),
            Ink::Warning => &Self(&[(28, Ink::DimWarm), (159, Ink::Warning)]),
            Ink::DimWarm => &Self(&[(110, Ink::DimWarm)]),
        }
    }

    /// Returns the colour for a coverage of 0 to 256; `None` where the background stays.
    fn ink(&self, coverage: i32) -> Option<Ink> {
        self.0
            .iter()
            .rev()
            .find(|(least, _)| coverage >= i32::from(*least))
            .map(|(_, ink)| *ink)
    }
}

/// The maximum number of edges of polygons.
pub(crate) const MOST_EDGES: usize = 192;

/// The edges of polygons; additional edges do not fit.
pub(crate) type Edges = heapless::Vec<Edge, MOST_EDGES>;

/// The number of rows that share one pass over all edges.
const BLOCK: i32 = 8;

/// Fills polygons that lie inside `area`, whose background is [`Ink::Ground`].
///
/// `edges` are those of closed polygons, at most [`MOST_EDGES`]. Overlapping polygons with the same
/// direction are merged; one with the opposite direction is a hole. `ramp` is chosen for each row.
pub(crate) fn fill<'r, D: DrawTarget<Color = Ink>>(
    edges: &[Edge],
    area: Rectangle,
    ramp: impl Fn(i32) -> &'r Ramp,
    target: &mut D,
) -> Result<(), D::Error> {
    let mut row = Row {
        cells: [Cell::EMPTY; COLUMNS as usize],
        first: COLUMNS,
        end: 0,
    };
    let mut near = heapless::Vec::<(Range<i32>, &Edge), MOST_EDGES>::new();
    let (columns, rows) = (area.columns(), area.rows());
    for top in rows.clone().step_by(BLOCK as usize) {
        let block = top..rows.end.min(top + BLOCK);
        near.clear();
        let touching = edges.iter().filter_map(|edge| {
            let touched = touched_rows(edge)?;
            let is_near = touched.start < block.end && touched.end > block.start;
            is_near.then_some((touched, edge))
        });
        near.extend(touching.take(MOST_EDGES));
        for left in columns.clone().step_by(COLUMNS as usize) {
            let width = (columns.end - left).min(COLUMNS);
            for y in block.clone() {
                let mut is_empty = true;
                for (touched, edge) in &near {
                    if touched.contains(&y) {
                        row.add(edge, left * PIXEL, y * PIXEL);
                        is_empty = false;
                    }
                }
                if !is_empty {
                    row.draw(Point::new(left, y), width, ramp(y), target)?;
                }
            }
        }
    }
    Ok(())
}

/// Returns the rows in which parts of an edge lie; none for a horizontal one.
fn touched_rows((from, to): &Edge) -> Option<Range<i32>> {
    let (upper, lower) = (from.y.min(to.y), from.y.max(to.y));
    let end = (lower + PIXEL - 1).div_euclid(PIXEL);
    (upper < lower).then(|| upper.div_euclid(PIXEL)..end)
}

/// The effect of the edges in one pixel on it and on those to its right.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Cell {
    /// The height by which the edges go down, in 256ths.
    fall: i32,
    /// The same, times twice the distance from the pixel's left side.
    moment: i32,
}

impl Cell {
    const EMPTY: Self = Self { fall: 0, moment: 0 };
}

/// A row of pixels; coordinates are relative to its upper left corner.
struct Row {
    cells: [Cell; COLUMNS as usize],
    /// The first column with an edge, and the one after the last.
    first: i32,
    end: i32,
}

impl Row {
    /// Adds the part of an edge that lies in the row, which it touches.
    fn add(&mut self, (from, to): &Edge, left: i32, top: i32) {
        let (start, end) = (from.y - top, to.y - top);
        let upper = start.min(end).max(0);
        let lower = start.max(end).min(PIXEL);
        let x = |y: i32| from.x - left + share(to.x - from.x, y - start, end - start);
        // From left to right, whatever the direction of the edge.
        let ((mut a, mut y), (b, end_y), sign) = {
            let (u, l) = ((x(upper), upper), (x(lower), lower));
            let sign = if start < end { 1 } else { -1 };
            if u.0 <= l.0 {
                (u, l, sign)
            } else {
                (l, u, -sign)
            }
        };
        let (start_x, start_y) = (a, y);
        let y_at = |x: i32| start_y + share(end_y - start_y, x - start_x, b - start_x);
        if a < 0 {
            let enters = if b <= 0 { end_y } else { y_at(0) };
            self.put(0, (enters - y) * sign, 0);
            if b <= 0 {
                return;
            }
            (a, y) = (0, enters);
        }
        loop {
            let cell = a / PIXEL;
            if cell >= COLUMNS {
                return;
            }
            let next = b.min((cell + 1) * PIXEL);
            let next_y = if next == b { end_y } else { y_at(next) };
            self.put(cell, (next_y - y) * sign, a + next - 2 * cell * PIXEL);
            (a, y) = (next, next_y);
            if a >= b {
                return;
            }
        }
    }

    fn put(&mut self, cell: i32, fall: i32, twice_x: i32) {
        (self.first, self.end) = (self.first.min(cell), self.end.max(cell + 1));
        if let Some(cell) = usize::try_from(cell)
            .ok()
            .and_then(|cell| self.cells.get_mut(cell))
        {
            cell.fall += fall;
            cell.moment += fall * twice_x;
        }
    }

    /// Draws runs of equal colour, and clears the row.
    fn draw<D: DrawTarget<Color = Ink>>(
        &mut self,
        at: Point,
        width: i32,
        ramp: &Ramp,
        target: &mut D,
    ) -> Result<(), D::Error> {
        let mut run: (i32, Option<Ink>) = (0, None);
        let mut flush = |(from, ink): (i32, Option<Ink>), end: i32| match ink {
            Some(ink) if end > from => {
                let size = Size::new((end - from).cast_unsigned(), 1);
                target.fill_solid(&Rectangle::new(at + Point::new(from, 0), size), ink)
            }
            _ => Ok(()),
        };
        let mut fall = 0;
        // Whether there was no edge since the last computed coverage.
        let mut is_settled = true;
        // One more column: what continues to the right of the last edge.
        let touched = self.first..self.end + 1;
        (self.first, self.end) = (COLUMNS, 0);
        let first = usize::try_from(touched.start).unwrap_or(0);
        for (x, cell) in touched.zip(self.cells.iter_mut().skip(first)) {
            let is_empty = *cell == Cell::EMPTY;
            if is_empty && is_settled {
                continue;
            }
            is_settled = is_empty;
            let cell = core::mem::replace(cell, Cell::EMPTY);
            if x >= width {
                // Edges that end outside the area may have left something there.
                continue;
            }
            fall += cell.fall;
            let twice = 2 * PIXEL;
            let coverage = ((fall * twice - cell.moment) / twice).abs().min(PIXEL);
            let ink = ramp.ink(coverage);
            if ink != run.1 {
                flush(run, x)?;
                run = (x, ink);
            }
        }
        flush(run, width)
    }
}

/// `whole * part / of`, with room for the product.
fn share(whole: i32, part: i32, of: i32) -> i32 {
    // Vertical edges are common, and divisions are slow, especially of 64 bits on a board.
    if whole == 0 {
        return 0;
    }
    if let Some(product) = whole.checked_mul(part) {
        return product.checked_div(of).unwrap_or(0);
    }
    let share = (i64::from(whole) * i64::from(part)).checked_div(i64::from(of));
    share
        .and_then(|share| i32::try_from(share).ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::vec;

    use proptest::prelude::*;

    use super::*;
    use crate::{Frame, frame::sketch};

    fn polygon<const N: usize>(corners: [(i32, i32); N]) -> impl Iterator<Item = Edge> + Clone {
        let dot = |(x, y): (i32, i32)| Dot { x, y };
        let next = corners.into_iter().cycle().skip(1);
        corners
            .into_iter()
            .zip(next)
            .map(move |(from, to)| (dot(from), dot(to)))
    }

    fn filled(edges: impl Iterator<Item = Edge>, size: Size) -> Frame<vec::Vec<u8>> {
        let mut frame = Frame::new(size, vec![0; Frame::<&[u8]>::bytes_for(size)]).unwrap();
        let area = Rectangle::new(Point::zero(), size);
        let edges: vec::Vec<_> = edges.collect();
        fill(&edges, area, |_| Ramp::to(Ink::Text), &mut frame).unwrap();
        frame
    }

    #[test]
    fn edges_are_smooth_and_holes_are_holes() {
        let half = PIXEL / 2;
        let square = polygon([
            (half, 0),
            (half, 4 * PIXEL),
            (5 * PIXEL, 4 * PIXEL),
            (5 * PIXEL, 0),
        ]);
        let hole = polygon([
            (2 * PIXEL, PIXEL),
            (3 * PIXEL, PIXEL),
            (3 * PIXEL, 3 * PIXEL),
            (2 * PIXEL, 3 * PIXEL),
        ]);
        let slope = polygon([
            (6 * PIXEL, 4 * PIXEL),
            (10 * PIXEL, 4 * PIXEL),
            (10 * PIXEL, 0),
        ]);
        let frame = filled(square.chain(hole).chain(slope), Size::new(10, 4));
        assert_eq!(
            sketch(&frame),
            "+####    +\n\
             +# ##   +#\n\
             +# ##  +##\n\
             +#### +###\n"
        );
    }

    #[test]
    fn polygons_that_overlap_are_one() {
        let square = |left: i32| {
            [
                (left, 0),
                (left, 2 * PIXEL),
                (left + 3 * PIXEL, 2 * PIXEL),
                (left + 3 * PIXEL, 0),
            ]
        };
        let (one, other) = (square(0), square(PIXEL));
        let frame = filled(polygon(one).chain(polygon(other)), Size::new(6, 2));
        assert_eq!(sketch(&frame), "####\n####\n");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_triangle_covers_as_many_pixels_as_its_area_has(
            corners in prop::array::uniform3((0_i32..600 * PIXEL, 0_i32..40 * PIXEL)),
        ) {
            let [(ax, ay), (bx, by), (cx, cy)] = corners.map(|(x, y)| (i64::from(x), i64::from(y)));
            let twice = ((bx - ax) * (cy - ay) - (cx - ax) * (by - ay)).abs();
            let whole = i64::from(PIXEL) * i64::from(PIXEL);
            let frame = filled(polygon(corners), Size::new(600, 40));
            let inked = frame.pixels().filter(|ink| *ink != Ink::Ground).count() as i64;
            let full = frame.pixels().filter(|ink| *ink == Ink::Text).count() as i64;
            // Only pixels on an edge may differ: no more than the edges are long.
            let length = 2 * (600 + 40) + 12;
            prop_assert!(full <= twice / 2 / whole + length, "{full} of {twice}");
            prop_assert!(inked + length >= twice / 2 / whole, "{inked} of {twice}");
            prop_assert!(full * whole <= twice / 2 + length * whole / 2);
        }
    }
}
