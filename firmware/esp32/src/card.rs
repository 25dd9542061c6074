//! The Wing's card slot: a FAT file system in the first partition of an SD card.
//!
//! No line reports whether there is a card, so each piece of work begins by probing for one, at the
//! slow clock that cards start with. The work blocks: a screenshot stops the board's thread, but
//! not the radio's, for some tenths of a second; an empty slot is detected after about one second.

use embedded_sdmmc::{SdCard, sdcard::AcquireOpts};
use esp_hal::{
    delay::Delay,
    gpio::{AnyPin, Level, Output, OutputConfig},
};
use pulsewing_device::ports::{Card, CardError};
use pulsewing_net::card::{self, Times, Volumes};

use crate::bus::{Bus, Quiet};

/// The clock of a card that has just been powered on, in hertz (SD specifications part 1, 6.4.1).
const FIRST_HZ: u32 = 400_000;
/// The maximum clock of cards over SPI, in hertz.
const MAX_HZ: u32 = 25_000_000;

type Device = SdCard<Quiet, Delay>;

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

    /// Works with the file system of the card that is in the slot now.
    async fn with_volumes<T>(
        &mut self,
        work: impl FnOnce(&Volumes<Device>) -> Result<T, CardError>,
    ) -> Result<T, CardError> {
        // When this is ready the bus is free, and stays free until the next await.
        drop(self.bus.lock().await);
        let card = self.card.take().ok_or(CardError::Broken)?;
        let started = start(&card, self.hertz);
        // Created each time: it caches a block, which may come from a previous card.
        let volumes = Volumes::new(card, Times);
        let result = started.and_then(|()| work(&volumes));
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

impl Card for Slot {
    async fn write(
        &mut self,
        name: &str,
        next: impl FnMut(&mut [u8]) -> usize,
    ) -> Result<(), CardError> {
        self.with_volumes(|volumes| card::write(volumes, name, next))
            .await
    }

    async fn read(&mut self, name: &str, buffer: &mut [u8]) -> Result<usize, CardError> {
        self.with_volumes(|volumes| card::read(volumes, name, buffer))
            .await
    }
}
