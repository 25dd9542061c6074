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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rumqttc::QoS;

    use super::*;
    use crate::state::tests::anna;

    /// Returns what a session and the embedding program hear of a message.
    fn heard(topic: &str, message: &[u8], is_kept: bool) -> (Option<Heard>, Option<Command>) {
        let topics = Topics::new("ab12".parse().unwrap(), "homeassistant".parse().unwrap());
        let (_shown, household) = watch::channel(Some(Arc::new(vec![anna()])));
        let (commands, mut commanded) = mpsc::channel(1);
        let (session, mut told) = mpsc::channel(1);
        let ear = Ear {
            topics: &topics,
            household,
            commands,
            session,
        };
        let mut publish = Publish::new(topic, QoS::AtMostOnce, message);
        publish.retain = is_kept;
        ear.hear(&publish);
        (told.try_recv().ok(), commanded.try_recv().ok())
    }

    #[test]
    fn a_start_is_news_and_a_kept_one_is_not() {
        let topic = "homeassistant/status";
        assert!(matches!(
            heard(topic, b"online", false),
            (Some(Heard::Birth), None)
        ));
        for (message, is_kept) in [(&b"online"[..], true), (b"offline", false), (b"", false)] {
            assert!(matches!(heard(topic, message, is_kept), (None, None)));
        }
    }

    #[test]
    fn an_announcement_counts_if_it_was_kept_and_is_ours_and_short() {
        let ours = "homeassistant/device/pulsewing_ab12_gone/config";
        let message = br#"{"cmps":{"a":{"p":"sensor"}}}"#;
        let (told, _) = heard(ours, message, true);
        let Some(Heard::Retained(wearer, components)) = told else {
            panic!("{told:?}");
        };
        assert_eq!((wearer.as_str(), components.len()), ("gone", 1));
        let others = "homeassistant/device/pulsewing_cd34_gone/config";
        let long = vec![b' '; MAX_ANNOUNCEMENT + 1];
        for (topic, message, is_kept) in [
            (ours, &message[..], false),
            (ours, b"", true),
            (ours, &long, true),
            (others, message, true),
        ] {
            assert!(heard(topic, message, is_kept).0.is_none(), "{topic}");
        }
    }

    #[test]
    fn a_command_counts_if_it_is_new_and_about_somebody_who_is_shown() {
        let command = |topic: &str, is_kept| heard(topic, b"PRESS", is_kept).1;
        let ours = "pulsewing/ab12/anna/cmd/update";
        let wearer = "anna".parse().unwrap();
        assert_eq!(command(ours, false), Some(Command::Update { wearer }));
        assert_eq!(command(ours, true), None);
        assert_eq!(command("pulsewing/ab12/ben/cmd/update", false), None);
        assert_eq!(command("pulsewing/ab12/anna/samples", true), None);
        assert!(command("pulsewing/ab12/anna/samples", false).is_some());
    }
}
