//! The app loop: network, time, cycle, over and over.
//!
//! ```text
//!       ┌────────────── between two cycles ──────────────┐
//!       ▼                                                │
//!   online? ──no──▶ join each network, pause ────────────┤
//!       │ yes                                            │
//!   on time? ──no─▶ ask each server, pause ──────────────┤
//!       │ yes                                            │
//!   held off? ─yes▶ wait ────────────────────────────────┤
//!       │ no                                             │
//!       ▼                                                │
//!   Cycle::poll ──▶ OpenChain, Store, CloseChain: store  │
//!       ▲           Send: web; ResolveZone: settings     │
//!       └─ events ─ Wait: clock; Finished: report ───────┘
//! ```
//!
//! Within a cycle only the cycle decides: an unstored pair is written whether or not there is a
//! network, and a request from the console does not interrupt a refresh that was sent.

mod exchange;
mod network;
mod time;

use core::time::Duration;

use embassy_futures::select::{Either, select};
use embassy_sync::{blocking_mutex::raw::NoopRawMutex, mutex::MutexGuard};
use jiff::{SignedDuration, Timestamp};
use pulsewing_core::{
    chain::Record,
    cycle::{Action, Cycle, Failure, FailureKind, Memory, Now, Pacing, StoreTrouble, StoreWhat},
    instant::later,
    oauth::NoAnswer,
    report::Report,
    request::{REQUEST_BUFFER, Request},
};
use pulsewing_store::{MAX_SNAPSHOT, StoreError};
use zeroize::Zeroizing;

pub(crate) use time::whole_seconds;

use self::exchange::Receiver;
use crate::{
    alarms,
    backoff::Backoff,
    configuration,
    deadlines::Part,
    instruction_counts::Work,
    own_frame::own_frame,
    ports::{Board, Clock, ConnectError, Link, Outgoing, System, Unanswered, Web},
    serial_queue::text,
    shared::{ChainFacts, Shared, Ssid},
};

/// How soon we notice a lost link while there is nothing to do.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// How long one step of the loop may take in addition to its waits: flash, zone, report; a store
/// that another part is using.
const STEP: Duration = Duration::from_secs(90);

/// The minimum interval between two writes of the last picture: flash wears.
const SAVE_EVERY: SignedDuration = SignedDuration::from_mins(15);

/// A server clock that differs by less is not reported.
const DRIFT: SignedDuration = SignedDuration::from_secs(30);

/// The app loop.
pub(crate) struct App<'s, 'b, B: Board> {
    shared: &'s Shared<'b, B>,
    link: B::Link,
    web: B::Web,
    /// `None` until the time is known for the first time, and after the settings have changed.
    cycle: Option<Cycle>,
    /// Whether no cycle is under way.
    is_between: bool,
    /// The state that the next cycle begins with.
    kept: (Pacing, Memory),
    seed: u32,
    buffer: Zeroizing<[u8; REQUEST_BUFFER]>,
    /// The chain's lock, from `OpenChain` to `CloseChain`.
    chain_guard: Option<MutexGuard<'s, NoopRawMutex, ()>>,
    /// After the start, only a replay is sent until then.
    held_off_until: Duration,
    /// Whether the store holds an intent: then the first request is its replay, at once.
    found_intent: bool,
    join_again: Backoff,
    last_network: Ssid,
    time_again: Backoff,
    ask_time_at: Duration,
    /// Whether a differing server clock was already reported since the time was last asked for.
    has_told_drift: bool,
    saved_at: Option<Timestamp>,
    alarm_record: alarms::Record,
}

/// The state that the app loop finds in the store at the start.
pub(crate) struct Found {
    pub(crate) pacing: Pacing,
    pub(crate) memory: Memory,
    pub(crate) has_intent: bool,
    pub(crate) saved_at: Option<Timestamp>,
}

/// Returns whether the lack of a network can have caused a failure: then joining one may end it.
const fn may_mend_itself(failure: Failure) -> bool {
    let is_servers_word = matches!(
        failure,
        Failure::RateLimited { .. }
            | Failure::NoAnswer {
                cause: NoAnswer::Named { .. },
                ..
            }
    );
    matches!(failure.kind(), FailureKind::Temporary) && !is_servers_word
}

impl<'s, 'b, B: Board> App<'s, 'b, B> {
    pub(crate) fn new(
        shared: &'s Shared<'b, B>,
        link: B::Link,
        web: B::Web,
        found: Found,
        seed: u32,
    ) -> Self {
        Self {
            shared,
            link,
            web,
            cycle: None,
            is_between: true,
            kept: (found.pacing, found.memory),
            seed,
            buffer: Zeroizing::new([0; REQUEST_BUFFER]),
            chain_guard: None,
            held_off_until: configuration::hold_off(&shared.settings.borrow()),
            found_intent: found.has_intent,
            join_again: Backoff::new(seed),
            last_network: Ssid::new(),
            time_again: Backoff::new(seed.rotate_left(16)),
            ask_time_at: Duration::ZERO,
            has_told_drift: false,
            saved_at: found.saved_at,
            alarm_record: alarms::Record::new(),
        }
    }

    /// Runs forever.
    pub(crate) async fn run(&mut self) -> ! {
        loop {
            self.promise(Duration::ZERO);
            own_frame(self.alarm_record.write_if_due(self.shared)).await;
            if self.is_between {
                self.take_wishes();
                let is_ready = own_frame(self.online()).await
                    && own_frame(self.on_time()).await
                    && self.is_let_on().await;
                if !is_ready {
                    continue;
                }
            }
            own_frame(self.step()).await;
        }
    }

    /// Executes one action of the cycle.
    async fn step(&mut self) {
        let Some(now) = self.now() else {
            return;
        };
        let cycle = self.cycle.get_or_insert_with(|| {
            let mut pacing = self.kept.0.clone();
            if let Some(until) = held_off(now, self.held_off_until) {
                pacing.next_allowed = pacing.next_allowed.max(Some(until));
            }
            let settings = configuration::cycle_settings(&self.shared.settings.borrow());
            Cycle::new(settings, pacing, self.kept.1.clone(), self.seed)
        });
        let action = cycle.poll(now, &mut self.buffer);
        self.is_between &= matches!(action, Action::Wait { .. });
        match action {
            Action::OpenChain { wait } => own_frame(self.open(wait)).await,
            Action::Store { len, what } => {
                let record = self.buffer.get(..len).unwrap_or_default();
                let result = {
                    let shared = self.shared;
                    let mut store = shared.store.lock().await;
                    let before = shared.system.instructions();
                    let result = store.store_chain(record, what).await;
                    shared
                        .instruction_counts
                        .count(&shared.system, Work::Store, before);
                    result
                };
                if result.is_ok()
                    && let Ok(record) = Record::decode(record)
                {
                    let chain = ChainFacts::from_chain(&record.chain);
                    self.shared.facts.borrow_mut().chain = Some(chain);
                }
                own_frame(self.stored(result, what)).await;
            }
            Action::CloseChain => {
                self.chain_guard = None;
                cycle.closed(now);
            }
            Action::Send { request, timeout } => own_frame(self.send(request, timeout)).await,
            Action::ResolveZone { facts, at } => {
                let settings = self.shared.settings.borrow();
                let zone = configuration::resolve_zone(&settings, &facts, at);
                cycle.zone_resolved(zone, now);
            }
            Action::Finished(result) => {
                cycle.acknowledge();
                self.is_between = true;
                own_frame(self.finished(result)).await;
            }
            Action::Wait { until } if self.is_between => {
                self.rest_until(until.min(self.shared.after(LOOK_EVERY)))
                    .await;
            }
            Action::Wait { until } => {
                // A pause between two tries is a good time to rejoin the network.
                self.rejoin().await;
                self.promise(until.saturating_sub(self.shared.clock.up()));
                self.shared.clock.sleep_until(until).await;
            }
        }
        self.note_refresh();
    }

    /// Notes, for the other parts, the state that a restart would lose.
    fn note_refresh(&self) {
        let Some(cycle) = &self.cycle else {
            return;
        };
        let holds_unstored = cycle.holds_unstored_tokens();
        let is_refreshing = !cycle.may_stop();
        self.shared.deadlines.guard_tokens(holds_unstored);
        let mut facts = self.shared.facts.borrow_mut();
        facts.holds_unstored = holds_unstored;
        facts.is_refreshing = is_refreshing;
    }

    async fn open(&mut self, wait: Duration) {
        let shared = self.shared;
        if self.chain_guard.is_none() {
            self.promise(wait);
            let give_up = shared.clock.sleep_until(shared.after(wait));
            match select(shared.chain_lock.lock(), give_up).await {
                Either::First(guard) => self.chain_guard = Some(guard),
                Either::Second(()) => {
                    self.tell(|cycle, _| cycle.unavailable(Some(StoreTrouble::Busy)));
                    return;
                }
            }
        }
        let mut store = shared.store.lock().await;
        let loaded = store.load_chain(&mut self.buffer[..]).await;
        self.found_intent = false;
        let trouble = match loaded {
            Ok(Some(loaded)) => {
                self.know_chain(Some(ChainFacts::from_chain(&loaded.record.chain)));
                let is_previous = loaded.is_previous;
                let has_intent = loaded.record.intent.is_some();
                // The space reserved for the answer may have been lost with the power.
                let reserved = match has_intent {
                    true => store.reserve_answer().await,
                    false => Ok(()),
                };
                drop(store);
                match reserved {
                    Ok(()) => self.tell(|cycle, now| cycle.opened(loaded.record, now)),
                    Err(error) => self.cannot_open(error.trouble()).await,
                }
                is_previous.then_some("the stored sign-in was damaged; using the previous one")
            }
            Ok(None) => {
                self.know_chain(None);
                self.tell(|cycle, _| cycle.unavailable(None));
                None
            }
            Err(error) => {
                drop(store);
                self.cannot_open(error.trouble()).await;
                None
            }
        };
        if let Some(trouble) = trouble {
            shared.went_wrong(format_args!("{trouble}")).await;
        }
    }

    fn know_chain(&self, chain: Option<ChainFacts>) {
        let mut facts = self.shared.facts.borrow_mut();
        facts.chain = chain;
        facts.chain_trouble = None;
    }

    async fn cannot_open(&mut self, trouble: StoreTrouble) {
        self.shared.facts.borrow_mut().chain_trouble = Some(trouble);
        self.tell(|cycle, _| cycle.unavailable(Some(trouble)));
        self.shared.went_wrong(format_args!("{trouble}")).await;
    }

    async fn stored<E>(&mut self, result: Result<(), StoreError<E>>, what: StoreWhat) {
        let is_stored = result.is_ok();
        self.tell(|cycle, now| cycle.stored(is_stored, now));
        if what == StoreWhat::Tokens && self.shared.facts.borrow().has_store_failed == is_stored {
            self.shared
                .note(|facts| facts.has_store_failed = !is_stored);
        }
        if let Err(error) = result {
            let what = match what {
                StoreWhat::Tokens => "new tokens could not be stored; trying again",
                StoreWhat::Intent => {
                    "the refresh was not sent, because it could not be recorded first"
                }
                StoreWhat::Withdrawal | StoreWhat::Refusal | StoreWhat::Cache => {
                    "the sign-in's state could not be stored"
                }
            };
            // Before the log entry, which the same flash may refuse: the state must be visible
            // anyway.
            self.note_refresh();
            self.shared
                .went_wrong(format_args!("{what}: {error}"))
                .await;
        }
    }

    async fn send(&mut self, request: Request, timeout: Duration) {
        let shared = self.shared;
        self.note_refresh();
        self.rejoin().await;
        let (Some(now), Some(_)) = (shared.clock.utc(), self.link.joined()) else {
            shared.facts.borrow_mut().connect_error = None;
            self.tell(|cycle, now| cycle.reply_end(Some(NoAnswer::NeverLeft), now));
            return;
        };
        let server = configuration::server(&shared.settings.borrow(), request.endpoint);
        let Some(cycle) = &mut self.cycle else {
            return;
        };
        let mut receiver = Receiver {
            cycle,
            now,
            drift: None,
            system: &shared.system,
            instruction_counts: &shared.instruction_counts,
        };
        let request = request.view(&self.buffer[..]);
        let outgoing = Outgoing {
            host: &server.host,
            port: server.port,
            connect: Some(server.connect.as_str()).filter(|host| !host.is_empty()),
            is_tls: server.is_tls,
            method: request.method,
            target: request.target,
            bearer: request.bearer,
            content_type: request.content_type,
            body: request.body,
            timeout,
        };
        let until = shared.after(timeout).saturating_add(STEP);
        shared.deadlines.promise(Part::App, until);
        let result = self.web.exchange(&outgoing, &mut receiver).await;
        let drift = receiver.drift;
        let has_news = !self.has_told_drift;
        if let Some(drift) = drift.filter(|drift| has_news && drift.abs() > DRIFT) {
            self.has_told_drift = true;
            let seconds = drift.as_secs();
            shared.serial_queue.log(format_args!(
                "{}'s clock is {seconds} s ahead of the board's",
                server.host
            ));
        }
        if let Err(Unanswered {
            connect_error: Some(connect_error),
            ..
        }) = result
        {
            shared
                .went_wrong(format_args!("{}: {connect_error}", server.host))
                .await;
            if matches!(
                connect_error,
                ConnectError::Expired | ConnectError::NotYetValid
            ) {
                // The board's own clock may be the wrong one.
                self.ask_time_at = Duration::ZERO;
            }
        }
        shared.facts.borrow_mut().connect_error =
            result.err().and_then(|unanswered| unanswered.connect_error);
        let failed = result.err().map(|unanswered| unanswered.cause);
        self.tell(|cycle, now| cycle.reply_end(failed, now));
    }

    async fn finished(&mut self, result: Result<(), Failure>) {
        let shared = self.shared;
        let now = self.now();
        let Some((cycle, now)) = self.cycle.as_mut().zip(now) else {
            return;
        };
        let due = cycle.due();
        self.kept = (cycle.pacing().clone(), cycle.memory().clone());
        if let (Ok(()), Some(reading)) = (result, cycle.reading()) {
            let wait = Duration::try_from(due.duration_since(now.utc)).unwrap_or_default();
            let report = Report {
                reading,
                token_written_to: cycle.token_written().then_some("NVM"),
                uptime: now.up,
                next_update: Some(wait),
            };
            let report: heapless::String<768> = text(format_args!("{report}"));
            shared.serial_queue.offer(report.as_bytes());
            if let Some(before) = &*shared.reading.borrow() {
                cycle.keep_last_known(before);
            }
            shared.show(cycle.reading());
        }
        let renewal_failure = cycle.renewal_failure();
        let future_minutes = cycle.future_minutes();
        shared.note(|known| {
            known.ended = Some(result);
            known.failing_since = match result {
                Ok(()) => None,
                Err(_) => known.failing_since.or(Some(now.utc)),
            };
            known.next_update = (due < Timestamp::MAX).then_some(due);
            if result.is_ok() {
                known.last_success = Some(now.utc);
            }
        });
        alarms::go_on(shared, cycle.news().as_ref());
        match (result, renewal_failure) {
            (Err(failure), _) => shared.went_wrong(format_args!("{failure}")).await,
            (Ok(()), Some(failure)) => {
                let what = format_args!("{failure}; the current access token is still valid");
                shared.went_wrong(what).await;
            }
            (Ok(()), None) if future_minutes > 0 => {
                let what =
                    format_args!("left out {future_minutes} minutes of heart rate later than now");
                shared.went_wrong(what).await;
            }
            (Ok(()), None) => {}
        }
        if result.is_ok() {
            self.save_snapshot(now.utc).await;
        }
    }

    /// Writes the last picture to the store, for the next start.
    async fn save_snapshot(&mut self, now: Timestamp) {
        let is_recent = |at: Timestamp| {
            let since = now.duration_since(at);
            since >= SignedDuration::ZERO && since < SAVE_EVERY
        };
        if self.saved_at.is_some_and(is_recent) {
            return;
        }
        let shared = self.shared;
        let result = {
            let reading = self.cycle.as_ref().and_then(Cycle::reading);
            let (pacing, memory) = &self.kept;
            let mut buffer = [0; MAX_SNAPSHOT];
            let mut store = shared.store.lock().await;
            store
                .save_snapshot(reading, pacing, memory, &mut buffer)
                .await
        };
        match result {
            Ok(()) => self.saved_at = Some(now),
            Err(error) => {
                let what = format_args!("the last picture could not be stored: {error}");
                shared.went_wrong(what).await;
            }
        }
    }

    /// Reports the outcome of an action to the cycle.
    fn tell(&mut self, how: impl FnOnce(&mut Cycle, Now)) {
        let now = self.now();
        if let (Some(cycle), Some(now)) = (&mut self.cycle, now) {
            how(cycle, now);
        }
    }

    fn now(&self) -> Option<Now> {
        Some(Now {
            utc: self.shared.clock.utc()?,
            up: self.shared.clock.up(),
        })
    }

    /// Takes the pending requests from the console.
    fn take_wishes(&mut self) {
        let requests = &self.shared.requests;
        if requests.settings.take() {
            if let Some(cycle) = self.cycle.take() {
                self.kept = (cycle.pacing().clone(), cycle.memory().clone());
            }
            self.ask_time_at = Duration::ZERO;
        }
        if requests.poll.take() {
            self.held_off_until = Duration::ZERO;
            // A cycle that is yet to be made begins at once anyway.
            if let Some(cycle) = &mut self.cycle {
                cycle.start_now();
            }
        }
    }

    /// Waits during the hold-off after a start, unless there is a replay to send. Returns whether a
    /// cycle may begin.
    async fn is_let_on(&self) -> bool {
        let up = self.shared.clock.up();
        if self.cycle.is_some() || self.found_intent || up >= self.held_off_until {
            return true;
        }
        self.rest_until(self.held_off_until.min(up.saturating_add(LOOK_EVERY)))
            .await;
        false
    }

    /// Waits until then, or until a request arrives.
    async fn rest_until(&self, until: Duration) {
        let shared = self.shared;
        self.promise(until.saturating_sub(shared.clock.up()));
        select(shared.clock.sleep_until(until), shared.requests.any.wait()).await;
    }

    /// Promises that the loop is back after this wait and one step of its own.
    fn promise(&self, wait: Duration) {
        let until = self.shared.after(wait).saturating_add(STEP);
        self.shared.deadlines.promise(Part::App, until);
    }
}

/// Returns the end of the hold-off as the cycle understands it: until then only a replay may be
/// sent.
fn held_off(now: Now, until: Duration) -> Option<Timestamp> {
    let left = until.checked_sub(now.up).filter(|left| !left.is_zero())?;
    let left = SignedDuration::try_from(left).ok()?;
    later(now.utc, left)
}
