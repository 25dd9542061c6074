//! A picture: a model drawn into a frame, with its colours; and its PNG file.

use std::{
    convert::Infallible,
    io::{self, Write},
    path::{Path, PathBuf},
};

use embedded_graphics::geometry::{OriginDimensions, Size};
use pulsewing_files::Replacement;
use pulsewing_screen::{
    Colours, Frame, Model, Palette, draw,
    pair::{self, Half},
};
use thiserror::Error;

/// The reason why there is no picture.
#[derive(Debug, Error)]
pub enum PictureError {
    /// It has no pixels, or more than memory can address.
    #[error("the picture's size is not possible")]
    Size,
    /// It could not be encoded as a PNG.
    #[error("the picture could not be encoded")]
    Encode(#[source] io::Error),
    /// It could not be written.
    #[error("the picture {} could not be written", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

/// A screen's pixels and colours.
#[derive(Clone, Debug)]
pub struct Picture {
    /// Its pixels, as numbers of inks.
    pub frame: Frame<Vec<u8>>,
    /// The colours of the inks.
    pub colours: Colours,
}

impl Picture {
    /// Draws a model.
    ///
    /// # Errors
    /// [`PictureError::Size`].
    pub fn new(model: &Model<'_>, size: Size, palette: Palette) -> Result<Self, PictureError> {
        let bytes = Frame::<Vec<u8>>::bytes_for(size);
        let mut frame = Frame::new(size, vec![0; bytes]).ok_or(PictureError::Size)?;
        let Ok(()): Result<(), Infallible> = draw(model, &mut frame);
        let colours = pulsewing_screen::colours(model, size, palette);
        Ok(Self { frame, colours })
    }

    /// Draws two wearers, if there is room for them; otherwise the first one.
    ///
    /// # Errors
    /// [`PictureError::Size`].
    pub fn of_two(
        halves: &[Half<'_>; 2],
        size: Size,
        palette: Palette,
    ) -> Result<Self, PictureError> {
        let bytes = Frame::<Vec<u8>>::bytes_for(size);
        let mut frame = Frame::new(size, vec![0; bytes]).ok_or(PictureError::Size)?;
        let Ok(()): Result<(), Infallible> = pair::draw(halves, &mut frame);
        let colours = palette.into();
        Ok(Self { frame, colours })
    }

    /// Writes it as a PNG. The file is replaced only when the new one is complete, so that a viewer
    /// never sees half a picture.
    ///
    /// # Errors
    /// [`PictureError::Write`].
    pub fn write_png(&self, path: &Path) -> Result<(), PictureError> {
        Replacement::new(path)
            .write(|file| self.encode(file))
            .map_err(|source| PictureError::Write {
                path: path.to_owned(),
                source,
            })
    }

    /// Returns the bytes of a PNG file.
    ///
    /// # Errors
    /// [`PictureError::Encode`].
    pub fn png(&self) -> Result<Vec<u8>, PictureError> {
        let mut bytes = Vec::new();
        self.encode(&mut bytes).map_err(PictureError::Encode)?;
        Ok(bytes)
    }

    fn encode(&self, to: &mut impl Write) -> io::Result<()> {
        let Size { width, height } = self.frame.size();
        // The frame's own format: sixteen colours, two pixels per byte.
        let mut encoder = png::Encoder::new(to, width, height);
        encoder.set_color(png::ColorType::Indexed);
        encoder.set_depth(png::BitDepth::Four);
        encoder.set_palette(self.colours.rgb888().as_flattened());
        encoder
            .write_header()
            .and_then(|mut writer| writer.write_image_data(self.frame.bytes()))
            .map_err(io::Error::other)
    }
}
