//! The tables' versions, and what a server refuses.

use pulsewing_fleet::{Database, Error, Options, SCHEMA};

use crate::{
    add,
    server::{self, Server},
};

fn refused(result: Result<Database, Error>) -> Error {
    result.map(drop).unwrap_err()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn programs_that_migrate_at_once_do_not_get_in_each_others_way() {
    let url = Server::shared().new_database();
    let connecting: Vec<_> = (0..8)
        .map(|_| {
            let url = url.clone();
            tokio::spawn(async move { server::connect(&url, Options::default()).await })
        })
        .collect();
    let mut databases = Vec::new();
    for database in connecting {
        databases.push(database.await.unwrap());
    }
    add(&databases[0], "anna").await;
    let steps = Server::shared().sql(
        server::name_of(&url),
        "select count(*) from pulsewing_schema",
    );
    assert_eq!(steps.trim(), SCHEMA.to_string());
}

#[tokio::test]
async fn a_newer_schema_is_refused_and_left_untouched() {
    let (url, database) = server::new_database().await;
    add(&database, "anna").await;
    drop(database);
    let sql = |text: &str| Server::shared().sql(server::name_of(&url), text);
    sql(
        "insert into pulsewing_schema (version) values (99); alter table wearer drop column settings",
    );
    let all = "select table_name, column_name from information_schema.columns \
        where table_schema = 'public' order by 1, 2";
    let before = sql(all);
    let error = refused(Database::connect(&url, server::tls(), Options::default()).await);
    assert_eq!(
        error,
        Error::NewerSchema {
            found: 99,
            known: SCHEMA
        }
    );
    assert_eq!(sql(all), before);
}

#[tokio::test]
async fn missing_tables_are_named_where_they_must_not_be_made() {
    let url = Server::shared().new_database();
    let options = Options {
        migrate: false,
        ..Options::default()
    };
    let error = refused(Database::connect(&url, server::tls(), options).await);
    assert_eq!(
        error,
        Error::OlderSchema {
            found: 0,
            known: SCHEMA
        }
    );
    let tables = "select count(*) from information_schema.tables where table_schema = 'public'";
    assert_eq!(
        Server::shared().sql(server::name_of(&url), tables).trim(),
        "0"
    );
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_database_are_refusals() {
    let server = Server::shared();
    let url = server.new_database();
    let name = server::name_of(&url);
    server.sql(
        name,
        "create role locked login password 'right'; grant create on schema public to locked",
    );
    let dir = server.socket_dir().display();
    let connect = async |password: &str, name: &str| {
        let url = format!("postgres://locked:{password}@/{name}?host={dir}&sslmode=disable");
        Database::connect(&url, server::tls(), Options::default()).await
    };
    connect("right", name).await.unwrap();
    for (password, name) in [("wrong", name), ("right", "no-such-name")] {
        let error = refused(connect(password, name).await);
        assert!(matches!(error, Error::Refused(_)), "{error:?}");
        assert!(!error.is_temporary());
    }
    let without = format!("postgres:///{name}?host={dir}&user=locked&sslmode=disable");
    let error = refused(Database::connect(&without, server::tls(), Options::default()).await);
    assert!(matches!(error, Error::Refused(_)), "{error:?}");
    // Over a socket file the server speaks no TLS.
    let encrypted = url.replace("sslmode=disable", "sslmode=verify-full");
    let error = refused(Database::connect(&encrypted, server::tls(), Options::default()).await);
    assert!(matches!(error, Error::Untrusted(_)), "{error:?}");
}
