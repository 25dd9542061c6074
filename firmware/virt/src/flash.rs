//! The flash: QEMU's second pflash, two x16 chips side by side with Intel's command set (CFI01).

use core::convert::Infallible;

use embedded_storage::nor_flash::{ErrorType, MultiwriteNorFlash, NorFlash, ReadNorFlash};

use pulsewing_store::{Area, Layout};

use crate::registers::Register;

/// Its size in bytes.
pub(crate) const SIZE: u32 = 32 << 20;
/// The size of a sector in bytes.
pub(crate) const SECTOR: u32 = 256 << 10;

/// The layout: the store has all of it.
pub(crate) const LAYOUT: Layout = match Layout::within(
    Area {
        start: 0,
        end: SIZE,
    },
    SECTOR,
) {
    Some(layout) => layout,
    None => panic!("the flash is too small"),
};

/// Commands, each written to both chips at once.
mod command {
    pub(super) const READ: u32 = 0x00ff_00ff;
    pub(super) const WRITE_WORD: u32 = 0x0040_0040;
    pub(super) const ERASE: u32 = 0x0020_0020;
    pub(super) const CONFIRM: u32 = 0x00d0_00d0;
    pub(super) const STATUS: u32 = 0x0070_0070;
    /// The status of both chips when they are ready.
    pub(super) const READY: u32 = 0x0080_0080;
}

/// The whole flash. There may be several instances, as long as no two work at the same time.
#[derive(Debug)]
pub(crate) struct Flash;

impl Flash {
    /// Returns the word at this offset, which is a multiple of four below [`SIZE`].
    const fn word(offset: u32) -> Register {
        // SAFETY: the second pflash is at 0x2200_0000; the offset stays within it.
        unsafe { Register::at(0x2200_0000 + ((offset % SIZE) & !3) as usize) }
    }

    fn wait(word: Register) {
        word.write(command::STATUS);
        while word.read() & command::READY != command::READY {}
        word.write(command::READ);
    }
}

impl ErrorType for Flash {
    // The offsets come from the store, which knows the size, so nothing can fail.
    type Error = Infallible;
}

impl ReadNorFlash for Flash {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Infallible> {
        for (at, byte) in (offset..).zip(bytes) {
            let [b0, b1, b2, b3] = Self::word(at).read().to_le_bytes();
            *byte = match at % 4 {
                0 => b0,
                1 => b1,
                2 => b2,
                _ => b3,
            };
        }
        Ok(())
    }

    fn capacity(&self) -> usize {
        SIZE as usize
    }
}

impl NorFlash for Flash {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = SECTOR as usize;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), Infallible> {
        for sector in (from..to).step_by(SECTOR as usize) {
            let word = Self::word(sector);
            word.write(command::ERASE);
            word.write(command::CONFIRM);
            Self::wait(word);
        }
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Infallible> {
        let (words, _) = bytes.as_chunks::<4>();
        for (at, bytes) in (offset..).step_by(4).zip(words) {
            let word = Self::word(at);
            word.write(command::WRITE_WORD);
            word.write(u32::from_le_bytes(*bytes));
            Self::wait(word);
        }
        Ok(())
    }
}

impl MultiwriteNorFlash for Flash {}
