//! A board stores chains, settings and errors while the power fails: it finds the chain that it stored last, or
//! the one that it was about to store.
//!
//! Each byte of the input is one operation: its low three bits say which, the others how far a power cut is.

use jiff::Timestamp;
use pulsewing_core::{chain::codec::MAX_RECORD, cycle::StoreWhat};
use pulsewing_store::{
    Area, Layout, MAX_SETTINGS, Settings, Store, When,
    mock::{Geometry, MockFlash, Tear, run as block_on},
};

use crate::chain::chain;

const SECTOR: usize = 4_096;
const SECTORS: u32 = 28;

/// The most operations of one input.
const FUEL: usize = 48;

type Flash = MockFlash<SECTOR>;

/// Runs the operations.
pub fn run(input: &[u8]) {
    let mut flash = MockFlash::new(Geometry { sectors: SECTORS }, 1);
    let mut stored = 0;
    for byte in input.iter().take(FUEL) {
        let next = stored + 1;
        let (found, is_confirmed);
        (flash, is_confirmed) = block_on(operate(flash, byte & 7, byte >> 3, next));
        (flash, found) = block_on(generation(flash));
        match is_confirmed {
            Some(true) => assert_eq!(found, next, "a confirmed chain is lost"),
            // It failed, or the power was cut: the old one or the new one.
            Some(false) => assert!(found == stored || found == next, "{found} for {stored}"),
            None => assert_eq!(found, stored, "a chain is lost to something else"),
        }
        stored = found;
    }
}

fn store(flash: Flash) -> Store<Flash> {
    let partition = Area {
        start: 0,
        end: SECTORS * SECTOR as u32,
    };
    let layout = Layout::within(partition, SECTOR as u32).expect("the store fits");
    Store::new(flash, layout).expect("the layout fits the flash")
}

/// Does one operation, perhaps with a power cut in it; returns whether a chain was confirmed, if one was to be
/// stored.
async fn operate(mut flash: Flash, operation: u8, cut: u8, next: u32) -> (Flash, Option<bool>) {
    let is_cut = operation & 1 != 0;
    if is_cut {
        flash.cut(u64::from(cut) * 7, Tear::Word);
    }
    let mut board = store(flash);
    let is_confirmed = match operation >> 1 {
        0 => {
            let stored = board.store_chain(&chain(next), StoreWhat::Tokens).await;
            Some(stored.is_ok())
        }
        1 => Some(board.adopt_chain(&chain(next)).await.is_ok()),
        2 => {
            let mut buffer = [0; MAX_SETTINGS];
            let _ = board.save_settings(&Settings::default(), &mut buffer).await;
            None
        }
        _ => {
            let when = When::At(Timestamp::UNIX_EPOCH);
            let _ = board.log_error(when, "the network is gone").await;
            None
        }
    };
    let mut flash = board.into_flash();
    if is_cut {
        flash.restore_power();
    }
    (flash, is_confirmed)
}

/// Starts a board and finds the generation of its chain.
async fn generation(flash: Flash) -> (Flash, u32) {
    let mut board = store(flash);
    board.start().await.expect("nothing fails");
    let mut buffer = [0; MAX_RECORD];
    let loaded = board.load_chain(&mut buffer).await.expect("nothing fails");
    let generation = loaded.map_or(0, |loaded| loaded.record.chain.generation());
    (board.into_flash(), generation)
}
