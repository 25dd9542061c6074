//! Arbitrary flash images: the store never panics and always terminates.

use proptest::prelude::*;
use pulsewing_core::{
    alarm::{self, Limits},
    chain::codec::MAX_RECORD,
    cycle::StoreWhat,
};
use pulsewing_store::{MAX_SETTINGS, MAX_SNAPSHOT, Settings, When, mock::Tear};

use crate::board::{Board, ESP32, USUAL, VIRT, chain, decoded, intent};

/// Reads everything, then uses everything. Returns the number of bytes that reading everything
/// read.
fn use_everything<const SECTOR: usize>(board: &mut Board<SECTOR>) -> u64 {
    let before = board.flash.read_bytes();
    board.with(async |store| {
        let _ = store.load_chain(&mut [0; MAX_RECORD]).await;
        let _ = store.load_settings(&mut [0; MAX_SETTINGS]).await;
        let _ = store.load_snapshot(&mut [0; MAX_SNAPSHOT]).await;
        let _ = store.errors().await;
        let _ = store
            .load_alarms(Limits::default(), &mut [0; alarm::MAX_RECORD])
            .await;
        if let Ok(Some(mut roots)) = store.roots().await {
            let _ = roots.read(0, &mut [0; 64]).await;
            let _ = roots.read(u32::MAX, &mut [0; 64]).await;
        }
        let _ = store
            .wallpaper()
            .await
            .map(|wallpaper| wallpaper.map(|w| w.len()));
    });
    let read = board.flash.read_bytes() - before;
    board.with(async |store| {
        let _ = store.take_panic().await;
        let _ = store.start().await;
        let _ = store
            .store_chain(&intent(7, USUAL), StoreWhat::Intent)
            .await;
        let _ = store.store_chain(&chain(8, USUAL), StoreWhat::Tokens).await;
        let _ = store.adopt_chain(&chain(9, USUAL)).await;
        let _ = store
            .save_settings(&Settings::default(), &mut [0; MAX_SETTINGS])
            .await;
        let _ = store.log_error(When::Uptime(1), "x").await;
        let _ = store.save_alarms(&[b'a'; 500]).await;
        store.factory_reset().await.unwrap();
    });
    assert!(board.flash.bytes().iter().all(|byte| *byte == 0xff));
    board.assert_clean();
    read
}

/// Returns a board after some use.
fn used(rotations: u32) -> Board<ESP32> {
    let mut board = Board::<ESP32>::whole(2, 9);
    board
        .with(async |store| {
            store.adopt_chain(&chain(1, USUAL)).await?;
            for generation in 1..=rotations {
                let intent = intent(generation, USUAL);
                store.store_chain(&intent, StoreWhat::Intent).await?;
                let tokens = chain(generation + 1, USUAL);
                store.store_chain(&tokens, StoreWhat::Tokens).await?;
                store
                    .log_error(When::Uptime(generation), "no network")
                    .await?;
            }
            store
                .save_settings(&Settings::default(), &mut [0; MAX_SETTINGS])
                .await
        })
        .unwrap();
    board
}

#[test]
fn the_worst_images_are_read_within_bounds() {
    // All zeros, alternating grains, and frames that begin everywhere.
    let head: Vec<u8> = used(1).flash.bytes()[..32].to_vec();
    let patterns: [&dyn Fn(usize) -> u8; 4] = [
        &|_| 0,
        &|at| if at / 32 % 2 == 0 { 0xff } else { 0 },
        &|at| head[at % 32],
        &|at| if at % 32 < 4 { b"PWFR"[at % 32] } else { 0 },
    ];
    for pattern in patterns {
        let mut board = Board::<ESP32>::whole(2, 9);
        for (at, byte) in board.flash.bytes_mut().iter_mut().enumerate() {
            *byte = pattern(at);
        }
        let size = board.flash.bytes().len() as u64;
        let read = use_everything(&mut board);
        assert!(read < 20 * size, "{read} of {size}");
    }
}

#[test]
fn a_flash_full_of_sound_frames_that_hold_no_record_is_read_within_bounds() {
    // The frames that load_chain finds are valid, but their records are not: it gives up soon.
    let mut board = Board::<VIRT>::whole(0, 9);
    let mut one = Board::<VIRT>::whole(0, 9);
    one.with(async |store| store.log_error(When::Uptime(1), "x").await)
        .unwrap();
    let errors = one.layout.errors.start as usize;
    let mut frame = one.flash.bytes()[errors..errors + 96].to_vec();
    frame[4] = 1;
    let crc = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC).checksum(&frame[..28]);
    frame[28..32].copy_from_slice(&crc.to_le_bytes());
    for (at, byte) in board.flash.bytes_mut().iter_mut().enumerate() {
        if at < 8 * VIRT / 96 * 96 {
            *byte = frame[at % 96];
        }
    }
    let size = board.flash.bytes().len() as u64;
    assert!(board.load().is_err());
    assert!(board.flash.read_bytes() < 10 * size);
    use_everything(&mut board);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn random_images_do_no_harm(seed in any::<u64>(), density in 0_u32..4) {
        let mut board = Board::<ESP32>::whole(2, seed);
        let mut random = seed | 1;
        for byte in board.flash.bytes_mut() {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            *byte = match density {
                0 => random.to_le_bytes()[0],
                _ if random % 64 < 16 * u64::from(density) => random.to_le_bytes()[1],
                _ => 0xff,
            };
        }
        let size = board.flash.bytes().len() as u64;
        prop_assert!(use_everything(&mut board) < 20 * size);
    }

    #[test]
    fn flipped_bits_in_a_used_flash_yield_a_record_that_was_written_or_none(
        flips in proptest::collection::vec((0_usize..23 * ESP32, 0_u8..8), 1..200),
        rotations in 0_u32..7,
        near in any::<bool>(),
    ) {
        let mut board = used(rotations);
        for (place, bit) in flips {
            let place = if near { place % (8 * ESP32) } else { place };
            board.flash.bytes_mut()[place] ^= 1 << bit;
        }
        if let Ok(Some(loaded)) = board.load() {
            let written = (1..=rotations + 1).any(|generation| {
                loaded.record == decoded(&chain(generation, USUAL))
                    || loaded.record == decoded(&intent(generation, USUAL))
            });
            prop_assert!(written);
        }
        use_everything(&mut board);
    }

    #[test]
    fn a_cut_in_the_middle_of_anything_on_a_spoilt_flash_does_no_harm(
        flips in proptest::collection::vec((0_usize..23 * ESP32, 0_u8..8), 0..50),
        cut in 0_u64..2_000,
    ) {
        let mut board = used(3);
        for (place, bit) in flips {
            board.flash.bytes_mut()[place] ^= 1 << bit;
        }
        board.flash.cut(cut, Tear::Page);
        board.with(async |store| {
            let _ = store.start().await;
            let _ = store.store_chain(&intent(4, USUAL), StoreWhat::Intent).await;
            let _ = store.store_chain(&chain(5, USUAL), StoreWhat::Tokens).await;
            let _ = store.factory_reset().await;
        });
        board.flash.restore_power();
        board.start();
        use_everything(&mut board);
    }
}
