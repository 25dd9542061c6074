//! What holds for every action of every cycle, whatever goes wrong around it.

use std::{collections::BTreeSet, time::Duration};

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

/// How long the same token is sent again.
const REPLAYED_FOR: Duration = Duration::from_secs(110);

/// Watches the actions.
#[derive(Debug)]
pub(crate) struct Rules {
    provider: Provider,
    cap: u16,
    last_try: Duration,
    /// How many requests more than the cap are forgiven: those that a crash kept from being counted.
    uncounted: usize,
    counted: Vec<Duration>,
    /// Refresh tokens that were sent, and when.
    pub(crate) refreshes: Vec<(String, Duration)>,
    known: BTreeSet<String>,
    /// The burst of sends under way, and until when the next of them has to come.
    burst: Option<Burst>,
    again_by: Option<Duration>,
    /// The first request of this program has to be a refresh: it found an intent.
    refresh_first: bool,
    /// Whether an intent was found when the chain was opened, and one was stored since.
    intent_found: bool,
    intent_stored: bool,
    /// Whether a whole pair reached a program that lives, and is not known to be stored.
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
            burst: None,
            again_by: None,
            refresh_first: false,
            intent_found: false,
            intent_stored: false,
            holds_pair: false,
            still: (Duration::ZERO, 0),
        }
    }

    /// A program starts.
    pub(crate) fn restarted(&mut self, store: &Store) {
        self.burst = None;
        self.again_by = None;
        self.holds_pair = false;
        self.intent_stored = false;
        self.still = (Duration::ZERO, 0);
        self.refresh_first = matches!(store.read(), Ok(Some(record)) if record.intent.is_some());
    }

    /// An action is about to be carried out.
    pub(crate) fn before(&mut self, todo: &Todo, store: &Store, up: Duration, real: Duration) {
        self.still = match self.still {
            (at, times) if at == up => (at, times + 1),
            _ => (up, 0),
        };
        assert!(self.still.1 < 30, "it runs in a circle: {todo:?}");
        self.keeps_asking(todo, up);
        match todo {
            Todo::Open(wait) => {
                assert!(*wait <= Duration::from_secs(30));
                let record = store.read().ok().flatten();
                self.intent_found = record.is_some_and(|record| record.intent.is_some());
            }
            Todo::Store(record, _) => assert!(!record.0.is_empty()),
            Todo::Send(call, timeout) if call.route() == Route::Token => {
                assert!(*timeout <= Duration::from_secs(15), "a try of {timeout:?}");
                self.refresh(call, store, up, real);
            }
            Todo::Send(call, timeout) => {
                assert!(*timeout <= Duration::from_secs(15), "a try of {timeout:?}");
                self.data_call(call, store, real);
            }
            Todo::Wait(until) => {
                assert!(*until > up, "a wait that is over");
                assert!(
                    *until <= up + Duration::from_secs(30),
                    "a wait of {:?}",
                    *until - up
                );
            }
            Todo::Close => {
                self.burst = None;
                self.intent_stored = false;
            }
            Todo::Finished(Err(Failure::TokensNotStored)) => self.holds_pair = false,
            Todo::Resolve(_) | Todo::Finished(_) => {
                assert!(
                    !self.holds_pair,
                    "a pair is unstored, and the cycle goes on"
                );
            }
        }
        if let Todo::Send(..) = todo {
            assert!(up <= self.last_try, "a try at {up:?}");
            assert!(
                !self.holds_pair,
                "a pair is unstored, and something is sent"
            );
        }
    }

    /// While a token may have been spent without an answer, it is asked for again and again.
    fn keeps_asking(&mut self, todo: &Todo, up: Duration) {
        let Some(by) = self.again_by else {
            return;
        };
        match todo {
            Todo::Send(call, _) if call.route() == Route::Token => {
                assert!(up <= by, "asked again at {up:?}, not by {by:?}");
                self.again_by = None;
            }
            Todo::Wait(until) => assert!(*until <= by, "waits until {until:?}, not {by:?}"),
            todo => panic!("{todo:?}, and the refresh has no answer"),
        }
    }

    fn refresh(&mut self, call: &Call, store: &Store, up: Duration, real: Duration) {
        assert_eq!(call.endpoint, Endpoint::Token);
        assert!(store.locked, "a refresh without the lock");
        let token = call.form("refresh_token").unwrap();
        let record = store.chain();
        assert_eq!(
            record.chain.refresh_token().expose(),
            token,
            "a token that is not the stored one"
        );
        assert_eq!(
            record.chain.standing(),
            Standing::Active,
            "a chain that is not to be sent"
        );
        assert_eq!(record.chain.issuer(), "https://cloud.example");
        if self.provider.rotates() {
            let intent = record.intent.expect("an intent is stored before a refresh");
            assert_eq!(intent.generation, record.chain.generation());
        }
        // An intent says that the token may have been sent: so does who has seen it sent.
        let may_be_repeat = self.intent_found || self.known.contains(token);
        let is_replay = self.provider.rotates() && may_be_repeat;
        if !is_replay {
            self.count(real);
        }
        self.known.insert(token.to_owned());
        self.refreshes.push((token.to_owned(), real));
        self.refresh_first = false;
        let is_fresh = self.intent_stored;
        self.burst.get_or_insert_with(|| Burst {
            // What is left of a burst that another program began is not known here.
            limit: if is_fresh {
                up + REPLAYED_FOR
            } else {
                Duration::ZERO
            },
            may_have_left: !is_fresh,
        });
    }

    fn data_call(&mut self, call: &Call, store: &Store, real: Duration) {
        assert_eq!(call.endpoint, Endpoint::Api);
        assert!(
            !self.refresh_first,
            "an intent makes the refresh the first request"
        );
        let access = call.bearer.clone().expect("an access token");
        if self.provider.rotates() {
            assert_eq!(
                store.access(),
                Some(access),
                "an access token that is not the stored one"
            );
        }
        self.count(real);
    }

    /// How many requests there were, replays aside.
    pub(crate) fn requests(&self) -> usize {
        self.counted.len()
    }

    fn count(&mut self, real: Duration) {
        self.counted.push(real);
        let hour = Duration::from_secs(3_600);
        let newest = self.counted.iter().rev();
        let recent = newest.take_while(|at| **at + hour > real).count();
        let most = usize::from(self.cap) + self.uncounted;
        assert!(recent <= most, "{recent} requests within an hour");
    }

    /// A write has come to its end.
    pub(crate) fn stored(&mut self, what: StoreWhat, confirmed: bool) {
        match what {
            StoreWhat::Tokens if confirmed => {
                self.holds_pair = false;
                self.intent_found = false;
                self.burst = None;
            }
            StoreWhat::Intent => {
                self.intent_stored = confirmed;
                // Where nothing can be written, the refresh cannot be sent at all.
                self.refresh_first &= confirmed;
            }
            _ => {}
        }
    }

    /// A request has come to its end.
    pub(crate) fn answered(
        &mut self,
        call: &Call,
        outcome: &Outcome,
        cloud: &Cloud,
        up: Duration,
        told: bool,
    ) {
        if !told {
            self.uncounted += 1;
        }
        if call.route() != Route::Token || !self.provider.rotates() || !told {
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
                status: 400 | 401,
                body,
                is_cut: false,
                ..
            } => {
                let is_oauth = ["invalid_", "unauthorized_client"]
                    .iter()
                    .any(|word| text(body).contains(word));
                (is_oauth, !is_oauth)
            }
            Outcome::Reply { .. } => (false, true),
        };
        let Some(burst) = &mut self.burst else {
            return;
        };
        burst.may_have_left |= opens;
        let by = up + LONGEST_PAUSE;
        let is_due = burst.may_have_left && by <= burst.limit.min(self.last_try);
        self.again_by = (!is_answer && is_due).then_some(by);
    }
}
