//! A refresh token goes to its own issuer and client, and to nobody else.

use serde_json::json;

use crate::harness::{
    browser, loopback_http, recording,
    sandbox_process::Sandbox,
    secret_watch,
    signed_in::{OTHER_SEED, SEED, SignedIn, configuration},
};

#[test]
fn another_issuer_gets_nothing() {
    for provider in ["fitbit", "google"] {
        let signed_in = SignedIn::either(provider);
        let before = signed_in.chain();
        let other = Sandbox::with_recording(&signed_in.home, &recording::until_two(), "UTC");
        signed_in.home.configure(&configuration(&other, provider));
        signed_in
            .once()
            .exits(3)
            .says("a different provider, address or client")
            .says("pulsewing status");
        signed_in
            .run(&["logout"])
            .exits(1)
            .says(&signed_in.sandbox.url);
        assert_eq!(other.routes(), [""; 0], "{provider}");
        assert_eq!(signed_in.chain(), before);
    }
}

#[test]
fn another_client_and_another_provider_get_nothing() {
    for provider in ["fitbit", "google"] {
        let signed_in = SignedIn::either(provider);
        let requests = signed_in.sandbox.routes();
        let config = configuration(&signed_in.sandbox, provider);
        let id = signed_in.sandbox.ready[provider]["client_id"]
            .as_str()
            .unwrap();
        signed_in.home.configure(&config.replace(id, "another"));
        signed_in.once().exits(3);
        let other = if provider == "fitbit" {
            "google"
        } else {
            "fitbit"
        };
        signed_in
            .home
            .configure(&configuration(&signed_in.sandbox, other));
        signed_in.once().exits(3);
        assert_eq!(signed_in.sandbox.routes(), requests, "{provider}");
    }
}

#[test]
fn no_redirect_is_followed_with_a_token() {
    for (provider, route) in [("fitbit", "fitbit.heart"), ("google", "google.rollup")] {
        let signed_in = SignedIn::either(provider);
        let other = Sandbox::with_recording(&signed_in.home, &recording::until_two(), "UTC");
        let location = format!("{}/1/user/-/devices.json", other.url);
        let away = json!({ "status": 307, "body": "empty", "headers": { "location": location } });
        signed_in.fault(route, 0, &away);
        signed_in.once().exits(5);
        assert_eq!(other.routes(), [""; 0], "{provider}");
    }
}

#[test]
fn plain_http_leaves_the_machine_only_with_an_explicit_flag() {
    let signed_in = SignedIn::google();
    for key in ["base_url", "token_url", "api_url", "auth_url"] {
        let config = format!("[endpoints]\n{key} = \"http://192.0.2.1:8080\"\n");
        signed_in.home.configure(&config);
        signed_in
            .once()
            .exits(1)
            .says(&format!("[endpoints] {key}"))
            .says("anybody on the way can read the tokens")
            .says("allow_http");
    }
    // With the flag it is still another issuer than the sign-in's: nothing is sent.
    signed_in
        .home
        .configure("[endpoints]\nbase_url = \"http://192.0.2.1:8080\"\nallow_http = true\n");
    signed_in.once().exits(3);
}

#[test]
fn secrets_go_into_bodies_and_headers_and_never_into_a_path_or_a_log() {
    // The output of every run is searched for secrets; this run prints every detail.
    for (provider, word) in [
        ("fitbit", "devices.json: 200"),
        ("google", "pairedDevices: 200"),
    ] {
        let signed_in = SignedIn::either(provider);
        signed_in.run(&["once", "-v"]).exits(0).says(word);
        let login = signed_in.program(&["-v", "login", "--paste"]);
        browser::paste(login.printing_first().start()).exits(0);
        for request in signed_in.sandbox.requests() {
            secret_watch::assert_clean("a path", request["path"].as_str().unwrap());
        }
        signed_in.run(&["-v", "logout"]).exits(0);
    }
}

#[test]
fn a_provider_that_repeats_a_secret_in_its_error_is_not_repeated() {
    // Fitbit's errors quote the refused token or code.
    let signed_in = SignedIn::fitbit();
    let quoted = {
        let url = format!("{}/oauth2/token", signed_in.sandbox.url);
        let form = [("Content-Type", "application/x-www-form-urlencoded")];
        let body = format!("grant_type=refresh_token&client_id=23PWSB&refresh_token={OTHER_SEED}");
        loopback_http::exchange("POST", &url, &form, &body).body
    };
    assert!(quoted.contains(OTHER_SEED), "{quoted}");
    signed_in.sandbox.seed(OTHER_SEED);
    signed_in
        .run(&["once", "-v"])
        .exits(3)
        .says("/oauth2/token: 400")
        .says_nothing_of(SEED);
    let error = signed_in.status()["last_error"].clone();
    assert!(!error.as_str().unwrap().contains(SEED), "{error}");
}
