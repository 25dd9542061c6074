//! BMP files with any header of Windows and OS/2 (Microsoft, Bitmap Header Types; OS/2 2.0
//! Technical Library, Bitmap File Format).
//!
//! ```text
//! file header  14 bytes: "BM", ..., the place of the pixels (at 10)
//! header       its own length, then 12 bytes: OS/2 1.x, 16-bit sides; 16 to 64: OS/2 2.x; 40, 52, 56, 108,
//!              124: Windows, width, height and the rest at the same places
//! masks        after a header of 40 bytes, inside a longer one: the bits of red, green, blue, opacity
//! palette      blue, green, red, and a fourth byte except in OS/2 1.x
//! pixels       rows from the bottom, or from the top if the height is negative, each padded to four bytes
//! ```

use embedded_graphics::geometry::Size;

use super::decode::{Pixels, Unusable, checked, on_black, pixels_of};

/// Decodes a BMP. The bytes need not be trusted.
pub(super) fn decode(bytes: &[u8]) -> Result<Pixels, Unusable> {
    let header = Header::read(bytes)?;
    let pixels = bytes.get(header.pixels_at..).ok_or(Unusable::BmpShort)?;
    let rgb = match header.compression {
        Compression::Runs => header.runs(pixels, &header.palette(bytes)),
        Compression::None if header.bits <= 8 => header.indexed(pixels, &header.palette(bytes))?,
        _ => header.direct(pixels)?,
    };
    Ok(Pixels {
        size: header.size,
        rgb,
    })
}

/// The header, before the pixels.
struct Header {
    length: usize,
    pixels_at: usize,
    size: Size,
    is_from_top: bool,
    bits: u16,
    compression: Compression,
    /// The number of colours in the palette, as the header gives it; 0 for all that the bits can
    /// distinguish.
    colours: usize,
    /// Those of red, green, blue and opacity.
    masks: [Mask; 4],
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Compression {
    None,
    /// Run lengths, with 4 or 8 bits per pixel.
    Runs,
    Masks,
}

/// Adjacent bits; none for a missing channel.
#[derive(Clone, Copy)]
struct Mask {
    shift: u32,
    most: u32,
}

impl Header {
    fn read(bytes: &[u8]) -> Result<Self, Unusable> {
        let at = |place: usize| u32_at(bytes, place).ok_or(Unusable::BmpShort);
        let short = |place: usize| u16_at(bytes, place).ok_or(Unusable::BmpShort);
        let length = at(14)? as usize;
        let pixels_at = at(10)? as usize;
        if length == OS2_1 {
            // The oldest header: no compression, and three bytes per colour in the palette.
            let size = checked(short(18)?.into(), short(20)?.into())?;
            let bits = short(24)?;
            return Ok(Self {
                length,
                pixels_at,
                size,
                is_from_top: false,
                bits,
                compression: Compression::None,
                colours: 0,
                masks: Mask::all(usual_masks(bits)?)?,
            });
        }
        if length < SHORTEST {
            return Err(kind(format!("with a header of {length} bytes")));
        }
        let (width, height) = (at(18)?.cast_signed(), at(22)?.cast_signed());
        let size = checked(u32::try_from(width).unwrap_or(0), height.unsigned_abs())?;
        let bits = short(28)?;
        // A short OS/2 header ends before these fields, which then are 0.
        let field = |place: usize| {
            if place + 4 <= FILE_HEADER + length {
                at(place)
            } else {
                Ok(0)
            }
        };
        let compression = match (field(30)?, bits) {
            (0, _) => Compression::None,
            (1, 8) | (2, 4) => Compression::Runs,
            (3 | 6, 16 | 32) if length != OS2_2 => Compression::Masks,
            (4 | 5, _) if length != OS2_2 => {
                return Err(kind("with a JPEG or PNG inside".to_owned()));
            }
            (method, _) => return Err(kind(format!("with compression {method} of {bits} bits"))),
        };
        let masks = if compression == Compression::Masks {
            let has_opacity = length >= WITH_OPACITY || field(30)? == 6;
            let opacity = if has_opacity { at(66)? } else { 0 };
            [at(54)?, at(58)?, at(62)?, opacity]
        } else {
            usual_masks(bits)?
        };
        Ok(Self {
            length,
            pixels_at,
            size,
            is_from_top: height < 0,
            bits,
            compression,
            colours: field(46)? as usize,
            masks: Mask::all(masks)?,
        })
    }

    /// Returns the colours of the palette, as far as the file contains them.
    fn palette(&self, bytes: &[u8]) -> Vec<[u8; 3]> {
        let bytes_each = if self.length == OS2_1 { 3 } else { 4 };
        let most = 1_usize << self.bits.min(8);
        let count = match self.colours {
            0 => most,
            told => told.min(most),
        };
        let start = FILE_HEADER.saturating_add(self.length);
        let colours = bytes.get(start..).unwrap_or_default();
        let colours = colours.chunks_exact(bytes_each).take(count);
        colours
            .map(|colour| match *colour {
                [blue, green, red, ..] => [red, green, blue],
                _ => [0; 3],
            })
            .collect()
    }

    /// Returns the number of bytes in a row, including its padding.
    fn stride(&self) -> usize {
        let bits = u64::from(self.size.width) * u64::from(self.bits);
        usize::try_from(bits.div_ceil(32) * 4).unwrap_or(usize::MAX)
    }

    /// Maps a row from the top to a row of the file, and vice versa.
    fn row(&self, place: usize) -> usize {
        if self.is_from_top {
            place
        } else {
            (self.size.height as usize).saturating_sub(place + 1)
        }
    }

    /// Returns the rows from the top.
    fn rows<'b>(&self, pixels: &'b [u8]) -> Result<impl Iterator<Item = &'b [u8]>, Unusable> {
        let height = self.size.height as usize;
        let stride = self.stride();
        // Some programs leave out the padding of the last row.
        let bits = u64::from(self.size.width) * u64::from(self.bits);
        let needed = (stride as u64).saturating_mul(height as u64 - 1) + bits.div_ceil(8);
        if (pixels.len() as u64) < needed {
            return Err(Unusable::BmpShort);
        }
        Ok((0..height).map(move |place| {
            let row = pixels.get(self.row(place) * stride..).unwrap_or_default();
            row.get(..stride).unwrap_or(row)
        }))
    }

    fn indexed(&self, pixels: &[u8], palette: &[[u8; 3]]) -> Result<Vec<[u8; 3]>, Unusable> {
        let width = self.size.width as usize;
        let bits = u32::from(self.bits.max(1));
        let low = u8::try_from((1_u32 << bits) - 1).unwrap_or(u8::MAX);
        let mut rgb = Vec::with_capacity(pixels_of(self.size));
        for row in self.rows(pixels)? {
            let indices = row.iter().flat_map(|byte| {
                (1..=8 / bits).map(move |place| (byte >> (8 - place * bits)) & low)
            });
            rgb.extend(indices.take(width).map(|index| colour_of(palette, index)));
        }
        Ok(rgb)
    }

    fn direct(&self, pixels: &[u8]) -> Result<Vec<[u8; 3]>, Unusable> {
        let width = self.size.width as usize;
        let bytes_each = usize::from(self.bits / 8);
        let colours = || {
            let rows = self.rows(pixels)?;
            let pixels = rows.flat_map(move |row| row.chunks_exact(bytes_each).take(width));
            Ok::<_, Unusable>(pixels.map(|pixel| {
                let mut word = [0; 4];
                word.iter_mut()
                    .zip(pixel)
                    .for_each(|(to, from)| *to = *from);
                let pixel = u32::from_le_bytes(word);
                self.masks.map(|mask| mask.of(pixel))
            }))
        };
        // If every pixel would be invisible, the fourth channel is not an opacity but padding.
        let [.., opacity] = self.masks;
        let has_opacity = opacity.most > 0 && colours()?.any(|[.., opacity]| opacity > 0);
        let mut rgb = Vec::with_capacity(pixels_of(self.size));
        rgb.extend(colours()?.map(|[red, green, blue, opacity]| {
            on_black(&[red, green, blue, if has_opacity { opacity } else { 255 }])
        }));
        Ok(rgb)
    }

    /// Decodes runs of one colour, or of the two halves of a byte in turn. Skipped pixels get the
    /// first colour.
    fn runs(&self, pixels: &[u8], palette: &[[u8; 3]]) -> Vec<[u8; 3]> {
        let (width, height) = (self.size.width as usize, self.size.height as usize);
        let mut rgb = vec![colour_of(palette, 0); pixels_of(self.size)];
        let (mut x, mut y) = (0_usize, 0_usize);
        let is_halves = self.bits == 4;
        let half = |byte: u8, is_second: bool| match (is_halves, is_second) {
            (false, _) => byte,
            (true, false) => byte >> 4,
            (true, true) => byte & 15,
        };
        let mut rest = pixels;
        while let [count, value, behind @ ..] = rest {
            rest = behind;
            if y >= height {
                break;
            }
            let start = self.row(y) * width;
            let row = rgb.get_mut(start..start + width).unwrap_or_default();
            match (*count, *value) {
                (0, 0) => (x, y) = (0, y + 1),
                (0, 1) => break,
                (0, 2) => {
                    let [right, up, behind @ ..] = rest else {
                        break;
                    };
                    x = x.saturating_add(usize::from(*right));
                    y = y.saturating_add(usize::from(*up));
                    rest = behind;
                }
                (0, count) => {
                    // Literal pixels, padded to a whole number of pairs of bytes.
                    let count = usize::from(count);
                    let length = if is_halves { count.div_ceil(2) } else { count };
                    let literal = rest.get(..length).unwrap_or(rest);
                    for (place, slot) in row.iter_mut().skip(x).take(count).enumerate() {
                        let byte = literal.get(if is_halves { place / 2 } else { place });
                        let index = half(*byte.unwrap_or(&0), place % 2 == 1);
                        *slot = colour_of(palette, index);
                    }
                    x = x.saturating_add(count);
                    rest = rest.get(length.next_multiple_of(2)..).unwrap_or_default();
                }
                (count, value) => {
                    let count = usize::from(count);
                    for (place, slot) in row.iter_mut().skip(x).take(count).enumerate() {
                        *slot = colour_of(palette, half(value, place % 2 == 1));
                    }
                    x = x.saturating_add(count);
                }
            }
        }
        rgb
    }
}

/// Returns the masks of a file that has none.
fn usual_masks(bits: u16) -> Result<[u32; 4], Unusable> {
    match bits {
        1 | 2 | 4 | 8 | 24 | 32 => Ok([0xff_0000, 0xff00, 0xff, 0]),
        16 => Ok([0x7c00, 0x03e0, 0x001f, 0]),
        _ => Err(kind(format!("with {bits} bits per pixel"))),
    }
}

impl Mask {
    fn all([red, green, blue, opacity]: [u32; 4]) -> Result<[Self; 4], Unusable> {
        let read = Self::read;
        Ok([read(red)?, read(green)?, read(blue)?, read(opacity)?])
    }

    fn read(mask: u32) -> Result<Self, Unusable> {
        let shift = mask.trailing_zeros().min(31);
        let most = mask >> shift;
        // Adjacent ones are one less than a power of two.
        if most
            .checked_add(1)
            .is_some_and(|next| !next.is_power_of_two())
        {
            return Err(kind("whose colour masks have gaps".to_owned()));
        }
        Ok(Self { shift, most })
    }

    /// Returns the channel of a pixel, scaled to eight bits.
    fn of(self, pixel: u32) -> u8 {
        if self.most == 0 {
            return 0;
        }
        let (value, most) = (
            u64::from((pixel >> self.shift) & self.most),
            u64::from(self.most),
        );
        u8::try_from((value * 255 + most / 2) / most).unwrap_or(u8::MAX)
    }
}

fn colour_of(palette: &[[u8; 3]], index: u8) -> [u8; 3] {
    palette.get(usize::from(index)).copied().unwrap_or_default()
}

fn kind(what: String) -> Unusable {
    Unusable::BmpKind(what)
}

fn u16_at(bytes: &[u8], place: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(place..)?.first_chunk()?))
}

fn u32_at(bytes: &[u8], place: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(place..)?.first_chunk()?))
}

const FILE_HEADER: usize = 14;
/// The length of an OS/2 1.x header.
const OS2_1: usize = 12;
/// The length of a complete OS/2 2.x header, which has its own numbers for compressions.
const OS2_2: usize = 64;
/// The length of the shortest header that contains the number of bits per pixel.
const SHORTEST: usize = 16;
/// The minimum length of a header with a mask for the opacity.
const WITH_OPACITY: usize = 56;
