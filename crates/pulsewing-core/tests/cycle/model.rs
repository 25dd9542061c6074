//! The reference model: the events from outside, and the expected results.
//!
//! Events are drawn before the cycle runs, so this half of the model holds only the state that they
//! decide: the clocks, the wearer's zone, the weather (permanent faults), whether the chain can be
//! lost at all, whether the provider can have refused it or be gone, and whether everything must be
//! well by now. The state that depends on the cycle's actions, request by request, is in `rules.rs`
//! (requests, tokens, limits) and `ledger.rs` (the chain at the cloud and in the store, and the
//! readings). None of them asks the cycle.

use std::{fmt, time::Duration};

use proptest::{prelude::*, strategy::Union};
use proptest_state_machine::ReferenceStateMachine;
use pulsewing_core::cycle::StoreTrouble;
use serde_json::json;

use crate::{
    cloud::Fault,
    store::Write,
    world::{Mid, Setup},
};

/// An event.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// This many actions are carried out normally.
    Steps(u8),
    /// This many seconds pass without events.
    Pass(u16),
    /// The next request has this fault.
    Request(Fault),
    /// The next token request does, if one comes soon.
    Refresh(Fault),
    /// From now on all requests do, or none.
    Weather(Option<Fault>),
    /// The next write has this result, if one comes soon.
    Write(Write),
    /// From now on all writes fail, or none.
    StoreDown(bool),
    /// The next read fails.
    Unreadable(StoreTrouble),
    /// The program dies, before the next action or after it, and is away for this many seconds.
    Crash { after_action: bool, away: u16 },
    /// This happens in the middle of the next reply.
    Amid(Mid),
    /// The clock is set forward by this many seconds, or back.
    SetClock(i32),
    /// The machine sleeps for this many seconds.
    Sleep(u16),
    /// The wearer is in another zone, this many half hours ahead of UTC.
    Moves(i8),
    /// The provider revokes the access token.
    Revoke,
    /// The user asks for a cycle.
    Ask,
    /// There are no faults for long enough.
    Rest,
}

/// Returns the error that ends a chain.
pub(crate) fn invalid_grant() -> Fault {
    Fault::Body(400, json!({"error": "invalid_grant"}).to_string())
}

/// The model, for a provider that rotates or one that does not.
#[derive(Clone)]
pub(crate) struct Model<const ROTATES: bool> {
    pub(crate) setup: Setup,
    /// The seconds by which the wall clock is ahead.
    pub(crate) ahead: i64,
    /// The wearer's zone, in half hours.
    pub(crate) zone: i8,
    pub(crate) weather: Option<Fault>,
    pub(crate) store_down: bool,
    /// The part of a replay window that can have been missed or spoiled since all was well, in seconds.
    pub(crate) missed: u32,
    /// Whether the provider may have refused the chain, by itself or because a pair was lost.
    pub(crate) may_be_refused: bool,
    /// Whether the provider may have answered with a 410 since the program started.
    pub(crate) may_be_gone: bool,
    /// Whether all has been well for long enough that a reading must be there.
    pub(crate) is_well: bool,
}

/// The part of the window that a lost reply can cost: a try, and the pause before the next.
const TRY_AND_PAUSE: u32 = 31;

/// The part of the window that has to be missed or spoiled before a pair can be lost. A program with
/// 10 of the 120 seconds left gets it.
const WINDOW_BUT_A_TRY: u32 = 75;

/// Formats the initial state; the rest follows from the events.
impl<const ROTATES: bool> fmt::Debug for Model<ROTATES> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Setup {
            lifetime,
            age,
            every,
            cap,
            cache_access,
            seed,
            ..
        } = &self.setup;
        write!(
            f,
            "lifetime {lifetime} s, age {age} s, every {every:?}, cap {cap}, cache {cache_access}, seed {seed}"
        )
    }
}

impl<const ROTATES: bool> Model<ROTATES> {
    /// Records that something goes wrong for this many seconds.
    fn misses(&mut self, seconds: u32) {
        self.missed = self.missed.saturating_add(seconds);
        self.may_be_refused |= ROTATES && self.missed >= WINDOW_BUT_A_TRY;
    }

    fn meets(&mut self, fault: &Fault) {
        self.may_be_refused |= *fault == invalid_grant();
        self.may_be_gone |= ROTATES && matches!(fault, Fault::Status(410, _));
        // Another kind of answer ends the replays, even if the window is open.
        let ends_replays = matches!(fault, Fault::Status(410, _) | Fault::Body(400 | 401, _));
        self.misses(if ends_replays {
            WINDOW_BUT_A_TRY
        } else {
            TRY_AND_PAUSE
        });
    }
}

impl<const ROTATES: bool> ReferenceStateMachine for Model<ROTATES> {
    type State = Self;
    type Transition = Event;

    fn init_state() -> BoxedStrategy<Self> {
        let lives = prop_oneof![Just(28_800_u32), Just(3_600), Just(600)];
        let caps = prop_oneof![Just(60_u16), Just(12), Just(6)];
        let every = prop_oneof![Just(900_u64), Just(60)];
        let ages = prop_oneof![Just(40_000_i64), 0_i64..40_000];
        (lives, caps, every, ages, any::<bool>(), any::<u32>())
            .prop_map(|(lifetime, cap, every, age, cache_access, seed)| Self {
                setup: Setup {
                    lifetime,
                    cap,
                    age,
                    seed,
                    every: Duration::from_secs(every),
                    cache_access: cache_access && !ROTATES,
                    ..if ROTATES {
                        Setup::fitbit()
                    } else {
                        Setup::google()
                    }
                },
                ahead: 0,
                zone: 2,
                weather: None,
                store_down: false,
                missed: 0,
                may_be_refused: false,
                may_be_gone: false,
                is_well: false,
            })
            .boxed()
    }

    fn transitions(state: &Self) -> BoxedStrategy<Event> {
        let write = prop_oneof![Just(Write::Failed), Just(Write::DoneUnnoticed)];
        let trouble = prop_oneof![Just(StoreTrouble::Busy), Just(StoreTrouble::Io)];
        let away = || prop_oneof![0_u16..100, 0_u16..8_000];
        let jump = || {
            prop_oneof![
                -3_600..3_600,
                -200_000..200_000,
                // Multiples of the 62 seconds in which requests are counted: these make a difference.
                (-200_i32..200).prop_map(|s| s * 62),
            ]
        };
        let mid = prop_oneof![
            away().prop_map(Mid::Crash),
            jump().prop_map(Mid::SetClock),
            Just(Mid::Ask)
        ];
        // Faults that have started are likely to end, and lost things are likely to be asked for.
        let clears = if state.weather.is_some() { 6 } else { 0 };
        let mends = if state.store_down { 6 } else { 0 };
        let asks = if state.may_be_gone { 6 } else { 1 };
        let mut events = vec![
            (8, (1_u8..40).prop_map(Event::Steps).boxed()),
            (4, (0_u16..1_000).prop_map(Event::Pass).boxed()),
            (1, (0_u16..20_000).prop_map(Event::Pass).boxed()),
            (9, fault().prop_map(Event::Request).boxed()),
            (9, fault().prop_map(Event::Refresh).boxed()),
            (2, fault().prop_map(Some).prop_map(Event::Weather).boxed()),
            (3, write.prop_map(Event::Write).boxed()),
            (1, Just(Event::StoreDown(true)).boxed()),
            (1, trouble.prop_map(Event::Unreadable).boxed()),
            (
                5,
                (any::<bool>(), away())
                    .prop_map(|(after_action, away)| Event::Crash { after_action, away })
                    .boxed(),
            ),
            (4, mid.prop_map(Event::Amid).boxed()),
            (3, jump().prop_map(Event::SetClock).boxed()),
            (2, (11_u16..60_000).prop_map(Event::Sleep).boxed()),
            (2, (-20_i8..28).prop_map(Event::Moves).boxed()),
            (2, Just(Event::Revoke).boxed()),
            (asks, Just(Event::Ask).boxed()),
            (1, Just(Event::Rest).boxed()),
        ];
        if clears > 0 {
            events.push((clears, Just(Event::Weather(None)).boxed()));
        }
        if mends > 0 {
            events.push((mends, Just(Event::StoreDown(false)).boxed()));
        }
        Union::new_weighted(events).boxed()
    }

    /// Returns whether an event changes something, keeps the clock within days, and does not repeat
    /// something final.
    fn preconditions(state: &Self, event: &Event) -> bool {
        let is_final = |fault: &Fault| *fault == invalid_grant() && state.may_be_refused;
        match event {
            Event::Request(fault) | Event::Refresh(fault) => !is_final(fault),
            Event::Weather(None) => state.weather.is_some(),
            Event::Weather(Some(fault)) => state.weather.is_none() && *fault != invalid_grant(),
            Event::StoreDown(down) => *down != state.store_down,
            Event::SetClock(by) | Event::Amid(Mid::SetClock(by)) => {
                *by != 0 && (state.ahead + i64::from(*by)).abs() < 400_000
            }
            Event::Moves(zone) => *zone != state.zone,
            Event::Rest => !state.is_well,
            _ => true,
        }
    }

    fn apply(mut state: Self, event: &Event) -> Self {
        state.is_well = false;
        match event {
            Event::Steps(_) => {}
            Event::Pass(seconds) => {
                if state.weather.is_some() {
                    state.misses((*seconds).into());
                }
            }
            Event::Request(fault) | Event::Refresh(fault) => state.meets(fault),
            Event::Weather(fault) => {
                if let Some(fault) = fault {
                    state.meets(fault);
                    // The fault lasts longer than a window is open.
                    state.misses(WINDOW_BUT_A_TRY);
                }
                state.weather.clone_from(fault);
            }
            // The failed write may be the intent to try again, or, until a crash, the pair.
            Event::Write(_) | Event::Unreadable(_) => state.misses(WINDOW_BUT_A_TRY),
            Event::StoreDown(down) => {
                state.misses(WINDOW_BUT_A_TRY);
                state.store_down = *down;
            }
            Event::Crash { away, .. } => {
                state.misses(u32::from(*away) + TRY_AND_PAUSE);
                state.may_be_gone = ROTATES && state.weather == Some(Fault::status(410));
            }
            Event::Amid(Mid::Crash(away)) => state.misses(u32::from(*away) + TRY_AND_PAUSE),
            Event::SetClock(by) | Event::Amid(Mid::SetClock(by)) => {
                state.ahead += i64::from(*by);
                // An intent from another time may be written again, or not.
                state.misses(TRY_AND_PAUSE);
            }
            Event::Sleep(seconds) => state.misses(u32::from(*seconds) + TRY_AND_PAUSE),
            Event::Moves(zone) => state.zone = *zone,
            // A user who asks while a cycle is under way gets the result of that one: perhaps a 410.
            Event::Revoke | Event::Ask | Event::Amid(Mid::Ask) => {}
            Event::Rest => {
                state.weather = None;
                state.store_down = false;
                state.missed = 0;
                state.is_well = true;
            }
        }
        state
    }
}

fn fault() -> impl Strategy<Value = Fault> {
    let statuses = prop_oneof![
        Just(401),
        Just(409),
        Just(429),
        Just(500),
        Just(503),
        Just(302),
        Just(403),
        Just(404),
    ];
    prop_oneof![
        4 => Just(Fault::DropAfter),
        2 => Just(Fault::DropBefore),
        2 => Just(Fault::NeverLeft),
        2 => Just(Fault::Stall),
        3 => (0_usize..260).prop_map(Fault::Truncate),
        1 => Just(Fault::html(200)),
        1 => Just(Fault::html(503)),
        4 => statuses.prop_map(Fault::status),
        1 => (1_u32..5_000).prop_map(|s| Fault::limited("Retry-After", &s.to_string())),
        1 => Just(Fault::limited("Fitbit-Rate-Limit-Reset", "1200")),
        1 => (1_u32..900).prop_map(|s| Fault::Header("Retry-After", s.to_string())),
        1 => Just(Fault::Omit("access_token")),
        1 => Just(Fault::Omit("refresh_token")),
        1 => Just(Fault::Omit("expires_in")),
        1 => Just(Fault::Replace("expires_in", json!(1))),
        1 => Just(Fault::Body(401, json!({"error": "invalid_client"}).to_string())),
        1 => Just(invalid_grant()),
        1 => Just(Fault::status(410)),
    ]
}
