//! The control calls under `/_sandbox/`, for tests and the curious; loopback peers only.

use std::net::IpAddr;

use hyper::{Method, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::faults::Fault;
use crate::fitbit::SEEDED_SCOPES;
use crate::message::{Reply, Request};
use crate::sandbox::Shared;
use crate::settings::Change;

/// Where the control calls live.
pub(crate) const PREFIX: &str = "/_sandbox/";

/// Answers a control call. Everything it answers is JSON; errors are `{"error":"..."}`.
pub(crate) fn answer(request: &Request, peer: IpAddr, shared: &Shared) -> Reply {
    if !peer.to_canonical().is_loopback() {
        return error(
            StatusCode::FORBIDDEN,
            "control calls are answered to loopback peers only",
        );
    }
    let call = request.path.strip_prefix(PREFIX).unwrap_or_default();
    let allowed: &[Method] = match call {
        "requests" | "tokens" => &[Method::GET],
        "seed" | "config" | "faults" => &[Method::POST],
        "clock" => &[Method::GET, Method::POST],
        _ => return error(StatusCode::NOT_FOUND, "there is no such control call"),
    };
    if !allowed.contains(&request.method) {
        return error(
            StatusCode::METHOD_NOT_ALLOWED,
            "this control call needs another method",
        );
    }
    let answer = match call {
        "requests" => Ok(shared.state().log.describe()),
        "tokens" => {
            let state = shared.state();
            Ok(state.tokens.describe(&state.settings, shared.clock.now()))
        }
        "seed" => read(request).and_then(|seed| plant(seed, shared)),
        "config" => read(request).map(|change: Change| {
            shared.state().settings.apply(change);
            json!({})
        }),
        "faults" => read(request).map(|faults: Vec<Fault>| {
            shared.state().faults.replace(faults);
            json!({})
        }),
        _ if request.method == Method::GET => Ok(clock(shared)),
        _ => read(request).and_then(|change| set_clock(change, shared)),
    };
    match answer {
        Ok(body) => Reply::json(StatusCode::OK, &body),
        Err(message) => error(StatusCode::BAD_REQUEST, &message),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Seed {
    fitbit_refresh_token: String,
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
    shared.state().tokens.fitbit_seed(token, scopes, now);
    Ok(json!({}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockChange {
    now: Option<String>,
    advance_s: Option<f64>,
}

fn set_clock(change: ClockChange, shared: &Shared) -> Result<Value, String> {
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
        _ => return Err("name either `now` or `advance_s`".to_owned()),
    }
    Ok(clock(shared))
}

fn clock(shared: &Shared) -> Value {
    json!({ "now": shared.clock.now().to_string() })
}

fn read<T: DeserializeOwned>(request: &Request) -> Result<T, String> {
    serde_json::from_slice(&request.body).map_err(|error| error.to_string())
}

fn error(status: StatusCode, message: &str) -> Reply {
    Reply::json(status, &json!({ "error": message }))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::sandbox::SandboxConfig;

    #[test]
    fn only_loopback_peers_are_answered() {
        let shared = Shared::new(SandboxConfig::default());
        let status = |peer: &str| {
            let parts = hyper::Request::builder()
                .uri("/_sandbox/tokens")
                .body(())
                .unwrap()
                .into_parts();
            let request = Request::new(parts.0, Bytes::new());
            answer(&request, peer.parse().unwrap(), &shared)
                .status
                .as_u16()
        };
        for loopback in ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"] {
            assert_eq!(status(loopback), 200, "{loopback}");
        }
        for other in ["192.168.1.20", "::ffff:10.0.0.1", "fe80::1", "0.0.0.0"] {
            assert_eq!(status(other), 403, "{other}");
        }
    }
}
