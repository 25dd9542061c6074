//! A webhook: JSON of our own, whose form has a version, signed with a shared secret.
//!
//! The signature is `HMAC-SHA256(secret, timestamp + "." + body)` in hexadecimal digits, where the timestamp is
//! the value of the other header: so that neither can be replaced, and an old message can be told.

use jiff::Timestamp;
use ring::hmac;
use serde::Serialize;

use super::Request;
use crate::{
    channel::{Channel, Target},
    letter::{Form, Letter},
    notice::Notice,
    settings::Detail,
    wording::words,
};

/// The version of the form. It rises when a program that reads the old one could misread the new one.
const VERSION: u8 = 1;

/// The header of the signature.
const SIGNATURE: &str = "x-pulsewing-signature";

/// The header of the time of sending, in seconds since 1970.
const TIMESTAMP: &str = "x-pulsewing-timestamp";

/// Ours.
const MAX_BODY: usize = 4_000;

#[derive(Serialize)]
struct Message<'a> {
    version: u8,
    id: &'a str,
    event: &'a str,
    kind: Option<&'a str>,
    level: &'a str,
    wearer: Option<Wearer<'a>>,
    value: Option<u16>,
    limit: Option<u16>,
    at: Option<Timestamp>,
    age_s: Option<i64>,
    since: Option<Timestamp>,
    /// How many notices it stands for.
    count: u64,
    message: &'a str,
    url: Option<&'a str>,
}

#[derive(Serialize)]
struct Wearer<'a> {
    id: &'a str,
    name: &'a str,
}

pub(super) fn request(channel: &Channel, letter: &Letter, now: Timestamp) -> Request {
    let Target::Webhook { url, token, secret } = &channel.target else {
        return Request::get(channel.target.url().clone());
    };
    let words = words(letter, &channel.name, channel.detail, now, MAX_BODY);
    let only = only(letter);
    let told = only.filter(|_| channel.detail != Detail::None);
    let numbers = told.filter(|_| channel.detail == Detail::Value);
    let at = told.and_then(|notice| notice.at);
    let message = Message {
        version: VERSION,
        id: &letter.id,
        event: match (letter.form, only) {
            (Form::Test, _) => "test",
            (_, Some(notice)) => notice.event.name(),
            (_, None) => "summed",
        },
        kind: told.map(|notice| notice.kind.name()),
        level: match only {
            // Of one that is over, how much it mattered.
            Some(notice) => notice.level.name(),
            None => letter.loudness().name(),
        },
        wearer: told.map(|notice| Wearer {
            id: &notice.wearer,
            name: &notice.wearer_name,
        }),
        value: numbers.and_then(|notice| notice.bpm).map(|bpm| bpm.get()),
        limit: numbers.and_then(|notice| notice.limit).map(|bpm| bpm.get()),
        at,
        age_s: at.map(|at| now.duration_since(at).as_secs()),
        since: told.map(|notice| notice.since),
        count: letter.count(),
        message: &words.body,
        url: told.and_then(|notice| notice.page.as_deref()),
    };
    let request = Request::json(url.clone(), &message).bearer(token.as_ref());
    let Some(secret) = secret else {
        return request;
    };
    let timestamp = now.as_second().to_string();
    let signature = signature(secret.expose().as_bytes(), &timestamp, &request.body);
    request
        .header(TIMESTAMP, timestamp)
        .header(SIGNATURE, format!("sha256={signature}"))
}

/// The notice of a letter that has one. A sum has none, even of one subject: it is of many events.
fn only(letter: &Letter) -> Option<&Notice> {
    match (letter.form, letter.entries.as_slice()) {
        (Form::News, [entry]) => Some(&entry.notice),
        _ => None,
    }
}

fn signature(secret: &[u8], timestamp: &str, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let mut context = hmac::Context::with_key(&key);
    context.update(timestamp.as_bytes());
    context.update(b".");
    context.update(body);
    let tag = context.sign();
    tag.as_ref().iter().fold(String::new(), |mut hex, byte| {
        use std::fmt::Write;
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use pulsewing_core::alarm::Event;

    use super::*;
    use crate::{
        form::tests::{TABLES, channel, letter, sent},
        letter::Entry,
        notice::tests::high,
    };

    #[test]
    fn an_alarm_is_signed_json() {
        let [.., table] = TABLES;
        let channel = channel(&format!(
            "{table}\ndetail = \"value\"\ntoken_file = \"token\""
        ));
        let (url, headers, body) = sent(&channel, &letter(high(Event::Raised)));
        assert_eq!(url, "https://h.example/x");
        assert_eq!(
            body,
            concat!(
                r#"{"version":1,"id":"6f1c1d9e-3a54-4b7e-9d61-0d0f7e1c2b3a","event":"raised","#,
                r#""kind":"high","level":"urgent","wearer":{"id":"lea","name":"Léa"},"value":132,"#,
                r#""limit":120,"at":"2026-11-29T13:05:00Z","age_s":820,"since":"2026-11-29T12:58:00Z","#,
                r#""count":1,"message":"It was 132 bpm at 14:05; the limit is 120 (13 min ago).","#,
                r#""url":"https://pulse.example/lea"}"#
            )
        );
        let signed = signature(b"0123456789abcdef", "1795958320", body.as_bytes());
        assert_eq!(
            headers,
            [
                "content-type: application/json".to_owned(),
                "authorization: Bearer tk_hush".to_owned(),
                "x-pulsewing-timestamp: 1795958320".to_owned(),
                format!("x-pulsewing-signature: sha256={signed}"),
            ]
        );
    }

    /// The expected value is Python's: `hmac.new(b"0123456789abcdef", b"1795958320.{}", "sha256")`.
    #[test]
    fn others_compute_the_same_signature() {
        assert_eq!(
            signature(b"0123456789abcdef", "1795958320", b"{}"),
            "4f1f563c4a11621d787e03540e0cfafe1bc3a5266d309b7bbb39a0e4e8e68e34"
        );
    }

    #[test]
    fn without_detail_only_the_level_is_told() {
        let [.., table] = TABLES;
        let channel = channel(&format!("{table}\ndetail = \"none\""));
        let (.., body) = sent(&channel, &letter(high(Event::Cleared)));
        assert_eq!(
            body,
            concat!(
                r#"{"version":1,"id":"6f1c1d9e-3a54-4b7e-9d61-0d0f7e1c2b3a","event":"cleared","#,
                r#""kind":null,"level":"urgent","wearer":null,"value":null,"limit":null,"at":null,"#,
                r#""age_s":null,"since":null,"count":1,"message":"Pulsewing: all clear","url":null}"#
            )
        );
    }

    #[test]
    fn a_sum_and_a_test_are_events_of_their_own() {
        let [.., table] = TABLES;
        let channel = channel(table);
        let sum = Letter::sum(vec![Entry {
            notice: high(Event::Raised).into(),
            times: 7,
        }]);
        let (.., body) = sent(&channel, &sum);
        assert!(
            body.contains(r#""event":"summed","kind":null,"level":"urgent","#),
            "{body}"
        );
        assert!(body.contains(r#""count":7,"#), "{body}");
        let (.., body) = sent(&channel, &Letter::test());
        assert!(
            body.contains(r#""event":"test","kind":null,"level":"warning","#),
            "{body}"
        );
    }
}
