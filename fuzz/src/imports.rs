//! Any file is either imported or left out. What an import says that it read is what is kept, a second import
//! of the file changes nothing, and what is kept can be exported and imported again.
//!
//! The first byte of the input picks the file's name, and with it the form, and the clock of times without an
//! offset; the rest is the file.

use std::{cell::RefCell, collections::BTreeSet, fs, path::PathBuf};

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use pulsewing_core::Bpm;
use pulsewing_history::{
    History,
    archive::{
        FileError,
        export::{Format, export},
        import::{JsonTimes, Settings, Summary, Watcher, import},
    },
};
use tempfile::TempDir;

/// A name for each form. A name behind a slash is that of a file in a sound tar archive.
const NAMES: [&str; 16] = [
    "own.csv",
    "own.tsv",
    "own.json",
    "own.jsonl",
    "own.xml",
    "heart_rate-2024-10-27.json",
    "heart_rate_2024-10-27.csv",
    "resting_heart_rate-2024-03-01.json",
    "daily_resting_heart_rate.csv",
    "com.google.heart_rate.bpm.json",
    "export.zip",
    "export.tgz",
    "export.tar",
    "in.tar/heart_rate-2024-10-27.json",
    "in.tar/heart_rate_2024-10-27.csv",
    "in.tar/export.xml",
];

/// Imports the input as a file.
pub fn run(input: &[u8]) {
    thread_local! {
        // Making one takes longer than an import does.
        static BENCH: RefCell<Bench> = RefCell::new(Bench::new());
    }
    if let Some((pick, content)) = input.split_first() {
        let name = NAMES[usize::from(pick & 15)];
        let json_times = match pick & 16 {
            0 => JsonTimes::Utc,
            _ => JsonTimes::Local,
        };
        BENCH.with_borrow_mut(|bench| bench.check(name, content, json_times));
    }
}

/// A directory for the file, and an empty history.
struct Bench {
    dir: TempDir,
    history: History,
    settings: Settings,
}

impl Bench {
    fn new() -> Self {
        let dir = TempDir::new().expect("there is room");
        Self {
            history: History::open(dir.path(), "anna").expect("it is new"),
            settings: Settings {
                zone: TimeZone::get("Europe/Berlin").expect("it is bundled"),
                json_times: JsonTimes::Utc,
                now: "2026-11-22T12:00:00Z".parse().expect("it is a time"),
            },
            dir,
        }
    }

    fn check(&mut self, name: &str, content: &[u8], json_times: JsonTimes) {
        self.settings.json_times = json_times;
        let path = match name.split_once('/') {
            None => self.put(name, content),
            Some((archive, name)) => self.put(archive, &tar(name, content)),
        };
        let summary = self.import(&path);
        let kept = self.kept();
        assert_eq!(summary.dates, kept.dates);
        assert!(kept.minutes.len() as u64 <= summary.values, "{summary:?}");
        assert_eq!(kept.is_empty(), summary.values == 0, "{summary:?}");
        let now = self.settings.now;
        assert!(kept.minutes.iter().all(|(at, _)| *at <= now), "{kept:?}");

        assert_eq!(self.import(&path), summary);
        assert_eq!(self.kept(), kept, "the second time");

        if !kept.is_empty() {
            let path = self.export();
            self.clear();
            self.import(&path);
            assert_eq!(self.kept(), kept, "after the export");
            self.clear();
        }
    }

    fn put(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.dir.path().join(name);
        fs::write(&path, content).expect("there is room");
        path
    }

    fn import(&mut self, path: &PathBuf) -> Summary {
        let mut seen = Seen::default();
        let paths = std::slice::from_ref(path);
        let summary = import(&mut self.history, paths, &self.settings, &mut seen);
        let summary = summary.expect("the history is sound");
        assert_eq!(
            (summary.files, summary.left_out),
            (seen.read, seen.left_out)
        );
        assert_eq!(seen.done, seen.total, "{summary:?}");
        summary
    }

    fn export(&self) -> PathBuf {
        let mut csv = Vec::new();
        let lines = export(&self.history, Date::MIN, Date::MAX, Format::Csv, &mut csv);
        lines.expect("the history is sound");
        self.put("exported.csv", &csv)
    }

    fn kept(&self) -> Kept {
        let history = &self.history;
        let mut kept = Kept::default();
        for day in history.overview(Date::MIN, Date::MAX).expect("it is sound") {
            kept.resting.extend(day.resting.map(|bpm| (day.date, bpm)));
            if day.logged_minutes > 0 {
                kept.dates.insert(day.date);
            }
        }
        let minutes = history.minutes(Date::MIN, Date::MAX, |minute| {
            kept.minutes.push((minute.at, minute.bpm));
            Ok::<(), pulsewing_history::HistoryError>(())
        });
        minutes.expect("it is sound");
        kept
    }

    fn clear(&mut self) {
        self.history.prune(Date::MAX).expect("it is sound");
    }
}

/// Everything in the history.
#[derive(Debug, Default, PartialEq)]
struct Kept {
    minutes: Vec<(Timestamp, Bpm)>,
    resting: Vec<(Date, Bpm)>,
    /// The dates with minutes.
    dates: BTreeSet<Date>,
}

impl Kept {
    fn is_empty(&self) -> bool {
        self.minutes.is_empty() && self.resting.is_empty()
    }
}

/// What an import reported.
#[derive(Default)]
struct Seen {
    read: u64,
    left_out: u64,
    done: u64,
    total: u64,
}

impl Watcher for Seen {
    fn left_out(&mut self, _: &str, error: &FileError) {
        let told = error.to_string();
        assert!(!told.chars().any(char::is_control), "{told:?}");
        self.left_out += 1;
    }

    fn read(&mut self, name: &str) {
        assert!(!name.chars().any(char::is_control), "{name:?}");
        self.read += 1;
    }

    fn progress(&mut self, done: u64, total: u64) {
        assert!(self.done <= done && done <= total);
        (self.done, self.total) = (done, total);
    }
}

/// Returns a tar archive with one file.
fn tar(name: &str, content: &[u8]) -> Vec<u8> {
    const BLOCK: usize = 512;
    let mut archive = vec![0; BLOCK];
    archive[..name.len()].copy_from_slice(name.as_bytes());
    archive[124..135].copy_from_slice(format!("{:011o}", content.len()).as_bytes());
    archive[156] = b'0';
    archive[257..262].copy_from_slice(b"ustar");
    archive[148..156].fill(b' ');
    let sum: u32 = archive.iter().map(|byte| u32::from(*byte)).sum();
    archive[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    archive.extend_from_slice(content);
    archive.resize(archive.len().next_multiple_of(BLOCK) + 2 * BLOCK, 0);
    archive
}
