//! A store on a mock flash, and records to put there.

use jiff::{SignedDuration, Timestamp};
use pulsewing_core::{
    AccessToken, Provider, RefreshToken,
    chain::{Client, Intent, Record, Unstored, codec::MAX_RECORD},
    oauth::{Grant, Scopes},
};
use pulsewing_store::{
    Area, Layout, LoadedChain, Store, StoreError,
    mock::{Geometry, MockError, MockFlash, Tear, run},
};

pub(crate) const ESP32: usize = 4_096;
pub(crate) const VIRT: usize = 256 * 1_024;

/// The length of access tokens: Fitbit's are JWTs of some 300 bytes.
pub(crate) const USUAL: usize = 300;
pub(crate) const LONGEST: usize = AccessToken::MAX;

pub(crate) type Outcome<T> = Result<T, StoreError<MockError>>;

/// A board: a flash and its layout.
#[derive(Clone, Debug)]
pub(crate) struct Board<const SECTOR: usize> {
    pub(crate) flash: MockFlash<SECTOR>,
    pub(crate) layout: Layout,
}

impl<const SECTOR: usize> Board<SECTOR> {
    /// Creates an erased board with `wallpaper` sectors for a wallpaper. Its chain has only four
    /// sectors, so that they soon wrap around.
    pub(crate) fn new(wallpaper: u32, seed: u64) -> Self {
        let mut board = Self::whole(wallpaper, seed);
        board.layout.chain.end = board.layout.chain.start + 4 * SECTOR as u32;
        board
    }

    /// Creates an erased board with the default layout.
    pub(crate) fn whole(wallpaper: u32, seed: u64) -> Self {
        let fixed = if SECTOR == ESP32 { 27 } else { 23 };
        let sectors = fixed + wallpaper;
        let partition = Area {
            start: 0,
            end: sectors * SECTOR as u32,
        };
        Self {
            flash: MockFlash::new(Geometry { sectors }, seed),
            layout: Layout::within(partition, SECTOR as u32).unwrap(),
        }
    }

    /// Runs `act` with a store on this board's flash.
    pub(crate) fn with<T>(
        &mut self,
        act: impl AsyncFnOnce(&mut Store<MockFlash<SECTOR>>) -> T,
    ) -> T {
        let flash = std::mem::replace(&mut self.flash, MockFlash::new(Geometry { sectors: 0 }, 0));
        let mut store = Store::new(flash, self.layout).unwrap();
        let result = run(act(&mut store));
        self.flash = store.into_flash();
        result
    }

    /// Returns a copy of the board on which the power was cut after this many steps of `act`, and
    /// then restored; also returns the result of `act`.
    pub(crate) fn after_cut<T>(
        &self,
        steps: u64,
        tear: Tear,
        seed: u64,
        act: impl AsyncFnOnce(&mut Store<MockFlash<SECTOR>>) -> Outcome<T>,
    ) -> (Self, Outcome<T>) {
        let mut board = self.clone();
        board.flash.reseed(seed);
        board.flash.cut(steps, tear);
        let outcome = board.with(act);
        board.flash.restore_power();
        (board, outcome)
    }

    /// Returns the number of steps that `act` takes, and the board after it.
    pub(crate) fn count<T>(
        &self,
        act: impl AsyncFnOnce(&mut Store<MockFlash<SECTOR>>) -> Outcome<T>,
    ) -> (u64, Self) {
        let mut board = self.clone();
        let before = board.flash.steps();
        board.with(act).map(|_| ()).unwrap();
        (board.flash.steps() - before, board)
    }

    pub(crate) fn start(&mut self) {
        self.with(async |store| store.start().await).unwrap();
    }

    pub(crate) fn load(&mut self) -> Outcome<Option<LoadedChain>> {
        self.with(async |store| store.load_chain(&mut [0; MAX_RECORD]).await)
    }

    /// Returns the current record.
    pub(crate) fn record(&mut self) -> Option<Record> {
        self.load().unwrap().map(|loaded| loaded.record)
    }

    /// Returns whether these bytes are anywhere on the flash.
    pub(crate) fn holds(&self, text: &str) -> bool {
        let text = text.as_bytes();
        let bytes = self.flash.bytes();
        // Most of it is erased; each piece reaches a text's length into the next.
        (0..bytes.len()).step_by(4_096).any(|at| {
            let piece = &bytes[at..(at + 4_096 + text.len()).min(bytes.len())];
            let is_blank = piece.starts_with(&[0xff; 4_096]) && piece.ends_with(&[0xff; 64]);
            !is_blank && piece.windows(text.len()).any(|window| window == text)
        })
    }

    pub(crate) fn assert_clean(&self) {
        assert_eq!(self.flash.complaints(), []);
    }
}

pub(crate) fn at_generation(generation: u32) -> Timestamp {
    let first: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
    first + SignedDuration::from_hours(8 * i64::from(generation))
}

pub(crate) fn refresh_token(generation: u32) -> String {
    format!("refresh-{generation:08}-{}", "0123456789abcdef".repeat(3))
}

/// Returns the chain of a generation, as the store is to hold it.
pub(crate) fn chain(generation: u32, access_len: usize) -> Vec<u8> {
    let unstored = Unstored::signed_in(
        Provider::Fitbit,
        "https://api.fitbit.com".try_into().unwrap(),
        Client {
            id: "23ABCD".try_into().unwrap(),
            secret: None,
        },
        Grant {
            refresh: Some(RefreshToken::new(refresh_token(generation)).unwrap()),
            access: Some((
                AccessToken::new(format!("{generation:08}").repeat(access_len / 8)).unwrap(),
                28_800,
            )),
            scopes: None,
            refresh_lifetime_s: None,
            user_id: Some("4ABCDE".try_into().unwrap()),
        },
        Scopes::ALL,
        generation.checked_sub(1),
        at_generation(generation),
    );
    let mut buffer = [0; MAX_RECORD];
    unstored.unwrap().encode(&mut buffer).unwrap().to_vec()
}

/// Returns the same chain with the intent to refresh it.
pub(crate) fn intent(generation: u32, access_len: usize) -> Vec<u8> {
    let record = Record::decode(&chain(generation, access_len)).unwrap();
    let record = Record {
        intent: Some(Intent {
            generation,
            first_sent_at: at_generation(generation + 1),
        }),
        ..record
    };
    let mut buffer = [0; MAX_RECORD];
    record.encode(&mut buffer).unwrap().to_vec()
}

/// Returns the same chain, refused by its provider.
pub(crate) fn refused(generation: u32, access_len: usize) -> Vec<u8> {
    let record = Record::decode(&chain(generation, access_len)).unwrap();
    let mut buffer = [0; MAX_RECORD];
    record.chain.refused().encode(&mut buffer).unwrap().to_vec()
}

pub(crate) fn decoded(record: &[u8]) -> Record {
    Record::decode(record).unwrap()
}
