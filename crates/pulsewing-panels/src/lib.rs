//! Pictures on this machine: on a panel, or in a PNG file.
//!
//! The screen crate draws a picture; this crate puts it where somebody can see it, and turns a wearer's
//! own picture into a wallpaper that the screen crate can draw. What is in the picture, and when there
//! is a new one, is decided elsewhere.
//!
//! | module | what |
//! |---|---|
//! | [`Panel`] | a screen that is connected to this machine; pushes only what changed |
//! | [`PanelSpec`] | a panel's name on the command line |
//! | [`framebuffer`] | a framebuffer device of the kernel |
//! | [`spi`] | an HX8357D on an SPI bus, driven by this program |
//! | [`picture`] | a picture, and its PNG file |
//! | [`wallpaper`] | a PNG or BMP file of the wearer's, scaled and quantised |
//! | [`PanelError`] | what can go wrong, and what to do about it |
//!
//! Panels need Linux; pictures and wallpapers do not. Start reading at [`Panel::show`].
#![deny(missing_docs)]
#![deny(unsafe_code)]

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
pub use spec::{BadSpec, FramebufferSpec, PanelSpec, PinSpec, SpiSpec, Turn};
