//! Alarms from the outside: log, page, API, metrics and the command line agree, and a restart tells nothing
//! twice.

use serde_json::Value;

use crate::harness::{
    daemon::Daemon, hermetic::Home, patience::until, recorder::Recorder, signed_in::SignedIn,
};

/// A wearer whose newest heart rate is 99 bpm, above a limit.
fn above_its_limit(provider: &str) -> SignedIn {
    let signed_in = SignedIn::either(provider);
    signed_in.home.configure_more("\n[alarms]\nhigh = 85\n");
    signed_in
}

fn alarms(signed_in: &SignedIn) -> Value {
    signed_in.run(&["alarms", "--json"]).exits(0).json()
}

/// Returns until when the alarm that matters most is snoozed, to the minute.
fn snoozed(alarms: &Value) -> String {
    let until = alarms["active"][0]["snoozed_until"].as_str().unwrap();
    until[..16].to_owned()
}

/// Returns what happened to alarms of a kind, in short.
fn happened(alarms: &Value, kind: &str) -> Vec<String> {
    let log = alarms["log"].as_array().unwrap().iter();
    log.filter(|entry| entry["kind"] == kind)
        .map(|entry| entry["what"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_high_rate_is_told_once_on_every_face() {
    for provider in ["google", "fitbit"] {
        let signed_in = above_its_limit(provider);
        let daemon = Daemon::start(&signed_in);
        let line = daemon.logs("kind=high");
        let sentence = "Heart rate high. 99 bpm at 13:59, above 85 since ";
        assert!(
            line.contains("event=raised") && line.contains(sentence),
            "{line}"
        );

        let told = alarms(&signed_in);
        assert_eq!(told["active"][0]["bpm"], 99);
        assert_eq!(told["active"][0]["measured_at"], "2026-11-22T13:59:00Z");
        assert_eq!(told["limits"]["high"], 85);
        assert_eq!(happened(&told, "high"), ["began", "raised"]);
        let words = signed_in.run(&["alarms"]).exits(0).stdout;
        assert!(
            words.starts_with("high (warning): Heart rate high. 99 bpm at 13:59"),
            "{words}"
        );
        assert!(words.contains("Not a medical device"), "{words}");

        let page = daemon.get("/").body;
        assert!(
            page.contains("role=\"alert\" data-level=\"warning\""),
            "{page}"
        );
        assert!(page.contains("<title>Heart rate high. 99 bpm"), "{page}");
        let of_api = daemon.json("/api/v1/alarms");
        assert_eq!(
            of_api["active"][0]["sentence"],
            told["active"][0]["sentence"]
        );
        assert_eq!(of_api["log"], told["log"]);
        let metrics = daemon.get("/metrics").body;
        for (level, value) in [("warning", 1), ("urgent", 0)] {
            let line = format!(
                "pulsewing_alarm{{wearer=\"default\",kind=\"high\",level=\"{level}\"}} {value}\n"
            );
            assert!(metrics.contains(&line), "{metrics}");
        }
        daemon.stop();
        // Nobody polls now; a restart finds everything as it was, and tells nothing again.
        assert_eq!(alarms(&signed_in)["active"], told["active"]);
        let daemon = Daemon::updated(&signed_in);
        daemon.stop();
        assert_eq!(happened(&alarms(&signed_in), "high"), ["began", "raised"]);
    }
}

#[test]
fn whoever_has_seen_an_alarm_says_so_on_the_page_in_a_call_or_in_a_terminal() {
    let signed_in = above_its_limit("google");
    let daemon = Daemon::start(&signed_in);
    daemon.logs("kind=high");
    let is_loud = || daemon.get("/").body.contains("role=\"alert\"");
    assert!(is_loud());
    let reply = daemon.post("/alarms", "kind=high&level=warning&do=30");
    assert_eq!(reply.status, 303, "{}", reply.body);
    assert!(!is_loud());
    assert_eq!(snoozed(&alarms(&signed_in)), "2026-11-22T14:37");

    // In a terminal, while the daemon has the alarms.
    signed_in
        .run(&["alarms", "snooze", "high", "2h"])
        .exits(0)
        .prints("No signals of high until 16:07.");
    let told = daemon.json("/api/v1/alarms");
    assert_eq!(snoozed(&told), "2026-11-22T16:07");
    signed_in.run(&["alarms", "ack", "high"]).exits(0);
    until("an acknowledged alarm", || {
        let page = daemon.get("/").body;
        page.contains("Heart rate high: seen.").then_some(())
    });
    for (path, status) in [
        ("/api/v1/alarms/high/snooze?minutes=60", 204),
        ("/api/v1/alarms/high/acknowledge", 204),
        ("/api/v1/alarms/high/snooze?minutes=0", 400),
        ("/api/v1/alarms/high/snooze?minutes=60&level=loud", 400),
        ("/api/v1/alarms/loud/acknowledge", 404),
    ] {
        let reply = daemon.ask("POST", path, &[]);
        assert_eq!(reply.status, status, "{path}: {}", reply.body);
    }
    for form in [
        "do=30",
        "kind=high&level=warning&do=9999",
        "kind=x&level=warning&do=30",
    ] {
        assert_eq!(daemon.post("/alarms", form).status, 400, "{form}");
    }
    // Another page must not silence anything.
    let foreign = [("Origin", "https://elsewhere.example")];
    let reply = daemon.ask("POST", "/api/v1/alarms/high/acknowledge", &foreign);
    assert_eq!(reply.status, 403);
    daemon.stop();

    // Nobody polls: the same, without a daemon.
    signed_in
        .run(&["alarms", "snooze", "high-urgent", "morning"])
        .exits(0)
        .prints("No signals of high until ");
    let told = alarms(&signed_in);
    // It is twelve hours at the most.
    assert_eq!(snoozed(&told), "2026-11-23T02:07");
    let log = happened(&told, "high");
    assert_eq!(
        log.iter().filter(|what| *what == "raised").count(),
        1,
        "{log:?}"
    );
    assert_eq!(
        log.iter().filter(|what| *what == "snoozed").count(),
        4,
        "{log:?}"
    );
}

#[test]
fn a_message_goes_out_once_and_its_button_snoozes() {
    let signed_in = above_its_limit("google");
    let (messages, switch) = (Recorder::start(), Recorder::start());
    let file = |name: &str, text: &str| {
        let path = signed_in.home.path(&format!("config/pulsewing/{name}"));
        std::fs::write(path, text).unwrap();
    };
    file("secret", "0123456789abcdef");
    file("button", "abcdef0123456789");
    signed_in.home.configure_more(&format!(
        r#"
        ping = "{}/uuid"
        [[alarms.send]]
        to = "webhook"
        name = "lamp"
        url = "{url}/hook"
        secret_file = "secret"
        detail = "value"
        [[alarms.send]]
        to = "ntfy"
        url = "{url}"
        topic = "pulse"
        snooze_token_file = "button"
        [web]
        passphrase = "correct horse"
        public_url = "http://localhost"
        "#,
        switch.url,
        url = messages.url
    ));
    let daemon = Daemon::start(&signed_in);
    daemon.logs("kind=high");
    let taken = [messages.next(), messages.next()];
    let by = |line: &str| taken.iter().find(|it| it.line == line).unwrap();
    let hook = by("POST /hook");
    assert_eq!(hook.json()["kind"], "high");
    assert!(
        hook.body.contains("99 bpm at 13:59, above 85"),
        "{}",
        hook.body
    );
    // What is not asked for does not leave the house.
    let ntfy = by("POST /");
    let message = &ntfy.json()["message"];
    assert_eq!(message, "Heart rate high (8 min ago)");
    let action = &ntfy.json()["actions"][0];
    let url = action["url"].as_str().unwrap();
    let path = url.strip_prefix("http://localhost").unwrap();
    assert_eq!(
        path,
        "/api/v1/wearers/default/alarms/high/snooze?minutes=30&level=warning"
    );
    assert_eq!(switch.next().line, "GET /uuid");

    // The button needs its token, which is good for nothing else.
    let bearer = action["headers"]["Authorization"].as_str().unwrap();
    let with = |value: &str, method: &str, path: &str| {
        daemon.ask(method, path, &[("Authorization", value)]).status
    };
    assert_eq!(with("Bearer abcdef0123456780", "POST", path), 401);
    assert_eq!(with(bearer, "GET", "/api/v1/now"), 401);
    assert_eq!(
        with(
            bearer,
            "POST",
            "/api/v1/wearers/default/alarms/high/acknowledge"
        ),
        401
    );
    assert_eq!(with(bearer, "POST", path), 204);
    assert!(alarms(&signed_in)["active"][0]["snoozed_until"].is_string());
    let basic = ("Authorization", "Basic OmNvcnJlY3QgaG9yc2U=");
    let metrics = until("counted messages", || {
        let metrics = daemon.ask("GET", "/metrics", &[basic]).body;
        let line = "pulsewing_alarm_signals_total{channel=\"lamp\",result=\"sent\"} 1\n";
        metrics.contains(line).then_some(metrics)
    });
    assert!(
        metrics.contains("{channel=\"ntfy\",result=\"failed\"} 0\n"),
        "{metrics}"
    );
    daemon.stop();

    // After a restart nothing is told again, and a test message says that it is one.
    let daemon = Daemon::updated(&signed_in);
    assert_eq!(switch.next().line, "GET /uuid");
    daemon.stop();
    assert!(messages.already().is_none());
    signed_in
        .run(&["alarms", "test", "lamp"])
        .exits(0)
        .says("lamp: the test message was taken.");
    assert_eq!(messages.next().json()["event"], "test");
    signed_in
        .run(&["alarms", "test", "bell"])
        .exits(1)
        .says("there is lamp, ntfy");
}

#[test]
fn what_cannot_be_silenced_is_told_in_words() {
    let signed_in = SignedIn::either("google");
    signed_in
        .run(&["alarms"])
        .exits(0)
        .prints("No alarm is active.\nLimits: stale 2 h, battery 20 %.");
    for (args, code, words) in [
        (&["ack", "high"][..], 1, "no alarm of the kind high"),
        (&["ack", "loud"], 2, "high, low, stale, battery"),
        (&["snooze", "sync-urgent", "30m"], 2, "never urgent"),
        (&["snooze", "high", "soon"], 2, "30m or 2h"),
    ] {
        let args = [&["alarms"], args].concat();
        signed_in.run(&args).exits(code).says(words);
    }
    // Nothing is written by looking.
    let home = Home::new();
    home.run(&["alarms"]).exits(0);
    assert!(!home.state("").exists());
    home.configure("[alarms]\nhigh = 100\nlow = 110\n");
    home.run(&["run"]).exits(1).says("110 is not below 100");
}
