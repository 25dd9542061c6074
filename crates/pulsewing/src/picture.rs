//! A picture: a model drawn into a frame, with the colours that go with it; and that as a PNG file.

use std::{
    convert::Infallible,
    io::{self, Write},
    path::Path,
};

use embedded_graphics::geometry::{OriginDimensions, Size};
use pulsewing_screen::{Colours, Frame, Model, Palette, draw};

use crate::{problem::Problem, regular_file};

/// What a screen shows.
#[derive(Clone, Debug)]
pub struct Picture {
    /// Its pixels, as numbers of inks.
    pub frame: Frame<Vec<u8>>,
    /// What the inks look like.
    pub colours: Colours,
}

impl Picture {
    /// Draws a model.
    ///
    /// # Errors
    /// A [`Problem`] when memory cannot hold a picture of this size.
    pub fn new(model: &Model<'_>, size: Size, palette: Palette) -> Result<Self, Problem> {
        let bytes = Frame::<Vec<u8>>::bytes_for(size);
        let mut frame = Frame::new(size, vec![0; bytes])
            .ok_or_else(|| Problem::failed("the picture has no possible size"))?;
        let Ok(()): Result<(), Infallible> = draw(model, &mut frame);
        let colours = pulsewing_screen::colours(model, size, palette);
        Ok(Self { frame, colours })
    }

    /// Writes it as a PNG. The file takes its place only when it is complete, so that whoever shows it
    /// never sees half a picture.
    ///
    /// # Errors
    /// A [`Problem`] when it cannot be written.
    pub fn write_png(&self, path: &Path) -> Result<(), Problem> {
        regular_file::replace(path, |file| self.encode(file)).map_err(|error| {
            Problem::failed(format!(
                "the picture {} could not be written",
                path.display()
            ))
            .caused_by(&error)
        })
    }

    /// The bytes of a PNG file.
    ///
    /// # Errors
    /// A [`Problem`] when memory cannot hold it.
    pub fn png(&self) -> Result<Vec<u8>, Problem> {
        let mut bytes = Vec::new();
        self.encode(&mut bytes).map_err(|error| {
            Problem::failed("the picture could not be encoded").caused_by(&error)
        })?;
        Ok(bytes)
    }

    fn encode(&self, to: &mut impl Write) -> io::Result<()> {
        let Size { width, height } = self.frame.size();
        // The frame's own format: sixteen colours, two pixels a byte.
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
