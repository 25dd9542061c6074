//! ntfy: JSON to the server's root, so that every text is UTF-8 (ntfy documentation, "Publish as JSON").

use std::collections::BTreeMap;

use jiff::Timestamp;
use pulsewing_core::alarm::{Event, Level};
use serde::Serialize;

use super::Request;
use crate::{
    channel::{Channel, Target},
    letter::{Form, Letter},
    secret::Secret,
    settings::Detail,
    wording::words,
};

/// A message has at most 4,096 bytes; the server makes a file of a longer one.
const MAX_BODY: usize = 4_000;

/// A message has at most three buttons.
const MAX_ACTIONS: usize = 3;

#[derive(Serialize)]
struct Message<'a> {
    topic: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    tags: &'a [&'a str],
    priority: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    click: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    actions: Vec<Action<'a>>,
    /// From version 2.16 on, a message that is sent again after a lost answer replaces itself by this.
    /// Older servers ignore it.
    sequence_id: &'a str,
}

#[derive(Serialize)]
struct Action<'a> {
    action: &'a str,
    label: &'a str,
    url: &'a str,
    method: &'a str,
    headers: BTreeMap<&'a str, String>,
    body: &'a str,
    clear: bool,
}

pub(super) fn request(channel: &Channel, letter: &Letter, now: Timestamp) -> Request {
    let Target::Ntfy {
        url,
        topic,
        token,
        snooze,
    } = &channel.target
    else {
        return Request::get(channel.target.url().clone());
    };
    let words = words(letter, &channel.name, channel.detail, now, MAX_BODY);
    let first = letter.first().filter(|_| channel.detail != Detail::None);
    let message = Message {
        topic,
        message: &words.body,
        title: words.title.as_deref(),
        tags: tags(letter, channel.detail),
        priority: match letter.loudness() {
            Level::Info => 2,
            Level::Warning => 4,
            Level::Urgent => 5,
        },
        click: first.and_then(|notice| notice.page.as_deref()),
        actions: match snooze {
            Some(token) => actions(letter, channel.detail, token),
            None => Vec::new(),
        },
        sequence_id: &letter.id,
    };
    Request::json(url.clone(), &message).bearer(token.as_ref())
}

/// The emoji in front of the title.
fn tags(letter: &Letter, detail: Detail) -> &'static [&'static str] {
    let Some(first) = letter.first() else {
        return &["test_tube"];
    };
    match first.event {
        Event::Cleared => &["white_check_mark"],
        Event::Acknowledged => &["eyes"],
        Event::Past => &["information_source"],
        _ if first.kind.is_of_rate() && detail != Detail::None => &["warning", "heart"],
        _ => &["warning"],
    }
}

/// The buttons of a message about one alarm that holds.
fn actions<'a>(letter: &'a Letter, detail: Detail, token: &Secret) -> Vec<Action<'a>> {
    let only = match (letter.form, letter.entries.as_slice()) {
        (Form::News, [entry]) if detail != Detail::None && entry.notice.is_alarm() => &entry.notice,
        _ => return Vec::new(),
    };
    let calls = only.snooze.iter().take(MAX_ACTIONS);
    calls
        .map(|call| Action {
            action: "http",
            label: &call.label,
            url: &call.url,
            method: "POST",
            headers: [
                ("Authorization", format!("Bearer {}", token.expose())),
                ("Content-Type", "application/json".to_owned()),
            ]
            .into(),
            body: &call.body,
            clear: true,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        form::tests::{channel, letter, now, sent},
        notice::tests::high,
    };

    const TABLE: &str = "to = \"ntfy\"\nurl = \"https://push.example\"\ntopic = \"pulse-7Qx\"\n";

    #[test]
    fn an_alarm_is_json_at_the_root() {
        let with = "token_file = \"token\"\nsnooze_token_file = \"snooze\"\ndetail = \"value\"";
        let channel = channel(&format!("{TABLE}{with}"));
        let (url, headers, body) = sent(&channel, &letter(high(Event::Raised)));
        assert_eq!(url, "https://push.example/");
        assert_eq!(
            headers,
            [
                "content-type: application/json",
                "authorization: Bearer tk_hush"
            ]
        );
        assert_eq!(
            body,
            concat!(
                r#"{"topic":"pulse-7Qx","#,
                r#""message":"It was 132 bpm at 14:05; the limit is 120 (13 min ago).","#,
                r#""title":"Léa: Heart rate too high","tags":["warning","heart"],"priority":5,"#,
                r#""click":"https://pulse.example/lea","#,
                r#""actions":[{"action":"http","label":"Silence 30 min","#,
                r#""url":"https://pulse.example/api/v1/wearers/lea/alarms/high/snooze","method":"POST","#,
                r#""headers":{"Authorization":"Bearer sn_hush_hush_hush","Content-Type":"application/json"},"#,
                r#""body":"{\"minutes\":30}","clear":true}],"#,
                r#""sequence_id":"6f1c1d9e-3a54-4b7e-9d61-0d0f7e1c2b3a"}"#
            )
        );
    }

    #[test]
    fn without_detail_and_tokens_there_is_little() {
        let channel = channel(&format!("{TABLE}detail = \"none\""));
        let (_, headers, body) = sent(&channel, &letter(high(Event::Raised)));
        assert_eq!(headers, ["content-type: application/json"]);
        assert_eq!(
            body,
            concat!(
                r#"{"topic":"pulse-7Qx","message":"Pulsewing: look at the display","#,
                r#""tags":["warning"],"priority":5,"sequence_id":"6f1c1d9e-3a54-4b7e-9d61-0d0f7e1c2b3a"}"#
            )
        );
    }

    #[test]
    fn an_all_clear_is_quiet_and_has_no_buttons() {
        let channel = channel(&format!("{TABLE}snooze_token_file = \"snooze\""));
        let (.., body) = sent(&channel, &letter(high(Event::Cleared)));
        assert!(
            body.contains(r#""tags":["white_check_mark"],"priority":2,"#),
            "{body}"
        );
        assert!(
            !body.contains("actions") && !body.contains("sn_hush_hush_hush"),
            "{body}"
        );
    }

    #[test]
    fn a_long_message_stays_a_message() {
        let mut notice = high(Event::Raised);
        notice.sentence = "é".repeat(4_000);
        let channel = channel(&format!("{TABLE}detail = \"value\""));
        let request = request(&channel, &letter(notice), now());
        let sent: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
        assert!(sent["message"].as_str().unwrap().len() <= 4096);
    }
}
