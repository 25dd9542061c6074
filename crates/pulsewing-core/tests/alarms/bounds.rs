//! What holds over any day, however its heart rates, updates and restarts fall.

use jiff::SignedDuration;
use proptest::prelude::*;
use pulsewing_core::alarm::{Cause, Event, Kind, Level, Limits, Mute};

use crate::wearer::{Wearer, limits};

/// What happens in a part of a day.
#[derive(Clone, Debug)]
enum Part {
    /// A rate is measured; nothing is fetched.
    Measures(i64, u16),
    /// Nothing is measured.
    Nothing(i64),
    /// What was measured is fetched.
    Fetch,
    Restart,
    /// The clock is set by minutes.
    Jump(i64),
    Snooze(Kind, i64),
    Acknowledge(Kind),
}

fn part() -> impl Strategy<Value = Part> {
    let kind = || prop::sample::select(&Kind::ALL[..]);
    prop_oneof![
        6 => (1..40_i64, 30..190_u16).prop_map(|(minutes, bpm)| Part::Measures(minutes, bpm)),
        2 => (1..200_i64).prop_map(Part::Nothing),
        8 => Just(Part::Fetch),
        1 => Just(Part::Restart),
        1 => (-300..300_i64).prop_map(Part::Jump),
        1 => (kind(), 1..200_i64).prop_map(|(kind, minutes)| Part::Snooze(kind, minutes)),
        1 => kind().prop_map(Part::Acknowledge),
    ]
}

impl Part {
    fn happens_to(&self, anna: &mut Wearer) {
        match *self {
            Self::Measures(minutes, bpm) => drop(anna.measure(minutes, bpm)),
            Self::Nothing(minutes) => drop(anna.wait(minutes)),
            Self::Fetch => drop(anna.fetch()),
            Self::Restart => anna.restart(),
            Self::Jump(minutes) => {
                anna.now.utc += SignedDuration::from_mins(minutes);
                anna.tick();
            }
            Self::Snooze(kind, minutes) => {
                let now = anna.at();
                let until = now + SignedDuration::from_mins(minutes);
                anna.alarms.snooze(kind, None, until, now);
            }
            Self::Acknowledge(kind) => drop(anna.alarms.acknowledge(kind)),
        }
    }

    const fn is_jump(&self) -> bool {
        matches!(self, Self::Jump(_))
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_rate_is_told_only_while_its_minute_is_fresh(parts in prop::collection::vec(part(), 1..120)) {
        let mut anna = Wearer::new(limits());
        for part in &parts {
            part.happens_to(&mut anna);
        }
        let fresh = Limits::default().fresh;
        for (now, signal) in &anna.told {
            let (Cause::Rate { bpm, at, limit }, Event::Raised | Event::Repeated) =
                (signal.cause, signal.event)
            else {
                continue;
            };
            prop_assert!(now.duration_since(at) < fresh, "{signal:?} at {now}");
            match signal.kind {
                Kind::Low => prop_assert!(bpm < limit, "{signal:?}"),
                _ => prop_assert!(bpm > limit, "{signal:?}"),
            }
        }
    }

    #[test]
    fn nobody_is_flooded(parts in prop::collection::vec(part(), 1..200)) {
        let mut anna = Wearer::new(limits());
        for part in &parts {
            part.happens_to(&mut anna);
        }
        // In any hour: two levels and a few repeats of each kind, each with its end, and no more.
        for kind in Kind::ALL {
            let times: Vec<_> = anna
                .told
                .iter()
                .filter(|(_, it)| it.kind == kind && it.event != Event::Cleared)
                .map(|(at, _)| *at)
                .collect();
            for (index, start) in times.iter().enumerate() {
                let within = times[index..]
                    .iter()
                    .take_while(|at| **at >= *start && at.duration_since(*start) < SignedDuration::from_hours(1))
                    .count();
                prop_assert!(within <= 12, "{kind}: {within} signals in an hour: {:?}", anna.told);
            }
        }
    }

    #[test]
    fn silence_is_never_kept_secret(
        parts in prop::collection::vec(part().prop_filter("no jump", |part| !part.is_jump()), 0..60),
    ) {
        let mut anna = Wearer::new(limits());
        for part in &parts {
            part.happens_to(&mut anna);
        }
        anna.fetch();
        // Nothing more is measured. A snooze of silence is two hours at most, and whoever acknowledged it
        // has heard of it.
        anna.wait(9 * 60);
        prop_assert_eq!(anna.level(Kind::Stale), Some(Level::Urgent));
        let is_known = matches!(anna.alarms.mute(Kind::Stale), Some(Mute::Acknowledged { up_to: Level::Urgent }));
        // The last that people heard of it is that it is urgent.
        let mut told = anna.told.iter().rev();
        let last = told.find(|(_, it)| it.kind == Kind::Stale).map(|(_, it)| it);
        let is_told = last.is_some_and(|it| it.level == Level::Urgent && it.event != Event::Cleared);
        prop_assert!(is_told || is_known, "{:?}", anna.told);
    }

    #[test]
    fn a_clock_that_jumps_raises_no_rate(parts in prop::collection::vec((1..60_i64, -600..600_i64), 1..40)) {
        let mut anna = Wearer::new(limits());
        for (minutes, jump) in parts {
            anna.lump(minutes, 80);
            anna.now.utc += SignedDuration::from_mins(jump);
            anna.tick();
        }
        prop_assert!(anna.told.iter().all(|(_, it)| !it.kind.is_of_rate()), "{:?}", anna.told);
    }
}
