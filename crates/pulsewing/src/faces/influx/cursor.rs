//! How far a wearer's history was copied, in a file beside it.

use std::{
    io::{self, Write as _},
    path::Path,
};

use jiff::{SignedDuration, Timestamp, civil::Date};
use pulsewing_files::{Replacement, regular_file};
use pulsewing_history::DayVersion;
use serde::{Deserialize, Serialize};

/// The name of the file.
const NAME: &str = "influx.json";

/// The size limit for reading it, in bytes.
const MAX_BYTES: u64 = 4_096;

/// What changed in the last hour before the cursor is sent again after a restart. Then it does no harm if the
/// clock was set back a little, or if two changes have the same second.
const OVERLAP: SignedDuration = SignedDuration::from_hours(1);

/// A place in the order of changes: all days up to it were sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Cursor {
    /// The InfluxDB that has them.
    server: String,
    changed_at: Timestamp,
    date: Date,
}

impl Cursor {
    /// Returns the cursor of an InfluxDB that has nothing yet.
    pub(super) fn start(server: &str) -> Self {
        Self {
            server: server.to_owned(),
            changed_at: Timestamp::MIN,
            date: Date::MIN,
        }
    }

    /// Reads the cursor; that of another InfluxDB, or one that cannot be read, is the start.
    pub(super) fn load(dir: &Path, server: &str) -> Self {
        let text = regular_file::read_text(&dir.join(NAME), MAX_BYTES);
        let read = text.ok().and_then(|text| serde_json::from_str(&text).ok());
        read.filter(|cursor: &Self| cursor.server == server)
            .unwrap_or_else(|| Self::start(server))
    }

    /// Writes the cursor.
    ///
    /// # Errors
    /// What the file system reports.
    pub(super) fn save(&self, dir: &Path) -> io::Result<()> {
        let text = serde_json::to_vec(self)?;
        // Not durable: after a power cut more is sent again.
        Replacement::new(&dir.join(NAME))
            .of_anything()
            .private()
            .write(|file| file.write_all(&text))
    }

    /// Moves on to a version that was sent. Changes are not from the future, unless the clock was set back:
    /// then the new ones would seem to be older.
    pub(super) fn advance(&mut self, sent: &DayVersion, now: Timestamp) {
        if (sent.changed_at, sent.date) > (self.changed_at, self.date) {
            (self.changed_at, self.date) = (sent.changed_at, sent.date);
        }
        self.changed_at = self.changed_at.min(now);
    }

    /// Returns whether an earlier run of the program sent this version for certain.
    pub(super) fn is_behind(&self, day: &DayVersion) -> bool {
        match day.changed_at == self.changed_at {
            // An import of years has a single time.
            true => day.date <= self.date,
            false => {
                let sure = self.changed_at.checked_sub(OVERLAP);
                sure.is_ok_and(|sure| day.changed_at < sure)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use pulsewing_testkit::at;

    use super::*;

    fn version(changed_at: &str, day: i8) -> DayVersion {
        DayVersion {
            date: date(2026, 11, day),
            changed_at: at(changed_at),
            digest: 0,
        }
    }

    #[test]
    fn it_goes_on_where_it_was_with_an_hour_to_spare() {
        let now = at("2026-11-22T14:00:00Z");
        let mut cursor = Cursor::start("a");
        assert!(!cursor.is_behind(&version("2026-11-22T12:00:00Z", 1)));
        cursor.advance(&version("2026-11-22T12:00:00Z", 10), now);
        assert!(cursor.is_behind(&version("2026-11-22T10:59:59Z", 20)));
        assert!(!cursor.is_behind(&version("2026-11-22T11:00:00Z", 20)));
        assert!(cursor.is_behind(&version("2026-11-22T12:00:00Z", 10)));
        assert!(!cursor.is_behind(&version("2026-11-22T12:00:00Z", 11)));
        // An older version that is sent again does not lead back.
        cursor.advance(&version("2026-11-22T09:00:00Z", 30), now);
        assert!(cursor.is_behind(&version("2026-11-22T10:59:59Z", 20)));
    }

    #[test]
    fn a_clock_that_was_wrong_hides_nothing_that_comes_later() {
        let mut cursor = Cursor::start("a");
        let now = at("2026-11-22T14:00:00Z");
        cursor.advance(&version("2030-01-01T00:00:00Z", 10), now);
        assert!(!cursor.is_behind(&version("2026-11-22T14:00:01Z", 11)));
    }

    #[test]
    fn it_is_of_one_server() {
        let dir = tempfile::tempdir().unwrap();
        let mut cursor = Cursor::start("a");
        let now = at("2026-11-22T14:00:00Z");
        cursor.advance(&version("2026-11-22T12:00:00Z", 10), now);
        cursor.save(dir.path()).unwrap();
        assert_eq!(Cursor::load(dir.path(), "a"), cursor);
        assert_eq!(Cursor::load(dir.path(), "b"), Cursor::start("b"));
        std::fs::write(dir.path().join(NAME), "{").unwrap();
        assert_eq!(Cursor::load(dir.path(), "a"), Cursor::start("a"));
    }
}
