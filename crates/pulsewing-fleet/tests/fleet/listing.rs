//! Lists of wearers, by what somebody may know, and the note that somebody looked at several.

use pulsewing_fleet::{Access, Count, Database, Listed, Order, Role, Scope, WearerId};

use crate::{
    add,
    server::{self, Server},
    sign_in,
};

fn ids(listed: &[Listed]) -> Vec<&str> {
    let ids = listed.iter().map(|listed| listed.wearer.id.as_str());
    ids.collect()
}

fn access(scope: Scope) -> Access {
    Access {
        name: "doctor".to_owned(),
        tenant: "default".to_owned(),
        role: Role::Viewer,
        scope,
    }
}

/// Adds four wearers: one new, two signed in, one of whom must sign in again; and one of another tenant.
async fn some() -> (String, Database) {
    let (url, database) = server::new_database().await;
    for id in ["anna", "olga"] {
        add(&database, id).await;
    }
    for id in ["ben", "carla", "dora"] {
        sign_in(&database, id, b"tokens").await;
    }
    let sql = |text: &str| Server::shared().sql(server::name_of(&url), text);
    sql("update wearer set tenant = 'other' where id = 'olga'");
    sql(
        "insert into state (wearer, document, standing, fence, revision)
        select number, '{}', 'sign-in-needed', 1, 1 from wearer where id = 'dora'
        on conflict (wearer) do update set standing = excluded.standing",
    );
    (url, database)
}

#[tokio::test]
async fn a_list_has_those_whom_somebody_may_know_in_either_order() {
    let (_, database) = some().await;
    let everybody = access(Scope::Tenant);
    let two: Vec<WearerId> = ["ben", "olga"].map(|id| id.parse().unwrap()).into();
    let two = access(Scope::Wearers(two));
    let nobody = access(Scope::Wearers(Vec::new()));
    let by_id = Order::ById(None);
    let worst = Order::WorstFirst(None);
    for (who, order, expected) in [
        (None, &by_id, &["anna", "ben", "carla", "dora", "olga"][..]),
        (Some(&everybody), &by_id, &["anna", "ben", "carla", "dora"]),
        (Some(&everybody), &worst, &["dora", "anna", "ben", "carla"]),
        // Another tenant's is none of theirs, even if the key names them.
        (Some(&two), &by_id, &["ben"]),
        (Some(&two), &worst, &["ben"]),
        (Some(&nobody), &by_id, &[]),
    ] {
        let listed = database.list(who, order, 10).await.unwrap();
        assert_eq!(ids(&listed), expected, "{who:?} {order:?}");
    }
    // Page by page, nobody is missed and nobody comes twice.
    let mut all = Vec::new();
    let mut order = Order::WorstFirst(None);
    loop {
        let page = database.list(Some(&everybody), &order, 1).await.unwrap();
        let Some(last) = page.last() else { break };
        all.push(last.wearer.id.to_string());
        order = Order::WorstFirst(Some((last.state().to_owned(), last.wearer.id.clone())));
    }
    assert_eq!(all, ["dora", "anna", "ben", "carla"]);
    let counts = database.count_states(Some(&everybody)).await.unwrap();
    let count = |state: &str, wearers| Count {
        state: state.to_owned(),
        wearers,
    };
    let expected = [
        count("new", 1),
        count("sign-in-needed", 1),
        count("signed-in", 2),
    ];
    assert_eq!(counts, expected);
    assert_eq!(database.count_states(Some(&nobody)).await.unwrap(), []);
}

#[tokio::test]
async fn a_look_at_several_leaves_a_line_for_each() {
    let (_, database) = some().await;
    assert!(!database.has_api_keys().await.unwrap());
    let listed = database.list(None, &Order::ById(None), 2).await.unwrap();
    let wearers: Vec<_> = listed.into_iter().map(|listed| listed.wearer).collect();
    let noted = database.note_reads("doctor", &wearers, "the board");
    noted.await.unwrap();
    database.note_reads("doctor", &[], "nobody").await.unwrap();
    let lines = database.audit(None, None).await.unwrap();
    let mut seen: Vec<_> = lines
        .iter()
        .map(|line| {
            (
                line.wearer.as_str(),
                line.actor.as_str(),
                line.detail.as_str(),
            )
        })
        .collect();
    seen.sort_unstable();
    let expected = [
        ("anna", "doctor", "the board"),
        ("ben", "doctor", "the board"),
    ];
    assert_eq!(seen, expected);
    let everybody = database
        .make_api_key("doctor", Role::Viewer, &Scope::Tenant)
        .await;
    everybody.unwrap();
    assert!(database.has_api_keys().await.unwrap());
}
