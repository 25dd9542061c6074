//! Keys, invitations, the audit, and the wall between tenants.

use std::time::Duration;

use pulsewing_fleet::{Access, Database, Error, NewWearer, Options, Role, Scope};

use crate::{
    add, keys,
    server::{self, Server},
    sign_in,
};

async fn access(database: &Database, digits: &str) -> Access {
    database.check_api_key(digits).await.unwrap().unwrap()
}

#[tokio::test]
async fn a_key_tells_who_may_see_what() {
    let (url, database) = server::new_database().await;
    let (anna, ben) = (add(&database, "anna").await, add(&database, "ben").await);
    let annas = Scope::Wearers(vec![anna.id.clone()]);
    let own = database
        .make_api_key("annas phone", Role::Wearer, &annas)
        .await
        .unwrap();
    let doctor = database
        .make_api_key("doctor", Role::Viewer, &annas)
        .await
        .unwrap();
    let study = database
        .make_api_key("study", Role::Viewer, &Scope::Tenant)
        .await
        .unwrap();
    let office = database
        .make_api_key("office", Role::Operator, &Scope::Tenant)
        .await
        .unwrap();
    for (key, role, covers, rates) in [
        (&own, Role::Wearer, [true, false], [true, false]),
        (&doctor, Role::Viewer, [true, false], [true, false]),
        (&study, Role::Viewer, [true, true], [true, true]),
        (&office, Role::Operator, [true, true], [false, false]),
    ] {
        let access = access(&database, key.digits()).await;
        assert_eq!(access.role, role);
        let each = [&anna, &ben];
        assert_eq!(
            each.map(|wearer| access.covers(wearer)),
            covers,
            "{access:?}"
        );
        assert_eq!(
            each.map(|wearer| access.covers_rates(wearer)),
            rates,
            "{access:?}"
        );
        let mut elsewhere = anna.clone();
        elsewhere.tenant = "other".to_owned();
        assert!(!access.covers(&elsewhere) && !access.covers_rates(&elsewhere));
    }

    // At rest there is no key, and one that is nearly right is none.
    let dump = "select string_agg(encode(hash, 'hex'), ' ') from api_key";
    let dump = Server::shared().sql(server::name_of(&url), dump);
    assert!(!dump.contains(own.digits()));
    assert!(!format!("{own:?}").contains(own.digits()));
    let mut nearly = own.digits().to_owned();
    let last = if nearly.pop() == Some('0') { '1' } else { '0' };
    nearly.push(last);
    for wrong in [
        nearly.as_str(),
        "",
        &own.digits()[1..],
        dump.split(' ').next().unwrap(),
    ] {
        assert_eq!(database.check_api_key(wrong).await.unwrap(), None);
    }

    let twice = database
        .make_api_key("office", Role::Operator, &Scope::Tenant)
        .await;
    assert_eq!(twice.unwrap_err(), Error::DuplicateKey("office".to_owned()));
    let vague = database
        .make_api_key("x", Role::Wearer, &Scope::Tenant)
        .await;
    assert!(matches!(vague.unwrap_err(), Error::Option(_)));
    let nobody = Scope::Wearers(vec!["nobody".parse().unwrap()]);
    let missing = database.make_api_key("x", Role::Viewer, &nobody).await;
    assert!(matches!(missing.unwrap_err(), Error::NoSuchWearer(_)));

    let names = async || -> Vec<String> {
        let keys = database.api_keys().await.unwrap();
        keys.into_iter().map(|key| key.name).collect()
    };
    assert_eq!(names().await, ["annas phone", "doctor", "office", "study"]);
    assert!(database.revoke_api_key("office").await.unwrap());
    assert!(!database.revoke_api_key("office").await.unwrap());
    assert_eq!(database.check_api_key(office.digits()).await.unwrap(), None);
    // Who comes back under an old id is not opened by an old key.
    database.remove_wearer(&anna.id, "test").await.unwrap();
    let again = add(&database, "anna").await;
    assert!(!access(&database, doctor.digits()).await.covers(&again));
}

#[tokio::test]
async fn an_invitation_is_good_once_for_seven_days() {
    let (url, database) = server::new_database().await;
    let sql = |text: &str| Server::shared().sql(server::name_of(&url), text);
    let anna = add(&database, "anna").await;
    let first = database.invite(&anna.id).await.unwrap();
    let second = database.invite(&anna.id).await.unwrap();
    assert_eq!(
        database.check_invitation(first.digits()).await.unwrap(),
        None
    );
    for _ in 0..2 {
        let looked = database.check_invitation(second.digits()).await.unwrap();
        assert_eq!(looked, Some(anna.clone()));
    }
    sql("update invitation set expires = expires - interval '6 days 23 hours'");
    assert!(
        database
            .check_invitation(second.digits())
            .await
            .unwrap()
            .is_some()
    );
    assert_eq!(
        database.use_invitation(second.digits()).await.unwrap(),
        Some(anna.clone())
    );
    assert_eq!(
        database.use_invitation(second.digits()).await.unwrap(),
        None
    );
    assert_eq!(
        database.check_invitation(second.digits()).await.unwrap(),
        None
    );
    let third = database.invite(&anna.id).await.unwrap();
    sql("update invitation set expires = expires - interval '7 days'");
    assert_eq!(
        database.check_invitation(third.digits()).await.unwrap(),
        None
    );
    assert_eq!(database.use_invitation(third.digits()).await.unwrap(), None);
    assert_eq!(database.use_invitation("nonsense").await.unwrap(), None);
}

#[tokio::test]
async fn reads_are_listed_latest_first() {
    let (_, database) = server::new_database().await;
    let (anna, ben) = (add(&database, "anna").await, add(&database, "ben").await);
    database
        .note_read("doctor", &anna, "days 2026-11-01 to 2026-11-30")
        .await
        .unwrap();
    database.note_read("doctor", &ben, "now").await.unwrap();
    database.remove_wearer(&anna.id, "office").await.unwrap();
    let all = database.audit(None, None).await.unwrap();
    let told = |line: &pulsewing_fleet::AuditLine| {
        format!(
            "{} {} {}: {}",
            line.actor, line.action, line.wearer, line.detail
        )
    };
    assert!(told(&all[0]).starts_with("office wearer removed anna: {"));
    assert_eq!(told(&all[1]), "doctor read ben: now");
    assert_eq!(
        told(&all[2]),
        "doctor read anna: days 2026-11-01 to 2026-11-30"
    );
    assert!(all[0].at >= all[2].at);
    // A line outlives its wearer.
    let annas = database.audit(Some(&anna.id), None).await.unwrap();
    assert_eq!(annas.len(), 2);
    let older = database
        .audit(Some(&anna.id), Some(annas[0].number))
        .await
        .unwrap();
    assert_eq!(older, annas[1..]);
}

#[tokio::test]
async fn a_program_for_one_tenant_meets_a_wall_before_the_others() {
    let server = Server::shared();
    let (url, owner) = server::new_database().await;
    let name = server::name_of(&url);
    let user = format!("clinic_{name}");
    server.sql(name, &format!("create role {user} login"));
    owner.admit_user(&user).await.unwrap();
    let theirs = url.replace("user=postgres", &format!("user={user}"));
    let of = |tenant: &str| Options {
        tenant: Some(tenant.to_owned()),
        migrate: false,
        ..Options::default()
    };
    let a = server::connect(&theirs, of("a")).await;
    let b = server::connect(&theirs, of("b")).await;
    let new = |id: &str| NewWearer {
        id: id.parse().unwrap(),
        name: id.to_owned(),
        provider: "fitbit".to_owned(),
        settings: String::new(),
    };
    let anna = a.add_wearer(&new("anna")).await.unwrap();
    let ben = b.add_wearer(&new("ben")).await.unwrap();
    assert_eq!((anna.tenant.as_str(), ben.tenant.as_str()), ("a", "b"));
    let ids = async |database: &Database| -> Vec<String> {
        let listed = database.wearers(None).await.unwrap();
        listed
            .into_iter()
            .map(|it| it.wearer.id.to_string())
            .collect()
    };
    assert_eq!(
        (ids(&a).await, ids(&b).await, ids(&owner).await),
        (
            vec!["anna".to_owned()],
            vec!["ben".to_owned()],
            vec!["anna".to_owned(), "ben".to_owned()],
        )
    );
    // All that b does with its own wearer, and a does not see.
    let mut lease = b.take(&ben.id, Duration::ZERO).await.unwrap();
    b.replace_chain(&mut lease, &keys(), 1, b"x", true)
        .await
        .unwrap();
    b.save_state(&mut lease, "{}", "signed-in").await.unwrap();
    b.claim_person(&lease, "fitbit", "B1").await.unwrap();
    b.note_read("doctor", &ben, "now").await.unwrap();
    let scope = Scope::Wearers(vec![ben.id.clone()]);
    let key = b.make_api_key("k", Role::Wearer, &scope).await.unwrap();
    let invitation = b.invite(&ben.id).await.unwrap();
    assert!(b.check_api_key(key.digits()).await.unwrap().is_some());
    assert!(
        b.check_invitation(invitation.digits())
            .await
            .unwrap()
            .is_some()
    );

    let nobody = || Error::NoSuchWearer("ben".to_owned());
    assert_eq!(a.wearer(&ben.id).await, Err(nobody()));
    assert_eq!(a.take(&ben.id, Duration::ZERO).await.unwrap_err(), nobody());
    assert_eq!(a.remove_wearer(&ben.id, "a").await, Err(nobody()));
    assert_eq!(
        a.add_wearer(&new("ben")).await,
        Err(Error::DuplicateWearer("ben".to_owned()))
    );
    assert!(a.take_due(10).await.unwrap().is_empty());
    assert_eq!(a.peek_chain(&ben, &keys()).await, Ok(None));
    assert_eq!(a.load_state(&ben).await, Ok(None));
    assert_eq!(a.find_person("fitbit", "B1").await, Ok(None));
    assert_eq!(a.audit(None, None).await, Ok(Vec::new()));
    assert_eq!(a.check_api_key(key.digits()).await, Ok(None));
    assert_eq!(a.check_invitation(invitation.digits()).await, Ok(None));
    assert!(matches!(
        a.renew(&lease.renewal()).await,
        Err(Error::Fenced { .. })
    ));
    let all = "select (select count(*) from chain) + (select count(*) from state) + (select count(*) from \
        wearer) + (select count(*) from lease) + (select count(*) from person) + (select count(*) from \
        api_key) + (select count(*) from api_key_wearer) + (select count(*) from invitation) + \
        (select count(*) from audit)";
    // Whoever gets hold of this user, and names a tenant or none, gets no further.
    let as_user =
        |tenant: &str| format!("set role {user}; set pulsewing.tenant = '{tenant}'; {all}");
    assert_eq!(server.sql(name, &as_user("")).trim(), "0");
    assert_eq!(server.sql(name, &as_user("a")).trim(), "2");
    assert_eq!(server.sql(name, &as_user("b")).trim(), "9");
    // The audit is only added to.
    let update = format!(
        "set role {user}; set pulsewing.tenant = 'b'; do $$ begin update audit set actor = ''; \
        exception when insufficient_privilege then raise notice 'no'; return; end; $$; reset role"
    );
    server.sql(name, &update);
    assert_eq!(b.audit(None, None).await.unwrap()[0].actor, "doctor");
}

#[tokio::test]
async fn who_passes_the_wall_is_not_taken_for_a_tenants_program() {
    let (url, owner) = server::new_database().await;
    let server = Server::shared();
    let name = server::name_of(&url);
    sign_in(&owner, "anna", b"x").await;
    let options = Options {
        tenant: Some("a".to_owned()),
        ..Options::default()
    };
    let refused = Database::connect(&url, server::tls(), options).await;
    assert!(matches!(refused.unwrap_err(), Error::Option(_)));
    server.sql(name, &format!("create role passes_{name} login bypassrls"));
    for user in [
        "postgres",
        &format!("passes_{name}"),
        "no_such_user",
        "a\"b",
        "",
        "A",
    ] {
        let refused = owner.admit_user(user).await;
        assert!(
            matches!(refused, Err(Error::Option(_))),
            "{user}: {refused:?}"
        );
    }
}
