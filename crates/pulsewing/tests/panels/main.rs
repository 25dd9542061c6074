//! Panels, from what they are called to what is seen on them: framebuffers on an ordinary file, with a
//! stand-in for what the kernel says, and an HX8357D in the simulator of its controller.
#![forbid(unsafe_code)]
#![cfg(target_os = "linux")]
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by panicking"
)]

mod framebuffer;
mod pictures;
mod spi;
