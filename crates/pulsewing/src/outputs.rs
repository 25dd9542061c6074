//! Where pictures go, and how they look there.

use std::path::PathBuf;

use embedded_graphics::geometry::Size;
use pulsewing_core::{
    cycle::Now,
    reading::{Freshness, Reading},
};
use pulsewing_screen::{Model, Palette, Theme};

use crate::{
    app::App,
    cli::{Look, PictureSize},
    night::Night,
    panel::{Panel, PanelSpec},
    picture::Picture,
    problem::Problem,
    wallpaper::UserPicture,
};

/// A PNG file and any number of panels, and what makes a reading look as it does.
#[derive(Debug)]
pub struct Outputs {
    style: Style,
    png: Option<(PathBuf, PictureSize)>,
    panels: Vec<Panel>,
}

/// How pictures look.
#[derive(Debug)]
struct Style {
    theme: Theme,
    palette: Palette,
    /// When it is night; never, if a palette was asked for on the command line.
    night: Option<Night>,
    wallpaper: Option<UserPicture>,
}

impl Outputs {
    /// Opens what was asked for. That comes first, so that a panel that is not there is told before
    /// anything else is done.
    ///
    /// # Errors
    /// A [`Problem`] with the configuration or a panel.
    pub fn open(
        app: &App,
        look: &Look,
        png: Option<PathBuf>,
        panels: &[PanelSpec],
    ) -> Result<Self, Problem> {
        let screen = &app.config.screen;
        let style = Style {
            theme: match look.theme {
                Some(theme) => theme,
                None => app.config.theme()?,
            },
            palette: match look.palette {
                Some(palette) => palette,
                None => app.config.palette()?,
            },
            night: screen.night.filter(|_| look.palette.is_none()),
            wallpaper: screen
                .wallpaper
                .clone()
                .map(|path| UserPicture::new(path, app.console)),
        };
        let panels = panels.iter().map(Panel::open).collect::<Result<_, _>>()?;
        Ok(Self {
            style,
            png: png.map(|path| (path, look.size)),
            panels,
        })
    }

    /// Draws a reading everywhere.
    ///
    /// # Errors
    /// The first [`Problem`]; what comes before it was shown.
    pub fn show(
        &mut self,
        reading: &Reading,
        now: Now,
        freshness: Freshness,
    ) -> Result<(), Problem> {
        let style = &mut self.style;
        if let Some((path, size)) = &self.png {
            let size = Size::new(size.width, size.height);
            style
                .picture(reading, now, freshness, size)?
                .write_png(path)?;
        }
        for panel in &mut self.panels {
            panel.show(now.up, |size| style.picture(reading, now, freshness, size))?;
        }
        Ok(())
    }
}

impl Style {
    fn picture(
        &mut self,
        reading: &Reading,
        now: Now,
        freshness: Freshness,
        size: Size,
    ) -> Result<Picture, Problem> {
        let model = Model::new(reading, now.utc, freshness, self.theme);
        let local = reading.time_zone.offsets.local(now.utc).time();
        let palette = match self.night {
            Some(night) if night.has(local) => Palette::Night,
            _ => self.palette,
        };
        let wallpaper = self.wallpaper.as_mut().and_then(|own| own.for_size(size));
        let model = match wallpaper {
            Some(wallpaper) => model.with_wallpaper(wallpaper),
            None => model,
        };
        Picture::new(&model, size, palette)
    }
}
