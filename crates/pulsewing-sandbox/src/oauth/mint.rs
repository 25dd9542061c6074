//! Generates codes and tokens: reproducible from the seed, never the same twice in one sandbox.

use std::collections::HashMap;

use base64ct::{Base64UrlUnpadded, Encoding};
use jiff::Timestamp;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::FITBIT_APP;
use crate::wearer::Wearer;

/// The mints of all wearers. Each has its own, so that nobody's tokens depend on what others do.
#[derive(Debug)]
pub(crate) struct Mints {
    seed: u64,
    opened: HashMap<Wearer, Mint>,
}

impl Mints {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            seed,
            opened: HashMap::new(),
        }
    }

    /// Returns a wearer's mint.
    pub(crate) fn of(&mut self, wearer: Wearer) -> &mut Mint {
        let seed = self.seed;
        let mint = self.opened.entry(wearer);
        mint.or_insert_with(|| Mint::new(wearer, wearer.seed(seed)))
    }
}

/// Makes the codes and tokens of one wearer.
#[derive(Debug)]
pub(crate) struct Mint {
    wearer: Wearer,
    seed: u64,
    made: u64,
}

impl Mint {
    pub(super) fn new(wearer: Wearer, seed: u64) -> Self {
        Self {
            wearer,
            seed,
            made: 0,
        }
    }

    /// Returns the wearer for whom it makes them.
    pub(super) const fn wearer(&self) -> Wearer {
        self.wearer
    }

    /// Returns lower-case hex digits, like Fitbit's refresh tokens: 64 by default.
    pub(crate) fn fitbit_refresh(&mut self, length: Option<u16>) -> String {
        let length = length.map_or(64, usize::from);
        let mut token = String::new();
        while token.len() < length {
            token.push_str(&hex(&self.block()));
        }
        token.truncate(length);
        token
    }

    /// Returns 40 lower-case hex digits, like Fitbit's codes.
    pub(crate) fn fitbit_code(&mut self) -> String {
        hex(&self.block()).chars().take(40).collect()
    }

    /// Returns a JWT, like Fitbit's access tokens. Clients must treat it as opaque.
    pub(crate) fn fitbit_access(
        &mut self,
        scopes: &[String],
        iat: Timestamp,
        exp: Timestamp,
    ) -> String {
        let encode = |value: serde_json::Value| {
            Base64UrlUnpadded::encode_string(value.to_string().as_bytes())
        };
        let codes: Vec<&str> = scopes
            .iter()
            .filter_map(|scope| short_code(scope))
            .collect();
        let header = encode(json!({ "alg": "HS256" }));
        let claims = encode(json!({
            "aud": FITBIT_APP.client_id,
            "sub": self.wearer.fitbit_id(),
            "iss": "Fitbit",
            "typ": "access_token",
            "scopes": codes.join(" "),
            "exp": exp.as_second(),
            "iat": iat.as_second(),
            // Two tokens from the same second must differ.
            "jti": self.fitbit_code(),
        }));
        let signature = Base64UrlUnpadded::encode_string(&self.block());
        format!("{header}.{claims}.{signature}")
    }

    pub(crate) fn google_code(&mut self) -> String {
        format!("4/0{}", self.text(2))
    }

    /// Returns a refresh token like Google's: 90 characters by default.
    pub(crate) fn google_refresh(&mut self, length: Option<u16>) -> String {
        let length = length.map_or(90, usize::from);
        let mut token = "1//0".to_owned();
        while token.len() < length {
            token.push_str(&self.text(1));
        }
        token.truncate(length);
        token
    }

    pub(crate) fn google_access(&mut self) -> String {
        format!("ya29.{}", self.text(4))
    }

    fn text(&mut self, blocks: usize) -> String {
        (0..blocks)
            .map(|_| Base64UrlUnpadded::encode_string(&self.block()))
            .collect()
    }

    fn block(&mut self) -> [u8; 32] {
        self.made += 1;
        let mut hash = Sha256::new();
        hash.update(b"pulsewing sandbox token");
        hash.update(self.seed.to_le_bytes());
        hash.update(self.made.to_le_bytes());
        hash.finalize().into()
    }
}

/// Returns a token's fingerprint: the first 12 hex digits of its SHA-256.
pub(crate) fn fingerprint(token: &str) -> String {
    hex(&Sha256::digest(token.as_bytes()))
        .chars()
        .take(12)
        .collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns the code of a scope in the claims of Fitbit's access tokens.
fn short_code(scope: &str) -> Option<&'static str> {
    Some(match scope {
        "activity" => "ract",
        "cardio_fitness" => "rcf",
        "electrocardiogram" => "recg",
        "heartrate" => "rhr",
        "irregular_rhythm_notifications" => "rirn",
        "location" => "rloc",
        "nutrition" => "rnut",
        "oxygen_saturation" => "roxy",
        "profile" => "rpro",
        "respiratory_rate" => "rres",
        "settings" => "rset",
        "sleep" => "rsle",
        "social" => "rsoc",
        "temperature" => "rtem",
        "weight" => "rwei",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_look_like_the_providers_and_never_repeat() {
        let mut mint = Mint::new(Wearer::FIRST, 1);
        let scopes = ["heartrate".to_owned(), "settings".to_owned()];
        let at = Timestamp::UNIX_EPOCH;
        let first = mint.fitbit_access(&scopes, at, at);
        assert_ne!(first, mint.fitbit_access(&scopes, at, at));
        assert!(first.len() > 250 && first.split('.').count() == 3);
        let refresh = mint.fitbit_refresh(None);
        assert!(
            refresh.len() == 64
                && refresh
                    .bytes()
                    .all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
        );
        assert_eq!(mint.fitbit_code().len(), 40);
        assert!(
            mint.google_access().starts_with("ya29.")
                && mint.google_refresh(None).starts_with("1//0")
        );
        assert_eq!(
            Mint::new(Wearer::FIRST, 1).fitbit_refresh(None),
            Mint::new(Wearer::FIRST, 1).fitbit_refresh(None)
        );
        assert_ne!(
            Mint::new(Wearer::FIRST, 1).fitbit_refresh(None),
            Mint::new(Wearer::FIRST, 2).fitbit_refresh(None)
        );
    }

    #[test]
    fn refresh_tokens_have_the_length_that_is_asked_for() {
        let mut mint = Mint::new(Wearer::FIRST, 1);
        for length in [16, 43, 63, 65, 512, 4096] {
            let pairs = [
                (
                    mint.fitbit_refresh(Some(length)),
                    mint.fitbit_refresh(Some(length)),
                ),
                (
                    mint.google_refresh(Some(length)),
                    mint.google_refresh(Some(length)),
                ),
            ];
            for (one, other) in pairs {
                assert_eq!(one.len(), usize::from(length));
                assert_ne!(one, other);
            }
        }
        assert_eq!(mint.fitbit_refresh(None).len(), 64);
    }

    #[test]
    fn a_fingerprint_is_the_start_of_the_tokens_sha_256() {
        assert_eq!(fingerprint("abc"), "ba7816bf8f01");
    }
}
