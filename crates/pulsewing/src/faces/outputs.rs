//! The destinations of pictures, and the style of a wearer's pictures.

use std::{error::Error, path::PathBuf, str::FromStr, time::Duration};

use embedded_graphics::geometry::Size;
use jiff::{SignedDuration, civil::Time, tz::TimeZone};
use pulsewing_core::{
    Bpm,
    cycle::Now,
    day::Day,
    look::{Backlight, Brightness, Night},
    reading::{Freshness, Reading},
};
use pulsewing_panels::{
    Panel, PanelError, PanelSpec, Picture, PictureError, wallpaper::UserPicture,
};
use pulsewing_screen::{Model, Palette, State, Theme, pair::Half};

use crate::{
    config::ScreenConfig,
    daemon::{Notice, Snapshot},
    tell::{console::Console, problem::Problem},
};

/// A PNG file and any number of panels.
#[derive(Debug, Default)]
pub(crate) struct Outputs {
    png: Option<(PathBuf, PictureSize)>,
    panels: Vec<Panel>,
}

/// The data for a picture.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View<'v> {
    /// The newest reading, and how well it represents the present.
    pub reading: Option<(&'v Reading, Freshness)>,
    /// The day before the reading's, if it is known.
    pub earlier: Option<&'v Day>,
    /// A rate that was measured just now, and its age.
    pub live: Option<(Bpm, SignedDuration)>,
    /// A message, if there is one.
    pub state: Option<State<'v>>,
    /// The time.
    pub now: Now,
}

/// The style of the pictures.
#[derive(Debug)]
pub(crate) struct Style {
    theme: Theme,
    palette: Palette,
    /// Whether the command line names the palette, which then applies at night as well.
    is_palette_fixed: bool,
    night: Option<Night>,
    backlight: Backlight,
    wallpaper: Option<UserPicture>,
    has_background: bool,
    console: Console,
}

impl Outputs {
    /// Opens the requested outputs. Commands do this first, so that a missing panel is reported
    /// before anything else happens.
    ///
    /// # Errors
    /// A [`Problem`] with the configuration or a panel.
    pub(crate) fn open(
        png: Option<(PathBuf, PictureSize)>,
        panels: &[PanelSpec],
    ) -> Result<Self, Problem> {
        let mut outputs = Self {
            png,
            panels: Vec::new(),
        };
        outputs.open_panels(panels)?;
        Ok(outputs)
    }

    /// Opens more panels.
    ///
    /// # Errors
    /// A [`Problem`] with a panel.
    pub(crate) fn open_panels(&mut self, panels: &[PanelSpec]) -> Result<(), Problem> {
        for spec in panels {
            self.panels.push(Panel::open(spec)?);
        }
        Ok(())
    }

    /// Sets the brightness of all backlights.
    ///
    /// # Errors
    /// The first [`Problem`]; the others were set, as far as they can be.
    pub(crate) fn set_brightness(&mut self, brightness: Brightness) -> Result<(), Problem> {
        let mut first = Ok(());
        for panel in &mut self.panels {
            let result = panel.set_brightness(brightness);
            first = first.and(result);
        }
        Ok(first?)
    }

    /// Shows a picture everywhere, drawn in the size of each output. `up` is the time on a
    /// monotonic clock.
    ///
    /// # Errors
    /// The first [`Problem`]; the outputs before it were updated.
    pub(crate) fn show(
        &mut self,
        up: Duration,
        mut draw: impl FnMut(Size) -> Result<Picture, PictureError>,
    ) -> Result<(), Problem> {
        if let Some((path, size)) = &self.png {
            draw(Size::new(size.width, size.height))?.write_png(path)?;
        }
        for panel in &mut self.panels {
            panel.show(up, &mut draw)?;
        }
        Ok(())
    }
}

impl<'v> View<'v> {
    /// Builds the view of the daemon's state, with its message.
    pub(crate) fn of_daemon(snapshot: &'v Snapshot, notice: &'v Notice<'v>, now: Now) -> Self {
        Self {
            reading: snapshot.reading.as_deref().zip(snapshot.freshness(now.utc)),
            earlier: snapshot.earlier.as_deref(),
            live: snapshot
                .live(now.utc)
                .map(|live| (live.bpm, live.age(now.utc))),
            state: notice.state(),
            now,
        }
    }

    /// Builds a view of a reading without a message.
    pub(crate) const fn new(reading: &'v Reading, freshness: Freshness, now: Now) -> Self {
        Self {
            reading: Some((reading, freshness)),
            earlier: None,
            live: None,
            state: None,
            now,
        }
    }

    /// Adds the day before the reading's.
    pub(crate) const fn with_earlier(self, earlier: Option<&'v Day>) -> Self {
        Self { earlier, ..self }
    }
}

impl View<'_> {
    /// Returns the time on the wearer's clock. Without a reading that is unknown; the machine's is
    /// the next best.
    fn local_time(&self) -> Time {
        let now = self.now.utc;
        match self.reading {
            Some((reading, _)) => reading.time_zone.offsets.local(now).time(),
            None => TimeZone::system().to_datetime(now).time(),
        }
    }
}

impl Style {
    /// Builds the style from the arguments, else from the configuration. A requested palette is
    /// used at night as well.
    pub(crate) fn new(
        screen: &ScreenConfig,
        console: Console,
        theme: Option<Theme>,
        palette: Option<Palette>,
    ) -> Self {
        Self {
            theme: theme.or(screen.theme).unwrap_or_default(),
            palette: palette.or(screen.palette).unwrap_or_default(),
            is_palette_fixed: palette.is_some(),
            night: screen.night,
            backlight: screen.backlight(),
            wallpaper: screen.wallpaper.clone().map(UserPicture::new),
            has_background: screen.background,
            console,
        }
    }

    /// Draws a view in this size.
    ///
    /// # Errors
    /// [`PictureError::Size`].
    pub(crate) fn picture(&mut self, view: &View<'_>, size: Size) -> Result<Picture, PictureError> {
        let palette = self.palette_of(view);
        let model = self.model(view);
        let (console, has_background) = (self.console, self.has_background);
        let wallpaper = self.wallpaper.as_mut().and_then(|own| {
            own.for_size(size, |path, why| {
                console.warn(&format!(
                    "the wallpaper {} cannot be used, so the default one is shown: {why}",
                    path.display()
                ));
            })
        });
        let model = match wallpaper {
            Some(wallpaper) if has_background => model.with_wallpaper(wallpaper).with_background(),
            Some(wallpaper) => model.with_wallpaper(wallpaper),
            None => model,
        };
        Picture::new(&model, size, palette)
    }

    /// Draws two wearers in this size, each in their own theme and in the palette of the first.
    ///
    /// # Errors
    /// [`PictureError::Size`].
    pub(crate) fn picture_of_two(
        shown: [(&str, &Self, &View<'_>); 2],
        size: Size,
    ) -> Result<Picture, PictureError> {
        let [(_, first, view), _] = shown;
        let palette = first.palette_of(view);
        let halves = shown.map(|(name, style, view)| Half {
            name,
            model: style.model(view),
        });
        Picture::of_two(&halves, size, palette)
    }

    fn model<'v>(&self, view: &View<'v>) -> Model<'v> {
        match (view.reading, view.state) {
            (Some((reading, freshness)), state) => {
                let model = Model::new(reading, view.now.utc, freshness, self.theme);
                let model = match view.earlier {
                    Some(earlier) => model.with_earlier(earlier),
                    None => model,
                };
                let model = match state {
                    Some(state) => model.with_state(state),
                    None => model,
                };
                match view.live {
                    Some((bpm, age)) => model.with_live(bpm, age),
                    None => model,
                }
            }
            (None, state) => Model::from_state(state.unwrap_or(State::FirstStart), self.theme),
        }
    }

    /// Returns the brightness of backlights for a view. It is never dark if `must_be_seen`.
    pub(crate) fn brightness(&self, view: &View<'_>, must_be_seen: bool) -> Brightness {
        let time = Some(view.local_time());
        self.backlight.at(time, self.night, must_be_seen)
    }

    fn palette_of(&self, view: &View<'_>) -> Palette {
        match self.night {
            Some(night) if !self.is_palette_fixed && night.has(view.local_time()) => Palette::Night,
            _ => self.palette,
        }
    }
}

impl From<PanelError> for Problem {
    fn from(error: PanelError) -> Self {
        let problem = Self::failed(error.to_string());
        let problem = match error.source() {
            Some(cause) => problem.caused_by(cause),
            None => problem,
        };
        match error.advice() {
            Some(advice) => problem.hint(advice),
            None => problem,
        }
    }
}

impl From<PictureError> for Problem {
    fn from(error: PictureError) -> Self {
        PanelError::from(error).into()
    }
}

/// A picture's size in pixels, from 160x80 to 4096x4096.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PictureSize {
    /// The width.
    pub width: u32,
    /// The height.
    pub height: u32,
}

impl FromStr for PictureSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let side = |text: &str, least| {
            text.parse()
                .ok()
                .filter(|side| (least..=4_096).contains(side))
        };
        text.split_once(['x', 'X'])
            .and_then(|(width, height)| {
                Some(Self {
                    width: side(width, 160)?,
                    height: side(height, 80)?,
                })
            })
            .ok_or_else(|| {
                format!("\"{text}\" is not a size from 160x80 to 4096x4096; write it like 480x320")
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_has_two_sides() {
        assert_eq!(
            "320x240".parse(),
            Ok(PictureSize {
                width: 320,
                height: 240
            })
        );
        for bad in ["320", "0x0", "320x", "99999x10", "-1x5"] {
            assert!(bad.parse::<PictureSize>().is_err(), "{bad}");
        }
    }
}
