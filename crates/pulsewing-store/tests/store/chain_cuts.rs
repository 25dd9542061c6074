//! The power is cut at every step of a rotation: the old record is there, or the new one.

use proptest::prelude::*;
use pulsewing_core::{
    chain::{Record, codec::MAX_RECORD},
    cycle::StoreWhat,
};
use pulsewing_store::mock::{Done, Tear};

use crate::board::{Board, ESP32, LONGEST, USUAL, VIRT, chain, decoded, intent, refused};

/// The last words of a write are its seal.
const SEAL_STEPS: u64 = 8;

/// A write, and its bytes.
type Write = (StoreWhat, Vec<u8>);

/// Cuts the power in the middle of every one of `steps` of a write, starts again, and checks the
/// stored record; then repeats the write, as the cycle does. Returns the board on which it was not
/// interrupted.
fn cut_everywhere<const SECTOR: usize>(
    board: &Board<SECTOR>,
    (what, bytes): &Write,
    is_cut: impl Fn(u64) -> bool,
) -> Board<SECTOR> {
    let old = board.clone().record();
    let new = decoded(bytes);
    let (steps, done) = board.count(async |store| store.store_chain(bytes, *what).await);
    for step in (0..steps).filter(|step| is_cut(*step)) {
        for tear in [Tear::Word, Tear::Page] {
            let seed = step << 8 | u64::from(new.chain.generation());
            let (mut cut, outcome) = board.after_cut(step, tear, seed, async |store| {
                store.store_chain(bytes, *what).await
            });
            outcome.expect_err("what was cut off was confirmed");
            let before_start = cut.record();
            cut.start();
            let found = cut.record();
            assert_eq!(before_start, found, "starting changed what counts");
            assert!(
                found == old || found.as_ref() == Some(&new),
                "step {step} of {steps}, {tear:?}: neither the old record nor the new one"
            );
            if step + SEAL_STEPS < steps {
                assert_eq!(
                    found, old,
                    "step {step} of {steps}: new before it was sealed"
                );
            }
            repeat(&mut cut, found.as_ref(), *what, bytes);
            assert_eq!(cut.record().as_ref(), Some(&new));
            cut.assert_clean();
        }
    }
    done.assert_clean();
    done
}

/// Does what follows after a restart: makes room for the answer, then repeats the write. A protocol
/// that repeats a refresh gets the same pair.
fn repeat<const SECTOR: usize>(
    board: &mut Board<SECTOR>,
    found: Option<&Record>,
    what: StoreWhat,
    bytes: &[u8],
) {
    board
        .with(async |store| {
            if found.is_some_and(|record| record.intent.is_some()) {
                store.reserve_answer().await?;
            }
            store.store_chain(bytes, what).await
        })
        .unwrap();
}

fn signed_in<const SECTOR: usize>(access_len: usize) -> Board<SECTOR> {
    let mut board = Board::new(0, 1);
    board
        .with(async |store| store.adopt_chain(&chain(1, access_len)).await)
        .unwrap();
    board
}

#[test]
fn a_rotation_that_is_cut_anywhere_leaves_the_old_record_or_the_new_one() {
    let mut board = signed_in::<ESP32>(USUAL);
    // Nine rotations use each of the four sectors at least twice.
    for generation in 1..=9 {
        let writes = [
            (StoreWhat::Intent, intent(generation, USUAL)),
            (StoreWhat::Tokens, chain(generation + 1, USUAL)),
        ];
        for write in &writes {
            board = cut_everywhere(&board, write, |_| true);
        }
    }
    assert!(board.flash.wear().iter().take(4).all(|erased| *erased >= 1));
}

#[test]
fn the_longest_records_too() {
    let mut board = signed_in::<ESP32>(LONGEST);
    for generation in 1..=5 {
        for write in [
            (StoreWhat::Intent, intent(generation, LONGEST)),
            (StoreWhat::Tokens, chain(generation + 1, LONGEST)),
        ] {
            board = cut_everywhere(&board, &write, |step| step % 7 < 2);
        }
    }
}

#[test]
fn withdrawals_refusals_and_cached_tokens_too() {
    let mut board = signed_in::<ESP32>(USUAL);
    for write in [
        (StoreWhat::Intent, intent(1, USUAL)),
        (StoreWhat::Withdrawal, chain(1, USUAL)),
        (StoreWhat::Cache, chain(1, LONGEST)),
        (StoreWhat::Intent, intent(1, USUAL)),
        (StoreWhat::Tokens, chain(2, USUAL)),
        (StoreWhat::Intent, intent(2, USUAL)),
        (StoreWhat::Refusal, refused(2, USUAL)),
    ] {
        board = cut_everywhere(&board, &write, |_| true);
    }
}

#[test]
fn sectors_of_256_kib_too() {
    let mut board = signed_in::<VIRT>(USUAL);
    for generation in 1..=5 {
        for write in [
            (StoreWhat::Intent, intent(generation, USUAL)),
            (StoreWhat::Tokens, chain(generation + 1, USUAL)),
        ] {
            // The erase is the first step, and the last ones seal.
            board = cut_everywhere(&board, &write, |step| {
                step < 4 || step % 23 == u64::from(generation)
            });
        }
    }
    assert!(board.flash.wear().iter().take(4).all(|erased| *erased >= 1));
}

#[test]
fn hundreds_of_rotations_cut_at_every_erase_and_elsewhere() {
    let mut board = signed_in::<ESP32>(USUAL);
    for generation in 1..=400 {
        for write in [
            (StoreWhat::Intent, intent(generation, USUAL)),
            (StoreWhat::Tokens, chain(generation + 1, USUAL)),
        ] {
            let erases = erase_steps(&board, &write);
            board = cut_everywhere(&board, &write, |step| {
                erases.contains(&step) || step % 53 == u64::from(generation) % 53
            });
        }
    }
    assert!(
        board
            .flash
            .wear()
            .iter()
            .take(4)
            .all(|erased| *erased >= 99)
    );
}

/// Returns the steps of a write that are erases.
fn erase_steps<const SECTOR: usize>(board: &Board<SECTOR>, (what, bytes): &Write) -> Vec<u64> {
    let known = board.flash.history().len();
    let (_, done) = board.count(async |store| store.store_chain(bytes, *what).await);
    let mut step = 0;
    let mut erases = Vec::new();
    for done in &done.flash.history()[known..] {
        match done {
            Done::Erase { .. } => {
                erases.push(step);
                step += 1;
            }
            Done::Write { len, .. } => step += u64::from(len / 4),
            Done::Cut { .. } => {}
        }
    }
    erases
}

#[test]
fn a_sign_in_that_is_cut_anywhere_leaves_the_old_chain_or_the_new_one() {
    let mut board = signed_in::<ESP32>(USUAL);
    for (what, bytes) in [
        (StoreWhat::Intent, intent(1, USUAL)),
        (StoreWhat::Tokens, chain(2, USUAL)),
    ] {
        board
            .with(async |store| store.store_chain(&bytes, what).await)
            .unwrap();
    }
    let new = chain(3, USUAL);
    for board in [board, Board::new(0, 1)] {
        let old = board.clone().record();
        let (steps, _) = board.count(async |store| store.adopt_chain(&new).await);
        for step in 0..steps {
            let (mut cut, _) = board.after_cut(step, Tear::Word, step, async |store| {
                store.adopt_chain(&new).await
            });
            let found = cut.record();
            cut.start();
            assert_eq!(cut.record(), found);
            assert!(found == old || found == Some(decoded(&new)));
            if found == Some(decoded(&new)) {
                assert!(!cut.holds(&crate::board::refresh_token(2)), "step {step}");
            }
        }
    }
}

#[test]
fn a_sign_out_that_is_cut_anywhere_brings_no_older_chain_back() {
    let mut board = signed_in::<ESP32>(USUAL);
    for (what, bytes) in [
        (StoreWhat::Intent, intent(1, USUAL)),
        (StoreWhat::Tokens, chain(2, USUAL)),
    ] {
        board
            .with(async |store| store.store_chain(&bytes, what).await)
            .unwrap();
    }
    let (steps, done) = board.count(async |store| store.erase_chain().await);
    for step in 0..steps {
        let (mut cut, _) = board.after_cut(step, Tear::Word, step, async |store| {
            store.erase_chain().await
        });
        let found = cut.record();
        cut.start();
        assert_eq!(cut.record(), found);
        match found {
            Some(found) => assert_eq!(found, decoded(&chain(2, USUAL))),
            None => assert!(cut.flash.bytes().iter().all(|byte| *byte == 0xff)),
        }
    }
    assert!(done.flash.bytes().iter().all(|byte| *byte == 0xff));
}

/// The next step of a walk.
#[derive(Clone, Debug)]
enum Step {
    Refresh { longest: bool },
    Withdraw,
    SignIn,
}

fn step() -> impl Strategy<Value = (Step, Option<(u64, bool)>)> {
    let step = prop_oneof![
        6 => any::<bool>().prop_map(|longest| Step::Refresh { longest }),
        2 => Just(Step::Withdraw),
        1 => Just(Step::SignIn),
    ];
    (
        step,
        proptest::option::weighted(0.7, (0_u64..1_200, any::<bool>())),
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Repeated cuts, with what they left behind, in any order of writes.
    #[test]
    fn no_walk_of_writes_and_cuts_loses_the_chain(
        steps in proptest::collection::vec(step(), 1..40),
        seed in any::<u64>(),
    ) {
        let mut board = signed_in::<ESP32>(USUAL);
        board.flash.reseed(seed);
        let mut generation = 1;
        let mut known = decoded(&chain(1, USUAL));
        for (step, cut) in steps {
            let len = |longest| if longest { LONGEST } else { USUAL };
            let writes: Vec<(Option<StoreWhat>, Vec<u8>)> = match step {
                Step::Refresh { longest } => vec![
                    (Some(StoreWhat::Intent), with_intent(&known)),
                    (Some(StoreWhat::Tokens), chain(generation + 1, len(longest))),
                ],
                Step::Withdraw => vec![
                    (Some(StoreWhat::Intent), with_intent(&known)),
                    (Some(StoreWhat::Withdrawal), without_intent(&known)),
                ],
                Step::SignIn => vec![(None, chain(generation + 1, USUAL))],
            };
            if let Some((steps, is_page)) = cut {
                board.flash.cut(steps, if is_page { Tear::Page } else { Tear::Word });
            }
            for (what, bytes) in writes {
                let new = decoded(&bytes);
                let outcome = board.with(async |store| match what {
                    Some(what) => store.store_chain(&bytes, what).await,
                    None => store.adopt_chain(&bytes).await,
                });
                if !board.flash.has_power() {
                    board.flash.restore_power();
                }
                board.start();
                let found = board.record().unwrap();
                prop_assert!(found == new || (outcome.is_err() && found == known));
                let is_confirmed = outcome.is_ok();
                known = found;
                generation = known.chain.generation();
                if !is_confirmed {
                    break;
                }
            }
            board.assert_clean();
        }
    }
}

fn with_intent(record: &Record) -> Vec<u8> {
    let intent = pulsewing_core::chain::Intent {
        generation: record.chain.generation(),
        first_sent_at: crate::board::at_generation(record.chain.generation() + 1),
    };
    encode(&Record {
        intent: Some(intent),
        ..record.clone()
    })
}

fn without_intent(record: &Record) -> Vec<u8> {
    encode(&Record {
        intent: None,
        ..record.clone()
    })
}

fn encode(record: &Record) -> Vec<u8> {
    let mut buffer = [0; MAX_RECORD];
    record.encode(&mut buffer).unwrap().to_vec()
}
