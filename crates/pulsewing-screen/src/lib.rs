//! Draws a heart-rate reading as a picture.
//!
//! There are three separate steps. [`Model::new`] decides *what* is shown, from a
//! [`Reading`](pulsewing_core::reading::Reading), the time and its freshness. [`draw`] paints that
//! on any embedded-graphics target whose colour is [`Ink`]. A [`Frame`] is such a target, in 76,800
//! bytes at 480x320, and a [`Band`] is a few rows of one. Inks become colours when the picture is
//! sent, with the [`Colours`] that [`colours`] returns for a [`Palette`]. [`changes::between`]
//! finds the differences between two frames; [`Tiles`] does so on boards without room for two.
//! Nothing here allocates, reads a clock or waits: the same model and size give the same pixels.
//!
//! It does not talk to a panel, write image files, or interpret a reading: the driver, the host and
//! the core do that.
//!
//! ```
//! use embedded_graphics::prelude::*;
//! use pulsewing_screen::{Frame, Model, Theme, draw};
//!
//! # use jiff::{SignedDuration, Timestamp, tz::Offset};
//! # use pulsewing_core::{Provider, civil::Offsets, day::{Day, Window}, heart_zone::HeartZones,
//! #     reading::{Reading, TimeZone, ZoneName, ZoneSource}};
//! # let now: Timestamp = "2026-11-22T13:07:00Z".parse().unwrap();
//! # let offsets = Offsets::fixed(Offset::UTC);
//! # let reading = Reading {
//! #     provider: Provider::Google, day: Day::new(offsets.day_of(now)),
//! #     time_zone: TimeZone { name: ZoneName::new(), source: ZoneSource::Machine, offsets },
//! #     window: Window::ending_at(now), battery_percent: None, last_sync: None, resting: None,
//! #     heart_zones: HeartZones::PLAIN, fetched_at: now };
//! let every = SignedDuration::from_mins(15);
//! let model = Model::new(&reading, now, reading.freshness(now, every, false), Theme::Desk);
//! let size = Size::new(480, 320);
//! let mut frame = Frame::new(size, vec![0; Frame::<Vec<u8>>::bytes_for(size)]).unwrap();
//! draw(&model, &mut frame)?;
//! # Ok::<(), core::convert::Infallible>(())
//! ```
//!
//! Start reading at [`Model`], then [`desk`] and [`classic`], whose documentation has sketches of
//! the pictures.
#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::cast_possible_truncation
    )
)]

#[cfg(test)]
extern crate std;

mod band;
mod banner;
mod big;
pub mod changes;
pub mod classic;
mod colours;
mod coverage;
pub mod desk;
mod frame;
mod icon;
mod ink;
pub mod model;
mod outline;
mod page;
pub mod pair;
mod palette;
mod polyline;
mod proportions;
pub mod scale;
mod scene;
mod slot;
mod state;
mod stroke;
mod text;
mod tiles;
pub mod wallpaper;
mod words;

use embedded_graphics::{draw_target::DrawTarget, prelude::*};

pub use band::Band;
pub use colours::Colours;
pub use frame::Frame;
pub use ink::Ink;
pub use model::Model;
pub use pulsewing_core::look::{Palette, Theme};
pub use state::State;
pub use tiles::Tiles;
pub use wallpaper::Wallpaper;

use scene::Scene;

/// Draws a model in its theme over the whole of a target.
///
/// # Errors
/// Those of the target.
pub fn draw<D: DrawTarget<Color = Ink>>(model: &Model<'_>, target: &mut D) -> Result<(), D::Error> {
    let whole = target.bounding_box();
    let mut target = target.cropped(&whole);
    let wallpaper = model.wallpaper.as_ref();
    Scene::new(model).draw(wallpaper, model.has_background, &mut target)
}

/// Returns the colours of a model's picture of this size: those of the palette, unless the user's
/// wallpaper is visible, which has some of its own, or behind a reading some dark ones.
#[must_use]
pub fn colours(model: &Model<'_>, size: Size, palette: Palette) -> Colours {
    let scene = Scene::new(model);
    match &model.wallpaper {
        Some(wallpaper) if scene.sky(size).is_some() => wallpaper.colours(palette),
        Some(wallpaper) if model.has_background && scene.may_have_backdrop() => {
            wallpaper.backdrop_colours(palette)
        }
        _ => palette.into(),
    }
}
