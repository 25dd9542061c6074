//! The panel: the HX8357D of the FeatherWing.
//!
//! We use its async driver, over DMA: while pixels are sent, which takes up to 123 ms, packets are
//! received, the serial line is read and the watchdog is fed.

use embassy_embedded_hal::shared_bus::asynch::spi::SpiDeviceWithConfig;
use embassy_sync::blocking_mutex::raw::NoopRawMutex;
use embassy_time::Delay;
use embedded_graphics::{
    geometry::Size,
    pixelcolor::{IntoStorage as _, Rgb565},
    prelude::{Point, RgbColor as _},
    primitives::Rectangle,
};
use esp_hal::{
    Async,
    gpio::{AnyPin, Level, Output, OutputConfig},
    spi::master::SpiDma,
};
use pulsewing_device::ports::{Panel, PanelError};
use pulsewing_hx8357::{BATCH_BYTES, Hx8357Async, PaletteRows, Rotation};
use pulsewing_screen::{Colours, Frame};
use static_cell::ConstStaticCell;

use crate::bus::{self, Bus};

/// The panel's size, in the orientation in which the Wing's lettering can be read.
pub(crate) const SIZE: Size = Size::new(480, 320);

/// Pixels to be sent; in memory that the DMA reaches.
static BATCH: ConstStaticCell<[u8; BATCH_BYTES]> = ConstStaticCell::new([0; BATCH_BYTES]);

type Device = SpiDeviceWithConfig<'static, NoopRawMutex, SpiDma<'static, Async>, Output<'static>>;

/// The port.
pub(crate) struct Tft {
    driver: Hx8357Async<Device, Output<'static>, &'static mut [u8]>,
    is_ready: bool,
}

impl Tft {
    /// Makes a panel that is initialised with the first picture.
    pub(crate) fn new(
        bus: &'static Bus,
        select: AnyPin<'static>,
        dc: AnyPin<'static>,
        hertz: u32,
    ) -> Self {
        let select = Output::new(select, Level::High, OutputConfig::default());
        let dc = Output::new(dc, Level::Low, OutputConfig::default());
        let device = SpiDeviceWithConfig::new(bus, select, bus::config(hertz));
        Self {
            driver: Hx8357Async::new(device, dc, &mut BATCH.take()[..], Rotation::Landscape),
            is_ready: false,
        }
    }

    /// Initialises the panel: only a command resets it, so it shows an old picture until then, or
    /// noise right after power-on.
    async fn prepare(&mut self) -> Result<(), PanelError> {
        let everything = Rectangle::new(Point::zero(), SIZE);
        self.driver
            .init_dark(&mut Delay)
            .await
            .map_err(|_| PanelError)?;
        self.driver
            .fill(&everything, Rgb565::BLACK)
            .await
            .map_err(|_| PanelError)?;
        self.driver
            .display_on(&mut Delay)
            .await
            .map_err(|_| PanelError)
    }
}

impl Panel for Tft {
    fn size(&self) -> Size {
        SIZE
    }

    async fn push(
        &mut self,
        frame: &Frame<&mut [u8]>,
        area: &Rectangle,
        colours: &Colours,
    ) -> Result<(), PanelError> {
        if !self.is_ready {
            self.prepare().await?;
            self.is_ready = true;
        }
        let palette = colours.rgb565().map(|colour| colour.into_storage());
        let picture = PaletteRows::new(SIZE, frame.bytes(), &palette).ok_or(PanelError)?;
        let pushed = self
            .driver
            .push_palette(area.top_left, &picture, area)
            .await;
        pushed.map_err(|_| {
            // Whatever the error was: the panel's contents are unknown from here on.
            self.is_ready = false;
            PanelError
        })
    }
}
