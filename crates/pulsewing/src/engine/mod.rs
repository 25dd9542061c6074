//! The cycle's driver: executes its actions, and reports the results back to it.

pub(crate) mod clock;
pub(crate) mod http;
pub(crate) mod progress;
pub(crate) mod stop;
pub(crate) mod zone;

use std::{io, sync::Arc, time::Duration};

use jiff::{Timestamp, civil::Date};
use pulsewing_core::{
    Provider,
    cycle::{Action, Cycle, Failure, PastAction, PastDay, StoreTrouble},
    oauth::NoAnswer,
    reading::{Reading, TimeZone, ZoneSource},
    request::REQUEST_BUFFER,
};
use pulsewing_history::{Account, Source, SourceDay};
use tokio::sync::{Notify, watch};
use zeroize::Zeroizing;

use crate::{
    config::wearer::WearerId,
    custody::{
        ChainStore, Custody as _,
        state_file::{ReadingFacts, State},
    },
    engine::{
        clock::Clock,
        http::{Answered, Http, Outgoing, Part},
        progress::Progress,
        stop::Stop,
    },
    tell::{
        console::Console,
        phrases,
        problem::{Exit, Problem},
    },
};

/// The number of tries of a refresh before we report that there is no answer.
const TRIES_IN_SILENCE: u8 = 2;

/// Runs cycles with the machine's clock, files and network.
#[derive(Debug)]
pub(crate) struct Engine {
    cycle: Cycle,
    http: Http,
    chain: ChainStore,
    state: State,
    clock: Clock,
    configured_zone: Option<String>,
    console: Console,
    /// The wearer to name in commands for people, if there are several.
    named: Option<WearerId>,
    details: Details,
    /// Whether this cycle has reported that the refresh has no answer.
    has_said_unanswered: bool,
    failure: Option<Failure>,
    /// Whether the provider has answered that it was asked too often.
    was_limited: bool,
    activity: watch::Sender<Activity>,
    wake: Arc<Notify>,
    progress: Progress,
}

/// Whether to wait for the time at which a cycle may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Patience {
    /// Wait for it.
    Waits,
    /// Begin now, or say from when on that is possible.
    StartsNow,
}

/// The end of a turn.
#[derive(Debug)]
pub(crate) enum Turn {
    /// The cycle has ended; the error is the reason why it yielded no reading.
    Ended(Result<(), Problem>),
    /// No cycle may begin before this time.
    NotBefore(
        #[cfg_attr(
            not(feature = "fleet"),
            expect(
                dead_code,
                reason = "only collectors begin somebody else's turn meanwhile"
            )
        )]
        Timestamp,
    ),
    /// There was a request to stop.
    Stopped,
    /// Somebody else has the chain from now on.
    Lost,
}

/// An engine's current activity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Activity {
    /// Waiting for the next cycle.
    #[default]
    Waiting,
    /// In the middle of a cycle.
    Updating,
    /// Trying to write new tokens, without success so far: a power cut would lose them.
    TokensNotStored,
}

/// Details of what went wrong last, which the cycle's failure does not hold.
#[derive(Debug, Default)]
struct Details {
    /// The file system's error.
    file: Option<io::Error>,
    /// Why there was no usable answer, if known.
    network: Option<String>,
}

/// The status of an answer to too many requests.
const TOO_MANY: u16 = 429;

impl Engine {
    /// Builds an engine for this cycle. `configured_zone` is the time zone to use if the provider
    /// does not report one.
    pub(crate) fn new(
        cycle: Cycle,
        http: Http,
        chain: ChainStore,
        state: State,
        clock: Clock,
        configured_zone: Option<String>,
        console: Console,
    ) -> Self {
        Self {
            cycle,
            http,
            chain,
            state,
            clock,
            configured_zone,
            console,
            named: None,
            details: Details::default(),
            has_said_unanswered: false,
            failure: None,
            was_limited: false,
            activity: watch::Sender::default(),
            wake: Arc::default(),
            progress: Progress::default(),
        }
    }

    /// Names the wearer in commands for people, because there are several wearers.
    pub(crate) fn naming(self, wearer: WearerId) -> Self {
        Self {
            named: Some(wearer),
            ..self
        }
    }

    /// Returns the handle that wakes the engine: a cycle begins at once, even after a 410, or right
    /// after the current one.
    pub(crate) fn wake(&self) -> Arc<Notify> {
        Arc::clone(&self.wake)
    }

    /// Returns the handle that shows whether the engine is making progress.
    pub(crate) fn progress(&self) -> Progress {
        self.progress.clone()
    }

    /// Returns a receiver for the engine's activity.
    pub(crate) fn activity(&self) -> watch::Receiver<Activity> {
        self.activity.subscribe()
    }

    /// Runs until a cycle has ended, and waits for its beginning.
    ///
    /// On a request to stop it returns, but first waits for a refresh that is under way, because
    /// the answer may be the only copy of the next token.
    ///
    /// # Errors
    /// The reason why the cycle yielded no reading.
    pub(crate) async fn next_cycle(&mut self, stop: &Stop) -> Result<(), Problem> {
        match self.turn(stop, Patience::Waits).await {
            Turn::Ended(result) => result,
            Turn::Stopped | Turn::NotBefore(_) | Turn::Lost => Err(Problem::new(
                Exit::Interrupted,
                "stopped before the update was complete",
            )),
        }
    }

    /// Runs a cycle until it has ended, or until there is a reason not to go on.
    pub(crate) async fn turn(&mut self, stop: &Stop, patience: Patience) -> Turn {
        // Requests and records are written here, including tokens.
        let mut buffer = Zeroizing::new([0; REQUEST_BUFFER]);
        loop {
            if self.may_stop(stop) && stop.is_requested() {
                self.chain.unlock().await;
                return Turn::Stopped;
            }
            if self.chain.is_lost() {
                return Turn::Lost;
            }
            let action = self.cycle.poll(self.clock.now(), &mut buffer);
            // Evaluated again: a pause may have ended, and a refresh may be about to be sent again.
            let may_stop = self.may_stop(stop);
            self.promise(match &action {
                Action::OpenChain { wait } => Some(*wait),
                Action::Send { timeout, .. } => Some(*timeout),
                Action::Wait { until } => Some(until.saturating_sub(self.clock.now().up)),
                _ => None,
            });
            match action {
                Action::OpenChain { wait } => {
                    self.become_active(Activity::Updating);
                    tokio::select! {
                        () = stop.requested() => {}
                        () = self.open(wait) => {}
                    }
                }
                Action::Store { len, what } => {
                    let record = buffer.get(..len).unwrap_or_default();
                    let result = self.chain.store(record, what).await;
                    self.stored(result);
                }
                Action::CloseChain => {
                    self.chain.unlock().await;
                    self.cycle.closed(self.clock.now());
                }
                Action::Send { .. } if !may_stop && !self.chain.confirm().await => {
                    // Somebody else may have sent this token meanwhile, and used what came of it.
                    let cause = Some(NoAnswer::NeverLeft);
                    self.cycle.reply_end(cause, self.clock.now());
                }
                Action::Send { request, timeout } => {
                    let outgoing = self.http.prepare(&request.view(&buffer[..]), timeout);
                    if may_stop {
                        tokio::select! {
                            () = stop.requested() => {}
                            () = self.send(outgoing) => {}
                        }
                    } else {
                        self.send(outgoing).await;
                    }
                }
                Action::ResolveZone { facts, at } => {
                    let zone = zone::resolve(&facts, self.configured_zone(), at);
                    self.cycle.zone_resolved(zone, self.clock.now());
                }
                Action::Wait { until } => {
                    if patience == Patience::StartsNow && self.cycle.is_idle() {
                        return Turn::NotBefore(self.at(until));
                    }
                    self.tell_activity();
                    self.tell_unanswered();
                    tokio::select! {
                        () = stop.requested() => {}
                        () = self.wake.notified() => self.cycle.start_now(),
                        () = self.clock.sleep_until(until) => {}
                    }
                }
                Action::Finished(result) => {
                    self.cycle.acknowledge();
                    self.become_active(Activity::Waiting);
                    return Turn::Ended(self.finished(result));
                }
            }
        }
    }

    /// Returns the time at which the monotonic clock will show `up`.
    fn at(&self, up: Duration) -> Timestamp {
        let now = self.clock.now();
        let wait = up.saturating_sub(now.up);
        now.utc.checked_add(wait).unwrap_or(Timestamp::MAX)
    }

    /// Promises the watchdog to be back after `wait`.
    fn promise(&self, wait: Option<Duration>) {
        let up = self.clock.now().up;
        self.progress
            .back_by(up.saturating_add(wait.unwrap_or_default()));
    }

    /// Publishes the activity. A wait for the next try within a cycle counts as updating.
    fn tell_activity(&self) {
        self.become_active(if self.cycle.holds_unstored_tokens() {
            Activity::TokensNotStored
        } else if self.cycle.is_idle() {
            Activity::Waiting
        } else {
            Activity::Updating
        });
    }

    /// Reports that a refresh has no answer. It is sent again for two minutes, and a user who waits
    /// should know why.
    fn tell_unanswered(&mut self) {
        let Some((tries, failure)) = self.cycle.unanswered_refresh() else {
            return;
        };
        if tries >= TRIES_IN_SILENCE && !self.has_said_unanswered {
            self.has_said_unanswered = true;
            self.console.warn(&format!(
                "{failure}; sending the same refresh token again for up to two minutes; nothing is lost"
            ));
        }
    }

    fn become_active(&self, activity: Activity) {
        self.activity.send_if_modified(|current| {
            let is_new = *current != activity;
            *current = activity;
            is_new
        });
    }

    fn may_stop(&self, stop: &Stop) -> bool {
        self.cycle.may_stop() || stop.is_overdue()
    }

    async fn open(&mut self, wait: Duration) {
        let loaded = match self.chain.lock(wait).await {
            Ok(()) => self.chain.load().await,
            Err(trouble) => Err(trouble),
        };
        match loaded {
            Ok(loaded) => {
                if loaded.is_previous {
                    self.console
                        .warn("the stored sign-in was damaged; using the previous generation");
                }
                match loaded.record {
                    Some(record) => self.cycle.opened(record, self.clock.now()),
                    None => self.cycle.unavailable(None),
                }
            }
            Err(unavailable) => {
                self.details.file = unavailable.cause;
                self.cycle.unavailable(Some(unavailable.trouble));
            }
        }
    }

    fn stored(&mut self, result: io::Result<()>) {
        let is_stored = result.is_ok();
        self.details.file = result.err();
        if let Some(error) = &self.details.file {
            self.console
                .detail(|| format!("the sign-in could not be saved: {error}"));
        }
        self.cycle.stored(is_stored, self.clock.now());
        if self.cycle.holds_unstored_tokens() && !is_stored {
            let place = self.chain.place();
            self.console.warn(&format!("the renewed sign-in cannot be written to {place}; trying again every 30 seconds. Do not switch this machine off"));
        }
    }

    async fn send(&mut self, outgoing: Outgoing) {
        let label = outgoing.label().to_owned();
        let now = self.clock.now().utc;
        let cycle = &mut self.cycle;
        let result = outgoing
            .send(now, |part| match part {
                Part::Head(head) => cycle.reply_head(head),
                Part::Body(chunk) => cycle.reply_body(chunk),
            })
            .await;
        self.console.detail(|| match &result {
            Ok(answered) => format!("{label}: {}", answered.status),
            Err(unanswered) => format!("{label}: {unanswered}"),
        });
        let cause = result.as_ref().err().map(|unanswered| unanswered.cause);
        let was_refused = |answered: &Answered| answered.status.as_u16() == TOO_MANY;
        self.was_limited |= result.as_ref().is_ok_and(was_refused);
        self.details.network = match result {
            Ok(answered) => answered.leads_to(),
            Err(unanswered) => unanswered.detail,
        };
        self.cycle.reply_end(cause, self.clock.now());
    }

    fn finished(&mut self, result: Result<(), Failure>) -> Result<(), Problem> {
        let now = self.clock.now().utc;
        self.has_said_unanswered = false;
        self.failure = result.err();
        let problem = self.failure.map(|failure| self.problem(failure));
        self.state.last_update = Some(now);
        self.state.next_update = match self.failure {
            None => Some(self.cycle.due()),
            Some(failure) => self.cycle.asks_again(failure, self.clock.now()),
        };
        self.state.failing_since = problem
            .as_ref()
            .map(|_| self.state.failing_since.unwrap_or(now));
        self.state.last_error = problem.as_ref().map(|problem| problem.message().to_owned());
        self.state.last_trouble = self.failure.map(|failure| failure.kind().name().to_owned());
        self.state.last_details = problem.as_ref().and_then(Problem::in_detail);
        self.state.oauth_error = match self.failure {
            Some(Failure::OAuth(error)) => Some(error.to_string()),
            _ => None,
        };
        self.state.last_hint = problem
            .as_ref()
            .and_then(|problem| problem.hints().first().cloned());
        if problem.is_none() {
            self.state.last_success = Some(now);
            if let Some(latest) = self.cycle.reading().and_then(Reading::latest) {
                self.state.last_minute = Some(latest.at);
                self.state.last_bpm = Some(latest.bpm.get());
            }
            self.state.reading = self.cycle.reading().map(ReadingFacts::from);
        }
        self.save_state();
        let zone = self.cycle.reading().map(|reading| &reading.time_zone);
        if let Some(zone) = zone.filter(|zone| zone.source == ZoneSource::Machine) {
            let name = match zone.name.as_str() {
                "" => "of this machine",
                name => name,
            };
            self.console.warn(&format!("the provider did not report the wearer's time zone; using {name} instead (set the wearer's time_zone in the configuration to change it)"));
        }
        if problem.is_none() {
            self.warn_of_future(self.cycle.future_minutes());
        }
        if let Some(failure) = self.cycle.renewal_failure() {
            self.console
                .warn(&format!("the sign-in could not be renewed yet, but still works for a while (details: {failure}; the current access token is still valid)"));
        }
        problem.map_or(Ok(()), Err)
    }

    fn warn_of_future(&self, minutes: u32) {
        if minutes > 0 {
            let (noun, verb) = match minutes {
                1 => ("minute", "is"),
                _ => ("minutes", "are"),
            };
            self.console.warn(&format!("{minutes} {noun} from the provider {verb} later than now and left out: check this machine's clock and the wearer's time zone"));
        }
    }

    fn save_state(&mut self) {
        self.state
            .remember(self.cycle.pacing(), self.cycle.memory());
        match &self.chain {
            ChainStore::Files(files) => self.state.save_or_warn(files.place(), self.console),
            // Whoever holds the lease saves it when the work is done.
            #[cfg(feature = "fleet")]
            ChainStore::Leased(_) => {}
        }
    }

    /// Fetches a past day, between two cycles. Returns `None` when that is not possible now,
    /// because a cycle is due, the program is to stop, or no request can be spared.
    ///
    /// # Errors
    /// The reason why the fetch failed.
    pub(crate) async fn past_day(
        &mut self,
        date: Date,
        stop: &Stop,
    ) -> Result<Option<SourceDay>, Failure> {
        let now = self.clock.now().utc;
        let noon = date.at(12, 0, 0, 0).to_zoned(jiff::tz::TimeZone::UTC);
        let noon = noon.map_or(now, |noon| noon.timestamp());
        let zone = self.zone_at(noon);
        let mut past = PastDay::new(self.provider(), zone.offsets, date);
        let mut buffer = Zeroizing::new([0; REQUEST_BUFFER]);
        let result = loop {
            let now = self.clock.now();
            let outgoing = match past.poll(&mut self.cycle, now, &mut buffer) {
                PastAction::NotNow => break Ok(None),
                PastAction::Finished(Err(failure)) => break Err(failure),
                PastAction::Finished(Ok(())) => {
                    break Ok(Some(SourceDay {
                        source: Source::from(self.provider()),
                        zone: zone.name.as_str().to_owned(),
                        day: past.day().clone(),
                        resting: past.resting(),
                        fetched_at: now.utc,
                    }));
                }
                PastAction::Send { request, timeout } => {
                    self.http.prepare(&request.view(&buffer[..]), timeout)
                }
            };
            let label = outgoing.label().to_owned();
            self.promise(Some(outgoing.timeout()));
            let sent = outgoing.send(now.utc, |part| match part {
                Part::Head(head) => past.reply_head(head),
                Part::Body(chunk) => past.reply_body(chunk),
            });
            let sent = tokio::select! {
                () = stop.requested() => break Ok(None),
                sent = sent => sent,
            };
            self.console.detail(|| match &sent {
                Ok(answered) => format!("{label} of {date}: {}", answered.status),
                Err(unanswered) => format!("{label} of {date}: {unanswered}"),
            });
            let cause = sent.err().map(|unanswered| unanswered.cause);
            past.reply_end(cause, &mut self.cycle, self.clock.now());
        };
        self.warn_of_future(past.future_minutes().into());
        // Requests that were sent count even after a restart.
        self.save_state();
        result
    }

    fn problem(&mut self, failure: Failure) -> Problem {
        let problem = Problem::from_failure(failure, self.provider());
        let problem = match &self.named {
            Some(wearer) => problem.for_wearer(wearer.as_str()),
            None => problem,
        };
        let details = std::mem::take(&mut self.details);
        match failure {
            Failure::Store(StoreTrouble::Io)
            | Failure::IntentNotStored
            | Failure::TokensNotStored => match details.file {
                Some(error) => problem.caused_by_file(&error),
                None => problem,
            },
            Failure::NoAnswer { .. } => match details.network {
                Some(detail) => problem.because(detail),
                None => problem,
            },
            Failure::RateLimited { until } => problem.hint(format!(
                "nothing is lost; Pulsewing asks again after {}",
                self.on_the_wall(until)
            )),
            _ => problem,
        }
    }

    /// Formats a future instant on the wearer's clock, as far as that is known.
    fn on_the_wall(&self, at: Timestamp) -> String {
        let now = self.clock.now().utc;
        phrases::until(at, now, &self.zone_at(now).offsets)
    }

    /// Returns the wearer's zone around an instant, as far as it is known.
    fn zone_at(&self, at: Timestamp) -> TimeZone {
        let facts = self.cycle.memory().zone.as_ref();
        let facts = facts.map(|(facts, _)| facts.clone()).unwrap_or_default();
        zone::resolve(&facts, self.configured_zone(), at)
    }

    /// Returns the newest reading.
    pub(crate) fn reading(&self) -> Option<&Reading> {
        self.cycle.reading()
    }

    /// Returns the failure of the newest cycle, if there was one.
    pub(crate) const fn failure(&self) -> Option<Failure> {
        self.failure
    }

    /// Returns the provider whose dialect it speaks.
    pub(crate) const fn provider(&self) -> Provider {
        self.http.endpoints().provider
    }

    /// Returns whether the provider has answered, since this was built, that it was asked too often.
    #[cfg(feature = "fleet")]
    pub(crate) const fn was_limited(&self) -> bool {
        self.was_limited
    }

    /// Returns the account whose heart rate it fetches, if the provider reports it.
    pub(crate) fn account(&self) -> Option<Account> {
        let user_id = self.cycle.user_id()?.to_owned();
        Some(Account {
            provider: self.provider(),
            user_id,
        })
    }

    /// Returns the current activity.
    pub(crate) fn current_activity(&self) -> Activity {
        *self.activity.borrow()
    }

    /// Remembers that on this day no past day was missing.
    #[cfg(feature = "fleet")]
    pub(crate) const fn settle(&mut self, today: Date) {
        self.state.settled_on = Some(today);
    }

    /// Returns the state that is remembered between runs.
    pub(crate) const fn state(&self) -> &State {
        &self.state
    }

    /// Returns the cycle.
    pub(crate) const fn cycle(&self) -> &Cycle {
        &self.cycle
    }

    /// Returns the time zone to use if the provider does not report one.
    pub(crate) fn configured_zone(&self) -> Option<&str> {
        self.configured_zone.as_deref()
    }

    /// Returns the program's clock.
    pub(crate) const fn clock(&self) -> &Clock {
        &self.clock
    }
}
