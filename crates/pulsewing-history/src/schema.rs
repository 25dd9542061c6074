//! The tables, and the migration of older ones.
//!
//! `PRAGMA user_version` holds the version. Every step below leads from one version to the next,
//! inside one transaction; a step that was released is never edited. A version newer than the last
//! step's is refused before anything is written. So is a file whose tables do not match its
//! version: no step could work there, and no row could be found.

use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

use super::{error::HistoryError, still::still};

/// Step `n` leads from version `n` to version `n + 1`. Version 0 is an empty file.
pub(super) const STEPS: &[&str] = &[
    "
    CREATE TABLE day (
        wearer TEXT NOT NULL,
        -- The civil date, YYYY-MM-DD.
        date TEXT NOT NULL,
        -- When the day begins, in seconds since 1970.
        start INTEGER NOT NULL,
        -- How many minutes it has.
        length INTEGER NOT NULL,
        -- Where the minutes came from.
        source TEXT NOT NULL,
        -- The zone's name, empty where only its offset is known; the offset from UTC that the day
        -- begins with, in seconds; and the minute from which another one holds.
        zone TEXT NOT NULL,
        offset INTEGER NOT NULL,
        change_minute INTEGER,
        change_offset INTEGER,
        -- How many minutes have a value; the least, mean and greatest in bpm.
        logged INTEGER NOT NULL,
        min INTEGER,
        mean INTEGER,
        max INTEGER,
        -- The resting heart rate, in bpm.
        resting INTEGER,
        -- The newest fetch that was merged in, and the one that last changed something.
        fetched_at INTEGER NOT NULL,
        changed_at INTEGER NOT NULL,
        minutes BLOB NOT NULL,
        PRIMARY KEY (wearer, date, start, length, source)
    ) STRICT;
",
    "
    -- Which days were asked for once they were over, also those of which there was nothing.
    CREATE TABLE asked (
        wearer TEXT NOT NULL,
        -- The civil date, YYYY-MM-DD.
        date TEXT NOT NULL,
        -- Up to when the tracker had synced at the time, in seconds since 1970.
        synced_at INTEGER NOT NULL,
        PRIMARY KEY (wearer, date)
    ) STRICT, WITHOUT ROWID;
",
    "
    -- Whose heart rate it is: what each provider calls the person.
    CREATE TABLE IF NOT EXISTS owner (
        wearer TEXT NOT NULL,
        -- google or fitbit.
        provider TEXT NOT NULL,
        user_id TEXT NOT NULL,
        PRIMARY KEY (wearer, provider)
    ) STRICT, WITHOUT ROWID;
",
    "
    -- The minutes that a tracker itself did not trust, by days of UTC.
    CREATE TABLE IF NOT EXISTS doubted (
        wearer TEXT NOT NULL,
        -- Who says so.
        source TEXT NOT NULL,
        -- When the day of UTC begins, in seconds since 1970.
        start INTEGER NOT NULL,
        minutes BLOB NOT NULL,
        PRIMARY KEY (wearer, start, source)
    ) STRICT, WITHOUT ROWID;
",
];

/// The first version that stores the owner.
pub(super) const WITH_OWNER: usize = 3;

/// The columns of the table of days.
pub(super) const DAY_COLUMNS: &str = "wearer, date, start, length, source, zone, offset, change_minute, change_offset, logged, min, mean, max, resting, fetched_at, changed_at, minutes";

/// The tables, each with the version that introduced it and all columns that we use.
pub(super) const TABLES: [(&str, usize, &str); 4] = [
    ("day", 1, DAY_COLUMNS),
    ("asked", 2, "wearer, date, synced_at"),
    ("owner", WITH_OWNER, "wearer, provider, user_id"),
    ("doubted", 4, "wearer, source, start, minutes"),
];

/// Returns the version of a file. Refuses one that is newer than the last step's.
pub(super) fn version(db: &Connection, steps: &[&str]) -> Result<usize, HistoryError> {
    let version: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let known = usize::try_from(version)
        .map_err(|_| HistoryError::damaged(format!("its format is numbered {version}")))?;
    match known > steps.len() {
        true => Err(HistoryError::Newer(version)),
        false => Ok(known),
    }
}

/// Returns the version of a file, after checking that its tables match it.
pub(super) fn check(db: &Connection, steps: &[&str]) -> Result<usize, HistoryError> {
    // Another process may be about to run the steps.
    let _still = still(db)?;
    let version = version(db, steps)?;
    let mut query = db.prepare("SELECT type FROM sqlite_schema WHERE name = ?1")?;
    for (name, since, columns) in TABLES {
        let found: Option<String> = query.query_row([name], |row| row.get(0)).optional()?;
        let is_as_it_should = match found.as_deref() {
            // Read, so that any obstacle is found before anything is written.
            Some("table") if version >= since => {
                match db.prepare(&format!("SELECT {columns} FROM {name}")) {
                    Ok(_) => true,
                    Err(rusqlite::Error::SqlInputError { .. }) => false,
                    Err(error) => return Err(error.into()),
                }
            }
            // Its step accepts a table that exists already.
            Some("table") => since >= WITH_OWNER && version > 0,
            Some(_) => false,
            None => version < since,
        };
        if !is_as_it_should {
            return Err(HistoryError::damaged(match version {
                0 => "it has tables, but no format number".to_owned(),
                _ => format!("its tables are not those of format {version}"),
            }));
        }
    }
    Ok(version)
}

/// Creates the tables in a database that is empty and nobody else's.
pub(super) fn create(db: &Connection) -> Result<(), HistoryError> {
    for step in STEPS {
        db.execute_batch(step)?;
    }
    Ok(db.pragma_update(None, "user_version", STEPS.len() as i64)?)
}

/// Runs the missing steps.
pub(super) fn migrate(db: &mut Connection, steps: &[&str]) -> Result<(), HistoryError> {
    if check(db, steps)? == steps.len() {
        return Ok(());
    }
    // Another process may be about to do the same: the second one finds it done.
    let change = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version = check(&change, steps)?;
    for step in steps.iter().skip(version) {
        change.execute_batch(step)?;
    }
    change.pragma_update(None, "user_version", steps.len() as i64)?;
    change.commit()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(db: &Connection) -> i64 {
        db.query_row("PRAGMA user_version", [], |row| row.get(0))
            .unwrap()
    }

    #[test]
    fn an_empty_file_takes_every_step_once() {
        let mut db = Connection::open_in_memory().unwrap();
        for _ in 0..2 {
            migrate(&mut db, STEPS).unwrap();
            assert_eq!(number(&db), STEPS.len() as i64);
            db.prepare("SELECT minutes FROM day").unwrap();
            db.prepare("SELECT synced_at FROM asked").unwrap();
            db.prepare("SELECT user_id FROM owner").unwrap();
        }
    }

    #[test]
    fn a_file_of_every_older_version_takes_the_steps_it_lacks_and_keeps_its_rows() {
        for older in 1..STEPS.len() {
            let mut db = Connection::open_in_memory().unwrap();
            migrate(&mut db, &STEPS[..older]).unwrap();
            assert_eq!(number(&db), older as i64);
            db.execute(
                "INSERT INTO day VALUES ('w','2026-11-22',0,1440,'google','',0,NULL,NULL,0,NULL,NULL,NULL,NULL,1,1,x'')",
                [],
            )
            .unwrap();
            migrate(&mut db, STEPS).unwrap();
            assert_eq!(number(&db), STEPS.len() as i64);
            let date: String = db
                .query_row("SELECT date FROM day", [], |row| row.get(0))
                .unwrap();
            assert_eq!(date, "2026-11-22");
            let asked: i64 = db
                .query_row("SELECT count(*) FROM asked", [], |row| row.get(0))
                .unwrap();
            assert_eq!(asked, 0);
        }
    }

    #[test]
    fn a_step_that_fails_leaves_the_version_before() {
        let mut db = Connection::open_in_memory().unwrap();
        let broken = [
            STEPS,
            &["CREATE TABLE other (id INTEGER); CREATE TABLE day (id INTEGER)"],
        ]
        .concat();
        assert!(migrate(&mut db, &broken).is_err());
        assert_eq!(number(&db), 0);
        assert!(db.prepare("SELECT * FROM day").is_err());
    }

    #[test]
    fn a_newer_version_is_refused() {
        let mut db = Connection::open_in_memory().unwrap();
        let newer = STEPS.len() as i64 + 1;
        db.pragma_update(None, "user_version", newer).unwrap();
        let refusal = migrate(&mut db, STEPS);
        assert!(matches!(refusal, Err(HistoryError::Newer(version)) if version == newer));
    }

    #[test]
    fn tables_that_are_not_those_of_the_version_are_damage_and_stay_as_they_are() {
        for change in [
            "PRAGMA user_version = -1",
            "PRAGMA user_version = 0",
            "PRAGMA user_version = 1",
            "DROP TABLE day",
            "DROP TABLE asked",
            "DROP TABLE owner",
            "DROP TABLE doubted",
            "ALTER TABLE day RENAME TO days; CREATE VIEW day AS SELECT * FROM days",
            "ALTER TABLE day DROP COLUMN resting",
            "ALTER TABLE owner RENAME COLUMN user_id TO id",
            "ALTER TABLE day RENAME TO days; CREATE INDEX day ON days (logged)",
        ] {
            let mut db = Connection::open_in_memory().unwrap();
            migrate(&mut db, STEPS).unwrap();
            db.execute_batch(change).unwrap();
            let before = number(&db);
            let error = migrate(&mut db, STEPS).unwrap_err();
            assert!(matches!(error, HistoryError::Damaged(_)), "{change}");
            let words = error.in_words();
            assert!(words.contains("format"), "{change}: {words}");
            assert_eq!(number(&db), before);
        }
        // The steps that add the owner and the doubts accept tables that exist already.
        let mut db = Connection::open_in_memory().unwrap();
        migrate(&mut db, STEPS).unwrap();
        db.pragma_update(None, "user_version", 2).unwrap();
        migrate(&mut db, STEPS).unwrap();
        assert_eq!(number(&db), STEPS.len() as i64);
    }
}
