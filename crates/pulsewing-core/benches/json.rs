//! Decodes a day of heart rate, and compares with the usual libraries.
//!
//! Every entry extracts the same facts from the same bytes and computes the same checksum.

#![expect(
    clippy::unwrap_used,
    reason = "a bench that cannot read its body has nothing to measure"
)]

mod typed;

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use pulsewing_core::json::{Decoder, Event, Flow, Handler};
use pulsewing_testkit::bodies::{self, Layout};
use serde_json::Value;
use typed::{FitbitDay, RawPage, RollupDay};

/// The facts extracted from a body, folded into numbers so that no entry can skip work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Tally {
    points: u64,
    seconds: u64,
    beats: u64,
}

impl Tally {
    fn add(&mut self, seconds: u64, bpm: u64) {
        self.points += 1;
        self.seconds += seconds;
        self.beats += bpm;
    }
}

/// Returns the seconds since midnight of `HH:MM:SS`.
fn seconds(time: &[u8]) -> u64 {
    let &[h1, h2, b':', m1, m2, b':', s1, s2] = time else {
        panic!("no time of day");
    };
    let two = |tens: u8, ones: u8| u64::from(tens - b'0') * 10 + u64::from(ones - b'0');
    two(h1, h2) * 3_600 + two(m1, m2) * 60 + two(s1, s2)
}

/// Returns the seconds since midnight of an RFC 3339 instant without fraction.
fn instant_seconds(instant: &[u8]) -> u64 {
    seconds(&instant[11..19])
}

/// The keys that lead to a body's points, and the two at their ends.
///
/// A key counts only at its own depth and every other one is skipped, so a name stands for one path.
trait Shape {
    fn member(depth: u32, key: &[u8]) -> Member;
    fn seconds(text: &[u8]) -> u64;
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Member {
    OnTheWay,
    Time,
    Bpm,
    Unwanted,
}

struct Fitbit;
struct Rollup;
struct Raw;

impl Shape for Fitbit {
    #[inline]
    fn member(depth: u32, key: &[u8]) -> Member {
        match (depth, key) {
            (4, b"time") => Member::Time,
            (4, b"value") => Member::Bpm,
            (1, b"activities-heart-intraday") | (2, b"dataset") => Member::OnTheWay,
            _ => Member::Unwanted,
        }
    }

    fn seconds(text: &[u8]) -> u64 {
        seconds(text)
    }
}

impl Shape for Rollup {
    #[inline]
    fn member(depth: u32, key: &[u8]) -> Member {
        match (depth, key) {
            (3, b"startTime") => Member::Time,
            (4, b"beatsPerMinuteAvg") => Member::Bpm,
            (1, b"rollupDataPoints") | (3, b"heartRate") => Member::OnTheWay,
            _ => Member::Unwanted,
        }
    }

    fn seconds(text: &[u8]) -> u64 {
        instant_seconds(text)
    }
}

impl Shape for Raw {
    #[inline]
    fn member(depth: u32, key: &[u8]) -> Member {
        match (depth, key) {
            (5, b"physicalTime") => Member::Time,
            (4, b"beatsPerMinute") => Member::Bpm,
            (1, b"dataPoints") | (3, b"heartRate") | (4, b"sampleTime") => Member::OnTheWay,
            _ => Member::Unwanted,
        }
    }

    fn seconds(text: &[u8]) -> u64 {
        instant_seconds(text)
    }
}

struct Points<S> {
    shape: std::marker::PhantomData<S>,
    depth: u32,
    member: Member,
    seconds: u64,
    tally: Tally,
}

impl<S: Shape> Points<S> {
    fn new() -> Self {
        Self {
            shape: std::marker::PhantomData,
            depth: 0,
            member: Member::OnTheWay,
            seconds: 0,
            tally: Tally::default(),
        }
    }
}

impl<S: Shape> Handler for Points<S> {
    #[inline(always)]
    fn event(&mut self, event: Event<'_>) -> Flow {
        match event {
            Event::Key(key) => {
                self.member = S::member(self.depth, key.as_bytes().unwrap_or_default());
                if self.member == Member::Unwanted {
                    return Flow::Skip;
                }
            }
            Event::BeginObject | Event::BeginArray => self.depth += 1,
            Event::EndObject | Event::EndArray => self.depth -= 1,
            Event::String(text) => match (self.member, text.as_bytes()) {
                (Member::Time, Some(text)) => self.seconds = S::seconds(text),
                // Google writes this integer as a string.
                (Member::Bpm, Some(text)) => {
                    let bpm = text
                        .iter()
                        .fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0'));
                    self.tally.add(self.seconds, bpm);
                }
                _ => {}
            },
            Event::Number(number) => {
                if self.member == Member::Bpm {
                    let bpm = number.round_half_up().unwrap();
                    self.tally.add(self.seconds, bpm.cast_unsigned());
                }
            }
            Event::Bool(_) | Event::Null => {}
        }
        Flow::Continue
    }
}

fn pulsewing<S: Shape>(bodies: &[Vec<u8>], chunk_size: usize) -> Tally {
    let mut points = Points::<S>::new();
    for body in bodies {
        let mut decoder: Decoder = Decoder::new();
        for chunk in body.chunks(chunk_size) {
            decoder.feed(chunk, &mut points).unwrap();
        }
        decoder.finish(&mut points).unwrap();
    }
    points.tally
}

/// Picojson's push parser cannot skip, but returns the same tokens.
struct Pico<S>(Points<S>);

impl<'input, 'scratch, S: Shape> picojson::PushParserHandler<'input, 'scratch, picojson::ParseError>
    for Pico<S>
{
    fn handle_event(
        &mut self,
        event: picojson::Event<'input, 'scratch>,
    ) -> Result<(), picojson::ParseError> {
        let points = &mut self.0;
        match event {
            picojson::Event::StartObject | picojson::Event::StartArray => points.depth += 1,
            picojson::Event::EndObject | picojson::Event::EndArray => points.depth -= 1,
            picojson::Event::Key(key) => {
                points.member = S::member(points.depth, key.as_str().as_bytes());
            }
            picojson::Event::String(text) => match points.member {
                Member::Time => points.seconds = S::seconds(text.as_str().as_bytes()),
                Member::Bpm => points
                    .tally
                    .add(points.seconds, text.as_str().parse().unwrap()),
                _ => {}
            },
            picojson::Event::Number(number) if points.member == Member::Bpm => {
                points.tally.add(points.seconds, rounded(number.as_str()));
            }
            _ => {}
        }
        Ok(())
    }
}

fn rounded(text: &str) -> u64 {
    text.parse()
        .unwrap_or_else(|_| text.parse::<f64>().unwrap().round() as u64)
}

fn pico<S: Shape>(bodies: &[Vec<u8>]) -> Tally {
    type Parser<'i, 's, S> = picojson::PushParser<'i, 's, Pico<S>, picojson::DefaultConfig>;
    let mut points = Points::<S>::new();
    for body in bodies {
        let mut scratch = [0; 256];
        let mut parser: Parser<'_, '_, S> = Parser::new(Pico(points), &mut scratch);
        let written: Result<(), picojson::PushParseError<picojson::ParseError>> =
            parser.write(body);
        written.unwrap();
        points = parser.finish::<picojson::ParseError>().unwrap().0;
    }
    points.tally
}

fn typed_fitbit(body: &[u8], tally: &mut Tally) {
    let day: FitbitDay<'_> = serde_json::from_slice(body).unwrap();
    for minute in &day.intraday.dataset {
        tally.add(
            seconds(minute.time.as_bytes()),
            minute.value.cast_unsigned(),
        );
    }
}

fn typed_rollup(body: &[u8], tally: &mut Tally) {
    let day: RollupDay<'_> = serde_json::from_slice(body).unwrap();
    for window in &day.rollup_data_points {
        let bpm = window.heart_rate.beats_per_minute_avg.round() as u64;
        tally.add(instant_seconds(window.start_time.as_bytes()), bpm);
    }
}

fn typed_raw(body: &[u8], tally: &mut Tally) {
    let page: RawPage<'_> = serde_json::from_slice(body).unwrap();
    for point in &page.data_points {
        let bpm = point.heart_rate.beats_per_minute.parse().unwrap();
        let time = point.heart_rate.sample_time.physical_time;
        tally.add(instant_seconds(time.as_bytes()), bpm);
    }
}

fn value_fitbit(body: &[u8], tally: &mut Tally) {
    let day: Value = serde_json::from_slice(body).unwrap();
    for minute in day["activities-heart-intraday"]["dataset"]
        .as_array()
        .unwrap()
    {
        let time = minute["time"].as_str().unwrap();
        tally.add(seconds(time.as_bytes()), minute["value"].as_u64().unwrap());
    }
}

fn value_rollup(body: &[u8], tally: &mut Tally) {
    let day: Value = serde_json::from_slice(body).unwrap();
    for window in day["rollupDataPoints"].as_array().unwrap() {
        let time = window["startTime"].as_str().unwrap();
        let bpm = window["heartRate"]["beatsPerMinuteAvg"].as_f64().unwrap();
        tally.add(instant_seconds(time.as_bytes()), bpm.round() as u64);
    }
}

fn value_raw(body: &[u8], tally: &mut Tally) {
    let page: Value = serde_json::from_slice(body).unwrap();
    for point in page["dataPoints"].as_array().unwrap() {
        let time = point["heartRate"]["sampleTime"]["physicalTime"].as_str();
        let bpm = point["heartRate"]["beatsPerMinute"].as_str().unwrap();
        tally.add(
            instant_seconds(time.unwrap().as_bytes()),
            bpm.parse().unwrap(),
        );
    }
}

fn each(bodies: &[Vec<u8>], read: impl Fn(&[u8], &mut Tally)) -> Tally {
    let mut tally = Tally::default();
    for body in bodies {
        read(body, &mut tally);
    }
    tally
}

/// Maximum payload of a TLS record, so about the most that a network read returns.
const NETWORK_READ: usize = 16 * 1_024;

fn group<S: Shape>(
    criterion: &mut Criterion,
    name: &str,
    bodies: &[Vec<u8>],
    typed: fn(&[u8], &mut Tally),
    value: fn(&[u8], &mut Tally),
) {
    let expected = each(bodies, typed);
    let mut group = criterion.benchmark_group(name);
    let length: usize = bodies.iter().map(Vec::len).sum();
    group.throughput(Throughput::Bytes(length as u64));
    let mut entry = |name: &str, read: &dyn Fn() -> Tally| {
        assert_eq!(read(), expected, "{name}");
        group.bench_function(BenchmarkId::from_parameter(name), |bencher| {
            bencher.iter(|| black_box(read()));
        });
    };
    entry("pulsewing events", &|| {
        pulsewing::<S>(black_box(bodies), usize::MAX)
    });
    entry("pulsewing events, 16 KiB chunks", &|| {
        pulsewing::<S>(black_box(bodies), NETWORK_READ)
    });
    entry("serde_json typed borrowed", &|| {
        each(black_box(bodies), typed)
    });
    entry("serde_json Value", &|| each(black_box(bodies), value));
    entry("picojson", &|| pico::<S>(black_box(bodies)));
    group.finish();
}

fn json(criterion: &mut Criterion) {
    let fitbit = [bodies::fitbit_day()];
    group::<Fitbit>(criterion, "fitbit", &fitbit, typed_fitbit, value_fitbit);
    for (layout, suffix) in [(Layout::Compact, ""), (Layout::Indented, ", indented")] {
        let rollup = [bodies::google_rollup_day(layout)];
        let name = format!("rollup{suffix}");
        group::<Rollup>(criterion, &name, &rollup, typed_rollup, value_rollup);
        let raw: Vec<_> = (0..bodies::RAW_PAGES)
            .map(|page| bodies::google_raw_page(page, layout))
            .collect();
        let name = format!("raw{suffix}");
        group::<Raw>(criterion, &name, &raw, typed_raw, value_raw);
    }
}

criterion_group!(benches, json);
criterion_main!(benches);
