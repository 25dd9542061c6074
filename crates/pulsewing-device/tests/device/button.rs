//! The button: screenshots and the factory reset.

use std::time::Duration;

use pulsewing_core::{Provider, reading::Freshness};
use pulsewing_screen::State;

use crate::rig::{Rig, minutes};

fn hold(rig: &mut Rig, time: Duration) {
    rig.world.is_pressed.set(true);
    rig.run_for(time);
    rig.world.is_pressed.set(false);
    rig.run_for(Duration::from_secs(2));
}

#[test]
fn a_short_press_puts_the_picture_on_the_card_under_a_free_name() {
    let mut rig = Rig::set_up(Provider::Fitbit);
    rig.world
        .files
        .borrow_mut()
        .insert("SHOT0001.BMP".into(), vec![1, 2, 3]);
    rig.start_to_report();
    hold(&mut rig, Duration::from_millis(200));
    assert!(rig.has_said("# saved the picture to the card: SHOT0002.BMP"));
    let answer = rig.ask("shot card");
    assert_eq!(answer, ["file: SHOT0003.BMP", "ok"]);
    let files = rig.world.files.borrow();
    assert_eq!(files["SHOT0001.BMP"], [1, 2, 3]);
    // Every pixel equals the panel's.
    let file = &files["SHOT0002.BMP"];
    let panel = rig.world.panel.borrow();
    let (width, height) = (panel.size.width as usize, panel.size.height as usize);
    assert_eq!(file.len(), 118 + height * width / 2);
    for y in 0..height {
        for x in 0..width {
            let byte = file[118 + (height - 1 - y) * width / 2 + x / 2];
            let ink = if x % 2 == 0 { byte >> 4 } else { byte & 15 };
            assert_eq!(ink, panel.inks[y * width + x].index(), "{x} {y}");
        }
    }
}

#[test]
fn without_a_card_a_press_says_so_and_does_nothing_else() {
    let mut rig = Rig::set_up(Provider::Fitbit);
    rig.world.has_card.set(false);
    rig.start_to_report();
    hold(&mut rig, Duration::from_millis(200));
    assert!(rig.has_said("# no picture was saved to the card: there is no card"));
    assert_eq!(rig.ask("shot card"), ["error: there is no card"]);
}

#[test]
fn a_long_press_counts_down_and_erases_everything() {
    let mut rig = Rig::running(Provider::Fitbit);
    rig.world.is_pressed.set(true);
    rig.run_for(Duration::from_millis(2_500));
    assert!(rig.shows_reading(Freshness::Fresh, Some(State::Erasing { seconds: 3 })));
    assert!(rig.stored().is_some());
    rig.run_for(Duration::from_secs(4));
    rig.world.is_pressed.set(false);
    rig.run_for(minutes(1));
    assert_eq!(rig.restarts, 1);
    assert!(rig.stored().is_none());
    let flash = rig.world.flash.borrow();
    for secret in ["refresh-1", "access-1", "correct horse"] {
        let is_there = flash
            .bytes()
            .windows(secret.len())
            .any(|w| w == secret.as_bytes());
        assert!(!is_there, "{secret}");
    }
}

#[test]
fn tokens_that_arrive_during_a_factory_reset_are_not_kept() {
    let mut rig = Rig::set_up(Provider::Fitbit);
    rig.world.real.set(minutes(40));
    rig.start();
    let sent = |rig: &Rig| rig.world.cloud.borrow().grants.count() == 2;
    assert!(rig.run_until(minutes(3), sent));
    // Nobody reads the output, so the board waits before it restarts.
    rig.world.is_deaf.set(true);
    rig.type_bytes(b"reset factory yes\n");
    rig.run_for(minutes(2));
    assert_eq!(rig.restarts, 1);
    assert!(rig.stored().is_none());
}

#[test]
fn letting_go_in_time_keeps_everything() {
    let mut rig = Rig::running(Provider::Fitbit);
    hold(&mut rig, Duration::from_millis(4_800));
    assert_eq!(rig.restarts, 0);
    assert!(rig.stored().is_some());
    assert!(
        rig.world.files.borrow().is_empty(),
        "that was no screenshot"
    );
    assert_eq!(rig.ask("status")[0], "board: bench");
}
