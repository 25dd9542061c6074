//! A heart-rate reading becomes a picture.
//!
//! Three steps, each of its own: [`Model::new`] decides *what* is shown, from a
//! [`Reading`](pulsewing_core::reading::Reading), the time and how fresh it is; [`draw`] paints
//! that on any embedded-graphics target whose colour is [`Ink`]; a [`Frame`] is such a target, in
//! 76,800 bytes at 480x320, and a [`Band`] is some rows of one. Inks get their looks when the picture
//! is sent, from the [`Colours`] that [`colours`] gives for a [`Palette`]. What differs between
//! two frames is found by [`changes::between`], or by [`Tiles`] on boards without room for two. Nothing
//! here allocates, reads a clock or waits: the same model and size give the same pixels.
//!
//! It is not for talking to a panel, for writing image files, or for deciding what a reading
//! means: those are the driver's, the host's and the core's work.
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
//! Start reading at [`Model`], then [`desk`] and [`classic`], whose pages have sketches of the pictures.
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
pub mod changes;
pub mod classic;
mod colours;
mod coverage;
pub mod desk;
mod frame;
mod ink;
pub mod model;
mod outline;
mod page;
pub mod palette;
mod polyline;
pub mod scale;
mod scene;
mod slot;
mod state;
mod text;
mod theme;
mod tiles;
pub mod wallpaper;

use embedded_graphics::{draw_target::DrawTarget, prelude::*};

pub use band::Band;
pub use colours::Colours;
pub use frame::Frame;
pub use ink::Ink;
pub use model::Model;
pub use palette::Palette;
pub use state::State;
pub use theme::{Theme, UnknownTheme};
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
    Scene::new(model).draw(model.wallpaper.as_ref(), &mut target)
}

/// The colours of a model's picture of this size: those of the palette, unless the user's wallpaper is
/// seen, which has some of its own.
#[must_use]
pub fn colours(model: &Model<'_>, size: Size, palette: Palette) -> Colours {
    match (&model.wallpaper, Scene::new(model).sky(size)) {
        (Some(wallpaper), Some(_)) => wallpaper.colours(palette),
        _ => palette.colours(),
    }
}
