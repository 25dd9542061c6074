//! The Wing's card slot: a FAT file system in the first partition of an SD card.
//!
//! No line reports whether there is a card, so each piece of work begins by probing for one, at the
//! slow clock that cards start with. The work blocks: a screenshot stops the board's thread, but
//! not the radio's, for some tenths of a second; an empty slot is detected after about one second.

use embedded_sdmmc::{
    Block, Error, Mode, SdCard, SdCardError, TimeSource, Timestamp, VolumeIdx, VolumeManager,
    sdcard::AcquireOpts,
};
use esp_hal::{
    delay::Delay,
    gpio::{AnyPin, Level, Output, OutputConfig},
};
use jiff::tz::Offset;
use pulsewing_device::ports::{Card, CardError, Clock as _};
use pulsewing_net::BoardClock;

use crate::bus::{Bus, Quiet};

/// The clock of a card that has just been powered on, in hertz (SD specifications part 1, 6.4.1).
const FIRST_HZ: u32 = 400_000;
/// The maximum clock of cards over SPI, in hertz.
const MAX_HZ: u32 = 25_000_000;

type Device = SdCard<Quiet, Delay>;
type Volumes = VolumeManager<Device, Times>;
type File<'a> = embedded_sdmmc::File<'a, Device, Times, 4, 4, 1>;

/// The port.
pub(crate) struct Slot {
    bus: &'static Bus,
    /// `None` only while the card is in use.
    card: Option<Device>,
    hertz: u32,
}

impl Slot {
    /// Makes the slot behind this select line; the clock is in hertz.
    pub(crate) fn new(bus: &'static Bus, select: AnyPin<'static>, hertz: u32) -> Self {
        let select = Output::new(select, Level::High, OutputConfig::default());
        let options = AcquireOpts {
            use_crc: true,
            // Retries do not help with an empty slot, and each one takes half a second.
            acquire_retries: 1,
        };
        let device = Quiet::new(bus, select, FIRST_HZ);
        Self {
            bus,
            card: Some(SdCard::new_with_options(device, Delay::new(), options)),
            hertz: hertz.min(MAX_HZ),
        }
    }

    /// Opens a file in the root directory of the card that is in the slot now.
    async fn with_file<T>(
        &mut self,
        name: &str,
        mode: Mode,
        work: impl FnOnce(&File<'_>) -> Result<T, Error<SdCardError>>,
    ) -> Result<T, CardError> {
        // When this is ready the bus is free, and stays free until the next await.
        drop(self.bus.lock().await);
        let card = self.card.take().ok_or(CardError::Broken)?;
        let started = start(&card, self.hertz);
        // Created each time: it caches a block, which may come from a previous card.
        let volumes = Volumes::new(card, Times);
        let result = started.and_then(|()| {
            open_and(&volumes, name, mode, work).map_err(|error| match error {
                Error::NotFound => CardError::NoFile,
                _ => CardError::Broken,
            })
        });
        let (card, Times) = volumes.free();
        self.card = Some(card);
        result
    }
}

/// Probes for a card and initialises it.
fn start(card: &Device, hertz: u32) -> Result<(), CardError> {
    card.mark_card_uninit();
    let greeted = card.spi(|device| {
        device.set_clock(FIRST_HZ);
        // Cards need 74 clocks without being selected before the first command (6.4.1.4).
        device.send_to_nobody(&[0xff; 10])
    });
    greeted.map_err(|_| CardError::Broken)?;
    card.get_card_type().ok_or(CardError::Missing)?;
    card.spi(|device| device.set_clock(hertz));
    Ok(())
}

fn open_and<T>(
    volumes: &Volumes,
    name: &str,
    mode: Mode,
    work: impl FnOnce(&File<'_>) -> Result<T, Error<SdCardError>>,
) -> Result<T, Error<SdCardError>> {
    let volume = volumes.open_volume(VolumeIdx(0))?;
    let root = volume.open_root_dir()?;
    let file = root.open_file_in_dir(name, mode)?;
    let result = work(&file)?;
    // Dropping a file would hide its errors.
    file.close()?;
    root.close()?;
    volume.close()?;
    Ok(result)
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
        .await
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
        .await
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
