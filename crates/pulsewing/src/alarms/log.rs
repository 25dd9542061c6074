//! What happened to a wearer's alarms in the last 90 days, as lines of JSON.
//!
//! It is for people who ask later what was told, and when. Losing it costs nothing else, so a line that
//! cannot be read is left out, and a write that fails is reported once.

use std::{
    io::{self, BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
};

use jiff::{SignedDuration, Timestamp};
use pulsewing_core::{
    alarm::{Cause, Change, Signal},
    civil::Offsets,
};
use pulsewing_files::{Replacement, private, regular_file};
use serde::{Deserialize, Serialize};

/// The name of the file.
const NAME: &str = "alarms.jsonl";

/// The time for which lines are kept.
const KEEP: SignedDuration = SignedDuration::from_hours(90 * 24);

/// The number of lines after which old ones are removed, and the most that are kept: with the
/// alarms' own pace, no wearer has as many in 90 days.
const MOST: usize = 10_000;

/// Something that happened to an alarm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// When it happened.
    pub at: Timestamp,
    /// The kind of alarm.
    pub kind: String,
    /// Its level.
    pub level: String,
    /// What happened: of a condition `began`, `rose`, `fell`, `ended` or `lapsed`; of a signal `raised`,
    /// `repeated`, `cleared`, `past` or `acknowledged`; and `snoozed`.
    pub what: String,
    /// The same in a sentence.
    pub sentence: String,
    /// The heart rate in bpm, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bpm: Option<u16>,
    /// The limit that was passed, in bpm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u16>,
    /// The time of measurement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured_at: Option<Timestamp>,
    /// When the condition began to hold.
    pub since: Timestamp,
}

impl Entry {
    /// Writes down a signal.
    pub(crate) fn of_signal(signal: &Signal, offsets: &Offsets, now: Timestamp) -> Self {
        let rate = match signal.cause {
            Cause::Rate { bpm, at, limit } => Some((bpm.get(), at, limit.get())),
            _ => None,
        };
        Self {
            at: now,
            kind: signal.kind.to_string(),
            level: signal.level.to_string(),
            what: signal.event.name().to_owned(),
            sentence: signal.sentence(offsets, now).to_string(),
            bpm: rate.map(|(bpm, ..)| bpm),
            limit: rate.map(|(.., limit)| limit),
            measured_at: rate.map(|(_, at, _)| at),
            since: signal.since,
        }
    }

    /// Writes down a change of a condition, in the words of the signal that would tell of it.
    pub(crate) fn of_change(change: &Change, offsets: &Offsets, now: Timestamp) -> Self {
        let signal = change.as_signal();
        Self {
            what: change.what.name().to_owned(),
            ..Self::of_signal(&signal, offsets, now)
        }
    }
}

/// The log of a wearer's alarms.
#[derive(Clone, Debug)]
pub(crate) struct AlarmLog {
    path: PathBuf,
}

impl AlarmLog {
    /// Returns the log in a wearer's directory.
    pub(crate) fn new(dir: &Path) -> Self {
        Self {
            path: dir.join(NAME),
        }
    }

    /// Adds entries.
    ///
    /// # Errors
    /// Whatever the file system reports.
    pub(crate) fn add(&self, entries: &[Entry]) -> io::Result<()> {
        if entries.is_empty() {
            return Ok(());
        }
        if let Some(dir) = self.path.parent() {
            private::make_dir(dir)?;
        }
        let mut lines = Vec::new();
        for entry in entries {
            serde_json::to_writer(&mut lines, entry)?;
            lines.push(b'\n');
        }
        let mut file =
            regular_file::open_with(private::options().append(true).create(true), &self.path)?;
        file.write_all(&lines)
    }

    /// Returns the entries of the last 90 days, oldest first.
    ///
    /// # Errors
    /// Whatever the file system reports.
    pub(crate) fn entries(&self, now: Timestamp) -> io::Result<Vec<Entry>> {
        Ok(self.read(now)?.entries)
    }

    /// Removes entries that are too old, once there are many.
    ///
    /// # Errors
    /// Whatever the file system reports.
    pub(crate) fn tidy(&self, now: Timestamp) -> io::Result<()> {
        let Kept { entries, lines } = self.read(now)?;
        if lines <= entries.len() || lines < MOST / 10 {
            return Ok(());
        }
        Replacement::new(&self.path)
            .of_anything()
            .private()
            .write(|file| {
                for entry in &entries {
                    serde_json::to_writer(&mut *file, entry)?;
                    file.write_all(b"\n")?;
                }
                Ok(())
            })
    }

    fn read(&self, now: Timestamp) -> io::Result<Kept> {
        let file = match regular_file::open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Kept::default()),
            file => file?,
        };
        let mut kept = Kept::default();
        for line in BufReader::new(file).split(b'\n') {
            kept.lines += 1;
            let Ok(entry) = serde_json::from_slice::<Entry>(&line?) else {
                continue;
            };
            if now.duration_since(entry.at) <= KEEP {
                kept.entries.push(entry);
            }
        }
        let surplus = kept.entries.len().saturating_sub(MOST);
        kept.entries.drain(..surplus);
        Ok(kept)
    }
}

/// What a log holds.
#[derive(Debug, Default)]
struct Kept {
    entries: Vec<Entry>,
    /// The number of all lines.
    lines: usize,
}

#[cfg(test)]
mod tests {
    use std::fs;

    use pulsewing_core::alarm::{Event, Kind, Level};

    use super::*;

    fn entry(at: Timestamp) -> Entry {
        let signal = Signal {
            kind: Kind::Sync,
            level: Level::Info,
            event: Event::Raised,
            cause: Cause::Sync { at },
            since: at,
            until: None,
        };
        Entry::of_signal(&signal, &Offsets::fixed(jiff::tz::Offset::UTC), at)
    }

    #[test]
    fn what_is_older_than_90_days_goes_and_the_rest_stays_in_order() {
        let dir = tempfile::tempdir().unwrap();
        let log = AlarmLog::new(dir.path());
        let now: Timestamp = "2026-11-29T12:00:00Z".parse().unwrap();
        assert_eq!(log.entries(now).unwrap(), []);
        let days = |days: i64| entry(now - SignedDuration::from_hours(24 * days));
        let old = vec![days(91); MOST / 10];
        log.add(&old).unwrap();
        log.add(&[days(90), days(1)]).unwrap();
        // A power cut may leave half a line.
        let mut text = fs::read_to_string(dir.path().join(NAME)).unwrap();
        text.push_str("{\"at\":\"2026");
        fs::write(dir.path().join(NAME), text).unwrap();
        assert_eq!(log.entries(now).unwrap(), [days(90), days(1)]);
        log.tidy(now).unwrap();
        let text = fs::read_to_string(dir.path().join(NAME)).unwrap();
        assert_eq!(text.lines().count(), 2);
        assert_eq!(log.entries(now).unwrap(), [days(90), days(1)]);
    }
}
