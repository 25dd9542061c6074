//! What is said to the broker while there is a connection.
//!
//! ```text
//! will ─▶ CONNECT ─▶ SUBSCRIBE ─▶ announcements ─▶ states ─▶ "online", last
//!                                       │
//!            a state or the list changes, Home Assistant starts, an alarm, a command
//!                                       │
//!                          "offline" ─▶ DISCONNECT
//! ```
//! `online` comes last, so that Home Assistant never shows an entity as available whose state is not there
//! yet. Every message is acknowledged by the broker before the next step.

use std::{collections::BTreeMap, time::Duration};

use rumqttc::{AsyncClient, PublishOptions, QoS, SubscribeReasonCode};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until, timeout},
};

use crate::{
    Settings, State, WearerId, backoff,
    connection::Trouble,
    discovery::{Announcement, Components},
    ear::Heard,
    link::{Ports, Waiting, stopped},
    topics::Topics,
};

/// The time for a broker to acknowledge what it was sent.
const ANSWER: Duration = Duration::from_secs(20);

/// The time for the farewell: a program that ends waits for it.
pub(crate) const FAREWELL: Duration = Duration::from_secs(2);

/// The time for which we listen to what was announced before, after connecting.
const RETAINED: Duration = Duration::from_secs(60);

/// The pause without another old announcement after which there are no more.
const NO_MORE: Duration = Duration::from_secs(3);

/// The time after announcements in which alarms wait: Home Assistant listens to a new entity's topic only when it
/// has made the entity, and an event is not repeated.
const LISTENING: Duration = Duration::from_secs(3);

/// The longest time for which Home Assistant is left alone after its start, so that not everybody speaks at once.
const AFTER_BIRTH: Duration = Duration::from_secs(5);

/// What the broker has of a wearer.
#[derive(Debug)]
struct Announced {
    announcement: Announcement,
    state: String,
}

/// What is done while there is a connection.
pub(crate) struct Session<'a> {
    settings: &'a Settings,
    topics: &'a Topics,
    client: &'a AsyncClient,
    ports: &'a mut Ports,
    heard: mpsc::Receiver<Heard>,
    announced: BTreeMap<WearerId, Announced>,
}

/// A message to the broker.
struct Message {
    topic: String,
    text: String,
    is_kept: bool,
}

impl Message {
    const fn kept(topic: String, text: String) -> Self {
        Self {
            topic,
            text,
            is_kept: true,
        }
    }

    /// Removes what is kept on a topic.
    const fn removal(topic: String) -> Self {
        Self::kept(topic, String::new())
    }
}

impl<'a> Session<'a> {
    pub(crate) const fn new(
        settings: &'a Settings,
        topics: &'a Topics,
        client: &'a AsyncClient,
        ports: &'a mut Ports,
        heard: mpsc::Receiver<Heard>,
    ) -> Self {
        Self {
            settings,
            topics,
            client,
            ports,
            heard,
            announced: BTreeMap::new(),
        }
    }

    /// Shows the wearers until somebody asks to stop.
    pub(crate) async fn live(mut self) -> Result<(), Trouble> {
        let mut stop = self.ports.stop.clone();
        let alarms = self.ports.alarms.clone();
        // What is not acknowledged within its time is a trouble of its own.
        tokio::select! {
            biased;
            () = stopped(&mut stop) => return self.say_farewell().await,
            begun = self.begin() => begun?,
        }
        let mut birth: Option<Instant> = None;
        let mut tells_from = Instant::now() + LISTENING;
        let mut listens_until = Some(Instant::now() + RETAINED);
        loop {
            let at = birth.unwrap_or_else(Instant::now);
            let listens = listens_until.unwrap_or_else(Instant::now);
            let alarm = async {
                sleep_until(tells_from).await;
                alarms.next().await
            };
            tokio::select! {
                biased;
                () = stopped(&mut stop) => return self.say_farewell().await,
                Some(heard) = self.heard.recv() => match heard {
                    Heard::Birth if birth.is_none() => {
                        let part = AFTER_BIRTH * u32::from(backoff::random()) / 255;
                        birth = Some(Instant::now() + part);
                        tells_from = Instant::now() + part + LISTENING;
                    }
                    Heard::Birth => {}
                    Heard::Retained(wearer, components) => {
                        self.tidy(&wearer, &components).await?;
                    }
                },
                changed = self.ports.household.changed() => {
                    if changed.is_err() {
                        return self.say_farewell().await;
                    }
                    self.show().await?;
                }
                waiting = alarm => {
                    self.tell(&waiting).await?;
                    alarms.sent(&waiting);
                }
                () = sleep_until(at), if birth.is_some() => {
                    birth = None;
                    self.announced.clear();
                    self.show().await?;
                    self.say("online").await?;
                }
                () = sleep_until(listens), if listens_until.is_some() => {
                    listens_until = None;
                    // Other devices of the house are not our business any more.
                    let _ = self.client.try_unsubscribe(self.topics.configs());
                }
            }
        }
    }

    /// Listens, announces everything, and then says that it is there.
    async fn begin(&mut self) -> Result<(), Trouble> {
        for filter in self.topics.filters() {
            self.listen_to(filter, QoS::AtLeastOnce).await?;
        }
        self.listen_to(self.topics.configs(), QoS::AtMostOnce)
            .await?;
        self.show().await?;
        self.say("online").await
    }

    /// Removes everything that was announced before.
    pub(crate) async fn remove_all(mut self) -> Result<(), Trouble> {
        let mut stop = self.ports.stop.clone();
        self.listen_to(self.topics.configs(), QoS::AtMostOnce)
            .await?;
        let mut count = 0;
        loop {
            let until = Instant::now() + NO_MORE;
            tokio::select! {
                biased;
                () = stopped(&mut stop) => return Ok(()),
                Some(heard) = self.heard.recv() => if let Heard::Retained(wearer, _) = heard {
                    self.remove(&wearer).await?;
                    count += 1;
                },
                () = sleep_until(until) => break,
            }
        }
        self.send(vec![Message::removal(self.topics.availability())])
            .await?;
        if count > 0 {
            tracing::info!(devices = count, "MQTT: removed from Home Assistant");
        }
        Ok(())
    }

    async fn listen_to(&self, filter: String, qos: QoS) -> Result<(), Trouble> {
        let asked = async {
            let notice = self.client.subscribe_tracked(filter.as_str(), qos).await;
            let answer = notice.ok()?.wait_async().await.ok()?;
            let is_refused =
                |code: &SubscribeReasonCode| matches!(code, SubscribeReasonCode::Failure);
            Some(answer.return_codes.iter().any(is_refused))
        };
        match timeout(ANSWER, asked).await {
            Ok(Some(false)) => Ok(()),
            Ok(Some(true)) => Err(Trouble::NotSubscribed(filter)),
            Ok(None) | Err(_) => Err(Trouble::NoAnswer),
        }
    }

    /// Sends what differs from what the broker has.
    async fn show(&mut self) -> Result<(), Trouble> {
        let household = self.ports.household.borrow_and_update().clone();
        let wearers = household.unwrap_or_default();
        let gone: Vec<WearerId> = self
            .announced
            .keys()
            .filter(|id| !wearers.iter().any(|state| state.wearer == **id))
            .cloned()
            .collect();
        for id in gone {
            self.remove(&id).await?;
            self.announced.remove(&id);
        }
        let mut messages = Vec::new();
        for state in wearers.iter() {
            self.changes(state, &mut messages);
        }
        self.send(messages).await
    }

    /// Collects the messages about a wearer that differ from what the broker has.
    fn changes(&mut self, state: &State, messages: &mut Vec<Message>) {
        let product = &self.settings.product;
        let announcement = Announcement::new(self.topics, product, state);
        let message = state.message(&product.zones);
        let old = self.announced.get(&state.wearer);
        if old.is_none_or(|old| old.announcement != announcement) {
            let config = self.topics.config(&state.wearer);
            let gone = old.map(|old| announcement.gone(&old.announcement.components));
            if let Some(gone) = gone.filter(|gone| !gone.is_empty()) {
                let removal = announcement.without(self.topics, product, state, &gone);
                messages.push(Message::kept(config.clone(), removal));
            }
            messages.push(Message::kept(config, announcement.message.clone()));
        }
        if old.is_none_or(|old| old.state != message) {
            let topic = self.topics.state(&state.wearer);
            messages.push(Message::kept(topic, message.clone()));
        }
        let new = Announced {
            announcement,
            state: message,
        };
        self.announced.insert(state.wearer.clone(), new);
    }

    /// Removes what a device of before has and ours has not, or all of it.
    async fn tidy(&self, wearer: &WearerId, before: &Components) -> Result<(), Trouble> {
        let household = self.ports.household.borrow().clone();
        let wearers = household.unwrap_or_default();
        let Some(state) = wearers.iter().find(|state| state.wearer == *wearer) else {
            return self.remove(wearer).await;
        };
        let product = &self.settings.product;
        let announcement = Announcement::new(self.topics, product, state);
        let gone = announcement.gone(before);
        if gone.is_empty() {
            return Ok(());
        }
        let config = self.topics.config(wearer);
        let removal = announcement.without(self.topics, product, state, &gone);
        self.send(vec![
            Message::kept(config.clone(), removal),
            Message::kept(config, announcement.message),
        ])
        .await
    }

    /// Removes a wearer's device with all its entities, and what the broker keeps of it.
    async fn remove(&self, wearer: &WearerId) -> Result<(), Trouble> {
        let topics = [self.topics.config(wearer), self.topics.state(wearer)];
        self.send(topics.map(Message::removal).into()).await
    }

    async fn tell(&self, waiting: &Waiting) -> Result<(), Trouble> {
        let message = Message {
            topic: self.topics.alarm(&waiting.wearer),
            text: waiting.event.message(),
            is_kept: false,
        };
        self.send(vec![message]).await
    }

    async fn say(&self, word: &str) -> Result<(), Trouble> {
        let message = Message::kept(self.topics.availability(), word.to_owned());
        self.send(vec![message]).await
    }

    /// Says that nothing is available any more. A broker that does not answer says so itself, when it notices.
    async fn say_farewell(self) -> Result<(), Trouble> {
        let said = timeout(FAREWELL, self.say("offline")).await;
        said.unwrap_or(Err(Trouble::NoAnswer))
    }

    /// Sends messages, and waits until the broker has acknowledged all of them.
    async fn send(&self, messages: Vec<Message>) -> Result<(), Trouble> {
        let sent = async {
            let mut notices = Vec::with_capacity(messages.len());
            for message in messages {
                let options = PublishOptions::at_least_once().retain(message.is_kept);
                let queued = self
                    .client
                    .publish_tracked(message.topic, message.text, options)
                    .await;
                notices.push(queued.ok()?);
            }
            for notice in notices {
                notice.wait_completion_async().await.ok()?;
            }
            Some(())
        };
        match timeout(ANSWER, sent).await {
            Ok(Some(())) => Ok(()),
            Ok(None) | Err(_) => Err(Trouble::NoAnswer),
        }
    }
}
