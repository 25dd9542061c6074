//! How long a picture and a search take, and what whole days cost the bus.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench that cannot draw has nothing to measure, and what it measures it prints"
)]

#[path = "../tests/bus/mod.rs"]
mod bus;
#[path = "../tests/recording/mod.rs"]
mod recording;

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use pulsewing_core::reading::Freshness;
use pulsewing_screen::{
    Band, Frame, Model, State, Theme, Tiles,
    changes::{self, Cost},
    draw,
};

/// How many days the figures are of.
const DAYS: i64 = 3;

fn frames(criterion: &mut Criterion) {
    let polls = bus::polls(DAYS);
    // An evening with a run in it: every kind of column.
    let (reading, now) = &polls[80];
    let mut group = criterion.benchmark_group("frame 480x320");
    for theme in Theme::ALL {
        let model = Model::new(reading, *now, Freshness::Fresh, theme);
        let mut frame = bus::blank();
        group.bench_function(theme.name(), |bencher| {
            bencher.iter(|| draw(black_box(&model), &mut frame));
        });
    }
    let stale = Model::new(reading, *now, Freshness::Stale, Theme::Desk);
    let mut frame = bus::blank();
    group.bench_function("desk with a banner", |bencher| {
        bencher.iter(|| draw(black_box(&stale), &mut frame));
    });
    let page = Model::of_state(State::NoValuesYet, Theme::Desk);
    group.bench_function("wallpaper", |bencher| {
        bencher.iter(|| draw(black_box(&page), &mut frame));
    });
    let model = Model::new(reading, *now, Freshness::Fresh, Theme::Desk);
    let mut buffer = vec![0; Frame::<Vec<u8>>::bytes_for(bus::SIZE) / 10];
    group.bench_function("desk in ten bands", |bencher| {
        bencher.iter(|| {
            for first_row in (0..320).step_by(32) {
                let mut band = Band::new(bus::SIZE, first_row, &mut buffer[..]).unwrap();
                let Ok(()) = draw(black_box(&model), &mut band);
            }
        });
    });
}

fn searches(criterion: &mut Criterion) {
    let polls = bus::polls(DAYS);
    let old = bus::frame(&polls[79], 14);
    let new = bus::frame(&polls[80], 0);
    let later = bus::frame(&polls[80], 1);
    let mut group = criterion.benchmark_group("search 480x320");
    for (name, old, new) in [("poll", &old, &new), ("minute", &new, &later)] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| changes::between(black_box(old), black_box(new), Cost::SPI));
        });
    }
    group.bench_function("poll by tile hashes", |bencher| {
        let mut tiles = Tiles::new();
        let mut is_old = false;
        bencher.iter(|| {
            is_old = !is_old;
            tiles.update(black_box(if is_old { &old } else { &new }), Cost::SPI)
        });
    });
    group.finish();
    // Not a time, but what this bench is about; the tests hold its limits.
    println!("{}", bus::figures(DAYS, 1).table());
}

criterion_group!(benches, frames, searches);
criterion_main!(benches);
