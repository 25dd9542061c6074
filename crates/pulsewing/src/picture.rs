//! The picture as a PNG file.

use std::{
    convert::Infallible,
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::Path,
};

use embedded_graphics::geometry::Size;
use jiff::Timestamp;
use pulsewing_core::reading::{Freshness, Reading};
use pulsewing_screen::{Frame, Ink, Model, Theme, draw};

use crate::{cli::PictureSize, config::Config, problem::Problem};

/// The theme that is asked for, else the configured one, else desk.
///
/// # Errors
/// A [`Problem`] when the configured one is unknown.
pub fn theme(asked: Option<Theme>, config: &Config) -> Result<Theme, Problem> {
    match (asked, &config.screen.theme) {
        (Some(theme), _) => Ok(theme),
        (None, Some(name)) => name.parse().map_err(|_| {
            Problem::failed(format!("[screen] theme names the unknown theme \"{name}\""))
                .hint("the themes are desk and classic")
        }),
        (None, None) => Ok(Theme::default()),
    }
}

/// Draws a reading and writes it as a PNG. The file takes its place only when it is complete, so
/// that whoever shows it never sees half a picture.
///
/// # Errors
/// A [`Problem`] when it cannot be written.
pub fn write(
    path: &Path,
    reading: &Reading,
    now: Timestamp,
    freshness: Freshness,
    theme: Theme,
    size: PictureSize,
) -> Result<(), Problem> {
    let model = Model::new(reading, now, freshness, theme);
    let size = Size::new(size.width, size.height);
    let buffer = vec![0; Frame::<Vec<u8>>::bytes_for(size)];
    let frame = Frame::new(size, buffer).map(|mut frame| {
        let Ok(()): Result<(), Infallible> = draw(&model, &mut frame);
        frame
    });
    let written = match frame {
        Some(frame) => write_frame(path, &frame, size),
        None => Err(io::Error::other("the picture has no size")),
    };
    written.map_err(|error| {
        Problem::failed(format!(
            "the picture {} could not be written",
            path.display()
        ))
        .caused_by(&error)
    })
}

fn write_frame(path: &Path, frame: &Frame<Vec<u8>>, size: Size) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = path.with_file_name(name);
    let mut file = BufWriter::new(File::create(&new)?);
    // The frame's own format: sixteen colours, two pixels a byte.
    let mut encoder = png::Encoder::new(&mut file, size.width, size.height);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Four);
    encoder.set_palette(Ink::ALL.into_iter().flat_map(Ink::rgb).collect::<Vec<u8>>());
    encoder
        .write_header()
        .and_then(|mut writer| writer.write_image_data(frame.bytes()))
        .map_err(io::Error::other)?;
    file.flush()?;
    drop(file);
    fs::rename(new, path)
}
