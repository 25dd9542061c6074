//! One provider request from its arrival to its reply, with any fault that applies to it.

use std::time::Duration;

use hyper::{Method, StatusCode};
use jiff::Timestamp;
use serde_json::Value;

use crate::{
    faults::{Action, BodyKind, Cut},
    fitbit, google,
    message::{Reply, Request},
    oauth::{Provider, chosen_wearer, document, fingerprint},
    request_log::Entry,
    state::{Shared, State},
    wearer::{Synced, Wearer},
    webhook::{Probe, Proof},
};

/// An endpoint of either provider.
#[derive(Clone, Debug)]
pub(crate) enum Endpoint {
    Fitbit(fitbit::Endpoint),
    Google(google::Endpoint),
}

/// A request at an instant, and its wearer as the clouds know them then.
pub(crate) struct Call<'a> {
    pub(crate) request: &'a Request,
    pub(crate) wearer: &'a Synced<'a>,
    pub(crate) now: Timestamp,
    /// Whether the reply is a page without items that announces more.
    pub(crate) empty_page: bool,
    /// What came of the verification that the request needed.
    pub(crate) proof: Option<Proof>,
}

/// The action that the connection takes.
#[derive(Debug)]
pub(crate) enum Outcome {
    Send(Reply),
    /// Promise the whole body, then break off.
    SendCut(Reply, Cut),
    /// Close without a reply.
    Drop,
}

impl Endpoint {
    /// Finds the endpoint of a path; `None` if it belongs to neither provider.
    pub(crate) fn find(method: &Method, path: &str) -> Option<Self> {
        // Of the paths that begin with /oauth2/, Google's have a version after it.
        let google = google::Endpoint::find(method, path).map(Self::Google);
        google.or_else(|| fitbit::Endpoint::find(method, path).map(Self::Fitbit))
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Fitbit(endpoint) => endpoint.name(),
            Self::Google(endpoint) => endpoint.name(),
        }
    }

    fn answer(&self, call: &Call<'_>, state: &mut State) -> Reply {
        match self {
            Self::Fitbit(endpoint) => fitbit::answer(endpoint, call, state),
            Self::Google(endpoint) => google::answer(endpoint, call, state),
        }
    }

    fn status_error(&self, status: StatusCode) -> Reply {
        match self {
            Self::Fitbit(_) => fitbit::status_error(status),
            Self::Google(endpoint) => google::status_error(endpoint, status),
        }
    }

    fn reason_error(&self, reason: &str) -> Reply {
        match self {
            Self::Fitbit(_) => fitbit::reason_error(reason),
            Self::Google(endpoint) => google::reason_error(endpoint, reason),
        }
    }

    fn presented(&self, request: &Request, reply: Reply) -> Reply {
        match self {
            Self::Fitbit(_) => reply,
            Self::Google(endpoint) => google::presented(endpoint, request, reply),
        }
    }

    fn is_revoke(&self) -> bool {
        matches!(
            self,
            Self::Fitbit(fitbit::Endpoint::Revoke) | Self::Google(google::Endpoint::Revoke)
        )
    }

    fn is_authorize(&self) -> bool {
        matches!(
            self,
            Self::Fitbit(fitbit::Endpoint::Authorize) | Self::Google(google::Endpoint::Authorize)
        )
    }

    const fn provider(&self) -> Provider {
        match self {
            Self::Fitbit(_) => Provider::Fitbit,
            Self::Google(_) => Provider::Google,
        }
    }
}

/// Answers a request, or drops its connection.
///
/// A delayed reply delays nothing else: other requests are answered meanwhile.
pub(crate) async fn answer(endpoint: &Endpoint, request: &Request, shared: &Shared) -> Outcome {
    let begun = begin(endpoint, request, shared);
    let (number, outcome, hold) = match begun {
        Begun::Acted(number, outcome, hold) => (number, outcome, hold),
        Begun::Waiting(number, action, probe) => {
            let proof = probe.run().await;
            let now = shared.clock.now();
            let mut state = shared.state();
            let wearer = shared.wearer(Wearer::FIRST, &state.settings, now);
            let call = Call {
                request,
                wearer: &wearer,
                now,
                empty_page: false,
                proof: Some(proof),
            };
            let (outcome, hold) = act(action, endpoint, &call, &mut state);
            (number, outcome, hold)
        }
    };
    if matches!(
        endpoint,
        Endpoint::Google(google::Endpoint::Subscribers { .. })
    ) {
        shared.webhooks_changed.notify_one();
    }
    let present = |reply| endpoint.presented(request, reply);
    let outcome = match outcome {
        Outcome::Send(reply) => Outcome::Send(present(reply)),
        Outcome::SendCut(reply, cut) => Outcome::SendCut(present(reply), cut),
        Outcome::Drop => Outcome::Drop,
    };
    if let Some(hold) = hold {
        tokio::time::sleep(hold).await;
    }
    if let Outcome::Send(reply) | Outcome::SendCut(reply, _) = &outcome {
        shared.state().log.answered(number, reply.status.as_u16());
    }
    outcome
}

/// A request after its arrival.
enum Begun {
    /// It has its reply.
    Acted(u64, Outcome, Option<Duration>),
    /// An endpoint must be verified first, which takes its time.
    Waiting(u64, Option<Action>, Probe),
}

fn begin(endpoint: &Endpoint, request: &Request, shared: &Shared) -> Begun {
    let mut state = shared.state();
    let now = shared.clock.now();
    let wearer = wearer(endpoint, request, &state);
    let number = state.log.add(entry(endpoint, request, wearer, now));
    let action = state.faults.strike(endpoint.name(), wearer);
    if let (Endpoint::Google(endpoint), true) = (endpoint, happens(action.as_ref()))
        && let Some(probe) = google::probe(endpoint, request, &mut state, now)
    {
        return Begun::Waiting(number, action, probe);
    }
    // Without a wearer nobody's data is sent; any will do.
    let wearer = shared.wearer(wearer.unwrap_or(Wearer::FIRST), &state.settings, now);
    let call = Call {
        request,
        wearer: &wearer,
        now,
        empty_page: action == Some(Action::EmptyPage),
        proof: None,
    };
    let (outcome, hold) = act(action, endpoint, &call, &mut state);
    Begun::Acted(number, outcome, hold)
}

/// Returns whether a request has its effect in spite of a fault.
const fn happens(action: Option<&Action>) -> bool {
    !matches!(
        action,
        Some(Action::Status { .. } | Action::DropBefore | Action::Reason(_))
    )
}

fn act(
    action: Option<Action>,
    endpoint: &Endpoint,
    call: &Call<'_>,
    state: &mut State,
) -> (Outcome, Option<Duration>) {
    let mut happen = || endpoint.answer(call, state);
    let outcome = match action {
        // Nothing of what goes wrong with notifications happens to a request.
        None | Some(Action::EmptyPage | Action::Notify(_)) => Outcome::Send(happen()),
        Some(Action::DropBefore) => Outcome::Drop,
        Some(Action::DropAfter) => {
            happen();
            Outcome::Drop
        }
        Some(Action::Stall(hold)) => return (Outcome::Send(happen()), Some(hold)),
        Some(Action::Truncate(cut)) => Outcome::SendCut(happen(), cut),
        Some(Action::Omit(key)) => Outcome::Send(without(happen(), &key)),
        Some(Action::Reason(reason)) => Outcome::Send(endpoint.reason_error(&reason)),
        Some(Action::Status {
            status,
            body,
            headers,
        }) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let mut reply = match body {
                BodyKind::Json => Reply {
                    status,
                    ..endpoint.status_error(status)
                },
                BodyKind::Html => Reply::html(
                    status,
                    document(&status.to_string(), "<p>Please try again later.</p>"),
                ),
                BodyKind::Empty => Reply::empty(status),
            };
            reply.headers.extend(headers);
            Outcome::Send(reply)
        }
    };
    (outcome, None)
}

/// Returns the wearer whom a request is about: whose token or code it carries, or who decides on the
/// consent page.
fn wearer(endpoint: &Endpoint, request: &Request, state: &State) -> Option<Wearer> {
    if endpoint.is_authorize() {
        return chosen_wearer(request, state.wearers);
    }
    let params = request.form().and(request.query_params());
    let named = ["access_token", "refresh_token", "token"];
    let token = request
        .bearer()
        .or_else(|| named.iter().find_map(|name| params.get(name)));
    match token {
        Some(token) => state.tokens.owner(token),
        None => state.codes.owner(params.get("code")?),
    }
}

fn entry(endpoint: &Endpoint, request: &Request, wearer: Option<Wearer>, at: Timestamp) -> Entry {
    let params = request.form().and(request.query_params());
    let mut access_fp = request.bearer().map(fingerprint);
    let mut refresh_fp = params.get("refresh_token").map(fingerprint);
    if let (true, Some(token)) = (endpoint.is_revoke(), params.get("token")) {
        // Access and refresh tokens can be revoked; only access tokens contain a dot.
        let fp = if token.contains('.') {
            &mut access_fp
        } else {
            &mut refresh_fp
        };
        *fp = Some(fingerprint(token));
    }
    Entry {
        at,
        method: request.method.to_string(),
        path: request.path.clone(),
        route: endpoint.name(),
        status: None,
        access_fp,
        refresh_fp,
        user_id: wearer.map(|wearer| endpoint.provider().user_id(wearer)),
    }
}

/// Removes a key from a JSON body: at the top level, or else at any depth.
fn without(mut reply: Reply, key: &str) -> Reply {
    if let Ok(mut body) = serde_json::from_slice::<Value>(&reply.body) {
        let at_top = body.as_object_mut().and_then(|object| object.remove(key));
        if at_top.is_none() {
            remove_nested(&mut body, key);
        }
        reply.body = body.to_string().into_bytes();
    }
    reply
}

fn remove_nested(value: &mut Value, key: &str) {
    match value {
        Value::Object(members) => {
            members.remove(key);
            members
                .values_mut()
                .for_each(|member| remove_nested(member, key));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| remove_nested(item, key)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::ROUTES;

    #[test]
    fn every_route_can_be_named_in_a_fault() {
        // Notifications are sent, not answered.
        let mut names: Vec<&str> = vec!["*", "google.notify"];
        for (method, paths) in [
            (
                Method::GET,
                "/oauth2/authorize /1/user/-/activities/heart/date/today/1d/1min.json /1/user/-/devices.json \
                 /1/user/-/profile.json /1/user/-/sleep/date/today.json /1/nothing \
                 /o/oauth2/v2/auth /oauth2/v3/userinfo /v4/users/me/pairedDevices \
                 /v4/users/me/settings /v4/users/me/identity /v4/users/me/profile /v4/nothing \
                 /v4/users/me/dataTypes/heart-rate/dataPoints \
                 /v4/users/me/dataTypes/heart-rate/dataPoints:reconcile \
                 /v4/users/me/dataTypes/daily-resting-heart-rate/dataPoints \
                 /v4/users/me/dataTypes/daily-heart-rate-zones/dataPoints \
                 /v4/projects/1/subscribers \
                 /googlehealthapi/webhooks/webhooks_public_keyset.json",
            ),
            (
                Method::POST,
                "/oauth2/token /oauth2/revoke /1.1/oauth2/introspect /token /revoke \
                 /v4/users/me/dataTypes/heart-rate/dataPoints:rollUp \
                 /v4/users/me/dataTypes/heart-rate/dataPoints:dailyRollUp",
            ),
        ] {
            let found = paths
                .split_whitespace()
                .filter_map(|path| Endpoint::find(&method, path));
            names.extend(found.map(|endpoint| endpoint.name()));
        }
        names.sort_unstable();
        let mut routes = ROUTES.to_vec();
        routes.sort_unstable();
        assert_eq!(names, routes);
    }
}
