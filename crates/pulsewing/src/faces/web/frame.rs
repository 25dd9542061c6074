//! The picture as on a device.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    extract::Query,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use embedded_graphics::geometry::Size;
use pulsewing_screen::{Palette, Theme};
use serde::Deserialize;

use super::{layout, subject::Subject};
use crate::{
    config::wearer::WearerId,
    daemon::{Members, Notice, Snapshot},
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

/// The last picture of each wearer, so that many requests cost no more than one.
#[derive(Debug, Default)]
pub(super) struct Cache(Mutex<BTreeMap<WearerId, Drawn>>);

#[derive(Debug)]
struct Drawn {
    wanted: Wanted,
    minute: i64,
    /// The snapshot that it shows, identified by its address; holding it keeps that address in use.
    snapshot: Arc<Snapshot>,
    png: Vec<u8>,
}

impl Cache {
    /// Forgets the pictures of wearers who are gone.
    fn retain(&self, members: &Members) {
        let members = members.all();
        let is_there = |id: &WearerId| members.iter().any(|member| member.wearer.id == *id);
        self.drawn().retain(|id, _| is_there(id));
    }

    fn drawn(&self) -> MutexGuard<'_, BTreeMap<WearerId, Drawn>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Serves the picture as a PNG.
pub(super) async fn png(subject: Subject, Query(wanted): Query<Wanted>) -> Response {
    let site = &subject.site;
    let now = site.clock.now();
    let snapshot = subject.snapshot();
    let wearer = &subject.wearer;
    let minute = now.utc.as_second().div_euclid(60);
    if let Some(drawn) = site.frames.drawn().get(&wearer.id)
        && drawn.wanted == wanted
        && drawn.minute == minute
        && Arc::ptr_eq(&drawn.snapshot, &snapshot)
    {
        return reply(drawn.png.clone());
    }
    let Some((size, theme, palette)) = parse(&wanted) else {
        return layout::message(
            StatusCode::BAD_REQUEST,
            "There is no such picture",
            "Write a size like this: 480x320. A theme is desk, classic or big; a palette is day, dim or night.",
        );
    };
    let notice = Notice::new(&snapshot, None, now.utc);
    let notice = match site.members.all().len() {
        1 => notice,
        _ => notice.for_wearer(&wearer.id),
    };
    let view = View::of_daemon(&snapshot, &notice, now);
    let theme = theme.or(wearer.theme);
    let mut style = Style::new(&site.config.screen, site.console, theme, palette);
    match style.picture(&view, size).and_then(|picture| picture.png()) {
        Ok(png) => {
            let drawn = Drawn {
                wanted,
                minute,
                snapshot: Arc::clone(&snapshot),
                png: png.clone(),
            };
            site.frames.retain(&site.members);
            site.frames.drawn().insert(wearer.id.clone(), drawn);
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
