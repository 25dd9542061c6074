//! Many wearers in a database, and collectors that share it: keys, restored backups, secrets, and what
//! one wearer's trouble means for the others.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use crate::harness::{
    database_relay::DatabaseRelay,
    fleet::Fleet,
    hermetic::{Home, Running},
    household::{Household, Store},
    patience::{SOON, until, within},
    postgres::Postgres,
    secret_watch,
};

/// A collector's settings for a test that does not wait a quarter of an hour for a poll.
const QUICK: &str = "lease = 2\n[poll]\nevery = 2\nhourly_cap = 60000\n";

/// A poll once an hour: every wearer has one turn in a test.
const ONCE: &str = "lease = 2\n[poll]\nevery = 3600\n";

fn two_on_a_database(provider: &str) -> Household {
    Household::signed_in_at(Store::Database, provider, &["anna", "ben"])
}

fn collector(household: &Household) -> Running {
    let running = household.program(&["run", "--no-web"]).start();
    running.error_line_with("started");
    running
}

#[test]
fn a_collector_polls_everybody_and_those_who_come_and_go_meanwhile() {
    let household = Household::on_database(Postgres::shared(), "google", 3, &[]);
    let running = collector(&household);
    household.run(&["wearer", "add", "anna"]).exits(0);
    household.run(&["wearer", "add", "ben"]).exits(0);
    household.login("anna", 1).exits(0);
    running.error_line_with("updated");
    // Nobody polls a wearer who has not signed in; from the sign-in on, the collector does.
    assert_eq!(household.asked_about(), ["111122223333444455"]);
    household.login("ben", 2).exits(0);
    let line = running.error_line_with("updated");
    assert!(line.contains("wearer=ben"), "{line}");
    household.run(&["logout", "--wearer", "anna"]).exits(0);
    assert_eq!(
        household.states(),
        [
            ("anna".into(), "new".into()),
            ("ben".into(), "signed-in".into())
        ]
    );
    let removed = household.run(&["wearer", "remove", "ben"]).exits(0);
    assert!(
        removed.stdout.contains("\"chains\" : 0"),
        "{}",
        removed.stdout
    );
    running.stop();
}

#[test]
fn a_wearer_is_removed_while_a_collector_works_for_them() {
    let fleet = Fleet::planted(Postgres::shared(), 2, 60, QUICK);
    let household = &fleet.household;
    let relay = DatabaseRelay::to(Postgres::shared());
    let running = fleet.collector(&relay, 0);
    household.sandbox.wait_for("fitbit.heart", 4);
    // The turn of the first wearer hangs at the provider.
    household.sandbox.faults(&json!([
        { "route": "fitbit.heart", "user": 1, "count": 0, "do": { "stall_s": 3600 } }
    ]));
    until("the turn hangs", || {
        let list = household.run(&["wearer", "list", "--json"]).exits(0);
        list.stdout.contains("w1").then_some(())
    });
    household
        .run(&["wearer", "remove", "w1"])
        .exits(0)
        .prints("Removed w1");
    household.sandbox.faults(&json!([]));
    let grant = household.sandbox.grant_of("fitbit", "PW7SB1");
    assert_eq!(grant["refresh"][0]["state"], "revoked");
    let before = fleet.updates();
    until("the other one is polled on", || {
        (fleet.updates() > before + 1).then_some(())
    });
    running.stop();
    assert_eq!(household.states(), [("w2".into(), "signed-in".into())]);
}

#[test]
fn no_secret_is_in_the_database_in_clear_nor_where_others_look() {
    for provider in ["google", "fitbit"] {
        let household = two_on_a_database(provider);
        household.run(&["once", "--wearer", "anna"]).exits(0);
        let running = collector(&household);
        running.error_line_with("updated");
        running.stop();
        let dump = Postgres::shared().dump(household.database.as_ref().unwrap());
        assert!(dump.contains("COPY public.chain"), "{dump}");
        // Sealed bytes are printed as hexadecimal digits, which look like Fitbit's tokens.
        let mut readable = String::new();
        for line in dump.lines() {
            for word in line.split(['\t', ' ', '\'', '"', ',']) {
                if let Some(bytes) = word.strip_prefix("\\\\x") {
                    readable.push_str(&String::from_utf8_lossy(&bytes_of(bytes)));
                } else {
                    readable.push_str(word);
                }
                readable.push(' ');
            }
            readable.push('\n');
        }
        secret_watch::assert_clean("the database", &readable);
        assert!(!readable.contains("refresh_token"), "{readable}");
    }
}

fn bytes_of(hex: &str) -> Vec<u8> {
    let pairs = hex.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

#[test]
fn a_password_in_the_command_line_is_refused() {
    let household = Household::of_at(Store::Database, "google", &["anna"]);
    for url in [
        "postgres://anna:open-sesame@127.0.0.1:1/x",
        "postgres:///x?host=/tmp&user=anna&password=open-sesame",
    ] {
        household
            .run(&["wearer", "list", "--store", url])
            .exits(2)
            .says("everybody on this machine can see the password")
            .says("PULSEWING_STORE")
            .says_nothing_of("open-sesame");
        let hidden = household.program(&["wearer", "list"]);
        hidden
            .env("PULSEWING_STORE", url)
            .run()
            .exits(5)
            .says("cannot reach the database")
            .says_nothing_of("open-sesame");
    }
}

#[test]
fn without_its_key_a_sign_in_is_neither_used_nor_harmed() {
    let household = two_on_a_database("fitbit");
    let home = &household.home;
    let keys = home.work("pulsewing.keys");
    let right = std::fs::read_to_string(&keys).unwrap();
    let chain = || household.run(&["status", "--json", "--wearer", "anna"]);
    let before = chain().exits(0).json()["chain"]["refresh_token_fingerprint"].clone();

    std::fs::remove_file(&keys).unwrap();
    let words = "the key file could not be read";
    household
        .run(&["once", "--wearer", "anna"])
        .exits(1)
        .says(words);
    household.run(&["run"]).exits(1).says(words);
    home.write("pulsewing.keys", "1 abc\n");
    household
        .run(&["run"])
        .exits(1)
        .says("line 1 of the key file");

    // Another key under the same id, and one with another id.
    let elsewhere = Home::new();
    let other = elsewhere.program(&["fleet", "key"]);
    let other = other.showing_secrets().run().exits(0).stdout;
    assert_ne!(other, right);
    home.write("pulsewing.keys", &other);
    let asked = household.sandbox.requests().len();
    let words = "key 1 of the key file is not the one";
    household
        .run(&["once", "--wearer", "anna"])
        .exits(1)
        .says(words);
    household.run(&["run"]).exits(1).says(words);
    home.write("pulsewing.keys", &other.replacen('1', "7", 1));
    household
        .run(&["once", "--wearer", "anna"])
        .exits(1)
        .says("sealed with key 1, which is not in the key file");
    assert_eq!(household.sandbox.requests().len(), asked);
    home.write("pulsewing.keys", &right);
    assert_eq!(
        chain().exits(0).json()["chain"]["refresh_token_fingerprint"],
        before
    );
    household.run(&["once", "--wearer", "anna"]).exits(0);
}

#[test]
fn a_newer_schema_is_left_alone() {
    let household = Household::of_at(Store::Database, "google", &["anna"]);
    let database = household.database.as_ref().unwrap();
    Postgres::shared().sql(
        database,
        "insert into pulsewing_schema (version) values (99)",
    );
    // Two dumps of the same database differ in a word that keeps a client from being tricked.
    let dump = || {
        let dump = Postgres::shared().dump(database);
        let lines = dump.lines().filter(|line| !line.starts_with('\\'));
        lines.map(str::to_owned).collect::<Vec<String>>()
    };
    let before = dump();
    for command in [&["run"][..], &["wearer", "list"], &["fleet", "restored"]] {
        household
            .run(command)
            .exits(1)
            .says("the database has schema 99")
            .says("update the program");
    }
    assert!(dump() == before);
}

#[test]
fn a_database_that_is_away_is_a_temporary_error_and_a_collector_goes_on_when_it_is_back() {
    let fleet = Fleet::planted(Postgres::shared(), 2, 60, QUICK);
    let household = &fleet.household;
    let relay = DatabaseRelay::to(Postgres::shared());
    let url = relay.url(household.database.as_ref().unwrap());
    let running = fleet.collector(&relay, 0);
    running.error_line_with("updated");
    relay.go_down();
    let status = household.program(&["status", "--wearer", "w1", "--store", &url]);
    let status = status.start();
    running.error_line_with("cannot reach the database");
    status
        .finish()
        .exits(5)
        .says("cannot reach the database")
        .says("nothing is lost");
    relay.come_back();
    running.error_line_with("updated");
    running.stop();
    household
        .run(&["run", "--store", "mysql://somewhere/x"])
        .exits(1)
        .says("postgres://");
}

#[test]
fn sign_ins_are_sealed_anew_with_a_new_key_and_the_old_one_can_go() {
    let household = two_on_a_database("fitbit");
    let home = &household.home;
    let old = std::fs::read_to_string(home.work("pulsewing.keys")).unwrap();
    let key = ["--key-file", "pulsewing.keys", "fleet", "key"];
    let new = household.program(&key).showing_secrets().run();
    let new = new.exits(0).stdout;
    assert!(new.starts_with("2 "), "it follows the one in the file");
    // A single > has emptied the file before the program reads it.
    home.write("pulsewing.keys", "");
    household
        .run(&key)
        .exits(1)
        .says("a single > empties a file");
    home.write("pulsewing.keys", &format!("{old}{new}"));
    household
        .run(&["fleet", "rekey"])
        .exits(0)
        .prints("Sealed 2 sign-ins with key 2.");
    home.write("pulsewing.keys", &new);
    household.run(&["once", "--wearer", "anna"]).exits(0);
    household.run(&["once", "--wearer", "ben"]).exits(0);
    household
        .run(&["fleet", "rekey"])
        .exits(0)
        .prints("Sealed 0 sign-ins");
    home.write("pulsewing.keys", &old.replacen('1', "3", 1));
    household
        .run(&["fleet", "rekey"])
        .exits(1)
        .says("the sign-in of \"anna\" was left as it is")
        .says("2 still need an older one");
}

#[test]
fn after_a_restored_backup_a_spent_sign_in_is_asked_for_and_no_other_is_harmed() {
    let server = Postgres::shared();
    let fleet = Fleet::planted(server, 3, 60, ONCE);
    let household = &fleet.household;
    let relay = DatabaseRelay::to(server);
    for wearer in ["w1", "w2", "w3"] {
        household.run(&["once", "--wearer", wearer]).exits(0);
    }
    household.run(&["wearer", "add", "new"]).exits(0);
    let backup = server.dump(household.database.as_ref().unwrap());
    // Only the first one's tokens are renewed after the backup, and the replies are not repeated for ever.
    household.sandbox.advance(600);
    household.run(&["once", "--wearer", "w1"]).exits(0);
    household.sandbox.advance(600);

    let restored = Fleet::restored_from(fleet, server, &backup);
    let household = &restored.household;
    household
        .run(&["fleet", "restored"])
        .exits(0)
        .prints("Marked 3 sign-ins");
    // Time has passed since the backup was made.
    let database = household.database.as_ref().unwrap();
    server.sql(
        database,
        "update lease set due = now() where due < 'infinity'",
    );
    let before = household.sandbox.requests().len();
    let running = restored.collector(&relay, 0);
    let states = until("everybody had a turn", || {
        let updates = household.sandbox.requests()[before..].to_vec();
        let routes: Vec<&str> = updates
            .iter()
            .map(|it| it["route"].as_str().unwrap())
            .collect();
        let hearts = routes.iter().filter(|route| **route == "fitbit.heart");
        let states = household.states();
        (hearts.count() >= 2 && states.contains(&("w1".into(), "sign-in-needed".into())))
            .then_some(states)
    });
    assert_eq!(
        states,
        [
            ("new".into(), "new".into()),
            ("w1".into(), "sign-in-needed".into()),
            ("w2".into(), "signed-in".into()),
            ("w3".into(), "signed-in".into()),
        ]
    );
    running.stop().says("pulsewing login --wearer w1");
    // Each one's first request was a refresh, and the spent token was sent once.
    let requests = household.sandbox.requests()[before..].to_vec();
    for user in ["PW7SB1", "PW7SB2", "PW7SB3"] {
        let mut of_user = requests.iter().filter(|it| it["user_id"] == user);
        assert_eq!(of_user.next().unwrap()["route"], "fitbit.token", "{user}");
    }
    let refused = requests.iter().filter(|it| {
        it["route"] == "fitbit.token" && it["status"].as_u64().is_some_and(|it| it >= 400)
    });
    assert_eq!(refused.count(), 1);
    household.login("w1", 1).exits(0);
    assert!(
        household
            .states()
            .contains(&("w1".into(), "signed-in".into()))
    );
}

#[test]
fn nobody_is_polled_before_they_sign_in() {
    let household = Household::of_at(Store::Database, "google", &["anna", "ben"]);
    household
        .run(&["once", "--wearer", "anna"])
        .exits(3)
        .says("pulsewing login --wearer anna");
    let running = collector(&household);
    household.login("ben", 1).exits(0);
    running.error_line_with("updated");
    // The failed attempt has not made her due.
    running.stop().says_nothing_of("wearer=anna");
}

#[test]
fn a_wearer_who_is_asked_too_much_about_slows_the_project_and_a_refused_one_only_themselves() {
    let fleet = Fleet::planted(Postgres::shared(), 4, 60, QUICK);
    let household = &fleet.household;
    let relay = DatabaseRelay::to(Postgres::shared());
    household.sandbox.faults(&json!([
        { "route": "fitbit.heart", "user": 2, "count": 0, "do": { "status": 401 } }
    ]));
    let running = fleet.collector(&relay, 0);
    let of = |user: &str| {
        let requests = household.sandbox.requests();
        let hearts = requests
            .iter()
            .filter(|it| it["user_id"] == user && it["route"] == "fitbit.heart");
        hearts.count()
    };
    until("the others are polled on", || {
        ["PW7SB1", "PW7SB3", "PW7SB4"]
            .iter()
            .all(|user| of(user) >= 2)
            .then_some(())
    });
    household.sandbox.faults(&json!([
        { "route": "fitbit.heart", "user": 3, "do": { "status": 429, "headers": { "Retry-After": "600" } } }
    ]));
    let limited = until("the project is slowed", || {
        let asked = Postgres::shared().sql(
            household.database.as_ref().unwrap(),
            "select extract(epoch from slow_until - now())::int from project where slow_until > now()",
        );
        asked.trim().parse::<i64>().ok()
    });
    assert!((590..=600).contains(&limited), "{limited}");
    // Whoever had begun has ended; from then on nobody is asked about.
    let quiet = until("nobody holds a lease", || {
        let held = Postgres::shared().sql(
            household.database.as_ref().unwrap(),
            "select count(*) from lease where until > now()",
        );
        (held.trim() == "0").then(|| household.sandbox.requests().len())
    });
    let due = || {
        Postgres::shared().sql(
            household.database.as_ref().unwrap(),
            "select count(*) from lease where due < now() + interval '500 s'",
        )
    };
    // Each is put off when their own pause ends, the refused one's after about a minute.
    within(SOON * 2, "everybody waits", || {
        (due().trim() == "0").then_some(())
    });
    assert_eq!(household.sandbox.requests().len(), quiet);
    running.stop();
}

#[test]
fn what_works_only_with_files_says_so() {
    let household = Household::of_at(Store::Database, "google", &["anna"]);
    let words = "this command works with files of this machine, not with a database";
    for command in [["board", "status"], ["board", "log"]] {
        household.program(&command).run().exits(2).says(words);
    }
    for command in ["doctor", "show"] {
        household.run(&[command]).exits(2).says(words);
    }
    household
        .run(&["run", "--png", "x.png"])
        .exits(2)
        .says("a collector of many wearers draws no pictures");
}

/// Returns the replies to refreshes, oldest first; `None` is a dropped connection.
fn refreshes(fleet: &Fleet) -> Vec<Option<u64>> {
    let requests = fleet.household.sandbox.requests_of("fitbit.token");
    requests.iter().map(|it| it["status"].as_u64()).collect()
}

#[test]
fn a_collector_that_was_paused_does_not_send_a_token_that_another_one_has_used() {
    let server = Postgres::shared();
    // Longer than until the third try: the first collector must not take its own wearer again.
    let config = ONCE.replace("lease = 2", "lease = 5");
    let fleet = Fleet::planted(server, 1, 28_800, &config);
    let relay = DatabaseRelay::to(server);
    let sandbox = &fleet.household.sandbox;
    sandbox.fault("fitbit.token", 3, &json!({ "drop": "after" }));
    let paused = fleet.collector(&relay, 0);
    // The next try comes four seconds after the third.
    sandbox.wait_for("fitbit.token", 3);
    paused.signal("STOP");
    let other = fleet.collector(&relay, 0);
    other.error_line_with("updated");
    // It wakes when its next try is due, and before it knows that it has lost the wearer.
    let third: Timestamp = sandbox.requests_of("fitbit.token")[2]["at"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    until("the time of the next try", || {
        let now: Timestamp = sandbox.now().parse().unwrap();
        (now > third + Duration::from_secs(5)).then_some(())
    });
    paused.signal("CONT");
    paused.error_line_with("another collector has taken over");
    assert_eq!(refreshes(&fleet), [None, None, None, Some(200)]);
    paused.stop();
    other.stop();
    let start = sandbox.now().parse().unwrap();
    assert_eq!(fleet.judge(start).alive, 1);
}

#[test]
fn new_tokens_that_could_not_be_stored_while_the_database_was_away_are_stored_after_it() {
    let server = Postgres::shared();
    let fleet = Fleet::planted(server, 1, 28_800, ONCE);
    let sandbox = &fleet.household.sandbox;
    let database = fleet.household.database.as_ref().unwrap();
    let (relay, another) = (DatabaseRelay::to(server), DatabaseRelay::to(server));
    sandbox.fault("fitbit.token", 1, &json!({ "stall_s": 1 }));
    let holder = fleet.collector(&relay, 0);
    sandbox.wait_for("fitbit.token", 1);
    relay.go_down();
    // Two minutes pass in which nobody reaches the database: the provider does not repeat its answer any
    // more, and the holder's lease is long over.
    sandbox.advance(130);
    server.sql(
        database,
        "update lease set until = until - interval '130 s', intent_until = intent_until - interval '130 s';
        update chain set changed = changed - interval '130 s'",
    );
    let other = fleet.collector(&another, 0);
    until("the other one has seen that the lease is over", || {
        let renewed = server.sql(
            database,
            "select until > now() + interval '10 s' from lease",
        );
        (renewed.trim() == "t").then_some(())
    });
    relay.come_back();
    holder.error_line_with("updated");
    assert_eq!(refreshes(&fleet), [Some(200)]);
    holder.stop();
    other.stop().says_nothing_of("updated");
    let start = sandbox.now().parse().unwrap();
    assert_eq!(fleet.judge(start).alive, 1);
}

#[test]
fn a_collector_whose_clock_is_an_hour_ahead_makes_nobody_wait_for_an_hour() {
    let server = Postgres::shared();
    let fleet = Fleet::planted(server, 1, 28_800, QUICK);
    let sandbox = &fleet.household.sandbox;
    let relay = DatabaseRelay::to(server);
    let limit = json!({ "status": 429, "headers": { "Retry-After": "4" } });
    sandbox.fault("fitbit.heart", 1, &limit);
    let ahead = fleet.collector(&relay, 3_600);
    ahead.error_line_with("wearer=w1");
    ahead.stop();
    assert_eq!(fleet.updates(), 0);
    // The next turn is now, and not in a minute.
    let database = fleet.household.database.as_ref().unwrap();
    server.sql(
        database,
        "update lease set due = now(); update project set slow_until = now(), filled = now()",
    );
    let right = fleet.collector(&relay, 0);
    let line = right.error_line_with("asked too often");
    assert!(line.contains("until 2026-11-22T14:07:"), "{line}");
    right.stop();
}

#[test]
fn an_access_token_that_a_clock_ahead_believes_to_live_longer_is_not_used_after_its_end() {
    let server = Postgres::shared();
    let fleet = Fleet::planted(server, 1, 3, QUICK);
    let relay = DatabaseRelay::to(server);
    let ahead = fleet.collector(&relay, 3_600);
    ahead.error_line_with("updated");
    ahead.stop();
    let asked = fleet.household.sandbox.requests().len();
    let right = fleet.collector(&relay, 0);
    right.error_line_with("updated");
    right.stop();
    let requests = fleet.household.sandbox.requests();
    assert_eq!(requests[asked]["route"], "fitbit.token");
    assert!(
        requests.iter().all(|it| it["status"] == 200),
        "{requests:#?}"
    );
}
