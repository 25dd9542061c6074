//! The pins of the two Feathers, with the 3.5" TFT FeatherWing (products 3651 and 5872) on top.
//!
//! | Signal | Position | Feather ESP32-C6 | FeatherS3 |
//! |---|---|---|---|
//! | panel, select | D9 | GPIO 7 | GPIO 1 |
//! | panel, D/C | D10 | GPIO 8 | GPIO 3 |
//! | card, select | D5 | GPIO 5 | GPIO 33 |
//! | clock | SCK | GPIO 21 | GPIO 36 |
//! | data to panel and card | MO | GPIO 22 | GPIO 35 |
//! | data from the card | MI | GPIO 23 | GPIO 37 |
//! | panel's light, if it is wired to LITE | A0 | GPIO 1 | GPIO 17 |
//! | button BOOT | | GPIO 9 | GPIO 0 |
//!
//! The C6's GPIO 9 is also the data line of its NeoPixel. The NeoPixel stays without power (GPIO
//! 20, which nothing here drives), so only the button uses the line.

use esp_hal::{
    gpio::{AnyPin, Pin as _},
    peripherals::{
        DMA_CH0, FLASH, FROM_CPU_INTR0, LEDC, Peripherals, RTC_TIMER, SPI2, TIMG0, USB_DEVICE, WIFI,
    },
};

#[cfg(all(feature = "feather-c6", feature = "feather-s3"))]
compile_error!("one board at a time: for the FeatherS3 add --no-default-features");
#[cfg(not(any(feature = "feather-c6", feature = "feather-s3")))]
compile_error!("a board is needed: --features feather-c6 or --features feather-s3");

/// The name of the board.
pub(crate) const NAME: &str = if cfg!(feature = "feather-s3") {
    "feather-s3"
} else {
    "feather-c6"
};

/// The memory for the pictures: external memory if the board has some.
#[cfg(feature = "feather-s3")]
pub(crate) type PictureMemory = esp_hal::peripherals::PSRAM<'static>;
/// The memory for the pictures: the chip's own memory.
#[cfg(not(feature = "feather-s3"))]
pub(crate) type PictureMemory = ();

/// The peripherals and pins of the chip that are used.
pub(crate) struct Feather {
    pub(crate) timers: TIMG0<'static>,
    pub(crate) interrupt: FROM_CPU_INTR0<'static>,
    pub(crate) rtc: RTC_TIMER<'static>,
    pub(crate) usb: USB_DEVICE<'static>,
    pub(crate) flash: FLASH<'static>,
    pub(crate) wifi: WIFI<'static>,
    pub(crate) pictures: PictureMemory,
    pub(crate) spi: SPI2<'static>,
    pub(crate) dma: DMA_CH0<'static>,
    pub(crate) ledc: LEDC<'static>,
    pub(crate) spi_pins: SpiPins,
    pub(crate) panel_select: AnyPin<'static>,
    pub(crate) panel_dc: AnyPin<'static>,
    pub(crate) card_select: AnyPin<'static>,
    pub(crate) light: AnyPin<'static>,
    pub(crate) piezo: AnyPin<'static>,
    pub(crate) button: AnyPin<'static>,
}

/// The lines that the panel and the card share.
pub(crate) struct SpiPins {
    pub(crate) clock: AnyPin<'static>,
    pub(crate) data_out: AnyPin<'static>,
    pub(crate) data_in: AnyPin<'static>,
}

impl Feather {
    /// Selects the pins.
    #[cfg(not(feature = "feather-s3"))]
    pub(crate) fn take(chip: Peripherals) -> Self {
        Self {
            timers: chip.TIMG0,
            interrupt: chip.FROM_CPU_INTR0,
            rtc: chip.RTC_TIMER,
            usb: chip.USB_DEVICE,
            flash: chip.FLASH,
            wifi: chip.WIFI,
            pictures: (),
            spi: chip.SPI2,
            dma: chip.DMA_CH0,
            ledc: chip.LEDC,
            spi_pins: SpiPins {
                clock: chip.GPIO21.degrade(),
                data_out: chip.GPIO22.degrade(),
                data_in: chip.GPIO23.degrade(),
            },
            panel_select: chip.GPIO7.degrade(),
            panel_dc: chip.GPIO8.degrade(),
            card_select: chip.GPIO5.degrade(),
            light: chip.GPIO1.degrade(),
            piezo: chip.GPIO0.degrade(),
            button: chip.GPIO9.degrade(),
        }
    }

    /// Selects the pins.
    #[cfg(feature = "feather-s3")]
    pub(crate) fn take(chip: Peripherals) -> Self {
        Self {
            timers: chip.TIMG0,
            interrupt: chip.FROM_CPU_INTR0,
            rtc: chip.RTC_TIMER,
            usb: chip.USB_DEVICE,
            flash: chip.FLASH,
            wifi: chip.WIFI,
            pictures: chip.PSRAM,
            spi: chip.SPI2,
            dma: chip.DMA_CH0,
            ledc: chip.LEDC,
            spi_pins: SpiPins {
                clock: chip.GPIO36.degrade(),
                data_out: chip.GPIO35.degrade(),
                data_in: chip.GPIO37.degrade(),
            },
            panel_select: chip.GPIO1.degrade(),
            panel_dc: chip.GPIO3.degrade(),
            card_select: chip.GPIO33.degrade(),
            light: chip.GPIO17.degrade(),
            piezo: chip.GPIO7.degrade(),
            button: chip.GPIO0.degrade(),
        }
    }
}
