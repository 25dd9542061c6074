//! Google's consent (Google Identity, OAuth 2.0 for Mobile and Desktop Apps).

use jiff::Timestamp;

use crate::{
    message::{Reply, Request},
    oauth::{AuthorizeError, Consent, Page, Provider},
    state::State,
};

/// Answers `/o/oauth2/v2/auth`: the consent page, and the wearer's decision.
pub(super) fn authorize(request: &Request, state: &mut State, now: Timestamp) -> Reply {
    let wearers = state.wearers;
    let consent = match Consent::read(Provider::Google, request, is_scope, None, wearers) {
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
        mints,
        tokens,
        ..
    } = state;
    let has_grant = tokens.has_google_grant(consent.wearer(), settings, now);
    let mint = mints.of(consent.wearer());
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
        AuthorizeError::WearerUnknown => "Error 400: invalid_request. There is no such user.",
    }
}

fn is_scope(scope: &str) -> bool {
    OTHER_SCOPES.iter().any(|(known, _)| *known == scope) || health_scope(scope).is_some()
}

fn describe_scope(scope: &str) -> &'static str {
    let other = OTHER_SCOPES.iter().find(|(known, _)| *known == scope);
    other
        .map(|(_, words)| *words)
        .or_else(|| health_scope(scope))
        .unwrap_or("Other data")
}

/// Returns the description of a scope of the Google Health API.
fn health_scope(scope: &str) -> Option<&'static str> {
    let rest = scope.strip_prefix(SCOPE_START)?;
    let name = rest
        .strip_suffix(".readonly")
        .or_else(|| rest.strip_suffix(".writeonly"))?;
    let known = HEALTH_SCOPES.iter().find(|(known, _)| *known == name);
    known.map(|(_, words)| *words)
}

const SCOPE_START: &str = "https://www.googleapis.com/auth/googlehealth.";

/// The kinds of data that have a scope.
const HEALTH_SCOPES: &[(&str, &str)] = &[
    ("activity_and_fitness", "Activity and fitness"),
    ("ecg", "Electrocardiogram"),
    (
        "health_metrics_and_measurements",
        "Health metrics and measurements, with the heart rate",
    ),
    ("irn", "Irregular rhythm notifications"),
    ("location", "Location of exercises"),
    ("logged_symptoms", "Symptoms"),
    ("mindfulness", "Mindfulness"),
    ("nutrition", "Food and water"),
    ("profile", "Profile"),
    ("reproductive_health", "Reproductive health"),
    ("settings", "Settings and paired devices"),
    ("sleep", "Sleep"),
];

/// Other scopes that clients ask for: the user's identity, and the project of the app.
const OTHER_SCOPES: &[(&str, &str)] = &[
    ("openid", "Who you are with Google"),
    ("email", "Your e-mail address"),
    ("profile", "Your name"),
    (
        "https://www.googleapis.com/auth/userinfo.email",
        "Your e-mail address",
    ),
    (
        "https://www.googleapis.com/auth/userinfo.profile",
        "Your name",
    ),
    (
        "https://www.googleapis.com/auth/cloud-platform",
        "Your Google Cloud projects",
    ),
];
