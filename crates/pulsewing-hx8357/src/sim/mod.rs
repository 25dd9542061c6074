//! An HX8357D without the panel: bytes in, the visible picture and complaints out.
//!
//! A [`Simulator`] is the panel with its picture memory; it hands out the ends of the wires that a
//! driver holds. It understands the commands of our initialisation and those that draw, keeps the
//! window and the memory as the controller does, and complains where a real panel would stay dark
//! or show garbage, perhaps not every time. It is based on the commands that drivers in use send
//! and on what others wrote about the controller, not on its datasheet, and not on the driver of
//! this crate, with which it shares only the names of the [rotations](crate::Rotation).
//!
//! It does not answer reads. It does not model scrolling, partial or idle mode, the tearing output,
//! or the effects of the vendor's registers on voltage or gamma.
//!
//! Time is virtual. It passes while bytes cross the bus and while a [`SimDelay`] waits, in no real
//! time. Clones of the simulator and its wires share one panel, even across threads.
//!
//! ```
//! use embedded_graphics_core::{pixelcolor::Rgb565, prelude::*, primitives::Rectangle};
//! use pulsewing_hx8357::{Hx8357, Rotation, sim::{Settings, Simulator}};
//!
//! let panel = Simulator::new(Settings::default());
//! let mut driver = Hx8357::new(panel.spi(), panel.dc(), [0; 4096], Rotation::Landscape);
//! driver.init(&mut panel.delay())?;
//! driver.fill(&Rectangle::new(Point::new(470, 0), Size::new(10, 10)), Rgb565::RED)?;
//!
//! let picture = panel.visible(Rotation::Landscape).expect("the display is on");
//! assert_eq!(picture.pixel(Point::new(479, 0)), Some(Rgb565::RED));
//! assert_eq!(panel.complaints(), []);
//! # Ok::<(), pulsewing_hx8357::Error<core::convert::Infallible, core::convert::Infallible>>(())
//! ```

mod complaint;
mod controller;
mod instruction;
mod memory;
mod picture;
mod wires;

use core::{mem, time::Duration};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    vec::Vec,
};

pub use complaint::Complaint;
use controller::Controller;
pub use picture::Picture;
pub use wires::{SimBacklight, SimDc, SimDelay, SimSpi};

use crate::Rotation;

/// The cost of the bus, and the permitted use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The clock of the bus, in bits a second.
    pub clock_hz: u32,
    /// The cost of a transaction apart from its bits: chip select, D/C, starting the peripheral.
    pub transaction_ns: u32,
    /// Suppresses complaints about pixels that come while the display is off, for programs that
    /// draw the first picture before they switch it on.
    pub may_draw_unseen: bool,
}

impl Default for Settings {
    /// 20 MHz and 10 us a transaction.
    fn default() -> Self {
        Self {
            clock_hz: 20_000_000,
            transaction_ns: 10_000,
            may_draw_unseen: false,
        }
    }
}

/// The traffic on the bus.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// The number of bytes: commands, parameters and pixels.
    pub bytes: u64,
    /// The number of times that chip select went low, empty transactions included.
    pub transactions: u64,
    /// The time for which the bus was busy.
    pub time: Duration,
}

/// A simulated panel.
#[derive(Clone, Debug)]
pub struct Simulator(Arc<Mutex<Panel>>);

#[derive(Debug)]
struct Panel {
    settings: Settings,
    controller: Controller,
    /// The level of D/C; until it is driven, it is taken as low.
    is_data: bool,
    bytes: u64,
    transactions: u64,
    busy_ns: u64,
}

impl Simulator {
    /// Creates a panel just after power-up, with noise in its memory.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self(Arc::new(Mutex::new(Panel {
            settings,
            controller: Controller::new(settings),
            is_data: false,
            bytes: 0,
            transactions: 0,
            busy_ns: 0,
        })))
    }

    /// Returns the SPI device of the panel.
    #[must_use]
    pub fn spi(&self) -> SimSpi {
        SimSpi(self.clone())
    }

    /// Returns the D/C pin.
    #[must_use]
    pub fn dc(&self) -> SimDc {
        SimDc(self.clone())
    }

    /// Returns the backlight's pin. Until it is driven, the light is on.
    #[must_use]
    pub fn backlight(&self) -> SimBacklight {
        SimBacklight(self.clone())
    }

    /// Returns a delay in the panel's time.
    #[must_use]
    pub fn delay(&self) -> SimDelay {
        SimDelay(self.clone())
    }

    /// Returns the picture that a person sees who holds the panel in this rotation; `None` while it
    /// sleeps, or while the display or the backlight is off.
    #[must_use]
    pub fn visible(&self, rotation: Rotation) -> Option<Picture> {
        let panel = self.lock();
        let is_showing = panel.controller.is_showing();
        is_showing.then(|| panel.controller.memory_as_seen(rotation))
    }

    /// Returns the picture that would be seen if the display and the light were on.
    #[must_use]
    pub fn memory(&self, rotation: Rotation) -> Picture {
        self.lock().controller.memory_as_seen(rotation)
    }

    /// Returns the complaints so far, oldest first; only the first thousand are kept.
    #[must_use]
    pub fn complaints(&self) -> Vec<Complaint> {
        self.lock().controller.complaints().to_vec()
    }

    /// Returns the complaints so far, and clears them.
    #[must_use]
    pub fn take_complaints(&self) -> Vec<Complaint> {
        self.lock().controller.take_complaints()
    }

    /// Returns the traffic on the bus since the last call, or since the start.
    #[must_use]
    pub fn take_traffic(&self) -> Traffic {
        let mut panel = self.lock();
        Traffic {
            bytes: mem::take(&mut panel.bytes),
            transactions: mem::take(&mut panel.transactions),
            time: Duration::from_nanos(mem::take(&mut panel.busy_ns)),
        }
    }

    /// Returns the virtual time since the start.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        Duration::from_nanos(self.lock().controller.now_ns)
    }

    fn lock(&self) -> MutexGuard<'_, Panel> {
        // A thread that panicked in here has left nothing that the next one could not continue
        // with.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Panel {
    fn select(&mut self) {
        self.transactions += 1;
        self.pass(u64::from(self.settings.transaction_ns));
    }

    fn write(&mut self, bytes: &[u8]) {
        if self.is_data {
            self.clock(bytes.len());
            self.controller.data(bytes);
        } else {
            for byte in bytes {
                self.clock(1);
                self.controller.command(*byte);
            }
        }
    }

    /// Advances the time by that of some bytes.
    fn clock(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
        let bits = bytes as u64 * 8;
        self.pass(bits * 1_000_000_000 / u64::from(self.settings.clock_hz.max(1)));
    }

    fn pass(&mut self, ns: u64) {
        self.busy_ns += ns;
        self.controller.now_ns += ns;
    }
}
