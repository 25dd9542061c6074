//! Panels, from what they are called to what is seen on them: framebuffers on an ordinary file, with a
//! stand-in for what the kernel says, and an HX8357D in the simulator of its controller.
#![forbid(unsafe_code)]
#![cfg(target_os = "linux")]
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by panicking"
)]

mod backlight;
mod framebuffer;
mod pictures;
mod spi;

use std::error::Error;

use pulsewing_panels::PanelError;

/// Everything that a person is told of an error: what, why, and what to do.
fn words(error: &PanelError) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        words = format!("{words}: {error}");
        cause = error.source();
    }
    format!("{words}; {}", error.advice().unwrap_or_default())
}
