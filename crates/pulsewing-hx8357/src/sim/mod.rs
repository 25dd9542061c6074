//! An HX8357D without the panel: bytes in, the visible picture and complaints out.
//!
//! A [`Simulator`] is the panel with its picture memory; from it come the ends of the wires that a
//! driver holds. It understands the commands of our initialisation and those that draw, keeps the
//! window and the memory as the controller does, and complains where a real panel would stay dark,
//! show nonsense, or do so on another day. It is made from what drivers in use send and what
//! others wrote about the controller, not from its datasheet, and not from the driver of this
//! crate, with which it shares no more than the names of the [rotations](crate::Rotation).
//!
//! It does not answer reads, and it models no scrolling, no partial or idle mode, no tearing
//! output, and nothing that a register of the vendor does to voltage or gamma.
//!
//! Time is virtual. It passes while bytes cross the bus and while a [`SimDelay`] waits, in no real
//! time. Clones of the simulator and its wires share one panel, across threads too.
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

/// What the bus costs, and what is meant to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The clock of the bus, in bits a second.
    pub clock_hz: u32,
    /// What a transaction costs beside its bits: chip select, D/C, starting the peripheral.
    pub transaction_ns: u32,
    /// No complaint about pixels that come while the display is off, for programs that draw the
    /// first picture before they switch it on.
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

/// What has crossed the bus.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Commands, parameters and pixels.
    pub bytes: u64,
    /// How often chip select went low, empty transactions included.
    pub transactions: u64,
    /// How long the bus was busy.
    pub time: Duration,
}

/// A simulated panel.
#[derive(Clone, Debug)]
pub struct Simulator(Arc<Mutex<Panel>>);

#[derive(Debug)]
struct Panel {
    settings: Settings,
    controller: Controller,
    /// The level of D/C; nobody has driven it at first, and it is taken for low.
    is_data: bool,
    bytes: u64,
    transactions: u64,
    busy_ns: u64,
}

impl Simulator {
    /// A panel that power has just come to, with noise in its memory.
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

    /// The SPI device that leads to the panel.
    #[must_use]
    pub fn spi(&self) -> SimSpi {
        SimSpi(self.clone())
    }

    /// The D/C pin.
    #[must_use]
    pub fn dc(&self) -> SimDc {
        SimDc(self.clone())
    }

    /// The backlight's pin. Until somebody drives it, the light is on.
    #[must_use]
    pub fn backlight(&self) -> SimBacklight {
        SimBacklight(self.clone())
    }

    /// A delay in the panel's time.
    #[must_use]
    pub fn delay(&self) -> SimDelay {
        SimDelay(self.clone())
    }

    /// What someone sees who holds the panel like that; `None` while it sleeps, the display is off
    /// or the backlight is.
    #[must_use]
    pub fn visible(&self, rotation: Rotation) -> Option<Picture> {
        let panel = self.lock();
        let is_showing = panel.controller.is_showing();
        is_showing.then(|| panel.controller.memory_as_seen(rotation))
    }

    /// What someone would see if the display and the light were on.
    #[must_use]
    pub fn memory(&self, rotation: Rotation) -> Picture {
        self.lock().controller.memory_as_seen(rotation)
    }

    /// The complaints so far, oldest first; the first thousand are kept.
    #[must_use]
    pub fn complaints(&self) -> Vec<Complaint> {
        self.lock().controller.complaints().to_vec()
    }

    /// The complaints so far, which are forgotten then.
    #[must_use]
    pub fn take_complaints(&self) -> Vec<Complaint> {
        self.lock().controller.take_complaints()
    }

    /// What has crossed the bus since the last call, or since the start.
    #[must_use]
    pub fn take_traffic(&self) -> Traffic {
        let mut panel = self.lock();
        Traffic {
            bytes: mem::take(&mut panel.bytes),
            transactions: mem::take(&mut panel.transactions),
            time: Duration::from_nanos(mem::take(&mut panel.busy_ns)),
        }
    }

    /// How much virtual time has passed since the start.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        Duration::from_nanos(self.lock().controller.now_ns)
    }

    fn lock(&self) -> MutexGuard<'_, Panel> {
        // A thread that panicked in here has left nothing that the next could not go on with.
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

    /// Lets the time of some bytes pass.
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
