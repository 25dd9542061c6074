//! A month in virtual time: the cycle, the chain's real files and real HTTP against the sandbox,
//! with a fault in every tenth request. Nothing sleeps: a wait moves the clock.
use std::time::Duration;

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use pulsewing_core::{
    ClientSecret, Provider,
    chain::Client,
    cycle::{Action, Cycle, Failure, Memory, Now, Pacing, Settings},
    request::REQUEST_BUFFER,
};
use pulsewing_sandbox::{Clock, FITBIT_APP, GOOGLE_APP, Sandbox, SandboxConfig};
use serde_json::Value;

use super::sign_in;
use crate::{
    config::{EndpointsConfig, places::Place, wearer::WearerId},
    custody::{Custody as _, chain_file::ChainFile},
    engine::{
        http::{Answered, Http, Outgoing, Part},
        zone,
    },
};

/// Five days before the clocks go back in Berlin.
const START: &str = "2026-10-20T06:00:00Z";
const DAYS: i64 = 30;

/// The faults for every tenth request, in turn.
const FAULTS: [&str; 9] = [
    r#"{"status":503,"body":"html"}"#,
    r#"{"drop":"after"}"#,
    r#"{"truncate":60}"#,
    r#"{"drop":"before"}"#,
    r#"{"status":429,"headers":{"Retry-After":"30"}}"#,
    r#"{"status":401}"#,
    r#"{"status":500,"body":"empty"}"#,
    r#"{"omit":"refresh_token"}"#,
    r#"{"truncate":200}"#,
];

#[test]
fn a_month_of_faults_costs_fitbit_no_sign_in() {
    let month = Month::live(Provider::Fitbit);
    month.check();
    // About three rotations a day, not the original's ninety-six.
    let rotations = month.generation - 1;
    assert!((85..=150).contains(&rotations), "{rotations} rotations");
}

#[test]
fn a_month_of_faults_costs_google_no_sign_in() {
    let month = Month::live(Provider::Google);
    month.check();
    assert_eq!(month.generation, 1, "Google's refresh token stays");
}

/// The result of a month.
struct Month {
    readings: u32,
    failures: Vec<Failure>,
    /// The times of the requests that the cap counts; `sent` is the number of all requests.
    counted: Vec<Timestamp>,
    sent: usize,
    generation: u32,
    stored: String,
    tokens: Value,
}

impl Month {
    fn live(provider: Provider) -> Self {
        // For the control calls. Fine if the other test has installed it already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
            .block_on(async { World::new(provider).await.live().await })
    }

    fn check(&self) {
        let ended = |failure: &&Failure| matches!(failure, Failure::ConsentNeeded(_));
        assert_eq!(self.failures.iter().find(ended), None);
        assert!(self.sent > 5_000, "{} requests", self.sent);
        // Most faults are overcome within their cycle.
        let (readings, failures) = (self.readings, self.failures.len());
        assert!(readings > 2_500, "{readings} readings, {failures} failures");
        let active: Vec<_> = self
            .tokens
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|chain| chain["refresh"].as_array().unwrap())
            .filter(|refresh| refresh["state"] == "active")
            .map(|refresh| refresh["fp"].as_str().unwrap())
            .collect();
        assert_eq!(active, [self.stored.as_str()]);
        let hour = SignedDuration::from_hours(1);
        let mut first = 0;
        for (place, at) in self.counted.iter().enumerate() {
            while at.duration_since(self.counted[first]) >= hour {
                first += 1;
            }
            assert!(
                place - first < 60,
                "more than 60 requests in the hour before {at}"
            );
        }
    }
}

/// A sandbox whose clock moves only when we move it, and a cycle beside it.
struct World {
    sandbox: Sandbox,
    clock: Clock,
    http: Http,
    files: ChainFile,
    cycle: Cycle,
    counted: Vec<Timestamp>,
    sent: usize,
    /// Whether the previous token request had no answer, so that the next one is a replay.
    is_replay: bool,
    _dir: tempfile::TempDir,
}

impl World {
    async fn new(provider: Provider) -> Self {
        let sandbox = Sandbox::start(SandboxConfig {
            zone: TimeZone::get("Europe/Berlin").unwrap(),
            now: Some(START.parse().unwrap()),
            speed: 0,
            ..SandboxConfig::default()
        })
        .await
        .unwrap();
        let config = EndpointsConfig {
            base_url: Some(sandbox.url()),
            ..EndpointsConfig::default()
        };
        let http = Http::new(provider, &config).unwrap();
        let app = match provider {
            Provider::Google => GOOGLE_APP,
            Provider::Fitbit => FITBIT_APP,
        };
        let client = Client {
            id: app.client_id.try_into().unwrap(),
            secret: ClientSecret::new(app.client_secret).ok(),
        };
        let dir = tempfile::tempdir().unwrap();
        let mut files = ChainFile::new(Place::new(dir.path(), &WearerId::default()));
        files.lock(Duration::ZERO).await.unwrap();
        let chain = sign_in(&http, client, sandbox.clock()).await;
        files.store_new(&chain).await.unwrap();
        files.unlock().await;
        // A fault sees only the requests that no earlier fault takes: nine for each of those.
        let faults: Vec<_> = (0..2_000)
            .map(|n| {
                let (skip, action) = (9 * (n + 1), FAULTS[n % FAULTS.len()]);
                format!(r#"{{"route":"*","skip":{skip},"count":1,"do":{action}}}"#)
            })
            .collect();
        let body = format!("[{}]", faults.join(","));
        let posted = reqwest::Client::new()
            .post(sandbox.url() + "/_sandbox/faults")
            .body(body)
            .send();
        assert!(posted.await.unwrap().status().is_success());
        let settings = Settings {
            provider,
            issuer: http.endpoints().issuer(),
            client_id: None,
            client_secret: None,
            user_id: None,
            every: Duration::from_secs(900),
            hourly_cap: 60,
            heart_zones: None,
            born: None,
            cache_access: true,
            deadline: None,
        };
        Self {
            clock: sandbox.clock().clone(),
            sandbox,
            http,
            files,
            cycle: Cycle::new(settings, Pacing::default(), Memory::default(), 7),
            counted: Vec::new(),
            sent: 0,
            is_replay: false,
            _dir: dir,
        }
    }

    async fn live(mut self) -> Month {
        let end = start() + SignedDuration::from_hours(24 * DAYS);
        let (mut readings, mut failures) = (0, Vec::new());
        while self.clock.now() < end {
            match self.next().await {
                Ok(()) => readings += 1,
                Err(failure) => failures.push(failure),
            }
        }
        let chain = self.files.look().unwrap().record.unwrap().chain;
        let tokens = reqwest::get(self.sandbox.url() + "/_sandbox/tokens")
            .await
            .unwrap();
        Month {
            readings,
            failures,
            counted: self.counted,
            sent: self.sent,
            generation: chain.generation(),
            stored: chain.refresh_token().fingerprint().to_string(),
            tokens: serde_json::from_slice(&tokens.bytes().await.unwrap()).unwrap(),
        }
    }

    fn now(&self) -> Now {
        let utc = self.clock.now();
        let up = utc.duration_since(start()).unsigned_abs();
        Now { utc, up }
    }

    async fn next(&mut self) -> Result<(), Failure> {
        let mut buffer = [0; REQUEST_BUFFER];
        loop {
            match self.cycle.poll(self.now(), &mut buffer) {
                Action::OpenChain { .. } => {
                    self.files.lock(Duration::ZERO).await.unwrap();
                    let record = self.files.look().unwrap().record.unwrap();
                    self.cycle.opened(record, self.now());
                }
                Action::Store { len, what } => {
                    let result = self.files.store(&buffer[..len], what).await;
                    self.cycle.stored(result.is_ok(), self.now());
                }
                Action::CloseChain => {
                    self.files.unlock().await;
                    self.cycle.closed(self.now());
                }
                Action::Send { request, timeout } => {
                    let outgoing = self.http.prepare(&request.view(&buffer), timeout);
                    self.send(outgoing).await;
                }
                Action::ResolveZone { facts, at } => {
                    let zone = zone::resolve(&facts, None, at);
                    self.cycle.zone_resolved(zone, self.now());
                }
                Action::Finished(result) => {
                    self.cycle.acknowledge();
                    return result;
                }
                Action::Wait { until } => {
                    let wait = until.saturating_sub(self.now().up);
                    let wait = wait.max(Duration::from_millis(1));
                    self.clock.advance(wait.try_into().unwrap());
                }
            }
        }
    }

    async fn send(&mut self, outgoing: Outgoing) {
        let now = self.now();
        let is_rotation = outgoing.label() == "POST /oauth2/token";
        self.sent += 1;
        if !(is_rotation && self.is_replay) {
            self.counted.push(now.utc);
        }
        let cycle = &mut self.cycle;
        let result = outgoing
            .send(now.utc, |part| match part {
                Part::Head(head) => cycle.reply_head(head),
                Part::Body(chunk) => cycle.reply_body(chunk),
            })
            .await;
        let is_success = |answered: &Answered| answered.status.is_success();
        self.is_replay = is_rotation && !result.as_ref().is_ok_and(is_success);
        let cause = result.err().map(|unanswered| unanswered.cause);
        self.cycle.reply_end(cause, now);
    }
}

fn start() -> Timestamp {
    START.parse().unwrap()
}
