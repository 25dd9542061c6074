//! Heart rates for Home Assistant, over MQTT: each wearer is a device, announced by themselves.
//!
//! [`bridge`] makes a [`Link`] for the embedding program and a [`Bridge`], a task that talks to the broker.
//! The program shows [`State`]s and tells [`AlarmEvent`]s; [`Command`]s come back. A broker that is down, slow
//! or absent delays nothing: the link keeps only the newest states, and a few alarms for a few minutes.
//!
//! ```no_run
//! # async fn doc(settings: pulsewing_mqtt::Settings, states: Vec<pulsewing_mqtt::State>) {
//! let (mut link, bridge) = pulsewing_mqtt::bridge(settings);
//! tokio::spawn(bridge.run());
//! link.show(states);
//! while let Some(command) = link.next_command().await {
//!     println!("{command:?}");
//! }
//! # }
//! ```
//!
//! | topic | kept | message |
//! |---|---|---|
//! | `PREFIX/device/pulsewing_NODE_WEARER/config` | yes | the announcement; an empty one removes the device |
//! | `pulsewing/NODE/availability` | yes | `online`; the broker itself says `offline` when we are gone |
//! | `pulsewing/NODE/WEARER/state` | yes | all numbers, as one JSON object; `null` for what is not known |
//! | `pulsewing/NODE/WEARER/alarm` | no | an event |
//! | `pulsewing/NODE/WEARER/cmd/update`, `snooze`, `ack` | no | to us: `PRESS`, or an object |
//! | `pulsewing/NODE/WEARER/samples` | no | to us: heart rates from another source |
//! | `homeassistant/status` | no | to us: `online` when Home Assistant has started |
//!
//! # What is never said
//! A rate that is too old to say something about the present is `null`, while `measured_at` stays. Only the newest
//! minute is published, never a series: Home Assistant would draw it at the time when it comes. Alarms are not
//! kept by the broker, so none comes twice; a command that a broker kept is ignored.
//!
//! # What is removed
//! The broker keeps announcements, so what it has of this installation is compared after each connection:
//! devices of wearers who are gone, and entities of settings that are off, are removed. [`removal`] removes all.
//!
//! # The client library
//! MQTT 3.1.1 is spoken by `rumqttc-v4-next`: `rumqttc` itself had no release for over a year and keeps
//! a version of webpki with four advisories; `paho-mqtt` needs a C library; `mqtt5` brings a broker along. Of
//! the fork only the protocol is used. TLS is put around the socket here, so that its features for that, which
//! bring other certificates and other cryptography, stay off: the embedding program says with its
//! [`rustls::ClientConfig`] whom it trusts. Each connection gets a new client: nothing of a broken one is sent again.

#![deny(missing_docs)]
#![forbid(unsafe_code)]

mod address;
mod alarm;
mod backoff;
mod command;
mod connection;
mod discovery;
mod ear;
mod link;
mod names;
mod session;
mod settings;
mod socket;
mod state;
mod topics;

pub use address::{AddressError, BrokerAddress};
pub use alarm::{AlarmEvent, AlarmKind, AlarmLevel, AlarmNews};
pub use command::{Command, MAX_SAMPLES};
pub use link::{Bridge, Link, bridge, removal};
pub use names::{NameError, NodeId, Prefix, WearerId};
pub use settings::{Login, LoginError, Product, Settings};
pub use state::State;
