//! The driver. It awaits the bus; `blocking.rs` runs it for programs that may wait.

use embedded_graphics_core::{
    geometry::{Point, Size},
    pixelcolor::Rgb565,
    primitives::Rectangle,
};
use embedded_hal::digital::OutputPin;
use embedded_hal_async::{delay::DelayNs, spi::SpiDevice};

use crate::{
    Error, NoBacklight, PaletteRows, Rotation,
    batch::{self, Batches, Colours, Source},
    command::Command,
    error::Outcome,
    state::{Change, State},
};

/// A panel with an HX8357D, for async programs: what [`Hx8357`](crate::Hx8357) is for others, to
/// the byte.
///
/// # Cancellation safety
/// A future that is dropped while it draws leaves the rectangle partly drawn; draw it again. One
/// of any other method leaves a panel in a state that nobody knows: all is refused with
/// [`Refusal::NotReady`](crate::Refusal::NotReady) until [`init`](Self::init). Either holds only if
/// the SPI device ends its transaction, raising chip select, when it is dropped half-way.
#[derive(Debug)]
pub struct Hx8357Async<SPI, DC, B, BL = NoBacklight> {
    spi: SPI,
    dc: DC,
    buffer: B,
    backlight: BL,
    state: State,
}

impl<SPI, DC, B> Hx8357Async<SPI, DC, B>
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
    pub fn with_backlight<BL: OutputPin>(self, backlight: BL) -> Hx8357Async<SPI, DC, B, BL> {
        Hx8357Async {
            spi: self.spi,
            dc: self.dc,
            buffer: self.buffer,
            backlight,
            state: self.state,
        }
    }
}

impl<SPI, DC, B, BL> Hx8357Async<SPI, DC, B, BL>
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
    pub async fn init(&mut self, delay: &mut impl DelayNs) -> Outcome<SPI, DC, BL> {
        self.init_dark(delay).await?;
        self.display_on(delay).await
    }

    /// Resets the panel and sets it up, but leaves the display off: 400 ms.
    ///
    /// # Errors
    /// Those of the SPI device and the pins; call it again then.
    pub async fn init_dark(&mut self, delay: &mut impl DelayNs) -> Outcome<SPI, DC, BL> {
        self.change(Change::Init, delay).await
    }

    /// Switches the display on, then the backlight: 50 ms.
    ///
    /// # Errors
    /// Those of the SPI device and the pins, and [`Refusal::Asleep`](crate::Refusal::Asleep).
    pub async fn display_on(&mut self, delay: &mut impl DelayNs) -> Outcome<SPI, DC, BL> {
        self.change(Change::DisplayOn, delay).await
    }

    /// Switches the backlight off, then the display. The picture stays in memory and can be drawn
    /// to.
    ///
    /// # Errors
    /// Those of the SPI device and the pins, and [`Refusal::Asleep`](crate::Refusal::Asleep).
    pub async fn display_off(&mut self, delay: &mut impl DelayNs) -> Outcome<SPI, DC, BL> {
        self.change(Change::DisplayOff, delay).await
    }

    /// Switches the backlight off and sends the panel to sleep, which saves its own current but
    /// not that of a backlight without a pin: 120 ms. The picture stays in memory. Does nothing
    /// if it sleeps already.
    ///
    /// # Errors
    /// Those of the SPI device and the pins.
    pub async fn sleep(&mut self, delay: &mut impl DelayNs) -> Outcome<SPI, DC, BL> {
        self.change(Change::Sleep, delay).await
    }

    /// Wakes the panel; the display is on or off as it was before: 150 ms. Does nothing if it is
    /// awake already.
    ///
    /// # Errors
    /// Those of the SPI device and the pins.
    pub async fn wake(&mut self, delay: &mut impl DelayNs) -> Outcome<SPI, DC, BL> {
        self.change(Change::Wake, delay).await
    }

    /// Turns what is drawn from now on. What is in the picture memory already is not turned: draw
    /// everything anew.
    ///
    /// # Errors
    /// Those of the SPI device and the pins, and [`Refusal::Asleep`](crate::Refusal::Asleep).
    pub async fn set_rotation(&mut self, rotation: Rotation) -> Outcome<SPI, DC, BL> {
        let sequence = self.state.begin(Change::Turn(rotation))?;
        // The backlight stays as it is, and nothing in it waits.
        for command in sequence.commands() {
            self.send(command).await?;
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
    pub async fn push(
        &mut self,
        area: &Rectangle,
        colours: impl IntoIterator<Item = Rgb565>,
    ) -> Outcome<SPI, DC, BL> {
        self.draw(area, Colours::new(colours)).await
    }

    /// Fills a rectangle with one colour.
    ///
    /// # Errors
    /// As for [`push`](Self::push).
    pub async fn fill(&mut self, area: &Rectangle, colour: Rgb565) -> Outcome<SPI, DC, BL> {
        self.push(area, core::iter::repeat(colour)).await
    }

    /// Draws a part of a picture of sixteen colours, its top left corner at a point of the panel.
    ///
    /// # Errors
    /// As for [`push`](Self::push); a part that reaches beyond the picture is refused as well.
    pub async fn push_palette(
        &mut self,
        at: Point,
        picture: &PaletteRows<'_>,
        part: &Rectangle,
    ) -> Outcome<SPI, DC, BL> {
        self.draw(&Rectangle::new(at, part.size), picture.part(part)?)
            .await
    }

    /// Gives back the SPI device, the D/C pin, the buffer and the backlight's pin. The panel stays
    /// as it is.
    pub fn release(self) -> (SPI, DC, B, BL) {
        (self.spi, self.dc, self.buffer, self.backlight)
    }

    async fn change(&mut self, change: Change, delay: &mut impl DelayNs) -> Outcome<SPI, DC, BL> {
        let sequence = self.state.begin(change)?;
        let is_lit = sequence.after.is_lit();
        if !is_lit {
            self.backlight.set_low().map_err(Error::Backlight)?;
        }
        for command in sequence.commands() {
            self.send(command).await?;
            if command.wait_ms > 0 {
                delay.delay_ms(command.wait_ms.into()).await;
            }
        }
        if is_lit {
            self.backlight.set_high().map_err(Error::Backlight)?;
        }
        self.state = sequence.after;
        Ok(())
    }

    async fn draw(&mut self, area: &Rectangle, source: impl Source) -> Outcome<SPI, DC, BL> {
        let Some(window) = self.state.window(area)? else {
            return Ok(());
        };
        batch::usable(self.buffer.as_mut())?;
        for command in window.commands() {
            self.send(&command).await?;
        }
        self.dc.set_high().map_err(Error::Dc)?;
        let mut batches = Batches::new(&window, source);
        while let Some(batch) = batches.next(self.buffer.as_mut())? {
            self.spi.write(batch).await.map_err(Error::Spi)?;
        }
        Ok(())
    }

    async fn send(&mut self, command: &Command<'_>) -> Outcome<SPI, DC, BL> {
        self.dc.set_low().map_err(Error::Dc)?;
        self.spi
            .write(&[command.opcode])
            .await
            .map_err(Error::Spi)?;
        if !command.parameters.is_empty() {
            self.dc.set_high().map_err(Error::Dc)?;
            self.spi
                .write(command.parameters)
                .await
                .map_err(Error::Spi)?;
        }
        Ok(())
    }
}
