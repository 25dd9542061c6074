//! The icons: of a tab, whose state they show, and of the installed page.
//!
//! The icon of a tab is drawn from its address, `/assets/state.svg?bpm=72&zone=light`, so it needs neither the
//! wearer's data nor a session. The script asks for another one when what it shows grows old.

use std::{f32::consts::SQRT_2, sync::LazyLock};

use axum::{
    extract::Query,
    http::header,
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use maud::{Markup, html};
use pulsewing_core::heart_zone::HeartZone;
use serde::Deserialize;

use super::chart::ZONES;
use crate::{
    daemon::{Look, Snapshot},
    faces::words,
};

/// The background, the same in light and dark.
const GROUND: &str = "#14191e";
const INK: &str = "#f2f4f6";
const GREY: &str = "#9aa5af";
const AMBER: &str = "#ffb400";

/// The sizes of the icons of the installed page, in pixels.
pub(super) const SIZES: [u16; 2] = [192, 512];

/// What the icon of a tab shows.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct State {
    /// The heart rate; the logo without one.
    bpm: Option<u16>,
    /// The name of its zone's class; none for an old rate, which has no colour.
    zone: Option<String>,
    /// Its age, such as `2h`, if it is old.
    age: Option<String>,
    /// Present if something is wrong.
    trouble: Option<String>,
}

/// Returns the address of the icon for a state. The page's script builds it in the same way.
pub(super) fn of_state(snapshot: &Snapshot, now: Timestamp) -> String {
    let reading = snapshot.reading.as_deref();
    let mut query = Vec::new();
    if let Some((reading, sample)) = reading.zip(snapshot.newest(now)) {
        query.push(format!("bpm={}", sample.bpm.get()));
        if snapshot.look(now) == Some(Look::Fresh) {
            let zone = words::class_of(reading.heart_zones.zone(sample.bpm));
            query.push(format!("zone={zone}"));
        } else {
            query.extend(
                reading
                    .age(now)
                    .map(|age| format!("age={}", brief(age.as_mins()))),
            );
        }
    }
    if snapshot.failed_update.is_some() {
        query.push("trouble=1".to_owned());
    }
    format!("/assets/state.svg?{}", query.join("&"))
}

/// Formats an age in two or three characters.
fn brief(minutes: i64) -> String {
    match minutes {
        0..60 => format!("{minutes}m"),
        60..1_440 => format!("{}h", minutes / 60),
        _ => format!("{}d", (minutes / 1_440).min(99)),
    }
}

/// Serves the icon for a state.
pub(super) async fn state(Query(state): Query<State>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "image/svg+xml"),
        (header::CACHE_CONTROL, "public, max-age=86400"),
    ];
    (headers, draw(&state).into_string()).into_response()
}

fn draw(state: &State) -> Markup {
    let age = state
        .age
        .as_deref()
        .filter(|age| age.len() <= 3 && age.is_ascii());
    let zone = ZONES
        .into_iter()
        .find(|zone| state.zone.as_deref() == Some(words::class_of(*zone)));
    let bpm = state.bpm.filter(|bpm| (1..1_000).contains(bpm));
    html! {
        svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32" {
            rect width="32" height="32" rx="7" fill=(GROUND) {}
            @match bpm {
                None => path d=(PULSE_PATH) fill="none" stroke=(INK) stroke-width="2.6" stroke-linecap="round" stroke-linejoin="round" {},
                Some(bpm) => {
                    g font-family="Arial Narrow, Liberation Sans Narrow, Arial, sans-serif" font-weight="700" text-anchor="middle" {
                        text x="16" y="20" font-size=(if bpm > 99 { 17 } else { 21 }) fill=(if age.is_some() { GREY } else { INK }) { (bpm) }
                        @if let Some(age) = age { text x="16" y="30" font-size="10.5" fill=(AMBER) { (age) } }
                    }
                    @if let Some(zone) = zone { rect x="4" y="24" width="24" height="4.5" rx="2" fill=(colour(zone)) {} }
                }
            }
            @if state.trouble.is_some() {
                circle cx="26" cy="6" r="6" fill=(AMBER) {}
                path d="M26 2.6v4M26 9v.1" stroke=(GROUND) stroke-width="2" stroke-linecap="round" {}
            }
        }
    }
}

/// Returns the colour of a zone on the icon's dark background: the one of the dark palette.
const fn colour(zone: HeartZone) -> &'static str {
    match zone {
        HeartZone::VeryLow => AMBER,
        HeartZone::Easy => "#3f83f5",
        HeartZone::Light => "#28cdbf",
        HeartZone::Moderate => "#f6e88a",
        HeartZone::Vigorous => "#f59536",
        HeartZone::Peak => "#ff5084",
    }
}

/// Returns the class and the colour of a zone, for the test of the palette.
#[cfg(test)]
pub(super) fn zone_colour(place: usize) -> (&'static str, &'static str) {
    (words::class_of(ZONES[place]), colour(ZONES[place]))
}

/// The logo's line on a square of 32, as a path and as its corners.
const PULSE_PATH: &str = "M4 17h6l3-8 5 15 4-11 2 4h4";
const PULSE: [(f32, f32); 7] = [
    (4.0, 17.0),
    (10.0, 17.0),
    (13.0, 9.0),
    (18.0, 24.0),
    (22.0, 13.0),
    (24.0, 17.0),
    (28.0, 17.0),
];

/// The icons of the installed page by name, drawn when the first is asked for.
static DRAWN: LazyLock<Vec<(String, Vec<u8>)>> = LazyLock::new(|| {
    let sizes = SIZES.into_iter();
    let drawn = sizes.flat_map(|size| [(size, false), (size, true)]);
    drawn
        .filter_map(|(size, is_maskable)| Some((name(size, is_maskable), png(size, is_maskable)?)))
        .collect()
});

/// Returns the name of an icon of the installed page.
pub(super) fn name(size: u16, is_maskable: bool) -> String {
    let kind = if is_maskable { "maskable" } else { "icon" };
    format!("{kind}-{size}.png")
}

/// Returns an icon of the installed page.
pub(super) fn named(name: &str) -> Option<&'static [u8]> {
    let found = DRAWN.iter().find(|(known, _)| known == name)?;
    Some(&found.1)
}

/// Draws the logo as a PNG. A maskable one fills the square and keeps its line in the middle, because a
/// phone cuts it to its own shape.
fn png(size: u16, is_maskable: bool) -> Option<Vec<u8>> {
    let scale = f32::from(size) / 32.0;
    let (ground, ink) = ([0x14_u8, 0x19, 0x1e], [0xf2_u8, 0xf4, 0xf6]);
    let shrink = if is_maskable { 0.72 } else { 1.0 };
    let mut pixels = Vec::with_capacity(usize::from(size) * usize::from(size) * 4);
    for y in 0..size {
        for x in 0..size {
            let at = |pixel: u16| (f32::from(pixel) + 0.5) / scale - 16.0;
            let (x, y) = (at(x), at(y));
            let inside = if is_maskable {
                1.0
            } else {
                cover(rounded(x, y), scale)
            };
            let line = (distance_to_pulse(x / shrink, y / shrink) - 1.3) * shrink;
            let inked = cover(line, scale);
            for (ground, ink) in ground.into_iter().zip(ink) {
                let mixed = f32::from(ground) + (f32::from(ink) - f32::from(ground)) * inked;
                pixels.push(byte(mixed));
            }
            pixels.push(byte(inside * 255.0));
        }
    }
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, size.into(), size.into());
    encoder.set_color(png::ColorType::Rgba);
    encoder
        .write_header()
        .ok()?
        .write_image_data(&pixels)
        .ok()?;
    Some(bytes)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it is between 0 and 255"
)]
fn byte(value: f32) -> u8 {
    value.round().clamp(0.0, 255.0) as u8
}

/// Returns how much of a pixel lies inside an edge that is this far away, negative if inside.
fn cover(distance: f32, scale: f32) -> f32 {
    (0.5 - distance * scale / SQRT_2).clamp(0.0, 1.0)
}

/// Returns the distance from the edge of the rounded square, negative inside.
fn rounded(x: f32, y: f32) -> f32 {
    let (x, y) = (x.abs() - 9.0, y.abs() - 9.0);
    x.max(0.0).hypot(y.max(0.0)) + x.max(y).min(0.0) - 7.0
}

/// Returns the distance from the logo's line, whose middle is the origin.
fn distance_to_pulse(x: f32, y: f32) -> f32 {
    let (x, y) = (x + 16.0, y + 16.0);
    let pieces = PULSE.iter().zip(PULSE.iter().skip(1));
    let distances = pieces.map(|((ax, ay), (bx, by))| {
        let (dx, dy) = (bx - ax, by - ay);
        let along = ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy);
        let along = along.clamp(0.0, 1.0);
        (x - ax - along * dx).hypot(y - ay - along * dy)
    });
    distances.fold(f32::MAX, f32::min)
}

/// Returns the manifest, with which a phone can install the page.
pub(super) fn manifest() -> String {
    let drawn = SIZES.into_iter().flat_map(|size| {
        [(false, "any"), (true, "maskable")].map(|(is_maskable, purpose)| {
            serde_json::json!({
                "src": format!("/assets/{}", name(size, is_maskable)),
                "sizes": format!("{size}x{size}"),
                "type": "image/png",
                "purpose": purpose,
            })
        })
    });
    let vector =
        serde_json::json!({ "src": "/assets/state.svg", "sizes": "any", "type": "image/svg+xml" });
    let manifest = serde_json::json!({
        "name": "Pulsewing",
        "short_name": "Pulsewing",
        "description": "The latest heart rate",
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "background_color": GROUND,
        "theme_color": GROUND,
        "icons": drawn.chain([vector]).collect::<Vec<_>>(),
    });
    manifest.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(query: &str) -> String {
        let uri = format!("/assets/state.svg?{query}").parse().unwrap();
        let Query(state) = Query::<State>::try_from_uri(&uri).unwrap();
        draw(&state).into_string()
    }

    #[test]
    fn the_icon_of_a_tab_says_the_rate_its_age_and_that_something_is_wrong() {
        let fresh = drawn("bpm=72&zone=light");
        assert!(fresh.contains(">72</text>") && fresh.contains(colour(HeartZone::Light)));
        assert!(!fresh.contains(AMBER) && !fresh.contains(GREY), "{fresh}");
        let old = drawn("bpm=172&age=2h&trouble=1");
        assert!(old.contains(">2h</text>") && old.contains(GREY) && old.contains("<circle"));
        let none = drawn("");
        assert!(
            none.contains(PULSE_PATH) && !none.contains("<text"),
            "{none}"
        );
    }

    #[test]
    fn an_address_by_somebody_else_puts_nothing_into_an_icon() {
        for query in [
            "bpm=5000&zone=red",
            "bpm=1&age=%3Cb%3E",
            "age=12345&zone=%22",
        ] {
            let drawn = drawn(query);
            assert!(
                !drawn.contains("<b>") && !drawn.contains("12345") && !drawn.contains("red"),
                "{drawn}"
            );
        }
    }

    #[test]
    fn ages_are_brief() {
        assert_eq!(
            [0, 59, 60, 1_439, 1_440, 999_999].map(brief),
            ["0m", "59m", "1h", "23h", "1d", "99d"]
        );
    }

    #[test]
    fn the_icons_are_pngs_of_the_logo() {
        for size in SIZES {
            for is_maskable in [false, true] {
                let bytes = named(&name(size, is_maskable)).unwrap();
                let mut reader = png::Decoder::new(std::io::Cursor::new(bytes))
                    .read_info()
                    .unwrap();
                let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
                let info = reader.next_frame(&mut pixels).unwrap();
                assert_eq!((info.width, info.height), (size.into(), size.into()));
                let pixel = |x: f32, y: f32| {
                    let place = |at: f32| (at / 32.0 * f32::from(size)) as usize;
                    let start = (place(y) * usize::from(size) + place(x)) * 4;
                    [pixels[start], pixels[start + 3]]
                };
                // A corner, the beginning of the line, and the ground above it.
                assert_eq!(pixel(0.2, 0.2), [0x14, if is_maskable { 255 } else { 0 }]);
                let left = if is_maskable { 8.5 } else { 6.0 };
                assert_eq!(pixel(left, 16.9), [0xf2, 255], "{size}, {is_maskable}");
                assert_eq!(pixel(16.0, 3.0), [0x14, 255]);
                assert!(bytes.len() < 20_000, "{}", bytes.len());
            }
        }
    }

    #[test]
    fn the_manifest_names_icons_that_are_there() {
        let manifest: serde_json::Value = serde_json::from_str(&manifest()).unwrap();
        let icons = manifest["icons"].as_array().unwrap();
        assert_eq!(icons.len(), 5);
        for icon in icons.iter().filter(|icon| icon["type"] == "image/png") {
            let name = icon["src"]
                .as_str()
                .unwrap()
                .strip_prefix("/assets/")
                .unwrap();
            assert!(named(name).is_some(), "{name}");
        }
    }
}
