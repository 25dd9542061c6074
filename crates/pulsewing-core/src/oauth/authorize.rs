//! The beginning of a sign-in: the address that the wearer's browser opens, with PKCE.

use base64ct::{Base64UrlUnpadded, Encoding};
use sha2::{Digest, Sha256};

use super::Scopes;
use crate::{
    CodeVerifier, Provider,
    request::{BufferFull, Writer},
};

/// The maximum length of an authorize address, in bytes.
pub const MAX_URL: usize = 4_096;

/// Proof Key for Code Exchange (RFC 7636), method S256.
#[derive(Clone, Debug)]
pub struct Pkce {
    verifier: CodeVerifier,
    challenge: heapless::String<43>,
}

impl Pkce {
    /// Creates a pair from 32 bytes of good randomness, as RFC 7636, section 4.1 recommends.
    /// Never returns `None`: both texts have 43 characters.
    #[must_use]
    pub fn new(entropy: &[u8; 32]) -> Option<Self> {
        let mut text = [0; 43];
        let verifier = Base64UrlUnpadded::encode(entropy, &mut text).ok()?;
        let verifier = CodeVerifier::new(verifier).ok()?;
        Self::of(verifier)
    }

    fn of(verifier: CodeVerifier) -> Option<Self> {
        let mut text = [0; 43];
        let digest = Sha256::digest(verifier.expose().as_bytes());
        let challenge = Base64UrlUnpadded::encode(&digest, &mut text).ok()?;
        Some(Self {
            challenge: challenge.try_into().ok()?,
            verifier,
        })
    }

    /// Returns the verifier, which is sent when the code is exchanged.
    #[must_use]
    pub const fn verifier(&self) -> &CodeVerifier {
        &self.verifier
    }

    /// Returns the challenge for the address: base64url of the verifier's SHA-256, without padding.
    #[must_use]
    pub fn challenge(&self) -> &str {
        &self.challenge
    }
}

/// A sign-in that is about to begin.
#[derive(Clone, Copy, Debug)]
pub struct Authorize<'a> {
    /// The provider that the wearer signs in with.
    pub provider: Provider,
    /// The provider's authorize endpoint, without a query.
    pub endpoint: &'a str,
    /// The OAuth client's id.
    pub client_id: &'a str,
    /// The address that the browser is redirected to.
    pub redirect_uri: &'a str,
    /// Random text that has to come back unchanged (RFC 6749, section 10.12).
    pub state: &'a str,
    /// The key that the code will be exchanged with.
    pub pkce: &'a Pkce,
}

impl Authorize<'_> {
    /// Writes the address to a buffer of [`MAX_URL`] bytes.
    ///
    /// Google is asked for `access_type=offline` and `prompt=consent`: without them it gives no
    /// refresh token to a user who has consented before (Google Identity, OAuth 2.0 for desktop
    /// apps). For Fitbit we have to name the method: its default is `plain` (Fitbit Web API, Authorize).
    ///
    /// # Errors
    /// [`BufferFull`] if an overlong endpoint or redirect leaves no room.
    pub fn url<'b>(&self, buffer: &'b mut [u8]) -> Result<&'b str, BufferFull> {
        let mut url = Writer::new(buffer);
        url.push(self.endpoint)?;
        url.push(if self.endpoint.contains('?') {
            "&"
        } else {
            "?"
        })?;
        url.push_pair("response_type", "code")?;
        url.push_pair("client_id", self.client_id)?;
        url.push_pair("redirect_uri", self.redirect_uri)?;
        url.push_pair("scope", Scopes::requested(self.provider))?;
        url.push_pair("state", self.state)?;
        url.push_pair("code_challenge", self.pkce.challenge())?;
        url.push_pair("code_challenge_method", "S256")?;
        if self.provider == Provider::Google {
            url.push_pair("access_type", "offline")?;
            url.push_pair("prompt", "consent")?;
        }
        Ok(url.into_text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7636, appendix B.
    #[test]
    fn the_challenge_is_that_of_the_rfc() {
        let verifier = CodeVerifier::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk").unwrap();
        let pkce = Pkce::of(verifier).unwrap();
        assert_eq!(
            pkce.challenge(),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
        assert_eq!(Pkce::new(&[7; 32]).unwrap().verifier().expose().len(), 43);
    }

    #[test]
    fn google_is_asked_for_a_refresh_token() {
        let pkce = Pkce::new(&[0; 32]).unwrap();
        let mut buffer = [0; MAX_URL];
        let mut authorize = Authorize {
            provider: Provider::Google,
            endpoint: "https://accounts.google.com/o/oauth2/v2/auth",
            client_id: "id.apps.googleusercontent.com",
            redirect_uri: "http://127.0.0.1:4242/",
            state: "s-1",
            pkce: &pkce,
        };
        let url = authorize.url(&mut buffer).unwrap();
        assert!(
            url.starts_with("https://accounts.google.com/o/oauth2/v2/auth?response_type=code&")
        );
        assert!(
            url.contains("&redirect_uri=http%3A%2F%2F127.0.0.1%3A4242%2F&"),
            "{url}"
        );
        assert!(url.ends_with("&code_challenge_method=S256&access_type=offline&prompt=consent"));
        authorize.provider = Provider::Fitbit;
        let url = authorize.url(&mut buffer).unwrap();
        assert!(
            url.contains("&scope=heartrate%20settings%20profile&"),
            "{url}"
        );
        assert!(!url.contains("access_type"));
    }
}
