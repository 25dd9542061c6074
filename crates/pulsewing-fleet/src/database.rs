//! The database: how to reach it, how long to wait for it, and what is repeated.
//!
//! Everything that is asked is a list of [`Statement`]s. One alone is its own transaction; several are one
//! transaction, which so can hold nothing but its own statements. A list is repeated when the server undid
//! it in favour of another transaction, and when the connection was lost, even if it had been carried out
//! and only its confirmation was lost: so every list in this crate has the same effect twice as once.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rustls::ClientConfig;
use tokio::{
    sync::Semaphore,
    task::JoinHandle,
    time::{Instant, sleep, timeout, timeout_at},
};
use tokio_postgres::{Client, Row};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::{Error, address::Address, error::Failure, migrate, random, statement::Statement};

/// How a program uses the database.
#[derive(Debug, Clone)]
pub struct Options {
    /// The name of this collector, which its leases carry: for example the machine's.
    pub collector: String,
    /// The greatest number of connections, at least 1.
    pub connections: usize,
    /// The longest wait for a connection.
    pub connect_within: Duration,
    /// The longest wait for the answer to one statement. The server stops a statement then, too.
    pub answer_within: Duration,
    /// The longest time for one operation, with all its repetitions and new connections.
    pub patience: Duration,
    /// The length of a lease, at most [`LONGEST_LEASE`].
    pub lease: Duration,
    /// Whether tables that are missing or old are made or changed when connecting.
    pub migrate: bool,
    /// The tenant that every transaction names to the row-level security; the new wearers' one. `None` is a
    /// collector, which serves all tenants and whose user owns the tables.
    pub tenant: Option<String>,
}

/// The longest lease. A token is sent for at most 110 seconds after its intent was stored, 15 of which are
/// one attempt: a collector that takes over from a dead one must be able to send it once within that time.
pub const LONGEST_LEASE: Duration = Duration::from_secs(95);

impl Default for Options {
    fn default() -> Self {
        Self {
            collector: "collector".to_owned(),
            connections: 4,
            connect_within: Duration::from_secs(5),
            answer_within: Duration::from_secs(5),
            patience: Duration::from_secs(12),
            lease: Duration::from_secs(90),
            migrate: true,
            tenant: None,
        }
    }
}

/// The fleet's database. A clone shares the connections.
#[derive(Clone)]
pub struct Database {
    shared: Arc<Shared>,
}

struct Shared {
    address: Address,
    tls: MakeRustlsConnect,
    options: Options,
    idle: Mutex<Vec<Session>>,
    permits: Semaphore,
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database")
            .field("address", &self.shared.address)
            .field("options", &self.shared.options)
            .finish_non_exhaustive()
    }
}

impl Database {
    /// Connects to `postgres://USER:PASSWORD@HOST:PORT/NAME?PARAMETERS`, or through a socket file to
    /// `postgres:///NAME?host=/DIRECTORY`, and makes the tables or checks their version.
    ///
    /// `sslmode=disable`, `prefer`, `require`, `verify-ca` and `verify-full` are known. Encrypted
    /// connections always verify the server with `tls`. Without `sslmode`, a connection that leaves this
    /// machine must be encrypted.
    ///
    /// A pooler such as PgBouncer may stand between, also one that gives each transaction another
    /// connection. It must be told to ignore the parameter `options`; then the server's own
    /// `synchronous_commit` must be on.
    ///
    /// # Errors
    /// [`Error::Url`], [`Error::Option`], [`Error::Unreachable`], [`Error::Untrusted`],
    /// [`Error::Refused`], [`Error::NewerSchema`], [`Error::OlderSchema`].
    pub async fn connect(url: &str, tls: ClientConfig, options: Options) -> Result<Self, Error> {
        if options.connections == 0 {
            return Err(Error::Option("a database needs at least one connection"));
        }
        if options.lease.is_zero() || options.lease > LONGEST_LEASE {
            return Err(Error::Option("a lease lasts at most 95 seconds"));
        }
        let mut address = Address::parse(url)?;
        prepare(&mut address.config, &options);
        let permits = Semaphore::new(options.connections);
        let database = Self {
            shared: Arc::new(Shared {
                address,
                tls: MakeRustlsConnect::new(tls),
                options,
                idle: Mutex::new(Vec::new()),
                permits,
            }),
        };
        migrate::bring_up(&database, database.options().migrate).await?;
        database.check_wall().await?;
        Ok(database)
    }

    /// Returns the options that it was connected with.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.shared.options
    }

    /// Carries out one statement, again if need be, and returns its rows.
    pub(crate) async fn query(&self, statement: Statement<'_>) -> Result<Vec<Row>, Failure> {
        let mut results = self.transact(&[statement]).await?;
        Ok(results.pop().unwrap_or_default())
    }

    /// Carries out statements in one transaction, again if need be, and returns the rows of each.
    pub(crate) async fn transact(
        &self,
        statements: &[Statement<'_>],
    ) -> Result<Vec<Vec<Row>>, Failure> {
        let deadline = Instant::now() + self.options().patience;
        for attempt in 0_u32.. {
            let attempted = timeout_at(deadline, self.attempt(statements)).await;
            let failure = match attempted {
                Ok(Ok(rows)) => return Ok(rows),
                Ok(Err(failure)) => failure,
                Err(_) => return Err(self.out_of_patience()),
            };
            let pause = match &failure {
                Failure::Conflict(_) if attempt < MOST_CONFLICTS => pause(5, attempt),
                Failure::Lost(_) => pause(20, attempt),
                _ => return Err(failure),
            };
            if Instant::now() + pause >= deadline {
                return Err(failure);
            }
            sleep(pause).await;
        }
        Err(self.out_of_patience())
    }

    /// Carries out something that needs a connection for itself, once, and closes the connection.
    pub(crate) async fn with_session<T>(
        &self,
        limit: Duration,
        work: impl AsyncFnOnce(&Session) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let session = self.new_session().await?;
        match timeout(limit, work(&session)).await {
            Ok(done) => done,
            Err(_) => Err(self.out_of_patience()),
        }
    }

    fn out_of_patience(&self) -> Failure {
        let waited = self.options().patience.as_secs_f32();
        Failure::Lost(Error::Unreachable(format!(
            "no answer within {waited} seconds"
        )))
    }

    async fn attempt(&self, statements: &[Statement<'_>]) -> Result<Vec<Vec<Row>>, Failure> {
        // The semaphore is never closed.
        let _permit = self.shared.permits.acquire().await.ok();
        // If this future is dropped, so is the session: nobody gets one with half a transaction in it.
        let session = match self.idle_session() {
            Some(session) => session,
            None => self.new_session().await?,
        };
        let limit = self.options().answer_within;
        let answered = timeout(
            limit,
            session.carry_out(statements, self.options().tenant.as_deref()),
        );
        match answered.await {
            Ok(Err(lost @ Failure::Lost(_))) => {
                // What ended one connection has probably ended the others.
                self.idle().clear();
                Err(lost)
            }
            Ok(done) => {
                self.idle().push(session);
                done
            }
            Err(_) => {
                self.idle().clear();
                let limit = limit.as_secs_f32();
                Err(Failure::Lost(Error::Unreachable(format!(
                    "no answer to a statement within {limit} seconds"
                ))))
            }
        }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Session>> {
        let idle = self.shared.idle.lock();
        idle.unwrap_or_else(PoisonError::into_inner)
    }

    fn idle_session(&self) -> Option<Session> {
        let mut idle = self.idle();
        while let Some(session) = idle.pop() {
            if !session.client.is_closed() {
                return Some(session);
            }
        }
        None
    }

    async fn new_session(&self) -> Result<Session, Failure> {
        let Shared {
            address,
            tls,
            options,
            ..
        } = &*self.shared;
        let connecting = timeout(options.connect_within, address.config.connect(tls.clone()));
        let Ok(connected) = connecting.await else {
            let limit = options.connect_within.as_secs_f32();
            return Err(Failure::Lost(Error::Unreachable(format!(
                "no connection within {limit} seconds"
            ))));
        };
        let (client, connection) = connected.map_err(|error| Failure::of_connecting(&error))?;
        let driver = tokio::spawn(async move {
            // Its error reaches the statement that waits.
            let _ = connection.await;
        });
        Ok(Session { client, driver })
    }
}

/// The most repetitions of a transaction that others got in the way of.
const MOST_CONFLICTS: u32 = 10;

/// Sets what every connection has in common.
fn prepare(config: &mut tokio_postgres::Config, options: &Options) {
    let limit = options.answer_within.as_millis().max(1);
    // What was confirmed must be on the disk, whatever the server thinks of other programs' transactions:
    // a refresh token that was spent and then lost is a lost chain.
    let ours = format!(
        "-c synchronous_commit=on -c statement_timeout={limit} \
        -c idle_in_transaction_session_timeout={limit} -c timezone=UTC"
    );
    let all = match config.get_options() {
        // The later setting wins: the operator's own.
        Some(theirs) => format!("{ours} {theirs}"),
        None => ours,
    };
    config
        .options(all)
        .connect_timeout(options.connect_within)
        .keepalives_idle(Duration::from_secs(60))
        .tcp_user_timeout(options.answer_within.max(Duration::from_secs(1)) * 2);
    if config.get_application_name().is_none() {
        config.application_name("pulsewing");
    }
}

/// Returns the pause before an attempt: longer each time, and not the same for all who wait.
fn pause(first_ms: u64, attempt: u32) -> Duration {
    let longest = first_ms.saturating_mul(1 << attempt.min(5));
    Duration::from_millis(longest / 2 + random::below(longest / 2 + 1))
}

/// One connection. Dropping it closes it.
pub(crate) struct Session {
    client: Client,
    driver: JoinHandle<()>,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Session {
    async fn carry_out(
        &self,
        statements: &[Statement<'_>],
        tenant: Option<&str>,
    ) -> Result<Vec<Vec<Row>>, Failure> {
        if let ([only], None) = (statements, tenant) {
            return Ok(vec![self.one(only).await?]);
        }
        self.script("begin").await?;
        let done = self.all(statements, tenant).await;
        match &done {
            Ok(_) => self.script("commit").await?,
            Err(Failure::Lost(_)) => {}
            Err(_) => self.script("rollback").await?,
        }
        done
    }

    async fn all(
        &self,
        statements: &[Statement<'_>],
        tenant: Option<&str>,
    ) -> Result<Vec<Vec<Row>>, Failure> {
        if let Some(tenant) = tenant {
            // `true`: for this transaction alone, so that a pooler's next user does not inherit it.
            let names = Statement::new("select set_config('pulsewing.tenant', $1, true)");
            self.one(&names.with(&tenant)).await?;
        }
        let mut results = Vec::with_capacity(statements.len());
        for statement in statements {
            results.push(self.one(statement).await?);
        }
        Ok(results)
    }

    pub(crate) async fn one(&self, statement: &Statement<'_>) -> Result<Vec<Row>, Failure> {
        let params = statement.params();
        let answer = self.client.query_typed(statement.sql, &params);
        answer.await.map_err(|error| Failure::of_statement(&error))
    }

    /// Carries out a text of several statements, which return nothing.
    pub(crate) async fn script(&self, sql: &str) -> Result<(), Failure> {
        let answer = self.client.batch_execute(sql);
        answer.await.map_err(|error| Failure::of_statement(&error))
    }
}

/// Reads a column.
pub(crate) fn column<'r, T: tokio_postgres::types::FromSql<'r>>(
    row: &'r Row,
    name: &str,
) -> Result<T, Error> {
    row.try_get(name)
        .map_err(|error| Failure::of_statement(&error).into_error())
}
