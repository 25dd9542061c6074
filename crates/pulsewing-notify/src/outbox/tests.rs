//! Channels in simulated time, with a simulated server behind each.

mod properties;

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard},
};

use jiff::SignedDuration;
use pulsewing_core::alarm::{Event, Kind, Level};
use tokio::time::{Instant, sleep};

use super::*;
use crate::{
    form::{
        Request,
        tests::{TABLES, channel},
    },
    notice::tests::{high, time},
    verdict::{Lost, Reply},
};

/// What a server does with a request.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Fate {
    Takes,
    /// There is no connection.
    Refuses,
    /// It takes the message, but its answer never comes.
    Stalls,
    /// It answers with a status, and asks for a pause.
    Status(u16, Option<&'static str>),
    /// The connection breaks in the head of the answer to a message that it has taken.
    BreaksInHead,
    /// It breaks in the body.
    BreaksInBody,
}

/// A simulated server: does what it is told to, then takes everything.
#[derive(Clone, Default)]
pub(crate) struct Server(Arc<Mutex<ServerState>>);

#[derive(Default)]
pub(crate) struct ServerState {
    pub(crate) fates: VecDeque<Fate>,
    /// Every request, with its time and its body.
    pub(crate) tries: Vec<(Instant, String)>,
    /// The addresses of the requests.
    pub(crate) urls: Vec<String>,
    /// Those that it has taken.
    pub(crate) taken: Vec<(Instant, String)>,
}

impl Server {
    pub(crate) fn new(fates: impl IntoIterator<Item = Fate>) -> Self {
        let server = Self::default();
        server.look().fates.extend(fates);
        server
    }

    pub(crate) fn look(&self) -> MutexGuard<'_, ServerState> {
        self.0.lock().unwrap()
    }

    fn bodies(&self) -> Vec<String> {
        let state = self.look();
        state.taken.iter().map(|(_, body)| body.clone()).collect()
    }

    /// The texts of the JSON messages that it has taken.
    fn messages(&self) -> Vec<String> {
        let of = |body: String| json(&body)["message"].as_str().unwrap().to_owned();
        self.bodies().into_iter().map(of).collect()
    }
}

fn json(body: &str) -> serde_json::Value {
    serde_json::from_str(body).unwrap()
}

impl Carrier for Server {
    async fn carry(&self, request: Request) -> Result<Reply, Lost> {
        let body = String::from_utf8(request.body.to_vec()).unwrap();
        let (fate, number) = {
            let mut state = self.look();
            let fate = state.fates.pop_front().unwrap_or(Fate::Takes);
            let now = Instant::now();
            state.tries.push((now, body.clone()));
            state.urls.push(request.url.path().to_owned());
            if matches!(
                fate,
                Fate::Takes | Fate::Stalls | Fate::BreaksInHead | Fate::BreaksInBody
            ) {
                state.taken.push((now, body));
            }
            (fate, state.tries.len())
        };
        let reply = |status, body: Option<String>| Reply {
            status,
            body: body.map(String::into_bytes),
            ..Reply::default()
        };
        match fate {
            Fate::Takes => Ok(reply(
                200,
                Some(format!(
                    "{{\"id\":1,\"status\":1,\"receipt\":\"r{number}\"}}"
                )),
            )),
            Fate::Refuses => Err(Lost::NoConnection("Connection refused".to_owned())),
            Fate::Stalls => {
                sleep(crate::carrier::WITHIN).await;
                Err(Lost::TimedOut)
            }
            Fate::Status(status, after) => Ok(Reply {
                retry_after: after.map(str::to_owned),
                ..reply(status, Some(String::new()))
            }),
            Fate::BreaksInHead => Err(Lost::Broken),
            Fate::BreaksInBody => Ok(reply(200, None)),
        }
    }
}

/// A house with channels. Each has a server.
pub(super) struct House {
    slots: Vec<Slot>,
    _tasks: JoinSet<()>,
}

impl House {
    pub(super) fn new(dir: &Path, channels: Vec<(Channel, Server)>) -> Self {
        let (start, wall) = (Instant::now(), time("2026-11-29T13:18:40Z"));
        let clock: Clock = Arc::new(move || {
            let up = SignedDuration::try_from(start.elapsed()).unwrap();
            wall.saturating_add(up).unwrap()
        });
        let names = channels.iter().map(|(channel, _)| channel.name.as_str());
        let memory = Arc::new(Memory::open(&dir.join("told.json"), names));
        let mut tasks = JoinSet::new();
        let slots = channels
            .into_iter()
            .map(|(channel, server)| start_one(channel, server, &memory, &clock, &mut tasks))
            .collect();
        Self {
            slots,
            _tasks: tasks,
        }
    }

    pub(super) fn tell(&self, notices: impl IntoIterator<Item = Notice>) {
        let notices: Vec<_> = notices.into_iter().map(Arc::new).collect();
        self.slots.iter().for_each(|slot| slot.put(&notices));
    }

    pub(super) fn counts(&self, place: usize) -> [u64; 4] {
        let counts = self.slots[place].report().counts;
        counts.by_result().map(|(_, count)| count)
    }
}

/// A notice whose heading says what it is about.
pub(super) fn notice(wearer: &str, kind: Kind, level: Level, event: Event) -> Notice {
    Notice {
        wearer: wearer.to_owned(),
        wearer_name: String::new(),
        kind,
        level,
        heading: format!("{wearer} {kind} {event}"),
        at: None,
        ..high(event)
    }
}

fn stale(event: Event) -> Notice {
    notice("lea", Kind::Stale, Level::Warning, event)
}

fn ntfy() -> Channel {
    let [table, ..] = TABLES;
    channel(table)
}

async fn pass(seconds: u64) {
    sleep(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn what_fails_is_sent_again_after_2_10_and_60_seconds_with_the_same_id() {
    for (fate, slow) in [
        (Fate::Refuses, 0),
        (Fate::Status(500, None), 0),
        (Fate::BreaksInHead, 0),
        (Fate::Stalls, 10),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let server = Server::new(vec![fate.clone(); 4]);
        let house = House::new(dir.path(), vec![(ntfy(), server.clone())]);
        let start = Instant::now();
        house.tell([stale(Event::Raised)]);
        pass(600).await;
        let state = server.look();
        let tries = state.tries.iter();
        let times: Vec<_> = tries.map(|(at, _)| (*at - start).as_secs()).collect();
        assert_eq!(
            times,
            [0, 2 + slow, 12 + 2 * slow, 72 + 3 * slow],
            "{fate:?}"
        );
        let ids = state
            .tries
            .iter()
            .map(|(_, body)| json(body)["sequence_id"].clone());
        let ids: Vec<_> = ids.collect();
        assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
        assert_eq!(house.counts(0), [0, 1, 0, 0]);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_for_good_is_not_sent_again_and_is_a_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::new([Fate::Status(401, None)]);
    let house = House::new(dir.path(), vec![(ntfy(), server.clone())]);
    house.tell([stale(Event::Raised)]);
    pass(600).await;
    assert_eq!(server.look().tries.len(), 1);
    assert_eq!(house.counts(0), [0, 1, 0, 0]);
    let error = house.slots[0].report().last_error.unwrap();
    assert_eq!(
        error.to_string(),
        "the server refuses the token (status 401)"
    );
    house.tell([stale(Event::Repeated)]);
    pass(1).await;
    assert_eq!(house.slots[0].report().last_error, None);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_wants_a_pause_gets_it() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::new([
        Fate::Status(429, Some("120")),
        Fate::Status(503, Some("1")),
        Fate::Status(429, Some("999999")),
    ]);
    let house = House::new(dir.path(), vec![(ntfy(), server.clone())]);
    let start = Instant::now();
    house.tell([stale(Event::Raised)]);
    pass(3 * 3600).await;
    let state = server.look();
    let tries = state.tries.iter();
    let times: Vec<_> = tries.map(|(at, _)| (*at - start).as_secs()).collect();
    assert_eq!(times, [0, 120, 130, 3730]);
    assert_eq!(house.counts(0), [1, 0, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn half_an_answer_that_says_yes_is_a_yes() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::new([Fate::BreaksInBody]);
    let house = House::new(dir.path(), vec![(ntfy(), server.clone())]);
    house.tell([stale(Event::Raised)]);
    pass(600).await;
    assert_eq!(server.look().tries.len(), 1);
    assert_eq!(house.counts(0), [1, 0, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_dead_channel_delays_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let [_, gotify, _, webhook] = TABLES;
    let dead = Server::new(vec![Fate::Stalls; 400]);
    let (alive, broken) = (Server::default(), Server::new(vec![Fate::Refuses; 400]));
    let channels = [
        (ntfy(), dead),
        (channel(webhook), broken),
        (channel(gotify), alive.clone()),
    ];
    let house = House::new(dir.path(), channels.to_vec());
    for _ in 0..10 {
        let before = Instant::now();
        house.tell([stale(Event::Raised)]);
        assert_eq!(Instant::now(), before);
        pass(1).await;
        let last = alive.look().taken.last().unwrap().0;
        assert_eq!(last, before);
    }
    assert_eq!(house.counts(2), [10, 0, 0, 0]);
    assert_eq!(house.slots[0].report().waiting, 9);
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_drops_what_matters_least_and_counts_it() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::new([Fate::Stalls]);
    let house = House::new(dir.path(), vec![(ntfy(), server.clone())]);
    house.tell([stale(Event::Raised)]);
    pass(1).await;
    house.tell([stale(Event::Raised)]);
    for _ in 0..crate::queue::MOST + 2 {
        house.tell([high(Event::Raised)]);
    }
    assert_eq!(house.counts(0), [0, 0, 3, 0]);
    assert_eq!(house.slots[0].report().waiting, crate::queue::MOST);
}

#[tokio::test(start_paused = true)]
async fn an_all_clear_goes_only_where_the_alarm_went_even_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let [table, gotify, ..] = TABLES;
    let urgent = channel(&format!("{table}\nmin_level = \"urgent\""));
    let (loud, down, well) = (Server::default(), Server::default(), Server::default());
    down.look().fates.extend(vec![Fate::Refuses; 4]);
    let channels = || {
        let down_channel = channel(&format!("{table}\nname = \"down\""));
        let well_channel = channel(gotify);
        vec![
            (urgent.clone(), loud.clone()),
            (down_channel, down.clone()),
            (well_channel, well.clone()),
        ]
    };
    let house = House::new(dir.path(), channels());
    house.tell([stale(Event::Raised)]);
    pass(600).await;
    drop(house);
    let house = House::new(dir.path(), channels());
    house.tell([stale(Event::Acknowledged)]);
    house.tell([stale(Event::Cleared)]);
    pass(600).await;
    assert_eq!(
        well.messages(),
        [
            "lea stale raised",
            "lea stale acknowledged",
            "lea stale cleared"
        ]
    );
    assert!(loud.look().tries.is_empty());
    assert_eq!(down.look().tries.len(), 4);
    // An alarm is over once.
    house.tell([stale(Event::Cleared)]);
    pass(600).await;
    assert_eq!(well.messages().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn one_wearers_end_is_not_anothers() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::default();
    let house = House::new(dir.path(), vec![(ntfy(), server.clone())]);
    house.tell([notice("lea", Kind::Low, Level::Warning, Event::Raised)]);
    house.tell([notice("ben", Kind::Low, Level::Warning, Event::Cleared)]);
    house.tell([notice("lea", Kind::High, Level::Warning, Event::Cleared)]);
    pass(1).await;
    assert_eq!(server.messages(), ["lea low raised"]);
}

#[tokio::test(start_paused = true)]
async fn the_age_is_that_of_sending() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::new([
        Fate::Status(429, Some("600")),
        Fate::Status(429, Some("3600")),
    ]);
    let house = House::new(dir.path(), vec![(ntfy(), server.clone())]);
    house.tell([high(Event::Raised)]);
    pass(700).await;
    let said = |place: usize| json(&server.look().tries[place].1)["message"].clone();
    assert_eq!(said(0), "Léa: Heart rate too high (13 min ago)");
    assert_eq!(said(1), "Léa: Heart rate too high (23 min ago)");
}

#[tokio::test(start_paused = true)]
async fn a_rate_that_has_become_too_old_is_not_tried_again() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::new(vec![Fate::Status(429, Some("3600")); 3]);
    let house = House::new(dir.path(), vec![(ntfy(), server.clone())]);
    house.tell([high(Event::Raised)]);
    pass(4 * 3600).await;
    assert_eq!(server.look().tries.len(), 3);
    house.tell([high(Event::Repeated)]);
    pass(600).await;
    assert_eq!(server.look().tries.len(), 3);
    assert_eq!(house.counts(0), [0, 0, 2, 0]);
}

#[tokio::test(start_paused = true)]
async fn what_is_more_than_an_hour_may_have_is_summed_up() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::default();
    let house = House::new(dir.path(), vec![(ntfy(), server.clone())]);
    for minute in 0..30 {
        let event = match minute {
            0 => Event::Raised,
            _ => Event::Repeated,
        };
        house.tell([stale(event)]);
        pass(60).await;
    }
    // Five are kept for what is urgent.
    assert_eq!(server.look().taken.len(), 15);
    for _ in 0..7 {
        house.tell([notice("lea", Kind::High, Level::Urgent, Event::Raised)]);
        pass(1).await;
    }
    assert_eq!(server.look().taken.len(), 20);
    pass(3600).await;
    let said = server.messages();
    assert_eq!(said.len(), 21);
    assert_eq!(
        said[20],
        "lea high raised [the last of 2]\nlea stale repeated [the last of 15]"
    );
    assert_eq!(house.counts(0), [20, 0, 0, 17]);
}

#[tokio::test(start_paused = true)]
async fn what_may_have_arrived_takes_room_and_what_has_not_takes_none() {
    for (lost, taken) in [
        (Fate::BreaksInHead, 15),
        (Fate::Stalls, 15),
        (Fate::Refuses, 0),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let fates = [lost, Fate::Status(400, None)]
            .into_iter()
            .cycle()
            .take(100);
        let server = Server::new(fates);
        let house = House::new(dir.path(), vec![(ntfy(), server.clone())]);
        for _ in 0..25 {
            house.tell([stale(Event::Repeated)]);
        }
        pass(1800).await;
        assert_eq!(server.look().taken.len(), taken);
        let failed = match taken {
            0 => 25,
            taken => taken as u64,
        };
        assert_eq!(house.counts(0), [0, failed, 0, 0]);
    }
}

#[tokio::test(start_paused = true)]
async fn what_rises_while_it_waits_for_room_is_told_at_once_and_once() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::default();
    let house = House::new(dir.path(), vec![(ntfy(), server.clone())]);
    for _ in 0..15 {
        house.tell([stale(Event::Repeated)]);
    }
    house.tell([notice("ben", Kind::Low, Level::Warning, Event::Raised)]);
    pass(1).await;
    assert_eq!(server.messages().len(), 15);
    house.tell([notice("ben", Kind::Low, Level::Urgent, Event::Raised)]);
    pass(1).await;
    assert_eq!(server.messages()[15..], ["ben low raised"]);
    pass(7200).await;
    assert_eq!(server.messages().len(), 16);
    assert_eq!(house.counts(0), [16, 0, 0, 1]);
}

#[tokio::test(start_paused = true)]
async fn a_beginning_and_an_end_that_wait_for_room_stay_together() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::default();
    let house = House::new(dir.path(), vec![(ntfy(), server.clone())]);
    for _ in 0..15 {
        house.tell([stale(Event::Raised)]);
    }
    pass(1).await;
    let low = |event| notice("ben", Kind::Low, Level::Warning, event);
    house.tell([low(Event::Raised)]);
    house.tell([low(Event::Cleared)]);
    pass(3600).await;
    let said = server.messages();
    assert_eq!(said.len(), 16);
    assert_eq!(said[15], "ben low cleared [the last of 2]");
    house.tell([low(Event::Cleared)]);
    pass(1).await;
    assert_eq!(server.messages().len(), 16);
}

#[tokio::test(start_paused = true)]
async fn an_emergency_stops_ringing_when_it_is_seen_or_over() {
    let dir = tempfile::tempdir().unwrap();
    let [.., pushover, _] = TABLES;
    let server = Server::default();
    let house = House::new(dir.path(), vec![(channel(pushover), server.clone())]);
    let urgent = |event| notice("lea", Kind::Low, Level::Urgent, event);
    house.tell([urgent(Event::Raised)]);
    pass(600).await;
    // Only the newest one rings.
    house.tell([urgent(Event::Repeated)]);
    pass(600).await;
    assert_eq!(server.look().urls[2..], ["/1/receipts/r1/cancel.json"]);
    house.tell([urgent(Event::Acknowledged)]);
    pass(600).await;
    house.tell([urgent(Event::Cleared)]);
    pass(600).await;
    let messages = "/1/messages.json";
    assert_eq!(
        server.look().urls,
        [
            messages,
            messages,
            "/1/receipts/r1/cancel.json",
            "/1/receipts/r2/cancel.json",
            messages,
            messages,
        ]
    );
    // The receipt outlives a restart.
    house.tell([urgent(Event::Raised)]);
    pass(600).await;
    drop(house);
    let house = House::new(dir.path(), vec![(channel(pushover), server.clone())]);
    house.tell([urgent(Event::Cleared)]);
    pass(600).await;
    assert_eq!(
        server.look().urls[7..],
        ["/1/receipts/r7/cancel.json", messages]
    );
}

#[tokio::test(start_paused = true)]
async fn several_of_one_moment_are_one_message_but_a_program_gets_each() {
    let dir = tempfile::tempdir().unwrap();
    let [.., webhook] = TABLES;
    let (phone, program) = (Server::default(), Server::default());
    let channels = vec![(ntfy(), phone.clone()), (channel(webhook), program.clone())];
    let house = House::new(dir.path(), channels);
    house.tell([stale(Event::Raised), high(Event::Raised)]);
    pass(1).await;
    let [body] = phone.bodies().try_into().unwrap();
    assert_eq!(json(&body)["title"], "Léa: Heart rate too high, and 1 more");
    assert_eq!(json(&body)["priority"], 5);
    let events = program
        .bodies()
        .into_iter()
        .map(|body| json(&body)["kind"].clone());
    assert_eq!(events.collect::<Vec<_>>(), ["stale", "high"]);
    assert_eq!(house.counts(0), [2, 0, 0, 0]);
    assert_eq!(house.counts(1), [2, 0, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_room_at_the_end_is_counted() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::default();
    let house = House::new(dir.path(), vec![(ntfy(), server.clone())]);
    for _ in 0..18 {
        house.tell([stale(Event::Repeated)]);
    }
    house.slots[0].queue.close();
    pass(1).await;
    assert_eq!(house.counts(0), [15, 0, 3, 0]);
}
