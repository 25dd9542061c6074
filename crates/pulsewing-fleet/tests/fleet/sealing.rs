//! Chains at rest: what a thief, a mistake or a backup does to rows.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use pulsewing_fleet::{Due, Error, Keys, Options, Write};

use crate::{
    cuts::refresh,
    keys,
    provider::{Provider, record, token_of},
    server::{self, Server},
    sign_in,
};

/// Keys 1 and 2; the first is that of [`keys`].
fn two_keys() -> Keys {
    Keys::parse(&format!("1 {}\n2 {}\n", "5a".repeat(32), "c3".repeat(32))).unwrap()
}

fn is_damaged<T: std::fmt::Debug>(result: Result<T, Error>) -> bool {
    matches!(result, Err(Error::Damaged { .. }))
}

#[tokio::test]
async fn rows_that_were_swapped_or_rolled_back_do_not_unseal() {
    let (url, database) = server::new_database().await;
    let sql = |text: &str| Server::shared().sql(server::name_of(&url), text);
    let anna = sign_in(&database, "anna", b"annas").await;
    let ben = sign_in(&database, "ben", b"bens").await;
    sql("create table kept as select * from chain");
    let mut lease = database.take(&anna.id, Duration::ZERO).await.unwrap();
    database.load_chain(&mut lease, &keys()).await.unwrap();
    database
        .store_chain(&mut lease, &keys(), Write::Intent, 1, b"intent")
        .await
        .unwrap();
    sql("create table intended as select * from chain");
    database
        .store_chain(&mut lease, &keys(), Write::Tokens, 2, b"two")
        .await
        .unwrap();
    sql("create table good as select * from chain");

    let swap = "update chain c set record = o.record from chain o where o.wearer <> c.wearer";
    let put_back = |table: &str, what: &str| {
        format!("update chain c set {what} from {table} k where k.wearer = c.wearer")
    };
    for damage in [
        swap.to_owned(),
        // The record of an earlier generation, then the whole row of one, and a lie about it.
        put_back("kept", "record = k.record"),
        put_back("kept", "record = k.record, generation = k.generation"),
        put_back(
            "kept",
            "record = k.record, generation = k.generation, revision = k.revision",
        ),
        put_back(
            "intended",
            "record = k.record, generation = k.generation, revision = k.revision",
        ),
        "update chain set generation = 3".to_owned(),
        "update chain set generation = -1".to_owned(),
        "update chain set record = ''".to_owned(),
        "update chain set key_id = 70000".to_owned(),
    ] {
        sql(&damage);
        let peeked = database.peek_chain(&anna, &keys()).await;
        assert!(is_damaged(peeked), "{damage}");
        assert!(
            is_damaged(database.load_chain(&mut lease, &keys()).await),
            "{damage}"
        );
        sql(&put_back(
            "good",
            "record = k.record, generation = k.generation, revision = k.revision, key_id = k.key_id",
        ));
        database.load_chain(&mut lease, &keys()).await.unwrap();
    }
    assert_eq!(
        database
            .peek_chain(&ben, &keys())
            .await
            .unwrap()
            .unwrap()
            .record
            .as_slice(),
        b"bens"
    );
    // A chain that does not unseal has a generation, and a sign-in replaces it.
    sql("update chain set record = ''");
    assert!(is_damaged(database.load_chain(&mut lease, &keys()).await));
    let next = lease.generation().unwrap() + 1;
    database
        .replace_chain(&mut lease, &keys(), next, b"three", true)
        .await
        .unwrap();
    assert_eq!(
        database
            .peek_chain(&anna, &keys())
            .await
            .unwrap()
            .unwrap()
            .generation,
        3
    );
}

#[tokio::test]
async fn a_missing_key_is_named() {
    let (_, database) = server::new_database().await;
    let anna = sign_in(&database, "anna", b"annas").await;
    let other = Keys::parse(&format!("2 {}", "c3".repeat(32))).unwrap();
    let missing = database.peek_chain(&anna, &other).await;
    assert_eq!(
        missing,
        Err(Error::MissingKey {
            wearer: "anna".to_owned(),
            key: 1
        })
    );
    let wrong = Keys::parse(&format!("1 {}", "c3".repeat(32))).unwrap();
    assert!(is_damaged(database.peek_chain(&anna, &wrong).await));
    let rekeyed = database.rekey(&other).await.unwrap();
    assert_eq!((rekeyed.resealed, rekeyed.left), (0, 1));
    let error = Error::MissingKey {
        wearer: "anna".to_owned(),
        key: 1,
    };
    assert_eq!(rekeyed.unreadable, [("anna".to_owned(), error)]);
    assert!(database.peek_chain(&anna, &keys()).await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chains_are_sealed_anew_while_they_rotate() {
    const WEARERS: usize = 250;
    let (url, database) = server::new_database().await;
    let mut wearers = Vec::new();
    for number in 0..WEARERS {
        wearers.push(sign_in(&database, &format!("w{number}"), &record(0, false)).await);
    }
    let providers: Vec<Provider> = wearers.iter().map(|_| Provider::default()).collect();
    let providers = Arc::new(providers);
    let stop = Arc::new(AtomicBool::new(false));
    let rotating = {
        let (providers, stop) = (Arc::clone(&providers), Arc::clone(&stop));
        // It does not have the new key until later, and then has both.
        let database = server::connect(&url, Options::default()).await;
        tokio::spawn(async move {
            let mut rotations = 0;
            while !stop.load(Ordering::SeqCst) {
                for mut lease in database.take_due(10).await.unwrap() {
                    let number: usize = lease.wearer().id.as_str()[1..].parse().unwrap();
                    let chain = match database.load_chain(&mut lease, &keys()).await {
                        Err(Error::MissingKey { key: 2, .. }) => {
                            let keys = two_keys();
                            let chain = database
                                .load_chain(&mut lease, &keys)
                                .await
                                .unwrap()
                                .unwrap();
                            let (token, _) = token_of(&chain.record);
                            let next = providers[number].refresh(token).unwrap();
                            let (next, generation) = (record(next, false), chain.generation + 1);
                            database
                                .store_chain(&mut lease, &keys, Write::Tokens, generation, &next)
                                .await
                                .unwrap();
                            None
                        }
                        chain => chain.unwrap(),
                    };
                    if chain.is_some() {
                        match refresh(&database, &mut lease, &providers[number]).await {
                            // Sealed anew between the two; the next round sees it.
                            Ok(()) | Err(Error::MissingKey { key: 2, .. }) => {}
                            Err(error) => panic!("{error}"),
                        }
                    }
                    rotations += 1;
                    database
                        .release(lease, Due::After(Duration::ZERO))
                        .await
                        .unwrap();
                }
            }
            rotations
        })
    };
    let mut resealed = 0;
    let mut left = u64::MAX;
    while left > 0 {
        let rekeyed = database.rekey(&two_keys()).await.unwrap();
        assert_eq!(rekeyed.unreadable, []);
        resealed += rekeyed.resealed;
        left = rekeyed.left;
    }
    stop.store(true, Ordering::SeqCst);
    assert!(rotating.await.unwrap() > 0);
    assert!(resealed > 0);
    let new_alone = Keys::parse(&format!("2 {}", "c3".repeat(32))).unwrap();
    for (wearer, provider) in wearers.iter().zip(providers.iter()) {
        let chain = database
            .peek_chain(wearer, &new_alone)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(token_of(&chain.record).0, provider.good());
        assert_eq!(provider.refused(), 0);
    }
}

#[tokio::test]
async fn after_a_restored_backup_rotating_chains_must_prove_themselves() {
    let (url, database) = server::new_database().await;
    let anna = sign_in(&database, "anna", b"one").await;
    let ben = sign_in(&database, "ben", b"bens").await;
    let mut lease = database.take(&ben.id, Duration::ZERO).await.unwrap();
    database
        .replace_chain(&mut lease, &keys(), 2, b"fixed", false)
        .await
        .unwrap();
    database.release(lease, Due::WhenWoken).await.unwrap();
    let mut old = database.take(&anna.id, Duration::ZERO).await.unwrap();
    database.load_chain(&mut old, &keys()).await.unwrap();

    assert_eq!(database.restored("the operator").await.unwrap(), 1);
    assert_eq!(
        database.to_verify().await.unwrap(),
        std::slice::from_ref(&anna.id)
    );
    let log = "select actor, action from audit";
    let log = Server::shared().sql(server::name_of(&url), log);
    assert_eq!(log.trim(), "the operator|database restored");
    // A collector that was running meanwhile has lost its lease, for good.
    let late = database
        .store_chain(&mut old, &keys(), Write::Tokens, 2, b"late")
        .await;
    assert!(matches!(late, Err(Error::Fenced { .. })));

    let mut lease = database.take(&anna.id, Duration::ZERO).await.unwrap();
    let chain = database
        .load_chain(&mut lease, &keys())
        .await
        .unwrap()
        .unwrap();
    assert!(chain.verify);
    assert!(
        !database
            .peek_chain(&ben, &keys())
            .await
            .unwrap()
            .unwrap()
            .verify
    );
    for (write, generation, verify) in [
        (Write::Intent, 1, true),
        (Write::Settled, 1, true),
        (Write::Tokens, 2, false),
    ] {
        database
            .store_chain(&mut lease, &keys(), write, generation, b"x")
            .await
            .unwrap();
        let chain = database.peek_chain(&anna, &keys()).await.unwrap().unwrap();
        assert_eq!(chain.verify, verify, "{write:?}");
    }
    assert!(database.to_verify().await.unwrap().is_empty());
}
