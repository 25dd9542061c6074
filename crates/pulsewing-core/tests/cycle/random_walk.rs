//! Years of bad luck: any faults, crashes, restarts and clocks, in any order.

use std::time::Duration;

use jiff::SignedDuration;
use proptest::{collection::vec, prelude::*};
use pulsewing_core::{
    chain::Standing,
    cycle::{Consent, Failure, StoreTrouble},
};
use serde_json::json;

use crate::{
    cloud::{Fault, Route},
    store::Write,
    world::{Setup, Todo, World},
};

/// Something that happens.
#[derive(Clone, Debug)]
enum Luck {
    /// So many actions go as they are wanted.
    Steps(u8),
    /// It is left alone for as many seconds.
    Peace(u16),
    Fault(Route, Fault),
    Writes(Vec<Write>),
    Trouble(StoreTrouble),
    /// The program dies, before or after the next action, and is away for a while.
    Crash {
        after_action: bool,
        away: u16,
    },
    /// The clock is set back by as many seconds.
    SetBack(u32),
    /// The machine sleeps.
    Sleep(u16),
    /// Somebody asks for a cycle.
    Ask,
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        4 => Just(Fault::DropAfter),
        2 => Just(Fault::DropBefore),
        2 => Just(Fault::Stall),
        2 => Just(Fault::NeverLeft),
        3 => (0_usize..260).prop_map(Fault::Truncate),
        1 => Just(Fault::html(200)),
        2 => prop_oneof![Just(302), Just(401), Just(403), Just(404), Just(409), Just(429), Just(500), Just(503)]
            .prop_map(Fault::status),
        1 => (1_u32..5_000).prop_map(|s| Fault::limited("Retry-After", &s.to_string())),
        1 => Just(Fault::limited("Fitbit-Rate-Limit-Reset", "77")),
        1 => Just(Fault::Omit("access_token")),
        1 => Just(Fault::Replace("expires_in", json!(1))),
        1 => Just(Fault::Body(401, json!({"error": "invalid_client"}).to_string())),
    ]
}

fn route() -> impl Strategy<Value = Route> {
    prop_oneof![
        4 => Just(Route::Token),
        2 => Just(Route::Heart),
        1 => Just(Route::Devices),
        1 => Just(Route::Zone),
        1 => Just(Route::Resting),
    ]
}

fn luck() -> impl Strategy<Value = Luck> {
    let write = prop_oneof![
        Just(Write::Done),
        Just(Write::Failed),
        Just(Write::DoneUnnoticed)
    ];
    let trouble = prop_oneof![Just(StoreTrouble::Busy), Just(StoreTrouble::Io)];
    prop_oneof![
        6 => (1_u8..40).prop_map(Luck::Steps),
        2 => (0_u16..20_000).prop_map(Luck::Peace),
        8 => (route(), fault()).prop_map(|(route, fault)| Luck::Fault(route, fault)),
        2 => vec(write, 1..5).prop_map(Luck::Writes),
        1 => trouble.prop_map(Luck::Trouble),
        2 => (any::<bool>(), prop_oneof![0_u16..100, 0_u16..8_000])
            .prop_map(|(after_action, away)| Luck::Crash { after_action, away }),
        1 => (11_u32..200_000).prop_map(Luck::SetBack),
        1 => (11_u16..60_000).prop_map(Luck::Sleep),
        1 => Just(Luck::Ask),
    ]
}

/// A walk through a world: what was lost, and whether it had to be.
struct Walk {
    world: World,
    /// Whether the newest pair reached a program that did not die before storing it.
    is_lost: bool,
    /// How much had happened when somebody last looked, and whether store and cloud agreed.
    looked: (usize, bool),
}

impl Walk {
    /// Looks after every action whether the chain was lost by bad luck alone.
    fn look(&mut self) {
        let world = &self.world;
        if self.looked.0 != world.story.len() {
            self.looked = (world.story.len(), world.agrees());
        }
        if self.looked.1 || world.rules.holds_pair {
            return;
        }
        let since = world.real - world.cloud.grants.made();
        self.is_lost |= since >= Duration::from_secs(120);
    }

    fn step(&mut self) -> Todo {
        let held = self.world.rules.holds_pair;
        let todo = self.world.step();
        assert!(
            !held || self.world.rules.holds_pair || self.world.agrees(),
            "a pair that had come was lost without a crash"
        );
        self.look();
        todo
    }

    fn meet(&mut self, luck: &Luck) {
        match luck {
            Luck::Steps(steps) => {
                for _ in 0..*steps {
                    let _ = self.step();
                }
            }
            Luck::Peace(seconds) => {
                let end = self.world.real + Duration::from_secs(u64::from(*seconds));
                while self.world.real < end {
                    let _ = self.step();
                }
            }
            Luck::Fault(route, fault) => self.world.will(*route, [fault.clone()]),
            Luck::Writes(writes) => self.world.store.writes.extend(writes),
            Luck::Trouble(trouble) => self.world.store.troubles.push_back(*trouble),
            Luck::Crash { after_action, away } => {
                if *after_action {
                    let _ = self.world.step_and_die();
                } else {
                    self.world.die();
                }
                self.world.advance(Duration::from_secs(u64::from(*away)));
                self.look();
            }
            Luck::SetBack(seconds) => {
                self.world.ahead -= SignedDuration::from_secs(i64::from(*seconds))
            }
            Luck::Sleep(seconds) => {
                self.world.suspend(Duration::from_secs(u64::from(*seconds)));
                self.look();
            }
            Luck::Ask => self.world.cycle.start_now(),
        }
    }

    /// Everything is well again: a reading comes within a few cycles, or the wearer is asked to
    /// sign in, and that only if the chain is really lost.
    fn heals(mut self) {
        self.world.heal();
        let mut results = Vec::new();
        // Limits and backoff may last: an hour is the longest, after a 401.
        let end = self.world.real + Duration::from_secs(3 * 3_600);
        while self.world.real < end {
            let result = loop {
                if let Todo::Finished(result) = self.step() {
                    break result;
                }
            };
            results.push(result);
            if result.is_ok() {
                assert!(self.world.agrees());
                return;
            }
        }
        let refused = Err(Failure::ConsentNeeded(Consent::Refused));
        assert!(self.is_lost, "{results:?}: {}", self.world.told());
        assert!(results.ends_with(&[refused; 6]), "{results:?}");
        assert_eq!(self.world.store.chain().chain.standing(), Standing::Refused);
    }
}

/// A few seconds' worth, unless `PROPTEST_CASES` asks for more.
fn config() -> ProptestConfig {
    match std::env::var_os("PROPTEST_CASES") {
        Some(_) => ProptestConfig::default(),
        None => ProptestConfig::with_cases(40),
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn bad_luck_alone_costs_no_chain_and_no_rule(
        lucks in vec(luck(), 1..60),
        rotates in prop_oneof![4 => Just(true), 1 => Just(false)],
        life in prop_oneof![Just(600_u32), Just(3_600), Just(28_800)],
        cap in prop_oneof![Just(6_u16), Just(12), Just(60)],
        every in prop_oneof![Just(60_u64), Just(900)],
        age in 0_i64..40_000,
        seed in any::<u32>(),
    ) {
        let setup = if rotates { Setup::fitbit() } else { Setup::google() };
        let every = Duration::from_secs(every);
        let lifetime = life;
        let mut world = World::new(Setup { lifetime, cap, every, age, seed, ..setup });
        world.cloud.minutes = 20;
        let mut walk = Walk { world, is_lost: false, looked: (usize::MAX, true) };
        for luck in &lucks {
            walk.meet(luck);
        }
        walk.heals();
    }
}
