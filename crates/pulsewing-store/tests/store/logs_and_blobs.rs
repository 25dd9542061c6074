//! Errors, a panic's message, the TLS roots, the wallpaper.

use pulsewing_store::{
    Area, Layout, LayoutError, MAX_ERRORS, MAX_ROOTS, Store, StoreError, When,
    mock::{Geometry, MockFlash, Tear, run},
    record_panic,
};

use crate::board::{Board, ESP32, VIRT};

fn texts<const S: usize>(board: &mut Board<S>) -> Vec<String> {
    let errors = board.with(async |store| store.errors().await).unwrap();
    errors
        .iter()
        .map(|error| error.text.as_str().to_owned())
        .collect()
}

fn log<const S: usize>(board: &mut Board<S>, number: u32) {
    board
        .with(async |store| {
            let text = format!("error {number}: {}", "x".repeat(90));
            store.log_error(When::Uptime(number), &text).await
        })
        .unwrap();
}

fn the_last_ten<const S: usize>() {
    let mut board = Board::<S>::new(0, 1);
    assert_eq!(texts(&mut board).len(), 0);
    for number in 1..=100_u32 {
        log(&mut board, number);
        let texts = texts(&mut board);
        assert_eq!(texts.len(), MAX_ERRORS.min(number as usize));
        for (age, text) in (0..).zip(&texts) {
            assert!(
                text.starts_with(&format!("error {}:", number - age)),
                "{text}"
            );
            assert_eq!(text.len(), 96);
        }
    }
    board.assert_clean();
}

#[test]
fn the_last_ten_errors_are_given_back_newest_first() {
    the_last_ten::<ESP32>();
    the_last_ten::<VIRT>();
}

#[test]
fn an_error_keeps_its_time_and_its_text_is_cut_between_characters() {
    let mut board = Board::<ESP32>::new(0, 1);
    let at = When::At("2026-11-22T12:00:00Z".parse().unwrap());
    let long = "ä".repeat(60);
    board
        .with(async |store| {
            store.log_error(When::Uptime(u32::MAX), "").await?;
            store.log_error(at, &long).await
        })
        .unwrap();
    let errors = board.with(async |store| store.errors().await).unwrap();
    assert_eq!(
        (errors[0].when, errors[0].text.as_str()),
        (at, &*"ä".repeat(48))
    );
    assert_eq!(
        (errors[1].when, errors[1].text.as_str()),
        (When::Uptime(u32::MAX), "")
    );
}

#[test]
fn a_cut_while_an_error_is_written_costs_it_or_those_before_the_last_ten() {
    let mut board = Board::<ESP32>::new(0, 1);
    for number in 1..=60 {
        let before = texts(&mut board);
        let entry = async |store: &mut Store<_>| store.log_error(When::Uptime(0), "new").await;
        let (steps, _) = board.count(entry);
        for step in 0..steps {
            let (mut cut, _) = board.after_cut(step, Tear::Page, step, entry);
            let mut found = texts(&mut cut);
            if found.first().is_some_and(|text| text == "new") {
                found.remove(0);
            }
            let kept = found.len().min(9);
            assert_eq!(found[..kept], before[..kept]);
            assert!(kept == before.len().min(9));
        }
        log(&mut board, number);
    }
}

#[test]
fn a_panic_is_told_once_and_the_first_one_stays() {
    let mut board = Board::<ESP32>::new(0, 1);
    let area = board.layout.panic;
    let take = async |store: &mut Store<_>| store.take_panic().await.unwrap();
    assert_eq!(board.with(take), None);
    let write = |board: &mut Board<ESP32>, text: &str| {
        run(record_panic(&mut board.flash, area, text)).unwrap()
    };
    assert!(write(&mut board, "first"));
    assert!(!write(&mut board, "second"));
    assert_eq!(board.with(take).as_deref(), Some("first"));
    assert_eq!(board.with(take), None);
    assert!(write(&mut board, &"p".repeat(1_000)));
    assert_eq!(board.with(take).unwrap().len(), 256);
    // A message that was cut off is not returned, and the place is ready again afterwards.
    board.flash.cut(20, Tear::Word);
    assert!(run(record_panic(&mut board.flash, area, &"q".repeat(200))).is_err());
    board.flash.restore_power();
    assert_eq!(board.with(take), None);
    assert!(write(&mut board, "third"));
    board.assert_clean();
}

async fn write_roots<const S: usize>(
    store: &mut Store<MockFlash<S>>,
    bytes: &[u8],
    piece: usize,
) -> crate::board::Outcome<()> {
    let mut writer = store.write_roots(bytes.len() as u32).await?;
    for piece in bytes.chunks(piece) {
        writer.write(piece).await?;
    }
    writer.finish().await
}

fn roots<const S: usize>(board: &mut Board<S>) -> Option<Vec<u8>> {
    board.with(async |store| {
        let mut reader = store.roots().await.unwrap()?;
        let mut bytes = vec![0; reader.len() as usize];
        for (index, piece) in bytes.chunks_mut(77).enumerate() {
            let len = piece.len();
            let read = reader.read(index as u32 * 77, piece).await.unwrap();
            assert_eq!(read.len(), len);
        }
        assert!(
            reader
                .read(reader.len(), &mut [0; 8])
                .await
                .unwrap()
                .is_empty()
        );
        Some(bytes)
    })
}

fn content(seed: u8, len: u32) -> Vec<u8> {
    (0..len)
        .map(|at| (at as u8).wrapping_mul(31) ^ seed)
        .collect()
}

#[test]
fn roots_are_written_in_pieces_of_any_length() {
    let mut board = Board::<ESP32>::new(0, 1);
    assert_eq!(roots(&mut board), None);
    for (seed, piece) in [(1, 1), (2, 7), (3, 256), (4, 1_000), (5, 8_192)] {
        let bytes = content(seed, MAX_ROOTS);
        board
            .with(async |store| write_roots(store, &bytes, piece).await)
            .unwrap();
        assert_eq!(roots(&mut board).unwrap(), bytes);
    }
    for len in [0, 1, 31, 32, 33, 255, 256, 257] {
        let bytes = content(9, len);
        board
            .with(async |store| write_roots(store, &bytes, 100).await)
            .unwrap();
        assert_eq!(roots(&mut board).unwrap(), bytes);
    }
    board.assert_clean();
}

#[test]
fn roots_that_are_cut_anywhere_leave_the_old_ones_or_are_there() {
    let mut board = Board::<ESP32>::new(0, 1);
    let (old, new) = (content(1, 1_500), content(2, 1_700));
    for _ in 0..3 {
        board
            .with(async |store| write_roots(store, &old, 300).await)
            .unwrap();
        let (steps, _) = board.count(async |store| write_roots(store, &new, 300).await);
        for step in 0..steps {
            let (mut cut, _) = board.after_cut(step, Tear::Page, step, async |store| {
                write_roots(store, &new, 300).await
            });
            let found = roots(&mut cut).unwrap();
            assert!(found == old || found == new, "step {step}");
        }
    }
}

#[test]
fn a_wallpaper_is_whole_or_not_there() {
    let board = Board::<ESP32>::new(19, 1);
    let picture = content(3, 480 * 320 / 2);
    let write = async |store: &mut Store<MockFlash<ESP32>>| {
        let mut writer = store.write_wallpaper(picture.len() as u32).await?;
        for piece in picture.chunks(4_000) {
            writer.write(piece).await?;
        }
        writer.finish().await
    };
    let (steps, mut done) = board.count(write);
    for step in (0..steps).step_by(997).chain(steps - 9..steps) {
        let (mut cut, _) = board.after_cut(step, Tear::Page, step, write);
        let found = cut.with(async |store| store.wallpaper().await.unwrap().is_some());
        assert!(!found || cut.flash.bytes()[..] == done.flash.bytes()[..]);
    }
    done.with(async |store| {
        let mut reader = store.wallpaper().await.unwrap().unwrap();
        let mut row = [0; 240];
        assert_eq!(
            reader.read(319 * 240, &mut row).await.unwrap(),
            &picture[319 * 240..]
        );
        assert_eq!(reader.len(), 76_800);
    });
    let wallpaper = done.layout.wallpaper.start as usize;
    done.flash.bytes_mut()[wallpaper + 40_000] ^= 4;
    assert!(done.with(async |store| store.wallpaper().await.unwrap().is_none()));
    board.assert_clean();
}

#[test]
fn a_blob_of_another_length_than_announced_is_refused() {
    let mut board = Board::<ESP32>::new(1, 1);
    board.with(async |store| {
        let mut writer = store.write_roots(10).await.unwrap();
        assert_eq!(writer.write(&[0; 11]).await, Err(StoreError::Unfit));
        writer.write(&[0; 9]).await.unwrap();
        assert_eq!(writer.finish().await, Err(StoreError::Unfit));
        assert!(store.roots().await.unwrap().is_none());
        assert!(store.write_roots(MAX_ROOTS + 1).await.is_err());
        assert!(store.write_wallpaper(4_096 - 31).await.is_err());
        assert!(store.write_wallpaper(u32::MAX).await.is_err());
        assert!(store.write_wallpaper(4_096 - 32).await.is_ok());
    });
}

#[test]
fn a_layout_that_does_not_suit_the_flash_is_refused() {
    let sector = ESP32 as u32;
    let partition = Area {
        start: 0,
        end: 28 * sector,
    };
    let layout = Layout::within(partition, sector).unwrap();
    let open = |layout| Store::new(MockFlash::<ESP32>::new(Geometry { sectors: 28 }, 1), layout);
    assert!(open(layout).is_ok());
    let area = |start, end| Area {
        start: start * sector,
        end: end * sector,
    };
    let small = Layout {
        chain: area(0, 2),
        ..layout
    };
    let overlapping = Layout {
        errors: area(1, 3),
        ..layout
    };
    let beyond = Layout {
        wallpaper: area(23, 29),
        ..layout
    };
    let start = layout.panic.start + 4;
    let crooked = Layout {
        panic: Area {
            start,
            ..layout.panic
        },
        ..layout
    };
    assert_eq!(open(small).unwrap_err(), LayoutError::TooSmall);
    assert_eq!(open(overlapping).unwrap_err(), LayoutError::Overlap);
    assert_eq!(open(beyond).unwrap_err(), LayoutError::OutOfFlash);
    assert_eq!(open(crooked).unwrap_err(), LayoutError::Misaligned);
}
