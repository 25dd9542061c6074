//! Files on a board's card: in the root directory of a FAT file system in the first partition.
//!
//! What a card is, the board says: an SD card in a slot, or a disk of the emulator's.

use embedded_sdmmc::{
    Block, BlockDevice, Error, File, Mode, TimeSource, Timestamp, VolumeIdx, VolumeManager,
};
use jiff::tz::Offset;
use pulsewing_device::ports::{CardError, Clock as _};

use crate::BoardClock;

/// The file system of a card.
pub type Volumes<D> = VolumeManager<D, Times>;

/// Writes a file, in place of one of that name, from chunks that `next` fills until it returns 0.
///
/// # Errors
/// [`CardError::Broken`] if the card or its file system is.
pub fn write<D: BlockDevice>(
    volumes: &Volumes<D>,
    name: &str,
    mut next: impl FnMut(&mut [u8]) -> usize,
) -> Result<(), CardError> {
    with_file(volumes, name, Mode::ReadWriteCreateOrTruncate, |file| {
        let mut chunk = [0; Block::LEN];
        loop {
            match next(&mut chunk) {
                0 => return Ok(()),
                length => file.write(chunk.get(..length).unwrap_or(&chunk))?,
            }
        }
    })
}

/// Reads a file's beginning into `buffer`, and returns its length.
///
/// # Errors
/// [`CardError::NoFile`] without a file of that name, [`CardError::Broken`] if the card is.
pub fn read<D: BlockDevice>(
    volumes: &Volumes<D>,
    name: &str,
    buffer: &mut [u8],
) -> Result<usize, CardError> {
    with_file(volumes, name, Mode::ReadOnly, |file| {
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

fn with_file<D: BlockDevice, T>(
    volumes: &Volumes<D>,
    name: &str,
    mode: Mode,
    work: impl FnOnce(&File<'_, D, Times, 4, 4, 1>) -> Result<T, Error<D::Error>>,
) -> Result<T, CardError> {
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
    work().map_err(|error: Error<D::Error>| match error {
        Error::NotFound => CardError::NoFile,
        _ => CardError::Broken,
    })
}

/// Dates the files, in UTC; before the time is known they are from 1980, where FAT begins.
#[derive(Clone, Copy, Debug)]
pub struct Times;

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
