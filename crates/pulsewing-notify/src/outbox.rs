//! The way out: every channel of the settings, each with a task and a queue of its own.

use std::{path::Path, sync::Arc, time::Duration};

use jiff::Timestamp;
use reqwest::Client;
use tokio::{task::JoinSet, time::timeout};

use crate::{
    carrier::Carrier,
    channel::Channel,
    delivery::{Delivery, judge},
    form,
    hour::Hour,
    letter::{Held, Letter},
    notice::Notice,
    queue::Queue,
    settings::To,
    tally::{Counts, Tally},
    told::Memory,
    verdict::Failure,
};

/// Returns the present time, by which messages say how old a measurement is.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Every channel of the settings. A dead one delays neither the caller nor another channel.
///
/// Dropping it ends the tasks at once; [`close`](Self::close) lets them finish.
pub struct Outbox {
    boxes: Vec<Slot>,
    client: Client,
    clock: Clock,
    tasks: JoinSet<()>,
}

/// One channel, as seen from outside its task.
struct Slot {
    channel: Arc<Channel>,
    queue: Arc<Queue>,
    tally: Arc<Tally>,
}

/// The state of one channel.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// Its name.
    pub channel: String,
    /// The service that it sends to.
    pub to: To,
    /// What became of its notices since the start.
    pub counts: Counts,
    /// The messages that wait.
    pub waiting: usize,
    /// Why the last message could not be sent; `None` if the last one was.
    pub last_error: Option<Failure>,
}

/// Why a test message did not get through.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TestError {
    /// There is no such channel.
    #[error("there is no channel \"{name}\"; {}", listed(.known))]
    Unknown {
        /// The name that was asked for.
        name: String,
        /// The names of the channels that there are.
        known: Vec<String>,
    },
    /// It was not taken.
    #[error("{channel}: {why}")]
    Failed {
        /// The channel.
        channel: String,
        /// Why not.
        why: Failure,
    },
}

fn listed(known: &[String]) -> String {
    match known {
        [] => "the settings have no [[alarms.send]]".to_owned(),
        known => format!("there is {}", known.join(", ")),
    }
}

impl Outbox {
    /// Starts a task for each channel. `memory` is the path of a small file that says who was told of what;
    /// its directory is made if it is missing. It must be called within a Tokio runtime.
    #[must_use]
    pub fn start(channels: Vec<Channel>, client: Client, memory: &Path, clock: Clock) -> Self {
        let names = channels.iter().map(Channel::name);
        let memory = Arc::new(Memory::open(memory, names));
        let mut tasks = JoinSet::new();
        let start = |channel| start_one(channel, client.clone(), &memory, &clock, &mut tasks);
        Self {
            boxes: channels.into_iter().map(start).collect(),
            client,
            clock,
            tasks,
        }
    }

    /// Hands over what happened at one moment. It returns at once; each channel sends what its settings
    /// ask for, in one message, or one for each notice to a webhook.
    pub fn tell(&self, notices: impl IntoIterator<Item = Notice>) {
        let notices: Vec<_> = notices.into_iter().map(Arc::new).collect();
        for slot in &self.boxes {
            slot.put(&notices);
        }
    }

    /// Sends a test message over a channel, once and at once, whatever waits there.
    ///
    /// # Errors
    /// Why it did not get through.
    pub async fn test(&self, channel: &str) -> Result<(), TestError> {
        let mut boxes = self.boxes.iter();
        let Some(slot) = boxes.find(|slot| slot.channel.name == channel) else {
            let names = self.boxes.iter().map(|slot| slot.channel.name.clone());
            return Err(TestError::Unknown {
                name: channel.to_owned(),
                known: names.collect(),
            });
        };
        let request = form::request(&slot.channel, &Letter::test(), (self.clock)());
        let reply = self.client.carry(request).await;
        match judge(&slot.channel, reply, (self.clock)()) {
            Ok(_) => Ok(()),
            Err(trouble) => Err(TestError::Failed {
                channel: channel.to_owned(),
                why: trouble.failure,
            }),
        }
    }

    /// Returns the state of each channel, in the order of the settings. It reads a few counters, and waits
    /// for nothing.
    #[must_use]
    pub fn reports(&self) -> Vec<Report> {
        self.boxes.iter().map(Slot::report).collect()
    }

    /// Returns whether a token is one that the buttons of a channel's messages carry: whoever shows it may
    /// snooze alarms, and do nothing else.
    #[must_use]
    pub fn may_snooze(&self, token: &[u8]) -> bool {
        self.boxes.iter().any(|slot| slot.channel.may_snooze(token))
    }

    /// Takes no more notices, and lets the tasks send what waits, for as long as `within`. What is left then
    /// is lost.
    pub async fn close(mut self, within: Duration) {
        for slot in &self.boxes {
            slot.queue.close();
        }
        let ended = async { while self.tasks.join_next().await.is_some() {} };
        if timeout(within, ended).await.is_err() {
            tracing::warn!("messages about alarms were not sent before the end");
        }
    }
}

impl std::fmt::Debug for Outbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = self.boxes.iter().map(|slot| slot.channel.name());
        f.debug_list().entries(names).finish()
    }
}

fn start_one<C: Carrier>(
    channel: Channel,
    carrier: C,
    memory: &Arc<Memory>,
    clock: &Clock,
    tasks: &mut JoinSet<()>,
) -> Slot {
    let slot = Slot {
        channel: Arc::new(channel),
        queue: Arc::default(),
        tally: Arc::default(),
    };
    let delivery = Delivery {
        channel: Arc::clone(&slot.channel),
        carrier,
        queue: Arc::clone(&slot.queue),
        memory: Arc::clone(memory),
        tally: Arc::clone(&slot.tally),
        clock: Arc::clone(clock),
        hour: Hour::default(),
        held: Held::default(),
    };
    tasks.spawn(delivery.run());
    slot
}

impl Slot {
    fn put(&self, notices: &[Arc<Notice>]) {
        let is_program = self.channel.target.to() == To::Webhook;
        let mut together: Vec<Arc<Notice>> = Vec::new();
        for notice in notices.iter().filter(|notice| self.wants(notice)) {
            let is_new = |other: &Arc<Notice>| other.subject() != notice.subject();
            // A program reads one event at a time, and a line says one thing of its subject.
            if is_program || !together.iter().all(is_new) {
                self.put_together(&mut together);
            }
            together.push(Arc::clone(notice));
        }
        self.put_together(&mut together);
    }

    fn put_together(&self, notices: &mut Vec<Arc<Notice>>) {
        if notices.is_empty() {
            return;
        }
        let letter = Letter::news(notices.drain(..));
        if let Some(dropped) = self.queue.push(letter) {
            self.tally.dropped(dropped.count());
        }
    }

    /// Returns whether its settings ask for a notice. Whether it has heard of an alarm that is over, its
    /// task knows.
    fn wants(&self, notice: &Notice) -> bool {
        notice.is_follow_up() || notice.loudness() >= self.channel.min_level
    }

    fn report(&self) -> Report {
        Report {
            channel: self.channel.name.clone(),
            to: self.channel.target.to(),
            counts: self.tally.counts(),
            waiting: self.queue.len(),
            last_error: self.tally.last_error(),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
