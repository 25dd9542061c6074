//! Pictures on this machine: on a panel, or in a PNG file.
//!
//! The screen crate draws a picture. This crate shows it, and turns a wearer's own picture into a
//! wallpaper that the screen crate can draw. The content of a picture, and the time of a new one,
//! are decided elsewhere.
//!
//! | item | contents |
//! |---|---|
//! | [`Panel`] | a screen that is connected to this machine; pushes only changes |
//! | [`PanelSpec`] | a panel's name on the command line |
//! | [`framebuffer`] | a framebuffer device of the kernel |
//! | [`spi`] | an HX8357D on an SPI bus, driven by this program |
//! | [`backlight`] | a backlight that the kernel drives |
//! | [`picture`] | a picture, and its PNG file |
//! | [`wallpaper`] | the wearer's PNG or BMP file, scaled and quantised |
//! | [`PanelError`] | the errors, with advice |
//!
//! Panels need Linux; pictures and wallpapers do not. Start reading at [`Panel::show`].
#![deny(missing_docs)]
#![deny(unsafe_code)]

pub mod backlight;
mod error;
#[cfg(target_os = "linux")]
pub mod framebuffer;
#[cfg(target_os = "linux")]
mod linux;
mod panel;
pub mod picture;
mod spec;
#[cfg(target_os = "linux")]
pub mod spi;
pub mod wallpaper;

pub use error::PanelError;
pub use panel::{Panel, Ready, Surface};
pub use picture::{Picture, PictureError};
pub use spec::{BacklightSpec, BadSpec, FramebufferSpec, PanelSpec, PinSpec, SpiSpec, Turn};
