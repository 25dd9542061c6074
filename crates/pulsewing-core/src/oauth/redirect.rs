//! The end of a sign-in: the address that the browser was sent back to, or the part of it that the
//! user pasted.

use super::{ErrorName, OAuthError};
use crate::AuthorizationCode;

/// The result from the provider's consent page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirect {
    /// The code to exchange for tokens, or the provider's refusal. Either counts only for the sign-in
    /// that the state belongs to.
    pub answer: Result<AuthorizationCode, Refused>,
    /// The state that the sign-in began with; absent when only the code was pasted.
    pub state: Option<heapless::String<128>>,
}

/// The consent page's refusal of a sign-in (RFC 6749, section 4.1.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The wearer declined.
    #[error("consent was refused on the provider's page")]
    Denied,
    /// The provider names another error.
    #[error("the provider answered {0}")]
    OAuth(OAuthError),
    /// The provider names an unknown error.
    #[error("the provider answered \"{0}\"")]
    Named(ErrorName),
    /// There is an error, but its text is not a name.
    #[error("the provider answered with an unreadable error")]
    Unnamed,
}

/// The minimum number of characters of a code that stands alone.
const LEAST_CODE: usize = 8;

/// From this many characters, a text without a digit may be a code too; shorter ones are words.
const LONGEST_WORD: usize = 24;

/// The reason why a text is not the answer of a consent page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RedirectError {
    /// There is no code in it.
    #[error("it contains no code")]
    NoCode,
    /// The code cannot be one, or the address is damaged.
    #[error("its code is damaged")]
    Damaged,
    /// It is neither an address nor anything that could be a code.
    #[error("this is neither an address from a sign-in nor a code")]
    Neither,
}

impl Redirect {
    /// Reads a redirect address, its query alone, or a bare code.
    ///
    /// Fitbit appends the fragment `#_=_`, which users paste along with the address
    /// (Fitbit Web API, Authorize).
    ///
    /// # Errors
    /// [`RedirectError`].
    pub fn parse(pasted: &str) -> Result<Self, RedirectError> {
        let pasted = pasted.trim_matches(|c: char| c.is_whitespace() || "\"'<>".contains(c));
        let pasted = pasted.split('#').next().unwrap_or_default();
        let query = match pasted.split_once('?') {
            Some((_, query)) => query,
            // Without a query it is a code, unless it looks like a query or an address: that has a
            // colon after its scheme or before its port.
            None if !pasted.contains('=') => {
                if pasted.contains(':') {
                    return Err(RedirectError::NoCode);
                }
                return Self::from_bare(pasted);
            }
            None => pasted,
        };
        Self::from_query(query)
    }

    /// Reads a code that stands alone. Any other word must not be sent as a code: that would end the
    /// sign-in.
    fn from_bare(pasted: &str) -> Result<Self, RedirectError> {
        let text = decoded::<1_024>(pasted)?;
        if !text.is_empty() && !is_plausible(&text) {
            return Err(RedirectError::Neither);
        }
        Ok(Self {
            answer: Ok(code(text)?),
            state: None,
        })
    }

    /// Reads the query of a redirect address.
    ///
    /// # Errors
    /// [`RedirectError`].
    pub fn from_query(query: &str) -> Result<Self, RedirectError> {
        let value = |wanted: &str| {
            query
                .split('&')
                .filter_map(|pair| pair.split_once('='))
                .find(|(name, _)| *name == wanted)
                .map(|(_, value)| value)
        };
        let answer = match value("error") {
            Some(error) => Err(Refused::named(&decoded::<64>(error)?)),
            None => {
                let given = value("code").ok_or(RedirectError::NoCode)?;
                Ok(decoded::<1_024>(given).and_then(code)?)
            }
        };
        Ok(Self {
            answer,
            state: value("state").map(decoded).transpose()?,
        })
    }
}

impl Refused {
    fn named(name: &str) -> Self {
        match OAuthError::named(name) {
            Some(OAuthError::AccessDenied) => Self::Denied,
            Some(error) => Self::OAuth(error),
            None => ErrorName::new(name).map_or(Self::Unnamed, Self::Named),
        }
    }
}

/// Returns whether a text can be a code. Google's begin with `4/` (Google Identity, OAuth 2.0 for
/// desktop apps), Fitbit's are 40 hexadecimal digits, and a gateway's are any text that an address
/// can hold.
fn is_plausible(text: &str) -> bool {
    let is_long_enough = match text.bytes().any(|byte| byte.is_ascii_digit()) {
        true => text.len() >= LEAST_CODE,
        false => text.len() >= LONGEST_WORD,
    };
    let has_its_letters = text
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-._~/+=".contains(&byte));
    let is_googles = text.strip_prefix("4/").is_some_and(|rest| !rest.is_empty());
    // A host name and a path. No alphabet of codes has both characters.
    let is_address = text.contains('.') && text.contains('/');
    has_its_letters && (is_googles || (is_long_enough && !is_address))
}

fn code(text: heapless::String<1_024>) -> Result<AuthorizationCode, RedirectError> {
    if text.is_empty() {
        return Err(RedirectError::NoCode);
    }
    AuthorizationCode::new(text.as_str()).map_err(|_| RedirectError::Damaged)
}

/// Undoes form encoding: `%xx` and `+`.
fn decoded<const N: usize>(text: &str) -> Result<heapless::String<N>, RedirectError> {
    let mut bytes: heapless::Vec<u8, N> = heapless::Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let byte = match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                let high = digit().ok_or(RedirectError::Damaged)?;
                let low = digit().ok_or(RedirectError::Damaged)?;
                u8::try_from(high * 16 + low).map_err(|_| RedirectError::Damaged)?
            }
            _ => byte,
        };
        bytes.push(byte).map_err(|_| RedirectError::Damaged)?;
    }
    heapless::String::from_utf8(bytes).map_err(|_: core::str::Utf8Error| RedirectError::Damaged)
}

#[cfg(test)]
mod tests {
    extern crate std;

    use proptest::prelude::*;

    use super::*;

    fn code_of(pasted: &str) -> Result<AuthorizationCode, RedirectError> {
        Redirect::parse(pasted).map(|redirect| redirect.answer.unwrap())
    }

    fn refused(pasted: &str) -> Refused {
        Redirect::parse(pasted).unwrap().answer.unwrap_err()
    }

    #[test]
    fn an_address_a_query_and_a_bare_code_are_all_understood() {
        let expected = AuthorizationCode::new("4/0Ab-c").unwrap();
        for pasted in [
            "http://127.0.0.1:4242/?code=4%2F0Ab-c&scope=x%20y&state=s",
            "  http://localhost/cb?state=s&code=4/0Ab-c#_=_\n",
            "code=4%2F0Ab-c&state=s",
            "4/0Ab-c",
            "4%2F0Ab-c#_=_",
            "127.0.0.1:8765/?code=4/0Ab-c&state=s",
            "localhost:8765?state=s&code=4/0Ab-c",
            "/?code=4/0Ab-c",
            "<http://127.0.0.1/?code=4%2F0Ab-c>",
            "\"code=4/0Ab-c\"",
        ] {
            assert_eq!(code_of(pasted), Ok(expected.clone()), "{pasted}");
        }
        let redirect = Redirect::parse("http://127.0.0.1/?code=c&state=a%20b").unwrap();
        assert_eq!(redirect.state.as_deref(), Some("a b"));
    }

    #[test]
    fn a_word_is_no_code_and_whatever_a_gateway_makes_up_is_one() {
        for word in [
            "garbage",
            "password",
            "I do not know",
            "consent-page",
            "wearer@example.org",
            "4/",
            "1234567",
            "pulsewing.example/sign-in",
            "accounts.google.com/o/oauth2/approval",
            "{}",
            "%3Cb%3E12345678",
        ] {
            assert_eq!(code_of(word), Err(RedirectError::Neither), "{word}");
        }
        for code in [
            "4/0Ab-c",
            "0123456789abcdef0123456789abcdef01234567",
            "a1b2c3d4",
            "eyJhbGciOiJub25lIn0.eyJhIjoxfQ.",
            "abcdefghijklmnopqrstuvwx",
        ] {
            assert!(code_of(code).is_ok(), "{code}");
        }
        // A value that is named as the code is accepted as it is.
        assert!(code_of("?code=word&state=s").is_ok());
    }

    #[test]
    fn a_refusal_is_told_from_a_mistake() {
        for (query, expected) in [
            ("access_denied", Refused::Denied),
            ("invalid_scope", Refused::OAuth(OAuthError::InvalidScope)),
            ("org_internal", Refused::OAuth(OAuthError::OrgInternal)),
            (
                "server_error",
                Refused::Named(ErrorName::new("server_error").unwrap()),
            ),
            ("%3Cb%3E", Refused::Unnamed),
        ] {
            let address = std::format!("http://127.0.0.1/?error={query}&state=s");
            assert_eq!(refused(&address), expected);
            let redirect = Redirect::parse(&address).unwrap();
            assert_eq!(redirect.state.as_deref(), Some("s"));
        }
        assert_eq!(Redirect::parse("?error=access_denied").unwrap().state, None);
        for mistake in [
            "",
            "http://127.0.0.1/",
            "127.0.0.1:8765",
            "127.0.0.1:8765/",
            "?state=s",
            "?code=&state=s",
        ] {
            assert_eq!(code_of(mistake), Err(RedirectError::NoCode), "{mistake:?}");
        }
        for damaged in ["?code=%4", "?code=%zz", "?code=a%0ab", "?code=%ff"] {
            assert_eq!(code_of(damaged), Err(RedirectError::Damaged), "{damaged:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in ".{0,200}") {
            let _ = Redirect::parse(&text);
        }
    }
}
