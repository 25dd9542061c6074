//! The user's wallpaper: converts a PNG or BMP file to the screen's format.

mod bmp;
mod decode;
mod quantise;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use embedded_graphics::geometry::Size;
use pulsewing_screen::Wallpaper;

pub use decode::{MOST_BYTES, MOST_PIXELS, Unusable};

/// A user's picture, converted once for each size of screen.
#[derive(Debug)]
pub struct UserPicture {
    path: PathBuf,
    /// The wallpaper for each size, in the format of [`Wallpaper::parse`]; empty when there is
    /// none.
    converted: Vec<(Size, Vec<u8>)>,
}

impl UserPicture {
    /// Builds it for a file, which is read when it is first needed.
    #[must_use]
    pub const fn new(path: PathBuf) -> Self {
        Self {
            path,
            converted: Vec::new(),
        }
    }

    /// Returns the picture for a screen of this size; `None` if it cannot be used; then the screen
    /// shows its own wallpaper. `complain` is called once with the path and the reason.
    pub fn for_size(
        &mut self,
        size: Size,
        complain: impl FnOnce(&Path, &Unusable),
    ) -> Option<Wallpaper<'_>> {
        let known = self.converted.iter().position(|(known, _)| *known == size);
        let place = known.unwrap_or_else(|| {
            let bytes = convert(&self.path, size).unwrap_or_else(|why| {
                if self.converted.is_empty() {
                    complain(&self.path, &why);
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
/// The bytes are in the format of [`Wallpaper::parse`].
///
/// # Errors
/// The reason why the file cannot be used.
pub fn convert(path: &Path, size: Size) -> Result<Vec<u8>, Unusable> {
    convert_bytes(&decode::read(path)?, size)
}

/// Converts the bytes of a picture's file, as [`convert`] does.
///
/// # Errors
/// The reason why they cannot be used.
pub fn convert_bytes(bytes: &[u8], size: Size) -> Result<Vec<u8>, Unusable> {
    let picture = decode::decode(bytes)?.covering(size);
    let (frame, own) = quantise::quantise(&picture).ok_or(Unusable::Empty)?;
    let mut bytes = vec![0; Wallpaper::bytes_for(size)];
    match Wallpaper::encode(&frame, &own, &mut bytes) {
        Ok(_) => Ok(bytes),
        Err(_) => Err(Unusable::Empty),
    }
}
