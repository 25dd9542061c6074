//! What can go wrong, by what a caller can do about it; and what the server's own errors mean.

use std::{error::Error as _, fmt, io};

use tokio_postgres::error::SqlState;

/// An operation on the fleet's database failed.
///
/// No case carries a password, a key, a token or a statement's parameters.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The database's URL cannot be used.
    #[error("the database's URL is not usable: {0}")]
    Url(&'static str),
    /// An option is out of its range.
    #[error("{0}")]
    Option(&'static str),
    /// The database did not answer in time, or not at all. Temporary: whether the operation was carried
    /// out is unknown, and it may be repeated.
    #[error("cannot reach the database: {0}")]
    Unreachable(String),
    /// The server is not the one that its certificate should name, or speaks no TLS.
    #[error("no trusted connection to the database: {0}")]
    Untrusted(String),
    /// The server refused the user, the password or the database's name.
    #[error("the database refused the connection: {0}")]
    Refused(String),
    /// A newer program has changed the tables. They are left untouched.
    #[error(
        "the database has schema {found}, and this program knows up to {known}: update the program"
    )]
    NewerSchema {
        /// The database's version.
        found: i32,
        /// The newest version that this program knows.
        known: i32,
    },
    /// The tables are those of an older program, and [`Options::migrate`](crate::Options::migrate) is off.
    #[error("the database has schema {found}, and this program needs {known}")]
    OlderSchema {
        /// The database's version; 0 if it has no tables.
        found: i32,
        /// The version that this program needs.
        known: i32,
    },
    /// The lease was lost: another collector has taken over, or the wearer was removed. Forget what was
    /// read under it.
    #[error("the lease of `{wearer}` was lost to another collector")]
    Fenced {
        /// The wearer.
        wearer: String,
    },
    /// Another collector or command kept the wearer's lease for the whole wait. Temporary.
    #[error("`{wearer}` is in use by another process")]
    Busy {
        /// The wearer.
        wearer: String,
    },
    /// There is no such wearer.
    #[error("there is no wearer `{0}`")]
    NoSuchWearer(String),
    /// There is a wearer with this id already.
    #[error("there is a wearer `{0}` already")]
    DuplicateWearer(String),
    /// There is a key of the API with this name already.
    #[error("there is a key `{0}` already")]
    DuplicateKey(String),
    /// A wearer's id is not `[a-z0-9-]{1,32}`.
    #[error("a wearer's id is 1 to 32 of a-z, 0-9 and -")]
    WearerId,
    /// The person is already another wearer.
    #[error("this person is already the wearer `{other}`")]
    SamePersonTwice {
        /// The wearer who this person is.
        other: String,
    },
    /// The wearer is somebody else.
    #[error("`{wearer}` is another person")]
    AnotherPerson {
        /// The wearer.
        wearer: String,
    },
    /// There is no chain to store into: it was not loaded under this lease, or there is none.
    #[error("`{wearer}` has no token chain that was loaded under this lease")]
    NoChain {
        /// The wearer.
        wearer: String,
    },
    /// The generation is not the one that this write must have.
    #[error("the token chain of `{wearer}` has generation {stored}; {offered} cannot follow")]
    Generation {
        /// The wearer.
        wearer: String,
        /// The generation of the stored chain.
        stored: u32,
        /// The one that was to be written.
        offered: u32,
    },
    /// A chain's key is not among the given ones.
    #[error("the token chain of `{wearer}` is sealed with key {key}, which is not in the key file")]
    MissingKey {
        /// The wearer.
        wearer: String,
        /// The key's id.
        key: u16,
    },
    /// A key opens none of the chains that are sealed with the key of this id: the key file is another
    /// one's.
    #[error(
        "key {0} of the key file is not the one with which this database's token chains are sealed"
    )]
    WrongKey(u16),
    /// A chain's record does not unseal: it was changed, moved here from another row, or put back from
    /// an earlier time.
    #[error("the token chain of `{wearer}` is damaged: {why}")]
    Damaged {
        /// The wearer.
        wearer: String,
        /// What does not fit.
        why: &'static str,
    },
    /// The key file cannot be used.
    #[error("line {line} of the key file: {why}")]
    Keys {
        /// The line, from 1; 0 for the whole file.
        line: usize,
        /// What is wrong with it.
        why: &'static str,
    },
    /// There is no such project in the limits' table.
    #[error("there are no limits for the project `{0}`")]
    NoSuchProject(String),
    /// The server refused a statement for a reason that repeating does not cure.
    #[error("the database reports {code}: {message}")]
    Database {
        /// The SQLSTATE, five characters.
        code: String,
        /// The server's message, without details: these can hold values.
        message: String,
    },
}

impl Error {
    /// Returns whether the same call may succeed later, with nothing else done.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::Busy { .. })
    }
}

/// One attempt failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The server undid the transaction in favour of another: repeat it.
    Conflict(Error),
    /// The connection is gone, or the server is starting or stopping: connect again and repeat.
    Lost(Error),
    /// A unique index refused a row.
    Unique {
        /// The index.
        constraint: String,
        error: Error,
    },
    /// Repeating does not help.
    Final(Error),
}

impl Failure {
    /// Sorts an error of a statement.
    pub(crate) fn of_statement(error: &tokio_postgres::Error) -> Self {
        let Some(answer) = error.as_db_error() else {
            return match malformed(error) {
                true => Self::Final(Error::Database {
                    code: "XX000".to_owned(),
                    message: text(error),
                }),
                false => Self::Lost(Error::Unreachable(text(error))),
            };
        };
        let code = answer.code();
        let message = answer.message().to_owned();
        if [
            &SqlState::T_R_SERIALIZATION_FAILURE,
            &SqlState::T_R_DEADLOCK_DETECTED,
        ]
        .contains(&code)
        {
            return Self::Conflict(Error::Unreachable(message));
        }
        if is_passing(code) {
            return Self::Lost(Error::Unreachable(message));
        }
        let error = Error::Database {
            code: code.code().to_owned(),
            message,
        };
        match answer.constraint() {
            Some(constraint) if *code == SqlState::UNIQUE_VIOLATION => Self::Unique {
                constraint: constraint.to_owned(),
                error,
            },
            _ => Self::Final(error),
        }
    }

    /// Sorts an error of connecting.
    pub(crate) fn of_connecting(error: &tokio_postgres::Error) -> Self {
        if let Some(answer) = error.as_db_error() {
            let code = answer.code();
            let is_refusal =
                code.code().starts_with("28") || *code == SqlState::INVALID_CATALOG_NAME;
            return match is_refusal {
                true => Self::Final(Error::Refused(answer.message().to_owned())),
                false => Self::of_statement(error),
            };
        }
        let text = text(error);
        // The kinds of these errors have names only in their messages.
        if text.starts_with("authentication error") || text.starts_with("invalid configuration") {
            return Self::Final(Error::Refused(text));
        }
        if text.starts_with("error performing TLS handshake") && !is_cut(error) {
            return Self::Final(Error::Untrusted(text));
        }
        Self::Lost(Error::Unreachable(text))
    }

    /// Returns the error for the caller.
    pub(crate) fn into_error(self) -> Error {
        match self {
            Self::Conflict(error) | Self::Lost(error) | Self::Final(error) => error,
            Self::Unique { error, .. } => error,
        }
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        failure.into_error()
    }
}

/// Returns whether the server will answer otherwise after a while: it starts, stops, is full, is still a
/// standby, gave a lock to somebody else, or cut the statement short.
fn is_passing(code: &SqlState) -> bool {
    let class = code.code().get(..2).unwrap_or_default();
    // 08: connections; 53: resources; 57: an operator, a shutdown, a statement's time-out; 58: its system.
    ["08", "53", "57", "58"].contains(&class)
        || [
            &SqlState::LOCK_NOT_AVAILABLE,
            &SqlState::READ_ONLY_SQL_TRANSACTION,
            &SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
        ]
        .contains(&code)
}

/// Returns whether it is our statement that does not fit, not the connection.
fn malformed(error: &tokio_postgres::Error) -> bool {
    let text = error.to_string();
    [
        "error serializing",
        "error deserializing",
        "invalid column",
        "query returned",
        "expected ",
    ]
    .iter()
    .any(|start| text.starts_with(start))
}

/// Returns whether a handshake ended because the connection did.
fn is_cut(error: &tokio_postgres::Error) -> bool {
    let cause = error
        .source()
        .and_then(|cause| cause.downcast_ref::<io::Error>());
    cause.is_some_and(|cause| {
        use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
        [
            BrokenPipe,
            ConnectionAborted,
            ConnectionReset,
            UnexpectedEof,
        ]
        .contains(&cause.kind())
    })
}

/// Returns the messages of an error and its causes.
fn text(error: &dyn std::error::Error) -> String {
    struct Chain<'a>(&'a dyn std::error::Error);
    impl fmt::Display for Chain<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            let mut said = self.0.to_string();
            f.write_str(&said)?;
            let mut next = self.0.source();
            while let Some(cause) = next {
                let says = cause.to_string();
                // Some errors repeat their cause.
                if !said.contains(&says) {
                    write!(f, ": {says}")?;
                    said = says;
                }
                next = cause.source();
            }
            Ok(())
        }
    }
    Chain(error).to_string()
}
