//! What Google answers to the management of subscribers.

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// A change that Google has accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepted {
    /// It has happened.
    Done,
    /// It is under way, and a [`list`](crate::subscriber::list) will show it.
    Pending,
}

/// Why a request about subscribers has failed.
///
/// Google's own words are not kept: they may repeat what was sent, and a secret was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// There is a subscriber of this id: change it instead.
    #[error("there is a subscriber of this id already")]
    AlreadyExists,
    /// There is no subscriber of this id.
    #[error("there is no subscriber of this id")]
    NotFound,
    /// Google could not reach the endpoint, or got other answers than a 201 with the secret and a
    /// 401 or 403 without; or, on a deletion, there still are subscriptions of single wearers.
    #[error(
        "Google could not verify the endpoint: it must answer 201 with the secret and 401 without, at a public https address"
    )]
    NotVerified,
    /// The access token is not valid: get another.
    #[error("Google does not accept the access token")]
    Unauthorized,
    /// The service account may not do this, or the project does not have the API enabled.
    #[error(
        "the service account may not manage this project's subscribers{}",
        Because(reason)
    )]
    Forbidden {
        /// The reason in Google's error, such as `SERVICE_DISABLED`.
        reason: Option<String>,
    },
    /// Google is busy or broken, or the quota is used up: try later.
    #[error("Google cannot answer now (status {status})")]
    Temporary {
        /// The status of the answer.
        status: u16,
    },
    /// The request is wrong in Google's eyes.
    #[error("Google refuses the request with status {status}{}", Because(reason))]
    Refused {
        /// The status of the answer.
        status: u16,
        /// The reason in Google's error.
        reason: Option<String>,
    },
    /// The answer is not what Google sends.
    #[error("the answer is not one of the Google Health API")]
    Unreadable,
}

struct Because<'a>(&'a Option<String>);

impl std::fmt::Display for Because<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(reason) => write!(f, " ({reason})"),
            None => Ok(()),
        }
    }
}

/// A subscriber as Google lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Subscriber {
    /// Its id: the last part of its name.
    pub id: String,
    /// The address that is notified.
    pub endpoint_uri: String,
    /// Whether it is notified.
    pub state: State,
    /// The data types of all its configurations.
    pub data_types: Vec<String>,
}

/// Whether a subscriber is notified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// Its endpoint is still to be verified.
    Unverified,
    /// It is.
    Active,
    /// Google has stopped that: with a [`patch`](crate::subscriber::patch) of its address or secret
    /// it is verified again.
    Inactive,
    /// A word that did not exist when this was written, or none.
    Unknown,
}

/// A page of subscribers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Page {
    /// Those that can be read.
    pub subscribers: Vec<Subscriber>,
    /// Asks for the next page, if there is one.
    pub next_page_token: Option<String>,
}

/// Reads the answer to [`create`](crate::subscriber::create), [`patch`](crate::subscriber::patch) or
/// [`delete`](crate::subscriber::delete), which is a long-running operation.
///
/// # Errors
/// [`AnswerError`], also where the operation is what failed.
pub fn read_change(status: u16, body: &[u8]) -> Result<Accepted, AnswerError> {
    #[derive(Deserialize)]
    struct Operation {
        #[serde(default)]
        done: bool,
        error: Option<Rpc>,
    }
    #[derive(Deserialize)]
    struct Rpc {
        code: i32,
    }
    success(status, body)?;
    let operation: Operation =
        serde_json::from_slice(bounded(body)?).map_err(|_| AnswerError::Unreadable)?;
    match operation.error {
        Some(Rpc { code }) => Err(of_rpc(code)),
        None if operation.done => Ok(Accepted::Done),
        None => Ok(Accepted::Pending),
    }
}

/// Reads the answer to [`list`](crate::subscriber::list).
///
/// # Errors
/// [`AnswerError`] if it is no list.
pub fn read_page(status: u16, body: &[u8]) -> Result<Page, AnswerError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Written<'a> {
        #[serde(borrow, default)]
        subscribers: Vec<&'a RawValue>,
        #[serde(default)]
        next_page_token: String,
    }
    success(status, body)?;
    let written: Written<'_> =
        serde_json::from_slice(bounded(body)?).map_err(|_| AnswerError::Unreadable)?;
    let subscribers = written.subscribers.iter();
    Ok(Page {
        subscribers: subscribers
            .filter_map(|raw| serde_json::from_str(raw.get()).ok())
            .collect(),
        next_page_token: Some(written.next_page_token).filter(|token| !token.is_empty()),
    })
}

impl<'de> Deserialize<'de> for Subscriber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Written {
            name: String,
            #[serde(default)]
            endpoint_uri: String,
            #[serde(default)]
            state: String,
            #[serde(default)]
            subscriber_configs: Vec<Config>,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Config {
            #[serde(default)]
            data_types: Vec<String>,
        }
        let written = Written::deserialize(deserializer)?;
        let id = written.name.rsplit('/').next().unwrap_or_default();
        let configs = written.subscriber_configs.into_iter();
        Ok(Self {
            id: id.to_owned(),
            endpoint_uri: written.endpoint_uri,
            state: match written.state.as_str() {
                "UNVERIFIED" => State::Unverified,
                "ACTIVE" => State::Active,
                "INACTIVE" => State::Inactive,
                _ => State::Unknown,
            },
            data_types: configs.flat_map(|config| config.data_types).collect(),
        })
    }
}

fn bounded(body: &[u8]) -> Result<&[u8], AnswerError> {
    body.get(..body.len().min(MAX_ANSWER + 1))
        .filter(|body| body.len() <= MAX_ANSWER)
        .ok_or(AnswerError::Unreadable)
}

/// Returns why an answer is no success. The status counts first: a proxy may have written the body.
fn success(status: u16, body: &[u8]) -> Result<(), AnswerError> {
    let error = bounded(body)
        .ok()
        .and_then(|body| serde_json::from_slice::<GoogleError>(body).ok())
        .map(|body| body.error);
    let is = |word: &str| error.as_ref().is_some_and(|error| error.status == word);
    let reason = || error.as_ref().and_then(Described::reason);
    Err(match status {
        200..=299 => return Ok(()),
        401 => AnswerError::Unauthorized,
        403 => AnswerError::Forbidden { reason: reason() },
        // A path that does not exist is answered with a page.
        404 if error.is_some() => AnswerError::NotFound,
        409 => AnswerError::AlreadyExists,
        400 | 412 if is("FAILED_PRECONDITION") => AnswerError::NotVerified,
        408 | 429 | 500..=599 => AnswerError::Temporary { status },
        _ => AnswerError::Refused {
            status,
            reason: reason(),
        },
    })
}

/// Returns why an operation has failed (google.rpc.Code).
fn of_rpc(code: i32) -> AnswerError {
    match code {
        5 => AnswerError::NotFound,
        6 => AnswerError::AlreadyExists,
        7 => AnswerError::Forbidden { reason: None },
        9 => AnswerError::NotVerified,
        16 => AnswerError::Unauthorized,
        4 | 8 | 10 | 13 | 14 => AnswerError::Temporary { status: 503 },
        _ => AnswerError::Refused {
            status: 400,
            reason: None,
        },
    }
}

#[derive(Deserialize)]
struct GoogleError {
    error: Described,
}

#[derive(Deserialize)]
struct Described {
    #[serde(default)]
    status: String,
    #[serde(default)]
    details: Vec<Detail>,
}

#[derive(Deserialize)]
struct Detail {
    reason: Option<String>,
}

impl Described {
    /// Returns the first reason that is one: a word in capitals.
    fn reason(&self) -> Option<String> {
        let is_reason = |text: &&String| {
            (1..=64).contains(&text.len())
                && text
                    .bytes()
                    .all(|byte| matches!(byte, b'A'..=b'Z' | b'0'..=b'9' | b'_'))
        };
        let mut reasons = self.details.iter().filter_map(|it| it.reason.as_ref());
        reasons.find(is_reason).cloned()
    }
}

/// The longest answer that is read: a page of a thousand subscribers.
const MAX_ANSWER: usize = 4 << 20;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn change(status: u16, body: &Value) -> Result<Accepted, AnswerError> {
        read_change(status, body.to_string().as_bytes())
    }

    fn error(code: u16, status: &str, reason: Option<&str>) -> Value {
        let details = reason.map(|reason| json!({ "@type": "ErrorInfo", "reason": reason }));
        let details: Vec<Value> = details.into_iter().collect();
        json!({ "error": { "code": code, "status": status, "message": "Bearer 0123", "details": details } })
    }

    #[test]
    fn an_operation_is_done_pending_or_failed() {
        let name = "operations/1";
        let done = json!({ "name": name, "done": true, "response": { "name": "x" } });
        assert_eq!(change(200, &done), Ok(Accepted::Done));
        assert_eq!(change(200, &json!({ "name": name })), Ok(Accepted::Pending));
        for (code, error) in [
            (9, AnswerError::NotVerified),
            (6, AnswerError::AlreadyExists),
            (14, AnswerError::Temporary { status: 503 }),
        ] {
            let failed = json!({ "name": name, "done": true, "error": { "code": code } });
            assert_eq!(change(200, &failed), Err(error));
        }
    }

    #[test]
    fn a_refusal_says_what_to_do() {
        let disabled = || Some("SERVICE_DISABLED".to_owned());
        for (status, body, expected) in [
            (
                409,
                error(409, "ALREADY_EXISTS", None),
                AnswerError::AlreadyExists,
            ),
            (404, error(404, "NOT_FOUND", None), AnswerError::NotFound),
            (
                400,
                error(400, "FAILED_PRECONDITION", None),
                AnswerError::NotVerified,
            ),
            (
                401,
                error(401, "UNAUTHENTICATED", None),
                AnswerError::Unauthorized,
            ),
            (
                403,
                error(403, "PERMISSION_DENIED", Some("SERVICE_DISABLED")),
                AnswerError::Forbidden { reason: disabled() },
            ),
            (429, json!({}), AnswerError::Temporary { status: 429 }),
            (503, json!("busy"), AnswerError::Temporary { status: 503 }),
            (
                400,
                error(400, "INVALID_ARGUMENT", Some("not a reason")),
                AnswerError::Refused {
                    status: 400,
                    reason: None,
                },
            ),
            (
                404,
                json!("a page"),
                AnswerError::Refused {
                    status: 404,
                    reason: None,
                },
            ),
        ] {
            let refused = change(status, &body).unwrap_err();
            assert_eq!(refused, expected, "{body}");
            assert!(!format!("{refused} {refused:?}").contains("Bearer"));
        }
        assert_eq!(read_change(200, b"<html>"), Err(AnswerError::Unreadable));
    }

    #[test]
    fn a_page_has_subscribers_and_perhaps_a_successor() {
        let subscriber = json!({
            "name": "projects/1/subscribers/pulsewing",
            "endpointUri": "https://pulse.example/hook",
            "endpointAuthorization": { "secretSet": true },
            "state": "INACTIVE",
            "createTime": "2026-11-22T14:00:00Z",
            "subscriberConfigs": [
                { "dataTypes": ["heart-rate"], "subscriptionCreatePolicy": "AUTOMATIC" },
                { "subscriptionCreatePolicy": "MANUAL" },
            ],
        });
        let body = json!({ "subscribers": [subscriber, { "name": 1 }], "nextPageToken": "t", "totalSize": 2 });
        let page = read_page(200, body.to_string().as_bytes()).unwrap();
        assert_eq!(
            page,
            Page {
                subscribers: vec![Subscriber {
                    id: "pulsewing".to_owned(),
                    endpoint_uri: "https://pulse.example/hook".to_owned(),
                    state: State::Inactive,
                    data_types: vec!["heart-rate".to_owned()],
                }],
                next_page_token: Some("t".to_owned()),
            }
        );
        assert_eq!(read_page(200, b"{}"), Ok(Page::default()));
        let last = read_page(200, b"{\"nextPageToken\":\"\"}").unwrap();
        assert_eq!(last.next_page_token, None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_an_answer_or_not(status in any::<u16>(), body in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read_change(status, &body);
            let _ = read_page(status, &body);
        }
    }
}
