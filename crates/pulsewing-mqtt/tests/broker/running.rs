//! A bridge in a thread of its own, as a program runs it beside other things.

use std::{
    sync::Arc,
    thread::{self, JoinHandle},
    time::Duration,
};

use pulsewing_mqtt::{
    AlarmEvent, AlarmKind, AlarmLevel, AlarmNews, Bridge, Command, Link, Product, Settings, State,
    WearerId,
};
use pulsewing_testkit::{at, mqtt::Broker};
use tokio::{
    runtime::{Builder, Runtime},
    sync::oneshot,
};

/// The longest time for anything that is expected soon.
const SOON: Duration = Duration::from_secs(60);

pub(crate) const AVAILABILITY: &str = "pulsewing/ab12/availability";
pub(crate) const STATUS: &str = "homeassistant/status";

/// A bridge that runs.
pub(crate) struct Running {
    pub(crate) link: Link,
    runtime: Runtime,
    kill: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl Running {
    /// Starts one that shows these wearers.
    pub(crate) fn showing(settings: Settings, wearers: &[State]) -> Self {
        let running = Self::of(pulsewing_mqtt::bridge(settings));
        running.link.show(wearers.to_vec());
        running
    }

    pub(crate) fn of((link, bridge): (Link, Bridge)) -> Self {
        let (kill, killed) = oneshot::channel();
        let thread = thread::spawn(move || {
            runtime().block_on(async {
                tokio::select! {
                    () = bridge.run() => {}
                    _ = killed => {}
                }
            });
        });
        Self {
            link,
            runtime: runtime(),
            kill,
            thread,
        }
    }

    /// Waits for the next command.
    pub(crate) fn command(&mut self) -> Command {
        let next = async { tokio::time::timeout(SOON, self.link.next_command()).await };
        self.runtime.block_on(next).unwrap().unwrap()
    }

    /// Ends it as it should be.
    pub(crate) fn stop(self) {
        self.link.stop();
        self.thread.join().unwrap();
    }

    /// Waits until it ends by itself.
    pub(crate) fn ended(self) {
        self.thread.join().unwrap();
        drop(self.link);
    }

    /// Ends it in the middle of whatever it does.
    pub(crate) fn kill(self) {
        self.kill.send(()).unwrap();
        self.thread.join().unwrap();
    }
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

pub(crate) fn settings(broker: &Broker) -> Settings {
    settings_at(&format!("mqtt://127.0.0.1:{}", broker.port()))
}

pub(crate) fn settings_at(address: &str) -> Settings {
    Settings {
        broker: address.parse().unwrap(),
        tls: trusting(rustls::RootCertStore::empty()),
        login: None,
        node: "ab12".parse().unwrap(),
        prefix: "homeassistant".parse().unwrap(),
        product: Product {
            version: "0.1.0".to_owned(),
            url: "https://example.org".to_owned(),
            page: None,
            zones: vec!["Easy".to_owned(), "Peak".to_owned()],
        },
    }
}

pub(crate) fn trusting(roots: rustls::RootCertStore) -> Arc<rustls::ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    Arc::new(config)
}

pub(crate) fn id(wearer: &str) -> WearerId {
    wearer.parse().unwrap()
}

/// Returns a wearer of whom all is known, with two alarms that are on.
pub(crate) fn wearer(id: &str) -> State {
    State {
        wearer: id.parse().unwrap(),
        name: id.to_uppercase(),
        bpm: Some(72),
        zone: Some("Easy".to_owned()),
        measured_at: Some(at("2026-11-22T12:58:00Z")),
        resting: Some(58),
        battery: Some(64),
        synced_at: Some(at("2026-11-22T13:01:00Z")),
        is_fresh: true,
        problem: None,
        alarms: vec![(AlarmKind::High, false), (AlarmKind::Stale, false)],
    }
}

pub(crate) fn high(bpm: u16) -> AlarmEvent {
    AlarmEvent {
        kind: AlarmKind::High,
        level: AlarmLevel::Warning,
        event: AlarmNews::Raised,
        sentence: format!("{bpm} bpm"),
        bpm: Some(bpm),
        limit: Some(120),
        measured_at: Some(at("2026-11-22T12:58:00Z")),
        since: at("2026-11-22T12:51:00Z"),
        until: None,
    }
}

pub(crate) fn config(wearer: &str) -> String {
    format!("homeassistant/device/pulsewing_ab12_{wearer}/config")
}

pub(crate) fn state(wearer: &str) -> String {
    format!("pulsewing/ab12/{wearer}/state")
}
