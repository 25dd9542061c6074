//! The checks of the sign-in, `chain.*`.

use std::{fs, path::Path};

use pulsewing_core::{
    chain::{Intent, Standing, codec::MAX_RECORD},
    oauth::{Grant, Scopes},
};
use serde_json::json;

use super::{chmod, doctor, offline};
use crate::harness::{
    sandbox_process::Sandbox,
    signed_in::{SignedIn, configuration, record},
};

#[test]
fn a_chain_that_cannot_be_read_is_told_and_left_alone() {
    let signed_in = SignedIn::google();
    let (chain, previous) = (
        signed_in.home.state("chain"),
        signed_in.home.state("chain.prev"),
    );
    let good = fs::read(&chain).unwrap();
    let private = |path: &Path, bytes: &[u8]| {
        fs::write(path, bytes).unwrap();
        chmod(path, 0o600);
    };
    private(&chain, b"hush, no record");
    private(&previous, &good);
    offline(&signed_in)
        .exits(0)
        .has("chain.present", "ok", "")
        .has("chain.readable", "warn", "damaged");
    private(&previous, b"hush, no record");
    offline(&signed_in)
        .exits(1)
        .has("chain.present", "ok", "")
        .has("chain.readable", "fail", "pulsewing login")
        .has("chain.standing", "skipped", "chain.readable");
    let mut newer = good.clone();
    newer[4] = 2;
    private(&chain, &newer);
    offline(&signed_in)
        .exits(1)
        .has("chain.readable", "fail", "newer pulsewing (format 2)");
    assert_eq!(fs::read(&chain).unwrap(), newer);
    fs::remove_file(&chain).unwrap();
    fs::create_dir(&chain).unwrap();
    chmod(&chain, 0o700);
    let place = signed_in.home.path("state/pulsewing");
    let elsewhere = signed_in.home.path("elsewhere");
    fs::rename(place, &elsewhere).unwrap();
    let args = [
        "doctor",
        "--json",
        "--offline",
        "--state-dir",
        elsewhere.to_str().unwrap(),
    ];
    doctor(signed_in.program(&args))
        .exits(1)
        .has("chain.present", "skipped", "")
        .has("chain.readable", "fail", "could not be read");
}

#[test]
fn a_chain_that_may_not_be_refreshed_says_why() {
    let signed_in = SignedIn::fitbit();
    let path = signed_in.home.state("chain");
    let mut buffer = [0; MAX_RECORD];
    let stored = record(&signed_in.home, "chain");
    offline(&signed_in)
        .exits(0)
        .has("chain.standing", "ok", "in use");
    let refused = stored.chain.refused();
    fs::write(&path, refused.encode(&mut buffer).unwrap()).unwrap();
    offline(&signed_in)
        .exits(3)
        .has("chain.standing", "fail", "invalid_grant");
    let moving = stored.chain.with_standing(Standing::Moving);
    fs::write(&path, moving.encode(&mut buffer).unwrap()).unwrap();
    offline(&signed_in)
        .exits(3)
        .has("chain.standing", "fail", "board");
    let mut under_way = stored.clone();
    under_way.intent = Some(Intent {
        generation: stored.chain.generation(),
        first_sent_at: "2026-11-22T14:06:00Z".parse().unwrap(),
    });
    fs::write(&path, under_way.encode(&mut buffer).unwrap()).unwrap();
    offline(&signed_in)
        .exits(0)
        .has("chain.standing", "warn", "pulsewing once");
}

#[test]
fn a_chain_of_another_configuration_is_told_by_what_differs() {
    let signed_in = SignedIn::google();
    let good = configuration(&signed_in.sandbox, "google");
    let id = signed_in.sandbox.ready["google"]["client_id"]
        .as_str()
        .unwrap();
    for (config, words) in [
        (
            good.replace("\"google\"", "\"fitbit\""),
            "the configuration names fitbit",
        ),
        (
            good.replace(&signed_in.sandbox.url, "http://127.0.0.1:9"),
            "was issued by",
        ),
        (good.replace(id, "somebody-else"), "somebody-else"),
    ] {
        signed_in.home.configure(&config);
        offline(&signed_in)
            .exits(3)
            .has("chain.matches-config", "fail", words);
    }
    signed_in.home.configure(&good);
    offline(&signed_in)
        .exits(0)
        .has("chain.matches-config", "ok", "configured");
}

#[test]
fn a_google_app_in_testing_is_told_by_its_seven_days() {
    let signed_in = SignedIn::google_with(|home| {
        let sandbox = Sandbox::start(home, &["--now", "2026-11-22T14:00:00Z"]);
        sandbox.configure(&json!({ "testing_status": true }));
        sandbox
    });
    offline(&signed_in)
        .exits(0)
        .has("chain.expiry", "warn", "publish it")
        .has("chain.expiry", "warn", "in 6 days");
    signed_in.sandbox.advance(7 * 86_400);
    offline(&signed_in)
        .exits(3)
        .has("chain.expiry", "fail", "pulsewing login --provider google");
    offline(&SignedIn::google()).has("chain.expiry", "ok", "no known end date");
}

#[test]
fn what_was_not_allowed_is_told() {
    let signed_in = SignedIn::google();
    offline(&signed_in)
        .exits(0)
        .has("chain.scopes", "ok", "was allowed");
    let stored = record(&signed_in.home, "chain");
    for (scope, status, code, words) in [
        ("health_metrics_and_measurements", "warn", 0, "time zone"),
        ("settings", "fail", 3, "access to heart rate was not given"),
    ] {
        let scope = format!("https://www.googleapis.com/auth/googlehealth.{scope}.readonly");
        let grant = Grant {
            refresh: None,
            access: None,
            scopes: Some(Scopes::parse(&scope)),
            refresh_lifetime_s: None,
            user_id: None,
        };
        let granted = stored.chain.granted(grant, stored.chain.obtained_at());
        let mut buffer = [0; MAX_RECORD];
        let bytes = granted.encode(&mut buffer).unwrap();
        fs::write(signed_in.home.state("chain"), bytes).unwrap();
        offline(&signed_in)
            .exits(code)
            .has("chain.scopes", status, words);
    }
}
