//! The chain's files: their lock, damage to them, and who may read them.

use std::{fs, os::unix::fs::PermissionsExt};

use pulsewing_core::chain::codec::MAX_RECORD;
use serde_json::Value;

use crate::harness::signed_in::{FITBIT_LIFE, SignedIn, configuration, record};

#[test]
fn the_files_are_their_owners_alone() {
    for provider in ["google", "fitbit"] {
        let signed_in = SignedIn::either(provider).after_once();
        let mode = |name: &str| {
            let file = fs::metadata(signed_in.home.state(name)).unwrap();
            file.permissions().mode() & 0o777
        };
        assert_eq!(mode(""), 0o700);
        for name in ["chain", "chain.lock", "state.json"] {
            assert_eq!(mode(name), 0o600, "{name}");
        }
        assert_eq!(fs::read(signed_in.home.state("chain.lock")).unwrap(), b"");
    }
}

#[test]
fn a_lock_that_somebody_else_holds_is_waited_for() {
    let signed_in = SignedIn::fitbit();
    let lock = signed_in.locked();
    let mut once = signed_in.program(&["once"]).start();
    // Long enough for a program that ignores the lock to have sent something.
    std::thread::park_timeout(std::time::Duration::from_secs(2));
    assert!(once.is_running());
    assert_eq!(signed_in.sandbox.routes(), [""; 0]);
    lock.unlock().unwrap();
    once.finish().exits(0);
    signed_in.assert_chain_goes_on();
}

#[test]
fn damage_falls_back_to_the_copy_that_the_refresh_made() {
    for damage in ["flipped", "torn", "empty"] {
        let signed_in = SignedIn::fitbit();
        let once = signed_in.once_in_mid_refresh(1);
        once.kill();
        let path = signed_in.home.state("chain");
        let mut bytes = fs::read(&path).unwrap();
        match damage {
            "flipped" => bytes[40] ^= 1,
            "torn" => bytes.truncate(bytes.len() / 2),
            _ => bytes.clear(),
        }
        fs::write(&path, bytes).unwrap();
        signed_in
            .once()
            .exits(0)
            .says("using the previous generation");
        signed_in.assert_chain_goes_on();
        assert_eq!(signed_in.chain()["generation"], 2, "{damage}");
    }
}

#[test]
fn damage_to_both_copies_is_said_and_nothing_is_sent_or_changed() {
    let signed_in = SignedIn::fitbit();
    for name in ["chain", "chain.prev"] {
        fs::write(signed_in.home.state(name), "hush, no record").unwrap();
        fs::set_permissions(
            signed_in.home.state(name),
            fs::Permissions::from_mode(0o600),
        )
        .unwrap();
    }
    for command in ["once", "status", "logout"] {
        signed_in
            .run(&[command])
            .exits(1)
            .says("the stored sign-in is damaged")
            .says_nothing_of("hush");
    }
    assert_eq!(signed_in.sandbox.routes(), [""; 0]);
    assert_eq!(
        fs::read(signed_in.home.state("chain")).unwrap(),
        b"hush, no record"
    );
}

#[test]
fn an_error_of_the_file_system_is_no_reason_to_go_back_a_generation() {
    let signed_in = SignedIn::fitbit().after_once();
    assert!(signed_in.home.state("chain.prev").exists());
    signed_in.sandbox.advance(FITBIT_LIFE);
    let requests = signed_in.sandbox.requests().len();
    // A directory can be opened, but nobody can read it as a file.
    let (chain, aside) = (signed_in.home.state("chain"), signed_in.home.path("aside"));
    fs::rename(&chain, &aside).unwrap();
    fs::create_dir(&chain).unwrap();
    signed_in
        .once()
        .exits(1)
        .says("could not be read")
        .says("chain is a directory, not a file")
        .says(&format!("hint: move {} out of the way", chain.display()));
    assert_eq!(signed_in.sandbox.requests().len(), requests);
    fs::remove_dir(&chain).unwrap();
    fs::rename(&aside, &chain).unwrap();
    signed_in.once().exits(0);
    signed_in.assert_chain_goes_on();
}

#[test]
fn a_newer_format_is_refused_and_left_untouched() {
    let signed_in = SignedIn::fitbit();
    let path = signed_in.home.state("chain");
    let mut bytes = fs::read(&path).unwrap();
    bytes[4] = 2;
    fs::write(&path, &bytes).unwrap();
    for command in ["once", "status", "logout"] {
        signed_in
            .run(&[command])
            .exits(1)
            .says("written by a newer pulsewing (format 2)");
    }
    assert_eq!(fs::read(&path).unwrap(), bytes);
    assert_eq!(signed_in.sandbox.routes(), [""; 0]);
}

#[test]
fn an_intent_of_another_generation_is_ignored() {
    // A record with an intent for generation one, and one of generation two without.
    let signed_in = SignedIn::fitbit();
    let once = signed_in.once_in_mid_refresh(1);
    once.kill();
    let mut with_intent = record(&signed_in.home, "chain");
    signed_in.once().exits(0);
    let requests = signed_in.token_requests();

    let current = record(&signed_in.home, "chain");
    assert_eq!((current.chain.generation(), current.intent), (2, None));
    with_intent.chain = current.chain;
    let mut buffer = [0; MAX_RECORD];
    let bytes = with_intent.encode(&mut buffer).unwrap();
    fs::write(signed_in.home.state("chain"), bytes).unwrap();
    signed_in.once().exits(0);
    assert_eq!(signed_in.token_requests(), requests);
}

#[test]
fn a_state_file_that_is_lost_or_damaged_costs_nothing_but_requests() {
    let signed_in = SignedIn::google().after_once();
    for text in ["{", "", "[]", "{\"pacing\":{\"recent\":[1,2,3]}}"] {
        let path = signed_in.home.state("state.json");
        fs::write(&path, text).unwrap();
        signed_in.once().exits(0);
    }
    fs::remove_file(signed_in.home.state("state.json")).unwrap();
    let status = signed_in.status();
    assert_eq!(status["last_success"], Value::Null);
    signed_in.once().exits(0);
}

#[test]
fn a_configuration_that_others_can_read_is_warned_about_and_used() {
    let signed_in = SignedIn::google();
    let path = signed_in.home.path("config/pulsewing/config.toml");
    let named = path.to_str().unwrap().to_owned();
    for args in [&["once"][..], &["once", "--config", &named]] {
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        signed_in
            .run(args)
            .exits(0)
            .says("others on this machine can read")
            .says("chmod 600");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        signed_in.run(args).exits(0).says_nothing_of("others");
    }
    let config = configuration(&signed_in.sandbox, "google");
    assert!(config.contains("client_secret"));
}
