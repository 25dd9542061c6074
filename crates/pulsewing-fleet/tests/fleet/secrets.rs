//! No password, key, token or state in a log, an error or `Debug`.

use std::sync::Mutex;

use pulsewing_fleet::{Database, Error, Keys, Options, Write};

use crate::{
    add,
    server::{self, Server},
};

/// Keeps all that any crate logs.
struct Log(Mutex<String>);

static LOG: Log = Log(Mutex::new(String::new()));

impl log::Log for Log {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let mut text = self.0.lock().unwrap();
        text.push_str(&format!("{} {}\n", record.target(), record.args()));
    }

    fn flush(&self) {}
}

#[tokio::test]
async fn secrets_are_in_no_log_no_error_and_no_debug() {
    const PASSWORD: &str = "pass-of-the-database";
    const RECORD: &[u8] = b"refresh-token-in-a-record";
    const STATE: &str = "{\"heart\":\"rate-of-a-person\"}";
    log::set_logger(&LOG).unwrap();
    log::set_max_level(log::LevelFilter::Trace);
    let server = Server::shared();
    let url = server.new_database();
    let name = server::name_of(&url);
    server.sql(name, &format!("alter role postgres password '{PASSWORD}'"));
    let url = url.replace("postgres:///", &format!("postgres://postgres:{PASSWORD}@/"));
    let url = url.replace("&user=postgres", "");
    let database = server::connect(&url, Options::default()).await;
    let key = Keys::generate(None).unwrap();
    let keys = Keys::parse(&key).unwrap();
    let digits = key.trim().split(' ').nth(1).unwrap();

    let mut shown = format!("{database:?} {keys:?} ");
    let anna = add(&database, "anna").await;
    let mut lease = database
        .take(&anna.id, std::time::Duration::ZERO)
        .await
        .unwrap();
    database
        .replace_chain(&mut lease, &keys, 1, RECORD, true)
        .await
        .unwrap();
    database
        .store_chain(&mut lease, &keys, Write::Intent, 1, RECORD)
        .await
        .unwrap();
    database
        .save_state(&mut lease, STATE, "signed-in")
        .await
        .unwrap();
    let chain = database
        .load_chain(&mut lease, &keys)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(chain.record.as_slice(), RECORD);
    shown.push_str(&format!("{chain:?} {lease:?} "));

    // Errors of each kind that a secret was near to.
    let other = Keys::parse(&Keys::generate(None).unwrap()).unwrap();
    let wrong_key = database.peek_chain(&anna, &other).await.unwrap_err();
    let generation = database
        .store_chain(&mut lease, &keys, Write::Intent, 9, RECORD)
        .await;
    let nowhere = url.replace(name, "no-such-name");
    let refused = Database::connect(&nowhere, server::tls(), Options::default())
        .await
        .map(drop);
    // A constraint that the row breaks: the server's detail would quote the row.
    server.sql(
        name,
        "alter table state add constraint odd check (document = '') not valid",
    );
    let broken = database.save_state(&mut lease, STATE, "signed-in").await;
    assert!(matches!(broken, Err(Error::Database { .. })), "{broken:?}");
    for error in [
        wrong_key,
        generation.unwrap_err(),
        refused.unwrap_err(),
        broken.unwrap_err(),
    ] {
        shown.push_str(&format!("{error} {error:?} "));
    }

    let logged = LOG.0.lock().unwrap().clone();
    assert!(
        logged.contains("tokio_postgres"),
        "the driver logs: {logged}"
    );
    let secrets = [
        PASSWORD,
        std::str::from_utf8(RECORD).unwrap(),
        "rate-of-a-person",
        digits,
    ];
    for secret in secrets {
        let as_list = format!("{:?}", secret.as_bytes());
        for written in [secret, as_list.trim_matches(['[', ']'])] {
            assert!(!shown.contains(written), "{secret} is in {shown}");
            assert!(!logged.contains(written), "{secret} is in the log");
        }
    }
    // At rest there is a state, but no token.
    let rows = server.sql(
        name,
        "select encode(record, 'escape'), (select document from state) from chain",
    );
    assert!(
        rows.contains("rate-of-a-person") && !rows.contains("refresh-token"),
        "{rows}"
    );
}
