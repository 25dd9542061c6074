//! A NOR flash in memory that is as strict as a real one, for tests.
//!
//! - A write only clears bits. One that would have to set a bit is a [`Complaint`], and clears what
//!   it can.
//! - Reads, writes and erases off their granularity are complaints, and fail.
//! - The power can be [cut](MockFlash::cut) at any step: a step is the write of one word or the
//!   erase of one sector. The word, or the whole page, that was being written keeps a part of its
//!   bits; the sector that was being erased is half erased, or worse. From then on everything
//!   fails, until the power [comes back](MockFlash::restore_power).
//! - Reads, writes and erases of a range can be told to [fail](MockFlash::fail), or to do nothing
//!   [unnoticed](MockFlash::ignore).
//! - It counts the erases of every sector, and keeps the history of what was done.
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

/// A page: what a chip programs at once.
const PAGE: u32 = 256;

/// How a flash is divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry<const SECTOR: usize> {
    /// How many sectors there are.
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

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// So many bytes were written.
    Write {
        /// Where.
        address: u32,
        /// How many.
        len: u32,
    },
    /// A sector was erased.
    Erase {
        /// Which, counted from the flash's first.
        sector: u32,
    },
    /// The power went.
    Cut {
        /// The step that it hit.
        step: u64,
    },
}

/// What was done wrongly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Complaint {
    /// A write had to set bits that only an erase sets.
    Overwrite {
        /// The word.
        address: u32,
    },
    /// An access was off its granularity.
    Misaligned {
        /// Where.
        address: u32,
        /// Of how many bytes.
        len: u32,
    },
    /// An access went beyond the end.
    OutOfBounds {
        /// Where.
        address: u32,
        /// Of how many bytes.
        len: u32,
    },
}

/// Why the mock failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MockError {
    /// There is no power.
    NoPower,
    /// It was told to.
    Told,
    /// The access was wrong; there is a [`Complaint`].
    Wrong,
}

impl NorFlashError for MockError {
    fn kind(&self) -> NorFlashErrorKind {
        NorFlashErrorKind::Other
    }
}

/// What can be told to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reads; they cannot be ignored.
    Read,
    /// Writes; nothing is written.
    Write,
    /// Erases; nothing is erased.
    Erase,
}

/// How much a power cut spoils of what is being written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tear {
    /// The word.
    Word,
    /// What is left of the write within the page: the chip programs a page at once.
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
    /// An erased flash. `seed` decides what cuts leave behind.
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

    /// What it holds.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Changes what it holds, past all rules: bits that flip, images from elsewhere.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }

    /// How often each sector was erased.
    #[must_use]
    pub fn wear(&self) -> &[u32] {
        &self.wear
    }

    /// What was done, oldest first.
    #[must_use]
    pub fn history(&self) -> &[Done] {
        &self.history
    }

    /// What was done wrongly, oldest first.
    #[must_use]
    pub fn complaints(&self) -> &[Complaint] {
        &self.complaints
    }

    /// How many steps were taken: words written and sectors erased.
    #[must_use]
    pub const fn steps(&self) -> u64 {
        self.step
    }

    /// How many bytes were read.
    #[must_use]
    pub const fn read_bytes(&self) -> u64 {
        self.read_bytes
    }

    /// Cuts the power in the middle of a step: 0 is the next one.
    pub fn cut(&mut self, after_steps: u64, tear: Tear) {
        self.cut = Some(Cut {
            at_step: self.step + after_steps,
            tear,
        });
    }

    /// From now on cuts leave behind what this seed decides.
    pub fn reseed(&mut self, seed: u64) {
        self.random = seed;
    }

    /// Whether the power is there.
    #[must_use]
    pub const fn has_power(&self) -> bool {
        self.has_power
    }

    /// The power comes back; a cut that did not happen is called off.
    pub fn restore_power(&mut self) {
        self.has_power = true;
        self.cut = None;
    }

    /// From now on this kind of access to any of these addresses fails.
    pub fn fail(&mut self, access: Access, addresses: Range<u32>) {
        self.failing.push((access, addresses));
    }

    /// From now on this kind of access to any of these addresses does nothing, and says that it
    /// succeeded: cells that are worn out.
    pub fn ignore(&mut self, access: Access, addresses: Range<u32>) {
        self.ignoring.push((access, addresses));
    }

    /// Nothing is told to fail or to be ignored any more.
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

    /// Whether the power goes in this step.
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

    /// Half erases a sector, in one of the ways in which that happens.
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
                // Not begun, and all but confirmed.
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
