//! The project's service account and its access tokens (Google Identity, Using OAuth 2.0 for Server
//! to Server Applications; RFC 7523).
//!
//! There is one account, with one key. It protects nothing: it is the same in every sandbox, and
//! `GET /_sandbox/service-account` hands it out.

use std::{collections::VecDeque, sync::LazyLock};

use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use hyper::StatusCode;
use jiff::{SignedDuration, Timestamp};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::error;
use crate::{
    message::{Params, Reply, Request},
    webhook::PROJECT_NUMBER,
};

/// The access tokens that the service account has been granted.
#[derive(Debug)]
pub(crate) struct ServiceTokens {
    seed: u64,
    made: u64,
    granted: VecDeque<Granted>,
}

#[derive(Debug)]
struct Granted {
    token: String,
    scopes: Vec<String>,
    expires_at: Timestamp,
}

/// What a bearer token is to a call that only service accounts may make.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Bearer<'a> {
    /// It is the service account's, with these scopes.
    ServiceAccount(&'a [String]),
    /// It was the service account's.
    Expired,
    Another,
}

impl ServiceTokens {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            seed,
            made: 0,
            granted: VecDeque::new(),
        }
    }

    pub(super) fn find(&self, token: &str, now: Timestamp) -> Bearer<'_> {
        match self.granted.iter().find(|known| known.token == token) {
            Some(known) if now < known.expires_at => Bearer::ServiceAccount(&known.scopes),
            Some(_) => Bearer::Expired,
            None => Bearer::Another,
        }
    }

    /// Answers a token request with an assertion.
    pub(super) fn grant(&mut self, request: &Request, params: &Params, now: Timestamp) -> Reply {
        let Some(assertion) = params.get("assertion") else {
            return refused("invalid_request", "Missing required parameter: assertion");
        };
        let scopes = match read(assertion, request, now) {
            Ok(scopes) => scopes,
            Err(reply) => return *reply,
        };
        let token = self.mint();
        if self.granted.len() >= KEPT {
            self.granted.pop_front();
        }
        self.granted.push_back(Granted {
            token: token.clone(),
            scopes,
            expires_at: now.checked_add(LIFE).unwrap_or(Timestamp::MAX),
        });
        let body = json!({
            "access_token": token,
            "expires_in": LIFE.as_secs(),
            "token_type": "Bearer",
        });
        Reply::ok(&body).with_header("Cache-Control", "no-store")
    }

    fn mint(&mut self) -> String {
        self.made += 1;
        let mut hash = Sha256::new();
        hash.update(b"pulsewing sandbox service token");
        hash.update(self.seed.to_le_bytes());
        hash.update(self.made.to_le_bytes());
        let text = Base64UrlUnpadded::encode_string(&hash.finalize());
        format!("ya29.c.{text}")
    }
}

/// Returns the account's key file, whose tokens come from this origin.
pub(crate) fn key_file(origin: &str) -> Value {
    json!({
        "type": "service_account",
        "project_id": "pulsewing-sandbox",
        "private_key_id": KEY_ID,
        "private_key": PEM,
        "client_email": EMAIL,
        "client_id": "108642097531864209700",
        "auth_uri": format!("{origin}/o/oauth2/auth"),
        "token_uri": format!("{origin}/token"),
        "project_number": PROJECT_NUMBER,
        "universe_domain": "googleapis.com",
    })
}

/// Reads an assertion; returns the scopes that it asks for.
fn read(assertion: &str, request: &Request, now: Timestamp) -> Result<Vec<String>, Box<Reply>> {
    let bad = |description: &str| Box::new(refused("invalid_grant", description));
    let malformed = || bad("Invalid JWT: Failed to parse token.");
    let parts: Vec<&str> = assertion.split('.').collect();
    let [header, claims, signature] = parts.as_slice() else {
        return Err(malformed());
    };
    let decoded = |part: &str| Base64UrlUnpadded::decode_vec(part).ok();
    let header: Header = decoded(header)
        .and_then(|json| serde_json::from_slice(&json).ok())
        .ok_or_else(malformed)?;
    let claims: Claims = decoded(claims)
        .and_then(|json| serde_json::from_slice(&json).ok())
        .ok_or_else(malformed)?;
    if claims.iss != EMAIL {
        return Err(bad("Invalid grant: account not found"));
    }
    let is_known_key = header.kid.is_none_or(|kid| kid == KEY_ID);
    let signed = assertion.rsplit_once('.').map_or("", |(signed, _)| signed);
    let is_signed = decoded(signature).is_some_and(|signature| {
        let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, PUBLIC_KEY.as_slice());
        key.verify(signed.as_bytes(), &signature).is_ok()
    });
    if header.alg != "RS256" || !is_known_key || !is_signed {
        return Err(bad("Invalid JWT Signature."));
    }
    if !is_ours(&claims.aud, request) {
        return Err(bad("Invalid JWT: Failed audience check."));
    }
    let (issued, ends, now) = (claims.iat, claims.exp, now.as_second());
    let is_timely = issued <= now.saturating_add(SKEW_S)
        && ends > now.saturating_sub(SKEW_S)
        && ends > issued
        && ends.saturating_sub(issued) <= LONGEST_S;
    if !is_timely {
        return Err(bad(
            "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. \
             Check your iat and exp values in the JWT claim.",
        ));
    }
    let scopes: Vec<String> = claims.scope.split_whitespace().map(str::to_owned).collect();
    let are_scopes = scopes
        .iter()
        .all(|scope| scope.starts_with("https://www.googleapis.com/auth/"));
    if scopes.is_empty() || !are_scopes {
        return Err(Box::new(refused(
            "invalid_scope",
            "Invalid OAuth scope or ID token audience provided.",
        )));
    }
    Ok(scopes)
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    #[serde(default)]
    scope: String,
    aud: String,
    iat: i64,
    exp: i64,
}

/// Returns whether an audience is this token endpoint, or the one whose place the sandbox takes.
fn is_ours(audience: &str, request: &Request) -> bool {
    let host = request.header("host").unwrap_or_default();
    ["/token", "/oauth2/v4/token", "/o/oauth2/token"]
        .iter()
        .filter_map(|path| audience.strip_suffix(path))
        .filter_map(|origin| origin.split_once("://"))
        .any(|(_, found)| found == host || GOOGLES_HOSTS.contains(&found))
}

fn refused(error: &str, description: &str) -> Reply {
    error::oauth(StatusCode::BAD_REQUEST, error, description)
}

const EMAIL: &str = "pulsewing@pulsewing-sandbox.iam.gserviceaccount.com";
const KEY_ID: &str = "5b1d7a0c93e84f26a1d05c7e3f9b2a6840d1c2e7";
const PEM: &str = include_str!("service_account.pem");

static PUBLIC_KEY: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let base64: String = PEM.lines().filter(|line| !line.contains('-')).collect();
    let pair = Base64::decode_vec(&base64)
        .ok()
        .and_then(|der| RsaKeyPair::from_pkcs8(&der).ok());
    pair.map(|pair| pair.public().as_ref().to_vec())
        .unwrap_or_default()
});

const GOOGLES_HOSTS: [&str; 3] = [
    "oauth2.googleapis.com",
    "www.googleapis.com",
    "accounts.google.com",
];

/// How long an access token lives.
const LIFE: SignedDuration = SignedDuration::from_secs(3599);

/// How long an assertion may be valid.
const LONGEST_S: i64 = 3600;

/// By how much a client's clock may be wrong.
const SKEW_S: i64 = 300;

/// How many tokens are remembered.
const KEPT: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_one() {
        assert!(PUBLIC_KEY.len() > 256);
        let file = key_file("http://127.0.0.1:1");
        assert_eq!(file["token_uri"], "http://127.0.0.1:1/token");
        assert!(
            file["private_key"]
                .as_str()
                .unwrap()
                .ends_with("-----END PRIVATE KEY-----\n")
        );
    }

    #[test]
    fn tokens_differ_and_end() {
        let mut tokens = ServiceTokens::new(1);
        let (one, other) = (tokens.mint(), tokens.mint());
        assert_ne!(one, other);
        tokens.granted.push_back(Granted {
            token: one.clone(),
            scopes: vec!["s".to_owned()],
            expires_at: Timestamp::UNIX_EPOCH,
        });
        let before = Timestamp::from_second(-1).unwrap();
        assert_eq!(
            tokens.find(&one, before),
            Bearer::ServiceAccount(&["s".to_owned()])
        );
        assert_eq!(tokens.find(&one, Timestamp::UNIX_EPOCH), Bearer::Expired);
        assert_eq!(tokens.find(&other, before), Bearer::Another);
    }
}
