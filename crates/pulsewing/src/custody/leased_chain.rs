//! The token chain in a database that several machines share (see [`pulsewing_fleet`]).
//!
//! The lock is a lease: whoever works for the wearer has it before this is made, and it is kept until
//! the work is done. If it is lost, another collector has the chain: [`Custody::is_lost`] says so.
//!
//! A process that was paused may have lost it without knowing: before a refresh token is sent,
//! [`Custody::confirm`] asks the database, unless so little time has passed that nobody can have
//! taken over.

use std::{
    io,
    sync::{
        Arc, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp};
use pulsewing_core::{
    chain::{
        Intent, Record, Unstored,
        codec::{MAX_RECORD, RecordError},
    },
    cycle::{StoreTrouble, StoreWhat},
};
use pulsewing_fleet::{Database, Error, Keys, Lease, Renewal, Write};
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use super::{Custody, Loaded, Unavailable};

/// The usual difference between machines' clocks, at most. A shorter access token's end is missed by
/// less, which costs one refused request.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_secs(10);

/// A wearer's chain in the database, under a lease.
#[derive(Clone, Debug)]
pub(crate) struct LeasedChain {
    database: Database,
    keys: Arc<Keys>,
    lease: Arc<Mutex<Lease>>,
    renewal: Renewal,
    is_lost: Arc<AtomicBool>,
    held: Arc<std::sync::Mutex<Held>>,
    /// The program's clock when this was made, and the moment.
    made: (Timestamp, Instant),
}

/// Until when nobody else can have taken the chain.
#[derive(Debug)]
struct Held {
    /// By the last taking or renewal.
    renewed: Instant,
    /// By the intent, while there is one: no renewal goes beyond that.
    intent: Option<Instant>,
}

impl LeasedChain {
    /// Returns the chain of the wearer of this lease. `now` is the time on the program's clock.
    pub(crate) fn new(database: Database, keys: Arc<Keys>, now: Timestamp, lease: Lease) -> Self {
        let held = Held {
            renewed: lease.taken_after() + database.options().lease,
            intent: None,
        };
        Self {
            database,
            keys,
            made: (now, Instant::now()),
            held: Arc::new(std::sync::Mutex::new(held)),
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
            // A database that cannot be reached may be back before the lease ends.
            let _ = self.renew().await;
        }
    }

    async fn renew(&self) -> io::Result<()> {
        let asked = Instant::now();
        let renewed = self.database.renew(&self.renewal).await;
        renewed.map_err(|error| self.failed(error))?;
        self.held().renewed = asked + self.database.options().lease;
        Ok(())
    }

    /// Returns the time on the program's clock.
    fn now(&self) -> Timestamp {
        let (then, moment) = self.made;
        then.checked_add(moment.elapsed()).unwrap_or(then)
    }

    /// Returns whether the access token may have ended before the time that the record says: that is by
    /// the clock of the collector to which it was granted, and this one may be ahead of ours.
    fn is_doubtful(&self, record: &Record, age: Duration) -> bool {
        record.chain.access().is_some_and(|access| {
            let left = access.expires_at.duration_since(self.now());
            let life = Duration::from_secs(access.lifetime_s.into());
            let at_most = SignedDuration::try_from(life.saturating_sub(age)).unwrap_or_default();
            left > at_most + CLOCKS_DIFFER
        })
    }

    fn held(&self) -> std::sync::MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
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
        // After a restored backup the refresh token may have been spent since.
        let may_be_spent = chain.verify && record.chain.provider().rotates();
        let record = match may_be_spent || self.is_doubtful(&record, chain.age) {
            true => Record {
                chain: record.chain.unproven(),
                ..record
            },
            false => record,
        };
        // The clock of the collector that stored the intent may be wrong, and so may ours.
        let stored_at = self.now().checked_sub(chain.age);
        let intent = record.intent.map(|intent| Intent {
            first_sent_at: stored_at.unwrap_or(Timestamp::MIN),
            ..intent
        });
        let record = Record { intent, ..record };
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
        let asked = Instant::now();
        let stored = self
            .database
            .store_chain(&mut lease, &self.keys, write, generation, record)
            .await;
        stored.map_err(|error| self.failed(error))?;
        let mut held = self.held();
        match write {
            Write::Intent => {
                let until = asked + self.database.options().lease;
                *held = Held {
                    renewed: until,
                    intent: Some(until),
                };
            }
            Write::Tokens | Write::Settled => held.intent = None,
        }
        Ok(())
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

    async fn confirm(&mut self) -> bool {
        let until = {
            let held = self.held();
            held.intent.unwrap_or(held.renewed).min(held.renewed)
        };
        !self.is_lost() && (Instant::now() < until || self.renew().await.is_ok())
    }

    fn place(&self) -> &'static str {
        "the database"
    }

    fn is_lost(&self) -> bool {
        self.is_lost.load(Ordering::Relaxed)
    }
}

fn unencodable() -> io::Error {
    io::Error::other("the record cannot be encoded")
}
