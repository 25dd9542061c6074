//! The mock itself: it has to be as strict as the flash that it replaces.

use embedded_storage_async::nor_flash::{NorFlash, ReadNorFlash};
use pulsewing_store::mock::{Complaint, Done, Geometry, MockError, MockFlash, Tear, run};

fn flash() -> MockFlash<4_096> {
    MockFlash::new(Geometry { sectors: 2 }, 5)
}

#[test]
fn a_write_only_clears_bits_and_a_second_one_is_complained_of() {
    let mut flash = flash();
    run(flash.write(8, &[0x0f; 4])).unwrap();
    run(flash.write(8, &[0x0e; 4])).unwrap();
    assert_eq!(flash.complaints(), []);
    run(flash.write(8, &[0xf0; 4])).unwrap();
    assert_eq!(flash.bytes()[8..12], [0; 4]);
    assert_eq!(flash.complaints(), [Complaint::Overwrite { address: 8 }]);
}

#[test]
fn accesses_off_their_granularity_or_beyond_the_end_fail() {
    let mut flash = flash();
    let mut buffer = [0; 8];
    assert_eq!(run(flash.write(2, &[0; 4])), Err(MockError::Wrong));
    assert_eq!(run(flash.write(0, &[0; 3])), Err(MockError::Wrong));
    assert_eq!(run(flash.read(1, &mut buffer)), Err(MockError::Wrong));
    assert_eq!(run(flash.read(0, &mut buffer[..5])), Err(MockError::Wrong));
    assert_eq!(run(flash.erase(0, 100)), Err(MockError::Wrong));
    assert_eq!(run(flash.write(8_192, &[0; 4])), Err(MockError::Wrong));
    assert_eq!(flash.complaints().len(), 6);
}

#[test]
fn a_cut_tears_the_word_or_the_page_and_nothing_works_until_the_power_is_back() {
    for (tear, whole) in [(Tear::Word, 48), (Tear::Page, 0)] {
        let mut flash = flash();
        flash.cut(4, tear);
        assert_eq!(run(flash.write(0, &[0; 64])), Err(MockError::NoPower));
        assert_eq!(flash.bytes()[..16], [0; 16]);
        let torn = &flash.bytes()[16..20];
        assert!(torn != [0; 4] && torn != [0xff; 4]);
        let untouched = flash.bytes()[16..64].iter().filter(|b| **b == 0xff).count();
        assert!(untouched <= whole && (whole == 0) == (untouched < 10));
        assert_eq!(run(flash.erase(0, 4_096)), Err(MockError::NoPower));
        assert_eq!(run(flash.read(0, &mut [0; 4])), Err(MockError::NoPower));
        flash.restore_power();
        run(flash.erase(0, 4_096)).unwrap();
        assert!(flash.bytes().iter().all(|byte| *byte == 0xff));
        assert_eq!(
            flash.history(),
            [Done::Cut { step: 4 }, Done::Erase { sector: 0 }]
        );
    }
}

#[test]
fn an_erase_that_is_cut_leaves_old_bytes_erased_ones_or_neither() {
    let mut seen = [false; 3];
    for seed in 0..60 {
        let mut flash = MockFlash::<4_096>::new(Geometry { sectors: 1 }, seed);
        run(flash.write(0, &[0x55; 4_096])).unwrap();
        flash.cut(0, Tear::Word);
        assert_eq!(run(flash.erase(0, 4_096)), Err(MockError::NoPower));
        let count = |byte| flash.bytes().iter().filter(|b| **b == byte).count();
        seen[0] |= count(0x55) == 4_096;
        seen[1] |= (1..4_096).contains(&count(0x55)) && count(0x55) + count(0xff) == 4_096;
        seen[2] |= count(0x55) + count(0xff) < 3_000;
        assert_eq!(flash.wear(), [1]);
    }
    assert_eq!(seen, [true; 3]);
}
