//! `doctor`: each check when everything is well, with a warning, and with a failure; and the doctor
//! changes nothing.

mod chain;
mod daemon;

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::harness::{
    hermetic::{Finished, Home, Program},
    picture::{render, save_ordinary_day},
    sandbox_process::Sandbox,
    shim,
    signed_in::{SignedIn, configuration},
};

/// The checks without panels, in their order.
const IDS: [&str; 23] = [
    "config.readable",
    "config.permissions",
    "config.keys",
    "clock.sane",
    "state.directory",
    "state.space",
    "chain.present",
    "chain.readable",
    "chain.standing",
    "chain.matches-config",
    "chain.expiry",
    "chain.scopes",
    "tls.roots",
    "provider.reachable",
    "provider.gone",
    "clock.drift",
    "zone.known",
    "update.last",
    "history.readable",
    "daemon.running",
    "service.unit",
    "service.linger",
    "wallpaper.readable",
];

/// The doctor's findings, and its exit.
struct Findings {
    finished: Finished,
    list: Vec<Value>,
}

fn doctor(program: Program) -> Findings {
    let finished = program.printing_first().run();
    let list = finished.json().as_array().unwrap().clone();
    Findings { finished, list }
}

impl Findings {
    fn exits(self, code: i32) -> Self {
        let Self { finished, list } = self;
        let failed = list.iter().any(|finding| finding["status"] == "fail");
        assert_eq!(failed, code != 0, "{list:#?}");
        let finished = finished.exits(code);
        Self { finished, list }
    }

    /// Asserts the result of a check, and words of its finding or advice.
    #[track_caller]
    fn has(self, id: &str, status: &str, words: &str) -> Self {
        let finding = self.list.iter().find(|finding| finding["id"] == id);
        let finding = finding.unwrap_or_else(|| panic!("{id}: {:#?}", self.list));
        assert_eq!(finding["status"], status, "{finding}");
        assert!(finding.to_string().contains(words), "{words}: {finding}");
        self
    }

    fn ids(&self) -> Vec<&str> {
        let ids = self.list.iter().map(|finding| finding["id"].as_str());
        ids.map(Option::unwrap).collect()
    }
}

/// Runs `doctor --json` for a signed-in home, without the network.
fn offline(signed_in: &SignedIn) -> Findings {
    doctor(signed_in.program(&["doctor", "--json", "--offline"]))
}

fn online(signed_in: &SignedIn) -> Findings {
    doctor(signed_in.program(&["doctor", "--json"]))
}

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_healthy_sign_in_is_well_and_stays_as_it_is() {
    for provider in ["google", "fitbit"] {
        let signed_in = SignedIn::either(provider).after_once();
        let files = || {
            let dir = fs::read_dir(signed_in.home.state("")).unwrap();
            let mut files: Vec<_> = dir
                .map(|file| {
                    let path = file.unwrap().path();
                    let changed = fs::metadata(&path).unwrap().modified().unwrap();
                    (path.clone(), changed, fs::read(path).unwrap())
                })
                .collect();
            files.sort();
            files
        };
        let (before, requests) = (files(), signed_in.sandbox.requests().len());
        // Another process holds the lock: the doctor does not wait for it.
        let lock = fs::File::open(signed_in.home.state("chain.lock")).unwrap();
        lock.lock().unwrap();
        let findings = online(&signed_in).exits(0);
        assert_eq!(findings.ids(), IDS);
        for finding in &findings.list {
            let wanted = match finding["id"].as_str().unwrap() {
                "tls.roots" | "daemon.running" | "service.unit" | "service.linger" => "skipped",
                // The sandbox's clock differs from the one in its headers.
                "clock.drift" => continue,
                _ => "ok",
            };
            assert_eq!(finding["status"], wanted, "{finding}");
        }
        assert_eq!(files(), before);
        let asked = signed_in.sandbox.requests().split_off(requests);
        assert_eq!(asked.len(), 2, "{asked:?}");
        for request in asked {
            assert_eq!(request["method"], "GET");
            assert_eq!(
                (&request["access_fp"], &request["refresh_fp"]),
                (&Value::Null, &Value::Null)
            );
        }
        lock.unlock().unwrap();
        signed_in.assert_chain_goes_on();
    }
}

#[test]
fn the_json_has_the_shape_that_is_documented() {
    let home = Home::new();
    let findings = doctor(home.program(&["doctor", "--json", "--offline"])).exits(3);
    assert_eq!(findings.ids(), IDS);
    for finding in &findings.list {
        let keys: Vec<&String> = finding.as_object().unwrap().keys().collect();
        assert_eq!(keys.len(), 4, "{finding}");
        for key in ["id", "status", "found", "advice"] {
            assert!(!finding[key].as_str().unwrap().is_empty(), "{finding}");
        }
        let status = finding["status"].as_str().unwrap();
        assert!(["ok", "warn", "fail", "skipped"].contains(&status));
    }
    // Byte for byte, in this order.
    let first = findings.finished.stdout.split("},").next().unwrap();
    let place = home.path("config/pulsewing/config.toml");
    assert_eq!(
        first,
        format!(
            r#"[{{"id":"config.readable","status":"ok","found":"there is no configuration at {}, so the defaults apply","advice":"nothing to do""#,
            place.display()
        )
    );
    assert!(!home.state("").exists());
    let table = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/doctor.md"));
    let table = table.unwrap();
    for id in IDS {
        assert!(
            table.contains(&format!("| `{id}` |")),
            "{id} is not in docs/doctor.md"
        );
    }
}

#[test]
fn people_get_aligned_lines_in_the_colours_that_they_want() {
    let home = Home::new();
    let run = |more: &[&str]| {
        let args = [&["doctor", "--offline"], more].concat();
        let finished = home.program(&args).printing_first().run().exits(3);
        assert!(finished.stderr.contains("1 check failed: chain.present"));
        finished.stdout
    };
    let plain = run(&[]);
    let found = plain.lines().next().unwrap().find("there is no").unwrap();
    for id in IDS {
        let line = plain
            .lines()
            .find(|line| line.get(9..).is_some_and(|it| it.starts_with(id)));
        let line = line.unwrap_or_else(|| panic!("{id}\n{plain}"));
        assert_eq!(line.get(found - 2..found), Some("  "), "{line}");
        assert_ne!(line.get(found..=found), Some(" "), "{line}");
    }
    assert!(
        plain.contains("-> sign in with `pulsewing login --provider google`"),
        "{plain}"
    );
    assert!(plain.ends_with("1 failed, 13 skipped\n"), "{plain}");
    // Leaves out the parts that change with time and disk space.
    let lasting = |text: &str| {
        let lines = text.lines().map(str::to_owned);
        let moves = |line: &String| line.contains("clock.sane") || line.contains("state.space");
        lines.filter(|line| !moves(line)).collect::<Vec<_>>()
    };
    assert_eq!(lasting(&plain), lasting(&run(&["--color", "never"])));
    let coloured = run(&["--color", "always"]);
    assert!(
        coloured.starts_with("\x1b[32mok     \x1b[0m  config.readable"),
        "{coloured}"
    );
    assert!(!plain.contains('\x1b'));
}

#[test]
fn a_configuration_is_readable_private_and_of_known_keys() {
    let signed_in = SignedIn::google();
    let path = signed_in.home.path("config/pulsewing/config.toml");
    chmod(&path, 0o644);
    offline(&signed_in)
        .exits(0)
        .has("config.readable", "ok", "config.toml")
        .has("config.permissions", "warn", "chmod 600")
        .has("config.keys", "ok", "known");
    let good = configuration(&signed_in.sandbox, "google");
    for (text, words) in [
        (format!("{good}\n[pol]\nevery = 1\n"), "the nearest key is"),
        ("[google]\nclient_secret = hushhush\n".to_owned(), "line 2"),
        (
            "[endpoints]\nbase_url = \"http://192.0.2.1\"\n".to_owned(),
            "http://",
        ),
        ("[google]\nclient_id = \"\"\n".to_owned(), "check [google]"),
        (
            format!("[fitbit]\nuser_id = \"{}\"\n", "A".repeat(65)),
            "is too long",
        ),
    ] {
        signed_in.home.configure(&text);
        let findings = offline(&signed_in)
            .exits(1)
            .has("config.readable", "ok", "")
            .has("config.permissions", "ok", "")
            .has("config.keys", "fail", words)
            // The sign-in is checked all the same.
            .has("chain.present", "ok", "google")
            .has("chain.matches-config", "skipped", "configuration")
            .has("provider.reachable", "skipped", "configuration")
            .has("wallpaper.readable", "skipped", "configuration");
        assert!(!findings.finished.stdout.contains("hushhush"));
        assert_eq!(findings.ids(), IDS);
    }
    let program = |config: &str| {
        let args = ["doctor", "--json", "--offline", "--config", config];
        doctor(signed_in.program(&args)).exits(1)
    };
    program("/no/such/file").has("config.readable", "fail", "--config");
    let directory = signed_in.home.path("config");
    program(directory.to_str().unwrap())
        .has("config.readable", "fail", "must be a text file")
        .has("config.keys", "skipped", "");
}

#[test]
fn the_clock_is_held_against_this_version_the_sign_in_and_a_server() {
    let signed_in = SignedIn::google().after_once();
    for (now, status, code) in [
        ("2026-11-22T14:10:00Z", "ok", 0),
        ("2026-11-21T14:00:00Z", "warn", 0),
        ("2023-08-02T02:37:00Z", "fail", 1),
    ] {
        let args = ["doctor", "--json", "--offline", "--now", now];
        let findings = doctor(signed_in.home.program(&args)).exits(code);
        findings
            .has("clock.sane", status, now)
            .has("clock.drift", "skipped", "--offline");
    }
    for (date, status, words) in [
        ("Sun, 22 Nov 2026 14:10:20 GMT", "ok", " behind "),
        ("Sun, 22 Nov 2026 14:08:00 GMT", "warn", " ahead of "),
        ("Mon, 23 Nov 2026 14:00:00 GMT", "warn", "timedatectl"),
        ("yesterday", "skipped", "no server reported the time"),
    ] {
        let reply = json!({ "status": 401, "headers": { "Date": date } });
        signed_in.fault("*", 0, &reply);
        let args = ["doctor", "--json", "--now", "2026-11-22T14:10:00Z"];
        doctor(signed_in.home.program(&args))
            .exits(0)
            .has("provider.reachable", "ok", "answers")
            .has("clock.drift", status, words);
    }
}

#[test]
fn the_state_directory_is_writable_and_private() {
    let signed_in = SignedIn::google();
    let elsewhere = signed_in.home.path("elsewhere");
    let dir = elsewhere.join("default");
    let look = || {
        let place = elsewhere.to_str().unwrap();
        doctor(signed_in.program(&["doctor", "--json", "--offline", "--state-dir", place]))
    };
    look()
        .exits(3)
        .has("state.directory", "ok", "will be created")
        .has("state.space", "ok", "free");
    assert!(!elsewhere.exists());
    fs::write(&elsewhere, "").unwrap();
    look()
        .exits(1)
        .has("state.directory", "fail", "is not a directory");
    fs::remove_file(&elsewhere).unwrap();
    fs::create_dir_all(&dir).unwrap();
    fs::copy(signed_in.home.state("chain"), dir.join("chain")).unwrap();
    chmod(&dir, 0o755);
    look().exits(0).has("state.directory", "warn", "chmod 700");
    chmod(&dir, 0o700);
    chmod(&dir.join("chain"), 0o640);
    look().exits(0).has("state.directory", "warn", "chmod 600");
    chmod(&dir.join("chain"), 0o600);
    look().exits(0).has("state.directory", "ok", "only by you");
}

#[test]
fn certificates_are_those_of_the_machine_and_of_the_configuration() {
    let home = Home::new();
    let sandbox = |name: &str| {
        let dir = home.path(name);
        fs::create_dir(&dir).unwrap();
        let sandbox = Sandbox::start(&home, &["--tls", dir.to_str().unwrap()]);
        (sandbox, dir.join("ca.pem"))
    };
    let ((one, own), (_two, other)) = (sandbox("one"), sandbox("two"));
    let config = configuration(&one, "google");
    let look = |roots: &Path| {
        let program = home.program(&["doctor", "--json"]);
        doctor(
            program
                .env("SSL_CERT_FILE", roots)
                .env("SSL_CERT_DIR", home.path("tmp")),
        )
    };
    home.configure(&config);
    look(&own).exits(3).has("tls.roots", "ok", "machine's").has(
        "provider.reachable",
        "ok",
        &one.url,
    );
    look(&other).exits(3).has("tls.roots", "ok", "").has(
        "provider.reachable",
        "fail",
        "certificate",
    );
    look(Path::new("/no/such/file"))
        .exits(1)
        .has("tls.roots", "fail", "ca-certificates")
        .has("provider.reachable", "skipped", "")
        .has("clock.drift", "skipped", "");
    let with = |file: &Path| {
        let line = format!("[endpoints]\nca_file = \"{}\"", file.display());
        home.configure(&config.replace("[endpoints]", &line));
    };
    with(&own);
    look(&other)
        .exits(3)
        .has("tls.roots", "ok", "ca.pem")
        .has("provider.reachable", "ok", "");
    with(&home.path("tmp"));
    look(&own).exits(1).has("tls.roots", "fail", "ca_file");
    // A server that accepts the connection and never answers: the same as no connection.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    home.configure(&format!(
        "[endpoints]\nbase_url = \"https://localhost:{port}\"\n"
    ));
    let began = Instant::now();
    look(&own)
        .exits(3)
        .has("provider.reachable", "warn", "online");
    assert!(began.elapsed() < Duration::from_secs(10));
}

#[test]
fn a_provider_is_asked_within_bounds() {
    let signed_in = SignedIn::google();
    let reachable = |status: &str, code: i32, words: &str| {
        online(&signed_in)
            .exits(code)
            .has("provider.reachable", status, words);
    };
    reachable("ok", 0, "answers");
    for fault in [
        json!({ "status": 503, "body": "html" }),
        json!({ "status": 429 }),
        json!({ "drop": "before" }),
    ] {
        signed_in.fault("*", 0, &fault);
        reachable("fail", 5, "");
    }
    signed_in.fault("*", 0, &json!({ "stall_s": 60 }));
    let began = Instant::now();
    reachable("fail", 5, "time");
    assert!(began.elapsed() < Duration::from_secs(10));
    // The server is gone: this machine may be offline, which is not a failure.
    let url = signed_in.sandbox.url.clone();
    drop(signed_in.sandbox);
    let look = |more: &[&str]| {
        let args = [&["doctor", "--json", "--now", "2026-11-22T14:08:00Z"], more].concat();
        doctor(signed_in.home.program(&args)).exits(0)
    };
    look(&[])
        .has("provider.reachable", "warn", &url)
        .has("clock.drift", "skipped", "no server");
    look(&["--offline"])
        .has("provider.reachable", "skipped", "--offline")
        .has("clock.drift", "skipped", "--offline");
}

#[test]
fn a_service_that_is_gone_shows_the_way_to_google() {
    let signed_in = SignedIn::fitbit();
    online(&signed_in).exits(0).has("provider.gone", "ok", "");
    offline(&signed_in)
        .exits(0)
        .has("provider.gone", "skipped", "--offline");
    signed_in.sandbox.configure(&json!({ "gone": true }));
    online(&signed_in)
        .exits(4)
        .has("provider.gone", "fail", "login --provider google");
    // In Google's dialect a 410 has no such meaning.
    let google = SignedIn::google();
    google.sandbox.fault("*", 0, &json!({ "status": 410 }));
    online(&google)
        .exits(0)
        .has("provider.gone", "ok", "Google Health");
    // Fitbit's own address needs no request, and a sign-in would not help.
    let home = Home::new();
    home.configure("provider = \"fitbit\"\n");
    for (now, status, code) in [
        ("2026-11-22T14:00:00Z", "fail", 4),
        ("2026-11-01T14:00:00Z", "warn", 3),
    ] {
        let args = ["doctor", "--json", "--offline", "--now", now];
        doctor(home.program(&args))
            .exits(code)
            .has("chain.present", "fail", "login --provider fitbit")
            .has("provider.gone", status, "login --provider google");
    }
}

#[test]
fn a_zone_is_known_and_an_update_was_lately() {
    let signed_in = SignedIn::google();
    offline(&signed_in)
        .exits(0)
        .has("zone.known", "warn", "time_zone")
        .has("update.last", "skipped", "pulsewing once");
    let program = signed_in.program(&["doctor", "--json", "--offline"]);
    doctor(program.env("TZ", ":No/Where"))
        .exits(1)
        .has("zone.known", "fail", "");
    let good = configuration(&signed_in.sandbox, "google");
    signed_in
        .home
        .configure(&format!("{good}[wearer]\ntime_zone = \"Asia/Tokyo\"\n"));
    offline(&signed_in).has("zone.known", "ok", "Asia/Tokyo");
    signed_in.once().exits(0);
    offline(&signed_in)
        .exits(0)
        .has("zone.known", "ok", "the provider reports")
        .has("update.last", "ok", "succeeded");
    signed_in.sandbox.advance(90_000);
    offline(&signed_in)
        .exits(0)
        .has("update.last", "warn", "nothing has been fetched since");
    signed_in.fault("google.rollup", 0, &json!({ "status": 400 }));
    signed_in.once().exits(1);
    offline(&signed_in)
        .exits(0)
        .has("update.last", "warn", "fetching the heart rate");
}

#[test]
fn a_wallpaper_can_be_shown() {
    let signed_in = SignedIn::google();
    let heart = save_ordinary_day(&signed_in.home);
    let line = render(&heart, &["--png", "../config/pulsewing/mine.png"]);
    signed_in.home.run(&line).exits(0);
    let pipe = signed_in.home.path("config/pulsewing/pipe");
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RUSR).unwrap();
    let good = configuration(&signed_in.sandbox, "google");
    for (file, status, words) in [
        ("mine.png", "ok", "mine.png"),
        ("config.toml", "warn", "neither a PNG nor a BMP"),
        ("none.png", "warn", "could not be read"),
        ("pipe", "warn", "is a pipe"),
    ] {
        signed_in
            .home
            .configure(&format!("{good}[screen]\nwallpaper = \"{file}\"\n"));
        offline(&signed_in)
            .exits(0)
            .has("wallpaper.readable", status, words);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn panels_are_looked_at_and_left_dark() {
    let signed_in = SignedIn::google();
    let home = &signed_in.home;
    let [screen, spidev, chip, wires] =
        ["fb1", "spidev0.0", "gpiochip0", "wires"].map(|it| home.work(it));
    let blank = vec![0xa5; 960 * 320];
    fs::write(&screen, &blank).unwrap();
    fs::write(&spidev, "").unwrap();
    fs::write(&chip, "").unwrap();
    let look = |panel: &str| {
        let args = ["doctor", "--json", "--offline", "--panel", panel];
        let program =
            shim::with_framebuffer(signed_in.program(&args), &screen, "480 320 16 960 0 0");
        doctor(shim::with_wires(program, &spidev, &chip, &wires))
    };
    let (fb, spi) = (screen.display(), spidev.display());
    let pin = |line: u32| format!("{}:{line}", chip.display());
    let both = format!("fb:{fb};spi:{spi},dc={},reset={}", pin(25), pin(24));
    // By variable, with a semicolon between panels, and by option.
    let findings = look(&both)
        .exits(0)
        .has(&format!("panel.{fb}"), "ok", "can be drawn to")
        .has(&format!("panel.{spi}"), "ok", "are available");
    assert_eq!(findings.list.len(), IDS.len() + 2);
    for (panel, id, words) in [
        (
            format!("fb:{spi}"),
            format!("panel.{spi}"),
            "is not a framebuffer",
        ),
        (
            "fb:/dev/no-such-fb".into(),
            "panel./dev/no-such-fb".into(),
            "cat /proc/fb",
        ),
        (
            "spi:/dev/no-such-spidev".into(),
            "panel./dev/no-such-spidev".into(),
            "do_spi 0",
        ),
        (
            format!("spi:{spi},dc={}", pin(17)),
            format!("panel.{spi}"),
            "in use by button@17",
        ),
        (
            format!("spi:{spi},dc=/dev/no-such-chip:1"),
            format!("panel.{spi}"),
            "gpiodetect",
        ),
    ] {
        look(&panel).exits(1).has(&id, "fail", words);
    }
    // A backlight that cannot be dimmed is told, and stops nothing.
    let light = home.work("light");
    let panel = format!("fb:{fb},backlight={}", light.display());
    let id = format!("backlight.{}", light.display());
    look(&panel)
        .exits(0)
        .has(&format!("panel.{fb}"), "ok", "can be drawn to")
        .has(&id, "warn", "is not a backlight of the kernel");
    fs::create_dir(&light).unwrap();
    fs::write(light.join("max_brightness"), "255").unwrap();
    look(&panel)
        .exits(0)
        .has(&id, "warn", "brightness could not be written");
    fs::write(light.join("brightness"), "120").unwrap();
    look(&panel).exits(0).has(&id, "ok", "can be dimmed");
    assert_eq!(fs::read(light.join("brightness")).unwrap(), b"120");
    assert_eq!(fs::read(&screen).unwrap(), blank);
    assert!(!wires.exists(), "something happened on the wires");
}
