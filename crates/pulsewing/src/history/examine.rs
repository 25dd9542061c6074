//! Looks a history over without changing it: no step of the schema is taken, no file beside it is made.

use std::path::Path;

use jiff::civil::Date;
use rusqlite::{Connection, OpenFlags};

use super::{BESIDE, BUSY, History, HistoryError, NAME, check_files, schema};

/// What a history holds that was found whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Whole {
    /// How many minutes have a value.
    pub minutes: u64,
}

/// Reads everything that a history holds; `None` when there is none.
///
/// # Errors
/// [`HistoryError`]: what is wrong with it.
pub fn examine(dir: &Path, wearer: &str) -> Result<Option<Whole>, HistoryError> {
    let path = dir.join(NAME);
    if !path.try_exists()? {
        return Ok(None);
    }
    check_files(dir)?;
    let db = open(dir, &path)?;
    if schema::check(&db, schema::STEPS)? == 0 {
        // A file that was begun and not filled yet.
        return Ok(None);
    }
    let verdict: String = db.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if verdict != "ok" {
        return Err(HistoryError::Damaged(None));
    }
    let history = History {
        db,
        wearer: wearer.to_owned(),
    };
    let mut minutes = 0;
    history.minutes(Date::MIN, Date::MAX, |_| {
        minutes += 1;
        Ok::<_, HistoryError>(())
    })?;
    Ok(Some(Whole { minutes }))
}

fn open(dir: &Path, path: &Path) -> Result<Connection, HistoryError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    // Somebody is at work, or was cut off: then its files are beside it already.
    let is_in_use = dir.join(BESIDE[0]).try_exists()?;
    let db = match uri(path) {
        Some(uri) if !is_in_use => {
            Connection::open_with_flags(uri, flags | OpenFlags::SQLITE_OPEN_URI)?
        }
        _ => Connection::open_with_flags(path, flags)?,
    };
    db.busy_timeout(BUSY)?;
    db.pragma_update(None, "trusted_schema", false)?;
    Ok(db)
}

/// The address by which SQLite takes the file for one that nobody changes.
fn uri(path: &Path) -> Option<String> {
    use std::fmt::Write;
    let path = std::path::absolute(path).ok()?;
    let mut uri = String::from("file:");
    for byte in path.to_str()?.bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' | b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => {
                uri.push(char::from(byte));
            }
            _ => write!(uri, "%{byte:02X}").ok()?,
        }
    }
    cfg!(unix).then(|| uri + "?immutable=1")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_look_changes_nothing_and_a_strange_name_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().join("100% a?b#c ä");
        assert_eq!(examine(&dir, "w").unwrap(), None);
        drop(History::open(&dir, "w").unwrap());
        let files = || {
            let mut files: Vec<_> = fs::read_dir(&dir)
                .unwrap()
                .map(|file| file.unwrap().file_name())
                .collect();
            files.sort();
            files
        };
        let (before, bytes) = (files(), fs::read(dir.join(NAME)).unwrap());
        assert_eq!(examine(&dir, "w").unwrap(), Some(Whole { minutes: 0 }));
        assert_eq!(
            (files(), fs::read(dir.join(NAME)).unwrap()),
            (before, bytes)
        );
    }

    #[test]
    fn a_history_that_is_being_written_can_be_looked_over() {
        let dir = tempfile::tempdir().unwrap();
        let history = History::open(dir.path(), "w").unwrap();
        history.db.execute_batch("BEGIN IMMEDIATE").unwrap();
        assert_eq!(
            examine(dir.path(), "w").unwrap(),
            Some(Whole { minutes: 0 })
        );
    }

    #[test]
    fn damage_and_newer_formats_are_found() {
        let dir = tempfile::tempdir().unwrap();
        let history = History::open(dir.path(), "w").unwrap();
        history.db.pragma_update(None, "user_version", 99).unwrap();
        drop(history);
        assert!(matches!(
            examine(dir.path(), "w"),
            Err(HistoryError::Newer(99))
        ));
        fs::write(dir.path().join(NAME), [0x5A; 8_192]).unwrap();
        assert!(matches!(
            examine(dir.path(), "w"),
            Err(HistoryError::Damaged(_))
        ));
    }
}
