//! Histories in memory: whatever is done through them is done as in a file with all rows.

use jiff::tz::Offset;
use pulsewing_core::civil::{LocalDay, Offsets};

use super::*;
use crate::{changes::TABLES, memory::load};

/// Rows that are kept elsewhere.
#[derive(Debug, Default)]
pub(super) struct Kept(pub(super) Vec<StoredRow>);

impl Kept {
    /// Returns the rows of these dates and no others.
    fn of(&self, dates: Dates) -> Vec<StoredRow> {
        let has = |date: Date| dates.from <= date && date <= dates.to;
        let starts = dates.utc_starts();
        let rows = self.0.iter().filter(|row| match row {
            StoredRow::Day(day) => has(day.date),
            StoredRow::Asked(asked) => has(asked.date),
            StoredRow::Owner(_) => true,
            StoredRow::Doubts(doubts) => starts.contains(&doubts.start),
        });
        rows.cloned().collect()
    }

    pub(super) fn loaded(&self, dates: Dates) -> MemoryHistory {
        MemoryHistory::new(dates, self.of(dates)).unwrap()
    }

    pub(super) fn change(&mut self, changes: Vec<Change>) {
        for change in changes {
            match change {
                Change::DeleteBefore(date) => {
                    let start = date.at(0, 0, 0, 0).to_zoned(TimeZone::UTC).unwrap();
                    self.0.retain(|row| match row {
                        StoredRow::Day(day) => day.date >= date,
                        StoredRow::Asked(asked) => asked.date >= date,
                        StoredRow::Owner(_) => true,
                        StoredRow::Doubts(doubts) => doubts.start >= start.timestamp().as_second(),
                    });
                }
                Change::Delete(key) => self.0.retain(|row| row.key() != key),
                Change::Put(new) => {
                    self.0.retain(|row| row.key() != new.key());
                    self.0.push(new);
                }
            }
        }
    }
}

/// Returns all rows of a history, by their keys.
pub(super) fn rows(history: &History) -> Vec<StoredRow> {
    let mut found = Vec::new();
    for table in &TABLES {
        let query = format!("SELECT * FROM {}", table.name);
        let mut query = history.db.prepare(&query).unwrap();
        let mut rows = query.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            match (table.read)(row).unwrap() {
                Change::Put(row) => found.push(row),
                other => panic!("{other:?}"),
            }
        }
    }
    found.sort_by_key(StoredRow::key);
    found
}

/// The first of the days; all are within a week.
const FIRST: Date = date(2026, 3, 26);

/// Offsets of a wearer who travels far, in hours; Berlin's summer time; and the extremes of the calendar.
fn offsets() -> impl Strategy<Value = Offsets> {
    let berlin = || {
        let mut offsets = Offsets::fixed(Offset::constant(1));
        offsets
            .push_change(at("2026-03-29T01:00:00Z"), Offset::constant(2))
            .unwrap();
        offsets
    };
    prop_oneof![
        4 => prop_oneof![Just(-11_i8), Just(0), Just(1), Just(2), Just(14)]
            .prop_map(|hours| Offsets::fixed(Offset::constant(hours))),
        2 => Just(berlin()),
        1 => prop_oneof![Just(Offset::MIN), Just(Offset::MAX)].prop_map(Offsets::fixed),
    ]
}

fn local_day() -> impl Strategy<Value = LocalDay> {
    (offsets(), 0_i64..7)
        .prop_map(|(offsets, day)| offsets.day(FIRST + SignedDuration::from_hours(24 * day)))
}

/// A day with a stretch of minutes, every third or so of which is missing.
fn sparse_day() -> impl Strategy<Value = Day> {
    (local_day(), 0_u16..1_400, 0_u16..400, 50_u16..60, 2_u16..5).prop_map(
        |(local, first, count, rate, gap)| {
            let mut day = Day::new(local);
            for minute in (first..first + count).filter(|minute| minute % gap > 0) {
                if minute < local.minutes() {
                    day.record(minute, Bpm::new(rate + minute % 3).unwrap());
                }
            }
            day
        },
    )
}

fn source() -> impl Strategy<Value = Source> {
    prop_oneof![
        3 => Just(Source::new(Kind::Google)),
        1 => Just(Source::new(Kind::Fitbit)),
        2 => Just(Source::with_device(Kind::ExportCsv, "Charge 6")),
        1 => Just(Source::new(Kind::ExportJson)),
    ]
}

fn source_day() -> impl Strategy<Value = SourceDay> {
    let resting = proptest::option::weighted(0.3, 50_u16..60);
    (source(), sparse_day(), resting, 1_i64..5).prop_map(|(source, day, resting, fetched_at)| {
        SourceDay {
            source,
            zone: "Europe/Berlin".into(),
            day,
            resting: resting.and_then(Bpm::new),
            fetched_at: Timestamp::from_second(fetched_at).unwrap(),
        }
    })
}

/// Something that is done to a history.
#[derive(Clone, Debug)]
enum Act {
    Record(SourceDay),
    Recut(SourceDay),
    Doubt(Source, Box<(Day, Day)>),
    Retract(Kind, Day),
    Forget(Source, Timestamp, SignedDuration),
    Ask(Date, i64),
    Claim(&'static str),
    Prune(Date),
}

fn act() -> impl Strategy<Value = Act> {
    let date = || (0_i64..7).prop_map(|day| FIRST + SignedDuration::from_hours(24 * day));
    let day_and_its_doubts = local_day().prop_flat_map(|local| {
        let on = move |day: Day| {
            let mut moved = Day::new(local);
            for (minute, bpm) in day.iter().filter(|(minute, _)| *minute < local.minutes()) {
                moved.record(minute, bpm);
            }
            moved
        };
        (sparse_day().prop_map(on), sparse_day().prop_map(on))
    });
    prop_oneof![
        8 => source_day().prop_map(Act::Record),
        3 => source_day().prop_map(Act::Recut),
        2 => (source(), day_and_its_doubts)
            .prop_map(|(source, days)| Act::Doubt(source, Box::new(days))),
        1 => (source(), sparse_day()).prop_map(|(source, day)| Act::Retract(source.kind(), day)),
        1 => (source(), 0_i64..9_000, 1_i64..3_000).prop_map(|(source, minute, length)| {
            let from = at("2026-03-26T00:00:00Z") + SignedDuration::from_mins(minute);
            Act::Forget(source, from, SignedDuration::from_mins(length))
        }),
        1 => (date(), 1_i64..9).prop_map(|(date, synced_at)| Act::Ask(date, synced_at)),
        1 => prop_oneof![Just("111"), Just("222")].prop_map(Act::Claim),
        1 => date().prop_map(Act::Prune),
    ]
}

impl Act {
    /// Returns the dates that have to be loaded; for a day only the necessary ones, or those around it.
    fn dates(&self, is_around: bool) -> Dates {
        let around = |local: &LocalDay| match is_around {
            true => Dates::around(local.date()),
            false => {
                let end = local.instant(local.minutes());
                Dates::of_hours(local.start(), end).with(local.date().into())
            }
        };
        match self {
            Self::Record(known) | Self::Recut(known) => around(known.day.local()),
            Self::Doubt(_, days) => around(days.1.local()),
            Self::Retract(_, day) => around(day.local()),
            Self::Forget(_, from, length) => Dates::of_hours(*from, *from + *length),
            // They need none.
            Self::Ask(..) | Self::Claim(_) | Self::Prune(_) => FIRST.into(),
        }
    }

    fn act(&self, history: &mut History) -> Result<(), HistoryError> {
        if let Self::Prune(before) = self {
            return history.prune(*before).map(drop);
        }
        let batch = history.batch()?;
        match self {
            Self::Record(known) => batch.record(known)?,
            Self::Recut(known) => batch.record_recut(known)?,
            Self::Doubt(source, days) => batch.doubt(source, &days.0, &days.1)?,
            Self::Retract(kind, doubted) => batch.retract(*kind, doubted)?,
            Self::Forget(source, from, length) => batch.forget(source, *from, *from + *length)?,
            Self::Ask(date, synced_at) => {
                batch.note_asked(*date, Timestamp::from_second(*synced_at).unwrap())?;
            }
            Self::Claim(user_id) => batch.claim(&account(user_id))?,
            Self::Prune(_) => {}
        }
        batch.commit()
    }
}

pub(super) fn account(user_id: &str) -> Account {
    Account {
        provider: Provider::Google,
        user_id: user_id.to_owned(),
    }
}

/// A row that cannot be read, of a source that we know or do not know.
fn unreadable() -> impl Strategy<Value = StoredRow> {
    (
        0_i64..7,
        prop_oneof![Just("google"), Just("garmin")],
        1_u16..3,
    )
        .prop_map(|(day, source, length)| {
            StoredRow::Day(StoredDay {
                date: FIRST + SignedDuration::from_hours(24 * day),
                start: 0,
                length,
                source: source.to_owned(),
                zone: String::new(),
                offset: 0,
                change_minute: None,
                change_offset: None,
                logged: 7,
                min: Some(1),
                mean: Some(2),
                max: Some(u16::MAX),
                resting: None,
                fetched_at: 1,
                changed_at: i64::MAX,
                minutes: vec![0xFF],
            })
        })
}

/// Returns everything that readers say about a history.
fn said(history: &History) -> Vec<String> {
    let ends =
        [-2, 0, 3, 8].map(|day| at("2026-03-26T12:00:00Z") + SignedDuration::from_hours(24 * day));
    let mut said: Vec<String> = (-3..10)
        .map(|day| FIRST + SignedDuration::from_hours(24 * day))
        .map(|date| format!("{date} {:?}", history.day(date)))
        .collect();
    said.extend([
        format!("{:?}", history.overview(Date::MIN, Date::MAX)),
        format!("{:?}", everything(history)),
        format!("{:?}", history.span()),
        format!("{:?}", history.asked_since(Date::MIN)),
        format!("{:?}", history.unreadable(Date::MIN, Date::MAX)),
        format!("{:?}", history.relation_to(&[account("111")])),
        format!("{:?}", history.is_somebodys()),
        format!("{:?}", history.has_source(&Source::new(Kind::ExportJson))),
        format!("{:?}", ends.map(|now| history.last_known(now))),
    ]);
    said
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_done_over_the_rows_of_some_dates_is_done_as_over_all(
        damaged in proptest::collection::vec(unreadable(), 0..3),
        acts in proptest::collection::vec((act(), any::<bool>()), 1..24),
    ) {
        let (_dir, mut whole) = opened();
        let mut kept = Kept::default();
        kept.change(damaged.into_iter().map(Change::Put).collect());
        load(&whole.db, &whole.wearer, kept.0.clone()).unwrap();
        for (act, is_around) in &acts {
            let mut some = kept.loaded(act.dates(*is_around));
            let done = act.act(some.history_mut());
            let done_to_all = act.act(&mut whole);
            prop_assert_eq!(format!("{:?}", done), format!("{:?}", done_to_all));
            kept.change(some.take_changes().unwrap());
            prop_assert_eq!(some.take_changes().unwrap(), []);
        }
        kept.0.sort_by_key(StoredRow::key);
        prop_assert_eq!(&kept.0, &rows(&whole));
        let again = kept.loaded(Dates::ALL);
        prop_assert_eq!(said(again.history()), said(&whole));
        // A reader needs no more than its own dates.
        for day in 0..7 {
            let date = FIRST + SignedDuration::from_hours(24 * day);
            let some = kept.loaded(date.into());
            let read = |history: &History| {
                let mut minutes = Vec::new();
                let each = |minute| {
                    minutes.push(minute);
                    Ok::<(), HistoryError>(())
                };
                history.minutes(date, date, each).unwrap();
                let overview = history.overview(date, date);
                format!("{:?} {:?} {:?}", history.day(date), overview, minutes)
            };
            prop_assert_eq!(read(some.history()), read(&whole));
        }
    }
}

/// Returns a day of UTC with these minutes of 70 bpm.
fn utc_day(date: Date, minutes: std::ops::Range<u16>) -> SourceDay {
    let mut day = Day::new(Offsets::fixed(Offset::UTC).day(date));
    for minute in minutes {
        day.record(minute, Bpm::new(70).unwrap());
    }
    known(Kind::Google, day, 1)
}

#[test]
fn what_is_not_loaded_is_refused_rather_than_taken_for_empty() {
    let middle = date(2026, 11, 22);
    let (before, after) = (date(2026, 11, 18), date(2026, 11, 26));
    let mut some = MemoryHistory::new(Dates::around(middle), []).unwrap();
    let history = some.history_mut();
    let missing = |result: Result<(), HistoryError>, date| {
        assert!(
            matches!(result, Err(HistoryError::NotLoaded(missing)) if missing == date),
            "{result:?}"
        );
    };
    let nothing = |_| Ok::<(), HistoryError>(());
    history.day(middle).unwrap();
    missing(history.day(before).map(drop), before);
    missing(history.day(after).map(drop), after);
    missing(history.overview(before, middle).map(drop), before);
    missing(history.overview(middle, after).map(drop), after);
    missing(history.minutes(middle, after, nothing), after);
    missing(history.unreadable(before, middle).map(drop), before);
    missing(history.span().map(drop), Date::MIN);
    missing(history.asked_since(middle).map(drop), Date::MAX);
    let source = Source::new(Kind::ExportJson);
    missing(history.has_source(&source).map(drop), Date::MIN);
    let noon = at("2026-11-22T12:00:00Z");
    missing(history.last_known(noon).map(drop), Date::MIN);
    missing(
        history.last_known(at("2026-11-25T12:00:00Z")).map(drop),
        after,
    );
    let (day, other) = (utc_day(middle, 0..60), utc_day(before, 0..60));
    history.record(&day).unwrap();
    missing(history.record(&other), before);
    // Its own date is loaded, but not the views of its hours from other zones.
    let edge = utc_day(date(2026, 11, 19), 0..60);
    missing(history.record(&edge), before);
    let batch = history.batch().unwrap();
    missing(batch.record_recut(&other), date(2026, 11, 17));
    missing(batch.retract(Kind::Google, &other.day), date(2026, 11, 17));
    missing(batch.doubt(&source, &other.day, &other.day), before);
    missing(batch.doubted(other.day.local()).map(drop), before);
    missing(
        batch.forget(&source, noon, at("2026-11-26T12:00:00Z")),
        after,
    );
    drop(batch);
    let changes = some.take_changes().unwrap();
    assert_eq!(changes.len(), 1, "only the day in the middle: {changes:?}");
}

#[test]
fn a_batch_that_is_dropped_changes_no_row() {
    let mut some = MemoryHistory::new(Dates::ALL, []).unwrap();
    let batch = some.history_mut().batch().unwrap();
    batch.record(&utc_day(date(2026, 11, 22), 0..60)).unwrap();
    drop(batch);
    assert_eq!(some.take_changes().unwrap(), []);
}

#[test]
fn two_rows_with_one_key_are_refused() {
    let row = StoredRow::Asked(StoredAsked {
        date: date(2026, 11, 22),
        synced_at: 1,
    });
    let refused = MemoryHistory::new(Dates::ALL, [row.clone(), row]);
    assert!(matches!(refused, Err(HistoryError::Damaged(_))));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn the_last_known_minutes_are_found_on_the_newest_dates_with_minutes(
        days in proptest::collection::btree_map(0_i64..40, 1_u16..20, 0..20),
        damaged in proptest::option::of(0_i64..40),
        now in -1_i64..42,
    ) {
        let on = |day: i64| FIRST + SignedDuration::from_hours(24 * day);
        let mut kept = Kept::default();
        let mut whole = MemoryHistory::new(Dates::ALL, []).unwrap();
        for (day, minutes) in days {
            whole.history_mut().record(&utc_day(on(day), 0..minutes)).unwrap();
        }
        kept.change(whole.take_changes().unwrap());
        for row in &mut kept.0 {
            if let StoredRow::Day(day) = row && damaged.is_some_and(|damaged| day.date == on(damaged)) {
                day.minutes = vec![0xFF];
            }
        }
        let now = at("2026-03-26T12:00:00Z") + SignedDuration::from_hours(24 * now);
        let tomorrow = Offset::UTC.to_datetime(now).date().tomorrow().unwrap();
        let mut dates: Vec<Date> = kept.0.iter().filter_map(|row| match row {
            StoredRow::Day(day) if day.logged > 0 && day.date <= tomorrow => Some(day.date),
            _ => None,
        }).collect();
        dates.sort_unstable();
        let some = kept.loaded(LastKnown::dates(now, dates.into_iter().rev()));
        let expected = kept.loaded(Dates::ALL).history().last_known(now).unwrap();
        match some.history().last_known(now) {
            Err(HistoryError::NotLoaded(_)) => prop_assert!(damaged.is_some()),
            found => prop_assert_eq!(found.unwrap(), expected),
        }
    }
}
