//! Plain words for everybody, and details only for a person who looks for them.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use serde_json::json;

use crate::harness::{daemon::Daemon, hermetic::Home, signed_in::SignedIn};

/// Words that a wearer, or a person who looks after one, does not have to know.
const OF_THE_TRADE: [&str; 14] = [
    "status 5",
    "status 4",
    "invalid_grant",
    "SERVICE_DISABLED",
    "(503)",
    "(410",
    "token",
    "OAuth",
    "basic authentication",
    "Whose tracker",
    "pulsewing login",
    "pulsewing doctor",
    "<code>",
    "`",
];

/// Splits a page, without its head, into the visible part and the part folded away under \"Details\".
fn read(page: &str) -> (String, String) {
    let mut said = page.split_once("<main").unwrap().1.to_owned();
    let mut details = String::new();
    while let Some((before, rest)) = said.split_once("<details class=\"technical\">") {
        let (folded, after) = rest.split_once("</details>").unwrap();
        details.push_str(folded);
        said = format!("{before}{after}");
    }
    (said, details)
}

#[track_caller]
fn assert_plain(said: &str) {
    for word in OF_THE_TRADE {
        assert!(!said.contains(word), "\"{word}\" is in\n{said}");
    }
}

#[test]
fn the_page_says_what_is_wrong_in_plain_words_and_folds_the_rest_away() {
    for (fault, plain, advice, technical) in [
        (
            json!({ "status": 503, "body": "html" }),
            "Fetching the heart rate failed: Google Health is not working right now.",
            "Nothing is lost, and Pulsewing keeps trying.",
            "status 503",
        ),
        (
            json!({ "status": 400 }),
            "Fetching the heart rate was refused by Google Health.",
            "Ask whoever set up Pulsewing to look at this",
            "status 400",
        ),
        (
            json!({ "reason": "ACCOUNT_NOT_LINKED" }),
            "This Google account is not linked to Google Health.",
            "Set up Google Health with this account",
            "ACCOUNT_NOT_LINKED",
        ),
        (
            json!({ "reason": "SERVICE_DISABLED" }),
            "The Google Health API is not switched on for the app that Pulsewing uses.",
            "Ask whoever set up Pulsewing to switch it on",
            "SERVICE_DISABLED",
        ),
    ] {
        let signed_in = SignedIn::google();
        signed_in.fault("google.rollup", 0, &fault);
        let daemon = Daemon::start(&signed_in);
        daemon.logs("details=");
        let page = daemon.get("/").body;
        let (said, details) = read(&page);
        assert!(said.contains(plain) && said.contains(advice), "{said}");
        assert_plain(&said);
        assert!(details.contains(technical), "{details}");
        let now = daemon.get("/api/v1/now").json();
        let trouble = &now["trouble"];
        assert!(plain[1..].starts_with(&trouble["message"].as_str().unwrap()[1..]));
        assert!(
            trouble["details"].as_str().unwrap().contains(technical),
            "{now}"
        );
        daemon.stop();
    }
}

#[test]
fn a_sign_in_that_has_ended_is_told_without_a_command() {
    let signed_in = SignedIn::google();
    signed_in.sandbox.advance(3_600);
    signed_in.fault("google.token", 0, &json!({ "reason": "invalid_grant" }));
    let daemon = Daemon::start(&signed_in);
    daemon.logs("Google Health no longer accepts this sign-in");
    let (said, details) = read(&daemon.get("/").body);
    assert!(
        said.contains("Google Health no longer accepts this sign-in."),
        "{said}"
    );
    assert!(said.contains("href=\"/sign-in\""), "{said}");
    assert_plain(&said);
    assert!(details.contains("invalid_grant"), "{details}");
    let (said, _) = read(&daemon.get("/sign-in").body);
    assert!(
        said.contains("Which service has the tracker's data?"),
        "{said}"
    );
    assert_plain(&said);
    daemon.stop();
}

#[test]
fn what_is_missing_for_a_sign_in_is_told_without_a_command() {
    let home = Home::new();
    let daemon = Daemon::of(home.program(&["run", "--listen", "127.0.0.1:0"]));
    let (said, details) = read(&daemon.post("/sign-in", "provider=google").body);
    assert!(
        said.contains("Pulsewing has not been introduced to Google Health yet."),
        "{said}"
    );
    assert_plain(&said);
    assert!(details.contains("OAuth client"), "{details}");
    let mut stream = TcpStream::connect(daemon.url.strip_prefix("http://").unwrap()).unwrap();
    let request = "GET / HTTP/1.1\r\nHost: elsewhere.example\r\nConnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).unwrap();
    let (said, _) = read(&reply);
    assert!(
        said.contains("Open the page by its machine's address instead"),
        "{said}"
    );
    assert_plain(&said);
    daemon.stop();
}

#[test]
fn the_command_line_says_it_plainly_and_has_a_line_of_details() {
    let signed_in = SignedIn::google();
    signed_in.fault(
        "google.rollup",
        0,
        &json!({ "status": 503, "body": "html" }),
    );
    let once = signed_in.once().exits(5);
    let mut lines = once.stderr.lines();
    assert_eq!(
        lines.next(),
        Some("error: fetching the heart rate failed: Google Health is not working right now")
    );
    assert_eq!(
        lines.next(),
        Some("details: fetching the heart rate: the server answered with status 503")
    );
    assert!(
        once.stderr.contains("\nhint: nothing is lost"),
        "{}",
        once.stderr
    );
}

#[test]
fn whoever_lacks_the_passphrase_is_told_where_to_enter_it() {
    let signed_in = SignedIn::google();
    signed_in
        .home
        .configure_more("[web]\npassphrase = \"correct horse\"\n");
    let daemon = Daemon::start(&signed_in);
    let page = daemon.post("/update", "");
    assert_eq!(page.status, 401);
    let (said, _) = read(&page.body);
    assert!(
        said.contains("Go back to the page and enter the passphrase there."),
        "{said}"
    );
    assert_plain(&said);
    let call = daemon.get("/api/v1/now");
    assert_eq!(call.status, 401);
    assert!(
        call.body
            .contains("Enter it as the password, with any user name"),
        "{}",
        call.body
    );
    daemon.stop();
}
