//! Secrets: redacted when printed, wiped when dropped.

use core::fmt;

use sha2::{Digest, Sha256};
use zeroize::Zeroize;

/// The reason why a text cannot be a secret of this kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// There is nothing in it.
    #[error("it is empty")]
    Empty,
    /// It is longer than this kind of secret may be.
    #[error("it is longer than the {0} bytes allowed")]
    TooLong(usize),
    /// It holds a character other than visible ASCII (RFC 6749, appendix A).
    #[error("it contains a character that is not allowed")]
    Character,
}

/// The first twelve hexadecimal digits of a secret's SHA-256: enough to compare, useless to a thief.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 6]);

impl Fingerprint {
    fn of(secret: &[u8]) -> Self {
        let digest = Sha256::digest(secret);
        let mut first = [0; 6];
        for (to, from) in first.iter_mut().zip(digest.iter()) {
            *to = *from;
        }
        Self(first)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Up to `N` bytes of visible ASCII that nobody should read.
#[derive(Clone, PartialEq, Eq)]
struct Secret<const N: usize> {
    len: usize,
    bytes: [u8; N],
}

impl<const N: usize> Secret<N> {
    fn new(text: &[u8]) -> Result<Self, SecretError> {
        if text.is_empty() {
            return Err(SecretError::Empty);
        }
        if !text.iter().all(u8::is_ascii_graphic) {
            return Err(SecretError::Character);
        }
        let mut bytes = [0; N];
        bytes
            .get_mut(..text.len())
            .ok_or(SecretError::TooLong(N))?
            .copy_from_slice(text);
        Ok(Self {
            len: text.len(),
            bytes,
        })
    }

    fn expose(&self) -> &str {
        // `new` has checked that it is ASCII.
        self.bytes
            .get(..self.len)
            .and_then(|bytes| core::str::from_utf8(bytes).ok())
            .unwrap_or_default()
    }
}

impl<const N: usize> Drop for Secret<N> {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

macro_rules! secret {
    ($(#[$doc:meta])* $name:ident, $max:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq)]
        pub struct $name(Secret<{ $max }>);

        impl $name {
            /// The maximum length, in bytes.
            pub const MAX: usize = $max;

            /// Creates the secret from a text.
            ///
            /// # Errors
            /// [`SecretError`], with the reason but never the text.
            pub fn new(text: impl AsRef<[u8]>) -> Result<Self, SecretError> {
                Secret::new(text.as_ref()).map(Self)
            }

            /// Returns the secret itself. Call this only to send or to store it.
            #[must_use]
            pub fn expose(&self) -> &str {
                self.0.expose()
            }

            /// Returns the fingerprint, which may be shown and logged.
            #[must_use]
            pub fn fingerprint(&self) -> Fingerprint {
                Fingerprint::of(self.expose().as_bytes())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "([redacted])"))
            }
        }
    };
}

secret!(
    /// The token that authorises a data call; lives for an hour (Google) or eight (Fitbit).
    AccessToken,
    2_048
);
secret!(
    /// The token that gets the next access token. Fitbit's works once.
    RefreshToken,
    512
);
secret!(
    /// The secret of the OAuth client; not confidential for a desktop app, but treated as if it were.
    ClientSecret,
    256
);
secret!(
    /// The one-time code that a sign-in ends with.
    AuthorizationCode,
    1_024
);
secret!(
    /// The PKCE code verifier (RFC 7636, section 4.1).
    CodeVerifier,
    128
);

#[cfg(test)]
mod tests {
    extern crate std;
    use std::format;

    use super::*;

    #[test]
    fn a_secret_prints_as_redacted() {
        let token = RefreshToken::new("0123456789abcdef").unwrap();
        assert_eq!(format!("{token:?}"), "RefreshToken([redacted])");
        assert_eq!(format!("{token:#?}"), "RefreshToken([redacted])");
    }

    #[test]
    fn a_fingerprint_is_twelve_hex_digits_of_the_sha_256() {
        let token = AccessToken::new("abc").unwrap();
        assert_eq!(format!("{}", token.fingerprint()), "ba7816bf8f01");
    }

    #[test]
    fn what_cannot_be_sent_in_a_header_is_no_token() {
        assert_eq!(AccessToken::new(""), Err(SecretError::Empty));
        assert_eq!(AccessToken::new("a\r\nb"), Err(SecretError::Character));
        assert_eq!(AccessToken::new("ä"), Err(SecretError::Character));
        assert_eq!(
            RefreshToken::new([b'a'; 513]),
            Err(SecretError::TooLong(512))
        );
        assert!(RefreshToken::new([b'a'; 512]).is_ok());
    }
}
