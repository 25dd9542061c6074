//! The service account that manages a project's subscribers, and its access tokens (Google
//! Identity, Using OAuth 2.0 for Server to Server Applications; RFC 7523).

use std::{borrow::Cow, fmt};

use base64ct::{Base64UrlUnpadded, Encoding};
use jiff::{SignedDuration, Timestamp};
use ring::{
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};
use serde::Deserialize;
use serde_json::json;
use zeroize::Zeroizing;

use crate::{
    key_file::{KeyFile, KeyFileError},
    request::{encoded, is_safe},
};

/// A service account with its private key.
///
/// The key is wiped when this is dropped, is in ring's memory only while it signs, and is never
/// shown.
pub struct ServiceAccount(KeyFile);

impl ServiceAccount {
    /// Reads the text of a key file. The caller wipes the text.
    ///
    /// # Errors
    /// [`KeyFileError`] if it is none, or its key cannot sign.
    pub fn from_json(json: &str) -> Result<Self, KeyFileError> {
        let file = KeyFile::parse(json)?;
        if !is_safe(&file.token_uri) {
            return Err(KeyFileError::TokenUri);
        }
        let account = Self(file);
        // A key with a wrong digit may look like one until it signs.
        let tried = account.assertion(Timestamp::UNIX_EPOCH);
        tried.map_err(|SigningError| KeyFileError::PrivateKey)?;
        Ok(account)
    }

    /// Returns the account's address, by which the console knows it.
    #[must_use]
    pub fn client_email(&self) -> &str {
        &self.0.client_email
    }

    /// Returns the request for an access token. Google refuses it if `now` is minutes from the
    /// right time.
    ///
    /// # Errors
    /// [`SigningError`] if the key cannot sign, which [`from_json`](Self::from_json) has tried.
    pub fn token_request(&self, now: Timestamp) -> Result<TokenRequest, SigningError> {
        let assertion = self.assertion(now)?;
        let body = format!(
            "grant_type={}&assertion={}",
            encoded(GRANT_TYPE),
            assertion.as_str()
        );
        Ok(TokenRequest {
            url: self.0.token_uri.clone(),
            body: Zeroizing::new(body),
        })
    }

    /// Returns the signed JWT that stands for the account for an hour.
    fn assertion(&self, now: Timestamp) -> Result<Zeroizing<String>, SigningError> {
        let base64 = |bytes: &[u8]| Base64UrlUnpadded::encode_string(bytes);
        let mut header = json!({ "alg": "RS256", "typ": "JWT" });
        if let (false, Some(header)) = (self.0.key_id.is_empty(), header.as_object_mut()) {
            header.insert("kid".to_owned(), json!(self.0.key_id));
        }
        let issued = now.as_second();
        let claims = json!({
            "iss": self.0.client_email,
            "scope": SCOPE,
            "aud": self.0.token_uri,
            "iat": issued,
            "exp": issued + LIFE.as_secs(),
        });
        let mut jwt = Zeroizing::new(format!(
            "{}.{}",
            base64(header.to_string().as_bytes()),
            base64(claims.to_string().as_bytes())
        ));
        let pair = self.pair().ok_or(SigningError)?;
        let mut signature = vec![0; pair.public().modulus_len()];
        let random = SystemRandom::new();
        pair.sign(&RSA_PKCS1_SHA256, &random, jwt.as_bytes(), &mut signature)
            .map_err(|_| SigningError)?;
        jwt.push('.');
        jwt.push_str(&base64(&signature));
        Ok(jwt)
    }

    fn pair(&self) -> Option<RsaKeyPair> {
        RsaKeyPair::from_pkcs8(&self.0.private_key).ok()
    }
}

impl fmt::Debug for ServiceAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServiceAccount({})", self.0.client_email)
    }
}

/// The key cannot sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the service account's key cannot sign")]
pub struct SigningError;

/// A `POST` of a form (`application/x-www-form-urlencoded`) that asks for an access token.
///
/// Its body stands for the account for an hour: it is wiped, and `Debug` does not show it.
pub struct TokenRequest {
    url: String,
    body: Zeroizing<String>,
}

impl TokenRequest {
    /// Returns the address: the key file's `token_uri`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the form.
    #[must_use]
    pub fn body(&self) -> &str {
        &self.body
    }
}

impl fmt::Debug for TokenRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenRequest({})", self.url)
    }
}

/// A service account's access token.
///
/// It is wiped when it is dropped, and `Debug` does not show it.
#[derive(Clone)]
pub struct CloudToken {
    token: Zeroizing<String>,
    expires: Timestamp,
}

impl CloudToken {
    /// Reads the answer to a [`TokenRequest`] that came at `now`.
    ///
    /// # Errors
    /// [`TokenError`] if there is no token in it.
    pub fn read(status: u16, body: &[u8], now: Timestamp) -> Result<Self, TokenError> {
        #[derive(Deserialize)]
        struct Granted<'a> {
            /// Not copied, as long as it is written without escapes.
            #[serde(borrow)]
            access_token: Cow<'a, str>,
            expires_in: u32,
        }
        #[derive(Deserialize)]
        struct Refused {
            error: String,
        }
        if body.len() > MAX_ANSWER {
            return Err(TokenError::Unreadable);
        }
        match status {
            200 => {}
            408 | 429 | 500..=599 => return Err(TokenError::Temporary { status }),
            _ => {
                let error = serde_json::from_slice::<Refused>(body).map(|body| body.error);
                return Err(match error.as_deref() {
                    Ok("invalid_grant" | "invalid_client" | "unauthorized_client") => {
                        TokenError::AccountRefused
                    }
                    _ => TokenError::Refused { status },
                });
            }
        }
        let granted: Granted<'_> =
            serde_json::from_slice(body).map_err(|_| TokenError::Unreadable)?;
        let is_plain = granted.access_token.bytes().all(|b| b.is_ascii_graphic());
        if granted.access_token.is_empty() || !is_plain {
            return Err(TokenError::Unreadable);
        }
        let life = SignedDuration::from_secs(i64::from(granted.expires_in));
        Ok(Self {
            token: Zeroizing::new(granted.access_token.into_owned()),
            expires: now.checked_add(life).unwrap_or(Timestamp::MAX),
        })
    }

    /// Returns whether the token will still be accepted in a minute.
    #[must_use]
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        self.expires.duration_since(now) > MARGIN
    }

    /// Returns the value of the `Authorization` header of a [`Request`](crate::Request).
    #[must_use]
    pub fn authorization(&self) -> Zeroizing<String> {
        Zeroizing::new(format!("Bearer {}", self.token.as_str()))
    }
}

impl fmt::Debug for CloudToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CloudToken(.., until {})", self.expires)
    }
}

/// Why there is no access token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// The key was deleted, the account disabled, or this computer's clock is wrong.
    #[error(
        "Google does not accept the service account: its key may have been deleted, or this computer's clock is wrong"
    )]
    AccountRefused,
    /// Google is busy or broken: try later.
    #[error("Google cannot answer now (status {status})")]
    Temporary {
        /// The status of the answer.
        status: u16,
    },
    /// The request is wrong in Google's eyes.
    #[error("Google refuses the service account's request with status {status}")]
    Refused {
        /// The status of the answer.
        status: u16,
    },
    /// The answer is not what Google sends.
    #[error("the answer is not one of Google's token endpoint")]
    Unreadable,
}

const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// The scope for managing subscribers (discovery document, `subscribers.create`).
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

/// The longest life that Google allows an assertion.
const LIFE: SignedDuration = SignedDuration::from_hours(1);

/// A request takes seconds.
const MARGIN: SignedDuration = SignedDuration::from_mins(1);

/// A token has some 1,000 characters.
const MAX_ANSWER: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
    use serde_json::Value;

    use super::*;

    fn key_file(member: &str, value: &str) -> String {
        let mut file: Value = serde_json::from_str(include_str!("../tests/key_file.json")).unwrap();
        if !member.is_empty() {
            file[member] = json!(value);
        }
        file.to_string()
    }

    fn account() -> ServiceAccount {
        ServiceAccount::from_json(&key_file("", "")).unwrap()
    }

    fn now() -> Timestamp {
        "2026-11-22T14:00:00Z".parse().unwrap()
    }

    #[test]
    fn the_assertion_has_the_claims_and_the_accounts_signature() {
        let account = account();
        let request = account.token_request(now()).unwrap();
        assert_eq!(request.url(), "https://oauth2.googleapis.com/token");
        let assertion = request.body().strip_prefix(
            "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=",
        );
        let assertion = assertion.unwrap();
        let (signed, signature) = assertion.rsplit_once('.').unwrap();
        let parts: Vec<Value> = signed
            .split('.')
            .map(|part| Base64UrlUnpadded::decode_vec(part).unwrap())
            .map(|json| serde_json::from_slice(&json).unwrap())
            .collect();
        assert_eq!(
            parts,
            [
                json!({ "alg": "RS256", "typ": "JWT", "kid": "0f1e2d3c4b5a" }),
                json!({
                    "iss": "pulsewing@example.iam.gserviceaccount.com",
                    "scope": "https://www.googleapis.com/auth/cloud-platform",
                    "aud": "https://oauth2.googleapis.com/token",
                    "iat": 1_795_356_000,
                    "exp": 1_795_359_600,
                }),
            ]
        );
        let pair = account.pair().unwrap();
        let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public().as_ref());
        let signature = Base64UrlUnpadded::decode_vec(signature).unwrap();
        assert!(public.verify(signed.as_bytes(), &signature).is_ok());
    }

    #[test]
    fn nothing_secret_is_shown() {
        let account = account();
        let request = account.token_request(now()).unwrap();
        let token = br#"{"access_token":"ya29.secret","expires_in":3599,"token_type":"Bearer"}"#;
        let token = CloudToken::read(200, token, now()).unwrap();
        assert_eq!(
            format!("{account:?} {request:?} {token:?}"),
            "ServiceAccount(pulsewing@example.iam.gserviceaccount.com) \
             TokenRequest(https://oauth2.googleapis.com/token) \
             CloudToken(.., until 2026-11-22T14:59:59Z)"
        );
        assert_eq!(token.authorization().as_str(), "Bearer ya29.secret");
    }

    #[test]
    fn a_key_that_cannot_be_used_is_refused_at_once() {
        let error =
            |member, value| ServiceAccount::from_json(&key_file(member, value)).unwrap_err();
        assert_eq!(error("type", "external_account"), KeyFileError::OtherType);
        assert_eq!(
            error("token_uri", "http://oauth.example/token"),
            KeyFileError::TokenUri
        );
        let pem = "-----BEGIN PRIVATE KEY-----\nAQID\n-----END PRIVATE KEY-----\n";
        assert_eq!(error("private_key", pem), KeyFileError::PrivateKey);
        assert_eq!(error("private_key", ""), KeyFileError::PrivateKey);
        // A digit of the first exponent and one of the coefficient are others.
        for (right, wrong) in [("BAkgk0dGa3", "BAkgk0dGa4"), ("N+3KUaL2jV", "N+3KUaL3jV")] {
            let whole = key_file("", "");
            let broken = whole.replacen(right, wrong, 1);
            assert_ne!(broken, whole);
            let error = ServiceAccount::from_json(&broken).unwrap_err();
            assert_eq!(error, KeyFileError::PrivateKey);
        }
    }

    #[test]
    fn a_token_is_fresh_until_a_minute_before_its_end() {
        let token = CloudToken::read(200, br#"{"access_token":"t","expires_in":120}"#, now());
        let token = token.unwrap();
        let after = |seconds| now() + SignedDuration::from_secs(seconds);
        assert!(token.is_fresh(after(59)) && !token.is_fresh(after(60)));
    }

    #[test]
    fn an_answer_without_a_token_says_whether_to_try_again() {
        let error =
            |status, body: &str| CloudToken::read(status, body.as_bytes(), now()).unwrap_err();
        let grant = r#"{"error":"invalid_grant","error_description":"Invalid JWT Signature."}"#;
        assert_eq!(error(400, grant), TokenError::AccountRefused);
        assert_eq!(error(503, grant), TokenError::Temporary { status: 503 });
        assert_eq!(error(400, "{}"), TokenError::Refused { status: 400 });
        for body in [
            "",
            "{}",
            r#"{"access_token":"","expires_in":1}"#,
            r#"{"access_token":"a b","expires_in":1}"#,
        ] {
            assert_eq!(error(200, body), TokenError::Unreadable, "{body}");
        }
    }
}
