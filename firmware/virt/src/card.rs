//! The card: a FAT file system in the first partition of a virtio disk.

use core::cell::RefCell;

use embedded_sdmmc::{Block, BlockCount, BlockDevice, BlockIdx};
use pulsewing_device::ports::{Card, CardError};
use pulsewing_net::card::{self, Times, Volumes};

use crate::virtio;

/// The port. Without a disk, the board has no card.
pub(crate) struct Slot {
    volumes: Option<Volumes<Disk>>,
}

impl Slot {
    pub(crate) fn new(disk: Option<virtio::Disk>) -> Self {
        let open = |disk| Volumes::new(Disk(RefCell::new(disk)), Times);
        Self {
            volumes: disk.map(open),
        }
    }
}

impl Card for Slot {
    async fn write(
        &mut self,
        name: &str,
        next: impl FnMut(&mut [u8]) -> usize,
    ) -> Result<(), CardError> {
        card::write(self.volumes.as_ref().ok_or(CardError::Missing)?, name, next)
    }

    async fn read(&mut self, name: &str, buffer: &mut [u8]) -> Result<usize, CardError> {
        card::read(
            self.volumes.as_ref().ok_or(CardError::Missing)?,
            name,
            buffer,
        )
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
