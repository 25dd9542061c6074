//! Limits by project.

use std::time::Duration;

use pulsewing_fleet::{Database, Error, Grant, Limit, Priority};

use crate::server::{self, Server};

const LIMIT: Limit = Limit {
    per_second: 2.0,
    burst: 100.0,
};

/// Lets the time of all projects pass.
fn pass(url: &str, seconds: u32) {
    let sql = format!(
        "update project set filled = filled - interval '{seconds} s', \
        slow_until = slow_until - interval '{seconds} s'"
    );
    Server::shared().sql(server::name_of(url), &sql);
}

async fn ask(database: &Database, count: u32, priority: Priority) -> Grant {
    database.ask_project("p", count, priority).await.unwrap()
}

fn wait_of(grant: Grant) -> f64 {
    match grant {
        Grant::Granted => 0.0,
        Grant::NotBefore(wait) => wait.as_secs_f64(),
    }
}

#[tokio::test]
async fn a_bucket_is_emptied_at_once_and_filled_by_the_servers_clock() {
    let (url, database) = server::new_database().await;
    let missing = database.ask_project("p", 1, Priority::Current).await;
    assert_eq!(missing, Err(Error::NoSuchProject("p".to_owned())));
    database.limit_project("p", LIMIT).await.unwrap();
    assert_eq!(ask(&database, 60, Priority::Current).await, Grant::Granted);
    assert_eq!(ask(&database, 40, Priority::Current).await, Grant::Granted);
    let wait = wait_of(ask(&database, 10, Priority::Current).await);
    assert!((4.0..=5.0).contains(&wait), "{wait}");
    // The limits are set at every start; that fills nothing.
    database.limit_project("p", LIMIT).await.unwrap();
    assert!(wait_of(ask(&database, 10, Priority::Current).await) > 4.0);
    pass(&url, 5);
    assert_eq!(ask(&database, 10, Priority::Current).await, Grant::Granted);
    assert!(wait_of(ask(&database, 10, Priority::Current).await) > 3.0);
    pass(&url, 3_600);
    // Full, and no fuller. More than it holds is granted once, and paid back.
    assert_eq!(ask(&database, 150, Priority::Current).await, Grant::Granted);
    let wait = wait_of(ask(&database, 100, Priority::Current).await);
    assert!((74.0..=75.0).contains(&wait), "{wait}");
}

#[tokio::test]
async fn the_past_gets_a_tenth_and_never_takes_what_is_current() {
    let (url, database) = server::new_database().await;
    database.limit_project("p", LIMIT).await.unwrap();
    assert_eq!(ask(&database, 10, Priority::Backfill).await, Grant::Granted);
    let wait = wait_of(ask(&database, 1, Priority::Backfill).await);
    assert!((4.0..=5.0).contains(&wait), "{wait}");
    assert_eq!(ask(&database, 90, Priority::Current).await, Grant::Granted);
    // Both buckets must have it.
    pass(&url, 5);
    assert_eq!(ask(&database, 10, Priority::Current).await, Grant::Granted);
    assert!(wait_of(ask(&database, 1, Priority::Backfill).await) > 0.0);
}

#[tokio::test]
async fn a_refusal_slows_all_of_its_project_and_no_other() {
    let (url, database) = server::new_database().await;
    for project in ["p", "q"] {
        database.limit_project(project, LIMIT).await.unwrap();
    }
    database
        .slow_project("p", Duration::from_secs(30))
        .await
        .unwrap();
    database
        .slow_project("p", Duration::from_secs(10))
        .await
        .unwrap();
    let wait = wait_of(ask(&database, 1, Priority::Current).await);
    assert!((29.0..=31.0).contains(&wait), "{wait}");
    let other = database
        .ask_project("q", 1, Priority::Current)
        .await
        .unwrap();
    assert_eq!(other, Grant::Granted);
    // Then it begins slowly.
    pass(&url, 30);
    assert!(wait_of(ask(&database, 10, Priority::Current).await) > 4.0);
    pass(&url, 5);
    assert_eq!(ask(&database, 10, Priority::Current).await, Grant::Granted);
    let missing = database.slow_project("r", Duration::from_secs(1)).await;
    assert_eq!(missing, Err(Error::NoSuchProject("r".to_owned())));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn collectors_together_get_no_more_than_the_bucket_has() {
    let (_, database) = server::new_database().await;
    let slow = Limit {
        per_second: 0.001,
        burst: 50.0,
    };
    database.limit_project("p", slow).await.unwrap();
    let asking: Vec<_> = (0..8)
        .map(|_| {
            let database = database.clone();
            tokio::spawn(async move {
                let mut granted = 0;
                for _ in 0..20 {
                    granted +=
                        u32::from(ask(&database, 1, Priority::Current).await == Grant::Granted);
                }
                granted
            })
        })
        .collect();
    let mut granted = 0;
    for task in asking {
        granted += task.await.unwrap();
    }
    assert_eq!(granted, 50);
    for limit in [
        (0.0, 1.0),
        (1.0, 0.5),
        (f64::NAN, 1.0),
        (1.0, f64::INFINITY),
    ] {
        let (per_second, burst) = limit;
        let refused = database
            .limit_project("p", Limit { per_second, burst })
            .await;
        assert!(matches!(refused, Err(Error::Option(_))));
    }
}
