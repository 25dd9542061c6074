//! The management of subscribers (Google Health API, `projects.subscribers`).
//!
//! A subscriber is created or changed only if its endpoint passes a verification, which takes
//! requests of the sandbox's own. So a request is read twice: [`probe`] finds out what must be
//! verified, and [`answer`] gets what came of it. Every operation is done when it is answered.

use hyper::StatusCode;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{
    Endpoint, body::Body, error, fields::camel, page, parameters, route::SubscriberCall,
    service_account::Bearer,
};
use crate::{
    cloud,
    message::{Params, Reply, Request, with},
    state::State,
    wearer::Wearer,
    webhook::{self, Config, PROJECT_NUMBER, Probe, Proof, Subscriber},
};

/// A change of subscribers that can be made.
enum Change {
    /// Create or replace; the endpoint must be verified first, or was not touched.
    Put(Box<Subscriber>, Verification),
    Delete,
}

#[derive(PartialEq, Eq)]
enum Verification {
    Needed,
    /// Neither address nor secret changed.
    NotNeeded,
}

/// Returns the verification that a request needs before it can be answered.
pub(super) fn probe(
    endpoint: &Endpoint,
    request: &Request,
    state: &mut State,
    now: Timestamp,
) -> Option<Probe> {
    let Endpoint::Subscribers { project, call } = endpoint else {
        return None;
    };
    let params = allowed(endpoint, project, request, state, now).ok()?;
    match change(call, &params, request, state, now).ok()? {
        Change::Put(subscriber, Verification::Needed) => Some(Probe {
            endpoint_uri: subscriber.endpoint_uri,
            secret: subscriber.secret,
            signature: state.webhooks.keys.sign(Probe::BODY, now)?,
        }),
        _ => None,
    }
}

/// Answers a call on subscribers.
pub(super) fn answer(
    endpoint: &Endpoint,
    call: &cloud::Call<'_>,
    state: &mut State,
) -> Result<Reply, Box<Reply>> {
    let (request, now) = (call.request, call.now);
    let Endpoint::Subscribers {
        project,
        call: kind,
    } = endpoint
    else {
        return Err(Box::new(error::not_found(&request.path)));
    };
    let params = allowed(endpoint, project, request, state, now)?;
    if *kind == SubscriberCall::List {
        return list(&params, call, state);
    }
    match change(kind, &params, request, state, now)? {
        Change::Put(subscriber, verification) => {
            match (&verification, &call.proof) {
                (Verification::NotNeeded, _) | (_, Some(Proof::Verified)) => {}
                (_, Some(Proof::Failed(why))) => return Err(Box::new(unverified(why))),
                // Another request came in between, and this one needs a verification now.
                (_, None) => return Err(Box::new(busy())),
            }
            let response = with(
                subscriber.describe(),
                "@type",
                "type.googleapis.com/google.devicesandservices.health.v4.Subscriber",
            );
            match state.webhooks.subscribers.find_mut(&subscriber.id) {
                Some(known) => *known = *subscriber,
                None => state.webhooks.add(*subscriber, now),
            }
            Ok(done(&response))
        }
        Change::Delete => {
            if let SubscriberCall::Delete(id) = kind {
                state.webhooks.subscribers.remove(id);
            }
            Ok(done(
                &json!({ "@type": "type.googleapis.com/google.protobuf.Empty" }),
            ))
        }
    }
}

/// Checks that the service account asks, for its own project, and with parameters of the call.
fn allowed(
    endpoint: &Endpoint,
    project: &str,
    request: &Request,
    state: &State,
    now: Timestamp,
) -> Result<Params, Box<Reply>> {
    let Some(token) = request.bearer() else {
        return Err(Box::new(error::credentials_missing(endpoint.method_name())));
    };
    let scopes = match state.service_tokens.find(token, now) {
        Bearer::ServiceAccount(scopes) => scopes,
        // A wearer owns no project, whatever they granted.
        Bearer::Another if state.tokens.owner(token).is_some() => {
            return Err(Box::new(error::for_reason(
                "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
            )));
        }
        Bearer::Another | Bearer::Expired => return Err(Box::new(error::unauthenticated())),
    };
    if !scopes.iter().any(|scope| scope == CLOUD_PLATFORM) {
        return Err(Box::new(error::for_reason(
            "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
        )));
    }
    // Only the number is accepted, not the project's id, as users report.
    if project != PROJECT_NUMBER {
        return Err(Box::new(error::without_details(
            StatusCode::FORBIDDEN,
            "PERMISSION_DENIED",
            "The caller does not have permission",
        )));
    }
    parameters::read(endpoint, request)
}

fn change(
    call: &SubscriberCall,
    params: &Params,
    request: &Request,
    state: &State,
    now: Timestamp,
) -> Result<Change, Box<Reply>> {
    let subscribers = &state.webhooks.subscribers;
    let known = |id: &str| subscribers.find(id).ok_or_else(|| Box::new(no_such()));
    match call {
        SubscriberCall::Create => {
            let id = match params.get("subscriberId") {
                Some(id) => checked_id(id)?,
                None => made_id(subscribers.all().count(), now),
            };
            if subscribers.find(&id).is_some() {
                return Err(Box::new(exists()));
            }
            let body = Body::read(request, WRITABLE)?;
            let mut subscriber = Subscriber {
                id,
                endpoint_uri: String::new(),
                secret: String::new(),
                configs: Vec::new(),
                state: webhook::State::Active,
                created_at: now,
                updated_at: now,
            };
            set_uri(&mut subscriber, &body)?;
            set_secret(&mut subscriber, &body)?;
            set_configs(&mut subscriber, &body)?;
            Ok(Change::Put(Box::new(subscriber), Verification::Needed))
        }
        SubscriberCall::Patch(id) => {
            let mut subscriber = known(id)?.clone();
            // A whole subscriber may be sent back as it was listed.
            let body = Body::read(request, &[WRITABLE, READ_ONLY].concat())?;
            let mask = mask(params.get("updateMask"), &body)?;
            let has = |name: &str| mask.iter().any(|path| path == name);
            if has(ENDPOINT_URI) {
                set_uri(&mut subscriber, &body)?;
            }
            if has(AUTHORIZATION) {
                set_secret(&mut subscriber, &body)?;
            }
            if has(CONFIGS) {
                set_configs(&mut subscriber, &body)?;
            }
            subscriber.updated_at = now;
            let verification = if has(ENDPOINT_URI) || has(AUTHORIZATION) {
                subscriber.state = webhook::State::Active;
                Verification::Needed
            } else {
                Verification::NotNeeded
            };
            Ok(Change::Put(Box::new(subscriber), verification))
        }
        SubscriberCall::Delete(id) => {
            known(id)?;
            match params.get("force") {
                None | Some("true" | "false") => Ok(Change::Delete),
                Some(_) => Err(Box::new(error::malformed("force", "Not a boolean."))),
            }
        }
        SubscriberCall::List => Err(Box::new(busy())),
    }
}

fn list(params: &Params, call: &cloud::Call<'_>, state: &State) -> Result<Reply, Box<Reply>> {
    let size = page::size(page::parse_size(params.get("pageSize"))?, 50, 1000)?;
    let tokens = page::Tokens::bound_to(Wearer::FIRST, &["subscribers", &size.to_string()]);
    let token = params.get("pageToken");
    let subscribers = &state.webhooks.subscribers;
    tokens.page(token, size, "subscribers", call.empty_page, || {
        subscribers.all().map(Subscriber::describe).collect()
    })
}

/// Reads the paths of an update mask, in either spelling; without one it is all that the body has.
fn mask(written: Option<&str>, body: &Body) -> Result<Vec<String>, Box<Reply>> {
    let Some(written) = written else {
        let present = WRITABLE
            .iter()
            .filter(|name| body.members.contains_key(**name));
        return Ok(present.map(|name| (*name).to_owned()).collect());
    };
    let paths: Vec<String> = written.split(',').map(|path| camel(path.trim())).collect();
    match paths.iter().find(|path| !WRITABLE.contains(&path.as_str())) {
        Some(unknown) => Err(Box::new(error::malformed(
            "update_mask",
            &format!("The field {unknown} cannot be updated."),
        ))),
        None => Ok(paths),
    }
}

fn set_uri(subscriber: &mut Subscriber, body: &Body) -> Result<(), Box<Reply>> {
    let uri = body.text(ENDPOINT_URI)?.unwrap_or_default();
    if !webhook::is_allowed(uri) {
        return Err(body.wrong(
            ENDPOINT_URI,
            "The sandbox notifies endpoints on this computer only, by http.",
        ));
    }
    uri.clone_into(&mut subscriber.endpoint_uri);
    Ok(())
}

fn set_secret(subscriber: &mut Subscriber, body: &Body) -> Result<(), Box<Reply>> {
    let authorization = body.object(AUTHORIZATION)?;
    authorization.only(&["secret", "secretSet"])?;
    let secret = authorization.text("secret")?.unwrap_or_default();
    let is_header = secret.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    let has_scheme = secret
        .split_once(' ')
        .is_some_and(|(scheme, rest)| !scheme.is_empty() && !rest.trim().is_empty());
    if !is_header || !has_scheme {
        return Err(authorization.wrong(
            "secret",
            "The secret must include the authorization scheme.",
        ));
    }
    secret.clone_into(&mut subscriber.secret);
    Ok(())
}

fn set_configs(subscriber: &mut Subscriber, body: &Body) -> Result<(), Box<Reply>> {
    let configs = match body.members.get(CONFIGS) {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(configs)) => {
            let configs = configs.iter().map(|config| read_config(config, body));
            configs.collect::<Result<Vec<Config>, Box<Reply>>>()?
        }
        Some(_) => return Err(body.wrong(CONFIGS, "Not a list.")),
    };
    subscriber.configs = configs;
    Ok(())
}

fn read_config(config: &Value, body: &Body) -> Result<Config, Box<Reply>> {
    let members = config.as_object().cloned().unwrap_or_default();
    let members: Map<String, Value> = members
        .into_iter()
        .map(|(name, value)| (camel(&name), value))
        .collect();
    let mut names = members.keys();
    if let Some(unknown) = names.find(|name| !["dataTypes", POLICY].contains(&name.as_str())) {
        return Err(Box::new(error::unknown_field(
            unknown,
            "subscriber_configs",
        )));
    }
    let types = members.get("dataTypes").and_then(Value::as_array);
    let types: Option<Vec<&str>> =
        types.and_then(|types| types.iter().map(Value::as_str).collect());
    let types = types.filter(|types| !types.is_empty());
    let types = types.ok_or_else(|| body.wrong(CONFIGS, "Data types are required."))?;
    if let Some(unknown) = types.iter().find(|name| !NOTIFIED.contains(name)) {
        return Err(body.wrong(
            CONFIGS,
            &format!("There are no notifications of {unknown}."),
        ));
    }
    let is_automatic = match members.get(POLICY).and_then(Value::as_str) {
        Some("AUTOMATIC") => true,
        Some("MANUAL") => false,
        _ => return Err(body.wrong(CONFIGS, "A subscription create policy is required.")),
    };
    Ok(Config {
        data_types: types.into_iter().map(str::to_owned).collect(),
        is_automatic,
    })
}

fn checked_id(id: &str) -> Result<String, Box<Reply>> {
    let is_fine = (4..=36).contains(&id.len())
        && id.starts_with(|first: char| first.is_ascii_lowercase())
        && !id.ends_with('-')
        && id
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    if is_fine {
        return Ok(id.to_owned());
    }
    Err(Box::new(error::malformed(
        "subscriber_id",
        "It must match [a-z]([a-z0-9-]{2,34}[a-z0-9]).",
    )))
}

/// Returns an id for a subscriber without one, in the form of a UUID.
fn made_id(count: usize, now: Timestamp) -> String {
    let digest = crate::oauth::fingerprint(&format!("{count} {now}"));
    format!("a1b2c3d4-e5f6-4890-9234-{digest}")
}

/// Returns a finished operation. Its name is the sandbox's own: Google does not document any.
fn done(response: &Value) -> Reply {
    let number = crate::oauth::fingerprint(&response.to_string());
    Reply::ok(&json!({
        "name": format!("projects/{PROJECT_NUMBER}/operations/{number}"),
        "done": true,
        "response": response,
    }))
}

fn unverified(why: &str) -> Reply {
    let message = format!("The endpoint could not be verified: {why}.");
    error::without_details(StatusCode::BAD_REQUEST, "FAILED_PRECONDITION", &message)
}

fn exists() -> Reply {
    let message = "Requested entity already exists";
    error::without_details(StatusCode::CONFLICT, "ALREADY_EXISTS", message)
}

fn no_such() -> Reply {
    let message = "Requested entity was not found.";
    error::without_details(StatusCode::NOT_FOUND, "NOT_FOUND", message)
}

fn busy() -> Reply {
    error::for_status(StatusCode::SERVICE_UNAVAILABLE, false)
}

const ENDPOINT_URI: &str = "endpointUri";
const AUTHORIZATION: &str = "endpointAuthorization";
const CONFIGS: &str = "subscriberConfigs";
const POLICY: &str = "subscriptionCreatePolicy";
const WRITABLE: &[&str] = &[ENDPOINT_URI, AUTHORIZATION, CONFIGS];
const READ_ONLY: &[&str] = &["name", "state", "createTime", "updateTime"];

const CLOUD_PLATFORM: &str = "https://www.googleapis.com/auth/cloud-platform";

/// The data types with notifications (Google Health API, Webhooks, Supported data types).
const NOTIFIED: &[&str] = &[
    "active-zone-minutes",
    "activity-level",
    "altitude",
    "blood-glucose",
    "body-fat",
    "calories-in-heart-rate-zone",
    "daily-heart-rate-variability",
    "daily-heart-rate-zones",
    "daily-oxygen-saturation",
    "daily-respiratory-rate",
    "daily-resting-heart-rate",
    "daily-sleep-temperature-derivations",
    "distance",
    "exercise",
    "floors",
    "heart-rate",
    "heart-rate-variability",
    "height",
    "hydration-log",
    "nutrition-log",
    "respiratory-rate-sleep-summary",
    "run-vo2-max",
    "sedentary-period",
    "sleep",
    "steps",
    "time-in-heart-rate-zone",
    "total-calories",
    "weight",
];
