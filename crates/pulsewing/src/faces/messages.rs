//! Messages about alarms to people who are elsewhere, and the dead man's ping.
//!
//! The channels themselves are the crate `pulsewing-notify`: each has a task and a queue of its own, so that
//! nothing here waits.

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use pulsewing_core::alarm::{Cause, Event, Kind, Level, Trouble};
use pulsewing_notify::{Channel, Notice, Outbox, Ping, Report, SnoozeCall, client};
use tokio::{
    sync::broadcast::error::RecvError,
    task::{AbortHandle, JoinSet},
};

use crate::{
    alarms::Told,
    config::{Config, wearer::WearerId},
    daemon::{Member, Members},
    engine::{clock::Clock, http::tls_to},
    tell::problem::Problem,
};

/// The name of the file that says who was told of what.
const MEMORY: &str = "told.json";

/// How long messages may take to be sent when the program ends.
const AT_THE_END: Duration = Duration::from_secs(5);

/// The snoozes that a message offers, in minutes.
const SNOOZES: [u16; 2] = [30, 120];

/// The channels and the ping of a daemon.
#[derive(Debug)]
pub(crate) struct Messages {
    outbox: Outbox,
    ping: Option<Ping>,
    /// The address of the page for people elsewhere, without a slash at its end.
    page: Option<String>,
}

impl Messages {
    /// Starts the channels of the configuration; `None` if it names neither a channel nor a ping.
    ///
    /// # Errors
    /// A [`Problem`] with a channel or with the certificates.
    pub(crate) fn start(
        config: &Config,
        state_dir: &Path,
        clock: &Clock,
        page: Option<String>,
    ) -> Result<Option<Self>, Problem> {
        let alarms = &config.alarms;
        if alarms.send.is_empty() && alarms.ping.is_none() {
            return Ok(None);
        }
        let tls = tls_to(config.endpoints.ca_file.as_deref())?;
        let client = client(tls)
            .map_err(|error| Problem::failed("messages cannot be sent").caused_by(&error))?;
        let clock = clock.clone();
        let clock: pulsewing_notify::Clock = Arc::new(move || clock.now().utc);
        let ping = alarms.ping.clone();
        let ping = ping.map(|url| Ping::start(url, client.clone(), Arc::clone(&clock)));
        let memory = state_dir.join(MEMORY);
        let channels = channels(config)?;
        let public = config.web.public_url.as_ref().map(ToString::to_string);
        Ok(Some(Self {
            outbox: Outbox::start(channels, client, &memory, clock),
            ping,
            page: public
                .or(page)
                .map(|page| page.trim_end_matches('/').to_owned()),
        }))
    }

    /// Sends a test message over a channel.
    ///
    /// # Errors
    /// A [`Problem`] that says why it did not get through.
    pub(crate) async fn test(&self, channel: &str) -> Result<(), Problem> {
        self.outbox
            .test(channel)
            .await
            .map_err(|error| Problem::failed(error.to_string()))
    }

    /// Returns the state of each channel.
    pub(crate) fn reports(&self) -> Vec<Report> {
        self.outbox.reports()
    }

    /// Returns whether a message carries this token, so that its bearer may snooze alarms.
    pub(crate) fn may_snooze(&self, token: &[u8]) -> bool {
        self.outbox.may_snooze(token)
    }

    /// Tells of the alarms of all wearers, and pings after their updates. Never returns.
    pub(crate) async fn run(self: Arc<Self>, members: Members) {
        let mut changes = members.any_change().subscribe();
        let mut tasks = JoinSet::new();
        let mut followed: BTreeMap<WearerId, AbortHandle> = BTreeMap::new();
        loop {
            changes.borrow_and_update();
            let all = members.all();
            let is_there = |id: &WearerId| all.iter().any(|member| member.wearer.id == *id);
            followed.retain(|id, task| {
                is_there(id) || {
                    task.abort();
                    false
                }
            });
            for member in all.iter() {
                let id = &member.wearer.id;
                if followed.contains_key(id) {
                    continue;
                }
                let (messages, member) = (Arc::clone(&self), member.clone());
                let members = members.clone();
                let task = tasks.spawn(async move { messages.follow(&member, &members).await });
                followed.insert(id.clone(), task);
            }
            if changes.changed().await.is_err() {
                // The list of wearers outlives the program's work.
                std::future::pending::<()>().await;
            }
        }
    }

    /// Tells of a wearer's alarms, and pings after their updates.
    async fn follow(&self, member: &Member, members: &Members) {
        let mut told = member.broadcast.subscribe_told();
        let mut snapshots = member.broadcast.subscribe();
        let mut success = snapshots.borrow_and_update().last_success;
        loop {
            tokio::select! {
                received = told.recv() => match received {
                    Ok(told) => {
                        self.ping_if(trouble(members));
                        let are_several = members.all().len() > 1;
                        let notice = self.notice(member, are_several, told);
                        self.outbox.tell([notice]);
                    }
                    Err(RecvError::Lagged(missed)) => {
                        tracing::warn!(missed, "signals of alarms were not sent");
                    }
                    Err(RecvError::Closed) => return,
                },
                changed = snapshots.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    let snapshot = Arc::clone(&snapshots.borrow_and_update());
                    if snapshot.last_success != success {
                        success = snapshot.last_success;
                        self.beat(trouble(members));
                    }
                }
            }
        }
    }

    fn ping_if(&self, trouble: Option<Trouble>) {
        if trouble.is_some() {
            self.beat(trouble);
        }
    }

    fn beat(&self, trouble: Option<Trouble>) {
        if let Some(ping) = &self.ping {
            ping.beat(trouble);
        }
    }

    fn notice(&self, member: &Member, are_several: bool, told: Told) -> Notice {
        let Told { signal, sentence } = told;
        let id = member.wearer.id.as_str();
        let rate = signal.rate();
        let base = self.page.as_deref();
        let page = base.map(|base| match are_several {
            true => format!("{base}/w/{id}/"),
            false => format!("{base}/"),
        });
        let is_loud = matches!(signal.event, Event::Raised | Event::Repeated);
        let calls = base.filter(|_| is_loud).map(|base| {
            SNOOZES.map(|minutes| snooze(base, id, signal.kind, signal.level, minutes))
        });
        Notice {
            wearer: id.to_owned(),
            wearer_name: match are_several || member.wearer.name.is_some() {
                true => member.wearer.title().to_owned(),
                false => String::new(),
            },
            kind: signal.kind,
            level: signal.level,
            event: signal.event,
            heading: signal.heading().to_owned(),
            sentence,
            bpm: rate.map(|(bpm, ..)| bpm),
            limit: rate.map(|(.., limit)| limit),
            at: rate.map(|(_, at, _)| at),
            since: signal.since,
            page,
            snooze: calls.into_iter().flatten().collect(),
        }
    }

    /// Sends what waits, for a few seconds.
    pub(crate) async fn close(self) {
        self.outbox.close(AT_THE_END).await;
    }
}

/// Returns the channels of the configuration.
///
/// # Errors
/// A [`Problem`] with one of them.
pub(crate) fn channels(config: &Config) -> Result<Vec<Channel>, Problem> {
    Channel::all(&config.alarms.send, &config.dir).map_err(|error| {
        Problem::failed(error.to_string())
            .hint("the channels are the tables [[alarms.send]] in the configuration")
    })
}

fn snooze(base: &str, id: &str, kind: Kind, level: Level, minutes: u16) -> SnoozeCall {
    SnoozeCall {
        label: match minutes {
            120 => "Silence 2 h".to_owned(),
            minutes => format!("Silence {minutes} min"),
        },
        url: format!(
            "{base}/api/v1/wearers/{id}/alarms/{kind}/snooze?minutes={minutes}&level={level}"
        ),
        body: String::new(),
    }
}

/// Returns the trouble that Pulsewing itself is in with any of the wearers, if it has lasted long enough for an
/// alarm.
fn trouble(members: &Members) -> Option<Trouble> {
    let all = members.all();
    all.iter().find_map(|member| {
        let snapshot = member.broadcast.snapshot();
        let mut active = snapshot.alarms.active.iter();
        active.find_map(|alarm| match alarm.cause {
            Cause::Own(trouble) => Some(trouble),
            _ => None,
        })
    })
}
