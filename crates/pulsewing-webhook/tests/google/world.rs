//! A sandbox, an endpoint, and a project that subscribes one to the other.

use std::{
    net::SocketAddr,
    sync::mpsc,
    thread::JoinHandle,
    time::{Duration, Instant},
};

use jiff::SignedDuration;
use pulsewing_sandbox::{Clock, GOOGLE_APP, Sandbox, SandboxConfig};
use pulsewing_webhook::{
    CloudToken, Request, Secret, ServiceAccount,
    answer::{self, Accepted, AnswerError, Page},
    subscriber::{self, DataTypes, EndpointUri, ProjectNumber, SubscriberId},
};
use serde_json::Value;
use tokio::sync::oneshot;

use crate::{
    endpoint::{Endpoint, Received},
    http::{self, Message},
};

const REDIRECT: &str = "http://127.0.0.1:8721/callback";
pub(crate) const HEART: &str =
    "https://www.googleapis.com/auth/googlehealth.health_metrics_and_measurements.readonly";
pub(crate) const FIRST: &str = "111122223333444455";

/// Everything, at 2026-11-22T14:07:00Z; the clock stands still unless it is moved.
pub(crate) struct World {
    pub(crate) google: SocketAddr,
    pub(crate) clock: Clock,
    pub(crate) endpoint: Endpoint,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl World {
    pub(crate) fn new(wearers: u32) -> Self {
        let (ready, started) = mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            let mut runtime = tokio::runtime::Builder::new_current_thread();
            runtime.enable_all().build().unwrap().block_on(async {
                let sandbox = Sandbox::start(SandboxConfig {
                    wearers: wearers.try_into().unwrap(),
                    now: Some("2026-11-22T14:07:00Z".parse().unwrap()),
                    speed: 0,
                    ..SandboxConfig::default()
                });
                let sandbox = sandbox.await.unwrap();
                let started = (sandbox.address(), sandbox.clock().clone());
                ready.send(started).unwrap();
                let _ = stopped.await;
                sandbox.stop().await;
            });
        });
        let (google, clock) = started.recv().unwrap();
        let endpoint = Endpoint::start(google, clock.clone(), secret());
        Self {
            google,
            clock,
            endpoint,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    /// Starts with the first wearer's consent and a subscriber.
    pub(crate) fn subscribed() -> Self {
        let world = Self::new(1);
        world.consent(1);
        world.subscribe();
        world
    }

    pub(crate) fn advance(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }

    /// Moves the clock to the next sync, and a minute on.
    pub(crate) fn sync(&self) {
        let second = self.clock.now().as_second();
        self.advance(900 - second.rem_euclid(900) + 60);
    }

    /// Makes a control call that succeeds.
    pub(crate) fn control(&self, method: &str, call: &str, body: &str) -> String {
        let target = format!("/_sandbox/{call}");
        let answer = http::send(self.google, method, &target, &[], body.as_bytes());
        assert_eq!(answer.status(), 200, "{}", answer.text());
        answer.text().to_owned()
    }

    /// Has the next notifications go wrong.
    pub(crate) fn mishap(&self, mishap: &str, count: u32) {
        let faults = format!(
            r#"[{{"route":"google.notify","count":{count},"do":{{"notify":"{mishap}"}}}}]"#
        );
        self.control("POST", "faults", &faults);
    }

    /// Waits until the sandbox has noted that a delivery is in a state.
    pub(crate) fn until_noted(&self, state: &str) {
        self.until(|delivery| delivery["state"] == state);
    }

    /// Waits until the sandbox has noted the answers to this many attempts of a delivery.
    pub(crate) fn until_attempts(&self, attempts: usize) {
        self.until(|delivery| {
            delivery["state"] != "sending"
                && delivery["attempts"].as_array().unwrap().len() == attempts
        });
    }

    fn until(&self, is_it: impl Fn(&Value) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let all: Value =
                serde_json::from_str(&self.control("GET", "notifications", "")).unwrap();
            if all.as_array().unwrap().iter().any(&is_it) {
                return;
            }
            assert!(Instant::now() < deadline, "{all}");
        }
    }

    /// Checks that the sandbox has sent this many requests with notifications, and no more is due.
    pub(crate) fn assert_sent(&self, requests: usize) {
        // The clock's last move has been seen when a delivery of after it has.
        self.until(|delivery| delivery["state"] == "delivered");
        let all: Value = serde_json::from_str(&self.control("GET", "notifications", "")).unwrap();
        let attempts = all.as_array().unwrap().iter();
        let attempts = attempts.map(|delivery| delivery["attempts"].as_array().unwrap().len());
        assert_eq!(attempts.sum::<usize>(), requests, "{all}");
        self.endpoint.assert_silent();
    }

    /// Has a wearer consent; returns their refresh token.
    pub(crate) fn consent(&self, user: u32) -> String {
        let query = encoded(&[
            ("client_id", GOOGLE_APP.client_id),
            ("response_type", "code"),
            ("redirect_uri", REDIRECT),
            ("scope", HEART),
            ("access_type", "offline"),
            ("prompt", "consent"),
            ("auto", "1"),
            ("user", &user.to_string()),
        ]);
        let target = format!("/o/oauth2/v2/auth?{query}");
        let answer = http::send(self.google, "GET", &target, &[], b"");
        let (_, query) = answer.header("location").unwrap().split_once('?').unwrap();
        let mut query = form_urlencoded::parse(query.as_bytes());
        let (_, code) = query.find(|(name, _)| name == "code").unwrap();
        let answer = self.post_form(
            "/token",
            &encoded(&[
                ("grant_type", "authorization_code"),
                ("code", &code),
                ("client_id", GOOGLE_APP.client_id),
                ("client_secret", GOOGLE_APP.client_secret),
                ("redirect_uri", REDIRECT),
            ]),
        );
        let body: Value = serde_json::from_slice(&answer.body).unwrap();
        body["refresh_token"].as_str().unwrap().to_owned()
    }

    pub(crate) fn post_form(&self, target: &str, form: &str) -> Message {
        let headers = [("Content-Type", "application/x-www-form-urlencoded")];
        http::send(self.google, "POST", target, &headers, form.as_bytes())
    }

    pub(crate) fn account(&self) -> ServiceAccount {
        ServiceAccount::from_json(&self.control("GET", "service-account", "")).unwrap()
    }

    pub(crate) fn token(&self) -> CloudToken {
        let now = self.clock.now();
        let request = self.account().token_request(now).unwrap();
        let (_, path) = request.url().rsplit_once('/').unwrap();
        let answer = self.post_form(&format!("/{path}"), request.body());
        CloudToken::read(answer.status(), &answer.body, now).unwrap()
    }

    /// Sends a request about subscribers.
    pub(crate) fn ask(&self, request: &Request) -> Message {
        let authorization = self.token().authorization();
        let headers = [
            ("Authorization", authorization.as_str()),
            ("Content-Type", "application/json"),
        ];
        let body = request.body().unwrap_or_default();
        let method = request.method().name();
        http::send(
            self.google,
            method,
            &request.target(),
            &headers,
            body.as_bytes(),
        )
    }

    pub(crate) fn change(&self, request: &Request) -> Result<Accepted, AnswerError> {
        let answer = self.ask(request);
        answer::read_change(answer.status(), &answer.body)
    }

    pub(crate) fn page(&self) -> Page {
        let answer = self.ask(&subscriber::list(&project(), None));
        answer::read_page(answer.status(), &answer.body).unwrap()
    }

    pub(crate) fn uri(&self) -> EndpointUri {
        EndpointUri::parse(&format!("http://{}/hook", self.endpoint.address)).unwrap()
    }

    pub(crate) fn creation(&self) -> Request {
        let heart = DataTypes::new(["heart-rate"]).unwrap();
        subscriber::create(&project(), &id(), &self.uri(), &secret(), &heart)
    }

    /// Creates the subscriber; returns the two verifications.
    pub(crate) fn subscribe(&self) -> [Received; 2] {
        assert_eq!(self.change(&self.creation()), Ok(Accepted::Done));
        [self.endpoint.next(), self.endpoint.next()]
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = self.stop.take().unwrap().send(());
        let _ = self.thread.take().unwrap().join();
    }
}

pub(crate) fn secret() -> Secret {
    Secret::from_random(&[7; 32])
}

pub(crate) fn project() -> ProjectNumber {
    ProjectNumber::parse("100200300400").unwrap()
}

pub(crate) fn id() -> SubscriberId {
    SubscriberId::parse("pulsewing").unwrap()
}

pub(crate) fn encoded(params: &[(&str, &str)]) -> String {
    let mut serializer = form_urlencoded::Serializer::new(String::new());
    serializer.extend_pairs(params).finish()
}
