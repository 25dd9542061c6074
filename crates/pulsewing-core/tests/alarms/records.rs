//! What a restart knows.

use jiff::SignedDuration;
use proptest::prelude::*;
use pulsewing_core::alarm::{
    Alarms,
    Event::Repeated,
    Kind::{High, Low, Stale},
    Level::Warning,
    Limits, MAX_RECORD, RecordError,
};

use crate::wearer::{Wearer, limits};

#[test]
fn a_restart_repeats_nothing_and_forgets_nothing() {
    let mut anna = Wearer::new(limits());
    anna.lump(10, 130);
    for _ in 0..9 {
        anna.lump(1, 130);
        anna.restart();
        anna.tick();
        anna.fetch();
    }
    assert_eq!(anna.told.len(), 1);
    // The repeat comes when it would have come.
    assert_eq!(anna.lump(1, 130), [(High, Warning, Repeated)]);
}

#[test]
fn snoozes_acknowledgements_and_what_nobody_saw_outlive_a_restart() {
    let mut anna = Wearer::new(limits());
    anna.lump(10, 44);
    anna.lump(10, 80);
    anna.lump(10, 130);
    anna.alarms.acknowledge(High).unwrap();
    let now = anna.at();
    let hour = now + SignedDuration::from_hours(1);
    anna.alarms.snooze(Stale, None, hour, now);
    let before = anna.alarms.clone();
    anna.restart();
    let after = &anna.alarms;
    assert!(before.active().eq(after.active()));
    for kind in [High, Low, Stale] {
        assert_eq!(before.mute(kind), after.mute(kind));
        assert_eq!(before.unseen(kind), after.unseen(kind));
    }
    assert_eq!(after.unseen(Low).unwrap().extreme.get(), 44);
}

#[test]
fn a_record_of_a_newer_program_is_named() {
    let mut buffer = [0; MAX_RECORD];
    let mut bytes = Alarms::new(limits()).encode(&mut buffer).unwrap().to_vec();
    bytes[4] = 9;
    let read = Alarms::decode(limits(), &bytes);
    assert_eq!(read.err(), Some(RecordError::Newer(9)));
}

#[test]
fn the_fullest_record_fits() {
    let mut anna = Wearer::new(limits());
    anna.lump(10, 44);
    anna.lump(10, 80);
    anna.lump(10, 160);
    anna.lump(10, 80);
    let now = anna.at();
    for kind in pulsewing_core::alarm::Kind::ALL {
        anna.alarms
            .snooze(kind, None, now + SignedDuration::from_hours(1), now);
    }
    anna.wait(600);
    let mut buffer = [0; MAX_RECORD];
    let length = anna.alarms.encode(&mut buffer).unwrap().len();
    assert!(length <= MAX_RECORD * 3 / 4, "{length} bytes");
    assert!(anna.alarms.encode(&mut [0; 100]).is_none());
}

proptest! {
    #[test]
    fn damaged_records_are_refused(at in 0..400_usize, bit in 0..8_u8, cut in 0..400_usize) {
        let mut anna = Wearer::new(limits());
        anna.lump(10, 130);
        let mut buffer = [0; MAX_RECORD];
        let whole = anna.alarms.encode(&mut buffer).unwrap().to_vec();
        let mut bytes = whole.clone();
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        prop_assert!(Alarms::decode(limits(), &bytes).is_err());
        let cut = cut % whole.len();
        prop_assert!(Alarms::decode(limits(), &whole[..cut]).is_err());
        prop_assert!(Alarms::decode(limits(), &whole).is_ok());
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..MAX_RECORD)) {
        let _ = Alarms::decode(Limits::default(), &bytes);
    }
}
