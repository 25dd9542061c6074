//! The unattended device: everything that a Pulsewing board does, except for its peripherals.
//!
//! A board implements a few [`ports`], makes a store over its flash, and awaits [`run()`] for the
//! rest of its days. This crate then joins the network, asks for the time, runs the
//! [cycle](pulsewing_core::cycle), draws the picture, answers the serial line and the button, and
//! feeds the watchdog as long as all parts make progress.
//!
//! It does not speak TLS, SPI or flash commands: the ports do that. It needs neither an allocator
//! nor an executor of its own, spawns nothing, and uses no timer but the [`Clock`](ports::Clock),
//! so tests run it through a simulated year in seconds.
//!
//! ```text
//!   run = join of
//!
//!   app loop      link ─▶ time ─▶ cycle ─▶ report ─▶ (again)      app/
//!      │ facts, reading        ▲ requests: poll, settings, join
//!      ▼                       │
//!   shared ◀───────────────────┴── console   lines, uploads, Improv   console/
//!      │ redraw                └── button    light, alarms, screenshot, factory reset
//!      ▼
//!   screen        facts + reading ─▶ state ─▶ model ─▶ frame ─▶ changed tiles ─▶ panel
//!                 clock + settings ─▶ brightness ─▶ backlight
//!
//!   alarms        what each cycle brought, clock ─▶ signals ─▶ screen, piezo; record ─▶ store
//!
//!   serial queue  report, log and answers ─▶ serial line
//!   deadlines     of all of these ─▶ watchdog
//! ```
//!
//! Where to start reading: `app/mod.rs` for the main loop, `shared.rs` for the state that the parts
//! share, [`ports`] for what a board has to provide.
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

mod alarms;
mod app;
mod backoff;
mod bmp;
mod button;
mod configuration;
mod console;
mod deadlines;
mod errors;
mod improv;
mod instruction_counts;
mod light;
mod own_frame;
mod picture;
pub mod ports;
mod posix_tz;
mod run;
mod screen;
mod screenshot;
mod serial_queue;
mod shared;
mod situation;
mod sound;

pub use run::{Parts, run};
pub use screen::CARD_WALLPAPER;
pub use situation::{LOGIN, LOGIN_GOOGLE, PROVISION};
