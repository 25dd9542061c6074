//! Gotify: `POST /message` with the token in a header (Gotify API 2, `createMessage`). In the address it would
//! end up in logs.

use jiff::Timestamp;
use pulsewing_core::alarm::Level;
use serde::Serialize;

use super::Request;
use crate::{
    address::below,
    channel::{Channel, Target},
    letter::Letter,
    settings::Detail,
    wording::words,
};

/// Ours: the server has no limit that its documentation names.
const MAX_BODY: usize = 4_000;

#[derive(Serialize)]
struct Message<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    message: &'a str,
    priority: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    extras: Option<Extras<'a>>,
}

#[derive(Serialize)]
struct Extras<'a> {
    #[serde(rename = "client::notification")]
    notification: Notification<'a>,
}

#[derive(Serialize)]
struct Notification<'a> {
    click: Click<'a>,
}

#[derive(Serialize)]
struct Click<'a> {
    url: &'a str,
}

pub(super) fn request(channel: &Channel, letter: &Letter, now: Timestamp) -> Request {
    let Target::Gotify { url, token } = &channel.target else {
        return Request::get(channel.target.url().clone());
    };
    let words = words(letter, &channel.name, channel.detail, now, MAX_BODY);
    let first = letter.first().filter(|_| channel.detail != Detail::None);
    let page = first.and_then(|notice| notice.page.as_deref());
    let message = Message {
        title: words.title.as_deref(),
        message: &words.body,
        // On Android 1 to 3 is silent, 4 to 7 sounds, and 8 and more also pops up.
        priority: match letter.loudness() {
            Level::Info => 2,
            Level::Warning => 5,
            Level::Urgent => 8,
        },
        extras: page.map(|url| Extras {
            notification: Notification {
                click: Click { url },
            },
        }),
    };
    Request::json(below(url, "/message"), &message)
        .header("x-gotify-key", token.expose().to_owned())
}

#[cfg(test)]
mod tests {
    use pulsewing_core::alarm::Event;

    use crate::{
        form::tests::{channel, letter, sent},
        notice::tests::high,
    };

    #[test]
    fn an_alarm_is_json_with_the_token_in_a_header() {
        let table =
            "to = \"gotify\"\nurl = \"https://push.example/gotify/\"\ntoken_file = \"token\"\n";
        let (url, headers, body) = sent(
            &channel(&format!("{table}detail = \"value\"")),
            &letter(high(Event::Raised)),
        );
        assert_eq!(url, "https://push.example/gotify/message");
        assert_eq!(
            headers,
            ["content-type: application/json", "x-gotify-key: tk_hush"]
        );
        assert_eq!(
            body,
            concat!(
                r#"{"title":"Léa: Heart rate too high","#,
                r#""message":"It was 132 bpm at 14:05; the limit is 120 (13 min ago).","priority":8,"#,
                r#""extras":{"client::notification":{"click":{"url":"https://pulse.example/lea"}}}}"#
            )
        );
        let none = channel(&format!("{table}detail = \"none\""));
        let (.., body) = sent(&none, &letter(high(Event::Cleared)));
        assert_eq!(body, r#"{"message":"Pulsewing: all clear","priority":2}"#);
    }
}
