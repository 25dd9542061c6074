//! What comes in: sorted, bounded, and passed on without waiting for anybody.

use rumqttc::{Event, EventLoop, Outgoing, Packet, Publish};
use tokio::sync::{mpsc, watch};

use crate::{
    Command, WearerId,
    connection::Trouble,
    discovery::{Components, components_of},
    link::Household,
    topics::{Subject, Topics},
};

/// The most bytes of an announcement that are looked at.
const MAX_ANNOUNCEMENT: usize = 64 * 1_024;

/// What the session hears of, and acts on.
#[derive(Debug)]
pub(crate) enum Heard {
    /// Home Assistant has started.
    Birth,
    /// A device that we announced before.
    Retained(WearerId, Components),
}

/// Drives the connection, and sorts what comes in. It never waits for anybody but the broker.
pub(crate) struct Ear<'a> {
    pub(crate) topics: &'a Topics,
    pub(crate) household: watch::Receiver<Household>,
    pub(crate) commands: mpsc::Sender<Command>,
    pub(crate) session: mpsc::Sender<Heard>,
}

impl Ear<'_> {
    /// Returns when the connection has ended.
    pub(crate) async fn listen(self, events: &mut EventLoop) -> Trouble {
        loop {
            match events.poll().await {
                Ok(Event::Incoming(Packet::Publish(message))) => self.hear(&message),
                Ok(Event::Outgoing(Outgoing::Disconnect)) => {
                    return Trouble::Connection("it was ended".to_owned());
                }
                Ok(_) => {}
                Err(error) => return error.into(),
            }
        }
    }

    fn hear(&self, message: &Publish) {
        let Ok(topic) = std::str::from_utf8(&message.topic) else {
            return;
        };
        match self.topics.subject(topic) {
            // One that was kept is of a start before our own.
            Some(Subject::Status) if message.retain || message.payload.as_ref() != b"online" => {}
            Some(Subject::Status) => self.pass(Heard::Birth),
            Some(Subject::Config(wearer)) => {
                // What is not kept is our own, as it is sent.
                let is_short = message.payload.len() <= MAX_ANNOUNCEMENT;
                if message.retain
                    && !message.payload.is_empty()
                    && is_short
                    && let Ok(wearer) = wearer.parse()
                {
                    self.pass(Heard::Retained(wearer, components_of(&message.payload)));
                }
            }
            // A command that the broker kept is of the past.
            Some(Subject::Command(..) | Subject::Samples(_)) if message.retain => {
                tracing::warn!("MQTT: a retained message on {topic} is ignored; remove it there");
            }
            Some(Subject::Command(wearer, verb)) => {
                let Some(wearer) = self.known(wearer) else {
                    return;
                };
                match Command::read(wearer, verb, &message.payload) {
                    Ok(command) => self.command(command),
                    Err(why) => tracing::warn!("MQTT: a message on {topic} is ignored: {why}"),
                }
            }
            Some(Subject::Samples(wearer)) => {
                let Some(wearer) = self.known(wearer) else {
                    return;
                };
                match Command::samples(wearer, &message.payload) {
                    Ok(command) => self.command(command),
                    Err(why) => tracing::warn!("MQTT: a message on {topic} is ignored: {why}"),
                }
            }
            None => {}
        }
    }

    fn known(&self, id: &str) -> Option<WearerId> {
        let household = self.household.borrow();
        let wearers = household.as_deref()?;
        let found = wearers.iter().find(|state| state.wearer.as_str() == id);
        found.map(|state| state.wearer.clone())
    }

    fn command(&self, command: Command) {
        if self.commands.try_send(command).is_err() {
            tracing::warn!("MQTT: too many commands at once; one is ignored");
        }
    }

    fn pass(&self, heard: Heard) {
        // A birth that waits already, or more old announcements than a household has wearers.
        let _ = self.session.try_send(heard);
    }
}
