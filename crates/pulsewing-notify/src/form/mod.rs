//! What each service is sent, byte for byte, and what its answers mean.

mod gotify;
mod ntfy;
mod pushover;
mod webhook;

use jiff::Timestamp;
use reqwest::{Method, Url};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::{
    channel::{Channel, Target},
    letter::Letter,
    secret::Secret,
};

/// A request as a value. It holds secrets, so that it has no `Debug`.
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: Vec<(&'static str, Zeroizing<String>)>,
    pub(crate) body: Zeroizing<Vec<u8>>,
}

impl Request {
    fn json(url: Url, body: &impl Serialize) -> Self {
        // These structures have only texts, numbers and lists.
        let body = Zeroizing::new(serde_json::to_vec(body).unwrap_or_default());
        Self::post(url, "application/json", body)
    }

    pub(crate) fn post(url: Url, content_type: &str, body: Zeroizing<Vec<u8>>) -> Self {
        let content_type = Zeroizing::new(content_type.to_owned());
        Self {
            method: Method::POST,
            url,
            headers: vec![("content-type", content_type)],
            body,
        }
    }

    pub(crate) fn get(url: Url) -> Self {
        Self {
            method: Method::GET,
            url,
            headers: Vec::new(),
            body: Zeroizing::default(),
        }
    }

    fn header(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, Zeroizing::new(value)));
        self
    }

    fn bearer(self, token: Option<&Secret>) -> Self {
        match token {
            Some(token) => self.header("authorization", format!("Bearer {}", token.expose())),
            None => self,
        }
    }
}

/// Returns the request that sends a letter now.
pub(crate) fn request(channel: &Channel, letter: &Letter, now: Timestamp) -> Request {
    match &channel.target {
        Target::Ntfy { .. } => ntfy::request(channel, letter, now),
        Target::Gotify { .. } => gotify::request(channel, letter, now),
        Target::Pushover { .. } => pushover::request(channel, letter, now),
        Target::Webhook { .. } => webhook::request(channel, letter, now),
    }
}

/// Returns the request that ends the ringing of a message that rings until somebody has seen it.
pub(crate) fn cancel(channel: &Channel, receipt: &str) -> Option<Request> {
    match &channel.target {
        Target::Pushover { url, token, .. } => Some(pushover::cancel(url, token, receipt)),
        _ => None,
    }
}

/// What a reply of status 2xx says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The message was taken. One that rings until it is seen has a receipt.
    Taken { receipt: Option<String> },
    /// It does not come from such a service, but from a portal or a proxy.
    Strange,
}

/// Reads a reply of status 2xx.
pub(crate) fn answer(target: &Target, body: &[u8]) -> Answer {
    match target {
        Target::Ntfy { .. } | Target::Gotify { .. } => with_id(body),
        Target::Pushover { .. } => pushover::answer(body),
        // It may answer what it likes.
        Target::Webhook { .. } => Answer::Taken { receipt: None },
    }
}

/// ntfy and Gotify answer with the message's id: a text, and a number.
fn with_id(body: &[u8]) -> Answer {
    let reply: Result<serde_json::Value, _> = serde_json::from_slice(body);
    match reply.is_ok_and(|reply| reply.get("id").is_some()) {
        true => Answer::Taken { receipt: None },
        false => Answer::Strange,
    }
}

/// Returns the service's own words about a refusal, if it has any that can be shown.
pub(crate) fn refusal(target: &Target, body: &[u8]) -> Option<String> {
    let reply: serde_json::Value = serde_json::from_slice(body).ok()?;
    let words = match target {
        // {"code":40301,"http":403,"error":"forbidden"}
        Target::Ntfy { .. } => reply.get("error")?.as_str()?,
        // {"error":"Unauthorized","errorCode":401,"errorDescription":"..."}
        Target::Gotify { .. } => reply.get("errorDescription")?.as_str()?,
        // {"status":0,"errors":["user identifier is invalid"]}
        Target::Pushover { .. } => reply.get("errors")?.get(0)?.as_str()?,
        Target::Webhook { .. } => return None,
    };
    let is_plain = !words.chars().any(char::is_control) && !target.is_told_in(words);
    let is_short = (1..=MAX_WORDS).contains(&words.len());
    (is_plain && is_short).then(|| words.to_owned())
}

/// The longest words of a server that are shown, in bytes.
const MAX_WORDS: usize = 200;

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::Arc;

    use pulsewing_core::alarm::Event;

    use super::*;
    use crate::{
        notice::{
            Notice,
            tests::{high, time},
        },
        settings::{Detail, SendSettings},
    };

    /// A channel of a table, whose files are `token`, `user`, `signing` and `snooze`.
    pub(crate) fn channel(table: &str) -> Channel {
        let dir = tempfile::tempdir().unwrap();
        for (name, secret) in [
            ("token", "tk_hush"),
            ("user", "u_hush"),
            ("signing", "0123456789abcdef"),
            ("snooze", "sn_hush_hush_hush"),
        ] {
            std::fs::write(dir.path().join(name), secret).unwrap();
        }
        let settings: SendSettings = toml::from_str(table).unwrap();
        let channels = Channel::all(&[settings], dir.path()).unwrap();
        channels.into_iter().next().unwrap()
    }

    pub(super) const ID: &str = "6f1c1d9e-3a54-4b7e-9d61-0d0f7e1c2b3a";

    pub(super) fn now() -> Timestamp {
        time("2026-11-29T13:18:40Z")
    }

    pub(super) fn letter(notice: Notice) -> Letter {
        Letter {
            id: ID.to_owned(),
            ..Letter::news([Arc::new(notice)])
        }
    }

    pub(super) fn sent(channel: &Channel, letter: &Letter) -> (String, Vec<String>, String) {
        let request = request(channel, letter, now());
        assert_eq!(request.method, Method::POST);
        let headers = request.headers.iter();
        (
            request.url.to_string(),
            headers
                .map(|(name, value)| format!("{name}: {}", **value))
                .collect(),
            String::from_utf8(request.body.to_vec()).unwrap(),
        )
    }

    pub(crate) const TABLES: [&str; 4] = [
        "to = \"ntfy\"\nurl = \"https://ntfy.sh\"\ntopic = \"top\"\nsnooze_token_file = \"snooze\"",
        "to = \"gotify\"\nurl = \"https://push.example\"\ntoken_file = \"token\"",
        "to = \"pushover\"\ntoken_file = \"token\"\nuser_file = \"user\"",
        "to = \"webhook\"\nurl = \"https://h.example/x\"\nsecret_file = \"signing\"",
    ];

    #[test]
    fn nothing_goes_out_that_the_detail_keeps_in() {
        for table in TABLES {
            let mut channel = channel(table);
            for event in Event::ALL {
                let letter = letter(high(event));
                channel.detail = Detail::None;
                let (url, headers, body) = sent(&channel, &letter);
                let all = format!("{url} {headers:?} {body}").to_lowercase();
                for hidden in [
                    "132", "120", "high", "heart", "/lea", "\"lea", "%2flea", "léa", "a9a",
                    "13:05", "14:05",
                ] {
                    assert!(!all.contains(hidden), "{table} {event}: {hidden} in {all}");
                }
                channel.detail = Detail::Kind;
                let (.., body) = sent(&channel, &letter);
                assert!(!body.contains("132") && !body.contains("120"), "{body}");
            }
        }
    }

    #[test]
    fn only_the_service_itself_takes_a_message() {
        let [ntfy, gotify, pushover, webhook] = TABLES.map(|table| channel(table).target);
        let taken = Answer::Taken { receipt: None };
        assert_eq!(answer(&ntfy, b"{\"id\":\"xE73Iyuabi\"}"), taken);
        assert_eq!(answer(&gotify, b"{\"id\":25}"), taken);
        assert_eq!(
            answer(&pushover, b"{\"status\":1,\"request\":\"r\"}"),
            taken
        );
        assert_eq!(
            answer(
                &pushover,
                b"{\"receipt\":\"rLqVuqTRh62UzxtmqiaLzQmVcPgiCy\",\"status\":1}"
            ),
            Answer::Taken {
                receipt: Some("rLqVuqTRh62UzxtmqiaLzQmVcPgiCy".to_owned())
            }
        );
        let portal = b"<html>Please sign in</html>";
        for target in [&ntfy, &gotify, &pushover] {
            assert_eq!(answer(target, portal), Answer::Strange);
        }
        assert_eq!(
            answer(&pushover, b"{\"receipt\":\"../x\",\"status\":1}"),
            taken
        );
        assert_eq!(answer(&webhook, portal), taken);
    }

    #[test]
    fn a_refusals_words_are_shown_unless_they_tell_a_secret() {
        let [ntfy, gotify, pushover, webhook] = TABLES.map(|table| channel(table).target);
        let said = |target, body: &str| refusal(target, body.as_bytes());
        assert_eq!(
            said(&ntfy, "{\"error\":\"forbidden\"}").as_deref(),
            Some("forbidden")
        );
        assert_eq!(
            said(&gotify, "{\"errorDescription\":\"you need a token\"}").as_deref(),
            Some("you need a token")
        );
        let body = "{\"errors\":[\"user identifier is invalid\"],\"status\":0}";
        assert_eq!(
            said(&pushover, body).as_deref(),
            Some("user identifier is invalid")
        );
        for told in ["token tk_hush", "user u_hush", "a\\nb", ""] {
            assert_eq!(
                said(&pushover, &format!("{{\"errors\":[\"{told}\"]}}")),
                None
            );
        }
        assert_eq!(said(&webhook, "{\"error\":\"no\"}"), None);
        assert_eq!(said(&ntfy, "no JSON"), None);
    }
}
