//! The power is cut at every step of a factory reset: it has not begun, or it will be finished.

use pulsewing_core::cycle::{Memory, Pacing, StoreWhat};
use pulsewing_store::{
    MAX_SETTINGS, MAX_SNAPSHOT, Settings, StoreError, When,
    mock::{Access, MockError, Tear},
    record_panic,
};

use crate::board::{Board, ESP32, USUAL, VIRT, chain, intent};

/// Returns a board that holds something of every subject.
fn full<const SECTOR: usize>(with_chain: bool) -> Board<SECTOR> {
    let mut board = Board::<SECTOR>::new(2, 3);
    board
        .with(async |store| {
            if with_chain {
                store.adopt_chain(&chain(1, USUAL)).await?;
                store
                    .store_chain(&intent(1, USUAL), StoreWhat::Intent)
                    .await?;
                store
                    .store_chain(&chain(2, USUAL), StoreWhat::Tokens)
                    .await?;
            }
            let mut settings = Settings::default();
            settings.set("wifi.1.ssid", "home").unwrap();
            settings.set("wifi.1.password", "correct horse").unwrap();
            store
                .save_settings(&settings, &mut [0; MAX_SETTINGS])
                .await?;
            let (pacing, memory) = (Pacing::default(), Memory::default());
            let mut buffer = [0; MAX_SNAPSHOT];
            store
                .save_snapshot(None, &pacing, &memory, &mut buffer)
                .await?;
            store
                .log_error(When::Uptime(5), "the network is down")
                .await?;
            store.save_alarms(&[b'a'; 500]).await?;
            let mut roots = store.write_roots(100).await?;
            roots.write(&[b'r'; 100]).await?;
            roots.finish().await?;
            let mut wallpaper = store.write_wallpaper(5_000).await?;
            wallpaper.write(&[0x5a; 5_000]).await?;
            wallpaper.finish().await
        })
        .unwrap();
    let panic = board.layout.panic;
    let written = pulsewing_store::mock::run(record_panic(&mut board.flash, panic, "oh"));
    assert_eq!(written, Ok(true));
    board
}

fn is_erased<const SECTOR: usize>(board: &Board<SECTOR>) -> bool {
    board.flash.bytes().iter().all(|byte| *byte == 0xff)
}

fn cut_a_reset_everywhere<const SECTOR: usize>(with_chain: bool) {
    let board = full::<SECTOR>(with_chain);
    let chain_before = board.clone().record();
    let before = board.flash.bytes().to_vec();
    let (steps, done) = board.count(async |store| store.factory_reset().await);
    assert!(is_erased(&done) && steps > 10);
    let mut unharmed = 0;
    let mut resumed = 0;
    for step in 0..steps {
        let (mut cut, outcome) = board.after_cut(step, Tear::Page, step, async |store| {
            store.factory_reset().await
        });
        assert_eq!(outcome, Err(StoreError::Flash(MockError::NoPower)));
        let seen = cut.record();
        if seen.is_some() {
            // It has not begun: except for one free sector of the chain, nothing has changed.
            let changed = before.iter().zip(cut.flash.bytes()).enumerate();
            let changed = changed.filter(|(_, (before, now))| before != now);
            let chain = cut.layout.chain;
            assert!(changed.map(|(at, _)| at as u32).all(|at| at < chain.end));
        }
        let mut twice = cut.clone();
        let started = cut.with(async |store| store.start().await).unwrap();
        if is_erased(&cut) {
            assert_eq!(cut.record(), None);
            resumed += u32::from(started.finished_reset);
        } else {
            unharmed += 1;
            assert!(!started.finished_reset);
            assert_eq!(
                cut.record(),
                chain_before,
                "step {step}: a half-erased board"
            );
            let buffer = &mut [0; MAX_SETTINGS];
            let settings = cut.with(async |store| store.load_settings(buffer).await);
            assert!(settings.unwrap().is_some(), "step {step}: no settings");
        }
        // The power is cut a second time while the reset is being finished.
        twice.flash.cut(step % 5, Tear::Word);
        let _ = twice.with(async |store| store.start().await);
        twice.flash.restore_power();
        twice.start();
        assert_eq!(is_erased(&twice), is_erased(&cut), "step {step}");
        twice.assert_clean();
    }
    assert!(
        unharmed > 3 && resumed > 5,
        "{unharmed} {resumed} of {steps}"
    );
}

#[test]
fn a_reset_that_is_cut_anywhere_has_not_begun_or_is_finished_at_the_next_start() {
    cut_a_reset_everywhere::<ESP32>(true);
    cut_a_reset_everywhere::<ESP32>(false);
}

#[test]
fn with_sectors_of_256_kib_too() {
    cut_a_reset_everywhere::<VIRT>(true);
}

#[test]
fn a_reset_that_cannot_erase_a_sector_says_so_and_is_tried_again() {
    let mut board = full::<ESP32>(true);
    let settings = board.layout.settings;
    board
        .flash
        .fail(Access::Erase, settings.start..settings.end);
    let reset = board.with(async |store| store.factory_reset().await);
    assert_eq!(reset, Err(StoreError::Flash(MockError::Told)));
    assert_eq!(board.record(), None);
    let adopted = board.with(async |store| store.adopt_chain(&chain(9, USUAL)).await);
    assert_eq!(adopted, Err(StoreError::ResetPending));
    let wallpaper = board.layout.wallpaper;
    let bytes = &board.flash.bytes()[wallpaper.start as usize..wallpaper.end as usize];
    assert!(bytes.iter().all(|byte| *byte == 0xff));
    assert!(board.with(async |store| store.start().await).is_err());
    board.flash.mend();
    board.start();
    assert!(is_erased(&board));
}

#[test]
fn a_sector_that_does_not_become_blank_is_not_taken_for_erased() {
    let mut board = full::<ESP32>(true);
    // Reads fail there, so it is unknown whether it is blank.
    let errors = board.layout.errors;
    board.flash.fail(Access::Read, errors.start..errors.end);
    assert!(
        board
            .with(async |store| store.factory_reset().await)
            .is_err()
    );
}

#[test]
fn a_reset_goes_on_where_its_mark_cannot_be_written() {
    let mut board = full::<ESP32>(true);
    let chain = board.layout.chain;
    board.flash.fail(Access::Write, chain.start..chain.end);
    board
        .with(async |store| store.factory_reset().await)
        .unwrap();
    assert!(is_erased(&board));
}
