//! The token chain in files.
//!
//! | file | contents |
//! |---|---|
//! | `chain` | the record (see [`pulsewing_core::chain::codec`]) |
//! | `chain.prev` | the previous generation, or a second copy of the one that is being refreshed |
//! | `chain.reserve` | space for the answer to a refresh, allocated before the refresh is sent |
//! | `chain.new` | a record on its way to become `chain` |
//! | `chain.lock` | the file that carries the kernel's lock; always empty |
//!
//! A record takes its place by `rename`, after its bytes were synced, and the directory is synced
//! after that: at any instant `chain` is the whole old record or the whole new one. The answer to a
//! refresh is written into `chain.reserve`, whose blocks are already allocated, so that a disk that
//! has filled up meanwhile does not cost us the tokens. (A file system that never writes in place,
//! such as btrfs or ZFS, may still need a block; then the write fails and is repeated.)

use std::{
    fs::{self, File, TryLockError},
    io::{self, Read, Seek, SeekFrom, Write},
    path::PathBuf,
    time::{Duration, SystemTime},
};

use pulsewing_core::{
    Provider,
    chain::{
        Record, Stored, Unstored,
        codec::{MAX_RECORD, RecordError},
    },
    cycle::{StoreTrouble, StoreWhat},
};
use pulsewing_files::{private, regular_file};
use zeroize::Zeroizing;

use super::{Custody, Loaded, Unavailable};
use crate::config::places::Place;

/// The interval between attempts to take a lock that another process holds.
const TRY_LOCK_EVERY: Duration = Duration::from_millis(50);

/// The chain's files, and their lock while we hold it.
#[derive(Debug)]
pub(crate) struct ChainFile {
    place: Place,
    lock: Option<File>,
}

impl ChainFile {
    /// Returns the chain's files of a wearer.
    pub(crate) const fn new(place: Place) -> Self {
        Self { place, lock: None }
    }

    /// Returns where the wearer's files are.
    pub(crate) const fn place(&self) -> &Place {
        &self.place
    }

    /// Returns the time of the last change, if there is a chain.
    pub(crate) fn modified(&self) -> Option<SystemTime> {
        fs::metadata(self.path("chain")).ok()?.modified().ok()
    }

    async fn take_lock(&mut self, wait: Duration) -> Result<(), Unavailable> {
        if self.lock.is_some() {
            return Ok(());
        }
        private::make_dir(&self.place.dir)?;
        let file = regular_file::open_with(
            private::options().read(true).append(true).create(true),
            &self.path("chain.lock"),
        )?;
        let since = std::time::Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => {
                    self.lock = Some(file);
                    return Ok(());
                }
                Err(TryLockError::Error(error)) => return Err(error.into()),
                Err(TryLockError::WouldBlock) if since.elapsed() >= wait => {
                    return Err(StoreTrouble::Busy.into());
                }
                Err(TryLockError::WouldBlock) => tokio::time::sleep(TRY_LOCK_EVERY).await,
            }
        }
    }

    /// Reads the chain. The previous generation is read only when the current one is damaged: a
    /// file-system error must not make us fall back to spent tokens.
    ///
    /// # Errors
    /// [`StoreTrouble`], with the file system's error.
    pub(crate) fn look(&self) -> Result<Loaded, Unavailable> {
        let current = self.read("chain")?;
        let (record, is_previous) = match current {
            None => (None, false),
            Some(Ok(record)) => (Some(record), false),
            Some(Err(RecordError::Newer(version))) => {
                return Err(StoreTrouble::Newer(version).into());
            }
            Some(Err(RecordError::Damaged)) => match self.read("chain.prev")? {
                Some(Ok(record)) => (Some(record), true),
                _ => return Err(StoreTrouble::Damaged.into()),
            },
        };
        Ok(Loaded {
            record,
            is_previous,
        })
    }

    /// Returns the stored chain, if there is one and it can be read.
    pub(crate) fn stored(&self) -> Option<Stored> {
        Some(self.look().ok()?.record?.chain)
    }

    /// Returns the provider that was asked for, else the stored chain's, else Google.
    pub(crate) fn provider(&self, asked: Option<Provider>) -> Provider {
        asked
            .or_else(|| Some(self.stored()?.provider()))
            .unwrap_or(Provider::Google)
    }

    fn read(&self, name: &str) -> Result<Option<Result<Record, RecordError>>, Unavailable> {
        match regular_file::open(&self.path(name)) {
            Ok(file) => Ok(Some(Record::decode(&bytes_of(file)?))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn write_record(&self, record: &[u8], what: StoreWhat) -> io::Result<()> {
        if record.is_empty() {
            return Err(outgrown());
        }
        match what {
            StoreWhat::Intent => {
                self.reserve()?;
                self.replace("chain", record)?;
                self.replace("chain.prev", record)?;
            }
            StoreWhat::Tokens => self.store_tokens(record)?,
            StoreWhat::Withdrawal | StoreWhat::Refusal | StoreWhat::Cache => {
                self.replace("chain", record)?;
            }
        }
        self.sync_dir()
    }

    fn write_new(&self, chain: &Unstored) -> io::Result<()> {
        if let Ok(current) = regular_file::open(&self.path("chain")).and_then(bytes_of) {
            self.replace("chain.prev", &current)?;
        }
        self.encoded(chain, |record| self.replace("chain", record))
    }

    /// Stores a chain in place of every copy: on its way to a board none may be left that could be
    /// refreshed, and taken back from there none that could not.
    ///
    /// # Errors
    /// Whatever the file system reports; until the last rename the chain stays unchanged.
    pub(crate) fn store_alone(&self, chain: &Unstored) -> io::Result<()> {
        self.encoded(chain, |record| {
            self.replace("chain.prev", record)?;
            self.replace("chain", record)
        })
    }

    /// Encodes a chain, writes it, and makes that durable.
    fn encoded(
        &self,
        chain: &Unstored,
        write: impl FnOnce(&[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut buffer = Zeroizing::new([0; MAX_RECORD]);
        write(chain.encode(&mut *buffer).ok_or_else(outgrown)?)?;
        self.sync_dir()
    }

    /// Erases the chain and all files that ever held parts of it.
    pub(crate) fn erase_files(&self) -> io::Result<()> {
        for name in ["chain", "chain.prev", "chain.reserve", "chain.new"] {
            match fs::remove_file(self.path(name)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        self.sync_dir()
    }

    /// Allocates disk space for a record.
    fn reserve(&self) -> io::Result<()> {
        self.write("chain.reserve", &[0; MAX_RECORD])
    }

    fn store_tokens(&self, record: &[u8]) -> io::Result<()> {
        let reserve = self.path("chain.reserve");
        match regular_file::open_with(private::options().write(true), &reserve) {
            Ok(mut file) => {
                // Written in place: anything after the record's checksum is not read.
                file.seek(SeekFrom::Start(0))?;
                file.write_all(record)?;
                file.sync_all()?;
                fs::rename(&reserve, self.path("chain"))
            }
            // The file is gone: an earlier write got as far as its rename, or a user removed it.
            Err(_) => self.replace("chain", record),
        }
    }

    fn replace(&self, name: &str, record: &[u8]) -> io::Result<()> {
        self.write("chain.new", record)?;
        fs::rename(self.path("chain.new"), self.path(name))
    }

    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut file = regular_file::open_with(
            private::options().write(true).create(true).truncate(true),
            &self.path(name),
        )?;
        file.write_all(bytes)?;
        file.sync_all()
    }

    fn sync_dir(&self) -> io::Result<()> {
        File::open(&self.place.dir)?.sync_all()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.place.dir.join(name)
    }
}

impl Custody for ChainFile {
    async fn lock(&mut self, wait: Duration) -> Result<(), Unavailable> {
        self.take_lock(wait).await
    }

    async fn unlock(&mut self) {
        // Closing the file unlocks it.
        self.lock = None;
    }

    async fn load(&mut self) -> Result<Loaded, Unavailable> {
        self.look()
    }

    async fn store(&mut self, record: &[u8], what: StoreWhat) -> io::Result<()> {
        self.write_record(record, what)
    }

    async fn store_new(&mut self, chain: &Unstored) -> io::Result<()> {
        self.write_new(chain)
    }

    async fn erase(&mut self) -> io::Result<()> {
        self.erase_files()
    }
}

/// Reads one of our files, but at most twice the length of a record, whatever the file is.
fn bytes_of(file: File) -> io::Result<Zeroizing<Vec<u8>>> {
    // It never grows, which would leave a copy behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(2 * MAX_RECORD + 32));
    file.take(2 * MAX_RECORD as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn outgrown() -> io::Error {
    io::Error::other("the record outgrew its bounds")
}
