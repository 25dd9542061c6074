//! The cycle: a state machine that takes events and the time, and returns the next action.
//!
//! It decides, its driver acts. The driver owns the network, the store, the clock and the screen;
//! the cycle owns every decision about tokens, calls, retries and waits. Host, board and tests
//! drive the same state machine.
//!
//! ```text
//!          ┌───────────── Cycle::poll(now) ─────────────┐
//!          │                                            ▼
//!        Cycle                                   Action::OpenChain    → opened / unavailable
//!          ▲                                     Action::Store        → stored
//!          │                                     Action::CloseChain   → closed
//!          │                                     Action::Send         → reply_head, reply_body*, reply_end
//!          │                                     Action::ResolveZone  → zone_resolved
//!          └──────────── Cycle::…(event) ◀────── Action::Finished     → acknowledge
//!                                                Action::Wait         → (poll again)
//! ```
//!
//! # Contract
//! - Poll, carry out the action, report the result, poll again. Polled without a report in between,
//!   the cycle returns the same action.
//! - `CloseChain` always follows `OpenChain`, whatever happens in between; the lock is held from one
//!   to the other.
//! - An action borrows nothing. The bytes of a record or a request are in the driver's buffer, which
//!   must not change until the action was carried out.
//! - Wait for a refresh that was sent: do not drop the cycle between `Send` to
//!   [`Endpoint::Token`](crate::request::Endpoint::Token) and the `Store` that follows
//!   ([`Cycle::may_stop`] returns when it is safe).
//!
//! Start reading with `renewal.rs` for the tokens, `fetch.rs` for the data, and `pacing.rs` for the
//! timing. [`PastDay`] fetches missing days of a history, between two cycles.

mod action;
mod around;
mod builder;
mod burst;
mod draft;
mod failure;
mod fetch;
mod intake;
mod pacing;
mod pages;
mod past_day;
mod reception;
mod refusal;
mod renewal;
mod rest;
mod route;
mod settings;
mod tries;

use core::time::Duration;

use jiff::Timestamp;

pub use action::{Action, StoreWhat};
pub use builder::ReadingBuilder;
pub use failure::{CallName, Consent, Failure, FailureKind, Reason, StoreTrouble};
pub use fetch::Memory;
pub use pacing::Pacing;
pub use past_day::{PastAction, PastDay};
pub use settings::{Deadline, Settings};

use self::{
    around::Surroundings,
    fetch::{Fetch, Next},
    pacing::{ClockWatch, Jitter},
    renewal::Renewal,
};
use crate::{
    alarm::News,
    chain::{Access, Record, Stored},
    instant::later,
    oauth::NoAnswer,
    reading::{Reading, TimeZone},
    request::{REQUEST_BUFFER, ReplyHead},
};

/// The time, from two clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Wall time: for dates, ages and expiries. It may jump.
    pub utc: Timestamp,
    /// Monotonic time since an arbitrary beginning: for waits.
    pub up: Duration,
}

/// The longest wait of an idle cycle: a clock that was set, or a machine that slept, is noticed within
/// this time.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// The polling cycle. See [the module](self).
#[derive(Debug)]
pub struct Cycle {
    settings: Settings,
    pacing: Pacing,
    jitter: Jitter,
    clock: ClockWatch,
    phase: Phase,
    renewal: Renewal,
    fetch: Fetch,
    /// The chain in use; its access token authorises the data calls.
    chain: Option<Stored>,
    token_written: bool,
    /// Whether the reading is that of the last cycle, which succeeded.
    has_news: bool,
    /// The failure of a renewal, while the old access token still works.
    renewal_failure: Option<Failure>,
    due: Timestamp,
    /// Whether the clocks have diverged since the last cycle began.
    jumped: bool,
    gone: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Idle,
    Renewing,
    Fetching,
    Finished(Result<(), Failure>),
}

impl Cycle {
    /// Creates a cycle that begins at once. `seed` is any number; it spreads the waits of many devices.
    #[must_use]
    pub fn new(settings: Settings, pacing: Pacing, memory: Memory, seed: u32) -> Self {
        Self {
            settings,
            pacing,
            jitter: Jitter::new(seed),
            clock: ClockWatch::new(),
            phase: Phase::Idle,
            renewal: Renewal::new(),
            fetch: Fetch::new(memory),
            chain: None,
            token_written: false,
            has_news: false,
            renewal_failure: None,
            due: Timestamp::MIN,
            jumped: false,
            gone: false,
        }
    }

    /// Returns the next action. Requests and records are written to `buffer`.
    // Not inlined, like others of its kind: their locals are large, and a board's stack and flash are
    // small.
    #[inline(never)]
    pub fn poll(&mut self, now: Now, buffer: &mut [u8; REQUEST_BUFFER]) -> Action {
        self.look_at_clocks(now);
        let is_between = matches!(self.phase, Phase::Idle | Phase::Finished(_));
        if core::mem::take(&mut self.jumped) && is_between && !self.gone {
            self.due = now.utc;
        }
        if self.phase == Phase::Idle && now.utc >= self.due {
            self.begin();
        }
        match self.phase {
            Phase::Idle => Action::Wait {
                until: self.idle_until(now),
            },
            Phase::Renewing => self.renewal.poll(now, &self.settings, buffer),
            Phase::Fetching => {
                let chain = self.chain.as_ref();
                let action = chain.and_then(|c| self.fetch.poll(now, &self.settings, c, buffer));
                action.unwrap_or_else(|| {
                    // Unreachable: fetching begins with a chain that has an access token.
                    self.finish(Err(Failure::Unauthorized), now);
                    Action::Finished(Err(Failure::Unauthorized))
                })
            }
            Phase::Finished(result) => Action::Finished(result),
        }
    }

    /// Adjusts the limits when the wall clock jumps: they are remembered by that clock.
    fn look_at_clocks(&mut self, now: Now) {
        if let Some(expected) = self.clock.jumped(now) {
            self.pacing.clock_jumped(expected, now.utc);
            self.jumped = true;
        }
    }

    fn begin(&mut self) {
        self.token_written = false;
        self.has_news = false;
        self.renewal_failure = None;
        self.renewal.restart(None);
        self.fetch.reset();
        self.phase = Phase::Renewing;
    }

    fn idle_until(&self, now: Now) -> Duration {
        let wait = self.due.duration_since(now.utc);
        let wait = Duration::try_from(wait).unwrap_or(Duration::ZERO);
        now.up.saturating_add(wait.min(LOOK_EVERY))
    }

    /// Begins a cycle now, even after a 410 or an error that keeps the refresh token from being sent:
    /// the user asked for it, or the configuration changed.
    pub const fn start_now(&mut self) {
        self.due = Timestamp::MIN;
        self.gone = false;
        self.renewal.rouse();
    }

    /// Takes the record: the lock is held and the store was read.
    #[inline(never)]
    pub fn opened(&mut self, record: Record, now: Now) {
        let (renewal, _, mut around) = self.parts(now);
        renewal.opened(record, &mut around);
    }

    /// Records that the store has no chain (`None`), or could not be opened.
    pub fn unavailable(&mut self, trouble: Option<StoreTrouble>) {
        self.renewal.unavailable(trouble);
    }

    /// Takes the result of a write: it is durable, or it failed and the stored record is the old or the
    /// new one.
    #[inline(never)]
    pub fn stored(&mut self, confirmed: bool, now: Now) {
        let (renewal, _, mut around) = self.parts(now);
        renewal.stored(confirmed, &mut around);
    }

    /// Records that the lock was released.
    #[inline(never)]
    pub fn closed(&mut self, now: Now) {
        self.renewal.closed(now.utc);
        let Some((chain, failure)) = self.renewal.settled() else {
            return;
        };
        self.token_written |= self.renewal.token_written();
        match (chain, failure) {
            (Some(chain), failure) => {
                self.renewal_failure = failure;
                self.phase = Phase::Fetching;
                self.chain = Some(chain);
                let (_, fetch, mut around) = self.parts(now);
                let next = fetch.authorise(&mut around);
                self.advance(next, now);
            }
            (None, failure) => {
                let failure = failure.unwrap_or(Failure::Unauthorized);
                let next = self.fetch.cut_short(failure, &self.settings);
                if let Next::Done = next {
                    self.renewal_failure = Some(failure);
                }
                self.advance(next, now);
            }
        }
    }

    /// Takes the head of a reply.
    pub fn reply_head(&mut self, head: ReplyHead) {
        match self.phase {
            Phase::Renewing => self.renewal.reply_head(head),
            Phase::Fetching => self.fetch.reply_head(head, &self.settings),
            Phase::Idle | Phase::Finished(_) => {}
        }
    }

    /// Takes the next bytes of the reply's body.
    pub fn reply_body(&mut self, chunk: &[u8]) {
        match self.phase {
            Phase::Renewing => self.renewal.reply_body(chunk),
            Phase::Fetching => self.fetch.reply_body(chunk),
            Phase::Idle | Phase::Finished(_) => {}
        }
    }

    /// Takes the end of the reply, or the failure of the exchange: before, within or after the head.
    #[inline(never)]
    pub fn reply_end(&mut self, failed: Option<NoAnswer>, now: Now) {
        match self.phase {
            Phase::Renewing => {
                let (renewal, _, mut around) = self.parts(now);
                renewal.reply_end(failed, &mut around);
            }
            Phase::Fetching => {
                let (_, fetch, mut around) = self.parts(now);
                let next = fetch.reply_end(failed, &mut around);
                self.advance(next, now);
            }
            Phase::Idle | Phase::Finished(_) => {}
        }
    }

    /// Takes the zone that was asked for.
    #[inline(never)]
    pub fn zone_resolved(&mut self, zone: TimeZone, now: Now) {
        let (_, fetch, mut around) = self.parts(now);
        let next = fetch.zone_resolved(zone, &mut around);
        self.advance(next, now);
    }

    /// Acknowledges the end of the cycle; [`due`](Self::due) returns when the next one begins.
    pub fn acknowledge(&mut self) {
        if let Phase::Finished(_) = self.phase {
            self.phase = Phase::Idle;
        }
    }

    /// Returns the two parts that take steps, and their surroundings.
    fn parts(&mut self, now: Now) -> (&mut Renewal, &mut Fetch, Surroundings<'_>) {
        self.look_at_clocks(now);
        let around = Surroundings {
            settings: &self.settings,
            pacing: &mut self.pacing,
            jitter: &mut self.jitter,
            in_use: self.chain.as_ref(),
            now,
        };
        (&mut self.renewal, &mut self.fetch, around)
    }

    /// Returns the access token and the user for this many requests between two cycles; `None` while a
    /// cycle is due or under way, there is no token, or no request can be spared.
    fn spare(&mut self, now: Now, requests: u16) -> Option<(&Access, &str)> {
        self.look_at_clocks(now);
        let is_quiet = self.phase == Phase::Idle && !self.jumped && now.utc < self.due;
        let cap = self.settings.hourly_cap;
        if !is_quiet || self.gone || !self.pacing.has_room(now.utc, cap, requests) {
            return None;
        }
        let access = self.chain.as_ref()?.access()?;
        Some((access, self.settings.user_id.as_deref().unwrap_or("-")))
    }

    /// Returns the limits of the requests, adjusted to the clocks as they are now.
    fn pacing_at(&mut self, now: Now) -> &mut Pacing {
        self.look_at_clocks(now);
        &mut self.pacing
    }

    #[inline(never)]
    fn advance(&mut self, next: Next, now: Now) {
        match next {
            Next::Poll => {}
            Next::Renew(rejected) => {
                self.renewal.restart(Some(rejected));
                self.phase = Phase::Renewing;
            }
            Next::Done => self.finish(Ok(()), now),
            Next::Failed(failure) => self.finish(Err(failure), now),
        }
    }

    #[inline(never)]
    fn finish(&mut self, result: Result<(), Failure>, now: Now) {
        self.phase = Phase::Finished(result);
        self.has_news = result.is_ok();
        match result {
            Ok(()) => {
                self.pacing.failures = 0;
                let last_sync = self.fetch.reading().and_then(|reading| reading.last_sync);
                self.due = Pacing::after_success(
                    now.utc,
                    self.settings.every,
                    last_sync,
                    &mut self.jitter,
                );
                if let Some(allowed) = self.pacing.allowed_after(now.utc) {
                    self.due = self.due.max(allowed);
                }
            }
            // Do not ask again until the user requests it.
            Err(Failure::Gone) => {
                self.gone = true;
                self.due = Timestamp::MAX;
            }
            Err(Failure::Store(StoreTrouble::Busy | StoreTrouble::Io)) => {
                self.due = Pacing::after_store_trouble(now.utc, &mut self.jitter);
            }
            Err(_) => {
                self.pacing.failures = self.pacing.failures.saturating_add(1);
                self.due =
                    self.pacing
                        .after_failure(now.utc, self.settings.every, &mut self.jitter);
            }
        }
    }

    /// Returns the newest reading, of this cycle or an earlier one.
    #[must_use]
    pub fn reading(&self) -> Option<&Reading> {
        self.fetch.reading()
    }

    /// Returns what the last cycle fetched, for the alarms, until the next one begins; `None` if it failed.
    #[must_use]
    pub fn news(&self) -> Option<News<'_>> {
        self.reading().filter(|_| self.has_news).map(News::fetched)
    }

    /// Has the newest reading [keep](Reading::keep_last_known) the data from before it, for drivers
    /// without a history to look it up in. Another provider's reading may be another person's: it is not
    /// kept.
    pub fn keep_last_known(&mut self, before: &Reading) {
        if let Some(reading) = self.fetch.reading_mut()
            && reading.provider == before.provider
        {
            reading.keep_last_known(&before.day, &before.window);
        }
    }

    /// Returns the number of minutes left out of the newest reading because they lie in the future.
    #[must_use]
    pub fn future_minutes(&self) -> u32 {
        self.fetch.future_minutes()
    }

    /// Returns the provider's name for the wearer whose heart rate is fetched: the configured one, else
    /// that of the user who signed in; `None` if neither is known.
    #[must_use]
    pub fn user_id(&self) -> Option<&str> {
        let configured = self.settings.user_id.as_deref();
        let signed_in = self.chain.as_ref().and_then(Stored::user_id);
        // Fitbit accepts a hyphen for the user who signed in.
        configured.filter(|id| *id != "-").or(signed_in)
    }

    /// Returns whether this cycle wrote a rotated token.
    #[must_use]
    pub const fn token_written(&self) -> bool {
        self.token_written
    }

    /// Returns the failure to renew the access token, while the old one still works.
    #[must_use]
    pub const fn renewal_failure(&self) -> Option<Failure> {
        self.renewal_failure
    }

    /// Returns details of a refresh that is about to be sent again: how often it was sent without an
    /// answer, and what came instead the last time.
    #[must_use]
    pub const fn unanswered_refresh(&self) -> Option<(u8, Failure)> {
        match self.phase {
            Phase::Renewing => self.renewal.unanswered(),
            _ => None,
        }
    }

    /// Returns whether new tokens are held that the store has not taken yet.
    #[must_use]
    pub const fn holds_unstored_tokens(&self) -> bool {
        matches!(self.phase, Phase::Renewing) && self.renewal.holds_unstored()
    }

    /// Returns whether the program may stop now without interrupting a refresh.
    #[must_use]
    pub const fn may_stop(&self) -> bool {
        !(matches!(self.phase, Phase::Renewing) && self.renewal.in_flight())
    }

    /// Returns whether it waits for the next cycle.
    #[must_use]
    pub const fn is_idle(&self) -> bool {
        matches!(self.phase, Phase::Idle)
    }

    /// Returns when the next cycle is due.
    #[must_use]
    pub const fn due(&self) -> Timestamp {
        self.due
    }

    /// Returns when the provider is asked next after this failure; `None` if not until a person has done
    /// something. A cycle before then finds that the refresh token is still resting.
    #[must_use]
    pub fn asks_again(&self, failure: Failure, now: Now) -> Option<Timestamp> {
        let rests_until = match (failure, self.renewal.rests_until()) {
            _ if failure.waits_for_somebody() => return None,
            (Failure::OAuth(error), None) if error.is_final() => return None,
            (
                Failure::OAuth(_)
                | Failure::NoAnswer {
                    cause: NoAnswer::Named { .. },
                    ..
                },
                until,
            ) => until,
            _ => None,
        };
        let rest = rests_until.map(|until| until.saturating_sub(now.up));
        let ends = rest.and_then(|rest| later(now.utc, rest.try_into().ok()?));
        Some(ends.map_or(self.due, |ends| self.due.max(ends)))
    }

    /// Returns the chain in use, once a cycle has opened it.
    #[must_use]
    pub const fn chain(&self) -> Option<&Stored> {
        self.chain.as_ref()
    }

    /// Returns the limits of the requests, to be kept across restarts.
    #[must_use]
    pub const fn pacing(&self) -> &Pacing {
        &self.pacing
    }

    /// Returns the data that is not fetched in every cycle, to be kept across restarts.
    #[must_use]
    pub const fn memory(&self) -> &Memory {
        self.fetch.memory()
    }
}
