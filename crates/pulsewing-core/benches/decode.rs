//! Decodes a whole reply, from its bytes to the minutes of a day, and compares with the usual libraries.
//!
//! Every entry fills the same [`Day`], and the rollUp entries the same [`Window`], from the same bytes.
//! serde_json has two entries: one reads instants with jiff, as one would normally write it; the other
//! picks out the digits unchecked, which leaves little but serde_json's own work.
#![expect(
    clippy::unwrap_used,
    reason = "a bench that cannot read its body has nothing to measure"
)]

mod cpython;
mod typed;

use std::hint::black_box;

use cpython::CPython;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use jiff::{
    Timestamp,
    civil::{Date, Time},
    tz::Offset,
};
use pulsewing_core::{
    Bpm,
    civil::{LocalDay, Offsets},
    day::{Day, Sample, Window},
    dialect::{
        fitbit,
        google::{self, HeartPoint, MinuteMeans},
    },
};
use pulsewing_testkit::bodies::{self, Layout};
use serde_json::Value;
use typed::{FitbitDay, RawPage, RollupDay};

/// Maximum payload of a TLS record, so about the most that a network read returns.
const NETWORK_READ: usize = 16 * 1_024;

/// Central European winter time, which applies on the bodies' day.
fn offsets() -> Offsets {
    Offsets::fixed(Offset::constant(1))
}

fn local() -> LocalDay {
    offsets().day(Date::constant(2026, 11, 22))
}

fn window() -> Window {
    Window::ending_at("2026-11-23T00:00:00Z".parse().unwrap())
}

fn record(day: &mut Day, at: Timestamp, bpm: Bpm) {
    if let Some(minute) = day.local().minute_of(at) {
        day.record(minute, bpm);
    }
}

fn bpm(rate: i64) -> Option<Bpm> {
    Bpm::from_whole(rate)
}

fn pulsewing_fitbit(body: &[u8], chunk_size: usize) -> Day {
    let offsets = offsets();
    let mut day = Day::new(local());
    let mut decoder = fitbit::HeartDecoder::new(&offsets);
    for chunk in body.chunks(chunk_size) {
        decoder.feed(chunk, &mut day).unwrap();
    }
    decoder.finish(&mut day).unwrap();
    day
}

fn pulsewing_rollup(body: &[u8], chunk_size: usize) -> (Day, Window) {
    let (mut day, mut window) = (Day::new(local()), window());
    let mut sink = |point| {
        if let HeartPoint::Minute(sample) = point {
            record(&mut day, sample.at, sample.bpm);
            window.insert(sample);
        }
    };
    let mut decoder = google::HeartDecoder::new();
    for chunk in body.chunks(chunk_size) {
        decoder.feed(chunk, &mut sink).unwrap();
    }
    decoder.finish().unwrap();
    (day, window)
}

fn pulsewing_raw(pages: &[Vec<u8>], chunk_size: usize) -> Day {
    let mut means = MinuteMeans::new(local());
    for page in pages {
        let mut sink = |point| {
            if let HeartPoint::Raw { at, bpm, .. } = point {
                means.add(at, bpm);
            }
        };
        let mut decoder = google::HeartDecoder::new();
        for chunk in page.chunks(chunk_size) {
            decoder.feed(chunk, &mut sink).unwrap();
        }
        decoder.finish().unwrap();
    }
    means.to_day()
}

/// The way in which an entry reads times.
trait Times {
    fn instant(text: &str) -> Timestamp;
    fn minute(day: &LocalDay, text: &str) -> Option<u16>;
}

/// Reads times with jiff.
struct Jiff;

impl Times for Jiff {
    fn instant(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn minute(day: &LocalDay, text: &str) -> Option<u16> {
        day.minute_at(text.parse::<Time>().unwrap(), false)
    }
}

/// Reads times by picking out digits, unchecked. The bodies' instants lie within three days of November
/// 2026.
struct Digits;

impl Digits {
    fn two(text: &[u8]) -> i64 {
        i64::from(text[0] - b'0') * 10 + i64::from(text[1] - b'0')
    }
}

impl Times for Digits {
    fn instant(text: &str) -> Timestamp {
        let text = text.as_bytes();
        let minutes = Self::two(&text[11..]) * 60 + Self::two(&text[14..]);
        // 1 November 2026 is day 20,758 since 1970.
        let days = 20_758 + Self::two(&text[8..]) - 1;
        let seconds = days * 86_400 + minutes * 60 + Self::two(&text[17..]);
        Timestamp::from_second(seconds).unwrap()
    }

    fn minute(_: &LocalDay, text: &str) -> Option<u16> {
        let text = text.as_bytes();
        u16::try_from(Self::two(text) * 60 + Self::two(&text[3..])).ok()
    }
}

fn typed_fitbit<T: Times>(body: &[u8]) -> Day {
    let reply: FitbitDay<'_> = serde_json::from_slice(body).unwrap();
    let mut day = Day::new(local());
    for entry in &reply.intraday.dataset {
        let minute = T::minute(day.local(), entry.time);
        if let (Some(minute), Some(bpm)) = (minute, bpm(entry.value)) {
            day.record(minute, bpm);
        }
    }
    day
}

fn typed_rollup<T: Times>(body: &[u8]) -> (Day, Window) {
    let reply: RollupDay<'_> = serde_json::from_slice(body).unwrap();
    let (mut day, mut window) = (Day::new(local()), window());
    for entry in &reply.rollup_data_points {
        let at = T::instant(entry.start_time);
        if let Some(bpm) = bpm(entry.heart_rate.beats_per_minute_avg.round() as i64) {
            record(&mut day, at, bpm);
            window.insert(Sample { at, bpm });
        }
    }
    (day, window)
}

fn typed_raw<T: Times>(pages: &[Vec<u8>]) -> Day {
    let mut means = MinuteMeans::new(local());
    for page in pages {
        let page: RawPage<'_> = serde_json::from_slice(page).unwrap();
        for point in &page.data_points {
            let rate = point.heart_rate.beats_per_minute.parse().unwrap();
            if let Some(bpm) = bpm(rate) {
                means.add(T::instant(point.heart_rate.sample_time.physical_time), bpm);
            }
        }
    }
    means.to_day()
}

fn value_fitbit(body: &[u8]) -> Day {
    let reply: Value = serde_json::from_slice(body).unwrap();
    let mut day = Day::new(local());
    for entry in reply["activities-heart-intraday"]["dataset"]
        .as_array()
        .unwrap()
    {
        let minute = Jiff::minute(day.local(), entry["time"].as_str().unwrap());
        if let (Some(minute), Some(bpm)) = (minute, entry["value"].as_i64().and_then(bpm)) {
            day.record(minute, bpm);
        }
    }
    day
}

fn value_rollup(body: &[u8]) -> (Day, Window) {
    let reply: Value = serde_json::from_slice(body).unwrap();
    let (mut day, mut window) = (Day::new(local()), window());
    for entry in reply["rollupDataPoints"].as_array().unwrap() {
        let at = Jiff::instant(entry["startTime"].as_str().unwrap());
        let average = entry["heartRate"]["beatsPerMinuteAvg"].as_f64().unwrap();
        if let Some(bpm) = bpm(average.round() as i64) {
            record(&mut day, at, bpm);
            window.insert(Sample { at, bpm });
        }
    }
    (day, window)
}

fn value_raw(pages: &[Vec<u8>]) -> Day {
    let mut means = MinuteMeans::new(local());
    for page in pages {
        let page: Value = serde_json::from_slice(page).unwrap();
        for point in page["dataPoints"].as_array().unwrap() {
            let heart_rate = &point["heartRate"];
            let time = heart_rate["sampleTime"]["physicalTime"].as_str().unwrap();
            let rate = heart_rate["beatsPerMinute"].as_str().unwrap();
            if let Some(bpm) = bpm(rate.parse().unwrap()) {
                means.add(Jiff::instant(time), bpm);
            }
        }
    }
    means.to_day()
}

type Entry<'e, T> = (&'static str, &'e dyn Fn() -> T);

fn group<T: PartialEq + std::fmt::Debug>(
    criterion: &mut Criterion,
    name: &str,
    bodies: &[&[u8]],
    entries: &[Entry<'_, T>],
) {
    let mut group = criterion.benchmark_group(format!("decode {name}"));
    let bytes: usize = bodies.iter().map(|body| body.len()).sum();
    group.throughput(Throughput::Bytes(bytes as u64));
    let expected = entries.first().unwrap().1();
    for (name, decode) in entries {
        assert_eq!(decode(), expected, "{name}");
        group.bench_function(BenchmarkId::from_parameter(name), |bencher| {
            bencher.iter(|| black_box(decode()));
        });
    }
    if let Some(python) = CPython::new(name, bodies) {
        group.bench_function(
            BenchmarkId::from_parameter("CPython json.loads"),
            |bencher| {
                bencher.iter_custom(|times| python.elapsed(times));
            },
        );
    }
    group.finish();
}

fn decode(criterion: &mut Criterion) {
    let body = bodies::fitbit_day();
    let body = || black_box(body.as_slice());
    group(
        criterion,
        "fitbit",
        &[body()],
        &[
            ("pulsewing", &|| pulsewing_fitbit(body(), usize::MAX)),
            ("pulsewing, 16 KiB chunks", &|| {
                pulsewing_fitbit(body(), NETWORK_READ)
            }),
            ("serde_json typed, jiff", &|| typed_fitbit::<Jiff>(body())),
            ("serde_json typed, unchecked digits", &|| {
                typed_fitbit::<Digits>(body())
            }),
            ("serde_json Value, jiff", &|| value_fitbit(body())),
        ],
    );
    for (layout, suffix) in [(Layout::Compact, ""), (Layout::Indented, ", indented")] {
        let body = bodies::google_rollup_day(layout);
        let body = || black_box(body.as_slice());
        group(
            criterion,
            &format!("rollup{suffix}"),
            &[body()],
            &[
                ("pulsewing", &|| pulsewing_rollup(body(), usize::MAX)),
                ("pulsewing, 16 KiB chunks", &|| {
                    pulsewing_rollup(body(), NETWORK_READ)
                }),
                ("serde_json typed, jiff", &|| typed_rollup::<Jiff>(body())),
                ("serde_json typed, unchecked digits", &|| {
                    typed_rollup::<Digits>(body())
                }),
                ("serde_json Value, jiff", &|| value_rollup(body())),
            ],
        );
        let pages: Vec<_> = (0..bodies::RAW_PAGES)
            .map(|page| bodies::google_raw_page(page, layout))
            .collect();
        let pages = || black_box(pages.as_slice());
        group(
            criterion,
            &format!("raw{suffix}"),
            &pages().iter().map(Vec::as_slice).collect::<Vec<_>>(),
            &[
                ("pulsewing", &|| pulsewing_raw(pages(), usize::MAX)),
                ("pulsewing, 16 KiB chunks", &|| {
                    pulsewing_raw(pages(), NETWORK_READ)
                }),
                ("serde_json typed, jiff", &|| typed_raw::<Jiff>(pages())),
                ("serde_json typed, unchecked digits", &|| {
                    typed_raw::<Digits>(pages())
                }),
                ("serde_json Value, jiff", &|| value_raw(pages())),
            ],
        );
    }
}

criterion_group!(benches, decode);
criterion_main!(benches);
