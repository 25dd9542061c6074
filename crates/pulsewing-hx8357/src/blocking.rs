//! The driver for programs that may wait: the async one, run to its end at once.

use core::{
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
};

use embedded_graphics_core::{
    geometry::{Point, Size},
    pixelcolor::Rgb565,
    primitives::Rectangle,
};
use embedded_hal::{
    delay::DelayNs,
    digital::OutputPin,
    spi::{ErrorType, Operation, SpiDevice},
};

use crate::{Hx8357Async, NoBacklight, PaletteRows, Rotation, error::Outcome};

/// A panel with an HX8357D.
///
/// `B` is the batch buffer, anything that lends out bytes: an array, a `&'static mut` one, a boxed
/// slice. Pixels are gathered in it and sent in one transaction each time it is full, so it should
/// hold [`BATCH_BYTES`](crate::BATCH_BYTES); more is left unused, and less than two bytes is
/// refused.
///
/// The SPI device wants mode 0, eight bits, the most significant one first; 20 MHz is a good clock.
/// See the [table of wires](crate#wiring).
#[derive(Debug)]
pub struct Hx8357<SPI, DC, B, BL = NoBacklight>(Hx8357Async<Blocking<SPI>, DC, B, BL>);

impl<SPI, DC, B> Hx8357<SPI, DC, B>
where
    SPI: SpiDevice,
    DC: OutputPin,
    B: AsMut<[u8]>,
{
    /// A driver for a panel of which nothing is known yet: call [`init`](Self::init) next.
    pub const fn new(spi: SPI, dc: DC, buffer: B, rotation: Rotation) -> Self {
        Self(Hx8357Async::new(Blocking(spi), dc, buffer, rotation))
    }

    /// Gives the driver the pin that switches the backlight, high for light.
    ///
    /// The driver lights it exactly while the display is on and awake. To dim it by pulse width,
    /// keep the pin and drive it yourself.
    pub fn with_backlight<BL: OutputPin>(self, backlight: BL) -> Hx8357<SPI, DC, B, BL> {
        Hx8357(self.0.with_backlight(backlight))
    }
}

impl<SPI, DC, B, BL> Hx8357<SPI, DC, B, BL>
where
    SPI: SpiDevice,
    DC: OutputPin,
    B: AsMut<[u8]>,
    BL: OutputPin,
{
    /// Resets the panel, sets it up and switches the display on: 450 ms. See [`Hx8357Async::init`].
    ///
    /// # Errors
    /// As there.
    pub fn init(&mut self, delay: &mut impl DelayNs) -> Outcome<SPI, DC, BL> {
        at_once(self.0.init(&mut Blocking(delay)))
    }

    /// Resets the panel and sets it up, but leaves the display off: 400 ms. See [`Hx8357Async::init_dark`].
    ///
    /// # Errors
    /// As there.
    pub fn init_dark(&mut self, delay: &mut impl DelayNs) -> Outcome<SPI, DC, BL> {
        at_once(self.0.init_dark(&mut Blocking(delay)))
    }

    /// Switches the display on, then the backlight: 50 ms. See [`Hx8357Async::display_on`].
    ///
    /// # Errors
    /// As there.
    pub fn display_on(&mut self, delay: &mut impl DelayNs) -> Outcome<SPI, DC, BL> {
        at_once(self.0.display_on(&mut Blocking(delay)))
    }

    /// Switches the backlight off, then the display. See [`Hx8357Async::display_off`].
    ///
    /// # Errors
    /// As there.
    pub fn display_off(&mut self, delay: &mut impl DelayNs) -> Outcome<SPI, DC, BL> {
        at_once(self.0.display_off(&mut Blocking(delay)))
    }

    /// Switches the backlight off and sends the panel to sleep, which saves its own current but not that of a backlight without a pin: 120 ms. See [`Hx8357Async::sleep`].
    ///
    /// # Errors
    /// As there.
    pub fn sleep(&mut self, delay: &mut impl DelayNs) -> Outcome<SPI, DC, BL> {
        at_once(self.0.sleep(&mut Blocking(delay)))
    }

    /// Wakes the panel; the display is on or off as it was before: 150 ms. See [`Hx8357Async::wake`].
    ///
    /// # Errors
    /// As there.
    pub fn wake(&mut self, delay: &mut impl DelayNs) -> Outcome<SPI, DC, BL> {
        at_once(self.0.wake(&mut Blocking(delay)))
    }

    /// Turns what is drawn from now on. See [`Hx8357Async::set_rotation`].
    ///
    /// # Errors
    /// As there.
    pub fn set_rotation(&mut self, rotation: Rotation) -> Outcome<SPI, DC, BL> {
        at_once(self.0.set_rotation(rotation))
    }

    /// How the panel is held.
    pub const fn rotation(&self) -> Rotation {
        self.0.rotation()
    }

    /// The picture's size in pixels, in the current rotation.
    pub const fn size(&self) -> Size {
        self.0.size()
    }

    /// Draws a rectangle; its pixels come in rows from the top left. See [`Hx8357Async::push`].
    ///
    /// # Errors
    /// As there.
    pub fn push(
        &mut self,
        area: &Rectangle,
        colours: impl IntoIterator<Item = Rgb565>,
    ) -> Outcome<SPI, DC, BL> {
        at_once(self.0.push(area, colours))
    }

    /// Fills a rectangle with one colour. See [`Hx8357Async::fill`].
    ///
    /// # Errors
    /// As there.
    pub fn fill(&mut self, area: &Rectangle, colour: Rgb565) -> Outcome<SPI, DC, BL> {
        at_once(self.0.fill(area, colour))
    }

    /// Draws a part of a picture of sixteen colours, its top left corner at a point of the panel. See [`Hx8357Async::push_palette`].
    ///
    /// # Errors
    /// As there.
    pub fn push_palette(
        &mut self,
        at: Point,
        picture: &PaletteRows<'_>,
        part: &Rectangle,
    ) -> Outcome<SPI, DC, BL> {
        at_once(self.0.push_palette(at, picture, part))
    }

    /// Gives back the SPI device, the D/C pin, the buffer and the backlight's pin. The panel stays
    /// as it is.
    pub fn release(self) -> (SPI, DC, B, BL) {
        let (spi, dc, buffer, backlight) = self.0.release();
        (spi.0, dc, buffer, backlight)
    }
}

/// Something that blocks, seen by an async driver.
#[derive(Debug)]
struct Blocking<T>(T);

impl<T: ErrorType> ErrorType for Blocking<T> {
    type Error = T::Error;
}

impl<T: SpiDevice> embedded_hal_async::spi::SpiDevice for Blocking<T> {
    async fn transaction(
        &mut self,
        operations: &mut [Operation<'_, u8>],
    ) -> Result<(), Self::Error> {
        self.0.transaction(operations)
    }
}

impl<T: DelayNs> embedded_hal_async::delay::DelayNs for Blocking<&mut T> {
    async fn delay_ns(&mut self, ns: u32) {
        self.0.delay_ns(ns);
    }

    async fn delay_ms(&mut self, ms: u32) {
        self.0.delay_ms(ms);
    }
}

/// Runs a future that waits for nothing but blocking calls: its first poll is its last.
fn at_once<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}
