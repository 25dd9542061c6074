//! `status`: the stored data, in words and as JSON, without a request and without a secret.

use serde_json::{Value, json};

use crate::harness::{
    daemon::Daemon, hermetic::Home, patience::until, recording, sandbox_process::Sandbox,
    signed_in::SignedIn,
};

#[test]
fn nobody_has_signed_in() {
    let home = Home::new();
    home.run(&["status"])
        .exits(0)
        .prints("no; sign in with `pulsewing login`");
    let status = home.run(&["status", "--json"]).exits(0).json();
    assert_eq!(
        status,
        json!({
            "state_dir": home.state("").to_str().unwrap().trim_end_matches('/'),
            "chain": null,
            "last_update": null,
            "last_success": null,
            "next_update": null,
            "last_error": null,
            "history": { "bytes": 0 },
        })
    );
    // Reading changes nothing.
    assert!(!home.state("").exists());
}

#[test]
fn the_last_heart_rate_comes_first_with_its_age() {
    for provider in ["google", "fitbit"] {
        let signed_in = SignedIn::either(provider).after_once();
        let reading = signed_in.run(&["once", "--json"]).exits(0).json();
        let status = signed_in.status();
        let bpm = &reading["latest"]["bpm"];
        assert_eq!(
            status["latest"],
            json!({ "at": "2026-11-22T13:59:00Z", "bpm": bpm, "zone_name": reading["zone_name"], "freshness": "fresh" })
        );
        assert_eq!(status["battery_percent"], reading["battery_percent"]);
        assert_eq!(status["last_sync"], reading["last_sync"]);
        let zone = reading["zone_name"].as_str().unwrap().to_lowercase();
        let now = |was: &str, words: &str| {
            let status = signed_in.run(&["status"]).exits(0).stdout;
            let line = format!(
                "Heart rate:     {was}{bpm} bpm, {zone}, {words}\nTracker:        battery "
            );
            assert!(status.starts_with(&line), "{status}");
        };
        now("", "8 min ago (13:59)");
        // The count continues, whether anything is fetched or not.
        signed_in.sandbox.advance(2 * 86_400);
        let ago = "2 days ago (Sun 13:59)";
        let why = "Not updated: the cloud was not asked for a while.";
        now("Was ", &format!("{ago}. {why}"));
        assert_eq!(signed_in.status()["latest"]["freshness"], "silent");
        signed_in.once().exits(0);
        let why = "Not worn: it syncs, but measures no heart rate.";
        now("Was ", &format!("{ago}. {why}"));
        // The history has these facts as well.
        std::fs::remove_file(signed_in.home.state("state.json")).unwrap();
        assert_eq!(signed_in.status()["latest"]["at"], "2026-11-22T13:59:00Z");
    }
}

#[test]
fn without_a_history_the_last_update_tells_the_heart_rate() {
    let signed_in = SignedIn::google();
    signed_in
        .home
        .configure_more("[history]\nkeep = \"none\"\n");
    signed_in.once().exits(0);
    assert_eq!(signed_in.status()["latest"]["at"], "2026-11-22T13:59:00Z");
    // With a clock that was set back, the time is in the future.
    let status = signed_in
        .home
        .run(&["status", "--now", "2026-11-22T10:00:00Z"]);
    assert!(
        status
            .exits(0)
            .stdout
            .starts_with("Heart rate:     none yet\n")
    );
}

#[test]
fn after_a_success_everything_is_there() {
    for provider in ["google", "fitbit"] {
        let signed_in = SignedIn::either(provider).after_once();
        let requests = signed_in.sandbox.requests().len();
        let status = signed_in.status();
        let chain = &status["chain"];
        assert_eq!(chain["provider"], provider);
        assert_eq!(chain["issuer"], signed_in.sandbox.url);
        assert_eq!(
            chain["client_id"],
            signed_in.sandbox.ready[provider]["client_id"]
        );
        assert_eq!(chain["standing"], "active");
        for allowed in ["heart_rate_allowed", "devices_allowed", "time_zone_allowed"] {
            assert_eq!(chain[allowed], true, "{allowed}");
        }
        assert_eq!(status["last_error"], Value::Null);
        assert_eq!(status["last_update"], status["last_success"]);
        let words = signed_in.run(&["status"]).exits(0).stdout;
        for word in [
            "Signed in:",
            "yes",
            "generation",
            "Last error:",
            "none",
            "Next update:",
        ] {
            assert!(words.contains(word), "{words}");
        }
        assert_eq!(signed_in.sandbox.requests().len(), requests);
    }
}

#[test]
fn a_next_update_is_told_only_where_one_comes() {
    let next = |signed_in: &SignedIn, words: &str| {
        let status = signed_in.run(&["status"]).exits(0).stdout;
        let row = format!("Next update:    {words}");
        assert!(status.contains(&row), "{status}");
        signed_in.status()["next_update"].clone()
    };
    let signed_in = SignedIn::google_today().after_once();
    let nobody = "none: no daemon is running; start one with `pulsewing run`, or update now with `pulsewing once`\n";
    // A user who runs `once` by a timer sees when newer data is expected.
    let told = next(&signed_in, nobody);
    assert!(told.as_str().unwrap().starts_with("2026-11-22T14:1"));

    // One to two minutes after the next expected sync, which is at a quarter past.
    let daemon = Daemon::updated(&signed_in);
    let due = |now: &Value| -> jiff::Timestamp {
        let at = now["next_update"].as_str().unwrap();
        at.parse().unwrap()
    };
    until("the daemon to be idle", || {
        let now = daemon.json("/api/v1/now");
        (now["activity"] == "waiting" && now["next_update"].is_string()).then_some(())
    });
    let at = due(&daemon.json("/api/v1/now"));
    let sync: jiff::Timestamp = "2026-11-22T14:15:00Z".parse().unwrap();
    let after = at.duration_since(sync).as_secs();
    assert!((60..=120).contains(&after), "{at}");
    let told = next(&signed_in, "2026-11-22T14:1");
    let told: jiff::Timestamp = told.as_str().unwrap().parse().unwrap();
    assert_eq!(told.as_second(), at.as_second());

    // The access is refused, and no longer requested.
    signed_in.sandbox.faults(&json!([
        { "route": "google.rollup", "count": 0, "do": { "status": 401 } },
        { "route": "google.token", "count": 0, "do": { "reason": "invalid_grant" } },
    ]));
    daemon.post("/update", "");
    daemon.logs("no longer accepts this sign-in");
    let now = daemon.json("/api/v1/now");
    assert_eq!(now["next_update"], Value::Null, "{now}");
    let page = daemon.get("/").body;
    let refused = "none: the provider refused the sign-in";
    assert!(page.contains(refused), "{page}");
    assert_eq!(next(&signed_in, refused), Value::Null);
    daemon.stop();

    signed_in.run(&["logout"]);
    std::fs::remove_file(signed_in.home.state("chain")).ok();
    assert_eq!(next(&signed_in, "none: nobody is signed in\n"), Value::Null);
    let daemon = Daemon::start(&signed_in);
    daemon.logs("nobody has signed in yet");
    assert_eq!(daemon.json("/api/v1/now")["next_update"], Value::Null);
    let page = daemon.get("/").body;
    assert!(page.contains("none: nobody is signed in"), "{page}");
    daemon.stop();
}

#[test]
fn a_token_that_rests_is_not_told_as_asked_for_at_the_next_poll() {
    let signed_in = SignedIn::google_today();
    signed_in.sandbox.advance(3_600);
    signed_in.fault("google.token", 0, &json!({ "reason": "deleted_client" }));
    let daemon = Daemon::start(&signed_in);
    daemon.logs("was deleted");
    let now = daemon.json("/api/v1/now");
    assert_eq!(now["next_update"], Value::Null, "{now}");
    assert!(daemon.get("/").body.contains("none: see above"));
    signed_in
        .run(&["status"])
        .exits(0)
        .prints("none: see the last error");
    daemon.stop();
}

#[test]
fn the_last_minute_is_dated_by_the_clock_that_the_wearer_had() {
    // The machine's clock is in UTC, and the wearer is five hours behind.
    let signed_in = SignedIn::google_with(|home| {
        Sandbox::with_recording(home, &recording::until_two(), "America/New_York")
    });
    signed_in.once().exits(0);
    let shown = || {
        let status = signed_in.run(&["status"]).exits(0).stdout;
        status.lines().next().unwrap_or_default().to_owned()
    };
    let before = shown();
    assert!(before.ends_with("8 min ago (13:59)"), "{before}");
    // Only the history is left.
    std::fs::remove_file(signed_in.home.state("state.json")).unwrap();
    assert_eq!(shown(), before);
    signed_in.fault("*", 0, &json!({ "drop": "before" }));
    let daemon = Daemon::start(&signed_in);
    daemon.logs("ERROR");
    let now = daemon.json("/api/v1/now");
    assert_eq!(now["reading"]["latest"]["time"], "13:59", "{now}");
    assert_eq!(now["reading"]["time_zone"], "America/New_York", "{now}");
    daemon.stop();
}

#[test]
fn the_last_error_is_told_until_a_success() {
    let signed_in = SignedIn::google().after_once();
    let success = signed_in.status()["last_success"].clone();
    signed_in.sandbox.advance(900);
    signed_in.fault("google.rollup", 0, &json!({ "status": 400 }));
    signed_in.once().exits(1);
    let status = signed_in.status();
    let error = status["last_error"].as_str().unwrap();
    assert_eq!(
        error,
        "fetching the heart rate was refused by Google Health"
    );
    let details = status["last_details"].as_str().unwrap();
    assert!(details.contains("refused with status 400"), "{details}");
    assert_eq!(status["last_success"], success);
    assert_ne!(status["last_update"], success);
    let words = signed_in.run(&["status"]).exits(0).stdout;
    assert!(
        words.contains(&format!(
            "Last error:     {error}\nDetails:        {details}\n"
        )),
        "{words}"
    );
    signed_in.sandbox.faults(&json!([]));
    signed_in.once().exits(0);
    let status = signed_in.status();
    assert_eq!(
        [&status["last_error"], &status["last_details"]],
        [&Value::Null; 2]
    );
}

#[test]
fn what_was_not_allowed_is_listed() {
    let signed_in = SignedIn::google_with(|home| {
        let sandbox = Sandbox::start(home, &[]);
        let scope = json!(["googlehealth.health_metrics_and_measurements.readonly"]);
        sandbox.configure(&json!({ "scopes": scope }));
        sandbox
    });
    signed_in
        .run(&["status"])
        .exits(0)
        .prints("Not allowed:")
        .prints("tracker battery and last sync, time zone");
}
