//! Fitbit's token, revoke and introspect endpoints (Fitbit Web API, Authorization).

use hyper::StatusCode;
use jiff::Timestamp;
use serde_json::json;

use super::error;
use crate::{
    message::{Params, Reply, Request},
    oauth::{Access, Exchange, FITBIT_APP, FitbitRefresh, Granted, Provider},
    state::State,
};

/// Answers `POST /oauth2/token`.
///
/// Parameters are read from the body and from the query, as in the service's OpenAPI file.
pub(super) fn token(request: &Request, state: &mut State, now: Timestamp) -> Reply {
    let params = request.form().and(request.query_params());
    if let Err(reply) = authenticate(request, &params) {
        return *reply;
    }
    match params.get("grant_type") {
        Some("authorization_code") => exchange(&params, state, now),
        Some("refresh_token") => refresh(&params, state, now),
        Some(_) => bad_request("Invalid grant_type parameter value"),
        None => bad_request("Missing 'grant_type' parameter value"),
    }
}

/// Answers `POST /oauth2/revoke`: with 200 and no body, and ends all tokens of the token's wearer.
pub(super) fn revoke(request: &Request, state: &mut State) -> Reply {
    let params = request.form().and(request.query_params());
    if let Err(reply) = authenticate(request, &params) {
        return *reply;
    }
    let Some(token) = params.get("token") else {
        return bad_request("Missing parameters: token");
    };
    if state.tokens.revoke(Provider::Fitbit, token) {
        Reply::empty(StatusCode::OK)
    } else {
        bad_request(&format!("Invalid token: {token}"))
    }
}

/// Answers `POST /1.1/oauth2/introspect` for a caller whose own token is valid.
pub(super) fn introspect(request: &Request, state: &mut State, now: Timestamp) -> Reply {
    let params = request.form().and(request.query_params());
    let Some(token) = params.get("token") else {
        return bad_request("Missing parameters: token");
    };
    let access = state
        .tokens
        .use_access(Provider::Fitbit, token, &state.settings, now);
    let times = state.tokens.access_times(Provider::Fitbit, token);
    let body = match (access, times, state.tokens.owner(token)) {
        (Access::Valid(scopes), Some((issued_at, expires_at)), Some(wearer)) => {
            let scopes: Vec<String> = scopes
                .iter()
                .map(|scope| format!("{}=READ", scope.to_uppercase()))
                .collect();
            json!({
                "active": true,
                "scope": format!("{{{}}}", scopes.join(", ")),
                "client_id": FITBIT_APP.client_id,
                "user_id": wearer.fitbit_id(),
                "token_type": "access_token",
                "exp": expires_at.as_millisecond(),
                "iat": issued_at.as_millisecond(),
            })
        }
        _ => json!({ "active": false }),
    };
    Reply::ok(&body)
}

fn exchange(params: &Params, state: &mut State, now: Timestamp) -> Reply {
    let Some(code) = params.get("code") else {
        return bad_request("Missing parameters: code");
    };
    match state.codes.exchange(Provider::Fitbit, code, params, now) {
        Exchange::Granted(code) => {
            let (tokens, mut issue) = state.issue(code.wearer, now);
            answer(&tokens.fitbit_consent(code.scopes, &mut issue))
        }
        Exchange::VerifierMissing => bad_request("Missing parameters: code_verifier"),
        Exchange::RedirectMismatch => invalid_grant(&format!("Redirect_uri mismatch: {code}")),
        Exchange::UnknownCode => invalid_grant(&format!("Authorization code invalid: {code}")),
        Exchange::VerifierWrong => {
            invalid_grant(&format!("Invalid code_verifier for code: {code}"))
        }
    }
}

fn refresh(params: &Params, state: &mut State, now: Timestamp) -> Reply {
    let Some(token) = params.get("refresh_token") else {
        return bad_request("Missing parameters: refresh_token");
    };
    let refreshed = state.tokens.owner(token).map(|wearer| {
        let (tokens, mut issue) = state.issue(wearer, now);
        tokens.fitbit_refresh(token, &mut issue)
    });
    match refreshed.unwrap_or(FitbitRefresh::Invalid) {
        FitbitRefresh::Pair(pair, answering) => Reply {
            answering: Some(answering),
            ..answer(&pair)
        },
        FitbitRefresh::Conflict => error::for_status(StatusCode::CONFLICT),
        FitbitRefresh::Invalid => invalid_grant(&format!("Refresh token invalid: {token}")),
    }
}

fn answer(granted: &Granted) -> Reply {
    let body = json!({
        "access_token": granted.access_token,
        "expires_in": granted.expires_in,
        "refresh_token": granted.refresh_token,
        "scope": granted.scopes.join(" "),
        "token_type": "Bearer",
        "user_id": granted.wearer.fitbit_id(),
    });
    Reply::ok(&body).with_header("Cache-Control", "no-store")
}

/// Authenticates the app: it is of type Personal, so its secret is optional, but must not be wrong.
fn authenticate(request: &Request, params: &Params) -> Result<(), Box<Reply>> {
    let unauthorized = |message: &str| {
        Err(Box::new(error::oauth(
            StatusCode::UNAUTHORIZED,
            "invalid_client",
            message,
        )))
    };
    if request.has_authorization() {
        return match request.basic() {
            Some((id, secret))
                if id == FITBIT_APP.client_id && secret == FITBIT_APP.client_secret =>
            {
                Ok(())
            }
            Some((id, _)) if id == FITBIT_APP.client_id => {
                unauthorized("Invalid authorization header. Client secret invalid")
            }
            Some(_) => unauthorized("Invalid authorization header. Client id invalid"),
            None => unauthorized(
                "Invalid authorization header format. The header was not recognized to be a valid header for \
                 any of known implementations",
            ),
        };
    }
    match (params.get("client_id"), params.get("client_secret")) {
        (None, _) => unauthorized(
            "Invalid authorization header format. The header was not recognized to be a valid header for any \
             of known implementations or a client_id parameter was not specified in case of a public client \
             application. Received header = undefined",
        ),
        (Some(id), _) if id != FITBIT_APP.client_id => unauthorized("Invalid client_id"),
        (Some(_), Some(secret)) if secret != FITBIT_APP.client_secret => {
            unauthorized("Client secret invalid")
        }
        (Some(_), _) => Ok(()),
    }
}

fn bad_request(message: &str) -> Reply {
    error::oauth(StatusCode::BAD_REQUEST, "invalid_request", message)
}

fn invalid_grant(message: &str) -> Reply {
    error::oauth(StatusCode::BAD_REQUEST, "invalid_grant", message)
}
