//! Snoozes and acknowledgements.

use jiff::SignedDuration;
use pulsewing_core::alarm::{
    Event::{Acknowledged, Cleared, Raised, Repeated},
    Kind::{High, Low, Stale},
    Level::{Urgent, Warning},
    Limits, Mute,
};

use crate::wearer::{Wearer, limits};

/// Measures and fetches minute by minute.
fn live(anna: &mut Wearer, minutes: i64, bpm: u16) {
    for _ in 0..minutes {
        anna.lump(1, bpm);
    }
}

#[test]
fn a_snooze_ends_at_its_moment() {
    let mut anna = Wearer::new(limits());
    live(&mut anna, 10, 130);
    assert_eq!(anna.told.len(), 1);
    let until = anna.at() + SignedDuration::from_mins(60);
    let now = anna.at();
    assert_eq!(anna.alarms.snooze(High, None, until, now), until);
    live(&mut anna, 59, 130);
    assert_eq!(anna.told.len(), 1);
    assert_eq!(anna.lump(1, 130), [(High, Warning, Repeated)]);
}

#[test]
fn a_snooze_of_one_kind_mutes_no_other() {
    let mut anna = Wearer::new(limits());
    let until = anna.at() + SignedDuration::from_hours(10);
    let now = anna.at();
    anna.alarms.snooze(High, None, until, now);
    live(&mut anna, 10, 44);
    assert_eq!(anna.told.last().unwrap().1.kind, Low);
    // Silence, too.
    let told = anna.wait(121);
    assert!(told.contains(&(Stale, Warning, Raised)), "{told:?}");
    anna.told.clear();
    live(&mut anna, 20, 130);
    assert!(anna.told.iter().all(|(_, it)| it.kind != High));
}

#[test]
fn a_higher_level_breaks_a_snooze() {
    let mut anna = Wearer::new(limits());
    live(&mut anna, 10, 130);
    let until = anna.at() + SignedDuration::from_hours(10);
    let now = anna.at();
    anna.alarms.snooze(High, None, until, now);
    anna.told.clear();
    live(&mut anna, 8, 160);
    assert_eq!(anna.told.len(), 1);
    assert_eq!(anna.told[0].1.level, Urgent);
    assert_eq!(anna.alarms.mute(High), None);
}

#[test]
fn a_snooze_that_says_urgent_mutes_urgent() {
    let mut anna = Wearer::new(limits());
    let until = anna.at() + SignedDuration::from_hours(2);
    let now = anna.at();
    anna.alarms.snooze(High, Some(Urgent), until, now);
    live(&mut anna, 20, 160);
    assert_eq!(anna.told, []);
    live(&mut anna, 100, 160);
    assert_eq!(anna.told.len(), 1);
}

#[test]
fn no_snooze_is_longer_than_twelve_hours_and_none_of_silence_than_two() {
    let mut anna = Wearer::new(Limits::default());
    let now = anna.at();
    let until = now + SignedDuration::from_hours(100);
    let hours = |hours| now + SignedDuration::from_hours(hours);
    assert_eq!(anna.alarms.snooze(High, None, until, now), hours(12));
    assert_eq!(anna.alarms.snooze(Stale, None, until, now), hours(2));
    // One that is over already mutes nothing.
    let before = now - SignedDuration::from_hours(1);
    assert_eq!(anna.alarms.snooze(Low, None, before, now), now);
    anna.tick();
    assert_eq!(anna.alarms.mute(Low), None);
}

#[test]
fn an_acknowledged_alarm_is_told_again_when_it_rises_or_begins_anew() {
    let mut anna = Wearer::new(limits());
    assert_eq!(anna.alarms.acknowledge(High), None);
    live(&mut anna, 10, 130);
    let signal = anna.alarms.acknowledge(High).unwrap();
    assert_eq!((signal.event, signal.level), (Acknowledged, Warning));
    assert_eq!(anna.alarms.acknowledge(High), None);
    anna.told.clear();
    live(&mut anna, 120, 130);
    assert_eq!(anna.told, []);
    live(&mut anna, 8, 160);
    assert_eq!(anna.told.len(), 1);
    let up_to = Urgent;
    anna.alarms.acknowledge(High).unwrap();
    assert_eq!(anna.alarms.mute(High), Some(Mute::Acknowledged { up_to }));
    live(&mut anna, 5, 80);
    assert_eq!(anna.told.last().unwrap().1.event, Cleared);
    assert_eq!(anna.alarms.mute(High), None);
    live(&mut anna, 60, 80);
    live(&mut anna, 10, 130);
    assert_eq!(anna.told.last().unwrap().1.event, Raised);
}

#[test]
fn a_snooze_moves_with_a_clock_that_is_set_back() {
    let mut anna = Wearer::new(limits());
    live(&mut anna, 10, 130);
    let now = anna.at();
    let until = now + SignedDuration::from_mins(60);
    anna.alarms.snooze(High, None, until, now);
    anna.now.utc -= SignedDuration::from_hours(5);
    anna.tick();
    let Some(Mute::Snoozed { until, .. }) = anna.alarms.mute(High) else {
        panic!("the snooze is gone");
    };
    assert_eq!(until, anna.at() + SignedDuration::from_mins(60));
}
