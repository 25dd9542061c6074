use std::sync::Arc;

use reqwest::Method;
use tokio::time::sleep;

use super::*;
use crate::{
    notice::tests::time,
    outbox::tests::{Fate, Server},
};

const HC: &str = "https://hc-ping.com/8c1c6f2e-0000-4000-8000-000000000000";

fn url(text: &str) -> PingUrl {
    PingUrl::try_from(text.to_owned()).unwrap()
}

fn start(server: &Server) -> Ping {
    let clock: Clock = Arc::new(|| time("2026-11-29T13:18:40Z"));
    Ping::start_with(url(HC), server.clone(), clock)
}

async fn pass(seconds: u64) {
    sleep(Duration::from_secs(seconds)).await;
}

#[test]
fn a_ping_is_in_the_form_of_its_service() {
    let trouble = Trouble::UpdatesFail {
        since: time("2026-11-29T10:05:00Z"),
    };
    let sent = |text: &str, trouble| {
        let request = url(text).request(trouble);
        let body = String::from_utf8(request.body.to_vec()).unwrap();
        (request.method, request.url.to_string(), body)
    };
    assert_eq!(sent(HC, None), (Method::GET, HC.to_owned(), String::new()));
    assert_eq!(
        sent(HC, Some(trouble)),
        (
            Method::POST,
            format!("{HC}/fail"),
            "updates have failed since 2026-11-29 10:05 UTC".to_owned()
        )
    );
    let slug = "https://hc.example/key/pulse?create=1";
    assert_eq!(
        sent(slug, Some(Trouble::NothingWritten)).1,
        "https://hc.example/key/pulse/fail?create=1"
    );
    let kuma = "http://kuma.lan:3001/api/push/hush?status=up&msg=OK&ping=";
    assert_eq!(
        sent(kuma, None),
        (Method::GET, kuma.to_owned(), String::new())
    );
    assert_eq!(
        sent(kuma, Some(Trouble::TokensNotStored)).1,
        "http://kuma.lan:3001/api/push/hush?status=down&msg=new+tokens+cannot+be+stored&ping="
    );
}

#[test]
fn its_address_is_a_secret() {
    assert_eq!(format!("{:?}", url(HC)), "PingUrl(https://hc-ping.com/..)");
    let wrong = PingUrl::try_from("hc-ping.com/hush".to_owned()).unwrap_err();
    assert_eq!(
        wrong.to_string(),
        "`ping` is not an address like https://push.example"
    );
}

#[tokio::test(start_paused = true)]
async fn of_good_pings_one_a_minute_is_sent_but_trouble_at_once() {
    let server = Server::default();
    let ping = start(&server);
    pass(3600).await;
    // Not at the start: only when there was an update.
    assert!(server.look().tries.is_empty());
    for _ in 0..10 {
        ping.beat(None);
        pass(1).await;
    }
    assert_eq!(server.look().tries.len(), 1);
    ping.beat(Some(Trouble::NothingWritten));
    pass(1).await;
    ping.beat(None);
    pass(1).await;
    assert_eq!(server.look().tries.len(), 3);
    pass(60).await;
    ping.beat(None);
    pass(1).await;
    assert_eq!(server.look().tries.len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_down_gets_the_newest_ping_later() {
    let server = Server::new([Fate::Refuses, Fate::Status(503, None), Fate::Stalls]);
    let ping = start(&server);
    ping.beat(None);
    pass(1).await;
    ping.beat(Some(Trouble::ClockSetBack));
    pass(600).await;
    let bodies: Vec<_> = server.look().tries.iter().map(|t| t.1.clone()).collect();
    let line = "the machine's clock was set back";
    assert_eq!(bodies, ["", line, line, line]);
    assert_eq!(ping.last_error(), None);
}

#[tokio::test(start_paused = true)]
async fn a_wrong_address_is_told() {
    let server = Server::new([Fate::Status(404, None)]);
    let ping = start(&server);
    ping.beat(None);
    pass(600).await;
    assert_eq!(server.look().tries.len(), 1);
    assert_eq!(ping.last_error(), Some(Failure::NotFound));
    ping.beat(None);
    pass(1).await;
    assert_eq!(ping.last_error(), None);
}
