//! Fetching the data of one cycle: the zone, the heart rate, the tracker, the resting heart rate,
//! the heart-rate zones.
//!
//! ```text
//! Idle ─▶ Zone (daily) ─▶ Resolving ─▶ Collecting: the calls of a route ─▶ Idle, with a reading
//!                             ▲             │
//!                             └─────────────┘ another zone
//! ```
//!
//! Today's heart rate alone decides whether a cycle succeeds. Where another call fails, its data stays
//! unknown. A 401 to any call asks for one renewal, and the call is repeated.

use core::{fmt, time::Duration};

use jiff::{SignedDuration, Timestamp};

use super::{
    Action, Now,
    around::Surroundings,
    draft::{Complete, Draft, Zone},
    failure::{CallName, Consent, Failure},
    intake::{Intake, Received},
    pages::Pages,
    reception::{Asked, Reception},
    refusal::Setback,
    route::{self, Call, Known},
    settings::Settings,
    tries::Tries,
};
use crate::{
    Bpm, Fingerprint,
    chain::Stored,
    dialect::{PageToken, ZoneDecoder, ZoneFacts},
    heart_zone::ProviderZones,
    oauth::{NoAnswer, Scopes},
    reading::{Reading, TimeZone},
    request::{REQUEST_BUFFER, ReplyHead},
};

/// The time limit of one exchange.
pub(super) const TRY_FOR: Duration = Duration::from_secs(15);

/// The zone is asked for once a day.
const ZONE_LASTS: SignedDuration = SignedDuration::from_hours(24);

/// The data that is not fetched in every cycle, to be kept across restarts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// The provider's facts about the zone, and their time.
    pub zone: Option<(ZoneFacts, Timestamp)>,
    /// The resting heart rate of the wearer's day or the one before, if there was one, and when it was
    /// asked for.
    pub resting: Option<(Option<Bpm>, Timestamp)>,
    /// The heart-rate zones, if the provider has them, and when it was asked for them. Fitbit's come with
    /// the heart rate, and are not kept.
    pub heart_zones: Option<(Option<ProviderZones>, Timestamp)>,
}

/// What follows an event.
#[derive(Debug)]
pub(super) enum Next {
    /// Another action.
    Poll,
    /// The access token with this fingerprint was refused: renew, then continue.
    Renew(Fingerprint),
    /// The reading is complete.
    Done,
    /// There is none.
    Failed(Failure),
}

/// The data calls of one cycle.
pub(super) struct Fetch {
    memory: Memory,
    stage: Stage,
    /// The newest reading, of this cycle or an earlier one.
    newest: Option<Complete>,
    /// Whether a 401 has already caused a renewal in this cycle.
    has_renewed: bool,
}

/// The current stage, with its data. The large ones stay where they are while their calls change.
#[expect(
    clippy::large_enum_variant,
    reason = "it lies in the cycle, and there is no heap"
)]
enum Stage {
    Idle,
    /// Asking for the zone.
    Zone(Tries, Reception<ZoneDecoder>),
    /// Waiting for the driver to find the offsets.
    Resolving(Zone),
    Collecting(Collection),
}

/// A reading that one call after the other fills.
struct Collection {
    call: Call,
    tries: Tries,
    pages: Pages,
    reply: Reception<Intake>,
    draft: Draft,
}

impl fmt::Debug for Fetch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fetch")
            .field("call", &self.stage.call())
            .finish_non_exhaustive()
    }
}

impl Stage {
    /// Returns the call that is being made.
    const fn call(&self) -> Option<CallName> {
        match self {
            Self::Idle | Self::Resolving(_) => None,
            Self::Zone(..) => Some(CallName::Zone),
            Self::Collecting(collection) => Some(collection.call.name()),
        }
    }

    const fn tries(&mut self) -> Option<&mut Tries> {
        match self {
            Self::Idle | Self::Resolving(_) => None,
            Self::Zone(tries, _) => Some(tries),
            Self::Collecting(collection) => Some(&mut collection.tries),
        }
    }

    /// Returns whether a cycle fails without the reply to the current call.
    const fn is_vital(&self) -> bool {
        matches!(self, Self::Collecting(collection) if collection.call.is_vital())
    }
}

impl Collection {
    /// Begins a call, or begins it again.
    fn enter(&mut self, call: Call) {
        self.call = call;
        self.tries = Tries::new();
        self.pages = Pages::new();
    }
}

impl Fetch {
    pub(super) const fn new(memory: Memory) -> Self {
        Self {
            memory,
            stage: Stage::Idle,
            newest: None,
            has_renewed: false,
        }
    }

    pub(super) fn reading(&self) -> Option<&Reading> {
        self.newest.as_ref().map(|newest| &newest.reading)
    }

    pub(super) fn reading_mut(&mut self) -> Option<&mut Reading> {
        self.newest.as_mut().map(|newest| &mut newest.reading)
    }

    pub(super) fn future_minutes(&self) -> u32 {
        self.newest
            .as_ref()
            .map_or(0, |newest| newest.future_minutes)
    }

    pub(super) const fn memory(&self) -> &Memory {
        &self.memory
    }

    /// Forgets the progress of an earlier cycle.
    pub(super) fn reset(&mut self) {
        self.stage = Stage::Idle;
        self.has_renewed = false;
    }

    /// Begins with the access token of the chain in use, or continues with it after a renewal.
    pub(super) fn authorise(&mut self, around: &mut Surroundings<'_>) -> Next {
        if !scopes(around).has_heart_rate() {
            return Next::Failed(Failure::ConsentNeeded(Consent::HeartRateScopeMissing));
        }
        match &mut self.stage {
            Stage::Idle => return self.begin(around),
            Stage::Zone(tries, _) => *tries = Tries::new(),
            Stage::Resolving(_) => return Next::Poll,
            Stage::Collecting(collection) => collection.enter(collection.call),
        }
        self.admit(around)
    }

    fn begin(&mut self, around: &mut Surroundings<'_>) -> Next {
        let now = around.now.utc;
        let known = self.memory.zone.as_ref();
        let facts = match known.filter(|(_, at)| is_recent(*at, now, ZONE_LASTS)) {
            Some((facts, _)) => facts.clone(),
            None if scopes(around).has_time_zone(around.settings.provider) => {
                self.stage = Stage::Zone(Tries::new(), Reception::new());
                return self.admit(around);
            }
            None => ZoneFacts::default(),
        };
        self.resolve(Zone::Remembered(facts))
    }

    fn resolve(&mut self, zone: Zone) -> Next {
        self.stage = Stage::Resolving(zone);
        Next::Poll
    }

    /// Takes the zone that was asked for.
    #[inline(never)]
    pub(super) fn zone_resolved(
        &mut self,
        time_zone: TimeZone,
        around: &mut Surroundings<'_>,
    ) -> Next {
        let Stage::Resolving(zone) = &self.stage else {
            return Next::Poll;
        };
        self.stage = Stage::Collecting(Collection {
            call: Call::first(around.settings.provider),
            tries: Tries::new(),
            pages: Pages::new(),
            reply: Reception::new(),
            draft: Draft::new(time_zone, zone.clone(), around.now.utc),
        });
        self.admit(around)
    }

    /// Checks whether the current call may be sent now, and gives it up otherwise.
    fn admit(&mut self, around: &mut Surroundings<'_>) -> Next {
        match around.admit() {
            Ok(()) => Next::Poll,
            Err(failure) => self.give_up(failure, around),
        }
    }

    /// Returns the next action; `None`, which cannot happen, if nothing is being fetched, the chain has
    /// no access token, or the buffer has no room for a request.
    pub(super) fn poll(
        &mut self,
        now: Now,
        settings: &Settings,
        chain: &Stored,
        buffer: &mut [u8; REQUEST_BUFFER],
    ) -> Option<Action> {
        if let Some(until) = self
            .stage
            .tries()
            .and_then(|tries| tries.pauses_until(now.up))
        {
            return Some(Action::Wait { until });
        }
        let access = || chain.access().map(|access| &access.token);
        let user = settings.user_id.as_deref().unwrap_or("-");
        let request = match &self.stage {
            Stage::Idle => return None,
            Stage::Resolving(zone) => {
                return Some(Action::ResolveZone {
                    facts: zone.facts().clone(),
                    at: now.utc,
                });
            }
            Stage::Zone(..) => route::zone_request(settings.provider, access()?, user, buffer),
            Stage::Collecting(Collection {
                call, pages, draft, ..
            }) => call.request(draft, pages.token(), access()?, user, buffer),
        };
        Some(Action::Send {
            request: request.ok()?,
            timeout: TRY_FOR,
        })
    }

    /// Takes the head of a reply.
    pub(super) fn reply_head(&mut self, head: ReplyHead, settings: &Settings) {
        match &mut self.stage {
            Stage::Idle | Stage::Resolving(_) => {}
            Stage::Zone(_, reply) => reply.begin(head, || ZoneDecoder::new(settings.provider)),
            Stage::Collecting(Collection {
                call, reply, draft, ..
            }) => reply.begin(head, || Intake::new(*call, draft)),
        }
    }

    /// Takes the next bytes of its body.
    pub(super) fn reply_body(&mut self, chunk: &[u8]) {
        match &mut self.stage {
            Stage::Idle | Stage::Resolving(_) => {}
            Stage::Zone(_, reply) => reply.feed(chunk, ZoneDecoder::feed),
            Stage::Collecting(Collection { reply, draft, .. }) => {
                reply.feed(chunk, |intake, chunk| intake.feed(chunk, draft));
            }
        }
    }

    /// Takes the end of the reply, or the failure of the try.
    #[inline(never)]
    pub(super) fn reply_end(
        &mut self,
        failed: Option<NoAnswer>,
        around: &mut Surroundings<'_>,
    ) -> Next {
        let Some(call) = self.stage.call() else {
            return Next::Poll;
        };
        let now = around.now.utc;
        let asked = Asked {
            provider: around.settings.provider,
            call,
            now,
        };
        let pacing = &mut *around.pacing;
        let received = match &mut self.stage {
            Stage::Idle | Stage::Resolving(_) => return Next::Poll,
            Stage::Zone(_, reply) => reply
                .end(failed, asked, pacing, ZoneDecoder::finish)
                .map(Received::Zone),
            Stage::Collecting(Collection { reply, draft, .. }) => {
                reply.end(failed, asked, pacing, |intake| intake.finish(draft))
            }
        };
        match received {
            Ok(Received::Zone(facts)) => self.take_zone(facts, around),
            Ok(Received::Page(next)) => self.turn(next, around),
            Ok(Received::Resting(resting, next)) => {
                self.memory.resting = Some((resting, now));
                self.turn(next, around)
            }
            Ok(Received::HeartZones(zones, next)) => {
                // A day without any has those of the days before: a tracker that does not sync changes no limits.
                let known = self.memory.heart_zones.and_then(|(zones, _)| zones);
                self.memory.heart_zones = Some((zones.or(known), now));
                self.turn(next, around)
            }
            Err(Setback::Unauthorized) => self.unauthorized(around),
            Err(Setback::NoAnswer(cause)) => {
                let may_follow = self.stage.tries().is_some_and(|tries| tries.pause(around));
                if may_follow {
                    self.admit(around)
                } else {
                    self.give_up(Failure::NoAnswer { call, cause }, around)
                }
            }
            Err(Setback::Refused(failure)) => {
                // It would be refused again in the next cycle: this counts as an answer.
                if call == CallName::HeartZones {
                    let known = self.memory.heart_zones.and_then(|(zones, _)| zones);
                    self.memory.heart_zones = Some((known, now));
                }
                self.give_up(failure, around)
            }
            Err(Setback::Limited(failure)) => {
                // A limit that names its end is the account's; without one, another call may pass.
                if !self.stage.is_vital() {
                    around.pacing.next_allowed = None;
                }
                self.give_up(failure, around)
            }
        }
    }

    /// Handles a refused access token: one renewal a cycle, and one an hour.
    fn unauthorized(&mut self, around: &mut Surroundings<'_>) -> Next {
        let may_renew =
            !self.has_renewed && around.pacing.allows_unauthorized_refresh(around.now.utc);
        match around.in_use.and_then(Stored::access) {
            Some(access) if may_renew => {
                self.has_renewed = true;
                Next::Renew(access.token.fingerprint())
            }
            _ => self.give_up(Failure::Unauthorized, around),
        }
    }

    /// Ends without an access token: today's heart rate, if it came, has to do.
    pub(super) fn cut_short(&mut self, failure: Failure, settings: &Settings) -> Next {
        let has_today = matches!(self.stage, Stage::Collecting(_)) && !self.stage.is_vital();
        if has_today && !matches!(failure, Failure::TokensNotStored | Failure::Gone) {
            self.complete(settings)
        } else {
            Next::Failed(failure)
        }
    }

    /// Gives up a call that will not be answered in this cycle. That is the cycle's end if it was for
    /// today's heart rate; otherwise something stays unknown.
    fn give_up(&mut self, failure: Failure, around: &mut Surroundings<'_>) -> Next {
        let is_limited =
            matches!(failure, Failure::RateLimited { .. }) && around.pacing.next_allowed.is_some();
        match &self.stage {
            Stage::Collecting(collection) if !collection.call.is_vital() => self.follow(around),
            Stage::Zone(..) if !is_limited && failure != Failure::OutOfTime => {
                // Better the provider's old facts than none.
                let known = self.memory.zone.as_ref();
                let facts = known.map(|(facts, _)| facts.clone());
                self.resolve(Zone::Asked(facts.unwrap_or_default()))
            }
            _ => Next::Failed(failure),
        }
    }

    fn take_zone(&mut self, facts: ZoneFacts, around: &Surroundings<'_>) -> Next {
        self.memory.zone = Some((facts.clone(), around.now.utc));
        match &self.stage {
            Stage::Collecting(Collection { draft, .. }) if *draft.zone.facts() == facts => {
                self.complete(around.settings)
            }
            _ => self.resolve(Zone::Asked(facts)),
        }
    }

    /// Turns to the next page, or follows the route after the last one.
    fn turn(&mut self, next: Option<PageToken>, around: &mut Surroundings<'_>) -> Next {
        let (Some(next), Stage::Collecting(collection)) = (next, &mut self.stage) else {
            return self.follow(around);
        };
        match collection.pages.turn(next) {
            Ok(()) => {
                collection.tries = Tries::new();
                self.admit(around)
            }
            Err(cause) => {
                let call = collection.call.name();
                self.give_up(Failure::NoAnswer { call, cause }, around)
            }
        }
    }

    /// Goes on to the next call of the route, or completes the reading.
    fn follow(&mut self, around: &mut Surroundings<'_>) -> Next {
        if let Stage::Collecting(collection) = &mut self.stage {
            let known = Known {
                draft: &collection.draft,
                memory: &self.memory,
                scopes: scopes(around),
                has_own_zones: around.settings.heart_zones.is_some(),
                now: around.now.utc,
            };
            if let Some(call) = collection.call.next(&known) {
                collection.enter(call);
                return self.admit(around);
            }
        }
        self.complete(around.settings)
    }

    fn complete(&mut self, settings: &Settings) -> Next {
        let stage = core::mem::replace(&mut self.stage, Stage::Idle);
        if let Stage::Collecting(Collection { draft, .. }) = stage {
            self.newest = Some(draft.complete(&self.memory, settings));
        }
        Next::Done
    }
}

/// Returns the granted scopes of the chain in use.
fn scopes(around: &Surroundings<'_>) -> Scopes {
    around.in_use.map_or(Scopes::NONE, Stored::scopes)
}

pub(super) fn is_recent(at: Timestamp, now: Timestamp, lasts: SignedDuration) -> bool {
    let since = now.duration_since(at);
    since >= SignedDuration::ZERO && since < lasts
}
