//! The forms, byte for byte, as each service's documentation has them.

use pulsewing_core::alarm::{Event, Trouble};
use pulsewing_notify::{Ping, PingUrl};
use ring::hmac;

use crate::{
    clock, high, outbox, plain_client,
    recorder::{Recorded, Recorder, still, until},
};

/// Sends an alarm to a channel with this table, and returns the request.
async fn sent(table: &str) -> Recorded {
    let recorder = Recorder::start([]).await;
    let dir = tempfile::tempdir().unwrap();
    let table = format!("{table}\nurl = \"{}{}\"", recorder.url(), path(table));
    let outbox = outbox(dir.path(), &[table]);
    outbox.tell([high(Event::Raised)]);
    until(|| outbox.reports()[0].counts.sent == 1).await;
    let [request] = recorder.requests().try_into().unwrap();
    request
}

fn path(table: &str) -> &str {
    match table.contains("webhook") {
        true => "/hook?from=pulse",
        false => "/",
    }
}

#[tokio::test(start_paused = true)]
async fn ntfy_gets_json_at_its_root() {
    let _still = still();
    let request = sent(
        "to = \"ntfy\"\ntopic = \"pulse-7Qx\"\ntoken_file = \"token\"\n\
         snooze_token_file = \"snooze\"\ndetail = \"value\"",
    )
    .await;
    assert_eq!(request.line, "POST / HTTP/1.1");
    assert_eq!(
        request.own_headers(),
        [
            "authorization: Bearer tk_hush",
            "content-type: application/json"
        ]
    );
    let id = request.json()["sequence_id"].as_str().unwrap().to_owned();
    let expected = concat!(
        r#"{"topic":"pulse-7Qx","message":"It was 132 bpm at 14:05; the limit is 120 (13 min ago).","#,
        r#""title":"Léa: Heart rate too high","tags":["warning","heart"],"priority":5,"#,
        r#""click":"https://pulse.example/lea","actions":[{"action":"http","label":"Silence 30 min","#,
        r#""url":"https://pulse.example/api/v1/wearers/lea/alarms/high/snooze","method":"POST","#,
        r#""headers":{"Authorization":"Bearer sn_hush_hush_hush","Content-Type":"application/json"},"#,
        r#""body":"{\"minutes\":30}","clear":true}],"sequence_id":"ID"}"#
    );
    assert_eq!(request.body, expected.replace("ID", &id));
}

#[tokio::test(start_paused = true)]
async fn gotify_gets_json_and_its_token_in_a_header() {
    let _still = still();
    let request = sent("to = \"gotify\"\ntoken_file = \"token\"\ndetail = \"value\"").await;
    assert_eq!(request.line, "POST /message HTTP/1.1");
    assert_eq!(
        request.own_headers(),
        ["content-type: application/json", "x-gotify-key: tk_hush"]
    );
    assert_eq!(
        request.body,
        concat!(
            r#"{"title":"Léa: Heart rate too high","#,
            r#""message":"It was 132 bpm at 14:05; the limit is 120 (13 min ago).","priority":8,"#,
            r#""extras":{"client::notification":{"click":{"url":"https://pulse.example/lea"}}}}"#
        )
    );
}

#[tokio::test(start_paused = true)]
async fn pushover_gets_a_form_of_an_emergency() {
    let _still = still();
    let table =
        "to = \"pushover\"\ntoken_file = \"token\"\nuser_file = \"user\"\ndetail = \"kind\"";
    let request = sent(table).await;
    assert_eq!(request.line, "POST /1/messages.json HTTP/1.1");
    assert_eq!(
        request.own_headers(),
        ["content-type: application/x-www-form-urlencoded"]
    );
    assert_eq!(
        request.body,
        "token=tk_hush&user=u_hush&message=L%C3%A9a%3A+Heart+rate+too+high+%2813+min+ago%29\
         &priority=2&retry=60&expire=3600&url=https%3A%2F%2Fpulse.example%2Flea&url_title=Open"
    );
}

#[tokio::test(start_paused = true)]
async fn a_webhook_gets_json_that_is_signed_with_its_time() {
    let _still = still();
    let request = sent("to = \"webhook\"\nsecret_file = \"signing\"\ndetail = \"value\"").await;
    assert_eq!(request.line, "POST /hook?from=pulse HTTP/1.1");
    let id = request.json()["id"].as_str().unwrap().to_owned();
    let expected = concat!(
        r#"{"version":1,"id":"ID","event":"raised","kind":"high","level":"urgent","#,
        r#""wearer":{"id":"lea","name":"Léa"},"value":132,"limit":120,"at":"2026-11-29T13:05:00Z","#,
        r#""age_s":820,"since":"2026-11-29T12:58:00Z","count":1,"#,
        r#""message":"It was 132 bpm at 14:05; the limit is 120 (13 min ago).","#,
        r#""url":"https://pulse.example/lea"}"#
    );
    assert_eq!(request.body, expected.replace("ID", &id));
    // As a receiver checks it.
    let timestamp = request.header("x-pulsewing-timestamp").unwrap();
    assert_eq!(timestamp, "1795958320");
    let signature = request.header("x-pulsewing-signature").unwrap();
    let hex = signature.strip_prefix("sha256=").unwrap();
    let tag: Vec<u8> = (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect();
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"hush-0123456789abcdef");
    let signed = format!("{timestamp}.{}", request.body);
    hmac::verify(&key, signed.as_bytes(), &tag).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_ping_is_a_get_and_trouble_a_line() {
    let _still = still();
    let recorder = Recorder::start([]).await;
    let url = format!("{}/8c1c6f2e", recorder.url());
    let ping = Ping::start(PingUrl::try_from(url).unwrap(), plain_client(), clock());
    ping.beat(None);
    until(|| recorder.requests().len() == 1).await;
    ping.beat(Some(Trouble::NothingWritten));
    until(|| recorder.requests().len() == 2).await;
    let [good, bad] = recorder.requests().try_into().unwrap();
    assert_eq!(
        (good.line.as_str(), good.body.as_str()),
        ("GET /8c1c6f2e HTTP/1.1", "")
    );
    assert_eq!(bad.line, "POST /8c1c6f2e/fail HTTP/1.1");
    assert_eq!(
        bad.own_headers(),
        ["content-type: text/plain; charset=utf-8"]
    );
    assert_eq!(bad.body, "nothing can be written to the disk");
}
