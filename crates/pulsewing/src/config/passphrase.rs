//! The passphrase that the page asks for when it is seen from other machines.

use std::fmt;

use serde::Deserialize;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// The minimum length of a passphrase, in characters.
const LEAST: usize = 8;

/// The passphrase that is required to see the page from another machine.
#[derive(Clone, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Passphrase {
    digest: [u8; 32],
}

impl TryFrom<String> for Passphrase {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let text = Zeroizing::new(text);
        if text.chars().count() < LEAST {
            return Err(format!(
                "a passphrase must have at least {LEAST} characters"
            ));
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
    /// Returns whether this is the passphrase. The time taken does not depend on where they differ.
    pub(crate) fn is(&self, text: &[u8]) -> bool {
        self.digest.ct_eq(&digest(text)).into()
    }
}

fn digest(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passphrase_is_not_short_and_never_shown() {
        assert!(Passphrase::try_from("short".to_owned()).is_err());
        let passphrase = Passphrase::try_from("correct horse".to_owned()).unwrap();
        assert_eq!(format!("{passphrase:?}"), "Passphrase(..)");
        assert!(passphrase.is(b"correct horse") && !passphrase.is(b"correct house"));
    }
}
