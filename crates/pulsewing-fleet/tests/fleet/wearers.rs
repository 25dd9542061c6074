//! Wearers and persons.

use std::time::Duration;

use pulsewing_fleet::{Error, NewWearer, WearerChange};

use crate::{add, is_fenced, keys, server, sign_in};

#[tokio::test]
async fn a_wearer_is_added_found_listed_and_changed() {
    let (_, database) = server::new_database().await;
    let anna = add(&database, "anna").await;
    add(&database, "ben-2").await;
    assert_eq!(database.wearer(&anna.id).await.unwrap(), anna);
    let change = WearerChange {
        name: Some("Anna B.".to_owned()),
        ..WearerChange::default()
    };
    let changed = database.change_wearer(&anna.id, &change).await.unwrap();
    assert_eq!(
        (changed.name.as_str(), changed.provider.as_str()),
        ("Anna B.", "fitbit")
    );
    let listed = database.wearers(None).await.unwrap();
    let ids: Vec<&str> = listed.iter().map(|it| it.wearer.id.as_str()).collect();
    assert_eq!(ids, ["anna", "ben-2"]);
    assert_eq!(listed[0].wearer, changed);
    assert!(!listed[0].has_chain && listed[0].standing.is_none() && listed[0].held_by.is_none());
    let rest = database.wearers(Some(&anna.id)).await.unwrap();
    assert_eq!(rest.len(), 1);
    let nobody = "nobody".parse().unwrap();
    assert_eq!(
        database.wearer(&nobody).await,
        Err(Error::NoSuchWearer("nobody".to_owned()))
    );
    let missing = database.change_wearer(&nobody, &change).await;
    assert_eq!(missing, Err(Error::NoSuchWearer("nobody".to_owned())));
}

#[tokio::test]
async fn a_list_says_who_is_signed_in_who_works_and_how_it_stands() {
    let (_, database) = server::new_database().await;
    let anna = sign_in(&database, "anna", b"x").await;
    let mut lease = database.take(&anna.id, Duration::ZERO).await.unwrap();
    database
        .save_state(&mut lease, "{}", "signed-in")
        .await
        .unwrap();
    let listed = &database.wearers(None).await.unwrap()[0];
    assert!(listed.has_chain);
    assert_eq!(listed.standing.as_deref(), Some("signed-in"));
    assert!(listed.held_by.as_ref().unwrap().starts_with("collector/"));
}

#[tokio::test]
async fn an_id_is_given_once() {
    let (_, database) = server::new_database().await;
    let anna = add(&database, "anna").await;
    let again = NewWearer {
        id: anna.id.clone(),
        name: "Another Anna".to_owned(),
        provider: "google".to_owned(),
        settings: String::new(),
    };
    let refused = database.add_wearer(&again).await;
    assert_eq!(refused, Err(Error::DuplicateWearer("anna".to_owned())));
    assert_eq!(database.wearer(&anna.id).await.unwrap(), anna);
}

#[tokio::test]
async fn the_same_person_twice_and_another_person_are_different_errors() {
    let (_, database) = server::new_database().await;
    let (anna, ben) = (add(&database, "anna").await, add(&database, "ben").await);
    let annas = database.take(&anna.id, Duration::ZERO).await.unwrap();
    let bens = database.take(&ben.id, Duration::ZERO).await.unwrap();
    for _ in 0..2 {
        database.claim_person(&annas, "fitbit", "A1").await.unwrap();
    }
    // The same number at another provider is another person.
    database.claim_person(&bens, "google", "A1").await.unwrap();
    let twice = database.claim_person(&bens, "fitbit", "A1").await;
    assert_eq!(
        twice,
        Err(Error::SamePersonTwice {
            other: "anna".to_owned()
        })
    );
    let another = database.claim_person(&annas, "fitbit", "A2").await;
    assert_eq!(
        another,
        Err(Error::AnotherPerson {
            wearer: "anna".to_owned()
        })
    );
    assert_eq!(
        database.find_person("fitbit", "A1").await.unwrap(),
        Some(anna)
    );
    assert_eq!(
        database.find_person("google", "A1").await.unwrap(),
        Some(ben)
    );
    assert_eq!(database.find_person("fitbit", "A2").await.unwrap(), None);
}

#[tokio::test]
async fn a_removed_wearer_leaves_one_line_that_proves_it() {
    let (url, database) = server::new_database().await;
    let anna = sign_in(&database, "anna", b"x").await;
    let mut lease = database.take(&anna.id, Duration::ZERO).await.unwrap();
    database.claim_person(&lease, "fitbit", "A1").await.unwrap();
    database
        .save_state(&mut lease, "{}", "signed-in")
        .await
        .unwrap();
    let removal = database
        .remove_wearer(&anna.id, "the operator")
        .await
        .unwrap();
    assert_eq!(
        (removal.wearer.as_str(), removal.by.as_str()),
        ("anna", "the operator")
    );
    let counts =
        r#"{"provider" : "fitbit", "persons" : 1, "chains" : 1, "states" : 1, "days" : 0}"#;
    assert_eq!(removal.removed, counts);
    let left = "select (select count(*) from wearer) + (select count(*) from lease) \
        + (select count(*) from chain) + (select count(*) from state) + (select count(*) from person)";
    let sql = |text: &str| server::Server::shared().sql(server::name_of(&url), text);
    assert_eq!(sql(left).trim(), "0");
    assert_eq!(
        sql("select actor, action, wearer from audit").trim(),
        "the operator|wearer removed|anna"
    );
    let again = database.remove_wearer(&anna.id, "the operator").await;
    assert_eq!(again, Err(Error::NoSuchWearer("anna".to_owned())));

    // Who still holds the lease is told; also when there is an anna again.
    assert!(is_fenced(database.renew(&lease.renewal()).await));
    add(&database, "anna").await;
    assert!(is_fenced(
        database.save_state(&mut lease, "{}", "signed-in").await
    ));
    assert!(is_fenced(database.load_chain(&mut lease, &keys()).await));
}
