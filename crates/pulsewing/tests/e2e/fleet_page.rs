//! The page and the API of a fleet: what each key opens, and what no key does.

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpStream,
};

use serde_json::Value;

use crate::harness::{
    daemon::Daemon,
    household::{Household, Store, states},
    loopback_http::{self, Reply},
    patience::{SOON, until},
    postgres::Postgres,
};

/// Returns a fleet of anna and ben, who are signed in.
fn fleet() -> Household {
    Household::signed_in_at(Store::Database, "google", &["anna", "ben"])
}

/// Makes a key.
fn key(household: &Household, args: &[&str]) -> String {
    let args = [&["wearer", "token"], args].concat();
    let made = household.program(&args).showing_secrets().run().exits(0);
    let key = made.stdout.trim_end().to_owned();
    assert!(key.len() == 64 && !made.stderr.contains(&key), "{made:?}");
    key
}

fn ask(daemon: &Daemon, method: &str, path: &str, key: &str) -> Reply {
    let bearer = format!("Bearer {key}");
    daemon.ask(method, path, &[("Authorization", &bearer)])
}

/// Waits until a wearer has a heart rate.
fn updated(daemon: &Daemon, key: &str, id: &str) {
    let path = format!("/api/v1/wearers/{id}/now");
    until("a heart rate", || {
        let reply = ask(daemon, "GET", &path, key);
        let is_there = reply.status == 200 && !reply.json()["reading"].is_null();
        is_there.then_some(())
    });
}

#[test]
fn without_keys_this_machine_sees_everything() {
    let household = fleet();
    let daemon = household.daemon();
    let now = until("a heart rate", || {
        let now = daemon.json("/api/v1/wearers/anna/now");
        (!now["reading"].is_null()).then_some(now)
    });
    let bpm = now["reading"]["latest"]["bpm"].as_u64().unwrap();
    assert!(daemon.get("/w/anna/").body.contains(&format!(">{bpm}<")));
    assert_eq!(
        states(&daemon.json("/api/v1/wearers")),
        [
            ("anna".into(), "signed-in".into()),
            ("ben".into(), "signed-in".into())
        ]
    );
    let board = daemon.get("/").body;
    assert!(board.contains("/w/anna/") && board.contains("/w/ben/"));
    // Only the days that are asked for.
    let date = now["reading"]["date"].as_str().unwrap();
    let day = daemon.json(&format!("/api/v1/wearers/anna/days/{date}"));
    assert!(!day["minutes"].as_array().unwrap().is_empty());
    let days = daemon.json("/api/v1/wearers/anna/days");
    assert_eq!(days[0]["date"], date);
    let page = daemon.get(&format!("/w/anna/day/{date}"));
    assert_eq!(page.status, 200);
    assert!(page.body.contains("logged") || page.body.contains("minutes"));
    assert_eq!(daemon.get("/w/anna/frame.png").status, 200);
    // A fleet's wearers sign in elsewhere.
    assert_eq!(daemon.get("/w/anna/sign-in").status, 404);
    let metrics = daemon.get("/metrics").body;
    for line in [
        "pulsewing_wearers{state=\"signed-in\"} 2",
        "pulsewing_backlog_wearers 0",
        "pulsewing_turns_total{result=\"updated\"} 2",
        &format!("pulsewing_heart_rate_bpm{{wearer=\"anna\"}} {bpm}"),
    ] {
        until("a metric", || {
            let metrics = daemon.get("/metrics").body;
            metrics.contains(line).then_some(())
        });
    }
    assert!(!metrics.contains("history_days"), "{metrics}");
    // Nobody was told who looked, because nobody had a name.
    assert_eq!(household.run(&["fleet", "audit"]).exits(0).stdout, "");
}

#[test]
fn a_key_opens_what_its_role_says_and_nothing_else_by_any_path() {
    let household = fleet();
    let annas = key(&household, &["anna", "--role", "wearer"]);
    let doctor = key(&household, &["anna", "--role", "viewer"]);
    let study = key(&household, &["--all", "--role", "viewer"]);
    let office = key(&household, &["--operator", "office"]);
    let daemon = household.daemon();
    updated(&daemon, &study, "anna");
    updated(&daemon, &study, "ben");
    let date = ask(&daemon, "GET", "/api/v1/wearers/anna/now", &study).json();
    let date = date["reading"]["date"].as_str().unwrap().to_owned();
    let of = |id: &str| {
        [
            format!("/api/v1/wearers/{id}/now"),
            format!("/api/v1/wearers/{id}/days"),
            format!("/api/v1/wearers/{id}/days/{date}"),
            format!("/w/{id}/"),
            format!("/w/{id}/day/{date}"),
            format!("/w/{id}/week/{date}"),
            format!("/w/{id}/month/{}", &date[..7]),
            format!("/w/{id}/frame.png"),
        ]
    };
    for (key, id, status) in [
        (&annas, "anna", 200),
        (&annas, "ben", 404),
        (&annas, "nobody", 404),
        (&doctor, "anna", 200),
        (&doctor, "ben", 404),
        (&study, "ben", 200),
        (&study, "nobody", 404),
        (&office, "anna", 403),
        (&office, "ben", 403),
        (&office, "nobody", 404),
    ] {
        for path in of(id) {
            for method in ["GET", "HEAD"] {
                assert_eq!(
                    ask(&daemon, method, &path, key).status,
                    status,
                    "{method} {path}"
                );
            }
        }
        // A stream of events never ends by itself, unless it never begins.
        if status != 200 {
            let events = format!("/api/v1/wearers/{id}/events");
            assert_eq!(ask(&daemon, "GET", &events, key).status, status);
            let update = format!("/w/{id}/update");
            assert_eq!(ask(&daemon, "POST", &update, key).status, status);
        }
    }
    // Whoever is not to know of a wearer cannot tell them from nobody.
    for path in ["/api/v1/wearers/ID/now", "/w/ID/"] {
        let body = |id: &str| ask(&daemon, "GET", &path.replace("ID", id), &doctor).body;
        assert_eq!(body("ben"), body("nobody"));
    }
    // Other spellings of the same path.
    for path in [
        "/api/v1/wearers/BEN/now",
        "/api/v1/wearers/ben/now/",
        "/api/v1/wearers//ben/now",
        "/api/v1/wearers/anna/../ben/now",
        "/api/v1/wearers/%62en/now",
        "/api/v1/now",
        "/w/Ben/",
        "/w/ben//",
        "/w/%62en/",
    ] {
        let reply = ask(&daemon, "GET", path, &annas);
        assert_eq!(reply.status, 404, "{path}: {}", reply.body);
    }
    // Lists and metrics have those of the key.
    let list = |key: &str| states(&ask(&daemon, "GET", "/api/v1/wearers", key).json());
    assert_eq!(list(&annas).len(), 1);
    assert_eq!(list(&doctor)[0].0, "anna");
    assert_eq!(list(&study).len(), 2);
    assert_eq!(list(&office).len(), 2);
    let metrics = |key: &str| ask(&daemon, "GET", "/metrics", key).body;
    let heart = "pulsewing_heart_rate";
    assert!(metrics(&study).contains("pulsewing_heart_rate_bpm{wearer=\"ben\"}"));
    assert!(
        metrics(&doctor).contains("{wearer=\"anna\"}") && !metrics(&doctor).contains("\"ben\"")
    );
    assert!(!metrics(&doctor).contains("backlog") && !metrics(&annas).contains("turns_total"));
    let office_sees = metrics(&office);
    assert!(
        office_sees.contains("backlog")
            && office_sees.contains("pulsewing_trouble{wearer=\"ben\",kind=\"sign-in\"} 0")
    );
    for told in [
        heart,
        "resting",
        "battery",
        "logged_minutes",
        "up_to_date",
        "sync",
    ] {
        assert!(!office_sees.contains(told), "{told}: {office_sees}");
    }
    let home = |key: &str| ask(&daemon, "GET", "/", key);
    assert_eq!(home(&annas).location(), Some("/w/anna/"));
    assert!(home(&doctor).body.contains("/w/anna/") && !home(&doctor).body.contains("ben"));
    let offices = home(&office).body;
    assert!(offices.contains("ben") && !offices.contains("bpm") && !offices.contains("/w/"));
}

#[test]
fn without_a_good_key_nothing_is_answered() {
    let household = fleet();
    let doctor = key(
        &household,
        &["anna", "--role", "viewer", "--name", "doctor"],
    );
    let daemon = household.daemon();
    updated(&daemon, &doctor, "anna");
    let wrong = "0".repeat(64);
    let basic = [("Authorization", "Basic cHVsc2V3aW5nOng=")];
    for path in [
        "/api/v1/wearers",
        "/api/v1/wearers/anna/now",
        "/metrics",
        "/api/v1/x",
    ] {
        assert_eq!(daemon.get(path).status, 401, "{path}");
        assert_eq!(daemon.ask("HEAD", path, &[]).status, 401, "{path}");
        assert_eq!(ask(&daemon, "GET", path, &wrong).status, 401, "{path}");
        assert_eq!(ask(&daemon, "GET", path, "").status, 401, "{path}");
        assert_eq!(daemon.ask("GET", path, &basic).status, 401, "{path}");
    }
    for path in ["/", "/w/anna/", "/w/nobody/", "/w/anna/frame.png"] {
        let reply = daemon.get(path);
        assert_eq!(reply.status, 303, "{path}");
        assert!(reply.location().unwrap().starts_with("/key?next=/"));
    }
    assert_eq!(daemon.ask("POST", "/w/anna/update", &[]).status, 401);

    // A person enters the key in a form, and leaves.
    assert_eq!(daemon.post("/key", &format!("key={wrong}")).status, 403);
    let entered = daemon.post("/key", &format!("key={doctor}&next=/w/anna/"));
    assert_eq!(
        (entered.status, entered.location()),
        (303, Some("/w/anna/"))
    );
    let cookie = entered.header("set-cookie").unwrap();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"));
    assert!(!cookie.contains(&doctor));
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let with_cookie = |path: &str| daemon.ask("GET", path, &[("Cookie", &cookie)]);
    assert_eq!(with_cookie("/w/anna/").status, 200);
    assert_eq!(with_cookie("/w/ben/").status, 404);
    // From another page, not even with the cookie.
    let elsewhere = [
        ("Cookie", cookie.as_str()),
        ("Origin", "https://evil.example"),
    ];
    assert_eq!(daemon.ask("GET", "/api/v1/wearers", &elsewhere).status, 403);
    let forget = loopback_http::exchange(
        "POST",
        &format!("{}/key/forget", daemon.url),
        &[("Cookie", &cookie), ("Origin", &daemon.url)],
        "",
    );
    assert_eq!(forget.status, 303);
    assert_eq!(with_cookie("/w/anna/").status, 303);

    // A revoked key ends at once: its requests, its sessions, its streams.
    let entered = daemon.post("/key", &format!("key={doctor}"));
    let cookie = entered.header("set-cookie").unwrap();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let mut stream = Stream::open(&daemon, "/api/v1/wearers/anna/events", &doctor);
    assert!(stream.until("event: now"));
    let revoke = ["wearer", "token", "--revoke", "doctor"];
    household.run(&revoke).exits(0).says("Revoked");
    household.run(&revoke).exits(1).says("there is no key");
    assert!(!stream.until("this never comes"), "the stream has ended");
    assert_eq!(ask(&daemon, "GET", "/api/v1/wearers", &doctor).status, 401);
    let again = daemon.ask("GET", "/w/anna/", &[("Cookie", &cookie)]);
    assert_eq!(again.status, 303);
    // Nobody is let in because the last key is gone.
    assert_eq!(daemon.get("/api/v1/wearers").status, 401);
}

#[test]
fn a_program_that_knew_of_a_key_asks_for_one_even_after_the_last_was_revoked() {
    let household = fleet();
    let make = ["anna", "--role", "viewer", "--name", "doctor"];
    let revoke = ["wearer", "token", "--revoke", "doctor"];

    // The key was there at the start, and nobody came until it was revoked.
    key(&household, &make);
    let daemon = household.daemon();
    household.run(&revoke).exits(0);
    assert_eq!(daemon.get("/api/v1/wearers").status, 401);
    daemon.stop();

    // The key came later, and was used once.
    let daemon = household.daemon();
    assert_eq!(daemon.get("/api/v1/wearers").status, 200);
    let doctor = key(&household, &make);
    assert_eq!(ask(&daemon, "GET", "/api/v1/wearers", &doctor).status, 200);
    household.run(&revoke).exits(0);
    assert_eq!(daemon.get("/api/v1/wearers").status, 401);
}

#[test]
fn looks_at_others_are_noted_before_anything_is_shown() {
    let household = fleet();
    let annas = key(&household, &["anna", "--role", "wearer"]);
    let doctor = key(
        &household,
        &["anna", "--role", "viewer", "--name", "doctor"],
    );
    let daemon = household.daemon();
    assert_eq!(
        ask(&daemon, "GET", "/api/v1/wearers/anna/now", &annas).status,
        200
    );
    assert_eq!(
        ask(&daemon, "GET", "/api/v1/wearers/ben/now", &doctor).status,
        404
    );
    let none = household.run(&["fleet", "audit", "--json"]).exits(0);
    assert_eq!(none.stdout, "", "their own, and nothing");
    for path in ["/api/v1/wearers/anna/days", "/w/anna/", "/"] {
        assert_eq!(ask(&daemon, "GET", path, &doctor).status, 200);
    }
    let audit = household.run(&["fleet", "audit", "--json"]).exits(0);
    let lines: Vec<Value> = audit
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let details: Vec<&str> = lines
        .iter()
        .map(|line| {
            assert_eq!(
                (&line["actor"], &line["action"]),
                (&"doctor".into(), &"read".into())
            );
            assert_eq!(line["wearer"], "anna");
            line["detail"].as_str().unwrap()
        })
        .collect();
    assert_eq!(details, ["/", "/w/anna/", "/api/v1/wearers/anna/days"]);
    let bens = household
        .run(&["fleet", "audit", "--wearer", "ben"])
        .exits(0);
    assert_eq!(bens.stdout, "");
    let database = household.database.as_ref().unwrap();
    // What cannot be noted is not shown.
    Postgres::shared().sql(database, "alter table audit rename to audit_away");
    let reply = ask(&daemon, "GET", "/api/v1/wearers/anna/now", &doctor);
    assert_eq!(reply.status, 503, "{}", reply.body);
    assert_eq!(
        ask(&daemon, "GET", "/api/v1/wearers/anna/now", &annas).status,
        200
    );
    let keys = household
        .run(&["wearer", "token", "--list", "--json"])
        .exits(0);
    let keys: Value = serde_json::from_str(&keys.stdout).unwrap();
    assert_eq!(keys[0]["name"], "doctor");
    assert_eq!(keys[0]["wearers"][0], "anna");
}

#[test]
fn changes_are_pushed_and_an_update_can_be_asked_for() {
    let household = fleet();
    let daemon = household.daemon();
    until("a heart rate", || {
        let now = daemon.json("/api/v1/wearers/anna/now");
        (!now["reading"].is_null()).then_some(())
    });
    let mut stream = Stream::open(&daemon, "/api/v1/wearers/anna/events", "");
    assert!(stream.until("event: now"));
    let before = household.asked_about().len();
    household.sandbox.advance(1_800);
    assert_eq!(
        daemon.post("/w/anna/update", "").location(),
        Some("/w/anna/")
    );
    assert!(stream.until("event: now"), "a change");
    assert!(household.asked_about().len() > before);
}

#[test]
fn a_large_fleet_is_listed_by_pages() {
    let household = Household::on_database(Postgres::shared(), "google", 1, &[]);
    household.run(&["wearer", "add", "anna"]).exits(0);
    let database = household.database.as_ref().unwrap();
    let sql = |text: &str| Postgres::shared().sql(database, text);
    sql("insert into wearer (tenant, id, name, provider, settings, ticket)
        select 'default', 'w' || lpad(n::text, 5, '0'), '', 'google', '{}', n from generate_series(1, 1200) n;
        insert into lease (wearer, due) select number, 'infinity' from wearer on conflict do nothing;
        insert into chain (wearer, generation, revision, record, key_id, rotates)
        select number, 1, 1, '', 2, false from wearer where id > 'w00150';
        insert into state (wearer, document, standing, fence, revision)
        select number, '{}', case when id = 'w00777' then 'sign-in-needed' else 'signed-in' end, 1, 1
        from wearer where id > 'w00150'");
    let daemon = household.daemon();
    let first = daemon.get("/api/v1/wearers");
    let page = states(&first.json());
    assert_eq!(page.len(), 1_000);
    assert_eq!(page[0], ("anna".into(), "new".into()));
    let next = format!("/api/v1/wearers?after={}", page[999].0);
    assert_eq!(
        first.header("link"),
        Some(format!("<{next}>; rel=\"next\"").as_str())
    );
    let second = daemon.get(&next);
    assert_eq!(states(&second.json()).len(), 201);
    assert_eq!(second.header("link"), None);
    assert_eq!(
        daemon.get("/api/v1/wearers?after=Not%20an%20id").status,
        400
    );

    // The worst first, each once, without a heart rate.
    let mut all = Vec::new();
    let mut path = "/".to_owned();
    loop {
        let body = daemon.get(&path).body;
        assert!(body.contains("1201 wearers") && !body.contains("bpm"));
        let links = body.split("href=\"/w/").skip(1);
        all.extend(links.map(|link| link.split('/').next().unwrap().to_owned()));
        match body.split("href=\"/?after=").nth(1) {
            None => break,
            Some(link) => path = format!("/?after={}", link.split('"').next().unwrap()),
        }
    }
    assert_eq!(all.len(), 1_201);
    assert_eq!(all[..3], ["w00777", "anna", "w00001"]);
    assert_eq!(all.last().unwrap(), "w01200");
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 1_201);
    let metrics = daemon.get("/metrics").body;
    assert!(metrics.contains("pulsewing_wearers{state=\"sign-in-needed\"} 1\n"));
    assert!(metrics.contains("pulsewing_wearers{state=\"new\"} 151\n"));
    assert!(!metrics.contains("wearer=\""), "no gauges of so many");
}

#[test]
fn a_tenants_page_stands_behind_the_servers_wall() {
    let household = Household::on_database(Postgres::shared(), "google", 1, &[]);
    household.run(&["wearer", "add", "anna"]).exits(0);
    let database = household.database.clone().unwrap();
    let sql = |text: &str| Postgres::shared().sql(&database, text);
    sql(
        "insert into wearer (tenant, id, name, provider, settings, ticket)
        values ('other', 'olga', '', 'google', '{}', 1);
        insert into lease (wearer, due) select number, 'infinity' from wearer where id = 'olga'",
    );
    let role = format!("page_{database}");
    let admit = household.run(&["fleet", "admit", &role]);
    admit.exits(1).says("no such user").says("create role");
    sql(&format!("create role {role} login nobypassrls"));
    household
        .run(&["fleet", "admit", &role])
        .exits(0)
        .says("tenant under [store]");
    let url = Postgres::shared().url(&database);
    let as_role = url.replace("user=postgres", &format!("user={role}"));
    household.home.configure_more("tenant = \"default\"\n");
    // The owner of the tables would pass the wall.
    let owner = household.run(&["run", "--listen", "127.0.0.1:0"]);
    owner.exits(1).says("row-level security");
    let program = household.program(&["run", "--listen", "127.0.0.1:0", "--store", &as_role]);
    let daemon = Daemon::of(program);
    assert_eq!(
        states(&daemon.json("/api/v1/wearers")),
        [("anna".into(), "new".into())]
    );
    assert_eq!(daemon.get("/api/v1/wearers/olga/now").status, 404);
    assert_eq!(daemon.get("/api/v1/wearers/anna/now").status, 200);
}

/// A stream of events that is being read.
struct Stream(BufReader<TcpStream>);

impl Stream {
    fn open(daemon: &Daemon, path: &str, key: &str) -> Self {
        let authority = daemon.url.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(authority).unwrap();
        stream.set_read_timeout(Some(SOON)).unwrap();
        let bearer = match key {
            "" => String::new(),
            key => format!("Authorization: Bearer {key}\r\n"),
        };
        let request = format!("GET {path} HTTP/1.1\r\nHost: {authority}\r\n{bearer}\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        Self(BufReader::new(stream))
    }

    /// Reads up to a line that begins like this; returns whether it came before the end.
    fn until(&mut self, start: &str) -> bool {
        let mut line = String::new();
        loop {
            line.clear();
            match self.0.read_line(&mut line) {
                Ok(0) => return false,
                Ok(_) if line.starts_with(start) => return true,
                Ok(_) => {
                    // The last chunk: nothing more comes on this connection.
                    if line == "0\r\n" {
                        return false;
                    }
                }
                Err(error) => panic!("{start}: {error}"),
            }
        }
    }
}
