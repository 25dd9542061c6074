//! Pictures that were accepted, and the one way to accept others.
//!
//! If a picture differs, `NAME.new.png` (the new picture) and `NAME.diff.png` (additions in green,
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

use crate::pictures::Picture;

/// The variable with which tests replace what was accepted by what they draw.
pub const ACCEPT: &str = "PULSEWING_ACCEPT_FRAMES";

/// Returns whether tests are to replace what was accepted.
#[must_use]
pub fn is_accepting() -> bool {
    std::env::var_os(ACCEPT).is_some()
}

/// Returns a path below the workspace's root.
#[must_use]
pub fn in_workspace(path: &str) -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors()
        .nth(2)
        .expect("crates/ is in the root")
        .join(path)
}

/// Compares a picture with the accepted one of that name in a folder of the workspace.
///
/// # Panics
///
/// If they differ, or if there is no accepted one.
pub fn compare(folder: &str, name: &str, drawn: &Frame<Vec<u8>>, colours: &Colours) {
    let folder = in_workspace(folder);
    let [accepted, new, diff] =
        ["png", "new.png", "diff.png"].map(|end| folder.join(format!("{name}.{end}")));
    let expected = accepted.exists().then(|| read(&accepted));
    let size = (drawn.size().width, drawn.size().height);
    let rgb = drawn.pixels().map(|ink| colours.rgb(ink)).collect();
    let is_same = expected == Some(Picture { size, rgb });
    if is_accepting() {
        // A picture with the same pixels stays as it is, however it was compressed.
        if !is_same {
            write(&accepted, drawn, colours);
        }
        for outdated in [new, diff] {
            let _ = fs::remove_file(outdated);
        }
        return;
    }
    if is_same {
        return;
    }
    write(&new, drawn, colours);
    let different = match expected {
        Some(expected) if expected.size == size => {
            let (difference, count) = difference(&expected.rgb, drawn, colours);
            write(&diff, &difference, &Colours::from(Palette::Day));
            format!(
                "{count} pixels differ from {}, see {}",
                accepted.display(),
                diff.display()
            )
        }
        Some(Picture { size, .. }) => format!("{} is {size:?} in size", accepted.display()),
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

/// Reads a picture from a file.
///
/// # Panics
///
/// If there is none.
#[must_use]
pub fn read(path: &Path) -> Picture {
    Picture::read(BufReader::new(File::open(path).unwrap()))
}

fn write(path: &Path, frame: &Frame<Vec<u8>>, colours: &Colours) {
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
