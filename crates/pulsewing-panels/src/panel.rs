//! A panel, and its picture.
//!
//! The picture is laid out for the panel's own size. After the first frame only the rectangles that
//! changed are pushed. Below it is a [`Surface`]: a framebuffer device of the kernel, or an HX8357D
//! that this program drives itself over SPI.

use std::{fmt, time::Duration};

use embedded_graphics::{
    geometry::{Dimensions, OriginDimensions, Size},
    primitives::Rectangle,
};
use pulsewing_core::look::Brightness;
use pulsewing_screen::{
    Colours, Frame,
    changes::{self, Cost},
};

#[cfg(target_os = "linux")]
use crate::{BacklightSpec, framebuffer, linux, spi};
use crate::{PanelError, PanelSpec, Picture, PictureError, backlight::KernelBacklight};

/// The interval between full pushes, even without changes: they repair a picture that a disturbed
/// bus or another program has damaged.
const ALL_EVERY: Duration = Duration::from_secs(6 * 60 * 60);

/// The smallest picture that has room for everything, in pixels.
const SMALLEST: Size = Size::new(160, 80);

/// The longest side that we accept for a panel, in pixels.
const LONGEST: u32 = 4_096;

/// Something that shows pixels.
pub trait Surface: fmt::Debug {
    /// Prepares for a push.
    ///
    /// # Errors
    /// [`PanelError`] when it cannot show anything now.
    fn prepare(&mut self) -> Result<Ready, PanelError>;

    /// Pushes areas of a frame, which has the size that [`prepare`](Self::prepare) returned. The
    /// areas are inside the frame.
    ///
    /// # Errors
    /// [`PanelError`] when it was not shown completely. Everything counts as changed then.
    fn push(
        &mut self,
        frame: &Frame<Vec<u8>>,
        colours: &Colours,
        areas: &[Rectangle],
    ) -> Result<(), PanelError>;

    /// Switches the light on or off, as far as the surface itself controls it; the picture stays.
    /// It is on at first.
    ///
    /// # Errors
    /// [`PanelError`] when it could not be switched.
    fn switch_light(&mut self, _is_on: bool) -> Result<(), PanelError> {
        Ok(())
    }
}

/// The state of a surface before a push.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ready {
    /// The size of the picture that it needs, in pixels.
    pub size: Size,
    /// Whether it still has the pixels of the last push.
    pub keeps: bool,
}

/// A panel, and its picture.
#[derive(Debug)]
pub struct Panel {
    name: String,
    surface: Box<dyn Surface>,
    backlight: Option<KernelBacklight>,
    shown: Option<Shown>,
}

#[derive(Debug)]
struct Shown {
    picture: Picture,
    /// The time of the last full push.
    all_at: Duration,
}

impl Panel {
    /// Opens a panel, without showing anything yet.
    ///
    /// # Errors
    /// [`PanelError`] that explains the problem with the device, and gives advice.
    #[cfg(target_os = "linux")]
    pub fn open(spec: &PanelSpec) -> Result<Self, PanelError> {
        let surface: Box<dyn Surface> = match spec {
            PanelSpec::Framebuffer(spec) => {
                Box::new(framebuffer::Framebuffer::open(spec, linux::Kernel)?)
            }
            PanelSpec::Spi(spec) => spi::open(spec, &mut linux::Ports)?,
        };
        let panel = Self::over(spec.to_string(), surface);
        let backlight = match spec {
            PanelSpec::Framebuffer(spec) => spec.backlight.clone(),
            PanelSpec::Spi(spec) => match &spec.backlight {
                Some(BacklightSpec::Directory(directory)) => Some(directory.clone()),
                // The panel's driver switches the pin.
                Some(BacklightSpec::Pin(_)) | None => None,
            },
        };
        Ok(match backlight {
            Some(directory) => panel.with_backlight(KernelBacklight::new(directory)),
            None => panel,
        })
    }

    /// Returns the error that this machine does not support panels.
    ///
    /// # Errors
    /// Always.
    #[cfg(not(target_os = "linux"))]
    pub fn open(spec: &PanelSpec) -> Result<Self, PanelError> {
        Err(PanelError::Unsupported(spec.to_string()))
    }

    /// Builds a panel over a surface whose content is not known yet.
    #[must_use]
    pub fn over(name: impl Into<String>, surface: Box<dyn Surface>) -> Self {
        Self {
            name: name.into(),
            surface,
            backlight: None,
            shown: None,
        }
    }

    /// Gives it a backlight of the kernel.
    #[must_use]
    pub fn with_backlight(mut self, backlight: KernelBacklight) -> Self {
        self.backlight = Some(backlight);
        self
    }

    /// Sets the brightness of its backlight, if it controls one: a backlight of the kernel is
    /// dimmed, a pin switches it. Nothing is written if that changes nothing. Dropped, a panel
    /// gives its light back.
    ///
    /// # Errors
    /// [`PanelError`]; the next call tries again. The picture does not depend on it.
    pub fn set_brightness(&mut self, brightness: Brightness) -> Result<(), PanelError> {
        match &mut self.backlight {
            Some(backlight) => backlight.set(brightness),
            None => self.surface.switch_light(!brightness.is_off()),
        }
    }

    /// Returns its name, such as `fb:/dev/fb1`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Shows the picture, drawn in the panel's size. `up` is the time on a monotonic clock.
    ///
    /// # Errors
    /// [`PanelError`], even if drawing failed; the next call starts over with the whole picture.
    pub fn show(
        &mut self,
        up: Duration,
        draw: impl FnOnce(Size) -> Result<Picture, PictureError>,
    ) -> Result<(), PanelError> {
        // Until the push succeeds we do not know what it shows.
        let shown = self.shown.take();
        let ready = self.surface.prepare()?;
        let picture = draw(check(&self.name, ready.size)?)?;
        let frame = &picture.frame;
        if frame.size() != ready.size {
            return Err(PanelError::OtherSize);
        }
        let known = shown.filter(|shown| {
            ready.keeps
                && shown.picture.colours == picture.colours
                && up.saturating_sub(shown.all_at) < ALL_EVERY
        });
        let (areas, all_at) = match &known {
            Some(known) => {
                let changes = changes::between(&known.picture.frame, frame, Cost::SPI);
                (changes.iter().copied().collect(), known.all_at)
            }
            None => (vec![frame.bounding_box()], up),
        };
        self.surface.push(frame, &picture.colours, &areas)?;
        self.shown = Some(Shown { picture, all_at });
        Ok(())
    }
}

impl Drop for Panel {
    fn drop(&mut self) {
        // The picture stays, and is to be seen. There is nobody left to tell about an error.
        let _ = self.surface.switch_light(true);
    }
}

fn check(name: &str, size: Size) -> Result<Size, PanelError> {
    let Size { width, height } = size;
    let is_small = width < SMALLEST.width || height < SMALLEST.height;
    if is_small || width.max(height) > LONGEST {
        let name = name.to_owned();
        return Err(PanelError::Size { name, size });
    }
    Ok(size)
}
