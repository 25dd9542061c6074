//! The watchdog: fed while everything works, not fed when anything hangs.

use pulsewing_core::Provider;

use crate::{
    cloud::{Fault, Route},
    peripherals::Hang,
    rig::{Rig, hours, minutes},
};

#[test]
fn a_port_that_never_returns_gets_the_board_restarted_and_it_goes_on() {
    for hang in [Hang::Join, Hang::Time, Hang::Exchange, Hang::Push] {
        let mut rig = Rig::tiny(Provider::Fitbit);
        rig.world.hangs.set(Some(hang));
        rig.start_for(minutes(12));
        assert!(rig.bites >= 1, "{hang:?}");
        rig.world.hangs.set(None);
        // A hanging port hangs until the board restarts.
        rig.run_for(minutes(10));
        rig.run_to_report(minutes(20));
        let bites = rig.bites;
        rig.run_for(hours(2));
        assert_eq!(rig.bites, bites, "{hang:?}");
    }
}

#[test]
fn a_card_that_never_returns_is_noticed_too() {
    let mut rig = Rig::tiny(Provider::Fitbit);
    rig.start_to_report();
    rig.world.hangs.set(Some(Hang::Card));
    rig.type_bytes(b"shot card\n");
    rig.run_for(minutes(15));
    assert_eq!(rig.bites, 1);
}

#[test]
fn everything_that_takes_long_by_right_is_no_hang() {
    let mut rig = Rig::tiny(Provider::Fitbit);
    // Nobody reads the output; every request stalls for its whole timeout.
    rig.world.is_deaf.set(true);
    for route in [Route::Heart, Route::Zone, Route::Token] {
        rig.always(route, Fault::Stall);
    }
    rig.start_for(hours(30));
    rig.world.network.borrow_mut().in_reach.clear();
    rig.run_for(hours(5));
    assert_eq!(rig.bites, 0);
    // A button that is held down for hours is not released, but that is not a hang.
    rig.world
        .network
        .borrow_mut()
        .in_reach
        .insert("home".into(), "correct horse".into());
    rig.run_for(hours(1));
    assert_eq!(rig.bites, 0);
}
