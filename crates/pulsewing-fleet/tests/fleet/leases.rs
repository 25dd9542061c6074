//! Leases: who holds one, until when, and when a wearer is due.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use pulsewing_fleet::{Database, Due, Error, Lease, Options, Write};

use crate::{add, is_fenced, keys, server, sign_in, take_when_free};

fn short(lease: Duration) -> Options {
    Options {
        lease,
        ..Options::default()
    }
}

const SHORT: Duration = Duration::from_millis(300);
const LATER: Due = Due::After(Duration::from_secs(900));

#[tokio::test]
async fn who_has_not_signed_in_is_not_due_and_who_has_is() {
    let (_, database) = server::new_database().await;
    let anna = add(&database, "anna").await;
    assert!(database.take_due(10).await.unwrap().is_empty());
    let mut lease = database.take(&anna.id, Duration::ZERO).await.unwrap();
    database
        .replace_chain(&mut lease, &keys(), 1, b"x", true)
        .await
        .unwrap();
    drop(lease);
    assert_eq!(database.backlog().await.unwrap().waiting, 0, "it is held");
    let (_, database) = server::new_database().await;
    sign_in(&database, "anna", b"x").await;
    assert_eq!(database.backlog().await.unwrap().waiting, 1);
    let lease = database.take_due(10).await.unwrap().pop().unwrap();
    assert_eq!(lease.wearer().id.as_str(), "anna");
    let renewal = lease.renewal();
    database.release(lease, LATER).await.unwrap();
    assert!(database.take_due(10).await.unwrap().is_empty());
    // A renewal that was under way for longer does not take it again.
    assert!(is_fenced(database.renew(&renewal).await));
    let listed = &database.wearers(None).await.unwrap()[0];
    assert_eq!(listed.held_by, None);
}

#[tokio::test]
async fn a_paused_holder_is_fenced_in_everything_it_does() {
    let (url, first) = server::new_database().await;
    let paused = server::connect(&url, short(SHORT)).await;
    let anna = sign_in(&first, "anna", b"one").await;
    let mut old = paused.take_due(1).await.unwrap().pop().unwrap();
    paused.load_chain(&mut old, &keys()).await.unwrap().unwrap();
    paused
        .store_chain(&mut old, &keys(), Write::Intent, 1, b"intent")
        .await
        .unwrap();

    // It sleeps; another one takes over, repeats the token, and stores the answer.
    let mut new = take_when_free(&first).await;
    let chain = first.load_chain(&mut new, &keys()).await.unwrap().unwrap();
    assert_eq!(chain.record.as_slice(), b"intent");
    first
        .store_chain(&mut new, &keys(), Write::Tokens, 2, b"two")
        .await
        .unwrap();

    let write = paused
        .store_chain(&mut old, &keys(), Write::Tokens, 2, b"stale")
        .await;
    assert_eq!(
        write,
        Err(Error::Fenced {
            wearer: "anna".to_owned()
        })
    );
    assert!(is_fenced(
        paused
            .store_chain(&mut old, &keys(), Write::Settled, 1, b"stale")
            .await
    ));
    assert!(is_fenced(
        paused
            .replace_chain(&mut old, &keys(), 9, b"stale", true)
            .await
    ));
    assert!(is_fenced(paused.load_chain(&mut old, &keys()).await));
    assert!(is_fenced(paused.erase_chain(&mut old).await));
    assert!(is_fenced(paused.save_state(&mut old, "{}", "stale").await));
    assert!(is_fenced(paused.claim_person(&old, "fitbit", "A1").await));
    assert!(is_fenced(paused.renew(&old.renewal()).await));
    assert!(is_fenced(paused.release(old, LATER).await));
    let chain = first.peek_chain(&anna, &keys()).await.unwrap().unwrap();
    assert_eq!(
        (chain.record.as_slice(), chain.generation),
        (b"two".as_slice(), 2)
    );
    first.release(new, LATER).await.unwrap();
}

#[tokio::test]
async fn a_lease_that_ended_is_still_good_while_nobody_took_over() {
    let (url, database) = server::new_database().await;
    let brief = server::connect(&url, short(Duration::from_millis(1))).await;
    let anna = sign_in(&database, "anna", b"one").await;
    let mut lease = brief.take_due(1).await.unwrap().pop().unwrap();
    brief.load_chain(&mut lease, &keys()).await.unwrap();
    brief
        .store_chain(&mut lease, &keys(), Write::Tokens, 2, b"two")
        .await
        .unwrap();
    assert_eq!(
        brief
            .peek_chain(&anna, &keys())
            .await
            .unwrap()
            .unwrap()
            .generation,
        2
    );
}

#[tokio::test]
async fn a_named_lease_is_waited_for() {
    let (_, database) = server::new_database().await;
    let anna = add(&database, "anna").await;
    let held = database.take(&anna.id, Duration::ZERO).await.unwrap();
    let busy = database.take(&anna.id, Duration::ZERO).await;
    assert_eq!(
        busy.unwrap_err(),
        Error::Busy {
            wearer: "anna".to_owned()
        }
    );
    let waiting = {
        let (database, id) = (database.clone(), anna.id.clone());
        tokio::spawn(async move { database.take(&id, Duration::from_secs(20)).await })
    };
    database.release(held, Due::WhenWoken).await.unwrap();
    let lease = waiting.await.unwrap().unwrap();
    assert_eq!(lease.wearer(), &anna);
    let nobody = database
        .take(&"nobody".parse().unwrap(), Duration::from_secs(20))
        .await;
    assert_eq!(
        nobody.unwrap_err(),
        Error::NoSuchWearer("nobody".to_owned())
    );
}

#[tokio::test]
async fn a_renewed_lease_goes_on_but_not_beyond_what_an_open_intent_allows() {
    let (url, database) = server::new_database().await;
    let until = || {
        let left = "select extract(epoch from until - now()) from lease";
        let left = server::Server::shared().sql(server::name_of(&url), left);
        left.trim().parse::<f64>().unwrap()
    };
    let back = |seconds: u32| {
        let sql = format!(
            "update lease set until = until - interval '{seconds} s', \
            intent_until = intent_until - interval '{seconds} s'"
        );
        server::Server::shared().sql(server::name_of(&url), &sql);
    };
    sign_in(&database, "anna", b"one").await;
    let mut lease = database.take_due(1).await.unwrap().pop().unwrap();
    database.load_chain(&mut lease, &keys()).await.unwrap();
    back(60);
    assert!(until() < 31.0);
    database.renew(&lease.renewal()).await.unwrap();
    assert!(until() > 89.0);
    // The intent itself renews it; then it can only run out.
    back(60);
    database
        .store_chain(&mut lease, &keys(), Write::Intent, 1, b"i")
        .await
        .unwrap();
    assert!(until() > 89.0);
    back(60);
    database.renew(&lease.renewal()).await.unwrap();
    assert!(until() < 31.0);
    database
        .store_chain(&mut lease, &keys(), Write::Tokens, 2, b"two")
        .await
        .unwrap();
    database.renew(&lease.renewal()).await.unwrap();
    assert!(until() > 89.0);
}

#[tokio::test]
async fn an_intent_makes_a_wearer_due_that_a_command_refreshes() {
    let (_, database) = server::new_database().await;
    let anna = sign_in(&database, "anna", b"one").await;
    let lease = database.take_due(1).await.unwrap().pop().unwrap();
    database.release(lease, LATER).await.unwrap();
    let mut lease = database.take(&anna.id, Duration::ZERO).await.unwrap();
    database.load_chain(&mut lease, &keys()).await.unwrap();
    database
        .store_chain(&mut lease, &keys(), Write::Intent, 1, b"i")
        .await
        .unwrap();
    // The command is killed; as soon as its lease ends, a collector repeats the refresh.
    assert!(database.take_due(1).await.unwrap().is_empty());
    database
        .restored("the test, to end the lease")
        .await
        .unwrap();
    assert_eq!(database.take_due(1).await.unwrap().len(), 1);
}

#[tokio::test]
async fn who_signed_out_is_not_due_even_if_nobody_released_the_lease() {
    let (_, database) = server::new_database().await;
    let anna = sign_in(&database, "anna", b"one").await;
    let mut lease = database.take(&anna.id, Duration::ZERO).await.unwrap();
    database.erase_chain(&mut lease).await.unwrap();
    database
        .restored("the test, to end the lease")
        .await
        .unwrap();
    assert!(database.take_due(1).await.unwrap().is_empty());
}

#[tokio::test]
async fn who_has_been_due_for_longest_is_taken_first() {
    let (url, database) = server::new_database().await;
    for id in ["anna", "ben", "cleo"] {
        sign_in(&database, id, b"x").await;
    }
    let later = "update lease set due = now() - number * interval '1 s' \
        from wearer where wearer = number";
    server::Server::shared().sql(server::name_of(&url), later);
    let backlog = database.backlog().await.unwrap();
    assert_eq!(backlog.waiting, 3);
    assert!(backlog.longest >= Duration::from_secs(3));
    for id in ["cleo", "ben", "anna"] {
        let lease = database.take_due(1).await.unwrap().pop().unwrap();
        assert_eq!(lease.wearer().id.as_str(), id);
    }
}

#[tokio::test]
async fn a_woken_wearer_is_due_at_once_and_then_once_a_minute() {
    let (url, database) = server::new_database().await;
    let anna = sign_in(&database, "anna", b"one").await;
    let take = || async { database.take_due(1).await.unwrap().pop() };
    let lease = take().await.unwrap();
    database.release(lease, LATER).await.unwrap();
    assert!(take().await.is_none());
    database.wake(&anna).await.unwrap();
    let lease = take().await.unwrap();
    // Again, while somebody works: it is not lost, and not before the minute is over.
    for _ in 0..3 {
        database.wake(&anna).await.unwrap();
    }
    database.release(lease, LATER).await.unwrap();
    assert!(take().await.is_none());
    let due = "select round(extract(epoch from due - now())) from lease";
    let due = server::Server::shared().sql(server::name_of(&url), due);
    let due: i64 = due.trim().parse().unwrap();
    assert!((50..=60).contains(&due), "{due}");
    server::Server::shared().sql(
        server::name_of(&url),
        "update lease set due = due - interval '1 min', woken = woken - interval '1 min', \
        taken = taken - interval '1 min'",
    );
    let lease = take().await.unwrap();
    database.release(lease, LATER).await.unwrap();
    assert!(take().await.is_none());
    database.remove_wearer(&anna.id, "test").await.unwrap();
    assert!(matches!(
        database.wake(&anna).await,
        Err(Error::NoSuchWearer(_))
    ));
}

#[tokio::test]
async fn a_wearer_whom_somebody_is_about_to_take_is_passed_over() {
    let (url, database) = server::new_database().await;
    let anna = sign_in(&database, "anna", b"x").await;
    let ben = sign_in(&database, "ben", b"x").await;
    let name = server::name_of(&url);
    let lock = "select wearer from lease order by wearer limit 1 for update";
    let other = server::Server::shared().hold(name, lock);
    let taken = database.take_due(10).await.unwrap();
    let taken: Vec<_> = taken.iter().map(Lease::wearer).collect();
    assert_eq!(taken, [&ben]);
    drop(other);
    assert_eq!(take_when_free(&database).await.wearer(), &anna);
}

#[tokio::test]
async fn an_option_out_of_range_is_refused() {
    let url = server::Server::shared().new_database();
    for options in [
        short(Duration::ZERO),
        short(Duration::from_secs(96)),
        Options {
            connections: 0,
            ..Options::default()
        },
    ] {
        let refused = Database::connect(&url, server::tls(), options).await;
        assert!(matches!(refused.unwrap_err(), Error::Option(_)));
    }
}

/// What the collectors of a test hold, and what they held.
#[derive(Default)]
struct Held {
    now: HashMap<String, u64>,
    taken: u64,
}

/// Lets collectors take, hold and release leases, until `takings` were taken.
async fn collect(
    url: &str,
    collectors: usize,
    wearers: usize,
    takings: u64,
    batch: u32,
) -> Duration {
    let setup = server::connect(url, Options::default()).await;
    add(&setup, "w0").await;
    let name = server::name_of(url);
    let many = format!(
        "insert into wearer (tenant, id, name, provider, settings, ticket) \
        select 'default', 'w' || n, '', 'fitbit', '', n from generate_series(1, {wearers} - 1) n; \
        insert into lease (wearer, due) select number, now() from wearer \
        on conflict (wearer) do update set due = now()"
    );
    server::Server::shared().sql(name, &many);
    let held = Arc::new(Mutex::new(Held::default()));
    let since = Instant::now();
    let mut tasks = Vec::new();
    for number in 0..collectors {
        let options = Options {
            collector: format!("c{number}"),
            ..Options::default()
        };
        let database = server::connect(url, options).await;
        let held = Arc::clone(&held);
        tasks.push(tokio::spawn(async move {
            loop {
                let leases = database.take_due(batch).await.unwrap();
                {
                    let mut held = held.lock().unwrap();
                    for lease in &leases {
                        let id = lease.wearer().id.to_string();
                        held.taken += 1;
                        let before = held.now.insert(id.clone(), 1);
                        assert_eq!(before, None, "{id} is held twice");
                    }
                }
                for lease in leases {
                    held.lock().unwrap().now.remove(lease.wearer().id.as_str());
                    database
                        .release(lease, Due::After(Duration::ZERO))
                        .await
                        .unwrap();
                }
                if held.lock().unwrap().taken >= takings {
                    return;
                }
                tokio::task::yield_now().await;
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    since.elapsed()
}

/// `PULSEWING_FLEET_LEASES=21000` takes as many, and prints how fast.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_two_collectors_hold_a_lease_at_once() {
    let url = server::Server::shared().new_database();
    let wanted = std::env::var("PULSEWING_FLEET_LEASES").ok();
    let takings: u64 = wanted.map_or(600, |number| number.parse().unwrap());
    let (collectors, batch) = (8, 10);
    let took = collect(&url, collectors, 200, takings, batch).await;
    let rate = takings as f64 / took.as_secs_f64();
    println!("{takings} leases taken and released by {collectors} collectors: {rate:.0} a second");
}

#[tokio::test]
async fn who_comes_too_late_to_repeat_a_token_leaves_its_holder_time_to_store_the_answer() {
    let (url, database) = server::new_database().await;
    let name = server::name_of(&url);
    let anna = sign_in(&database, "anna", b"one").await;
    let server = server::Server::shared();
    let pass = |seconds: u32| {
        let sql = format!(
            "update lease set until = until - interval '{seconds} s', due = due - interval '{seconds} s',
            intent_until = intent_until - interval '{seconds} s'"
        );
        server.sql(name, &sql);
    };
    for (seconds, is_late) in [(100, false), (125, true)] {
        let mut old = database.take_due(1).await.unwrap().pop().unwrap();
        let chain = database.load_chain(&mut old, &keys()).await.unwrap();
        let generation = chain.unwrap().generation;
        database
            .store_chain(&mut old, &keys(), Write::Intent, generation, b"intent")
            .await
            .unwrap();
        pass(seconds);
        let other = server::connect(&url, Options::default()).await;
        let taken = other.take_due(1).await.unwrap().pop();
        assert_eq!(taken.is_none(), is_late, "after {seconds} s");
        // A command waits as well.
        let named = other.take(&anna.id, Duration::ZERO).await;
        assert!(matches!(named, Err(Error::Busy { .. })), "{named:?}");
        let stored = database
            .store_chain(&mut old, &keys(), Write::Tokens, generation + 1, b"two")
            .await;
        assert_eq!(stored.is_ok(), is_late, "{stored:?}");
        match taken {
            Some(lease) => other.release(lease, Due::After(Duration::ZERO)).await,
            None => database.release(old, Due::After(Duration::ZERO)).await,
        }
        .unwrap();
    }

    // Nobody answers the call: then somebody else has the wearer.
    let mut gone = database.take_due(1).await.unwrap().pop().unwrap();
    database.load_chain(&mut gone, &keys()).await.unwrap();
    database
        .store_chain(&mut gone, &keys(), Write::Intent, 2, b"intent")
        .await
        .unwrap();
    pass(1_000);
    assert!(database.take_due(1).await.unwrap().is_empty());
    pass(44);
    assert!(database.take_due(1).await.unwrap().is_empty());
    pass(2);
    assert_eq!(database.take_due(1).await.unwrap().len(), 1);
}
