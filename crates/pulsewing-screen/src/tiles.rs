//! Changed rectangles for boards without room for two frames.

use core::ops::Range;

use embedded_graphics::{prelude::*, primitives::Rectangle};

use crate::{
    Band, Frame,
    changes::{Changes, Cost},
};

/// The maximum number of tiles.
const TILES: usize = 2_400;

/// The size of a tile, unless there would be more than [`TILES`] of them.
const SMALLEST: Size = Size::new(16, 4);

/// The hash of a tile whose contents on the panel are unknown.
const UNKNOWN: u32 = 0;

/// Remembers the contents of a panel, as a hash of each tile: 9.6 kB, compared with 76.8 kB for a
/// frame of 480x320.
///
/// Two different tiles have the same hash with a probability of 1 in 2^32; a change between two
/// such tiles is missed. At some 60,000 changed tiles a day, this happens about once in 200 years.
/// A missed tile is sent with its next change, or after [`forget`](Self::forget). Calling that
/// every six hours also repairs the effects of a disturbed bus on the panel.
///
/// The caller must send the changes that it gets; if that fails, call [`forget`](Self::forget).
#[derive(Clone, Debug)]
pub struct Tiles {
    size: Size,
    hashes: [u32; TILES],
}

impl Tiles {
    /// Creates tiles that know nothing of the panel's contents.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            size: Size::zero(),
            hashes: [UNKNOWN; TILES],
        }
    }

    /// Forgets the panel's contents: everything counts as changed. Call it also when the
    /// [`Colours`](crate::Colours) change, which are not part of the hashes.
    pub fn forget(&mut self) {
        self.hashes.fill(UNKNOWN);
    }

    /// Returns the number of rows of a tile in pictures of this size. A band that begins at a
    /// multiple of this and has a multiple of this many rows, or ends with the picture, is compared
    /// tile by tile.
    #[must_use]
    pub fn rows_of_tile(whole: Size) -> u32 {
        tile(whole).height
    }

    /// Finds the differences from the previous frame, and remembers this one.
    pub fn update<B: AsRef<[u8]>>(&mut self, frame: &Frame<B>, cost: Cost) -> Changes {
        self.update_rows(frame.size(), 0, frame, cost)
    }

    /// Finds the differences from the previous band at the same rows, and remembers this one. The
    /// rectangles are in the whole picture.
    ///
    /// A band that does not begin and end between tiles counts as changed, and so do the tiles that
    /// it only partly covers, the next time.
    pub fn update_band<B: AsRef<[u8]>>(&mut self, band: &Band<B>, cost: Cost) -> Changes {
        self.update_rows(band.size(), band.first_row(), band.rows(), cost)
    }

    fn update_rows<B: AsRef<[u8]>>(
        &mut self,
        whole: Size,
        first_row: u32,
        rows: &Frame<B>,
        cost: Cost,
    ) -> Changes {
        if whole != self.size {
            self.size = whole;
            self.forget();
        }
        let mut changes = Changes::new(cost);
        let tile = tile(whole);
        let end = first_row + rows.size().height;
        let is_aligned = first_row.is_multiple_of(tile.height)
            && (end.is_multiple_of(tile.height) || end == whole.height);
        let stride = rows.stride();
        let (Some(tile_bytes), Some(tile_rows)) = (
            usize::try_from(tile.width / 2)
                .ok()
                .filter(|bytes| *bytes > 0),
            usize::try_from(tile.height).ok().filter(|rows| *rows > 0),
        ) else {
            return changes;
        };
        if stride == 0 {
            return changes;
        }
        let columns = stride.div_ceil(tile_bytes);
        let first = usize::try_from(first_row / tile.height).unwrap_or(usize::MAX);
        if !is_aligned {
            let last = usize::try_from(end.div_ceil(tile.height)).unwrap_or(usize::MAX);
            let covered = first.saturating_mul(columns)..last.saturating_mul(columns).min(TILES);
            if let Some(hashes) = self.hashes.get_mut(covered) {
                hashes.fill(UNKNOWN);
            }
            changes.insert(shifted(rows.bounding_box(), first_row));
            return changes;
        }
        let mut insert = |columns: Option<Range<usize>>, row| {
            if let Some(columns) = columns {
                let area = tiles_area(columns, row, tile).intersection(&rows.bounding_box());
                changes.insert(shifted(area, first_row));
            }
        };
        for (row, bytes) in rows.bytes().chunks(stride * tile_rows).enumerate() {
            // Neighbours are cheaper together, whatever the cost.
            let mut run: Option<Range<usize>> = None;
            for column in 0..columns {
                let place = (first + row) * columns + column;
                let hash = hash(bytes, stride, column * tile_bytes, tile_bytes);
                // There is a place for every tile: their size is chosen for that.
                let changed = self.hashes.get_mut(place).filter(|known| **known != hash);
                let Some(known) = changed else {
                    continue;
                };
                *known = hash;
                run = match run {
                    Some(before) if before.end == column => Some(before.start..column + 1),
                    before => {
                        insert(before, row);
                        Some(column..column + 1)
                    }
                };
            }
            insert(run, row);
        }
        changes.settled()
    }
}

impl Default for Tiles {
    fn default() -> Self {
        Self::new()
    }
}

/// Returns the smallest size of which there are not too many tiles.
fn tile(whole: Size) -> Size {
    let mut tile = SMALLEST;
    let count = |tile: Size| {
        let across = u64::from(whole.width.div_ceil(tile.width));
        across * u64::from(whole.height.div_ceil(tile.height))
    };
    while count(tile) > TILES as u64 {
        if tile.width > tile.height {
            tile.height *= 2;
        } else {
            tile.width *= 2;
        }
    }
    tile
}

/// Returns the area of neighbouring tiles in a row of tiles.
fn tiles_area(columns: Range<usize>, row: usize, tile: Size) -> Rectangle {
    let length = |count: usize, of_one: u32| {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        count.saturating_mul(of_one)
    };
    let at = |count, of_one| i32::try_from(length(count, of_one)).unwrap_or(i32::MAX);
    Rectangle::new(
        Point::new(at(columns.start, tile.width), at(row, tile.height)),
        Size::new(length(columns.len(), tile.width), tile.height),
    )
}

fn shifted(area: Rectangle, rows: u32) -> Rectangle {
    area.translate(Point::new(0, i32::try_from(rows).unwrap_or(0)))
}

/// Returns the hash of a tile that begins at byte `left` of each row; never [`UNKNOWN`].
fn hash(rows: &[u8], stride: usize, left: usize, length: usize) -> u32 {
    let mut hash: u64 = 0x243f_6a88_85a3_08d3;
    for row in rows.chunks(stride) {
        let Some(piece) = row.get(left..row.len().min(left + length)) else {
            continue;
        };
        let (words, rest) = piece.as_chunks();
        let words = words.iter().map(|word| u64::from_le_bytes(*word));
        let last = (!rest.is_empty()).then(|| {
            let bytes = rest.iter().map(|byte| u64::from(*byte));
            bytes.fold(0, |word: u64, byte| word << 8 | byte)
        });
        for word in words.chain(last) {
            hash = (hash ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            hash ^= hash >> 32;
        }
    }
    // Up to here no step loses information; each bit of the result depends on all of it.
    for factor in [0xff51_afd7_ed55_8ccd, 0xc4ce_b9fe_1a85_ec53] {
        hash = (hash ^ hash >> 33).wrapping_mul(factor);
    }
    u32::try_from(hash >> 32).unwrap_or(u32::MAX).max(1)
}
