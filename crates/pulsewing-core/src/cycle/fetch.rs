//! Fetching the data of one cycle: the zone, the heart rate, the tracker, the resting heart rate.
//!
//! ```text
//! Zone (daily) ─▶ ResolvingZone ─▶ Heart ─┬─▶ Devices ─▶ Resting (Google, every few hours) ─▶ Done
//!                                         └─ again: next page, all sources, the day before
//! ```
//!
//! Heart rate alone decides whether a cycle succeeds. Where another call fails, what it would
//! have said stays unknown. A 401 to any call asks for one renewal, and the call is repeated.

use core::{fmt, time::Duration};

use jiff::{SignedDuration, Timestamp, civil::Date};

use super::{
    Action, Now, Settings,
    around::Surroundings,
    failure::{Consent, Failure},
    intake::{Draft, Intake, Received},
    reception::{Asked, Ended, Reception, Refused},
    refusal::{self, Refusal},
    step::{Heart, Step},
};
use crate::{
    AccessToken, Bpm, Fingerprint, Provider,
    chain::Stored,
    dialect::{PageToken, ZoneFacts, fitbit, google},
    oauth::NoAnswer,
    reading::{Reading, TimeZone},
    request::{BufferFull, REQUEST_BUFFER, ReplyHead, Request},
};

/// How long one exchange may take.
pub(super) const TRY_FOR: Duration = Duration::from_secs(15);

/// How often a call is tried that gets no answer.
const TRIES: u8 = 3;

/// The most pages that one walk takes. A day of minutes is one page.
pub(super) const MAX_PAGES: u8 = 8;

/// The zone is asked for once a day, the resting heart rate four times and when a day begins.
const ZONE_LASTS: SignedDuration = SignedDuration::from_hours(24);
const RESTING_LASTS: SignedDuration = SignedDuration::from_hours(6);

/// What is newest is never older than this while a tracker syncs every quarter of an hour.
const SYNCS_WITHIN: SignedDuration = SignedDuration::from_mins(30);

/// What is fetched less often than every cycle, to be kept across restarts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// What the provider said of the zone, and when.
    pub zone: Option<(ZoneFacts, Timestamp)>,
    /// The resting heart rate of the wearer's day or the one before, if there was one, and when it was asked
    /// for.
    pub resting: Option<(Option<Bpm>, Timestamp)>,
}

/// What follows an event.
#[derive(Debug)]
pub(super) enum Next {
    /// Another action.
    Poll,
    /// The access token with this fingerprint was refused: renew, then go on.
    Renew(Fingerprint),
    /// The reading is complete.
    Done,
    /// There is none.
    Failed(Failure),
}

/// The data calls of one cycle.
pub(super) struct Fetch {
    memory: Memory,
    step: Step,
    tries: u8,
    pages: u8,
    page: Option<PageToken>,
    pause_until: Option<Duration>,
    reception: Reception<Intake>,
    provider: Provider,
    facts: ZoneFacts,
    draft: Option<Draft>,
    reading: Option<Reading>,
    /// How many minutes were not believed while that reading was fetched.
    future_minutes: u32,
    access: Option<Fingerprint>,
    has_renewed: bool,
    /// Whether the zone was asked for in this cycle.
    has_asked_zone: bool,
    /// Whether it is asked for again, because the clock times that came do not fit it.
    is_doubting_zone: bool,
    may_ask_devices: bool,
    may_ask_zone: bool,
}

impl fmt::Debug for Fetch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fetch")
            .field("step", &self.step)
            .field("tries", &self.tries)
            .finish_non_exhaustive()
    }
}

impl Fetch {
    pub(super) fn new(memory: Memory, provider: Provider) -> Self {
        Self {
            memory,
            step: Step::Idle,
            tries: 0,
            pages: 0,
            page: None,
            pause_until: None,
            reception: Reception::new(),
            provider,
            facts: ZoneFacts::default(),
            draft: None,
            reading: None,
            future_minutes: 0,
            access: None,
            has_renewed: false,
            has_asked_zone: false,
            is_doubting_zone: false,
            may_ask_devices: false,
            may_ask_zone: false,
        }
    }

    pub(super) const fn reading(&self) -> Option<&Reading> {
        self.reading.as_ref()
    }

    pub(super) const fn reading_mut(&mut self) -> Option<&mut Reading> {
        self.reading.as_mut()
    }

    pub(super) const fn future_minutes(&self) -> u32 {
        self.future_minutes
    }

    pub(super) const fn memory(&self) -> &Memory {
        &self.memory
    }

    /// Forgets what an earlier cycle was about.
    pub(super) fn reset(&mut self) {
        self.step = Step::Idle;
        self.draft = None;
        self.has_renewed = false;
        self.has_asked_zone = false;
        self.is_doubting_zone = false;
    }

    /// Begins with this chain's access token, or goes on with it after a renewal.
    pub(super) fn authorise(&mut self, chain: &Stored, around: &mut Surroundings<'_>) -> Next {
        let scopes = chain.scopes();
        self.access = chain.access().map(|access| access.token.fingerprint());
        self.may_ask_devices = scopes.has_settings();
        self.may_ask_zone = scopes.has_time_zone(self.provider);
        if !scopes.has_heart_rate() {
            return Next::Failed(Failure::ConsentNeeded(Consent::HeartRateScopeMissing));
        }
        match self.step {
            Step::Idle => self.begin(around),
            again => self.enter(again, around),
        }
    }

    fn begin(&mut self, around: &mut Surroundings<'_>) -> Next {
        let now = around.now.utc;
        let known = self
            .memory
            .zone
            .as_ref()
            .filter(|(_, at)| is_recent(*at, now, ZONE_LASTS));
        match known {
            Some((facts, _)) => self.facts = facts.clone(),
            None if self.may_ask_zone => {
                self.has_asked_zone = true;
                return self.enter(Step::Zone, around);
            }
            None => self.facts = ZoneFacts::default(),
        }
        self.step = Step::ResolvingZone;
        Next::Poll
    }

    /// The zone that was asked for.
    #[inline(never)]
    pub(super) fn zone_resolved(&mut self, zone: TimeZone, around: &mut Surroundings<'_>) -> Next {
        if self.step != Step::ResolvingZone {
            return Next::Poll;
        }
        self.draft = Some(Draft::new(zone, around.now.utc));
        let heart = match self.provider {
            Provider::Google => Heart::Wearables,
            Provider::Fitbit => Heart::Today,
        };
        self.enter(Step::Heart(heart), around)
    }

    /// Begins a step that sends something, unless it may not be sent.
    fn enter(&mut self, step: Step, around: &mut Surroundings<'_>) -> Next {
        self.step = step;
        self.tries = 0;
        self.pages = 0;
        self.page = None;
        self.admit(around)
    }

    /// Asks whether the request at hand may be sent now.
    fn admit(&mut self, around: &mut Surroundings<'_>) -> Next {
        if !around.settings.may_try(around.now) {
            return self.give_up(Failure::OutOfTime, around);
        }
        match around
            .pacing
            .admit(around.now.utc, around.settings.hourly_cap)
        {
            Ok(()) => Next::Poll,
            Err(until) => self.give_up(Failure::RateLimited { until }, around),
        }
    }

    /// What to do next.
    pub(super) fn poll(
        &mut self,
        now: Now,
        settings: &Settings,
        chain: &Stored,
        buffer: &mut [u8; REQUEST_BUFFER],
    ) -> Action {
        match self.pause_until {
            Some(until) if now.up < until => return Action::Wait { until },
            _ => self.pause_until = None,
        }
        if self.step == Step::ResolvingZone {
            return Action::ResolveZone {
                facts: self.facts.clone(),
                at: now.utc,
            };
        }
        let Some(access) = chain.access() else {
            return Action::Finished(Err(Failure::Unauthorized));
        };
        let user = settings.user_id.as_deref().unwrap_or("-");
        match self.request(&access.token, user, buffer) {
            Ok(request) => Action::Send {
                request,
                timeout: TRY_FOR,
            },
            // Never: the buffer has room for every request.
            Err(BufferFull) => Action::Finished(Err(Failure::OutOfTime)),
        }
    }

    fn request(
        &self,
        access: &AccessToken,
        user: &str,
        buffer: &mut [u8],
    ) -> Result<Request, BufferFull> {
        let draft = self.draft.as_ref();
        let today = draft.map_or(Date::ZERO, |draft| draft.day.local().date());
        let page = self.page.as_ref();
        match (self.step, self.provider) {
            (Step::Zone | Step::Idle | Step::ResolvingZone, Provider::Google) => {
                google::settings(buffer, access)
            }
            (Step::Zone | Step::Idle | Step::ResolvingZone, Provider::Fitbit) => {
                fitbit::profile(buffer, access, user)
            }
            (Step::Heart(Heart::Today), _) => {
                fitbit::heart(buffer, access, user, fitbit::HeartDay::Today)
            }
            (Step::Heart(Heart::Yesterday), _) => {
                let date = today.yesterday().unwrap_or(today);
                fitbit::heart(buffer, access, user, fitbit::HeartDay::Date(date))
            }
            (Step::Heart(heart), _) => {
                let (family, is_earlier) = match heart {
                    Heart::Earlier(family) => (family, true),
                    Heart::AllSources => (google::SourceFamily::All, false),
                    _ => (google::SourceFamily::Wearables, false),
                };
                let (start, end) = draft.map_or((Timestamp::MIN, Timestamp::MIN), |draft| {
                    draft.range(is_earlier)
                });
                let query = google::RollUp {
                    family,
                    start,
                    end,
                    page,
                };
                google::roll_up(buffer, access, query)
            }
            (Step::Devices, Provider::Google) => google::paired_devices(buffer, access, page),
            (Step::Devices, Provider::Fitbit) => fitbit::devices(buffer, access, user),
            (Step::Resting, _) => {
                // A day has one after its night's sleep. An older one than yesterday's would be taken for it.
                let from = today.yesterday().unwrap_or(today);
                let until = today.tomorrow().unwrap_or(today);
                google::resting(buffer, access, from, until, page)
            }
        }
    }

    /// A reply begins.
    pub(super) fn reply_head(&mut self, head: ReplyHead) {
        let draft = self.draft.as_mut();
        let content = || Intake::new(self.step, self.provider, draft);
        self.reception.begin(head, content);
    }

    /// More of its body.
    pub(super) fn reply_body(&mut self, chunk: &[u8]) {
        let draft = self.draft.as_mut();
        self.reception
            .feed(chunk, |intake, chunk| intake.feed(chunk, draft));
    }

    /// The reply has ended, or the try has failed.
    #[inline(never)]
    pub(super) fn reply_end(
        &mut self,
        failed: Option<NoAnswer>,
        around: &mut Surroundings<'_>,
    ) -> Next {
        self.tries = self.tries.saturating_add(1);
        let asked = Asked {
            provider: self.provider,
            call: self.step.call(),
            now: around.now.utc,
        };
        match self.reception.end(failed, asked, around.pacing) {
            Ended::NoAnswer(cause) => self.again(cause, around),
            Ended::Refused(refused) => self.refused(&refused, around),
            Ended::Content(content) => {
                let draft = self.draft.as_mut();
                let (status, is_markup) = (content.status, content.is_markup);
                match content
                    .decoder
                    .and_then(|intake| intake.finish(self.step, draft))
                {
                    Ok(received) => self.received(received, around),
                    Err(error) => {
                        match refusal::of_content(error, self.step.call(), status, is_markup) {
                            Ok(cause) => self.again(cause, around),
                            Err(failure) => self.give_up(failure, around),
                        }
                    }
                }
            }
        }
    }

    /// The provider decided against a call, or did not answer it.
    fn refused(&mut self, refused: &Refused, around: &mut Surroundings<'_>) -> Next {
        match refused.refusal {
            Refusal::Unauthorized => self.unauthorized(around),
            // What is not the provider's own may be so because the rest is missing.
            Refusal::NoAnswer(cause @ NoAnswer::Foreign(_)) => {
                self.again(refused.cut.unwrap_or(cause), around)
            }
            Refusal::NoAnswer(cause) => self.again(cause, around),
            Refusal::Decided(failure) => {
                // A limit that names its end is the account's; without one, another call may pass.
                if refused.is_limit_without_end && !self.step.is_vital() {
                    around.pacing.next_allowed = None;
                }
                self.give_up(failure, around)
            }
        }
    }

    /// The access token is not accepted. One renewal per token, and one an hour.
    fn unauthorized(&mut self, around: &mut Surroundings<'_>) -> Next {
        let may_renew =
            !self.has_renewed && around.pacing.allows_unauthorized_refresh(around.now.utc);
        match self.access {
            Some(access) if may_renew => {
                self.has_renewed = true;
                Next::Renew(access)
            }
            _ => self.give_up(Failure::Unauthorized, around),
        }
    }

    /// There is no access token to go on with: today's heart rate, if it came, has to do.
    pub(super) fn cut_short(&mut self, failure: Failure, settings: &Settings) -> Next {
        let is_vital = matches!(failure, Failure::TokensNotStored | Failure::Gone)
            || match self.step {
                Step::Zone if self.is_doubting_zone => false,
                Step::Idle | Step::Zone | Step::ResolvingZone => true,
                step => step.is_vital(),
            };
        if is_vital {
            Next::Failed(failure)
        } else {
            self.complete(settings)
        }
    }

    /// A call without an answer: again after a second or so, a few times.
    fn again(&mut self, cause: NoAnswer, around: &mut Surroundings<'_>) -> Next {
        let failure = Failure::NoAnswer {
            call: self.step.call(),
            cause,
        };
        let pause = around.jitter.retry_pause(self.tries);
        let at = around.now.up.saturating_add(pause);
        let now = Now {
            up: at,
            ..around.now
        };
        if self.tries >= TRIES || !around.settings.may_try(now) {
            return self.give_up(failure, around);
        }
        self.pause_until = Some(at);
        self.admit(around)
    }

    /// A call that will not be answered in this cycle: the cycle's end, if it was for today's
    /// heart rate; else something stays unknown.
    fn give_up(&mut self, failure: Failure, around: &mut Surroundings<'_>) -> Next {
        self.pause_until = None;
        match self.step {
            step if step.is_vital() => Next::Failed(failure),
            Step::Zone if self.is_doubting_zone => self.complete(around.settings),
            Step::Zone
                if matches!(failure, Failure::RateLimited { .. })
                    && around.pacing.next_allowed.is_some() =>
            {
                Next::Failed(failure)
            }
            Step::Zone if failure == Failure::OutOfTime => Next::Failed(failure),
            Step::Zone => {
                // Better an old word of the provider's than none.
                self.facts = self
                    .memory
                    .zone
                    .as_ref()
                    .map(|(facts, _)| facts.clone())
                    .unwrap_or_default();
                self.step = Step::ResolvingZone;
                Next::Poll
            }
            _ => self.after(around),
        }
    }

    /// A reply was read to its end.
    fn received(&mut self, received: Received, around: &mut Surroundings<'_>) -> Next {
        let now = around.now.utc;
        let page = match received {
            Received::Zone(facts) => {
                self.memory.zone = Some((facts.clone(), now));
                let is_doubting = core::mem::take(&mut self.is_doubting_zone);
                if is_doubting && facts == self.facts {
                    return self.complete(around.settings);
                }
                self.facts = facts;
                self.step = Step::ResolvingZone;
                return Next::Poll;
            }
            Received::Heart(page) | Received::Devices(page) => page,
            Received::Resting(resting, page) => {
                self.memory.resting = Some((resting, now));
                page
            }
        };
        match page {
            Some(page) => self.turn(page, around),
            None => self.after(around),
        }
    }

    /// Goes on to the next page, if the walk leads anywhere.
    fn turn(&mut self, page: PageToken, around: &mut Surroundings<'_>) -> Next {
        self.pages = self.pages.saturating_add(1);
        if self.pages >= MAX_PAGES || self.page.as_ref() == Some(&page) {
            // What came so far may be half of a day: that would not be the truth.
            let failure = Failure::NoAnswer {
                call: self.step.call(),
                cause: NoAnswer::Malformed,
            };
            return self.give_up(failure, around);
        }
        self.page = Some(page);
        self.tries = 0;
        self.admit(around)
    }

    /// What comes after a step.
    fn after(&mut self, around: &mut Surroundings<'_>) -> Next {
        let (is_empty, is_complete) = self.draft.as_ref().map_or((true, true), |draft| {
            // Of a day of 25 hours the last minutes leave nothing before it within 24 hours.
            let (start, end) = draft.range(true);
            let has_earlier = self.provider != Provider::Google || start < end;
            (
                draft.points == 0,
                draft.window.is_complete() || !has_earlier,
            )
        });
        match self.step {
            Step::Heart(Heart::Wearables) if is_empty => {
                self.enter(Step::Heart(Heart::AllSources), around)
            }
            Step::Heart(Heart::Wearables) if !is_complete => {
                let heart = Heart::Earlier(google::SourceFamily::Wearables);
                self.enter(Step::Heart(heart), around)
            }
            Step::Heart(Heart::AllSources) if !is_complete => {
                let heart = Heart::Earlier(google::SourceFamily::All);
                self.enter(Step::Heart(heart), around)
            }
            Step::Heart(Heart::Today) if !is_complete => {
                self.enter(Step::Heart(Heart::Yesterday), around)
            }
            Step::Heart(_) if self.may_ask_devices => self.enter(Step::Devices, around),
            Step::Heart(_) | Step::Devices if self.wants_resting(around.now.utc) => {
                self.enter(Step::Resting, around)
            }
            _ if self.doubts_zone(around.now.utc) => {
                self.has_asked_zone = true;
                self.is_doubting_zone = true;
                self.enter(Step::Zone, around)
            }
            _ => self.complete(around.settings),
        }
    }

    /// Whether the wearer may have travelled since the zone was asked for. Fitbit tells clock times: in
    /// a zone to the east they seem to lie in the future, in one to the west the tracker seems not to
    /// have synced.
    fn doubts_zone(&self, now: Timestamp) -> bool {
        let is_possible =
            self.provider == Provider::Fitbit && self.may_ask_zone && !self.has_asked_zone;
        is_possible
            && self.draft.as_ref().is_some_and(|draft| {
                let newest = draft.newest();
                draft.has_future()
                    || newest.is_none_or(|newest| now.duration_since(newest) > SYNCS_WITHIN)
            })
    }

    fn wants_resting(&self, now: Timestamp) -> bool {
        let is_known = |draft: &Draft| {
            self.memory
                .resting
                .is_some_and(|(_, at)| draft.is_of_its_day(at) && is_recent(at, now, RESTING_LASTS))
        };
        self.provider == Provider::Google && !self.draft.as_ref().is_some_and(is_known)
    }

    fn complete(&mut self, settings: &Settings) -> Next {
        self.step = Step::Idle;
        let Some(draft) = self.draft.take() else {
            return Next::Failed(Failure::OutOfTime);
        };
        let resting = self
            .memory
            .resting
            .filter(|(_, at)| draft.is_of_its_day(*at));
        let resting = resting.and_then(|(resting, _)| resting);
        self.future_minutes = draft.future_minutes;
        self.reading = Some(draft.into_reading(self.provider, settings.heart_zones, resting));
        Next::Done
    }
}

fn is_recent(at: Timestamp, now: Timestamp, lasts: SignedDuration) -> bool {
    let since = now.duration_since(at);
    since >= SignedDuration::ZERO && since < lasts
}
