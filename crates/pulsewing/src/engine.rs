//! The cycle's driver: does what it says, and tells it how that went.

use std::{io, time::Duration};

use pulsewing_core::{
    Provider,
    cycle::{Action, Cycle, Failure, StoreTrouble},
    reading::{Reading, ZoneSource},
    request::REQUEST_BUFFER,
};
use zeroize::Zeroizing;

use crate::{
    chain_file::ChainFile,
    clock::Clock,
    console::Console,
    http::{Http, Outgoing, Part},
    problem::{Exit, Problem},
    state_file::State,
    stop::Stop,
    zone,
};

/// Runs cycles with the machine's clock, files and network.
#[derive(Debug)]
pub struct Engine {
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
}

/// What the engine needs besides a cycle.
#[derive(Debug)]
pub struct Surroundings {
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

/// What to do, without the borrows of an [`Action`].
enum Step {
    Open(Duration),
    Stored(Result<(), io::Error>),
    Close,
    Send(Outgoing),
    Zone(pulsewing_core::reading::TimeZone),
    Finished(Result<(), Failure>),
    Wait(Duration),
}

impl Engine {
    /// An engine for this cycle.
    #[must_use]
    pub fn new(cycle: Cycle, around: Surroundings) -> Self {
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
        }
    }

    /// Runs until a cycle has ended.
    ///
    /// Told to stop, it stops; but a refresh that is under way is waited for, because its answer
    /// may be the only copy of the next token.
    ///
    /// # Errors
    /// Why it yielded no reading, in words.
    pub async fn next_cycle(&mut self, stop: &mut Stop) -> Result<(), Problem> {
        // Requests and records are written here, tokens and all.
        let mut buffer = Zeroizing::new([0; REQUEST_BUFFER]);
        loop {
            if self.may_stop(stop) && stop.is_requested().await {
                self.files.unlock();
                return Err(Problem::new(
                    Exit::Interrupted,
                    "stopped before the update was complete",
                ));
            }
            let step = self.step(&mut buffer);
            // Asked anew: the step may be the end of a pause, and a refresh that is sent again.
            let may_stop = self.may_stop(stop);
            match step {
                Step::Open(wait) => tokio::select! {
                    () = stop.requested() => {}
                    () = self.open(wait) => {}
                },
                Step::Stored(result) => self.stored(result),
                Step::Close => {
                    self.files.unlock();
                    self.cycle.closed(self.clock.now());
                }
                Step::Send(outgoing) if may_stop => tokio::select! {
                    () = stop.requested() => {}
                    () = self.send(outgoing) => {}
                },
                Step::Send(outgoing) => self.send(outgoing).await,
                Step::Zone(zone) => self.cycle.zone_resolved(zone, self.clock.now()),
                Step::Wait(until) => tokio::select! {
                    () = stop.requested() => {}
                    () = tokio::time::sleep(self.clock.until(until)) => {}
                },
                Step::Finished(result) => {
                    self.cycle.acknowledge();
                    return self.finished(result);
                }
            }
        }
    }

    fn may_stop(&self, stop: &Stop) -> bool {
        self.cycle.may_stop() || stop.is_overdue()
    }

    fn step(&mut self, buffer: &mut [u8; REQUEST_BUFFER]) -> Step {
        match self.cycle.poll(self.clock.now(), buffer) {
            Action::OpenChain { wait } => Step::Open(wait),
            Action::Store { record, what } => Step::Stored(self.files.store(record, what)),
            Action::CloseChain => Step::Close,
            Action::Send { request, timeout } => Step::Send(self.http.prepare(&request, timeout)),
            Action::ResolveZone { facts, at } => {
                Step::Zone(zone::resolve(facts, self.configured_zone.as_deref(), at))
            }
            Action::Finished(result) => Step::Finished(result),
            Action::Wait { until } => Step::Wait(until),
        }
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
                .detail(|| format!("the chain could not be written: {error}"));
        }
        self.cycle.stored(is_stored, self.clock.now());
        if self.cycle.holds_unstored_tokens() && !is_stored {
            self.console.warn("new tokens arrived and cannot be written; the write is repeated every 30 seconds, do not turn this machine off");
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
            Ok(status) => format!("{label}: {status}"),
            Err(cause) => format!("{label}: {cause}"),
        });
        self.cycle.reply_end(result.err(), self.clock.now());
    }

    fn finished(&mut self, result: Result<(), Failure>) -> Result<(), Problem> {
        let now = self.clock.now().utc;
        let problem = result.err().map(|failure| self.problem(failure));
        self.state.last_update = Some(now);
        self.state.next_update = Some(self.cycle.due());
        self.state.last_error = problem.as_ref().map(|problem| problem.message().to_owned());
        if problem.is_none() {
            self.state.last_success = Some(now);
            self.state.last_minute = self
                .cycle
                .reading()
                .and_then(Reading::latest)
                .map(|sample| sample.at);
        }
        self.state
            .remember(self.cycle.pacing(), self.cycle.memory());
        if let Err(error) = self.state.save(self.files.dir()) {
            self.console
                .warn(&format!("the state could not be written: {error}"));
        }
        let zone = self.cycle.reading().map(|reading| &reading.time_zone);
        if let Some(zone) = zone.filter(|zone| zone.source == ZoneSource::Machine) {
            let name = match zone.name.as_str() {
                "" => "of this machine",
                name => name,
            };
            self.console.warn(&format!("the provider did not tell the wearer's time zone; the zone {name} is taken instead ([wearer] time_zone in the configuration names another)"));
        }
        if let Some(failure) = self.cycle.renewal_failure() {
            self.console
                .warn(&format!("{failure}; the access token at hand still serves"));
        }
        problem.map_or(Ok(()), Err)
    }

    fn problem(&mut self, failure: Failure) -> Problem {
        let problem = Problem::of_cycle(failure, self.provider);
        let is_about_files = matches!(
            failure,
            Failure::Store(StoreTrouble::Io) | Failure::IntentNotStored | Failure::TokensNotStored
        );
        match self.io_error.take() {
            Some(error) if is_about_files => problem.caused_by(&error),
            _ => problem,
        }
    }

    /// The newest reading.
    #[must_use]
    pub const fn reading(&self) -> Option<&Reading> {
        self.cycle.reading()
    }

    /// The cycle itself.
    #[must_use]
    pub const fn cycle(&self) -> &Cycle {
        &self.cycle
    }

    /// The program's clock.
    #[must_use]
    pub const fn clock(&self) -> &Clock {
        &self.clock
    }
}
