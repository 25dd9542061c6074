//! The server goes away and comes back.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use pulsewing_fleet::{Database, Due, Error, Options, Write};

use crate::{
    PATIENCE,
    cuts::refresh,
    keys,
    provider::{Provider, record, token_of},
    server::{self, Server},
    sign_in,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_crashes_under_load_costs_no_chain() {
    const WEARERS: usize = 20;
    let server = Server::start();
    let url = server.new_database();
    let database = server::connect(&url, Options::default()).await;
    let mut providers = HashMap::new();
    for number in 0..WEARERS {
        let wearer = sign_in(&database, &format!("w{number}"), &record(0, false)).await;
        providers.insert(wearer.id, Provider::default());
    }
    let providers = Arc::new(providers);
    let stop = Arc::new(AtomicBool::new(false));
    let done = Arc::new(AtomicU32::new(0));
    let mut collectors = Vec::new();
    for _ in 0..4 {
        let database = server::connect(&url, Options::default()).await;
        let (providers, stop, done) =
            (Arc::clone(&providers), Arc::clone(&stop), Arc::clone(&done));
        collectors.push(tokio::spawn(async move {
            while !stop.load(Ordering::SeqCst) {
                let leases = database.take_due(3).await.unwrap();
                for mut lease in leases {
                    let provider = &providers[&lease.wearer().id];
                    refresh(&database, &mut lease, provider).await.unwrap();
                    database
                        .release(lease, Due::After(Duration::ZERO))
                        .await
                        .unwrap();
                    done.fetch_add(1, Ordering::SeqCst);
                }
            }
        }));
    }
    for _ in 0..3 {
        let before = done.load(Ordering::SeqCst);
        let since = Instant::now();
        while done.load(Ordering::SeqCst) < before + 50 {
            assert!(since.elapsed() < PATIENCE, "nothing goes on");
            tokio::task::yield_now().await;
        }
        tokio::task::block_in_place(|| server.crash());
    }
    stop.store(true, Ordering::SeqCst);
    for collector in collectors {
        collector.await.unwrap();
    }
    for (id, provider) in providers.iter() {
        let wearer = database.wearer(id).await.unwrap();
        let chain = database
            .peek_chain(&wearer, &keys())
            .await
            .unwrap()
            .unwrap();
        assert_eq!(token_of(&chain.record), (provider.good(), false), "{id}");
        assert_eq!(provider.refused(), 0, "{id}");
    }
    assert!(done.load(Ordering::SeqCst) >= 150);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_confirmed_survives_a_crash_of_a_server_that_does_not_care() {
    let careless = "-c listen_addresses='' -c synchronous_commit=off -c wal_writer_delay=10s";
    let server = Server::start_with(careless, &[]);
    let url = server.new_database();
    let database = server::connect(&url, Options::default()).await;
    let anna = sign_in(&database, "anna", &record(0, false)).await;
    let mut lease = database.take(&anna.id, Duration::ZERO).await.unwrap();
    database.load_chain(&mut lease, &keys()).await.unwrap();
    for generation in 2..=5 {
        let record = record(generation, false);
        database
            .store_chain(&mut lease, &keys(), Write::Tokens, generation, &record)
            .await
            .unwrap();
        tokio::task::block_in_place(|| server.crash());
        let chain = database.peek_chain(&anna, &keys()).await.unwrap().unwrap();
        assert_eq!(chain.generation, generation);
    }
}

#[tokio::test]
async fn a_server_that_is_away_is_a_temporary_error_after_a_bounded_wait() {
    let dir = tempfile::tempdir().unwrap();
    let patience = Duration::from_millis(300);
    let options = Options {
        patience,
        ..Options::default()
    };
    let nothing = format!("postgres:///x?host={}&user=postgres", dir.path().display());
    let since = Instant::now();
    let error = Database::connect(&nothing, server::tls(), options.clone())
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Unreachable(_)), "{error}");
    assert!(error.is_temporary());
    assert!(since.elapsed() < Duration::from_secs(5));

    // One that takes the connection and says nothing.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    let url = format!("postgres://postgres@127.0.0.1:{port}/x");
    let error = Database::connect(&url, server::tls(), options)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Unreachable(_)), "{error}");
    assert!(since.elapsed() < Duration::from_secs(10));
}
