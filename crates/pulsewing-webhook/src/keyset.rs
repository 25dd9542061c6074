//! Google's public keys, as a Tink keyset in JSON, and the signatures that they verify (Tink, Wire
//! format; `tink.proto`, `ecdsa.proto`).
//!
//! ```text
//! GOOGLE-HEALTH-API-SIGNATURE: base64( 0x01 | key id, 4 bytes, big-endian | ECDSA signature, DER )
//! ```

use base64ct::{Base64, Encoding};
use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::protobuf::{Fields, Value};

/// The public keys that may sign, each a point on the curve P-256.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Keyset(Vec<Key>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Key {
    id: u32,
    /// 0x04, x, y (SEC 1, section 2.3.3).
    point: [u8; 65],
}

/// What became of a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Check {
    Genuine,
    Forged,
    /// The keyset has no enabled key of its id.
    UnknownKey,
}

/// Why a text is no keyset. The keys that were held before stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeysetError {
    /// It is longer than any keyset.
    #[error("the keyset has more than {MAX_KEYSET} bytes")]
    TooLong,
    /// It is not a Tink keyset in JSON: another page, perhaps, or half of one.
    #[error("this is not a Tink keyset")]
    Unreadable,
    /// None of its keys is an enabled ECDSA key on P-256 with SHA-256.
    #[error("the keyset has no enabled key of the kind that signs notifications")]
    NoKey,
}

#[derive(Deserialize)]
struct WrittenKeyset<'a> {
    #[serde(borrow)]
    key: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WrittenKey {
    key_id: u32,
    status: String,
    output_prefix_type: Option<String>,
    key_data: WrittenKeyData,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WrittenKeyData {
    type_url: Option<String>,
    value: String,
}

impl Keyset {
    /// Parses a keyset. Keys of other kinds and disabled ones are left out.
    pub(crate) fn parse(json: &[u8]) -> Result<Self, KeysetError> {
        if json.len() > MAX_KEYSET {
            return Err(KeysetError::TooLong);
        }
        let written: WrittenKeyset<'_> =
            serde_json::from_slice(json).map_err(|_| KeysetError::Unreadable)?;
        let keys = written.key.into_iter().take(MAX_KEYS);
        // A kind of key that does not exist yet must not cost us the others.
        let keys: Vec<Key> = keys
            .filter_map(|key| serde_json::from_str(key.get()).ok())
            .filter_map(Key::read)
            .collect();
        if keys.is_empty() {
            return Err(KeysetError::NoKey);
        }
        Ok(Self(keys))
    }

    /// Checks a signature of a body.
    pub(crate) fn check(&self, signature: &Signature, body: &[u8]) -> Check {
        let mut keys = self
            .0
            .iter()
            .filter(|key| key.id == signature.key_id)
            .peekable();
        if keys.peek().is_none() {
            return Check::UnknownKey;
        }
        let is_genuine = keys.any(|key| {
            let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &key.point);
            public.verify(body, &signature.der).is_ok()
        });
        if is_genuine {
            Check::Genuine
        } else {
            Check::Forged
        }
    }
}

impl Key {
    fn read(written: WrittenKey) -> Option<Self> {
        let is_of_type = |given: Option<&str>, wanted| given.is_none_or(|given| given == wanted);
        if written.status != "ENABLED"
            || !is_of_type(written.output_prefix_type.as_deref(), "TINK")
            || !is_of_type(written.key_data.type_url.as_deref(), ECDSA_PUBLIC_KEY)
        {
            return None;
        }
        let message = Base64::decode_vec(&written.key_data.value).ok()?;
        Some(Self {
            id: written.key_id,
            point: point(&message)?,
        })
    }
}

/// Reads an `EcdsaPublicKey`: field 2 has the parameters, 3 and 4 the coordinates.
fn point(message: &[u8]) -> Option<[u8; 65]> {
    let mut point = [0; 65];
    point[0] = 4;
    let (mut has_x, mut has_y) = (false, false);
    for field in Fields::of(message) {
        match field? {
            (2, Value::Bytes(parameters)) if !are_ours(parameters)? => return None,
            (3, Value::Bytes(x)) => {
                put(x, point.get_mut(1..33)?)?;
                has_x = true;
            }
            (4, Value::Bytes(y)) => {
                put(y, point.get_mut(33..)?)?;
                has_y = true;
            }
            _ => {}
        }
    }
    (has_x && has_y).then_some(point)
}

/// Returns whether `EcdsaParams` mean SHA-256, P-256 and DER, as far as they say.
fn are_ours(parameters: &[u8]) -> Option<bool> {
    const SHA256: u64 = 3;
    const NIST_P256: u64 = 2;
    const DER: u64 = 2;
    for field in Fields::of(parameters) {
        match field? {
            (1, Value::Number(hash)) if hash != SHA256 => return Some(false),
            (2, Value::Number(curve)) if curve != NIST_P256 => return Some(false),
            (3, Value::Number(encoding)) if encoding != DER => return Some(false),
            _ => {}
        }
    }
    Some(true)
}

/// Writes a big-endian number right-aligned. It may have zeros in front, or lack some.
fn put(number: &[u8], place: &mut [u8]) -> Option<()> {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    let digits = number.get(zeros..)?;
    let from = place.len().checked_sub(digits.len())?;
    place.fill(0);
    place.get_mut(from..)?.copy_from_slice(digits);
    Some(())
}

/// A signature with the id of the key that made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Signature {
    key_id: u32,
    der: Vec<u8>,
}

impl Signature {
    /// Parses the value of the header.
    pub(crate) fn parse(header: &[u8]) -> Option<Self> {
        if header.len() > MAX_SIGNATURE {
            return None;
        }
        let text = std::str::from_utf8(header).ok()?.trim();
        let bytes = Base64::decode_vec(text).ok()?;
        let (&[version, a, b, c, d], der) = bytes.split_first_chunk::<5>()?;
        (version == TINK_PREFIX).then(|| Self {
            key_id: u32::from_be_bytes([a, b, c, d]),
            der: der.to_vec(),
        })
    }
}

const ECDSA_PUBLIC_KEY: &str = "type.googleapis.com/google.crypto.tink.EcdsaPublicKey";

/// The first byte of a signature with a key id (Tink, Wire format).
const TINK_PREFIX: u8 = 1;

/// A keyset with two keys has about 800 bytes.
pub(crate) const MAX_KEYSET: usize = 64 * 1024;
const MAX_KEYS: usize = 64;

/// A signature has at most 77 bytes, which are 104 characters.
const MAX_SIGNATURE: usize = 256;

#[cfg(test)]
pub(crate) mod tests;
