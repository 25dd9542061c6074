//! The last picture: the known values come back, with their dates.

use jiff::{SignedDuration, Timestamp, tz::Offset};
use proptest::prelude::*;
use pulsewing_core::{
    Bpm,
    civil::Offsets,
    cycle::{Memory, Pacing},
    dialect::ZoneFacts,
    heart_zone::ProviderZones,
    reading::{Reading, TimeZone, ZoneSource},
};
use pulsewing_store::{
    FormatError, MAX_SNAPSHOT, Snapshot, StoreError, mock::Tear, snapshot::encode,
};
use pulsewing_testkit::{
    at,
    readings::{self, berlin},
};

use crate::board::{Board, ESP32};

fn hours(n: i8) -> Offset {
    Offset::constant(n)
}

fn reading(now: Timestamp, offsets: Offsets, rate: impl Fn(u16) -> Option<u16>) -> Reading {
    let elapsed = offsets.day_of(now).minute_of(now).unwrap_or(0);
    let minutes = (0..elapsed).filter_map(|minute| Some((minute, rate(minute)?)));
    let mut reading = Reading {
        battery_percent: Some(83),
        last_sync: Some(now - SignedDuration::from_mins(4)),
        resting: Bpm::new(58),
        ..readings::with_minutes(offsets, now, minutes)
    };
    reading.time_zone.name = "Europe/Berlin".try_into().unwrap();
    reading.time_zone.source = ZoneSource::Cloud;
    reading
}

fn pacing() -> Pacing {
    let mut pacing = Pacing {
        next_allowed: Some(at("2026-11-22T12:30:00Z")),
        unauthorized_refresh_at: Some(at("2026-11-22T11:30:00Z")),
        newest_span: 28_961_304,
        failures: 3,
        ..Pacing::default()
    };
    pacing.recent[7] = 4;
    pacing.recent[59] = 300;
    pacing
}

fn zones(limits: [u16; 3]) -> Option<ProviderZones> {
    ProviderZones::new(limits.map(|limit| Bpm::new(limit).unwrap()))
}

fn memory() -> Memory {
    let at = at("2026-11-22T06:00:00Z");
    Memory {
        zone: Some((
            ZoneFacts {
                name: Some("Europe/Berlin".try_into().unwrap()),
                offset: None,
            },
            at,
        )),
        resting: Some((Bpm::new(58), at)),
        heart_zones: Some((zones([109, 133, 163]), at)),
    }
}

fn round_trip(reading: Option<&Reading>) -> Snapshot {
    let mut buffer = [0; MAX_SNAPSHOT];
    let len = encode(reading, &pacing(), &memory(), &mut buffer).unwrap();
    Snapshot::decode(&buffer[..len]).unwrap()
}

fn assert_same(found: &Reading, known: &Reading) {
    assert_eq!(found.day, known.day);
    assert_eq!(found.day.local(), known.day.local());
    // Only the necessary part of the zone; everything else exactly.
    let zone = TimeZone {
        offsets: found.time_zone.offsets.clone(),
        ..known.time_zone.clone()
    };
    let known = Reading {
        time_zone: zone,
        ..known.clone()
    };
    assert_eq!(*found, known);
}

#[test]
fn what_was_known_comes_back() {
    let now = at("2026-11-22T17:07:31Z");
    let known = reading(now, berlin(), |minute| {
        (minute % 9 != 4).then_some(50 + minute % 150)
    });
    let found = round_trip(Some(&known));
    assert_same(found.reading.as_ref().unwrap(), &known);
    assert_eq!((found.pacing, found.memory), (pacing(), memory()));
    assert_eq!(round_trip(None).reading, None);
    let nothing = Memory::default();
    let mut buffer = [0; MAX_SNAPSHOT];
    let len = encode(None, &Pacing::default(), &nothing, &mut buffer).unwrap();
    assert_eq!(Snapshot::decode(&buffer[..len]).unwrap().memory, nothing);
}

#[test]
fn the_absence_of_zones_comes_back_and_their_version_is_the_lowest_possible() {
    let asked = Memory {
        heart_zones: Some((None, at("2026-11-22T06:00:00Z"))),
        ..memory()
    };
    let not_asked = Memory {
        heart_zones: None,
        ..memory()
    };
    for (memory, version) in [(memory(), 2), (asked, 2), (not_asked, 1)] {
        let mut buffer = [0; MAX_SNAPSHOT];
        let len = encode(None, &pacing(), &memory, &mut buffer).unwrap();
        assert_eq!(buffer[4], version);
        assert_eq!(Snapshot::decode(&buffer[..len]).unwrap().memory, memory);
    }
}

#[test]
fn what_was_last_known_comes_back_however_long_ago_it_was() {
    let sunday = at("2026-11-22T21:22:00Z");
    let known = reading(sunday, berlin(), |minute| Some(50 + minute % 30));
    let tuesday = at("2026-11-24T23:30:00Z");
    let mut silent = reading(tuesday, berlin(), |_| None);
    assert_eq!(silent.latest(), None);
    silent.keep_last_known(&known.day, &known.window);
    let found = round_trip(Some(&silent)).reading.unwrap();
    assert_eq!(found.latest(), known.latest());
    assert_eq!(found.window.samples(), known.window.samples());
    assert_eq!(found.day, known.day);
    assert_eq!(found.fetched_at, tuesday);
}

#[test]
fn days_of_23_25_and_24_and_a_half_hours_come_back() {
    let mut lord_howe = Offsets::fixed(hours(11));
    let change = at("2026-04-04T15:00:00Z");
    let after = Offset::from_seconds(37_800).unwrap();
    lord_howe.push_change(change, after).unwrap();
    for (now, offsets, minutes) in [
        ("2026-03-29T21:59:00Z", berlin(), 1_380),
        ("2026-10-25T22:59:00Z", berlin(), 1_500),
        ("2026-04-05T13:29:00Z", lord_howe, 1_470),
    ] {
        let known = reading(now.parse().unwrap(), offsets, |minute| {
            Some(60 + minute % 200)
        });
        assert_eq!(known.day.local().minutes(), minutes);
        let found = round_trip(Some(&known)).reading.unwrap();
        assert_same(&found, &known);
    }
}

#[test]
fn the_offsets_of_a_year_ahead_come_back_to_the_second() {
    let now = at("2026-11-22T17:07:31Z");
    let known = reading(now, berlin(), |_| None);
    let found = round_trip(Some(&known)).reading.unwrap();
    let mut moment = now - SignedDuration::from_hours(72);
    while moment < now + SignedDuration::from_hours(399 * 24) {
        let offset = found.time_zone.offsets.at(moment);
        assert_eq!(offset, known.time_zone.offsets.at(moment), "{moment}");
        moment += SignedDuration::from_mins(7);
    }
    let change = at("2027-03-28T01:00:00Z");
    let before = change - SignedDuration::from_secs(1);
    assert_eq!(found.time_zone.offsets.at(before), hours(1));
    assert_eq!(found.time_zone.offsets.at(change), hours(2));
}

#[test]
fn the_longest_snapshot_fits() {
    let now = at("2026-10-25T22:59:59Z");
    let mut known = reading(now, berlin(), |_| Some(300));
    known.time_zone.name = "x".repeat(64).as_str().try_into().unwrap();
    let pacing = Pacing {
        recent: [9; 60],
        ..pacing()
    };
    let mut buffer = [0; MAX_SNAPSHOT];
    let len = encode(Some(&known), &pacing, &memory(), &mut buffer).unwrap();
    // Sixteen changes of offset; Berlin has five.
    assert!(len + 11 * 12 < MAX_SNAPSHOT, "{len}");
    assert_same(
        Snapshot::decode(&buffer[..len])
            .unwrap()
            .reading
            .as_ref()
            .unwrap(),
        &known,
    );
}

#[test]
fn a_save_that_is_cut_anywhere_leaves_the_old_picture_or_the_new_one() {
    let at = |text: &str| reading(text.parse().unwrap(), berlin(), |_| Some(64));
    let (old, new) = (at("2026-11-22T12:00:00Z"), at("2026-11-22T12:15:00Z"));
    let mut board = Board::<ESP32>::new(0, 1);
    let save = async |store: &mut pulsewing_store::Store<_>, reading: &Reading| {
        let buffer = &mut [0; MAX_SNAPSHOT];
        store
            .save_snapshot(Some(reading), &pacing(), &memory(), buffer)
            .await
    };
    for _ in 0..12 {
        board.with(async |store| save(store, &old).await).unwrap();
        let (steps, done) = board.count(async |store| save(store, &new).await);
        for step in (0..steps).filter(|step| step % 5 == 0 || *step + 9 > steps) {
            let (mut cut, _) = board.after_cut(step, Tear::Page, step, async |store| {
                save(store, &new).await
            });
            let buffer = &mut [0; MAX_SNAPSHOT];
            let found = cut.with(async |store| store.load_snapshot(buffer).await);
            let found = found.unwrap().unwrap().reading.unwrap();
            assert!([old.fetched_at, new.fetched_at].contains(&found.fetched_at));
            cut.assert_clean();
        }
        board = done;
    }
}

#[test]
fn a_newer_snapshot_is_refused_and_kept() {
    let mut board = Board::<ESP32>::new(0, 1);
    let save = async |store: &mut pulsewing_store::Store<_>| {
        let buffer = &mut [0; MAX_SNAPSHOT];
        store
            .save_snapshot(None, &pacing(), &memory(), buffer)
            .await
    };
    board.with(save).unwrap();
    let head = board.layout.snapshot.start as usize;
    let bytes = board.flash.bytes_mut();
    bytes[head + 5] = 3;
    let crc = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC).checksum(&bytes[head..head + 28]);
    bytes[head + 28..head + 32].copy_from_slice(&crc.to_le_bytes());
    let before = board.flash.bytes().to_vec();
    assert_eq!(board.with(save), Err(StoreError::Newer(3)));
    let buffer = &mut [0; MAX_SNAPSHOT];
    let loaded = board.with(async |store| store.load_snapshot(buffer).await);
    assert_eq!(loaded, Err(StoreError::Newer(3)));
    assert!(board.flash.bytes() == before);
}

proptest! {
    #[test]
    fn any_day_comes_back(
        minutes in 0_i64..60 * 24 * 700,
        rates in proptest::collection::vec(proptest::option::of(1_u16..=300), 1..1_500),
    ) {
        let first = at("2026-02-01T00:00:00Z");
        let now = first + SignedDuration::from_mins(minutes);
        let known = reading(now, berlin(), |minute| {
            rates.get(usize::from(minute)).copied().flatten()
        });
        assert_same(round_trip(Some(&known)).reading.as_ref().unwrap(), &known);
    }

    #[test]
    fn any_bytes_are_decoded_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let framed = [&b"PWSN\x02"[..], &bytes].concat();
        let _ = Snapshot::decode(&framed);
        prop_assert_eq!(Snapshot::decode(b"PWSN\x03").unwrap_err(), FormatError::Newer(3));
    }

    #[test]
    fn changed_bytes_are_decoded_without_a_panic(place in any::<prop::sample::Index>(), to in any::<u8>()) {
        let now = at("2026-11-22T17:07:31Z");
        let known = reading(now, berlin(), |minute| Some(200 + minute % 100));
        let mut buffer = [0; MAX_SNAPSHOT];
        let len = encode(Some(&known), &pacing(), &memory(), &mut buffer).unwrap();
        buffer[place.index(len)] = to;
        let _ = Snapshot::decode(&buffer[..len]);
        let _ = Snapshot::decode(&buffer[..place.index(len)]);
    }
}
