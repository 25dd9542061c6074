//! High and low rates.

use jiff::{SignedDuration, Timestamp};
use pulsewing_core::{
    Bpm,
    alarm::{
        Cause,
        Event::{Cleared, Past, Raised, Repeated},
        Kind::{High, Low, Stale},
        Level::{Info, Urgent, Warning},
        Limits,
    },
};

use crate::wearer::{NOON, Wearer, limits};

#[test]
fn a_rate_that_stays_high_is_told_once_and_its_end_once() {
    let mut anna = Wearer::new(limits());
    assert_eq!(anna.lump(30, 80), []);
    assert_eq!(anna.lump(15, 132), [(High, Warning, Raised)]);
    let (_, signal) = anna.told[0];
    let at = |minute: i64| Timestamp::from_second(NOON + minute * 60).unwrap();
    let limit = Bpm::new(120).unwrap();
    let bpm = Bpm::new(132).unwrap();
    let newest = at(44);
    assert_eq!(
        signal.cause,
        Cause::Rate {
            bpm,
            at: newest,
            limit
        }
    );
    assert_eq!((signal.since, signal.until), (at(30), None));
    // Four minutes inside the limit are not enough, and a rate at the limit is not inside.
    assert_eq!(anna.lump(4, 80), []);
    assert_eq!(anna.lump(10, 116), []);
    assert_eq!(anna.lump(5, 115), [(High, Warning, Cleared)]);
    assert_eq!(anna.told.last().unwrap().1.until, Some(at(58)));
    assert_eq!(anna.lump(60, 80), []);
}

#[test]
fn eight_of_ten_minutes_and_the_newest_are_beyond() {
    for (rates, is_high) in [
        ([130, 130, 80, 130, 130, 80, 130, 130, 130, 130], true),
        ([130, 130, 80, 130, 130, 80, 130, 80, 130, 130], false),
        ([130, 130, 130, 130, 130, 130, 130, 80, 80, 80], false),
        ([130, 130, 130, 130, 130, 130, 130, 80, 80, 130], true),
        // A rate that equals the limit is not beyond it.
        ([120; 10], false),
        ([121; 10], true),
    ] {
        let mut anna = Wearer::new(limits());
        for bpm in rates {
            anna.measure(1, bpm);
        }
        anna.fetch();
        assert_eq!(anna.level(High).is_some(), is_high, "{rates:?}");
    }
}

#[test]
fn low_rates_have_limits_and_a_margin_of_their_own() {
    let mut anna = Wearer::new(limits());
    assert_eq!(anna.lump(10, 45), []);
    assert_eq!(anna.lump(10, 44), [(Low, Warning, Raised)]);
    assert_eq!(anna.lump(9, 47), []);
    assert_eq!(anna.lump(5, 48), [(Low, Warning, Cleared)]);
}

#[test]
fn a_higher_level_is_told_at_once_and_a_fall_is_not() {
    let mut anna = Wearer::new(limits());
    assert_eq!(anna.lump(10, 130), [(High, Warning, Raised)]);
    assert_eq!(anna.lump(8, 160), [(High, Urgent, Raised)]);
    assert_eq!(anna.lump(5, 140), []);
    assert_eq!(anna.level(High), Some(Warning));
    // Urgent again: it was told a quarter of an hour ago.
    assert_eq!(anna.lump(8, 160), [(High, Urgent, Raised)]);
}

#[test]
fn gaps_are_no_minutes_and_old_ones_are_not_judged() {
    let mut anna = Wearer::new(limits());
    anna.measure(7, 130);
    // An hour later the seven are too old to count.
    anna.wait(55);
    assert_eq!(anna.lump(5, 130), []);
    assert_eq!(anna.lump(3, 130), [(High, Warning, Raised)]);
}

#[test]
fn a_lump_that_is_old_when_it_comes_says_nothing() {
    let mut anna = Wearer::new(limits());
    anna.lump(5, 80);
    anna.measure(20, 160);
    anna.wait(65);
    assert_eq!(anna.fetch(), []);
    assert_eq!(anna.level(High), None);
}

#[test]
fn what_began_and_ended_between_two_updates_is_news_of_the_past() {
    let mut anna = Wearer::new(limits());
    anna.measure(10, 80);
    anna.measure(12, 140);
    anna.measure(6, 80);
    assert_eq!(anna.fetch(), [(High, Info, Past)]);
    let (_, signal) = anna.told[0];
    let at = |minute: i64| Timestamp::from_second(NOON + minute * 60).unwrap();
    assert_eq!((signal.since, signal.until), (at(10), Some(at(21))));
    let Cause::Rate { bpm, .. } = signal.cause else {
        panic!("{signal:?}");
    };
    assert_eq!(bpm.get(), 140);
    let unseen = anna.alarms.unseen(High).unwrap();
    assert_eq!((unseen.extreme.get(), unseen.until), (140, at(21)));
    anna.alarms.look();
    assert_eq!(anna.alarms.unseen(High), None);
    assert_eq!(anna.fetch(), []);
}

#[test]
fn an_alarm_that_nothing_new_is_measured_for_lapses_without_all_clear() {
    let mut anna = Wearer::new(limits());
    assert_eq!(anna.lump(15, 132), [(High, Warning, Raised)]);
    let told = anna.wait(200);
    // It is repeated while the number is fresh, then silence is what people hear of.
    assert_eq!(
        told,
        [
            (High, Warning, Repeated),
            (High, Warning, Repeated),
            (Stale, Warning, Raised),
            (Stale, Warning, Repeated),
            (Stale, Warning, Repeated),
            (Stale, Warning, Repeated),
        ]
    );
    assert_eq!(anna.level(High), None);
    assert_eq!(anna.alarms.unseen(High).unwrap().extreme.get(), 132);
}

#[test]
fn without_limits_a_rate_is_never_told() {
    let mut anna = Wearer::new(Limits::default());
    assert_eq!(anna.lump(30, 220), []);
    assert_eq!(anna.lump(30, 28), []);
}

#[test]
fn an_alarm_whose_limit_is_taken_away_ends_in_silence() {
    let mut anna = Wearer::new(limits());
    anna.lump(10, 130);
    anna.alarms.set_limits(Limits::default());
    assert_eq!(anna.tick(), []);
    assert_eq!(anna.level(High), None);
}

#[test]
fn the_same_minutes_again_are_not_judged_again() {
    let mut anna = Wearer::new(limits());
    anna.measure(12, 140);
    anna.measure(6, 80);
    assert_eq!(anna.fetch(), [(High, Info, Past)]);
    // A day's history comes again, as after an import or a repair, and with other numbers.
    for bpm in anna.minutes.values_mut() {
        *bpm = Bpm::new(200).unwrap();
    }
    anna.wait(2);
    assert_eq!(anna.fetch(), []);
    anna.restart();
    assert_eq!(anna.fetch(), []);
}

#[test]
fn a_clock_that_is_set_back_neither_repeats_nor_silences() {
    let mut anna = Wearer::new(limits());
    anna.lump(20, 80);
    let minutes: Vec<_> = anna.minutes.keys().copied().collect();
    anna.now.utc -= SignedDuration::from_hours(3);
    anna.tick();
    // The numbers from before the jump lie in the future now; new ones count.
    for at in minutes {
        anna.minutes.insert(at, Bpm::new(200).unwrap());
    }
    assert_eq!(anna.fetch(), []);
    assert_eq!(anna.lump(9, 130), [(High, Warning, Raised)]);
}
