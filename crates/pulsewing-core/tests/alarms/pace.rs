//! How often people hear of an alarm, and what the quiet hours hold back.

use jiff::SignedDuration;
use pulsewing_core::{
    alarm::{
        Event::{Cleared, Past, Raised, Repeated},
        Kind::High,
        Level::{Info, Urgent, Warning},
        Limits,
    },
    look::Night,
};

use crate::wearer::{Wearer, limits};

/// Limits with quiet hours.
fn quiet(from: u16, until: u16) -> Limits {
    Limits {
        quiet: Night::new(from * 60, until * 60),
        ..limits()
    }
}

#[test]
fn an_alarm_is_repeated_after_ten_twenty_forty_and_sixty_minutes_and_six_times() {
    let mut anna = Wearer::new(limits());
    for _ in 0..10 * 60 {
        anna.lump(1, 130);
    }
    let times: Vec<i64> = anna
        .told
        .windows(2)
        .map(|pair| (pair[1].0 - pair[0].0).get_seconds() / 60)
        .collect();
    assert_eq!(times, [10, 20, 40, 60, 60, 60]);
    assert!(anna.told[1..].iter().all(|(_, it)| it.event == Repeated));
    // It goes on being shown, and its end is told.
    assert_eq!(anna.level(High), Some(Warning));
    let told: Vec<_> = (0..5).flat_map(|_| anna.lump(1, 80)).collect();
    assert_eq!(told, [(High, Warning, Cleared)]);
}

#[test]
fn an_alarm_that_comes_and_goes_keeps_the_pace() {
    let mut anna = Wearer::new(limits());
    for _ in 0..24 {
        anna.lump(10, 130);
        anna.lump(5, 80);
    }
    // Six hours, and 24 alarms: three are told with their ends, the others summed up once an hour.
    let count = |event| anna.told.iter().filter(|(_, it)| it.event == event).count();
    assert_eq!((count(Raised), count(Cleared), count(Past)), (3, 3, 5));
    // An hour after the last signal, it counts as the first again.
    anna.lump(120, 80);
    assert_eq!(anna.lump(10, 130).last(), Some(&(High, Warning, Raised)));
}

#[test]
fn the_quiet_hours_hold_back_a_warning_until_their_end() {
    let mut anna = Wearer::new(quiet(12, 15));
    anna.lump(10, 130);
    assert_eq!(anna.level(High), Some(Warning));
    assert_eq!(anna.told, []);
    // Still there at three o'clock: it is told then.
    for _ in 0..169 {
        anna.lump(1, 130);
    }
    assert_eq!(anna.told, []);
    assert_eq!(anna.lump(1, 130), [(High, Warning, Raised)]);
}

#[test]
fn what_was_over_by_the_end_of_the_quiet_hours_is_told_once_as_past() {
    let mut anna = Wearer::new(quiet(12, 15));
    for _ in 0..4 {
        anna.lump(15, 130);
        anna.lump(15, 80);
    }
    assert_eq!(anna.wait(59), []);
    assert_eq!(anna.wait(1), [(High, Warning, Past)]);
    let (_, past) = anna.told[0];
    let began = anna.at() - SignedDuration::from_hours(3);
    assert_eq!(past.since, began);
    assert_eq!(past.until, Some(began + SignedDuration::from_mins(104)));
    assert_eq!(anna.wait(10), []);
}

#[test]
fn the_end_of_an_alarm_that_was_told_waits_for_the_end_of_the_quiet_hours() {
    let mut anna = Wearer::new(quiet(13, 14));
    anna.measure(40, 80);
    assert_eq!(anna.lump(15, 130), [(High, Warning, Raised)]);
    anna.wait(10);
    assert_eq!(anna.lump(10, 80), []);
    assert_eq!(anna.wait(44), []);
    assert_eq!(anna.wait(1), [(High, Warning, Cleared)]);
}

#[test]
fn what_is_urgent_is_told_at_any_hour() {
    let mut anna = Wearer::new(quiet(12, 15));
    anna.lump(10, 130);
    assert_eq!(anna.lump(10, 160), [(High, Urgent, Raised)]);
    anna.wait(5);
    assert_eq!(anna.lump(5, 160), [(High, Urgent, Repeated)]);
}

#[test]
fn the_quiet_hours_may_go_over_midnight() {
    let mut anna = Wearer::new(Limits {
        stale: None,
        ..quiet(22, 7)
    });
    anna.lump(10, 130);
    assert_eq!(anna.told.len(), 1);
    anna.lump(600, 80);
    // 22:10.
    anna.told.clear();
    anna.lump(10, 130);
    anna.lump(10, 80);
    assert_eq!(anna.wait(509), []);
    assert_eq!(anna.wait(1), [(High, Warning, Past)]);
}

#[test]
fn an_alarm_between_two_updates_is_told_as_past() {
    let mut anna = Wearer::new(limits());
    anna.lump(15, 80);
    anna.measure(12, 130);
    assert_eq!(anna.lump(10, 80), [(High, Info, Past)]);
}
