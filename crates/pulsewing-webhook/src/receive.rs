//! What came to the endpoint: is it Google's, what does it say, and what is the answer?

use jiff::Timestamp;
use serde::Deserialize;

use crate::{
    keys::{Keys, Verdict},
    keyset::Signature,
    notification::Notifications,
    secret::Secret,
};

/// The headers of a request that matter here; the first of each, without spaces around its value.
#[derive(Clone, Copy, Debug, Default)]
pub struct Headers<'a> {
    /// `Authorization`.
    pub authorization: Option<&'a [u8]>,
    /// [`SIGNATURE_HEADER`].
    pub signature: Option<&'a [u8]>,
}

/// What came, and with [`status`](Self::status) what to answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// Google verifies that the endpoint knows its secret.
    Verification,
    /// Google's notifications. They may repeat earlier ones and come in any order, and the ids in
    /// them may be nobody's: answer first, then look.
    Accepted(Notifications),
    /// The keys must be fetched before it can be told: [`Keys::poll_fetch`] says when. Google sends
    /// it again.
    KeysNeeded,
    /// It is not Google's, or cannot be read.
    Refused(Refusal),
}

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// There is no secret. The second of Google's two verifications is like that.
    #[error("the request has no Authorization header")]
    SecretMissing,
    /// The secret is another.
    #[error("the Authorization header is not the endpoint's secret")]
    SecretWrong,
    /// There is no signature.
    #[error("the request has no signature")]
    SignatureMissing,
    /// The signature is no Tink signature, or not of this body by the key that it names.
    #[error("the signature does not fit the body")]
    SignatureWrong,
    /// The signature names a key that Google's keyset of this very minute does not have.
    #[error("the signature is by a key that is not Google's")]
    KeyUnknown,
    /// The body is longer than [`MAX_BODY`].
    #[error("the body has more than {MAX_BODY} bytes")]
    TooLong,
    /// Google has signed it, but there is no notification in it that can be read.
    #[error("there is no notification in the body")]
    Unreadable,
}

impl Outcome {
    /// Returns the status to answer with; the body of the answer is empty.
    ///
    /// 204 and nothing else stops a redelivery (Google Health API, Webhooks): a 200 is taken as a
    /// failure, too.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::Verification => 201,
            Self::Accepted(_) => 204,
            Self::KeysNeeded => 503,
            Self::Refused(refusal) => refusal.status(),
        }
    }
}

impl Refusal {
    const fn status(self) -> u16 {
        match self {
            Self::SecretMissing | Self::SignatureMissing => 401,
            Self::SecretWrong | Self::SignatureWrong | Self::KeyUnknown => 403,
            Self::TooLong => 413,
            Self::Unreadable => 400,
        }
    }
}

/// Judges a `POST` to the endpoint by its headers and its body, byte for byte as it came.
///
/// Nothing of a body is believed before the secret and the signature are right. An endpoint should
/// read no more than [`MAX_BODY`] + 1 bytes of it.
///
/// A replayed notification is genuine, and Google itself repeats them: it only says again that data
/// has changed.
#[must_use]
pub fn receive(
    secret: &Secret,
    headers: Headers<'_>,
    body: &[u8],
    now: Timestamp,
    keys: &mut Keys,
) -> Outcome {
    match judge(secret, headers, body, now, keys) {
        Ok(outcome) => outcome,
        Err(refusal) => Outcome::Refused(refusal),
    }
}

fn judge(
    secret: &Secret,
    headers: Headers<'_>,
    body: &[u8],
    now: Timestamp,
    keys: &mut Keys,
) -> Result<Outcome, Refusal> {
    let authorization = headers.authorization.ok_or(Refusal::SecretMissing)?;
    if !secret.authorizes(authorization) {
        return Err(Refusal::SecretWrong);
    }
    if body.len() > MAX_BODY {
        return Err(Refusal::TooLong);
    }
    if is_verification(body) {
        return Ok(Outcome::Verification);
    }
    let signature = headers.signature.ok_or(Refusal::SignatureMissing)?;
    let signature = Signature::parse(signature).ok_or(Refusal::SignatureWrong)?;
    match keys.check(&signature, body, now) {
        Verdict::Genuine => {}
        Verdict::Forged => return Err(Refusal::SignatureWrong),
        Verdict::UnknownKey => return Err(Refusal::KeyUnknown),
        Verdict::Undecided => return Ok(Outcome::KeysNeeded),
    }
    let notifications = Notifications::parse(body).ok_or(Refusal::Unreadable)?;
    Ok(Outcome::Accepted(notifications))
}

/// Returns whether a body is that of a verification, which need not be signed: it has no effect.
fn is_verification(body: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Verification<'a> {
        r#type: &'a str,
    }
    body.len() <= MAX_VERIFICATION
        && serde_json::from_slice(body)
            .is_ok_and(|Verification { r#type }| r#type == "verification")
}

/// The header with the signature (discovery document, `EndpointAuthorization`). Some documents call
/// it `X-HEALTHAPI-SIGNATURE`; the service does not.
pub const SIGNATURE_HEADER: &str = "GOOGLE-HEALTH-API-SIGNATURE";

/// The longest body that is read: 99 notifications have about 60,000 bytes.
pub const MAX_BODY: usize = 1 << 20;

/// `{"type":"verification"}` with room for spaces and another member.
const MAX_VERIFICATION: usize = 256;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::keyset::tests::{Signer, keyset};

    const SECRET: &str = "Bearer 0123456789abcdef";

    struct Endpoint {
        secret: Secret,
        keys: Keys,
        signer: Signer,
    }

    impl Endpoint {
        fn new() -> Self {
            let signer = Signer::new(7);
            let mut keys = Keys::new();
            keys.handle_keyset(keyset(&[&signer]).as_bytes(), now())
                .unwrap();
            let secret = Secret::new(SECRET.to_owned()).unwrap();
            Self {
                secret,
                keys,
                signer,
            }
        }

        fn receive(
            &mut self,
            secret: Option<&str>,
            signature: Option<&str>,
            body: &str,
        ) -> Outcome {
            let headers = Headers {
                authorization: secret.map(str::as_bytes),
                signature: signature.map(str::as_bytes),
            };
            receive(
                &self.secret,
                headers,
                body.as_bytes(),
                now(),
                &mut self.keys,
            )
        }

        fn refusal(
            &mut self,
            secret: Option<&str>,
            signature: Option<&str>,
            body: &str,
        ) -> (Refusal, u16) {
            let outcome = self.receive(secret, signature, body);
            match outcome {
                Outcome::Refused(refusal) => (refusal, outcome.status()),
                other => panic!("{other:?}"),
            }
        }
    }

    fn now() -> Timestamp {
        "2026-11-22T14:00:00Z".parse().unwrap()
    }

    fn body() -> String {
        json!({ "data": { "healthUserId": "1", "operation": "UPSERT", "dataType": "heart-rate" } })
            .to_string()
    }

    #[test]
    fn verification_needs_the_secret_and_nothing_more() {
        let mut endpoint = Endpoint::new();
        for text in [
            "{\"type\":\"verification\"}",
            "{\"type\": \"verification\"}\n",
            "{\"version\":\"1\",\"type\":\"verification\"}",
        ] {
            let outcome = endpoint.receive(Some(SECRET), None, text);
            assert_eq!((outcome.status(), outcome), (201, Outcome::Verification));
            assert_eq!(
                endpoint.refusal(None, None, text),
                (Refusal::SecretMissing, 401)
            );
            assert_eq!(
                endpoint.refusal(Some("Bearer another"), None, text),
                (Refusal::SecretWrong, 403)
            );
        }
        let other = "{\"type\":\"verify\"}";
        assert_eq!(
            endpoint.refusal(Some(SECRET), None, other),
            (Refusal::SignatureMissing, 401)
        );
    }

    #[test]
    fn a_notification_needs_both_and_an_answer_of_204() {
        let mut endpoint = Endpoint::new();
        let body = body();
        let signature = endpoint.signer.sign(body.as_bytes());
        for _ in 0..2 {
            let outcome = endpoint.receive(Some(SECRET), Some(&signature), &body);
            assert_eq!(outcome.status(), 204);
            let Outcome::Accepted(notifications) = outcome else {
                panic!("{outcome:?}");
            };
            assert_eq!(notifications.all[0].health_user_id, "1");
        }
        let wrong = [
            (None, Some(signature.as_str()), Refusal::SecretMissing, 401),
            (
                Some("Bearer x"),
                Some(&signature),
                Refusal::SecretWrong,
                403,
            ),
            (Some(SECRET), None, Refusal::SignatureMissing, 401),
            (Some(SECRET), Some("AQ=="), Refusal::SignatureWrong, 403),
        ];
        for (secret, signature, refusal, status) in wrong {
            assert_eq!(
                endpoint.refusal(secret, signature, &body),
                (refusal, status)
            );
        }
        let tampered = body.replace("\"1\"", "\"2\"");
        assert_eq!(
            endpoint.refusal(Some(SECRET), Some(&signature), &tampered),
            (Refusal::SignatureWrong, 403)
        );
        let stranger = Signer::new(8).sign(body.as_bytes());
        assert_eq!(
            endpoint.refusal(Some(SECRET), Some(&stranger), &body),
            (Refusal::KeyUnknown, 403)
        );
    }

    #[test]
    fn without_keys_nothing_is_said_either_way() {
        let mut endpoint = Endpoint::new();
        endpoint.keys = Keys::new();
        let body = body();
        let signature = endpoint.signer.sign(body.as_bytes());
        let outcome = endpoint.receive(Some(SECRET), Some(&signature), &body);
        assert_eq!((outcome.status(), outcome), (503, Outcome::KeysNeeded));
        // Whoever does not have the secret learns not even that.
        assert_eq!(
            endpoint.refusal(Some("x"), Some(&signature), &body),
            (Refusal::SecretWrong, 403)
        );
    }

    #[test]
    fn what_google_signs_but_nobody_can_read_is_a_400() {
        let mut endpoint = Endpoint::new();
        let signature = endpoint.signer.sign(b"{\"news\":1}");
        assert_eq!(
            endpoint.refusal(Some(SECRET), Some(&signature), "{\"news\":1}"),
            (Refusal::Unreadable, 400)
        );
        let long = " ".repeat(MAX_BODY + 1);
        assert_eq!(
            endpoint.refusal(Some(SECRET), None, &long),
            (Refusal::TooLong, 413)
        );
    }
}
