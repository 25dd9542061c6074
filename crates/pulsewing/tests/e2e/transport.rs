//! Between the program and the cloud: compression, proxies, redirects, and pages of the network.

use std::fs;

use serde_json::json;

use crate::harness::{
    daemon::Daemon,
    hermetic::{Home, Program},
    recording,
    relay::Relay,
    sandbox_process::Sandbox,
    signed_in::{SignedIn, adopt, configuration},
};

/// Returns the lines of a head that name a coding.
fn coding(head: &str) -> Option<&str> {
    head.lines().find(|line| line.contains("-encoding:"))
}

#[test]
fn data_is_asked_for_with_gzip_and_tokens_are_not() {
    let signed_in = SignedIn::google();
    let relay = Relay::to(&signed_in.sandbox.url, |_| false);
    let config = configuration(&signed_in.sandbox, "google");
    signed_in
        .home
        .configure(&config.replace(&signed_in.sandbox.url, &format!("http://{}", relay.address)));
    signed_in.login();
    signed_in.sandbox.advance(3_600);
    let reading = signed_in.run(&["once", "--json"]).exits(0).json();
    assert_eq!(reading["logged_minutes"], 840);
    let seen = relay.seen();
    assert!(seen.len() > 4, "{seen:?}");
    for exchange in seen {
        let is_token = exchange.request.starts_with("post /token ");
        let (asked, packed) = match is_token {
            true => ("accept-encoding: identity", None),
            false => ("accept-encoding: gzip", Some("content-encoding: gzip")),
        };
        if exchange.request.starts_with("get /o/oauth2/") {
            continue;
        }
        assert_eq!(coding(&exchange.request), Some(asked), "{exchange:?}");
        assert_eq!(coding(&exchange.reply), packed, "{exchange:?}");
    }
}

#[test]
fn an_answer_that_is_compressed_unasked_is_understood_too() {
    let home = Home::new();
    let sandbox = Sandbox::with_recording(&home, &recording::until_two(), "UTC");
    sandbox.seed(crate::harness::signed_in::SEED);
    let relay = Relay::to(&sandbox.url, |_| true);
    let config = configuration(&sandbox, "fitbit");
    home.configure(&config.replace(&sandbox.url, &format!("http://{}", relay.address)));
    adopt(&home, &sandbox, crate::harness::signed_in::SEED);
    home.run(&["once", "--now", &sandbox.now()])
        .exits(0)
        .prints("Next token written to disk Successfully!");
    for exchange in relay.seen() {
        assert_eq!(coding(&exchange.reply), Some("content-encoding: gzip"));
    }
    assert_eq!(sandbox.requests_of("fitbit.token").len(), 1);
}

#[test]
fn another_compression_is_refused_in_words() {
    for (provider, coding) in [("google", "br"), ("fitbit", "deflate")] {
        let signed_in = SignedIn::either(provider);
        let reply = json!({ "status": 200, "headers": { "Content-Encoding": coding } });
        signed_in.fault(signed_in.heart_route(), 0, &reply);
        signed_in
            .once()
            .exits(5)
            .says("compressed, although it should not be");
    }
}

#[test]
fn an_endpoint_that_has_moved_is_said_to_and_that_is_no_matter_of_waiting() {
    let moved = json!({ "status": 308, "headers": { "Location": "https://new.example/a?b=hush" } });
    for route in ["google.rollup", "google.token"] {
        let signed_in = SignedIn::google();
        signed_in.sandbox.advance(3_600);
        signed_in.fault(route, 0, &moved);
        signed_in
            .once()
            .exits(1)
            .says("the address redirects elsewhere (status 308)")
            .says("caused by: it redirects to https://new.example")
            .says("[endpoints]")
            .says_nothing_of("hush");
    }
    let signed_in = SignedIn::google();
    signed_in.fault("google.rollup", 0, &moved);
    signed_in.once().exits(1);
    assert_eq!(signed_in.sandbox.requests_of("google.rollup").len(), 1);
    // A temporary redirect may come from the network's own page.
    let portal = json!({ "status": 302, "headers": { "Location": "http://portal.example/" } });
    signed_in.fault("google.rollup", 0, &portal);
    signed_in
        .once()
        .exits(5)
        .says("http://portal.example")
        .says("a network's login page seems to be answering instead of Google Health")
        .says("sign in there");
    for (fault, exit) in [(&moved, 1), (&portal, 5)] {
        signed_in.fault("*", 0, fault);
        let doctor = signed_in.program(&["doctor"]).printing_first().run();
        doctor.exits(exit).prints("redirects elsewhere");
        signed_in
            .run(&["logout"])
            .exits(exit)
            .says("redirects elsewhere");
    }
    assert_eq!(signed_in.chain()["standing"], "active");
}

#[test]
fn a_networks_login_page_is_told_as_that_by_every_face() {
    let page = json!({ "status": 200, "body": "html" });
    let required = json!({ "status": 511, "body": "html" });
    for fault in [&page, &required] {
        for provider in ["google", "fitbit"] {
            let signed_in = SignedIn::either(provider);
            signed_in.today_alone();
            signed_in.once().exits(0);
            signed_in.fault(signed_in.heart_route(), 0, fault);
            signed_in
                .once()
                .exits(5)
                .says("a network's login page seems to be answering instead of")
                .says("answered instead of the service")
                .says("open a web page in a browser on this network")
                .says_nothing_of("as it should");
            let daemon = Daemon::start(&signed_in);
            daemon.logs("a network's login page");
            let page = daemon.get("/").body;
            assert!(
                page.contains("Open any web page in a browser on the same network"),
                "{page}"
            );
            daemon.stop();
            signed_in
                .run(&["status"])
                .exits(0)
                .prints("a network's login page");
        }
    }
    // If this happens at the token endpoint, the token is kept.
    let signed_in = SignedIn::google();
    signed_in.sandbox.advance(3_600);
    signed_in.fault("google.token", 0, &required);
    signed_in
        .once()
        .exits(5)
        .says("renewing the sign-in failed: a network's login page");
    assert_eq!(signed_in.chain()["standing"], "active");
    signed_in.fault("*", 0, &required);
    let doctor = signed_in.program(&["doctor"]).printing_first().run();
    doctor
        .exits(5)
        .prints("a network's login page answers instead of");
}

#[test]
fn four_kinds_of_403_are_four_things() {
    let signed_in = SignedIn::google();
    let page = json!({ "status": 403, "body": "html" });
    for (fault, exit, words) in [
        (
            &page,
            5,
            "something on the way answered instead of the service (status 403)",
        ),
        (
            &json!({ "reason": "userRateLimitExceeded" }),
            5,
            "rate-limited until",
        ),
        (
            &json!({ "reason": "CONSUMER_INVALID" }),
            1,
            "Google Cloud project is gone",
        ),
        (&json!({ "reason": "UBERMINT" }), 1, "PERMISSION_DENIED"),
    ] {
        signed_in.fault("google.rollup", 0, fault);
        signed_in.once().exits(exit).says(words);
        // A limited service is left alone for a while.
        signed_in.sandbox.advance(90);
    }
    // A page in between is not an answer of the token endpoint, nor of the revocation endpoint.
    signed_in.fault("*", 0, &page);
    signed_in
        .run(&["logout"])
        .exits(5)
        .says("something on the way");
    assert_eq!(signed_in.chain()["standing"], "active");
    signed_in
        .program(&["doctor"])
        .printing_first()
        .run()
        .exits(5)
        .prints("something on the way answers instead of");
}

/// A home whose data come over TLS, through a proxy.
struct Behind {
    signed_in: SignedIn,
    roots: String,
}

impl Behind {
    fn a_proxy() -> Self {
        let signed_in = SignedIn::google();
        let dir = signed_in.home.path("tls");
        fs::create_dir(&dir).unwrap();
        let _made = Sandbox::start(&signed_in.home, &["--tls", dir.to_str().unwrap()]);
        let config = configuration(&signed_in.sandbox, "google");
        let api = "[endpoints]\napi_url = \"https://health.example\"";
        signed_in
            .home
            .configure(&config.replace("[endpoints]", api));
        let roots = dir.join("ca.pem").to_str().unwrap().to_owned();
        Self { signed_in, roots }
    }

    fn program(&self, args: &[&str], proxy: &str) -> Program {
        self.signed_in
            .program(args)
            .env("SSL_CERT_FILE", &self.roots)
            .env("HTTPS_PROXY", proxy)
    }
}

#[test]
fn a_proxy_that_refuses_is_named_and_its_password_is_not() {
    let behind = Behind::a_proxy();
    for reply in [
        "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n",
    ] {
        let relay = Relay::answering(reply);
        let proxy = format!("http://somebody:hush@{}", relay.address);
        let named = format!("the proxy http://{} refuses the connection", relay.address);
        behind
            .program(&["once"], &proxy)
            .run()
            .exits(5)
            .says("fetching the heart rate: the server could not be reached")
            .says(&format!("caused by: {named}"))
            .says_nothing_of("hush");
        behind
            .program(&["doctor"], &proxy)
            .printing_first()
            .run()
            .exits(5)
            .prints(&named);
        let seen = relay.seen();
        assert!(
            seen[0].request.starts_with("connect health.example:443 "),
            "{seen:?}"
        );
    }
}

#[test]
fn a_socks_proxy_is_spoken_to_and_named_when_it_is_not_there() {
    let behind = Behind::a_proxy();
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = nobody.local_addr().unwrap();
    drop(nobody);
    for scheme in ["socks5", "socks5h"] {
        let proxy = format!("{scheme}://{address}");
        behind
            .program(&["once"], &proxy)
            .run()
            .exits(5)
            .says(&format!("the proxy {proxy}"))
            .says_nothing_of("refuses");
        // Later commands report it too, and so does the log.
        let named = format!("the proxy {proxy}");
        let status = behind.signed_in.status();
        let details = status["last_details"].as_str().unwrap();
        assert!(details.contains(&named), "{status}");
        let run = behind.program(&["run", "--no-web"], &proxy).start();
        run.error_line_with(&named);
        run.stop();
        let doctor = behind.program(&["doctor"], &proxy).printing_first().run();
        doctor.exits(0).prints(&format!("the proxy {proxy}"));
    }
}
