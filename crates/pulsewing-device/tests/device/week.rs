//! A week of operation: the requests, the pixels sent to the panel, the wear of the flash.

use embedded_graphics::geometry::Size;
use pulsewing_core::Provider;
use pulsewing_store::mock::Done;

use crate::{
    cloud::Route,
    rig::{Rig, hours, minutes},
};

#[test]
fn a_week_costs_what_it_should() {
    let mut rig = Rig::sized(Provider::Fitbit, Size::new(160, 120));
    rig.provision(Provider::Fitbit, |_| {});
    rig.start_to_report();
    // The day's line starts over at midnight; the first half hour has drawn everything once.
    rig.run_for(minutes(30));
    let pixels = rig.world.panel.borrow().pixels;
    let wear = rig.world.flash.borrow().wear().to_vec();
    let calls = rig.world.calls.borrow().len();
    let read = rig.world.flash.borrow().read_bytes();
    rig.run_for(hours(24 * 7));

    let polls = rig.count(Route::Heart);
    assert!((650..=700).contains(&polls), "{polls} polls");
    let calls = rig.world.calls.borrow().len() - calls;
    assert!(calls < 60 * 24 * 7, "{calls} requests");
    // Three rotations a day.
    let rotations = rig.world.cloud.borrow().grants.count();
    assert!((20..=25).contains(&rotations), "{rotations} rotations");
    assert_eq!((rig.restarts, rig.bites), (0, 0));

    let flash = rig.world.flash.borrow();
    let most = flash
        .wear()
        .iter()
        .zip(&wear)
        .map(|(now, before)| now - before)
        .max()
        .unwrap();
    // 100,000 erases at this rate are more than ten years.
    assert!(
        most < 100_000 / (52 * 10),
        "{most} erases of one sector in a week"
    );
    assert_eq!(flash.complaints(), []);
    let written: u64 = flash
        .history()
        .iter()
        .map(|done| match done {
            Done::Write { len, .. } => u64::from(*len),
            Done::Erase { .. } | Done::Cut { .. } => 0,
        })
        .sum();
    let whole = 28 * 160 * 120;
    let pixels = rig.world.panel.borrow().pixels - pixels;
    let read = flash.read_bytes() - read;
    println!(
        "a week: {read} bytes read from the flash, {polls} polls, {calls} requests, {rotations} rotations, {written} bytes written, \
         {most} erases of the most worn sector, {pixels} pixels sent ({whole} of them the whole every six hours)"
    );
    // Redrawing everything each minute would send 10,080 whole pictures.
    assert!(pixels < 10_080 * 160 * 120 / 4, "{pixels} pixels");
}

#[test]
fn the_future_of_a_device_fits_into_a_small_board() {
    let bytes = Rig::future_size();
    println!("the future of a device has {bytes} bytes");
    assert!(bytes < 88 * 1_024, "{bytes}");
}

#[test]
fn the_last_picture_is_written_at_most_every_quarter_of_an_hour() {
    let mut rig = Rig::tiny(Provider::Google);
    rig.start();
    rig.tell("set poll.every 300");
    rig.run_to_report(minutes(3));
    let mut written = std::collections::BTreeSet::new();
    for _ in 0..180 {
        rig.run_for(minutes(1));
        let mut buffer = [0; pulsewing_store::MAX_SNAPSHOT];
        let loaded = pulsewing_store::mock::run(rig.store().load_snapshot(&mut buffer));
        written.insert(loaded.unwrap().unwrap().reading.unwrap().fetched_at);
    }
    assert!(rig.count(Route::Heart) >= 30);
    assert!((7..=13).contains(&written.len()), "{}", written.len());
}
