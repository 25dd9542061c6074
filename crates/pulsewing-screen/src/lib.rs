//! A heart-rate reading becomes a picture.
//!
//! Three steps, each of its own: [`Model::new`] decides *what* is shown, from a
//! [`Reading`](pulsewing_core::reading::Reading), the time and how fresh it is; [`draw`] paints
//! that on any embedded-graphics target whose colour is [`Ink`]; a [`Frame`] is such a target, in
//! 76,800 bytes at 480x320. Nothing here keeps state, allocates, reads a clock or waits: the same
//! model and size give the same pixels.
//!
//! It is not for talking to a panel, for writing image files, or for deciding what a reading
//! means: those are the driver's, the host's and the core's work. It holds no picture of the
//! states before a first reading (joining Wi-Fi, signing in) either.
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
//! let model = Model::new(&reading, now, reading.freshness(now, every, false), Theme::Classic);
//! let size = Size::new(480, 320);
//! let mut frame = Frame::new(size, vec![0; Frame::<Vec<u8>>::bytes_for(size)]).unwrap();
//! draw(&model, &mut frame)?;
//! # Ok::<(), core::convert::Infallible>(())
//! ```
//!
//! Start reading at [`Model`], then [`classic`], whose page has a sketch of the picture.
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

pub mod classic;
mod frame;
mod ink;
pub mod model;
mod polyline;
pub mod scale;
mod text;
mod theme;

use embedded_graphics::draw_target::DrawTarget;

pub use frame::Frame;
pub use ink::Ink;
pub use model::Model;
pub use theme::{Theme, UnknownTheme};

/// Draws a model in its theme over the whole of a target.
///
/// # Errors
/// Those of the target.
pub fn draw<D: DrawTarget<Color = Ink>>(model: &Model, target: &mut D) -> Result<(), D::Error> {
    match model.theme {
        Theme::Classic => classic::draw(model, target),
    }
}
