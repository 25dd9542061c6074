//! The passphrase: its check, and the sessions of those who knew it.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Form,
    extract::{Query, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use base64ct::{Base64, Encoding};
use maud::html;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::{Shared, layout};
use crate::problem::Problem;

/// The fewest characters of a passphrase.
const LEAST: usize = 8;

/// How many wrong ones are answered in a minute, from everybody together.
const TRIES_A_MINUTE: usize = 10;

/// How many sessions there are at most; the oldest gives way.
const SESSIONS: usize = 64;

/// How long a session lasts.
const SESSION_FOR: Duration = Duration::from_secs(30 * 24 * 3_600);

/// The name of the cookie.
const COOKIE: &str = "pulsewing-session";

/// What somebody has to know to see the page from another machine.
#[derive(Clone, serde::Deserialize)]
#[serde(try_from = "String")]
pub struct Passphrase {
    digest: [u8; 32],
}

impl TryFrom<String> for Passphrase {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let text = Zeroizing::new(text);
        if text.chars().count() < LEAST {
            return Err(format!("a passphrase has at least {LEAST} characters"));
        }
        Ok(Self {
            digest: digest(text.as_bytes()),
        })
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(..)")
    }
}

impl Passphrase {
    fn is(&self, text: &[u8]) -> bool {
        same(&self.digest, &digest(text))
    }
}

fn digest(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Compares in a time that does not tell where they differ.
fn same(one: &[u8; 32], other: &[u8; 32]) -> bool {
    one.iter().zip(other).fold(0, |sum, (a, b)| sum | (a ^ b)) == 0
}

/// Who knows the passphrase.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// Digests of what the cookies hold, oldest first, and until when, on the clock that never jumps.
    sessions: VecDeque<([u8; 32], Duration)>,
    /// When somebody was wrong.
    failures: VecDeque<Duration>,
}

/// What came of a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Try {
    Right,
    Wrong,
    /// Too many were wrong within the last minute.
    TooMany,
}

impl Sessions {
    /// Judges a passphrase.
    pub(super) fn judge(&self, passphrase: &Passphrase, text: &[u8], up: Duration) -> Try {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let minute_ago = up.saturating_sub(Duration::from_secs(60));
        while inner.failures.front().is_some_and(|at| *at < minute_ago) {
            inner.failures.pop_front();
        }
        if inner.failures.len() >= TRIES_A_MINUTE {
            return Try::TooMany;
        }
        if passphrase.is(text) {
            return Try::Right;
        }
        inner.failures.push_back(up);
        Try::Wrong
    }

    /// Begins a session; returns what its cookie holds.
    fn begin(&self, up: Duration) -> Result<String, Problem> {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret).map_err(|error| {
            Problem::failed("the machine gives no random numbers")
                .caused_by(&std::io::Error::other(error.to_string()))
        })?;
        let secret: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.sessions.len() >= SESSIONS {
            inner.sessions.pop_front();
        }
        inner
            .sessions
            .push_back((digest(secret.as_bytes()), up + SESSION_FOR));
        Ok(secret)
    }

    /// Whether a request belongs to a session.
    pub(super) fn has(&self, headers: &HeaderMap, up: Duration) -> bool {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        cookies(headers).any(|secret| {
            let digest = digest(secret.as_bytes());
            inner
                .sessions
                .iter()
                .any(|(known, until)| same(known, &digest) && up < *until)
        })
    }
}

/// What our cookies hold.
fn cookies(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}

/// The passphrase of a request with basic authentication (RFC 7617), under any user name.
pub(super) fn of_basic(headers: &HeaderMap) -> Option<Zeroizing<Vec<u8>>> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = Zeroizing::new(Base64::decode_vec(encoded.trim()).ok()?);
    let colon = decoded.iter().position(|byte| *byte == b':')?;
    decoded
        .get(colon + 1..)
        .map(|passphrase| Zeroizing::new(passphrase.to_vec()))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Next {
    next: String,
}

impl Next {
    /// A path of this page, whatever somebody wrote there.
    fn path(&self) -> &str {
        let is_ours = self.next.starts_with('/')
            && !self.next.starts_with("//")
            && !self.next.contains(['\\', '\r', '\n']);
        if is_ours { &self.next } else { "/" }
    }
}

/// Asks for the passphrase.
pub(super) async fn page(Query(next): Query<Next>) -> Response {
    form(StatusCode::OK, next.path(), None)
}

fn form(status: StatusCode, next: &str, complaint: Option<&str>) -> Response {
    let body = html! {
        form.card.narrow method="post" action="/passphrase" {
            h1 { "Passphrase" }
            p { "This page is seen from other machines, so it asks who you are." }
            @if let Some(complaint) = complaint {
                p.complaint role="alert" { (complaint) }
            }
            input type="hidden" name="next" value=(next);
            label { "Passphrase"
                input type="password" name="passphrase" autocomplete="current-password" required autofocus;
            }
            button.main { "Open" }
        }
    };
    (status, layout::bare("Passphrase", &body)).into_response()
}

#[derive(Deserialize)]
pub(super) struct Entered {
    passphrase: Zeroizing<String>,
    #[serde(flatten)]
    next: Next,
}

/// Takes the passphrase from the form.
pub(super) async fn enter(State(site): State<Shared>, Form(entered): Form<Entered>) -> Response {
    let next = entered.next.path().to_owned();
    let Some(passphrase) = site.guard.passphrase() else {
        return Redirect::to(&next).into_response();
    };
    let up = site.hub.now().up;
    let sessions = site.guard.sessions();
    match sessions.judge(passphrase, entered.passphrase.as_bytes(), up) {
        Try::Wrong => form(
            StatusCode::FORBIDDEN,
            &next,
            Some("That is not the passphrase."),
        ),
        Try::TooMany => form(
            StatusCode::TOO_MANY_REQUESTS,
            &next,
            Some("Too many were wrong. Try again in a minute."),
        ),
        Try::Right => match sessions.begin(up) {
            Err(problem) => layout::message(
                StatusCode::INTERNAL_SERVER_ERROR,
                "That did not work",
                problem.message(),
            ),
            Ok(secret) => {
                let age = SESSION_FOR.as_secs();
                let cookie =
                    format!("{COOKIE}={secret}; Path=/; Max-Age={age}; HttpOnly; SameSite=Strict");
                let mut reply = Redirect::to(&next).into_response();
                if let Ok(cookie) = HeaderValue::from_str(&cookie) {
                    reply.headers_mut().insert(header::SET_COOKIE, cookie);
                }
                reply
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passphrase() -> Passphrase {
        Passphrase::try_from("correct horse".to_owned()).unwrap()
    }

    #[test]
    fn ten_wrong_ones_a_minute_are_judged_and_no_more() {
        let sessions = Sessions::default();
        let at = Duration::from_secs;
        for second in 0..10 {
            assert_eq!(
                sessions.judge(&passphrase(), b"wrong", at(second)),
                Try::Wrong
            );
        }
        assert_eq!(
            sessions.judge(&passphrase(), b"correct horse", at(30)),
            Try::TooMany
        );
        assert_eq!(
            sessions.judge(&passphrase(), b"correct horse", at(61)),
            Try::Right
        );
    }

    #[test]
    fn a_session_is_its_cookie_and_ends() {
        let sessions = Sessions::default();
        let secret = sessions.begin(Duration::ZERO).unwrap();
        let mut headers = HeaderMap::new();
        assert!(!sessions.has(&headers, Duration::ZERO));
        let cookie = format!("other=1; {COOKIE}={secret}");
        headers.insert(header::COOKIE, cookie.parse().unwrap());
        assert!(sessions.has(&headers, Duration::ZERO));
        assert!(!sessions.has(&headers, SESSION_FOR));
        for _ in 0..SESSIONS {
            sessions.begin(Duration::ZERO).unwrap();
        }
        assert!(
            !sessions.has(&headers, Duration::ZERO),
            "the oldest gives way"
        );
    }

    #[test]
    fn basic_authentication_takes_any_user() {
        let mut headers = HeaderMap::new();
        let encoded = Base64::encode_string(b"prometheus:correct: horse");
        headers.insert(
            header::AUTHORIZATION,
            format!("Basic {encoded}").parse().unwrap(),
        );
        assert_eq!(of_basic(&headers).unwrap().as_slice(), b"correct: horse");
        headers.insert(header::AUTHORIZATION, "Bearer abc".parse().unwrap());
        assert!(of_basic(&headers).is_none());
    }

    #[test]
    fn the_way_on_is_a_path_of_ours() {
        for (next, path) in [
            ("/day/2026-11-22", "/day/2026-11-22"),
            ("//evil.example", "/"),
            ("https://evil.example", "/"),
            ("/\\evil.example", "/"),
            ("", "/"),
        ] {
            let next = Next {
                next: next.to_owned(),
            };
            assert_eq!(next.path(), path);
        }
    }

    #[test]
    fn a_passphrase_is_not_short_and_never_shown() {
        assert!(Passphrase::try_from("short".to_owned()).is_err());
        assert_eq!(format!("{:?}", passphrase()), "Passphrase(..)");
    }
}
