//! Chains: what a write demands, and what happens to one that is repeated or late.

use std::time::Duration;

use pulsewing_fleet::{Due, Error, Options, Write};

use crate::{
    add, keys,
    proxy::{Fault, Proxy},
    server::{self, Server},
    sign_in, take_when_free,
};

#[tokio::test]
async fn tokens_raise_the_generation_and_everything_else_keeps_it() {
    let (_, database) = server::new_database().await;
    let anna = add(&database, "anna").await;
    let mut lease = database.take(&anna.id, Duration::ZERO).await.unwrap();
    assert_eq!(
        database.load_chain(&mut lease, &keys()).await.unwrap(),
        None
    );
    let early = database
        .store_chain(&mut lease, &keys(), Write::Intent, 1, b"x")
        .await;
    assert_eq!(
        early,
        Err(Error::NoChain {
            wearer: "anna".to_owned()
        })
    );
    database
        .replace_chain(&mut lease, &keys(), 5, b"five", true)
        .await
        .unwrap();
    assert_eq!(lease.generation(), Some(5));
    for (write, offered) in [
        (Write::Intent, 6),
        (Write::Intent, 4),
        (Write::Settled, 6),
        (Write::Tokens, 5),
        (Write::Tokens, 7),
    ] {
        let refused = database
            .store_chain(&mut lease, &keys(), write, offered, b"x")
            .await;
        let wearer = "anna".to_owned();
        assert_eq!(
            refused,
            Err(Error::Generation {
                wearer,
                stored: 5,
                offered
            }),
            "{write:?}"
        );
    }
    database
        .store_chain(&mut lease, &keys(), Write::Intent, 5, b"intent")
        .await
        .unwrap();
    database
        .store_chain(&mut lease, &keys(), Write::Settled, 5, b"refused")
        .await
        .unwrap();
    database
        .store_chain(&mut lease, &keys(), Write::Tokens, 6, b"six")
        .await
        .unwrap();
    let chain = database
        .load_chain(&mut lease, &keys())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (chain.record.as_slice(), chain.generation),
        (b"six".as_slice(), 6)
    );
    // A sign-in must go on from there.
    let stale = database
        .replace_chain(&mut lease, &keys(), 5, b"x", true)
        .await;
    let wearer = "anna".to_owned();
    assert_eq!(
        stale,
        Err(Error::Generation {
            wearer,
            stored: 6,
            offered: 5
        })
    );
    database
        .replace_chain(&mut lease, &keys(), 7, b"seven", true)
        .await
        .unwrap();
    database.erase_chain(&mut lease).await.unwrap();
    assert_eq!(
        database.load_chain(&mut lease, &keys()).await.unwrap(),
        None
    );
    database
        .replace_chain(&mut lease, &keys(), 1, b"new", true)
        .await
        .unwrap();
    assert_eq!(
        database
            .peek_chain(&anna, &keys())
            .await
            .unwrap()
            .unwrap()
            .record
            .as_slice(),
        b"new"
    );
}

#[tokio::test]
async fn a_write_whose_confirmation_was_lost_is_repeated_by_its_holder_alone() {
    let server = Server::shared();
    let (url, other) = server::new_database().await;
    let proxy = Proxy::start(server, server::name_of(&url));
    // It gives up at once, and the caller repeats.
    let hasty = Options {
        patience: Duration::from_secs(1),
        lease: Duration::from_millis(700),
        ..Options::default()
    };
    let holder = server::connect(proxy.url(), hasty).await;
    let anna = sign_in(&other, "anna", b"one").await;
    let mut lease = holder.take_due(1).await.unwrap().pop().unwrap();
    holder.load_chain(&mut lease, &keys()).await.unwrap();
    proxy.fault_at(1, Fault::CutAfter, true);
    let lost = holder
        .store_chain(&mut lease, &keys(), Write::Tokens, 2, b"two")
        .await;
    assert!(matches!(lost, Err(Error::Unreachable(_))), "{lost:?}");
    let stored = other.peek_chain(&anna, &keys()).await.unwrap().unwrap();
    assert_eq!(
        (stored.record.as_slice(), stored.generation),
        (b"two".as_slice(), 2)
    );

    proxy.fault_at(usize::MAX, Fault::CutAfter, false);
    holder
        .store_chain(&mut lease, &keys(), Write::Tokens, 2, b"two")
        .await
        .unwrap();
    holder
        .store_chain(&mut lease, &keys(), Write::Intent, 2, b"next")
        .await
        .unwrap();

    // The same once more, but now somebody else takes over before it is repeated.
    proxy.fault_at(1, Fault::CutAfter, true);
    let lost = holder
        .store_chain(&mut lease, &keys(), Write::Tokens, 3, b"three")
        .await;
    assert!(matches!(lost, Err(Error::Unreachable(_))), "{lost:?}");
    let mut new = take_when_free(&other).await;
    let chain = other.load_chain(&mut new, &keys()).await.unwrap().unwrap();
    assert_eq!(
        (chain.record.as_slice(), chain.generation),
        (b"three".as_slice(), 3)
    );
    proxy.fault_at(usize::MAX, Fault::CutAfter, false);
    let late = holder
        .store_chain(&mut lease, &keys(), Write::Tokens, 3, b"three")
        .await;
    assert_eq!(
        late,
        Err(Error::Fenced {
            wearer: "anna".to_owned()
        })
    );
    // Nor can the new holder pass for the old one.
    let again = other
        .store_chain(&mut new, &keys(), Write::Tokens, 3, b"three")
        .await;
    assert!(matches!(again, Err(Error::Generation { stored: 3, .. })));
}

#[tokio::test]
async fn a_sign_in_whose_confirmation_was_lost_can_be_repeated() {
    let (url, other) = server::new_database().await;
    let proxy = Proxy::start(Server::shared(), server::name_of(&url));
    let hasty = Options {
        patience: Duration::from_secs(1),
        ..Options::default()
    };
    let holder = server::connect(proxy.url(), hasty).await;
    let anna = add(&other, "anna").await;
    let mut lease = holder.take(&anna.id, Duration::ZERO).await.unwrap();
    proxy.fault_at(1, Fault::CutAfter, true);
    let lost = holder
        .replace_chain(&mut lease, &keys(), 1, b"one", true)
        .await;
    assert!(matches!(lost, Err(Error::Unreachable(_))), "{lost:?}");
    proxy.fault_at(usize::MAX, Fault::CutAfter, false);
    holder
        .replace_chain(&mut lease, &keys(), 1, b"one", true)
        .await
        .unwrap();
    assert_eq!(
        holder
            .peek_chain(&anna, &keys())
            .await
            .unwrap()
            .unwrap()
            .record
            .as_slice(),
        b"one"
    );
}

#[tokio::test]
async fn a_write_that_arrives_late_changes_nothing() {
    let (url, direct) = server::new_database().await;
    let proxy = Proxy::start(Server::shared(), server::name_of(&url));
    let hasty = Options {
        answer_within: Duration::from_millis(200),
        ..Options::default()
    };
    let holder = server::connect(proxy.url(), hasty).await;
    let anna = sign_in(&direct, "anna", b"one").await;
    let mut lease = holder.take_due(1).await.unwrap().pop().unwrap();
    holder.load_chain(&mut lease, &keys()).await.unwrap();
    // The intent hangs somewhere on the way; it is sent again, and the refresh is carried out.
    proxy.fault_at(1, Fault::Hold, false);
    holder
        .store_chain(&mut lease, &keys(), Write::Intent, 1, b"intent")
        .await
        .unwrap();
    assert!(proxy.requests() >= 2);
    holder
        .store_chain(&mut lease, &keys(), Write::Tokens, 2, b"two")
        .await
        .unwrap();
    proxy.let_through().await;
    let chain = direct.peek_chain(&anna, &keys()).await.unwrap().unwrap();
    assert_eq!(
        (chain.record.as_slice(), chain.generation),
        (b"two".as_slice(), 2)
    );

    // The same within a generation: an intent that was withdrawn does not come back.
    proxy.fault_at(1, Fault::Hold, false);
    let (intent, settled) = (Write::Intent, Write::Settled);
    holder
        .store_chain(&mut lease, &keys(), intent, 2, b"intent")
        .await
        .unwrap();
    holder
        .store_chain(&mut lease, &keys(), settled, 2, b"withdrawn")
        .await
        .unwrap();
    proxy.let_through().await;
    let chain = direct.peek_chain(&anna, &keys()).await.unwrap().unwrap();
    assert_eq!(chain.record.as_slice(), b"withdrawn");

    // The same with a state.
    proxy.fault_at(1, Fault::Hold, false);
    holder.save_state(&mut lease, "old", "a").await.unwrap();
    holder.save_state(&mut lease, "new", "b").await.unwrap();
    proxy.let_through().await;
    assert_eq!(
        direct.load_state(&anna).await.unwrap().as_deref(),
        Some("new")
    );
    holder.release(lease, Due::WhenWoken).await.unwrap();
}

#[tokio::test]
async fn a_state_is_loaded_as_it_was_saved() {
    let (_, database) = server::new_database().await;
    let anna = sign_in(&database, "anna", b"one").await;
    assert_eq!(database.load_state(&anna).await.unwrap(), None);
    let mut lease = database.take(&anna.id, Duration::ZERO).await.unwrap();
    for document in ["{\"a\":1}", "{\"a\":2, \"b\":\"ä\"}"] {
        database
            .save_state(&mut lease, document, "signed-in")
            .await
            .unwrap();
        assert_eq!(
            database.load_state(&anna).await.unwrap().as_deref(),
            Some(document)
        );
    }
}
