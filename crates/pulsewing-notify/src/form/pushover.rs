//! Pushover: a form to `/1/messages.json` (Pushover API). What is urgent rings until somebody has seen it:
//! an emergency, whose receipt is cancelled when the alarm is over.

use jiff::Timestamp;
use pulsewing_core::alarm::Level;
use reqwest::Url;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::{Answer, Request};
use crate::{
    address::below,
    channel::{Channel, Target},
    letter::Letter,
    secret::Secret,
    settings::Detail,
    wording::words,
};

/// A message has at most 1,024 characters; a character has at least a byte.
const MAX_BODY: usize = 1_000;

/// An emergency rings again after so many seconds, at least 30.
const RETRY_S: &str = "60";

/// An emergency rings for so many seconds, at most 10,800. The alarm repeats it.
const EXPIRE_S: &str = "3600";

/// A receipt has 30 letters and digits; more is none.
const MAX_RECEIPT: usize = 64;

pub(super) fn request(channel: &Channel, letter: &Letter, now: Timestamp) -> Request {
    let Target::Pushover { url, token, user } = &channel.target else {
        return Request::get(channel.target.url().clone());
    };
    let words = words(letter, &channel.name, channel.detail, now, MAX_BODY);
    let first = letter.first().filter(|_| channel.detail != Detail::None);
    let mut form = vec![
        ("token", token.expose()),
        ("user", user.expose()),
        ("message", &words.body),
    ];
    form.extend(words.title.as_deref().map(|title| ("title", title)));
    form.extend(match letter.loudness() {
        Level::Info => [("priority", "-1")].as_slice(),
        Level::Warning => &[("priority", "0")],
        Level::Urgent => &[("priority", "2"), ("retry", RETRY_S), ("expire", EXPIRE_S)],
    });
    if let Some(page) = first.and_then(|notice| notice.page.as_deref()) {
        form.extend([("url", page), ("url_title", "Open")]);
    }
    post(below(url, "/1/messages.json"), &form)
}

pub(super) fn cancel(url: &Url, token: &Secret, receipt: &str) -> Request {
    let url = below(url, &format!("/1/receipts/{receipt}/cancel.json"));
    post(url, &[("token", token.expose())])
}

fn post(url: Url, form: &[(&str, &str)]) -> Request {
    // As long as it can get, so that no copy of the token is left behind.
    let most: usize = form
        .iter()
        .map(|(key, value)| key.len() + 3 * value.len() + 2)
        .sum();
    let body = String::with_capacity(most);
    let body = form_urlencoded::Serializer::new(body)
        .extend_pairs(form)
        .finish();
    let body = Zeroizing::new(body.into_bytes());
    Request::post(url, "application/x-www-form-urlencoded", body)
}

pub(super) fn answer(body: &[u8]) -> Answer {
    #[derive(Deserialize)]
    struct Reply {
        status: u8,
        receipt: Option<String>,
    }
    // It becomes a part of an address.
    let is_receipt = |receipt: &String| {
        (1..=MAX_RECEIPT).contains(&receipt.len())
            && receipt.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    match serde_json::from_slice(body) {
        Ok(Reply { status: 1, receipt }) => Answer::Taken {
            receipt: receipt.filter(is_receipt),
        },
        _ => Answer::Strange,
    }
}

#[cfg(test)]
mod tests {
    use pulsewing_core::alarm::Event;

    use crate::{
        form::tests::{TABLES, channel, letter, sent},
        notice::tests::high,
    };

    #[test]
    fn what_is_urgent_is_an_emergency() {
        let [.., table, _] = TABLES;
        let urgent = channel(&format!("{table}\ndetail = \"value\""));
        let (url, headers, body) = sent(&urgent, &letter(high(Event::Raised)));
        assert_eq!(url, "https://api.pushover.net/1/messages.json");
        assert_eq!(headers, ["content-type: application/x-www-form-urlencoded"]);
        assert_eq!(
            body,
            "token=tk_hush&user=u_hush\
             &message=It+was+132+bpm+at+14%3A05%3B+the+limit+is+120+%2813+min+ago%29.\
             &title=L%C3%A9a%3A+Heart+rate+too+high&priority=2&retry=60&expire=3600\
             &url=https%3A%2F%2Fpulse.example%2Flea&url_title=Open"
        );
    }

    #[test]
    fn an_all_clear_is_quiet() {
        let [.., table, _] = TABLES;
        let (.., body) = sent(&channel(table), &letter(high(Event::Cleared)));
        assert!(body.contains("&priority=-1&url="), "{body}");
        assert!(!body.contains("retry"), "{body}");
    }

    #[test]
    fn a_receipt_is_cancelled_by_the_token() {
        let [.., table, _] = TABLES;
        let request = super::super::cancel(&channel(table), "rLqVuqTRh6").unwrap();
        assert_eq!(
            request.url.as_str(),
            "https://api.pushover.net/1/receipts/rLqVuqTRh6/cancel.json"
        );
        assert_eq!(*request.body, b"token=tk_hush");
    }
}
