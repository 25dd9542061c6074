//! Options and variables: their positions and meanings, and which values are refused.

use crate::harness::{hermetic::Home, signed_in::SignedIn};

#[test]
fn global_options_stand_before_or_after_the_command() {
    let home = Home::new();
    let elsewhere = home.path("elsewhere");
    let dir = elsewhere.to_str().unwrap();
    let config = home.write("mine.toml", "provider = \"fitbit\"\n");
    for args in [
        ["--state-dir", dir, "--config", &config, "status", "--json"],
        ["status", "--json", "--state-dir", dir, "--config", &config],
        ["--config", &config, "status", "--state-dir", dir, "--json"],
    ] {
        let status = home.run(&args).exits(0).json();
        assert_eq!(status["state_dir"], format!("{dir}/default"));
    }
}

#[test]
fn a_variable_that_is_set_to_nothing_counts_as_unset() {
    let home = Home::new();
    let mut status = home.program(&["status", "--json"]);
    for name in ["STATE_DIR", "CONFIG", "NOW", "VERBOSE", "COLOR", "JSON"] {
        status = status.env(&format!("PULSEWING_{name}"), "");
    }
    let status = status.run().exits(0).json();
    let usual = home.state("");
    assert_eq!(
        status["state_dir"].as_str().unwrap(),
        usual.to_str().unwrap().trim_end_matches('/')
    );
    // The same for the options of a single command.
    home.program(&["once"])
        .env("PULSEWING_SIZE", "")
        .env("PULSEWING_PNG", "")
        .env("PULSEWING_THEME", "")
        .run()
        .exits(3)
        .says("nobody has signed in yet");
    // An empty option is an error.
    home.run(&["status", "--state-dir", ""]).exits(2);
}

#[test]
fn every_option_is_a_variable_too() {
    let signed_in = SignedIn::google();
    let now = signed_in.sandbox.now();
    let reading = signed_in
        .home
        .program(&["once"])
        .env("PULSEWING_NOW", &now)
        .env("PULSEWING_JSON", "1")
        .env("PULSEWING_PNG", "by-variable.png")
        .env("PULSEWING_SIZE", "320x240")
        .env("PULSEWING_VERBOSE", "true")
        .run()
        .exits(0)
        .says("dataPoints:rollUp: 200")
        .json();
    assert_eq!(reading["provider"], "google");
    assert!(signed_in.home.work("by-variable.png").exists());
    for off in ["", "0", "false", "no"] {
        let once = signed_in
            .program(&["once"])
            .env("PULSEWING_JSON", off)
            .run()
            .exits(0);
        assert!(once.stdout.contains("Finished!"), "{off}: {}", once.stdout);
    }

    let home = Home::new();
    let elsewhere = home.path("elsewhere");
    let status = home
        .program(&["status", "--json"])
        .env("PULSEWING_STATE_DIR", &elsewhere)
        .run()
        .exits(0)
        .json();
    assert_eq!(
        status["state_dir"],
        elsewhere.join("default").to_str().unwrap()
    );
    home.program(&["status"])
        .env("PULSEWING_CONFIG", "/no/such/config.toml")
        .run()
        .exits(1)
        .says("/no/such/config.toml");
    // An option takes precedence over its variable.
    home.program(&["status", "--json", "--state-dir", "mine"])
        .env("PULSEWING_STATE_DIR", &elsewhere)
        .run()
        .exits(0);
    home.program(&["demo", "--once"])
        .env("PULSEWING_PROVIDER", "fitbit")
        .run()
        .exits(0)
        .says("A stand-in for Fitbit");
}

#[test]
fn without_xdg_variables_the_home_directory_has_everything() {
    let home = Home::new();
    let program = || {
        home.program(&["status", "--json"])
            .without_env("XDG_CONFIG_HOME")
            .without_env("XDG_STATE_HOME")
    };
    let status = program().run().exits(0).json();
    let expected = home.path("home/.local/state/pulsewing/default");
    assert_eq!(status["state_dir"], expected.to_str().unwrap());
    let dir = home.path("home/.config/pulsewing");
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::write(dir.join("config.toml"), "[screeen]\n").unwrap();
    program()
        .run()
        .exits(1)
        .says("the nearest key is \"screen\"");
}

#[test]
fn usage_errors_end_with_two_and_say_what_is_meant() {
    let home = Home::new();
    for (args, words) in [
        (&[][..], "Usage"),
        (&["nonsense"], "nonsense"),
        (&["statsu"], "status"),
        (&["status", "--jsn"], "--json"),
        (&["once", "--now", "yesterday"], "2026-11-22T14:07:00+01:00"),
        (
            &["once", "--now", "2026-11-22T14:07:00"],
            "2026-11-22T14:07:00+01:00",
        ),
        (&["once", "--size", "480"], "480x320"),
        (&["once", "--size", "1x1"], "160x80"),
        (&["once", "--theme", "plaid"], "plaid"),
        (&["login", "--provider", "garmin"], "garmin"),
        (&["demo", "--speed", "0"], "--speed"),
        (&["--color", "sometimes", "status"], "sometimes"),
    ] {
        home.run(args).exits(2).says(words);
    }
}

#[test]
fn help_and_version_are_data() {
    let home = Home::new();
    let version = home.run(&["--version"]).exits(0);
    assert_eq!(
        version.stdout,
        format!("pulsewing {}\n", env!("CARGO_PKG_VERSION"))
    );
    let help = home.run(&["--help"]).exits(0).stdout;
    for command in [
        "demo", "login", "logout", "adopt", "once", "status", "render", "sandbox",
    ] {
        assert!(help.contains(&format!("  {command} ")), "{help}");
        let one = home.run(&[command, "--help"]).exits(0).stdout;
        assert!(
            one.contains("--state-dir") && one.contains("PULSEWING_NOW"),
            "{one}"
        );
    }
    assert!(help.contains("Not a medical device"), "{help}");
}

#[test]
fn a_configuration_that_does_not_hold_is_told_and_not_shown() {
    let home = Home::new();
    for (text, words) in [
        (
            "[google]\nclient_idd = \"x\"",
            "the nearest key is \"google.client_id\"",
        ),
        ("providr = \"google\"", "the nearest key is \"provider\""),
        ("provider = \"garmin\"", "garmin"),
        (
            "provider = \"google\"\n[google]\nclient_secret = hush",
            "in line 3",
        ),
        ("[google]\nclient_secret = 7", "in line 2"),
        (
            "[wearer]\nzones = [90, 80, 70, 60]",
            "four ascending heart rates",
        ),
        ("[poll]\nevery = \"often\"", "15m"),
        ("poll = 3", "[poll]"),
    ] {
        home.configure(text);
        home.run(&["once"])
            .exits(1)
            .says(words)
            .says("config.toml")
            .says_nothing_of("hush");
    }
    home.run(&["once", "--config", "none.toml"])
        .exits(1)
        .says("none.toml could not be read");
}

#[test]
fn colours_are_for_terminals_and_for_whoever_asks() {
    let home = Home::new();
    home.run(&["once"]).exits(3).says_nothing_of("\x1b[");
    home.run(&["once", "--color", "never"])
        .exits(3)
        .says_nothing_of("\x1b[");
    home.run(&["once", "--color", "always"])
        .exits(3)
        .says("\x1b[31;1merror:\x1b[0m");
}

#[test]
fn proxies_of_the_environment_are_not_used_on_the_way_to_this_machine() {
    let signed_in = SignedIn::google();
    signed_in
        .program(&["once"])
        .env("http_proxy", "http://127.0.0.1:9")
        .env("ALL_PROXY", "http://127.0.0.1:9")
        .run()
        .exits(0);
}
