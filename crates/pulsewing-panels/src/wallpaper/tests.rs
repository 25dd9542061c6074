use embedded_graphics::{geometry::OriginDimensions, prelude::Point};
use proptest::prelude::*;
use pulsewing_screen::{Palette, wallpaper::colours_of};

use super::{
    decode::{Pixels, decode},
    quantise::quantise,
    *,
};

const RED: [u8; 3] = [250, 20, 10];
const BLUE: [u8; 3] = [10, 30, 240];
const GREEN: [u8; 3] = [20, 200, 90];

fn pixels(width: u32, rgb: &[[u8; 3]]) -> Pixels {
    let height = u32::try_from(rgb.len()).unwrap() / width;
    Pixels {
        size: Size::new(width, height),
        rgb: rgb.to_vec(),
    }
}

fn png_of(
    width: u32,
    height: u32,
    colour: png::ColorType,
    depth: png::BitDepth,
    palette: &[u8],
    data: &[u8],
) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(colour);
    encoder.set_depth(depth);
    if !palette.is_empty() {
        encoder.set_palette(palette);
    }
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(data).unwrap();
    writer.finish().unwrap();
    bytes
}

/// Builds a BMP with a header of 40 bytes, its rows from the bottom.
fn bmp_of(width: i32, height: i32, bits: u16, palette: &[[u8; 4]], rows: &[u8]) -> Vec<u8> {
    let start = 54 + 4 * palette.len();
    let mut bytes = b"BM".to_vec();
    let number = |bytes: &mut Vec<u8>, number: usize| {
        bytes.extend(u32::try_from(number).unwrap().to_le_bytes());
    };
    number(&mut bytes, start + rows.len());
    number(&mut bytes, 0);
    number(&mut bytes, start);
    number(&mut bytes, 40);
    bytes.extend(width.to_le_bytes());
    bytes.extend(height.to_le_bytes());
    bytes.extend(1_u16.to_le_bytes());
    bytes.extend(bits.to_le_bytes());
    number(&mut bytes, 0);
    number(&mut bytes, rows.len());
    number(&mut bytes, 2_835);
    number(&mut bytes, 2_835);
    number(&mut bytes, palette.len());
    number(&mut bytes, 0);
    bytes.extend(palette.as_flattened());
    bytes.extend(rows);
    bytes
}

/// Marks a BMP as compressed.
fn compressed(mut bmp: Vec<u8>, method: u8) -> Vec<u8> {
    bmp[30] = method;
    bmp
}

#[test]
fn pngs_of_every_kind_are_read() {
    use png::{BitDepth::*, ColorType::*};
    let (dark, light) = ([0; 3], [255; 3]);
    for (colour, depth, palette, data, expected) in [
        (
            Rgb,
            Eight,
            &[][..],
            &[250, 20, 10, 10, 30, 240][..],
            [RED, BLUE],
        ),
        // Blended with the screen's black.
        (
            Rgba,
            Eight,
            &[],
            &[250, 20, 10, 255, 255, 255, 255, 0],
            [RED, dark],
        ),
        (Grayscale, Eight, &[], &[0, 77], [dark, [77; 3]]),
        (
            GrayscaleAlpha,
            Eight,
            &[],
            &[200, 128, 9, 255],
            [[100; 3], [9; 3]],
        ),
        (Grayscale, One, &[], &[0b0100_0000], [dark, light]),
        (
            Rgb,
            Sixteen,
            &[],
            &[250, 0, 20, 9, 10, 0, 10, 0, 30, 0, 240, 0],
            [RED, BLUE],
        ),
        (
            Indexed,
            Two,
            &[0, 0, 0, 250, 20, 10, 10, 30, 240],
            &[0b0110_0000],
            [RED, BLUE],
        ),
    ] {
        let bytes = png_of(2, 1, colour, depth, palette, data);
        let read = decode(&bytes).unwrap();
        assert_eq!(read.size, Size::new(2, 1));
        assert_eq!(read.rgb, expected, "{colour:?} {depth:?}");
    }
}

/// Five by three pixels, Adam7; at x, y the colour is 40 x, 80 y, 10 (x + y).
const INTERLACED: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x05\0\0\0\x03\x08\x02\0\0\x01\
    \xa3\x53\x62\x39\0\0\0\x33IDAT\x78\xda\x0d\xc7\xa1\x01\0\x30\x0c\xc3\x30\xe3\xe1\xe2\xe2\
    \xe0\xe1\x1d\x91\x73\x7a\x4e\x4e\x5d\x8d\x64\xd8\x82\x30\xb5\x28\x47\xc9\xdb\x3f\x43\xa3\
    \xf4\xe4\x82\x8f\x5c\x76\x8f\x15\xdf\x0f\xfd\xfe\x0b\x23\x8d\x1c\x0b\xfb\0\0\0\0IEND\xae\
    \x42\x60\x82";

#[test]
fn an_interlaced_png_is_read() {
    let read = decode(INTERLACED).unwrap();
    let expected: Vec<[u8; 3]> = (0..15)
        .map(|place| (place % 5, place / 5))
        .map(|(x, y)| [40 * x, 80 * y, 10 * (x + y)])
        .collect();
    assert_eq!((read.size, read.rgb), (Size::new(5, 3), expected));
}

#[test]
fn bmps_of_the_usual_kinds_are_read() {
    // Blue, green, red; each row padded to four bytes, the lowest row first.
    let rgb = bmp_of(
        2,
        2,
        24,
        &[],
        b"\x5a\xc8\x14\0\0\0\0\0\x0a\x14\xfa\xf0\x1e\x0a\0\0",
    );
    assert_eq!(decode(&rgb).unwrap().rgb, [RED, BLUE, GREEN, [0; 3]]);
    let from_the_top = bmp_of(1, -2, 24, &[], b"\x0a\x14\xfa\0\xf0\x1e\x0a\0");
    assert_eq!(decode(&from_the_top).unwrap().rgb, [RED, BLUE]);
    let wide = bmp_of(2, 1, 32, &[], b"\x0a\x14\xfa\0\xf0\x1e\x0a\0");
    assert_eq!(decode(&wide).unwrap().rgb, [RED, BLUE]);
    let palette = [[0x0a, 0x14, 0xfa, 0], [0xf0, 0x1e, 0x0a, 0]];
    // Two runs of one pixel, then the end.
    let runs = bmp_of(2, 1, 8, &palette, b"\x01\0\x01\x01\0\x01");
    assert_eq!(decode(&compressed(runs, 1)).unwrap().rgb, [RED, BLUE]);
    for (bits, row) in [(1, b"\x40\0\0\0"), (4, b"\x01\0\0\0"), (8, b"\0\x01\0\0")] {
        let few = bmp_of(2, 1, bits, &palette, row);
        assert_eq!(decode(&few).unwrap().rgb, [RED, BLUE], "{bits} bits");
    }
}

/// Builds a BMP with masks and a header of `length` bytes, its rows from the bottom.
fn masked(width: i32, bits: u16, length: u32, masks: &[u32], rows: &[u8]) -> Vec<u8> {
    let mut bytes = compressed(bmp_of(width, 1, bits, &[], &[]), 3);
    bytes[14..18].copy_from_slice(&length.to_le_bytes());
    bytes.extend(masks.iter().flat_map(|mask| mask.to_le_bytes()));
    bytes.resize(bytes.len().max(14 + length as usize), 0);
    let start = u32::try_from(bytes.len()).unwrap();
    bytes[10..14].copy_from_slice(&start.to_le_bytes());
    bytes.extend(rows);
    bytes
}

#[test]
fn the_bits_of_a_bmp_are_what_its_masks_say() {
    const RGB565: [u32; 3] = [0xf800, 0x07e0, 0x001f];
    // Red, and the middle grey; with a header of 40 bytes, followed by the masks.
    let rows = b"\x00\xf8\x10\x84";
    let grey = [132, 130, 132];
    for length in [40, 52, 56, 108, 124] {
        let picture = masked(2, 16, length, &RGB565, rows);
        let read = decode(&picture).unwrap();
        assert_eq!(read.rgb, [[255, 0, 0], grey], "{length}");
    }
    // Without masks each channel has five bits.
    let plain = bmp_of(2, 1, 16, &[], b"\x00\x7c\x10\x42");
    assert_eq!(decode(&plain).unwrap().rgb, [[255, 0, 0], [132; 3]]);
    // An unusual order, ten bits per channel.
    let wide = masked(
        1,
        32,
        40,
        &[0x3ff, 0xf_fc00, 0x3ff0_0000],
        &0x3ff_u32.to_le_bytes(),
    );
    assert_eq!(decode(&wide).unwrap().rgb, [[255, 0, 0]]);
}

#[test]
fn opacity_in_a_bmp_dims_and_its_empty_room_does_not() {
    const BGRA: [u32; 4] = [0xff_0000, 0xff00, 0xff, 0xff00_0000];
    let picture = |rows: &[u8]| decode(&masked(2, 32, 124, &BGRA, rows)).unwrap().rgb;
    assert_eq!(
        picture(b"\x0a\x14\xfa\xff\xc8\xc8\xc8\x80"),
        [RED, [100; 3]]
    );
    assert_eq!(picture(b"\x0a\x14\xfa\0\xf0\x1e\x0a\0"), [RED, BLUE]);
    // With a header of 40 bytes the fourth mask exists only if the header says so.
    let short = masked(2, 32, 40, &BGRA, b"\x0a\x14\xfa\xff\xc8\xc8\xc8\x80");
    assert_eq!(decode(&short).unwrap().rgb, [RED, [200; 3]]);
    assert_eq!(decode(&compressed(short, 6)).unwrap().rgb, [RED, [100; 3]]);
}

/// Builds a BMP as OS/2 1.x wrote them.
fn of_os2(width: u16, height: u16, bits: u16, palette: &[[u8; 3]], rows: &[u8]) -> Vec<u8> {
    let start = u32::try_from(26 + 3 * palette.len()).unwrap();
    let mut bytes = b"BM".to_vec();
    bytes.extend([0; 8]);
    bytes.extend(start.to_le_bytes());
    bytes.extend(12_u32.to_le_bytes());
    for number in [width, height, 1, bits] {
        bytes.extend(number.to_le_bytes());
    }
    bytes.extend(palette.as_flattened());
    bytes.extend(rows);
    bytes
}

#[test]
fn bmps_of_os2_have_the_size_that_they_say() {
    // Two rows; width and height read as one four-byte value would be a width of 131,074.
    let rows = b"\x5a\xc8\x14\0\0\0\0\0\x0a\x14\xfa\xf0\x1e\x0a\0\0";
    let old = decode(&of_os2(2, 2, 24, &[], rows)).unwrap();
    assert_eq!(
        (old.size, old.rgb),
        (Size::new(2, 2), vec![RED, BLUE, GREEN, [0; 3]])
    );
    let palette = [[0x0a, 0x14, 0xfa], [0xf0, 0x1e, 0x0a]];
    let few = decode(&of_os2(2, 1, 8, &palette, b"\0\x01\0\0")).unwrap();
    assert_eq!(few.rgb, [RED, BLUE]);
    let none = decode(&of_os2(0, 7, 24, &[], &[])).unwrap_err();
    assert!(matches!(none, Unusable::Empty), "{none}");
    // OS/2 2.x: 64 bytes, or fewer; fields at the same places as in Windows.
    for length in [16, 64] {
        let mut later = bmp_of(2, 1, 24, &[], &[]);
        later[14..18].copy_from_slice(&u32::to_le_bytes(length));
        later.resize(14 + length as usize, 0);
        let start = u32::try_from(later.len()).unwrap();
        later[10..14].copy_from_slice(&start.to_le_bytes());
        later.extend(b"\x0a\x14\xfa\xf0\x1e\x0a\0\0");
        assert_eq!(decode(&later).unwrap().rgb, [RED, BLUE], "{length}");
    }
}

#[test]
fn a_bmp_that_is_not_read_says_what_about_it() {
    let told = |bytes: &[u8]| decode(bytes).unwrap_err().to_string();
    let whole = bmp_of(2, 2, 24, &[], &[7; 16]);
    assert!(told(&whole[..60]).contains("ends before its last pixel"));
    assert!(told(&whole[..20]).contains("ends before its last pixel"));
    let odd = bmp_of(2, 1, 13, &[], &[0; 8]);
    assert!(told(&odd).contains("13 bits per pixel"), "{}", told(&odd));
    let packed = compressed(bmp_of(2, 1, 24, &[], &[0; 8]), 4);
    assert!(told(&packed).contains("JPEG or PNG inside"));
    let gaps = masked(1, 16, 40, &[0xa000, 0x07e0, 0x001f], &[0; 4]);
    assert!(told(&gaps).contains("masks have gaps"));
    for message in [told(&odd), told(&packed), told(&gaps)] {
        assert!(message.contains("save it as a PNG"), "{message}");
    }
}

#[test]
fn runs_that_jump_and_literals_are_read() {
    let palette = [
        [0, 0, 0, 0],
        [0x0a, 0x14, 0xfa, 0],
        [0xf0, 0x1e, 0x0a, 0],
        [0x5a, 0xc8, 0x14, 0],
    ];
    // Three literal pixels and their padding, the end of the row, a skip of one to the right, a run
    // past the edge.
    let eight = bmp_of(
        3,
        2,
        8,
        &palette,
        b"\0\x03\x01\x02\x03\0\0\0\0\x02\x01\0\x09\x02\0\x01",
    );
    let expected = [[0; 3], BLUE, BLUE, RED, BLUE, GREEN];
    assert_eq!(decode(&compressed(eight, 1)).unwrap().rgb, expected);
    // Alternating halves, and five literal pixels.
    let four = bmp_of(5, 2, 4, &palette, b"\0\x05\x12\x31\x20\0\0\0\x05\x12\0\x01");
    assert_eq!(
        decode(&compressed(four, 2)).unwrap().rgb,
        [RED, BLUE, RED, BLUE, RED, RED, BLUE, GREEN, RED, BLUE]
    );
}

#[test]
fn a_picture_that_is_too_large_is_refused_by_what_it_says_of_itself() {
    let bmp = bmp_of(50_000, 50_000, 24, &[], &[]);
    let told = decode(&bmp).unwrap_err().to_string();
    assert!(told.contains("50000x50000"), "{told}");
    let none = decode(&bmp_of(0, 7, 24, &[], &[])).unwrap_err();
    assert!(matches!(none, Unusable::Empty), "{none}");
    let file = tempfile::NamedTempFile::new().unwrap();
    file.as_file().set_len(MOST_BYTES + 1).unwrap();
    let told = convert(file.path(), Size::new(8, 8)).unwrap_err();
    assert!(matches!(told, Unusable::TooLong), "{told}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_bring_the_decoder_down(
        kind in 0_usize..10,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
        cut in any::<prop::sample::Index>(),
        is_cut in any::<bool>(),
    ) {
        let row = [0x55; 64];
        let palette = [[1, 2, 3, 0]; 16];
        let mut bytes = match kind {
            0 => bmp_of(5, 3, 24, &[], &row),
            1 => bmp_of(5, -3, 32, &[], &row),
            2 => bmp_of(5, 3, 4, &palette, &row),
            3 => bmp_of(5, 3, 16, &[], &row),
            4 => INTERLACED.to_vec(),
            // Run lengths.
            5 => compressed(bmp_of(5, 3, 8, &palette, &row), 1),
            6 => compressed(bmp_of(5, 3, 4, &palette, &row), 2),
            7 => masked(5, 32, 124, &[0xff, 0xff00, 0xff_0000, 0xff00_0000], &row),
            8 => of_os2(5, 3, 8, &[[1, 2, 3]; 16], &row),
            _ => png_of(3, 3, png::ColorType::Grayscale, png::BitDepth::Eight, &[], &[7; 9]),
        };
        // Change mostly the header.
        let header = bytes.len().min(60);
        for (place, value) in changes {
            bytes[place.index(header)] = value;
        }
        if is_cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        if let Ok(read) = decode(&bytes) {
            prop_assert!(read.rgb.len() as u64 <= MOST_PIXELS);
            let covering = read.covering(Size::new(16, 9));
            prop_assert_eq!(covering.rgb.len(), 16 * 9);
        }
    }

    #[test]
    fn a_picture_of_any_size_covers_a_screen_of_any_size(
        width in 1_u32..60, height in 1_u32..60, to_width in 1_u32..60, to_height in 1_u32..60,
    ) {
        let one = pixels(width, &vec![GREEN; (width * height) as usize]);
        let covering = one.covering(Size::new(to_width, to_height));
        prop_assert_eq!(covering.rgb, vec![GREEN; (to_width * to_height) as usize]);
    }
}

#[test]
fn a_picture_keeps_its_proportions_and_its_middle() {
    // Too wide: left and right are cut off.
    let wide = pixels(6, &[RED, RED, GREEN, GREEN, BLUE, BLUE].repeat(2));
    assert_eq!(wide.covering(Size::new(1, 1)).rgb, [GREEN]);
    assert_eq!(wide.covering(Size::new(3, 1)).rgb, [RED, GREEN, BLUE]);
    // Too high: top and bottom are cut off.
    let high = pixels(1, &[RED, RED, GREEN, BLUE, BLUE]);
    assert_eq!(high.covering(Size::new(2, 2)).rgb, [GREEN; 4]);
    // Smaller than the screen.
    let small = pixels(2, &[RED, BLUE]);
    assert_eq!(
        small.covering(Size::new(4, 2)).rgb,
        [RED, RED, BLUE, BLUE].repeat(2)
    );
    // A pixel is the mean of what it covers.
    let grid = pixels(2, &[[0; 3], [100; 3], [100; 3], [200; 3]]);
    assert_eq!(grid.covering(Size::new(1, 1)).rgb, [[100; 3]]);
}

#[test]
fn a_picture_of_few_colours_is_shown_as_it_is() {
    let few = [
        RED,
        GREEN,
        BLUE,
        [90, 60, 30],
        [200, 170, 220],
        [0; 3],
        [255; 3],
    ];
    let rgb: Vec<[u8; 3]> = few.iter().copied().cycle().take(700).collect();
    let (frame, own) = quantise(&pixels(35, &rgb)).unwrap();
    let colours = colours_of(&own);
    let shown: Vec<[u8; 3]> = frame.pixels().map(|ink| colours.rgb(ink)).collect();
    assert_eq!(shown, rgb);
}

#[test]
fn a_photograph_keeps_its_brightness_and_its_colours() {
    // A sky that becomes a meadow.
    let rgb: Vec<[u8; 3]> = (0..120_u32 * 80)
        .map(|place| (place % 120, place / 120))
        .map(|(x, y)| match (x / 2 + y) as u8 {
            light @ 0..70 => [light + 60, light + 110, 250 - light / 2],
            light => [light / 2, light + 20, 40 + (x % 7) as u8 * 5],
        })
        .collect();
    let picture = pixels(120, &rgb);
    let (frame, own) = quantise(&picture).unwrap();
    assert_eq!(frame.size(), picture.size);
    let colours = colours_of(&own);
    let mean = |rgb: &mut dyn Iterator<Item = [u8; 3]>| {
        let mut sums = [0_f64; 3];
        for pixel in rgb {
            for (sum, channel) in sums.iter_mut().zip(pixel) {
                *sum += f64::from(channel) / 9_600.0;
            }
        }
        sums
    };
    let shown = mean(&mut frame.pixels().map(|ink| colours.rgb(ink)));
    let wanted = mean(&mut rgb.iter().copied());
    for (shown, wanted) in shown.into_iter().zip(wanted) {
        assert!((shown - wanted).abs() < 2.0, "{shown:?}, not {wanted:?}");
    }
}

#[test]
fn a_wallpaper_is_converted_for_each_size_of_screen() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let bytes = png_of(
        2,
        1,
        png::ColorType::Rgb,
        png::BitDepth::Eight,
        &[],
        &[250, 20, 10, 10, 30, 240],
    );
    std::fs::write(file.path(), bytes).unwrap();
    let mut own = UserPicture::new(file.path().to_owned());
    for size in [
        Size::new(480, 320),
        Size::new(320, 240),
        Size::new(480, 320),
    ] {
        let wallpaper = own.for_size(size, |_, why| panic!("{why}")).unwrap();
        assert_eq!(wallpaper.picture().size(), size);
        let colours = wallpaper.colours(Palette::Day);
        let at = |x, y| colours.rgb(wallpaper.picture().pixel(Point::new(x, y)).unwrap());
        assert_eq!((at(3, 3), at(size.width.cast_signed() - 3, 3)), (RED, BLUE));
    }
    // It is not read again.
    drop(file);
    let mut is_shown = |size| own.for_size(size, |_, _| ()).is_some();
    assert!(is_shown(Size::new(320, 240)) && !is_shown(Size::new(160, 80)));
}

#[test]
fn a_picture_that_cannot_be_used_is_complained_of_once() {
    let mut own = UserPicture::new("/no/such/picture.png".into());
    let mut complaints = 0;
    for size in [Size::new(480, 320), Size::new(320, 240)] {
        assert!(own.for_size(size, |_, _| complaints += 1).is_none());
    }
    assert_eq!(complaints, 1);
}
