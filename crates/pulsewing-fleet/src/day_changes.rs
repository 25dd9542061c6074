//! Stores changes to a wearer's history: all of them in one transaction, under the lease or not at all.
//!
//! The first statement locks the lease's row, if the fence is the writer's; until the transaction ends
//! nobody can take the lease. The others ask for the fence again, because a transaction is a list of
//! statements and cannot be left in the middle. There always are at least two, so that one that was given
//! up is never carried out later: its `commit` was not sent. Keys and rows are sent as one array for each
//! column: an import of years takes as many statements as a minute.

use jiff::civil::Date;
use pulsewing_history::{Change, Dates, RowKey, StoredDay, StoredRow};

use crate::{Database, Error, Lease, days::bound, error::Failure, statement::Statement};

/// Continues a `where`: whether the lease is held; `$1` and `$2` are the wearer and the fence.
macro_rules! held {
    () => {
        " exists (select from lease where wearer = $1 and fence = $2) "
    };
}

impl Database {
    /// Makes the changes that
    /// [`MemoryHistory::take_changes`](pulsewing_history::MemoryHistory::take_changes) returned for rows
    /// that were loaded under this lease, all or none.
    ///
    /// # Errors
    /// [`Error::Fenced`], [`Error::SamePersonTwice`] if the owner is another wearer's person, and those
    /// of every operation.
    pub async fn store_history(&self, lease: &Lease, changes: &[Change]) -> Result<(), Error> {
        const HELD: &str = "select wearer from lease where wearer = $1 and fence = $2 for share";
        if changes.is_empty() {
            return Ok(());
        }
        let sorted = Sorted::new(changes);
        let of_lease = |sql| {
            Statement::new(sql)
                .with(&lease.wearer().number)
                .with(&lease.fence)
        };
        let mut statements = vec![of_lease(HELD)];
        sorted.add_statements(of_lease, &mut statements);
        let results = match self.transact(&statements).await {
            Err(Failure::Unique { constraint, error }) if constraint == "person_once" => {
                return Err(self.person_elsewhere(&sorted, error).await?);
            }
            results => results?,
        };
        match results.first() {
            Some(held) if !held.is_empty() => Ok(()),
            _ => Err(lease.fenced()),
        }
    }

    /// Finds the wearer whose person one of the owners is.
    async fn person_elsewhere(&self, sorted: &Sorted<'_>, error: Error) -> Result<Error, Error> {
        for (provider, user_id) in sorted.owners.0.iter().zip(&sorted.owners.1) {
            if let Some(other) = self.find_person(provider, user_id).await? {
                let other = other.id.to_string();
                return Ok(Error::SamePersonTwice { other });
            }
        }
        Ok(error)
    }
}

/// The changes by table, each with its columns.
#[derive(Default)]
struct Sorted<'c> {
    before: Option<(Date, i64)>,
    no_days: (Vec<Date>, Vec<i64>, Vec<i32>, Vec<&'c str>),
    no_asked: Vec<Date>,
    no_owners: Vec<&'c str>,
    no_doubts: (Vec<i64>, Vec<&'c str>),
    days: Days<'c>,
    asked: (Vec<Date>, Vec<i64>),
    owners: (Vec<&'c str>, Vec<&'c str>),
    doubts: (Vec<i64>, Vec<&'c str>, Vec<&'c [u8]>),
}

/// The columns of days.
#[derive(Default)]
struct Days<'c> {
    date: Vec<Date>,
    start: Vec<i64>,
    length: Vec<i32>,
    source: Vec<&'c str>,
    zone: Vec<&'c str>,
    offset: Vec<i32>,
    change_minute: Vec<Option<i32>>,
    change_offset: Vec<Option<i32>>,
    logged: Vec<i32>,
    min: Vec<Option<i32>>,
    mean: Vec<Option<i32>>,
    max: Vec<Option<i32>>,
    resting: Vec<Option<i32>>,
    fetched_at: Vec<i64>,
    changed_at: Vec<i64>,
    minutes: Vec<&'c [u8]>,
}

impl<'c> Days<'c> {
    fn push(&mut self, day: &'c StoredDay) {
        self.date.push(day.date);
        self.start.push(day.start);
        self.length.push(day.length.into());
        self.source.push(&day.source);
        self.zone.push(&day.zone);
        self.offset.push(day.offset);
        self.change_minute.push(day.change_minute.map(i32::from));
        self.change_offset.push(day.change_offset);
        self.logged.push(day.logged.into());
        self.min.push(day.min.map(i32::from));
        self.mean.push(day.mean.map(i32::from));
        self.max.push(day.max.map(i32::from));
        self.resting.push(day.resting.map(i32::from));
        self.fetched_at.push(day.fetched_at);
        self.changed_at.push(day.changed_at);
        self.minutes.push(&day.minutes);
    }
}

impl Days<'_> {
    /// Adds the columns to a statement.
    fn put<'s>(&'s self, statement: Statement<'s>) -> Statement<'s> {
        statement
            .with(&self.date)
            .with(&self.start)
            .with(&self.length)
            .with(&self.source)
            .with(&self.zone)
            .with(&self.offset)
            .with(&self.change_minute)
            .with(&self.change_offset)
            .with(&self.logged)
            .with(&self.min)
            .with(&self.mean)
            .with(&self.max)
            .with(&self.resting)
            .with(&self.fetched_at)
            .with(&self.changed_at)
            .with(&self.minutes)
    }
}

impl<'c> Sorted<'c> {
    fn new(changes: &'c [Change]) -> Self {
        let mut sorted = Self::default();
        for change in changes {
            match change {
                Change::DeleteBefore(date) => {
                    let start = *Dates::from(*date).utc_starts().start();
                    sorted.before = sorted.before.max(Some((bound(*date), start)));
                }
                Change::Delete(key) => sorted.delete(key),
                Change::Put(row) => sorted.put(row),
            }
        }
        sorted
    }

    fn delete(&mut self, key: &'c RowKey) {
        match key {
            RowKey::Day {
                date,
                start,
                length,
                source,
            } => {
                let (dates, starts, lengths, sources) = &mut self.no_days;
                dates.push(*date);
                starts.push(*start);
                lengths.push((*length).into());
                sources.push(source);
            }
            RowKey::Asked { date } => self.no_asked.push(*date),
            RowKey::Owner { provider } => self.no_owners.push(provider),
            RowKey::Doubts { start, source } => {
                self.no_doubts.0.push(*start);
                self.no_doubts.1.push(source);
            }
        }
    }

    fn put(&mut self, row: &'c StoredRow) {
        match row {
            StoredRow::Day(day) => self.days.push(day),
            StoredRow::Asked(asked) => {
                self.asked.0.push(asked.date);
                self.asked.1.push(asked.synced_at);
            }
            StoredRow::Owner(owner) => {
                self.owners.0.push(&owner.provider);
                self.owners.1.push(&owner.user_id);
            }
            StoredRow::Doubts(doubts) => {
                self.doubts.0.push(doubts.start);
                self.doubts.1.push(&doubts.source);
                self.doubts.2.push(&doubts.minutes);
            }
        }
    }

    /// Adds a statement for each table that something changes in. What is deleted comes first: nothing
    /// is deleted and put at once.
    fn add_statements<'s>(
        &'s self,
        of_lease: impl Fn(&'static str) -> Statement<'s>,
        statements: &mut Vec<Statement<'s>>,
    ) {
        if let Some((date, start)) = &self.before {
            for sql in [DELETE_DAYS_BEFORE, DELETE_ASKED_BEFORE] {
                statements.push(of_lease(sql).with(date));
            }
            statements.push(of_lease(DELETE_DOUBTS_BEFORE).with(start));
        }
        let (dates, starts, lengths, sources) = &self.no_days;
        if !dates.is_empty() {
            let delete = of_lease(DELETE_DAYS).with(dates).with(starts);
            statements.push(delete.with(lengths).with(sources));
        }
        if !self.no_asked.is_empty() {
            statements.push(of_lease(DELETE_ASKED).with(&self.no_asked));
        }
        if !self.no_owners.is_empty() {
            statements.push(of_lease(DELETE_OWNERS).with(&self.no_owners));
        }
        let (starts, sources) = &self.no_doubts;
        if !starts.is_empty() {
            statements.push(of_lease(DELETE_DOUBTS).with(starts).with(sources));
        }
        if !self.days.date.is_empty() {
            statements.push(self.days.put(of_lease(PUT_DAYS)));
        }
        let (dates, synced_at) = &self.asked;
        if !dates.is_empty() {
            statements.push(of_lease(PUT_ASKED).with(dates).with(synced_at));
        }
        let (providers, user_ids) = &self.owners;
        if !providers.is_empty() {
            statements.push(of_lease(PUT_OWNERS).with(providers).with(user_ids));
        }
        let (starts, sources, minutes) = &self.doubts;
        if !starts.is_empty() {
            let put = of_lease(PUT_DOUBTS).with(starts);
            statements.push(put.with(sources).with(minutes));
        }
    }
}

const DELETE_DAYS_BEFORE: &str = concat!(
    "delete from day where wearer = $1 and date < $3 and",
    held!()
);
const DELETE_ASKED_BEFORE: &str = concat!(
    "delete from asked where wearer = $1 and date < $3 and",
    held!()
);
const DELETE_DOUBTS_BEFORE: &str = concat!(
    "delete from doubted where wearer = $1 and start < $3 and",
    held!()
);
const DELETE_DAYS: &str = concat!(
    "delete from day where wearer = $1
        and (date, start, length, source) in (select * from unnest($3, $4, $5, $6)) and",
    held!()
);
const DELETE_ASKED: &str = concat!(
    "delete from asked where wearer = $1 and date = any($3) and",
    held!()
);
const DELETE_OWNERS: &str = concat!(
    "delete from person where wearer = $1 and provider = any($3) and",
    held!()
);
const DELETE_DOUBTS: &str = concat!(
    "delete from doubted where wearer = $1
        and (start, source) in (select * from unnest($3, $4)) and",
    held!()
);
const PUT_DAYS: &str = concat!(
    r#"insert into day (wearer, date, start, length, source, zone, "offset", change_minute,
        change_offset, logged, min, mean, max, resting, fetched_at, changed_at, minutes)
    select $1, * from unnest($3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
    where"#,
    held!(),
    r#"on conflict (wearer, date, start, length, source) do update set
        zone = excluded.zone, "offset" = excluded."offset",
        change_minute = excluded.change_minute, change_offset = excluded.change_offset,
        logged = excluded.logged, min = excluded.min, mean = excluded.mean, max = excluded.max,
        resting = excluded.resting, fetched_at = excluded.fetched_at,
        changed_at = excluded.changed_at, minutes = excluded.minutes"#
);
const PUT_ASKED: &str = concat!(
    "insert into asked (wearer, date, synced_at) select $1, * from unnest($3, $4) where",
    held!(),
    "on conflict (wearer, date) do update set synced_at = excluded.synced_at"
);
const PUT_OWNERS: &str = concat!(
    "insert into person (wearer, provider, user_id) select $1, * from unnest($3, $4) where",
    held!(),
    "on conflict (wearer, provider) do update set user_id = excluded.user_id"
);
const PUT_DOUBTS: &str = concat!(
    "insert into doubted (wearer, start, source, minutes) select $1, * from unnest($3, $4, $5) where",
    held!(),
    "on conflict (wearer, start, source) do update set minutes = excluded.minutes"
);
