//! The tables' versions: each step brings the tables from one version to the next.
//!
//! The steps run in one transaction, under an advisory lock of that transaction, so that of two programs
//! that start at once one waits and then finds nothing to do. It is the only advisory lock, and never taken
//! when the version is right. A version that is newer than the program is refused before anything is
//! changed.

use std::time::Duration;

use crate::{
    Database, Error,
    database::{Session, column},
    error::Failure,
    statement::Statement,
};

/// The steps. A step is never changed once released; what it got wrong, the next one mends.
const STEPS: [&str; 3] = [
    include_str!("migrations/1.sql"),
    include_str!("migrations/2.sql"),
    include_str!("migrations/3.sql"),
];

/// The newest version of the tables that this program knows.
pub const SCHEMA: i32 = 3;

const _: () = assert!(STEPS.len() == SCHEMA as usize, "SCHEMA counts the steps");

/// The longest time for all steps together, with the wait for another program's.
const LONGEST: Duration = Duration::from_secs(600);

/// Begins a transaction that may take longer than a statement, and waits for another program's steps.
/// The number means nothing, except that nobody else uses it: it is `pulsefl1` in ASCII.
const BEGIN: &str = "begin; \
    set local statement_timeout = '10min'; set local lock_timeout = '2min'; \
    select pg_advisory_xact_lock(8103231019424443441)";

/// Checks the version, and carries out what is missing if `may_change`.
pub(crate) async fn bring_up(database: &Database, may_change: bool) -> Result<(), Error> {
    let mut found = version_of(database.query(Statement::new(VERSION)).await)?;
    if found < SCHEMA && may_change {
        found = database.with_session(LONGEST, carry_out).await?;
    }
    match found {
        SCHEMA => Ok(()),
        newer if newer > SCHEMA => Err(Error::NewerSchema {
            found,
            known: SCHEMA,
        }),
        _ => Err(Error::OlderSchema {
            found,
            known: SCHEMA,
        }),
    }
}

const VERSION: &str = "select max(version) as version from pulsewing_schema";

/// Reads the answer to [`VERSION`]. A database without the table has version 0.
fn version_of(answer: Result<Vec<tokio_postgres::Row>, Failure>) -> Result<i32, Error> {
    match answer {
        Ok(rows) => match rows.first() {
            Some(row) => Ok(column::<Option<i32>>(row, "version")?.unwrap_or(0)),
            None => Ok(0),
        },
        Err(Failure::Final(Error::Database { code, .. })) if code == "42P01" => Ok(0),
        Err(failure) => Err(failure.into()),
    }
}

/// Carries out the missing steps, and returns the version that the tables then have.
async fn carry_out(session: &Session) -> Result<i32, Failure> {
    session.script(BEGIN).await?;
    session
        .script("create table if not exists pulsewing_schema(version int primary key, applied timestamptz not null default now())")
        .await?;
    let found = version_of(session.one(&Statement::new(VERSION)).await).map_err(Failure::Final)?;
    let mut version = found;
    for (number, step) in (1..).zip(STEPS) {
        if number > found {
            session.script(step).await?;
            let done = Statement::new("insert into pulsewing_schema(version) values ($1)");
            session.one(&done.with(&number)).await?;
            version = number;
        }
    }
    session.script("commit").await?;
    Ok(version)
}
