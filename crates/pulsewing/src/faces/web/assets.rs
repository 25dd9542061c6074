//! The style sheet, the script and the icons. The addresses of the first two change with their contents,
//! so browsers may cache them forever.

use std::sync::LazyLock;

use axum::{
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use sha2::{Digest, Sha256};

use super::{Shared, icons};

const STYLE: &str = include_str!("assets/page.css");
const SCRIPT: &str = include_str!("assets/page.js");

/// The name of the manifest.
const MANIFEST: &str = "manifest.webmanifest";

static STYLE_NAME: LazyLock<String> = LazyLock::new(|| named("page", "css", STYLE));
static SCRIPT_NAME: LazyLock<String> = LazyLock::new(|| named("page", "js", SCRIPT));

fn named(name: &str, ending: &str, contents: &str) -> String {
    let digest = Sha256::digest(contents);
    let short: String = digest
        .iter()
        .take(6)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("{name}-{short}.{ending}")
}

/// Returns the path of the style sheet.
pub(super) fn style_path() -> String {
    format!("/assets/{}", *STYLE_NAME)
}

/// Returns the path of the script.
pub(super) fn script_path() -> String {
    format!("/assets/{}", *SCRIPT_NAME)
}

/// Returns the path of the manifest. Like all assets it is served without a session: a browser asks for it
/// without one.
pub(super) fn manifest_path() -> String {
    format!("/assets/{MANIFEST}")
}

/// Serves one of the files.
pub(super) async fn file(Path(name): Path<String>, State(_): State<Shared>) -> Response {
    let forever = "public, max-age=31536000, immutable";
    let a_day = "public, max-age=86400";
    if name == *STYLE_NAME {
        reply("text/css; charset=utf-8", forever, STYLE)
    } else if name == *SCRIPT_NAME {
        reply("text/javascript; charset=utf-8", forever, SCRIPT)
    } else if name == MANIFEST {
        reply("application/manifest+json", a_day, icons::manifest())
    } else if let Some(png) = icons::named(&name) {
        reply("image/png", a_day, png)
    } else {
        StatusCode::NOT_FOUND.into_response()
    }
}

fn reply(kind: &'static str, cache: &'static str, contents: impl IntoResponse) -> Response {
    let headers = [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, cache)];
    (headers, contents).into_response()
}
