//! A NOR flash in memory that is as strict as a real one, for tests.
//!
//! - A write only clears bits. A write that would have to set a bit is a [`Complaint`]; it clears
//!   what it can.
//! - Reads, writes and erases that are not aligned to their units are complaints, and fail.
//! - The power can be [cut](MockFlash::cut) at any step; a step is the write of one word or the
//!   erase of one sector. The word (or the rest of the page) that is being written keeps part of
//!   its bits; the sector that is being erased is half erased, or worse. From then on everything
//!   fails, until the power is [restored](MockFlash::restore_power).
//! - Reads, writes and erases of a range can be made to [fail](MockFlash::fail), or to be [silently
//!   ignored](MockFlash::ignore).
//! - It counts the erases of every sector, and keeps a history of the operations.
#![allow(
    clippy::cast_possible_truncation,
    reason = "a mock is as large as a test makes it"
)]

mod run;

use alloc::{vec, vec::Vec};
use core::ops::Range;

use embedded_storage_async::nor_flash::{
    ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash,
};

pub use run::run;

/// The write unit of every mock in bytes, as on the ESP32 and on QEMU's flash.
pub const WORD: usize = 4;

/// The size of a page: the unit that a chip programs at once.
const PAGE: u32 = 256;

/// The geometry of a flash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry<const SECTOR: usize> {
    /// The number of sectors.
    pub sectors: u32,
}

impl Geometry<4_096> {
    /// Sectors of 4 KiB, as on the ESP32; 256 KiB.
    pub const ESP32: Self = Self { sectors: 64 };
}

impl Geometry<{ 256 * 1_024 }> {
    /// Sectors of 256 KiB, as on QEMU's virt machine; 8 MiB of its 32.
    pub const QEMU_VIRT: Self = Self { sectors: 32 };
}

/// An event in the history of the flash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// Bytes were written.
    Write {
        /// The address.
        address: u32,
        /// The number of bytes.
        len: u32,
    },
    /// A sector was erased.
    Erase {
        /// The index of the sector, from the start of the flash.
        sector: u32,
    },
    /// The power was cut.
    Cut {
        /// The step that was interrupted.
        step: u64,
    },
}

/// A misuse of the flash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Complaint {
    /// A write had to set bits, which only an erase can do.
    Overwrite {
        /// The address of the word.
        address: u32,
    },
    /// An access was not aligned to its unit.
    Misaligned {
        /// The address.
        address: u32,
        /// The number of bytes.
        len: u32,
    },
    /// An access went beyond the end.
    OutOfBounds {
        /// The address.
        address: u32,
        /// The number of bytes.
        len: u32,
    },
}

/// An error of the mock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MockError {
    /// There is no power.
    NoPower,
    /// The test asked for this failure.
    Told,
    /// The access was invalid; there is a [`Complaint`].
    Wrong,
}

impl NorFlashError for MockError {
    fn kind(&self) -> NorFlashErrorKind {
        NorFlashErrorKind::Other
    }
}

/// A kind of access that can be made to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reads; these cannot be ignored.
    Read,
    /// Writes; nothing is written.
    Write,
    /// Erases; nothing is erased.
    Erase,
}

/// The part of a write that a power cut spoils.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tear {
    /// The word.
    Word,
    /// The rest of the write within the page: the chip programs a page at once.
    Page,
}

#[derive(Clone, Copy, Debug)]
struct Cut {
    at_step: u64,
    tear: Tear,
}

/// The flash. See [the module](self).
#[derive(Clone, Debug)]
pub struct MockFlash<const SECTOR: usize = 4_096> {
    bytes: Vec<u8>,
    wear: Vec<u32>,
    history: Vec<Done>,
    complaints: Vec<Complaint>,
    failing: Vec<(Access, Range<u32>)>,
    ignoring: Vec<(Access, Range<u32>)>,
    step: u64,
    read_bytes: u64,
    cut: Option<Cut>,
    has_power: bool,
    random: u64,
}

impl<const SECTOR: usize> MockFlash<SECTOR> {
    /// Creates an erased flash. `seed` determines what power cuts leave behind.
    #[must_use]
    pub fn new(geometry: Geometry<SECTOR>, seed: u64) -> Self {
        let len = geometry.sectors as usize * SECTOR;
        Self {
            bytes: vec![0xff; len],
            wear: vec![0; geometry.sectors as usize],
            history: Vec::new(),
            complaints: Vec::new(),
            failing: Vec::new(),
            ignoring: Vec::new(),
            step: 0,
            read_bytes: 0,
            cut: None,
            has_power: true,
            random: seed,
        }
    }

    /// Returns the contents.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Gives access to the contents, bypassing all rules: for flipped bits, or images from
    /// elsewhere.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }

    /// Returns the number of erases of each sector.
    #[must_use]
    pub fn wear(&self) -> &[u32] {
        &self.wear
    }

    /// Returns the history, oldest first.
    #[must_use]
    pub fn history(&self) -> &[Done] {
        &self.history
    }

    /// Returns the complaints, oldest first.
    #[must_use]
    pub fn complaints(&self) -> &[Complaint] {
        &self.complaints
    }

    /// Returns the number of steps so far: words written and sectors erased.
    #[must_use]
    pub const fn steps(&self) -> u64 {
        self.step
    }

    /// Returns the number of bytes read.
    #[must_use]
    pub const fn read_bytes(&self) -> u64 {
        self.read_bytes
    }

    /// Cuts the power in the middle of a step; 0 is the next one.
    pub fn cut(&mut self, after_steps: u64, tear: Tear) {
        self.cut = Some(Cut {
            at_step: self.step + after_steps,
            tear,
        });
    }

    /// Sets the seed that determines what cuts leave behind from now on.
    pub fn reseed(&mut self, seed: u64) {
        self.random = seed;
    }

    /// Returns whether the power is on.
    #[must_use]
    pub const fn has_power(&self) -> bool {
        self.has_power
    }

    /// Restores the power; a cut that has not happened yet is cancelled.
    pub fn restore_power(&mut self) {
        self.has_power = true;
        self.cut = None;
    }

    /// Makes this kind of access fail at any of these addresses from now on.
    pub fn fail(&mut self, access: Access, addresses: Range<u32>) {
        self.failing.push((access, addresses));
    }

    /// Makes this kind of access do nothing and report success at any of these addresses from now
    /// on, like worn-out cells.
    pub fn ignore(&mut self, access: Access, addresses: Range<u32>) {
        self.ignoring.push((access, addresses));
    }

    /// Cancels all failures and ignored accesses.
    pub fn mend(&mut self) {
        self.failing.clear();
        self.ignoring.clear();
    }

    fn is_ignored(&self, kind: Access, address: u32, len: u32) -> bool {
        concerns(&self.ignoring, kind, address, len)
    }

    fn random(&mut self) -> u64 {
        // SplitMix64 (Steele, Lea and Flood).
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.random ^ (self.random >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn access(&mut self, kind: Access, address: u32, len: u32, unit: u32) -> Result<(), MockError> {
        if !self.has_power {
            return Err(MockError::NoPower);
        }
        let end = u64::from(address) + u64::from(len);
        if end > self.bytes.len() as u64 {
            self.complaints
                .push(Complaint::OutOfBounds { address, len });
            return Err(MockError::Wrong);
        }
        if !address.is_multiple_of(unit) || !len.is_multiple_of(unit) {
            self.complaints.push(Complaint::Misaligned { address, len });
            return Err(MockError::Wrong);
        }
        if concerns(&self.failing, kind, address, len) {
            Err(MockError::Told)
        } else {
            Ok(())
        }
    }

    /// Counts a step; returns the damage if the power is cut in it.
    fn takes_step(&mut self) -> Option<Tear> {
        let step = self.step;
        self.step += 1;
        let cut = self.cut.filter(|cut| cut.at_step == step)?;
        self.has_power = false;
        self.cut = None;
        self.history.push(Done::Cut { step });
        Some(cut.tear)
    }

    /// Clears some of the bits that a write would have cleared.
    fn tear(&mut self, address: u32, bytes: &[u8]) {
        for (offset, byte) in (0..).zip(bytes) {
            let spared = self.random().to_le_bytes()[0];
            if let Some(slot) = self.bytes.get_mut(address as usize + offset) {
                *slot &= byte | spared;
            }
        }
    }

    /// Half erases a sector, in one of the ways in which that can happen.
    fn half_erase(&mut self, sector: u32) {
        let how = self.random() % 6;
        let erased = self.random() as usize % SECTOR;
        let noise: Vec<u8> = (0..SECTOR)
            .map(|_| self.random().to_le_bytes()[0])
            .collect();
        let start = sector as usize * SECTOR;
        let Some(bytes) = self.bytes.get_mut(start..start + SECTOR) else {
            return;
        };
        for (index, (byte, noise)) in bytes.iter_mut().zip(noise).enumerate() {
            *byte = match how {
                // Not begun, or complete except for the confirmation.
                0 => *byte,
                1 => 0xff,
                // From either end.
                2 if index < erased => 0xff,
                3 if index >= erased => 0xff,
                2 | 3 => *byte,
                // Some bits everywhere.
                4 => *byte | noise,
                // Chips clear a sector before they erase it.
                _ => *byte & noise,
            };
        }
    }
}

fn concerns(told: &[(Access, Range<u32>)], kind: Access, address: u32, len: u32) -> bool {
    told.iter().any(|(access, addresses)| {
        *access == kind && address < addresses.end && addresses.start < address + len
    })
}

impl<const SECTOR: usize> ErrorType for MockFlash<SECTOR> {
    type Error = MockError;
}

impl<const SECTOR: usize> ReadNorFlash for MockFlash<SECTOR> {
    const READ_SIZE: usize = WORD;

    async fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), MockError> {
        let len = bytes.len() as u32;
        self.access(Access::Read, offset, len, WORD as u32)?;
        self.read_bytes += u64::from(len);
        let start = offset as usize;
        if let Some(held) = self.bytes.get(start..start + bytes.len()) {
            bytes.copy_from_slice(held);
        }
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.bytes.len()
    }
}

impl<const SECTOR: usize> NorFlash for MockFlash<SECTOR> {
    const WRITE_SIZE: usize = WORD;
    const ERASE_SIZE: usize = SECTOR;

    async fn erase(&mut self, from: u32, to: u32) -> Result<(), MockError> {
        let len = to.saturating_sub(from);
        self.access(Access::Erase, from, len, SECTOR as u32)?;
        for sector in from / SECTOR as u32..to / SECTOR as u32 {
            if let Some(wear) = self.wear.get_mut(sector as usize) {
                *wear += 1;
            }
            if self.takes_step().is_some() {
                self.half_erase(sector);
                return Err(MockError::NoPower);
            }
            self.history.push(Done::Erase { sector });
            if self.is_ignored(Access::Erase, sector * SECTOR as u32, SECTOR as u32) {
                continue;
            }
            let start = sector as usize * SECTOR;
            if let Some(bytes) = self.bytes.get_mut(start..start + SECTOR) {
                bytes.fill(0xff);
            }
        }
        Ok(())
    }

    async fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), MockError> {
        let len = bytes.len() as u32;
        self.access(Access::Write, offset, len, WORD as u32)?;
        let mut address = offset;
        let mut rest = bytes;
        while !rest.is_empty() {
            let (word, later) = rest.split_at(WORD);
            if let Some(tear) = self.takes_step() {
                let spoilt = match tear {
                    Tear::Word => WORD,
                    Tear::Page => rest.len().min((PAGE - address % PAGE) as usize),
                };
                self.tear(address, rest.get(..spoilt).unwrap_or(word));
                return Err(MockError::NoPower);
            }
            let start = address as usize;
            let mut sets_bits = false;
            let is_ignored = self.is_ignored(Access::Write, address, WORD as u32);
            if !is_ignored && let Some(held) = self.bytes.get_mut(start..start + WORD) {
                for (slot, byte) in held.iter_mut().zip(word) {
                    sets_bits |= *slot & byte != *byte;
                    *slot &= byte;
                }
            }
            if sets_bits {
                self.complaints.push(Complaint::Overwrite { address });
            }
            address += WORD as u32;
            rest = later;
        }
        self.history.push(Done::Write {
            address: offset,
            len,
        });
        Ok(())
    }
}
