//! An HX8357D on an SPI bus of this machine.

use std::{fmt, path::Path};

use embedded_graphics::{
    geometry::OriginDimensions, pixelcolor::IntoStorage, primitives::Rectangle,
};
use embedded_hal::{delay::DelayNs, digital::OutputPin, spi::SpiDevice};
use pulsewing_hx8357::{BATCH_BYTES, Error, Hx8357, PaletteRows, Rotation};
use pulsewing_screen::{Colours, Frame};

use crate::{
    BacklightSpec, PanelError, PictureError, PinSpec, Ready, SpiSpec, Surface, Turn, linux,
};

/// The duration of the low level on the reset pin, and the pause that the panel needs after it, as
/// in the Linux driver for this controller.
const RESET_MS: (u32, u32) = (10, 120);

/// The hardware that a panel is wired to.
pub trait Ports {
    /// An SPI device with its chip select.
    type Spi: SpiDevice + 'static;
    /// An output pin.
    type Pin: OutputPin + 'static;
    /// A delay.
    type Delay: DelayNs + 'static;

    /// Opens an SPI device in mode 0 at this clock, in bits per second.
    ///
    /// # Errors
    /// [`PanelError`] when it is not available.
    fn spi(&mut self, path: &Path, hz: u32) -> Result<Self::Spi, PanelError>;

    /// Opens a pin as an output, at this level.
    ///
    /// # Errors
    /// [`PanelError`] when it is not available.
    fn output(&mut self, pin: &PinSpec, is_high: bool) -> Result<Self::Pin, PanelError>;

    /// Returns a delay.
    fn delay(&mut self) -> Self::Delay;
}

/// Opens the device and the pins, and resets the panel if it has a reset pin.
///
/// # Errors
/// [`PanelError`] when one of them is not available.
pub fn open<P: Ports>(spec: &SpiSpec, ports: &mut P) -> Result<Box<dyn Surface>, PanelError> {
    let name = spec.device.display().to_string();
    let spi = ports.spi(&spec.device, spec.hz)?;
    let dc = ports.output(&spec.dc, false)?;
    let reset = spec.reset.as_ref();
    let reset = reset.map(|pin| ports.output(pin, true)).transpose()?;
    let rotation = rotation(spec.turn);
    let driver = Hx8357::new(spi, dc, vec![0; BATCH_BYTES], rotation);
    let delay = ports.delay();
    Ok(match &spec.backlight {
        Some(BacklightSpec::Pin(pin)) => {
            // On, as it is while the pin is not driven: the last run's picture stays visible until
            // there is a new one.
            let driver = driver.with_backlight(ports.output(pin, true)?);
            Box::new(SpiPanel {
                name,
                driver,
                reset,
                delay,
                is_on: false,
                light: Light::On,
            })
        }
        Some(BacklightSpec::Directory(_)) | None => Box::new(SpiPanel {
            name,
            driver,
            reset,
            delay,
            is_on: false,
            light: Light::Foreign,
        }),
    })
}

/// A pin, and who uses it, if anybody; or why that cannot be known.
pub type PinUser = (PinSpec, Result<Option<String>, PanelError>);

/// Returns the panel's pins that are in use, with their users, without driving any pin: the panel
/// keeps its picture.
///
/// # Errors
/// [`PanelError::OpenSpi`]; a pin that cannot be asked has its own [`PanelError::OpenPin`].
pub fn pin_users(spec: &SpiSpec) -> Result<Vec<PinUser>, PanelError> {
    linux::check_spi(&spec.device)?;
    let backlight = match &spec.backlight {
        Some(BacklightSpec::Pin(pin)) => Some(pin),
        Some(BacklightSpec::Directory(_)) | None => None,
    };
    let pins = [Some(&spec.dc), spec.reset.as_ref(), backlight];
    let pins = pins.into_iter().flatten();
    Ok(pins.map(|pin| (pin.clone(), linux::user_of(pin))).collect())
}

const fn rotation(turn: Turn) -> Rotation {
    match turn {
        Turn::None => Rotation::Portrait,
        Turn::Quarter => Rotation::Landscape,
        Turn::Half => Rotation::PortraitFlipped,
        Turn::ThreeQuarters => Rotation::LandscapeFlipped,
    }
}

/// A panel with its bus and pins.
struct SpiPanel<D, R, W> {
    name: String,
    driver: D,
    reset: Option<R>,
    delay: W,
    /// Whether it has the last picture, and shows it if its light is on.
    is_on: bool,
    light: Light,
}

/// The backlight, as far as the panel's driver controls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Light {
    /// The driver has no pin.
    Foreign,
    On,
    Off,
}

impl<SPI, DC, BL, R, W> SpiPanel<Hx8357<SPI, DC, Vec<u8>, BL>, R, W>
where
    SPI: SpiDevice,
    DC: OutputPin,
    BL: OutputPin,
    R: OutputPin,
    W: DelayNs,
{
    /// Sets up the panel from any state. It is dark afterwards.
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
        // Unless everything succeeds, the panel is set up again before the next picture.
        let was_on = std::mem::replace(&mut self.is_on, false);
        let palette = colours.rgb565().map(IntoStorage::into_storage);
        let picture =
            PaletteRows::new(frame.size(), frame.bytes(), &palette).ok_or(PictureError::Size)?;
        for area in areas {
            self.driver
                .push_palette(area.top_left, &picture, area)
                .map_err(|error| self.failed(&error))?;
        }
        if !was_on && self.light != Light::Off {
            self.driver
                .display_on(&mut self.delay)
                .map_err(|error| self.failed(&error))?;
        }
        self.is_on = true;
        Ok(())
    }

    fn switch_light(&mut self, is_on: bool) -> Result<(), PanelError> {
        let wanted = if is_on { Light::On } else { Light::Off };
        if self.light == Light::Foreign || self.light == wanted {
            return Ok(());
        }
        self.light = wanted;
        // Without a picture there is nothing to light, or an old one that the next one replaces.
        if !self.is_on {
            return Ok(());
        }
        let switched = match is_on {
            true => self.driver.display_on(&mut self.delay),
            false => self.driver.display_off(&mut self.delay),
        };
        switched.map_err(|error| {
            // The next picture sets it up again, and leaves the light as it is wanted.
            self.is_on = false;
            self.failed(&error)
        })
    }
}

/// Leaves out the pins, which have nothing to show.
impl<D, R, W> fmt::Debug for SpiPanel<D, R, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpiPanel")
            .field("name", &self.name)
            .field("is_on", &self.is_on)
            .field("light", &self.light)
            .finish_non_exhaustive()
    }
}
