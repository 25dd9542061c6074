//! The wearers' histories: rows of days, which a history in memory reads and merges.
//!
//! This knows rows, not what is in them. A collector loads the rows of some dates under its lease, lets a
//! [`MemoryHistory`](pulsewing_history::MemoryHistory) do the work, and stores the changes
//! (`day_changes.rs`). Who only reads needs no lease.
//!
//! | table | rows |
//! |---|---|
//! | `day` | [`StoredDay`] |
//! | `asked` | [`StoredAsked`] |
//! | `person` | [`StoredOwner`] |
//! | `doubted` | [`StoredDoubts`] |

use jiff::civil::{Date, date};
use pulsewing_history::{
    Dates, Span, StoredAsked, StoredDay, StoredDoubts, StoredOwner, StoredRow,
};

use tokio_postgres::Row;

use crate::{Database, Error, Lease, Wearer, database::column, statement::Statement};

/// The earliest date of a query: the server knows none before 4714 BC.
const EARLIEST: Date = date(-4712, 1, 1);

/// Returns a bound that the server knows.
pub(crate) fn bound(date: Date) -> Date {
    date.max(EARLIEST)
}

impl Database {
    /// Loads the rows of some dates, and the owner's, to change them under the lease. Waits for a write
    /// of the same holder that it gave up and that may still be carried out.
    ///
    /// # Errors
    /// [`Error::Fenced`], and those of every operation.
    pub async fn load_history(&self, lease: &Lease, dates: Dates) -> Result<Vec<StoredRow>, Error> {
        const HELD: &str = "select wearer from lease where wearer = $1 and fence = $2 for update";
        let held = Statement::new(HELD)
            .with(&lease.wearer().number)
            .with(&lease.fence);
        let range = Range::new(lease.wearer(), dates);
        let [days, asked, persons, doubts] = range.statements();
        let results = self.transact(&[held, days, asked, persons, doubts]).await?;
        match results.split_first() {
            Some((held, rows)) if !held.is_empty() => read(rows),
            _ => Err(lease.fenced()),
        }
    }

    /// Loads the rows of some dates, and the owner's, to read them. No lease is needed to look.
    ///
    /// # Errors
    /// Those of every operation.
    pub async fn peek_history(
        &self,
        wearer: &Wearer,
        dates: Dates,
    ) -> Result<Vec<StoredRow>, Error> {
        let range = Range::new(wearer, dates);
        read(&self.transact(&range.statements()).await?)
    }

    /// Returns the extent of a wearer's history; `None` while it is empty.
    ///
    /// # Errors
    /// Those of every operation.
    pub async fn history_span(&self, wearer: &Wearer) -> Result<Option<Span>, Error> {
        const SPAN: &str = "
            select min(date) as first, max(date) as last, count(distinct date) as days
            from day where wearer = $1";
        let span = Statement::new(SPAN).with(&wearer.number);
        let rows = self.query(span).await?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        let first: Option<Date> = column(row, "first")?;
        let last: Option<Date> = column(row, "last")?;
        let days: i64 = column(row, "days")?;
        Ok(first.zip(last).map(|(first, last)| Span {
            first,
            last,
            days: u32::try_from(days).unwrap_or(u32::MAX),
        }))
    }

    /// Returns at most `limit` dates with a minute that are not later than `latest`, newest first: what
    /// [`LastKnown::dates`](pulsewing_history::LastKnown::dates) asks for.
    ///
    /// # Errors
    /// Those of every operation.
    pub async fn newest_dates(
        &self,
        wearer: &Wearer,
        latest: Date,
        limit: u32,
    ) -> Result<Vec<Date>, Error> {
        const NEWEST: &str = "
            select distinct date from day where wearer = $1 and date <= $2 and logged > 0
            order by date desc limit $3";
        let (latest, limit) = (bound(latest), i64::from(limit));
        let newest = Statement::new(NEWEST).with(&wearer.number);
        let rows = self.query(newest.with(&latest).with(&limit)).await?;
        rows.iter().map(|row| column(row, "date")).collect()
    }

    /// Returns the size of the rows of a wearer's history in bytes, without the server's indexes.
    ///
    /// # Errors
    /// Those of every operation.
    pub async fn history_bytes(&self, wearer: &Wearer) -> Result<u64, Error> {
        const BYTES: &str = "
            select (coalesce((select sum(pg_column_size(d)) from day d where wearer = $1), 0)
                + coalesce((select sum(pg_column_size(a)) from asked a where wearer = $1), 0)
                + coalesce((select sum(pg_column_size(u)) from doubted u where wearer = $1), 0)
            )::bigint as bytes";
        let rows = self
            .query(Statement::new(BYTES).with(&wearer.number))
            .await?;
        let bytes = rows.first().map(|row| column::<i64>(row, "bytes"));
        Ok(u64::try_from(bytes.transpose()?.unwrap_or(0)).unwrap_or(0))
    }
}

/// The parameters of the queries for a range of dates.
struct Range {
    wearer: i64,
    dates: [Date; 2],
    starts: [i64; 2],
}

impl Range {
    fn new(wearer: &Wearer, dates: Dates) -> Self {
        let starts = dates.utc_starts();
        Self {
            wearer: wearer.number,
            dates: [bound(dates.from), dates.to],
            starts: [*starts.start(), *starts.end()],
        }
    }

    fn statements(&self) -> [Statement<'_>; 4] {
        const DAYS: &str = "select * from day where wearer = $1 and date between $2 and $3";
        const ASKED: &str = "select * from asked where wearer = $1 and date between $2 and $3";
        const PERSONS: &str = "select * from person where wearer = $1";
        const DOUBTS: &str = "select * from doubted where wearer = $1 and start between $2 and $3";
        let ([from, to], [first, last]) = (&self.dates, &self.starts);
        let of_wearer = |sql| Statement::new(sql).with(&self.wearer);
        [
            of_wearer(DAYS).with(from).with(to),
            of_wearer(ASKED).with(from).with(to),
            of_wearer(PERSONS),
            of_wearer(DOUBTS).with(first).with(last),
        ]
    }
}

/// Reads the answers to [`Range::statements`].
fn read(answers: &[Vec<Row>]) -> Result<Vec<StoredRow>, Error> {
    let readers = [day, asked, owner, doubts];
    let mut rows = Vec::new();
    for (answer, read) in answers.iter().zip(readers) {
        for row in answer {
            rows.push(read(row)?);
        }
    }
    Ok(rows)
}

fn day(row: &Row) -> Result<StoredRow, Error> {
    Ok(StoredRow::Day(StoredDay {
        date: column(row, "date")?,
        start: column(row, "start")?,
        length: small(column(row, "length")?),
        source: column(row, "source")?,
        zone: column(row, "zone")?,
        offset: column(row, "offset")?,
        change_minute: column::<Option<i32>>(row, "change_minute")?.map(small),
        change_offset: column(row, "change_offset")?,
        logged: small(column(row, "logged")?),
        min: column::<Option<i32>>(row, "min")?.map(small),
        mean: column::<Option<i32>>(row, "mean")?.map(small),
        max: column::<Option<i32>>(row, "max")?.map(small),
        resting: column::<Option<i32>>(row, "resting")?.map(small),
        fetched_at: column(row, "fetched_at")?,
        changed_at: column(row, "changed_at")?,
        minutes: column(row, "minutes")?,
    }))
}

/// Reads a number that the table allows only from 0 to 65,535.
fn small(number: i32) -> u16 {
    u16::try_from(number).unwrap_or(u16::MAX)
}

fn asked(row: &Row) -> Result<StoredRow, Error> {
    Ok(StoredRow::Asked(StoredAsked {
        date: column(row, "date")?,
        synced_at: column(row, "synced_at")?,
    }))
}

fn owner(row: &Row) -> Result<StoredRow, Error> {
    Ok(StoredRow::Owner(StoredOwner {
        provider: column(row, "provider")?,
        user_id: column(row, "user_id")?,
    }))
}

fn doubts(row: &Row) -> Result<StoredRow, Error> {
    Ok(StoredRow::Doubts(StoredDoubts {
        source: column(row, "source")?,
        start: column(row, "start")?,
        minutes: column(row, "minutes")?,
    }))
}
