//! Alarms of absence, and of Pulsewing itself: by our clock.

use jiff::SignedDuration;
use pulsewing_core::alarm::{
    Cause,
    Event::{self, Cleared, Raised},
    Kind::{self, Own, SignIn as SignInKind, Stale},
    Level::{self, Urgent, Warning},
    Limits, SignIn, Trouble, Updates,
};

use crate::wearer::Wearer;

/// Returns the signals of one event.
fn only(told: Vec<(Kind, Level, Event)>, event: Event) -> Vec<(Kind, Level)> {
    told.into_iter()
        .filter(|(_, _, what)| *what == event)
        .map(|(kind, level, _)| (kind, level))
        .collect()
}

#[test]
fn silence_is_told_without_network_sign_in_or_history() {
    let mut anna = Wearer::new(Limits::default());
    anna.sign_in = SignIn::New;
    anna.tick();
    assert_eq!(anna.wait(120), []);
    assert_eq!(anna.wait(1), [(Stale, Warning, Raised)]);
    assert_eq!(only(anna.wait(240), Raised), [(Stale, Urgent)]);
    assert_eq!(anna.lump(1, 70), [(Stale, Urgent, Cleared)]);
}

#[test]
fn silence_counts_on_over_restarts() {
    let mut anna = Wearer::new(Limits::default());
    anna.lump(1, 70);
    for _ in 0..5 {
        anna.restart();
        anna.wait(20);
    }
    assert_eq!(anna.told, []);
    anna.restart();
    assert_eq!(only(anna.wait(30), Raised), [(Stale, Warning)]);
    anna.restart();
    assert_eq!(anna.wait(5), []);
}

#[test]
fn old_minutes_that_come_late_do_not_end_silence() {
    let mut anna = Wearer::new(Limits::default());
    anna.lump(1, 70);
    anna.measure(10, 70);
    anna.wait(180);
    anna.fetch();
    assert_eq!(anna.level(Stale), Some(Warning));
    assert_eq!(only(anna.lump(1, 70), Cleared), [(Stale, Warning)]);
}

#[test]
fn after_a_jump_of_the_clock_an_update_comes_first() {
    let mut anna = Wearer::new(Limits::default());
    anna.lump(20, 70);
    // Eight hours of sleep.
    anna.now.utc += SignedDuration::from_hours(8);
    assert_eq!(anna.tick(), []);
    assert_eq!(anna.wait(5), []);
    assert_eq!(anna.lump(1, 70), []);
    // Again, and now nothing comes.
    anna.now.utc += SignedDuration::from_hours(8);
    assert_eq!(anna.wait(14), []);
    assert_eq!(anna.wait(2), [(Stale, Urgent, Raised)]);
}

#[test]
fn a_clock_that_is_set_back_is_told() {
    let mut anna = Wearer::new(Limits::default());
    anna.lump(20, 70);
    anna.now.utc -= SignedDuration::from_mins(30);
    assert_eq!(anna.tick(), [(Own, Warning, Raised)]);
    assert_eq!(anna.told[0].1.cause, Cause::Own(Trouble::ClockSetBack));
}

#[test]
fn a_sign_in_that_ends_is_told_two_days_before_and_its_end_is_no_second_alarm() {
    let mut anna = Wearer::new(Limits::default());
    let ends = anna.at() + SignedDuration::from_hours(49);
    anna.sign_in = SignIn::Works { ends: Some(ends) };
    anna.lump(59, 70);
    assert_eq!(only(anna.lump(3, 70), Raised), [(SignInKind, Warning)]);
    let renewed = anna.at() + SignedDuration::from_hours(168);
    anna.sign_in = SignIn::Works {
        ends: Some(renewed),
    };
    assert_eq!(anna.tick(), [(SignInKind, Warning, Cleared)]);
    anna.sign_in = SignIn::Ended;
    let told = anna.wait(20);
    assert_eq!(only(told, Raised), [(SignInKind, Warning)]);
    assert_eq!(anna.told.last().unwrap().1.cause, Cause::SignInEnded);
}

#[test]
fn updates_that_fail_are_told_after_two_hours_unless_the_sign_in_is_the_reason() {
    let limits = Limits {
        stale: None,
        ..Limits::default()
    };
    let mut anna = Wearer::new(limits);
    anna.lump(1, 70);
    anna.updates = Updates::Fail { since: anna.at() };
    assert_eq!(anna.wait(120), []);
    assert_eq!(anna.wait(1), [(Own, Warning, Raised)]);
    anna.sign_in = SignIn::Ended;
    let told = anna.tick();
    assert!(told.contains(&(Own, Warning, Cleared)), "{told:?}");
    assert!(told.contains(&(SignInKind, Warning, Raised)), "{told:?}");
}

#[test]
fn a_restart_says_nothing_of_what_is_not_known_yet() {
    let mut anna = Wearer::new(Limits::default());
    anna.lump(1, 70);
    anna.sign_in = SignIn::Ended;
    anna.updates = Updates::Fail { since: anna.at() };
    assert_eq!(anna.tick(), [(SignInKind, Warning, Raised)]);
    anna.restart();
    anna.sign_in = SignIn::Unknown;
    anna.updates = Updates::Unknown;
    assert_eq!(anna.wait(5), []);
    assert_eq!(anna.level(SignInKind), Some(Warning));
    anna.sign_in = SignIn::Works { ends: None };
    anna.updates = Updates::Succeed;
    assert_eq!(anna.tick(), [(SignInKind, Warning, Cleared)]);
}
