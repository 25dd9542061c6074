//! Secrets: redacted wherever they are printed, wiped when they are dropped.

use core::fmt;

use sha2::{Digest, Sha256};
use zeroize::Zeroize;

/// Why a text cannot be the secret it was offered as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// There is nothing in it.
    #[error("it is empty")]
    Empty,
    /// It is longer than this kind of secret may be.
    #[error("it is longer than the {0} bytes allowed")]
    TooLong(usize),
    /// It holds a character other than visible ASCII (RFC 6749, appendix A).
    #[error("it holds a character that no such secret has")]
    Character,
}

/// The first twelve hexadecimal digits of a secret's SHA-256: enough to compare, no use to a thief.
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
        // Checked to be ASCII when it was made.
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
            /// The longest that is accepted, in bytes.
            pub const MAX: usize = $max;

            /// Takes it from a text.
            ///
            /// # Errors
            /// [`SecretError`] says why it cannot be one; never what it was.
            pub fn new(text: impl AsRef<[u8]>) -> Result<Self, SecretError> {
                Secret::new(text.as_ref()).map(Self)
            }

            /// The secret itself. Whoever calls this is about to send or to store it.
            #[must_use]
            pub fn expose(&self) -> &str {
                self.0.expose()
            }

            /// What stands for it where people and logs can see.
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
    /// What a data call is authorised with; lives for an hour (Google) or eight (Fitbit).
    AccessToken,
    2_048
);
secret!(
    /// What the next access token is asked for with. Fitbit's works once.
    RefreshToken,
    512
);
secret!(
    /// The secret of the OAuth client; not confidential for a desktop app, and treated as if it was.
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
