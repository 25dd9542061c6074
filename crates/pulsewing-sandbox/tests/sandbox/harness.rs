//! Runs a sandbox on its own thread, with a tiny client that returns every byte.

use std::{
    fmt::Write as _,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::mpsc,
    thread::JoinHandle,
    time::Duration,
};

use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use jiff::{SignedDuration, tz::TimeZone};
use pulsewing_sandbox::{Clock, FITBIT_APP, GOOGLE_APP, Recording, Sandbox, SandboxConfig};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::sync::oneshot;

pub(crate) const REDIRECT: &str = "http://127.0.0.1:8721/callback";
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const HEART: &str =
    "https://www.googleapis.com/auth/googlehealth.health_metrics_and_measurements.readonly";
pub(crate) const SETTINGS: &str = "https://www.googleapis.com/auth/googlehealth.settings.readonly";
pub(crate) const PROFILE: &str = "https://www.googleapis.com/auth/googlehealth.profile.readonly";
pub(crate) const SEED: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

/// The first minutes of a day, in Berlin; in UTC they are 23:00 and so on.
const RECORDING: &str = "\
    2026-11-22T00:00:00,60\n2026-11-22T00:00:59,61\n\
    2026-11-22T00:01:00,70\n2026-11-22T00:01:10,70\n2026-11-22T00:01:20,71\n\
    2026-11-22T00:05:00,90\n";

/// A running sandbox whose clock stands still unless it is moved.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) clock: Clock,
    pub(crate) ready: Value,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// A reply as it was received.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

/// The reply of a token endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) refresh: String,
}

impl Running {
    /// Starts at 2026-11-22T14:07:00Z with the synthetic wearer in Berlin.
    pub(crate) fn start() -> Self {
        Self::with(at_seven_past_two())
    }

    /// Starts at the same instant with several synthetic wearers.
    pub(crate) fn with_wearers(wearers: u32) -> Self {
        Self::with(SandboxConfig {
            wearers: wearers.try_into().unwrap(),
            ..at_seven_past_two()
        })
    }

    /// Starts with a recording, given as CSV in the time of `zone`.
    pub(crate) fn recorded(csv: &str, zone: &str) -> Self {
        let zone = TimeZone::get(zone).unwrap();
        let data = vec![Recording::from_csv(csv, &zone).unwrap()];
        Self::with(SandboxConfig {
            data,
            zone,
            speed: 0,
            ..SandboxConfig::default()
        })
    }

    /// Starts with a short recording, and returns an access token for Google.
    pub(crate) fn recorded_google() -> (Self, String) {
        let sandbox = Self::recorded(&format!("time,bpm\n{RECORDING}"), "Europe/Berlin");
        let tokens = sandbox.google_login();
        (sandbox, tokens.access)
    }

    /// Starts with the same after a sample of the evening before, and returns an access token for Fitbit.
    pub(crate) fn recorded_fitbit() -> (Self, String) {
        let csv = format!("time,bpm\n2026-11-21T23:59:55,80\n{RECORDING}");
        let sandbox = Self::recorded(&csv, "Europe/Berlin");
        let tokens = sandbox.fitbit_login();
        (sandbox, tokens.access)
    }

    /// Starts with a sign-in to Fitbit.
    pub(crate) fn with_fitbit() -> (Self, Tokens) {
        let sandbox = Self::start();
        let tokens = sandbox.fitbit_login();
        (sandbox, tokens)
    }

    /// Starts with a sign-in to Fitbit, and returns its access token.
    pub(crate) fn with_fitbit_access() -> (Self, String) {
        let (sandbox, tokens) = Self::with_fitbit();
        (sandbox, tokens.access)
    }

    /// Starts with a sign-in to Google.
    pub(crate) fn with_google() -> (Self, Tokens) {
        let sandbox = Self::start();
        let tokens = sandbox.google_login();
        (sandbox, tokens)
    }

    /// Starts with a sign-in to Google, and returns its access token.
    pub(crate) fn with_google_access() -> (Self, String) {
        let (sandbox, tokens) = Self::with_google();
        (sandbox, tokens.access)
    }

    pub(crate) fn with(config: SandboxConfig) -> Self {
        let (ready, started) = mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            block_on(async {
                let sandbox = Sandbox::start(config).await.unwrap();
                ready
                    .send((
                        sandbox.address(),
                        sandbox.clock().clone(),
                        sandbox.ready_line(),
                    ))
                    .unwrap();
                let _ = stopped.await;
                sandbox.stop().await;
            });
        });
        let (address, clock, ready) = started.recv().unwrap();
        Self {
            address,
            clock,
            ready,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    pub(crate) fn advance(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }

    /// Sends a request and returns every byte of the answer, until the connection closes.
    pub(crate) fn raw(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Vec<u8> {
        let mut stream = self.send(method, target, headers, body);
        let mut bytes = Vec::new();
        // A dropped connection may be reset: the bytes received before that count.
        let _ = stream.read_to_end(&mut bytes);
        bytes
    }

    /// Sends a request and leaves the connection open.
    pub(crate) fn send(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        let mut head =
            format!("{method} {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
        for (name, value) in headers {
            write!(head, "{name}: {value}\r\n").unwrap();
        }
        write!(head, "Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
        stream.write_all(head.as_bytes()).unwrap();
        stream
    }

    /// Sends a request with a foreign `Host` header and returns the answer as text.
    pub(crate) fn raw_with_host(&self, host: &str, method: &str, target: &str) -> String {
        let mut stream = TcpStream::connect(self.address).unwrap();
        let head =
            format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text
    }

    /// Posts with these headers, each with its line ending, and no other header about the body.
    pub(crate) fn post_as_told(&self, target: &str, headers: &str, body: &str) -> Response {
        let mut stream = TcpStream::connect(self.address).unwrap();
        let request = format!(
            "POST {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n{body}"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        Response::parse(&bytes).unwrap()
    }

    pub(crate) fn request(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Response {
        Response::parse(&self.raw(method, target, headers, body)).unwrap()
    }

    pub(crate) fn get(&self, target: &str) -> Response {
        self.request("GET", target, &[], "")
    }

    /// Gets a resource with an access token.
    pub(crate) fn get_as(&self, access: &str, target: &str) -> Response {
        self.request(
            "GET",
            target,
            &[("Authorization", &format!("Bearer {access}"))],
            "",
        )
    }

    pub(crate) fn post_form(&self, target: &str, form: &[(&str, &str)]) -> Response {
        self.request(
            "POST",
            target,
            &[("Content-Type", "application/x-www-form-urlencoded")],
            &encoded(form),
        )
    }

    pub(crate) fn post_json_as(&self, access: &str, target: &str, body: &Value) -> Response {
        let headers = [
            ("Authorization", format!("Bearer {access}")),
            ("Content-Type", "application/json".to_owned()),
        ];
        let headers: Vec<(&str, &str)> = headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        self.request("POST", target, &headers, &body.to_string())
    }

    /// Makes a control call that succeeds.
    pub(crate) fn control(&self, call: &str, body: &Value) -> Value {
        let target = format!("/_sandbox/{call}");
        let response = if body.is_null() {
            self.get(&target)
        } else {
            self.request("POST", &target, &[], &body.to_string())
        };
        assert_eq!(response.status, 200, "{call}: {}", response.body);
        response.json()
    }

    pub(crate) fn fault(&self, route: &str, action: Value) {
        self.control("faults", &json!([{ "route": route, "do": action }]));
    }

    /// Returns the states of the Fitbit refresh tokens, oldest first, and the generation.
    pub(crate) fn fitbit_chain(&self) -> (String, u64) {
        let tokens = self.control("tokens", &Value::Null);
        let mut grants = tokens.as_array().unwrap().iter();
        let chain = grants.find(|grant| grant["provider"] == "fitbit").unwrap();
        let states = chain["refresh"].as_array().unwrap().iter();
        let states: Vec<_> = states
            .map(|token| token["state"].as_str().unwrap())
            .collect();
        (states.join(" "), chain["generation"].as_u64().unwrap())
    }

    /// Signs in to Fitbit with PKCE and every scope that a heart-rate client needs.
    pub(crate) fn fitbit_login(&self) -> Tokens {
        self.fitbit_login_as("")
    }

    /// Signs in as one of several wearers.
    pub(crate) fn fitbit_login_as(&self, user: &str) -> Tokens {
        let code = self.fitbit_code_as(user, "heartrate settings profile");
        let response = self.fitbit_exchange(&code, VERIFIER);
        assert_eq!(response.status, 200, "{}", response.body);
        response.tokens()
    }

    pub(crate) fn fitbit_code(&self, scope: &str) -> String {
        self.fitbit_code_as("", scope)
    }

    fn fitbit_code_as(&self, user: &str, scope: &str) -> String {
        let response = self.get(&format!(
            "/oauth2/authorize?{}",
            encoded(&[
                ("client_id", FITBIT_APP.client_id),
                ("response_type", "code"),
                ("redirect_uri", REDIRECT),
                ("scope", scope),
                ("state", "s t"),
                ("code_challenge", &challenge()),
                ("code_challenge_method", "S256"),
                ("auto", "1"),
                ("user", user),
            ])
        ));
        response.redirect_param("code").unwrap()
    }

    pub(crate) fn fitbit_exchange(&self, code: &str, verifier: &str) -> Response {
        self.post_form(
            "/oauth2/token",
            &[
                ("grant_type", "authorization_code"),
                ("client_id", FITBIT_APP.client_id),
                ("code", code),
                ("code_verifier", verifier),
                ("redirect_uri", REDIRECT),
            ],
        )
    }

    pub(crate) fn fitbit_refresh(&self, refresh: &str) -> Response {
        let headers = [("Content-Type", "application/x-www-form-urlencoded")];
        self.request("POST", "/oauth2/token", &headers, &refresh_form(refresh))
    }

    /// Signs in to Google with PKCE, offline.
    pub(crate) fn google_login(&self) -> Tokens {
        let response = self.google_exchange(
            &self.google_code(&format!("{HEART} {SETTINGS}"), &[]),
            VERIFIER,
        );
        assert_eq!(response.status, 200, "{}", response.body);
        response.tokens()
    }

    /// Signs in as one of several wearers, with every scope that says who they are.
    pub(crate) fn google_login_as(&self, user: &str) -> Tokens {
        let scopes = format!("{HEART} {SETTINGS} {PROFILE} openid email profile");
        let offline = [("access_type", "offline"), ("prompt", "consent")];
        let code = self.google_code(&scopes, &[&offline[..], &[("user", user)]].concat());
        let response = self.google_exchange(&code, VERIFIER);
        assert_eq!(response.status, 200, "{}", response.body);
        response.tokens()
    }

    pub(crate) fn google_code(&self, scope: &str, more: &[(&str, &str)]) -> String {
        let challenge = challenge();
        let mut params = vec![
            ("client_id", GOOGLE_APP.client_id),
            ("response_type", "code"),
            ("redirect_uri", REDIRECT),
            ("scope", scope),
            ("code_challenge", challenge.as_str()),
            ("code_challenge_method", "S256"),
            ("auto", "1"),
        ];
        if more.is_empty() {
            params.extend([("access_type", "offline"), ("prompt", "consent")]);
        }
        params.extend(more.iter().copied());
        self.get(&format!("/o/oauth2/v2/auth?{}", encoded(&params)))
            .redirect_param("code")
            .unwrap()
    }

    pub(crate) fn google_exchange(&self, code: &str, verifier: &str) -> Response {
        self.google_token(&[
            ("grant_type", "authorization_code"),
            ("code", code),
            ("code_verifier", verifier),
            ("redirect_uri", REDIRECT),
        ])
    }

    pub(crate) fn google_refresh(&self, refresh: &str) -> Response {
        self.google_token(&[("grant_type", "refresh_token"), ("refresh_token", refresh)])
    }

    pub(crate) fn google_token(&self, form: &[(&str, &str)]) -> Response {
        let mut form = form.to_vec();
        form.extend([
            ("client_id", GOOGLE_APP.client_id),
            ("client_secret", GOOGLE_APP.client_secret),
        ]);
        self.post_form("/token", &form)
    }

    /// Requests rolled-up heart rate; `more` replaces or adds members of the body.
    pub(crate) fn roll_up(&self, access: &str, start: &str, end: &str, more: Value) -> Response {
        let mut body =
            json!({ "range": { "startTime": start, "endTime": end }, "windowSize": "60s" });
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        self.post_json_as(
            access,
            "/v4/users/me/dataTypes/heart-rate/dataPoints:rollUp",
            &body,
        )
    }

    /// Lists points; `params` are the query.
    pub(crate) fn list(&self, access: &str, kind: &str, params: &[(&str, &str)]) -> Response {
        self.get_as(
            access,
            &format!("/v4/users/me/dataTypes/{kind}?{}", encoded(params)),
        )
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.stop.take().unwrap().send(());
        let _ = self.thread.take().unwrap().join();
    }
}

impl Response {
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let text = String::from_utf8(bytes.to_vec()).ok()?;
        let (head, body) = text.split_once("\r\n\r\n")?;
        let mut lines = head.lines();
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let header = |line: &str| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_ascii_lowercase(), value.trim().to_owned()))
        };
        Some(Self {
            status,
            headers: lines.filter_map(header).collect(),
            body: body.to_owned(),
        })
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.body))
    }

    pub(crate) fn tokens(&self) -> Tokens {
        let body = self.json();
        let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
        Tokens {
            access: text("access_token"),
            refresh: text("refresh_token"),
        }
    }

    /// Returns a parameter of the address that the browser is sent to.
    pub(crate) fn redirect_param(&self, name: &str) -> Option<String> {
        let location = self.header("location")?.split('#').next()?;
        let (_, query) = location.split_once('?')?;
        let mut params = form_urlencoded::parse(query.as_bytes());
        params
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }

    /// Returns the type of Fitbit's first error.
    pub(crate) fn fitbit_error(&self) -> String {
        self.json()["errors"][0]["errorType"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// Checks the status of a refusal by Fitbit, and the type of its first error.
    #[track_caller]
    pub(crate) fn fitbit_refuses(&self, status: u16, error_type: &str) {
        let told = (self.status, self.fitbit_error());
        assert_eq!(told, (status, error_type.to_owned()), "{}", self.body);
    }

    /// Checks the status of a refusal by a Google API, and its reason.
    #[track_caller]
    pub(crate) fn google_refuses(&self, status: u16, reason: &str) {
        let told = (self.status, self.reason());
        assert_eq!(told, (status, reason.to_owned()), "{}", self.body);
    }

    /// Checks the status and the error of a refusal in the form of OAuth.
    #[track_caller]
    pub(crate) fn oauth_refuses(&self, status: u16, error: &str) {
        let told = (self.status, &self.json()["error"]);
        assert_eq!(told, (status, &json!(error)), "{}", self.body);
    }

    /// Returns the reason in a Google API error.
    pub(crate) fn reason(&self) -> String {
        self.json()["error"]["details"][0]["reason"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }
}

/// Returns a sandbox at 2026-11-22T14:07:00Z with the synthetic wearer in Berlin.
fn at_seven_past_two() -> SandboxConfig {
    SandboxConfig {
        zone: TimeZone::get("Europe/Berlin").unwrap(),
        now: Some("2026-11-22T14:07:00Z".parse().unwrap()),
        speed: 0,
        ..SandboxConfig::default()
    }
}

/// Runs a future to its end.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().unwrap().block_on(future)
}

/// Returns the form of a refresh at Fitbit.
pub(crate) fn refresh_form(refresh: &str) -> String {
    encoded(&[
        ("grant_type", "refresh_token"),
        ("client_id", FITBIT_APP.client_id),
        ("refresh_token", refresh),
    ])
}

pub(crate) fn encoded(params: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(params)
        .finish()
}

pub(crate) fn challenge() -> String {
    Base64UrlUnpadded::encode_string(&Sha256::digest(VERIFIER.as_bytes()))
}

pub(crate) fn basic(id: &str, secret: &str) -> String {
    format!(
        "Basic {}",
        Base64::encode_string(format!("{id}:{secret}").as_bytes())
    )
}

pub(crate) fn fingerprint(token: &str) -> String {
    let digest = Sha256::digest(token.as_bytes());
    digest
        .iter()
        .take(6)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
