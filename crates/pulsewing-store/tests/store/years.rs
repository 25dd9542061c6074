//! Years of use in short: a number of writes on a mock, and the erases that it counted.

use jiff::{SignedDuration, tz::Offset};
use pulsewing_core::{
    alarm::MAX_RECORD,
    civil::Offsets,
    cycle::{Memory, Pacing, StoreWhat},
    reading::Reading,
};
use pulsewing_store::{Area, MAX_SETTINGS, MAX_SNAPSHOT, Settings, When, snapshot::encode};
use pulsewing_testkit::{at, readings};

use crate::board::{Board, ESP32, LONGEST, USUAL, VIRT, chain, intent};

/// One way of using the store, and the wear that it caused.
pub(crate) struct Use {
    pub(crate) what: &'static str,
    /// The number of times a day.
    pub(crate) a_day: f64,
    pub(crate) sectors: u32,
    pub(crate) sector_len: usize,
    /// The size of a write, in bytes of payload.
    pub(crate) bytes: usize,
    /// The number of times on the mock, and the number of erases of the most worn sector.
    done: u32,
    erased: u32,
}

impl Use {
    /// Returns the erases of the most worn sector in ten years.
    pub(crate) fn most_worn_in_ten_years(&self) -> f64 {
        self.a_day * 3_652.5 * f64::from(self.erased) / f64::from(self.done)
    }
}

/// Returns the uses that we examine.
pub(crate) fn uses() -> Vec<Use> {
    vec![
        rotations::<ESP32>("rotations", 3.0, USUAL),
        rotations::<ESP32>("rotations, longest records", 3.0, LONGEST),
        rotations::<VIRT>("rotations", 3.0, USUAL),
        rotations::<ESP32>("rotations, as often as the original", 96.0, USUAL),
        rotations::<ESP32>("the same, longest records", 96.0, LONGEST),
        withdrawals(),
        snapshots("snapshots", 1_080),
        snapshots("snapshots, at midnight", 1_440),
        errors(),
        settings(),
        alarms("alarms, on a usual day", 100.0, 512),
        alarms("alarms, never more and never longer", 246.0, MAX_RECORD),
    ]
}

fn measure<const SECTOR: usize>(
    what: &'static str,
    a_day: f64,
    bytes: usize,
    done: u32,
    area: impl Fn(&Board<SECTOR>) -> Area,
    mut act: impl FnMut(&mut Board<SECTOR>, u32),
) -> Use {
    let mut board = Board::<SECTOR>::whole(0, 1);
    for number in 1..=done {
        act(&mut board, number);
    }
    board.assert_clean();
    let area = area(&board);
    let first = area.start as usize / SECTOR;
    let worn = &board.flash.wear()[first..area.end as usize / SECTOR];
    Use {
        what,
        a_day,
        sectors: worn.len() as u32,
        sector_len: SECTOR,
        bytes,
        done,
        erased: worn.iter().copied().max().unwrap_or(0),
    }
}

fn rotations<const SECTOR: usize>(what: &'static str, a_day: f64, access_len: usize) -> Use {
    let bytes = chain(1, access_len).len();
    measure::<SECTOR>(
        what,
        a_day,
        bytes,
        1_000,
        |board| board.layout.chain,
        |board, number| {
            board
                .with(async |store| {
                    if number == 1 {
                        store.adopt_chain(&chain(1, access_len)).await?;
                    }
                    let intent = intent(number, access_len);
                    store.store_chain(&intent, StoreWhat::Intent).await?;
                    let tokens = chain(number + 1, access_len);
                    store.store_chain(&tokens, StoreWhat::Tokens).await
                })
                .unwrap();
        },
    )
}

/// A network that is down: one intent per cycle, each of them withdrawn.
fn withdrawals() -> Use {
    let bytes = chain(1, USUAL).len();
    measure::<ESP32>(
        "no network, all ten years",
        96.0,
        bytes,
        1_000,
        |board| board.layout.chain,
        |board, number| {
            board
                .with(async |store| {
                    if number == 1 {
                        store.adopt_chain(&chain(1, USUAL)).await?;
                    }
                    store
                        .store_chain(&intent(1, USUAL), StoreWhat::Intent)
                        .await?;
                    store
                        .store_chain(&chain(1, USUAL), StoreWhat::Withdrawal)
                        .await
                })
                .unwrap();
        },
    )
}

/// A snapshot after every cycle, of a day of this many minutes.
fn snapshots(what: &'static str, minutes: u16) -> Use {
    let reading = reading(minutes);
    let (pacing, memory) = (Pacing::default(), Memory::default());
    let mut buffer = [0; MAX_SNAPSHOT];
    let bytes = encode(Some(&reading), &pacing, &memory, &mut buffer).unwrap();
    measure::<ESP32>(
        what,
        96.0,
        bytes,
        1_000,
        |board| board.layout.snapshot,
        |board, _| {
            let buffer = &mut [0; MAX_SNAPSHOT];
            board
                .with(async |store| {
                    store
                        .save_snapshot(Some(&reading), &pacing, &memory, buffer)
                        .await
                })
                .unwrap();
        },
    )
}

/// Returns a reading of a day's first minutes, fetched right after them; at midnight, of the day that ends.
fn reading(minutes: u16) -> Reading {
    let now = at("2026-11-22T00:00:00Z") + SignedDuration::from_mins(i64::from(minutes));
    let still_today = now - SignedDuration::from_secs(1);
    let rates = (0..minutes).map(|minute| (minute, 60 + minute % 80));
    Reading {
        battery_percent: Some(50),
        last_sync: Some(now),
        fetched_at: now,
        ..readings::with_minutes(Offsets::fixed(Offset::UTC), still_today, rates)
    }
}

fn errors() -> Use {
    measure::<ESP32>(
        "errors",
        96.0,
        106,
        2_000,
        |board| board.layout.errors,
        |board, number| {
            let text = "x".repeat(96);
            board
                .with(async |store| store.log_error(When::Uptime(number), &text).await)
                .unwrap();
        },
    )
}

fn settings() -> Use {
    measure::<ESP32>(
        "settings",
        1.0,
        100,
        500,
        |board| board.layout.settings,
        |board, _| {
            let settings = Settings::default();
            board
                .with(async |store| store.save_settings(&settings, &mut [0; MAX_SETTINGS]).await)
                .unwrap();
        },
    )
}

/// The record of the alarms: the device's module `alarms` bounds the writes.
fn alarms(what: &'static str, a_day: f64, bytes: usize) -> Use {
    measure::<ESP32>(
        what,
        a_day,
        bytes,
        1_000,
        |board| board.layout.alarms,
        |board, number| {
            let mut record = vec![number as u8; bytes];
            record[..5].copy_from_slice(b"PWAL\x01");
            board
                .with(async |store| store.save_alarms(&record).await)
                .unwrap();
        },
    )
}
