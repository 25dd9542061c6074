//! The daemon's page, as browsers and programs receive it.

use std::{
    io::{BufRead, BufReader, Cursor, Write},
    net::TcpStream,
};

use pulsewing_testkit::pictures::Picture;
use serde_json::json;

use crate::harness::{
    browser,
    daemon::Daemon,
    hermetic::Home,
    loopback_http, secret_watch,
    signed_in::{SignedIn, configuration},
};

fn daemon() -> (SignedIn, Daemon) {
    let signed_in = SignedIn::google();
    let daemon = Daemon::updated(&signed_in);
    (signed_in, daemon)
}

#[test]
fn the_essentials_are_there_without_a_script() {
    let (_signed_in, daemon) = daemon();
    let now = daemon.json("/api/v1/now");
    let bpm = now["reading"]["latest"]["bpm"].as_u64().unwrap();
    let page = daemon.get("/").body;
    for words in [
        format!(">{bpm}</span>"),
        now["reading"]["zone_name"].as_str().unwrap().to_owned(),
        "Up to date".to_owned(),
        " ago</time>".to_owned(),
        "The latest 15 minutes".to_owned(),
        "The last 24 hours".to_owned(),
        ">2026-11-22</time>".to_owned(),
        "not a medical device".to_owned(),
    ] {
        assert!(page.contains(&words), "{words}: {page}");
    }
    let elsewhere = page.replace("xmlns", "").contains("//");
    assert!(!elsewhere, "no other host is named: {page}");
    for path in [
        "/day/2026-11-22",
        "/week/2026-11-22",
        "/month/2026-11",
        "/sign-in",
    ] {
        let reply = daemon.get(path);
        assert_eq!(reply.status, 200, "{path}");
        secret_watch::assert_clean(path, &reply.body);
    }
    daemon.stop();
}

#[test]
fn what_is_not_there_is_told_in_the_callers_language() {
    let (_signed_in, daemon) = daemon();
    for (path, status) in [
        ("/nowhere", 404),
        ("/day/yesterday", 404),
        ("/week/2026-13-01", 404),
        ("/month/2026-11-01", 404),
        ("/frame.png?size=9x9", 400),
        ("/frame.png?size=4096x4096", 400),
        ("/frame.png?theme=plaid", 400),
        ("/assets/page.js", 404),
    ] {
        assert_eq!(daemon.get(path).status, status, "{path}");
    }
    for (path, status, words) in [
        ("/api/v1/nothing", 404, "no such API call"),
        ("/api/v1/days/2026-02-30", 400, "is not a date"),
        ("/api/v1/days/2020-01-01", 404, "there is no data"),
        ("/api/v1/days?from=1900-01-01", 400, "at most"),
    ] {
        let reply = daemon.get(path);
        assert_eq!(reply.status, status, "{path}");
        let error = reply.json()["error"].as_str().unwrap().to_owned();
        assert!(error.contains(words), "{path}: {error}");
    }
    assert_eq!(daemon.ask("DELETE", "/", &[]).status, 405);
    let long = "x".repeat(20_000);
    assert_eq!(
        daemon
            .post("/sign-in/paste", &format!("pasted={long}"))
            .status,
        413
    );
    daemon.stop();
}

#[test]
fn days_and_minutes_are_told_as_they_are_in_the_history() {
    let (_signed_in, daemon) = daemon();
    let day = daemon.json("/api/v1/days/2026-11-22");
    let minutes = day["minutes"].as_array().unwrap();
    assert_eq!(day["time_zone"], "UTC");
    assert_eq!(minutes.len(), 14 * 60);
    assert_eq!(minutes[0]["at"], "2026-11-22T00:00:00Z");
    assert_eq!(minutes[839]["time"], "13:59");
    let days = daemon.json("/api/v1/days?from=2026-11-22&to=2026-11-22");
    assert_eq!(days[0]["date"], "2026-11-22");
    assert_eq!(days[0]["logged_minutes"], 840);
    let window = daemon.json("/api/v1/now")["reading"]["window"].clone();
    assert_eq!(window[0]["at"], "2026-11-22T13:45:00Z");
    assert_eq!(window[14]["at"], "2026-11-22T13:59:00Z");
    let part = daemon.get("/day/2026-11-22?from=06:00&to=12:00").body;
    assert!(part.contains("06:00 to 12:00"), "{part}");
    daemon.stop();
}

#[test]
fn the_devices_own_picture_is_a_png_of_the_size_that_is_asked_for() {
    let (signed_in, daemon) = daemon();
    let bytes = |path: &str| {
        let mut stream = TcpStream::connect(daemon.url.strip_prefix("http://").unwrap()).unwrap();
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut stream, &mut bytes).unwrap();
        let head = bytes.windows(4).position(|it| it == b"\r\n\r\n").unwrap();
        bytes.split_off(head + 4)
    };
    for (path, size) in [
        ("/frame.png", (480, 320)),
        ("/frame.png?size=800x480&theme=classic", (800, 480)),
    ] {
        let picture = Picture::read(Cursor::new(bytes(path)));
        assert_eq!(picture.size, size, "{path}");
    }
    // The same picture as `once` draws of the same reading, at the same time.
    drop(signed_in);
    daemon.stop();
}

#[test]
fn changes_are_heard_of_as_they_happen() {
    let (signed_in, daemon) = daemon();
    let mut stream = TcpStream::connect(daemon.url.strip_prefix("http://").unwrap()).unwrap();
    write!(
        stream,
        "GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n"
    )
    .unwrap();
    let mut lines = BufReader::new(stream).lines().map(Result::unwrap);
    let mut next = move || {
        let data = lines.find(|line| line.starts_with("data: ")).unwrap();
        serde_json::from_str::<serde_json::Value>(data.strip_prefix("data: ").unwrap()).unwrap()
    };
    assert_eq!(next()["trouble"], json!(null));
    signed_in.fault(
        "google.rollup",
        0,
        &json!({ "status": 429, "headers": { "Retry-After": "60" } }),
    );
    daemon.post("/update", "");
    let told = loop {
        let told = next();
        if !told["trouble"].is_null() {
            break told;
        }
    };
    assert_eq!(told["trouble"]["kind"], "temporary");
    // The stream is open, but the program ends all the same.
    daemon.stop();
}

#[test]
fn fifty_people_may_watch() {
    let (_signed_in, daemon) = daemon();
    let authority = daemon.url.strip_prefix("http://").unwrap();
    let watchers: Vec<_> = (0..60)
        .map(|_| {
            let mut stream = TcpStream::connect(authority).unwrap();
            write!(
                stream,
                "GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n"
            )
            .unwrap();
            let mut lines = BufReader::new(stream).lines().map(Result::unwrap);
            lines.find(|line| line == "event: now").unwrap();
            lines
        })
        .collect();
    assert_eq!(daemon.get("/").status, 200);
    let cycles = |daemon: &Daemon| daemon.json("/api/v1/now")["last_update"].clone();
    let before = cycles(&daemon);
    daemon.post("/update", "");
    for mut lines in watchers {
        lines.find(|line| line == "event: now").unwrap();
    }
    drop(before);
    daemon.stop();
}

#[test]
fn metrics_are_in_the_format_that_prometheus_reads() {
    let (_signed_in, daemon) = daemon();
    let text = daemon.get("/metrics").body;
    let mut names = Vec::new();
    let mut announced = "";
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            announced = rest.strip_suffix(" gauge").unwrap();
        } else if !line.starts_with("# HELP ") {
            let (name, value) = line.rsplit_once(' ').unwrap();
            let name = name.split('{').next().unwrap();
            assert_eq!(name, announced);
            value.parse::<f64>().unwrap();
            names.push(name.to_owned());
        }
    }
    for name in [
        "heart_rate_bpm",
        "up_to_date",
        "tracker_battery_ratio",
        "next_update_timestamp_seconds",
    ] {
        assert!(
            names.contains(&format!("pulsewing_{name}")),
            "{name}: {text}"
        );
    }
    let bpm = daemon.json("/api/v1/now")["reading"]["latest"]["bpm"].clone();
    assert!(
        text.contains(&format!(
            "\npulsewing_heart_rate_bpm{{wearer=\"default\"}} {bpm}\n"
        )),
        "{text}"
    );
    daemon.stop();
}

#[test]
fn another_name_and_another_web_page_are_refused() {
    let (_signed_in, daemon) = daemon();
    let authority = daemon.url.strip_prefix("http://").unwrap().to_owned();
    let status = |head: &str| {
        let mut stream = TcpStream::connect(&authority).unwrap();
        write!(stream, "{head}\r\nConnection: close\r\n\r\n").unwrap();
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).unwrap();
        line.split(' ').nth(1).unwrap().parse::<u16>().unwrap()
    };
    for (head, expected) in [
        ("GET / HTTP/1.1\r\nHost: localhost:1", 200),
        ("GET / HTTP/1.1\r\nHost: rebound.example", 421),
        (
            "GET /api/v1/now HTTP/1.1\r\nHost: rebound.example:7373",
            421,
        ),
        ("GET / HTTP/1.0", 421),
        (
            "GET /api/v1/now HTTP/1.1\r\nHost: localhost\r\nOrigin: https://evil.example",
            403,
        ),
        (
            "GET /api/v1/now HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: cross-site",
            403,
        ),
        (
            "GET /metrics HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: cross-site",
            403,
        ),
        // A user follows a link.
        (
            "GET / HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: cross-site",
            200,
        ),
        (
            "POST /update HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nOrigin: https://evil.example",
            403,
        ),
        (
            "POST /update HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nOrigin: null",
            403,
        ),
        (
            "POST /update HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nOrigin: http://localhost",
            303,
        ),
    ] {
        assert_eq!(status(head), expected, "{head}");
    }
    daemon.stop();
}

#[test]
fn beyond_this_machine_a_passphrase_is_needed() {
    let signed_in = SignedIn::google();
    signed_in
        .run(&["run", "--listen", "0.0.0.0:0"])
        .exits(1)
        .says("every machine on the network could see the page")
        .says("set a passphrase of at least 8 characters under [web]");
    let config = configuration(&signed_in.sandbox, "google");
    let with = |passphrase: &str| {
        let web = format!("{config}\n[web]\npassphrase = \"{passphrase}\"\n");
        signed_in.home.configure(&web);
    };
    with("short");
    let refused = signed_in.run(&["run", "--no-web"]).exits(1);
    let refused = refused.says("at least 8 characters");
    assert!(!refused.stderr.contains("short"), "{}", refused.stderr);
    with("correct horse");
    let daemon = Daemon::of(signed_in.program(&["run", "--listen", "0.0.0.0:0"]));
    let daemon = Daemon {
        url: daemon.url.replace("0.0.0.0", "127.0.0.1"),
        running: daemon.running,
    };
    daemon.logs("updated bpm=");
    let page = daemon.get("/day/2026-11-22");
    assert_eq!(
        (page.status, page.location()),
        (303, Some("/passphrase?next=/day/2026-11-22"))
    );
    assert_eq!(daemon.get("/api/v1/now").status, 401);
    assert_eq!(daemon.get("/metrics").status, 401);
    // A supervisor needs no passphrase, and is told nothing of anybody.
    let health = daemon.json("/api/v1/health");
    assert_eq!(health, json!({ "status": "ok", "late_loops": 0 }));
    assert_eq!(daemon.post("/update", "").status, 401);
    let ask = daemon.get("/passphrase?next=/day/2026-11-22").body;
    assert!(ask.contains("value=\"/day/2026-11-22\""), "{ask}");
    let wrong = daemon.post("/passphrase", "passphrase=battery+staple&next=/");
    assert_eq!(wrong.status, 403);
    assert!(wrong.body.contains("not the passphrase"));
    let right = daemon.post(
        "/passphrase",
        "passphrase=correct+horse&next=/day/2026-11-22",
    );
    assert_eq!(
        (right.status, right.location()),
        (303, Some("/day/2026-11-22"))
    );
    let cookie = right.header("set-cookie").unwrap().to_owned();
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"),
        "{cookie}"
    );
    let cookie = cookie.split(';').next().unwrap();
    assert_eq!(daemon.ask("GET", "/", &[("Cookie", cookie)]).status, 200);
    let basic = ("Authorization", "Basic YW55Ym9keTpjb3JyZWN0IGhvcnNl");
    assert_eq!(daemon.ask("GET", "/metrics", &[basic]).status, 200);
    // Guesses are limited.
    let guess = || {
        daemon
            .post("/passphrase", "passphrase=battery+staple&next=/")
            .status
    };
    let answers: Vec<u16> = (0..12).map(|_| guess()).collect();
    assert_eq!(answers.last(), Some(&429), "{answers:?}");
    let ended = daemon.stop();
    assert!(!ended.stderr.contains("horse"), "{}", ended.stderr);
}

#[test]
fn a_port_that_is_taken_is_told_before_anything_else_is_done() {
    let signed_in = SignedIn::google();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let before = signed_in.sandbox.requests().len();
    signed_in
        .run(&["run", "--listen", &address])
        .exits(5)
        .says("the page cannot listen on")
        .says("--listen");
    assert_eq!(signed_in.sandbox.requests().len(), before);
}

/// Returns a daemon whose wearer has not signed in, and the address of the consent page.
fn begun() -> (SignedIn, Daemon, String) {
    let signed_in = SignedIn::google();
    signed_in.run(&["logout"]).exits(0);
    let daemon = Daemon::start(&signed_in);
    daemon.logs("nobody has signed in yet");
    let page = daemon.get("/");
    assert!(
        page.body.contains("Nobody has signed in yet."),
        "{}",
        page.body
    );
    let way = daemon.post("/sign-in", "provider=google");
    assert_eq!(way.status, 200, "{}", way.body);
    let (_, rest) = way
        .body
        .split_once("class=\"button main\" href=\"")
        .unwrap();
    let url = rest.split('"').next().unwrap().replace("&amp;", "&");
    (signed_in, daemon, url)
}

#[test]
fn a_sign_in_from_the_page_comes_back_by_itself() {
    let (signed_in, daemon, url) = begun();
    let back = browser::approve(&url);
    assert!(
        back.starts_with(&format!("{}/sign-in/done?", daemon.url)),
        "{back}"
    );
    // A forged return address is not accepted.
    let forged = back.replace("state=", "state=0");
    assert_eq!(loopback_http::get(&forged).status, 400);
    let stateless = back.split('&').find(|it| it.contains("code=")).unwrap();
    let stateless = stateless.rsplit('?').next().unwrap();
    let stateless = format!("{}/sign-in/done?{stateless}", daemon.url);
    assert_eq!(loopback_http::get(&stateless).status, 400);
    // A forged denial does not end the sign-in either.
    for stray in ["error=access_denied", "error=access_denied&state=0011"] {
        let stray = loopback_http::get(&format!("{}/sign-in/done?{stray}", daemon.url));
        assert_eq!(stray.status, 400);
        assert!(stray.body.contains("another sign-in"), "{}", stray.body);
    }
    let done = loopback_http::get(&back);
    assert_eq!(
        (done.status, done.location()),
        (303, Some("/")),
        "{}",
        done.body
    );
    daemon.logs("signed in from the page");
    daemon.logs("updated bpm=");
    assert_eq!(signed_in.chain()["standing"], "active");
    // The address works only once.
    assert_eq!(loopback_http::get(&back).status, 400);
    daemon.stop();
}

#[test]
fn a_sign_in_on_another_machine_is_pasted() {
    let (signed_in, daemon, url) = begun();
    let back = browser::approve(&url);
    let wrong = daemon.post(
        "/sign-in/paste",
        "pasted=http%3A%2F%2F127.0.0.1%2F&url=http://x/",
    );
    assert_eq!(wrong.status, 422);
    assert!(wrong.body.contains("role=\"alert\""), "{}", wrong.body);
    let rubbish = daemon.post("/sign-in/paste", "pasted=garbage&url=http://x/");
    assert_eq!(rubbish.status, 422);
    assert!(
        rubbish.body.contains(
            "This is neither an address from a sign-in nor a code; paste the whole address"
        ),
        "{}",
        rubbish.body
    );
    let encoded: String = back.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let done = daemon.post("/sign-in/paste", &format!("pasted={encoded}"));
    assert_eq!(
        (done.status, done.location()),
        (303, Some("/")),
        "{}",
        done.body
    );
    daemon.logs("updated bpm=");
    assert_eq!(signed_in.chain()["standing"], "active");
    daemon.stop();
}

#[test]
fn a_sign_in_that_was_denied_or_without_a_client_says_what_to_do() {
    let (_signed_in, daemon, url) = begun();
    let denied = loopback_http::get(&browser::deny(&url));
    assert_eq!(denied.status, 400);
    assert!(denied.body.contains("not completed"), "{}", denied.body);
    daemon.stop();

    let home = Home::new();
    let daemon = Daemon::of(home.program(&["run", "--listen", "127.0.0.1:0"]));
    let refused = daemon.post("/sign-in", "provider=google");
    assert_eq!(refused.status, 409);
    assert!(
        refused.body.contains("There is no OAuth client for"),
        "{}",
        refused.body
    );
    assert!(
        refused.body.contains("docs/accounts.md"),
        "{}",
        refused.body
    );
    daemon.stop();
}

#[test]
fn the_demo_has_the_page_too() {
    let home = Home::new();
    let demo = home.program(&["demo", "--listen", "127.0.0.1:0"]).start();
    let mut line = String::new();
    while !line.contains("The page is ") {
        line = demo.error_line();
    }
    let url = line
        .split(' ')
        .find(|word| word.starts_with("http"))
        .unwrap()
        .to_owned();
    while !demo.line().starts_with("Next Update in:") {}
    let page = loopback_http::get(&url);
    assert!(page.body.contains("Up to date"), "{}", page.body);
    demo.stop();
}
