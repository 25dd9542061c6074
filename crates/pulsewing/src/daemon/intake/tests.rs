//! What becomes of samples: live, in minutes, in the history.

use pulsewing_core::{Provider, alarm::Limits};
use pulsewing_history::{Listener, Retention};
use pulsewing_testkit::at;

use super::*;
use crate::{
    alarms::Lookout,
    config::places::Place,
    engine::clock::Clock,
    tell::console::{Colour, Console},
};

/// An intake at five past two, whose wearer's files are in this directory.
fn intake(dir: &std::path::Path) -> Intake {
    let wearer = WearerConfig {
        time_zone: Some("Europe/Berlin".to_owned()),
        ..WearerConfig::default()
    };
    let place = Place::new(dir, &wearer.id);
    let writer = HistoryWriter::new(
        place.dir.clone(),
        wearer.id.to_string(),
        Retention::Forever,
        Listener::new(|_| {}),
    );
    let now = at("2026-11-22T14:05:00Z");
    let console = Console::new(false, Colour::Never);
    let lookout = Lookout::open(&place, Limits::default(), now, console);
    let broadcast = Broadcast::new(
        Snapshot::new(Provider::Google, SignedDuration::from_mins(15)),
        Arc::default(),
        Clock::starting_at(now),
        place,
        watch::Sender::default(),
        lookout,
    );
    Intake::new(broadcast, &wearer, writer)
}

fn push(intake: &Intake, source: &str, samples: &[(&str, u16)]) -> Result<Accepted, NotAccepted> {
    let samples: Vec<_> = samples
        .iter()
        .map(|(time, bpm)| serde_json::json!({"at": format!("2026-11-22T{time}Z"), "bpm": bpm}))
        .collect();
    let body = serde_json::to_vec(&samples).unwrap();
    intake.accept(&source.parse().unwrap(), &body, Format::Json)
}

fn told(intake: &Intake) -> Vec<(String, u16)> {
    let minutes = intake.minutes();
    let minutes = minutes.borrow();
    minutes
        .iter()
        .map(|it| (it.at.to_string(), it.bpm.get()))
        .collect()
}

#[test]
fn alarms_hear_of_complete_minutes_since_the_start_oldest_first() {
    let dir = tempfile::tempdir().unwrap();
    let one = intake(dir.path());
    assert!(told(&one).is_empty());
    push(
        &one,
        "strap",
        &[("14:01:00", 70), ("14:00:00", 69), ("14:05:00", 99)],
    )
    .unwrap();
    push(&one, "watch", &[("14:01:30", 81)]).unwrap();
    let minute = |time: &str, bpm| (format!("2026-11-22T{time}:00Z"), bpm);
    assert_eq!(told(&one), [minute("14:00", 69), minute("14:01", 81)]);
    // The next start knows the minutes, and does not tell them again.
    one.keep();
    drop(one);
    let next = intake(dir.path());
    assert!(told(&next).is_empty());
    let shown = next.0.broadcast.snapshot();
    assert!(shown.pushed.has(at("2026-11-22T14:01:00Z")));
    assert_eq!(next.next_close(), Some(at("2026-11-22T14:06:10Z")));
}

#[test]
fn minutes_that_cannot_be_stored_are_not_lost_and_not_called_stored() {
    let dir = tempfile::tempdir().unwrap();
    let intake = intake(dir.path());
    let files = intake.0.broadcast.place().dir.clone();
    // A file in the place of the directory.
    fs::write(&files, "").unwrap();
    let samples = [("14:01:00", 70)];
    let refused = push(&intake, "strap", &samples);
    assert!(
        matches!(refused, Err(NotAccepted::NotStored)),
        "{refused:?}"
    );
    assert!(told(&intake).is_empty());
    fs::remove_file(&files).unwrap();
    let accepted = push(&intake, "strap", &samples).unwrap();
    assert_eq!((accepted.new, accepted.known), (0, 1));
    assert_eq!(told(&intake).len(), 1);
    let history = intake.0.broadcast.place().history().unwrap().unwrap();
    let day = history
        .day(jiff::civil::date(2026, 11, 22))
        .unwrap()
        .unwrap();
    assert_eq!(day.day.logged_minutes(), 1);
    assert_eq!(day.zone(), "Europe/Berlin");
}

#[test]
fn sources_and_calls_have_limits() {
    let dir = tempfile::tempdir().unwrap();
    let intake = intake(dir.path());
    for number in 0..MOST_SOURCES {
        push(&intake, &format!("s{number}"), &[]).unwrap();
    }
    let one_more = push(&intake, "more", &[]);
    assert!(matches!(one_more, Err(NotAccepted::TooManySources)));
    for _ in 1..CALLS_A_MINUTE {
        push(&intake, "s0", &[]).unwrap();
    }
    let too_often = push(&intake, "s0", &[]);
    assert!(matches!(too_often, Err(NotAccepted::TooOften { .. })));
    push(&intake, "s1", &[]).unwrap();
}

#[tokio::test]
async fn a_live_sample_is_shown_taken_away_and_told_to_other_processes() {
    let dir = tempfile::tempdir().unwrap();
    let intake = intake(dir.path());
    let broadcast = intake.0.broadcast.clone();
    // As the daemon's lock does.
    private::make_dir(&broadcast.place().dir).unwrap();
    let now = broadcast.now();
    let first = Now {
        utc: at("2026-11-22T14:05:02Z"),
        ..now
    };
    push(&intake, "strap", &[("14:05:00", 70)]).unwrap();
    let live = |utc| broadcast.snapshot().live(utc).map(|live| live.bpm.get());
    assert_eq!(live(first.utc), Some(70));
    let told = super::super::live_elsewhere(broadcast.place()).unwrap();
    assert_eq!((told.bpm.get(), told.source.as_str()), (70, "strap"));
    // The next one waits until three seconds have passed.
    push(&intake, "strap", &[("14:05:01", 75)]).unwrap();
    assert_eq!(live(first.utc), Some(70));
    let later = Now {
        up: now.up + SHOWN_EVERY + Duration::from_secs(1),
        ..first
    };
    assert!(intake.publish(later).is_some());
    assert_eq!(live(first.utc), Some(75));
    let over = Now {
        utc: at("2026-11-22T14:05:12Z"),
        up: later.up + Duration::from_secs(7),
    };
    assert_eq!(intake.publish(over), None);
    assert_eq!(broadcast.snapshot().pushed.live, None);
}
