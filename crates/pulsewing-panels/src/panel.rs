//! A panel, and what it shows.
//!
//! The picture is laid out for the panel's own size. After the first frame only the rectangles that
//! changed are pushed. Underneath is a [`Surface`]: a framebuffer device of the kernel, or an HX8357D
//! that this program drives itself over SPI.

use std::{fmt, time::Duration};

use embedded_graphics::{
    geometry::{Dimensions, OriginDimensions, Size},
    primitives::Rectangle,
};
use pulsewing_screen::{
    Colours, Frame,
    changes::{self, Cost},
};

use crate::{PanelError, PanelSpec, Picture, PictureError};
#[cfg(target_os = "linux")]
use crate::{framebuffer, linux, spi};

/// How often everything is pushed, changed or not: that repairs what a disturbed bus, or another program,
/// did to the picture.
const ALL_EVERY: Duration = Duration::from_secs(6 * 60 * 60);

/// The smallest picture that has room for everything, in pixels.
const SMALLEST: Size = Size::new(160, 80);

/// The longest side that is taken for a panel's.
const LONGEST: u32 = 4_096;

/// Something that shows pixels.
pub trait Surface: fmt::Debug {
    /// Gets ready to be pushed to.
    ///
    /// # Errors
    /// [`PanelError`] when it cannot show anything now.
    fn prepare(&mut self) -> Result<Ready, PanelError>;

    /// Pushes areas of a frame, which has the size that [`prepare`](Self::prepare) said. They lie
    /// inside of it.
    ///
    /// # Errors
    /// [`PanelError`] when not all of it was shown. Everything counts as changed then.
    fn push(
        &mut self,
        frame: &Frame<Vec<u8>>,
        colours: &Colours,
        areas: &[Rectangle],
    ) -> Result<(), PanelError>;
}

/// How a surface is, before it is pushed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ready {
    /// How large a picture it wants, in pixels.
    pub size: Size,
    /// Whether it still has what was pushed before.
    pub keeps: bool,
}

/// A panel, and what it shows.
#[derive(Debug)]
pub struct Panel {
    name: String,
    surface: Box<dyn Surface>,
    shown: Option<Shown>,
}

#[derive(Debug)]
struct Shown {
    picture: Picture,
    /// When all of it was pushed.
    all_at: Duration,
}

impl Panel {
    /// Opens a panel. It shows nothing new yet.
    ///
    /// # Errors
    /// [`PanelError`] that says what is wrong with the device and what to do.
    #[cfg(target_os = "linux")]
    pub fn open(spec: &PanelSpec) -> Result<Self, PanelError> {
        let surface: Box<dyn Surface> = match spec {
            PanelSpec::Framebuffer(spec) => {
                Box::new(framebuffer::Framebuffer::open(spec, linux::Kernel)?)
            }
            PanelSpec::Spi(spec) => spi::open(spec, &mut linux::Ports)?,
        };
        Ok(Self::over(spec.to_string(), surface))
    }

    /// Says that this machine has no such panels.
    ///
    /// # Errors
    /// Always.
    #[cfg(not(target_os = "linux"))]
    pub fn open(spec: &PanelSpec) -> Result<Self, PanelError> {
        Err(PanelError::Unsupported(spec.to_string()))
    }

    /// A panel over a surface of which nothing is known yet.
    #[must_use]
    pub fn over(name: impl Into<String>, surface: Box<dyn Surface>) -> Self {
        Self {
            name: name.into(),
            surface,
            shown: None,
        }
    }

    /// What it is called, such as `fb:/dev/fb1`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Shows the picture that is drawn in the panel's size. `up` is the time on a clock that never jumps.
    ///
    /// # Errors
    /// [`PanelError`], even if drawing failed; the next call begins anew with the whole picture.
    pub fn show(
        &mut self,
        up: Duration,
        draw: impl FnOnce(Size) -> Result<Picture, PictureError>,
    ) -> Result<(), PanelError> {
        // Until all is well nothing is known of what it shows.
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

fn check(name: &str, size: Size) -> Result<Size, PanelError> {
    let Size { width, height } = size;
    let is_small = width < SMALLEST.width || height < SMALLEST.height;
    if is_small || width.max(height) > LONGEST {
        let name = name.to_owned();
        return Err(PanelError::Size { name, size });
    }
    Ok(size)
}
