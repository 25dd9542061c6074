//! The rules for every action of every cycle, whatever goes wrong around it.

use std::{collections::BTreeSet, time::Duration};

use jiff::{SignedDuration, Timestamp};
use pulsewing_core::{
    Provider,
    chain::Standing,
    cycle::{Failure, Settings, StoreWhat},
    request::Endpoint,
};

use crate::{
    cloud::{Call, Cloud, Outcome, Route},
    store::Store,
    world::Todo,
};

/// The longest time between an attempt that may have reached the server and the next one.
const LONGEST_PAUSE: Duration = Duration::from_millis(16_100);

/// The time during which the same token is sent again.
const REPLAYED_FOR: Duration = Duration::from_secs(110);

/// The time during which a spent refresh token is answered with the pair that it made.
const WINDOW: Duration = Duration::from_secs(120);

/// A limit further ahead than this, on the wall clock, comes from a wrong clock.
const FARTHEST: Duration = Duration::from_secs(7_199);

/// The time on all clocks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct At {
    /// True time since the beginning of the world.
    pub(crate) real: Duration,
    /// Time since the program started.
    pub(crate) up: Duration,
    /// The time on the program's wall clock.
    pub(crate) utc: Timestamp,
}

/// A watcher of the actions.
#[derive(Debug)]
pub(crate) struct Rules {
    provider: Provider,
    cap: u16,
    last_try: Duration,
    /// The number of requests allowed above the cap: a crash kept them from being counted.
    uncounted: usize,
    /// The counted requests, by time since the beginning of the world; before it (negative) if the
    /// clock was set forward.
    counted: Vec<SignedDuration>,
    /// The refresh tokens that were sent, and the times of that.
    pub(crate) refreshes: Vec<(String, Duration)>,
    known: BTreeSet<String>,
    /// The refresh token that may have been spent without an answer, and the time of the first such
    /// send.
    pub(crate) unanswered: Option<(String, Duration)>,
    /// The true time before which only replays may be sent, by the provider's order.
    quiet_until: Duration,
    /// The time by which the clock was set back since.
    set_back: Duration,
    /// The current burst of sends, and the latest time for the next one.
    burst: Option<Burst>,
    again_by: Option<Duration>,
    /// Whether the first request of this program has to be a refresh, because it found an intent.
    refresh_first: bool,
    /// Whether an intent was found when the chain was opened, and whether one was stored since.
    intent_found: bool,
    intent_stored: bool,
    /// Whether a complete pair reached the running program, and is not known to be stored.
    pub(crate) holds_pair: bool,
    still: (Duration, u32),
}

#[derive(Debug)]
struct Burst {
    limit: Duration,
    may_have_left: bool,
}

impl Rules {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self {
            provider: settings.provider,
            cap: settings.hourly_cap,
            last_try: settings
                .deadline
                .map_or(Duration::MAX, |deadline| deadline.last_try),
            uncounted: 0,
            counted: Vec::new(),
            refreshes: Vec::new(),
            known: BTreeSet::new(),
            unanswered: None,
            quiet_until: Duration::ZERO,
            set_back: Duration::ZERO,
            burst: None,
            again_by: None,
            refresh_first: false,
            intent_found: false,
            intent_stored: false,
            holds_pair: false,
            still: (Duration::ZERO, 0),
        }
    }

    /// Records that a program starts.
    pub(crate) fn restarted(&mut self, store: &Store) {
        self.burst = None;
        self.again_by = None;
        self.holds_pair = false;
        self.intent_stored = false;
        self.still = (Duration::ZERO, 0);
        self.refresh_first = matches!(store.read(), Ok(Some(record)) if record.intent.is_some());
    }

    /// Checks an action that is about to be carried out.
    pub(crate) fn before(&mut self, todo: &Todo, store: &Store, at: At) {
        self.bounded_wait(todo, at.up);
        self.keeps_asking(todo, at.up);
        match todo {
            Todo::Open(_) => {
                let record = store.read().ok().flatten();
                self.intent_found = record
                    .as_ref()
                    .is_some_and(|record| record.intent.is_some());
                // A write may succeed without the program's knowledge, and other programs write as well.
                let stored = record.map(|record| record.chain.refresh_token().expose().to_owned());
                self.unanswered
                    .take_if(|(token, _)| Some(&*token) != stored.as_ref());
            }
            Todo::Store(record, what) => {
                assert!(!record.0.is_empty());
                self.intent_outlasts_doubt(*what, store);
            }
            Todo::Send(call, _) if call.route() == Route::Token => self.refresh(call, store, at),
            Todo::Send(call, _) => self.data_call(call, store, at),
            Todo::Close => {
                self.burst = None;
                self.intent_stored = false;
            }
            Todo::Finished(Err(Failure::TokensNotStored)) => self.holds_pair = false,
            Todo::Resolve(_) | Todo::Finished(_) => assert!(
                !self.holds_pair,
                "(ii) a pair is unstored, and the cycle goes on"
            ),
            Todo::Wait(_) => {}
        }
        if let Todo::Send(..) = todo {
            assert!(at.up <= self.last_try, "a try at {:?}", at.up);
            assert!(
                !self.holds_pair,
                "(ii) a pair is unstored, and something is sent"
            );
        }
    }

    /// Checks that every wait has a bound, and that there are no endless loops.
    fn bounded_wait(&mut self, todo: &Todo, up: Duration) {
        self.still = match self.still {
            (at, times) if at == up => (at, times + 1),
            _ => (up, 0),
        };
        assert!(self.still.1 < 30, "(iv) it runs in a circle: {todo:?}");
        let (wait, most) = match todo {
            Todo::Open(wait) => (*wait, 30),
            Todo::Send(_, timeout) => (*timeout, 15),
            Todo::Wait(until) => {
                assert!(*until > up, "(iv) a wait that is over");
                (*until - up, 30)
            }
            _ => return,
        };
        assert!(
            wait <= Duration::from_secs(most),
            "(iv) a wait of {wait:?}: {todo:?}"
        );
    }

    /// Checks that the intent stays while its refresh token may have been spent.
    fn intent_outlasts_doubt(&self, what: StoreWhat, store: &Store) {
        let Some((token, _)) = &self.unanswered else {
            return;
        };
        assert!(
            what != StoreWhat::Withdrawal || *token != store.refresh(),
            "(i) the intent is withdrawn, and its refresh may be under way"
        );
    }

    /// Checks that a refresh is repeated while its token may have been spent without an answer.
    fn keeps_asking(&mut self, todo: &Todo, up: Duration) {
        let Some(by) = self.again_by else {
            return;
        };
        match todo {
            Todo::Send(call, _) if call.route() == Route::Token => {
                assert!(up <= by, "(iv) asked again at {up:?}, not by {by:?}");
                self.again_by = None;
            }
            Todo::Wait(until) => assert!(*until <= by, "(iv) waits until {until:?}, not {by:?}"),
            todo => panic!("(i) {todo:?}, and the refresh has no answer"),
        }
    }

    fn refresh(&mut self, call: &Call, store: &Store, at: At) {
        assert_eq!(call.endpoint, Endpoint::Token);
        let token = call.form("refresh_token").unwrap();
        self.one_refresh_at_a_time(token, store, at);
        self.only_a_stored_refresh_token(token, store);
        // The token may have been sent before: there is an intent, or the rules have seen it sent.
        let may_be_repeat = self.intent_found || self.known.contains(token);
        let is_replay = self.provider.rotates() && may_be_repeat;
        if !is_replay {
            self.within_the_cap(at.real);
            self.not_before_it_is_allowed(at.real);
        }
        self.known.insert(token.to_owned());
        self.refreshes.push((token.to_owned(), at.real));
        self.refresh_first = false;
        let is_fresh = self.intent_stored;
        self.burst.get_or_insert_with(|| Burst {
            // The rest of a burst that another program began is not known here.
            limit: if is_fresh {
                at.up + REPLAYED_FOR
            } else {
                Duration::ZERO
            },
            may_have_left: !is_fresh,
        });
    }

    /// Checks that a refresh is sent under the lock and after its intent, and that while it has no
    /// answer no other token is sent.
    fn one_refresh_at_a_time(&self, token: &str, store: &Store, at: At) {
        assert!(store.locked, "(i) a refresh without the lock");
        if !self.provider.rotates() {
            return;
        }
        if let Some((unanswered, since)) = &self.unanswered
            && at.real < *since + WINDOW
        {
            assert_eq!(
                token, unanswered,
                "(i) another refresh token is sent while one is unanswered"
            );
        }
        let record = store.chain();
        let intent = record.intent.map(|intent| intent.generation);
        assert_eq!(
            intent,
            Some(record.chain.generation()),
            "(i) an intent is stored before a refresh"
        );
    }

    /// Checks that the refresh token that is sent is the stored one, and may be sent.
    fn only_a_stored_refresh_token(&self, token: &str, store: &Store) {
        let record = store.chain();
        assert_eq!(
            record.chain.refresh_token().expose(),
            token,
            "(ii) a refresh token that is not the stored one"
        );
        assert_eq!(
            record.chain.standing(),
            Standing::Active,
            "a chain that is not to be sent"
        );
        assert_eq!(record.chain.issuer(), "https://cloud.example");
    }

    fn data_call(&mut self, call: &Call, store: &Store, at: At) {
        assert_eq!(call.endpoint, Endpoint::Api);
        assert!(
            !self.refresh_first,
            "(i) an intent makes the refresh the first request"
        );
        let access = call.bearer.clone().expect("an access token");
        if self.provider.rotates() {
            assert_eq!(
                store.access(),
                Some(access),
                "(ii) an access token that is not the stored one"
            );
        }
        self.within_the_cap(at.real);
        self.not_before_it_is_allowed(at.real);
    }

    /// Returns the number of requests so far, not counting replays.
    pub(crate) fn requests(&self) -> usize {
        self.counted.len()
    }

    /// Counts a request, and checks the number within an hour.
    fn within_the_cap(&mut self, real: Duration) {
        let real = SignedDuration::try_from(real).unwrap();
        self.counted.push(real);
        let hour = SignedDuration::from_hours(1);
        let newest = self.counted.iter().rev();
        let recent = newest.take_while(|at| **at + hour > real).count();
        let most = usize::from(self.cap) + self.uncounted;
        assert!(
            recent <= most,
            "(iii) {recent} requests within an hour, and {most} are allowed"
        );
    }

    /// Checks that the provider's limits are obeyed; they and the clock have whole seconds.
    fn not_before_it_is_allowed(&self, real: Duration) {
        assert!(
            real + Duration::from_secs(1) >= self.quiet_until,
            "(iii) sent at {real:?}, and the provider allows it from {:?}",
            self.quiet_until
        );
    }

    /// Records that the wall clock was set forward or back. Earlier requests and limits are remembered
    /// by that clock: setting it forward makes them older by as much, and a limit that is then further
    /// ahead than the longest possible one is no longer believed.
    pub(crate) fn clock_was_set(&mut self, by: i64, real: Duration) {
        let passed = Duration::from_secs(by.max(0).unsigned_abs());
        for at in &mut self.counted {
            *at -= SignedDuration::try_from(passed).unwrap();
        }
        self.quiet_until = self.quiet_until.saturating_sub(passed);
        self.set_back = match by {
            ..0 => self.set_back + Duration::from_secs(by.unsigned_abs()),
            _ => self.set_back.saturating_sub(passed),
        };
        if self.quiet_until + self.set_back > real + FARTHEST {
            self.quiet_until = Duration::ZERO;
        }
    }

    /// Records the limit that a reply sets.
    fn limited(&mut self, call: &Call, outcome: &Outcome, at: At) {
        let Outcome::Reply { status, header, .. } = outcome else {
            return;
        };
        let said = header
            .as_ref()
            .and_then(|(_, value)| value.parse::<u64>().ok());
        let is_vital = matches!(call.route(), Route::Token | Route::Heart);
        let into_the_hour = at.utc.as_second().rem_euclid(3_600).unsigned_abs();
        let seconds = match (said, status, self.provider) {
            (Some(seconds), ..) => seconds.clamp(1, 3_900),
            // Without a duration, a limit on a less important call holds up nothing else.
            (None, 429, _) if !is_vital => return,
            (None, 429, Provider::Fitbit) => 3_600 - into_the_hour,
            (None, 429, Provider::Google) => 60,
            _ => return,
        };
        let until = at.real + Duration::from_secs(seconds);
        self.quiet_until = self.quiet_until.max(until);
        self.set_back = Duration::ZERO;
    }

    /// Records the end of a write.
    pub(crate) fn stored(&mut self, what: StoreWhat, confirmed: bool) {
        match what {
            StoreWhat::Tokens if confirmed => {
                self.unanswered = None;
                self.holds_pair = false;
                self.intent_found = false;
                self.burst = None;
            }
            StoreWhat::Intent => {
                self.intent_stored = confirmed;
                // If nothing can be written, the refresh cannot be sent at all.
                self.refresh_first &= confirmed;
            }
            _ => {}
        }
    }

    /// Records the end of a request; `told` is set if the program gets the result.
    pub(crate) fn answered(
        &mut self,
        call: &Call,
        outcome: &Outcome,
        cloud: &Cloud,
        at: At,
        told: bool,
    ) {
        if told {
            self.limited(call, outcome, at);
        } else {
            self.uncounted += 1;
        }
        if call.route() != Route::Token || !self.provider.rotates() {
            return;
        }
        if !told {
            if *outcome != Outcome::NeverLeft {
                self.may_be_spent();
            }
            return;
        }
        let text = |body: &[u8]| String::from_utf8_lossy(body).into_owned();
        let (is_answer, opens) = match outcome {
            Outcome::NeverLeft => (false, false),
            Outcome::Disconnected | Outcome::Nothing => (false, true),
            Outcome::Reply { status: 410, .. } => (true, false),
            Outcome::Reply { status: 429, .. } => (false, false),
            Outcome::Reply {
                status: 200, body, ..
            } => {
                let whole = format!(r#""refresh_token":"{}""#, cloud.grants.refresh());
                self.holds_pair = text(body).contains(&whole);
                (self.holds_pair, true)
            }
            Outcome::Reply {
                status: 400 | 401 | 403,
                body,
                is_cut: false,
                ..
            } => {
                let words = [
                    "invalid_",
                    "unauthorized_client",
                    "deleted_client",
                    "disabled_client",
                    "policy_enforced",
                    "org_internal",
                    "access_denied",
                ];
                let is_oauth = words.iter().any(|word| text(body).contains(word));
                (is_oauth, !is_oauth)
            }
            Outcome::Reply { .. } => (false, true),
        };
        // The doubt is settled by a pair, once that is stored, or by this error.
        if is_answer
            && matches!(outcome, Outcome::Reply { body, .. } if text(body).contains("invalid_grant"))
        {
            self.unanswered = None;
        } else if opens {
            self.may_be_spent();
        }
        let Some(burst) = &mut self.burst else {
            return;
        };
        burst.may_have_left |= opens;
        let by = at.up + LONGEST_PAUSE;
        let is_due = burst.may_have_left && by <= burst.limit.min(self.last_try);
        self.again_by = (!is_answer && is_due).then_some(by);
    }

    /// Records that the newest refresh has no answer, and may have reached the server.
    fn may_be_spent(&mut self) {
        if let Some((token, at)) = self.refreshes.last().cloned() {
            let since = self.unanswered.take().map_or(at, |(_, since)| since);
            self.unanswered = Some((token, since));
        }
    }
}
