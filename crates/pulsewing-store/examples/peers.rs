//! The chain in `sequential-storage`'s map on the same mock flash: the effects of a power cut.
//! `docs/flash-format.md` quotes the figures.
//!
//! `cargo run --release -p pulsewing-store --features mock --example peers`
#![expect(clippy::print_stdout, reason = "it prints its figures")]

use std::panic::{AssertUnwindSafe, catch_unwind};

use embedded_storage_async::nor_flash::{ErrorType, NorFlash, ReadNorFlash};
use pulsewing_store::mock::{Access, Done, Geometry, MockError, MockFlash, Tear, run};
use sequential_storage::{
    cache::Cache,
    map::{MapConfig, MapStorage},
};

const SECTOR: usize = 4_096;
const PAGES: u32 = 4;

/// A mock that fails when more is read than any bounded algorithm needs.
#[derive(Clone)]
struct Bounded {
    flash: MockFlash<SECTOR>,
    may_read: u64,
}

impl ErrorType for Bounded {
    type Error = MockError;
}

impl ReadNorFlash for Bounded {
    const READ_SIZE: usize = 4;

    async fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), MockError> {
        if self.flash.read_bytes() > self.may_read {
            return Err(MockError::Told);
        }
        self.flash.read(offset, bytes).await
    }

    fn capacity(&self) -> usize {
        self.flash.capacity()
    }
}

impl NorFlash for Bounded {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = SECTOR;

    async fn erase(&mut self, from: u32, to: u32) -> Result<(), MockError> {
        self.flash.erase(from, to).await
    }

    async fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), MockError> {
        self.flash.write(offset, bytes).await
    }
}

fn store(flash: &mut Bounded, record: &[u8]) -> bool {
    flash.may_read = flash.flash.read_bytes() + ENOUGH;
    let mut buffer = [0; SECTOR];
    let config = const { MapConfig::new(0..PAGES * SECTOR as u32) };
    let mut map = MapStorage::<u8, _, _>::new(flash, config, Cache::new_uncached());
    run(map.store_item(&mut buffer, &1, &record)).is_ok()
}

fn fetch(flash: &mut Bounded) -> Option<Vec<u8>> {
    flash.may_read = flash.flash.read_bytes() + ENOUGH;
    let mut buffer = [0; SECTOR];
    let config = const { MapConfig::new(0..PAGES * SECTOR as u32) };
    let mut map = MapStorage::<u8, _, _>::new(flash, config, Cache::new_uncached());
    let found = run(map.fetch_item::<&[u8]>(&mut buffer, &1));
    found.ok().flatten().map(<[u8]>::to_vec)
}

/// A generous limit on the bytes that a store and a fetch read.
const ENOUGH: u64 = 64 * PAGES as u64 * SECTOR as u64;

#[derive(Default)]
struct Tally {
    cuts: u32,
    lost: u32,
    not_mended: u32,
    panicked: u32,
    complaints: usize,
}

impl Tally {
    fn print(&self, what: &str) {
        println!(
            "{what}: {} cuts; {} times neither the old record nor the new one, {} times no write \
             afterwards, {} panics, {} writes over written flash",
            self.cuts, self.lost, self.not_mended, self.panicked, self.complaints
        );
    }
}

fn cut(base: &Bounded, step: u64, tear: Tear, records: [&[u8]; 2], tally: &mut Tally) {
    let [old, new] = records;
    let mut flash = base.clone();
    flash.flash.reseed(step * 2 + u64::from(tear == Tear::Page));
    flash.flash.cut(step, tear);
    tally.cuts += 1;
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        store(&mut flash, new);
        flash.flash.restore_power();
        let found = fetch(&mut flash);
        let is_lost = !found.is_some_and(|found| found == old || found == new);
        let is_mended = store(&mut flash, new) && fetch(&mut flash).as_deref() == Some(new);
        (is_lost, is_mended)
    }));
    match outcome {
        Ok((is_lost, is_mended)) => {
            tally.lost += u32::from(is_lost);
            tally.not_mended += u32::from(!is_mended);
        }
        Err(_) => tally.panicked += 1,
    }
    tally.complaints += flash.flash.complaints().len();
}

/// Measures how often storing an answer erases a sector, and for how many more rotations a spent
/// token stays on the flash.
fn rotations<const S: usize>(sectors: u32, len: usize) {
    let mut flash = MockFlash::<S>::new(Geometry { sectors }, 1);
    let put = |flash: &mut MockFlash<S>, number: u32| {
        let config = MapConfig::try_new(0..sectors * S as u32);
        let Ok(config) = config else { return };
        let mut map = MapStorage::<u8, _, _>::new(flash, config, Cache::new_uncached());
        let record = number.to_le_bytes().repeat(len / 4);
        let _ = run(map.store_item(&mut [0; SECTOR], &1, &record.as_slice()));
    };
    let mut erasing = 0;
    let mut first_is_gone = None;
    for rotation in 1..=2_000_u32 {
        put(&mut flash, 0x7777_0000 + rotation);
        let before = flash.history().len();
        put(&mut flash, 0x8888_0000 + rotation);
        let erases = |done: &Done| matches!(done, Done::Erase { .. });
        erasing += u32::from(flash.history()[before..].iter().any(erases));
        let first = 0x8888_0001_u32.to_le_bytes().repeat(8);
        if first_is_gone.is_none()
            && !flash
                .bytes()
                .split(|b| *b == 0xff)
                .any(|run| run.windows(32).any(|w| w == first))
        {
            first_is_gone = Some(rotation);
        }
    }
    println!(
        "{sectors} sectors of {} KiB, records of {len} bytes: of 2,000 answers {erasing} were stored with an erase; the first \
         one was on the flash until rotation {first_is_gone:?}",
        S / 1_024
    );
}

/// Counts how many of 60 writes succeed when one sector cannot be erased.
fn one_bad_sector() {
    let mut flash = Bounded {
        flash: MockFlash::new(Geometry { sectors: PAGES }, 1),
        may_read: 0,
    };
    flash
        .flash
        .fail(Access::Erase, SECTOR as u32..2 * SECTOR as u32);
    let stored = (0..60)
        .filter(|number| store(&mut flash, &[*number; 640]))
        .count();
    println!("one sector that cannot be erased: {stored} of 60 writes succeed");
}

fn main() {
    for len in [476, 800, 2_228] {
        rotations::<SECTOR>(PAGES, len);
        rotations::<{ 256 * 1_024 }>(PAGES, len);
    }
    one_bad_sector();
    std::panic::set_hook(Box::new(|_| {}));
    let geometry = Geometry { sectors: PAGES };
    for (what, len) in [
        ("records of 640 bytes", 640),
        ("records of 3,840 bytes", 3_840),
    ] {
        for tear in [Tear::Word, Tear::Page] {
            let mut flash = Bounded {
                flash: MockFlash::new(geometry, 1),
                may_read: 0,
            };
            let mut tally = Tally::default();
            let mut old = vec![0; len];
            store(&mut flash, &old);
            for number in 1..=60_u8 {
                let new = vec![number; len];
                let before = flash.flash.steps();
                let mut whole = flash.clone();
                let is_stored = store(&mut whole, &new);
                for step in 0..whole.flash.steps() - before {
                    cut(&flash, step, tear, [&old, &new], &mut tally);
                }
                assert!(is_stored, "a record of {len} bytes cannot be stored");
                flash = whole;
                old = new;
            }
            tally.print(&format!("{what}, torn {tear:?}"));
        }
    }
    let mut panicked = 0;
    let mut without_end = 0;
    for seed in 0..2_000_u64 {
        let mut flash = Bounded {
            flash: MockFlash::new(geometry, seed),
            may_read: 0,
        };
        for number in 0..12 {
            store(&mut flash, &[number; 640]);
        }
        let mut random = seed | 1;
        for _ in 0..1 + seed % 40 {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let place = (random >> 20) as usize % (PAGES as usize * SECTOR);
            flash.flash.bytes_mut()[place] ^= 1 << (random >> 60 & 7);
        }
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            fetch(&mut flash);
            store(&mut flash, &[99; 640]);
            flash.flash.read_bytes() > flash.may_read
        }));
        match outcome {
            Ok(exceeded) => without_end += u32::from(exceeded),
            Err(_) => panicked += 1,
        }
    }
    println!(
        "2,000 images with 1 to 40 flipped bits: {panicked} panics, {without_end} times more than {ENOUGH} bytes read"
    );
}
