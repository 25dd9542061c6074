//! Connections cut, and collectors killed, between every two statements.

use std::time::Duration;

use pulsewing_fleet::{Database, Due, Error, Lease, Options, Write};

use crate::{
    keys,
    provider::{Provider, record, token_of},
    proxy::{Fault, Proxy},
    server::{self, Server},
    sign_in, take_when_free,
};

/// Refreshes the chain of a lease: intent, send, persist; an intent that is there is repeated.
pub(crate) async fn refresh(
    database: &Database,
    lease: &mut Lease,
    provider: &Provider,
) -> Result<(), Error> {
    let keys = keys();
    let chain = database.load_chain(lease, &keys).await?.expect("a chain");
    let (token, intent) = token_of(&chain.record);
    if !intent {
        let sent = record(token, true);
        database
            .store_chain(lease, &keys, Write::Intent, chain.generation, &sent)
            .await?;
    }
    let next = provider.refresh(token).expect("the chain is lost");
    let record = record(next, false);
    database
        .store_chain(lease, &keys, Write::Tokens, chain.generation + 1, &record)
        .await
}

/// One cycle of a collector whose only wearer is due.
async fn cycle(database: &Database, provider: &Provider) -> Result<(), Error> {
    let mut leases = database.take_due(5).await?;
    assert_eq!(leases.len(), 1, "the wearer is due and free");
    let mut lease = leases.pop().unwrap();
    work(database, &mut lease, provider).await?;
    database.release(lease, Due::After(Duration::ZERO)).await
}

async fn work(database: &Database, lease: &mut Lease, provider: &Provider) -> Result<(), Error> {
    refresh(database, lease, provider).await?;
    database.renew(&lease.renewal()).await?;
    let state = format!("{{\"token\":{}}}", provider.good());
    database.save_state(lease, &state, "signed-in").await
}

/// The requests of one cycle.
const REQUESTS: usize = 7;

#[tokio::test]
async fn a_connection_that_is_cut_between_any_two_statements_costs_nothing() {
    let (url, direct) = server::new_database().await;
    let proxy = Proxy::start(Server::shared(), server::name_of(&url));
    let database = server::connect(proxy.url(), Options::default()).await;
    let anna = sign_in(&direct, "anna", &record(0, false)).await;
    let provider = Provider::default();
    for fault in [Fault::CutBefore, Fault::CutAfter] {
        for at in 1..=REQUESTS {
            let before = provider.good();
            proxy.fault_at(at, fault, false);
            let done = cycle(&database, &provider).await;
            assert_eq!(done, Ok(()), "{fault:?} at {at}");
            assert_eq!(proxy.requests(), REQUESTS + 1, "{fault:?} at {at}");
            let chain = direct.peek_chain(&anna, &keys()).await.unwrap().unwrap();
            assert_eq!(
                token_of(&chain.record),
                (before + 1, false),
                "{fault:?} at {at}"
            );
            assert_eq!(chain.generation, before + 2);
        }
    }
    assert_eq!(
        (provider.good() as usize, provider.refused()),
        (2 * REQUESTS, 0)
    );
}

#[tokio::test]
async fn a_collector_that_dies_between_any_two_statements_costs_nothing_but_time() {
    let (url, survivor) = server::new_database().await;
    let proxy = Proxy::start(Server::shared(), server::name_of(&url));
    let anna = sign_in(&survivor, "anna", &record(0, false)).await;
    let provider = Provider::default();
    let doomed = Options {
        lease: Duration::from_millis(150),
        patience: Duration::from_millis(400),
        ..Options::default()
    };
    for fault in [Fault::CutBefore, Fault::CutAfter] {
        for at in 1..=REQUESTS {
            proxy.fault_at(usize::MAX, fault, false);
            let database = server::connect(proxy.url(), doomed.clone()).await;
            proxy.fault_at(at, fault, true);
            let died = cycle(&database, &provider).await;
            assert!(
                matches!(died, Err(Error::Unreachable(_))),
                "{fault:?} at {at}: {died:?}"
            );

            let mut lease = take_when_free(&survivor).await;
            let before = provider.good();
            work(&survivor, &mut lease, &provider).await.unwrap();
            survivor
                .release(lease, Due::After(Duration::ZERO))
                .await
                .unwrap();
            assert!(provider.good() - before <= 1);
            let chain = survivor.peek_chain(&anna, &keys()).await.unwrap().unwrap();
            assert_eq!(
                token_of(&chain.record),
                (provider.good(), false),
                "{fault:?} at {at}"
            );
        }
    }
    assert_eq!(provider.refused(), 0);
}
