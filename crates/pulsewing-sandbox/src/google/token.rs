//! Google's token and revoke endpoints (Google Identity, OAuth 2.0 for Mobile and Desktop Apps).

use hyper::StatusCode;
use jiff::Timestamp;
use serde_json::json;

use super::error;
use crate::{
    message::{Params, Reply, Request, with},
    oauth::{Exchange, GOOGLE_APP, GoogleRefresh, Granted, Provider},
    state::State,
};

/// Answers `POST /token`. Only the form in the body counts.
pub(super) fn token(request: &Request, state: &mut State, now: Timestamp) -> Reply {
    let params = request.form();
    // An assertion is signed: there is no client beside it.
    if params.get("grant_type") == Some(JWT_BEARER) {
        return state.service_tokens.grant(request, &params, now);
    }
    if let Err(reply) = authenticate(request, &params) {
        return *reply;
    }
    match params.get("grant_type") {
        Some("authorization_code") => exchange(&params, state, now),
        Some("refresh_token") => refresh(&params, state, now),
        Some(other) => bad_request(
            "unsupported_grant_type",
            &format!("Invalid grant_type: {other}"),
        ),
        None => bad_request(
            "invalid_request",
            "Required parameter is missing: grant_type",
        ),
    }
}

/// Answers `POST /revoke`. There is no client authentication: having the token is enough.
pub(super) fn revoke(request: &Request, state: &mut State) -> Reply {
    let params = request.form().and(request.query_params());
    match params.get("token") {
        Some(token) if state.tokens.revoke(Provider::Google, token) => Reply::ok(&json!({})),
        Some(_) => bad_request("invalid_token", "Token expired or revoked"),
        None => bad_request("invalid_request", "Bad Request"),
    }
}

fn exchange(params: &Params, state: &mut State, now: Timestamp) -> Reply {
    let Some(code) = params.get("code") else {
        return bad_request("invalid_request", "Missing required parameter: code");
    };
    match state.codes.exchange(Provider::Google, code, params, now) {
        Exchange::Granted(code) => {
            let (tokens, mut issue) = state.issue(code.wearer, now);
            answer(&tokens.google_consent(code.scopes, code.offline, &mut issue))
        }
        Exchange::UnknownCode => bad_request("invalid_grant", "Malformed auth code."),
        Exchange::RedirectMismatch => bad_request("redirect_uri_mismatch", "Bad Request"),
        Exchange::VerifierMissing => bad_request("invalid_grant", "Missing code verifier."),
        Exchange::VerifierWrong => bad_request("invalid_grant", "Invalid code verifier."),
    }
}

fn refresh(params: &Params, state: &mut State, now: Timestamp) -> Reply {
    let Some(token) = params.get("refresh_token") else {
        return bad_request(
            "invalid_request",
            "Missing required parameter: refresh_token",
        );
    };
    let refreshed = state.tokens.owner(token).map(|wearer| {
        let (tokens, mut issue) = state.issue(wearer, now);
        tokens.google_refresh(token, &mut issue)
    });
    match refreshed.unwrap_or(GoogleRefresh::Invalid) {
        GoogleRefresh::Access(granted) => answer(&granted),
        GoogleRefresh::Invalid => {
            bad_request("invalid_grant", "Token has been expired or revoked.")
        }
    }
}

fn answer(granted: &Granted) -> Reply {
    let mut body = json!({
        "access_token": granted.access_token,
        "expires_in": granted.expires_in,
        "scope": granted.scopes.join(" "),
        "token_type": "Bearer",
    });
    if let Some(token) = &granted.refresh_token {
        body = with(body, "refresh_token", token.as_str());
    }
    if let Some(seconds) = granted.refresh_expires_in {
        body = with(body, "refresh_token_expires_in", seconds);
    }
    Reply::ok(&body).with_header("Cache-Control", "no-store")
}

/// Checks the id and the secret, from the form or from HTTP Basic.
fn authenticate(request: &Request, params: &Params) -> Result<(), Box<Reply>> {
    let basic = request.basic();
    let (id, secret) = match &basic {
        Some((id, secret)) => (Some(id.as_str()), Some(secret.as_str())),
        None => (params.get("client_id"), params.get("client_secret")),
    };
    let refused = match (id, secret) {
        (None, _) => bad_request(
            "invalid_request",
            "Could not determine client ID from request.",
        ),
        (Some(id), _) if id != GOOGLE_APP.client_id => error::oauth(
            StatusCode::UNAUTHORIZED,
            "invalid_client",
            "The OAuth client was not found.",
        ),
        (Some(_), None) => bad_request("invalid_request", "client_secret is missing."),
        (Some(_), Some(secret)) if secret != GOOGLE_APP.client_secret => error::oauth(
            StatusCode::UNAUTHORIZED,
            "invalid_client",
            "The provided client secret is invalid.",
        ),
        _ => return Ok(()),
    };
    Err(Box::new(refused))
}

fn bad_request(error: &str, description: &str) -> Reply {
    error::oauth(StatusCode::BAD_REQUEST, error, description)
}

/// The grant of a service account (RFC 7523, section 2.1).
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
