use proptest::prelude::*;
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair},
};
use serde_json::{Value as Json, json};

use super::*;

/// A private key, as Google has it.
pub(crate) struct Signer {
    id: u32,
    pair: EcdsaKeyPair,
}

impl Signer {
    pub(crate) fn new(id: u32) -> Self {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_ASN1_SIGNING;
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).unwrap();
        Self { id, pair }
    }

    pub(crate) fn sign(&self, body: &[u8]) -> String {
        let der = self.pair.sign(&SystemRandom::new(), body).unwrap();
        let mut bytes = vec![1];
        bytes.extend(self.id.to_be_bytes());
        bytes.extend(der.as_ref());
        Base64::encode_string(&bytes)
    }

    fn written(&self) -> Json {
        let point = self.pair.public_key().as_ref();
        self.with_coordinates(&point[1..33], &point[33..])
    }

    fn with_coordinates(&self, x: &[u8], y: &[u8]) -> Json {
        let mut message = vec![0x12, 6, 8, 3, 16, 2, 24, 2];
        for (tag, number) in [(0x1a, x), (0x22, y)] {
            message.extend([tag, u8::try_from(number.len()).unwrap()]);
            message.extend(number);
        }
        self.with_message(&message)
    }

    fn with_message(&self, message: &[u8]) -> Json {
        json!({
            "keyData": {
                "typeUrl": "type.googleapis.com/google.crypto.tink.EcdsaPublicKey",
                "value": Base64::encode_string(message),
                "keyMaterialType": "ASYMMETRIC_PUBLIC",
            },
            "status": "ENABLED",
            "keyId": self.id,
            "outputPrefixType": "TINK",
        })
    }
}

pub(crate) fn keyset(signers: &[&Signer]) -> String {
    let keys: Vec<Json> = signers.iter().map(|signer| signer.written()).collect();
    of(&keys)
}

fn of(keys: &[Json]) -> String {
    json!({ "primaryKeyId": 1, "key": keys }).to_string()
}

fn parse(keys: &[Json]) -> Result<Keyset, KeysetError> {
    Keyset::parse(of(keys).as_bytes())
}

fn check(keyset: &Keyset, header: &str, body: &[u8]) -> Check {
    keyset.check(&Signature::parse(header.as_bytes()).unwrap(), body)
}

#[test]
fn a_signature_is_of_one_key_and_one_body() {
    let (one, other) = (Signer::new(0xfedc_ba98), Signer::new(1));
    let keys = parse(&[one.written(), other.written()]).unwrap();
    let header = one.sign(b"body");
    assert_eq!(check(&keys, &header, b"body"), Check::Genuine);
    assert_eq!(check(&keys, &header, b"bodY"), Check::Forged);
    let stranger = Signer::new(1);
    assert_eq!(
        check(&keys, &stranger.sign(b"body"), b"body"),
        Check::Forged
    );
    let unknown = Signer::new(2);
    assert_eq!(
        check(&keys, &unknown.sign(b"body"), b"body"),
        Check::UnknownKey
    );
}

#[test]
fn a_coordinate_may_have_zeros_in_front() {
    let signer = Signer::new(5);
    let point = signer.pair.public_key().as_ref();
    let (x, y) = (
        [&[0], &point[1..33]].concat(),
        [&[0, 0], &point[33..]].concat(),
    );
    let keys = parse(&[signer.with_coordinates(&x, &y)]).unwrap();
    assert_eq!(check(&keys, &signer.sign(b"b"), b"b"), Check::Genuine);
}

#[test]
fn a_coordinate_may_lack_its_zeros() {
    let mut place = [9; 4];
    put(&[1, 2], &mut place).unwrap();
    assert_eq!(place, [0, 0, 1, 2]);
    assert_eq!(put(&[1, 2, 3, 4, 5], &mut place), None);
    put(&[], &mut place).unwrap();
    assert_eq!(place, [0; 4]);
}

#[test]
fn keys_of_other_kinds_are_left_out_and_cost_nothing() {
    let signer = Signer::new(5);
    let changed = |member: &str, value: Json| {
        let mut key = signer.written();
        match member.split_once('.') {
            Some((outer, inner)) => key[outer][inner] = value,
            None => key[member] = value,
        }
        key
    };
    let point = signer.pair.public_key().as_ref();
    let coordinates = [&[0x1a, 32], &point[1..33], &[0x22, 32], &point[33..]].concat();
    let of_params = |params: &[u8]| {
        let length = u8::try_from(params.len()).unwrap();
        signer.with_message(&[&[0x12, length], params, &coordinates].concat())
    };
    let others = [
        changed("status", json!("DISABLED")),
        changed("status", json!("DESTROYED")),
        changed("outputPrefixType", json!("RAW")),
        changed("keyId", json!(-1)),
        changed("keyData.typeUrl", json!("type.googleapis.com/x.Ed25519")),
        changed("keyData.value", json!("???")),
        changed("keyData.value", json!("EgA=")),
        of_params(&[8, 4]),
        of_params(&[16, 3]),
        of_params(&[24, 1]),
        json!("key"),
    ];
    for other in &others {
        let alone = parse(std::slice::from_ref(other));
        assert_eq!(alone, Err(KeysetError::NoKey), "{other}");
    }
    let mut all = others.to_vec();
    all.push(of_params(&[]));
    let keys = parse(&all).unwrap();
    assert_eq!(keys.0.len(), 1);
    assert_eq!(check(&keys, &signer.sign(b"b"), b"b"), Check::Genuine);
}

#[test]
fn a_text_that_is_no_keyset_says_so() {
    for text in ["", "<html>", "{}", "[]", "{\"key\":{}}", "{\"key\":[{}"] {
        let error = Keyset::parse(text.as_bytes()).unwrap_err();
        assert_eq!(error, KeysetError::Unreadable, "{text}");
    }
    let long = " ".repeat(MAX_KEYSET + 1);
    assert_eq!(
        Keyset::parse(long.as_bytes()).unwrap_err(),
        KeysetError::TooLong
    );
}

#[test]
fn a_header_is_a_version_a_key_and_a_signature() {
    let parsed = Signature::parse(b" AQAAAAc= ").unwrap();
    assert_eq!((parsed.key_id, parsed.der.len()), (7, 0));
    let long = "A".repeat(MAX_SIGNATURE + 4);
    for wrong in [
        "",
        "AQAAAA==",
        "AAAAAAcB",
        "AgAAAAcB",
        "AQAAAAc",
        "AQAA AAc=",
        "é",
        &long,
    ] {
        assert_eq!(Signature::parse(wrong.as_bytes()), None, "{wrong}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_a_keyset_or_not(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = Keyset::parse(&bytes);
        let _ = Signature::parse(&bytes);
        let _ = point(&bytes);
    }

    #[test]
    fn no_other_signature_is_genuine(at in 0..70_usize, bit in 0..8_u32) {
        let signer = Signer::new(5);
        let keys = parse(&[signer.written()]).unwrap();
        let mut signature = Signature::parse(signer.sign(b"body").as_bytes()).unwrap();
        let at = at % signature.der.len();
        signature.der[at] ^= 1 << bit;
        prop_assert_eq!(keys.check(&signature, b"body"), Check::Forged);
    }
}
