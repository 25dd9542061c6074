//! The chain protocol, step by step: it makes sure that there is a valid access token.
//!
//! ```text
//!          ┌──────────────────────────────────────────────────────────────┐
//!          ▼                                                              │
//!      Opening ──nothing to do──▶ Closing ──▶ Settled                     │
//!          │ refresh needed          ▲                                    │
//!          ▼                         │                                    │
//!    WritingIntent ──not written─────┤                                    │
//!          │ (rotating chains)       │                                    │
//!          ▼                         │                                    │
//!       Sending ──answered against───┼──▶ Rechecking ──moved on───────────┘
//!        │  ▲  │                     │        │ not moved on
//!        │  │  └─never left──▶ Withdrawing    ▼
//!        │  │                        │     Refusing
//!        │  └──pause◀──no answer──┐  │        │
//!        │ granted                │  ▲        │
//!        ▼                        │  │        │
//!     Storing ◀─▶ pause ──────────┴──┴────────┘
//! ```
//!
//! A pause is the preceding state with a time in it.
//!
//! Invariants at every arrow, for a chain that rotates:
//! - Nothing is sent before the intent is stored.
//! - A refresh without an answer is repeated with the same token: at once, then after 2, 4, 8 and
//!   every 16 seconds, until 110 seconds after the first send. Fitbit answers a repeat within 120
//!   seconds, and before the new tokens were used, with the same pair (Fitbit Web API, Refresh
//!   Token and Best Practices).
//! - New tokens are stored before they are used. Until then only the write is repeated, every 30
//!   seconds, and the lock stays held.
//! - Only the server's own `invalid_grant` ends a chain, and only if the store has not moved on.
//!   The token is then not sent again, even while the store does not accept the refusal.
//!
//! For every chain: any other server error leaves the chain as it is, and its token rests. After an
//! error that only a person can fix, it rests until the user asks, signs in again, or the program
//! starts; after any other, for a minute, then twice as long each time, up to a day.

use core::time::Duration;

use jiff::Timestamp;

use super::{
    Action, Now, Settings, StoreWhat,
    around::Surroundings,
    burst::{Sending, replay_left},
    failure::{CallName, Consent, Failure, Reason, StoreTrouble},
    rest::Rest,
};
use crate::{
    Fingerprint, Provider,
    chain::{Access, Intent, Record, Standing, Stored, Unstored, codec::MAX_RECORD},
    oauth::{Answer, Grant, NoAnswer, OAuthError, token},
    request::{BufferFull, REQUEST_BUFFER, ReplyHead},
};

/// The time limit of one try.
const TRY_FOR: Duration = Duration::from_secs(15);

/// The longest wait for the chain's lock.
const LOCK_FOR: Duration = Duration::from_secs(30);

/// The pause before a failed write is repeated.
const WRITE_AGAIN_AFTER: Duration = Duration::from_secs(30);

/// The maximum number of grants in one cycle: the second is for the case that the first one's access
/// token did not arrive.
const MAX_GRANTS: u8 = 2;

const _: () = assert!(MAX_RECORD <= REQUEST_BUFFER);

/// One run of the chain protocol.
#[derive(Debug)]
pub(super) struct Renewal {
    state: State,
    /// An access token that the provider has refused, in this cycle, or in an earlier one while the
    /// refresh that followed has no answer.
    rejected: Option<Fingerprint>,
    /// Whether the refresh was answered.
    is_answered: bool,
    /// A refresh token that the provider itself has refused, in this cycle or an earlier one: it is not
    /// sent again, even if the store did not accept the refusal.
    refused: Option<Fingerprint>,
    rest: Rest,
    /// Whether the store held an intent: then the token may have been spent before this burst.
    found_intent: bool,
    grants: u8,
    token_written: bool,
}

/// The current step, with the chain that it works on.
#[expect(
    clippy::large_enum_variant,
    reason = "it lies in the cycle, and there is no heap"
)]
#[derive(Debug)]
enum State {
    Opening,
    WritingIntent(Stored, Intent),
    /// Sending, or pausing before it is sent again.
    Sending(Stored, Sending),
    Withdrawing(Stored, Failure),
    /// Storing, or pausing until the write is repeated at this time.
    Storing(Unstored, Option<Duration>),
    Caching(Stored),
    /// The chain whose token was refused.
    Rechecking(Stored),
    Refusing(Unstored),
    /// The chain that may still work, and the failure to renew it.
    Closing(Option<Stored>, Option<Failure>),
    Settled(Option<Stored>, Option<Failure>),
}

impl Renewal {
    pub(super) const fn new() -> Self {
        Self {
            state: State::Opening,
            rejected: None,
            is_answered: false,
            refused: None,
            rest: Rest::new(),
            found_intent: false,
            grants: 0,
            token_written: false,
        }
    }

    /// Starts over, in a new cycle or because an access token was `rejected`.
    pub(super) fn restart(&mut self, rejected: Option<Fingerprint>) {
        let unanswered = self.rejected.filter(|_| !self.is_answered);
        *self = Self {
            rejected: rejected.or(unanswered),
            refused: self.refused,
            rest: self.rest,
            ..Self::new()
        };
    }

    /// Ends the rest of any token, because the user asked.
    pub(super) const fn rouse(&mut self) {
        self.rest = Rest::new();
    }

    /// Returns the end of a token's rest, if it is then sent again without being asked for.
    pub(super) const fn rests_until(&self) -> Option<Duration> {
        self.rest.ends()
    }

    /// Returns how often the current refresh was sent without an answer, and what came instead the last
    /// time.
    pub(super) const fn unanswered(&self) -> Option<(u8, Failure)> {
        match &self.state {
            State::Sending(_, sending) if sending.again_at.is_some() => match sending.failure {
                Some(failure) => Some((sending.tries, failure)),
                None => None,
            },
            _ => None,
        }
    }

    /// Returns the chain, and the failure to renew it; `None` while at work. If both are missing, there
    /// is nothing left to report.
    pub(super) const fn settled(&mut self) -> Option<(Option<Stored>, Option<Failure>)> {
        match &mut self.state {
            State::Settled(chain, failure) => Some((chain.take(), *failure)),
            _ => None,
        }
    }

    /// Returns whether a rotated token was written.
    pub(super) const fn token_written(&self) -> bool {
        self.token_written
    }

    /// Returns whether tokens are held that the store has not taken.
    pub(super) const fn holds_unstored(&self) -> bool {
        matches!(self.state, State::Storing(..))
    }

    /// Returns whether a refresh is being sent, or its answer is not stored yet.
    pub(super) const fn in_flight(&self) -> bool {
        match &self.state {
            State::Sending(_, sending) => sending.again_at.is_none(),
            State::Storing(..) => true,
            _ => false,
        }
    }

    /// Returns the next action.
    pub(super) fn poll(
        &mut self,
        now: Now,
        settings: &Settings,
        buffer: &mut [u8; REQUEST_BUFFER],
    ) -> Action {
        self.end_pause(now.up);
        match &self.state {
            State::Opening | State::Rechecking(_) => Action::OpenChain {
                wait: LOCK_FOR.min(settings.time_for_tries(now)),
            },
            State::WritingIntent(chain, intent) => {
                store(chain.encode(Some(*intent), buffer), StoreWhat::Intent)
            }
            State::Withdrawing(chain, _) => {
                store(chain.encode(None, buffer), StoreWhat::Withdrawal)
            }
            State::Caching(chain) => store(chain.encode(None, buffer), StoreWhat::Cache),
            State::Storing(_, Some(until)) => Action::Wait { until: *until },
            State::Storing(unstored, None) => store(unstored.encode(buffer), StoreWhat::Tokens),
            State::Refusing(unstored) => store(unstored.encode(buffer), StoreWhat::Refusal),
            State::Sending(chain, sending) => match sending.again_at {
                Some(until) => Action::Wait { until },
                None => send(chain, settings, buffer).unwrap_or_else(|BufferFull| {
                    // Unreachable: the buffer has room for it.
                    self.state = State::Closing(None, Some(Failure::OutOfTime));
                    Action::CloseChain
                }),
            },
            State::Closing(..) | State::Settled(..) => Action::CloseChain,
        }
    }

    /// Continues after a pause that is over.
    fn end_pause(&mut self, up: Duration) {
        let (State::Sending(_, Sending { again_at, .. }) | State::Storing(_, again_at)) =
            &mut self.state
        else {
            return;
        };
        *again_at = again_at.filter(|at| up < *at);
    }

    /// Takes the state out; the caller puts the next one in its place.
    const fn take(&mut self) -> State {
        core::mem::replace(&mut self.state, State::Closing(None, None))
    }

    /// Takes the record that was read under the lock.
    pub(super) fn opened(&mut self, record: Record, around: &mut Surroundings<'_>) {
        self.state = match self.take() {
            State::Opening => self.found(record, around),
            State::Rechecking(sent) if record.chain.generation() <= sent.generation() => {
                self.refused = Some(sent.refresh_token().fingerprint());
                State::Refusing(sent.refused())
            }
            State::Rechecking(_) => self.found(record, around),
            state => state,
        };
    }

    /// Begins with the stored record.
    fn found(&mut self, record: Record, around: &mut Surroundings<'_>) -> State {
        let chain = match around.in_use {
            // Without rotation nothing can be lost, and if access tokens are not stored, memory has
            // the newer one.
            Some(in_use)
                if !in_use.provider().rotates()
                    && !around.settings.cache_access
                    && in_use.is_same_grant(&record.chain) =>
            {
                in_use.clone()
            }
            _ => record.chain,
        };
        let is_refused = self.refused == Some(chain.refresh_token().fingerprint());
        match around.settings.objection_to(&chain) {
            Some(failure) => State::Closing(None, Some(failure)),
            None if is_refused => State::Refusing(chain.refused()),
            None => self.begin(chain, record.intent, around),
        }
    }

    /// Decides whether to refresh this chain, and begins.
    fn begin(
        &mut self,
        chain: Stored,
        intent: Option<Intent>,
        around: &mut Surroundings<'_>,
    ) -> State {
        let now = around.now;
        self.found_intent = intent.is_some();
        let is_needed = intent.is_some() || !self.is_good(&chain, now.utc, Access::refresh_at);
        if !is_needed {
            return State::Closing(Some(chain), None);
        }
        let replay = intent.and_then(|intent| replay_left(intent, now.utc));
        if replay.is_none()
            && let Some(failure) = self.rest.of(&chain, now.up)
        {
            return State::Closing(Some(chain), Some(failure));
        }
        // A repeat of a refresh that may have been sent before is exempt from every limit.
        if intent.is_none()
            && let Err(until) = around.pacing.admit(now.utc, around.settings.hourly_cap)
        {
            return State::Closing(Some(chain), Some(Failure::RateLimited { until }));
        }
        if !around.settings.may_try(now) {
            return State::Closing(Some(chain), Some(Failure::OutOfTime));
        }
        let sending = Sending::new(now.up);
        if !chain.provider().rotates() {
            return State::Sending(chain, sending);
        }
        match replay {
            Some(left) => {
                let replay_until = Some(now.up.saturating_add(left));
                let sending = Sending {
                    replay_until,
                    ..sending
                };
                State::Sending(chain, sending)
            }
            // No intent, or one whose replays are over: this refresh may be the one that rotates,
            // so it gets replays of its own, and a restart has to know since when.
            None => {
                let intent = Intent {
                    generation: chain.generation(),
                    first_sent_at: now.utc,
                };
                State::WritingIntent(chain, intent)
            }
        }
    }

    /// Returns whether the access token can be used until `end`.
    fn is_good(&self, chain: &Stored, now: Timestamp, end: impl Fn(&Access) -> Timestamp) -> bool {
        chain.access().is_some_and(|access| {
            now < end(access) && self.rejected != Some(access.token.fingerprint())
        })
    }

    /// Records that the store could not be read, or has no chain.
    pub(super) fn unavailable(&mut self, trouble: Option<StoreTrouble>) {
        self.state = match self.take() {
            State::Opening => {
                let failure = trouble.map_or(Failure::NoChain, Failure::Store);
                State::Closing(None, Some(failure))
            }
            // The lock is held, and the provider has answered: that is enough.
            State::Rechecking(sent) => {
                self.refused = Some(sent.refresh_token().fingerprint());
                State::Closing(None, Some(Failure::ConsentNeeded(Consent::Refused)))
            }
            state => state,
        };
    }

    /// Takes the result of a write.
    pub(super) fn stored(&mut self, confirmed: bool, around: &mut Surroundings<'_>) {
        let now = around.now;
        self.state = match self.take() {
            State::WritingIntent(chain, _) if confirmed => {
                let sending = Sending::new(now.up);
                if around.settings.may_try(now) {
                    State::Sending(chain, sending)
                } else {
                    self.end_burst(chain, &sending, Failure::OutOfTime)
                }
            }
            State::WritingIntent(chain, _) => {
                State::Closing(Some(chain), Some(Failure::IntentNotStored))
            }
            State::Storing(unstored, None) if confirmed => {
                self.token_written = true;
                self.use_stored(unstored.confirmed(), around)
            }
            State::Storing(unstored, None) => {
                let again_at = now.up.saturating_add(WRITE_AGAIN_AFTER);
                match around.settings.deadline {
                    // The intent stays: the next start asks for the same pair again.
                    Some(deadline) if again_at > deadline.end => {
                        State::Closing(None, Some(Failure::TokensNotStored))
                    }
                    _ => State::Storing(unstored, Some(again_at)),
                }
            }
            // An intent that stays behind costs one extra refresh, nothing else.
            State::Withdrawing(chain, failure) => State::Closing(Some(chain), Some(failure)),
            State::Caching(chain) => State::Closing(Some(chain), None),
            // The next cycle marks the chain.
            State::Refusing(_) => {
                State::Closing(None, Some(Failure::ConsentNeeded(Consent::Refused)))
            }
            state => state,
        };
    }

    /// Continues with a chain from a rotation, now that it is stored.
    fn use_stored(&mut self, chain: Stored, around: &mut Surroundings<'_>) -> State {
        if chain.access().is_some() {
            State::Closing(Some(chain), None)
        } else if self.grants < MAX_GRANTS {
            self.begin(chain, None, around)
        } else {
            State::Closing(Some(chain), Some(no_answer(NoAnswer::Malformed)))
        }
    }

    /// Returns the refresh that was sent and is not answered yet.
    const fn sent(&mut self) -> Option<&mut Sending> {
        match &mut self.state {
            State::Sending(_, sending) if sending.again_at.is_none() => Some(sending),
            _ => None,
        }
    }

    /// Takes the head of the reply to the refresh.
    pub(super) fn reply_head(&mut self, head: ReplyHead) {
        if let Some(sending) = self.sent() {
            sending.head = Some(head);
        }
    }

    /// Takes the next bytes of its body.
    pub(super) fn reply_body(&mut self, chunk: &[u8]) {
        if let Some(sending) = self.sent() {
            sending.reply.feed(chunk);
        }
    }

    /// Takes the end of the reply, or the failure of the try.
    #[inline(never)]
    pub(super) fn reply_end(&mut self, failed: Option<NoAnswer>, around: &mut Surroundings<'_>) {
        self.state = match self.take() {
            State::Sending(chain, sending) if sending.again_at.is_none() => {
                self.answered(chain, sending, failed, around)
            }
            state => state,
        };
    }

    fn answered(
        &mut self,
        chain: Stored,
        mut sending: Sending,
        failed: Option<NoAnswer>,
        around: &mut Surroundings<'_>,
    ) -> State {
        let now = around.now.utc;
        // A replay is exempt from the cap and does not count.
        if sending.replay_until.is_none() {
            around.pacing.count(now);
        }
        let provider = chain.provider();
        let head = sending.head;
        let answer = sending.take_answer(failed, provider);
        let limited_until = head.and_then(|head| around.pacing.obey(&head, provider, now));
        // Without an answer, the same refresh is still to be made.
        self.is_answered = matches!(answer, Answer::Granted(_) | Answer::Refused(_));
        if self.is_answered && self.rejected.is_some() {
            around.pacing.unauthorized_refresh_at = Some(now);
        }
        match answer {
            Answer::Granted(grant) => self.take_grant(&chain, grant, around),
            Answer::Refused(OAuthError::InvalidGrant) => State::Rechecking(chain),
            Answer::Refused(error) => {
                let failure = Failure::OAuth(error);
                let may_be_spent = sending.replay_until.is_some() || self.found_intent;
                let is_final = error.is_final() && !may_be_spent;
                self.rest.begin(&chain, failure, is_final, around.now.up);
                self.end_burst(chain, &sending, failure)
            }
            Answer::Gone => self.end_burst(chain, &sending, gone(provider)),
            Answer::RateLimited => {
                let until = limited_until.unwrap_or(now);
                let failure = Failure::RateLimited { until };
                self.try_again(chain, sending, failure, around)
            }
            Answer::Missing(cause) => {
                if provider.rotates() && cause != NoAnswer::NeverLeft {
                    sending.expect_replay();
                }
                self.try_again(chain, sending, no_answer(cause), around)
            }
        }
    }

    fn take_grant(&mut self, chain: &Stored, grant: Grant, around: &Surroundings<'_>) -> State {
        self.rest = Rest::new();
        self.grants = self.grants.saturating_add(1);
        match chain.with_access(&grant, around.now.utc) {
            Some(renewed) if around.settings.cache_access => State::Caching(renewed),
            Some(renewed) => State::Closing(Some(renewed), None),
            None => State::Storing(chain.granted(grant, around.now.utc), None),
        }
    }

    /// Continues after a try without an answer: tries again, or ends the burst.
    fn try_again(
        &mut self,
        chain: Stored,
        mut sending: Sending,
        failure: Failure,
        around: &mut Surroundings<'_>,
    ) -> State {
        let now = around.now;
        sending.tries = sending.tries.saturating_add(1);
        sending.failure = Some(failure);
        let again_at = if chain.provider().rotates() {
            sending.replay_at(now.up)
        } else {
            sending.plain_try_at(around)
        };
        match again_at {
            Some(at) if around.settings.may_try(Now { up: at, ..now }) => {
                sending.again_at = Some(at);
                State::Sending(chain, sending)
            }
            _ => {
                let is_servers_word = matches!(
                    failure,
                    Failure::NoAnswer {
                        cause: NoAnswer::Named { .. },
                        ..
                    }
                );
                if is_servers_word {
                    self.rest.begin(&chain, failure, false, now.up);
                }
                self.end_burst(chain, &sending, failure)
            }
        }
    }

    /// Ends a burst without a grant. If no try, of this burst or an earlier one, can have reached the
    /// server, the intent is withdrawn; otherwise it stays, and the next cycle begins with the same
    /// token. The old access token is used as long as it lives.
    fn end_burst(&self, chain: Stored, sending: &Sending, failure: Failure) -> State {
        let rotates = chain.provider().rotates();
        if rotates && sending.replay_until.is_none() && !self.found_intent {
            State::Withdrawing(chain, failure)
        } else {
            State::Closing(Some(chain), Some(failure))
        }
    }

    /// Records that the lock was released.
    pub(super) fn closed(&mut self, now: Timestamp) {
        self.state = match self.take() {
            State::Closing(chain, failure) => {
                let leaves_access = failure.is_none_or(Failure::leaves_access);
                let chain = chain.filter(|chain| {
                    leaves_access
                        && chain.standing() == Standing::Active
                        && self.is_good(chain, now, |access| access.expires_at)
                });
                State::Settled(chain, failure)
            }
            state => state,
        };
    }
}

/// Returns the action that stores the encoded record. There always is one: the buffer has room for it.
fn store(record: Option<&[u8]>, what: StoreWhat) -> Action {
    Action::Store {
        len: record.unwrap_or_default().len(),
        what,
    }
}

/// Returns the action that sends a chain's refresh token.
fn send(chain: &Stored, settings: &Settings, buffer: &mut [u8]) -> Result<Action, BufferFull> {
    let request = token::refresh(chain, settings.client_secret.as_ref(), buffer)?;
    Ok(Action::Send {
        request,
        timeout: TRY_FOR,
    })
}

/// Returns the failure for a 410: Fitbit's service is switched off; from Google it is an error like
/// any other.
const fn gone(provider: Provider) -> Failure {
    match provider {
        Provider::Fitbit => Failure::Gone,
        Provider::Google => Failure::Rejected {
            call: CallName::Token,
            status: 410,
            reason: Reason::Other,
        },
    }
}

const fn no_answer(cause: NoAnswer) -> Failure {
    Failure::NoAnswer {
        call: CallName::Token,
        cause,
    }
}
