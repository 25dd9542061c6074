//! The history: reading a day, a year's overview, keeping a reading, and importing an export.
#![expect(
    clippy::unwrap_used,
    reason = "a bench that cannot set its stage has nothing to measure"
)]

use std::{fmt::Write, fs, hint::black_box, path::Path};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, date},
    tz::{Offset, TimeZone},
};
use pulsewing::{
    archive::{
        FileError,
        import::{JsonTimes, Settings, Watcher, import},
    },
    history::{History, Kind, Source, SourceDay, bytes_on_disk},
};
use pulsewing_core::{Bpm, civil::Offsets, day::Day};

const FIRST: Date = date(2025, 1, 1);
const LAST: Date = date(2025, 12, 31);

/// A heart that wanders between 50 and 170 bpm, the same every time.
struct Heart(u32, i32);

impl Heart {
    const fn new() -> Self {
        Self(1, 70)
    }

    fn beat(&mut self) -> u16 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let step = i32::try_from(self.0 >> 24).unwrap() % 9 - 4;
        self.1 = (self.1 + step).clamp(50, 170);
        u16::try_from(self.1).unwrap()
    }
}

fn day(date: Date, heart: &mut Heart) -> SourceDay {
    let mut day = Day::new(Offsets::fixed(Offset::constant(1)).day(date));
    for minute in 0..1_440 {
        day.record(minute, Bpm::new(heart.beat()).unwrap());
    }
    SourceDay {
        source: Source::new(Kind::Google),
        zone: "Europe/Berlin".into(),
        day,
        resting: Bpm::new(58),
        fetched_at: "2026-01-01T00:00:00Z".parse().unwrap(),
    }
}

fn year(dir: &Path) -> History {
    let mut history = History::open(dir, "default").unwrap();
    let mut heart = Heart::new();
    let batch = history.batch().unwrap();
    for date in FIRST.series(jiff::Span::new().days(1)).take(365) {
        batch.record(&day(date, &mut heart)).unwrap();
    }
    batch.commit().unwrap();
    history
}

fn reading(c: &mut Criterion) {
    let dir = tempfile::tempdir().unwrap();
    drop(year(dir.path()));
    // The goal that is no time.
    let bytes = bytes_on_disk(dir.path());
    assert!(bytes < 2_000_000, "a year of every minute: {bytes} bytes");
    let mut history = History::open(dir.path(), "default").unwrap();
    let middle = date(2025, 7, 1);
    c.bench_function("a day of minutes", |b| {
        b.iter(|| history.day(black_box(middle)).unwrap().unwrap());
    });
    c.bench_function("a day of minutes, opened anew", |b| {
        b.iter(|| {
            let history = History::open(dir.path(), "default").unwrap();
            history.day(black_box(middle)).unwrap().unwrap()
        });
    });
    c.bench_function("a year's overview", |b| {
        b.iter(|| {
            let days = history.overview(FIRST, black_box(LAST)).unwrap();
            assert_eq!(days.len(), 365);
            days
        });
    });
    let fetched = day(LAST, &mut Heart(9, 90));
    c.bench_function("a reading is kept", |b| {
        b.iter(|| history.record(black_box(&fetched)).unwrap());
    });
}

struct Silent;

impl Watcher for Silent {
    fn left_out(&mut self, name: &str, error: &FileError) {
        panic!("{name}: {error}");
    }

    fn read(&mut self, _: &str) {}

    fn progress(&mut self, _: u64, _: u64) {}
}

/// Thirty days with a sample every two seconds, as the largest exports have them.
fn importing(c: &mut Criterion) {
    let dir = tempfile::tempdir().unwrap();
    let (json, csv) = (dir.path().join("json"), dir.path().join("csv"));
    for dir in [&json, &csv] {
        fs::create_dir(dir).unwrap();
    }
    let mut heart = Heart::new();
    let start: Timestamp = "2025-01-01T00:00:00Z".parse().unwrap();
    for number in 0..30 {
        let midnight = start + SignedDuration::from_hours(24 * number);
        let mut elements = Vec::new();
        let mut lines = String::from("timestamp,beats per minute\n");
        for second in (0..86_400).step_by(2) {
            let at = midnight + SignedDuration::from_secs(second);
            let bpm = heart.beat();
            let time = at.strftime("%m/%d/%y %H:%M:%S");
            elements.push(format!(
                "{{\n  \"dateTime\" : \"{time}\",\n  \"value\" : {{\n    \"bpm\" : {bpm},\n    \"confidence\" : 3\n  }}\n}}"
            ));
            writeln!(lines, "{at},{bpm}.0").unwrap();
        }
        let date = midnight.strftime("%Y-%m-%d");
        let text = format!("[{}]", elements.join(","));
        fs::write(json.join(format!("heart_rate-{date}.json")), text).unwrap();
        fs::write(csv.join(format!("heart_rate_{date}.csv")), lines).unwrap();
    }
    let settings = Settings {
        zone: TimeZone::UTC,
        json_times: JsonTimes::Utc,
        now: start,
    };
    let mut group = c.benchmark_group("import");
    group.sample_size(10);
    for (name, path) in [("JSON", json), ("CSV", csv)] {
        let files = fs::read_dir(&path).unwrap();
        let bytes = files
            .map(|file| file.unwrap().metadata().unwrap().len())
            .sum();
        group.throughput(Throughput::Bytes(bytes));
        group.bench_function(name, |b| {
            b.iter(|| {
                let dir = tempfile::tempdir().unwrap();
                let mut history = History::open(dir.path(), "default").unwrap();
                let paths = std::slice::from_ref(&path);
                let summary = import(&mut history, paths, &settings, &mut Silent).unwrap();
                assert_eq!(summary.values, 30 * 43_200);
            });
        });
    }
    group.finish();
}

criterion_group!(benches, reading, importing);
criterion_main!(benches);
