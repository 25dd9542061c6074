//! Authorization codes: single use, ten minutes, bound to a redirect and a PKCE challenge.

use base64ct::{Base64UrlUnpadded, Encoding};
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use super::Provider;
use crate::{message::Params, wearer::Wearer};

/// The grant that a code stands for.
#[derive(Clone, Debug)]
pub(crate) struct Code {
    pub(crate) provider: Provider,
    pub(crate) wearer: Wearer,
    pub(crate) redirect_uri: String,
    /// Whether the request named it; then the exchange must name it too (RFC 6749, section 4.1.3).
    pub(crate) names_redirect: bool,
    pub(crate) scopes: Vec<String>,
    pub(crate) challenge: Option<Challenge>,
    /// Whether Google issues a refresh token with it.
    pub(crate) offline: bool,
    pub(crate) issued_at: Timestamp,
}

/// A PKCE challenge (RFC 7636).
#[derive(Clone, Debug)]
pub(crate) enum Challenge {
    Plain(String),
    S256(String),
}

impl Challenge {
    fn is_met_by(&self, verifier: &str) -> bool {
        match self {
            Self::Plain(challenge) => challenge == verifier,
            Self::S256(challenge) => {
                *challenge == Base64UrlUnpadded::encode_string(&Sha256::digest(verifier.as_bytes()))
            }
        }
    }
}

/// The result of an exchange.
#[derive(Debug)]
pub(crate) enum Exchange {
    Granted(Code),
    /// Unknown, used, or older than ten minutes.
    UnknownCode,
    RedirectMismatch,
    VerifierMissing,
    VerifierWrong,
}

/// The codes that were issued and not yet used.
#[derive(Debug, Default)]
pub(crate) struct Codes(Vec<(String, Code)>);

impl Codes {
    pub(crate) fn add(&mut self, text: String, code: Code) {
        self.0
            .retain(|(_, old)| code.issued_at.duration_since(old.issued_at) < LIFE);
        self.0.push((text, code));
    }

    /// Returns whose data a code grants.
    pub(crate) fn owner(&self, text: &str) -> Option<Wearer> {
        let found = self.0.iter().find(|(known, _)| known == text);
        found.map(|(_, code)| code.wearer)
    }

    /// Exchanges a code. The code is used up only if everything matches.
    pub(crate) fn exchange(
        &mut self,
        provider: Provider,
        text: &str,
        params: &Params,
        now: Timestamp,
    ) -> Exchange {
        let found = self.0.iter().position(|(known, code)| {
            known == text && code.provider == provider && now.duration_since(code.issued_at) < LIFE
        });
        let Some((index, (_, code))) = found.and_then(|index| Some((index, self.0.get(index)?)))
        else {
            return Exchange::UnknownCode;
        };
        let fits = match params.get("redirect_uri") {
            Some(named) => named == code.redirect_uri,
            None => !code.names_redirect,
        };
        if !fits {
            return Exchange::RedirectMismatch;
        }
        match (&code.challenge, params.get("code_verifier")) {
            (Some(_), None) => return Exchange::VerifierMissing,
            (Some(challenge), Some(verifier)) if !challenge.is_met_by(verifier) => {
                return Exchange::VerifierWrong;
            }
            _ => {}
        }
        Exchange::Granted(self.0.remove(index).1)
    }
}

/// How long a code can be exchanged.
const LIFE: SignedDuration = SignedDuration::from_mins(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_challenge_of_rfc_7636_is_met_by_its_verifier() {
        let challenge = Challenge::S256("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM".to_owned());
        assert!(challenge.is_met_by("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"));
        assert!(!challenge.is_met_by("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXK"));
        assert!(Challenge::Plain("abc".to_owned()).is_met_by("abc"));
    }
}
