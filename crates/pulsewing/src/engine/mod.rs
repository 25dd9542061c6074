//! The cycle's driver: does what it says, and tells it how that went.

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
    reading::{Reading, ZoneSource},
    request::REQUEST_BUFFER,
};
use pulsewing_history::{Account, Source, SourceDay};
use tokio::sync::{Notify, watch};
use zeroize::Zeroizing;

use crate::{
    custody::{
        chain_file::ChainFile,
        state_file::{ReadingFacts, State},
    },
    engine::{
        clock::Clock,
        http::{Http, Outgoing, Part},
        progress::Progress,
        stop::Stop,
    },
    tell::{
        console::Console,
        phrases,
        problem::{Exit, Problem},
    },
};

/// So many tries of a refresh pass before it is said that there is no answer.
const TRIES_IN_SILENCE: u8 = 2;

/// Runs cycles with the machine's clock, files and network.
#[derive(Debug)]
pub(crate) struct Engine {
    cycle: Cycle,
    provider: Provider,
    http: Http,
    files: ChainFile,
    state: State,
    clock: Clock,
    configured_zone: Option<String>,
    console: Console,
    /// What the file system last said, for the words of a failure.
    io_error: Option<io::Error>,
    /// What is known of why the last exchange was in vain.
    network_detail: Option<String>,
    /// Whether this cycle has said that the refresh has no answer.
    has_said_unanswered: bool,
    failure: Option<Failure>,
    activity: watch::Sender<Activity>,
    wake: Arc<Notify>,
    progress: Progress,
}

/// What an engine is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Activity {
    /// Waiting for the next cycle.
    #[default]
    Waiting,
    /// In the middle of a cycle.
    Updating,
    /// Trying to write new tokens, which did not succeed yet: without power they would be lost.
    TokensNotStored,
}

/// What the engine needs besides a cycle.
#[derive(Debug)]
pub(crate) struct Surroundings {
    /// Whose dialect is spoken.
    pub provider: Provider,
    /// The way to the provider.
    pub http: Http,
    /// The chain.
    pub files: ChainFile,
    /// What is remembered.
    pub state: State,
    /// The time.
    pub clock: Clock,
    /// The zone for when the provider does not say.
    pub configured_zone: Option<String>,
    /// Where to talk to people.
    pub console: Console,
}

impl Engine {
    /// An engine for this cycle.
    #[must_use]
    pub(crate) fn new(cycle: Cycle, around: Surroundings) -> Self {
        Self {
            cycle,
            provider: around.provider,
            http: around.http,
            files: around.files,
            state: around.state,
            clock: around.clock,
            configured_zone: around.configured_zone,
            console: around.console,
            io_error: None,
            network_detail: None,
            has_said_unanswered: false,
            failure: None,
            activity: watch::Sender::default(),
            wake: Arc::default(),
            progress: Progress::default(),
        }
    }

    /// Notified, it begins a cycle at once, also after a 410; or after the one that is under way.
    #[must_use]
    pub(crate) fn wake(&self) -> Arc<Notify> {
        Arc::clone(&self.wake)
    }

    /// Tells whether it goes on.
    #[must_use]
    pub(crate) fn progress(&self) -> Progress {
        self.progress.clone()
    }

    /// Tells what it is doing.
    #[must_use]
    pub(crate) fn activity(&self) -> watch::Receiver<Activity> {
        self.activity.subscribe()
    }

    /// Runs until a cycle has ended.
    ///
    /// Told to stop, it stops; but a refresh that is under way is waited for, because its answer
    /// may be the only copy of the next token.
    ///
    /// # Errors
    /// Why it yielded no reading, in words.
    pub(crate) async fn next_cycle(&mut self, stop: &Stop) -> Result<(), Problem> {
        // Requests and records are written here, tokens and all.
        let mut buffer = Zeroizing::new([0; REQUEST_BUFFER]);
        loop {
            if self.may_stop(stop) && stop.is_requested() {
                self.files.unlock();
                return Err(Problem::new(
                    Exit::Interrupted,
                    "stopped before the update was complete",
                ));
            }
            let action = self.cycle.poll(self.clock.now(), &mut buffer);
            // Asked anew: it may be the end of a pause, and a refresh that is sent again.
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
                    let result = self.files.store(record, what);
                    self.stored(result);
                }
                Action::CloseChain => {
                    self.files.unlock();
                    self.cycle.closed(self.clock.now());
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
                    let zone = zone::resolve(&facts, self.configured_zone.as_deref(), at);
                    self.cycle.zone_resolved(zone, self.clock.now());
                }
                Action::Wait { until } => {
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
                    return self.finished(result);
                }
            }
        }
    }

    /// Promises to be back in a while.
    fn promise(&self, wait: Option<Duration>) {
        let up = self.clock.now().up;
        self.progress
            .back_by(up.saturating_add(wait.unwrap_or_default()));
    }

    /// Within a cycle it also waits, for the next try; between two, for the next one.
    fn tell_activity(&self) {
        self.become_active(if self.cycle.holds_unstored_tokens() {
            Activity::TokensNotStored
        } else if self.cycle.is_idle() {
            Activity::Waiting
        } else {
            Activity::Updating
        });
    }

    /// A refresh without an answer is sent again for two minutes: whoever waits is told why.
    fn tell_unanswered(&mut self) {
        let Some((tries, failure)) = self.cycle.unanswered_refresh() else {
            return;
        };
        if tries >= TRIES_IN_SILENCE && !self.has_said_unanswered {
            self.has_said_unanswered = true;
            self.console.warn(&format!(
                "{failure}; the same refresh token is sent again for up to two minutes, and nothing is lost"
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
        let loaded = match self.files.lock(wait).await {
            Ok(()) => self.files.load(),
            Err(trouble) => Err(trouble),
        };
        match loaded {
            Ok(loaded) => {
                if loaded.is_previous {
                    self.console
                        .warn("the stored sign-in was damaged; the generation before it is used");
                }
                match loaded.record {
                    Some(record) => self.cycle.opened(record, self.clock.now()),
                    None => self.cycle.unavailable(None),
                }
            }
            Err(unavailable) => {
                self.io_error = unavailable.cause;
                self.cycle.unavailable(Some(unavailable.trouble));
            }
        }
    }

    fn stored(&mut self, result: io::Result<()>) {
        let is_stored = result.is_ok();
        self.io_error = result.err();
        if let Some(error) = &self.io_error {
            self.console
                .detail(|| format!("the sign-in could not be saved: {error}"));
        }
        self.cycle.stored(is_stored, self.clock.now());
        if self.cycle.holds_unstored_tokens() && !is_stored {
            self.console.warn("the renewed sign-in cannot be written to the disk; it is tried again every 30 seconds. Do not switch this machine off");
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
        let (detail, cause) = match result {
            Ok(answered) => (answered.leads_to(), None),
            Err(unanswered) => (unanswered.detail, Some(unanswered.cause)),
        };
        self.network_detail = detail;
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
        self.state.last_error = problem.as_ref().map(|problem| problem.message().to_owned());
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
            self.console.warn(&format!("the provider did not tell the wearer's time zone; the zone {name} is taken instead ([wearer] time_zone in the configuration names another)"));
        }
        if problem.is_none() {
            self.warn_of_future(self.cycle.future_minutes());
        }
        if let Some(failure) = self.cycle.renewal_failure() {
            self.console
                .warn(&format!("the sign-in could not be renewed yet, and is good for a while (details: {failure}; the access token at hand still serves)"));
        }
        problem.map_or(Ok(()), Err)
    }

    fn warn_of_future(&self, minutes: u32) {
        if minutes > 0 {
            let (noun, verb) = match minutes {
                1 => ("minute", "is"),
                _ => ("minutes", "are"),
            };
            self.console.warn(&format!("{minutes} {noun} of what the provider told {verb} later than now, and left out: check this machine's clock and the wearer's time zone"));
        }
    }

    fn save_state(&mut self) {
        self.state
            .remember(self.cycle.pacing(), self.cycle.memory());
        if let Err(error) = self.state.save(self.files.dir()) {
            self.console
                .warn(&format!("the state could not be written: {error}"));
        }
    }

    /// Fetches a day before today, between two cycles; `None` when that is not possible now, because
    /// a cycle is due, the program is to stop, or no request can be spared.
    ///
    /// # Errors
    /// What stood in the way.
    pub(crate) async fn past_day(
        &mut self,
        date: Date,
        stop: &Stop,
    ) -> Result<Option<SourceDay>, Failure> {
        let now = self.clock.now().utc;
        let noon = date.at(12, 0, 0, 0).to_zoned(jiff::tz::TimeZone::UTC);
        let noon = noon.map_or(now, |noon| noon.timestamp());
        let memory = self.cycle.memory().zone.clone();
        let facts = memory.map(|(facts, _)| facts).unwrap_or_default();
        let zone = zone::resolve(&facts, self.configured_zone.as_deref(), noon);
        let mut past = PastDay::new(self.provider, zone.offsets, date);
        let mut buffer = Zeroizing::new([0; REQUEST_BUFFER]);
        let result = loop {
            let now = self.clock.now();
            let outgoing = match past.poll(&mut self.cycle, now, &mut buffer) {
                PastAction::NotNow => break Ok(None),
                PastAction::Finished(Err(failure)) => break Err(failure),
                PastAction::Finished(Ok(())) => {
                    break Ok(Some(SourceDay {
                        source: Source::from(self.provider),
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
        // What was sent counts also after a restart.
        self.save_state();
        result
    }

    fn problem(&mut self, failure: Failure) -> Problem {
        let problem = Problem::from_failure(failure, self.provider);
        let is_about_files = matches!(
            failure,
            Failure::Store(StoreTrouble::Io) | Failure::IntentNotStored | Failure::TokensNotStored
        );
        let detail = self.network_detail.take();
        match (self.io_error.take(), detail, failure) {
            (Some(error), ..) if is_about_files => problem.caused_by_file(&error),
            (_, Some(detail), Failure::NoAnswer { .. }) => problem.because(detail),
            (.., Failure::RateLimited { until }) => problem.hint(format!(
                "nothing is lost; it is asked again after {}",
                self.on_the_wall(until)
            )),
            _ => problem,
        }
    }

    /// An instant to come on the wearer's clock, as far as that is known.
    fn on_the_wall(&self, at: Timestamp) -> String {
        let now = self.clock.now().utc;
        let facts = self.cycle.memory().zone.as_ref();
        let facts = facts.map(|(facts, _)| facts.clone()).unwrap_or_default();
        let zone = zone::resolve(&facts, self.configured_zone.as_deref(), now);
        phrases::until(at, now, &zone.offsets)
    }

    /// The newest reading.
    #[must_use]
    pub(crate) const fn reading(&self) -> Option<&Reading> {
        self.cycle.reading()
    }

    /// What the newest cycle failed with, if it has.
    #[must_use]
    pub(crate) const fn failure(&self) -> Option<Failure> {
        self.failure
    }

    /// Whose dialect it speaks.
    #[must_use]
    pub(crate) const fn provider(&self) -> Provider {
        self.provider
    }

    /// Whose heart rate it fetches, as far as the provider says.
    #[must_use]
    pub(crate) fn account(&self) -> Option<Account> {
        let user_id = self.cycle.user_id()?.to_owned();
        Some(Account {
            provider: self.provider,
            user_id,
        })
    }

    /// What it is doing.
    #[must_use]
    pub(crate) fn current_activity(&self) -> Activity {
        *self.activity.borrow()
    }

    /// What is remembered between runs.
    #[must_use]
    pub(crate) const fn state(&self) -> &State {
        &self.state
    }

    /// The cycle itself.
    #[must_use]
    pub(crate) const fn cycle(&self) -> &Cycle {
        &self.cycle
    }

    /// The program's clock.
    #[must_use]
    pub(crate) const fn clock(&self) -> &Clock {
        &self.clock
    }
}
