//! Authentication with the passphrase: sessions by cookie, basic authentication, and a limit on
//! guesses.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use axum::http::{HeaderMap, header};
use base64ct::{Base64, Encoding};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::{config::passphrase::Passphrase, tell::problem::Problem};

/// The limit on wrong passphrases per minute, from all clients together.
const TRIES_A_MINUTE: usize = 10;

/// The maximum number of sessions; a new one replaces the oldest.
const SESSIONS: usize = 64;

/// The lifetime of a session.
pub(super) const SESSION_FOR: Duration = Duration::from_secs(30 * 24 * 3_600);

/// The name of the cookie.
pub(super) const COOKIE: &str = "pulsewing-session";

/// The sessions, and the recent failures.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// Digests of the cookies' values, oldest first, each with its end on the monotonic clock.
    sessions: VecDeque<([u8; 32], Duration)>,
    /// The times of wrong passphrases.
    failures: VecDeque<Duration>,
}

/// The result of a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Try {
    Right,
    Wrong,
    /// There were too many wrong ones within the last minute.
    TooMany,
}

impl Sessions {
    /// Checks a passphrase.
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

    /// Begins a session; returns the value of its cookie.
    ///
    /// # Errors
    /// A [`Problem`] when there are no random numbers.
    pub(super) fn begin(&self, up: Duration) -> Result<String, Problem> {
        let secret = secret()?;
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.sessions.len() >= SESSIONS {
            inner.sessions.pop_front();
        }
        inner
            .sessions
            .push_back((digest(&secret), up + SESSION_FOR));
        Ok(secret)
    }

    /// Returns whether a request belongs to a session.
    pub(super) fn has(&self, headers: &HeaderMap, up: Duration) -> bool {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        cookies(headers).any(|secret| {
            let digest = digest(secret);
            inner
                .sessions
                .iter()
                .any(|(known, until)| bool::from(known.ct_eq(&digest)) && up < *until)
        })
    }
}

/// Returns the value of a new session's cookie.
///
/// # Errors
/// A [`Problem`] when there are no random numbers.
pub(super) fn secret() -> Result<String, Problem> {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).map_err(Problem::no_random_numbers)?;
    Ok(secret.iter().map(|byte| format!("{byte:02x}")).collect())
}

pub(super) fn digest(secret: &str) -> [u8; 32] {
    Sha256::digest(secret).into()
}

/// Returns the values of our cookies.
pub(super) fn cookies(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}

/// Returns the passphrase of a request with basic authentication (RFC 7617), with any user name.
pub(super) fn from_basic(headers: &HeaderMap) -> Option<Zeroizing<Vec<u8>>> {
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
        assert_eq!(from_basic(&headers).unwrap().as_slice(), b"correct: horse");
        headers.insert(header::AUTHORIZATION, "Bearer abc".parse().unwrap());
        assert!(from_basic(&headers).is_none());
    }
}
