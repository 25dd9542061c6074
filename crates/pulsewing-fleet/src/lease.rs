//! Leases: who may work for a wearer, until when, by the server's clock.
//!
//! | column | meaning |
//! |---|---|
//! | `due` | from when on the wearer may be taken; `infinity`: not before somebody makes it due |
//! | `owner`, `until` | who holds it, and until when; after `until` anybody may take it |
//! | `fence` | raised by every taking. Each write names the fence it was allowed under, and locks this row, so that it is either before the next taking or not at all |
//! | `intent_until` | while an intent is stored no renewal goes beyond this: who takes over from a dead holder must still be inside the provider's replay window |
//! | `taken`, `woken` | the last taking, and the last notification: one that came after the taking outlives the release |
//!
//! The window may have passed when the database was away: then nobody could take over in time, and the only
//! one who may have the new tokens is the old holder. So the first who would take over such a wearer gives
//! a *last call* instead: the old holder's fence stays good for [`LAST_CALL`], in which it stores them.
//!
//! A lease cannot stop a process that was paused after it last looked. What such a process then writes is
//! refused, and what it sends is a token that the intent names: see `chain.rs`.

use std::time::{Duration, Instant as Moment};

use tokio::time::{Instant, sleep};
use tokio_postgres::Row;

use crate::{Database, Error, Wearer, WearerId, database::column, random, statement::Statement};

/// The right to work for a wearer. It cannot be copied: its holder numbers its writes.
#[derive(Debug)]
pub struct Lease {
    wearer: Wearer,
    pub(crate) fence: i64,
    /// The number of the chain's last write when the lease was taken.
    pub(crate) base: i64,
    /// The number of our own last write of chain or state.
    pub(crate) written: i64,
    /// The generation that the next write of the chain follows; `None` if there is no chain, or it was
    /// not loaded.
    pub(crate) generation: Option<u32>,
    /// A moment before the taking.
    asked: Moment,
}

/// How long the old holder of an intent that is too old to be repeated may still store what it has: a
/// failed write is repeated every 30 seconds, and may take 12.
pub const LAST_CALL: Duration = Duration::from_secs(45);

impl Lease {
    /// Reads a taken lease; `None` if it was only the last call.
    fn read(row: &Row, asked: Moment) -> Result<Option<Self>, Error> {
        if column(row, "is_last_call")? {
            return Ok(None);
        }
        let base = column(row, "chain_revision")?;
        Ok(Some(Self {
            asked,
            wearer: Wearer::read(row)?,
            fence: column(row, "fence")?,
            base,
            written: base,
            generation: None,
        }))
    }

    /// Returns a moment before the taking, on this machine's clock that never jumps: nobody else can have
    /// the wearer before a lease's length has passed since then.
    #[must_use]
    pub fn taken_after(&self) -> Moment {
        self.asked
    }

    /// Returns the wearer, as it was when the lease was taken.
    #[must_use]
    pub fn wearer(&self) -> &Wearer {
        &self.wearer
    }

    /// Returns what renews the lease, for a task that does so while another one works with the lease.
    #[must_use]
    pub fn renewal(&self) -> Renewal {
        Renewal {
            wearer: self.wearer.number,
            id: self.wearer.id.clone(),
            fence: self.fence,
        }
    }

    /// Returns the number of the next write. It is used up even if the write fails: a write that arrives
    /// late must not pass for a later one.
    pub(crate) fn next_write(&mut self) -> i64 {
        self.written += 1;
        self.written
    }

    pub(crate) fn fenced(&self) -> Error {
        Error::Fenced {
            wearer: self.wearer.id.to_string(),
        }
    }
}

/// The right to renew a lease, and nothing else.
#[derive(Debug, Clone)]
pub struct Renewal {
    wearer: i64,
    id: WearerId,
    fence: i64,
}

/// When a released wearer is due again, by the server's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// After this time.
    After(Duration),
    /// When it signs in, or somebody makes it due.
    WhenWoken,
}

/// Whether a row's intent is too old for its token to be answered again, in SQL; `$2` is the lease's
/// length. Fitbit repeats an answer for 120 seconds.
macro_rules! is_late {
    () => {
        "coalesce(l.intent_until - $2 * interval '1 second' + interval '120 seconds' < now(), false) as is_late"
    };
}

/// Takes the rows of `due`, or gives the last call; `$1` is the owner, `$2` and `$4` the seconds of the two.
macro_rules! taking {
    () => {
        " update lease l set owner = case when d.is_late then l.owner else $1 end,
            until = now() + case when d.is_late then $4 else $2 end * interval '1 second',
            fence = l.fence + case when d.is_late then 0 else 1 end,
            taken = case when d.is_late then l.taken else now() end, intent_until = null
        from due d join wearer w on w.number = d.wearer where l.wearer = d.wearer
        returning w.number, w.tenant, w.id, w.name, w.provider, w.settings, l.fence, l.chain_revision,
            d.is_late as is_last_call"
    };
}

/// The interval between attempts to take a lease that somebody else holds.
const TRY_EVERY: Duration = Duration::from_millis(200);

/// The shortest time between two polls that notifications cause, in SQL.
macro_rules! wake_every {
    () => {
        "interval '60 seconds'"
    };
}

impl Database {
    /// Takes the leases of at most `limit` wearers that are due and not held, those first that have been
    /// due for longest. Wearers that somebody else is about to take are passed over.
    ///
    /// # Errors
    /// Those of every operation. A lost answer to a taking costs nothing: the repetition returns the same
    /// wearers.
    pub async fn take_due(&self, limit: u32) -> Result<Vec<Lease>, Error> {
        const TAKE: &str = concat!(
            "with due as (
                select l.wearer, ",
            is_late!(),
            " from lease l
                where due <= now() and (until is null or until < now() or owner = $1)
                order by due limit $3 for update skip locked)",
            taking!()
        );
        let (owner, length, limit) = (self.owner()?, self.lease_seconds(), i64::from(limit));
        let last_call = LAST_CALL.as_secs_f64();
        let take = Statement::new(TAKE).with(&owner).with(&length).with(&limit);
        let asked = Moment::now();
        let rows = self.query(take.with(&last_call)).await?;
        let leases = rows.iter().map(|row| Lease::read(row, asked).transpose());
        leases.flatten().collect()
    }

    /// Takes the lease of one wearer, due or not, and waits at most `wait` for whoever holds it: for a
    /// sign-in, a sign-out, or a command.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::NoSuchWearer`], and those of every operation.
    pub async fn take(&self, id: &WearerId, wait: Duration) -> Result<Lease, Error> {
        const TAKE: &str = concat!(
            "with due as (
                select l.wearer, ",
            is_late!(),
            " from lease l join wearer w on w.number = l.wearer
                where w.id = $3 and (until is null or until < now() or owner = $1)
                for update of l)",
            taking!()
        );
        let (owner, length) = (self.owner()?, self.lease_seconds());
        let last_call = LAST_CALL.as_secs_f64();
        let since = Instant::now();
        loop {
            let id_text = id.as_str();
            let take = Statement::new(TAKE)
                .with(&owner)
                .with(&length)
                .with(&id_text);
            let asked = Moment::now();
            if let Some(row) = self.query(take.with(&last_call)).await?.first()
                && let Some(lease) = Lease::read(row, asked)?
            {
                return Ok(lease);
            }
            self.wearer(id).await?;
            let left = wait.saturating_sub(since.elapsed());
            if left.is_zero() {
                return Err(Error::Busy {
                    wearer: id.to_string(),
                });
            }
            sleep(TRY_EVERY.min(left)).await;
        }
    }

    /// Makes a lease last for its whole length again, from now. To be called after each third of its
    /// length. While an intent is stored, a lease lasts only for its length from that on.
    ///
    /// # Errors
    /// [`Error::Fenced`], and those of every operation: after [`Error::Unreachable`] the lease may still be
    /// ours.
    pub async fn renew(&self, renewal: &Renewal) -> Result<(), Error> {
        // `least` passes over null. A renewal that arrives after the release finds no owner.
        const RENEW: &str = "
            update lease set until = least(now() + $3 * interval '1 second', intent_until)
            where wearer = $1 and fence = $2 and owner is not null returning wearer";
        let length = self.lease_seconds();
        let renew = Statement::new(RENEW).with(&renewal.wearer);
        let renew = renew.with(&renewal.fence).with(&length);
        match self.query(renew).await?.is_empty() {
            true => Err(Error::Fenced {
                wearer: renewal.id.to_string(),
            }),
            false => Ok(()),
        }
    }

    /// Gives a lease back, and says when the wearer is due again: sooner, if it was woken meanwhile.
    ///
    /// # Errors
    /// [`Error::Fenced`], and those of every operation; the lease then ends by itself.
    pub async fn release(&self, lease: Lease, due: Due) -> Result<(), Error> {
        // Repeated, it finds the same fence and says the same.
        const RELEASE: &str = "
            update lease set owner = null, until = null, intent_until = null,
                due = least(
                    case when $3::float8 is null then timestamptz 'infinity' else now() + $3 * interval '1 second' end,
                    case when woken > taken then woken end)
            where wearer = $1 and fence = $2 returning wearer";
        let after = match due {
            Due::After(time) => Some(time.as_secs_f64().min(LONGEST_PAUSE)),
            Due::WhenWoken => None,
        };
        let release = Statement::new(RELEASE)
            .with(&lease.wearer.number)
            .with(&lease.fence);
        match self.query(release.with(&after)).await?.is_empty() {
            true => Err(lease.fenced()),
            false => Ok(()),
        }
    }

    /// Makes a wearer due now, or a minute after the last time that this was done: for notifications.
    ///
    /// # Errors
    /// [`Error::NoSuchWearer`] if it was removed, and those of every operation.
    pub async fn wake(&self, wearer: &Wearer) -> Result<(), Error> {
        const WAKE: &str = concat!(
            "update lease l set due = least(l.due, n.at), woken = n.at from (
                select wearer, case
                    when woken > now() then woken
                    else greatest(now(), woken + ",
            wake_every!(),
            ") end as at
                from lease where wearer = $1 for update) n
            where l.wearer = n.wearer returning l.wearer"
        );
        let rows = self
            .query(Statement::new(WAKE).with(&wearer.number))
            .await?;
        match rows.is_empty() {
            true => Err(Error::NoSuchWearer(wearer.id.to_string())),
            false => Ok(()),
        }
    }

    /// Returns the number of wearers that are due and that nobody works for, and for how long the first
    /// of them has been due.
    ///
    /// # Errors
    /// Those of every operation.
    pub async fn backlog(&self) -> Result<Backlog, Error> {
        const COUNT: &str = "
            select count(*) as waiting,
                coalesce(extract(epoch from now() - min(due)), 0)::float8 as longest
            from lease where due <= now() and (until is null or until < now())";
        let rows = self.query(Statement::new(COUNT)).await?;
        let Some(row) = rows.first() else {
            return Ok(Backlog::default());
        };
        Ok(Backlog {
            waiting: u64::try_from(column::<i64>(row, "waiting")?).unwrap_or(0),
            longest: Duration::try_from_secs_f64(column(row, "longest")?).unwrap_or_default(),
        })
    }

    /// Returns a name for one taking: repeated, it is recognised as the same.
    fn owner(&self) -> Result<String, Error> {
        let number = random::number()?;
        Ok(format!("{}/{number:016x}", self.options().collector))
    }

    pub(crate) fn lease_seconds(&self) -> f64 {
        self.options().lease.as_secs_f64()
    }
}

/// The longest pause, in seconds: a hundred years.
const LONGEST_PAUSE: f64 = 3.2e9;

/// The work that waits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Backlog {
    /// The number of wearers that are due and not held.
    pub waiting: u64,
    /// How long ago the first of them became due.
    pub longest: Duration,
}
