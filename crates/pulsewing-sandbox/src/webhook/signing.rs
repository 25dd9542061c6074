//! The keys that sign notifications, and their public halves as a Tink keyset in JSON (Tink, Wire
//! format; `tink.proto`, `ecdsa.proto`).

use base64ct::{Base64, Encoding};
use jiff::{SignedDuration, Timestamp};
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair},
};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// The keys, the oldest first; the last signs.
///
/// They are random, unlike everything else here: no two sandboxes have the same.
#[derive(Debug, Default)]
pub(crate) struct SigningKeys(Vec<SigningKey>);

#[derive(Debug)]
pub(super) struct SigningKey {
    id: u32,
    pair: EcdsaKeyPair,
    made_at: Timestamp,
    is_enabled: bool,
}

/// What becomes of the key that signed until now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum OldKey {
    /// It still verifies.
    #[default]
    Enabled,
    /// It is in the keyset, but must not be used.
    Disabled,
    /// It is no longer in the keyset.
    Gone,
}

impl SigningKeys {
    /// Makes a new key, which signs from now on. Returns its id; `None` without randomness.
    pub(crate) fn rotate(&mut self, old: OldKey, now: Timestamp) -> Option<u32> {
        let new = SigningKey::generate(now)?;
        let id = new.id;
        match old {
            OldKey::Enabled => {}
            OldKey::Disabled => self.0.iter_mut().for_each(|key| key.is_enabled = false),
            OldKey::Gone => self.0.clear(),
        }
        self.0.push(new);
        let too_many = self.0.len().saturating_sub(KEPT);
        self.0.drain(..too_many);
        Some(id)
    }

    /// Returns the key that signs now; a key is replaced after 30 days.
    pub(super) fn current(&mut self, now: Timestamp) -> Option<&SigningKey> {
        let is_due = |key: &SigningKey| now.duration_since(key.made_at) >= LIFE;
        if self.0.last().is_none_or(is_due) {
            self.rotate(OldKey::Enabled, now)?;
        }
        self.0.last()
    }

    /// Signs a body with the key that signs now.
    pub(crate) fn sign(&mut self, body: &[u8], now: Timestamp) -> Option<String> {
        self.current(now)?.sign(body)
    }

    /// Returns the published keyset.
    pub(crate) fn keyset(&mut self, now: Timestamp) -> Option<Value> {
        let primary = self.current(now)?.id;
        let keys: Vec<Value> = self.0.iter().map(SigningKey::published).collect();
        Some(json!({ "primaryKeyId": primary, "key": keys }))
    }
}

impl SigningKey {
    /// Makes a key that nobody knows yet.
    pub(super) fn generate(now: Timestamp) -> Option<Self> {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_ASN1_SIGNING;
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).ok()?;
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).ok()?;
        let digest = Sha256::digest(pair.public_key().as_ref());
        Some(Self {
            id: u32::from_be_bytes(*digest.first_chunk()?),
            pair,
            made_at: now,
            is_enabled: true,
        })
    }

    /// Returns the value of the signature header for a body.
    pub(super) fn sign(&self, body: &[u8]) -> Option<String> {
        let der = self.pair.sign(&SystemRandom::new(), body).ok()?;
        let mut signature = vec![TINK_PREFIX];
        signature.extend(self.id.to_be_bytes());
        signature.extend(der.as_ref());
        Some(Base64::encode_string(&signature))
    }

    fn published(&self) -> Value {
        json!({
            "keyData": {
                "typeUrl": "type.googleapis.com/google.crypto.tink.EcdsaPublicKey",
                "value": Base64::encode_string(&self.message()),
                "keyMaterialType": "ASYMMETRIC_PUBLIC",
            },
            "status": if self.is_enabled { "ENABLED" } else { "DISABLED" },
            "keyId": self.id,
            "outputPrefixType": "TINK",
        })
    }

    /// Returns the public key as an `EcdsaPublicKey`: SHA-256 on NIST's P-256, DER; x; y.
    fn message(&self) -> Vec<u8> {
        let mut message = vec![0x12, 6, 0x08, 3, 0x10, 2, 0x18, 2];
        let point = self.pair.public_key().as_ref();
        let coordinates = point.get(1..).unwrap_or_default();
        for (tag, number) in [0x1a, 0x22].into_iter().zip(coordinates.chunks(32)) {
            // Java's integers have a sign: a number whose first bit is set gets a zero in front.
            let zero: &[u8] = match number.first() {
                Some(first) if first & 0x80 != 0 => &[0],
                _ => &[],
            };
            let length = u8::try_from(zero.len() + number.len()).unwrap_or(0);
            message.extend([tag, length]);
            message.extend(zero);
            message.extend(number);
        }
        message
    }
}

/// The first byte of a signature with a key id.
const TINK_PREFIX: u8 = 1;

/// Google replaces its keys about every 30 days, as users report.
const LIFE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// How many keys stay published.
const KEPT: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    fn day(day: i64) -> Timestamp {
        Timestamp::from_second(day * 86_400).unwrap()
    }

    fn ids(keys: &mut SigningKeys, at: Timestamp) -> Vec<(u64, String)> {
        let keyset = keys.keyset(at).unwrap();
        let keys = keyset["key"].as_array().unwrap().iter();
        keys.map(|key| {
            let status = key["status"].as_str().unwrap().to_owned();
            (key["keyId"].as_u64().unwrap(), status)
        })
        .collect()
    }

    #[test]
    fn a_key_lives_for_thirty_days_and_stays_published() {
        let mut keys = SigningKeys::default();
        let first = ids(&mut keys, day(0));
        assert_eq!(ids(&mut keys, day(29)), first);
        let both = ids(&mut keys, day(30));
        assert_eq!((both.len(), &both[0]), (2, &first[0]));
        assert_eq!(u64::from(keys.current(day(31)).unwrap().id), both[1].0);
        for later in [60, 90, 120] {
            ids(&mut keys, day(later));
        }
        assert_eq!(ids(&mut keys, day(120)).len(), KEPT);
    }

    #[test]
    fn an_old_key_is_disabled_or_gone_if_that_is_asked_for() {
        let mut keys = SigningKeys::default();
        keys.rotate(OldKey::Enabled, day(0)).unwrap();
        keys.rotate(OldKey::Disabled, day(0)).unwrap();
        let statuses: Vec<String> = ids(&mut keys, day(0))
            .into_iter()
            .map(|key| key.1)
            .collect();
        assert_eq!(statuses, ["DISABLED", "ENABLED"]);
        let id = keys.rotate(OldKey::Gone, day(0)).unwrap();
        assert_eq!(
            ids(&mut keys, day(0)),
            [(u64::from(id), "ENABLED".to_owned())]
        );
    }

    #[test]
    fn coordinates_are_written_as_javas_integers() {
        for _ in 0..20 {
            let key = SigningKey::generate(day(0)).unwrap();
            let message = key.message();
            let x = &message[8..];
            let (length, first) = (usize::from(x[1]), x[2]);
            assert_eq!(x[0], 0x1a);
            // Positive, and as short as possible: a zero comes first only where the sign needs it. A
            // coordinate that begins with zeros itself is shorter than the others.
            assert!((1..=33).contains(&length), "{length}");
            assert!(first < 0x80 && (first != 0 || x[3] >= 0x80), "{x:?}");
            assert_eq!(x[2 + length], 0x22);
            assert_eq!(
                message.len(),
                8 + 2 + length + 2 + usize::from(x[3 + length])
            );
        }
    }
}
