//! Histories: rows of some dates, loaded, changed and stored under a lease.

use std::time::{Duration, Instant};

use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, date},
    tz::Offset,
};
use pulsewing_core::{Bpm, Provider, civil::Offsets, day::Day};
use pulsewing_fleet::{Database, Due, Error, Lease, Options, Wearer};
use pulsewing_history::{
    Account, Batch, Change, Dates, History, HistoryError, Kind, LastKnown, MemoryHistory, Source,
    SourceDay, Span, StoredDay, StoredRow,
};

use crate::{
    add, is_fenced,
    proxy::{Fault, Proxy},
    server::{self, Server},
    sign_in, take_when_free,
};

const FIRST: Date = date(2026, 3, 26);

/// Returns a day with these minutes of one rate.
fn day(of: Date, offset: i8, minutes: std::ops::Range<u16>, rate: u16, fetched: i64) -> SourceDay {
    let mut day = Day::new(Offsets::fixed(Offset::constant(offset)).day(of));
    for minute in minutes {
        day.record(minute, Bpm::new(rate).unwrap());
    }
    SourceDay {
        source: Source::new(Kind::Google),
        zone: String::new(),
        day,
        resting: Bpm::new(55),
        fetched_at: Timestamp::from_second(fetched).unwrap(),
    }
}

fn sorted(mut rows: Vec<StoredRow>) -> Vec<StoredRow> {
    rows.sort_by_key(StoredRow::key);
    rows
}

async fn all(database: &Database, wearer: &Wearer) -> Vec<StoredRow> {
    sorted(database.peek_history(wearer, Dates::ALL).await.unwrap())
}

/// Loads the rows of some dates, changes them, and returns the changes.
async fn changed(
    database: &Database,
    lease: &Lease,
    dates: Dates,
    change: impl FnOnce(&mut History) -> Result<(), HistoryError>,
) -> Result<Vec<Change>, Error> {
    let rows = database.load_history(lease, dates).await?;
    let mut some = MemoryHistory::new(dates, rows).unwrap();
    change(some.history_mut()).unwrap();
    Ok(some.take_changes().unwrap())
}

async fn record(database: &Database, lease: &Lease, known: &SourceDay) -> Result<(), Error> {
    let dates = Dates::around(known.day.local().date());
    let changes = changed(database, lease, dates, |history| history.record(known)).await?;
    database.store_history(lease, &changes).await
}

fn in_batch(
    history: &mut History,
    act: impl FnOnce(&Batch<'_>) -> Result<(), HistoryError>,
) -> Result<(), HistoryError> {
    let batch = history.batch()?;
    act(&batch)?;
    batch.commit()
}

/// What is done to a history, with the dates that it needs.
type Act = (Dates, Box<dyn Fn(&mut History) -> Result<(), HistoryError>>);

/// Things of every kind: a traveller's days, an import and its doubts, an owner, what was asked, and old
/// days removed.
fn acts() -> Vec<Act> {
    let mut acts: Vec<Act> = Vec::new();
    let on = |number: i64| FIRST + SignedDuration::from_hours(24 * number);
    for (number, offset, rate) in [
        (0, 1, 60),
        (1, 1, 61),
        (2, 14, 62),
        (2, -11, 63),
        (0, -11, 64),
        (1, 0, 65),
    ] {
        let known = day(on(number), offset, 0..1_440, rate, i64::from(rate));
        acts.push((
            Dates::around(on(number)),
            Box::new(move |history| history.record(&known)),
        ));
    }
    let csv = Source::with_device(Kind::ExportCsv, "Charge \"6\", ä");
    for (number, offset) in [(0, 0), (1, 0), (0, 9), (3, 0)] {
        let known = SourceDay {
            source: csv.clone(),
            ..day(on(number), offset, 5..90, 70, 100)
        };
        acts.push((
            Dates::around(on(number)),
            Box::new(move |history| in_batch(history, |batch| batch.record_recut(&known))),
        ));
    }
    let (trusted, doubted) = (day(on(1), 0, 0..20, 80, 1), day(on(1), 9, 0..60, 70, 1));
    acts.push((
        Dates::around(on(1)),
        Box::new(move |history| {
            in_batch(history, |batch| {
                batch.doubt(&Source::new(Kind::ExportJson), &trusted.day, &doubted.day)?;
                batch.retract(Kind::ExportCsv, &doubted.day)
            })
        }),
    ));
    let (from, until) = (day(on(3), 0, 0..1, 70, 1), day(on(3), 0, 0..1, 70, 1));
    let (from, until) = (from.day.local().instant(0), until.day.local().instant(90));
    acts.push((
        Dates::of_hours(from, until),
        Box::new(move |history| in_batch(history, |batch| batch.forget(&csv, from, until))),
    ));
    acts.push((
        on(0).into(),
        Box::new(move |history| {
            let account = Account {
                provider: Provider::Fitbit,
                user_id: "A1B2".to_owned(),
            };
            in_batch(history, |batch| {
                batch.claim(&account)?;
                batch.note_asked(on(0), Timestamp::UNIX_EPOCH)?;
                batch.note_asked(on(1), Timestamp::UNIX_EPOCH)
            })
        }),
    ));
    let minutes = Timestamp::from_second(9).unwrap();
    acts.push((
        on(1).into(),
        Box::new(move |history| in_batch(history, |batch| batch.note_asked(on(1), minutes))),
    ));
    // What was loaded is not all that it removes.
    acts.push((
        on(3).into(),
        Box::new(move |history| history.prune(on(1)).map(drop)),
    ));
    acts
}

#[tokio::test]
async fn rows_of_some_dates_are_changed_as_in_a_history_with_all_rows() {
    let (_, database) = server::new_database().await;
    let anna = sign_in(&database, "anna", b"x").await;
    let ben = sign_in(&database, "ben", b"x").await;
    let other = database.take(&ben.id, Duration::ZERO).await.unwrap();
    record(&database, &other, &day(FIRST, 0, 0..9, 99, 1))
        .await
        .unwrap();
    let of_ben = all(&database, &ben).await;

    let lease = database.take(&anna.id, Duration::ZERO).await.unwrap();
    assert_eq!(database.history_span(&anna).await.unwrap(), None);
    assert_eq!(database.history_bytes(&anna).await.unwrap(), 0);
    let mut whole = MemoryHistory::new(Dates::ALL, []).unwrap();
    for (number, (dates, act)) in acts().iter().enumerate() {
        let changes = changed(&database, &lease, *dates, act).await.unwrap();
        database.store_history(&lease, &changes).await.unwrap();
        act(whole.history_mut()).unwrap();
        let stored = all(&database, &anna).await;
        let again = MemoryHistory::new(Dates::ALL, stored).unwrap();
        let said = |history: &History| {
            let mut minutes = Vec::new();
            let each = |minute| {
                minutes.push(minute);
                Ok::<(), HistoryError>(())
            };
            history.minutes(Date::MIN, Date::MAX, each).unwrap();
            let asked = history.asked_since(Date::MIN);
            let overview = history.overview(Date::MIN, Date::MAX);
            let owned = history.is_somebodys();
            format!(
                "{asked:?} {owned:?} {overview:?} {:?} {minutes:?}",
                history.span()
            )
        };
        assert_eq!(
            said(again.history()),
            said(whole.history()),
            "after act {number}"
        );
        let span = database.history_span(&anna).await.unwrap();
        assert_eq!(span, whole.history().span().unwrap(), "after act {number}");
    }
    assert!(database.history_bytes(&anna).await.unwrap() > 2_000);
    assert_eq!(all(&database, &ben).await, of_ben);
    let person = database.find_person("fitbit", "A1B2").await.unwrap();
    assert_eq!(person, Some(anna));
}

#[tokio::test]
async fn whatever_is_in_a_row_comes_back() {
    let (_, database) = server::new_database().await;
    let anna = sign_in(&database, "anna", b"x").await;
    let lease = database.take(&anna.id, Duration::ZERO).await.unwrap();
    let row = |source: &str, value: Option<u16>| {
        StoredRow::Day(StoredDay {
            date: date(2026, 2, 28),
            start: i64::MIN,
            length: u16::MAX,
            source: source.to_owned(),
            zone: "Europe/Berlin".to_owned(),
            offset: i32::MIN,
            change_minute: value,
            change_offset: value.map(|_| i32::MAX),
            logged: 0,
            min: value,
            mean: value,
            max: value,
            resting: value,
            fetched_at: i64::MAX,
            changed_at: -1,
            minutes: vec![0xFF; 5_000],
        })
    };
    let rows = sorted(vec![
        row("a", None),
        row("b", Some(u16::MAX)),
        row("c", Some(0)),
    ]);
    let changes: Vec<Change> = rows.iter().cloned().map(Change::Put).collect();
    database.store_history(&lease, &changes).await.unwrap();
    assert_eq!(all(&database, &anna).await, rows);
    let gone = Change::Delete(rows[1].key());
    database.store_history(&lease, &[gone]).await.unwrap();
    assert_eq!(
        all(&database, &anna).await,
        [rows[0].clone(), rows[2].clone()]
    );
}

#[tokio::test]
async fn the_last_known_minutes_are_found_by_the_dates_that_have_some() {
    let (_, database) = server::new_database().await;
    let anna = sign_in(&database, "anna", b"x").await;
    let lease = database.take(&anna.id, Duration::ZERO).await.unwrap();
    let on = |number: i64| FIRST + SignedDuration::from_hours(24 * number);
    for (number, minutes) in [
        (-400, 0..30),
        (0, 1_430..1_440),
        (1, 0..3),
        (2, 0..0),
        (900, 0..9),
    ] {
        record(&database, &lease, &day(on(number), 0, minutes, 70, 1))
            .await
            .unwrap();
    }
    let now: Timestamp = "2026-04-20T12:00:00Z".parse().unwrap();
    let latest = LastKnown::dates(now, []).to;
    let newest = database.newest_dates(&anna, latest, 8).await.unwrap();
    assert_eq!(newest, [on(1), on(0), on(-400)]);
    let dates = LastKnown::dates(now, newest);
    let rows = database.peek_history(&anna, dates).await.unwrap();
    let some = MemoryHistory::new(dates, rows).unwrap();
    let last = some.history().last_known(now).unwrap().unwrap();
    assert_eq!(
        (last.day.local().date(), last.window.samples().len()),
        (on(1), 13)
    );
    let span = database.history_span(&anna).await.unwrap();
    let expected = Span {
        first: on(-400),
        last: on(900),
        days: 5,
    };
    assert_eq!(span, Some(expected));
}

#[tokio::test]
async fn a_paused_holder_neither_loads_nor_stores() {
    let (url, first) = server::new_database().await;
    let brief = Options {
        lease: Duration::from_millis(300),
        ..Options::default()
    };
    let paused = server::connect(&url, brief).await;
    let anna = sign_in(&first, "anna", b"x").await;
    let old = paused.take_due(1).await.unwrap().pop().unwrap();
    let dates = Dates::around(FIRST);
    let earlier = FIRST - SignedDuration::from_hours(48);
    // A row of every table, other ones for the two holders.
    let all_kinds = |history: &mut History, of: Date, rate: u16, user_id: &str| {
        let known = day(of, 0, 0..60, rate, 2);
        history.record(&known)?;
        in_batch(history, |batch| {
            batch.claim(&Account {
                provider: Provider::Google,
                user_id: user_id.to_owned(),
            })?;
            batch.note_asked(of, Timestamp::from_second(rate.into()).unwrap())?;
            let trusted = day(of, 0, 0..0, 60, 1);
            batch.doubt(&Source::new(Kind::ExportJson), &trusted.day, &known.day)
        })
    };
    let late = changed(&paused, &old, dates, |history| {
        all_kinds(history, FIRST, 99, "A1")?;
        history.prune(FIRST).map(drop)
    });
    let mut late = late.await.unwrap();

    let new = take_when_free(&first).await;
    for of in [FIRST, earlier] {
        let changes = changed(&first, &new, Dates::around(of), |history| {
            all_kinds(history, of, 60, "B2")
        });
        let changes = changes.await.unwrap();
        first.store_history(&new, &changes).await.unwrap();
    }
    let before = all(&first, &anna).await;
    assert_eq!(before.len(), 7);
    // One change after the other, because one of them may be allowed alone.
    late.extend(before.iter().map(|row| Change::Delete(row.key())));
    for change in late {
        let stored = paused
            .store_history(&old, std::slice::from_ref(&change))
            .await;
        assert!(is_fenced(stored), "{change:?}");
        assert_eq!(all(&first, &anna).await, before, "{change:?}");
    }
    assert!(is_fenced(paused.load_history(&old, dates).await));
    first.release(new, Due::WhenWoken).await.unwrap();
}

#[tokio::test]
async fn a_connection_that_is_cut_between_any_two_statements_costs_no_row() {
    let (url, direct) = server::new_database().await;
    let proxy = Proxy::start(Server::shared(), server::name_of(&url));
    let database = server::connect(proxy.url(), Options::default()).await;
    let anna = sign_in(&direct, "anna", b"x").await;
    let lease = database.take(&anna.id, Duration::ZERO).await.unwrap();
    let mut whole = MemoryHistory::new(Dates::ALL, []).unwrap();
    // Five statements to load, two to store, and the beginnings and ends of both transactions.
    const REQUESTS: usize = 11;
    let mut fetched = 0;
    for fault in [Fault::CutBefore, Fault::CutAfter] {
        for at in 1..=REQUESTS {
            fetched += 1;
            let known = day(FIRST, 0, 0..60, 60 + fetched, fetched.into());
            proxy.fault_at(at, fault, false);
            record(&database, &lease, &known).await.unwrap();
            assert!(proxy.requests() > REQUESTS, "{fault:?} at {at}");
            whole.history_mut().record(&known).unwrap();
            let stored = all(&direct, &anna).await;
            let again = MemoryHistory::new(Dates::ALL, stored).unwrap();
            let [stored, expected] = [&again, &whole].map(|it| it.history().day(FIRST).unwrap());
            assert_eq!(stored, expected, "{fault:?} at {at}");
        }
    }
}

#[tokio::test]
async fn changes_that_were_given_up_are_not_made_later() {
    let (url, direct) = server::new_database().await;
    let proxy = Proxy::start(Server::shared(), server::name_of(&url));
    let hasty = Options {
        answer_within: Duration::from_millis(200),
        ..Options::default()
    };
    let holder = server::connect(proxy.url(), hasty).await;
    let anna = sign_in(&direct, "anna", b"x").await;
    let lease = holder.take(&anna.id, Duration::ZERO).await.unwrap();
    // Whichever statement of the transaction hangs on the way.
    for at in 1..=4 {
        let (old, new) = (day(FIRST, 0, 0..60, 60, 1), day(FIRST, 0, 0..60, 70, 2));
        let dates = Dates::around(FIRST);
        let old = changed(&holder, &lease, dates, |history| history.record(&old))
            .await
            .unwrap();
        let new = changed(&holder, &lease, dates, |history| history.record(&new))
            .await
            .unwrap();
        proxy.fault_at(at, Fault::Hold, false);
        holder.store_history(&lease, &old).await.unwrap();
        holder.store_history(&lease, &new).await.unwrap();
        let before = all(&direct, &anna).await;
        // The server itself ends a transaction that waits for its next statement: what comes later
        // meets no connection. Before it began, it is a transaction that nobody ends.
        if at == 1 {
            proxy.let_through().await;
        }
        assert_eq!(all(&direct, &anna).await, before, "statement {at}");
        let StoredRow::Day(stored) = &before[0] else {
            panic!("{before:?}");
        };
        assert_eq!(stored.min, Some(70), "statement {at}");
    }
}

#[tokio::test]
async fn an_owner_who_is_another_wearer_is_refused_with_all_else() {
    let (_, database) = server::new_database().await;
    let (anna, ben) = (add(&database, "anna").await, add(&database, "ben").await);
    let lease = database.take(&anna.id, Duration::ZERO).await.unwrap();
    database.claim_person(&lease, "google", "A1").await.unwrap();
    let lease = database.take(&ben.id, Duration::ZERO).await.unwrap();
    let changes = changed(&database, &lease, Dates::around(FIRST), |history| {
        let account = Account {
            provider: Provider::Google,
            user_id: "A1".to_owned(),
        };
        in_batch(history, |batch| {
            batch.claim(&account)?;
            batch.record(&day(FIRST, 0, 0..60, 60, 1))
        })
    });
    let refused = database
        .store_history(&lease, &changes.await.unwrap())
        .await;
    assert_eq!(
        refused,
        Err(Error::SamePersonTwice {
            other: "anna".to_owned()
        })
    );
    assert_eq!(all(&database, &ben).await, []);
}

#[tokio::test]
async fn years_are_stored_with_as_few_statements_as_a_minute_and_removed_with_the_wearer() {
    let (url, direct) = server::new_database().await;
    let proxy = Proxy::start(Server::shared(), server::name_of(&url));
    let database = server::connect(proxy.url(), Options::default()).await;
    let anna = sign_in(&direct, "anna", b"x").await;
    let lease = database.take(&anna.id, Duration::ZERO).await.unwrap();
    let mut whole = MemoryHistory::new(Dates::ALL, []).unwrap();
    let batch = whole.history_mut().batch().unwrap();
    for number in 0..1_800 {
        let of = FIRST + SignedDuration::from_hours(24 * number);
        let rate = 60 + u16::try_from(number % 50).unwrap();
        batch.record(&day(of, 0, 0..1_440, rate, 1)).unwrap();
    }
    batch.commit().unwrap();
    let changes = whole.take_changes().unwrap();
    proxy.fault_at(usize::MAX, Fault::CutBefore, false);
    let since = Instant::now();
    database.store_history(&lease, &changes).await.unwrap();
    let stored = since.elapsed();
    assert_eq!(proxy.requests(), 4);
    let rows = database.load_history(&lease, Dates::ALL).await.unwrap();
    println!(
        "1,800 days stored in {stored:?}, loaded in {:?}",
        since.elapsed() - stored
    );
    let expected = changes.into_iter().map(|change| match change {
        Change::Put(row) => row,
        other => panic!("{other:?}"),
    });
    assert_eq!(sorted(rows), sorted(expected.collect()));
    let removal = direct.remove_wearer(&anna.id, "test").await.unwrap();
    assert!(
        removal.removed.contains(r#""days" : 1800"#),
        "{}",
        removal.removed
    );
    let left = "select count(*) from day";
    assert_eq!(
        Server::shared().sql(server::name_of(&url), left).trim(),
        "0"
    );
}

#[tokio::test]
async fn a_program_for_one_tenant_sees_and_changes_no_other_tenants_history() {
    let (url, owner) = server::new_database().await;
    let user = format!("days_{}", server::name_of(&url));
    Server::shared().sql("postgres", &format!("create role {user} login"));
    owner.admit_user(&user).await.unwrap();
    let theirs = url.replace("user=postgres", &format!("user={user}"));
    let of = |tenant: &str| Options {
        tenant: Some(tenant.to_owned()),
        migrate: false,
        ..Options::default()
    };
    let a = server::connect(&theirs, of("a")).await;
    let b = server::connect(&theirs, of("b")).await;
    let anna = add(&a, "anna").await;
    let lease = a.take(&anna.id, Duration::ZERO).await.unwrap();
    let changes = changed(&a, &lease, Dates::around(FIRST), |history| {
        history.record(&day(FIRST, 0, 0..60, 60, 1))?;
        in_batch(history, |batch| {
            batch.note_asked(FIRST, Timestamp::UNIX_EPOCH)?;
            let (trusted, doubted) = (day(FIRST, 0, 0..0, 60, 1), day(FIRST, 0, 0..9, 60, 1));
            batch.doubt(&Source::new(Kind::ExportJson), &trusted.day, &doubted.day)
        })
    });
    let changes = changes.await.unwrap();
    a.store_history(&lease, &changes).await.unwrap();
    let before = all(&a, &anna).await;
    assert_eq!(before.len(), 3);
    assert_eq!(all(&b, &anna).await, []);
    assert_eq!(b.history_span(&anna).await.unwrap(), None);
    assert_eq!(b.history_bytes(&anna).await.unwrap(), 0);
    let delete: Vec<Change> = before.iter().map(|row| Change::Delete(row.key())).collect();
    assert!(is_fenced(b.store_history(&lease, &delete).await));
    assert_eq!(all(&owner, &anna).await, before);
}

/// `PULSEWING_FLEET_CYCLES=1000` does as many, and prints how fast.
#[tokio::test]
async fn a_cycle_adds_a_minute_to_a_day() {
    let (_, database) = server::new_database().await;
    let anna = sign_in(&database, "anna", b"x").await;
    let lease = database.take(&anna.id, Duration::ZERO).await.unwrap();
    for number in -3..0 {
        let of = FIRST + SignedDuration::from_hours(24 * number);
        record(&database, &lease, &day(of, 0, 0..1_440, 60, 1))
            .await
            .unwrap();
    }
    let wanted = std::env::var("PULSEWING_FLEET_CYCLES").ok();
    let cycles: u16 = wanted.map_or(20, |number| number.parse().unwrap());
    let since = Instant::now();
    for cycle in 1..=cycles {
        let known = day(FIRST, 0, 0..cycle % 1_440, 70, cycle.into());
        record(&database, &lease, &known).await.unwrap();
    }
    println!(
        "load, merge and store: {:?} each",
        since.elapsed() / u32::from(cycles)
    );
    let rows = database.peek_history(&anna, FIRST.into()).await.unwrap();
    let StoredRow::Day(today) = &rows[0] else {
        panic!("{rows:?}");
    };
    assert_eq!(today.logged, cycles.min(1_439));
}
