//! The alarms: on the picture, by the button, on the piezo, and over restarts.

use std::time::Duration;

use proptest::prelude::*;
use pulsewing_core::{
    Provider,
    alarm::{Kind, Level},
    reading::Freshness,
};
use pulsewing_device::ports::ConnectError;
use pulsewing_screen::State;

use crate::rig::{Rig, TINY, hours, minutes};

const SILENCE: &str = "Press the button: quiet for 30 min.";

/// A board that was set up with limits of 120 and 150, a piezo, and these settings as well.
fn provisioned(rig: Rig, settings: &[(&str, &str)]) -> Rig {
    rig.provision(Provider::Fitbit, |all| {
        let usual = [
            ("alarms.high", "120"),
            ("alarms.high_urgent", "150"),
            ("alarms.piezo", "yes"),
        ];
        for (name, value) in usual.iter().chain(settings) {
            all.set(name, value).unwrap();
        }
    });
    rig.world.cloud.borrow_mut().rate = Some(70);
    rig
}

/// The same with a picture that is drawn quickly, after its first report.
fn calm(settings: &[(&str, &str)]) -> Rig {
    let mut rig = provisioned(Rig::sized(Provider::Fitbit, TINY), settings);
    rig.start_to_report();
    rig
}

/// A board that has just told of a rate of 140.
fn alarmed(settings: &[(&str, &str)]) -> Rig {
    let mut rig = calm(settings);
    rate(&rig, 140);
    tells(&mut rig, minutes(20), "Heart rate high");
    rig
}

fn rate(rig: &Rig, bpm: i64) {
    rig.world.cloud.borrow_mut().rate = Some(bpm);
}

/// Runs until the picture is stored, with which the panel is compared. Returns the time of its newest
/// minute on the wearer's clock.
fn to_stored(rig: &mut Rig) -> String {
    let before = rig.stored_reading().fetched_at;
    let is_stored = rig.run_until(hours(1), |rig| rig.stored_reading().fetched_at > before);
    assert!(is_stored);
    rig.run_for(Duration::from_secs(4));
    let reading = rig.stored_reading();
    let newest = reading.latest().unwrap().at;
    let clock = reading.time_zone.offsets.local(newest);
    format!("{:02}:{:02}", clock.hour(), clock.minute())
}

/// Returns what was told so far.
fn told(rig: &Rig) -> Vec<String> {
    let said = rig.said();
    let lines = said
        .lines()
        .filter_map(|line| line.strip_prefix("# alarm: "));
    lines.map(str::to_owned).collect()
}

fn count(rig: &Rig, heading: &str) -> usize {
    told(rig)
        .iter()
        .filter(|it| it.starts_with(heading))
        .count()
}

/// Runs until something more is told.
#[track_caller]
fn tells(rig: &mut Rig, within: Duration, heading: &str) {
    let before = count(rig, heading);
    let is_told = rig.run_until(within, |rig| count(rig, heading) > before);
    assert!(is_told, "{heading}: {:?}", told(rig));
    // The picture, the melody and the record follow.
    rig.run_for(Duration::from_secs(4));
}

fn press(rig: &mut Rig, time: Duration) {
    rig.world.is_pressed.set(true);
    rig.run_for(time);
    rig.world.is_pressed.set(false);
    rig.run_for(Duration::from_millis(150));
}

fn short_press(rig: &mut Rig) {
    press(rig, Duration::from_millis(150));
    rig.run_for(Duration::from_secs(1));
}

fn status(rig: &mut Rig) -> String {
    let line = rig.status_line("alarms: ").unwrap();
    line.trim_start_matches("alarms: ").to_owned()
}

#[test]
fn a_high_rate_is_on_the_picture_with_its_value_its_limit_and_its_time() {
    let mut rig = provisioned(Rig::erased(Provider::Fitbit), &[]);
    rig.start_to_report();
    assert!(rig.shows_reading(Freshness::Fresh, None));
    rate(&rig, 140);
    tells(&mut rig, minutes(20), "Heart rate high");
    let line = told(&rig).pop().unwrap();
    let sentence = line.strip_prefix("Heart rate high: ").unwrap();
    // On the wearer's clock, which is an hour ahead.
    assert!(sentence.starts_with("140 bpm at 13:3"), "{sentence}");
    let (_, since) = sentence.split_once(", above 120 since 13:").unwrap();
    let newest = to_stored(&mut rig);
    let sentence = &format!("140 bpm at {newest}, above 120 since 13:{since}");
    let state = State::Alarm {
        kind: Kind::High,
        level: Level::Warning,
        heading: "Heart rate high",
        sentence,
        advice: SILENCE,
    };
    assert!(rig.shows_reading(Freshness::Fresh, Some(state)));
    assert_eq!(status(&mut rig), "high warning");
}

#[test]
fn a_short_press_silences_it_for_half_an_hour_and_takes_no_picture() {
    let mut rig = alarmed(&[]);
    to_stored(&mut rig);
    assert!(!rig.shows_reading(Freshness::Fresh, None));
    short_press(&mut rig);
    let pressed = rig.world.real.get();
    assert!(rig.has_said("# alarm: high is quiet until 14:1"));
    assert!(rig.world.files.borrow().is_empty());
    assert_eq!(status(&mut rig), "high warning quiet");
    assert!(rig.shows_reading(Freshness::Fresh, None));
    // It is heard again at that moment, not with the next poll.
    tells(&mut rig, minutes(31), "Heart rate still high");
    let silent = rig.world.real.get() - pressed;
    assert!((minutes(30)..minutes(31)).contains(&silent), "{silent:?}");
}

#[test]
fn a_higher_level_is_heard_in_spite_of_it() {
    let mut rig = alarmed(&[]);
    short_press(&mut rig);
    rate(&rig, 160);
    tells(&mut rig, minutes(20), "Heart rate very high");
    assert_eq!(status(&mut rig), "high urgent");
}

#[test]
fn two_presses_or_a_longer_one_silence_it_until_it_is_over() {
    for is_double in [true, false] {
        let mut rig = alarmed(&[]);
        if is_double {
            press(&mut rig, Duration::from_millis(150));
            press(&mut rig, Duration::from_millis(150));
        } else {
            press(&mut rig, Duration::from_millis(1_500));
        }
        assert!(rig.has_said("# alarm: high is quiet until it is over"));
        rig.run_for(hours(3));
        assert_eq!(told(&rig).len(), 2, "{:?}", told(&rig));
        rate(&rig, 70);
        rig.run_for(minutes(40));
        assert_eq!(status(&mut rig), "none");
        rate(&rig, 140);
        tells(&mut rig, minutes(70), "Heart rate high");
    }
}

#[test]
fn a_press_that_nearly_erases_everything_says_nothing_to_an_alarm() {
    let mut rig = alarmed(&[]);
    to_stored(&mut rig);
    rig.world.is_pressed.set(true);
    rig.run_for(Duration::from_millis(1_900));
    assert!(!rig.shows_reading(Freshness::Fresh, Some(State::Erasing { seconds: 4 })));
    rig.run_for(Duration::from_millis(300));
    assert!(rig.shows_reading(Freshness::Fresh, Some(State::Erasing { seconds: 3 })));
    rig.world.is_pressed.set(false);
    rig.run_for(Duration::from_secs(2));
    assert_eq!(status(&mut rig), "high warning");
    // Held on, it erases.
    press(&mut rig, Duration::from_secs(7));
    rig.run_for(minutes(1));
    assert_eq!(rig.restarts, 1);
    assert!(rig.stored().is_none());
}

#[test]
fn a_press_that_lights_a_dark_screen_silences_nothing() {
    let mut rig = alarmed(&[("screen.backlight", "0")]);
    assert_eq!(rig.world.light.get(), 0, "a warning lights nothing");
    short_press(&mut rig);
    assert_eq!(rig.world.light.get(), 10);
    assert_eq!(status(&mut rig), "high warning");
    short_press(&mut rig);
    assert_eq!(status(&mut rig), "high warning quiet");
    rig.run_for(minutes(2));
    assert_eq!(rig.world.light.get(), 0);
    // What is urgent is seen.
    rate(&rig, 160);
    tells(&mut rig, minutes(20), "Heart rate very high");
    assert_eq!(rig.world.light.get(), 10);
}

#[test]
fn what_is_over_is_shown_until_somebody_presses_the_button() {
    let mut rig = alarmed(&[]);
    rate(&rig, 70);
    tells(&mut rig, minutes(20), "Heart rate within its limits again");
    assert_eq!(status(&mut rig), "none");
    to_stored(&mut rig);
    assert!(!rig.shows_reading(Freshness::Fresh, None));
    short_press(&mut rig);
    assert_eq!(rig.world.files.borrow().len(), 1, "a screenshot as always");
    assert!(rig.shows_reading(Freshness::Fresh, None));
    // A restart does not bring it back.
    rig.start();
    to_stored(&mut rig);
    assert!(rig.shows_reading(Freshness::Fresh, None));
}

#[test]
fn a_restart_tells_nothing_twice_and_keeps_what_was_said() {
    let mut rig = alarmed(&[]);
    let before = told(&rig);
    for _ in 0..3 {
        rig.start_for(minutes(3));
        assert_eq!(told(&rig), before);
        assert_eq!(status(&mut rig), "high warning");
    }
    short_press(&mut rig);
    let said = told(&rig).len();
    rig.start_for(minutes(25));
    assert_eq!(told(&rig).len(), said, "{:?}", told(&rig));
    assert_eq!(status(&mut rig), "high warning quiet");
    tells(&mut rig, minutes(10), "Heart rate still high");
}

#[test]
fn alarms_that_cannot_be_written_are_a_trouble_of_their_own() {
    let mut rig = calm(&[]);
    let alarms = crate::rig::layout().alarms;
    rig.world.flash.borrow_mut().fail(
        pulsewing_store::mock::Access::Write,
        alarms.start..alarms.end,
    );
    rate(&rig, 140);
    tells(&mut rig, minutes(20), "Heart rate high");
    assert_eq!(
        count(&rig, "Pulsewing is in trouble: Nothing can be written"),
        1
    );
    assert!(rig.has_said("# the alarms could not be stored"));
}

#[test]
fn without_a_clock_nothing_is_old() {
    let mut rig = calm(&[]);
    rig.stop();
    rig.world.real.set(rig.world.real.get() + hours(9));
    rig.world.network.borrow_mut().times.clear();
    rig.start_for(hours(10));
    assert!(told(&rig).is_empty(), "{:?}", told(&rig));
}

#[test]
fn after_a_night_without_power_silence_is_told_only_if_it_goes_on() {
    let mut rig = calm(&[]);
    rig.stop();
    rig.world.real.set(rig.world.real.get() + hours(9));
    rig.start_for(hours(1));
    assert!(told(&rig).is_empty(), "{:?}", told(&rig));
    rig.stop();
    rig.world.real.set(rig.world.real.get() + hours(9));
    rig.world.network.borrow_mut().connect_error = Some(ConnectError::Connect);
    rig.start();
    tells(&mut rig, minutes(20), "No new heart rate");
    assert_eq!(count(&rig, "No new heart rate"), 1);
}

#[test]
fn silence_is_told_by_the_clock_and_once() {
    let mut rig = calm(&[]);
    rig.world.cloud.borrow_mut().worn = vec![0..rig.world.truth().as_second() / 60];
    rig.run_for(minutes(110));
    assert!(told(&rig).is_empty(), "{:?}", told(&rig));
    tells(&mut rig, minutes(20), "No new heart rate");
    assert_eq!(status(&mut rig), "stale warning");
    short_press(&mut rig);
    assert_eq!(status(&mut rig), "stale warning quiet");
}

/// The tones, each with its length in milliseconds.
fn heard(rig: &Rig) -> Vec<(Option<u16>, u128)> {
    let sounds = rig.world.sounds.borrow();
    let pairs = sounds.iter().zip(sounds.iter().skip(1));
    pairs
        .map(|((from, tone), (until, _))| (*tone, (*until - *from).as_millis()))
        .collect()
}

#[test]
fn a_signal_is_heard_once_as_its_melody() {
    let mut rig = alarmed(&[]);
    assert_eq!(
        heard(&rig),
        [(Some(1_319), 180), (None, 90), (Some(1_319), 180)]
    );
    let last = rig.world.sounds.borrow().last().copied().unwrap();
    assert_eq!(last.1, None, "it ends in silence");
    // Nothing more until the repeat, and cycles go on while it plays.
    rig.run_for(minutes(8));
    assert_eq!(rig.world.sounds.borrow().len(), 4);
    tells(&mut rig, minutes(4), "Heart rate still high");
    assert_eq!(rig.world.sounds.borrow().len(), 8);
}

#[test]
fn a_press_ends_the_melody() {
    let mut rig = calm(&[]);
    rate(&rig, 160);
    let sounds = |rig: &Rig| rig.world.sounds.borrow().len();
    assert!(rig.run_until(minutes(30), |rig| sounds(rig) == 1));
    press(&mut rig, Duration::from_millis(50));
    rig.run_for(Duration::from_secs(5));
    let last = rig.world.sounds.borrow().last().copied().unwrap();
    assert_eq!(last.1, None);
    assert_eq!(sounds(&rig), 2, "of the ten notes and rests one was played");
}

#[test]
fn without_a_piezo_nothing_is_heard() {
    let rig = alarmed(&[("alarms.piezo", "no")]);
    assert!(rig.world.sounds.borrow().is_empty());
    assert!(!rig.has_said("# sound"));
}

#[test]
fn in_the_quiet_hours_only_what_is_urgent_is_heard() {
    let mut rig = calm(&[("alarms.quiet", "13:20-23:00")]);
    rate(&rig, 140);
    rig.run_for(hours(1));
    assert_eq!(status(&mut rig), "high warning");
    assert!(told(&rig).is_empty(), "{:?}", told(&rig));
    assert!(rig.world.sounds.borrow().is_empty());
    rate(&rig, 160);
    tells(&mut rig, minutes(20), "Heart rate very high");
    assert_eq!(rig.world.sounds.borrow().len(), 11);
    // The rest follows at their end.
    rate(&rig, 140);
    rig.run_for(hours(2));
    let heard = rig.world.sounds.borrow().len();
    tells(&mut rig, hours(9), "Heart rate still high");
    assert_eq!(rig.world.truth().to_string()[..16], *"2026-11-22T22:00");
    assert!(rig.world.sounds.borrow().len() > heard);
}

#[test]
fn limits_take_effect_within_a_minute() {
    let mut rig = alarmed(&[]);
    rig.tell("unset alarms.high_urgent");
    rig.tell("unset alarms.high");
    rig.run_for(minutes(1));
    assert_eq!(status(&mut rig), "none");
}

#[test]
fn a_usual_day_writes_the_alarms_every_quarter_of_an_hour() {
    let mut rig = calm(&[]);
    rig.run_for(hours(24));
    let written = rig.world.alarms_written.get();
    assert!((60..=100).contains(&written), "{written}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4))]
    #[test]
    fn no_day_writes_them_more_often_than_is_allowed(
        steps in proptest::collection::vec((40_i64..200, 1_u64..20, any::<bool>()), 160),
    ) {
        let mut rig = calm(&[
            ("alarms.low", "60"),
            ("alarms.stale", "900"),
            ("alarms.repeat", "60"),
            ("poll.every", "60"),
            ("poll.hourly_cap", "1000"),
        ]);
        let end = rig.world.real.get() + hours(24);
        for (bpm, wait, presses) in steps.into_iter().cycle() {
            if rig.world.real.get() >= end {
                break;
            }
            rate(&rig, bpm);
            rig.run_for(minutes(wait));
            if presses {
                short_press(&mut rig);
            }
        }
        let written = rig.world.alarms_written.get();
        prop_assert!(written > 96 && written <= 246, "{written}");
    }
}
