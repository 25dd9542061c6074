//! An HX8357D that hangs on an SPI bus of this machine.

use std::{fmt, path::Path};

use embedded_graphics::{
    geometry::OriginDimensions, pixelcolor::IntoStorage, primitives::Rectangle,
};
use embedded_hal::{delay::DelayNs, digital::OutputPin, spi::SpiDevice};
use pulsewing_hx8357::{BATCH_BYTES, Error, Hx8357, PaletteRows, Rotation};
use pulsewing_screen::{Colours, Frame};

use crate::{PanelError, PictureError, PinSpec, Ready, SpiSpec, Surface, Turn, linux};

/// How long the reset pin is held low, and how long the panel wants to be left alone then, as the
/// Linux driver for this controller has it.
const RESET_MS: (u32, u32) = (10, 120);

/// What a panel is wired to.
pub trait Ports {
    /// An SPI device with its chip select.
    type Spi: SpiDevice + 'static;
    /// An output pin.
    type Pin: OutputPin + 'static;
    /// What waits.
    type Delay: DelayNs + 'static;

    /// An SPI device in mode 0 at this clock, in bits a second.
    ///
    /// # Errors
    /// [`PanelError`] when it cannot be had.
    fn spi(&mut self, path: &Path, hz: u32) -> Result<Self::Spi, PanelError>;

    /// A pin as an output, at this level.
    ///
    /// # Errors
    /// [`PanelError`] when it cannot be had.
    fn output(&mut self, pin: &PinSpec, is_high: bool) -> Result<Self::Pin, PanelError>;

    /// What waits.
    fn delay(&mut self) -> Self::Delay;
}

/// Takes the wires, and resets the panel if it has one for that.
///
/// # Errors
/// [`PanelError`] when one of them cannot be had.
pub fn open<P: Ports>(spec: &SpiSpec, ports: &mut P) -> Result<Box<dyn Surface>, PanelError> {
    let name = spec.device.display().to_string();
    let spi = ports.spi(&spec.device, spec.hz)?;
    let dc = ports.output(&spec.dc, false)?;
    let reset = match &spec.reset {
        Some(pin) => Some(ports.output(pin, true)?),
        None => None,
    };
    let rotation = rotation(spec.turn);
    let driver = Hx8357::new(spi, dc, vec![0; BATCH_BYTES], rotation);
    let delay = ports.delay();
    Ok(match &spec.backlight {
        Some(pin) => {
            // As it is while nobody drives it: the last run's picture is seen until there is a new one.
            let driver = driver.with_backlight(ports.output(pin, true)?);
            Box::new(SpiPanel {
                name,
                driver,
                reset,
                delay,
                is_on: false,
            })
        }
        None => Box::new(SpiPanel {
            name,
            driver,
            reset,
            delay,
            is_on: false,
        }),
    })
}

/// Returns who drives which of a panel's pins, without driving any of them: a panel that shows something
/// goes on showing it.
///
/// # Errors
/// [`PanelError::OpenSpi`] or [`PanelError::OpenPin`].
pub fn pin_users(spec: &SpiSpec) -> Result<Vec<(PinSpec, String)>, PanelError> {
    linux::check_spi(&spec.device)?;
    let pins = [Some(&spec.dc), spec.reset.as_ref(), spec.backlight.as_ref()];
    let mut users = Vec::new();
    for pin in pins.into_iter().flatten() {
        if let Some(user) = linux::user_of(pin)? {
            users.push((pin.clone(), user));
        }
    }
    Ok(users)
}

const fn rotation(turn: Turn) -> Rotation {
    match turn {
        Turn::None => Rotation::Portrait,
        Turn::Quarter => Rotation::Landscape,
        Turn::Half => Rotation::PortraitFlipped,
        Turn::ThreeQuarters => Rotation::LandscapeFlipped,
    }
}

/// A panel at its wires.
struct SpiPanel<D, R, W> {
    name: String,
    driver: D,
    reset: Option<R>,
    delay: W,
    is_on: bool,
}

impl<SPI, DC, BL, R, W> SpiPanel<Hx8357<SPI, DC, Vec<u8>, BL>, R, W>
where
    SPI: SpiDevice,
    DC: OutputPin,
    BL: OutputPin,
    R: OutputPin,
    W: DelayNs,
{
    /// Whatever the panel was doing, it is set up then, and dark.
    fn set_up(&mut self) -> Result<(), PanelError> {
        if let Some(reset) = &mut self.reset {
            let (low, after) = RESET_MS;
            let name = &self.name;
            let failed = |error: R::Error| PanelError::Reset {
                name: name.clone(),
                why: format!("{error:?}"),
            };
            reset.set_low().map_err(failed)?;
            self.delay.delay_ms(low);
            reset.set_high().map_err(failed)?;
            self.delay.delay_ms(after);
        }
        self.driver
            .init_dark(&mut self.delay)
            .map_err(|error| self.failed(&error))
    }

    fn failed(&self, error: &Error<SPI::Error, DC::Error, BL::Error>) -> PanelError {
        PanelError::Bus {
            name: self.name.clone(),
            source: error.to_string().into(),
        }
    }
}

impl<SPI, DC, BL, R, W> Surface for SpiPanel<Hx8357<SPI, DC, Vec<u8>, BL>, R, W>
where
    SPI: SpiDevice,
    DC: OutputPin,
    BL: OutputPin,
    R: OutputPin,
    W: DelayNs,
{
    fn prepare(&mut self) -> Result<Ready, PanelError> {
        let keeps = self.is_on;
        if !keeps {
            self.set_up()?;
        }
        Ok(Ready {
            size: self.driver.size(),
            keeps,
        })
    }

    fn push(
        &mut self,
        frame: &Frame<Vec<u8>>,
        colours: &Colours,
        areas: &[Rectangle],
    ) -> Result<(), PanelError> {
        // Unless all of it succeeds the panel is set up anew before the next picture.
        let was_on = std::mem::replace(&mut self.is_on, false);
        let palette = colours.rgb565().map(IntoStorage::into_storage);
        let picture =
            PaletteRows::new(frame.size(), frame.bytes(), &palette).ok_or(PictureError::Size)?;
        for area in areas {
            self.driver
                .push_palette(area.top_left, &picture, area)
                .map_err(|error| self.failed(&error))?;
        }
        if !was_on {
            self.driver
                .display_on(&mut self.delay)
                .map_err(|error| self.failed(&error))?;
        }
        self.is_on = true;
        Ok(())
    }
}

/// The pins of the machine have nothing to say.
impl<D, R, W> fmt::Debug for SpiPanel<D, R, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpiPanel")
            .field("name", &self.name)
            .field("is_on", &self.is_on)
            .finish_non_exhaustive()
    }
}
