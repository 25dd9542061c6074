//! The division of the flash.

use embedded_storage_async::nor_flash::NorFlash;

use crate::{
    blob,
    flash::{GRAIN, len32},
};

/// A range of the flash in bytes: whole sectors from `start` up to, not including, `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Area {
    /// The address of the first byte.
    pub start: u32,
    /// The address after the last byte.
    pub end: u32,
}

impl Area {
    /// Returns the length in bytes.
    #[must_use]
    pub const fn len(self) -> u32 {
        self.end.saturating_sub(self.start)
    }

    /// Returns whether the range is empty.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Splits the range into two halves.
    pub(crate) const fn halves(self) -> [Self; 2] {
        let middle = self.start + self.len() / 2;
        [
            Self {
                start: self.start,
                end: middle,
            },
            Self {
                start: middle,
                end: self.end,
            },
        ]
    }
}

/// The place of each subject. No two subjects share a sector, so none can wear out or erase
/// another's data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The token chain: three sectors or more; each additional one may wear out.
    pub chain: Area,
    /// The settings: two sectors or more.
    pub settings: Area,
    /// The TLS roots: two halves, each with room for [`MAX_ROOTS`](crate::MAX_ROOTS) bytes.
    pub roots: Area,
    /// The last picture and the limits on requests: two sectors or more.
    pub snapshot: Area,
    /// The last errors: two sectors or more.
    pub errors: Area,
    /// The message of a panic: one sector.
    pub panic: Area,
    /// The wallpaper; may be empty.
    pub wallpaper: Area,
    /// The alarms: two sectors or more.
    pub alarms: Area,
}

/// The sectors of each subject, in the order of [`Layout`]; those of the roots depend on the sector
/// size.
const CHAIN: u32 = 8;
const SETTINGS: u32 = 2;
const SNAPSHOT: u32 = 4;
const ERRORS: u32 = 2;
const PANIC: u32 = 1;
const ALARMS: u32 = 4;

impl Layout {
    /// Divides a partition of a flash whose sectors have `sector` bytes. The wallpaper gets the
    /// space that is left. `None` if the partition is too small or does not consist of whole
    /// sectors.
    ///
    /// With sectors of 4 KiB the subjects take 108 KiB, and a picture of 480x320 in 4 bits 76 KiB
    /// more. The alarms are at the end, because they came last: everything else, a wallpaper too,
    /// stays where older programs have put it.
    #[must_use]
    pub const fn within(partition: Area, sector: u32) -> Option<Self> {
        if sector < MIN_SECTOR
            || !partition.start.is_multiple_of(sector)
            || !partition.end.is_multiple_of(sector)
        {
            return None;
        }
        let roots = 2 * (len32(blob::HEAD) + crate::MAX_ROOTS).div_ceil(sector);
        let fixed = CHAIN + SETTINGS + roots + SNAPSHOT + ERRORS + PANIC + ALARMS;
        if partition.len() / sector < fixed {
            return None;
        }
        let chain = next(partition.start, CHAIN, sector);
        let settings = next(chain.end, SETTINGS, sector);
        let roots = next(settings.end, roots, sector);
        let snapshot = next(roots.end, SNAPSHOT, sector);
        let errors = next(snapshot.end, ERRORS, sector);
        let panic = next(errors.end, PANIC, sector);
        let alarms = next(partition.end - ALARMS * sector, ALARMS, sector);
        Some(Self {
            chain,
            settings,
            roots,
            snapshot,
            errors,
            panic,
            wallpaper: Area {
                start: panic.end,
                end: alarms.start,
            },
            alarms,
        })
    }

    /// Returns every range, the chain's first.
    #[must_use]
    pub const fn areas(&self) -> [Area; 8] {
        [
            self.chain,
            self.settings,
            self.roots,
            self.snapshot,
            self.errors,
            self.panic,
            self.wallpaper,
            self.alarms,
        ]
    }

    /// Checks the layout against its flash.
    pub(crate) fn check<F: NorFlash>(&self, flash: &F) -> Result<(), LayoutError> {
        let fits_grain = |size: usize| size > 0 && GRAIN.is_multiple_of(size);
        if !fits_grain(F::READ_SIZE) || !fits_grain(F::WRITE_SIZE) {
            return Err(LayoutError::Granularity);
        }
        let sector = u32::try_from(F::ERASE_SIZE).map_err(|_| LayoutError::Granularity)?;
        if sector < MIN_SECTOR || !sector.is_multiple_of(len32(crate::flash::CHUNK)) {
            return Err(LayoutError::Granularity);
        }
        let capacity = u32::try_from(flash.capacity()).unwrap_or(u32::MAX);
        let roots_need = 2 * (len32(blob::HEAD) + crate::MAX_ROOTS).div_ceil(sector);
        let least = [3, 2, roots_need, 2, 2, 1, 0, 2];
        let areas = self.areas();
        for (index, (area, least)) in areas.iter().zip(least).enumerate() {
            if !area.start.is_multiple_of(sector)
                || !area.end.is_multiple_of(sector)
                || area.end < area.start
            {
                return Err(LayoutError::Misaligned);
            }
            if area.len() / sector < least {
                return Err(LayoutError::TooSmall);
            }
            if area.end > capacity {
                return Err(LayoutError::OutOfFlash);
            }
            let overlaps =
                |other: &Area| !area.is_empty() && area.start < other.end && other.start < area.end;
            if areas.iter().skip(index + 1).any(overlaps) {
                return Err(LayoutError::Overlap);
            }
        }
        if !(self.roots.len() / sector).is_multiple_of(2) {
            return Err(LayoutError::Misaligned);
        }
        Ok(())
    }
}

/// The smallest sector that holds the longest chain.
const MIN_SECTOR: u32 = 4_096;

const fn next(start: u32, sectors: u32, sector: u32) -> Area {
    Area {
        start,
        end: start + sectors * sector,
    }
}

/// An error in a layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LayoutError {
    /// The flash reads or writes in units that do not divide 32 bytes, or its sectors are smaller
    /// than 4 KiB.
    #[error("the flash's read, write or erase size is not supported")]
    Granularity,
    /// A range does not consist of whole sectors, or that of the roots not of two equal halves.
    #[error("a range of the flash does not consist of whole sectors")]
    Misaligned,
    /// A range has fewer sectors than its subject needs.
    #[error("a range of the flash is too small for its contents")]
    TooSmall,
    /// A range lies beyond the flash's end.
    #[error("a range goes beyond the end of the flash")]
    OutOfFlash,
    /// Two ranges share a sector.
    #[error("two ranges of the flash overlap")]
    Overlap,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_is_divided_for_both_sector_sizes() {
        for (sector, len) in [(4_096, 184 * 1_024), (256 * 1_024, 24 * 256 * 1_024)] {
            let start = 2 * sector;
            let partition = Area {
                start,
                end: start + len,
            };
            let layout = Layout::within(partition, sector).unwrap();
            assert!(layout.wallpaper.len() >= 480 * 320 / 2 + 32, "{layout:?}");
            assert_eq!(layout.chain.start, start);
            assert_eq!(layout.alarms.end, partition.end);
            for pair in layout.areas().windows(2) {
                assert_eq!(pair[0].end, pair[1].start);
            }
        }
    }

    #[test]
    fn what_is_too_small_or_off_the_grid_is_refused() {
        let area = |start, end| Area { start, end };
        assert_eq!(Layout::within(area(0, 26 * 4_096), 4_096), None);
        assert!(Layout::within(area(0, 27 * 4_096), 4_096).is_some());
        assert_eq!(Layout::within(area(100, 50 * 4_096), 4_096), None);
        assert_eq!(Layout::within(area(0, 1 << 20), 2_048), None);
    }
}
