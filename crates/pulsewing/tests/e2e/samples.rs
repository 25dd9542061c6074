//! Samples that programs push: tokens, the call, the history, and the live rate everywhere.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::harness::{
    daemon::Daemon,
    hermetic::Program,
    household::Household,
    loopback_http::{self, Reply},
    patience, secret_watch,
    signed_in::SignedIn,
};

const JSON: &str = "application/json";

/// Makes a token with this program.
fn made(program: Program) -> String {
    let printed = program.showing_secrets().run().exits(0).stdout;
    let token = printed.strip_prefix("token: ").unwrap().trim_end();
    assert_eq!(token.len(), 64, "{printed}");
    token.to_owned()
}

fn token(signed_in: &SignedIn, source: &str) -> String {
    made(signed_in.program(&["wearer", "token", "default", "--source", source]))
}

fn send(daemon: &Daemon, path: &str, token: &str, kind: &str, body: &str) -> Reply {
    let bearer = format!("Bearer {token}");
    let headers = [("Authorization", bearer.as_str()), ("Content-Type", kind)];
    loopback_http::exchange("POST", &format!("{}{path}", daemon.url), &headers, body)
}

/// Pushes samples of the only wearer.
fn push(daemon: &Daemon, token: &str, samples: &Value) -> Reply {
    let path = "/api/v1/wearers/default/samples";
    send(daemon, path, token, JSON, &samples.to_string())
}

/// The daemon's present.
fn now(daemon: &Daemon) -> Timestamp {
    let now = daemon.json("/api/v1/now");
    now["now"].as_str().unwrap().parse().unwrap()
}

/// A sample of some seconds before the daemon's present.
fn ago(daemon: &Daemon, seconds: i64, bpm: u16) -> Value {
    json!({"at": (now(daemon) - SignedDuration::from_secs(seconds)).to_string(), "bpm": bpm})
}

/// The rate of a minute of the day in the history.
fn minute(daemon: &Daemon, time: &str) -> Option<u64> {
    let day = daemon.json("/api/v1/days/2026-11-22");
    let minutes = day["minutes"].as_array().unwrap();
    minutes.iter().find(|it| it["time"] == time)?["bpm"].as_u64()
}

/// The time and the rate of the newest minute.
fn latest(daemon: &Daemon) -> (String, u64) {
    let latest = &daemon.json("/api/v1/now")["reading"]["latest"];
    let time = latest["time"].as_str().unwrap();
    (time.to_owned(), latest["bpm"].as_u64().unwrap())
}

fn at(time: &str, bpm: u16) -> Value {
    json!({"at": format!("2026-11-22T{time}Z"), "bpm": bpm})
}

#[test]
fn minutes_are_averaged_per_source_and_come_before_the_clouds() {
    let signed_in = SignedIn::google_today();
    let strap = token(&signed_in, "strap");
    let watch = token(&signed_in, "watch");
    let daemon = Daemon::updated(&signed_in);
    let cloud = minute(&daemon, "13:30").unwrap();
    assert_ne!(cloud, 151);
    let samples = json!([at("13:30:01", 150), at("13:30:30", 151), at("14:01:00", 99)]);
    let reply = push(&daemon, &strap, &samples);
    assert_eq!(reply.status, 200, "{}", reply.body);
    let expected = json!({
        "source": "strap", "accepted": 3, "known": 0, "refused": 0, "reasons": []
    });
    assert_eq!(reply.json(), expected);
    // The mean, rounded half up; the cloud has nothing of 14:01 yet.
    assert_eq!(minute(&daemon, "13:30"), Some(151));
    assert_eq!(minute(&daemon, "14:01"), Some(99));
    assert_eq!(push(&daemon, &strap, &samples).json()["known"], 3);
    // The newest source wins a minute, and nothing is averaged across sources.
    push(&daemon, &watch, &json!([at("13:30:59", 120)]));
    push(&daemon, &strap, &json!([at("13:31:00", 140)]));
    assert_eq!(minute(&daemon, "13:30"), Some(120));
    assert_eq!(minute(&daemon, "13:31"), Some(140));
    // The page and the API show the newest minute, also after the cloud was asked again.
    assert_eq!(latest(&daemon), ("14:01".to_owned(), 99));
    daemon.post("/update", "");
    daemon.logs("updated bpm=");
    patience::until("the update is shown", || {
        let now = daemon.json("/api/v1/now");
        (now["activity"] == "waiting").then_some(())
    });
    assert_eq!(latest(&daemon), ("14:01".to_owned(), 99));
    daemon.stop();
    // It survives a restart, and an export says where the minutes came from.
    let daemon = Daemon::updated(&signed_in);
    assert_eq!(latest(&daemon), ("14:01".to_owned(), 99));
    assert_eq!(minute(&daemon, "13:30"), Some(120));
    daemon.stop();
    let exported = signed_in.program(&["export", "--format", "json"]).run();
    let exported = exported.exits(0).stdout;
    let line = |time: &str| {
        let wanted = format!("2026-11-22T{time}:00");
        let mut lines = exported.lines();
        let line = lines.find(|line| line.contains(&wanted)).unwrap();
        serde_json::from_str::<Value>(line).unwrap()
    };
    assert_eq!(line("13:30")["source"], "push/watch");
    assert_eq!(line("14:01")["source"], "push/strap");
    assert_eq!(line("13:29").get("source"), None);
    // Read back elsewhere, the minutes are the same.
    let file = signed_in.home.write("exported.json", &exported);
    let other = signed_in.home.path("other");
    let other = other.to_str().unwrap();
    let there = |args: &[&str]| {
        let args = [args, &["--state-dir", other]].concat();
        signed_in.program(&args).run().exits(0).stdout
    };
    there(&["import", "--zone", "UTC", &file]);
    let back = there(&["export"]);
    assert!(back.contains("2026-11-22 13:30:00,120,"), "{back}");
}

#[test]
fn what_is_refused_is_told_precisely() {
    let signed_in = SignedIn::google_today();
    let strap = token(&signed_in, "strap");
    let daemon = Daemon::updated(&signed_in);
    let day = 24 * 3_600;
    let samples = json!([
        ago(&daemon, 31 * day - 60, 60),
        ago(&daemon, 31 * day + 60, 61),
        ago(&daemon, -30, 62),
        ago(&daemon, -120, 63),
        ago(&daemon, 120, 0),
        ago(&daemon, 120, 301),
        {"at": "yesterday", "bpm": 70},
        ago(&daemon, 180, 300),
    ]);
    let reply = push(&daemon, &strap, &samples);
    assert_eq!(reply.status, 200, "{}", reply.body);
    let told = reply.json();
    assert_eq!(
        (&told["accepted"], &told["refused"]),
        (&json!(3), &json!(5))
    );
    let reasons: Vec<(&str, u64, u64)> = told["reasons"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| {
            let number = |name: &str| it[name].as_u64().unwrap();
            (
                it["reason"].as_str().unwrap(),
                number("count"),
                number("first"),
            )
        })
        .collect();
    let expected = [
        ("time", 1, 7),
        ("too-old", 1, 2),
        ("future", 1, 4),
        ("rate", 2, 5),
    ];
    assert_eq!(reasons, expected);
    let all_old = push(&daemon, &strap, &json!([ago(&daemon, 32 * day, 60)]));
    assert_eq!(all_old.status, 422, "{}", all_old.body);
    assert_eq!(all_old.json()["reasons"][0]["words"], "older than 31 days");

    let path = "/api/v1/wearers/default/samples";
    let too_many = format!(
        "[{}]",
        vec![at("13:00:00", 70).to_string(); 10_001].join(",")
    );
    let large = " ".repeat(1_000_001);
    for (kind, body, status, words) in [
        (JSON, "{\"at\":1}", 400, "line 1 column 0"),
        (JSON, "[{\"bpm\":70}]", 400, "missing field `at`"),
        (JSON, too_many.as_str(), 413, "more than 10000 samples"),
        (JSON, large.as_str(), 413, "1000000 bytes"),
        (
            "text/plain",
            "heart_rate bpm",
            400,
            "line 1 is not line protocol",
        ),
        (
            "application/x-www-form-urlencoded",
            "a=b",
            415,
            "Content-Type",
        ),
    ] {
        let reply = send(&daemon, path, &strap, kind, body);
        assert_eq!(reply.status, status, "{kind}: {}", reply.body);
        let error = reply.json()["error"].as_str().unwrap().to_owned();
        assert!(error.contains(words), "{error}");
    }
    let lines = "hr,device=x bpm=71i 1795354800\nhr bpm=73 1795354830\n";
    let reply = send(
        &daemon,
        &format!("{path}?precision=s"),
        &strap,
        "text/plain; charset=utf-8",
        lines,
    );
    assert_eq!(reply.json()["accepted"], 2, "{}", reply.body);
    // 1795354800 is 13:40.
    assert_eq!(minute(&daemon, "13:40"), Some(72));
    let reply = send(
        &daemon,
        &format!("{path}?precision=h"),
        &strap,
        "text/plain",
        lines,
    );
    assert_eq!(reply.status, 400);
    daemon.stop();
}

#[test]
fn a_token_opens_this_call_for_its_wearer_and_nothing_else() {
    let household = Household::of("google", &["anna", "ben"]);
    household
        .home
        .configure_more("[web]\npassphrase = \"correct horse\"\n");
    let anna = made(household.program(&["wearer", "token", "anna", "--source", "strap"]));
    let daemon = household.daemon();
    let of = |id: &str, token: &str| {
        let path = format!("/api/v1/wearers/{id}/samples");
        send(
            &daemon,
            &path,
            token,
            JSON,
            &json!([at("14:00:00", 70)]).to_string(),
        )
    };
    assert_eq!(of("anna", &anna).status, 200);
    // Nobody learns from the replies who the wearers are.
    let bodies = ["ben", "nobody"].map(|id| {
        let reply = of(id, &anna);
        assert_eq!(reply.status, 401, "{id}");
        assert!(
            reply
                .header("www-authenticate")
                .unwrap()
                .starts_with("Bearer")
        );
        reply.body
    });
    assert_eq!(bodies[0], bodies[1]);
    assert_eq!(of("anna", "wrong").status, 401);
    let bearer = format!("Bearer {anna}");
    for (method, path) in [
        ("GET", "/api/v1/wearers/anna/now"),
        ("GET", "/api/v1/wearers/anna/samples"),
        ("GET", "/metrics"),
        ("POST", "/w/anna/update"),
    ] {
        let reply = daemon.ask(method, path, &[("Authorization", &bearer)]);
        assert_eq!(reply.status, 401, "{method} {path}");
    }
    // The passphrase is no token; a page elsewhere may not send, even with one.
    let path = "/api/v1/wearers/anna/samples";
    let basic = [("Authorization", "Basic eDpjb3JyZWN0IGhvcnNl")];
    assert_eq!(daemon.ask("POST", path, &basic).status, 401);
    let elsewhere = [
        ("Authorization", bearer.as_str()),
        ("Origin", "https://evil.example"),
        ("Content-Type", JSON),
    ];
    assert_eq!(daemon.ask("POST", path, &elsewhere).status, 403);

    // A revoked token is not accepted any more, at once.
    let list = household
        .run(&["wearer", "token", "anna", "--list", "--json"])
        .exits(0);
    assert_eq!(list.json()[0]["source"], "strap");
    secret_watch::assert_clean("the list", &list.stdout);
    let newer = made(household.program(&["wearer", "token", "anna", "--source", "strap"]));
    assert_eq!(of("anna", &anna).status, 401);
    assert_eq!(of("anna", &newer).status, 200);
    household
        .run(&["wearer", "token", "anna", "--revoke", "strap"])
        .exits(0);
    assert_eq!(of("anna", &newer).status, 401);
    household
        .run(&["wearer", "token", "anna", "--revoke", "strap"])
        .exits(1);
    household.run(&["wearer", "token", "anna"]).exits(2);
    household
        .run(&["wearer", "token", "--source", "strap"])
        .exits(2);
    household
        .run(&["wearer", "token", "anna", "--source", "My Strap"])
        .exits(2);
    household
        .run(&["wearer", "token", "nobody", "--source", "strap"])
        .exits(2);
    let ended = daemon.stop();
    assert!(!ended.stderr.contains(&anna) && !ended.stderr.contains(&newer));
}

#[test]
fn too_many_calls_of_a_source_are_held_off_and_another_one_is_not() {
    let signed_in = SignedIn::google_today();
    let strap = token(&signed_in, "strap");
    let watch = token(&signed_in, "watch");
    let daemon = Daemon::updated(&signed_in);
    let samples = json!([]);
    let refused = (0..200).find_map(|_| {
        let reply = push(&daemon, &strap, &samples);
        (reply.status != 200).then_some(reply)
    });
    let refused = refused.unwrap();
    assert_eq!(refused.status, 429, "{}", refused.body);
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=61).contains(&wait), "{wait}");
    assert_eq!(push(&daemon, &watch, &samples).status, 200);
    daemon.stop();
}

#[test]
fn a_sample_of_now_is_live_in_every_view_and_then_becomes_its_minute() {
    let signed_in = SignedIn::google_today();
    let strap = token(&signed_in, "strap");
    // The minute ends in thirteen seconds, when the sample is not live any more.
    let program = signed_in.home.program(&[
        "run",
        "--listen",
        "127.0.0.1:0",
        "--now",
        "2026-11-22T14:07:47Z",
    ]);
    let daemon = Daemon::of(program);
    daemon.logs("updated bpm=");
    let before = daemon.get("/frame.png").body;
    assert_eq!(daemon.json("/api/v1/now")["live"], Value::Null);
    let reply = push(
        &daemon,
        &strap,
        &json!([ago(&daemon, 2, 147), ago(&daemon, 1, 148)]),
    );
    assert_eq!(reply.json()["accepted"], 2, "{}", reply.body);
    let told = daemon.json("/api/v1/now");
    let live = &told["live"];
    assert_eq!(
        (&live["bpm"], &live["source"]),
        (&json!(148), &json!("strap"))
    );
    assert!(
        (1..=10).contains(&live["age_s"].as_i64().unwrap()),
        "{live}"
    );
    assert_eq!(told["reading"]["freshness"], "fresh");
    let page = daemon.get("/").body;
    assert!(
        page.contains(">148</span>") && page.contains(">Live</span>"),
        "{page}"
    );
    assert!(page.contains(" s ago</time>"), "{page}");
    assert_ne!(daemon.get("/frame.png").body, before);
    // The newest minute stays the cloud's until this one is complete.
    assert_eq!(told["reading"]["latest"]["time"], "13:59");
    patience::until("it is not live any more", || {
        let told = daemon.json("/api/v1/now");
        (told["live"] == Value::Null).then_some(())
    });
    assert!(!daemon.get("/").body.contains(">Live</span>"));
    patience::until("the minute is in the history", || minute(&daemon, "14:07"));
    assert_eq!(minute(&daemon, "14:07"), Some(148));
    assert_eq!(latest(&daemon), ("14:07".to_owned(), 148));
    daemon.stop();
}

#[test]
fn an_unfinished_minute_outlives_a_restart() {
    let signed_in = SignedIn::google_today();
    let strap = token(&signed_in, "strap");
    let at_time = |time: &str| {
        let now = format!("2026-11-22T{time}Z");
        let args = ["run", "--listen", "127.0.0.1:0", "--now", &now];
        let daemon = Daemon::of(signed_in.home.program(&args));
        daemon.logs("updated bpm=");
        daemon
    };
    let daemon = at_time("14:07:10");
    push(
        &daemon,
        &strap,
        &json!([at("14:07:01", 100), at("14:07:02", 100)]),
    );
    assert_eq!(minute(&daemon, "14:07"), None);
    daemon.stop();
    let daemon = at_time("14:08:40");
    // It was complete at the start.
    patience::until("the minute is in the history", || minute(&daemon, "14:07"));
    push(&daemon, &strap, &json!([at("14:07:03", 130)]));
    assert_eq!(minute(&daemon, "14:07"), Some(110));
    daemon.stop();
    assert!(!signed_in.home.state("live.json").exists());
}

#[test]
fn a_wearer_without_an_account_has_a_page_of_what_is_pushed() {
    let household = Household::of("google", &["anna"]);
    let strap = made(household.program(&["wearer", "token", "anna", "--source", "strap"]));
    let daemon = household.daemon();
    let path = "/api/v1/wearers/anna/samples";
    let now: Timestamp = {
        let told = daemon.json("/api/v1/wearers/anna/now");
        told["now"].as_str().unwrap().parse().unwrap()
    };
    let recent = json!([
        {"at": (now - SignedDuration::from_secs(200)).to_string(), "bpm": 64},
        {"at": now.to_string(), "bpm": 66},
    ]);
    let reply = send(&daemon, path, &strap, JSON, &recent.to_string());
    assert_eq!(reply.json()["accepted"], 2, "{}", reply.body);
    let told = daemon.json("/api/v1/wearers/anna/now");
    assert_eq!(told["live"]["bpm"], 66, "{told}");
    assert_eq!(told["reading"]["latest"]["bpm"], 64, "{told}");
    daemon.stop();
}

#[test]
fn a_pushed_rate_beyond_a_limit_is_told_when_its_minutes_are_complete() {
    let signed_in = SignedIn::google_today();
    signed_in
        .home
        .configure_more("\n[alarms]\nhigh_urgent = 150\n");
    let strap = token(&signed_in, "strap");
    let daemon = Daemon::updated(&signed_in);
    // What is older than an hour tells nothing about now.
    let old = (10..30).map(|minute| at(&format!("12:{minute}:30"), 190));
    let reply = push(&daemon, &strap, &json!(old.collect::<Vec<_>>()));
    assert_eq!(reply.json()["accepted"], 20, "{}", reply.body);
    assert_eq!(daemon.json("/api/v1/alarms")["active"], json!([]));
    let times = ["13:57", "13:58", "13:59"].map(String::from).into_iter();
    let times = times.chain((0..7).map(|minute| format!("14:0{minute}")));
    let samples: Vec<Value> = times.map(|time| at(&format!("{time}:30"), 160)).collect();
    push(&daemon, &strap, &json!(samples));
    let line = daemon.logs("kind=high");
    let sentence = "Heart rate very high. 160 bpm at 14:0";
    assert!(line.contains(sentence), "{line}");
    daemon.stop();
}
