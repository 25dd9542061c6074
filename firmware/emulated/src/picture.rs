//! Pictures: the actual and the expected contents of the emulated screen.

use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};

/// Pixels from the left in rows from the top, red, green and blue.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    /// Pixels in a row.
    pub width: usize,
    /// Number of rows.
    pub height: usize,
    /// All pixels.
    pub pixels: Vec<[u8; 3]>,
}

impl Picture {
    /// Reads the output of QEMU's `screendump`: a binary PPM.
    pub fn from_ppm(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes.strip_prefix(b"P6")?;
        let mut numbers = [0; 3];
        for number in &mut numbers {
            rest = rest.trim_ascii_start();
            let end = rest.iter().position(u8::is_ascii_whitespace)?;
            *number = std::str::from_utf8(&rest[..end]).ok()?.parse().ok()?;
            rest = &rest[end..];
        }
        // One blank, then pixels.
        Self::new(numbers[0], numbers[1], rest.get(1..)?)
    }

    /// Reads a PNG.
    pub fn from_png(bytes: &[u8]) -> Option<Self> {
        let mut decoder = png::Decoder::new(std::io::Cursor::new(bytes));
        decoder.set_transformations(png::Transformations::normalize_to_color8());
        let mut reader = decoder.read_info().ok()?;
        let mut buffer = vec![0; reader.output_buffer_size()?];
        let info = reader.next_frame(&mut buffer).ok()?;
        let bytes = buffer.get(..info.buffer_size())?;
        let rgb: Vec<u8> = match info.color_type {
            png::ColorType::Rgb => bytes.to_vec(),
            png::ColorType::Rgba => bytes.chunks(4).flat_map(|it| it[..3].to_vec()).collect(),
            _ => return None,
        };
        Self::new(info.width as usize, info.height as usize, &rgb)
    }

    /// Reads an uncompressed BMP of 4, 8 or 24 bits a pixel.
    pub fn from_bmp(bytes: &[u8]) -> Option<Self> {
        let number = |at: usize| {
            let field = bytes.get(at..at + 4)?;
            Some(u32::from_le_bytes(field.try_into().ok()?) as usize)
        };
        bytes.strip_prefix(b"BM")?;
        let (start, header, width, height) = (number(10)?, number(14)?, number(18)?, number(22)?);
        let bits = number(26)? >> 16;
        let from_bottom = height < 1 << 31;
        let height = if from_bottom {
            height
        } else {
            (1 << 32) - height
        };
        let stride = (width * bits).div_ceil(32) * 4;
        let colour = |index: usize| {
            let at = 14 + header + 4 * index;
            let entry = bytes.get(at..at + 3)?;
            Some([entry[2], entry[1], entry[0]])
        };
        let mut pixels = Vec::with_capacity(width * height);
        for y in 0..height {
            let row = if from_bottom { height - 1 - y } else { y };
            let row = bytes.get(start + row * stride..)?.get(..stride)?;
            for x in 0..width {
                pixels.push(match bits {
                    4 => colour(usize::from(row[x / 2] >> (4 * (1 - x % 2)) & 15))?,
                    8 => colour(usize::from(row[x]))?,
                    24 => [row[3 * x + 2], row[3 * x + 1], row[3 * x]],
                    _ => return None,
                });
            }
        }
        Some(Self {
            width,
            height,
            pixels,
        })
    }

    fn new(width: usize, height: usize, rgb: &[u8]) -> Option<Self> {
        let (pixels, _) = rgb.as_chunks::<3>();
        (pixels.len() == width * height).then(|| Self {
            width,
            height,
            pixels: pixels.to_vec(),
        })
    }

    /// Returns the part from a row down, including that row.
    pub fn rows_from(&self, row: usize) -> Self {
        let row = row.min(self.height);
        Self {
            width: self.width,
            height: self.height - row,
            pixels: self.pixels[row * self.width..].to_vec(),
        }
    }

    /// Writes a binary PPM, for a person to look at.
    pub fn write(&self, path: &Path) -> Result<()> {
        let mut bytes = format!("P6 {} {} 255\n", self.width, self.height).into_bytes();
        bytes.extend(self.pixels.iter().flatten());
        std::fs::write(path, bytes).with_context(|| format!("{}", path.display()))
    }

    /// Fails, and reports the place, unless the other picture is the same.
    pub fn check_equal(&self, other: &Self) -> Result<()> {
        ensure!(
            (self.width, self.height) == (other.width, other.height),
            "a picture of {}x{} is compared with one of {}x{}",
            self.width,
            self.height,
            other.width,
            other.height
        );
        let differ: Vec<usize> = (0..self.pixels.len())
            .filter(|at| self.pixels[*at] != other.pixels[*at])
            .collect();
        let Some(first) = differ.first() else {
            return Ok(());
        };
        let place = |at: usize| (at % self.width, at / self.width);
        let (left, right) = differ
            .iter()
            .map(|at| place(*at).0)
            .fold((usize::MAX, 0), |(low, high), x| (low.min(x), high.max(x)));
        let (top, bottom) = (place(*first).1, place(differ[differ.len() - 1]).1);
        bail!(
            "{} pixels differ, from ({left}, {top}) to ({right}, {bottom}): {:?} for {:?}",
            differ.len(),
            self.pixels[*first],
            other.pixels[*first]
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_screendump_is_read() {
        let picture = Picture::from_ppm(b"P6\n2 1\n255\nabcdef").unwrap();
        assert_eq!((picture.width, picture.height), (2, 1));
        assert_eq!(picture.pixels, [*b"abc", *b"def"]);
        assert!(Picture::from_ppm(b"P6\n2 2\n255\nabcdef").is_none());
    }

    #[test]
    fn a_bitmap_of_four_bits_is_read_from_its_bottom() {
        let mut bytes = vec![0; 14 + 40];
        bytes[..2].copy_from_slice(b"BM");
        bytes[10..14].copy_from_slice(&(54_u32 + 8).to_le_bytes());
        bytes[14..18].copy_from_slice(&40_u32.to_le_bytes());
        bytes[18..22].copy_from_slice(&3_u32.to_le_bytes());
        bytes[22..26].copy_from_slice(&2_u32.to_le_bytes());
        bytes[28] = 4;
        bytes.extend([3, 2, 1, 0, 6, 5, 4, 0]);
        bytes.extend([0x01, 0x10, 0, 0, 0x11, 0x00, 0, 0]);
        let picture = Picture::from_bmp(&bytes).unwrap();
        let (black, white) = ([1, 2, 3], [4, 5, 6]);
        assert_eq!(picture.pixels, [white, white, black, black, white, white]);
    }

    #[test]
    fn where_pictures_differ_is_said() {
        let one = Picture::from_ppm(b"P6 2 2 255\nabcabcabcabc").unwrap();
        let other = Picture::from_ppm(b"P6 2 2 255\nabcabcabcxyz").unwrap();
        assert!(one.check_equal(&one.clone()).is_ok());
        let complaint = one.check_equal(&other).unwrap_err().to_string();
        assert!(
            complaint.contains("1 pixels differ, from (1, 1) to (1, 1)"),
            "{complaint}"
        );
    }
}
