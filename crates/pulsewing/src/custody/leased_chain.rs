//! The token chain in a database that several machines share (see [`pulsewing_fleet`]).
//!
//! The lock is a lease: whoever works for the wearer has it before this is made, and it is kept until
//! the work is done. If it is lost, another collector has the chain: [`Custody::is_lost`] says so.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use pulsewing_core::{
    chain::{
        Record, Unstored,
        codec::{MAX_RECORD, RecordError},
    },
    cycle::{StoreTrouble, StoreWhat},
};
use pulsewing_fleet::{Database, Error, Keys, Lease, Renewal, Write};
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use super::{Custody, Loaded, Unavailable};

/// A wearer's chain in the database, under a lease.
#[derive(Clone, Debug)]
pub(crate) struct LeasedChain {
    database: Database,
    keys: Arc<Keys>,
    lease: Arc<Mutex<Lease>>,
    renewal: Renewal,
    is_lost: Arc<AtomicBool>,
}

impl LeasedChain {
    /// Returns the chain of the wearer of this lease.
    pub(crate) fn new(database: Database, keys: Arc<Keys>, lease: Lease) -> Self {
        Self {
            database,
            keys,
            renewal: lease.renewal(),
            lease: Arc::new(Mutex::new(lease)),
            is_lost: Arc::default(),
        }
    }

    /// Returns the lease.
    pub(crate) fn lease(&self) -> &Mutex<Lease> {
        &self.lease
    }

    /// Keeps the lease for as long as this runs: renews it after each third of its length. Returns when
    /// it is lost.
    pub(crate) async fn keep(&self) {
        let third = self.database.options().lease / 3;
        while !self.is_lost() {
            tokio::time::sleep(third).await;
            let renewed = self.database.renew(&self.renewal).await;
            // A database that cannot be reached may be back before the lease ends.
            let _ = renewed.map_err(|error| self.failed(error));
        }
    }

    /// Gives the lease back; it is then this chain's no more.
    pub(crate) async fn give_back(self) -> Option<Lease> {
        Arc::try_unwrap(self.lease).ok().map(Mutex::into_inner)
    }

    /// Takes over an error: a lost lease is remembered.
    pub(crate) fn failed(&self, error: Error) -> io::Error {
        if matches!(error, Error::Fenced { .. }) {
            self.is_lost.store(true, Ordering::Relaxed);
        }
        io::Error::other(error)
    }
}

impl Custody for LeasedChain {
    async fn lock(&mut self, _: Duration) -> Result<(), Unavailable> {
        match self.is_lost() {
            false => Ok(()),
            true => Err(StoreTrouble::Busy.into()),
        }
    }

    async fn unlock(&mut self) {
        // The lease is kept for the state and the history.
    }

    async fn load(&mut self) -> Result<Loaded, Unavailable> {
        let mut lease = self.lease.lock().await;
        let chain = match self.database.load_chain(&mut lease, &self.keys).await {
            Ok(chain) => chain,
            Err(Error::Damaged { .. }) => return Err(StoreTrouble::Damaged.into()),
            Err(error) => return Err(self.failed(error).into()),
        };
        drop(lease);
        let Some(chain) = chain else {
            return Ok(Loaded {
                record: None,
                is_previous: false,
            });
        };
        let record = match Record::decode(&chain.record) {
            Ok(record) => record,
            Err(RecordError::Newer(version)) => return Err(StoreTrouble::Newer(version).into()),
            Err(RecordError::Damaged) => return Err(StoreTrouble::Damaged.into()),
        };
        // After a restored backup: the token in it may have been spent since.
        let record = match chain.verify && record.chain.provider().rotates() {
            true => Record {
                chain: record.chain.unproven(),
                ..record
            },
            false => record,
        };
        Ok(Loaded {
            record: Some(record),
            is_previous: false,
        })
    }

    async fn store(&mut self, record: &[u8], what: StoreWhat) -> io::Result<()> {
        let generation = match Record::decode(record) {
            Ok(record) => record.chain.generation(),
            Err(_) => return Err(unencodable()),
        };
        let write = match what {
            StoreWhat::Intent => Write::Intent,
            StoreWhat::Tokens => Write::Tokens,
            StoreWhat::Withdrawal | StoreWhat::Refusal | StoreWhat::Cache => Write::Settled,
        };
        let mut lease = self.lease.lock().await;
        let stored = self
            .database
            .store_chain(&mut lease, &self.keys, write, generation, record)
            .await;
        stored.map_err(|error| self.failed(error))
    }

    async fn store_new(&mut self, chain: &Unstored) -> io::Result<()> {
        let mut buffer = Zeroizing::new([0; MAX_RECORD]);
        let record = chain.encode(&mut *buffer).ok_or_else(unencodable)?;
        let rotates = chain.provider().rotates();
        let mut lease = self.lease.lock().await;
        let stored = self
            .database
            .replace_chain(&mut lease, &self.keys, chain.generation(), record, rotates)
            .await;
        stored.map_err(|error| self.failed(error))
    }

    async fn erase(&mut self) -> io::Result<()> {
        let mut lease = self.lease.lock().await;
        let erased = self.database.erase_chain(&mut lease).await;
        erased.map_err(|error| self.failed(error))
    }

    fn is_lost(&self) -> bool {
        self.is_lost.load(Ordering::Relaxed)
    }
}

fn unencodable() -> io::Error {
    io::Error::other("the record cannot be encoded")
}
