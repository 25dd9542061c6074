//! `login`: by browser, by paste, with a client's JSON, and the ways in which it can fail.

use serde_json::json;

use crate::harness::{
    browser,
    hermetic::{Home, Running},
    loopback_http,
    patience::until,
    recording,
    sandbox_process::Sandbox,
    signed_in::{SignedIn, configuration},
};

/// A home with a sandbox, not signed in yet.
struct Door {
    home: Home,
    sandbox: Sandbox,
}

impl Door {
    fn new(provider: &str) -> Self {
        let home = Home::new();
        let sandbox = Sandbox::with_recording(&home, &recording::until_two(), "UTC");
        home.configure(&configuration(&sandbox, provider));
        Self { home, sandbox }
    }

    fn start(&self, args: &[&str]) -> Running {
        let now = self.sandbox.now();
        self.home
            .program(&[args, &["--now", &now]].concat())
            .printing_first()
            .start()
    }

    fn paste(&self, args: &[&str]) -> Running {
        self.start(&[&["login", "--paste"], args].concat())
    }

    fn chain(&self) -> serde_json::Value {
        let status = self.home.run(&["status", "--json"]).exits(0).json();
        status["chain"].clone()
    }
}

#[test]
fn the_browser_is_opened_and_comes_back() {
    for provider in ["google", "fitbit"] {
        let door = Door::new(provider);
        let browser = browser::install(&door.home, browser::approve_and_return);
        let login = door.start(&["login"]).finish().exits(0);
        let page = browser.join().unwrap();
        assert_eq!(page.status, 200);
        assert!(page.body.contains("You are signed in."), "{}", page.body);
        assert_eq!(login.stdout, "");
        login
            .says("Opening a browser for the sign-in.")
            .says("Signed in with ");
        let chain = door.chain();
        assert_eq!(chain["provider"], provider);
        assert_eq!(chain["generation"], 1);
        assert_eq!(
            door.sandbox.active_refresh_tokens(provider),
            [chain["refresh_token_fingerprint"].as_str().unwrap()]
        );
        let now = door.sandbox.now();
        door.home.run(&["once", "--now", &now]).exits(0);
    }
}

#[test]
fn without_a_browser_the_address_is_shown_to_be_opened_by_hand() {
    let door = Door::new("google");
    // PATH is empty: there is no program to open an address with.
    let login = door.home.program(&["login", "--now", &door.sandbox.now()]);
    let login = login.start();
    let url = until("the address", || {
        let line = login.error_line();
        line.contains("/o/oauth2/v2/auth?").then_some(line)
    });
    let page = browser::approve_and_return(&url);
    assert!(page.body.contains("You are signed in."), "{}", page.body);
    login.finish().exits(0).says("Signed in with ");
}

#[test]
fn only_the_answer_to_this_sign_in_is_let_in() {
    let door = Door::new("google");
    let browser = browser::install(&door.home, |url| {
        let back = browser::approve(url);
        let (address, query) = back.split_once('?').unwrap();
        let (without_state, _) = query.split_once("&state=").unwrap();
        for wrong in [
            format!("{address}favicon.ico"),
            address.to_owned(),
            format!("{address}?{without_state}"),
            format!("{address}?{without_state}&state=00112233445566778899aabbccddeeff"),
        ] {
            let status = loopback_http::get(&wrong).status;
            assert!([400, 404].contains(&status), "{wrong}: {status}");
        }
        assert_eq!(loopback_http::get(&back).status, 200);
    });
    door.start(&["login"]).finish().exits(0);
    browser.join().unwrap();
}

#[test]
fn a_denial_in_the_browser_ends_it() {
    for provider in ["google", "fitbit"] {
        let door = Door::new(provider);
        let browser = browser::install(&door.home, |url| loopback_http::get(&browser::deny(url)));
        door.start(&["login"])
            .finish()
            .exits(3)
            .says("consent was refused")
            .says("allow access to heart rate");
        let page = browser.join().unwrap();
        assert!(page.body.contains("was not completed"), "{}", page.body);
        assert_eq!(door.chain(), json!(null));
    }
}

#[test]
fn the_browser_is_shown_what_came_of_it() {
    let heartless = json!({ "scopes": ["googlehealth.settings.readonly"] });
    for (change, fault, exit, words) in [
        (heartless, json!([]), 3, "keep the heart rate box ticked"),
        (
            json!({}),
            json!([{ "route": "google.token", "do": { "reason": "invalid_client" } }]),
            1,
            "invalid_client",
        ),
        (
            json!({}),
            json!([{ "route": "google.token", "do": { "drop": "before" } }]),
            5,
            "nothing was changed",
        ),
    ] {
        let door = Door::new("google");
        door.sandbox.configure(&change);
        door.sandbox.faults(&fault);
        let browser = browser::install(&door.home, browser::approve_and_return);
        door.start(&["login"]).finish().exits(exit).says(words);
        let page = browser.join().unwrap();
        assert!(page.status >= 400, "{}", page.status);
        assert!(
            page.body.contains("You are not signed in."),
            "{}",
            page.body
        );
        assert!(page.body.contains(words), "{}", page.body);
        assert_eq!(door.chain(), json!(null));
    }
}

#[test]
fn the_browser_may_go_away_before_the_outcome() {
    let door = Door::new("google");
    door.sandbox
        .faults(&json!([{ "route": "google.token", "do": { "stall_s": 1 } }]));
    let browser = browser::install(&door.home, |url| {
        use std::io::Write;
        let back = browser::approve(url);
        let (address, target) = back
            .strip_prefix("http://")
            .unwrap()
            .split_once('/')
            .unwrap();
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        write!(stream, "GET /{target} HTTP/1.1\r\nHost: {address}\r\n\r\n").unwrap();
    });
    door.start(&["login"])
        .finish()
        .exits(0)
        .says("Signed in with ");
    browser.join().unwrap();
    assert_eq!(door.chain()["generation"], 1);
}

#[test]
fn a_denial_that_belongs_to_another_sign_in_ends_nothing() {
    let door = Door::new("google");
    let browser = browser::install(&door.home, |url| {
        let back = browser::approve(url);
        let (address, _) = back.split_once('?').unwrap();
        // A silent connection blocks nobody.
        let authority = address.trim_start_matches("http://").trim_end_matches('/');
        let _idle: Vec<_> = (0..40)
            .map(|_| std::net::TcpStream::connect(authority).unwrap())
            .collect();
        for stray in [
            "error=access_denied",
            "error=access_denied&state=00112233445566778899aabbccddeeff",
            "error=server_error&state=",
        ] {
            let page = loopback_http::get(&format!("{address}?{stray}"));
            assert_eq!(page.status, 400, "{stray}: {}", page.body);
        }
        loopback_http::get(&back).status
    });
    door.start(&["login"]).finish().exits(0);
    assert_eq!(browser.join().unwrap(), 200);

    let door = Door::new("google");
    let mut login = door.paste(&[]);
    let back = browser::approve(&login.line());
    login.say("http://127.0.0.1:8765/?error=access_denied");
    login.say("?error=access_denied&state=00112233445566778899aabbccddeeff");
    login.say(&back);
    login.finish().exits(0).says("belongs to another sign-in");
}

#[test]
fn the_pasted_address_stands_alone_on_one_line_of_stdout() {
    let door = Door::new("google");
    let mut login = door.paste(&["--color", "always"]);
    let url = login.line();
    assert!(url.starts_with(&format!("{}/o/oauth2/v2/auth?", door.sandbox.url)));
    assert!(url.bytes().all(|byte| byte.is_ascii_graphic()), "{url}");
    login.say(&browser::approve(&url));
    let login = login.finish().exits(0);
    assert_eq!(login.stdout, format!("{url}\n"));
}

#[test]
fn the_second_of_two_wearers_can_sign_in() {
    for (provider, id) in [("google", "111122223333444456"), ("fitbit", "PW7SB2")] {
        let home = Home::new();
        let options = ["--wearers", "2", "--now", "2026-11-22T14:07:00Z"];
        let sandbox = Sandbox::start(&home, &options);
        home.configure(&configuration(&sandbox, provider));
        let door = Door { home, sandbox };
        let mut login = door.paste(&[]);
        let as_second = format!("{}&user=2", login.line());
        login.say(&browser::approve(&as_second));
        login.finish().exits(0).says("Signed in with ");
        let now = door.sandbox.now();
        door.home.run(&["once", "--now", &now]).exits(0);
        assert_eq!(door.sandbox.grant(provider)["user_id"], id);
        // Google's token endpoint does not say whose tokens they are.
        if provider == "fitbit" {
            assert_eq!(door.chain()["user_id"], id);
        }
    }
}

#[test]
fn a_whole_address_with_or_without_a_fragment_or_a_bare_code_can_be_pasted() {
    for provider in ["google", "fitbit"] {
        for form in ["address", "fragment", "bare", "query", "code", "blanks"] {
            let door = Door::new(provider);
            let mut login = door.paste(&[]);
            let back = browser::approve(&login.line());
            if provider == "fitbit" {
                assert!(back.ends_with("#_=_"), "{back}");
            }
            let address = back.trim_end_matches("#_=_");
            let (_, query) = address.split_once('?').unwrap();
            let code = query
                .strip_prefix("code=")
                .unwrap()
                .split('&')
                .next()
                .unwrap();
            login.say(&match form {
                "address" => address.to_owned(),
                "fragment" => format!("{address}#_=_"),
                "bare" => address.trim_start_matches("http://").to_owned(),
                "query" => query.to_owned(),
                "code" => code.to_owned(),
                _ => format!("  {back}\t\r"),
            });
            login.finish().exits(0).says("Signed in with ");
            assert_eq!(door.chain()["generation"], 1, "{provider} {form}");
        }
    }
}

#[test]
fn another_sign_ins_address_is_refused_and_asked_for_again() {
    let door = Door::new("google");
    let mut login = door.paste(&[]);
    let url = login.line();
    let back = browser::approve(&url);
    let (before, _) = back.split_once("&state=").unwrap();
    login.say(&format!("{before}&state=00112233445566778899aabbccddeeff"));
    login.say("127.0.0.1:8765/");
    login.say(&back);
    login
        .finish()
        .exits(0)
        .says("belongs to another sign-in")
        .says("it contains no code");
}

#[test]
fn what_cannot_be_a_code_is_not_sent_as_one_and_asked_for_again() {
    for (provider, code) in [
        ("google", "Google's begin with 4/"),
        ("fitbit", "Fitbit's have 40 characters"),
    ] {
        let door = Door::new(provider);
        let mut login = door.paste(&[]);
        let back = browser::approve(&login.line());
        login.say("garbage");
        login.say("");
        login.say(&back);
        login
            .finish()
            .exits(0)
            .says("this is neither an address from a sign-in nor a code; paste the whole address")
            .says("it contains no code; paste the whole address")
            .says("such as http://127.0.0.1:8765/?state=...&code=...")
            .says(code);
        assert_eq!(door.chain()["generation"], 1);
        let mut login = door.paste(&[]);
        login.line();
        for rubbish in ["garbage", "I do not know", "https://www.example.org/"] {
            login.say(rubbish);
        }
        login
            .finish()
            .exits(3)
            .says("no address from this sign-in was pasted")
            .says("run the command again");
    }
}

#[test]
fn three_wrong_pastes_are_enough() {
    let door = Door::new("google");
    let mut login = door.paste(&[]);
    login.line();
    for _ in 0..3 {
        login.say("http://127.0.0.1:8765/?code=4%2F0abc&state=00112233445566778899aabbccddeeff");
    }
    login.finish().exits(3).says("no address from this sign-in");
    assert_eq!(door.sandbox.routes(), [""; 0]);
}

#[test]
fn a_denial_an_empty_paste_and_a_code_that_is_none_need_another_consent() {
    for provider in ["google", "fitbit"] {
        let door = Door::new(provider);
        let mut denied = door.paste(&[]);
        let back = browser::deny(&denied.line());
        denied.say(&back);
        denied.finish().exits(3).says("consent was refused");

        let nothing = door.paste(&[]);
        nothing.line();
        nothing.finish().exits(3).says("nothing was pasted");

        let mut wrong = door.paste(&[]);
        wrong.line();
        wrong.say("0123456789012345678901234567890123456789");
        wrong.finish().exits(3).says("invalid_grant");
        assert_eq!(door.chain(), json!(null));
    }
}

#[test]
fn the_clients_json_serves_as_google_gives_it() {
    let door = Door::new("google");
    let client = |kind: &str, redirects: &str| {
        let google = &door.sandbox.ready["google"];
        format!(
            r#"{{"{kind}":{{"client_id":{},"project_id":"p","auth_uri":"https://accounts.google.com/o/oauth2/auth","client_secret":{},"redirect_uris":[{redirects}]}}}}"#,
            google["client_id"], google["client_secret"]
        )
    };
    // The configuration names no client.
    door.home.configure(&format!(
        "[endpoints]\nbase_url = \"{}\"\n",
        door.sandbox.url
    ));
    let desktop = door
        .home
        // As an editor on Windows writes it.
        .write(
            "desktop.json",
            &format!("\u{feff}{}", client("installed", "\"http://localhost\"")),
        );
    browser::paste(door.paste(&["--client-json", &desktop])).exits(0);
    let now = door.sandbox.now();
    door.home.run(&["once", "--now", &now]).exits(0);

    // A web client returns to its registered address only.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let registered = format!("\"https://www.google.com\",\"http://localhost:{port}/callback\"");
    let web = door.home.write("web.json", &client("web", &registered));
    let browser = browser::install(&door.home, move |url| {
        let back = browser::approve(url);
        assert!(
            back.starts_with(&format!("http://localhost:{port}/callback?code=")),
            "{back}"
        );
        loopback_http::get(&back.replace("localhost", "127.0.0.1")).status
    });
    door.start(&["login", "--client-json", &web])
        .finish()
        .exits(0);
    assert_eq!(browser.join().unwrap(), 200);
    assert_eq!(door.chain()["generation"], 2);

    // The client from Google's own quick start redirects elsewhere.
    let quick = client("web", "\"https://www.google.com\"");
    let quick = door.home.write("quick.json", &quick);
    door.home
        .run(&["login", "--client-json", &quick])
        .exits(1)
        .says("Desktop app")
        .says("--paste");
}

#[test]
fn a_web_clients_redirect_to_the_loopback_of_ipv6_is_listened_at() {
    let door = Door::new("google");
    let there = std::net::TcpListener::bind("[::1]:0");
    let port = there.as_ref().map(|it| it.local_addr().unwrap().port());
    let has_ipv6 = there.is_ok();
    let google = &door.sandbox.ready["google"];
    let client = format!(
        r#"{{"web":{{"client_id":{},"client_secret":{},"redirect_uris":["http://[::1]:{}/back"]}}}}"#,
        google["client_id"],
        google["client_secret"],
        port.unwrap_or(8_765)
    );
    drop(there);
    let file = door.home.write("web.json", &client);
    let args = ["login", "--client-json", &file];
    if has_ipv6 {
        let browser = browser::install(&door.home, browser::approve_and_return);
        door.start(&args).finish().exits(0);
        assert_eq!(browser.join().unwrap().status, 200);
        assert_eq!(door.chain()["generation"], 1);
    } else {
        door.home
            .run(&args)
            .exits(1)
            .says("cannot listen for the browser's redirect")
            .says("--paste");
    }
}

#[test]
fn a_clients_json_that_is_none_is_told_and_not_shown() {
    let home = Home::new();
    for (text, words) in [
        ("hush", "is not the JSON of an OAuth client"),
        (
            "{\"type\":\"service_account\",\"private_key\":\"hush\"}",
            "is JSON, but not an OAuth client",
        ),
        (
            "{\"installed\":{\"client_id\":\"hush\"}}",
            "no client_secret: it is for a client of type Android",
        ),
        (
            "{\"installed\":{\"client_id\":\"hush\",\"redirect_uris\":[\"http://localhost\"]}}",
            "add a secret, and download the JSON right away",
        ),
    ] {
        let file = home.write("client.json", text);
        home.run(&["login", "--client-json", &file])
            .exits(1)
            .says(words)
            .says_nothing_of("hush");
    }
    home.run(&["login", "--client-json", "no-such.json"])
        .exits(1)
        .says("no-such.json could not be read");
    home.run(&["login", "--provider", "fitbit", "--client-json", "any.json"])
        .exits(2)
        .says("only accepts the file of a Google client");
}

#[test]
fn without_a_client_the_steps_to_one_are_shown() {
    let home = Home::new();
    home.run(&["login"])
        .exits(1)
        .says("https://console.cloud.google.com/projectcreate")
        .says("health.googleapis.com")
        .says("Desktop app")
        .says("--client-json FILE");
    home.run(&["login", "--provider", "fitbit"])
        .exits(1)
        .says("switched off on 2 November 2026")
        .says("pulsewing login --provider google");
}

#[test]
fn what_was_not_allowed_is_said_and_stays_unknown() {
    for (provider, scopes, words) in [
        (
            "google",
            json!(["googlehealth.health_metrics_and_measurements.readonly"]),
            "battery",
        ),
        ("fitbit", json!(["heartrate", "profile"]), "battery"),
        ("fitbit", json!(["heartrate", "settings"]), "time zone"),
    ] {
        let door = Door::new(provider);
        door.sandbox.configure(&json!({ "scopes": scopes }));
        browser::paste(door.paste(&[])).exits(0).says(words);
        let now = door.sandbox.now();
        let once = door.home.run(&["once", "--json", "--now", &now]).exits(0);
        let reading = once.json();
        assert_eq!(reading["battery_percent"].is_null(), words == "battery");
        // The program does not request what would be refused.
        assert!(
            door.sandbox
                .requests()
                .iter()
                .all(|request| request["status"] != 403)
        );
    }
}

#[test]
fn without_heart_rate_nobody_is_signed_in() {
    for (provider, scopes) in [
        ("google", json!(["googlehealth.settings.readonly"])),
        ("fitbit", json!(["settings", "profile"])),
    ] {
        let door = Door::new(provider);
        door.sandbox.configure(&json!({ "scopes": scopes }));
        browser::paste(door.paste(&[]))
            .exits(3)
            .says("access to heart rate was not given")
            .says("keep the heart rate box ticked");
        assert_eq!(door.chain(), json!(null));
    }
}

#[test]
fn a_client_in_testing_is_told_that_it_has_seven_days() {
    let door = Door::new("google");
    door.sandbox.configure(&json!({ "testing_status": true }));
    browser::paste(door.paste(&[]))
        .exits(0)
        .says("this sign-in ends on 2026-11-29T14:0")
        .says("\"Testing\", where a sign-in lasts seven days");
    let ends = door.chain()["refresh_token_expires_at"].clone();
    assert!(
        ends.as_str().unwrap().starts_with("2026-11-29T14:0"),
        "{ends}"
    );
}

#[test]
fn an_exchange_without_an_answer_changes_nothing() {
    for (provider, route) in [("google", "google.token"), ("fitbit", "fitbit.token")] {
        let signed_in = SignedIn::either(provider);
        let before = signed_in.chain();
        for fault in [
            json!({ "drop": "before" }),
            json!({ "status": 503, "body": "html" }),
            json!({ "status": 429 }),
            json!({ "truncate": 20 }),
        ] {
            let mut login = signed_in.start_login(&[]);
            let back = browser::approve(&login.line());
            signed_in.fault(route, 1, &fault);
            login.say(&back);
            login.finish().exits(5);
            assert_eq!(signed_in.chain(), before, "{fault}");
        }
    }
}

#[test]
fn a_service_that_is_gone_and_a_client_that_is_wrong_have_codes_of_their_own() {
    let door = Door::new("fitbit");
    let mut login = door.paste(&[]);
    let back = browser::approve(&login.line());
    door.sandbox.configure(&json!({ "gone": true }));
    login.say(&back);
    login
        .finish()
        .exits(4)
        .says("pulsewing login --provider google");

    let door = Door::new("google");
    let config = configuration(&door.sandbox, "google");
    let wrong = config.replace("GOCSPX-", "GOCSPX-not-");
    door.home.configure(&wrong);
    browser::paste(door.paste(&[]))
        .exits(1)
        .says("invalid_client")
        .says_nothing_of("GOCSPX");
}

#[test]
fn signing_in_anew_raises_the_generation_and_forgets_the_account() {
    let signed_in = SignedIn::fitbit().after_once();
    assert_eq!(signed_in.chain()["generation"], 2);
    signed_in.login();
    let status = signed_in.status();
    assert_eq!(status["chain"]["generation"], 3);
    assert_eq!(status["last_success"], json!(null));
    signed_in.assert_chain_goes_on();
    // The new access token is valid: no refresh happens.
    let before = signed_in.token_requests();
    signed_in.once().exits(0);
    assert_eq!(signed_in.token_requests(), before);
}

#[test]
fn the_stored_chains_client_serves_when_none_is_configured() {
    let signed_in = SignedIn::google();
    signed_in.home.configure(&format!(
        "[endpoints]\nbase_url = \"{}\"\n",
        signed_in.sandbox.url
    ));
    signed_in.login();
    assert_eq!(signed_in.chain()["generation"], 2);
    signed_in.once().exits(0);
}
