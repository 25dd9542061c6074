//! Invitations: a wearer signs in on their own phone, by a link.

use std::net::TcpListener;

use crate::harness::{
    daemon::Daemon,
    household::{Household, Store, approve_as},
    loopback_http::{self, Reply},
    patience::until,
    postgres::Postgres,
};

/// Invites a wearer, and returns the path of the link.
fn invite(household: &Household, id: &str) -> String {
    let program = household.program(&["wearer", "invite", id]);
    let made = program.showing_secrets().run().exits(0);
    let link = made.stdout.trim_end().to_owned();
    let (_, digits) = link.split_once("/invitation/").unwrap();
    assert!(digits.len() == 64 && !made.stderr.contains(digits));
    format!("/invitation/{digits}")
}

/// Presses the button of the page, and returns the consent page's address.
fn begin(daemon: &Daemon, path: &str) -> String {
    let page = daemon.get(path);
    assert_eq!(page.status, 200, "{}", page.body);
    let begun = daemon.post(path, "");
    assert_eq!(begun.status, 200, "{}", begun.body);
    let link = begun
        .body
        .split("href=\"")
        .find(|part| part.contains("oauth"));
    let link = link.unwrap().split('"').next().unwrap();
    link.replace("&amp;", "&")
}

fn paste(daemon: &Daemon, path: &str, address: &str) -> Reply {
    let pasted: String = address.bytes().map(|byte| format!("%{byte:02X}")).collect();
    daemon.post(&format!("{path}/paste"), &format!("pasted={pasted}"))
}

fn state(household: &Household, id: &str) -> String {
    let states = household.states();
    let found = states.into_iter().find(|(known, _)| known == id);
    found.unwrap().1
}

#[test]
fn a_wearer_signs_in_by_a_link_once() {
    let household = Household::of_at(Store::Database, "google", &["anna", "ben"]);
    // A key: whoever has none sees nothing but the invitation.
    let token = ["wearer", "token", "--operator", "office"];
    household.program(&token).showing_secrets().run().exits(0);
    let daemon = household.daemon();
    assert_eq!(daemon.get("/").status, 303);
    let path = invite(&household, "anna");
    // Programs look at links, and use nothing up.
    for _ in 0..3 {
        assert_eq!(daemon.get(&path).status, 200);
        assert_eq!(daemon.ask("HEAD", &path, &[]).status, 200);
    }
    let consent = begin(&daemon, &path);
    // What is no answer, and another's, can be corrected.
    assert_eq!(paste(&daemon, &path, "hello").status, 422);
    let other = approve_as(&begin(&daemon, &invite(&household, "ben")), 2);
    assert_eq!(paste(&daemon, &path, &other).status, 422);
    assert_eq!(state(&household, "anna"), "new");
    let address = approve_as(&consent, 1);
    let done = paste(&daemon, &path, &address);
    assert!(
        done.status == 200 && done.body.contains("You are signed in"),
        "{}",
        done.body
    );
    assert_eq!(state(&household, "anna"), "signed-in");
    until("an update", || {
        let asked = household.asked_about();
        asked
            .contains(&"111122223333444455".to_owned())
            .then_some(())
    });
    // It is used up, and looks like one that never was.
    let used = daemon.get(&path);
    let never = daemon.get(&format!("/invitation/{}", "0".repeat(64)));
    assert_eq!((used.status, &used.body), (404, &never.body));
    assert_eq!(daemon.post(&path, "").status, 404);
    assert_eq!(paste(&daemon, &path, &address).status, 404);
    assert_eq!(daemon.get("/invitation/anna").status, 404);
}

#[test]
fn an_invitation_is_for_its_wearer_alone_and_outlives_a_mistake() {
    let household = Household::signed_in_at(Store::Database, "google", &["anna"]);
    household.run(&["wearer", "add", "ben"]).exits(0);
    let daemon = household.daemon();
    let older = invite(&household, "ben");
    let path = invite(&household, "ben");
    assert_eq!(daemon.get(&older).status, 404, "the later one ends it");
    // Anna's account in Ben's place.
    let address = approve_as(&begin(&daemon, &path), 1);
    let refused = paste(&daemon, &path, &address);
    assert_eq!(refused.status, 400, "{}", refused.body);
    assert!(refused.body.contains("already another wearer"));
    assert!(!refused.body.contains("anna"), "{}", refused.body);
    assert_eq!(state(&household, "ben"), "new");
    // Whoever declines may think again.
    let consent = begin(&daemon, &path);
    let state_of = consent.split("state=").nth(1).unwrap();
    let state_of = state_of.split('&').next().unwrap();
    let denied = format!("http://127.0.0.1:1/sign-in/done?state={state_of}&error=access_denied");
    assert_eq!(paste(&daemon, &path, &denied).status, 400);
    let address = approve_as(&begin(&daemon, &path), 2);
    assert_eq!(paste(&daemon, &path, &address).status, 200);
    assert_eq!(state(&household, "ben"), "signed-in");
    // After seven days there is none.
    let late = invite(&household, "ben");
    let database = household.database.as_ref().unwrap();
    Postgres::shared().sql(database, "update invitation set expires = now()");
    assert_eq!(daemon.get(&late).status, 404);
    household
        .run(&["wearer", "invite", "nobody"])
        .exits(2)
        .says("nobody");
}

#[test]
fn with_a_public_address_the_sign_in_ends_on_the_page() {
    let household = Household::of_at(Store::Database, "google", &["anna"]);
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr();
    let public = format!("http://{}", port.unwrap());
    let config = format!("[web]\npublic_url = \"{public}\"\n");
    household.home.configure_more(&config);
    let listen = public.strip_prefix("http://").unwrap();
    let daemon = Daemon::of(household.program(&["run", "--listen", listen]));
    // Others can reach it, so it asks for keys although there is none.
    assert_eq!(daemon.get("/api/v1/wearers").status, 401);
    let link = household.program(&["wearer", "invite", "anna"]);
    let link = link.showing_secrets().run().exits(0).stdout;
    let path = link.trim_end().strip_prefix(&public).unwrap().to_owned();
    let address = approve_as(&begin(&daemon, &path), 1);
    assert!(address.starts_with(&format!("{public}/invitation/done?")));
    let done = loopback_http::get(&address);
    assert!(done.body.contains("You are signed in"), "{}", done.body);
    assert_eq!(state(&household, "anna"), "signed-in");
    assert_eq!(loopback_http::get(&address).status, 404, "once");
    let finished = daemon.stop();
    assert!(!finished.stderr.contains(path.rsplit('/').next().unwrap()));
}
