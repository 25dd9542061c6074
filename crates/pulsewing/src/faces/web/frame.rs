//! The picture as on a device.

use std::sync::{Mutex, PoisonError};

use axum::{
    extract::{Query, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use embedded_graphics::geometry::Size;
use pulsewing_screen::{Palette, Theme};
use serde::Deserialize;

use super::{Shared, layout};
use crate::{
    daemon::Notice,
    faces::outputs::{PictureSize, Style, View},
};

/// The limit on the pixels of a picture: those of a Full HD screen.
const MOST_PIXELS: u32 = 1_920 * 1_080;

/// The requested style; the configuration has the defaults.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct Wanted {
    size: Option<String>,
    theme: Option<String>,
    palette: Option<String>,
}

/// The last picture drawn, so that many requests cost no more than one.
#[derive(Debug, Default)]
pub(super) struct Cache(Mutex<Option<Drawn>>);

#[derive(Debug)]
struct Drawn {
    wanted: Wanted,
    minute: i64,
    /// The snapshot that it shows, identified by its address; holding it keeps that address in use.
    snapshot: std::sync::Arc<crate::daemon::Snapshot>,
    png: Vec<u8>,
}

/// Serves the picture as a PNG.
pub(super) async fn png(State(site): State<Shared>, Query(wanted): Query<Wanted>) -> Response {
    let now = site.broadcast.now();
    let snapshot = site.snapshot();
    let minute = now.utc.as_second().div_euclid(60);
    let mut cache = site.frames.0.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(drawn) = &*cache
        && drawn.wanted == wanted
        && drawn.minute == minute
        && std::sync::Arc::ptr_eq(&drawn.snapshot, &snapshot)
    {
        return reply(drawn.png.clone());
    }
    let Some((size, theme, palette)) = parse(&wanted) else {
        return layout::message(
            StatusCode::BAD_REQUEST,
            "There is no such picture",
            "Write a size like this: 480x320. A theme is desk or classic; a palette is day, dim or night.",
        );
    };
    let notice = Notice::new(&snapshot, None);
    let view = View::of_daemon(&snapshot, &notice, now);
    let picture = if theme.is_none() && palette.is_none() {
        site.style().picture(&view, size)
    } else {
        Style::new(&site.config.screen, site.console, theme, palette).picture(&view, size)
    };
    match picture.and_then(|picture| picture.png()) {
        Ok(png) => {
            let drawn = png.clone();
            *cache = Some(Drawn {
                wanted,
                minute,
                snapshot,
                png: drawn,
            });
            reply(png)
        }
        Err(error) => layout::message(
            StatusCode::INTERNAL_SERVER_ERROR,
            "The picture could not be drawn",
            &error.to_string(),
        ),
    }
}

fn parse(wanted: &Wanted) -> Option<(Size, Option<Theme>, Option<Palette>)> {
    let size = match &wanted.size {
        None => Size::new(480, 320),
        Some(text) => {
            let size = text.parse::<PictureSize>().ok()?;
            Some(Size::new(size.width, size.height))
                .filter(|size| size.width * size.height <= MOST_PIXELS)?
        }
    };
    let theme = wanted.theme.as_deref().map(str::parse).transpose().ok()?;
    let palette = wanted.palette.as_deref().map(str::parse).transpose().ok()?;
    Some((size, theme, palette))
}

fn reply(png: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, "image/png")], png).into_response()
}
