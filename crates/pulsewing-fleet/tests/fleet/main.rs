//! The fleet's store against a real PostgreSQL, which the tests start.
#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by panicking"
)]

mod access;
mod chains;
mod cuts;
mod days;
mod leases;
mod limits;
mod listing;
mod outages;
mod provider;
mod proxy;
mod races;
mod schema;
mod sealing;
mod secrets;
mod server;
mod trust;
mod wearers;

use std::time::{Duration, Instant};

use pulsewing_fleet::{Database, Error, Keys, Lease, NewWearer, Wearer};

/// The time within which everything that is waited for must happen.
const PATIENCE: Duration = Duration::from_secs(30);

/// Returns the keys that the tests seal with.
fn keys() -> Keys {
    Keys::parse(&format!("1 {}", "5a".repeat(32))).unwrap()
}

/// Adds a wearer.
async fn add(database: &Database, id: &str) -> Wearer {
    let new = NewWearer {
        id: id.parse().unwrap(),
        name: format!("Name of {id}"),
        provider: "fitbit".to_owned(),
        settings: "{}".to_owned(),
    };
    database.add_wearer(&new).await.unwrap()
}

/// Adds a wearer who has signed in with this record, in generation 1, and is due.
async fn sign_in(database: &Database, id: &str, record: &[u8]) -> Wearer {
    let wearer = add(database, id).await;
    let mut lease = database.take(&wearer.id, Duration::ZERO).await.unwrap();
    database
        .replace_chain(&mut lease, &keys(), 1, record, true)
        .await
        .unwrap();
    let soon = pulsewing_fleet::Due::After(Duration::ZERO);
    database.release(lease, soon).await.unwrap();
    wearer
}

/// Waits until the only due wearer's lease can be taken.
async fn take_when_free(database: &Database) -> Lease {
    let since = Instant::now();
    loop {
        match database.take_due(1).await {
            Ok(mut leases) => {
                if let Some(lease) = leases.pop() {
                    return lease;
                }
            }
            Err(error) => assert!(error.is_temporary(), "{error}"),
        }
        assert!(since.elapsed() < PATIENCE, "nobody let go");
        tokio::task::yield_now().await;
    }
}

fn is_fenced<T: std::fmt::Debug>(result: Result<T, Error>) -> bool {
    matches!(result, Err(Error::Fenced { .. }))
}
