//! Driver for TFT panels with a Himax HX8357D over four-wire SPI, such as Adafruit's 3.5" TFT
//! FeatherWing (320x480): [`Hx8357`] for blocking programs, [`Hx8357Async`] for async ones.
//!
//! It initialises the panel, rotates it, sends it to sleep, and pushes rectangles of pixels, from
//! an iterator of RGB565 colours or from a picture of four bits a pixel. It does not draw shapes:
//! starting a rectangle is expensive on this bus, so compose in memory and push what changed. It
//! does not read from the panel, and it supports neither touch nor the card slot.
//!
//! The caller owns the SPI device, the pins and the batch buffer, and lends a delay to the calls
//! that wait. Nothing allocates or panics. A call succeeds, or is refused before anything is sent
//! (except that an iterator with too few pixels is noticed only at its end), or fails with the
//! error of a pin or the bus; then drawing again, or `init`, restores everything. The commands, and
//! when they may be sent, are decided in one place without I/O; the two types only carry this out,
//! one of them awaiting.
//!
//! ```
//! use embedded_graphics_core::{pixelcolor::Rgb565, prelude::*, primitives::Rectangle};
//! use pulsewing_hx8357::{BATCH_BYTES, Hx8357, Rotation};
//! # use pulsewing_hx8357::sim::{Settings, Simulator};
//! # let panel = Simulator::new(Settings { may_draw_unseen: true, ..Settings::default() });
//! # let (spi, dc, mut delay) = (panel.spi(), panel.dc(), panel.delay());
//!
//! // `spi` is an embedded-hal `SpiDevice`, `dc` an `OutputPin`, `delay` a `DelayNs`.
//! let mut driver = Hx8357::new(spi, dc, [0; BATCH_BYTES], Rotation::Landscape);
//! driver.init_dark(&mut delay)?; // the memory holds noise, or the picture from before a restart
//! let all = Rectangle::new(Point::zero(), driver.size());
//! driver.push(&all, (0..480 * 320).map(|pixel| Rgb565::new(0, (pixel % 64) as u8, 0)))?;
//! driver.display_on(&mut delay)?;
//! # assert_eq!(panel.complaints(), []);
//! # assert!(panel.visible(Rotation::Landscape).is_some());
//! # Ok::<(), pulsewing_hx8357::Error<core::convert::Infallible, core::convert::Infallible>>(())
//! ```
//!
//! Features, both off by default:
//! - `sim`: a simulator of the controller in the module `sim`, for tests: bytes in, the visible
//!   picture and complaints out, with a count of what the bus carried. It brings in std.
//! - `mipidsi`: `Hx8357Rgb565`, the same panel as a model of the mipidsi crate, for programs that
//!   draw straight onto the panel through embedded-graphics.
//!
//! # Wiring
//! The FeatherWing (products 3651 and 5872; the two revisions of the former have the same wiring
//! for the display). On a Raspberry Pi the panel is connected to SPI0 with CE0; D/C may be any
//! GPIO, usually 25.
//!
//! | Signal | Position | FeatherS3 | Feather ESP32-C6 | Raspberry Pi |
//! |---|---|---|---|---|
//! | chip select | D9 | GPIO 1 | GPIO 7 | GPIO 8 (CE0) |
//! | D/C | D10 | GPIO 3 | GPIO 8 | GPIO 25 |
//! | clock | SCK | GPIO 36 | GPIO 21 | GPIO 11 |
//! | data to the panel | MO | GPIO 35 | GPIO 22 | GPIO 10 |
//! | data from the panel | MI | not needed | not needed | not needed |
//! | 3.3 V, ground | 3V, GND | | | 3V3, GND |
//! | current for the backlight | USB or VBAT | | | 5 V, to the position USB |
//! | card slot, select | D5 | GPIO 33: leave or high | GPIO 5: leave or high | |
//!
//! - **Reset** is connected to no pin of the Feather, nor to its reset line. After a restart of the
//!   board the panel is as it was before, perhaps in the middle of a pixel. Every `init` therefore
//!   begins with a reset by command, which always takes 100 ms.
//! - **Backlight** is lit whenever there is power; the panel does not switch it off, even when
//!   asleep. Solder a wire from the pad LITE to a GPIO and pass that pin to
//!   [`with_backlight`](Hx8357::with_backlight); low is dark. A free position is A0 (GPIO 17 on the
//!   FeatherS3, GPIO 1 on the ESP32-C6).
//! - **Clock**: a list of panels in the Raspberry Pi driver fbcp-ili9341 rates the controller at
//!   15.15 MHz (66 ns a bit). In use are 24 MHz (CircuitPython's default) and 32 MHz (the Pi's
//!   overlay); one owner of this Wing reports a white screen from 40 MHz on. 20 MHz is a good
//!   choice, and is what an ESP32 makes of 24 MHz: a full frame takes 123 ms.
//! - **Mode 0**, eight bits, the most significant first. Chip select may rise between any two
//!   transactions.
//!
//! # Why not mipidsi
//! Measured with the simulator at 20 MHz and 10 us a transaction, batches of 4,096 bytes, through
//! this driver and through mipidsi 0.10 with the model of this crate:
//!
//! | | bytes | transactions | time | mipidsi: bytes | transactions | time |
//! |---|---|---|---|---|---|---|
//! | full frame | 307211 | 80 | 123.7 ms | 307211 | 82 | 123.7 ms |
//! | band of 480x40 | 38411 | 15 | 15.5 ms | 38411 | 16 | 15.5 ms |
//! | box of 100x20 | 4011 | 6 | 1.7 ms | 4011 | 7 | 1.7 ms |
//! | 20 boxes of 16x16 | 10460 | 120 | 5.4 ms | 10460 | 140 | 5.6 ms |
//!
//! The bus is not the reason: the bytes are the same, and the one additional transaction a
//! rectangle, an empty one that mipidsi sends after a command without parameters, is 4% of the time
//! of the smallest boxes. The reason is what mipidsi lacks: an async interface, which a board with
//! one thread needs during the 123 ms of pixels; a way from a four-bit picture to the bus; a check
//! of every rectangle before it is sent; and a known state after an error. The additional feature
//! of mipidsi, drawing straight onto the panel, is the most expensive way to use it: a window costs
//! eleven bytes and five transactions, even for a single pixel.
//!
//! # Not tested
//! None of this has run with a real panel. The commands and waits are those of drivers in wide use
//! (Adafruit's for CircuitPython and Arduino, Linux's `hx8357d`), not taken from the datasheet, and
//! the simulator is based on the same sources. On a real panel, check first: the colours, the
//! orientation of each rotation, the waits, and the clock.
#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::cast_possible_truncation
    )
)]

#[cfg(feature = "sim")]
extern crate std;

mod backlight;
mod batch;
mod blocking;
pub mod command;
mod driver;
mod error;
#[cfg(feature = "mipidsi")]
mod model;
mod palette;
mod rotation;
#[cfg(feature = "sim")]
pub mod sim;
mod state;
mod window;

pub use backlight::NoBacklight;
pub use batch::BATCH_BYTES;
pub use blocking::Hx8357;
pub use driver::Hx8357Async;
pub use error::{Error, Refusal};
#[cfg(feature = "mipidsi")]
pub use model::Hx8357Rgb565;
pub use palette::PaletteRows;
pub use rotation::Rotation;
