//! The card: a FAT file system in the first partition of a virtio disk.

use core::cell::RefCell;

use embedded_sdmmc::{
    Block, BlockCount, BlockDevice, BlockIdx, Error, Mode, TimeSource, Timestamp, VolumeIdx,
    VolumeManager,
};
use jiff::tz::Offset;
use pulsewing_device::ports::{Card, CardError, Clock as _};
use pulsewing_net::BoardClock;

use crate::virtio;

/// The port. Without a disk, the board has no card.
pub(crate) struct Slot {
    volumes: Option<VolumeManager<Disk, Times>>,
}

impl Slot {
    pub(crate) fn new(disk: Option<virtio::Disk>) -> Self {
        let open = |disk| VolumeManager::new(Disk(RefCell::new(disk)), Times);
        Self {
            volumes: disk.map(open),
        }
    }

    /// Opens a file in the root directory.
    fn with_file<T>(
        &self,
        name: &str,
        mode: Mode,
        work: impl FnOnce(&embedded_sdmmc::File<'_, Disk, Times, 4, 4, 1>) -> Result<T, Error<Broken>>,
    ) -> Result<T, CardError> {
        let volumes = self.volumes.as_ref().ok_or(CardError::Missing)?;
        let work = || {
            let volume = volumes.open_volume(VolumeIdx(0))?;
            let root = volume.open_root_dir()?;
            let file = root.open_file_in_dir(name, mode)?;
            let result = work(&file)?;
            // Dropping a file would hide its errors.
            file.close()?;
            root.close()?;
            volume.close()?;
            Ok(result)
        };
        work().map_err(|error: Error<Broken>| match error {
            Error::NotFound => CardError::NoFile,
            _ => CardError::Broken,
        })
    }
}

impl Card for Slot {
    async fn write(
        &mut self,
        name: &str,
        mut next: impl FnMut(&mut [u8]) -> usize,
    ) -> Result<(), CardError> {
        self.with_file(name, Mode::ReadWriteCreateOrTruncate, |file| {
            let mut chunk = [0; Block::LEN];
            loop {
                match next(&mut chunk) {
                    0 => return Ok(()),
                    length => file.write(chunk.get(..length).unwrap_or(&chunk))?,
                }
            }
        })
    }

    async fn read(&mut self, name: &str, buffer: &mut [u8]) -> Result<usize, CardError> {
        self.with_file(name, Mode::ReadOnly, |file| {
            let mut length = 0;
            while let Some(rest) = buffer.get_mut(length..).filter(|rest| !rest.is_empty()) {
                match file.read(rest)? {
                    0 => break,
                    more => length += more,
                }
            }
            Ok(length)
        })
    }
}

/// The disk failed.
#[derive(Clone, Copy, Debug)]
struct Broken;

struct Disk(RefCell<virtio::Disk>);

impl BlockDevice for Disk {
    type Error = Broken;

    fn read(&self, blocks: &mut [Block], first: BlockIdx) -> Result<(), Broken> {
        let mut disk = self.0.borrow_mut();
        for (block, at) in blocks.iter_mut().zip(first.0 as usize..) {
            disk.read_blocks(at, &mut block.contents)
                .map_err(|_| Broken)?;
        }
        Ok(())
    }

    fn write(&self, blocks: &[Block], first: BlockIdx) -> Result<(), Broken> {
        let mut disk = self.0.borrow_mut();
        for (block, at) in blocks.iter().zip(first.0 as usize..) {
            disk.write_blocks(at, &block.contents).map_err(|_| Broken)?;
        }
        Ok(())
    }

    fn num_blocks(&self) -> Result<BlockCount, Broken> {
        let blocks = self.0.borrow().capacity();
        u32::try_from(blocks).map(BlockCount).map_err(|_| Broken)
    }
}

/// Dates the files, in UTC; before the time is known they are from 1980, where FAT begins.
struct Times;

impl TimeSource for Times {
    fn get_timestamp(&self) -> Timestamp {
        let date = BoardClock.utc().map(|utc| Offset::UTC.to_datetime(utc));
        date.and_then(|date| {
            Timestamp::from_calendar(
                u16::try_from(date.year()).ok()?,
                u8::try_from(date.month()).ok()?,
                u8::try_from(date.day()).ok()?,
                u8::try_from(date.hour()).ok()?,
                u8::try_from(date.minute()).ok()?,
                u8::try_from(date.second()).ok()?,
            )
            .ok()
        })
        .unwrap_or_else(|| Timestamp::from_fat(0x21, 0))
    }
}
