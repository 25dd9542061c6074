//! Notifications of the Google Health API: from the subscription to the update of a wearer.

use serde_json::Value;

use crate::harness::{
    daemon::Daemon,
    household::{Household, Store},
    loopback_http::{self, Reply},
    patience::until,
    postgres::Postgres,
};

const ANNA: &str = "111122223333444455";
const BEN: &str = "111122223333444456";

/// Returns a fleet that polls rarely, and the secret of its endpoint.
fn fleet() -> (Household, String) {
    let household = Household::signed_in_at(Store::Database, "google", &["anna", "ben"]);
    let secret = household.program(&["fleet", "secret"]).showing_secrets();
    let secret = secret.run().exits(0).stdout.trim_end().to_owned();
    let config = format!("[poll]\nevery = \"6h\"\n[webhook]\nsecret = \"{secret}\"\n");
    household.home.configure_more(&config);
    let account = loopback_http::get(&format!(
        "{}/_sandbox/service-account",
        household.sandbox.url
    ));
    household.home.write("account.json", &account.body);
    (household, secret)
}

fn subscribe(household: &Household, args: &[&str]) -> crate::harness::hermetic::Finished {
    let usual = ["fleet", "subscribe", "--service-account", "account.json"];
    household.run(&[&usual[..], args].concat())
}

fn endpoint(daemon: &Daemon) -> String {
    format!("{}/google/notifications", daemon.url)
}

fn post(daemon: &Daemon, headers: &[(&str, &str)], body: &str) -> Reply {
    loopback_http::exchange("POST", &endpoint(daemon), headers, body)
}

/// Waits until the metrics have a line.
fn told(daemon: &Daemon, line: &str) {
    until(line, || {
        let metrics = daemon.get("/metrics").body;
        metrics.lines().any(|it| it == line).then_some(())
    });
}

fn updates_of(household: &Household, user: &str) -> usize {
    let asked = household.asked_about();
    asked.iter().filter(|asked| *asked == user).count()
}

#[test]
fn a_notification_has_its_wearer_updated_and_nobody_else() {
    let (household, secret) = fleet();
    let daemon = household.daemon();
    told(&daemon, "pulsewing_turns_total{result=\"updated\"} 2");
    let before = (updates_of(&household, ANNA), updates_of(&household, BEN));
    // To Google's side Ben has consented; here nobody is this person any more.
    let database = household.database.as_ref().unwrap();
    let forget = "delete from person using wearer where wearer = number and id = 'ben'";
    Postgres::shared().sql(database, forget);

    let done = subscribe(&household, &["--endpoint", &endpoint(&daemon)]);
    assert!(done.exits(0).stdout.starts_with("Subscribed pulsewing"));
    let list = subscribe(&household, &["--list"]).exits(0).stdout;
    assert!(
        list.contains("active") && list.contains("heart-rate"),
        "{list}"
    );
    // Again, it is changed.
    subscribe(&household, &["--endpoint", &endpoint(&daemon)]).exits(0);

    household.sandbox.advance(900);
    told(
        &daemon,
        "pulsewing_notified_persons_total{person=\"known\"} 1",
    );
    told(
        &daemon,
        "pulsewing_notified_persons_total{person=\"unknown\"} 1",
    );
    until("an update", || {
        (updates_of(&household, ANNA) > before.0).then_some(())
    });
    assert_eq!(updates_of(&household, BEN), before.1);
    // Google was told at once that it need not repeat itself.
    let notifications = format!("{}/_sandbox/notifications", household.sandbox.url);
    until("the deliveries", || {
        let all: Value = loopback_http::get(&notifications).json();
        let all = all.as_array().unwrap();
        let are_done = all.iter().all(|it| it["state"] == "delivered");
        (are_done && !all.is_empty()).then_some(())
    });

    // Within a minute another one changes nothing yet: the wearer is due when the minute is over.
    let after = updates_of(&household, ANNA);
    household.sandbox.advance(900);
    told(
        &daemon,
        "pulsewing_notified_persons_total{person=\"known\"} 2",
    );
    let due = "select extract(epoch from due - now()) between 1 and 60 from lease
        join wearer on number = wearer where id = 'anna' and owner is null";
    until("the minute", || {
        (Postgres::shared().sql(database, due).trim() == "t").then_some(())
    });
    assert_eq!(updates_of(&household, ANNA), after);

    let removed = subscribe(&household, &["--remove"]);
    assert!(removed.exits(0).stdout.starts_with("Removed pulsewing"));
    assert_eq!(subscribe(&household, &["--list"]).exits(0).stdout, "");
    subscribe(&household, &["--remove"])
        .exits(1)
        .says("no subscriber");
    let log = daemon.stop().stderr;
    let digits = secret.strip_prefix("Bearer ").unwrap();
    assert!(!log.contains(digits) && !log.contains(ANNA), "{log}");
}

#[test]
fn what_is_not_googles_is_refused() {
    let (household, secret) = fleet();
    // The page's keys have nothing to do with it.
    let token = ["wearer", "token", "--operator", "office"];
    let key = household.program(&token).showing_secrets().run().exits(0);
    let daemon = household.daemon();
    let verification = "{\"type\":\"verification\"}";
    let news = format!(
        "{{\"data\":{{\"healthUserId\":\"{ANNA}\",\"operation\":\"UPSERT\",\"dataType\":\"heart-rate\"}}}}"
    );
    let right = ("Authorization", secret.as_str());
    let office = format!("Bearer {}", key.stdout.trim_end());
    let signature = ("GOOGLE-HEALTH-API-SIGNATURE", "AQ==");
    for (headers, body, status) in [
        (vec![right], verification, 201),
        (vec![], verification, 401),
        (vec![("Authorization", "Bearer x")], verification, 403),
        (vec![("Authorization", office.as_str())], verification, 403),
        (vec![], &news, 401),
        (vec![right], &news, 401),
        (vec![right, signature], &news, 403),
        (vec![("Authorization", "Bearer x"), signature], &news, 403),
    ] {
        let reply = post(&daemon, &headers, body);
        assert_eq!((reply.status, reply.body.as_str()), (status, ""), "{body}");
    }
    let long = " ".repeat((1 << 20) + 1);
    assert_eq!(post(&daemon, &[right], &long).status, 413);
    assert_eq!(daemon.get("/google/notifications").status, 405);
    // Nor does the endpoint's secret open the page.
    assert_eq!(daemon.ask("GET", "/api/v1/wearers", &[right]).status, 401);
    let metrics = daemon.ask("GET", "/metrics", &[("Authorization", &office)]);
    let refused = "pulsewing_notification_requests_total{result=\"refused\"} 8";
    assert!(metrics.body.contains(refused), "{}", metrics.body);
    assert!(
        metrics
            .body
            .contains("notified_persons_total{person=\"known\"} 0")
    );

    // Nobody serves this address, so Google does not accept it.
    let nobody = "http://127.0.0.1:1/google/notifications";
    let unverified = subscribe(&household, &["--endpoint", nobody]);
    unverified
        .exits(1)
        .says("could not verify")
        .says("[webhook]");
    let plain = subscribe(&household, &["--endpoint", "http://pulse.example/x"]);
    plain.exits(2).says("https");
}

#[test]
fn without_a_secret_there_is_no_endpoint() {
    let household = Household::signed_in_at(Store::Database, "google", &["anna"]);
    let daemon = household.daemon();
    let verification = "{\"type\":\"verification\"}";
    assert_eq!(post(&daemon, &[], verification).status, 404);
    let account = format!("{}/_sandbox/service-account", household.sandbox.url);
    let account = loopback_http::get(&account).body;
    household.home.write("account.json", &account);
    let none = subscribe(&household, &["--endpoint", &endpoint(&daemon)]);
    none.exits(1).says("fleet secret");
    household.home.write("account.json", "{}");
    subscribe(&household, &["--list"])
        .exits(1)
        .says("account.json");
}
