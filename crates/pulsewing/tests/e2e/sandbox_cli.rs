//! `sandbox`: its options, its ready line, its end.

use std::net::TcpListener;

use serde_json::json;

use crate::harness::{
    hermetic::Home, loopback_http, recording, sandbox_process::Sandbox, signed_in::SignedIn,
};

#[test]
fn the_ready_line_says_what_a_client_needs_and_nothing_follows_it() {
    let home = Home::new();
    let sandbox = Sandbox::start(&home, &[]);
    let ready = sandbox.ready.clone();
    assert!(
        ready["url"]
            .as_str()
            .unwrap()
            .starts_with("http://127.0.0.1:")
    );
    for (provider, keys) in [
        ("google", &["client_id", "client_secret"][..]),
        ("fitbit", &["client_id", "client_secret", "user_id"]),
    ] {
        let client = ready[provider].as_object().unwrap();
        assert_eq!(client.len(), keys.len(), "{provider}");
        assert!(
            keys.iter().all(|key| client[*key].is_string()),
            "{provider}"
        );
    }
    let process = sandbox.into_process();
    process.signal("TERM");
    let ended = process.finish().exits(0);
    assert_eq!(ended.stdout, format!("{ready}\n"));
    assert_eq!(ended.stderr, "");
}

#[test]
fn a_stop_signal_ends_it_also_with_a_reply_held_back() {
    for signal in ["TERM", "INT"] {
        let signed_in = SignedIn::fitbit();
        let once = signed_in.once_in_mid_refresh(3600);
        let process = signed_in.sandbox.into_process();
        process.signal(signal);
        process.finish().exits(0);
        once.kill();
    }
}

#[test]
fn it_listens_where_it_is_told() {
    let home = Home::new();
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap().to_string();
    home.program(&["sandbox", "--listen", &address])
        .run()
        .exits(1)
        .says("cannot listen on");
    drop(free);
    let sandbox = Sandbox::start(&home, &["--listen", &address]);
    assert_eq!(sandbox.url, format!("http://{address}"));
    let six = Sandbox::start(&home, &["--listen", "[::1]:0"]);
    assert_eq!(
        loopback_http::get(&format!("{}/_sandbox/clock", six.url)).status,
        200
    );
    home.run(&["sandbox", "--listen", "somewhere"]).exits(2);
}

#[test]
fn several_recordings_are_several_days_and_the_clock_starts_after_the_last() {
    let home = Home::new();
    let first = home.write(
        "first.csv",
        &recording::from_midnight("2026-11-20", [60; 30]),
    );
    let second = home.write(
        "second.csv",
        &recording::from_midnight("2026-11-21", [70; 20]),
    );
    let sandbox = Sandbox::start(
        &home,
        &["--data", &first, "--data", &second, "--zone", "Asia/Tokyo"],
    );
    // 00:19 in Tokyo, synced at half past, plus seven minutes.
    assert!(
        sandbox.now().starts_with("2026-11-20T15:37:0"),
        "{}",
        sandbox.now()
    );
    let told = Sandbox::start(&home, &["--data", &first, "--now", "2026-11-20T12:00:00Z"]);
    assert!(
        told.now().starts_with("2026-11-20T12:00:0"),
        "{}",
        told.now()
    );
}

#[test]
fn a_recording_that_is_none_is_told_with_its_line() {
    let home = Home::new();
    for (csv, words) in [
        ("", "contains no samples"),
        ("bpm,time\n", "line 1"),
        (
            "time,bpm\n2026-11-22T00:00:00,60\n2026-11-22T00:01:00;61\n",
            "line 3",
        ),
        (
            "time,bpm\n2026-11-22T00:00:00,60\n\nyesterday,61\n",
            "line 4",
        ),
        ("time,bpm\n2026-11-22T00:00:00,301\n", "line 2"),
    ] {
        let file = home.write("bad.csv", csv);
        for command in [&["sandbox"][..], &["demo", "--once"]] {
            let args = [command, &["--data", &file]].concat();
            home.run(&args).exits(1).says("bad.csv").says(words);
        }
    }
    home.run(&["sandbox", "--data", "none.csv"])
        .exits(1)
        .says("none.csv could not be read");
}

#[test]
fn a_zone_that_is_none_is_told() {
    let home = Home::new();
    home.run(&["sandbox", "--zone", "Mars/Olympus"])
        .exits(1)
        .says("Mars/Olympus")
        .says("Europe/Berlin");
}

#[test]
fn a_script_has_faults_and_a_wrong_one_is_told_with_its_line() {
    let script = "{\"route\":\"fitbit.token\",\"count\":2,\"do\":{\"drop\":\"after\"}}\n\n{\"route\":\"fitbit.devices\",\"do\":{\"status\":403}}\n";
    let signed_in = SignedIn::fitbit_with(|home| {
        let data = home.write("day.csv", &recording::until_two());
        let script = home.write("script.jsonl", script);
        Sandbox::start(home, &["--data", &data, "--script", &script])
    });
    let reading = signed_in.run(&["once", "--json"]).exits(0).json();
    assert_eq!(reading["battery_percent"], json!(null));
    assert_eq!(signed_in.token_requests(), 3);

    let wrong = signed_in
        .home
        .write("wrong.jsonl", "\n{\"route\":\"fitbit.hart\",\"do\":{}}\n");
    signed_in
        .home
        .run(&["sandbox", "--script", &wrong])
        .exits(1)
        .says("wrong.jsonl")
        .says("line 2");
}

#[test]
fn a_token_lives_as_long_as_it_is_told_to() {
    for provider in ["fitbit", "google"] {
        let sandbox = |home: &_| {
            Sandbox::start(
                home,
                &["--token-life", "600", "--now", "2026-11-22T14:07:00Z"],
            )
        };
        let signed_in = SignedIn::either_with(provider, sandbox);
        signed_in.once().exits(0);
        let before = signed_in.token_requests();
        signed_in.sandbox.advance(601);
        signed_in.once().exits(0);
        assert_eq!(signed_in.token_requests(), before + 1, "{provider}");
        let ends = signed_in.chain()["access_token_expires_at"].clone();
        assert!(
            ends.as_str().unwrap().starts_with("2026-11-22T14:27:0"),
            "{ends}"
        );
    }
    Home::new().run(&["sandbox", "--token-life", "0"]).exits(2);
}

#[test]
fn a_sandbox_has_as_many_wearers_as_it_is_told_to() {
    let home = Home::new();
    let sandbox = Sandbox::start(&home, &["--wearers", "2"]);
    assert_eq!(sandbox.ready["wearers"], 2);
    assert_eq!(sandbox.ready["fitbit"]["user_id"], "PW7SB1");
    for wrong in ["0", "100001", "two"] {
        home.run(&["sandbox", "--wearers", wrong]).exits(2);
    }
}

#[test]
fn a_made_up_wearer_lives_without_a_recording() {
    let home = Home::new();
    let sandbox = Sandbox::start(
        &home,
        &["--now", "2026-11-22T14:07:00Z", "--zone", "Europe/Berlin"],
    );
    assert!(sandbox.now().starts_with("2026-11-22T14:07:0"));
    drop(sandbox);
    let signed_in = SignedIn::google_with(|home| {
        Sandbox::start(
            home,
            &["--now", "2026-11-22T14:07:00Z", "--zone", "Europe/Berlin"],
        )
    });
    let reading = signed_in.run(&["once", "--json"]).exits(0).json();
    assert_eq!(reading["time_zone"], "Europe/Berlin");
    assert!(reading["window"].is_array(), "{reading}");
}
