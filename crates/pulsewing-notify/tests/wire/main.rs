//! What goes over the wire, seen by a recorder on loopback that can fail in every way.
//!
//! Tokio's clock stands still and is moved by hand, so that a test of minutes takes no time, and a slow
//! machine changes nothing.

#![expect(clippy::unwrap_used, reason = "a failure is a failed test")]

mod faults;
mod forms;
mod recorder;
mod secrecy;

use std::{path::Path, sync::Arc};

use jiff::Timestamp;
use pulsewing_core::{
    Bpm,
    alarm::{Event, Kind, Level},
};
use pulsewing_notify::{Channel, Clock, Notice, Outbox, SendSettings, SnoozeCall, client};

/// A client as the program makes it, but without certificates: nothing here speaks TLS.
fn plain_client() -> reqwest::Client {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    client(tls).unwrap()
}

fn clock() -> Clock {
    Arc::new(|| "2026-11-29T13:18:40Z".parse::<Timestamp>().unwrap())
}

/// Starts channels from their tables. Files of secrets are `token`, `user`, `signing` and `snooze`.
fn outbox(dir: &Path, tables: &[String]) -> Outbox {
    for (name, secret) in [
        ("token", "tk_hush"),
        ("user", "u_hush"),
        ("signing", "hush-0123456789abcdef"),
        ("snooze", "sn_hush_hush_hush"),
    ] {
        std::fs::write(dir.join(name), secret).unwrap();
    }
    let settings = tables.iter().map(|table| toml::from_str(table).unwrap());
    let settings: Vec<SendSettings> = settings.collect();
    let channels = Channel::all(&settings, dir).unwrap();
    Outbox::start(channels, plain_client(), &dir.join("told.json"), clock())
}

fn high(event: Event) -> Notice {
    Notice {
        wearer: "lea".to_owned(),
        wearer_name: "Léa".to_owned(),
        kind: Kind::High,
        level: Level::Urgent,
        event,
        heading: "Heart rate too high".to_owned(),
        sentence: "It was 132 bpm at 14:05; the limit is 120.".to_owned(),
        bpm: Bpm::new(132),
        limit: Bpm::new(120),
        at: Some("2026-11-29T13:05:00Z".parse().unwrap()),
        since: "2026-11-29T12:58:00Z".parse().unwrap(),
        page: Some("https://pulse.example/lea".to_owned()),
        snooze: vec![SnoozeCall {
            label: "Silence 30 min".to_owned(),
            url: "https://pulse.example/api/v1/wearers/lea/alarms/high/snooze".to_owned(),
            body: "{\"minutes\":30}".to_owned(),
        }],
    }
}

/// The counts of a channel: sent, failed, dropped, summed.
fn counts(outbox: &Outbox, channel: usize) -> [u64; 4] {
    let counts = outbox.reports()[channel].counts;
    counts.by_result().map(|(_, count)| count)
}
