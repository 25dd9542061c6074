//! Where pictures go, and how they look there.

use std::path::PathBuf;

use embedded_graphics::geometry::Size;
use jiff::tz::TimeZone;
use pulsewing_core::{
    cycle::Now,
    reading::{Freshness, Reading},
};
use pulsewing_screen::{Model, Palette, State, Theme};

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

/// What is to be seen.
#[derive(Clone, Copy, Debug)]
pub struct View<'v> {
    /// The newest reading there is, and what it says about the present.
    pub reading: Option<(&'v Reading, Freshness)>,
    /// What else there is to say.
    pub state: Option<State<'v>>,
    /// The time.
    pub now: Now,
}

/// How pictures look.
#[derive(Debug)]
pub struct Style {
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
        let style = Style::new(app, look.theme, look.palette)?;
        let mut outputs = Self {
            style,
            png: png.map(|path| (path, look.size)),
            panels: Vec::new(),
        };
        outputs.open_panels(panels)?;
        Ok(outputs)
    }

    /// Opens more panels.
    ///
    /// # Errors
    /// A [`Problem`] with a panel.
    pub fn open_panels(&mut self, panels: &[PanelSpec]) -> Result<(), Problem> {
        for spec in panels {
            self.panels.push(Panel::open(spec)?);
        }
        Ok(())
    }

    /// Draws a view everywhere.
    ///
    /// # Errors
    /// The first [`Problem`]; what comes before it was shown.
    pub fn show(&mut self, view: &View<'_>) -> Result<(), Problem> {
        let style = &mut self.style;
        if let Some((path, size)) = &self.png {
            let size = Size::new(size.width, size.height);
            style.picture(view, size)?.write_png(path)?;
        }
        for panel in &mut self.panels {
            panel.show(view.now.up, |size| style.picture(view, size))?;
        }
        Ok(())
    }

    /// Whether nothing was asked for.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.png.is_none() && self.panels.is_empty()
    }
}

impl<'v> View<'v> {
    /// A reading and nothing else to say.
    #[must_use]
    pub const fn of(reading: &'v Reading, freshness: Freshness, now: Now) -> Self {
        Self {
            reading: Some((reading, freshness)),
            state: None,
            now,
        }
    }
}

impl Style {
    /// What is asked for, else what the configuration says. A palette that is asked for holds at
    /// night as well.
    ///
    /// # Errors
    /// A [`Problem`] with the configuration.
    pub fn new(app: &App, theme: Option<Theme>, palette: Option<Palette>) -> Result<Self, Problem> {
        let screen = &app.config.screen;
        Ok(Self {
            theme: match theme {
                Some(theme) => theme,
                None => app.config.theme()?,
            },
            palette: match palette {
                Some(palette) => palette,
                None => app.config.palette()?,
            },
            night: screen.night.filter(|_| palette.is_none()),
            wallpaper: screen
                .wallpaper
                .clone()
                .map(|path| UserPicture::new(path, app.console)),
        })
    }

    /// Draws a view in a size.
    ///
    /// # Errors
    /// A [`Problem`] when memory cannot hold a picture of this size.
    pub fn picture(&mut self, view: &View<'_>, size: Size) -> Result<Picture, Problem> {
        let now = view.now.utc;
        let model = match (view.reading, view.state) {
            (Some((reading, freshness)), state) => {
                let model = Model::new(reading, now, freshness, self.theme);
                match state {
                    Some(state) => model.with_state(state),
                    None => model,
                }
            }
            (None, state) => Model::of_state(state.unwrap_or(State::FirstStart), self.theme),
        };
        // Without a reading nobody knows the wearer's clock; the machine's is the next best.
        let local = match view.reading {
            Some((reading, _)) => reading.time_zone.offsets.local(now).time(),
            None => TimeZone::system().to_datetime(now).time(),
        };
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
