//! Compares pictures with accepted ones, pixel by pixel.
//!
//! If one differs, `NAME.new.png` (the new picture) and `NAME.diff.png` (additions in green,
//! removals in red) are written beside it. Look at them; if the new picture is the better one:
//!
//! ```text
//! cargo xtask frames
//! ```

use std::{
    fs::{self, File},
    io::{BufReader, BufWriter},
    path::{Path, PathBuf},
};

use embedded_graphics::prelude::*;
use pulsewing_screen::{Colours, Frame, Ink, Palette};

/// Compares a picture with the accepted one of that name in a folder of the crate.
pub(crate) fn compare(folder: &str, name: &str, drawn: &Frame<Vec<u8>>, colours: &Colours) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let [accepted, new, diff] =
        ["png", "new.png", "diff.png"].map(|end| folder.join(format!("{name}.{end}")));
    if std::env::var_os("PULSEWING_ACCEPT_FRAMES").is_some() {
        write(&accepted, drawn, colours);
        for outdated in [new, diff] {
            let _ = fs::remove_file(outdated);
        }
        return;
    }
    let expected = accepted.exists().then(|| read(&accepted));
    if expected.as_ref().is_some_and(|(size, pixels)| {
        *size == drawn.size() && pixels.iter().copied().eq(seen(drawn, colours))
    }) {
        return;
    }
    write(&new, drawn, colours);
    let different = match expected {
        Some((size, pixels)) if size == drawn.size() => {
            let (difference, count) = difference(&pixels, drawn, colours);
            write(&diff, &difference, &Palette::Day.colours());
            format!(
                "{count} pixels differ from {}, see {}",
                accepted.display(),
                diff.display()
            )
        }
        Some((size, _)) => format!("{} is {size} in size", accepted.display()),
        None => format!("there is no {}", accepted.display()),
    };
    panic!(
        "{name}: {different}; drawn: {}; to accept: cargo xtask frames",
        new.display()
    );
}

/// Returns the picture in grey, with additions in green and removals in red; and the number of
/// those pixels.
fn difference(
    expected: &[[u8; 3]],
    drawn: &Frame<Vec<u8>>,
    colours: &Colours,
) -> (Frame<Vec<u8>>, usize) {
    let mut difference = drawn.clone();
    let mut count = 0;
    for ((at, old), new) in drawn
        .bounding_box()
        .points()
        .zip(expected)
        .zip(drawn.pixels())
    {
        let ink = match (*old == colours.rgb(new), new) {
            (true, Ink::Ground) => Ink::Ground,
            (true, _) => Ink::Quiet,
            (false, Ink::Ground) => Ink::Red,
            (false, _) => Ink::Green,
        };
        count += usize::from(*old != colours.rgb(new));
        difference.draw_iter([Pixel(at, ink)]).unwrap();
    }
    (difference, count)
}

fn seen(frame: &Frame<Vec<u8>>, colours: &Colours) -> impl Iterator<Item = [u8; 3]> {
    frame.pixels().map(move |ink| colours.rgb(ink))
}

fn write(path: &PathBuf, frame: &Frame<Vec<u8>>, colours: &Colours) {
    let size = frame.size();
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut encoder = png::Encoder::new(
        BufWriter::new(File::create(path).unwrap()),
        size.width,
        size.height,
    );
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Four);
    encoder.set_palette(colours.rgb888().as_flattened());
    encoder
        .write_header()
        .unwrap()
        .write_image_data(frame.bytes())
        .unwrap();
}

fn read(path: &PathBuf) -> (Size, Vec<[u8; 3]>) {
    let mut decoder = png::Decoder::new(BufReader::new(File::open(path).unwrap()));
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    assert_eq!(
        (info.color_type, info.bit_depth),
        (png::ColorType::Rgb, png::BitDepth::Eight)
    );
    let (pixels, _) = pixels[..info.buffer_size()].as_chunks::<3>();
    (Size::new(info.width, info.height), pixels.to_vec())
}
