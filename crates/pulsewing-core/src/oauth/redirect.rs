//! The end of a sign-in: the address that the browser was sent back to, or what of it a person
//! pasted.

use core::fmt;

use crate::AuthorizationCode;

/// What came back from the provider's consent page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirect {
    /// The code that the tokens are asked for with.
    pub code: AuthorizationCode,
    /// The state that the sign-in began with; absent when only the code was pasted.
    pub state: Option<heapless::String<128>>,
}

/// Why an address does not end a sign-in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RedirectError {
    /// The wearer said no.
    #[error("consent was refused on the provider's page")]
    Denied,
    /// The provider names another error (RFC 6749, section 4.1.2.1).
    #[error("the provider answered {0}")]
    Provider(heapless::String<64>),
    /// There is no code in it.
    #[error("there is no code in it")]
    NoCode,
    /// The code is none, or the address is damaged.
    #[error("the code in it is damaged")]
    Damaged,
}

impl Redirect {
    /// Reads a redirect address, its query alone, or a bare code.
    ///
    /// Fitbit appends the fragment `#_=_`, and who pastes an address pastes it as well
    /// (Fitbit Web API, Authorize).
    ///
    /// # Errors
    /// [`RedirectError`].
    pub fn parse(pasted: &str) -> Result<Self, RedirectError> {
        let pasted = pasted.trim();
        let pasted = pasted.split('#').next().unwrap_or_default();
        let query = match pasted.split_once('?') {
            Some((_, query)) => query,
            // Without a query it is a code, unless it reads like an address or a query.
            None if pasted.contains("://") => return Err(RedirectError::NoCode),
            None if !pasted.contains('=') => {
                return Ok(Self {
                    code: decoded::<1_024>(pasted).and_then(code)?,
                    state: None,
                });
            }
            None => pasted,
        };
        Self::from_query(query)
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
        match value("error") {
            Some("access_denied") => return Err(RedirectError::Denied),
            Some(error) => {
                let mut name = decoded::<64>(error)?;
                if !name.bytes().all(|byte| byte.is_ascii_graphic()) {
                    name.clear();
                }
                return Err(RedirectError::Provider(name));
            }
            None => {}
        }
        let given = value("code").ok_or(RedirectError::NoCode)?;
        Ok(Self {
            code: decoded::<1_024>(given).and_then(code)?,
            state: value("state").map(decoded).transpose()?,
        })
    }
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

/// The words of a consent page's answer, for whoever shows them.
impl fmt::Display for Redirect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a code came back from the consent page")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn code_of(pasted: &str) -> Result<AuthorizationCode, RedirectError> {
        Redirect::parse(pasted).map(|redirect| redirect.code)
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
        ] {
            assert_eq!(code_of(pasted), Ok(expected.clone()), "{pasted}");
        }
        let redirect = Redirect::parse("http://127.0.0.1/?code=c&state=a%20b").unwrap();
        assert_eq!(redirect.state.as_deref(), Some("a b"));
    }

    #[test]
    fn a_refusal_is_told_from_a_mistake() {
        assert_eq!(
            code_of("http://127.0.0.1/?error=access_denied&state=s"),
            Err(RedirectError::Denied)
        );
        assert_eq!(
            code_of("?error=invalid_scope"),
            Err(RedirectError::Provider("invalid_scope".try_into().unwrap()))
        );
        for mistake in ["", "http://127.0.0.1/", "?state=s", "?code=&state=s"] {
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
