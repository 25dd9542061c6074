//! The driver: it carries out the cycle's actions, against a modelled store, cloud and clock.
//!
//! Nothing sleeps; a wait moves the clock. In every test, every action is checked against the general
//! rules (`rules.rs`).

use std::{collections::VecDeque, time::Duration};

use jiff::{SignedDuration, Timestamp, tz::Offset};
use pulsewing_core::{
    AccessToken, Provider, RefreshToken,
    chain::{Client, Unstored, codec::MAX_RECORD},
    civil::Offsets,
    cycle::{Action, Cycle, Deadline, Failure, Memory, Now, Pacing, Settings, StoreWhat},
    dialect::ZoneFacts,
    oauth::{Grant, Scopes},
    reading::{TimeZone, ZoneName, ZoneSource},
    request::REQUEST_BUFFER,
};

use crate::{
    cloud::{Call, Cloud, Fault, Outcome, Route},
    grants::Grants,
    rules::{At, Rules},
    store::Store,
};

/// The bytes of a record; they hold tokens, and are too many for `Debug` output.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Bytes(pub(crate) Vec<u8>);

impl std::fmt::Debug for Bytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

/// The cycle's action, with the bytes from the buffer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Todo {
    Open(Duration),
    Store(Bytes, StoreWhat),
    Close,
    Send(Call, Duration),
    Resolve(ZoneFacts),
    Finished(Result<(), Failure>),
    Wait(Duration),
}

/// An event while a reply is arriving.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mid {
    /// The program dies, and is away for this many seconds.
    Crash(u16),
    /// The clock is set forward by this many seconds, or back.
    SetClock(i32),
    /// The user asks for a cycle.
    Ask,
}

/// The initial state of a world.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(crate) provider: Provider,
    /// The access token's lifetime and its age, in seconds.
    pub(crate) lifetime: u32,
    pub(crate) age: i64,
    pub(crate) scopes: Scopes,
    pub(crate) every: Duration,
    pub(crate) cap: u16,
    pub(crate) cache_access: bool,
    pub(crate) deadline: Option<Deadline>,
    pub(crate) seed: u32,
}

impl Setup {
    pub(crate) fn fitbit() -> Self {
        Self {
            provider: Provider::Fitbit,
            lifetime: 28_800,
            age: 3_600,
            scopes: Scopes::ALL,
            every: Duration::from_secs(900),
            cap: 60,
            cache_access: false,
            deadline: None,
            seed: 1,
        }
    }

    pub(crate) fn google() -> Self {
        Self {
            provider: Provider::Google,
            lifetime: 3_600,
            age: 600,
            ..Self::fitbit()
        }
    }

    /// Returns the setup with an access token that ended an hour ago.
    pub(crate) fn expired(self) -> Self {
        let age = i64::from(self.lifetime) + 3_600;
        Self { age, ..self }
    }

    /// Returns the setup with an access token that is due for renewal but works for two more minutes.
    pub(crate) fn ending(self) -> Self {
        let age = i64::from(self.lifetime) - 240;
        Self { age, ..self }
    }

    /// Returns the setup of `pulsewing once`.
    pub(crate) fn once(self) -> Self {
        let deadline = Some(Deadline {
            last_try: Duration::from_secs(110),
            end: Duration::from_secs(130),
        });
        Self { deadline, ..self }
    }
}

/// A cycle, and everything around it.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) cycle: Cycle,
    pub(crate) settings: Settings,
    pub(crate) store: Store,
    pub(crate) cloud: Cloud,
    pub(crate) rules: Rules,
    /// True time since the beginning of the world.
    pub(crate) real: Duration,
    /// Time since the program started, as it knows it.
    pub(crate) up: Duration,
    /// The difference between the wall clock and the true time.
    pub(crate) ahead: SignedDuration,
    /// The seconds by which the wall clock was set since the program last looked, if it has.
    unseen: i64,
    has_looked: bool,
    /// The state that a program keeps across restarts, in addition to the chain.
    pub(crate) kept: (Pacing, Memory),
    /// The duration of a write.
    pub(crate) write_takes: Duration,
    /// The number of bytes per chunk of a body.
    pub(crate) chunk: usize,
    /// The zone facts that were to be resolved.
    pub(crate) facts: Vec<ZoneFacts>,
    /// The events so far, in short words.
    pub(crate) story: Vec<String>,
    /// The event in the middle of the next reply.
    pub(crate) mid: Option<Mid>,
    /// The outcome of the newest request.
    pub(crate) outcome: Option<Outcome>,
    seed: u32,
}

/// Returns the time at which the world begins.
pub(crate) fn beginning() -> Timestamp {
    "2026-11-22T12:07:30Z".parse().unwrap()
}

impl World {
    pub(crate) fn new(setup: Setup) -> Self {
        let settings = Settings {
            provider: setup.provider,
            issuer: "https://cloud.example".try_into().unwrap(),
            client_id: Some("23ABCD".try_into().unwrap()),
            client_secret: None,
            user_id: None,
            every: setup.every,
            hourly_cap: setup.cap,
            heart_zones: None,
            born: None,
            cache_access: setup.cache_access,
            deadline: setup.deadline,
        };
        let lifetime = Duration::from_secs(setup.lifetime.into());
        let ends = i64::from(setup.lifetime) - setup.age;
        let ends = Duration::from_secs(ends.max(0).unsigned_abs());
        let rotates = setup.provider.rotates();
        let grants = Grants::new(rotates, lifetime, ends);
        let kept = (Pacing::default(), Memory::default());
        let mut world = Self {
            cycle: Cycle::new(settings.clone(), kept.0.clone(), kept.1.clone(), setup.seed),
            rules: Rules::new(&settings),
            settings,
            store: Store::default(),
            cloud: Cloud::new(setup.provider, grants),
            real: Duration::ZERO,
            up: Duration::ZERO,
            ahead: SignedDuration::ZERO,
            unseen: 0,
            has_looked: false,
            kept,
            write_takes: Duration::from_millis(10),
            chunk: 977,
            facts: Vec::new(),
            story: Vec::new(),
            mid: None,
            outcome: None,
            seed: setup.seed,
        };
        let chain = chain(&setup, "refresh-1", Some("access-1"), None);
        world.put(&chain);
        world
    }

    pub(crate) fn fitbit() -> Self {
        Self::new(Setup::fitbit())
    }

    pub(crate) fn google() -> Self {
        Self::new(Setup::google())
    }

    /// Puts a chain into the store, as another program would.
    pub(crate) fn put(&mut self, chain: &Unstored) {
        let mut buffer = [0; MAX_RECORD];
        self.store.record = chain.encode(&mut buffer).unwrap().to_vec();
    }

    /// Puts Fitbit's tokens of generation two into the store, which another program got at the beginning.
    pub(crate) fn put_newer(&mut self, refresh: &str, access: &str) {
        let setup = Setup {
            age: 0,
            ..Setup::fitbit()
        };
        self.put(&chain(&setup, refresh, Some(access), Some(1)));
    }

    pub(crate) fn now(&self) -> Now {
        Now {
            utc: self.truth() + self.ahead,
            up: self.up,
        }
    }

    /// Returns the time on all clocks.
    pub(crate) fn at(&self) -> At {
        At {
            real: self.real,
            up: self.up,
            utc: self.now().utc,
        }
    }

    /// Returns the time as the cloud knows it.
    pub(crate) fn truth(&self) -> Timestamp {
        beginning() + SignedDuration::try_from(self.real).unwrap()
    }

    pub(crate) fn advance(&mut self, by: Duration) {
        self.real += by;
        self.up += by;
    }

    /// Sets the wall clock forward by this many seconds, or back.
    pub(crate) fn set_clock(&mut self, by: i64) {
        self.ahead += SignedDuration::from_secs(by);
        self.unseen += by;
    }

    /// Lets time pass while the machine sleeps, or the program is not running: the program's monotonic
    /// clock stands still.
    pub(crate) fn suspend(&mut self, by: Duration) {
        self.real += by;
    }

    /// Returns the cycle's next action, and checks that a second poll returns the same.
    pub(crate) fn todo(&mut self) -> Todo {
        // A program that has looked before notices the jump, and accounts for it.
        if self.has_looked && self.unseen.abs() > 10 {
            self.unseen = 0;
        }
        self.forget_the_unseen();
        self.has_looked = true;
        let now = self.now();
        let mut buffer = [0; REQUEST_BUFFER];
        let todo = with_bytes(self.cycle.poll(now, &mut buffer), &buffer);
        let again = with_bytes(self.cycle.poll(now, &mut buffer), &buffer);
        assert_eq!(todo, again, "polled twice");
        self.kept = (self.cycle.pacing().clone(), self.cycle.memory().clone());
        todo
    }

    /// Polls, carries out the action and reports the result to the cycle.
    pub(crate) fn step(&mut self) -> Todo {
        let todo = self.todo();
        self.carry_out(&todo, true);
        todo
    }

    /// Carries out the next action, and lets the program die before it gets the result.
    pub(crate) fn step_and_die(&mut self) -> Todo {
        let todo = self.todo();
        self.carry_out(&todo, false);
        self.die();
        todo
    }

    /// Accounts for a clock that was set without the program's knowledge.
    fn forget_the_unseen(&mut self) {
        let unseen = std::mem::take(&mut self.unseen);
        self.rules.clock_was_set(unseen, self.real);
    }

    /// Lets the program die, and restarts it at once.
    pub(crate) fn die(&mut self) {
        self.forget_the_unseen();
        self.has_looked = false;
        self.store.locked = false;
        self.up = Duration::from_millis(20);
        let (pacing, memory) = self.kept.clone();
        self.seed = self.seed.wrapping_add(1);
        self.cycle = Cycle::new(self.settings.clone(), pacing, memory, self.seed);
        self.rules.restarted(&self.store);
        self.story.push("died".to_owned());
    }

    /// Carries out an action, and reports the result to the cycle, unless the program is to die before
    /// that.
    pub(crate) fn carry_out(&mut self, todo: &Todo, tell: bool) {
        let at = self.at();
        self.rules.before(todo, &self.store, at);
        match todo {
            Todo::Open(wait) => self.open(*wait, tell),
            Todo::Store(record, what) => {
                self.advance(self.write_takes);
                let confirmed = self.store.write(&record.0, *what);
                let mark = if confirmed { "" } else { "!" };
                self.story.push(format!("{what:?}{mark}").to_lowercase());
                if tell {
                    self.rules.stored(*what, confirmed);
                    self.cycle.stored(confirmed, self.now());
                }
            }
            Todo::Close => {
                self.store.locked = false;
                self.story.push("close".to_owned());
                if tell {
                    self.cycle.closed(self.now());
                }
            }
            Todo::Send(call, timeout) => self.send(call, *timeout, tell),
            Todo::Resolve(facts) => {
                self.facts.push(facts.clone());
                self.story.push("resolve".to_owned());
                let zone = TimeZone {
                    name: facts.name.clone().unwrap_or_default(),
                    source: ZoneSource::Cloud,
                    offsets: Offsets::fixed(facts.offset.unwrap_or(Offset::constant(1))),
                };
                if tell {
                    self.cycle.zone_resolved(zone, self.now());
                }
            }
            Todo::Finished(result) => {
                let word = if result.is_ok() { "done" } else { "failed" };
                self.story.push(word.to_owned());
                if tell {
                    self.cycle.acknowledge();
                }
            }
            Todo::Wait(until) => {
                let by = until.saturating_sub(self.up);
                self.advance(by);
            }
        }
        self.kept = (self.cycle.pacing().clone(), self.cycle.memory().clone());
    }

    fn open(&mut self, wait: Duration, tell: bool) {
        let trouble = self.store.troubles.pop_front();
        if trouble == Some(pulsewing_core::cycle::StoreTrouble::Busy) {
            self.advance(wait);
            self.story.push("busy".to_owned());
        } else {
            self.store.locked = true;
            self.story.push("open".to_owned());
        }
        if !tell {
            return;
        }
        match trouble.map_or_else(|| self.store.read(), Err) {
            Ok(Some(record)) => self.cycle.opened(record, self.now()),
            Ok(None) => self.cycle.unavailable(None),
            Err(trouble) => self.cycle.unavailable(Some(trouble)),
        }
    }

    fn send(&mut self, call: &Call, timeout: Duration, tell: bool) {
        self.advance(Duration::from_millis(150));
        let truth = self.truth();
        let outcome = self.cloud.exchange(call, self.real, truth);
        self.advance(match outcome {
            Outcome::Nothing => timeout - Duration::from_millis(150),
            _ => Duration::from_millis(150),
        });
        let name = self.name(call);
        self.story.push(match &outcome {
            Outcome::NeverLeft => format!("{name} never left"),
            Outcome::Disconnected => format!("{name} lost"),
            Outcome::Nothing => format!("{name} timed out"),
            Outcome::Reply { status, is_cut, .. } => {
                format!("{name} {status}{}", if *is_cut { " cut" } else { "" })
            }
        });
        let hears = tell && !matches!(self.mid, Some(Mid::Crash(_)));
        let mut at = self.at();
        if let Some(Mid::SetClock(by)) = self.mid {
            // The program looks at its clock when the whole reply is there.
            at.utc += SignedDuration::from_secs(by.into());
        }
        self.rules.answered(call, &outcome, &self.cloud, at, hears);
        self.outcome = Some(outcome.clone());
        if !tell {
            return;
        }
        let (first, rest) = match outcome.reply(self.now().utc) {
            Some((head, body)) => {
                self.cycle.reply_head(head);
                body.split_at(body.len() / 2)
            }
            None => Default::default(),
        };
        self.feed(first);
        if !self.lives_on(call, timeout) {
            return;
        }
        self.feed(rest);
        self.cycle.reply_end(outcome.no_answer(), self.now());
    }

    fn feed(&mut self, body: &[u8]) {
        for chunk in body.chunks(self.chunk) {
            self.cycle.reply_body(chunk);
        }
    }

    /// Checks that in the middle of a reply the cycle wants that reply and nothing else. Then performs
    /// the scheduled event; returns whether the program survives it.
    fn lives_on(&mut self, call: &Call, timeout: Duration) -> bool {
        let Some(mid) = self.mid.take() else {
            return true;
        };
        match mid {
            Mid::Crash(away) => {
                self.die();
                self.suspend(Duration::from_secs(away.into()));
                return false;
            }
            Mid::SetClock(by) => self.set_clock(i64::from(by)),
            Mid::Ask => self.cycle.start_now(),
        }
        let same = Todo::Send(call.clone(), timeout);
        assert_eq!(
            self.todo(),
            same,
            "(i) something else is wanted while a request is in flight"
        );
        true
    }

    fn name(&self, call: &Call) -> &'static str {
        let is_earlier = || {
            let body: serde_json::Value = serde_json::from_str(&call.body).unwrap();
            let end: Timestamp = body["range"]["endTime"].as_str().unwrap().parse().unwrap();
            end + SignedDuration::from_mins(50) < self.now().utc
        };
        match call.route() {
            Route::Token => "token",
            Route::Zone => "zone",
            Route::Devices => "devices",
            Route::Resting => "resting",
            Route::HeartZones => "limits",
            Route::Heart if call.target.contains("/today/") => "today",
            Route::Heart if call.target.contains("/date/") => "yesterday",
            Route::Heart => match (call.body.contains("all-sources"), is_earlier()) {
                (false, false) => "wearables",
                (true, false) => "all",
                (false, true) => "earlier wearables",
                (true, true) => "earlier all",
            },
        }
    }

    /// Runs until a cycle has ended, and returns its result.
    pub(crate) fn cycle_once(&mut self) -> Result<(), Failure> {
        for _ in 0..20_000 {
            if let Todo::Finished(result) = self.step() {
                return result;
            }
        }
        panic!("no end in sight: {:?}", self.story);
    }

    /// Runs until a cycle has ended, and returns whether a limit ended it.
    pub(crate) fn is_limited_once(&mut self) -> bool {
        matches!(self.cycle_once(), Err(Failure::RateLimited { .. }))
    }

    /// Runs until the next action matches; that one is not carried out.
    pub(crate) fn run_until(&mut self, mut is_it: impl FnMut(&Todo) -> bool) -> Todo {
        for _ in 0..20_000 {
            let todo = self.todo();
            if is_it(&todo) {
                return todo;
            }
            self.carry_out(&todo, true);
        }
        panic!("it never comes: {:?}", self.story);
    }

    /// Runs until the refresh token is about to be sent.
    pub(crate) fn run_until_refresh(&mut self) -> Todo {
        self.run_until(|todo| matches!(todo, Todo::Send(call, _) if call.route() == Route::Token))
    }

    /// Returns the events since the last call.
    pub(crate) fn told(&mut self) -> String {
        std::mem::take(&mut self.story).join(", ")
    }

    /// Schedules faults.
    pub(crate) fn will(&mut self, route: Route, faults: impl IntoIterator<Item = Fault>) {
        self.cloud.will(route, faults);
    }

    /// Schedules a permanent fault.
    pub(crate) fn always(&mut self, route: Route, fault: Fault) {
        self.cloud.always.insert(route, fault);
    }

    /// Ends all faults.
    pub(crate) fn heal(&mut self) {
        self.cloud.faults.clear();
        self.cloud.always.clear();
        self.store.writes = VecDeque::new();
        self.store.troubles = VecDeque::new();
        self.store.never = None;
    }

    /// Returns the times of the token requests, in seconds since the first one.
    pub(crate) fn refreshes(&self) -> Vec<u64> {
        let sent = &self.rules.refreshes;
        let first = sent.first().map_or(Duration::ZERO, |(_, at)| *at);
        sent.iter().map(|(_, at)| (*at - first).as_secs()).collect()
    }

    /// Returns whether store and cloud agree on the refresh token.
    pub(crate) fn agrees(&self) -> bool {
        self.store.refresh() == self.cloud.grants.refresh()
    }
}

/// Creates a chain as a sign-in does.
pub(crate) fn chain(
    setup: &Setup,
    refresh: &str,
    access: Option<&str>,
    replaces: Option<u32>,
) -> Unstored {
    let grant = Grant {
        refresh: RefreshToken::new(refresh).ok(),
        access: access.map(|text| (AccessToken::new(text).unwrap(), setup.lifetime)),
        scopes: Some(setup.scopes),
        refresh_lifetime_s: None,
        user_id: None,
    };
    let client = Client {
        id: "23ABCD".try_into().unwrap(),
        secret: None,
    };
    let issued = beginning() - SignedDuration::from_secs(setup.age);
    let issuer = "https://cloud.example".try_into().unwrap();
    let scopes = setup.scopes;
    Unstored::signed_in(
        setup.provider,
        issuer,
        client,
        grant,
        scopes,
        replaces,
        issued,
    )
    .unwrap()
}

/// Combines an action with its bytes.
fn with_bytes(action: Action, buffer: &[u8]) -> Todo {
    match action {
        Action::OpenChain { wait } => Todo::Open(wait),
        Action::Store { len, what } => Todo::Store(Bytes(buffer[..len].to_vec()), what),
        Action::CloseChain => Todo::Close,
        Action::Send { request, timeout } => Todo::Send(Call::from(request.view(buffer)), timeout),
        Action::ResolveZone { facts, .. } => Todo::Resolve(facts),
        Action::Finished(result) => Todo::Finished(result),
        Action::Wait { until } => Todo::Wait(until),
    }
}

/// Returns a zone's name in the form of the settings.
pub(crate) fn zone_name(name: &str) -> ZoneName {
    name.try_into().unwrap()
}
