//! Decodes PNG and BMP files into pixels, with limits on their size.

use std::{
    io::{self, Cursor},
    ops::Range,
    path::Path,
};

use embedded_graphics::geometry::Size;
use pulsewing_files::regular_file;
use thiserror::Error;

use super::bmp;

/// The size limit for reading a file, in bytes.
pub const MOST_BYTES: u64 = 64 << 20;

/// The limit on a picture's pixels: 48 MB while it is scaled.
pub const MOST_PIXELS: u64 = 16_000_000;

/// The reason why a file cannot be a wallpaper.
#[derive(Debug, Error)]
pub enum Unusable {
    /// It could not be read.
    #[error("it could not be read: {0}")]
    Io(#[from] io::Error),
    /// It is longer than [`MOST_BYTES`].
    #[error("it is larger than 64 MiB")]
    TooLong,
    /// It has more than [`MOST_PIXELS`].
    #[error(
        "it has {0}x{1} pixels, which is more than 16 million; make it smaller, as the screen has far fewer"
    )]
    TooLarge(u32, u32),
    /// It has no pixels.
    #[error("it has no pixels")]
    Empty,
    /// It is in another format.
    #[error(
        "it is neither a PNG nor a BMP file; `magick FILE wallpaper.png` makes a PNG of most pictures"
    )]
    Format,
    /// The PNG is incomplete, or not valid.
    #[error("it is a PNG that cannot be decoded: {0}")]
    Png(#[from] png::DecodingError),
    /// The BMP is incomplete.
    #[error("it is a BMP that ends before its last pixel; copy or save it again")]
    BmpShort,
    /// The BMP is of an unsupported kind.
    #[error("it is a BMP {0}, which is not supported; save it as a PNG or a 24-bit BMP")]
    BmpKind(String),
}

/// Pixels in rows from the top.
#[derive(Debug)]
pub(super) struct Pixels {
    pub(super) size: Size,
    pub(super) rgb: Vec<[u8; 3]>,
}

/// Reads the file of a picture.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, Unusable> {
    match regular_file::read(path, MOST_BYTES) {
        Ok(bytes) => Ok(bytes),
        Err(error) if error.kind() == io::ErrorKind::FileTooLarge => Err(Unusable::TooLong),
        Err(error) => Err(error.into()),
    }
}

/// Decodes a picture. The bytes need not be trusted.
pub(super) fn decode(bytes: &[u8]) -> Result<Pixels, Unusable> {
    if bytes.starts_with(b"\x89PNG") {
        png(bytes)
    } else if bytes.starts_with(b"BM") {
        bmp::decode(bytes)
    } else {
        Err(Unusable::Format)
    }
}

fn png(bytes: &[u8]) -> Result<Pixels, Unusable> {
    let mut decoder = png::Decoder::new_with_limits(
        Cursor::new(bytes),
        png::Limits {
            bytes: 4 * MOST_PIXELS as usize,
        },
    );
    // Sixteen bits, palettes and greys with few bits become eight bits per channel.
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let header = decoder.read_header_info()?;
    let size = checked(header.width, header.height)?;
    let mut reader = decoder.read_info()?;
    let channels = reader.output_color_type().0.samples();
    let mut rgb = Vec::with_capacity(pixels_of(size));
    let mut take = |row: &[u8]| rgb.extend(row.chunks_exact(channels).map(on_black));
    if reader.info().interlaced {
        let length = reader.output_buffer_size().ok_or(Unusable::Empty)?;
        let mut all = vec![0; length];
        reader.next_frame(&mut all)?;
        take(&all);
    } else {
        while let Some(row) = reader.next_row()? {
            take(row.data());
        }
    }
    // An animation has more frames, which we do not need.
    rgb.truncate(pixels_of(size));
    Ok(Pixels { size, rgb })
}

/// Blends a pixel with the screen's black. It is a grey, or red, green and blue, each with or
/// without an opacity after it.
pub(super) fn on_black(pixel: &[u8]) -> [u8; 3] {
    let dimmed = |colour: u8, opacity: u8| {
        let light = (u16::from(colour) * u16::from(opacity) + 127) / 255;
        u8::try_from(light).unwrap_or(u8::MAX)
    };
    match *pixel {
        [grey] => [grey; 3],
        [grey, opacity] => [dimmed(grey, opacity); 3],
        [red, green, blue] => [red, green, blue],
        [red, green, blue, opacity] => [red, green, blue].map(|c| dimmed(c, opacity)),
        _ => [0; 3],
    }
}

pub(super) fn checked(width: u32, height: u32) -> Result<Size, Unusable> {
    match u64::from(width) * u64::from(height) {
        0 => Err(Unusable::Empty),
        1..=MOST_PIXELS => Ok(Size::new(width, height)),
        _ => Err(Unusable::TooLarge(width, height)),
    }
}

pub(super) const fn pixels_of(size: Size) -> usize {
    size.width as usize * size.height as usize
}

impl Pixels {
    /// Scales the picture so that it covers a screen of this size, centred.
    ///
    /// A new pixel is the mean of those that it covers.
    pub(super) fn covering(&self, size: Size) -> Self {
        let (from, to) = (self.size, size);
        // The visible part has the proportions of the screen.
        let wide = u64::from(from.width) * u64::from(to.height);
        let high = u64::from(from.height) * u64::from(to.width);
        let (columns, rows) = if wide > high {
            let seen = (high << PART) / u64::from(to.height.max(1));
            (
                spans(from.width, seen, to.width),
                whole(from.height, to.height),
            )
        } else {
            let seen = (wide << PART) / u64::from(to.width.max(1));
            (
                whole(from.width, to.width),
                spans(from.height, seen, to.height),
            )
        };
        let rgb = rows
            .iter()
            .flat_map(|rows| columns.iter().map(|columns| self.mean(columns, rows)))
            .collect();
        Self { size, rgb }
    }

    fn mean(&self, columns: &Range<usize>, rows: &Range<usize>) -> [u8; 3] {
        let mut sums = [0_u64; 3];
        let mut count = 0;
        for row in self
            .rgb
            .chunks(self.size.width.max(1) as usize)
            .skip(rows.start)
            .take(rows.len())
        {
            for pixel in row.get(columns.clone()).unwrap_or_default() {
                for (sum, channel) in sums.iter_mut().zip(pixel) {
                    *sum += u64::from(*channel);
                }
                count += 1;
            }
        }
        let count = count.max(1);
        sums.map(|sum| u8::try_from((sum + count / 2) / count).unwrap_or(u8::MAX))
    }
}

/// The number of fractional bits in a position.
const PART: u32 = 16;

/// Returns the pixels of `all` that each of `to` pixels covers.
fn whole(all: u32, to: u32) -> Vec<Range<usize>> {
    spans(all, u64::from(all) << PART, to)
}

/// Returns the pixels of `all` that each of `to` pixels covers, if only the middle `seen` of them
/// are visible. `seen` is in fractions of a pixel.
fn spans(all: u32, seen: u64, to: u32) -> Vec<Range<usize>> {
    let first = (u64::from(all) << PART).saturating_sub(seen) / 2;
    let edge = |place: u32| {
        let place = first + u64::from(place) * seen / u64::from(to.max(1));
        usize::try_from(place >> PART).unwrap_or(usize::MAX)
    };
    (0..to)
        .map(|place| edge(place)..edge(place + 1).max(edge(place) + 1))
        .collect()
}
