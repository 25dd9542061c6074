//! A write and a taking at the same instant: one of them is first, and the other one knows.

use std::time::{Duration, Instant};

use pulsewing_fleet::{Grant, Limit, Options, Priority, Write};

use crate::{
    PATIENCE, is_fenced, keys,
    server::{self, Server},
    sign_in, take_when_free,
};

/// Waits until a statement of this database waits for another one's lock.
fn wait_for_a_waiter(database: &str) {
    let waiting = format!(
        "select count(*) from pg_stat_activity \
        where datname = '{database}' and wait_event_type = 'Lock'"
    );
    let since = Instant::now();
    while Server::shared().sql("postgres", &waiting).trim() == "0" {
        assert!(since.elapsed() < PATIENCE, "nobody waits");
    }
}

/// Options whose leases end at once, and whose statements may wait long.
fn brief() -> Options {
    Options {
        lease: Duration::from_millis(1),
        answer_within: PATIENCE,
        patience: PATIENCE,
        ..Options::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_taking_passes_over_a_wearer_whose_chain_is_being_written() {
    let (url, other) = server::new_database().await;
    let name = server::name_of(&url);
    let holder = server::connect(&url, brief()).await;
    let anna = sign_in(&other, "anna", b"one").await;
    let mut lease = holder.take_due(1).await.unwrap().pop().unwrap();
    holder.load_chain(&mut lease, &keys()).await.unwrap();

    let held = Server::shared().hold(name, "select wearer from chain for update");
    let writing = tokio::spawn(async move {
        let tokens = Write::Tokens;
        holder
            .store_chain(&mut lease, &keys(), tokens, 2, b"two")
            .await
    });
    tokio::task::block_in_place(|| wait_for_a_waiter(name));
    // The lease is over, but what was begun under it is not.
    assert!(other.take_due(1).await.unwrap().is_empty());
    drop(held);
    assert_eq!(writing.await.unwrap(), Ok(()));
    let mut lease = take_when_free(&other).await;
    assert_eq!(lease.wearer(), &anna);
    let chain = other
        .load_chain(&mut lease, &keys())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (chain.record.as_slice(), chain.generation),
        (b"two".as_slice(), 2)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_that_meets_a_taking_waits_for_it_and_is_refused() {
    let (url, other) = server::new_database().await;
    let name = server::name_of(&url);
    let holder = server::connect(&url, brief()).await;
    let anna = sign_in(&other, "anna", b"one").await;
    for kind in ["chain", "sign-in", "erase", "state", "person"] {
        let mut lease = take_when_free(&holder).await;
        holder.load_chain(&mut lease, &keys()).await.unwrap();
        let taking = "update lease set fence = fence + 1 returning wearer";
        let taking = Server::shared().hold(name, taking);
        let holder = holder.clone();
        let writing = tokio::spawn(async move {
            let keys = keys();
            match kind {
                "chain" => {
                    let settled = Write::Settled;
                    holder
                        .store_chain(&mut lease, &keys, settled, 1, b"stale")
                        .await
                }
                "sign-in" => {
                    holder
                        .replace_chain(&mut lease, &keys, 2, b"stale", true)
                        .await
                }
                "erase" => holder.erase_chain(&mut lease).await,
                "state" => holder.save_state(&mut lease, "{}", "stale").await,
                _ => holder.claim_person(&lease, "fitbit", "A1").await,
            }
        });
        tokio::task::block_in_place(|| wait_for_a_waiter(name));
        taking.commit();
        assert!(is_fenced(writing.await.unwrap()), "{kind}");
    }
    let chain = other.peek_chain(&anna, &keys()).await.unwrap().unwrap();
    assert_eq!(
        (chain.record.as_slice(), chain.generation),
        (b"one".as_slice(), 1)
    );
    assert_eq!(other.load_state(&anna).await.unwrap(), None);
    assert_eq!(other.find_person("fitbit", "A1").await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_that_the_server_undoes_for_another_one_is_repeated() {
    let (url, other) = server::new_database().await;
    let name = server::name_of(&url);
    let limit = Limit {
        per_second: 1.0,
        burst: 10.0,
    };
    other.limit_project("p", limit).await.unwrap();
    // As an engine that knows no weaker isolation.
    let strict = format!("{url}&options=-c%20default_transaction_isolation%3Dserializable");
    let strict = server::connect(&strict, brief()).await;
    let update = "update project set tokens = 5 returning id";
    let first = Server::shared().hold(name, update);
    let asking = tokio::spawn(async move { strict.ask_project("p", 1, Priority::Current).await });
    tokio::task::block_in_place(|| wait_for_a_waiter(name));
    first.commit();
    assert_eq!(asking.await.unwrap(), Ok(Grant::Granted));
    let undone = "select tokens between 4 and 5 from project";
    assert_eq!(Server::shared().sql(name, undone).trim(), "t");
}
