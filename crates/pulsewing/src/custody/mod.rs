//! Data that outlives a run: the token chains, the state beside them, and the list of wearers.
//!
//! [`Custody`] says what every store of a token chain has to do. `chain_file.rs` does it with files, and
//! `leased_chain.rs` with a database that several machines share.

pub(crate) mod chain_file;
#[cfg(feature = "fleet")]
pub(crate) mod leased_chain;
pub(crate) mod roster;
pub(crate) mod source_tokens;
pub(crate) mod standing;
pub(crate) mod state_file;

use std::{io, time::Duration};

use pulsewing_core::{
    chain::{Record, Unstored},
    cycle::{StoreTrouble, StoreWhat},
};

use self::chain_file::ChainFile;
#[cfg(feature = "fleet")]
use self::leased_chain::LeasedChain;
use crate::tell::problem::{Exit, Problem};

/// The longest wait of a command for the lock.
const OPEN_WITHIN: Duration = Duration::from_secs(30);

/// A store of one wearer's token chain.
///
/// Whoever holds the lock is the only one who sends the chain's refresh token, and the store is read
/// again after it was taken: the store is the truth, never memory. What [`store`](Self::store) has
/// confirmed survives a crash and a power cut.
pub(crate) trait Custody {
    /// Takes the lock, and waits at most `wait` for it. Does nothing if it is held already.
    ///
    /// # Errors
    /// [`StoreTrouble::Busy`] when somebody else kept it, [`StoreTrouble::Io`] with the cause.
    async fn lock(&mut self, wait: Duration) -> Result<(), Unavailable>;

    /// Releases the lock, if it is held.
    async fn unlock(&mut self);

    /// Reads the chain.
    ///
    /// # Errors
    /// [`StoreTrouble`], with the store's error.
    async fn load(&mut self) -> Result<Loaded, Unavailable>;

    /// Stores a record durably, under the lock.
    ///
    /// # Errors
    /// Whatever the store reports; the stored record is then the old one or the new one.
    async fn store(&mut self, record: &[u8], what: StoreWhat) -> io::Result<()>;

    /// Stores a new chain under the lock, such as one from a sign-in, in place of any other.
    ///
    /// # Errors
    /// As [`store`](Self::store).
    async fn store_new(&mut self, chain: &Unstored) -> io::Result<()>;

    /// Erases the chain under the lock, and everything that ever held parts of it.
    ///
    /// # Errors
    /// Whatever the store reports.
    async fn erase(&mut self) -> io::Result<()>;

    /// Returns whether the lock was lost to somebody else, who has the chain from now on: nothing may
    /// be sent any more, and nothing that is in memory counts.
    fn is_lost(&self) -> bool {
        false
    }

    /// Returns whether the lock is still held, before something is sent that only its holder may send.
    async fn confirm(&mut self) -> bool {
        true
    }

    /// Returns where the chain is stored, in words.
    fn place(&self) -> &'static str {
        "the disk"
    }

    /// Takes the lock and reads the chain, for a command that is about to change it.
    ///
    /// # Errors
    /// A [`Problem`] when the lock or the chain is not available.
    async fn open(&mut self) -> Result<Option<Record>, Problem> {
        self.lock(OPEN_WITHIN).await?;
        Ok(self.load().await?.record)
    }
}

/// The reason why a store does not yield a chain.
#[derive(Debug)]
pub(crate) struct Unavailable {
    /// The error for the cycle.
    pub trouble: StoreTrouble,
    /// The store's own error, if there was one.
    pub cause: Option<io::Error>,
}

impl From<io::Error> for Unavailable {
    fn from(error: io::Error) -> Self {
        Self {
            trouble: StoreTrouble::Io,
            cause: Some(error),
        }
    }
}

impl From<StoreTrouble> for Unavailable {
    fn from(trouble: StoreTrouble) -> Self {
        Self {
            trouble,
            cause: None,
        }
    }
}

impl From<Unavailable> for Problem {
    fn from(unavailable: Unavailable) -> Self {
        let exit = match unavailable.trouble {
            StoreTrouble::Busy => Exit::Temporary,
            _ => Exit::Failed,
        };
        let problem = Self::new(exit, unavailable.trouble.to_string());
        match unavailable.cause {
            Some(cause) => problem.caused_by_file(&cause),
            None => problem,
        }
    }
}

/// The contents of a store.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// The chain, if there is one.
    pub record: Option<Record>,
    /// Whether the newest record was damaged, so that this is the previous generation.
    pub is_previous: bool,
}

/// Any of the stores.
#[derive(Debug)]
pub(crate) enum ChainStore {
    /// Files of this machine.
    Files(ChainFile),
    /// A row of the fleet's database.
    #[cfg(feature = "fleet")]
    Leased(LeasedChain),
}

/// Calls a method of whichever store it is.
macro_rules! any {
    ($store:expr, $custody:ident => $call:expr) => {
        match $store {
            ChainStore::Files($custody) => $call,
            #[cfg(feature = "fleet")]
            ChainStore::Leased($custody) => $call,
        }
    };
}

impl Custody for ChainStore {
    async fn lock(&mut self, wait: Duration) -> Result<(), Unavailable> {
        any!(self, custody => custody.lock(wait).await)
    }

    async fn unlock(&mut self) {
        any!(self, custody => custody.unlock().await);
    }

    async fn load(&mut self) -> Result<Loaded, Unavailable> {
        any!(self, custody => custody.load().await)
    }

    async fn store(&mut self, record: &[u8], what: StoreWhat) -> io::Result<()> {
        any!(self, custody => custody.store(record, what).await)
    }

    async fn store_new(&mut self, chain: &Unstored) -> io::Result<()> {
        any!(self, custody => custody.store_new(chain).await)
    }

    async fn erase(&mut self) -> io::Result<()> {
        any!(self, custody => custody.erase().await)
    }

    fn is_lost(&self) -> bool {
        any!(self, custody => custody.is_lost())
    }

    async fn confirm(&mut self) -> bool {
        any!(self, custody => Custody::confirm(custody).await)
    }

    fn place(&self) -> &'static str {
        any!(self, custody => Custody::place(custody))
    }
}
