//! The board's screen as a picture.
//!
//! The reply to `shot` is the size (`frame 480 320`), sixteen colours (`palette RRGGBB …`), and a
//! line for each row, from the top (`row BASE64`). A row's first byte is its encoding: 0, two
//! pixels per byte, the left one in the upper half; 1, runs; 2, the same as the row above. A run's
//! first byte has the ink in its lower half and the number of pixels in its upper half; if that is
//! 0, the number is the next byte plus 16.

use std::io::{self, Write};

use base64ct::{Base64, Encoding};

use crate::SessionError;

/// The longest side that is accepted, in pixels.
const MAX_SIDE: usize = 2_048;

/// A picture of sixteen colours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shot {
    width: usize,
    /// The colour number of each pixel.
    pixels: Vec<u8>,
    palette: [[u8; 3]; 16],
}

impl Shot {
    /// Parses the lines of a reply.
    ///
    /// # Errors
    /// [`SessionError::Nonsense`].
    pub fn parse(lines: &[String]) -> Result<Self, SessionError> {
        let mut lines = lines.iter();
        let (width, height) = lines
            .next()
            .and_then(|line| size(line))
            .ok_or(SessionError::Nonsense("the picture has no size"))?;
        let palette = lines
            .next()
            .and_then(|line| palette(line))
            .ok_or(SessionError::Nonsense("the picture has no colours"))?;
        let mut pixels = Vec::with_capacity(width * height);
        let mut above = vec![0; width];
        for line in lines {
            above = line
                .strip_prefix("row ")
                .and_then(|text| Base64::decode_vec(text).ok())
                .and_then(|bytes| row(&bytes, &above))
                .ok_or(SessionError::Nonsense("a row of the picture is damaged"))?;
            if pixels.len() == width * height {
                return Err(SessionError::Nonsense("the picture has too many rows"));
            }
            pixels.extend_from_slice(&above);
        }
        if pixels.len() != width * height {
            return Err(SessionError::Nonsense("the picture has too few rows"));
        }
        Ok(Self {
            width,
            pixels,
            palette,
        })
    }

    /// Returns the width and height in pixels.
    #[must_use]
    pub const fn size(&self) -> (usize, usize) {
        (self.width, self.pixels.len() / self.width)
    }

    /// Writes the bytes of a PNG file.
    ///
    /// # Errors
    /// Whatever the writer reports.
    pub fn encode(&self, to: &mut impl Write) -> io::Result<()> {
        let (width, height) = self.size();
        let side = |pixels| u32::try_from(pixels).map_err(io::Error::other);
        let mut encoder = png::Encoder::new(to, side(width)?, side(height)?);
        encoder.set_color(png::ColorType::Indexed);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_palette(self.palette.concat());
        encoder
            .write_header()
            .and_then(|mut writer| writer.write_image_data(&self.pixels))
            .map_err(io::Error::other)
    }
}

fn size(line: &str) -> Option<(usize, usize)> {
    let (width, height) = line.strip_prefix("frame ")?.split_once(' ')?;
    let side = |text: &str| {
        text.parse()
            .ok()
            .filter(|side| (1..=MAX_SIDE).contains(side))
    };
    Some((side(width)?, side(height)?))
}

fn palette(line: &str) -> Option<[[u8; 3]; 16]> {
    let colours: Option<Vec<[u8; 3]>> = line
        .strip_prefix("palette ")?
        .split(' ')
        .map(|text| {
            let [_, red, green, blue] = u32::from_str_radix(text, 16).ok()?.to_be_bytes();
            (text.len() == 6).then_some([red, green, blue])
        })
        .collect();
    colours?.try_into().ok()
}

fn row(bytes: &[u8], above: &[u8]) -> Option<Vec<u8>> {
    let (how, rest) = bytes.split_first()?;
    let width = above.len();
    match how {
        0 if rest.len() == width.div_ceil(2) => Some(
            rest.iter()
                .flat_map(|byte| [byte >> 4, byte & 0x0f])
                .take(width)
                .collect(),
        ),
        1 => runs(rest, width),
        2 if rest.is_empty() => Some(above.to_vec()),
        _ => None,
    }
}

fn runs(bytes: &[u8], width: usize) -> Option<Vec<u8>> {
    let mut pixels = Vec::with_capacity(width);
    let mut bytes = bytes.iter();
    while let Some(first) = bytes.next() {
        let count = match first >> 4 {
            0 => usize::from(*bytes.next()?) + 16,
            count => usize::from(count),
        };
        pixels.resize(pixels.len() + count, first & 0x0f);
        if pixels.len() > width {
            return None;
        }
    }
    (pixels.len() == width).then_some(pixels)
}

#[cfg(test)]
mod tests {
    use pulsewing_testkit::pictures::Picture;

    use super::*;

    const PALETTE: &str = "palette 000000 ffffff 0000ff 000000 000000 000000 000000 000000 000000 000000 000000 000000 000000 000000 000000 ff8000";

    fn shot(size: &str, rows: &[&[u8]]) -> Result<Shot, SessionError> {
        let mut lines = vec![format!("frame {size}"), PALETTE.to_owned()];
        lines.extend(
            rows.iter()
                .map(|row| format!("row {}", Base64::encode_string(row))),
        );
        Shot::parse(&lines)
    }

    #[test]
    fn every_kind_of_row_is_read() {
        let shot = shot(
            "19 4",
            &[&[1, 0x0f, 3], &[2], &[1, 0x31, 0x02, 0], &packed()],
        )
        .unwrap();
        let (full, mixed) = (vec![15; 19], [vec![1; 3], vec![2; 16]].concat());
        let last: Vec<u8> = (0..19).map(|x| x % 16).collect();
        assert_eq!(shot.pixels, [full.clone(), full, mixed, last].concat());
        assert_eq!(shot.size(), (19, 4));
    }

    fn packed() -> Vec<u8> {
        vec![
            0, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0x01, 0x20,
        ]
    }

    #[test]
    fn damage_is_said() {
        for (size, rows) in [
            ("2 1", [&[1, 0x31][..]].as_slice()),
            ("2 1", &[&[1, 0x11]]),
            ("2 1", &[&[1, 0x01]]),
            ("2 1", &[&[0, 0x11, 0x11]]),
            ("2 1", &[&[3]]),
            ("2 1", &[&[]]),
            ("2 1", &[]),
            ("2 1", &[&[2], &[2]]),
            ("0 1", &[]),
            ("2 99999", &[]),
            ("2", &[]),
        ] {
            assert!(shot(size, rows).is_err(), "{size} {rows:?}");
        }
        assert!(Shot::parse(&["frame 1 1".into(), "palette 000000".into()]).is_err());
    }

    #[test]
    fn the_file_holds_the_colours_that_the_board_shows() {
        let mut file = Vec::new();
        let shot = shot("2 1", &[&[1, 0x1f, 0x12]]).unwrap();
        shot.encode(&mut file).unwrap();
        let picture = Picture::read(io::Cursor::new(file));
        assert_eq!(picture.size, (2, 1));
        assert_eq!(picture.rgb, [[0xff, 0x80, 0], [0, 0, 0xff]]);
    }
}
