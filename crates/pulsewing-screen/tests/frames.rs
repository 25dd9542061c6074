//! The classic theme's pictures, compared pixel by pixel with `tests/frames/*.png`. To accept new
//! ones, see `golden/mod.rs`.
#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod golden;

use embedded_graphics::prelude::*;
use jiff::{SignedDuration, Timestamp, civil::date, tz::Offset};
use pulsewing_core::{
    Bpm, Provider,
    civil::Offsets,
    day::{Day, Window},
    heart_zone::HeartZones,
    reading::{Reading, TimeZone, ZoneName, ZoneSource},
};
use pulsewing_screen::{Frame, Model, Palette, Theme, draw};

fn compare(name: &str, drawn: &Frame<Vec<u8>>) {
    golden::compare("tests/frames", name, drawn, &Palette::Day.colours());
}

const SIZE: Size = Size::new(480, 320);

/// The rates of the original's screenshot, oldest first.
const RATES: [u16; 15] = [90, 89, 89, 89, 89, 89, 87, 87, 89, 87, 88, 87, 88, 89, 91];

/// One cycle's reading of 3 March 2024, and the circumstances of its picture.
struct Scene {
    /// The minutes of the day, and their rates.
    minutes: Vec<(u16, u16)>,
    /// The minutes from midnight to the moment of drawing.
    now: i64,
    battery_percent: Option<u8>,
    /// Whether the last fetch failed.
    is_from_memory: bool,
}

impl Scene {
    /// Returns a scene with `rates` of consecutive minutes up to 02:05, drawn at 02:26.
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
                source: ZoneSource::Cloud,
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
