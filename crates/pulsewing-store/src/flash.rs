//! Reading, writing and erasing, in units of any size, with nothing left behind in memory.

use crc::{CRC_32_ISO_HDLC, Crc, Table};
use embedded_storage::nor_flash as blocking;
use embedded_storage_async::nor_flash::{ErrorType, NorFlash, ReadNorFlash};
use zeroize::Zeroize;

use crate::{Area, StoreError};

/// The alignment of everything that is stored, in bytes. A flash's read and write sizes divide it.
pub(crate) const GRAIN: usize = 32;

/// The CRC of everything that is stored.
pub(crate) static CRC: Crc<u32, Table<1>> = Crc::<u32, Table<1>>::new(&CRC_32_ISO_HDLC);

/// Adapts a flash whose driver blocks (a microcontroller's own, a memory-mapped one) to the
/// asynchronous interface. Its futures are ready at once.
#[derive(Clone, Copy, Debug)]
pub struct Blocking<F>(pub F);

impl<F: ErrorType> ErrorType for Blocking<F> {
    type Error = F::Error;
}

impl<F: blocking::ReadNorFlash> ReadNorFlash for Blocking<F> {
    const READ_SIZE: usize = F::READ_SIZE;

    async fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Self::Error> {
        self.0.read(offset, bytes)
    }

    fn capacity(&self) -> usize {
        self.0.capacity()
    }
}

impl<F: blocking::NorFlash> NorFlash for Blocking<F> {
    const WRITE_SIZE: usize = F::WRITE_SIZE;
    const ERASE_SIZE: usize = F::ERASE_SIZE;

    async fn erase(&mut self, from: u32, to: u32) -> Result<(), Self::Error> {
        self.0.erase(from, to)
    }

    async fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Self::Error> {
        self.0.write(offset, bytes)
    }
}

/// Returns a length in memory as one on flash. No buffer of a board is longer than its flash; a
/// longer one would not fit, and be refused for that.
pub(crate) const fn len32(len: usize) -> u32 {
    #[expect(clippy::cast_possible_truncation, reason = "checked in the line above")]
    if len > u32::MAX as usize {
        u32::MAX
    } else {
        len as u32
    }
}

/// The size of one read or write: a page of usual NOR flash.
pub(crate) const CHUNK: usize = 256;

static BLANK: [u8; CHUNK] = [0xff; CHUNK];

/// Bytes on their way to or from the flash. Aligned, because drivers copy unaligned ones; wiped,
/// because they may be tokens.
#[repr(align(4))]
pub(crate) struct Chunk(pub(crate) [u8; CHUNK]);

impl Chunk {
    pub(crate) const fn new() -> Self {
        Self([0xff; CHUNK])
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// Returns the size of a sector.
pub(crate) const fn sector_size<F: NorFlash>() -> u32 {
    // Layout::check has checked that it fits.
    len32(F::ERASE_SIZE)
}

/// Reads `bytes.len()` bytes from any address.
pub(crate) async fn read<F: NorFlash>(
    flash: &mut F,
    address: u32,
    bytes: &mut [u8],
) -> Result<(), StoreError<F::Error>> {
    let mut chunk = Chunk::new();
    let mut address = address;
    let mut rest = bytes;
    while !rest.is_empty() {
        let before = address as usize % GRAIN;
        let take = rest.len().min(CHUNK - before);
        let span = (before + take).next_multiple_of(GRAIN);
        let window = chunk.0.get_mut(..span).unwrap_or_default();
        flash
            .read(address - len32(before), window)
            .await
            .map_err(StoreError::Flash)?;
        let (now, later) = rest.split_at_mut(take);
        for (to, from) in now.iter_mut().zip(window.iter().skip(before)) {
            *to = *from;
        }
        rest = later;
        address += len32(take);
    }
    Ok(())
}

/// Returns whether every byte of `area`, which is aligned, is erased.
pub(crate) async fn is_blank<F: NorFlash>(
    flash: &mut F,
    area: Area,
) -> Result<bool, StoreError<F::Error>> {
    let mut chunk = Chunk::new();
    let mut address = area.start;
    while address < area.end {
        let take = CHUNK.min((area.end - address) as usize);
        let window = chunk.0.get_mut(..take).unwrap_or_default();
        flash
            .read(address, window)
            .await
            .map_err(StoreError::Flash)?;
        if BLANK.get(..take) != Some(&*window) {
            return Ok(false);
        }
        address += len32(take);
    }
    Ok(true)
}

/// Erases the sectors of `area` that are not blank, and reads back that they are blank.
///
/// Every sector is tried; the first error is reported.
pub(crate) async fn make_blank<F: NorFlash>(
    flash: &mut F,
    area: Area,
) -> Result<(), StoreError<F::Error>> {
    let mut outcome = Ok(());
    let mut start = area.start;
    while start < area.end {
        let end = start + sector_size::<F>();
        let done = make_sector_blank(flash, Area { start, end }).await;
        outcome = outcome.and(done);
        start = end;
    }
    outcome
}

async fn make_sector_blank<F: NorFlash>(
    flash: &mut F,
    sector: Area,
) -> Result<(), StoreError<F::Error>> {
    if is_blank(flash, sector).await? {
        return Ok(());
    }
    flash
        .erase(sector.start, sector.end)
        .await
        .map_err(StoreError::Flash)?;
    if is_blank(flash, sector).await? {
        Ok(())
    } else {
        Err(StoreError::Worn)
    }
}

/// Returns the CRC of `len` bytes.
pub(crate) async fn checksum<F: NorFlash>(
    flash: &mut F,
    address: u32,
    len: u32,
) -> Result<u32, StoreError<F::Error>> {
    let mut chunk = Chunk::new();
    let mut digest = CRC.digest();
    let mut done = 0;
    while done < len {
        let take = (len - done).min(len32(CHUNK));
        let window = chunk.0.get_mut(..take as usize).unwrap_or_default();
        read(flash, address + done, window).await?;
        digest.update(window);
        done += take;
    }
    Ok(digest.finalize())
}

/// Writes bytes page by page, and returns the address after them.
pub(crate) async fn write_bytes<F: NorFlash>(
    flash: &mut F,
    address: u32,
    bytes: impl Iterator<Item = u8>,
) -> Result<u32, StoreError<F::Error>> {
    let mut bytes = bytes;
    let mut chunk = Chunk::new();
    let mut address = address;
    loop {
        let taken = fill(&mut chunk, address, &mut bytes);
        if taken.is_empty() {
            return Ok(address);
        }
        flash
            .write(address, taken)
            .await
            .map_err(StoreError::Flash)?;
        address += len32(taken.len());
    }
}

/// Returns whether the flash holds these bytes.
pub(crate) async fn holds<F: NorFlash>(
    flash: &mut F,
    address: u32,
    bytes: impl Iterator<Item = u8>,
) -> Result<bool, StoreError<F::Error>> {
    let mut bytes = bytes;
    let mut expected = Chunk::new();
    let mut found = Chunk::new();
    let mut address = address;
    loop {
        let expected = fill(&mut expected, address, &mut bytes);
        if expected.is_empty() {
            return Ok(true);
        }
        let found = found.0.get_mut(..expected.len()).unwrap_or_default();
        read(flash, address, found).await?;
        if found != expected {
            return Ok(false);
        }
        address += len32(expected.len());
    }
}

/// Takes bytes up to the end of the page that contains `address`.
fn fill<'c>(chunk: &'c mut Chunk, address: u32, bytes: &mut impl Iterator<Item = u8>) -> &'c [u8] {
    let room = CHUNK - address as usize % CHUNK;
    let mut taken = 0;
    for (slot, byte) in chunk.0.iter_mut().take(room).zip(bytes) {
        *slot = byte;
        taken += 1;
    }
    chunk.0.get(..taken).unwrap_or_default()
}
