//! Wallpapers: the user's picture as stored in a file or in a board's flash, and our own.
//!
//! A picture is converted once, on a machine with enough memory, with [`Wallpaper::encode`]. The
//! device that shows it only calls [`Wallpaper::parse`], once, and passes the result to
//! [`Model::with_wallpaper`](crate::Model::with_wallpaper). [`colours`](crate::colours) then
//! returns the colours that the picture is sent with.
//!
//! # Format
//! Integers are little-endian.
//!
//! | offset | bytes | what |
//! |---|---|---|
//! | 0 | 4 | `PWWP` |
//! | 4 | 2 | version: 1 |
//! | 6 | 2 | reserved: 0 |
//! | 8 | 2 | width in pixels, 1 or more |
//! | 10 | 2 | height in pixels, 1 or more |
//! | 12 | 4 | CRC-32 (IEEE 802.3) of all other bytes |
//! | 16 | 48 | the colours of the sixteen inks by [`Ink::index`]: red, green, blue |
//! | 64 | | pixels as in a [`Frame`]: four bits each, rows padded to whole bytes |
//!
//! Bytes after the pixels are ignored, so a whole partition of flash may be passed.
//!
//! For nine inks the [wallpaper chooses the colours](OWN_INKS). The other seven are those of the
//! words beside it: pixels may use them, but they keep the colours of the [`Palette`], and their
//! colours in the file are ignored.
//!
//! # Size
//! Any size can be shown: the picture is centred in its place, what does not fit is cut off, and
//! unused space is black. Its place is the part of the screen that the notice leaves free, so a
//! picture of the screen's own size is a good choice.

use core::fmt;

use crc::{CRC_32_ISO_HDLC, Crc, Table};
use embedded_graphics::{Pixel, prelude::*, primitives::Rectangle};

use crate::{
    Colours, Frame, Ink, Palette,
    palette::{brightest_backdrop, shade},
};

mod ridges;

/// The inks whose colours are a wallpaper's own.
pub const OWN_INKS: [Ink; 9] = [
    Ink::Red,
    Ink::Violet,
    Ink::Blue,
    Ink::Green,
    Ink::Yellow,
    Ink::Orange,
    Ink::Pink,
    Ink::DimCool,
    Ink::DimWarm,
];

/// The inks of a wallpaper behind a reading, from the darkest; the desk theme and the big face draw with
/// none of them.
pub(crate) const BACKDROP: [Ink; 3] = [Ink::Red, Ink::Violet, Ink::Green];

/// The order in which the pixels of a square of four by four become brighter, in sixteenths (Bayer 1973).
const ORDER: [[u8; 4]; 4] = [[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]];

const MAGIC: &[u8] = b"PWWP";
const VERSION: u16 = 1;

/// The kind of checksum: that of Ethernet and zip. A byte-wise table is fast enough for a board.
static CRC: Crc<u32, Table<1>> = Crc::<u32, Table<1>>::new(&CRC_32_ISO_HDLC);

/// The offset of the colours, where the checksum ends.
const COLOURS_AT: usize = 16;
const PIXELS_AT: usize = COLOURS_AT + 3 * 16;

/// The user's picture.
#[derive(Clone, Debug)]
pub struct Wallpaper<'a> {
    colours: [[u8; 3]; 16],
    picture: Frame<&'a [u8]>,
}

impl<'a> Wallpaper<'a> {
    /// Returns the number of bytes of a wallpaper of this size: 76,864 at 480x320.
    #[must_use]
    pub const fn bytes_for(size: Size) -> usize {
        PIXELS_AT.saturating_add(Frame::<&[u8]>::bytes_for(size))
    }

    /// Reads a wallpaper. This computes the checksum of all of it, so it is best done once.
    ///
    /// # Errors
    /// A [`WallpaperError`] if the bytes are not a wallpaper, or are damaged.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, WallpaperError> {
        let (header, rest) = bytes
            .split_first_chunk::<COLOURS_AT>()
            .ok_or(WallpaperError::TooShort)?;
        let (magic, header) = header.split_at(MAGIC.len());
        if magic != MAGIC {
            return Err(WallpaperError::NoWallpaper);
        }
        let mut numbers = header.as_chunks().0.iter().copied().map(u16::from_le_bytes);
        let mut number = || numbers.next().ok_or(WallpaperError::TooShort);
        let (version, _reserved) = (number()?, number()?);
        if version != VERSION {
            return Err(WallpaperError::UnknownVersion(version));
        }
        let size = Size::new(number()?.into(), number()?.into());
        if size.width == 0 || size.height == 0 {
            return Err(WallpaperError::NoSize);
        }
        let checksum = u32::from(number()?) | u32::from(number()?) << 16;

        let (colours, pixels) = rest
            .split_first_chunk::<{ 3 * 16 }>()
            .ok_or(WallpaperError::TooShort)?;
        let pixels = pixels
            .get(..Frame::<&[u8]>::bytes_for(size))
            .ok_or(WallpaperError::TooShort)?;
        if checksum != checksum_of(bytes, Self::bytes_for(size)) {
            return Err(WallpaperError::Damaged);
        }
        let (colours, _) = colours.as_chunks();
        Ok(Self {
            colours: colours.try_into().map_err(|_| WallpaperError::TooShort)?,
            picture: Frame::new(size, pixels).ok_or(WallpaperError::TooShort)?,
        })
    }

    /// Writes a wallpaper to the beginning of a buffer of at least
    /// [`bytes_for(size)`](Self::bytes_for) bytes, and reads it back from there.
    ///
    /// `own` are the colours of [`OWN_INKS`], in their order.
    ///
    /// # Errors
    /// [`WallpaperError::TooShort`] if the buffer is too short, and [`WallpaperError::NoSize`] if a
    /// side of the picture is 0 or more than 65,535 pixels long.
    pub fn encode<B: AsRef<[u8]>>(
        picture: &Frame<B>,
        own: &[[u8; 3]; OWN_INKS.len()],
        buffer: &'a mut [u8],
    ) -> Result<Self, WallpaperError> {
        let size = picture.size();
        let side = |length: u32| match u16::try_from(length) {
            Ok(length @ 1..) => Ok(length.to_le_bytes()),
            _ => Err(WallpaperError::NoSize),
        };
        let (width, height) = (side(size.width)?, side(size.height)?);
        let colours = colours_of(own);
        let buffer = buffer
            .get_mut(..Self::bytes_for(size))
            .ok_or(WallpaperError::TooShort)?;
        let pieces: [&[u8]; 8] = [
            MAGIC,
            &VERSION.to_le_bytes(),
            &[0; 2],
            &width,
            &height,
            &[0; 4],
            colours.rgb888().as_flattened(),
            picture.bytes(),
        ];
        let bytes = pieces.into_iter().flatten();
        buffer
            .iter_mut()
            .zip(bytes)
            .for_each(|(to, from)| *to = *from);
        let checksum = checksum_of(buffer, buffer.len()).to_le_bytes();
        if let Some(place) = buffer.get_mut(COLOURS_AT - checksum.len()..COLOURS_AT) {
            place.copy_from_slice(&checksum);
        }
        Self::parse(buffer)
    }

    /// Returns the picture.
    #[must_use]
    pub const fn picture(&self) -> &Frame<&'a [u8]> {
        &self.picture
    }

    /// Returns the colours of a frame in which the wallpaper is the background of a reading: dark shades
    /// of its mean colour.
    #[must_use]
    pub(crate) fn backdrop_colours(&self, palette: Palette) -> Colours {
        let own = OWN_INKS.map(|ink| self.colours.get(usize::from(ink.index())));
        let mut sums = [0_u32; 3];
        for rgb in own.into_iter().flatten() {
            for (sum, channel) in sums.iter_mut().zip(rgb) {
                *sum += u32::from(*channel);
            }
        }
        let strongest = sums.into_iter().max().unwrap_or(0).max(1);
        let brightest = u32::from(brightest_backdrop(palette));
        Colours::from_rgb(
            |ink| match (1..).zip(BACKDROP).find(|(_, own)| *own == ink) {
                Some((level, _)) => sums.map(|sum| {
                    // Half of the mean colour, half grey: a hint of it is enough.
                    let share = (sum + strongest) / 2;
                    let channel = brightest * level / 3 * share / strongest;
                    u8::try_from(channel).unwrap_or(0)
                }),
                None => ink.in_palette(palette),
            },
        )
    }

    /// Returns how bright an ink of the picture is, 0 to 48: three steps of sixteen.
    fn brightness(&self, ink: Ink) -> u8 {
        let rgb = match self.colours.get(usize::from(ink.index())) {
            Some(own) if OWN_INKS.contains(&ink) => *own,
            _ => ink.rgb(),
        };
        let weighed = rgb.into_iter().zip([54_u32, 183, 19]);
        let luma: u32 = weighed
            .map(|(channel, share)| u32::from(channel) * share)
            .sum();
        u8::try_from(luma * 48 / (255 * 256)).unwrap_or(48)
    }

    /// Returns the colours of a frame in which the wallpaper is visible.
    #[must_use]
    pub fn colours(&self, palette: Palette) -> Colours {
        Colours::from_rgb(|ink| match self.colours.get(usize::from(ink.index())) {
            Some(own) if OWN_INKS.contains(&ink) => shade(palette, *own),
            _ => ink.in_palette(palette),
        })
    }
}

/// Returns the sixteen colours, by day, of a wallpaper whose [own inks](OWN_INKS) have the colours
/// `own`, in their order. A converter chooses from these with [`Colours::nearest`].
#[must_use]
pub fn colours_of(own: &[[u8; 3]; OWN_INKS.len()]) -> Colours {
    Colours::from_rgb(|ink| {
        let mut own = OWN_INKS.into_iter().zip(own);
        let own = own.find(|(own, _)| *own == ink);
        own.map_or_else(|| ink.rgb(), |(_, colour)| *colour)
    })
}

/// An error in the bytes of a wallpaper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WallpaperError {
    /// There are fewer bytes than the picture needs.
    TooShort,
    /// The bytes are not a wallpaper.
    NoWallpaper,
    /// A later version of Pulsewing wrote the bytes.
    UnknownVersion(u16),
    /// The width or the height of the picture is zero or too large.
    NoSize,
    /// The bytes are not those that were written.
    Damaged,
}

impl fmt::Display for WallpaperError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooShort => f.write_str("the wallpaper is cut off"),
            Self::NoWallpaper => f.write_str("this is not a Pulsewing wallpaper"),
            Self::UnknownVersion(version) => {
                write!(
                    f,
                    "the wallpaper has version {version}, but only {VERSION} is known"
                )
            }
            Self::NoSize => f.write_str("the wallpaper's size is not possible"),
            Self::Damaged => f.write_str("the wallpaper's checksum is wrong"),
        }
    }
}

impl core::error::Error for WallpaperError {}

/// Returns the CRC-32 of the first `length` bytes, without those of the checksum itself.
fn checksum_of(bytes: &[u8], length: usize) -> u32 {
    let mut digest = CRC.digest();
    digest.update(bytes.get(..COLOURS_AT - 4).unwrap_or(bytes));
    digest.update(bytes.get(COLOURS_AT..length).unwrap_or_default());
    digest.finalize()
}

/// Fills a target with the user's picture, otherwise with our own.
pub(crate) fn draw<D: DrawTarget<Color = Ink>>(
    wallpaper: Option<&Wallpaper<'_>>,
    target: &mut D,
) -> Result<(), D::Error> {
    match wallpaper {
        Some(wallpaper) => draw_picture(&wallpaper.picture, target, |_, ink| ink),
        None => ridges::draw(target),
    }
}

/// Draws a wallpaper over the whole of a target, dark enough to be behind a reading.
pub(crate) fn draw_backdrop<D: DrawTarget<Color = Ink>>(
    wallpaper: &Wallpaper<'_>,
    target: &mut D,
) -> Result<(), D::Error> {
    let steps = Ink::ALL.map(|ink| wallpaper.brightness(ink));
    draw_picture(&wallpaper.picture, target, |at, ink| {
        let brightness = steps.get(usize::from(ink.index())).copied().unwrap_or(0);
        let [x, y] = [at.x, at.y].map(|part| usize::try_from(part.rem_euclid(4)).unwrap_or(0));
        let order = ORDER.get(y).and_then(|row| row.get(x)).copied();
        let level = (brightness + order.unwrap_or(0)) / 16;
        let shade = usize::from(level).checked_sub(1);
        let shade = shade.and_then(|shade| BACKDROP.get(shade.min(BACKDROP.len() - 1)));
        shade.copied().unwrap_or(Ink::Ground)
    })
}

/// Draws a picture centred in the target, with the inks that `ink` makes of its pixels; what does not fit
/// is left out.
fn draw_picture<D: DrawTarget<Color = Ink>>(
    picture: &Frame<&[u8]>,
    target: &mut D,
    ink: impl Fn(Point, Ink) -> Ink,
) -> Result<(), D::Error> {
    let area = target.bounding_box();
    let (room, size) = (area.size, picture.size());
    let shift = |room: u32, size: u32| (i64::from(room) - i64::from(size)).div_euclid(2);
    let corner = Point::new(
        i32::try_from(shift(room.width, size.width)).unwrap_or(0),
        i32::try_from(shift(room.height, size.height)).unwrap_or(0),
    );
    let seen = Rectangle::new(corner, size).intersection(&area);
    let pixels = seen.points().map(|at| {
        Pixel(
            at,
            ink(at, picture.pixel(at - corner).unwrap_or(Ink::Ground)),
        )
    });
    target.draw_iter(pixels)
}

#[cfg(test)]
mod tests {
    use std::{vec, vec::Vec};

    use proptest::prelude::*;

    use super::*;

    const OWN: [[u8; 3]; 9] = [[200, 10, 20]; 9];

    fn encoded(size: Size, ink: Ink) -> Vec<u8> {
        let mut picture = Frame::new(size, vec![0; Frame::<&[u8]>::bytes_for(size)]).unwrap();
        picture.clear(ink).unwrap();
        let mut bytes = vec![0xff; Wallpaper::bytes_for(size)];
        Wallpaper::encode(&picture, &OWN, &mut bytes).unwrap();
        bytes
    }

    #[test]
    fn a_wallpaper_is_the_bytes_that_its_format_says() {
        let bytes = encoded(Size::new(3, 1), Ink::Pink);
        assert_eq!(bytes[..12], *b"PWWP\x01\0\0\0\x03\0\x01\0");
        assert_eq!(bytes[16..22], [0, 0, 0, 255, 255, 255]);
        assert_eq!(bytes[16 + 3 * 11..][..3], [200, 10, 20]);
        assert_eq!(bytes[64..], [0xbb, 0xbb]);
    }

    #[test]
    fn a_background_is_never_brighter_than_text_allows() {
        let bytes = encoded(Size::new(8, 8), Ink::Pink);
        let wallpaper = Wallpaper::parse(&bytes).unwrap();
        for palette in Palette::ALL {
            let colours = wallpaper.backdrop_colours(palette);
            let shades = BACKDROP.map(|ink| colours.rgb(ink));
            let most = brightest_backdrop(palette);
            assert!(shades.as_flattened().iter().all(|channel| *channel <= most));
            // Lighter from shade to shade, unless there is no room for that.
            let red = shades.map(|[red, ..]| red);
            assert!(red.is_sorted() && (most == 0 || red[0] < red[2]), "{red:?}");
            assert_eq!(colours.rgb(Ink::Blue), Ink::Blue.in_palette(palette));
        }
        // A bright picture uses all of it, and a black one nothing.
        let drawn = |ink: Ink| {
            let bytes = encoded(Size::new(8, 8), ink);
            let mut frame = Frame::new(Size::new(8, 8), vec![0; 32]).unwrap();
            draw_backdrop(&Wallpaper::parse(&bytes).unwrap(), &mut frame).unwrap();
            frame.pixels().collect::<Vec<_>>()
        };
        assert!(drawn(Ink::Text).iter().all(|ink| *ink == Ink::Green));
        assert!(drawn(Ink::Ground).iter().all(|ink| *ink == Ink::Ground));
    }

    #[test]
    fn the_checksum_is_the_usual_crc_32() {
        let bytes = *b"from the firskip123456789";
        let skipped = crc_32(b"from the fir123456789");
        assert_eq!(checksum_of(&bytes, bytes.len()), skipped);
        // The well-known check value.
        assert_eq!(crc_32(b"123456789"), 0xcbf4_3926);
    }

    /// Computes it bit by bit, as in the standard.
    fn crc_32(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(u32::MAX, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
                crc >> 1 ^ (0xedb8_8320 * (crc & 1))
            })
        })
    }

    #[test]
    fn what_follows_a_wallpaper_in_flash_is_not_looked_at() {
        let mut bytes = encoded(Size::new(5, 4), Ink::Blue);
        bytes.extend([0xff; 100]);
        let wallpaper = Wallpaper::parse(&bytes).unwrap();
        assert_eq!(wallpaper.picture().size(), Size::new(5, 4));
        assert_eq!(wallpaper.picture().pixel(Point::new(4, 3)), Some(Ink::Blue));
    }

    #[test]
    fn what_is_no_wallpaper_is_told_apart() {
        let good = encoded(Size::new(4, 2), Ink::Blue);
        let changed = |place: usize, to: u8| {
            let mut bytes = good.clone();
            bytes[place] = to;
            Wallpaper::parse(&bytes).map(|_| ()).unwrap_err()
        };
        assert_eq!(changed(0, b'p'), WallpaperError::NoWallpaper);
        assert_eq!(changed(4, 2), WallpaperError::UnknownVersion(2));
        assert_eq!(changed(8, 0), WallpaperError::NoSize);
        assert_eq!(changed(8, 9), WallpaperError::TooShort);
        assert_eq!(changed(6, 1), WallpaperError::Damaged);
        let erased = [0xff; 4_096];
        assert!(matches!(
            Wallpaper::parse(&erased),
            Err(WallpaperError::NoWallpaper)
        ));
    }

    #[test]
    fn the_inks_of_the_words_keep_their_colours() {
        let bytes = encoded(Size::new(4, 2), Ink::Blue);
        let wallpaper = Wallpaper::parse(&bytes).unwrap();
        for palette in Palette::ALL {
            let colours = wallpaper.colours(palette);
            for ink in Ink::ALL.into_iter().filter(|ink| !OWN_INKS.contains(ink)) {
                assert_eq!(colours.rgb(ink), ink.in_palette(palette));
            }
        }
        assert_eq!(
            wallpaper.colours(Palette::Day).rgb(Ink::Pink),
            [200, 10, 20]
        );
        assert_eq!(wallpaper.colours(Palette::Day), colours_of(&OWN));
    }

    #[test]
    fn a_picture_of_another_size_is_centred() {
        let one = [0x10];
        let picture = Frame::new(Size::new(1, 1), &one[..]).unwrap();
        let mut frame = Frame::new(Size::new(5, 3), vec![0; 9]).unwrap();
        draw_picture(&picture, &mut frame, |_, ink| ink).unwrap();
        assert_eq!(frame.pixel(Point::new(2, 1)), Some(Ink::Text));
        let large = [0x12; 12];
        let picture = Frame::new(Size::new(8, 3), &large[..]).unwrap();
        let mut frame = Frame::new(Size::new(4, 1), vec![0; 2]).unwrap();
        draw_picture(&picture, &mut frame, |_, ink| ink).unwrap();
        assert_eq!(frame.bytes(), [0x12, 0x12]);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_bytes_are_a_wallpaper_or_an_error(
            mut bytes in prop::collection::vec(any::<u8>(), 0..300),
            start in prop::sample::select(vec![&b""[..], b"PWWP", b"PWWP\x01\0\0\0\x05\0\x09\0"]),
        ) {
            bytes.splice(..0, start.iter().copied());
            if let Ok(wallpaper) = Wallpaper::parse(&bytes) {
                let mut frame = Frame::new(Size::new(40, 30), vec![0; 600]).unwrap();
                draw(Some(&wallpaper), &mut frame).unwrap();
            }
        }

        #[test]
        fn what_was_written_is_read(
            width in 1_u32..40, height in 1_u32..20, seed in any::<u8>(),
            own in prop::array::uniform9(any::<[u8; 3]>()),
        ) {
            let size = Size::new(width, height);
            let length = Frame::<&[u8]>::bytes_for(size);
            let pixels: Vec<u8> = (0..length).map(|n| (n as u8).wrapping_mul(seed)).collect();
            let picture = Frame::new(size, pixels).unwrap();
            let mut bytes = vec![0; Wallpaper::bytes_for(size)];
            Wallpaper::encode(&picture, &own, &mut bytes).unwrap();
            let read = Wallpaper::parse(&bytes).unwrap();
            prop_assert_eq!(read.picture().bytes(), picture.bytes());
            prop_assert_eq!(read.picture().size(), size);
            prop_assert_eq!(read.colours(Palette::Day), colours_of(&own));
        }

        #[test]
        fn a_flipped_bit_is_noticed(place in 0_usize..76, bit in 0_u8..8) {
            let mut bytes = encoded(Size::new(4, 6), Ink::Orange);
            bytes[place] ^= 1 << bit;
            prop_assert!(Wallpaper::parse(&bytes).is_err());
        }
    }
}
