//! The user's wallpaper: a PNG or BMP file becomes what the screen takes.

mod bmp;
mod decode;
mod quantise;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use embedded_graphics::geometry::Size;
use pulsewing_screen::Wallpaper;

pub use decode::{MOST_BYTES, MOST_PIXELS, Unusable};

use crate::console::Console;

/// A picture of the user's, converted for each size of screen once.
#[derive(Debug)]
pub struct UserPicture {
    path: PathBuf,
    console: Console,
    /// Sizes, and the wallpaper of each as [`Wallpaper::parse`] takes it; empty when there is none.
    converted: Vec<(Size, Vec<u8>)>,
}

impl UserPicture {
    /// A picture in a file, which is read when it is first needed.
    #[must_use]
    pub const fn new(path: PathBuf, console: Console) -> Self {
        Self {
            path,
            console,
            converted: Vec::new(),
        }
    }

    /// The picture for a screen of this size. That it cannot be used is told once, and then there is
    /// none: the screen has a wallpaper of its own.
    pub fn for_size(&mut self, size: Size) -> Option<Wallpaper<'_>> {
        let known = self.converted.iter().position(|(known, _)| *known == size);
        let place = known.unwrap_or_else(|| {
            let bytes = convert(&self.path, size).unwrap_or_else(|why| {
                if self.converted.is_empty() {
                    self.console.warn(&format!(
                        "the wallpaper {} cannot be used, and the usual one is: {why}",
                        self.path.display()
                    ));
                }
                Vec::new()
            });
            self.converted.push((size, bytes));
            self.converted.len() - 1
        });
        let (_, bytes) = self.converted.get(place)?;
        Wallpaper::parse(bytes).ok()
    }
}

/// Reads a picture, scales it so that it covers a screen of this size, and finds its colours.
///
/// The bytes are those of [`Wallpaper::parse`].
///
/// # Errors
/// Why the file cannot be used.
pub fn convert(path: &std::path::Path, size: Size) -> Result<Vec<u8>, Unusable> {
    let picture = decode::read(path)?.covering(size);
    let (frame, own) = quantise::quantise(&picture).ok_or(Unusable::Empty)?;
    let mut bytes = vec![0; Wallpaper::bytes_for(size)];
    match Wallpaper::encode(&frame, &own, &mut bytes) {
        Ok(_) => Ok(bytes),
        Err(_) => Err(Unusable::Empty),
    }
}
