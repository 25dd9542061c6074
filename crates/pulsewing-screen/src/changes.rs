//! Differences between two frames, as a few rectangles that are cheap to send.

use core::{ops::Range, slice};

use embedded_graphics::{prelude::*, primitives::Rectangle};

use crate::Frame;

/// The maximum number of rectangles.
pub const MOST: usize = 100;

/// The number of rows that are compared together.
const ROWS: usize = 8;

/// The number of bytes of a row that are compared at once: sixteen pixels.
const WORD: usize = 8;

/// The maximum number of cells in a row: of one word each, or more in wider frames.
const CELLS: usize = 64;

/// The cost of sending a rectangle, in bytes of bus time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// The cost of each pixel.
    pub pixel: u32,
    /// The cost of each rectangle: the commands that set its window, and the pauses around them.
    pub rectangle: u32,
}

impl Cost {
    /// Sixteen bits a pixel over SPI, as panels such as the HX8357D, ILI9341 and ST7789 take them: a
    /// window is set with 11 bytes in about 6 transactions, each of which pauses the bus for about as
    /// long as 19 bytes take (some 6 microseconds at 26 MHz).
    pub const SPI: Self = Self {
        pixel: 2,
        rectangle: 125,
    };

    /// Returns the cost of a rectangle.
    #[must_use]
    pub const fn of(self, area: Size) -> u64 {
        // At most 2^32 * 2^32, and in practice far less.
        let pixels = (area.width as u64).saturating_mul(area.height as u64);
        pixels
            .saturating_mul(self.pixel as u64)
            .saturating_add(self.rectangle as u64)
    }
}

/// Rectangles that hold every changed pixel, at most [`MOST`]. They may overlap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changes {
    rectangles: heapless::Vec<Rectangle, MOST>,
    cost: Cost,
}

impl Changes {
    /// Creates an empty set of changes.
    #[must_use]
    pub const fn new(cost: Cost) -> Self {
        Self {
            rectangles: heapless::Vec::new(),
            cost,
        }
    }

    /// Returns the rectangles.
    pub fn iter(&self) -> slice::Iter<'_, Rectangle> {
        self.rectangles.iter()
    }

    /// Returns the number of rectangles.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rectangles.len()
    }

    /// Returns whether nothing changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rectangles.is_empty()
    }

    /// Returns the number of pixels in the rectangles; those in two rectangles count twice.
    #[must_use]
    pub fn pixels(&self) -> u64 {
        let pixels = |area: &Rectangle| u64::from(area.size.width) * u64::from(area.size.height);
        self.iter().map(pixels).sum()
    }

    /// Adds a changed area; merges it with others where that is cheaper, or where there is no room.
    pub fn insert(&mut self, area: Rectangle) {
        if area.is_zero_sized() {
            return;
        }
        let mut area = area;
        loop {
            let best = self
                .iter()
                .enumerate()
                .map(|(place, other)| (self.saving(&area, other), place))
                .max();
            match best {
                Some((saving, place)) if saving >= 0 || self.rectangles.is_full() => {
                    let other = self.rectangles.swap_remove(place);
                    area = envelope(&area, &other);
                }
                _ => break,
            }
        }
        // There is room: the loop continues until there is.
        let _ = self.rectangles.push(area);
    }

    /// Returns one rectangle around all if that is cheaper: rectangles may overlap, so that
    /// together they can cost more than the whole picture.
    pub(crate) fn settled(self) -> Self {
        let Some(all) = self
            .iter()
            .copied()
            .reduce(|one, other| envelope(&one, &other))
        else {
            return self;
        };
        let apart = self.iter().fold(0, |sum: u64, area| {
            sum.saturating_add(self.cost.of(area.size))
        });
        if apart < self.cost.of(all.size) {
            return self;
        }
        let mut one = Self::new(self.cost);
        one.insert(all);
        one
    }

    /// Returns the saving of sending two areas as one; negative if it costs more.
    fn saving(&self, one: &Rectangle, other: &Rectangle) -> i64 {
        // Anything longer than the longest possible picture costs as much as one. Products fit 32
        // bits, in which small processors multiply.
        const LONGEST: u32 = 1 << 15;
        let saving = |more: i64| i64::from(self.cost.rectangle) - more * i64::from(self.cost.pixel);
        let (rows, others) = (one.rows(), other.rows());
        // Most are far apart: the rows between them are enough to decide.
        let between = rows.start.saturating_sub(others.end);
        let between = between.max(others.start.saturating_sub(rows.end));
        let widest = one.size.width.max(other.size.width).min(LONGEST);
        let least = i64::from(between.max(0).cast_unsigned().min(LONGEST) * widest);
        if saving(least) < 0 {
            return saving(least);
        }
        let length = |one: Range<i32>, other: Range<i32>| {
            let (start, end) = (one.start.min(other.start), one.end.max(other.end));
            end.abs_diff(start).min(LONGEST)
        };
        let pixels = |size: Size| size.width.min(LONGEST) * size.height.min(LONGEST);
        let together = length(one.columns(), other.columns()) * length(rows, others);
        let apart = i64::from(pixels(one.size)) + i64::from(pixels(other.size));
        saving(i64::from(together) - apart)
    }
}

/// Returns the smallest rectangle around two, neither of which is empty.
fn envelope(one: &Rectangle, other: &Rectangle) -> Rectangle {
    let end = |area: &Rectangle| area.bottom_right().unwrap_or(area.top_left);
    Rectangle::with_corners(
        one.top_left.component_min(other.top_left),
        end(one).component_max(end(other)),
    )
}

impl<'c> IntoIterator for &'c Changes {
    type Item = &'c Rectangle;
    type IntoIter = slice::Iter<'c, Rectangle>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Finds the differences between the frame that a panel shows and the one that it should show.
///
/// Frames of different sizes differ everywhere.
///
/// ```
/// use embedded_graphics::{prelude::*, primitives::Rectangle};
/// use pulsewing_screen::{Frame, Ink, changes::{self, Cost}};
///
/// let size = Size::new(480, 320);
/// let blank = || Frame::new(size, vec![0; Frame::<Vec<u8>>::bytes_for(size)]).unwrap();
/// let (old, mut new) = (blank(), blank());
/// let digit = Rectangle::new(Point::new(33, 40), Size::new(9, 14));
/// new.fill_solid(&digit, Ink::Text)?;
/// assert!(changes::between(&old, &new, Cost::SPI).iter().eq([&digit]));
/// # Ok::<(), core::convert::Infallible>(())
/// ```
#[must_use]
pub fn between<A: AsRef<[u8]>, B: AsRef<[u8]>>(
    old: &Frame<A>,
    new: &Frame<B>,
    cost: Cost,
) -> Changes {
    let mut changes = Changes::new(cost);
    if old.size() != new.size() {
        changes.insert(new.bounding_box());
        return changes;
    }
    let stride = new.stride();
    if stride == 0 {
        return changes;
    }
    let words_of_cell = stride.div_ceil(WORD * CELLS).max(1);
    let bands = old.bytes().chunks(stride * ROWS);
    let bands = bands.zip(new.bytes().chunks(stride * ROWS));
    for (number, (old, new)) in bands.enumerate() {
        if old == new {
            continue;
        }
        let mut extents = [Extent::NOTHING; CELLS];
        let rows = old.chunks(stride).zip(new.chunks(stride));
        for (y, (old, new)) in (number * ROWS..).zip(rows) {
            if old == new {
                continue;
            }
            for (place, (old, new)) in words(old).zip(words(new)).enumerate() {
                if old != new
                    && let Some(extent) = extents.get_mut(place / words_of_cell)
                {
                    extent.take_in(old ^ new, 2 * WORD * place, y);
                }
            }
        }
        insert_neighbours(&extents, &mut changes);
    }
    changes.settled()
}

/// Returns the bytes of a row, eight at a time, the first the most significant; after the last come
/// zeros.
fn words(row: &[u8]) -> impl Iterator<Item = u64> {
    let (words, rest) = row.as_chunks();
    let mut last = [0; WORD];
    for (to, from) in last.iter_mut().zip(rest) {
        *to = *from;
    }
    let last = (!rest.is_empty()).then_some(last);
    words.iter().copied().chain(last).map(u64::from_be_bytes)
}

/// The changed pixels of a cell: columns and rows, both ends included.
#[derive(Clone, Copy)]
struct Extent {
    left: usize,
    right: usize,
    top: usize,
    bottom: usize,
}

impl Extent {
    const NOTHING: Self = Self {
        left: usize::MAX,
        right: 0,
        top: usize::MAX,
        bottom: 0,
    };

    /// Adds the nonzero pixels of a word of row `y`; the word begins at column `x`.
    fn take_in(&mut self, differing: u64, x: usize, y: usize) {
        // Four bits a pixel, the leftmost pixel the most significant; never 64 zeros.
        let left = x + differing.leading_zeros() as usize / 4;
        let right = x + 2 * WORD - 1 - differing.trailing_zeros() as usize / 4;
        self.left = self.left.min(left);
        self.right = self.right.max(right);
        self.top = self.top.min(y);
        self.bottom = self.bottom.max(y);
    }

    fn area(&self) -> Option<Rectangle> {
        let point = |x, y| Some(Point::new(i32::try_from(x).ok()?, i32::try_from(y).ok()?));
        (self.left <= self.right).then_some(())?;
        Some(Rectangle::with_corners(
            point(self.left, self.top)?,
            point(self.right, self.bottom)?,
        ))
    }
}

/// Inserts the changed cells of some rows, merging neighbours where that is cheaper.
fn insert_neighbours(extents: &[Extent], changes: &mut Changes) {
    let mut run: Option<Rectangle> = None;
    for area in extents.iter().filter_map(Extent::area) {
        run = match run {
            Some(before) if changes.saving(&before, &area) >= 0 => Some(envelope(&before, &area)),
            Some(before) => {
                changes.insert(before);
                Some(area)
            }
            None => Some(area),
        };
    }
    if let Some(run) = run {
        changes.insert(run);
    }
}
