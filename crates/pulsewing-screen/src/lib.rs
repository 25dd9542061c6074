//! A heart-rate reading becomes a picture.
//!
//! Three steps, each of its own: [`Model::new`] decides *what* is shown, from a
//! [`Reading`](pulsewing_core::reading::Reading), the time and how fresh it is; [`draw`] paints
//! that on any embedded-graphics target whose colour is [`Ink`]; a [`Frame`] is such a target, in
//! 76,800 bytes at 480x320, and a [`Band`] is some rows of one. Inks get their looks from a
//! [`Palette`] when the picture is sent. What differs between two frames is found by
//! [`changes::between`], or by [`Tiles`] on boards without room for two. Nothing here allocates,
//! reads a clock or waits: the same model and size give the same pixels.
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
mod slot;
mod state;
mod text;
mod theme;
mod tiles;
pub mod wallpaper;

use embedded_graphics::{draw_target::DrawTarget, prelude::*, primitives::Rectangle};

pub use band::Band;
pub use frame::Frame;
pub use ink::Ink;
pub use model::Model;
pub use palette::Palette;
pub use state::State;
pub use theme::{Theme, UnknownTheme};
pub use tiles::Tiles;

use pulsewing_core::reading::Freshness;
use state::Notice;

/// Draws a model in its theme over the whole of a target.
///
/// # Errors
/// Those of the target.
pub fn draw<D: DrawTarget<Color = Ink>>(model: &Model<'_>, target: &mut D) -> Result<(), D::Error> {
    let whole = target.bounding_box();
    let mut target = target.cropped(&whole);
    let notice = model.state.map(Notice::of_state);
    let wallpaper = model.wallpaper.as_ref();
    match (&model.facts, model.theme) {
        // The classic theme has a notice of its own for days with few values.
        (Some(facts), Theme::Classic) => {
            let Some(notice) = notice else {
                return classic::draw(facts, &mut target);
            };
            let rows = banner::area(whole.size).rows();
            let above = Size::new(whole.size.width, rows.start.max(0).cast_unsigned());
            let above = Rectangle::new(Point::zero(), above);
            classic::draw(facts, &mut target.cropped(&above))?;
            banner::draw(&notice, &mut target)
        }
        (Some(facts), Theme::Desk) if facts.rate.is_some() => {
            // On tiny panels the age says it, in the same colour.
            let of_freshness = Notice::of_freshness(facts.freshness)
                .filter(|_| banner::has_room_for_advice(whole.size));
            let notice = notice.or(of_freshness);
            let layout = desk::Layout::new(whole.size, notice.is_some());
            desk::draw(facts, &layout, &mut target)?;
            match notice {
                Some(notice) => banner::draw(&notice, &mut target),
                None => Ok(()),
            }
        }
        _ => match model.state {
            // A failure is not told as "no values yet".
            None if facts_are_from_memory(model) => page::draw(&Notice::of_failure(), &mut target),
            None | Some(State::NoValuesYet) => {
                let notice = Notice::of_state(State::NoValuesYet);
                page::draw_on_wallpaper(&notice, wallpaper, &mut target)
            }
            Some(state) => page::draw(&Notice::of_state(state), &mut target),
        },
    }
}

fn facts_are_from_memory(model: &Model<'_>) -> bool {
    model
        .facts
        .as_ref()
        .is_some_and(|facts| facts.freshness == Freshness::Cached)
}
