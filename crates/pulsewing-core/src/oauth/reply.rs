//! The answers of the token endpoint.
//!
//! The question that matters is whether it answered at all. A grant, or an OAuth error code, is an
//! answer. Anything else is not: a time-out, a 5xx, a proxy's HTML, half a reply. A rotation may
//! still have happened, so the caller asks again with the same token.

use super::{ErrorName, NoAnswer, OAuthError, Scopes};
use crate::{
    AccessToken, RefreshToken,
    chain::UserId,
    json::{Decoder, Event, Flow, Text},
    markup::Beginning,
};

/// The maximum size of a token reply, in bytes.
const MAX_REPLY: u32 = 64 * 1_024;

/// A year in seconds: the longest access-token lifetime that we believe.
const MAX_LIFETIME_S: i64 = 366 * 86_400;

/// The lifetime when `expires_in` is missing, which RFC 6749, section 5.1 leaves open: an hour, the
/// shorter of the two providers' lifetimes.
const DEFAULT_LIFETIME_S: u32 = 3_600;

/// The members of a token reply that could be used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grant {
    /// The refresh token, if a complete one came. Google's refreshes bring none.
    pub refresh: Option<RefreshToken>,
    /// The access token and its lifetime in seconds.
    pub access: Option<(AccessToken, u32)>,
    /// The granted scopes, if the reply names them.
    pub scopes: Option<Scopes>,
    /// The lifetime of the refresh token, in seconds. Google gives it for a client in "Testing"
    /// (seven days) and for access that the wearer limited in time.
    pub refresh_lifetime_s: Option<u32>,
    /// The provider's name for the wearer (Fitbit).
    pub user_id: Option<UserId>,
}

/// The result of a reply of the token endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "a grant is large, there is one at a time, and there is no heap to put it on"
)]
pub enum Answer {
    /// Tokens.
    Granted(Grant),
    /// A refusal.
    Refused(OAuthError),
    /// Too many requests (429): try again later.
    RateLimited,
    /// The service has been switched off (410).
    Gone,
    /// No answer.
    Missing(NoAnswer),
}

/// Reads a reply of the token endpoint, in chunks of any size. Keeps what it has read even if the
/// reply turns out to be damaged: a complete refresh token must not be lost.
pub struct ReplyDecoder {
    json: Decoder<{ AccessToken::MAX }>,
    members: Members,
    length: u32,
    beginning: Beginning,
    damage: Option<NoAnswer>,
}

/// The members found so far.
#[derive(Default)]
struct Members {
    depth: u8,
    key: Key,
    grant: Grant,
    lifetime_s: Option<u32>,
    error: Option<ErrorWord>,
    has_unfit_token: bool,
    /// Whether the reply is a JSON object at all.
    is_object: bool,
}

/// An error's name.
#[derive(Clone, Copy)]
enum ErrorWord {
    Known(OAuthError),
    /// An unknown code in OAuth's own form. Other names in Fitbit's envelope are errors of the Web API.
    Unknown(ErrorName),
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Key {
    #[default]
    Other,
    AccessToken,
    RefreshToken,
    ExpiresIn,
    RefreshExpiresIn,
    Scope,
    UserId,
    /// RFC 6749's `error`.
    Error,
    /// In Fitbit's envelope, `errors[].errorType`.
    FitbitError,
}

impl ReplyDecoder {
    /// Returns a decoder at the beginning of a reply.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            json: Decoder::new(),
            members: Members {
                depth: 0,
                key: Key::Other,
                grant: Grant {
                    refresh: None,
                    access: None,
                    scopes: None,
                    refresh_lifetime_s: None,
                    user_id: None,
                },
                lifetime_s: None,
                error: None,
                has_unfit_token: false,
                is_object: false,
            },
            length: 0,
            beginning: Beginning::new(),
            damage: None,
        }
    }

    /// Decodes the next bytes of the body.
    pub fn feed(&mut self, chunk: &[u8]) {
        self.length = self
            .length
            .saturating_add(u32::try_from(chunk.len()).unwrap_or(u32::MAX));
        self.beginning.feed(chunk);
        if self.damage.is_some() {
            return;
        }
        if self.length > MAX_REPLY {
            self.damage = Some(NoAnswer::TooLong);
            return;
        }
        let members = &mut self.members;
        let mut handler = |event: Event<'_>| members.take(event);
        if self.json.feed(chunk, &mut handler).is_err() {
            self.damage = Some(NoAnswer::Malformed);
        }
    }

    /// Records that the connection failed before the end.
    pub const fn fail(&mut self, reason: NoAnswer) {
        if self.damage.is_none() {
            self.damage = Some(reason);
        }
    }

    /// Ends the reply, which had this status. If `rotates` is set, a grant needs a refresh token;
    /// otherwise an access token is enough.
    #[must_use]
    pub fn finish(mut self, status: u16, rotates: bool) -> Answer {
        if self.damage.is_none() {
            let members = &mut self.members;
            let mut handler = |event: Event<'_>| members.take(event);
            if self.json.finish(&mut handler).is_err() {
                self.damage = Some(NoAnswer::Malformed);
            }
        }
        let grant = core::mem::take(&mut self.members.grant).with_lifetime(self.members.lifetime_s);
        match status {
            200..300 if grant.refresh.is_some() => Answer::Granted(grant),
            200..300 if self.beginning.is_markup() => Answer::Missing(NoAnswer::Foreign(status)),
            200..300 if self.damage.is_some() => {
                Answer::Missing(self.damage.unwrap_or(NoAnswer::Malformed))
            }
            200..300 if !rotates && grant.access.is_some() => Answer::Granted(grant),
            200..300 if self.members.has_unfit_token => Answer::Missing(NoAnswer::UnfitToken),
            200..300 if grant.access.is_some() => Answer::Missing(NoAnswer::NoRefreshToken),
            200..300 => Answer::Missing(NoAnswer::Malformed),
            300..400 => Answer::Missing(NoAnswer::Redirected(status)),
            410 => Answer::Gone,
            429 => Answer::RateLimited,
            // Only a network in between sends this (RFC 6585, section 6).
            511 => Answer::Missing(NoAnswer::Foreign(status)),
            // 409: another refresh of this token is under way (Fitbit Web API, Refresh Token).
            400..500 if status != 409 => match self.members.error {
                Some(ErrorWord::Known(error)) if self.damage.is_none() => Answer::Refused(error),
                Some(ErrorWord::Unknown(error)) if self.damage.is_none() => {
                    Answer::Missing(NoAnswer::Named { status, error })
                }
                None if self.length > 0 && !self.members.is_object => {
                    Answer::Missing(NoAnswer::Foreign(status))
                }
                _ => Answer::Missing(NoAnswer::Status(status)),
            },
            _ => Answer::Missing(NoAnswer::Status(status)),
        }
    }
}

impl Default for ReplyDecoder {
    fn default() -> Self {
        Self::new()
    }
}

impl Grant {
    fn with_lifetime(mut self, lifetime_s: Option<u32>) -> Self {
        if let Some((_, seconds)) = &mut self.access {
            *seconds = lifetime_s.unwrap_or(DEFAULT_LIFETIME_S);
        }
        self
    }
}

impl Members {
    fn take(&mut self, event: Event<'_>) -> Flow {
        match event {
            Event::BeginObject | Event::BeginArray => {
                self.is_object |= self.depth == 0 && matches!(event, Event::BeginObject);
                self.depth = self.depth.saturating_add(1);
                self.key = Key::Other;
            }
            Event::EndObject | Event::EndArray => self.depth = self.depth.saturating_sub(1),
            Event::Key(key) => return self.enter(key),
            Event::String(text) => self.string(text),
            Event::Number(number) => self.number(number.round_half_up()),
            Event::Bool(_) | Event::Null => {}
        }
        Flow::Continue
    }

    fn enter(&mut self, key: Text<'_>) -> Flow {
        self.key = match (self.depth, key.as_bytes()) {
            (1, Some(b"access_token")) => Key::AccessToken,
            (1, Some(b"refresh_token")) => Key::RefreshToken,
            (1, Some(b"expires_in")) => Key::ExpiresIn,
            (1, Some(b"refresh_token_expires_in")) => Key::RefreshExpiresIn,
            (1, Some(b"scope")) => Key::Scope,
            (1, Some(b"user_id")) => Key::UserId,
            (1, Some(b"error")) => Key::Error,
            (3, Some(b"errorType")) => Key::FitbitError,
            (1, Some(b"errors")) => Key::Other,
            _ => return Flow::Skip,
        };
        Flow::Continue
    }

    fn string(&mut self, text: Text<'_>) {
        let bytes = text.as_bytes().unwrap_or_default();
        match self.key {
            Key::AccessToken => self.grant.access = AccessToken::new(bytes).ok().map(|t| (t, 0)),
            Key::RefreshToken => {
                self.grant.refresh = RefreshToken::new(bytes).ok();
                self.has_unfit_token = self.grant.refresh.is_none();
            }
            Key::Scope => self.grant.scopes = text.as_str().map(Scopes::parse),
            Key::UserId => self.grant.user_id = text.as_str().and_then(|t| t.try_into().ok()),
            Key::Error | Key::FitbitError => self.note_error(text.as_str().unwrap_or_default()),
            // Some servers quote their numbers.
            Key::ExpiresIn | Key::RefreshExpiresIn => {
                self.number(text.as_str().and_then(|digits| digits.parse().ok()));
            }
            Key::Other => {}
        }
    }

    fn note_error(&mut self, name: &str) {
        let known = OAuthError::named(name).map(ErrorWord::Known);
        let unknown = || {
            let is_oauths = self.key == Key::Error;
            let name = is_oauths.then(|| ErrorName::new(name)).flatten();
            name.map(ErrorWord::Unknown)
        };
        // A known error takes precedence over an unknown one.
        self.error = match self.error {
            Some(ErrorWord::Known(error)) => Some(ErrorWord::Known(error)),
            before => known.or(before).or_else(unknown),
        };
    }

    fn number(&mut self, value: Option<i64>) {
        // A lifetime that has already ended cannot be meant.
        let seconds = value
            .filter(|s| *s > 0)
            .and_then(|s| u32::try_from(s.min(MAX_LIFETIME_S)).ok());
        match self.key {
            Key::ExpiresIn => self.lifetime_s = seconds,
            Key::RefreshExpiresIn => self.grant.refresh_lifetime_s = seconds,
            _ => {}
        }
    }
}

impl core::fmt::Debug for ReplyDecoder {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("ReplyDecoder")
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::format;

    use proptest::prelude::*;

    use super::*;

    const FITBIT: &str = r#"{"access_token":"eyJh.bc","expires_in":28800,"refresh_token":"0123abcd","scope":"heartrate settings profile","token_type":"Bearer","user_id":"ABC123"}"#;

    fn answer(status: u16, body: &str, rotates: bool) -> Answer {
        let mut decoder = ReplyDecoder::new();
        decoder.feed(body.as_bytes());
        decoder.finish(status, rotates)
    }

    fn granted(answer: Answer) -> Grant {
        match answer {
            Answer::Granted(grant) => grant,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_fitbit_grant_is_read_whole() {
        let grant = granted(answer(200, FITBIT, true));
        assert_eq!(grant.refresh, RefreshToken::new("0123abcd").ok());
        assert_eq!(
            grant.access,
            Some((AccessToken::new("eyJh.bc").unwrap(), 28_800))
        );
        assert_eq!(grant.scopes, Some(Scopes::ALL));
        assert_eq!(grant.user_id.as_deref(), Some("ABC123"));
    }

    #[test]
    fn a_reply_cut_behind_the_refresh_token_is_still_a_grant() {
        let cut = FITBIT.find(r#","scope""#).unwrap();
        let mut decoder = ReplyDecoder::new();
        decoder.feed(&FITBIT.as_bytes()[..cut]);
        decoder.fail(NoAnswer::Disconnected);
        assert!(granted(decoder.finish(200, true)).refresh.is_some());
    }

    #[test]
    fn a_reply_cut_within_the_refresh_token_is_no_answer() {
        let cut = FITBIT.find("abcd").unwrap();
        assert_eq!(
            answer(200, &FITBIT[..cut], true),
            Answer::Missing(NoAnswer::Malformed)
        );
    }

    #[test]
    fn a_refresh_token_counts_also_when_the_access_token_is_too_long() {
        let body = format!(
            r#"{{"access_token":"{}","refresh_token":"r-2"}}"#,
            "a".repeat(2_049)
        );
        let grant = granted(answer(200, &body, true));
        assert_eq!((grant.access, grant.refresh.is_some()), (None, true));
    }

    #[test]
    fn google_grants_without_a_refresh_token() {
        let body =
            r#"{"access_token":"ya29.x","expires_in":"3599","scope":"x","token_type":"Bearer"}"#;
        let grant = granted(answer(200, body, false));
        assert_eq!(
            (grant.access.map(|(_, s)| s), grant.refresh),
            (Some(3_599), None)
        );
        assert_eq!(
            answer(200, body, true),
            Answer::Missing(NoAnswer::NoRefreshToken)
        );
        assert_eq!(
            answer(200, &body[..body.len() - 1], false),
            Answer::Missing(NoAnswer::Malformed)
        );
    }

    #[test]
    fn only_oauths_own_words_are_a_refusal() {
        let google =
            r#"{"error":"invalid_grant","error_description":"Token has been expired or revoked."}"#;
        let fitbit = r#"{"errors":[{"errorType":"invalid_grant","message":"Refresh token invalid: 12. Visit"}],"success":false}"#;
        for body in [google, fitbit] {
            assert_eq!(
                answer(400, body, true),
                Answer::Refused(OAuthError::InvalidGrant)
            );
            assert_eq!(
                answer(409, body, true),
                Answer::Missing(NoAnswer::Status(409))
            );
            assert_eq!(
                answer(503, body, true),
                Answer::Missing(NoAnswer::Status(503))
            );
            assert_eq!(
                answer(400, &body[..body.len() - 1], true),
                Answer::Missing(NoAnswer::Status(400))
            );
        }
        assert_eq!(
            answer(403, "<html>blocked</html>", true),
            Answer::Missing(NoAnswer::Foreign(403))
        );
        assert_eq!(
            answer(401, r#"{"error":"invalid_client"}"#, false),
            Answer::Refused(OAuthError::InvalidClient)
        );
        let api = r#"{"error":{"code":401,"status":"UNAUTHENTICATED"}}"#;
        assert_eq!(
            answer(401, api, false),
            Answer::Missing(NoAnswer::Status(401))
        );
        assert_eq!(answer(410, "", true), Answer::Gone);
        assert_eq!(answer(429, "", true), Answer::RateLimited);
    }

    #[test]
    fn an_error_that_nobody_knows_is_no_answer_and_keeps_its_name() {
        let named = |status, name| {
            let error = ErrorName::new(name).unwrap();
            Answer::Missing(NoAnswer::Named { status, error })
        };
        let body = r#"{"error":"slow_down","error_description":"hush"}"#;
        for rotates in [true, false] {
            assert_eq!(answer(400, body, rotates), named(400, "slow_down"));
            assert_eq!(
                answer(401, r#"{"error":"deleted_client"}"#, rotates),
                Answer::Refused(OAuthError::DeletedClient)
            );
        }
        // An error of the Web API is not an OAuth error.
        let fitbit = r#"{"errors":[{"errorType":"not_found"}],"success":false}"#;
        assert_eq!(
            answer(404, fitbit, true),
            Answer::Missing(NoAnswer::Status(404))
        );
        // A token is not a name.
        assert_eq!(
            answer(400, r#"{"error":"0123abcd"}"#, true),
            Answer::Missing(NoAnswer::Status(400))
        );
    }

    #[test]
    fn a_redirect_is_told_as_one() {
        for status in [301, 302, 308] {
            assert_eq!(
                answer(status, "<html>moved</html>", true),
                Answer::Missing(NoAnswer::Redirected(status))
            );
        }
    }

    #[test]
    fn an_endless_reply_is_given_up() {
        let mut decoder = ReplyDecoder::new();
        for _ in 0..70 {
            decoder.feed(&[b' '; 1_024]);
        }
        assert_eq!(
            decoder.finish(200, false),
            Answer::Missing(NoAnswer::TooLong)
        );
    }

    proptest! {
        #[test]
        fn any_chunking_gives_the_same_answer(cuts in proptest::collection::vec(0..FITBIT.len(), 0..9), end in 0..=FITBIT.len()) {
            let body = &FITBIT.as_bytes()[..end];
            let mut whole = ReplyDecoder::new();
            whole.feed(body);
            let mut cuts: std::vec::Vec<_> = cuts.into_iter().map(|cut| cut.min(end)).chain([0, end]).collect();
            cuts.sort_unstable();
            let mut parts = ReplyDecoder::new();
            for pair in cuts.windows(2) {
                parts.feed(&body[pair[0]..pair[1]]);
            }
            prop_assert_eq!(parts.finish(200, true), whole.finish(200, true));
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), status in any::<u16>()) {
            let mut decoder = ReplyDecoder::new();
            decoder.feed(&bytes);
            let _ = decoder.finish(status, true);
        }
    }
}
