//! What became of a request, and whether to send it again.

use std::time::Duration;

use jiff::Timestamp;
use pulsewing_core::request::ReplyHead;

use crate::settings::To;

/// The reply of a server.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    /// The header `Retry-After`, as it is.
    pub(crate) retry_after: Option<String>,
    /// The origin that a redirect leads to.
    pub(crate) leads_to: Option<String>,
    /// `None` if the connection broke before its end, or if it is too long.
    pub(crate) body: Option<Vec<u8>>,
}

/// The absence of a reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Lost {
    /// There was no connection, for a reason: nothing has left.
    NoConnection(String),
    /// There was no answer in time.
    TimedOut,
    /// The connection broke before the head of an answer was complete.
    Broken,
}

/// Why a message was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// There is no connection.
    #[error("the server cannot be reached: {0}")]
    Unreachable(String),
    /// It does not answer.
    #[error("the server did not answer within {} seconds", crate::carrier::WITHIN.as_secs())]
    Silent,
    /// It answered with less than the head of a reply.
    #[error("the connection broke before the answer was complete")]
    Broken,
    /// It does not know the token, or the token may not do that.
    #[error("the server refuses the token (status {status}{})", quoted(.said))]
    Forbidden {
        /// 401 or 403.
        status: u16,
        /// The server's words.
        said: Option<String>,
    },
    /// It has nothing at that address.
    #[error("the server has nothing at that address (status 404)")]
    NotFound,
    /// It wants no more messages for now.
    #[error("the server wants fewer messages (status 429)")]
    TooMany,
    /// It refuses the message for another reason.
    #[error("the server refuses the message (status {status}{})", quoted(.said))]
    Refused {
        /// The status, of the 400s.
        status: u16,
        /// The server's words.
        said: Option<String>,
    },
    /// It fails itself.
    #[error("the server fails (status {0})")]
    Fails(u16),
    /// It sends us elsewhere. That is not followed: the token would go to another server.
    #[error("the server redirects{}; redirects are not followed", to_origin(.0))]
    Redirects(Option<String>),
    /// Something else answers.
    #[error("what answers at that address is not {}", .0.name())]
    Stranger(To),
}

fn quoted(said: &Option<String>) -> String {
    said.as_ref()
        .map_or_else(String::new, |said| format!(": {said}"))
}

fn to_origin(origin: &Option<String>) -> String {
    origin
        .as_ref()
        .map_or_else(String::new, |origin| format!(" to {origin}"))
}

/// A failure, and what follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trouble {
    pub(crate) failure: Failure,
    /// Whether the same request may succeed later.
    pub(crate) again: bool,
    /// The pause that the server asks for.
    pub(crate) after: Option<Duration>,
    /// Whether the message may have been taken all the same.
    pub(crate) may_have_arrived: bool,
}

impl Trouble {
    /// Something that the same request would not change.
    pub(crate) const fn last(failure: Failure) -> Self {
        Self {
            failure,
            again: false,
            after: None,
            may_have_arrived: false,
        }
    }

    /// Something that may have passed when the same request is sent again.
    pub(crate) fn passing(failure: Failure) -> Self {
        Self {
            again: true,
            ..Self::last(failure)
        }
    }
}

/// Returns the reply if its status is 2xx. `said` finds the server's words in the body of a refusal.
///
/// # Errors
/// What is wrong instead.
pub(crate) fn success(
    result: Result<Reply, Lost>,
    now: Timestamp,
    said: impl FnOnce(&[u8]) -> Option<String>,
) -> Result<Reply, Trouble> {
    let reply = match result {
        Ok(reply) => reply,
        Err(Lost::NoConnection(why)) => return Err(Trouble::passing(Failure::Unreachable(why))),
        Err(lost) => {
            return Err(Trouble {
                may_have_arrived: true,
                ..Trouble::passing(match lost {
                    Lost::TimedOut => Failure::Silent,
                    _ => Failure::Broken,
                })
            });
        }
    };
    let status = reply.status;
    let said = || said(reply.body.as_deref().unwrap_or_default());
    let mut trouble = match status {
        200..300 => return Ok(reply),
        300..400 => Trouble::last(Failure::Redirects(reply.leads_to.clone())),
        429 => Trouble::passing(Failure::TooMany),
        408 => Trouble::passing(Failure::Refused { status, said: None }),
        401 | 403 => Trouble::last(Failure::Forbidden {
            status,
            said: said(),
        }),
        404 => Trouble::last(Failure::NotFound),
        400..500 => Trouble::last(Failure::Refused {
            status,
            said: said(),
        }),
        _ => Trouble::passing(Failure::Fails(status)),
    };
    if let Some(value) = &reply.retry_after {
        let mut head = ReplyHead::new(status);
        head.header("retry-after", value.as_bytes(), now);
        let seconds = head.retry_after_s.map(u64::from);
        trouble.after = seconds.map(Duration::from_secs);
    }
    Err(trouble)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notice::tests::time;

    fn judged(reply: Reply) -> Result<Reply, Trouble> {
        let now = time("2026-11-22T12:00:00Z");
        success(Ok(reply), now, |body| String::from_utf8(body.to_vec()).ok())
    }

    fn of(status: u16) -> Reply {
        Reply {
            status,
            ..Reply::default()
        }
    }

    #[test]
    fn what_may_pass_is_sent_again_and_nothing_else() {
        for status in [408, 429, 500, 502, 503, 599, 100, 600] {
            assert!(judged(of(status)).unwrap_err().again, "{status}");
        }
        for status in [301, 302, 308, 400, 401, 403, 404, 405, 410, 413, 422, 451] {
            assert!(!judged(of(status)).unwrap_err().again, "{status}");
        }
        for status in [200, 201, 202, 204] {
            judged(of(status)).unwrap();
        }
    }

    #[test]
    fn a_pause_is_seconds_or_a_date() {
        let after = |value: &str| {
            let reply = Reply {
                retry_after: Some(value.to_owned()),
                ..of(429)
            };
            judged(reply).unwrap_err().after
        };
        assert_eq!(after("120"), Some(Duration::from_secs(120)));
        assert_eq!(
            after("Sun, 22 Nov 2026 12:01:30 GMT"),
            Some(Duration::from_secs(90))
        );
        assert_eq!(after("soon"), None);
    }

    #[test]
    fn each_failure_is_a_sentence() {
        let refused = Reply {
            body: Some(b"user is invalid".to_vec()),
            ..of(400)
        };
        let elsewhere = Reply {
            leads_to: Some("https://new.example".to_owned()),
            ..of(301)
        };
        for (reply, sentence) in [
            (
                refused,
                "the server refuses the message (status 400: user is invalid)",
            ),
            (of(403), "the server refuses the token (status 403: )"),
            (of(503), "the server fails (status 503)"),
            (
                elsewhere,
                "the server redirects to https://new.example; redirects are not followed",
            ),
        ] {
            assert_eq!(judged(reply).unwrap_err().failure.to_string(), sentence);
        }
        assert_eq!(
            Failure::Silent.to_string(),
            "the server did not answer within 10 seconds"
        );
    }
}
