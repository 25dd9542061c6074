//! A service account's key, as the file that Google's console makes.

use base64ct::{Base64, Encoding};
use serde::Deserialize;
use serde_json::value::RawValue;
use zeroize::Zeroizing;

/// The members of the file that matter.
pub(crate) struct KeyFile {
    pub(crate) client_email: String,
    pub(crate) key_id: String,
    pub(crate) token_uri: String,
    /// PKCS #8, DER.
    pub(crate) private_key: Zeroizing<Vec<u8>>,
}

#[derive(Deserialize)]
struct Written<'a> {
    r#type: String,
    client_email: String,
    #[serde(default)]
    private_key_id: String,
    token_uri: String,
    /// Kept as it is written: a parser would leave copies behind.
    #[serde(borrow)]
    private_key: &'a RawValue,
}

/// Why a text is no service account's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// It is not such a file.
    #[error("this is not a service account's key file in JSON")]
    Unreadable,
    /// It is a file of Google's console, but of another kind: of an OAuth client, for instance.
    #[error("this is not the key of a service account: its `type` is another")]
    OtherType,
    /// Its private key cannot be used.
    #[error("the private key is not an RSA key of at least 2048 bits in PKCS #8")]
    PrivateKey,
    /// The assertion would travel unencrypted.
    #[error("the address for tokens must be https, or on this computer")]
    TokenUri,
}

impl KeyFile {
    pub(crate) fn parse(json: &str) -> Result<Self, KeyFileError> {
        if json.len() > MAX_KEY_FILE {
            return Err(KeyFileError::Unreadable);
        }
        #[derive(Deserialize)]
        struct Typed {
            r#type: String,
        }
        let written: Written<'_> =
            serde_json::from_str(json).map_err(|_| match serde_json::from_str(json) {
                Ok(Typed { r#type }) if r#type != TYPE => KeyFileError::OtherType,
                _ => KeyFileError::Unreadable,
            })?;
        if written.r#type != TYPE {
            return Err(KeyFileError::OtherType);
        }
        Ok(Self {
            client_email: written.client_email,
            key_id: written.private_key_id,
            token_uri: written.token_uri,
            private_key: der(written.private_key).ok_or(KeyFileError::PrivateKey)?,
        })
    }
}

/// Decodes a PEM block (RFC 7468) that is written as a JSON text.
fn der(json: &RawValue) -> Option<Zeroizing<Vec<u8>>> {
    let text = unescaped(json.get().strip_prefix('"')?.strip_suffix('"')?)?;
    let (_, rest) = text.split_once("-----BEGIN PRIVATE KEY-----")?;
    let (inside, _) = rest.split_once("-----END PRIVATE KEY-----")?;
    // No longer than the text, so that it never grows and leaves a copy behind.
    let mut base64 = Zeroizing::new(String::with_capacity(inside.len()));
    base64.extend(inside.chars().filter(|c| !c.is_ascii_whitespace()));
    let mut bytes = Zeroizing::new(vec![0; base64.len()]);
    let length = Base64::decode(base64.as_bytes(), &mut bytes).ok()?.len();
    bytes.truncate(length);
    Some(bytes)
}

/// Resolves the escapes of a JSON text. Those beyond ASCII are in no PEM.
fn unescaped(text: &str) -> Option<Zeroizing<String>> {
    let mut plain = Zeroizing::new(String::with_capacity(text.len()));
    let mut chars = text.chars();
    while let Some(next) = chars.next() {
        if next != '\\' {
            plain.push(next);
            continue;
        }
        plain.push(match chars.next()? {
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let hex = chars.as_str().get(..4)?;
                chars = chars.as_str().get(4..)?.chars();
                char::from(u8::try_from(u32::from_str_radix(hex, 16).ok()?).ok()?)
            }
            same @ ('"' | '\\' | '/') => same,
            _ => return None,
        });
    }
    Some(plain)
}

const TYPE: &str = "service_account";

/// A key file has some 2,400 bytes.
const MAX_KEY_FILE: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn raw(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.to_owned()).unwrap()
    }

    #[test]
    fn a_key_is_found_between_its_lines_however_they_are_escaped() {
        for text in [
            "\"-----BEGIN PRIVATE KEY-----\\nAQID\\nBA==\\n-----END PRIVATE KEY-----\\n\"",
            "\"-----BEGIN PRIVATE KEY-----\\r\\nAQIDBA\\u003d\\u003d\\r\\n-----END PRIVATE KEY-----\"",
            "\"Bag\\/Attributes\\n-----BEGIN PRIVATE KEY-----AQIDBA==-----END PRIVATE KEY-----\"",
        ] {
            assert_eq!(der(&raw(text)).unwrap().as_slice(), [1, 2, 3, 4], "{text}");
        }
        for text in [
            "1",
            "\"AQIDBA==\"",
            "\"-----BEGIN PRIVATE KEY-----\\nAQIDBA==\"",
            "\"-----BEGIN PRIVATE KEY-----AQ!!-----END PRIVATE KEY-----\"",
            "\"-----BEGIN RSA PRIVATE KEY-----AQIDBA==-----END RSA PRIVATE KEY-----\"",
            "\"-----BEGIN PRIVATE KEY-----\\u2003AQIDBA==-----END PRIVATE KEY-----\"",
        ] {
            assert!(der(&raw(text)).is_none(), "{text}");
        }
    }

    #[test]
    fn a_file_of_another_kind_is_told_apart() {
        let error = |json: &str| KeyFile::parse(json).err();
        let client = json!({ "installed": { "client_id": "1" } }).to_string();
        assert_eq!(error(&client), Some(KeyFileError::Unreadable));
        let user = json!({ "type": "authorized_user", "refresh_token": "r" }).to_string();
        assert_eq!(error(&user), Some(KeyFileError::OtherType));
        assert_eq!(error("{"), Some(KeyFileError::Unreadable));
    }

    proptest! {
        #[test]
        fn any_text_is_a_key_file_or_not(text in ".{0,200}", key in ".{0,80}") {
            let _ = KeyFile::parse(&text);
            let file = json!({ "type": TYPE, "client_email": "a@b", "token_uri": "u", "private_key": key });
            let _ = KeyFile::parse(&file.to_string());
        }
    }
}
