//! The two ends of the bridge: the handle of the embedding program, and the task that talks to the broker.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Notify, mpsc, watch},
    time::{Instant, sleep},
};

use crate::{
    AlarmEvent, Command, Settings, State, WearerId, backoff,
    connection::{self, Ended},
    topics::Topics,
};

/// The most commands that wait for the embedding program.
const COMMANDS: usize = 32;

/// The most alarms that wait for the broker; of more, the oldest go.
const ALARMS: usize = 64;

/// The time for which an alarm waits for the broker. Later it would be told as if it were new; whether an alarm
/// is active is in the state, which does not age.
const ALARM_WAITS: Duration = Duration::from_secs(5 * 60);

/// The handle of the embedding program. None of its functions waits for the broker.
#[derive(Debug)]
pub struct Link {
    household: watch::Sender<Household>,
    alarms: Alarms,
    commands: mpsc::Receiver<Command>,
    stop: watch::Sender<bool>,
}

/// The wearers, once the embedding program has said who they are.
pub(crate) type Household = Option<Arc<Vec<State>>>;

/// The task that talks to the broker. Nothing happens until [`run`](Self::run).
#[derive(Debug)]
pub struct Bridge {
    settings: Settings,
    topics: Topics,
    ports: Ports,
    /// Whether it only removes what was announced before.
    removes: bool,
}

/// What a connection needs of the embedding program. It outlives connections.
#[derive(Debug)]
pub(crate) struct Ports {
    pub(crate) household: watch::Receiver<Household>,
    pub(crate) alarms: Alarms,
    pub(crate) commands: mpsc::Sender<Command>,
    pub(crate) stop: watch::Receiver<bool>,
}

/// Builds a bridge, and its handle.
#[must_use]
pub fn bridge(settings: Settings) -> (Link, Bridge) {
    build(settings, false)
}

/// Builds a bridge that removes everything that this installation announced before: somebody has switched
/// it off. It ends when that is done; until then it tries again.
#[must_use]
pub fn removal(settings: Settings) -> (Link, Bridge) {
    build(settings, true)
}

fn build(settings: Settings, removes: bool) -> (Link, Bridge) {
    let (household, shown) = watch::channel(None);
    let (to_us, commands) = mpsc::channel(COMMANDS);
    let (stop, stopped) = watch::channel(false);
    let alarms = Alarms::default();
    let topics = Topics::new(settings.node.clone(), settings.prefix.clone());
    let ports = Ports {
        household: shown,
        alarms: alarms.clone(),
        commands: to_us,
        stop: stopped,
    };
    let link = Link {
        household,
        alarms,
        commands,
        stop,
    };
    let bridge = Bridge {
        settings,
        topics,
        ports,
        removes,
    };
    (link, bridge)
}

impl Link {
    /// Shows these wearers from now on. The entities of one who is no longer there are removed; what has not
    /// changed is not sent again. Of several calls in a row the last one counts.
    pub fn show(&self, wearers: Vec<State>) {
        self.household.send_if_modified(|shown| {
            if shown.as_deref() == Some(&wearers) {
                return false;
            }
            *shown = Some(Arc::new(wearers));
            true
        });
    }

    /// Tells of an alarm. While there is no broker it waits, but not longer than five minutes, and with at most
    /// 63 others.
    pub fn tell(&self, wearer: WearerId, event: AlarmEvent) {
        self.alarms.push(wearer, event);
    }

    /// Waits for the next command. Returns `None` when the bridge has ended.
    pub async fn next_command(&mut self) -> Option<Command> {
        self.commands.recv().await
    }

    /// Ends the bridge: it says that nothing is available any more, and [`Bridge::run`] returns within a few
    /// seconds, whatever the broker does.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }
}

impl Bridge {
    /// Connects, and connects again, until it is stopped or its [`Link`] is gone.
    pub async fn run(mut self) {
        let mut stop = self.ports.stop.clone();
        if !self.removes {
            // Before that, every wearer would seem to have gone.
            let is_shown = |shown: &Household| shown.is_some();
            tokio::select! {
                () = stopped(&mut stop) => return,
                shown = self.ports.household.wait_for(is_shown) => if shown.is_err() { return },
            }
        }
        let mut failures = 0;
        let mut told = None;
        loop {
            let began = Instant::now();
            let session =
                connection::run(&self.settings, &self.topics, &mut self.ports, self.removes);
            let trouble = match session.await {
                Ended::Done => return,
                Ended::Failed(trouble) => trouble,
            };
            if began.elapsed() >= backoff::STEADY {
                failures = 0;
                told = None;
            }
            let pause = backoff::pause(failures, backoff::random());
            failures = failures.saturating_add(1);
            let broker = &self.settings.broker;
            // A broker that is away for a night is one line, not a thousand.
            let words = trouble.to_string();
            if told.as_ref() == Some(&words) {
                tracing::debug!(%broker, "MQTT: {words}; trying again in {pause:.0?}");
            } else {
                tracing::warn!(%broker, "MQTT: {words}; trying again and again");
                told = Some(words);
            }
            tokio::select! {
                () = stopped(&mut stop) => return,
                () = sleep(pause) => {}
            }
        }
    }
}

/// Waits for a request to stop, or for the end of the handle.
pub(crate) async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error means that the handle is gone, which asks for the same.
    let _ = stop.wait_for(|is_requested| *is_requested).await;
}

/// The alarms that wait for the broker.
#[derive(Clone, Debug, Default)]
pub(crate) struct Alarms {
    queue: Arc<Mutex<VecDeque<Waiting>>>,
    changed: Arc<Notify>,
}

/// An alarm that waits.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    pub(crate) wearer: WearerId,
    pub(crate) event: AlarmEvent,
    since: Instant,
}

impl Alarms {
    fn push(&self, wearer: WearerId, event: AlarmEvent) {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        if queue.len() >= ALARMS {
            queue.pop_front();
        }
        queue.push_back(Waiting {
            wearer,
            event,
            since: Instant::now(),
        });
        drop(queue);
        self.changed.notify_one();
    }

    /// Waits for the next alarm that is not too old, and leaves it in its place.
    pub(crate) async fn next(&self) -> Waiting {
        loop {
            if let Some(waiting) = self.first() {
                return waiting;
            }
            self.changed.notified().await;
        }
    }

    fn first(&self) -> Option<Waiting> {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(first) = queue.front() {
            if first.since.elapsed() <= ALARM_WAITS {
                return Some(first.clone());
            }
            queue.pop_front();
        }
        None
    }

    /// Forgets an alarm that was sent.
    pub(crate) fn sent(&self, sent: &Waiting) {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let is_first = |first: &Waiting| first.since == sent.since && first.event == sent.event;
        if queue.front().is_some_and(is_first) {
            queue.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AlarmKind, AlarmLevel, AlarmNews};

    fn event(bpm: u16) -> AlarmEvent {
        AlarmEvent {
            kind: AlarmKind::High,
            level: AlarmLevel::Warning,
            event: AlarmNews::Raised,
            sentence: String::new(),
            bpm: Some(bpm),
            limit: None,
            measured_at: None,
            since: jiff::Timestamp::UNIX_EPOCH,
            until: None,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn alarms_wait_in_order_but_neither_long_nor_in_any_number() {
        let alarms = Alarms::default();
        let wearer: WearerId = "anna".parse().unwrap();
        alarms.push(wearer.clone(), event(1));
        tokio::time::advance(ALARM_WAITS).await;
        assert_eq!(alarms.next().await.event.bpm, Some(1));
        // What was not sent is still there.
        assert_eq!(alarms.next().await.event.bpm, Some(1));
        alarms.push(wearer.clone(), event(2));
        tokio::time::advance(Duration::from_secs(1)).await;
        let second = alarms.next().await;
        assert_eq!(second.event.bpm, Some(2));
        alarms.sent(&second);
        assert!(alarms.first().is_none());
        for bpm in 0..100 {
            alarms.push(wearer.clone(), event(bpm));
        }
        assert_eq!(alarms.next().await.event.bpm, Some(36));
    }
}
