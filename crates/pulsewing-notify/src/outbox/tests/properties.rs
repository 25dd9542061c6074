//! What holds whatever happens and whatever the servers do.

use std::collections::{BTreeSet, HashMap};

use proptest::prelude::*;

use super::*;

/// A step: seconds that pass, and what is told then.
type Step = (u64, Vec<(usize, usize, usize, usize)>);

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let told = (0..2_usize, 0..3_usize, 0..3_usize, 0..5_usize);
    let step = (0_u64..900, prop::collection::vec(told, 1..4));
    prop::collection::vec(step, 1..80)
}

fn fates() -> impl Strategy<Value = Vec<Fate>> {
    let fate = prop_oneof![
        6 => Just(Fate::Takes),
        1 => Just(Fate::Refuses),
        1 => Just(Fate::Stalls),
        1 => Just(Fate::Status(500, None)),
        1 => Just(Fate::Status(429, Some("300"))),
        1 => Just(Fate::Status(403, None)),
        1 => Just(Fate::BreaksInHead),
        1 => Just(Fate::BreaksInBody),
    ];
    prop::collection::vec(fate, 0..150)
}

/// What a play has left behind.
struct Played {
    server: Server,
    counts: [u64; 4],
    /// The notices that are counted whatever was told before: all but ends.
    told: u64,
    /// The ends.
    ends: u64,
}

fn play(steps: &[Step], fates: Vec<Fate>) -> Played {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let dir = tempfile::tempdir().unwrap();
        let server = Server::new(fates);
        let [table, ..] = TABLES;
        let channel = channel(&format!("{table}\nmin_level = \"info\""));
        let house = House::new(dir.path(), vec![(channel, server.clone())]);
        let (mut told, mut ends) = (0, 0);
        for (pause, notices) in steps {
            pass(*pause).await;
            let notices = notices.iter().map(|(wearer, kind, level, event)| {
                notice(
                    ["lea", "ben"][*wearer],
                    [Kind::High, Kind::Low, Kind::Stale][*kind],
                    Level::ALL[*level],
                    Event::ALL[*event],
                )
            });
            let notices: Vec<_> = notices.collect();
            let of_ends = notices.iter().filter(|n| n.is_follow_up()).count();
            ends += of_ends as u64;
            told += (notices.len() - of_ends) as u64;
            house.tell(notices);
        }
        // Everything has been tried, and the hour has room.
        pass(48 * 3600).await;
        let counts = house.counts(0);
        Played {
            server,
            counts,
            told,
            ends,
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_hour_has_more_than_20_messages_and_nothing_is_lost_uncounted(
        steps in steps(), fates in fates()
    ) {
        let played = play(&steps, fates);
        let state = played.server.look();
        let mut first: HashMap<String, Instant> = HashMap::new();
        for (at, body) in &state.taken {
            let id = json(body)["sequence_id"].to_string();
            first.entry(id).or_insert(*at);
        }
        for from in first.values() {
            let until = *from + Duration::from_secs(3600);
            let of_hour = first.values().filter(|at| *at >= from && **at < until).count();
            prop_assert!(of_hour <= 20, "{} in an hour", of_hour);
        }
        // Each is counted once; an end only if its beginning went out.
        let counted: u64 = played.counts.iter().sum();
        let all = played.told + played.ends;
        prop_assert!((played.told..=all).contains(&counted), "{} of {}", counted, played.told);
    }

    #[test]
    fn an_all_clear_comes_only_after_its_alarm(steps in steps(), fates in fates()) {
        let played = play(&steps, fates);
        let state = played.server.look();
        let mut known = BTreeSet::new();
        let mut seen = BTreeSet::new();
        for (_, body) in &state.taken {
            let message = json(body);
            // The same one once more, after a lost answer.
            if !seen.insert(message["sequence_id"].to_string()) {
                continue;
            }
            for line in message["message"].as_str().unwrap().lines() {
                let (line, is_of_several) = match line.split_once(" [the last of ") {
                    Some((line, _)) => (line, true),
                    None => (line, false),
                };
                let (subject, event) = line.rsplit_once(' ').unwrap();
                match event {
                    "raised" | "repeated" => {
                        known.insert(subject.to_owned());
                    }
                    "cleared" => prop_assert!(known.remove(subject) || is_of_several, "{}", line),
                    // A sum of several says what was last; the alarm is in it.
                    "acknowledged" if is_of_several => {
                        known.insert(subject.to_owned());
                    }
                    "acknowledged" => prop_assert!(known.contains(subject), "{}", line),
                    other => prop_assert_eq!(other, "past"),
                }
            }
        }
    }
}
