//! The backlight: by the clock, by the wearer's wish, and by what has to be seen.

use std::time::Duration;

use pulsewing_core::Provider;
use pulsewing_screen::State;

use crate::{
    cloud::{Fault, Route},
    peripherals::Hang,
    rig::{Rig, TINY, hours, minutes},
};

/// A board that was set up, with these settings as well, and a picture that is drawn quickly.
fn rig(settings: &[(&str, &str)]) -> Rig {
    let rig = Rig::sized(Provider::Fitbit, TINY);
    rig.provision(Provider::Fitbit, |all| {
        for (name, value) in settings {
            all.set(name, value).unwrap();
        }
    });
    rig
}

/// A board whose light is off, which has printed its first report.
fn dark() -> Rig {
    let mut rig = rig(&[("screen.backlight", "0"), ("poll.every", "86400")]);
    rig.start_to_report();
    assert_eq!(rig.world.light.get(), 0);
    rig
}

fn press(rig: &mut Rig) {
    rig.world.is_pressed.set(true);
    rig.run_for(Duration::from_millis(200));
    rig.world.is_pressed.set(false);
    rig.run_for(Duration::from_secs(1));
}

#[test]
fn it_follows_the_wearers_clock_without_a_poll() {
    let mut rig = rig(&[
        ("screen.night", "22:00-07:00"),
        ("screen.backlight", "80"),
        ("screen.night_backlight", "5"),
        ("poll.every", "86400"),
    ]);
    rig.start_to_report();
    assert_eq!(rig.world.light.get(), 80);
    let polls = rig.count(Route::Heart);
    // The cloud says that the wearer is an hour ahead of UTC.
    for (light, at) in [(5, "2026-11-22T21:00:00Z"), (80, "2026-11-23T06:00:00Z")] {
        assert!(rig.run_until(hours(10), |rig| rig.world.light.get() == light));
        assert_eq!(rig.world.truth().to_string(), at);
        rig.run_for(Duration::from_secs(1));
        assert!(rig.has_said(&format!("# backlight: {light} %")));
    }
    assert_eq!(rig.count(Route::Heart), polls);
    assert_eq!(rig.world.light_set.get().0, 3, "only changes are set");
}

#[test]
fn it_is_set_before_the_first_picture() {
    let mut rig = rig(&[("screen.backlight", "40")]);
    for starts in 1..3 {
        let pushes = rig.world.panel.borrow().pushes;
        rig.start_for(Duration::from_secs(2));
        assert_eq!(rig.world.light.get(), 40);
        assert_eq!(rig.world.light_set.get(), (starts, pushes));
        assert!(rig.world.panel.borrow().pushes > pushes);
    }
}

#[test]
fn it_does_not_wait_for_the_card() {
    let mut rig = rig(&[("screen.backlight", "40")]);
    rig.world.hangs.set(Some(Hang::CardRead));
    rig.start_for(Duration::from_secs(2));
    assert_eq!(
        rig.world.panel.borrow().pushes,
        0,
        "the wallpaper comes first"
    );
    assert_eq!(rig.world.light.get(), 40);
}

#[test]
fn what_nobody_set_is_left_alone() {
    let mut rig = rig(&[("screen.night", "22:00-07:00")]);
    rig.start_for(hours(20));
    assert_eq!(rig.world.light_set.get().0, 0);
}

#[test]
fn a_setting_takes_effect_at_once() {
    let mut rig = rig(&[]);
    rig.start_for(Duration::from_secs(2));
    rig.tell("set screen.backlight 30");
    rig.run_for(Duration::from_secs(1));
    assert_eq!(rig.world.light.get(), 30);
    rig.tell("unset screen.backlight");
    rig.run_for(Duration::from_secs(1));
    assert_eq!(rig.world.light.get(), 100);
    let answer = rig.ask("set screen.night_backlight 101");
    assert_eq!(
        answer.last().unwrap(),
        "error: must be a whole number from 0 to 100"
    );
}

#[test]
fn a_press_lights_a_dark_screen_for_a_minute_and_the_next_one_is_a_screenshot() {
    let mut rig = dark();
    press(&mut rig);
    assert_eq!(rig.world.light.get(), 10);
    assert!(
        rig.world.files.borrow().is_empty(),
        "that was no screenshot"
    );
    rig.run_for(Duration::from_secs(40));
    assert_eq!(rig.world.light.get(), 10);
    press(&mut rig);
    assert_eq!(rig.world.files.borrow().len(), 1);
    // The second press began another minute.
    rig.run_for(Duration::from_secs(50));
    assert_eq!(rig.world.light.get(), 10);
    rig.run_for(Duration::from_secs(10));
    assert_eq!(rig.world.light.get(), 0);
    // A screen that is lit anyway stays as it is.
    rig.tell("set screen.backlight 5");
    rig.run_for(Duration::from_secs(1));
    press(&mut rig);
    assert_eq!(rig.world.light.get(), 5);
    assert_eq!(rig.world.files.borrow().len(), 2);
}

#[test]
fn the_countdown_of_a_factory_reset_is_seen() {
    let mut rig = dark();
    rig.world.is_pressed.set(true);
    rig.run_for(Duration::from_millis(2_500));
    assert_eq!(rig.world.light.get(), 10);
    rig.world.is_pressed.set(false);
    rig.run_for(minutes(2));
    assert_eq!((rig.restarts, rig.world.light.get()), (0, 0));
    // Over the serial line nobody presses anything.
    rig.world.is_deaf.set(true);
    rig.type_bytes(b"reset factory yes\n");
    assert!(rig.run_until(minutes(1), |rig| rig.world.light.get() == 10));
}

#[test]
fn what_waits_for_a_person_is_seen_and_what_passes_is_not() {
    let mut rig = dark();
    rig.world.network.borrow_mut().is_internet_up = false;
    rig.tell("poll");
    rig.run_for(minutes(40));
    assert_eq!(rig.world.light.get(), 0);
    rig.world.network.borrow_mut().is_internet_up = true;
    let refusal = r#"{"errors":[{"errorType":"invalid_grant"}]}"#;
    rig.always(Route::Token, Fault::Body(400, refusal.to_owned()));
    rig.run_for(hours(9));
    rig.tell("poll");
    rig.run_for(minutes(5));
    assert!(rig.status_line("failure: ").is_some());
    assert_eq!(rig.world.light.get(), 10);
}

#[test]
fn tokens_that_cannot_be_stored_are_seen() {
    let mut rig = rig(&[("screen.backlight", "0")]);
    rig.world.real.set(minutes(40));
    rig.start_for(Duration::from_secs(2));
    assert_eq!(rig.world.light.get(), 0);
    rig.run_to_refresh();
    rig.write_protect_chain();
    rig.run_for(minutes(2));
    assert!(rig.shows_state(State::TokensNotStored));
    assert_eq!(rig.world.light.get(), 10);
}

#[test]
fn a_board_without_a_network_to_join_is_seen() {
    let mut rig = Rig::sized(Provider::Fitbit, TINY);
    rig.start_for(Duration::from_secs(2));
    rig.tell("set screen.backlight 0");
    rig.run_for(minutes(2));
    assert_eq!(rig.world.light.get(), 10);
}
