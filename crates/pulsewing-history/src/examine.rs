//! Examines a history without changing it: runs no migration step, and creates no file beside it.

use std::path::Path;

use jiff::civil::Date;

use super::{History, HistoryError, mend, read::Flaws};

/// The result of an examination.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Whole {
    /// The number of minutes with a value.
    pub minutes: u64,
    /// The days with data that cannot be read, in their order.
    pub unreadable: Vec<Date>,
    /// The days whose resting rate or zone cannot be read and is left out, in their order.
    pub corrected: Vec<Date>,
    /// Whether the file is damaged where it does not matter to a reader, as in an index.
    pub is_damaged: bool,
}

/// Reads a whole history; returns `None` when there is none.
///
/// # Errors
/// [`HistoryError`] when it cannot be used.
pub fn examine(dir: &Path, wearer: &str) -> Result<Option<Whole>, HistoryError> {
    let Some(history) = History::look(dir, wearer)? else {
        return Ok(None);
    };
    let faults = mend::faults(&history.db)?;
    let mut minutes = 0;
    history.minutes(Date::MIN, Date::MAX, |_| {
        minutes += 1;
        Ok::<_, HistoryError>(())
    })?;
    let Flaws {
        unreadable,
        corrected,
    } = history.flaws(Date::MIN, Date::MAX)?;
    Ok(Some(Whole {
        minutes,
        unreadable,
        corrected,
        is_damaged: faults.iter().any(|fault| mend::is_of_the_file(fault)),
    }))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{super::place::NAME, *};

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
        assert_eq!(examine(&dir, "w").unwrap(), Some(Whole::default()));
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
        assert_eq!(examine(dir.path(), "w").unwrap(), Some(Whole::default()));
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
