//! The Google front: routes, access checks and replies of the Google Health API v4 and of Google's
//! OAuth endpoints.
//!
//! Routing comes before authentication, and authentication before validation, as observed in the
//! real service.

mod account;
mod authorize;
mod body;
mod data_type;
mod error;
mod fields;
mod filter;
mod page;
mod parameters;
mod points;
mod rollup;
mod route;
mod schema;
mod service_account;
mod subscribers;
mod token;
mod zones;

use hyper::StatusCode;
use jiff::Timestamp;
use serde_json::json;

use self::{data_type::DataType, points::View, route::Call};
pub(crate) use self::{
    route::Endpoint,
    service_account::{ServiceTokens, key_file},
};
use crate::{
    cloud,
    message::{Reply, Request},
    oauth::{Access, Provider},
    quota::Exhausted,
    state::State,
    wearer::{Synced, Wearer},
    webhook::Probe,
};

/// A data source family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    AllSources,
    GoogleWearables,
    GoogleSources,
    SelfSources,
}

impl Family {
    /// Parses the full name of a wearer's resource; an empty one means every source.
    fn parse(name: &str, wearer: Wearer) -> Result<Self, Box<Reply>> {
        if name.is_empty() {
            return Ok(Self::AllSources);
        }
        let family = match name.split('/').collect::<Vec<_>>().as_slice() {
            ["users", user, "dataSourceFamilies", family] if is_of(wearer, user) => *family,
            _ => "",
        };
        Ok(match family {
            "all-sources" => Self::AllSources,
            "google-wearables" => Self::GoogleWearables,
            "google-sources" => Self::GoogleSources,
            "self-sources" => Self::SelfSources,
            _ => {
                return error::refuse(
                    "INVALID_DATA_POINT_DATA_SOURCE_FAMILY",
                    "The data source family is not a known resource name.",
                );
            }
        })
    }

    /// Returns whether the family includes the wearer's main source, which is a tracker, or an app
    /// that writes to Health Connect.
    fn has_main(self, wearer: &Synced<'_>) -> bool {
        if wearer.is_wearable() {
            self != Self::SelfSources
        } else {
            self.has_health_connect()
        }
    }

    const fn has_health_connect(self) -> bool {
        matches!(self, Self::AllSources | Self::GoogleSources)
    }
}

/// Answers a request to Google.
pub(crate) fn answer(endpoint: &Endpoint, call: &cloud::Call<'_>, state: &mut State) -> Reply {
    let (request, now) = (call.request, call.now);
    // The frontend of all Google services checks this before anything else.
    if request.lacks_length() {
        return error::length_required();
    }
    match endpoint {
        Endpoint::Authorize => authorize::authorize(request, state, now),
        Endpoint::UserInfo { open_id } => account::user_info(*open_id, request, state, now),
        Endpoint::Token => token::token(request, state, now),
        Endpoint::Revoke => token::revoke(request, state),
        Endpoint::Subscribers { .. } => {
            subscribers::answer(endpoint, call, state).unwrap_or_else(|reply| *reply)
        }
        Endpoint::Keyset => keyset(state, now),
        Endpoint::Unknown => error::not_found(&request.path),
        resource => data(resource, call, state).unwrap_or_else(|reply| *reply),
    }
}

/// Returns the verification of an endpoint that a request needs before it can be answered.
pub(crate) fn probe(
    endpoint: &Endpoint,
    request: &Request,
    state: &mut State,
    now: Timestamp,
) -> Option<Probe> {
    subscribers::probe(endpoint, request, state, now)
}

/// Answers with the keys that sign notifications, which caches may keep for a day.
fn keyset(state: &mut State, now: Timestamp) -> Reply {
    match state.webhooks.keys.keyset(now) {
        Some(keyset) => Reply::ok(&keyset).with_header("Cache-Control", "public, max-age=86400"),
        None => error::for_status(StatusCode::INTERNAL_SERVER_ERROR, false),
    }
}

/// Returns a reply in the requested form: with the selected members, and indented unless the
/// request disables it. Errors are indented as well, but complete.
pub(crate) fn presented(endpoint: &Endpoint, request: &Request, reply: Reply) -> Reply {
    parameters::presented(endpoint, request, reply)
}

/// Returns the error body that the front sends with this status.
pub(crate) fn status_error(endpoint: &Endpoint, status: StatusCode) -> Reply {
    error::for_status(
        status,
        matches!(endpoint, Endpoint::Token | Endpoint::Revoke),
    )
}

/// Returns the front's error with a given reason.
pub(crate) fn reason_error(endpoint: &Endpoint, reason: &str) -> Reply {
    if matches!(endpoint, Endpoint::Token | Endpoint::Revoke) {
        error::for_oauth_reason(reason)
    } else {
        error::for_reason(reason)
    }
}

fn data(
    endpoint: &Endpoint,
    call: &cloud::Call<'_>,
    state: &mut State,
) -> Result<Reply, Box<Reply>> {
    let (request, wearer, now) = (call.request, call.wearer, call.now);
    let (user, scope) = match endpoint {
        Endpoint::Points {
            user, data_type, ..
        } => {
            // Any health scope is enough to learn that there is no such type.
            (user, DataType::find(data_type).map(|known| known.scope))
        }
        Endpoint::Devices { user }
        | Endpoint::Device { user, .. }
        | Endpoint::Settings { user } => (user, Some(SETTINGS)),
        Endpoint::Profile { user } => (user, Some(PROFILE)),
        Endpoint::Identity { user } => (user, None),
        _ => return Err(Box::new(error::not_found(&request.path))),
    };
    authorized(endpoint, request, scope, state, now)?;
    if state.settings.quotas {
        let quota = &mut state.google_quota;
        let exhausted = |Exhausted| Box::new(error::for_reason("RATE_LIMIT_EXCEEDED"));
        quota.take(wearer.who, now).map_err(exhausted)?;
    }
    if !is_of(wearer.who, user) {
        return Err(Box::new(error::for_reason("RESOURCE_PERMISSION_DENIED")));
    }
    let params = parameters::read(endpoint, request)?;
    match endpoint {
        Endpoint::Points {
            data_type,
            call: kind,
            ..
        } => {
            let data_type = DataType::parse(data_type)?;
            data_type.supports(*kind)?;
            let sizes = state.settings.page_sizes;
            match kind {
                Call::List => points::answer(View::List, data_type, &params, call, sizes),
                Call::Reconcile => points::answer(View::Reconcile, data_type, &params, call, sizes),
                Call::RollUp => rollup::roll_up(data_type, call),
                Call::DailyRollUp => rollup::daily_roll_up(data_type, call),
            }
        }
        Endpoint::Devices { .. } => account::devices(&params, call),
        Endpoint::Device { id, .. } => Ok(account::device(id, wearer)),
        Endpoint::Settings { .. } => Ok(account::settings(wearer, now)),
        Endpoint::Profile { .. } => Ok(account::profile(wearer.who)),
        _ => Ok(account::identity(wearer.who)),
    }
}

fn authorized(
    endpoint: &Endpoint,
    request: &Request,
    scope: Option<&str>,
    state: &mut State,
    now: Timestamp,
) -> Result<(), Box<Reply>> {
    let Some(token) = request.bearer() else {
        let has_key = request.query_params().get("key").is_some()
            || request.header("x-goog-api-key").is_some();
        let method = endpoint.method_name();
        return Err(Box::new(if has_key {
            error::api_key(method)
        } else {
            error::credentials_missing(method)
        }));
    };
    let Access::Valid(scopes) =
        state
            .tokens
            .use_access(Provider::Google, token, &state.settings, now)
    else {
        return Err(Box::new(error::unauthenticated()));
    };
    let is_granted = match scope {
        Some(scope) => scopes.iter().any(|granted| granted == scope),
        None => scopes
            .iter()
            .any(|granted| granted.contains("/auth/googlehealth.")),
    };
    if is_granted {
        return Ok(());
    }
    let metadata = json!({ "service": "health.googleapis.com", "method": endpoint.method_name() });
    Err(Box::new(error::reply(
        StatusCode::FORBIDDEN,
        Some("ACCESS_TOKEN_SCOPE_INSUFFICIENT"),
        "Request had insufficient authentication scopes.",
        &metadata,
    )))
}

/// Parses a filter for the points of a data type and writes it again, as plainly as the grammar
/// allows.
///
/// Returns the reason if the filter is refused, and `None` if there is no such data type. For the
/// fuzz targets, which check that writing and parsing match.
#[cfg(feature = "_fuzzing")]
pub fn rewritten_filter(filter: &str, data_type: &str) -> Option<Result<String, &'static str>> {
    let data_type = DataType::find(data_type)?;
    let range = filter::Range::parse(filter, data_type);
    Some(
        range
            .map(|range| range.written(data_type))
            .map_err(|error| error.reason),
    )
}

/// Returns whether a name of a user in a path is one of this wearer's.
fn is_of(wearer: Wearer, user: &str) -> bool {
    user == "me" || user == wearer.google_id()
}

const SETTINGS: &str = "https://www.googleapis.com/auth/googlehealth.settings.readonly";
const PROFILE: &str = "https://www.googleapis.com/auth/googlehealth.profile.readonly";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_need_their_full_name() {
        assert_eq!(
            Family::parse("", Wearer::FIRST).unwrap(),
            Family::AllSources
        );
        let full = "users/me/dataSourceFamilies/google-wearables";
        assert_eq!(
            Family::parse(full, Wearer::FIRST).unwrap(),
            Family::GoogleWearables
        );
        for wrong in [
            "google-wearables",
            "users/me/dataSourceFamilies/none",
            "users/x/dataSourceFamilies/all-sources",
        ] {
            assert!(Family::parse(wrong, Wearer::FIRST).is_err(), "{wrong}");
        }
    }
}
