//! The requests to the token endpoint: code exchange, refresh, revocation.
//!
//! Parameters go in the body as a form and nowhere else, so that no address, and no log of one,
//! carries a token. The client's secret goes there too: Google requires that, and Fitbit, which
//! documents HTTP Basic for its server apps, accepts a personal app's requests without one.

use crate::{
    AuthorizationCode, ClientSecret, CodeVerifier, Provider, RefreshToken,
    chain::{Client, Stored},
    request::{BufferFull, Endpoint, Request, Writer},
};

/// Returns the path of a provider's token endpoint.
#[must_use]
pub const fn token_path(provider: Provider) -> &'static str {
    match provider {
        Provider::Google => "/token",
        Provider::Fitbit => "/oauth2/token",
    }
}

/// Returns the path of a provider's revocation endpoint.
#[must_use]
pub const fn revoke_path(provider: Provider) -> &'static str {
    match provider {
        Provider::Google => "/revoke",
        Provider::Fitbit => "/oauth2/revoke",
    }
}

/// Exchanges the code of a sign-in for a grant (RFC 6749, section 4.1.3).
///
/// # Errors
/// [`BufferFull`] if `buffer` is smaller than
/// [`REQUEST_BUFFER`](crate::request::REQUEST_BUFFER).
pub fn exchange(
    provider: Provider,
    client: &Client,
    code: &AuthorizationCode,
    verifier: &CodeVerifier,
    redirect_uri: &str,
    buffer: &mut [u8],
) -> Result<Request, BufferFull> {
    let mut form = Writer::new(buffer);
    form.push_pair("grant_type", "authorization_code")?;
    form.push_pair("code", code.expose())?;
    form.push_pair("code_verifier", verifier.expose())?;
    form.push_pair("redirect_uri", redirect_uri)?;
    push_client(&mut form, &client.id, client.secret.as_ref())?;
    form.into_form(Endpoint::Token, token_path(provider))
}

/// Exchanges a refresh token for a new grant (RFC 6749, section 6). The token comes from a [`Stored`]
/// chain, so an unstored one cannot be sent; the client is the chain's own, so no other client can
/// send it. `secret` replaces the one that the chain was granted with, when the user has renewed it.
///
/// # Errors
/// [`BufferFull`] as for [`exchange`].
pub fn refresh(
    chain: &Stored,
    secret: Option<&ClientSecret>,
    buffer: &mut [u8],
) -> Result<Request, BufferFull> {
    let mut form = Writer::new(buffer);
    form.push_pair("grant_type", "refresh_token")?;
    form.push_pair("refresh_token", chain.refresh_token().expose())?;
    push_client(
        &mut form,
        &chain.client().id,
        secret.or_else(|| chain.client().secret.as_ref()),
    )?;
    form.into_form(Endpoint::Token, token_path(chain.provider()))
}

/// Revokes a grant: revoking the refresh token ends all of its tokens (Fitbit Web API, Revoke Token;
/// Google Identity, Revoking a token).
///
/// # Errors
/// [`BufferFull`] as for [`exchange`].
pub fn revoke(
    provider: Provider,
    client: &Client,
    token: &RefreshToken,
    buffer: &mut [u8],
) -> Result<Request, BufferFull> {
    let mut form = Writer::new(buffer);
    form.push_pair("token", token.expose())?;
    if provider == Provider::Fitbit {
        push_client(&mut form, &client.id, client.secret.as_ref())?;
    }
    form.into_form(Endpoint::Revoke, revoke_path(provider))
}

fn push_client(
    form: &mut Writer<'_>,
    id: &str,
    secret: Option<&ClientSecret>,
) -> Result<(), BufferFull> {
    form.push_pair("client_id", id)?;
    match secret {
        Some(secret) => form.push_pair("client_secret", secret.expose()),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{chain::tests::signed_in, request::REQUEST_BUFFER};

    #[test]
    fn a_refresh_sends_the_chains_own_client() {
        let chain = signed_in(Provider::Fitbit).confirmed();
        let mut buffer = [0; REQUEST_BUFFER];
        let request = refresh(&chain, None, &mut buffer).unwrap();
        let request = request.view(&buffer);
        assert_eq!(
            (request.target, request.endpoint),
            ("/oauth2/token", Endpoint::Token)
        );
        assert_eq!(
            request.body,
            b"grant_type=refresh_token&refresh_token=refresh-1&client_id=23ABCD&client_secret=hush"
        );
    }

    #[test]
    fn the_longest_tokens_fit_the_buffer_also_when_every_character_is_encoded() {
        let client = Client {
            id: "%".repeat_into(),
            secret: Some(ClientSecret::new([b'%'; 256]).unwrap()),
        };
        let token = RefreshToken::new([b'%'; RefreshToken::MAX]).unwrap();
        let mut buffer = [0; REQUEST_BUFFER];
        assert!(revoke(Provider::Fitbit, &client, &token, &mut buffer).is_ok());
        let code = AuthorizationCode::new([b'%'; AuthorizationCode::MAX]).unwrap();
        let verifier = CodeVerifier::new([b'%'; CodeVerifier::MAX]).unwrap();
        assert!(
            exchange(
                Provider::Google,
                &client,
                &code,
                &verifier,
                "http://127.0.0.1:65535/",
                &mut buffer
            )
            .is_ok()
        );
    }

    trait RepeatInto {
        fn repeat_into<const N: usize>(&self) -> heapless::String<N>;
    }

    impl RepeatInto for str {
        fn repeat_into<const N: usize>(&self) -> heapless::String<N> {
            let mut text = heapless::String::new();
            while text.push_str(self).is_ok() {}
            text
        }
    }
}
