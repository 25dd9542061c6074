//! Google's consent (Google Identity, OAuth 2.0 for Mobile and Desktop Apps).

use jiff::Timestamp;

use super::{HEALTH_METRICS, PROFILE, SETTINGS};
use crate::message::{Reply, Request};
use crate::oauth::{AuthorizeError, Consent, Page, Provider};
use crate::sandbox::State;

/// Answers `/o/oauth2/v2/auth`: the consent page, and the wearer's decision.
pub(super) fn authorize(request: &Request, state: &mut State, now: Timestamp) -> Reply {
    let consent = match Consent::read(Provider::Google, &request.query_params(), is_scope) {
        Ok(consent) => consent,
        Err(refused) => {
            return Page::refusal(
                "Access blocked: authorization error",
                authorize_message(refused),
            );
        }
    };
    let page = Page {
        title: "Let this app see your Google Health data?",
        describe: describe_scope,
        fragment: "",
        tells_scope: true,
    };
    let State {
        settings,
        codes,
        mint,
        tokens,
        ..
    } = state;
    let has_grant = tokens.has_google_grant(settings, now);
    consent.answer(request, &page, has_grant, settings, (codes, mint), now)
}

fn authorize_message(refused: AuthorizeError) -> &'static str {
    match refused {
        AuthorizeError::ClientIdMissing => {
            "Error 400: invalid_request. Missing required parameter: client_id"
        }
        AuthorizeError::ClientIdUnknown => {
            "Error 401: invalid_client. The OAuth client was not found."
        }
        AuthorizeError::RedirectMissing => {
            "Error 400: invalid_request. Missing required parameter: redirect_uri"
        }
        AuthorizeError::RedirectNotAllowed => "Error 400: redirect_uri_mismatch",
        AuthorizeError::ResponseType => {
            "Error 400: unsupported_response_type. Only code is supported."
        }
        AuthorizeError::ScopeMissing => {
            "Error 400: invalid_request. Missing required parameter: scope"
        }
        AuthorizeError::ScopeUnknown => {
            "Error 400: invalid_scope. Some requested scopes were invalid."
        }
        AuthorizeError::ChallengeLength => {
            "Error 400: invalid_request. code_challenge must have 43 to 128 characters."
        }
        AuthorizeError::ChallengeMethod => {
            "Error 400: invalid_request. code_challenge_method must be plain or S256."
        }
    }
}

fn is_scope(scope: &str) -> bool {
    matches!(scope, "openid" | "email" | "profile")
        || scope.strip_prefix(SCOPE_START).is_some_and(|rest| {
            let name = rest
                .strip_suffix(".readonly")
                .or_else(|| rest.strip_suffix(".writeonly"));
            name.is_some_and(|name| HEALTH_SCOPES.contains(&name))
        })
}

fn describe_scope(scope: &str) -> &'static str {
    match scope {
        HEALTH_METRICS => "Health metrics and measurements, with the heart rate",
        SETTINGS => "Settings and paired devices",
        PROFILE => "Profile",
        _ => "Other data",
    }
}

const SCOPE_START: &str = "https://www.googleapis.com/auth/googlehealth.";

/// The kinds of data that have a scope.
const HEALTH_SCOPES: &[&str] = &[
    "activity_and_fitness",
    "ecg",
    "health_metrics_and_measurements",
    "irn",
    "location",
    "logged_symptoms",
    "mindfulness",
    "nutrition",
    "profile",
    "reproductive_health",
    "settings",
    "sleep",
];
