//! `adopt`: the original's settings, and the token from its board's memory.

use serde_json::json;

use crate::harness::{
    hermetic::Home,
    recording,
    sandbox_process::Sandbox,
    signed_in::{OTHER_SEED, SEED, SignedIn, configuration},
};

/// Returns a settings.toml such as the original's README asks for.
fn settings(first_refresh_token: &str) -> String {
    format!(
        "# Comments are allowed.\nCIRCUITPY_WIFI_SSID = \"net\"\nCIRCUITPY_WIFI_PASSWORD = \"hush\"\ntimezone = \"America/New_York\"\nFitbit_ClientID = \"23PWSB\"\nFitbit_Token = \"{OTHER_SEED}\"\nFitbit_First_Refresh_Token = \"{first_refresh_token}\"\nFitbit_UserID = \"PW7SB1\"\n"
    )
}

struct Bench {
    home: Home,
    sandbox: Sandbox,
    settings: String,
}

fn bench() -> Bench {
    let home = Home::new();
    let sandbox = Sandbox::with_recording(&home, &recording::until_two(), "UTC");
    sandbox.seed(SEED);
    home.configure(&configuration(&sandbox, "fitbit"));
    let settings = home.write("settings.toml", &settings(SEED));
    Bench {
        home,
        sandbox,
        settings,
    }
}

#[test]
fn the_first_refresh_token_is_taken_over_with_a_word_of_warning() {
    let Bench {
        home,
        sandbox,
        settings,
    } = bench();
    let now = sandbox.now();
    let adopt = home.run(&["adopt", &settings, "--now", &now]).exits(0);
    assert_eq!(adopt.stdout, "");
    adopt
        .says("probably spent at the sketch's first poll")
        .says("--nvm")
        .says("Wi-Fi")
        .says_nothing_of("hush");
    let chain = home.run(&["status", "--json"]).exits(0).json()["chain"].clone();
    assert_eq!(chain["provider"], "fitbit");
    assert_eq!(chain["client_id"], "23PWSB");
    assert_eq!(chain["user_id"], "PW7SB1");
    assert_eq!(chain["generation"], 1);
    assert_eq!(chain["access_token_expires_at"], json!(null));
    home.run(&["once", "--now", &now]).exits(0);
}

#[test]
fn a_first_refresh_token_that_was_spent_long_ago_is_found_out_at_the_first_poll() {
    let Bench {
        home,
        sandbox,
        settings,
    } = bench();
    // The sketch has continued with another one.
    sandbox.seed(OTHER_SEED);
    let now = sandbox.now();
    home.run(&["adopt", &settings, "--now", &now]).exits(0);
    home.run(&["once", "--now", &now]).exits(3);
    // The board's memory has the current one.
    home.program(&["adopt", &settings, "--nvm", "--now", &now])
        .stdin(OTHER_SEED)
        .run()
        .exits(0)
        .says_nothing_of("probably spent");
    home.run(&["once", "--now", &now]).exits(0);
    let chain = home.run(&["status", "--json"]).exits(0).json()["chain"].clone();
    assert_eq!(chain["generation"], 3);
}

#[test]
fn what_is_not_sixty_four_hexadecimal_characters_is_refused() {
    let Bench { home, settings, .. } = bench();
    for (text, words) in [
        ("", "0 characters"),
        (&SEED[1..], "63 characters"),
        (&format!("{SEED}0"), "65 characters"),
        (&SEED.replace('0', "g"), "64 hexadecimal characters"),
    ] {
        home.program(&["adopt", &settings, "--nvm"])
            .stdin(text)
            .run()
            .exits(1)
            .says(words)
            .says("microcontroller.nvm[0:64]");
    }
    assert!(!home.state("chain").exists());
}

#[test]
fn settings_that_lack_something_are_told_what() {
    let home = Home::new();
    for key in ["Fitbit_ClientID", "Fitbit_First_Refresh_Token"] {
        let text = settings(SEED).replace(key, "Something_Else");
        let file = home.write("settings.toml", &text);
        home.run(&["adopt", &file])
            .exits(1)
            .says(&format!("has no {key}"));
    }
    let file = home.write("settings.toml", &format!("Fitbit_ClientID = {SEED}"));
    home.run(&["adopt", &file])
        .exits(1)
        .says("is not a settings file of the original sketch");
    home.run(&["adopt", "no-such.toml"])
        .exits(1)
        .says("no-such.toml could not be read");
    home.run(&["adopt"]).exits(2);
}

#[test]
fn at_fitbits_own_address_it_is_said_that_the_service_is_gone() {
    let home = Home::new();
    let file = home.write("settings.toml", &settings(SEED));
    home.run(&["adopt", &file])
        .exits(0)
        .says("switched off on 2 November 2026")
        .says("pulsewing login --provider google");
}

#[test]
fn it_replaces_another_sign_in_with_a_higher_generation() {
    let signed_in = SignedIn::google();
    let settings = signed_in.home.write("settings.toml", &settings(SEED));
    signed_in.sandbox.seed(SEED);
    signed_in.run(&["adopt", &settings]).exits(0);
    let chain = signed_in.chain();
    assert_eq!(
        (&chain["provider"], &chain["generation"]),
        (&json!("fitbit"), &json!(2))
    );
}
