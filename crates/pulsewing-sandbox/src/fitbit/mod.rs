//! The Fitbit front: routes, access checks and replies of the legacy Fitbit Web API.
//!
//! It knows a wearer only through [`Synced`](crate::wearer::Synced), so it can speak for other data as well.

mod error;
mod heart;
mod others;
mod token;
mod tracker;

use hyper::{Method, StatusCode};
use jiff::Timestamp;

use crate::{
    cloud::Call,
    message::{Reply, Request},
    oauth::{Access, AuthorizeError, Consent, Page, Provider},
    quota::{Exhausted, FITBIT_AN_HOUR},
    settings::Redirect,
    state::State,
};

/// An endpoint of the Fitbit Web API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    Authorize,
    Token,
    Revoke,
    Introspect,
    /// Heart rate; `rest` is the path after `/date/`.
    Heart {
        user: String,
        rest: String,
    },
    Devices {
        user: String,
    },
    Profile {
        user: String,
    },
    /// Data that the wearer does not have; `resource` is the path after the user.
    Other {
        user: String,
        resource: String,
    },
    Unknown,
}

impl Endpoint {
    /// Finds the endpoint; `None` if the path does not belong to Fitbit.
    pub(crate) fn find(method: &Method, path: &str) -> Option<Self> {
        let known = match path {
            "/oauth2/authorize" if is_page(method) => Some(Self::Authorize),
            "/oauth2/token" if method == Method::POST => Some(Self::Token),
            "/oauth2/revoke" if method == Method::POST => Some(Self::Revoke),
            "/1.1/oauth2/introspect" if method == Method::POST => Some(Self::Introspect),
            _ if method == Method::GET => Self::resource(path),
            _ => None,
        };
        let is_fitbits =
            path.starts_with("/oauth2/") || VERSIONS.iter().any(|start| path.starts_with(start));
        known.or_else(|| is_fitbits.then_some(Self::Unknown))
    }

    /// Returns the name of the route in the request log and the fault list.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Authorize => "fitbit.authorize",
            Self::Token => "fitbit.token",
            Self::Revoke => "fitbit.revoke",
            Self::Introspect => "fitbit.introspect",
            Self::Heart { .. } => "fitbit.heart",
            Self::Devices { .. } => "fitbit.devices",
            Self::Profile { .. } => "fitbit.profile",
            Self::Other { .. } => "fitbit.other",
            Self::Unknown => "fitbit.unknown",
        }
    }

    fn resource(path: &str) -> Option<Self> {
        // Clients send any of the three versions, and these resources are the same in all of them.
        let rest = VERSIONS.iter().find_map(|start| path.strip_prefix(start))?;
        let (user, resource) = rest.strip_prefix("user/")?.split_once('/')?;
        let user = user.to_owned();
        match resource {
            "devices.json" => Some(Self::Devices { user }),
            "profile.json" => Some(Self::Profile { user }),
            _ => {
                let resource = resource.strip_suffix(".json")?;
                if let Some(rest) = resource.strip_prefix("activities/heart/date/") {
                    let rest = rest.to_owned();
                    return Some(Self::Heart { user, rest });
                }
                let is_known = others::find(resource).is_some();
                let resource = resource.to_owned();
                is_known.then_some(Self::Other { user, resource })
            }
        }
    }
}

/// Answers a request to the Fitbit Web API.
pub(crate) fn answer(endpoint: &Endpoint, call: &Call<'_>, state: &mut State) -> Reply {
    let (request, now) = (call.request, call.now);
    if state.settings.gone {
        return error::gone();
    }
    if request.lacks_length() {
        return error::length_required();
    }
    match endpoint {
        Endpoint::Authorize => authorize(request, state, now),
        Endpoint::Token => token::token(request, state, now),
        Endpoint::Revoke => token::revoke(request, state),
        Endpoint::Introspect => match bearer(request, state, now) {
            Ok(_) => token::introspect(request, state, now),
            Err(reply) => *reply,
        },
        Endpoint::Heart { user, rest } => {
            data(call, user, "heartrate", state, || heart::answer(rest, call))
        }
        Endpoint::Devices { user } => data(call, user, "settings", state, || {
            tracker::devices(call.wearer)
        }),
        Endpoint::Profile { user } => data(call, user, "profile", state, || {
            tracker::profile(call.wearer, now)
        }),
        Endpoint::Other { user, resource } => match others::find(resource) {
            Some(other) => data(call, user, other.scope, state, || other.answer()),
            None => error::not_found(),
        },
        Endpoint::Unknown => error::not_found(),
    }
}

/// Returns the error body that the front sends with this status.
pub(crate) fn status_error(status: StatusCode) -> Reply {
    error::for_status(status)
}

/// Returns the front's error with a given error type.
pub(crate) fn reason_error(error_type: &str) -> Reply {
    error::for_reason(error_type)
}

/// Answers a data call: token, quota, scope and wearer are checked before the resource.
fn data(
    call: &Call<'_>,
    user: &str,
    scope: &str,
    state: &mut State,
    resource: impl FnOnce() -> Reply,
) -> Reply {
    let (now, wearer) = (call.now, call.wearer.who);
    let scopes = match bearer(call.request, state, now) {
        Ok(scopes) => scopes,
        Err(reply) => return *reply,
    };
    let quota = &mut state.fitbit_quota;
    let counted = if state.settings.quotas {
        quota.take(wearer, now)
    } else {
        Ok(())
    };
    let reply = if let Err(Exhausted) = counted {
        error::too_many_requests()
    } else if !scopes.iter().any(|granted| granted == scope) {
        let message = format!("This application does not have permission to access {scope} data");
        error::oauth(StatusCode::FORBIDDEN, "insufficient_scope", &message)
    } else if user != "-" && user != wearer.fitbit_id() {
        error::for_reason("insufficient_permissions")
    } else {
        resource()
    };
    // Every reply includes the state of the client's quota.
    reply
        .with_header("Fitbit-Rate-Limit-Limit", FITBIT_AN_HOUR.to_string())
        .with_header(
            "Fitbit-Rate-Limit-Remaining",
            quota.left(wearer).to_string(),
        )
        .with_header("Fitbit-Rate-Limit-Reset", quota.reset_s(now).to_string())
        .with_header("Cache-Control", "no-cache, private")
}

fn bearer(request: &Request, state: &mut State, now: Timestamp) -> Result<Vec<String>, Box<Reply>> {
    let unauthorized = |error_type, message: &str| {
        Err(Box::new(error::oauth(
            StatusCode::UNAUTHORIZED,
            error_type,
            message,
        )))
    };
    let Some(token) = request.bearer() else {
        return unauthorized(
            "invalid_client",
            "Invalid authorization header format. The header was not recognized to be a valid header for any \
             of known implementations",
        );
    };
    match state
        .tokens
        .use_access(Provider::Fitbit, token, &state.settings, now)
    {
        Access::Valid(scopes) => Ok(scopes),
        Access::Expired => unauthorized("expired_token", &format!("Access token expired: {token}")),
        Access::Unknown => unauthorized("invalid_token", &format!("Access token invalid: {token}")),
    }
}

fn authorize(request: &Request, state: &mut State, now: Timestamp) -> Reply {
    let registered = state.settings.redirect_uri.clone();
    let registered = registered
        .as_ref()
        .map(|Redirect(address)| address.as_str());
    let consent = match Consent::read(
        Provider::Fitbit,
        request,
        is_scope,
        registered,
        state.wearers,
    ) {
        Ok(consent) => consent,
        Err(refused) => return Page::refusal("Developer information", authorize_message(refused)),
    };
    state.settings.redirect_uri = Some(Redirect(consent.redirect_uri().to_owned()));
    let page = Page {
        title: "Let this app see your Fitbit data?",
        describe: describe_scope,
        fragment: "#_=_",
        tells_scope: false,
    };
    let State {
        settings,
        codes,
        mints,
        ..
    } = state;
    let mint = mints.of(consent.wearer());
    consent.answer(request, &page, false, settings, (codes, mint), now)
}

fn authorize_message(refused: AuthorizeError) -> &'static str {
    match refused {
        AuthorizeError::ClientIdMissing => "invalid_request - Missing parameters: client_id",
        AuthorizeError::ClientIdUnknown => "unauthorized_client - Invalid client_id",
        AuthorizeError::RedirectMissing => "invalid_request - Missing redirect_uri parameter value",
        AuthorizeError::RedirectNotAllowed => {
            "invalid_request - Invalid redirect_uri parameter value"
        }
        AuthorizeError::ResponseType => {
            "unsupported_response_type - Invalid response_type parameter value"
        }
        AuthorizeError::ScopeMissing => "invalid_request - Missing parameters: scope",
        AuthorizeError::ScopeUnknown => "invalid_scope - Invalid scope parameter value",
        AuthorizeError::ChallengeLength => {
            "invalid_request - The code_challenge parameter length must be between 43 and 128"
        }
        AuthorizeError::ChallengeMethod => "invalid_request - Unsupported code_challenge_method",
        AuthorizeError::WearerUnknown => "invalid_request - Invalid user parameter value",
    }
}

fn is_page(method: &Method) -> bool {
    method == Method::GET || method == Method::POST
}

fn is_scope(scope: &str) -> bool {
    SCOPES.iter().any(|(name, _)| *name == scope)
}

fn describe_scope(scope: &str) -> &'static str {
    SCOPES
        .iter()
        .find(|(name, _)| *name == scope)
        .map_or("Other data", |(_, words)| words)
}

/// The scopes of the Fitbit Web API.
const SCOPES: &[(&str, &str)] = &[
    ("activity", "Activity and exercise"),
    ("cardio_fitness", "Cardio fitness score"),
    ("electrocardiogram", "Electrocardiogram"),
    ("heartrate", "Heart rate"),
    (
        "irregular_rhythm_notifications",
        "Irregular rhythm notifications",
    ),
    ("location", "Location"),
    ("nutrition", "Food and water"),
    ("oxygen_saturation", "Oxygen saturation"),
    ("profile", "Profile, with the time zone"),
    ("respiratory_rate", "Breathing rate"),
    ("settings", "Devices and settings"),
    ("sleep", "Sleep"),
    ("social", "Friends"),
    ("temperature", "Temperature"),
    ("weight", "Weight"),
];

/// The path prefixes of the API's versions.
const VERSIONS: [&str; 3] = ["/1/", "/1.1/", "/1.2/"];

#[cfg(test)]
mod tests {
    use super::*;

    fn route(method: Method, path: &str) -> Option<&'static str> {
        Endpoint::find(&method, path).map(|endpoint| endpoint.name())
    }

    #[test]
    fn paths_and_verbs_lead_to_routes() {
        for (method, paths, name) in [
            (
                Method::GET,
                "/1/user/-/activities/heart/date/today/1d/1min.json",
                "fitbit.heart",
            ),
            (
                Method::GET,
                "/1/user/PW7SB1/devices.json /1.2/user/-/devices.json",
                "fitbit.devices",
            ),
            (
                Method::GET,
                "/1/user/-/profile.json /1.1/user/-/profile.json",
                "fitbit.profile",
            ),
            (
                Method::GET,
                "/1.2/user/-/sleep/date/today.json",
                "fitbit.other",
            ),
            (
                Method::GET,
                "/1/user/-/sleep/dates/today.json /1/user/-/devices",
                "fitbit.unknown",
            ),
            (Method::GET, "/oauth2/token", "fitbit.unknown"),
            (Method::POST, "/1/user/-/devices.json", "fitbit.unknown"),
            (Method::POST, "/oauth2/token", "fitbit.token"),
        ] {
            for path in paths.split(' ') {
                assert_eq!(route(method.clone(), path), Some(name), "{path}");
            }
        }
        for other in ["/1.3/user/-/devices.json", "/token"] {
            assert_eq!(route(Method::GET, other), None, "{other}");
        }
    }
}
