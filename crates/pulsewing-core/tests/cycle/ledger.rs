//! The state of the chain and of the readings, as it follows from the traffic on the wire and the
//! writes to the store, and its invariants.

use std::{collections::BTreeSet, time::Duration};

use jiff::{SignedDuration, Timestamp, civil::Date, tz::Offset};
use pulsewing_core::{
    Provider,
    chain::Standing,
    cycle::{Consent, Failure, StoreWhat},
};
use serde_json::Value;

use crate::{
    cloud::{Call, Outcome, Route},
    world::{Todo, World},
};

/// The time during which the cloud answers a spent token with the pair that it made.
const WINDOW: Duration = Duration::from_secs(120);

/// The time after the first send during which an unanswered refresh is repeated, and the longest
/// interval between repeats: a first backoff, of a cycle whose intent was stored without its knowledge.
const REPLAYED_FOR: Duration = Duration::from_secs(110);
const REPLAYED_EVERY: Duration = Duration::from_secs(75);

/// The state as seen from outside.
#[derive(Debug)]
pub(crate) struct Ledger {
    /// Every token that the store has confirmed, or that a program found there.
    durable: BTreeSet<String>,
    /// The time that the program has been running without asking for the pair that it missed.
    unused: Duration,
    /// Whether something else kept it from asking: the store, the server's answer, a clock.
    is_hindered: bool,
    /// The time of the last write of an intent: the beginning of the replays.
    intent_at: Duration,
    /// Whether the newest pair was lost, and whether the provider answered `invalid_grant`.
    is_lost: bool,
    is_refused: bool,
    /// Whether the last cycle ended with a 410, and the user has not asked since; and whether the user
    /// asked while a cycle was under way, whose 410 may or may not have been the answer.
    is_gone: bool,
    asked_amid: bool,
    /// The zone that the cloud last reported, and the time of that by the program's clock.
    told_zone: Option<(Offset, Timestamp)>,
    /// In this cycle: whether the zone was requested, its resolved offset and the time of that, the
    /// date of the cloud's own day, and whether the wearer moved or the clock was set in the meantime.
    asked_zone: bool,
    resolved: Option<(Offset, Timestamp)>,
    cloud_day: Option<Date>,
    is_moved: bool,
    /// The result of the last cycle.
    pub(crate) last: Option<Result<(), Failure>>,
}

impl Ledger {
    pub(crate) fn new(world: &World) -> Self {
        let mut ledger = Self {
            durable: BTreeSet::new(),
            unused: Duration::ZERO,
            is_hindered: false,
            intent_at: Duration::ZERO,
            is_lost: false,
            is_refused: false,
            is_gone: false,
            asked_amid: false,
            told_zone: None,
            asked_zone: false,
            resolved: None,
            cloud_day: None,
            is_moved: false,
            last: None,
        };
        ledger.found(world);
        ledger
    }

    /// Records the content of the store as durable.
    fn found(&mut self, world: &World) {
        self.durable.insert(world.store.refresh());
        self.durable.extend(world.store.access());
    }

    /// Records that the program starts again.
    pub(crate) fn restarted(&mut self, world: &World) {
        self.found(world);
        self.is_gone = false;
        self.asked_amid = false;
        self.last = None;
        self.unused = Duration::ZERO;
    }

    /// Records that the user asks for a cycle; `amid` is set if one is under way.
    pub(crate) fn asked(&mut self, amid: bool) {
        self.asked_amid |= amid;
        if !amid {
            self.is_gone = false;
            self.last = None;
        }
    }

    /// Records that the clock was set: the age of an intent is then unknown.
    pub(crate) fn clock_was_set(&mut self) {
        self.is_hindered = true;
        self.is_moved = true;
    }

    /// Records that the wearer moves, or the machine sleeps, while a cycle may be under way.
    pub(crate) fn moved(&mut self) {
        self.is_moved = true;
    }

    /// Checks an action that is about to be carried out.
    pub(crate) fn before(&mut self, todo: &Todo, world: &World) {
        match todo {
            Todo::Send(..) => assert!(
                !self.is_gone || self.asked_amid,
                "(iv) something is sent after a 410"
            ),
            Todo::Store(_, StoreWhat::Refusal) => assert!(
                self.is_refused,
                "(v) the chain is given up without the server's word"
            ),
            Todo::Store(_, StoreWhat::Intent) => self.intent_at = world.real,
            Todo::Resolve(facts) => {
                let now = world.now().utc;
                self.zone_is_the_clouds(facts.offset, now);
                self.resolved = Some((facts.offset.unwrap_or(Offset::constant(1)), now));
            }
            Todo::Finished(result) => {
                self.only_stored_tokens_are_reported(world);
                if result.is_ok() {
                    self.civil_day_is_the_clouds(world);
                }
                self.is_gone = *result == Err(Failure::Gone);
                self.asked_amid &= self.is_gone;
                self.last = Some(*result);
                self.asked_zone = false;
                self.resolved = None;
                self.cloud_day = None;
                self.is_moved = false;
            }
            _ => {}
        }
    }

    /// Checks an action that was carried out while the program was running for this long; `heard` is
    /// set if the program got the result.
    pub(crate) fn after(&mut self, todo: &Todo, world: &World, there: Duration, heard: bool) {
        self.unused += there;
        match todo {
            Todo::Open(_) if !world.store.locked => self.is_hindered = true,
            Todo::Open(_) | Todo::Store(..) if heard => self.found(world),
            Todo::Send(call, _) => {
                if let Some(outcome) = &world.outcome {
                    self.answered(call, &outcome.clone(), world, heard);
                }
            }
            _ => {}
        }
        if world.rules.unanswered.is_none() {
            self.is_hindered = false;
        }
        self.lost_only_to_power(world);
    }

    fn answered(&mut self, call: &Call, outcome: &Outcome, world: &World, heard: bool) {
        if call.route() == Route::Zone {
            self.asked_zone = true;
        }
        if call.route() == Route::Token {
            self.unused = Duration::ZERO;
        }
        let Outcome::Reply {
            status,
            body,
            is_cut: false,
            ..
        } = outcome
        else {
            return;
        };
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let word = body["error"]
            .as_str()
            .or_else(|| body["errors"][0]["errorType"].as_str());
        match call.route() {
            Route::Token if heard => {
                self.is_refused |= *status == 400 && word == Some("invalid_grant");
                // Another kind of answer: the next try comes with the next cycle.
                self.is_hindered |= word.is_some() || *status == 410;
            }
            Route::Zone if heard && *status == 200 => {
                let offset = match world.settings.provider {
                    Provider::Fitbit => body["user"]["offsetFromUTCMillis"]
                        .as_i64()
                        .map(|milliseconds| milliseconds / 1_000),
                    Provider::Google => body["utcOffset"]
                        .as_str()
                        .and_then(|text| text.trim_end_matches('s').parse().ok()),
                };
                if let Some(seconds) = offset {
                    let offset = Offset::from_seconds(i32::try_from(seconds).unwrap()).unwrap();
                    self.told_zone = Some((offset, world.now().utc));
                }
            }
            Route::Heart if heard && *status == 200 && call.target.contains("/today/") => {
                self.cloud_day = body["activities-heart"][0]["dateTime"]
                    .as_str()
                    .and_then(|date| date.parse().ok());
            }
            _ => {}
        }
    }

    /// (ii) Checks that the tokens that the cycle reports are in the store.
    fn only_stored_tokens_are_reported(&self, world: &World) {
        let Some(chain) = world.cycle.chain() else {
            return;
        };
        assert!(
            self.durable.contains(chain.refresh_token().expose()),
            "(ii) a refresh token is reported that the store has not confirmed"
        );
        let access = chain.access().map(|access| access.token.expose());
        assert!(
            !world.settings.provider.rotates()
                || access.is_none_or(|token| self.durable.contains(token)),
            "(ii) an access token is reported that the store has not confirmed"
        );
    }

    /// (v) Checks that a rotating chain is lost only if the program could not ask for the pair in time.
    fn lost_only_to_power(&mut self, world: &World) {
        if !world.settings.provider.rotates() || world.agrees() || world.rules.holds_pair {
            self.unused = Duration::ZERO;
            return;
        }
        let since = world.real.saturating_sub(world.cloud.grants.made());
        let first = world.rules.unanswered.as_ref().map(|(_, first)| *first);
        let Some(first) = first else {
            assert!(
                self.is_lost || self.is_refused || self.is_hindered,
                "(v) a pair that had come is neither held nor stored"
            );
            return;
        };
        let first = first.min(self.intent_at);
        if world.real < first + REPLAYED_FOR && !self.is_hindered && !self.is_lost {
            assert!(
                self.unused <= REPLAYED_EVERY,
                "(v) the replay window passes, and for {:?} nobody asks",
                self.unused
            );
        }
        self.is_lost |= since >= WINDOW;
    }

    /// (vi) Checks that the zone is the one that the cloud last reported, at most a day ago.
    fn zone_is_the_clouds(&self, offset: Option<Offset>, now: Timestamp) {
        assert_eq!(
            offset,
            self.told_zone.map(|(offset, _)| offset),
            "(vi) not the zone that the cloud has told"
        );
        let day = SignedDuration::from_hours(24);
        let is_recent = self
            .told_zone
            .is_some_and(|(_, at)| at <= now && now.duration_since(at) < day);
        assert!(
            is_recent || self.asked_zone || self.is_moved,
            "(vi) the zone was told a day ago, and nobody asks"
        );
    }

    /// (vi) Checks that the displayed day is the cloud's, and that every value is in its own minute.
    fn civil_day_is_the_clouds(&self, world: &World) {
        let reading = world.cycle.reading().expect("(iv) a reading");
        let (offset, now) = self.resolved.expect("a zone was resolved");
        assert_eq!(reading.fetched_at, now, "(vi) an old reading");
        let date = match world.settings.provider {
            Provider::Fitbit => self.cloud_day.expect("a day of the cloud's"),
            Provider::Google => offset.to_datetime(now).date(),
        };
        assert_eq!(
            reading.day.local().date(),
            date,
            "(vi) not the day that it is for the cloud"
        );
        // Fitbit reports local times: they are right if the zone is.
        let is_told = world.settings.provider == Provider::Google
            || (offset == world.cloud.offset && !self.is_moved);
        if is_told {
            for sample in reading.window.samples() {
                let minute = sample.at.as_second().div_euclid(60);
                assert_eq!(
                    i64::from(sample.bpm.get()),
                    60 + minute.rem_euclid(60),
                    "(vi) a value of another minute at {}",
                    sample.at
                );
            }
        }
    }

    /// (iv) Checks that after enough time without faults there is a reading, or an end that the model
    /// agrees with.
    pub(crate) fn has_come_to_rest(&self, world: &World, may_be_refused: bool, may_be_gone: bool) {
        match self.last {
            Some(Ok(())) => {
                // An access token outlives its chain.
                let is_lost = self.is_lost && !world.agrees();
                assert!(
                    is_lost || world.agrees(),
                    "(v) a reading, and the chain is lost"
                );
                assert!(
                    is_lost || world.store.chain().intent.is_none(),
                    "(i) an intent, and all is well"
                );
            }
            Some(Err(Failure::Gone)) => {
                assert!(
                    may_be_gone && self.is_gone,
                    "(iv) nobody said 410, or somebody has asked since: {:?}",
                    world.story
                );
            }
            Some(Err(Failure::ConsentNeeded(Consent::Refused))) => {
                assert!(
                    may_be_refused && self.is_refused,
                    "(v) the chain is refused, and the model knows no reason: {:?}",
                    world.story
                );
                assert_eq!(world.store.chain().chain.standing(), Standing::Refused);
            }
            ref other => panic!(
                "(iv) no reading, and all is well: {other:?}: {:?}",
                world.story
            ),
        }
    }

    /// Returns whether the newest pair is lost, or the chain was given up.
    pub(crate) const fn is_over(&self) -> bool {
        self.is_lost || self.is_refused
    }
}
