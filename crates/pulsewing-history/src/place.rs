//! The history's file: opens it, checks that it is still the one at its place, and sets it aside.

use std::{
    fs::{self, File, TryLockError},
    io, iter,
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use pulsewing_files::{private, regular_file};
use rusqlite::{Connection, OpenFlags};

use super::{error::HistoryError, schema};

pub(super) const NAME: &str = "history.db";

/// What the names of the history and of the files that SQLite keeps beside it while it is in use
/// end with.
const ENDINGS: [&str; 3] = ["", "-wal", "-shm"];

/// The time to wait for a writer.
const BUSY: Duration = Duration::from_secs(2);

/// The interval and the number of attempts to take the lock for moving a history aside.
const LOOK_EVERY: Duration = Duration::from_millis(50);
const LOOKS: u32 = 200;

/// The cache of each connection, in KiB. Readers scan the whole table, and the pages that they have
/// read should not stay in the daemon's memory.
const CACHE: i32 = 512;

/// The maximum number of histories that may be set aside within a second.
const ASIDE: u32 = 100;

/// The identity of the file that a connection has open.
#[derive(Debug)]
pub(super) struct Place {
    path: PathBuf,
    id: Option<FileId>,
}

/// The fate of an open file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whereabouts {
    /// It is still at its place.
    There,
    /// Another file is at its place.
    Replaced,
    /// No file is at its place.
    Gone,
}

impl Place {
    pub(super) fn new(path: PathBuf) -> Self {
        let id = id_of(&path);
        Self { path, id }
    }

    pub(super) fn whereabouts(&self) -> Whereabouts {
        match id_of(&self.path) {
            None => Whereabouts::Gone,
            id if id == self.id => Whereabouts::There,
            Some(_) => Whereabouts::Replaced,
        }
    }
}

/// The device and inode number of a file.
#[cfg(unix)]
type FileId = (u64, u64);

#[cfg(unix)]
fn id_of(path: &Path) -> Option<FileId> {
    use std::os::unix::fs::MetadataExt;
    let file = fs::metadata(path).ok()?;
    Some((file.dev(), file.ino()))
}

/// On other systems an open file cannot be removed.
#[cfg(not(unix))]
type FileId = ();

#[cfg(not(unix))]
fn id_of(path: &Path) -> Option<FileId> {
    fs::metadata(path).ok().map(drop)
}

/// Creates the file if there is none.
pub(super) fn make(dir: &Path) -> Result<(), HistoryError> {
    private::make_dir(dir)?;
    // SQLite gives the files beside it the same mode.
    regular_file::open_with(
        private::options().append(true).create(true),
        &dir.join(NAME),
    )?;
    Ok(())
}

/// Checks the files that SQLite is about to open: on a pipe it would block forever. Their size does
/// not matter, because SQLite reads them page by page.
fn check(dir: &Path) -> io::Result<()> {
    ENDINGS
        .iter()
        .try_for_each(|ending| regular_file::check(&dir.join(format!("{NAME}{ending}"))))
}

/// Returns whether there is a file.
pub(super) fn exists(dir: &Path) -> io::Result<bool> {
    dir.join(NAME).try_exists()
}

/// Returns whether the file was created but nothing was written yet, and no write is pending.
pub(super) fn is_empty(dir: &Path) -> io::Result<bool> {
    check(dir)?;
    Ok(bytes_on_disk(dir) == 0)
}

/// Opens the file for writing, and migrates it to the current version.
pub(super) fn open(dir: &Path) -> Result<(Connection, Place), HistoryError> {
    check(dir)?;
    let path = dir.join(NAME);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut db = Connection::open_with_flags(&path, flags)?;
    db.busy_timeout(BUSY)?;
    schema::check(&db, schema::STEPS)?;
    db.pragma_update(None, "cache_size", -CACHE)?;
    // In WAL mode readers and the writer do not wait for each other; a power cut may lose the last
    // write, but never damages the file. Where WAL is impossible, as on some network file systems,
    // the older mode stays in use.
    db.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    db.pragma_update(None, "synchronous", "NORMAL")?;
    // Do not run code from the schema of a tampered file.
    db.pragma_update(None, "trusted_schema", false)?;
    schema::migrate(&mut db, schema::STEPS)?;
    Ok((db, Place::new(path)))
}

/// Opens the file without changing it or anything beside it; returns `None` when it is still empty.
/// Runs no migration step.
pub(super) fn look(dir: &Path) -> Result<Option<(Connection, Place)>, HistoryError> {
    check(dir)?;
    let path = dir.join(NAME);
    let open = |db: Connection| {
        if schema::check(&db, schema::STEPS)? == 0 {
            return Ok(None);
        }
        db.pragma_update(None, "cache_size", -CACHE)?;
        Ok(Some((db, Place::new(path.clone()))))
    };
    match look_at(&path).and_then(open) {
        Err(error) if error.is_about_writing() => match is_filled(&path, "-wal") {
            // If there is no space for the memory that processes share, no other process can write
            // either.
            false => alone(&path).transpose()?.map_or(Err(error), open),
            true => Err(error.beside_its_log()),
        },
        opened => opened,
    }
}

/// Opens a damaged file to read what is still readable, even if pages are missing at its end, or
/// its list of tables is damaged as well.
pub(super) fn salvage(path: &Path) -> Result<Connection, HistoryError> {
    let db = look_at(path)?;
    // Only for this connection, which cannot write.
    db.pragma_update(None, "writable_schema", true)?;
    Ok(db)
}

/// Prevents other processes from moving a history aside until the returned lock is dropped; `None`
/// where directories cannot be locked.
pub(super) fn lock(dir: &Path) -> Result<Option<File>, HistoryError> {
    let Ok(lock) = File::open(dir) else {
        return Ok(None);
    };
    for _ in 0..LOOKS {
        match lock.try_lock() {
            Ok(()) => return Ok(Some(lock)),
            #[expect(
                clippy::disallowed_methods,
                reason = "a lock can be waited for, but not for a time"
            )]
            Err(TryLockError::WouldBlock) => std::thread::sleep(LOOK_EVERY),
            Err(TryLockError::Error(_)) => return Ok(None),
        }
    }
    Err(HistoryError::Busy)
}

/// Opens a file with any name as [`look`] does.
fn look_at(path: &Path) -> Result<Connection, HistoryError> {
    // Another process is writing, or was interrupted, if there is data in the files beside it.
    let is_in_use = is_filled(path, "-wal") || is_filled(path, "-shm");
    match alone(path) {
        Some(opened) if !is_in_use => opened,
        _ => reading(Connection::open_with_flags(path, READING)),
    }
}

/// Opens a file as immutable; returns `None` where SQLite does not support that.
fn alone(path: &Path) -> Option<Result<Connection, HistoryError>> {
    let flags = READING | OpenFlags::SQLITE_OPEN_URI;
    Some(reading(Connection::open_with_flags(uri(path)?, flags)))
}

const READING: OpenFlags = OpenFlags::SQLITE_OPEN_READ_ONLY.union(OpenFlags::SQLITE_OPEN_NO_MUTEX);

fn reading(opened: rusqlite::Result<Connection>) -> Result<Connection, HistoryError> {
    let db = opened?;
    db.busy_timeout(BUSY)?;
    db.pragma_update(None, "trusted_schema", false)?;
    Ok(db)
}

/// Returns whether the file beside it with this ending has any content.
fn is_filled(path: &Path, ending: &str) -> bool {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    fs::metadata(PathBuf::from(name)).is_ok_and(|file| file.len() > 0)
}

/// The characters that need no escape in the URI of a file.
const AS_IT_IS: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'.')
    .remove(b'-')
    .remove(b'_');

/// Returns the URI that makes SQLite treat the file as immutable.
fn uri(path: &Path) -> Option<String> {
    let path = std::path::absolute(path).ok()?;
    let path = utf8_percent_encode(path.to_str()?, AS_IT_IS);
    cfg!(unix).then(|| format!("file:{path}?immutable=1"))
}

/// Returns the size of a state directory's history, in bytes.
#[must_use]
pub fn bytes_on_disk(dir: &Path) -> u64 {
    let files = ENDINGS.map(|ending| fs::metadata(dir.join(format!("{NAME}{ending}"))));
    files.iter().flatten().map(fs::Metadata::len).sum()
}

/// The reason for setting a history aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aside {
    /// It is damaged.
    Damaged,
    /// It is another person's.
    Replaced,
}

/// Moves a history aside, so that a new one can begin; returns its new place. Never replaces a
/// history that was set aside before.
///
/// # Errors
/// Whatever the file system reports.
pub fn move_aside(dir: &Path, why: Aside, now: Timestamp) -> io::Result<PathBuf> {
    let why = match why {
        Aside::Damaged => "damaged",
        Aside::Replaced => "replaced",
    };
    let dated = format!("{NAME}.{why}-{}", now.strftime("%Y%m%dT%H%M%SZ"));
    let later = (2..=ASIDE).map(|nth| format!("{dated}-{nth}"));
    let name = iter::once(dated.clone())
        .chain(later)
        .find(|name| !dir.join(name).exists())
        .ok_or(io::ErrorKind::AlreadyExists)?;
    for ending in ENDINGS {
        let from = dir.join(format!("{NAME}{ending}"));
        match fs::rename(from, dir.join(format!("{name}{ending}"))) {
            Err(error) if ending.is_empty() || error.kind() != io::ErrorKind::NotFound => {
                return Err(error);
            }
            _ => {}
        }
    }
    Ok(dir.join(name))
}
