//! The owner of the history: the data of two people are never mixed.

use std::fs;

use crate::harness::{
    browser,
    daemon::Daemon,
    hermetic::Finished,
    import_files::until_two,
    loopback_http,
    middleman::Middleman,
    signed_in::{SEED, SignedIn, configuration},
};

/// Makes the cloud use other names for the account: that is another person.
fn as_another(signed_in: &SignedIn, provider: &str) {
    let others = [
        ("PW7SB1", "QX9TR2"),
        ("111122223333444455", "999988887777666655"),
    ];
    let middleman = Middleman::before(&signed_in.sandbox.url, &others);
    let text = configuration(&signed_in.sandbox, provider);
    let text = text.replace(&signed_in.sandbox.url, &middleman.url);
    signed_in.home.configure(&text);
}

/// Restores the original names.
fn as_oneself(signed_in: &SignedIn, provider: &str) {
    let text = configuration(&signed_in.sandbox, provider);
    signed_in.home.configure(&text);
}

fn login(signed_in: &SignedIn, options: &[&str]) -> Finished {
    browser::paste(signed_in.start_login(options))
}

/// Returns the histories that were set aside.
fn aside(signed_in: &SignedIn) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(signed_in.home.state("")).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .filter(|path| path.to_string_lossy().contains("history.db.replaced-2026"))
        .collect()
}

#[test]
fn another_person_is_refused_and_may_begin_anew() {
    for provider in ["google", "fitbit"] {
        let signed_in = SignedIn::either(provider).after_once();
        let before = fs::read(signed_in.home.state("chain")).unwrap();
        as_another(&signed_in, provider);
        login(&signed_in, &[])
            .exits(1)
            .says("the history holds another person's heart rate")
            .says("pulsewing wearer add")
            .says("pulsewing login --replace");
        // Nothing was changed.
        assert_eq!(fs::read(signed_in.home.state("chain")).unwrap(), before);
        as_oneself(&signed_in, provider);
        signed_in.once().exits(0).says_nothing_of("history");
        // The previous owner may sign in again at any time.
        login(&signed_in, &[]).exits(0);
        signed_in.once().exits(0).says_nothing_of("history");
        assert_eq!(aside(&signed_in).len(), 0);

        as_another(&signed_in, provider);
        login(&signed_in, &["--replace"])
            .exits(0)
            .says("Moved the history so far to")
            .says("started a new one");
        let old = aside(&signed_in);
        assert_eq!(old.len(), 1);
        signed_in.home.run(&["export"]).exits(0).says("no minute");
        signed_in.once().exits(0).says_nothing_of("history");
        signed_in.assert_history(&until_two());
        // Now the first person is the other one.
        as_oneself(&signed_in, provider);
        login(&signed_in, &[]).exits(1).says("another person");
        // The history that was set aside is complete.
        fs::rename(&old[0], signed_in.home.state("history.db")).unwrap();
        signed_in.assert_history(&until_two());
    }
}

#[test]
fn somebody_is_known_by_the_account_that_moved_to_google() {
    let signed_in = SignedIn::fitbit().after_once();
    as_oneself(&signed_in, "google");
    login(&signed_in, &[]).exits(0);
    let signed_in = SignedIn::fitbit().after_once();
    as_another(&signed_in, "google");
    login(&signed_in, &[]).exits(1).says("another person");
}

#[test]
fn a_sign_in_that_nobody_puts_a_name_to_is_not_kept_where_a_history_is_somebodys() {
    let signed_in = SignedIn::google().after_once();
    let nobody = serde_json::json!({ "status": 503 });
    signed_in.fault("google.identity", 0, &nobody);
    login(&signed_in, &[])
        .exits(5)
        .says("Google did not say who signed in");
    signed_in.once().exits(0);
    // A history without an owner accepts any person.
    let signed_in = SignedIn::google();
    signed_in.fault("google.identity", 0, &nobody);
    login(&signed_in, &[]).exits(0);
    signed_in.once().exits(0).says_nothing_of("history");
}

#[test]
fn a_history_from_before_learns_whose_it_is_from_the_sign_in_that_is_to_be_replaced() {
    // A sign-in from a version that did not ask does not name the person.
    let signed_in = SignedIn::google();
    let change = (
        r#""healthUserId": "111122223333444455""#,
        r#""healthUserId": "999988887777666655""#,
    );
    let middleman = Middleman::after(1, &signed_in.sandbox.url, &[change]);
    let text = configuration(&signed_in.sandbox, "google");
    let text = text.replace(&signed_in.sandbox.url, &middleman.url);
    signed_in.home.configure(&text);
    let nobody = serde_json::json!({ "status": 503 });
    signed_in.fault("google.identity", 1, &nobody);
    login(&signed_in, &[]).exits(0);
    signed_in.once().exits(0);
    assert_eq!(signed_in.chain()["user_id"], serde_json::Value::Null);
    login(&signed_in, &[]).exits(1).says("another person");
    signed_in.once().exits(0).says_nothing_of("history");
}

#[test]
fn the_originals_settings_of_another_person_are_refused_too() {
    let signed_in = SignedIn::fitbit().after_once();
    let settings = format!(
        "Fitbit_ClientID = \"{}\"\nFitbit_UserID = \"QX9TR2\"\n",
        signed_in.sandbox.ready["fitbit"]["client_id"]
            .as_str()
            .unwrap()
    );
    let settings = signed_in.home.write("settings.toml", &settings);
    let adopt = |options: &[&str]| {
        let args = [&["adopt", &settings, "--nvm"], options].concat();
        signed_in.program(&args).stdin(&format!("{SEED}\n")).run()
    };
    adopt(&[]).exits(1).says("another person");
    assert_eq!(signed_in.chain()["user_id"], "PW7SB1");
    adopt(&["--replace"])
        .exits(0)
        .says("Moved the history so far to");
    assert_eq!(aside(&signed_in).len(), 1);
}

#[test]
fn a_sign_in_that_came_another_way_adds_nothing_to_somebody_elses_history() {
    let signed_in = SignedIn::fitbit().after_once();
    let db = rusqlite::Connection::open(signed_in.home.state("history.db")).unwrap();
    let changed = db.execute("UPDATE owner SET user_id = 'QX9TR2'", []);
    assert_eq!(changed.unwrap(), 1);
    drop(db);
    let before = fs::read(signed_in.home.state("history.db")).unwrap();
    signed_in
        .once()
        .exits(0)
        .says("this reading was not added to the history: the history belongs to another person")
        .says("pulsewing login --replace");
    assert_eq!(
        fs::read(signed_in.home.state("history.db")).unwrap(),
        before
    );
}

#[test]
fn on_the_page_another_person_is_refused_and_may_begin_anew_too() {
    let signed_in = SignedIn::google_today().after_once();
    as_another(&signed_in, "google");
    signed_in.today_alone();
    let daemon = Daemon::start(&signed_in);
    assert!(daemon.get("/sign-in").body.contains("Start over"));
    let sign_in = |form: &str| {
        let way = daemon.post("/sign-in", form);
        let (_, rest) = way
            .body
            .split_once("class=\"button main\" href=\"")
            .unwrap();
        let url = rest.split('"').next().unwrap().replace("&amp;", "&");
        loopback_http::get(&browser::approve(&url))
    };
    let refused = sign_in("provider=google");
    assert!(refused.body.contains("another person"), "{}", refused.body);
    assert!(refused.body.contains("start over"), "{}", refused.body);
    assert_eq!(aside(&signed_in).len(), 0);
    let done = sign_in("provider=google&replace=yes");
    assert_eq!((done.status, done.location()), (303, Some("/")));
    assert_eq!(aside(&signed_in).len(), 1);
    daemon.logs("updated bpm=");
    daemon.stop();
    signed_in.assert_history(&until_two());
}

#[test]
fn a_daemon_at_work_goes_on_in_the_history_that_another_person_begins() {
    let signed_in = SignedIn::google_today();
    let daemon = Daemon::updated(&signed_in);
    login(&signed_in, &["--replace"]).exits(0);
    daemon.post("/update", "");
    daemon.logs("the history was replaced while Pulsewing was running");
    daemon.logs("updated bpm=");
    signed_in.assert_history(&until_two());
    daemon.stop();
    // The history that was set aside is complete.
    let old = aside(&signed_in);
    fs::rename(&old[0], signed_in.home.state("history.db")).unwrap();
    signed_in.assert_history(&until_two());
}
