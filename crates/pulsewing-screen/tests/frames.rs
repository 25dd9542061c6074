//! Pictures as they are, compared pixel by pixel with `tests/frames/*.png`.
//!
//! When one differs, `NAME.new.png` (what was drawn) and `NAME.diff.png` (what is new in green,
//! what is gone in red) are written beside it. Look at them; if the new picture is the better one:
//!
//! ```text
//! PULSEWING_ACCEPT_FRAMES=1 cargo test -p pulsewing-screen
//! ```
#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::{
    fs::{self, File},
    io::{BufReader, BufWriter},
    path::{Path, PathBuf},
};

use embedded_graphics::prelude::*;
use jiff::{SignedDuration, Timestamp, civil::date, tz::Offset};
use pulsewing_core::{
    Bpm, Provider,
    civil::Offsets,
    day::{Day, Window},
    heart_zone::HeartZones,
    reading::{Reading, TimeZone, ZoneName, ZoneSource},
};
use pulsewing_screen::{Frame, Ink, Model, Theme, draw};

const SIZE: Size = Size::new(480, 320);

/// The rates of the original's screenshot, oldest first.
const RATES: [u16; 15] = [90, 89, 89, 89, 89, 89, 87, 87, 89, 87, 88, 87, 88, 89, 91];

/// One cycle's reading of 3 March 2024, and the circumstances of its picture.
struct Scene {
    /// Minutes of the day, and their rates.
    minutes: Vec<(u16, u16)>,
    /// Minutes from midnight to the moment of drawing.
    now: i64,
    battery_percent: Option<u8>,
    /// Whether the last fetch failed.
    is_from_memory: bool,
}

impl Scene {
    /// `rates` of consecutive minutes up to 02:05, drawn at 02:26.
    fn ordinary(rates: impl IntoIterator<Item = u16>) -> Self {
        Self {
            minutes: (111..).zip(rates).collect(),
            now: 146,
            battery_percent: Some(40),
            is_from_memory: false,
        }
    }

    fn reading(&self, now: Timestamp) -> Reading {
        let offsets = Offsets::fixed(Offset::UTC);
        let mut day = Day::new(offsets.day(date(2024, 3, 3)));
        for (minute, rate) in &self.minutes {
            day.record(*minute, Bpm::new(*rate).unwrap());
        }
        let mut window = Window::ending_at(now);
        window.insert_day(&day);
        Reading {
            provider: Provider::Google,
            day,
            time_zone: TimeZone {
                name: ZoneName::new(),
                source: ZoneSource::Machine,
                offsets,
            },
            window,
            battery_percent: self.battery_percent,
            last_sync: None,
            resting: None,
            heart_zones: HeartZones::PLAIN,
            fetched_at: now,
        }
    }

    fn drawn(&self, size: Size) -> Frame<Vec<u8>> {
        let midnight: Timestamp = "2024-03-03T00:00:00Z".parse().unwrap();
        let now = midnight + SignedDuration::from_mins(self.now);
        let reading = self.reading(now);
        let every = SignedDuration::from_mins(15);
        let freshness = reading.freshness(now, every, self.is_from_memory);
        let model = Model::new(&reading, now, freshness, Theme::Classic);
        let mut frame = Frame::new(size, vec![0; Frame::<Vec<u8>>::bytes_for(size)]).unwrap();
        draw(&model, &mut frame).unwrap();
        frame
    }
}

#[test]
fn classic_ordinary() {
    compare("classic-ordinary", &Scene::ordinary(RATES).drawn(SIZE));
}

#[test]
fn classic_at_320x240() {
    compare(
        "classic-320x240",
        &Scene::ordinary(RATES).drawn(Size::new(320, 240)),
    );
}

#[test]
fn classic_at_800x480() {
    compare(
        "classic-800x480",
        &Scene::ordinary(RATES).drawn(Size::new(800, 480)),
    );
}

#[test]
fn classic_at_160x80() {
    compare(
        "classic-160x80",
        &Scene::ordinary(RATES).drawn(Size::new(160, 80)),
    );
}

#[test]
fn classic_gaps() {
    let minutes = [
        31, 32, 33, 34, 60, 61, 62, 63, 64, 97, 118, 119, 120, 124, 125,
    ];
    let scene = Scene {
        minutes: minutes
            .into_iter()
            .zip(RATES.map(|rate| rate - 20))
            .collect(),
        ..Scene::ordinary([])
    };
    compare("classic-gaps", &scene.drawn(SIZE));
}

#[test]
fn classic_every_reading_alone() {
    let scene = Scene {
        minutes: (0..15)
            .map(|n| n * 8 + 13)
            .zip(RATES.map(|rate| rate + 20))
            .collect(),
        ..Scene::ordinary([])
    };
    compare("classic-alone", &scene.drawn(SIZE));
}

#[test]
fn classic_fifteen_equal_readings() {
    compare("classic-equal", &Scene::ordinary([72; 15]).drawn(SIZE));
}

#[test]
fn classic_extremes() {
    let rates = [
        1, 300, 150, 151, 80, 60, 1, 1, 300, 299, 298, 120, 121, 122, 300,
    ];
    compare("classic-extremes", &Scene::ordinary(rates).drawn(SIZE));
}

#[test]
fn classic_dangerously_low_and_a_full_battery() {
    let rates = [51, 52, 52, 50, 49, 49, 50, 53, 55, 58, 57, 55, 54, 52, 51];
    let scene = Scene {
        battery_percent: Some(100),
        ..Scene::ordinary(rates)
    };
    compare("classic-low", &scene.drawn(SIZE));
}

#[test]
fn classic_stale() {
    let scene = Scene {
        now: 125 + 158,
        ..Scene::ordinary(RATES.map(|rate| rate + 30))
    };
    compare("classic-stale", &scene.drawn(SIZE));
}

#[test]
fn classic_from_memory() {
    let scene = Scene {
        is_from_memory: true,
        ..Scene::ordinary(RATES.map(|rate| rate * 3 / 2))
    };
    compare("classic-memory", &scene.drawn(SIZE));
}

#[test]
fn classic_without_battery() {
    let scene = Scene {
        battery_percent: None,
        ..Scene::ordinary(RATES.map(|rate| rate - 8))
    };
    compare("classic-no-battery", &scene.drawn(SIZE));
}

#[test]
fn classic_too_few() {
    let scene = Scene {
        minutes: vec![(0, 61), (1, 62), (4, 60)],
        now: 21,
        ..Scene::ordinary([])
    };
    compare("classic-too-few", &scene.drawn(SIZE));
    compare("classic-too-few-320x240", &scene.drawn(Size::new(320, 240)));
    compare("classic-too-few-160x80", &scene.drawn(Size::new(160, 80)));
}

#[test]
fn classic_too_few_and_the_update_failed() {
    let scene = Scene {
        now: 8,
        is_from_memory: true,
        ..Scene::ordinary([])
    };
    compare("classic-none-memory", &scene.drawn(SIZE));
}

/// Holds a picture against the accepted one of that name.
fn compare(name: &str, drawn: &Frame<Vec<u8>>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/frames");
    let [accepted, new, diff] =
        ["png", "new.png", "diff.png"].map(|end| folder.join(format!("{name}.{end}")));
    if std::env::var_os("PULSEWING_ACCEPT_FRAMES").is_some() {
        write(&accepted, drawn.size(), drawn.bytes());
        for outdated in [new, diff] {
            let _ = fs::remove_file(outdated);
        }
        return;
    }
    let expected = accepted.exists().then(|| read(&accepted));
    if expected.as_ref().is_some_and(|(size, pixels)| {
        *size == drawn.size() && pixels.iter().copied().eq(drawn.rgb())
    }) {
        return;
    }
    write(&new, drawn.size(), drawn.bytes());
    let different = match expected {
        Some((size, pixels)) if size == drawn.size() => {
            let (difference, count) = difference(&pixels, drawn);
            write(&diff, size, difference.bytes());
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
        "{name}: {different}; drawn: {}; to accept: PULSEWING_ACCEPT_FRAMES=1 cargo test -p pulsewing-screen",
        new.display()
    );
}

/// The picture in grey, what is new in green, what is gone in red; and how many pixels those are.
fn difference(expected: &[[u8; 3]], drawn: &Frame<Vec<u8>>) -> (Frame<Vec<u8>>, usize) {
    let mut difference = drawn.clone();
    let mut count = 0;
    for ((at, old), new) in drawn
        .bounding_box()
        .points()
        .zip(expected)
        .zip(drawn.pixels())
    {
        let ink = match (*old == new.rgb(), new) {
            (true, Ink::Ground) => Ink::Ground,
            (true, _) => Ink::Quiet,
            (false, Ink::Ground) => Ink::Red,
            (false, _) => Ink::Green,
        };
        count += usize::from(*old != new.rgb());
        difference.draw_iter([Pixel(at, ink)]).unwrap();
    }
    (difference, count)
}

fn write(path: &PathBuf, size: Size, packed: &[u8]) {
    let mut encoder = png::Encoder::new(
        BufWriter::new(File::create(path).unwrap()),
        size.width,
        size.height,
    );
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Four);
    encoder.set_palette(Ink::ALL.into_iter().flat_map(Ink::rgb).collect::<Vec<_>>());
    encoder
        .write_header()
        .unwrap()
        .write_image_data(packed)
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
