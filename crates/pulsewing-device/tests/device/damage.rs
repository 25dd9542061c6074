//! Whatever the flash contains, the device starts, shows something and answers.

use std::time::Duration;

use proptest::prelude::*;
use pulsewing_core::Provider;
use pulsewing_screen::State;

use crate::rig::{Rig, minutes, record};

/// Checks that it answers and did not restart.
fn is_alive(rig: &mut Rig) {
    rig.run_for(minutes(3));
    let answer = rig.ask("status");
    assert_eq!(answer.last().unwrap(), "ok", "{answer:?}");
    rig.ask("log");
    rig.ask("set");
    rig.ask("shot");
    assert_eq!((rig.restarts, rig.bites), (0, 0));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_flash_full_of_anything_starts(bytes in proptest::collection::vec(any::<u8>(), 4_096)) {
        let mut rig = Rig::tiny(Provider::Fitbit);
        for (place, byte) in rig.world.flash.borrow_mut().bytes_mut().iter_mut().enumerate() {
            *byte = bytes[(place * 7 + place / 4_096) % bytes.len()];
        }
        rig.start();
        is_alive(&mut rig);
        // It can be set up again.
        rig.tell("reset factory yes");
        rig.run_for(minutes(1));
        rig.tell("wifi add home \"correct horse\"");
    }

    #[test]
    fn a_few_flipped_bytes_do_no_more_harm_than_to_what_they_are_in(
        flips in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..30)
    ) {
        let mut rig = Rig::tiny(Provider::Fitbit);
        rig.start_to_report();
        rig.stop();
        for (place, byte) in flips {
            let mut flash = rig.world.flash.borrow_mut();
            let bytes = flash.bytes_mut();
            // The bytes that are in use.
            let used: Vec<_> = (0..bytes.len()).filter(|at| bytes[*at] != 0xff).collect();
            bytes[used[place.index(used.len())]] = byte;
        }
        rig.start();
        is_alive(&mut rig);
    }
}

#[test]
fn a_damaged_sign_in_is_told_and_replaced_by_a_new_one() {
    let mut rig = Rig::set_up(Provider::Fitbit);
    {
        let mut flash = rig.world.flash.borrow_mut();
        let token = b"refresh-1";
        let found = flash
            .bytes()
            .windows(token.len())
            .position(|bytes| bytes == token);
        flash.bytes_mut()[found.unwrap()] ^= 0x20;
    }
    rig.start_for(minutes(3));
    let answer = rig.ask("chain");
    assert_eq!(answer[0], "chain: unknown, the stored sign-in is damaged");
    assert!(rig.shows_state(State::SignInNeeded {
        command: pulsewing_device::LOGIN,
        address: None,
    }));
    let answer = rig.put("chain", &record(Provider::Fitbit, 3));
    assert!(
        answer[0].starts_with("chain: fitbit generation 3 active"),
        "{answer:?}"
    );
    rig.run_to_report(Duration::from_secs(30));
}
