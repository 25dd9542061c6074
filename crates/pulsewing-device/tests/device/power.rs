//! The power fails at any step of the flash: the chain is the old one or the new one, and still
//! works.

use std::time::Duration;

use pulsewing_core::Provider;
use pulsewing_store::mock::Tear;

use crate::{
    cloud::Route,
    rig::{Rig, TINY, hours, minutes},
};

/// Sets up a device whose first cycle begins with a refresh, with a picture that is drawn quickly.
fn before_a_refresh(hold_off_s: u16) -> Rig {
    let rig = Rig::sized(Provider::Fitbit, TINY);
    rig.provision(Provider::Fitbit, |settings| {
        settings.hold_off_s = hold_off_s;
    });
    // 12:40, and the access token ends at 13:00.
    rig.world.real.set(minutes(40));
    rig
}

#[test]
fn a_cut_at_every_step_of_a_refresh_leaves_a_chain_that_goes_on() {
    let mut whole = before_a_refresh(0);
    let first = whole.world.flash.borrow().steps();
    whole.start();
    let stored =
        |rig: &Rig| rig.world.cloud.borrow().grants.count() == 2 && rig.count(Route::Heart) > 0;
    assert!(whole.run_until(minutes(1), stored));
    let of_refresh = whole.world.flash.borrow().steps() - first;
    whole.run_to_report(minutes(1));
    whole.run_for(minutes(1));
    let all = whole.world.flash.borrow().steps() - first;
    assert!(
        of_refresh > 100 && all > of_refresh,
        "{of_refresh} of {all}"
    );

    // Every step while tokens are written, and some of those of the picture.
    let steps = (0..of_refresh).chain((of_refresh..all).step_by(61));
    for (cut, tear) in steps.flat_map(|step| [(step, Tear::Word), (step, Tear::Page)]) {
        let mut rig = before_a_refresh(0);
        rig.world.flash.borrow_mut().reseed(cut);
        rig.world.flash.borrow_mut().cut(cut, tear);
        rig.start_for(minutes(2));
        assert!(!rig.has_power(), "{cut} {tear:?}");
        rig.world.flash.borrow_mut().restore_power();
        let found = rig
            .stored()
            .expect("a chain")
            .chain
            .refresh_token()
            .expose()
            .to_owned();
        let newest = rig.world.cloud.borrow().grants.refresh().to_owned();
        assert!(["refresh-1", &newest].contains(&&*found), "{cut} {tear:?}");
        // Half a minute later the power is back.
        rig.run_for(Duration::from_secs(30));
        rig.start();
        rig.run_to_report(minutes(4));
        let stored = rig.stored().expect("a chain");
        let newest = rig.world.cloud.borrow().grants.refresh().to_owned();
        assert_eq!(
            stored.chain.refresh_token().expose(),
            newest,
            "{cut} {tear:?}"
        );
        assert_eq!(stored.intent, None, "{cut} {tear:?}");
        assert_eq!(rig.world.cloud.borrow().grants.count(), 2, "{cut} {tear:?}");
        assert_eq!(rig.world.flash.borrow().complaints(), [], "{cut} {tear:?}");
    }
}

#[test]
fn after_a_cut_between_rotation_and_store_the_next_refresh_goes_on_too() {
    let mut rig = before_a_refresh(60);
    rig.start();
    let rotated = |rig: &Rig| rig.world.cloud.borrow().grants.count() == 2;
    assert!(rig.run_until(minutes(2), rotated));
    rig.stop();
    assert!(rig.stored().is_some_and(|record| record.intent.is_some()));
    rig.run_for(Duration::from_secs(20));
    // With or without a hold-off, a replay is sent at once.
    rig.start();
    let replayed = |rig: &Rig| rig.count(Route::Token) == 2;
    assert!(rig.run_until(Duration::from_secs(5), replayed));
    // Everything else has to wait.
    rig.run_for(Duration::from_secs(50));
    assert_eq!(rig.count(Route::Heart), 0);
    rig.run_to_report(minutes(3));
    rig.run_for(hours(9));
    assert_eq!(rig.world.cloud.borrow().grants.count(), 3);
    let newest = rig.world.cloud.borrow().grants.refresh().to_owned();
    assert_eq!(rig.stored().unwrap().chain.refresh_token().expose(), newest);
}
