//! Measures the time of a picture and of a search, and the cost of whole days on the bus.
//!
//! `PULSEWING_RECORDINGS` may name a folder of recordings (`time,bpm`); their bus costs are then
//! printed too.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench that cannot draw has nothing to measure, and what it measures it prints"
)]

use std::{collections::BTreeMap, env, fs, hint::black_box, path::Path, time::Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use jiff::civil::DateTime;
use pulsewing_core::{Bpm, reading::Freshness};
use pulsewing_screen::{
    Band, Frame, Model, State, Theme, Tiles,
    changes::{self, Cost},
    draw,
};
use pulsewing_testkit::{
    pictures::{PANEL, blank},
    traffic::{self, Poll},
};

/// The number of days that the figures cover.
const DAYS: i64 = 3;

/// Reads polls of real days: files of `time,bpm` in the wearer's civil time, as the sandbox takes them.
fn recordings(folder: &Path) -> Vec<Poll> {
    let mut minutes = BTreeMap::<DateTime, Vec<i64>>::new();
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_none_or(|end| end != "csv") {
            continue;
        }
        let text = fs::read_to_string(path).unwrap();
        for (time, bpm) in text.lines().filter_map(|line| line.split_once(',')) {
            // A heading is not a sample.
            if let (Ok(time), Ok(bpm)) = (time.parse::<DateTime>(), bpm.parse()) {
                let minute = time.with().second(0).subsec_nanosecond(0).build();
                minutes.entry(minute.unwrap()).or_default().push(bpm);
            }
        }
    }
    let first = minutes.first_key_value().unwrap().0.date();
    let last = minutes.last_key_value().unwrap().0.date();
    let since = |at: DateTime| at.duration_since(first.at(0, 0, 0, 0)).as_mins();
    let days = since(last.at(0, 0, 0, 0)) / 1_440 + 1;
    let bpm: BTreeMap<i64, Option<Bpm>> = minutes
        .into_iter()
        .map(|(at, all)| {
            let mean = all.iter().sum::<i64>() as f64 / all.len() as f64;
            (since(at), Bpm::from_whole(mean.round() as i64))
        })
        .collect();
    traffic::polls_of(first, 0..days, |minute| bpm.get(&minute).copied().flatten())
}

fn frames(criterion: &mut Criterion) {
    let polls = traffic::polls(DAYS);
    // An evening with a run in it, so that every kind of column occurs.
    let poll = &polls[80];
    let (reading, now) = (&poll.reading, &poll.taken);
    let mut group = criterion.benchmark_group("frame 480x320");
    for theme in Theme::ALL {
        let model = Model::new(reading, *now, Freshness::Fresh, theme).with_earlier(&poll.earlier);
        let mut frame = blank(PANEL);
        group.bench_function(theme.name(), |bencher| {
            bencher.iter(|| draw(black_box(&model), &mut frame));
        });
    }
    let stale = poll.model(60);
    let mut frame = blank(PANEL);
    group.bench_function("desk with a banner", |bencher| {
        bencher.iter(|| draw(black_box(&stale), &mut frame));
    });
    let page = Model::from_state(State::NoValuesYet, Theme::Desk);
    group.bench_function("wallpaper", |bencher| {
        bencher.iter(|| draw(black_box(&page), &mut frame));
    });
    let model = poll.model(0);
    let mut buffer = vec![0; Frame::<Vec<u8>>::bytes_for(PANEL) / 10];
    group.bench_function("desk in ten bands", |bencher| {
        bencher.iter(|| {
            for first_row in (0..320).step_by(32) {
                let mut band = Band::new(PANEL, first_row, &mut buffer[..]).unwrap();
                let Ok(()) = draw(black_box(&model), &mut band);
            }
        });
    });
}

fn searches(criterion: &mut Criterion) {
    let polls = traffic::polls(DAYS);
    let old = traffic::frame(&polls[79], 14);
    let new = traffic::frame(&polls[80], 0);
    let later = traffic::frame(&polls[80], 1);
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
    // This measures no time, but belongs to the subject of this bench; the tests check its limits.
    println!(
        "the synthetic wearer\n{}",
        traffic::figures(&polls, 1).table()
    );
    if let Some(folder) = env::var_os("PULSEWING_RECORDINGS") {
        let polls = recordings(Path::new(&folder));
        println!("recordings\n{}", traffic::figures(&polls, 1).table());
    }
}

/// Prints the fastest of many single runs, which other work on the machine hardly distorts.
fn fastest(_: &mut Criterion) {
    let polls = traffic::polls(DAYS);
    let poll = &polls[80];
    let (reading, now) = (&poll.reading, &poll.taken);
    let mut frame = blank(PANEL);
    println!("fastest of 400 (microseconds)");
    for theme in Theme::ALL {
        let model = Model::new(reading, *now, Freshness::Fresh, theme).with_earlier(&poll.earlier);
        let least = least_micros(|| {
            let Ok(()) = draw(black_box(&model), &mut frame);
        });
        println!("{:32}{least:8.1}", format!("frame, {theme}"));
    }
    let stale = poll.model(60);
    let least = least_micros(|| {
        let Ok(()) = draw(black_box(&stale), &mut frame);
    });
    println!("{:32}{least:8.1}", "frame, desk with a banner");

    let frames: Vec<_> = polls.iter().map(|poll| traffic::frame(poll, 0)).collect();
    let search = |old, new| {
        least_micros(|| {
            black_box(changes::between(black_box(old), black_box(new), Cost::SPI));
        })
    };
    let mut searches: Vec<_> = frames
        .windows(2)
        .map(|two| search(&two[0], &two[1]))
        .collect();
    searches.sort_unstable_by(f64::total_cmp);
    for (name, percent) in [("median", 50), ("90th percentile", 90), ("most", 100)] {
        let micros = searches[(searches.len() - 1) * percent / 100];
        println!("{:32}{micros:8.1}", format!("search of a poll, {name}"));
    }
    let mut tiles = Tiles::new();
    let mut both = frames[79..81].iter().cycle();
    let least = least_micros(|| {
        black_box(tiles.update(black_box(both.next().unwrap()), Cost::SPI));
    });
    println!("{:32}{least:8.1}", "search by tile hashes");
}

fn least_micros(mut work: impl FnMut()) -> f64 {
    let runs = (0..400).map(|_| {
        let start = Instant::now();
        work();
        start.elapsed()
    });
    runs.min().unwrap().as_secs_f64() * 1e6
}

criterion_group!(benches, frames, searches, fastest);
criterion_main!(benches);
