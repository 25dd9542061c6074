//! Secrets, read from files: never shown, wiped when dropped.

use std::{fmt, io, path::Path};

use pulsewing_files::regular_file;
use zeroize::Zeroizing;

/// The longest file of a secret that is read, in bytes.
const MAX_FILE: u64 = 4096;

/// A token, a key or a shared secret: one line of visible ASCII, so that a header can carry it.
#[derive(Clone)]
pub(crate) struct Secret(Zeroizing<String>);

/// Why a file holds no secret that can be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// The file cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(String),
    /// There is nothing in it.
    #[error("is empty")]
    Empty,
    /// A header cannot carry it.
    #[error("must hold one line of printable ASCII without spaces")]
    Character,
    /// It can be guessed.
    #[error("must hold at least {0} characters")]
    Short(usize),
}

impl Secret {
    /// Reads a file whose text has at least `least` characters. White space around it is left out.
    pub(crate) fn read(path: &Path, least: usize) -> Result<Self, SecretError> {
        let unreadable = |error: io::Error| SecretError::Unreadable(error.to_string());
        let text = regular_file::read_text(path, MAX_FILE).map_err(unreadable)?;
        let text = Zeroizing::new(text);
        let inner = text.trim();
        if inner.is_empty() {
            return Err(SecretError::Empty);
        }
        if !inner.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(SecretError::Character);
        }
        if inner.len() < least {
            return Err(SecretError::Short(least));
        }
        Ok(Self(Zeroizing::new(inner.to_owned())))
    }

    /// Returns the secret itself. Call this only to send it or to sign with it.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_one_line_that_is_never_shown() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        let read = |text: &str, least| {
            std::fs::write(&path, text).unwrap();
            Secret::read(&path, least)
        };
        let secret = read(" tk_hush\r\n", 1).unwrap();
        assert_eq!(secret.expose(), "tk_hush");
        assert_eq!(format!("{secret:?}"), "Secret(..)");
        for (text, least, error) in [
            ("\n", 1, SecretError::Empty),
            ("two\nlines", 1, SecretError::Character),
            ("tök", 1, SecretError::Character),
            ("short", 16, SecretError::Short(16)),
        ] {
            assert_eq!(read(text, least).unwrap_err(), error);
        }
        let error = Secret::read(&dir.path().join("none"), 1).unwrap_err();
        assert!(matches!(error, SecretError::Unreadable(_)));
        assert!(matches!(
            read(&"a".repeat(5000), 1).unwrap_err(),
            SecretError::Unreadable(_)
        ));
    }
}
