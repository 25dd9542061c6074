//! The classic theme's pictures, compared pixel by pixel with `tests/frames/*.png`. To accept new
//! ones, see `pulsewing_testkit::golden`.
#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

use embedded_graphics::prelude::*;
use jiff::{SignedDuration, tz::Offset};
use pulsewing_core::{
    civil::Offsets,
    reading::{Reading, ZoneSource},
};
use pulsewing_screen::{Colours, Model, Palette, Theme};
use pulsewing_testkit::{
    at, golden,
    pictures::{PANEL, drawn},
    readings,
};

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

    /// Compares its picture with the accepted one.
    fn compare(&self, name: &str, size: Size) {
        let now = at("2024-03-03T00:00:00Z") + SignedDuration::from_mins(self.now);
        let offsets = Offsets::fixed(Offset::UTC);
        let mut reading = Reading {
            battery_percent: self.battery_percent,
            ..readings::with_minutes(offsets, now, self.minutes.iter().copied())
        };
        reading.time_zone.source = ZoneSource::Cloud;
        let every = SignedDuration::from_mins(15);
        let freshness = reading.freshness(now, every, self.is_from_memory);
        let model = Model::new(&reading, now, freshness, Theme::Classic);
        let colours = Colours::from(Palette::Day);
        golden::compare(
            "crates/pulsewing-screen/tests/frames",
            name,
            &drawn(&model, size),
            &colours,
        );
    }
}

#[test]
fn classic_ordinary() {
    Scene::ordinary(RATES).compare("classic-ordinary", PANEL);
}

#[test]
fn classic_at_320x240() {
    Scene::ordinary(RATES).compare("classic-320x240", Size::new(320, 240));
}

#[test]
fn classic_at_800x480() {
    Scene::ordinary(RATES).compare("classic-800x480", Size::new(800, 480));
}

#[test]
fn classic_at_160x80() {
    Scene::ordinary(RATES).compare("classic-160x80", Size::new(160, 80));
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
    scene.compare("classic-gaps", PANEL);
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
    scene.compare("classic-alone", PANEL);
}

#[test]
fn classic_fifteen_equal_readings() {
    Scene::ordinary([72; 15]).compare("classic-equal", PANEL);
}

#[test]
fn classic_extremes() {
    let rates = [
        1, 300, 150, 151, 80, 60, 1, 1, 300, 299, 298, 120, 121, 122, 300,
    ];
    Scene::ordinary(rates).compare("classic-extremes", PANEL);
}

#[test]
fn classic_dangerously_low_and_a_full_battery() {
    let rates = [51, 52, 52, 50, 49, 49, 50, 53, 55, 58, 57, 55, 54, 52, 51];
    let scene = Scene {
        battery_percent: Some(100),
        ..Scene::ordinary(rates)
    };
    scene.compare("classic-low", PANEL);
}

#[test]
fn classic_stale() {
    let scene = Scene {
        now: 125 + 158,
        ..Scene::ordinary(RATES.map(|rate| rate + 30))
    };
    scene.compare("classic-stale", PANEL);
}

#[test]
fn classic_from_memory() {
    let scene = Scene {
        is_from_memory: true,
        ..Scene::ordinary(RATES.map(|rate| rate * 3 / 2))
    };
    scene.compare("classic-memory", PANEL);
}

#[test]
fn classic_without_battery() {
    let scene = Scene {
        battery_percent: None,
        ..Scene::ordinary(RATES.map(|rate| rate - 8))
    };
    scene.compare("classic-no-battery", PANEL);
}

#[test]
fn classic_too_few() {
    let scene = Scene {
        minutes: vec![(0, 61), (1, 62), (4, 60)],
        now: 21,
        ..Scene::ordinary([])
    };
    scene.compare("classic-too-few", PANEL);
    scene.compare("classic-too-few-320x240", Size::new(320, 240));
    scene.compare("classic-too-few-160x80", Size::new(160, 80));
}

#[test]
fn classic_too_few_and_the_update_failed() {
    let scene = Scene {
        now: 8,
        is_from_memory: true,
        ..Scene::ordinary([])
    };
    scene.compare("classic-none-memory", PANEL);
}
