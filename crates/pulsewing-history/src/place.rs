//! The history's file: how it is opened, whether it is still the one at its place, and how it is set aside.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use pulsewing_files::{private, regular_file};
use rusqlite::{Connection, OpenFlags};

use super::{error::HistoryError, schema};

pub(super) const NAME: &str = "history.db";

/// What SQLite keeps beside the file while it is in use.
const BESIDE: [&str; 2] = ["history.db-wal", "history.db-shm"];

/// How long a writer is waited for.
const BUSY: Duration = Duration::from_secs(2);

/// How often, and how many times, it is tried to be the only one that moves a history aside.
const LOOK_EVERY: Duration = Duration::from_millis(50);
const LOOKS: u32 = 200;

/// How much of the file each connection holds, in KiB. Whatever reads goes through the whole table: what it
/// has passed is not to stay in the daemon's memory.
const CACHE: i32 = 512;

/// How many histories may be set aside within a second.
const ASIDE: u32 = 100;

/// Which file a connection has open.
#[derive(Debug)]
pub(super) struct Place {
    path: PathBuf,
    id: Option<FileId>,
}

/// What has become of a file that is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whereabouts {
    /// It is where it was.
    There,
    /// There is another one at its place.
    Replaced,
    /// There is none at its place.
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

/// The device and the number of a file.
#[cfg(unix)]
type FileId = (u64, u64);

#[cfg(unix)]
fn id_of(path: &Path) -> Option<FileId> {
    use std::os::unix::fs::MetadataExt;
    let file = fs::metadata(path).ok()?;
    Some((file.dev(), file.ino()))
}

/// Elsewhere a file that is open cannot be taken away.
#[cfg(not(unix))]
type FileId = ();

#[cfg(not(unix))]
fn id_of(path: &Path) -> Option<FileId> {
    fs::metadata(path).ok().map(drop)
}

/// Makes the file, where there is none.
pub(super) fn make(dir: &Path) -> Result<(), HistoryError> {
    private::make_dir(dir)?;
    // SQLite gives what it puts beside the file the file's own mode.
    regular_file::open_with(
        private::options().append(true).create(true),
        &dir.join(NAME),
    )?;
    Ok(())
}

/// Looks at what SQLite is about to open: in a pipe it would wait without end. How large the files
/// are does not matter, because it reads them page by page.
fn check(dir: &Path) -> io::Result<()> {
    [NAME]
        .iter()
        .chain(&BESIDE)
        .try_for_each(|name| regular_file::check(&dir.join(name)))
}

/// Whether there is a file.
pub(super) fn exists(dir: &Path) -> io::Result<bool> {
    dir.join(NAME).try_exists()
}

/// Whether the file was begun and nothing was written yet, nor is about to be.
pub(super) fn is_empty(dir: &Path) -> io::Result<bool> {
    check(dir)?;
    Ok(bytes_on_disk(dir) == 0)
}

/// Opens the file to write, and brings it up to date.
pub(super) fn open(dir: &Path) -> Result<(Connection, Place), HistoryError> {
    check(dir)?;
    let path = dir.join(NAME);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut db = Connection::open_with_flags(&path, flags)?;
    db.busy_timeout(BUSY)?;
    schema::check(&db, schema::STEPS)?;
    db.pragma_update(None, "cache_size", -CACHE)?;
    // Readers and the writer do not wait for each other; a power cut may cost the last write,
    // never the file. Where WAL is impossible, as on some network file systems, the older way
    // stays in use.
    db.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    db.pragma_update(None, "synchronous", "NORMAL")?;
    // Nothing that a tampered file could bring along is run.
    db.pragma_update(None, "trusted_schema", false)?;
    schema::migrate(&mut db, schema::STEPS)?;
    Ok((db, Place::new(path)))
}

/// Opens the file without changing it or anything beside it; `None` when it was begun and not filled
/// yet. No step of the schema is taken.
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
            // Where there is no room for what processes share, nobody writes either.
            false => alone(&path).transpose()?.map_or(Err(error), open),
            true => Err(error.beside_its_log()),
        },
        opened => opened,
    }
}

/// Opens a damaged file to read what can be read of it: also when it has fewer pages than it should, or a
/// list of tables that is damaged as well.
pub(super) fn salvage(path: &Path) -> Result<Connection, HistoryError> {
    let db = look_at(path)?;
    // For this connection alone, which can write nothing.
    db.pragma_update(None, "writable_schema", true)?;
    Ok(db)
}

/// Has no other process move a history aside until what is returned is dropped; `None` where directories
/// cannot be locked.
pub(super) fn lock(dir: &Path) -> Result<Option<File>, HistoryError> {
    let Ok(lock) = File::open(dir) else {
        return Ok(None);
    };
    for _ in 0..LOOKS {
        match lock.try_lock() {
            Ok(()) => return Ok(Some(lock)),
            Err(TryLockError::WouldBlock) => std::thread::sleep(LOOK_EVERY),
            Err(TryLockError::Error(_)) => return Ok(None),
        }
    }
    Err(HistoryError::Busy)
}

/// Opens a file of any name as [`look`] does.
fn look_at(path: &Path) -> Result<Connection, HistoryError> {
    // Somebody is at work, or was cut off: then something is in the files beside it.
    let is_in_use = is_filled(path, "-wal") || is_filled(path, "-shm");
    match alone(path) {
        Some(opened) if !is_in_use => opened,
        _ => reading(Connection::open_with_flags(path, READING)),
    }
}

/// Opens a file as one that nobody changes; `None` where SQLite cannot be told so.
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

/// Whether something is in the file beside a file whose name ends so.
fn is_filled(path: &Path, ending: &str) -> bool {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    fs::metadata(PathBuf::from(name)).is_ok_and(|file| file.len() > 0)
}

/// What SQLite takes as it stands in the address of a file.
const AS_IT_IS: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'.')
    .remove(b'-')
    .remove(b'_');

/// The address by which SQLite takes the file for one that nobody changes.
fn uri(path: &Path) -> Option<String> {
    let path = std::path::absolute(path).ok()?;
    let path = utf8_percent_encode(path.to_str()?, AS_IT_IS);
    cfg!(unix).then(|| format!("file:{path}?immutable=1"))
}

/// How many bytes the history of a state directory takes.
#[must_use]
pub fn bytes_on_disk(dir: &Path) -> u64 {
    [NAME]
        .iter()
        .chain(&BESIDE)
        .filter_map(|name| fs::metadata(dir.join(name)).ok())
        .map(|file| file.len())
        .sum()
}

/// Why a history is set aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aside {
    /// It is damaged.
    Damaged,
    /// It is another person's.
    Replaced,
}

/// Moves a history out of the way, so that a new one can begin; returns where it is now. Nothing that
/// was set aside before is touched.
///
/// # Errors
/// What the file system says.
pub fn move_aside(dir: &Path, why: Aside, now: Timestamp) -> io::Result<PathBuf> {
    let why = match why {
        Aside::Damaged => "damaged",
        Aside::Replaced => "replaced",
    };
    let dated = format!("{NAME}.{why}-{}", now.strftime("%Y%m%dT%H%M%SZ"));
    let name = (1..=ASIDE)
        .map(|nth| match nth {
            1 => dated.clone(),
            _ => format!("{dated}-{nth}"),
        })
        .find(|name| !dir.join(name).exists())
        .ok_or(io::ErrorKind::AlreadyExists)?;
    let aside = dir.join(&name);
    fs::rename(dir.join(NAME), &aside)?;
    for (beside, ending) in BESIDE.iter().zip(["-wal", "-shm"]) {
        match fs::rename(dir.join(beside), dir.join(format!("{name}{ending}"))) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(aside)
}
