//! `pulsewing sandbox` as a separate process.

use serde_json::{Value, json};

use crate::harness::{
    hermetic::{Home, Running},
    loopback_http::{self, Reply},
    patience::until,
};

/// A running sandbox; it ends when this value is dropped.
pub(crate) struct Sandbox {
    process: Option<Running>,
    pub(crate) url: String,
    pub(crate) ready: Value,
}

impl Sandbox {
    /// Starts a sandbox with these options, and waits for its ready line.
    pub(crate) fn start(home: &Home, options: &[&str]) -> Self {
        let args = [&["sandbox"], options].concat();
        // The ready line has the client secrets, which are the same for every sandbox.
        let process = home.program(&args).showing_secrets().start();
        let line = process.line();
        let ready: Value = serde_json::from_str(&line).unwrap();
        Self {
            url: ready["url"].as_str().unwrap().to_owned(),
            ready,
            process: Some(process),
        }
    }

    /// Starts a sandbox with a recording; its clock starts seven minutes after the last sample's sync.
    pub(crate) fn with_recording(home: &Home, csv: &str, zone: &str) -> Self {
        let path = home.write("recording.csv", csv);
        Self::start(home, &["--data", &path, "--zone", zone])
    }

    /// Takes the process out, to end it in a special way.
    pub(crate) fn into_process(mut self) -> Running {
        self.process.take().unwrap()
    }

    fn control(&self, method: &str, call: &str, body: &str) -> Value {
        let url = format!("{}/_sandbox/{call}", self.url);
        let reply = loopback_http::exchange(method, &url, &[], body);
        assert_eq!(reply.status, 200, "{call} {body}: {}", reply.body);
        reply.json()
    }

    /// Sends a GET request to the cloud with an access token.
    pub(crate) fn get_as(&self, access: &str, target: &str) -> Reply {
        let bearer = format!("Bearer {access}");
        let url = format!("{}{target}", self.url);
        loopback_http::exchange("GET", &url, &[("Authorization", &bearer)], "")
    }

    /// Posts JSON to the cloud with an access token.
    pub(crate) fn post_as(&self, access: &str, target: &str, body: &Value) -> Reply {
        let bearer = format!("Bearer {access}");
        let url = format!("{}{target}", self.url);
        let headers = [
            ("Authorization", bearer.as_str()),
            ("Content-Type", "application/json"),
        ];
        loopback_http::exchange("POST", &url, &headers, &body.to_string())
    }

    /// Returns the time on its clock.
    pub(crate) fn now(&self) -> String {
        self.control("GET", "clock", "")["now"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// Advances its clock.
    pub(crate) fn advance(&self, seconds: i64) {
        self.control(
            "POST",
            "clock",
            &json!({ "advance_s": seconds }).to_string(),
        );
    }

    /// Sets its clock.
    pub(crate) fn set_clock(&self, now: &str) {
        self.control("POST", "clock", &json!({ "now": now }).to_string());
    }

    /// Changes its settings.
    pub(crate) fn configure(&self, change: &Value) {
        self.control("POST", "config", &change.to_string());
    }

    /// Replaces its fault list.
    pub(crate) fn faults(&self, faults: &Value) {
        self.control("POST", "faults", &faults.to_string());
    }

    /// Makes one kind of request fail `count` times; 0 means for ever.
    pub(crate) fn fault(&self, route: &str, count: u32, action: &Value) {
        self.faults(&json!([{ "route": route, "count": count, "do": action }]));
    }

    /// Plants a Fitbit chain that begins with this refresh token.
    pub(crate) fn seed(&self, token: &str) {
        let body = json!({ "fitbit_refresh_token": token });
        self.control("POST", "seed", &body.to_string());
    }

    /// Plants one for the wearer of this number.
    pub(crate) fn seed_of(&self, user: usize, token: &str) {
        let body = json!({ "fitbit_refresh_token": token, "user": user });
        self.control("POST", "seed", &body.to_string());
    }

    /// Returns the token table: every grant.
    pub(crate) fn tokens(&self) -> Vec<Value> {
        let tokens = self.control("GET", "tokens", "");
        tokens.as_array().unwrap().clone()
    }

    /// Returns every request so far.
    pub(crate) fn requests(&self) -> Vec<Value> {
        self.control("GET", "requests", "")
            .as_array()
            .unwrap()
            .clone()
    }

    /// Returns the requests of one route.
    pub(crate) fn requests_of(&self, route: &str) -> Vec<Value> {
        let mut requests = self.requests();
        requests.retain(|request| request["route"] == route);
        requests
    }

    /// Returns the routes of all requests, in order.
    pub(crate) fn routes(&self) -> Vec<String> {
        self.requests()
            .iter()
            .map(|request| request["route"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Waits until this many requests of a route have arrived.
    pub(crate) fn wait_for(&self, route: &str, count: usize) {
        until(&format!("{count} requests of {route}"), || {
            (self.requests_of(route).len() >= count).then_some(())
        });
    }

    /// Returns the contents of the token table for a provider.
    pub(crate) fn grant(&self, provider: &str) -> Value {
        let tokens = self.control("GET", "tokens", "");
        let mut grants = tokens.as_array().unwrap().iter();
        grants
            .find(|grant| grant["provider"] == provider)
            .cloned()
            .unwrap_or_default()
    }

    /// Returns the contents of the token table for an account.
    pub(crate) fn grant_of(&self, provider: &str, user_id: &str) -> Value {
        let tokens = self.control("GET", "tokens", "");
        let mut grants = tokens.as_array().unwrap().iter();
        grants
            .find(|grant| grant["provider"] == provider && grant["user_id"] == user_id)
            .cloned()
            .unwrap_or_default()
    }

    /// Returns the fingerprints of a provider's active refresh tokens.
    pub(crate) fn active_refresh_tokens(&self, provider: &str) -> Vec<String> {
        let grant = self.grant(provider);
        let tokens = grant["refresh"].as_array().into_iter().flatten();
        tokens
            .filter(|token| token["state"] == "active")
            .map(|token| token["fp"].as_str().unwrap().to_owned())
            .collect()
    }
}
