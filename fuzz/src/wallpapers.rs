//! Any file either becomes a wallpaper that the screen can parse, or is refused.

use embedded_graphics::prelude::Size;
use pulsewing_panels::wallpaper::convert_bytes;
use pulsewing_screen::Wallpaper;

/// Converts the input for a small screen.
pub fn run(input: &[u8]) {
    if let Ok(bytes) = convert_bytes(input, Size::new(160, 80)) {
        Wallpaper::parse(&bytes).expect("what was converted can be shown");
    }
}
