//! The SPI bus that the panel and the card share.
//!
//! The panel's driver is async: a whole picture takes 123 ms to send, during which the network
//! continues. The card's driver blocks, as there is no async one for FAT. There is only one thread,
//! so a task that holds the lock keeps it from one await to the next: [`Quiet`] gives the bus to
//! the card for all of its work between two awaits.

use embassy_embedded_hal::SetConfig as _;
use embassy_sync::{blocking_mutex::raw::NoopRawMutex, mutex::Mutex};
use embedded_hal::{
    delay::DelayNs as _,
    spi::{ErrorKind, ErrorType, Operation, SpiDevice},
};
use esp_hal::{
    Async,
    delay::Delay,
    gpio::Output,
    peripherals::{DMA_CH0, SPI2},
    spi::{
        Mode,
        master::{Config, Spi, SpiDma},
    },
    time::Rate,
};
use static_cell::StaticCell;

use crate::feather::SpiPins;

/// The bus, with a lock for its users.
pub(crate) type Bus = Mutex<NoopRawMutex, SpiDma<'static, Async>>;

static BUS: StaticCell<Bus> = StaticCell::new();

/// How many bytes at a time are copied from memory that the DMA cannot reach, which is constants in
/// flash. Pixels and blocks are in memory that it reaches.
const COPIED: usize = 512;

/// Returns the bus configuration: mode 0, the most significant bit first, at most this fast. The
/// chip divides 80 MHz by whole numbers: 20 MHz, 26.67 MHz when 27 are asked for, 40 MHz.
pub(crate) fn config(hertz: u32) -> Config {
    Config::default()
        .with_frequency(Rate::from_hz(hertz))
        .with_mode(Mode::_0)
}

/// Starts the bus. To be called once.
pub(crate) fn start(spi: SPI2<'static>, dma: DMA_CH0<'static>, pins: SpiPins) -> &'static Bus {
    let received = esp_hal::dma_rx_buffer!(COPIED).expect("a buffer for DMA");
    let sent = esp_hal::dma_tx_buffer!(COPIED).expect("a buffer for DMA");
    let bus = Spi::new(spi, config(1_000_000))
        .expect("1 MHz")
        .with_sck(pins.clock)
        .with_mosi(pins.data_out)
        .with_miso(pins.data_in)
        .with_dma(dma)
        .with_buffers(received, sent)
        .into_async();
    BUS.init(Mutex::new(bus))
}

/// A device on the bus for a blocking driver.
///
/// Its user waits until the bus is free before each piece of work, and awaits nothing until that is
/// done. If the bus is in use nonetheless, that is an error, and so is a bus failure.
pub(crate) struct Quiet {
    bus: &'static Bus,
    select: Output<'static>,
    config: Config,
}

/// The bus is in use, or failed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unavailable;

impl embedded_hal::spi::Error for Unavailable {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Other
    }
}

impl Quiet {
    /// Makes a device with this select line, which is high now.
    pub(crate) fn new(bus: &'static Bus, select: Output<'static>, hertz: u32) -> Self {
        Self {
            bus,
            select,
            config: config(hertz),
        }
    }

    /// Sets the clock for the following transfers.
    pub(crate) fn set_clock(&mut self, hertz: u32) {
        self.config = config(hertz);
    }

    /// Sends bytes without selecting a device.
    pub(crate) fn send_to_nobody(&mut self, bytes: &[u8]) -> Result<(), Unavailable> {
        let mut bus = self.bus.try_lock().map_err(|_| Unavailable)?;
        bus.set_config(&self.config).map_err(|_| Unavailable)?;
        bus.write(bytes).map_err(|_| Unavailable)
    }
}

impl ErrorType for Quiet {
    type Error = Unavailable;
}

impl SpiDevice for Quiet {
    fn transaction(&mut self, operations: &mut [Operation<'_, u8>]) -> Result<(), Unavailable> {
        let mut bus = self.bus.try_lock().map_err(|_| Unavailable)?;
        bus.set_config(&self.config).map_err(|_| Unavailable)?;
        self.select.set_low();
        let result = operations.iter_mut().try_for_each(|operation| {
            match operation {
                Operation::Read(words) => bus.read(words),
                Operation::Write(words) => bus.write(words),
                Operation::Transfer(read, write) => bus.transfer(read, write),
                Operation::TransferInPlace(words) => bus.transfer_in_place(words),
                Operation::DelayNs(nanoseconds) => {
                    Delay::new().delay_ns(*nanoseconds);
                    Ok(())
                }
            }
            .map_err(|_| Unavailable)
        });
        self.select.set_high();
        result
    }
}
