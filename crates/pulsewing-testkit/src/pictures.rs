//! Frames to draw on, and pictures in files.

use std::{
    convert::Infallible,
    io::{BufRead, Seek, Write},
};

use embedded_graphics::prelude::*;
use proptest::prelude::*;
use pulsewing_screen::{Frame, Ink, Model, Wallpaper, draw};

/// The size of the boards' panel, in pixels.
pub const PANEL: Size = Size::new(480, 320);

/// Returns an empty frame.
///
/// # Panics
///
/// Never: the buffer has the length that the size asks for.
#[must_use]
pub fn blank(size: Size) -> Frame<Vec<u8>> {
    Frame::new(size, vec![0; Frame::<Vec<u8>>::bytes_for(size)]).unwrap()
}

/// Returns the picture of a model.
#[must_use]
pub fn drawn(model: &Model<'_>, size: Size) -> Frame<Vec<u8>> {
    let mut frame = blank(size);
    let Ok(()) = draw(model, &mut frame);
    frame
}

/// Returns the bytes of a wallpaper: a picture in the wallpaper's own colours.
///
/// # Panics
///
/// Never: the buffer has the length that the size asks for.
#[must_use]
pub fn wallpaper(picture: &Frame<Vec<u8>>, own: &[[u8; 3]; 9]) -> Vec<u8> {
    let mut bytes = vec![0; Wallpaper::bytes_for(picture.size())];
    Wallpaper::encode(picture, own, &mut bytes).unwrap();
    bytes
}

/// Returns the bytes of a wallpaper of one ink, and with the same colour for each of its own inks.
#[must_use]
pub fn plain_wallpaper(size: Size, ink: Ink, own: [u8; 3]) -> Vec<u8> {
    let mut picture = blank(size);
    let Ok(()) = picture.clear(ink);
    wallpaper(&picture, &[own; 9])
}

/// A frame that also counts the pixels that were drawn outside it.
#[derive(Debug)]
pub struct Watched {
    /// What was drawn inside.
    pub frame: Frame<Vec<u8>>,
    /// The number of pixels that were drawn outside.
    pub beside: usize,
}

impl Watched {
    /// Returns an empty one.
    #[must_use]
    pub fn new(size: Size) -> Self {
        let frame = blank(size);
        Self { frame, beside: 0 }
    }
}

impl OriginDimensions for Watched {
    fn size(&self) -> Size {
        self.frame.size()
    }
}

impl DrawTarget for Watched {
    type Color = Ink;
    type Error = Infallible;

    // The other ways of drawing come here by default, so that every pixel is counted.
    fn draw_iter<I: IntoIterator<Item = Pixel<Ink>>>(
        &mut self,
        pixels: I,
    ) -> Result<(), Infallible> {
        let inside = self.bounding_box();
        for pixel in pixels {
            self.beside += usize::from(!inside.contains(pixel.0));
            self.frame.draw_iter([pixel])?;
        }
        Ok(())
    }
}

/// Any size on which whole pictures are drawn, the usual ones more often than others.
pub fn any_size() -> impl Strategy<Value = Size> {
    prop_oneof![
        (160_u32..=1_024, 80_u32..=600).prop_map(|(width, height)| Size::new(width, height)),
        prop::sample::select(vec![
            Size::new(160, 80),
            Size::new(320, 240),
            Size::new(480, 320),
            Size::new(800, 480),
            Size::new(1_024, 600),
        ]),
    ]
}

/// Any size on which the desk theme has its graphs.
pub fn any_large_size() -> impl Strategy<Value = Size> {
    any_size().prop_filter("a small panel shows the big face", |size| {
        size.width.max(size.height) > 320 && size.width.min(size.height) > 240
    })
}

/// A picture from a PNG: its size, and its pixels as red, green and blue in rows from the top.
#[derive(PartialEq, Eq)]
pub struct Picture {
    /// Width and height, in pixels.
    pub size: (u32, u32),
    /// The pixels.
    pub rgb: Vec<[u8; 3]>,
}

/// Prints nothing of the pixels: they mean nothing to a reader.
impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Picture")
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

impl Picture {
    /// Reads a PNG without transparency.
    ///
    /// # Panics
    ///
    /// If it is none.
    pub fn read(file: impl BufRead + Seek) -> Self {
        let mut decoder = png::Decoder::new(file);
        decoder.set_transformations(png::Transformations::EXPAND);
        let mut reader = decoder.read_info().unwrap();
        let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut bytes).unwrap();
        let kind = (info.color_type, info.bit_depth);
        assert_eq!(kind, (png::ColorType::Rgb, png::BitDepth::Eight));
        let (rgb, []) = bytes[..info.buffer_size()].as_chunks() else {
            panic!("half a pixel");
        };
        Self {
            size: (info.width, info.height),
            rgb: rgb.to_vec(),
        }
    }

    /// Returns its colours, each once.
    #[must_use]
    pub fn colours(&self) -> Vec<[u8; 3]> {
        let mut colours = self.rgb.clone();
        colours.sort_unstable();
        colours.dedup();
        colours
    }

    /// Returns its mean brightness, 0 to 255.
    #[must_use]
    pub fn brightness(&self) -> f64 {
        let sum: u64 = self.rgb.as_flattened().iter().map(|c| u64::from(*c)).sum();
        sum as f64 / self.rgb.as_flattened().len() as f64
    }

    /// Writes it as a PNG.
    ///
    /// # Panics
    ///
    /// If it cannot be written, or if the number of pixels does not fit the size.
    pub fn write(&self, file: impl Write) {
        let mut encoder = png::Encoder::new(file, self.size.0, self.size.1);
        encoder.set_color(png::ColorType::Rgb);
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(self.rgb.as_flattened()).unwrap();
        writer.finish().unwrap();
    }
}
