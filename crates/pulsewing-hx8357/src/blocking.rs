//! The driver for programs that may wait.

use embedded_graphics_core::{
    geometry::{Point, Size},
    pixelcolor::Rgb565,
    primitives::Rectangle,
};
use embedded_hal::{delay::DelayNs, digital::OutputPin, spi::SpiDevice};

use crate::{
    Error, NoBacklight, PaletteRows, Rotation,
    batch::{self, Batches, Colours, Source},
    command::Command,
    state::{Change, State},
};

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
pub struct Hx8357<SPI, DC, B, BL = NoBacklight> {
    spi: SPI,
    dc: DC,
    buffer: B,
    backlight: BL,
    state: State,
}

type Failure<SPI, DC, BL> = Error<
    <SPI as embedded_hal::spi::ErrorType>::Error,
    <DC as embedded_hal::digital::ErrorType>::Error,
    <BL as embedded_hal::digital::ErrorType>::Error,
>;

impl<SPI, DC, B> Hx8357<SPI, DC, B>
where
    SPI: SpiDevice,
    DC: OutputPin,
    B: AsMut<[u8]>,
{
    /// A driver for a panel of which nothing is known yet: call [`init`](Self::init) next.
    pub const fn new(spi: SPI, dc: DC, buffer: B, rotation: Rotation) -> Self {
        Self {
            spi,
            dc,
            buffer,
            backlight: NoBacklight,
            state: State::new(rotation),
        }
    }

    /// Gives the driver the pin that switches the backlight, high for light.
    ///
    /// The driver lights it exactly while the display is on and awake. To dim it by pulse width,
    /// keep the pin and drive it yourself.
    pub fn with_backlight<BL: OutputPin>(self, backlight: BL) -> Hx8357<SPI, DC, B, BL> {
        Hx8357 {
            spi: self.spi,
            dc: self.dc,
            buffer: self.buffer,
            backlight,
            state: self.state,
        }
    }
}

impl<SPI, DC, B, BL> Hx8357<SPI, DC, B, BL>
where
    SPI: SpiDevice,
    DC: OutputPin,
    B: AsMut<[u8]>,
    BL: OutputPin,
{
    /// Resets the panel, sets it up and switches the display on: 450 ms.
    ///
    /// What is seen then is what the picture memory held: noise after power came, the old picture
    /// after a mere restart of the board. To show neither, call [`init_dark`](Self::init_dark),
    /// draw, then [`display_on`](Self::display_on).
    ///
    /// # Errors
    /// Those of the SPI device and the pins; call it again then.
    pub fn init(&mut self, delay: &mut impl DelayNs) -> Result<(), Failure<SPI, DC, BL>> {
        self.init_dark(delay)?;
        self.display_on(delay)
    }

    /// Resets the panel and sets it up, but leaves the display off: 400 ms.
    ///
    /// # Errors
    /// Those of the SPI device and the pins; call it again then.
    pub fn init_dark(&mut self, delay: &mut impl DelayNs) -> Result<(), Failure<SPI, DC, BL>> {
        self.change(Change::Init, delay)
    }

    /// Switches the display on, then the backlight: 50 ms.
    ///
    /// # Errors
    /// Those of the SPI device and the pins, and [`Refusal::Asleep`](crate::Refusal::Asleep).
    pub fn display_on(&mut self, delay: &mut impl DelayNs) -> Result<(), Failure<SPI, DC, BL>> {
        self.change(Change::DisplayOn, delay)
    }

    /// Switches the backlight off, then the display. The picture stays in memory and can be drawn
    /// to.
    ///
    /// # Errors
    /// Those of the SPI device and the pins, and [`Refusal::Asleep`](crate::Refusal::Asleep).
    pub fn display_off(&mut self, delay: &mut impl DelayNs) -> Result<(), Failure<SPI, DC, BL>> {
        self.change(Change::DisplayOff, delay)
    }

    /// Switches the backlight off and sends the panel to sleep, which saves its own current but
    /// not that of a backlight without a pin: 120 ms. The picture stays in memory. Does nothing
    /// if it sleeps already.
    ///
    /// # Errors
    /// Those of the SPI device and the pins.
    pub fn sleep(&mut self, delay: &mut impl DelayNs) -> Result<(), Failure<SPI, DC, BL>> {
        self.change(Change::Sleep, delay)
    }

    /// Wakes the panel; the display is on or off as it was before: 150 ms. Does nothing if it is
    /// awake already.
    ///
    /// # Errors
    /// Those of the SPI device and the pins.
    pub fn wake(&mut self, delay: &mut impl DelayNs) -> Result<(), Failure<SPI, DC, BL>> {
        self.change(Change::Wake, delay)
    }

    /// Turns what is drawn from now on. What is in the picture memory already is not turned: draw
    /// everything anew.
    ///
    /// # Errors
    /// Those of the SPI device and the pins, and [`Refusal::Asleep`](crate::Refusal::Asleep).
    pub fn set_rotation(&mut self, rotation: Rotation) -> Result<(), Failure<SPI, DC, BL>> {
        let sequence = self.state.begin(Change::Turn(rotation))?;
        // The backlight stays as it is, and nothing in it waits.
        for command in sequence.commands() {
            self.send(command)?;
        }
        self.state = sequence.after;
        Ok(())
    }

    /// How the panel is held.
    pub const fn rotation(&self) -> Rotation {
        self.state.rotation
    }

    /// The picture's size in pixels, in the current rotation.
    pub const fn size(&self) -> Size {
        self.state.rotation.size()
    }

    /// Draws a rectangle; its pixels come in rows from the top left.
    ///
    /// Colours beyond the last pixel are not taken from the iterator. A rectangle without pixels
    /// is nothing to draw, wherever it lies.
    ///
    /// # Errors
    /// Those of the SPI device and the D/C pin, and every [`Refusal`](crate::Refusal). Nothing is
    /// clipped: a rectangle that reaches beyond the panel is refused before anything is sent.
    pub fn push(
        &mut self,
        area: &Rectangle,
        colours: impl IntoIterator<Item = Rgb565>,
    ) -> Result<(), Failure<SPI, DC, BL>> {
        self.draw(area, Colours::new(colours))
    }

    /// Fills a rectangle with one colour.
    ///
    /// # Errors
    /// As for [`push`](Self::push).
    pub fn fill(&mut self, area: &Rectangle, colour: Rgb565) -> Result<(), Failure<SPI, DC, BL>> {
        self.push(area, core::iter::repeat(colour))
    }

    /// Draws a part of a picture of sixteen colours, its top left corner at a point of the panel.
    ///
    /// # Errors
    /// As for [`push`](Self::push); a part that reaches beyond the picture is refused as well.
    pub fn push_palette(
        &mut self,
        at: Point,
        picture: &PaletteRows<'_>,
        part: &Rectangle,
    ) -> Result<(), Failure<SPI, DC, BL>> {
        self.draw(&Rectangle::new(at, part.size), picture.part(part)?)
    }

    /// Gives back the SPI device, the D/C pin, the buffer and the backlight's pin. The panel stays
    /// as it is.
    pub fn release(self) -> (SPI, DC, B, BL) {
        (self.spi, self.dc, self.buffer, self.backlight)
    }

    fn change(
        &mut self,
        change: Change,
        delay: &mut impl DelayNs,
    ) -> Result<(), Failure<SPI, DC, BL>> {
        let sequence = self.state.begin(change)?;
        let is_lit = sequence.after.is_lit();
        if !is_lit {
            self.backlight.set_low().map_err(Error::Backlight)?;
        }
        for command in sequence.commands() {
            self.send(command)?;
            if command.wait_ms > 0 {
                delay.delay_ms(command.wait_ms.into());
            }
        }
        if is_lit {
            self.backlight.set_high().map_err(Error::Backlight)?;
        }
        self.state = sequence.after;
        Ok(())
    }

    fn draw(&mut self, area: &Rectangle, source: impl Source) -> Result<(), Failure<SPI, DC, BL>> {
        let Some(window) = self.state.window(area)? else {
            return Ok(());
        };
        batch::usable(self.buffer.as_mut())?;
        for command in window.commands() {
            self.send(&command)?;
        }
        self.dc.set_high().map_err(Error::Dc)?;
        let mut batches = Batches::new(&window, source);
        while let Some(batch) = batches.next(self.buffer.as_mut())? {
            self.spi.write(batch).map_err(Error::Spi)?;
        }
        Ok(())
    }

    fn send(&mut self, command: &Command<'_>) -> Result<(), Failure<SPI, DC, BL>> {
        self.dc.set_low().map_err(Error::Dc)?;
        self.spi.write(&[command.opcode]).map_err(Error::Spi)?;
        if !command.parameters.is_empty() {
            self.dc.set_high().map_err(Error::Dc)?;
            self.spi.write(command.parameters).map_err(Error::Spi)?;
        }
        Ok(())
    }
}
