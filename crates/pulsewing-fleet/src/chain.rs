//! Token chains: one writer at a time, across machines, through pauses and cut connections.
//!
//! A chain is a record that the caller encodes, and a generation. The record's bytes hold the intent, so an
//! intent keeps the generation, and new tokens raise it. Beside them each write has a *revision*, which
//! the lease's holder counts up from the last write before its lease, also when a write failed.
//!
//! Every write is one statement. It locks the wearer's lease row, and changes something only if all of
//! this holds:
//!
//! | condition | refuses |
//! |---|---|
//! | the row's `fence` is the writer's | a holder that was paused, and whose wearer somebody else has taken: this taking waits for a write that has begun, and a write that comes later finds another fence |
//! | `chain_revision` is what it was when the lease was taken, or `chain_fence` is the writer's and `chain_revision` not above the new one | a write of the holder's own that was given up, and arrives after a later one |
//! | `generation` is the one that was loaded, or the new one | a record that does not follow from the stored one |
//!
//! `chain_fence` is the writer's only after a write of the same holder. So a write whose confirmation was
//! lost may be sent again, as it was or with another record: if the first one was carried out, the same
//! revision is written once more, or a later one over it. For anybody else, the first condition has failed.
//!
//! What a cut at each step of one refresh leaves behind:
//!
//! | step | cut before it is carried out | cut after |
//! |---|---|---|
//! | take the lease | nothing | nobody works for the wearer until the lease ends |
//! | load | as above | as above |
//! | store the intent | the old chain; nothing was sent | an intent. The next holder sends the same token first |
//! | send | as above | as above: within the replay window it gets the same answer |
//! | store the tokens | as above | the new chain, without an intent |
//! | release | the new chain; the lease ends by itself | all done |
//!
//! When the cut lasts longer than the provider repeats its answer, see `lease.rs`, "last call".
//!
//! An intent makes the lease last for its whole length from then on, and no longer, however often it is
//! renewed: [`LONGEST_LEASE`](crate::LONGEST_LEASE) says why.
//!
//! The lease row also remembers `chain_revision`. A chain's row that was put back from an earlier time has
//! another one, and is refused. Whether the whole database was put back, nothing in it can tell: see
//! [`Database::restored`].

use std::{fmt, time::Duration};

use tokio_postgres::Row;
use zeroize::Zeroizing;

use crate::{
    Database, Error, Keys, Lease, Wearer,
    database::column,
    seal::{Place, Unsealable},
    statement::Statement,
};

/// A stored chain. `Debug` does not show the record.
#[derive(PartialEq, Eq)]
pub struct Chain {
    /// The record, as it was stored.
    pub record: Zeroizing<Vec<u8>>,
    /// Its generation.
    pub generation: u32,
    /// Whether the database was restored from a backup since the tokens were stored: they may have been
    /// spent, and must prove themselves before the chain is relied on.
    pub verify: bool,
    /// How long ago it was stored, by the server's clock. The record's own times are by the clock of
    /// whoever stored it.
    pub age: Duration,
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chain")
            .field("generation", &self.generation)
            .field("verify", &self.verify)
            .finish_non_exhaustive()
    }
}

/// What a write of the chain says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Write {
    /// The token is about to be sent. The same generation; the wearer stays due, so that somebody takes
    /// over at once should the lease end.
    Intent,
    /// New tokens, and no intent: the next generation. They prove a chain that was to be verified.
    Tokens,
    /// The same tokens without an intent: a withdrawal, a refusal, a cached access token. The same
    /// generation.
    Settled,
}

/// The locked lease row; `$1` to `$4` are the wearer, the fence, the base and the new revision.
macro_rules! held {
    () => {
        "with held as (
            select wearer from lease
            where wearer = $1 and fence = $2
                and (chain_revision = $3 or (chain_fence = $2 and chain_revision <= $4))
            for update), "
    };
}

impl Database {
    /// Reads the chain under the lease. `None` is a wearer that has not signed in.
    ///
    /// # Errors
    /// [`Error::Fenced`], [`Error::MissingKey`], [`Error::Damaged`], and those of every operation.
    pub async fn load_chain(&self, lease: &mut Lease, keys: &Keys) -> Result<Option<Chain>, Error> {
        const LOAD: &str = "
            select c.generation, c.revision, c.record, c.key_id, c.verify, l.chain_revision,
                extract(epoch from now() - c.changed)::float8 as age
            from lease l left join chain c on c.wearer = l.wearer
            where l.wearer = $1 and l.fence = $2";
        let load = Statement::new(LOAD)
            .with(&lease.wearer().number)
            .with(&lease.fence);
        let rows = self.query(load).await?;
        let row = rows.first().ok_or_else(|| lease.fenced())?;
        // Even a chain that does not unseal has a generation, which a new sign-in must follow.
        lease.generation = generation_of(row, lease.wearer())?;
        unsealed(row, lease.wearer(), keys)
    }

    /// Reads the chain without a lease: to show what is known, never to send a token of it.
    ///
    /// # Errors
    /// [`Error::MissingKey`], [`Error::Damaged`], and those of every operation.
    pub async fn peek_chain(&self, wearer: &Wearer, keys: &Keys) -> Result<Option<Chain>, Error> {
        const PEEK: &str = "
            select c.generation, c.revision, c.record, c.key_id, c.verify, l.chain_revision,
                extract(epoch from now() - c.changed)::float8 as age
            from chain c join lease l on l.wearer = c.wearer where c.wearer = $1";
        let rows = self
            .query(Statement::new(PEEK).with(&wearer.number))
            .await?;
        match rows.first() {
            Some(row) => unsealed(row, wearer, keys),
            None => Ok(None),
        }
    }

    /// Stores the record of the loaded chain, sealed with the newest key.
    ///
    /// After [`Error::Unreachable`] it is unknown whether it is stored; call this again, with the same
    /// record or with what follows from it, for as long as the lease is ours.
    ///
    /// # Errors
    /// [`Error::Fenced`]: forget the record, somebody else has the chain. [`Error::NoChain`] if none was
    /// loaded, [`Error::Generation`] if the generation is not the one that `write` demands, and those of
    /// every operation.
    pub async fn store_chain(
        &self,
        lease: &mut Lease,
        keys: &Keys,
        write: Write,
        generation: u32,
        record: &[u8],
    ) -> Result<(), Error> {
        const STORE: &str = concat!(
            held!(),
            "written as (
                update chain c set generation = $6, revision = $4, record = $7, key_id = $8,
                    verify = c.verify and not $9, changed = now()
                from held h where c.wearer = h.wearer and c.generation in ($5, $6)
                returning c.wearer)
            update lease l set chain_revision = $4, chain_fence = $2,
                until = case when $10 then now() + $11 * interval '1 second' else l.until end,
                intent_until = case when $10 then now() + $11 * interval '1 second' end,
                due = case when $10 then least(l.due, now()) else l.due end
            from written w where l.wearer = w.wearer returning l.wearer"
        );
        let wearer = lease.wearer().id.to_string();
        let stored = lease.generation.ok_or_else(|| Error::NoChain {
            wearer: wearer.clone(),
        })?;
        let raise = u32::from(write == Write::Tokens);
        // A repeated write of tokens: whether the first one is stored is not known.
        let follows = stored.checked_add(raise) == Some(generation);
        if !follows {
            return Err(Error::Generation {
                wearer,
                stored,
                offered: generation,
            });
        }
        let sealed = self.sealed(lease, keys, generation, record)?;
        let (old, new) = (i64::from(stored), i64::from(generation));
        let (is_tokens, is_intent) = (write == Write::Tokens, write == Write::Intent);
        let length = self.lease_seconds();
        let store = sealed.statement(STORE, lease).with(&old).with(&new);
        let store = store
            .with(&sealed.record)
            .with(&sealed.key)
            .with(&is_tokens);
        let rows = self.query(store.with(&is_intent).with(&length)).await?;
        if rows.is_empty() {
            return Err(self.refusal(lease, generation).await);
        }
        lease.generation = Some(generation);
        Ok(())
    }

    /// Stores the chain of a new sign-in in place of any other, and makes the wearer due. `rotates` says
    /// whether its refresh tokens are good for one use only.
    ///
    /// The generation must be above that of the chain that it replaces, which [`Lease::generation`] tells
    /// after [`load_chain`](Self::load_chain), also after one that failed for a missing key.
    ///
    /// # Errors
    /// [`Error::Fenced`], [`Error::Generation`], and those of every operation.
    pub async fn replace_chain(
        &self,
        lease: &mut Lease,
        keys: &Keys,
        generation: u32,
        record: &[u8],
        rotates: bool,
    ) -> Result<(), Error> {
        // A repetition finds its own generation, with a revision from this lease.
        const REPLACE: &str = concat!(
            held!(),
            "written as (
                insert into chain as c (wearer, generation, revision, record, key_id, rotates)
                select wearer, $5, $4, $6, $7, $8 from held
                on conflict (wearer) do update set generation = excluded.generation,
                    revision = excluded.revision, record = excluded.record, key_id = excluded.key_id,
                    rotates = excluded.rotates, verify = false, changed = now()
                where c.generation < excluded.generation
                    or (c.generation = excluded.generation and c.revision > $3)
                returning c.wearer)
            update lease l set chain_revision = $4, chain_fence = $2, intent_until = null,
                due = least(l.due, now())
            from written w where l.wearer = w.wearer returning l.wearer"
        );
        let sealed = self.sealed(lease, keys, generation, record)?;
        let new = i64::from(generation);
        let replace = sealed.statement(REPLACE, lease).with(&new);
        let replace = replace
            .with(&sealed.record)
            .with(&sealed.key)
            .with(&rotates);
        if self.query(replace).await?.is_empty() {
            return Err(self.refusal(lease, generation).await);
        }
        lease.generation = Some(generation);
        Ok(())
    }

    /// Erases the chain. The wearer is due again when it signs in.
    ///
    /// # Errors
    /// [`Error::Fenced`], and those of every operation.
    pub async fn erase_chain(&self, lease: &mut Lease) -> Result<(), Error> {
        const ERASE: &str = concat!(
            held!(),
            "gone as (delete from chain c using held h where c.wearer = h.wearer)
            update lease l set chain_revision = $4, chain_fence = $2, intent_until = null,
                due = 'infinity'
            from held h where l.wearer = h.wearer returning l.wearer"
        );
        let revision = lease.next_write();
        let erase = Statement::new(ERASE)
            .with(&lease.wearer().number)
            .with(&lease.fence);
        if self
            .query(erase.with(&lease.base).with(&revision))
            .await?
            .is_empty()
        {
            return Err(lease.fenced());
        }
        lease.generation = None;
        Ok(())
    }

    fn sealed(
        &self,
        lease: &mut Lease,
        keys: &Keys,
        generation: u32,
        record: &[u8],
    ) -> Result<Sealed, Error> {
        let revision = lease.next_write();
        let place = Place {
            generation,
            revision,
            ..Place::of(lease.wearer())
        };
        let (key, record) = keys.seal(record, &place)?;
        Ok(Sealed {
            revision,
            key: key.into(),
            record,
        })
    }

    /// Finds out why a write found no row.
    async fn refusal(&self, lease: &Lease, offered: u32) -> Error {
        const WHY: &str = "
            select c.generation from lease l join chain c on c.wearer = l.wearer
            where l.wearer = $1 and l.fence = $2";
        let why = Statement::new(WHY)
            .with(&lease.wearer().number)
            .with(&lease.fence);
        let rows = match self.query(why).await {
            Ok(rows) => rows,
            Err(failure) => return failure.into(),
        };
        let stored = rows.first().map(|row| generation_of(row, lease.wearer()));
        match stored {
            Some(Ok(Some(stored))) => Error::Generation {
                wearer: lease.wearer().id.to_string(),
                stored,
                offered,
            },
            Some(Err(error)) => error,
            _ => lease.fenced(),
        }
    }
}

impl Lease {
    /// Returns the generation of the stored chain, if one was loaded or stored under this lease.
    #[must_use]
    pub fn generation(&self) -> Option<u32> {
        self.generation
    }
}

/// A record on its way.
struct Sealed {
    revision: i64,
    key: i32,
    record: Vec<u8>,
}

impl Sealed {
    /// Begins a statement with what [`held!`] needs.
    fn statement<'a>(&'a self, sql: &'static str, lease: &'a Lease) -> Statement<'a> {
        let statement = Statement::new(sql)
            .with(&lease.wearer().number)
            .with(&lease.fence);
        statement.with(&lease.base).with(&self.revision)
    }
}

impl<'a> Place<'a> {
    pub(crate) fn of(wearer: &'a Wearer) -> Self {
        Self {
            number: wearer.number,
            wearer: wearer.id.as_str(),
            generation: 0,
            revision: 0,
        }
    }
}

fn generation_of(row: &Row, wearer: &Wearer) -> Result<Option<u32>, Error> {
    let generation: Option<i64> = column(row, "generation")?;
    generation
        .map(|generation| {
            u32::try_from(generation).map_err(|_| damaged(wearer, "its generation is out of range"))
        })
        .transpose()
}

fn unsealed(row: &Row, wearer: &Wearer, keys: &Keys) -> Result<Option<Chain>, Error> {
    let Some(generation) = generation_of(row, wearer)? else {
        return Ok(None);
    };
    let revision: i64 = column(row, "revision")?;
    if revision != column::<i64>(row, "chain_revision")? {
        return Err(damaged(
            wearer,
            "its row is not the one that was written last",
        ));
    }
    let place = Place {
        generation,
        revision,
        ..Place::of(wearer)
    };
    let sealed: &[u8] = column(row, "record")?;
    let record = unseal(keys, column(row, "key_id")?, sealed, &place)?;
    let verify = column(row, "verify")?;
    let age: f64 = column(row, "age")?;
    Ok(Some(Chain {
        record,
        generation,
        verify,
        age: Duration::try_from_secs_f64(age).unwrap_or_default(),
    }))
}

pub(crate) fn unseal(
    keys: &Keys,
    key: i32,
    sealed: &[u8],
    place: &Place<'_>,
) -> Result<Zeroizing<Vec<u8>>, Error> {
    let wearer = place.wearer.to_owned();
    let Ok(key) = u16::try_from(key) else {
        let why = "its key's id is out of range";
        return Err(Error::Damaged { wearer, why });
    };
    keys.unseal(key, sealed, place)
        .map_err(|fault| match fault {
            Unsealable::MissingKey => Error::MissingKey { wearer, key },
            Unsealable::Damaged => {
                let why = "its record was changed, or belongs to another row";
                Error::Damaged { wearer, why }
            }
        })
}

fn damaged(wearer: &Wearer, why: &'static str) -> Error {
    let wearer = wearer.id.to_string();
    Error::Damaged { wearer, why }
}
