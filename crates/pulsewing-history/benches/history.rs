//! The history: reading a day, a year's overview, storing a reading in a file and over rows kept elsewhere,
//! and importing an export.
#![expect(
    clippy::unwrap_used,
    reason = "a bench that cannot set its stage has nothing to measure"
)]

use std::{
    env,
    fmt::Write,
    fs,
    hint::black_box,
    path::{Path, PathBuf},
};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use jiff::{
    SignedDuration,
    civil::{Date, date},
    tz::{Offset, TimeZone},
};
use pulsewing_core::{Bpm, Provider, civil::Offsets, day::Day};
use pulsewing_history::{
    Account, Arrival, Change, Dates, History, Keeper, Kind, Listener, MemoryHistory, Retention,
    Source, SourceDay,
    archive::{
        FileError,
        import::{JsonTimes, Settings, Watcher, import},
    },
    bytes_on_disk,
};
use pulsewing_testkit::readings;

const FIRST: Date = date(2025, 1, 1);
const LAST: Date = date(2025, 12, 31);

/// A heart rate that wanders between 50 and 170 bpm, the same in every run.
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
    history_of(dir, FIRST, 365)
}

fn history_of(dir: &Path, first: Date, days: usize) -> History {
    let mut history = History::open(dir, "default").unwrap();
    let mut heart = Heart::new();
    let batch = history.batch().unwrap();
    for date in first.series(jiff::Span::new().days(1)).take(days) {
        batch.record(&day(date, &mut heart)).unwrap();
    }
    batch.commit().unwrap();
    history
}

fn reading(c: &mut Criterion) {
    let dir = tempfile::tempdir().unwrap();
    drop(year(dir.path()));
    // The size on disk, the one figure here that is not a time.
    let bytes = bytes_on_disk(dir.path());
    assert!(bytes < 2_000_000, "a year of every minute: {bytes} bytes");
    let mut history = History::open(dir.path(), "default").unwrap();
    let middle = date(2025, 7, 1);
    c.bench_function("a day of minutes", |b| {
        b.iter(|| history.day(black_box(middle)).unwrap().unwrap());
    });
    c.bench_function("a day of minutes, opened anew", |b| {
        b.iter(|| {
            let history = History::open_existing(dir.path(), "default")
                .unwrap()
                .unwrap();
            history.day(black_box(middle)).unwrap().unwrap()
        });
    });
    let five_years = tempfile::tempdir().unwrap();
    let first = FIRST.checked_sub(jiff::Span::new().years(4)).unwrap();
    let of_five_years = history_of(five_years.path(), first, 5 * 365 + 1);
    c.bench_function("a day of minutes, of five years", |b| {
        b.iter(|| of_five_years.day(black_box(middle)).unwrap().unwrap());
    });
    drop(of_five_years);
    c.bench_function("five years, looked over and opened to be written", |b| {
        b.iter(|| History::open(five_years.path(), "default").unwrap());
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

/// One cycle of one wearer of many, whose rows are kept elsewhere: three full days are loaded, today's
/// reading is written, and the changes are taken out.
fn elsewhere(c: &mut Criterion) {
    let mut heart = Heart::new();
    let mut whole = MemoryHistory::new(Dates::ALL, []).unwrap();
    let days: Vec<SourceDay> = FIRST
        .series(jiff::Span::new().days(1))
        .take(3)
        .map(|date| day(date, &mut heart))
        .collect();
    for day in &days {
        whole.history_mut().record(day).unwrap();
    }
    let changes = whole.take_changes().unwrap();
    let rows: Vec<_> = changes
        .into_iter()
        .filter_map(|change| match change {
            Change::Put(row) => Some(row),
            Change::Delete(_) | Change::DeleteBefore(_) => None,
        })
        .collect();
    let today = days.last().unwrap();
    let dates = Dates::around(today.day.local().date());
    c.bench_function("a cycle over three days kept elsewhere", |b| {
        b.iter(|| {
            let mut some = MemoryHistory::new(dates, black_box(rows.clone())).unwrap();
            some.history_mut().record(black_box(today)).unwrap();
            let changes = some.take_changes().unwrap();
            assert_eq!(changes.len(), 1);
            changes
        });
    });
    let reading = readings::with_minutes(
        Offsets::fixed(Offset::constant(1)),
        today.day.local().instant(1_439),
        today.day.iter().map(|(minute, bpm)| (minute, bpm.get())),
    );
    let whose = Account {
        provider: Provider::Google,
        user_id: "111".to_owned(),
    };
    let mut keeper = Keeper::new(
        Retention::Days(400),
        Listener::new(|notice| panic!("{notice}")),
    );
    c.bench_function(
        "the same with the owner, the retention and the window",
        |b| {
            b.iter(|| {
                let arrival = Arrival::of_reading(black_box(&reading), Some(&whose)).unwrap();
                let mut some = MemoryHistory::new(arrival.dates(), rows.clone()).unwrap();
                let changes = keeper.keep(&mut some, &arrival);
                assert!(changes.len() >= 2);
                changes
            });
        },
    );
}

struct Silent;

impl Watcher for Silent {
    fn left_out(&mut self, name: &str, error: &FileError) {
        panic!("{name}: {error}");
    }

    fn read(&mut self, _: &str) {}

    fn progress(&mut self, _: u64, _: u64) {}
}

/// Returns the number of days in the export. Run once as a test, a week is enough.
fn days() -> i32 {
    match env::args().any(|argument| argument == "--bench") {
        true => 667,
        false => 7,
    }
}

/// The variable with the path at which the export is kept, so that the program itself can import it and
/// the next run finds it.
const KEPT: &str = "PULSEWING_BENCH_EXPORT";

/// Writes an export like Google Takeout's: the days of a person in Berlin, a sample every 2 to 15
/// seconds, once as JSON, in files of the wearer's days, and once as CSV, in files of UTC's days. For an
/// hour a day the tracker lies on the table; there the JSON marks its values as not trusted.
fn write_export(dir: &Path) {
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    let (json, csv) = (
        dir.join("Global Export Data"),
        dir.join("Physical Activity_GoogleData"),
    );
    for dir in [&json, &csv] {
        fs::create_dir_all(dir).unwrap();
    }
    let mut heart = Heart::new();
    let mut at = FIRST.to_zoned(zone.clone()).unwrap().timestamp();
    let (mut elements, mut lines) = (String::new(), String::from(CSV_HEADER));
    let mut begun = (FIRST, TimeZone::UTC.to_datetime(at).date());
    loop {
        let local = zone.to_datetime(at);
        let utc = TimeZone::UTC.to_datetime(at);
        if local.date() != begun.0 {
            let path = json.join(format!("heart_rate-{}.json", begun.0));
            fs::write(path, format!("[{elements}]")).unwrap();
            elements.clear();
            begun.0 = local.date();
        }
        let is_over = (local.date() - FIRST).get_days() >= days();
        if utc.date() != begun.1 || is_over {
            let path = csv.join(format!("heart_rate_{}.csv", begun.1));
            fs::write(path, &lines).unwrap();
            lines.truncate(CSV_HEADER.len());
            begun.1 = utc.date();
        }
        if is_over {
            break;
        }
        let (bpm, confidence) = match local.hour() {
            7 => (70, 0),
            _ => (heart.beat(), 2),
        };
        let separator = if elements.is_empty() { "" } else { "," };
        let (month, day, year) = (utc.month(), utc.day(), utc.year() % 100);
        let (hour, minute, second) = (utc.hour(), utc.minute(), utc.second());
        let (date, time) = (
            format_args!("{month:02}/{day:02}/{year:02}"),
            format_args!("{hour:02}:{minute:02}:{second:02}"),
        );
        write!(
            elements,
            "{separator}{{\n  \"dateTime\" : \"{date} {time}\",\n  \"value\" : {{\n    \"bpm\" : {bpm},\n    \"confidence\" : {confidence}\n  }}\n}}"
        )
        .unwrap();
        writeln!(lines, "{}T{time}Z,{bpm}.0,Charge 6", begun.1).unwrap();
        at += SignedDuration::from_secs(2 + i64::from(heart.0 >> 16) % 14);
    }
}

const CSV_HEADER: &str = "timestamp,beats per minute,data source\n";

fn bytes_under(dir: &Path) -> u64 {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap());
    let bytes = entries.map(|entry| match entry.metadata().unwrap() {
        data if data.is_dir() => bytes_under(&entry.path()),
        data => data.len(),
    });
    bytes.sum()
}

fn importing(c: &mut Criterion) {
    let temporary = tempfile::tempdir().unwrap();
    let export = env::var_os(KEPT).map_or_else(|| temporary.path().join("export"), PathBuf::from);
    if !export.exists() {
        write_export(&export);
    }
    let settings = Settings {
        zone: TimeZone::get("Europe/Berlin").unwrap(),
        json_times: JsonTimes::Utc,
        now: "2027-01-01T00:00:00Z".parse().unwrap(),
    };
    let mut group = c.benchmark_group("import");
    group.sample_size(10);
    for (name, path) in [
        ("JSON", export.join("Global Export Data")),
        ("CSV", export.join("Physical Activity_GoogleData")),
        ("JSON and CSV of the same", export),
    ] {
        group.throughput(Throughput::Bytes(bytes_under(&path)));
        group.bench_function(name, |b| {
            b.iter(|| {
                let dir = tempfile::tempdir().unwrap();
                let mut history = History::open(dir.path(), "default").unwrap();
                let paths = std::slice::from_ref(&path);
                let summary = import(&mut history, paths, &settings, &mut Silent).unwrap();
                assert!(summary.values > 7_500 * u64::from(days().unsigned_abs()));
                assert_eq!(summary.other_clock, None);
            });
        });
    }
    group.finish();
}

criterion_group!(benches, reading, elsewhere, importing);
criterion_main!(benches);
