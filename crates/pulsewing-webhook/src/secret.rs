//! The secret that Google repeats in the `Authorization` header of everything it sends.

use std::fmt;

use base64ct::{Base64UrlUnpadded, Encoding};
use ring::digest;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// An endpoint's secret: the whole value of the `Authorization` header, with its scheme (Google
/// Health API, `EndpointAuthorization.secret`).
///
/// It is wiped when it is dropped, and `Debug` does not show it.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes a secret that is already in use, such as `Bearer 5Zb...`.
    ///
    /// # Errors
    /// [`SecretError`] if no endpoint should have such a secret.
    pub fn new(value: String) -> Result<Self, SecretError> {
        let value = Zeroizing::new(value);
        if value.len() > MAX_LENGTH {
            return Err(SecretError::Length);
        }
        if !value.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
            return Err(SecretError::Character);
        }
        match value.split_once(' ') {
            Some(("", _)) => Err(SecretError::Scheme),
            Some((_, credentials)) if credentials.len() < MIN_CREDENTIALS => {
                Err(SecretError::Length)
            }
            // HTTP drops spaces at the end of a header: the value would never be the same again.
            Some(_) if value.ends_with(' ') => Err(SecretError::Character),
            Some(_) => Ok(Self(value)),
            None => Err(SecretError::Scheme),
        }
    }

    /// Makes a secret of 256 random bits, as a bearer token.
    #[must_use]
    pub fn from_random(bytes: &[u8; 32]) -> Self {
        let mut buffer = Zeroizing::new([0_u8; 43]);
        let token = Base64UrlUnpadded::encode(bytes, buffer.as_mut()).unwrap_or_default();
        let mut value = Zeroizing::new(String::with_capacity(64));
        value.push_str("Bearer ");
        value.push_str(token);
        Self(value)
    }

    /// Returns the secret, to store it or to send it to Google.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Returns whether a header's value is the secret.
    ///
    /// It takes as long for a value that is nearly right as for one that is entirely wrong: digests
    /// are compared, so not even the length shows.
    #[must_use]
    pub fn authorizes(&self, header: &[u8]) -> bool {
        let digest = |bytes: &[u8]| digest::digest(&digest::SHA256, bytes);
        let own = digest(self.0.as_bytes());
        own.as_ref().ct_eq(digest(header).as_ref()).into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Why a text is no secret for an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// Google wants the scheme in it (`EndpointAuthorization.secret`).
    #[error("the secret must begin with a scheme and a space, such as `Bearer `")]
    Scheme,
    /// A header cannot carry it as it is.
    #[error("the secret must be printable ASCII without a space at its end")]
    Character,
    /// It can be guessed, or is longer than a header should be.
    #[error(
        "the secret must have {MIN_CREDENTIALS} characters after its scheme, and at most {MAX_LENGTH} in all"
    )]
    Length,
}

/// 16 characters of base64 are 96 bits.
const MIN_CREDENTIALS: usize = 16;
const MAX_LENGTH: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_very_same_header_is_right() {
        let secret = Secret::new("Bearer 0123456789abcdef".to_owned()).unwrap();
        assert!(secret.authorizes(b"Bearer 0123456789abcdef"));
        for wrong in [
            &b""[..],
            b"Bearer ",
            b"Bearer 0123456789abcdeF",
            b"Bearer 0123456789abcdef ",
            b"bearer 0123456789abcdef",
            b"0123456789abcdef",
            b"\xff\xfe",
        ] {
            assert!(!secret.authorizes(wrong), "{wrong:?}");
        }
    }

    #[test]
    fn a_random_one_is_a_bearer_token_that_is_not_shown() {
        let secret = Secret::from_random(&[0xa5; 32]);
        assert_eq!(
            secret.expose(),
            "Bearer paWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaU"
        );
        assert_eq!(format!("{secret:?}"), "Secret(..)");
        assert!(Secret::new(secret.expose().to_owned()).is_ok());
    }

    #[test]
    fn a_weak_or_unsendable_one_is_refused() {
        for (text, error) in [
            ("0123456789abcdef0123", SecretError::Scheme),
            (" 0123456789abcdef0123", SecretError::Scheme),
            ("Bearer short", SecretError::Length),
            ("Bearer 0123456789abcdef\n", SecretError::Character),
            ("Bearer 0123456789abcdef ", SecretError::Character),
            ("Bearer 0123456789abcdéf", SecretError::Character),
        ] {
            assert_eq!(Secret::new(text.to_owned()).unwrap_err(), error, "{text}");
        }
        let long = format!("Bearer {}", "a".repeat(MAX_LENGTH));
        assert_eq!(Secret::new(long).unwrap_err(), SecretError::Length);
    }
}
