//! The state machine test: the cycle under arbitrary events, in any order.
//!
//! `model.rs` draws the events; `rules.rs` and `ledger.rs` check every action. The checked rules are
//! numbered, and a failure begins with the number:
//!
//! - (i) one refresh at a time: none with another token while one is unanswered, and none without
//!   its intent;
//! - (ii) no token in use that the store has not confirmed;
//! - (iii) the cap holds in every rolling hour, and the provider's limits are obeyed, replays aside;
//! - (iv) every wait is bounded, and without faults a reading comes;
//! - (v) a chain is lost only to a power cut longer than the replay window, to a cloud or a store
//!   that failed for as long, or to the provider's own decision;
//! - (vi) a reading's day is the cloud's, in the zone that it last reported, which is requested daily.
//!
//! `PROPTEST_CASES=5000 cargo test -p pulsewing-core --test cycle machine` tests more cases.

use std::time::Duration;

use jiff::tz::Offset;
use proptest::test_runner::{Config, RngSeed};
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};
use pulsewing_core::cycle::Failure;

use crate::{
    cloud::{Fault, Route},
    ledger::Ledger,
    model::{Event, Model},
    store::Write,
    world::{Mid, Todo, World},
};

/// The longest wait for the next request or write, for an event that needs one.
const BEFORE_LONG: Duration = Duration::from_secs(2 * 3_600);

/// The time after which there has to be a reading: limits and backoff last little more than an hour
/// each.
const REST: Duration = Duration::from_secs(3 * 3_600);

const ROUTES: [Route; 6] = [
    Route::Token,
    Route::Heart,
    Route::Devices,
    Route::Zone,
    Route::Resting,
    Route::HeartZones,
];

/// A cycle, everything around it, and the checks.
#[derive(Debug)]
struct Machine<const ROTATES: bool> {
    world: World,
    ledger: Ledger,
    /// Whether there have just been no faults for long enough.
    rests: bool,
}

impl<const ROTATES: bool> Machine<ROTATES> {
    /// Carries out the next action, and returns it.
    fn step(&mut self) -> Todo {
        let todo = self.world.todo();
        self.carry_out(&todo, true);
        todo
    }

    fn carry_out(&mut self, todo: &Todo, tell: bool) {
        let dies = matches!(
            (todo, self.world.mid),
            (Todo::Send(..), Some(Mid::Crash(_)))
        );
        match (todo, self.world.mid) {
            (Todo::Send(..), Some(Mid::SetClock(_))) => self.ledger.clock_was_set(),
            (Todo::Send(..), Some(Mid::Ask)) => self.ledger.asked(true),
            _ => {}
        }
        self.ledger.before(todo, &self.world);
        let up = self.world.up;
        self.world.carry_out(todo, tell);
        let there = self.world.up.saturating_sub(up);
        let heard = tell && !dies;
        self.ledger.after(todo, &self.world, there, heard);
        if dies {
            self.ledger.restarted(&self.world);
        }
    }

    fn die(&mut self, away: u16) {
        self.world.die();
        self.ledger.restarted(&self.world);
        self.sleep(away);
    }

    fn sleep(&mut self, seconds: u16) {
        self.ledger.moved();
        self.world.suspend(Duration::from_secs(seconds.into()));
    }

    /// Runs until the next action matches; that one is not carried out.
    fn run_until(&mut self, is_it: impl Fn(&Todo) -> bool) -> Option<Todo> {
        let end = self.world.real + BEFORE_LONG;
        while self.world.real < end {
            let todo = self.world.todo();
            if is_it(&todo) {
                return Some(todo);
            }
            self.carry_out(&todo, true);
        }
        None
    }

    fn request(&mut self, fault: &Fault, is_it: impl Fn(Route) -> bool) {
        let next =
            self.run_until(|todo| matches!(todo, Todo::Send(call, _) if is_it(call.route())));
        if let Some(Todo::Send(call, _)) = next {
            self.world.will(call.route(), [fault.clone()]);
            let _ = self.step();
        }
    }

    /// Runs without faults until there is a reading, or for so long that none will come.
    fn rest(&mut self) {
        self.world.heal();
        self.world.mid = None;
        let end = self.world.real + REST;
        // A cycle that is under way does not count.
        let mut is_new = matches!(self.world.todo(), Todo::Wait(_));
        while self.world.real < end {
            match self.step() {
                Todo::Finished(Ok(())) if is_new => break,
                Todo::Finished(_) => is_new = true,
                _ => {}
            }
        }
        self.rests = true;
    }
}

impl<const ROTATES: bool> StateMachineTest for Machine<ROTATES> {
    type SystemUnderTest = Self;
    type Reference = Model<ROTATES>;

    fn init_test(model: &Model<ROTATES>) -> Self {
        let mut world = World::new(model.setup.clone());
        world.cloud.minutes = 20;
        Self {
            ledger: Ledger::new(&world),
            world,
            rests: false,
        }
    }

    fn apply(mut machine: Self, _: &Model<ROTATES>, event: Event) -> Self {
        machine.rests = false;
        match event {
            Event::Steps(steps) => {
                for _ in 0..steps {
                    let _ = machine.step();
                }
            }
            Event::Pass(seconds) => {
                let end = machine.world.real + Duration::from_secs(seconds.into());
                while machine.world.real < end {
                    let _ = machine.step();
                }
            }
            Event::Request(fault) => machine.request(&fault, |_| true),
            Event::Refresh(fault) => machine.request(&fault, |route| route == Route::Token),
            Event::Weather(fault) => {
                machine.world.cloud.always.clear();
                for route in ROUTES {
                    machine
                        .world
                        .cloud
                        .always
                        .extend(fault.clone().map(|fault| (route, fault)));
                }
            }
            Event::Write(write) => {
                if let Some(Todo::Store(..)) =
                    machine.run_until(|todo| matches!(todo, Todo::Store(..)))
                {
                    machine.world.store.writes.push_front(write);
                    let _ = machine.step();
                }
            }
            Event::StoreDown(down) => {
                let writes = if down {
                    vec![Write::Failed; 1_000]
                } else {
                    Vec::new()
                };
                machine.world.store.writes = writes.into();
            }
            Event::Unreadable(trouble) => machine.world.store.troubles.push_back(trouble),
            Event::Crash { after_action, away } => {
                if after_action {
                    let todo = machine.world.todo();
                    machine.carry_out(&todo, false);
                }
                machine.die(away);
            }
            Event::Amid(mid) => machine.world.mid = Some(mid),
            Event::SetClock(by) => {
                machine.world.set_clock(by.into());
                machine.ledger.clock_was_set();
            }
            Event::Sleep(seconds) => machine.sleep(seconds),
            Event::Moves(zone) => {
                machine.world.cloud.offset = offset(zone);
                machine.ledger.moved();
            }
            Event::Revoke => {
                if let Some(access) = machine.world.store.access() {
                    machine.world.cloud.grants.revoke_access(&access);
                }
            }
            Event::Ask => {
                let amid =
                    !matches!(machine.world.todo(), Todo::Wait(_)) || machine.world.store.locked;
                machine.ledger.asked(amid);
                machine.world.cycle.start_now();
            }
            Event::Rest => machine.rest(),
        }
        machine
    }

    fn check_invariants(machine: &Self, model: &Model<ROTATES>) {
        let world = &machine.world;
        assert_eq!(world.cloud.offset, offset(model.zone));
        assert_eq!(world.cloud.always.is_empty(), model.weather.is_none());
        assert!(
            model.may_be_refused || !machine.ledger.is_over(),
            "(v) the chain is lost, and the model knows no reason: {:?}",
            world.story
        );
        assert!(
            model.may_be_gone || machine.ledger.last != Some(Err(Failure::Gone)),
            "(iv) it has ended, and nobody said 410"
        );
        assert_eq!(machine.rests, model.is_well);
        if model.is_well {
            let ledger = &machine.ledger;
            ledger.has_come_to_rest(world, model.may_be_refused, model.may_be_gone);
        }
    }

    fn teardown(mut machine: Self, model: Model<ROTATES>) {
        machine.rest();
        let model = <Model<ROTATES> as ReferenceStateMachine>::apply(model, &Event::Rest);
        Self::check_invariants(&machine, &model);
    }
}

fn offset(half_hours: i8) -> Offset {
    Offset::from_seconds(i32::from(half_hours) * 1_800).unwrap()
}

/// Returns a configuration with the same cases each time, for a few seconds; if `PROPTEST_CASES` is set,
/// with that many different ones.
fn config() -> Config {
    let max_shrink_iters = 4_000;
    match std::env::var_os("PROPTEST_CASES") {
        Some(_) => Config {
            max_shrink_iters,
            ..Config::default()
        },
        None => Config {
            max_shrink_iters,
            rng_seed: RngSeed::Fixed(15),
            ..Config::with_cases(40)
        },
    }
}

prop_state_machine! {
    #![proptest_config(config())]

    #[test]
    fn any_events_leave_a_chain_that_rotates_within_its_rules(sequential 1..40 => Machine<true>);

    #[test]
    fn any_events_leave_a_chain_that_does_not_rotate_within_its_rules(sequential 1..40 => Machine<false>);
}
