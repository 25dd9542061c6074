//! A year of one wearer, with a cloud, a phone, a tracker and a machine that fail at times. Every signal is
//! counted, and has its reason.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use pulsewing_core::{
    alarm::{Event, Kind, Limits, Signal, Updates},
    look::Night,
};

use crate::wearer::{Wearer, limits};

/// A small generator of numbers, so that the year is the same in each run (Steele and others, "Fast
/// splittable pseudorandom number generators", 2014).
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn one_in(&mut self, times: u64) -> bool {
        self.roll().is_multiple_of(times)
    }

    fn between(&mut self, low: i64, high: i64) -> i64 {
        low + i64::try_from(self.roll() % u64::try_from(high - low).unwrap()).unwrap()
    }
}

/// What goes wrong in a day, in minutes since midnight.
#[derive(Clone, Copy, Debug, Default)]
struct Day {
    /// The heart rate is this from then on for so long.
    episode: Option<(i64, i64, u16)>,
    /// Nothing is synced for so long: the phone is away.
    away: Option<(i64, i64)>,
    /// The cloud or the network is down for so long.
    down: Option<(i64, i64)>,
    /// The program starts again.
    restart: Option<i64>,
}

fn within(span: Option<(i64, i64)>, minute: i64) -> bool {
    span.is_some_and(|(from, length)| (from..from + length).contains(&minute))
}

#[test]
fn every_signal_of_a_year_has_its_reason() {
    let quiet = Night::new(22 * 60, 7 * 60);
    let mut anna = Wearer::new(Limits { quiet, ..limits() });
    anna.now.utc = "2026-01-01T00:00:00Z".parse().unwrap();
    let mut dice = Dice(2026);
    let mut days = Vec::new();
    let mut synced = anna.now.utc;
    for _ in 0..365 {
        let mut day = Day::default();
        if dice.one_in(10) {
            let bpm = if dice.one_in(3) { 160 } else { 132 };
            let bpm = if dice.one_in(4) { 38 } else { bpm };
            day.episode = Some((dice.between(60, 1_200), dice.between(20, 120), bpm));
        }
        if dice.one_in(12) {
            day.away = Some((dice.between(0, 1_000), dice.between(60, 430)));
        }
        if dice.one_in(15) {
            day.down = Some((dice.between(0, 1_000), dice.between(30, 430)));
        }
        day.restart = dice.one_in(3).then(|| dice.between(0, 1_440));
        for minute in 0..1_440 {
            let usual = 60 + u16::try_from(dice.between(0, 30)).unwrap();
            let bpm = match day.episode {
                Some((from, length, bpm)) if (from..from + length).contains(&minute) => bpm,
                _ => usual,
            };
            anna.measure(1, bpm);
            if day.restart == Some(minute) {
                anna.restart();
            }
            if !within(day.away, minute) && minute % 10 == 0 {
                synced = anna.at();
            }
            if minute % 15 == 7 {
                if within(day.down, minute) {
                    let since = match anna.updates {
                        Updates::Fail { since } => since,
                        _ => anna.at(),
                    };
                    anna.updates = Updates::Fail { since };
                } else {
                    anna.updates = Updates::Succeed;
                    anna.fetch_until(synced);
                }
            }
        }
        // A cloud forgets nothing, but the test may.
        let old = anna.at() - SignedDuration::from_hours(48);
        anna.minutes.retain(|at, _| *at > old);
        days.push(day);
    }

    for (at, signal) in &anna.told {
        explain(&days, *at, signal);
    }
    let mut counts = BTreeMap::new();
    for (_, signal) in &anna.told {
        let name = format!("{} {}", signal.kind, signal.event.name());
        *counts.entry(name).or_insert(0) += 1;
    }
    let told: Vec<String> = counts
        .iter()
        .map(|(name, count)| format!("{count} {name}"))
        .collect();
    assert_eq!(told, TOLD, "{} signals", anna.told.len());
    // Whatever was raised was cleared, or goes on.
    for kind in Kind::ALL {
        let mut is_on = false;
        for (_, signal) in anna.told.iter().filter(|(_, it)| it.kind == kind) {
            match signal.event {
                Event::Repeated => assert!(is_on, "{signal:?}"),
                Event::Cleared => assert!(core::mem::take(&mut is_on), "{signal:?}"),
                Event::Raised => is_on = true,
                Event::Past | Event::Acknowledged => {}
            }
        }
    }
}

/// The signals of the year, in which nobody reacted to any: 469, of which 277 are repeats. An alarm that began and
/// ended in the quiet hours, or between two updates, is told as past.
const TOLD: [&str; 15] = [
    "24 high cleared",
    "4 high past",
    "24 high raised",
    "53 high repeated",
    "7 low cleared",
    "7 low raised",
    "17 low repeated",
    "14 self cleared",
    "3 self past",
    "14 self raised",
    "57 self repeated",
    "39 stale cleared",
    "8 stale past",
    "48 stale raised",
    "150 stale repeated",
];

/// Asserts that a signal has its reason in the day on which the condition began, or the one before.
fn explain(days: &[Day], at: Timestamp, signal: &Signal) {
    let start: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let minute = signal.since.duration_since(start).as_mins();
    // A span of a day is known by its first minute.
    let has = |of: &dyn Fn(&Day) -> Option<(i64, i64)>| {
        let today = usize::try_from(minute / 1_440).unwrap();
        (today.saturating_sub(1)..=today).any(|index| {
            let day = days.get(index).and_then(of);
            let midnight = i64::try_from(index).unwrap() * 1_440;
            // The beginning of what follows from it is at most half an hour off.
            day.is_some_and(|(from, length)| {
                (midnight + from - 30..midnight + from + length + 30).contains(&minute)
            })
        })
    };
    let episode = |day: &Day, is_meant: fn(u16) -> bool| {
        let (from, length, bpm) = day.episode?;
        is_meant(bpm).then_some((from, length))
    };
    let age = at.duration_since(signal.since);
    let is_explained = match signal.kind {
        Kind::High => has(&|day| episode(day, |bpm| bpm > 120)),
        Kind::Low => has(&|day| episode(day, |bpm| bpm < 45)),
        Kind::Stale => {
            age >= SignedDuration::from_hours(2) && (has(&|day| day.away) || has(&|day| day.down))
        }
        Kind::Own => age >= SignedDuration::from_hours(2) && has(&|day| day.down),
        Kind::Battery | Kind::Sync | Kind::SignIn => false,
    };
    assert!(is_explained, "at {at}: {signal:?}");
}
