//! Wearers in Home Assistant, over MQTT. Commands come back.
//!
//! | file | contents |
//! |---|---|
//! | `mod.rs` | what is shown, and when; what commands do |
//! | `wearer.rs` | a wearer's snapshot and signals, as they are published |
//! | `node.rs` | the id of this installation |
//!
//! The bridge is a task of its own: nothing here waits for the broker.

mod node;
mod wearer;

use std::{path::Path, sync::Arc, time::Duration};

use jiff::SignedDuration;
use pulsewing_core::{
    alarm::{Kind, Level},
    heart_zone::HeartZone,
};
use pulsewing_intake::{Format, Precision};
use pulsewing_mqtt::{Bridge, Command, Link, Product, Settings, bridge, removal};
use tokio::task::JoinError;
use tokio_stream::{
    StreamExt as _, StreamMap,
    wrappers::{BroadcastStream, errors::BroadcastStreamRecvError},
};

use crate::{
    alarms::{Request, Told},
    config::{Config, wearer::WearerId},
    daemon::{Member, Members, intake},
    engine::{clock::Clock, http, stop::Stop},
    tell::problem::Problem,
};

/// Where to read about Pulsewing.
const ABOUT: &str = env!("CARGO_PKG_REPOSITORY");

/// The source of samples that come over the broker.
const SOURCE: &str = "mqtt";

/// The face of all wearers in Home Assistant.
pub(crate) struct Mqtt {
    config: Arc<Config>,
    members: Members,
    clock: Clock,
    link: Link,
    bridge: Bridge,
}

impl Mqtt {
    /// Builds the face, if a broker is configured. `page` is the address of the page for others.
    ///
    /// # Errors
    /// A [`Problem`] with the settings, their files or the state directory.
    pub(crate) fn new(
        config: &Arc<Config>,
        members: Members,
        clock: Clock,
        state_dir: &Path,
        page: Option<String>,
    ) -> Result<Option<Self>, Problem> {
        let mqtt = &config.mqtt;
        let Some(broker) = mqtt.url.clone() else {
            return Ok(None);
        };
        let tls = http::tls_config(broker.has_tls(), "mqtt", mqtt.ca_file.as_deref())?;
        let page = config
            .web
            .public_url
            .as_ref()
            .map(ToString::to_string)
            .or(page);
        let settings = Settings {
            broker,
            tls: Arc::new(tls),
            login: mqtt.login()?,
            node: match &mqtt.node {
                Some(node) => node.clone(),
                None => node::of(state_dir)?,
            },
            prefix: mqtt.prefix.clone().unwrap_or_default(),
            product: Product {
                version: env!("CARGO_PKG_VERSION").to_owned(),
                url: ABOUT.to_owned(),
                page: page.map(|page| format!("{page}/")),
                zones: std::iter::once(HeartZone::VeryLow)
                    .chain(HeartZone::ORDINARY)
                    .map(|zone| zone.name().to_owned())
                    .collect(),
            },
        };
        let (link, bridge) = match mqtt.enabled {
            true => bridge(settings),
            false => removal(settings),
        };
        Ok(Some(Self {
            config: Arc::clone(config),
            members,
            clock,
            link,
            bridge,
        }))
    }

    /// Shows the wearers until a request to stop, and then says that they are not available any more: that
    /// takes a few seconds at the most.
    pub(crate) async fn run(self, stop: &Stop) {
        let Self {
            config,
            members,
            clock,
            mut link,
            bridge,
        } = self;
        let mut told = StreamMap::new();
        let bridge = tokio::spawn(bridge.run());
        let mut changes = members.any_change().subscribe();
        loop {
            changes.borrow_and_update();
            // From a request to stop on, wearers go because their loops end. They are not removed.
            if stop.is_requested() {
                break;
            }
            listen(&members, &mut told);
            let now = clock.now();
            let all = members.all();
            let states = all.iter().filter_map(|member| {
                wearer::state(member, &config.limits(&member.wearer), now.utc)
            });
            link.show(states.collect());
            let minute =
                Duration::from_secs(60 - now.utc.as_second().rem_euclid(60).unsigned_abs());
            tokio::select! {
                biased;
                () = stop.requested() => break,
                changed = changes.changed() => if changed.is_err() { break },
                Some((id, told)) = told.next() => tell(&link, &id, told),
                Some(command) = link.next_command() => obey(&members, &clock, command),
                () = clock.sleep_until(now.up + minute) => {}
            }
        }
        link.stop();
        ended(bridge.await);
    }
}

/// Listens to the signals of the wearers there are.
fn listen(members: &Members, told: &mut StreamMap<WearerId, BroadcastStream<Told>>) {
    let members = members.all();
    let ids: Vec<WearerId> = told.keys().cloned().collect();
    for id in ids {
        if members.iter().all(|member| member.wearer.id != id) {
            told.remove(&id);
        }
    }
    for member in members.iter() {
        let id = &member.wearer.id;
        if !told.contains_key(id) {
            let signals = BroadcastStream::new(member.broadcast.subscribe_told());
            told.insert(id.clone(), signals);
        }
    }
}

/// Tells Home Assistant of a signal.
fn tell(link: &Link, id: &WearerId, told: Result<Told, BroadcastStreamRecvError>) {
    match told {
        Ok(told) => {
            if let Ok(id) = id.as_str().parse() {
                link.tell(id, wearer::event(&told));
            }
        }
        Err(BroadcastStreamRecvError::Lagged(count)) => {
            tracing::warn!(count, "MQTT: too many signals at once; some are not told");
        }
    }
}

/// Does what somebody asks for.
fn obey(members: &Members, clock: &Clock, command: Command) {
    let id = match &command {
        Command::Update { wearer }
        | Command::Snooze { wearer, .. }
        | Command::Acknowledge { wearer, .. }
        | Command::Samples { wearer, .. } => wearer,
    };
    let everybody = members.clone();
    let members = members.all();
    let member = members
        .iter()
        .find(|member| member.wearer.id.as_str() == id.as_str());
    let Some(member) = member else {
        return;
    };
    match command {
        Command::Update { .. } => member.broadcast.update_now(),
        Command::Snooze { kind, minutes, .. } => {
            let length = SignedDuration::from_mins(minutes.into());
            let Ok(until) = clock.now().utc.checked_add(length) else {
                return;
            };
            ask(member, meant(member, kind), move |(kind, up_to)| {
                Request::Snooze { kind, up_to, until }
            });
        }
        Command::Acknowledge { kind, .. } => {
            ask(member, meant(member, kind), |(kind, _)| {
                Request::Acknowledge { kind }
            });
        }
        Command::Samples { bytes, .. } => {
            let id = member.wearer.id.clone();
            tokio::spawn(async move { accept(&everybody, &id, bytes).await });
        }
    }
}

/// Takes samples that somebody published. The broker has authenticated them, so they all have one source.
async fn accept(members: &Members, id: &WearerId, body: Vec<u8>) {
    let Ok(source) = SOURCE.parse() else {
        return;
    };
    let is_json = body.trim_ascii_start().starts_with(b"[");
    let format = match is_json {
        true => Format::Json,
        false => Format::LineProtocol(Precision::default()),
    };
    match intake::accept(members, id, source, body, format).await {
        Ok(accepted) => {
            tracing::debug!(wearer = %id, new = accepted.new, refused = accepted.refused.total(), "MQTT: samples");
        }
        Err(why) => tracing::warn!(wearer = %id, "MQTT: samples were not taken: {why}"),
    }
}

/// Returns the alarms that are meant, each with the level up to which: one kind, or all that are active.
fn meant(member: &Member, kind: Option<pulsewing_mqtt::AlarmKind>) -> Vec<(Kind, Level)> {
    let snapshot = member.broadcast.snapshot();
    let mut active = snapshot.alarms.active.iter();
    match kind.map(wearer::kind_of) {
        None => active.map(|alarm| (alarm.kind, alarm.level)).collect(),
        Some(kind) => {
            let level = active.find(|alarm| alarm.kind == kind).map(|it| it.level);
            let lowest = kind.levels().first().copied().unwrap_or(Level::Info);
            vec![(kind, level.unwrap_or(lowest))]
        }
    }
}

/// Has requests done on a separate thread: the alarms are in files.
fn ask(
    member: &Member,
    meant: Vec<(Kind, Level)>,
    request: impl Fn((Kind, Level)) -> Request + Send + 'static,
) {
    let broadcast = member.broadcast.clone();
    tokio::task::spawn_blocking(move || {
        for one in meant {
            broadcast.obey(&request(one));
        }
    });
}

/// Passes a panic of the bridge on: nothing is known about its state any more.
fn ended(bridge: Result<(), JoinError>) {
    if let Err(error) = bridge
        && let Ok(panic) = error.try_into_panic()
    {
        std::panic::resume_unwind(panic);
    }
}
