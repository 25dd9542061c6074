//! The control calls under `/_sandbox/`, for tests and users on this computer.

use std::net::IpAddr;

use hyper::{Method, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{
    faults::Fault,
    google,
    message::{Reply, Request},
    misread,
    oauth::SEEDED_SCOPES,
    settings::Change,
    state::Shared,
    visitor,
    wearer::Wearer,
    webhook::{self, OldKey, Subscriber},
};

/// The path prefix of the control calls.
pub(crate) const PREFIX: &str = "/_sandbox/";

/// Answers a control call. All replies are JSON; errors are `{"error":"..."}`.
pub(crate) fn answer(request: &Request, peer: IpAddr, shared: &Shared) -> Reply {
    if let Some(reason) = visitor::refusal(request, peer, &shared.tls_names) {
        return error(StatusCode::FORBIDDEN, reason);
    }
    let call = request.path.strip_prefix(PREFIX).unwrap_or_default();
    let allowed: &[Method] = match call {
        "requests" | "tokens" | "service-account" | "notifications" => &[Method::GET],
        "seed" | "rotate-key" => &[Method::POST],
        "clock" | "config" | "faults" | "subscribers" => &[Method::GET, Method::POST],
        _ => return error(StatusCode::NOT_FOUND, "there is no such control call"),
    };
    if !allowed.contains(&request.method) {
        return error(
            StatusCode::METHOD_NOT_ALLOWED,
            "this control call needs a different method",
        );
    }
    let is_get = request.method == Method::GET;
    let answer = match call {
        "requests" => Ok(shared.state().log.describe()),
        "tokens" => {
            let state = shared.state();
            let grants = state.tokens.describe(&state.settings, shared.clock.now());
            Ok(grants.collect())
        }
        "service-account" => Ok(google::key_file(&origin(request, shared))),
        "notifications" => Ok(shared.state().webhooks.describe()),
        "rotate-key" => read(request).and_then(|rotation| rotate(rotation, shared)),
        "subscribers" if is_get => Ok(subscribers(shared)),
        "subscribers" => read(request).and_then(|change| set_subscriber(change, shared)),
        "seed" => read(request).and_then(|seed| plant(seed, shared)),
        "config" if is_get => settings(request, shared),
        "config" => read(request).and_then(|change: Change| {
            shared.state().change(change)?;
            Ok(json!({}))
        }),
        "faults" if is_get => Ok(shared.state().faults.describe()),
        "faults" => read(request).and_then(|faults: Vec<Fault>| {
            shared.state().replace_faults(faults)?;
            Ok(json!({}))
        }),
        _ if is_get => Ok(clock(shared)),
        _ => read(request).and_then(|change| set_clock(change, shared)),
    };
    if !is_get {
        shared.webhooks_changed.notify_one();
    }
    match answer {
        Ok(body) => Reply::ok(&body),
        Err(message) => error(StatusCode::BAD_REQUEST, &message),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Seed {
    fitbit_refresh_token: String,
    user: Option<Wearer>,
}

fn plant(seed: Seed, shared: &Shared) -> Result<Value, String> {
    let token = seed.fitbit_refresh_token;
    let is_hex = token
        .bytes()
        .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if token.len() != 64 || !is_hex {
        return Err("fitbit_refresh_token must be 64 lower-case hex digits".to_owned());
    }
    let now = shared.clock.now();
    let scopes = SEEDED_SCOPES.map(str::to_owned).to_vec();
    let mut state = shared.state();
    let wearer = state.known(seed.user)?;
    state.tokens.fitbit_seed(wearer, token, scopes, now);
    Ok(json!({}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rotation {
    #[serde(default)]
    old: OldKey,
}

/// Makes a new key that signs notifications.
fn rotate(rotation: Rotation, shared: &Shared) -> Result<Value, String> {
    let now = shared.clock.now();
    let id = shared.state().webhooks.keys.rotate(rotation.old, now);
    let id = id.ok_or_else(|| "this computer has no randomness for a key".to_owned())?;
    Ok(json!({ "key_id": id }))
}

fn subscribers(shared: &Shared) -> Value {
    let state = shared.state();
    let all = state.webhooks.subscribers.all();
    all.map(Subscriber::describe).collect()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SubscriberChange {
    id: String,
    state: webhook::State,
}

/// Changes the state of a subscriber, as Google does with one that fails for long.
fn set_subscriber(change: SubscriberChange, shared: &Shared) -> Result<Value, String> {
    let mut state = shared.state();
    let subscriber = state.webhooks.subscribers.find_mut(&change.id);
    let subscriber = subscriber.ok_or_else(|| format!("there is no subscriber `{}`", change.id))?;
    subscriber.state = change.state;
    Ok(json!({}))
}

/// Returns the origin by which this request reached the sandbox.
fn origin(request: &Request, shared: &Shared) -> String {
    let scheme = if shared.tls_names.is_empty() {
        "http"
    } else {
        "https"
    };
    let host = request.header("host").unwrap_or("localhost");
    format!("{scheme}://{host}")
}

/// Returns the settings as they are for the wearer whom the query names, or for all others.
fn settings(request: &Request, shared: &Shared) -> Result<Value, String> {
    let state = shared.state();
    let Some(user) = request.query_params().get("user").map(str::to_owned) else {
        return Ok(json!(state.settings));
    };
    let number: u32 = user
        .parse()
        .map_err(|_| format!("`user` must be a number, not `{user}`"))?;
    let wearer = state.known(Some(Wearer::try_from(number)?))?;
    Ok(json!(state.settings.of(wearer)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClockChange {
    now: Option<String>,
    advance_s: Option<f64>,
}

/// Moves the clock.
pub(crate) fn set_clock(change: ClockChange, shared: &Shared) -> Result<Value, String> {
    match change {
        ClockChange {
            now: Some(now),
            advance_s: None,
        } => {
            let now: Timestamp = now
                .parse()
                .map_err(|_| "`now` must be RFC 3339".to_owned())?;
            shared.clock.set(now);
        }
        ClockChange {
            now: None,
            advance_s: Some(seconds),
        } => {
            let by = SignedDuration::try_from_secs_f64(seconds)
                .map_err(|_| "`advance_s` is out of range".to_owned())?;
            shared.clock.advance(by);
        }
        _ => return Err("give either `now` or `advance_s`".to_owned()),
    }
    Ok(clock(shared))
}

fn clock(shared: &Shared) -> Value {
    json!({ "now": shared.clock.now().to_string() })
}

fn read<T: DeserializeOwned>(request: &Request) -> Result<T, String> {
    serde_json::from_slice(&request.body).map_err(|error| misread::in_words(&error))
}

fn error(status: StatusCode, message: &str) -> Reply {
    Reply::json(status, &json!({ "error": message }))
}
