//! Any notification, keyset, signature, key file or answer is read or refused.
//!
//! The first byte of the input picks which of them the rest is: `n`, `k`, `s`, `f` or, with anything
//! else, an answer. Notifications are signed, so that what reads them is reached.

use std::sync::LazyLock;

use base64ct::{Base64, Encoding};
use jiff::Timestamp;
use pulsewing_webhook::{
    CloudToken, Headers, Keys, MAX_NOTIFICATIONS, Outcome, Range, Secret, ServiceAccount, answer,
    receive,
};
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair},
};

const SECRET: &str = "Bearer 0123456789abcdef";
const NOW: Timestamp = Timestamp::constant(1_795_356_000, 0);

/// Reads one of them.
pub fn run(input: &[u8]) {
    let [pick, rest @ ..] = input else {
        return;
    };
    match pick {
        b'n' => notification(rest),
        b'k' => keyset(rest),
        b's' => signature(rest),
        b'f' => key_file(rest),
        status => answers(200 + u16::from(*status), rest),
    }
}

fn notification(body: &[u8]) {
    let outcome = received(SIGNER.sign(body).as_bytes(), body, &mut SIGNER.keys());
    let Outcome::Accepted(notifications) = &outcome else {
        assert!([201, 400].contains(&outcome.status()), "{outcome:?}");
        return;
    };
    assert_eq!(outcome.status(), 204);
    assert!(notifications.all.len() <= MAX_NOTIFICATIONS);
    for notification in &notifications.all {
        let id = &notification.health_user_id;
        assert!(!id.is_empty() && id.bytes().all(|byte| byte.is_ascii_graphic()));
        match notification.range {
            Some(Range::Physical { start, end }) => assert!(start <= end),
            Some(Range::Civil { start, end }) => assert!(start <= end),
            None => {}
        }
    }
}

/// A keyset that is refused leaves the keys as they were.
fn keyset(json: &[u8]) {
    let mut keys = SIGNER.keys();
    let is_new = keys.handle_keyset(json, NOW).is_ok();
    assert!(keys.are_usable(NOW));
    let outcome = received(SIGNER.sign(BODY).as_bytes(), BODY, &mut keys);
    assert!(
        is_new || matches!(outcome, Outcome::Accepted(_)),
        "{outcome:?}"
    );
}

/// Nobody finds a signature.
fn signature(header: &[u8]) {
    let outcome = received(header, BODY, &mut SIGNER.keys());
    assert_eq!(outcome.status(), 403, "{outcome:?}");
}

fn key_file(text: &[u8]) {
    let text = String::from_utf8_lossy(text);
    if let Ok(account) = ServiceAccount::from_json(&text) {
        let request = account.token_request(NOW).expect("its key was tried");
        assert!(!format!("{account:?} {request:?}").contains(request.body()));
    }
}

fn answers(status: u16, body: &[u8]) {
    let _ = answer::read_change(status, body);
    if let Ok(page) = answer::read_page(status, body) {
        assert!(page.next_page_token.is_none_or(|token| !token.is_empty()));
    }
    if let Ok(token) = CloudToken::read(status, body, NOW) {
        let authorization = token.authorization();
        let bare = authorization.trim_start_matches("Bearer ");
        assert!(
            bare.len() < 8 || !format!("{token:?}").contains(bare),
            "a token was shown"
        );
    }
}

fn received(signature: &[u8], body: &[u8], keys: &mut Keys) -> Outcome {
    let secret = Secret::new(SECRET.to_owned()).expect("it is a good one");
    let headers = Headers {
        authorization: Some(SECRET.as_bytes()),
        signature: Some(signature),
    };
    receive(&secret, headers, body, NOW, keys)
}

const BODY: &[u8] =
    br#"{"data":{"healthUserId":"1","operation":"UPSERT","dataType":"heart-rate"}}"#;

/// A key of Google's, in its place.
struct Signer(EcdsaKeyPair);

static SIGNER: LazyLock<Signer> = LazyLock::new(|| {
    let random = SystemRandom::new();
    let algorithm = &ECDSA_P256_SHA256_ASN1_SIGNING;
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).expect("there is randomness");
    let pair = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random);
    Signer(pair.expect("it was just made"))
});

impl Signer {
    fn sign(&self, body: &[u8]) -> String {
        let der = self.0.sign(&SystemRandom::new(), body);
        let mut signature = vec![1, 0, 0, 0, 7];
        signature.extend(der.expect("it can sign").as_ref());
        Base64::encode_string(&signature)
    }

    fn keys(&self) -> Keys {
        let point = self.0.public_key().as_ref();
        let message = [&[0x1a, 32], &point[1..33], &[0x22, 32], &point[33..]].concat();
        let value = Base64::encode_string(&message);
        let json = format!(
            r#"{{"key":[{{"keyId":7,"status":"ENABLED","keyData":{{"value":"{value}"}}}}]}}"#
        );
        let mut keys = Keys::new();
        keys.handle_keyset(json.as_bytes(), NOW)
            .expect("it is a keyset");
        keys
    }
}
