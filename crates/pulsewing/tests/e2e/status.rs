//! `status`: what is stored, in words and as JSON, without a request and without a secret.

use serde_json::{Value, json};

use crate::{hermetic::Home, signed_in::SignedIn};

#[test]
fn nobody_has_signed_in() {
    let home = Home::new();
    let words = home.run(&["status"]).exits(0).stdout;
    assert!(words.contains("no; `pulsewing login` signs in"), "{words}");
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
    // Looking changes nothing.
    assert!(!home.state("").exists());
}

#[test]
fn after_a_success_everything_is_there() {
    for provider in ["google", "fitbit"] {
        let signed_in = SignedIn::either(provider);
        signed_in.once().exits(0);
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
        let at = |key: &str| -> jiff::Timestamp { status[key].as_str().unwrap().parse().unwrap() };
        // One to two minutes after the next expected sync, which is at a quarter past.
        let next = at("next_update");
        let sync: jiff::Timestamp = "2026-11-22T14:15:00Z".parse().unwrap();
        assert!(
            (60..=120).contains(&next.duration_since(sync).as_secs()),
            "{next}"
        );
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
fn the_last_error_is_told_until_a_success() {
    let signed_in = SignedIn::google();
    signed_in.once().exits(0);
    let success = signed_in.status()["last_success"].clone();
    signed_in.sandbox.advance(900);
    signed_in
        .sandbox
        .fault("google.rollup", 0, &json!({ "status": 400 }));
    signed_in.once().exits(1);
    let status = signed_in.status();
    let error = status["last_error"].as_str().unwrap();
    assert!(error.contains("fetching the heart rate"), "{error}");
    assert_eq!(status["last_success"], success);
    assert_ne!(status["last_update"], success);
    assert!(signed_in.run(&["status"]).exits(0).stdout.contains(error));
    signed_in.sandbox.faults(&json!([]));
    signed_in.once().exits(0);
    assert_eq!(signed_in.status()["last_error"], Value::Null);
}

#[test]
fn what_was_not_allowed_is_listed() {
    let signed_in = SignedIn::google_with(|home| {
        let sandbox = crate::sandbox_process::Sandbox::start(home, &[]);
        let scope = json!(["googlehealth.health_metrics_and_measurements.readonly"]);
        sandbox.configure(&json!({ "scopes": scope }));
        sandbox
    });
    let words = signed_in.run(&["status"]).exits(0).stdout;
    assert!(words.contains("Not allowed:"), "{words}");
    assert!(
        words.contains("tracker battery and last sync, time zone"),
        "{words}"
    );
}
