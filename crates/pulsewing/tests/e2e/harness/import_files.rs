//! Exports in the formats of Google Takeout and Fitbit.

use std::{
    fmt::Write as _,
    fs::{self, File},
    io::Write as _,
    path::Path,
};

use jiff::{SignedDuration, Timestamp};

use crate::harness::recording;

/// The first line of the output of `export`.
pub(crate) const HEADER: &str = "time,bpm,offset,zone,resting_bpm";

/// Returns a sample every 15 seconds of these minutes from an instant on, as (instant, bpm). A minute's
/// samples are its rate minus one, twice the rate, and plus one.
pub(crate) fn samples(start: &str, rates: impl IntoIterator<Item = u16>) -> Vec<(Timestamp, u16)> {
    let start: Timestamp = start.parse().unwrap();
    let mut samples = Vec::new();
    for (minute, rate) in (0..).zip(rates) {
        for (quarter, off) in [(0, -1), (15, 0), (30, 0), (45, 1)] {
            let at = start + SignedDuration::from_secs(minute * 60 + quarter);
            samples.push((at, rate.checked_add_signed(off).unwrap()));
        }
    }
    samples
}

/// Returns the output of `export` for these minutes, in UTC.
pub(crate) fn exported(start: &str, rates: impl IntoIterator<Item = u16>) -> String {
    let start: Timestamp = start.parse().unwrap();
    let mut csv = format!("{HEADER}\n");
    for (minute, rate) in (0..).zip(rates) {
        let at = start + SignedDuration::from_mins(minute);
        writeln!(csv, "{},{rate},+00:00,UTC,", at.strftime("%F %T")).unwrap();
    }
    csv
}

/// Returns the same for the minutes of [`recording::until_two`].
pub(crate) fn until_two() -> String {
    exported("2026-11-22T00:00:00Z", recording::rates_until_two())
}

/// Formats samples as in `heart_rate-YYYY-MM-DD.json`.
pub(crate) fn json(samples: &[(Timestamp, u16)]) -> String {
    json_of_confidence(samples, 2)
}

/// Formats them with this confidence of the tracker.
pub(crate) fn json_of_confidence(samples: &[(Timestamp, u16)], confidence: u8) -> String {
    let elements: Vec<String> = samples
        .iter()
        .map(|(at, bpm)| {
            let time = at.strftime("%m/%d/%y %H:%M:%S");
            format!(
                "{{\n  \"dateTime\" : \"{time}\",\n  \"value\" : {{\n    \"bpm\" : {bpm},\n    \"confidence\" : {confidence}\n  }}\n}}"
            )
        })
        .collect();
    format!("[{}]", elements.join(","))
}

/// Formats samples as in `heart_rate_YYYY-MM-DD.csv`; with a device, in the newest layout.
pub(crate) fn csv(samples: &[(Timestamp, u16)], device: Option<&str>) -> String {
    let (header, ending) = match device {
        None => ("timestamp,beats per minute", String::new()),
        Some(device) => (
            "timestamp,beats per minute,data source",
            format!(",{device}"),
        ),
    };
    let mut text = format!("{header}\r\n");
    for (at, bpm) in samples {
        write!(text, "{at},{bpm}.0{ending}\r\n").unwrap();
    }
    text
}

/// A file of an export: its path and its text.
pub(crate) type Entry = (String, String);

/// Writes an export into a directory.
pub(crate) fn directory(dir: &Path, entries: &[Entry]) {
    for (name, text) in entries {
        let path = dir.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

/// Writes an export as a zip file.
pub(crate) fn zip(path: &Path, entries: &[Entry]) {
    let mut zip = zip::ZipWriter::new(File::create(path).unwrap());
    for (name, text) in entries {
        let options = zip::write::SimpleFileOptions::default();
        zip.start_file(name, options).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap();
}

/// Returns the output of `export` without the resting heart rates.
pub(crate) fn without_resting(exported: &str) -> String {
    let mut minutes = format!("{HEADER}\n");
    for line in exported.lines().skip(1) {
        let (minute, _) = line.rsplit_once(',').unwrap();
        writeln!(minutes, "{minute},").unwrap();
    }
    minutes
}
