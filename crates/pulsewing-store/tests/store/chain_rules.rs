//! The rules of the chain apart from power cuts: what takes precedence over it, what it refuses,
//! what it erases.

use pulsewing_core::{chain::codec::MAX_RECORD, cycle::StoreWhat};
use pulsewing_store::{
    StoreError,
    mock::{Access, Done, MockError},
};

use crate::board::{
    Board, ESP32, LONGEST, Outcome, USUAL, VIRT, chain, decoded, intent, refresh_token,
};

const SECTOR: u32 = ESP32 as u32;

fn store<const S: usize>(board: &mut Board<S>, bytes: &[u8], what: StoreWhat) -> Outcome<()> {
    board.with(async |store| store.store_chain(bytes, what).await)
}

fn adopt<const S: usize>(board: &mut Board<S>, bytes: &[u8]) -> Outcome<()> {
    board.with(async |store| store.adopt_chain(bytes).await)
}

fn rotate<const S: usize>(board: &mut Board<S>, generation: u32, access_len: usize) {
    store(board, &intent(generation, access_len), StoreWhat::Intent).unwrap();
    store(board, &chain(generation + 1, access_len), StoreWhat::Tokens).unwrap();
}

fn at_generation<const S: usize>(generation: u32, access_len: usize) -> Board<S> {
    let mut board = Board::new(0, 7);
    adopt(&mut board, &chain(1, access_len)).unwrap();
    for generation in 1..generation {
        rotate(&mut board, generation, access_len);
    }
    board
}

#[test]
fn an_erased_flash_holds_no_chain() {
    assert_eq!(Board::<ESP32>::new(0, 1).load(), Ok(None));
    assert_eq!(Board::<VIRT>::new(0, 1).load(), Ok(None));
}

fn storing_the_answer_erases_nothing<const S: usize>() {
    for access_len in [USUAL, LONGEST] {
        let mut board = at_generation::<S>(1, access_len);
        for generation in 1..12 {
            store(
                &mut board,
                &intent(generation, access_len),
                StoreWhat::Intent,
            )
            .unwrap();
            let before = board.flash.history().len();
            store(
                &mut board,
                &chain(generation + 1, LONGEST),
                StoreWhat::Tokens,
            )
            .unwrap();
            let is_erase = |done: &Done| matches!(done, Done::Erase { .. });
            assert!(!board.flash.history()[before..].iter().any(is_erase));
        }
    }
}

#[test]
fn storing_the_answer_to_a_refresh_erases_nothing_however_long_it_is() {
    storing_the_answer_erases_nothing::<ESP32>();
    storing_the_answer_erases_nothing::<VIRT>();
}

#[test]
fn an_intent_for_whose_answer_no_room_can_be_made_is_not_confirmed_and_not_there() {
    let mut board = at_generation::<ESP32>(3, USUAL);
    let old = board.record();
    board.flash.fail(Access::Erase, 0..4 * SECTOR);
    // The next sector and another one are dirty, so that neither has room.
    for sector in 0..4 {
        let bytes = &mut board.flash.bytes_mut()[sector * ESP32..][..ESP32];
        if bytes.iter().all(|byte| *byte == 0xff) {
            bytes[ESP32 - 1] = 0;
        }
    }
    assert_eq!(
        store(&mut board, &intent(3, USUAL), StoreWhat::Intent),
        Err(StoreError::Flash(MockError::Told))
    );
    assert_eq!(board.record(), old);
    board.flash.mend();
    rotate(&mut board, 3, USUAL);
}

#[test]
fn bytes_beyond_the_last_record_are_not_written_over() {
    let mut board = at_generation::<ESP32>(2, USUAL);
    store(&mut board, &intent(2, USUAL), StoreWhat::Intent).unwrap();
    let record = intent(2, USUAL);
    let end = (place_of(&board, &record) + record.len()).next_multiple_of(32) + 32;
    board.flash.bytes_mut()[end + 100] = 0;
    store(&mut board, &chain(3, USUAL), StoreWhat::Tokens).unwrap();
    board.assert_clean();
    assert_eq!(board.record(), Some(decoded(&chain(3, USUAL))));
}

#[test]
fn one_sector_of_four_may_wear_out() {
    for sector in 0..4 {
        let mut board = at_generation::<ESP32>(1, USUAL);
        board
            .flash
            .fail(Access::Erase, sector * SECTOR..(sector + 1) * SECTOR);
        for generation in 1..20 {
            rotate(&mut board, generation, LONGEST);
            assert_eq!(
                board.record(),
                Some(decoded(&chain(generation + 1, LONGEST)))
            );
        }
    }
}

#[test]
fn a_sector_that_does_not_take_a_write_is_passed_over() {
    let mut board = at_generation::<ESP32>(1, USUAL);
    board.flash.fail(Access::Write, 2 * SECTOR..3 * SECTOR);
    for generation in 1..20 {
        rotate(&mut board, generation, USUAL);
        assert_eq!(board.record(), Some(decoded(&chain(generation + 1, USUAL))));
    }
}

#[test]
fn a_write_that_fails_says_so_and_leaves_the_old_record() {
    let mut board = at_generation::<ESP32>(2, USUAL);
    store(&mut board, &intent(2, USUAL), StoreWhat::Intent).unwrap();
    board.flash.fail(Access::Write, 0..4 * SECTOR);
    let tokens = chain(3, USUAL);
    assert_eq!(
        store(&mut board, &tokens, StoreWhat::Tokens),
        Err(StoreError::Flash(MockError::Told))
    );
    assert_eq!(board.record(), Some(decoded(&intent(2, USUAL))));
    board.flash.mend();
    store(&mut board, &tokens, StoreWhat::Tokens).unwrap();
    assert_eq!(board.record(), Some(decoded(&tokens)));
}

#[test]
fn what_reads_back_as_something_else_is_not_confirmed() {
    let mut board = at_generation::<ESP32>(2, USUAL);
    store(&mut board, &intent(2, USUAL), StoreWhat::Intent).unwrap();
    let old = board.record();
    // Cells that no longer take a write, in every place that the answer could be written to.
    for sector in 0..4 {
        board
            .flash
            .ignore(Access::Write, sector * SECTOR + 40..sector * SECTOR + 44);
        board
            .flash
            .ignore(Access::Write, sector * SECTOR + 800..sector * SECTOR + 804);
    }
    let tokens = chain(3, USUAL);
    assert_eq!(
        store(&mut board, &tokens, StoreWhat::Tokens),
        Err(StoreError::Worn)
    );
    board.flash.mend();
    assert_eq!(board.record(), old, "what was not confirmed counts");
    store(&mut board, &tokens, StoreWhat::Tokens).unwrap();
    assert_eq!(board.record(), Some(decoded(&tokens)));
}

#[test]
fn a_sector_that_stays_as_it_is_when_erased_is_passed_over() {
    for sector in 0..4 {
        let mut board = at_generation::<ESP32>(1, USUAL);
        board
            .flash
            .ignore(Access::Erase, sector * SECTOR..(sector + 1) * SECTOR);
        for generation in 1..20 {
            rotate(&mut board, generation, USUAL);
            assert_eq!(board.record(), Some(decoded(&chain(generation + 1, USUAL))));
        }
        board.assert_clean();
        // A sign-out does not make its remains visible either.
        let erased = board.with(async |store| store.erase_chain().await);
        assert_eq!(erased, Err(StoreError::Worn));
        assert_eq!(board.load(), Ok(None));
        assert!(board.with(async |store| store.start().await).is_err());
        assert_eq!(board.load(), Ok(None));
        adopt(&mut board, &chain(1, USUAL)).unwrap();
        assert_eq!(board.record(), Some(decoded(&chain(1, USUAL))));
    }
}

#[test]
fn a_flash_that_cannot_be_read_yields_no_older_record() {
    let mut board = at_generation::<ESP32>(4, USUAL);
    let newest = board.record();
    for sector in 0..4 {
        let range = sector * SECTOR..(sector + 1) * SECTOR;
        board.flash.fail(Access::Read, range);
        assert_eq!(board.load(), Err(StoreError::Flash(MockError::Told)));
        let tokens = chain(5, USUAL);
        let outcome = store(&mut board, &tokens, StoreWhat::Tokens);
        assert_eq!(outcome, Err(StoreError::Flash(MockError::Told)));
        board.flash.mend();
        assert_eq!(board.record(), newest);
    }
}

/// Returns the address of a record.
fn place_of<const S: usize>(board: &Board<S>, record: &[u8]) -> usize {
    let places: Vec<usize> = board
        .flash
        .bytes()
        .windows(record.len())
        .enumerate()
        .filter(|(_, window)| *window == record)
        .map(|(place, _)| place)
        .collect();
    assert_eq!(places.len(), 1);
    places[0]
}

#[test]
fn only_a_damaged_record_makes_the_one_before_count() {
    let mut board = at_generation::<ESP32>(3, USUAL);
    let place = place_of(&board, &chain(3, USUAL));
    for bit in [0, 5, 700, 8 * 400 + 3] {
        let mut board = board.clone();
        board.flash.bytes_mut()[place + bit / 8] ^= 1 << (bit % 8);
        let loaded = board.load().unwrap().unwrap();
        assert!(loaded.is_previous);
        assert_eq!(loaded.record, decoded(&intent(2, USUAL)));
        // This one is protected now, and the number of the damaged one is not used again.
        rotate(&mut board, 2, USUAL);
        let loaded = board.load().unwrap().unwrap();
        assert_eq!(
            (loaded.record.chain.generation(), loaded.is_previous),
            (3, false)
        );
    }
    assert!(!board.load().unwrap().unwrap().is_previous);
}

#[test]
fn a_few_bits_of_a_seal_that_fade_break_nothing() {
    let mut board = at_generation::<ESP32>(3, USUAL);
    let record = chain(3, USUAL);
    let seal = (place_of(&board, &record) + record.len()).next_multiple_of(32);
    assert_eq!(board.flash.bytes()[seal..seal + 32], [0; 32]);
    for index in 0..60 {
        board.flash.bytes_mut()[seal + index / 2] ^= 0x80 >> (index % 2);
    }
    assert_eq!(board.record(), Some(decoded(&record)));
}

#[test]
fn when_everything_is_damaged_it_says_so_and_a_sign_in_mends_it() {
    let mut board = Board::<ESP32>::new(0, 7);
    adopt(&mut board, &chain(1, USUAL)).unwrap();
    let place = place_of(&board, &chain(1, USUAL));
    board.flash.bytes_mut()[place + 20] ^= 1;
    assert_eq!(board.load(), Err(StoreError::Damaged));
    board.start();
    assert_eq!(board.load(), Err(StoreError::Damaged));
    adopt(&mut board, &chain(1, USUAL)).unwrap();
    assert_eq!(board.record(), Some(decoded(&chain(1, USUAL))));
}

#[test]
fn a_newer_record_is_refused_and_left_untouched() {
    let mut board = at_generation::<ESP32>(3, USUAL);
    // As a later Pulsewing would have written it: its checksums are correct.
    let record = chain(3, USUAL);
    let place = place_of(&board, &record);
    let mut newer = record.clone();
    newer[4] = 2;
    let head = place - 32;
    let bytes = board.flash.bytes_mut();
    bytes[place..place + newer.len()].copy_from_slice(&newer);
    bytes[head + 20..head + 24].copy_from_slice(&crc32(&newer).to_le_bytes());
    let crc = crc32(&bytes[head..head + 28]);
    bytes[head + 28..head + 32].copy_from_slice(&crc.to_le_bytes());
    refuses_all_but_a_reset(board, 2);
}

#[test]
fn a_newer_frame_is_refused_and_left_untouched() {
    let mut board = at_generation::<ESP32>(3, USUAL);
    let head = place_of(&board, &chain(3, USUAL)) - 32;
    let bytes = board.flash.bytes_mut();
    bytes[head + 5] = 9;
    let crc = crc32(&bytes[head..head + 28]);
    bytes[head + 28..head + 32].copy_from_slice(&crc.to_le_bytes());
    refuses_all_but_a_reset(board, 9);
}

fn refuses_all_but_a_reset(mut board: Board<ESP32>, version: u8) {
    let before = board.flash.bytes().to_vec();
    let newer = Err(StoreError::Newer(version));
    board.start();
    assert_eq!(board.load(), Err(StoreError::Newer(version)));
    for what in [StoreWhat::Intent, StoreWhat::Tokens, StoreWhat::Withdrawal] {
        assert_eq!(store(&mut board, &intent(3, USUAL), what), newer);
    }
    assert_eq!(adopt(&mut board, &chain(4, USUAL)), newer);
    assert_eq!(board.with(async |store| store.erase_chain().await), newer);
    assert_eq!(
        board.with(async |store| store.reserve_answer().await),
        newer
    );
    assert!(board.flash.bytes() == before);
    board
        .with(async |store| store.factory_reset().await)
        .unwrap();
    assert!(board.flash.bytes().iter().all(|byte| *byte == 0xff));
}

/// Computes the CRC-32 of Ethernet bit by bit, independently of the library.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & 0_u32.wrapping_sub(crc & 1))
        })
    })
}

#[test]
fn an_older_generation_is_refused() {
    let mut board = at_generation::<ESP32>(5, USUAL);
    let older = Err(StoreError::Older { stored: 5 });
    assert_eq!(adopt(&mut board, &chain(4, USUAL)), older);
    assert_eq!(
        store(&mut board, &chain(4, USUAL), StoreWhat::Tokens),
        older
    );
    adopt(&mut board, &chain(5, USUAL)).unwrap();
    board.with(async |store| store.erase_chain().await).unwrap();
    adopt(&mut board, &chain(4, USUAL)).unwrap();
}

#[test]
fn what_is_no_record_is_not_stored() {
    let mut board = at_generation::<ESP32>(2, USUAL);
    let mut damaged = chain(3, USUAL);
    damaged[30] ^= 1;
    let too_long = [chain(3, USUAL), vec![0; MAX_RECORD]].concat();
    for bytes in [&[][..], &damaged, &too_long] {
        assert_eq!(
            store(&mut board, bytes, StoreWhat::Tokens),
            Err(StoreError::Unfit)
        );
        assert_eq!(adopt(&mut board, bytes), Err(StoreError::Unfit));
    }
    assert_eq!(board.record(), Some(decoded(&chain(2, USUAL))));
    let small = board.with(async |store| store.load_chain(&mut [0; 100]).await);
    assert_eq!(small, Err(StoreError::Unfit));
}

fn old_tokens_go<const S: usize>() {
    let mut board = at_generation::<S>(1, USUAL);
    for generation in 1..20 {
        store(&mut board, &intent(generation, USUAL), StoreWhat::Intent).unwrap();
        // The current chain and the previous one are there, and nothing older.
        for old in 1..generation.saturating_sub(1) {
            assert!(!board.holds(&refresh_token(old)), "{old} at {generation}");
        }
        store(&mut board, &chain(generation + 1, USUAL), StoreWhat::Tokens).unwrap();
    }
}

#[test]
fn a_spent_token_is_gone_when_the_second_intent_after_its_own_is_confirmed() {
    old_tokens_go::<ESP32>();
}

#[test]
fn sectors_of_256_kib_keep_spent_tokens_no_longer() {
    old_tokens_go::<VIRT>();
}

#[test]
fn a_sign_in_and_a_sign_out_erase_what_was_before() {
    let mut board = at_generation::<ESP32>(4, USUAL);
    adopt(&mut board, &chain(5, USUAL)).unwrap();
    for old in 1..5 {
        assert!(!board.holds(&refresh_token(old)));
    }
    board.with(async |store| store.erase_chain().await).unwrap();
    assert_eq!(board.load(), Ok(None));
    assert!(board.flash.bytes().iter().all(|byte| *byte == 0xff));
}

#[test]
fn what_a_sign_in_could_not_erase_is_erased_at_the_next_start() {
    let mut board = at_generation::<ESP32>(2, USUAL);
    let used: Vec<u32> = (0..4)
        .filter(|sector| {
            let bytes = &board.flash.bytes()[*sector as usize * ESP32..][..ESP32];
            bytes.iter().any(|byte| *byte != 0xff)
        })
        .collect();
    for sector in used {
        board
            .flash
            .fail(Access::Erase, sector * SECTOR..(sector + 1) * SECTOR);
    }
    adopt(&mut board, &chain(3, USUAL)).unwrap();
    assert!(board.holds(&refresh_token(2)));
    board.flash.mend();
    board.start();
    assert!(!board.holds(&refresh_token(2)));
    assert_eq!(board.record(), Some(decoded(&chain(3, USUAL))));
}
