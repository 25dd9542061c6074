//! The same arrivals, written into a file and over rows that are kept elsewhere.

use std::sync::{Arc, Mutex};

use pulsewing_core::reading::Reading;
use pulsewing_testkit::readings::{berlin, with_minutes};

use super::{
    memory::{Kept, account, rows},
    *,
};

/// Notices as a person gets them.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<String>>>);

impl Heard {
    fn listener(&self) -> Listener {
        let heard = Arc::clone(&self.0);
        Listener::new(move |notice| heard.lock().unwrap().push(notice.to_string()))
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// A keeper and the rows that it writes to.
struct Elsewhere {
    keeper: Keeper,
    kept: Kept,
    /// The dates before which everything was removed.
    removed: Vec<Date>,
}

impl Elsewhere {
    fn keep(&mut self, arrival: &Arrival<'_>) {
        let mut some = self.kept.loaded(arrival.dates());
        let changes = self.keeper.keep(&mut some, arrival);
        self.removed
            .extend(changes.iter().filter_map(|change| match change {
                Change::DeleteBefore(date) => Some(*date),
                _ => None,
            }));
        self.kept.change(changes);
    }

    fn rows(&mut self) -> &[StoredRow] {
        self.kept.0.sort_by_key(StoredRow::key);
        &self.kept.0
    }
}

fn both(dir: &Path, retention: Retention, heard: &Heard) -> (HistoryWriter, Elsewhere) {
    let writer = HistoryWriter::new(dir.to_owned(), "w".to_owned(), retention, heard.listener());
    let elsewhere = Elsewhere {
        keeper: Keeper::new(retention, heard.listener()),
        kept: Kept::default(),
        removed: Vec::new(),
    };
    (writer, elsewhere)
}

/// Returns a reading of all minutes of the day before `now`, and of ten before midnight.
fn reading(now: &str) -> Reading {
    let now = at(now);
    let local = berlin().day_of(now);
    let until = local.minute_of(now).unwrap();
    let mut reading = with_minutes(berlin(), now, (0..until).map(|minute| (minute, 70)));
    for minute in 1..=10 {
        let at = local.start() - SignedDuration::from_mins(minute);
        let bpm = Bpm::new(60).unwrap();
        reading
            .window
            .insert(pulsewing_core::day::Sample { at, bpm });
    }
    reading
}

#[test]
fn whatever_arrives_is_kept_and_removed_elsewhere_as_in_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let heard = Heard::default();
    let (mut writer, mut elsewhere) = both(dir.path(), Retention::Days(2), &heard);
    let ada = account("111");
    let mut now = at("2026-10-24T21:35:00Z");
    let end = at("2026-10-27T06:00:00Z");
    while now < end {
        let reading = reading(&now.to_string());
        writer.record(&reading, Some(&ada));
        if let Some(arrival) = Arrival::of_reading(&reading, Some(&ada)) {
            elsewhere.keep(&arrival);
        }
        assert_eq!(elsewhere.rows(), rows(writer.history().unwrap()), "{now}");
        now += SignedDuration::from_mins(30);
    }
    // Once a day.
    let removed = [23, 24, 25, 26].map(|day| date(2026, 10, day));
    assert_eq!(elsewhere.removed, removed);
    let StoredRow::Day(first) = &elsewhere.rows()[0] else {
        panic!("there is no day");
    };
    // Its last minutes came with the first reading of the next day.
    assert_eq!((first.date, first.min), (date(2026, 10, 26), Some(60)));
    // Days that were fetched after their end; there is nothing of one of them.
    for (number, minutes) in [(23, 0), (26, 700)] {
        let day = Day::new(berlin().day(date(2026, 10, number)));
        let mut past = known(Kind::Google, day, 1_800_000_000);
        for minute in 0..minutes {
            past.day.record(minute, Bpm::new(90).unwrap());
        }
        writer.record_past(&past, now, Some(&ada));
        elsewhere.keep(&Arrival::of_past_day(&past, now, Some(&ada)));
        assert_eq!(elsewhere.rows(), rows(writer.history().unwrap()));
    }
    let asked = rows(writer.history().unwrap());
    let asked = asked
        .iter()
        .filter(|row| matches!(row, StoredRow::Asked(_)));
    assert_eq!(asked.count(), 2);
    assert_eq!(heard.take(), [""; 0]);
}

#[test]
fn a_reading_of_another_person_changes_no_row_and_is_reported_once() {
    let dir = tempfile::tempdir().unwrap();
    let heard = Heard::default();
    let (_, mut elsewhere) = both(dir.path(), Retention::Forever, &heard);
    let (ada, bob) = (account("111"), account("222"));
    let reading = reading("2026-11-22T12:00:00Z");
    let arrival = |whose| Arrival::of_reading(&reading, Some(whose)).unwrap();
    elsewhere.keep(&arrival(&ada));
    let before = elsewhere.rows().to_vec();
    for _ in 0..2 {
        elsewhere.keep(&arrival(&bob));
        assert_eq!(elsewhere.rows(), before);
    }
    let notices = heard.take();
    assert_eq!(notices.len(), 1);
    assert!(notices[0].contains("another person"), "{notices:?}");
    elsewhere.keep(&arrival(&ada));
    elsewhere.keep(&arrival(&bob));
    assert_eq!(heard.take().len(), 1, "it is reported again");
}

#[test]
fn nothing_is_kept_where_nothing_is_to_be_kept() {
    let dir = tempfile::tempdir().unwrap();
    let heard = Heard::default();
    let (mut writer, mut elsewhere) = both(dir.path(), Retention::Nothing, &heard);
    let reading = reading("2026-11-22T12:00:00Z");
    writer.record(&reading, None);
    elsewhere.keep(&Arrival::of_reading(&reading, None).unwrap());
    assert!(writer.history().is_none());
    assert_eq!(elsewhere.rows(), []);
}

#[test]
fn a_history_that_takes_the_place_of_another_loses_its_old_days_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let heard = Heard::default();
    let (mut writer, _) = both(dir.path(), Retention::Days(3), &heard);
    writer.record(&reading("2026-11-22T12:00:00Z"), None);
    move_aside(dir.path(), Aside::Replaced, at("2026-11-22T12:05:00Z")).unwrap();
    let mut other = History::open(dir.path(), "w").unwrap();
    let old = day("UTC", "2026-11-01T08:00:00Z", &[70]);
    other.record(&known(Kind::Google, old, 1)).unwrap();
    drop(other);
    writer.record(&reading("2026-11-22T12:15:00Z"), None);
    let span = writer.history().unwrap().span().unwrap().unwrap();
    assert_eq!(span.first, date(2026, 11, 22));
    assert_eq!(heard.take().len(), 1);
}
